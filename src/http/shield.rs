//! What every response goes through: a log line, numbers, and the headers that tell browsers to be careful.
//! Must never log a query, a body, or a header but the request id (P9); paths are logged as their route.

use std::time::Instant;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpResponse};
use tracing::Instrument;
use uuid::Uuid;

use super::Front;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longer ids are somebody writing into our logs.
const REQUEST_ID_BYTES: usize = 64;

/// Headers that are the same everywhere.
const CAREFUL: [(HeaderName, HeaderValue); 3] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
];

/// Gives the request a name, and afterwards says how it went.
pub(super) async fn observe<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let given = given_id(request.headers()).cloned();
    let id = match given.as_ref().and_then(|id| id.to_str().ok()) {
        Some(id) => id.to_owned(),
        None => Uuid::now_v7().to_string(),
    };
    let method = method_name(request.method());
    let started = Instant::now();
    let span = tracing::info_span!("request", id, method);
    let mut response = next.call(request).instrument(span.clone()).await?;
    let took = started.elapsed();
    let status = response.status().as_u16();
    let route = response.request().match_pattern().unwrap_or_else(|| "none".to_owned());
    let labels = [("method", method.to_owned()), ("route", route.clone()), ("status", status.to_string())];
    metrics::counter!("tidings_http_requests_total", &labels).increment(1);
    metrics::histogram!("tidings_http_request_seconds", &labels[..2]).record(took.as_secs_f64());
    let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    span.in_scope(|| match status {
        500.. => tracing::warn!(route, status, ms, "request failed"),
        _ => tracing::debug!(route, status, ms, "request"),
    });
    // Only whoever chose an id gets it back: answers that must not differ do not differ in it.
    if let Some(id) = given {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    Ok(response)
}

/// Adds the headers, and answers the question that browsers ask before a request from another origin.
pub(super) async fn guard<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<actix_web::body::EitherBody<B>>, Error> {
    let policy = content_policy(request.headers().get(header::HOST));
    let origin = listed_origin(&request);
    let asks_first =
        request.method() == Method::OPTIONS && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = match (&origin, asks_first) {
        (Some(_), true) => request.into_response(preflight()).map_into_right_body(),
        _ => next.call(request).await?.map_into_left_body(),
    };
    let headers = response.headers_mut();
    for (name, value) in CAREFUL {
        headers.insert(name, value);
    }
    // A picture has a stricter one of its own.
    if !headers.contains_key(header::CONTENT_SECURITY_POLICY) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::VARY, HeaderValue::from_static("origin"));
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("retry-after"));
    }
    Ok(response)
}

/// The origin of the request, if it is one of the configured ones.
fn listed_origin(request: &ServiceRequest) -> Option<HeaderValue> {
    let front: &Data<Front> = request.app_data()?;
    let origin = request.headers().get(header::ORIGIN)?;
    front.origins.is_listed(origin.to_str().ok()?).then(|| origin.clone())
}

fn preflight() -> HttpResponse {
    HttpResponse::NoContent()
        .insert_header((header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, PUT"))
        .insert_header((header::ACCESS_CONTROL_ALLOW_HEADERS, "content-type"))
        .insert_header((header::ACCESS_CONTROL_MAX_AGE, "600"))
        .finish()
}

/// Everything from here, nothing inline, nobody may frame it. Older browsers do not count the socket of the same host as `'self'`,
/// so it is named.
fn content_policy(host: Option<&HeaderValue>) -> HeaderValue {
    const REST: &str = "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; object-src 'none'; connect-src 'self'";
    let host = host.and_then(|host| host.to_str().ok()).filter(|host| is_plain(host));
    let policy = match host {
        Some(host) => HeaderValue::from_str(&format!("{REST} ws://{host} wss://{host}")),
        None => Ok(HeaderValue::from_static(REST)),
    };
    policy.unwrap_or(HeaderValue::from_static(REST))
}

/// Whether it can stand in a policy without becoming part of its grammar.
fn is_plain(host: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':' | b'[' | b']');
    !host.is_empty() && host.len() <= 255 && host.bytes().all(plain)
}

fn given_id(headers: &HeaderMap) -> Option<&HeaderValue> {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    headers.get(REQUEST_ID).filter(|id| (1..=REQUEST_ID_BYTES).contains(&id.len()) && id.as_bytes().iter().all(plain))
}

/// Labels must be few, whatever clients send.
fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_cannot_write_into_the_policy() {
        let policy =
            |host: &'static str| content_policy(Some(&HeaderValue::from_static(host))).to_str().unwrap().to_owned();
        assert!(policy("127.0.0.1:8080").ends_with("ws://127.0.0.1:8080 wss://127.0.0.1:8080"));
        for host in ["a; script-src *", "a *", "a,b", "", "a/b", "a'b"] {
            assert!(policy(host).ends_with("connect-src 'self'"), "{host}");
        }
    }

    #[test]
    fn an_id_cannot_write_into_the_log() {
        let given = |id: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(REQUEST_ID, HeaderValue::from_static(id));
            given_id(&headers).is_some()
        };
        assert!(given("0190f3a2-7c1e"));
        assert!(!given("") && !given("a b") && !given("a\tb") && !given("${x}"));
        assert!(!given("0123456789012345678901234567890123456789012345678901234567890123456789"));
    }
}
