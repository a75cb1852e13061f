//! The REST part: sign up, log in, refresh, log out, and the public keys. Everything else is on the socket.
//! Must never decide anything: it turns requests into calls of [`crate::auth::Auth`] and answers into responses.

use std::net::{IpAddr, Ipv4Addr};

use actix_web::http::header::{CACHE_CONTROL, USER_AGENT, X_FORWARDED_FOR};
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use tidings_protocol::rest::{Login, RefreshToken, SignUp, Tokens};

use super::Front;
use super::body::Body;
use super::fault::Refused;
use super::wrong_method;
use crate::auth::Caller;

/// The routes.
pub(super) fn routes(app: &mut ServiceConfig) {
    let post = |path: &str| web::resource(path.to_owned()).default_service(web::to(|| wrong_method("POST")));
    app.service(post("/api/v1/users").route(web::post().to(sign_up)))
        .service(post("/api/v1/auth/login").route(web::post().to(log_in)))
        .service(post("/api/v1/auth/refresh").route(web::post().to(refresh)))
        .service(post("/api/v1/auth/logout").route(web::post().to(log_out)))
        .service(
            web::resource("/.well-known/jwks.json")
                .route(web::get().to(public_keys))
                .route(web::head().to(public_keys))
                .default_service(web::to(|| wrong_method("GET, HEAD"))),
        );
}

async fn sign_up(front: Data<Front>, request: HttpRequest, body: Body<SignUp>) -> Result<HttpResponse, Refused> {
    let tokens = front.auth.sign_up(caller(&front, &request), body.0).await?;
    Ok(secret(HttpResponse::Created(), &tokens))
}

async fn log_in(front: Data<Front>, request: HttpRequest, body: Body<Login>) -> Result<HttpResponse, Refused> {
    let tokens = front.auth.log_in(caller(&front, &request), body.0).await?;
    Ok(secret(HttpResponse::Ok(), &tokens))
}

async fn refresh(front: Data<Front>, request: HttpRequest, body: Body<RefreshToken>) -> Result<HttpResponse, Refused> {
    let tokens = front.auth.refresh(client(&front, &request), body.0).await?;
    Ok(secret(HttpResponse::Ok(), &tokens))
}

async fn log_out(front: Data<Front>, request: HttpRequest, body: Body<RefreshToken>) -> Result<HttpResponse, Refused> {
    front.auth.log_out(client(&front, &request), body.0).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Short enough that a new key is known everywhere before it signs.
async fn public_keys(front: Data<Front>) -> HttpResponse {
    let mut answer = HttpResponse::Ok();
    answer.insert_header((CACHE_CONTROL, "public, max-age=60"));
    answer.json(front.auth.access().public_keys())
}

/// Tokens must not stay in any cache.
fn secret(mut answer: actix_web::HttpResponseBuilder, tokens: &Tokens) -> HttpResponse {
    answer.insert_header((CACHE_CONTROL, "no-store")).json(tokens)
}

fn caller<'r>(front: &Front, request: &'r HttpRequest) -> Caller<'r> {
    let device = request.headers().get(USER_AGENT).and_then(|header| header.to_str().ok());
    Caller { address: client(front, request), device }
}

fn client(front: &Front, request: &HttpRequest) -> IpAddr {
    // Only a listener that is no TCP socket has no peer; we have none.
    let peer = request.peer_addr().map_or(Ipv4Addr::UNSPECIFIED.into(), |peer| peer.ip());
    let forwarded: Vec<&str> =
        request.headers().get_all(X_FORWARDED_FOR).filter_map(|header| header.to_str().ok()).collect();
    front.clients.address(peer, forwarded.into_iter())
}
