//! What operators and their programs ask: alive, ready, numbers.
//! Must never say more than a stranger may know: reasons are of our own wording, without causes or addresses.

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::web::{self, Data, ServiceConfig};
use async_trait::async_trait;
use serde::Serialize;

use super::{Front, wrong_method};

/// Knows whether the node can do its work now.
#[async_trait]
pub trait Readiness: Send + Sync + 'static {
    /// Why not; nothing if it can. Answers within about a second.
    async fn obstacles(&self) -> Vec<&'static str>;
}

#[derive(Serialize)]
struct Told {
    status: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reasons: Vec<&'static str>,
}

/// The routes.
pub(super) fn routes(app: &mut ServiceConfig) {
    let read = |path: &str| web::resource(path.to_owned()).default_service(web::to(|| wrong_method("GET, HEAD")));
    app.service(read("/healthz").route(web::get().to(alive)).route(web::head().to(alive)))
        .service(read("/readyz").route(web::get().to(ready)).route(web::head().to(ready)))
        .service(read("/metrics").route(web::get().to(numbers)));
}

async fn alive() -> HttpResponse {
    let mut answer = HttpResponse::Ok();
    answer.insert_header((CACHE_CONTROL, "no-store"));
    answer.json(Told { status: "ok", reasons: Vec::new() })
}

async fn ready(front: Data<Front>) -> HttpResponse {
    let reasons = front.readiness.obstacles().await;
    let (mut answer, status) = match reasons.is_empty() {
        true => (HttpResponse::Ok(), "ready"),
        false => (HttpResponse::ServiceUnavailable(), "not ready"),
    };
    answer.insert_header((CACHE_CONTROL, "no-store"));
    answer.json(Told { status, reasons })
}

async fn numbers(front: Data<Front>) -> HttpResponse {
    let mut answer = HttpResponse::Ok();
    answer.insert_header((CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8"));
    answer.insert_header((CACHE_CONTROL, "no-store"));
    answer.body(front.metrics.render())
}
