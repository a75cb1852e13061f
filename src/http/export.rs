//! The copy of everything that is somebody's, as a file.
//! Must never be kept by any cache, nor be shown by a browser instead of being saved.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION};
use actix_web::web::{self, Data, Path, ServiceConfig};
use futures_util::TryStreamExt;
use tidings_protocol::error::ErrorCode;

use super::Front;
use super::fault::Refused;
use super::wrong_method;

/// The route.
pub(super) fn routes(app: &mut ServiceConfig) {
    app.service(
        web::resource("/api/v1/export/{ticket}")
            .route(web::get().to(copy))
            .default_service(web::to(|| wrong_method("GET"))),
    );
}

async fn copy(front: Data<Front>, ticket: Path<String>) -> Result<HttpResponse, Refused> {
    let file = front.exports.open(&ticket).await.map_err(|refusal| {
        // No log-in would help: the address itself is the permission.
        if matches!(refusal.code, ErrorCode::BadToken | ErrorCode::TokenExpired) {
            Refused::from_refusal(StatusCode::FORBIDDEN, refusal)
        } else {
            refusal.into()
        }
    })?;
    // What has begun can only break off: an end without its last bracket is no file.
    let file = file.inspect_err(|fault| tracing::warn!(%fault, "a copy of somebody's things broke off"));
    Ok(HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((CONTENT_DISPOSITION, "attachment; filename=\"tidings.json\""))
        .content_type("application/json")
        .streaming(file))
}
