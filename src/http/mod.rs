//! HTTP: routes, bodies, headers, pictures. Everything but the WebSocket, which the gate takes over before it gets here.
//! Must never hold rules of the domain; it translates between HTTP and the parts that do.

mod api;
mod body;
mod export;
mod fault;
mod health;
mod media;
mod page;
mod shield;

use std::sync::Arc;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, HeaderValue};
use actix_web::middleware::from_fn;
use actix_web::web::Data;
use actix_web::{App, Error, HttpResponse, ResponseError};
use metrics_exporter_prometheus::PrometheusHandle;
use tidings_media::Gallery;

use crate::auth::Auth;
use crate::client::Clients;
use crate::export::Exports;
use crate::origin::Origins;
use fault::Refused;

pub use body::BODY_BYTES;
pub use health::Readiness;

/// What the routes need.
pub struct Front {
    /// Sign up, log in, refresh, log out.
    pub auth: Arc<Auth>,
    /// Who is asking.
    pub clients: Clients,
    /// Copies of everything somebody has.
    pub exports: Arc<Exports>,
    /// Pictures.
    pub gallery: Arc<Gallery>,
    /// Which pages elsewhere may.
    pub origins: Origins,
    /// Whether the node can do its work.
    pub readiness: Arc<dyn Readiness>,
    /// The numbers.
    pub metrics: PrometheusHandle,
}

/// The application, one for each worker thread.
pub fn app(
    front: Data<Front>,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody + use<>>,
        Error = Error,
        InitError = (),
    > + use<>,
> {
    App::new()
        .app_data(front)
        .wrap(from_fn(shield::guard))
        .wrap(from_fn(shield::observe))
        .configure(api::routes)
        .configure(export::routes)
        .configure(health::routes)
        .configure(media::routes)
        .configure(page::routes)
}

/// The answer to a method that a path does not know.
async fn wrong_method(allowed: &'static str) -> HttpResponse {
    let refused = Refused::with_status(StatusCode::METHOD_NOT_ALLOWED, "this path does not know the method");
    let mut answer = refused.error_response();
    answer.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    answer
}
