//! Reading a JSON body: type, size and patience are checked before a byte is parsed.
//! Must never log a body or repeat its values: it holds passwords and tokens (P9).

use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use actix_web::web::BytesMut;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use futures_util::StreamExt;
use futures_util::future::LocalBoxFuture;
use serde::de::DeserializeOwned;
use tidings_protocol::error::{ErrorCode, Refusal};

use super::fault::Refused;

/// The longest body that makes sense: a password of 1,024 bytes, each escaped as six, and a few names.
pub const BODY_BYTES: usize = 16 * 1024;
/// A body that trickles in slower than this is somebody holding a connection.
const PATIENCE: Duration = Duration::from_secs(10);

/// A JSON body.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for Body<T> {
    type Error = Refused;
    type Future = LocalBoxFuture<'static, Result<Self, Refused>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let head = check_head(request);
        let payload = payload.take();
        Box::pin(async move {
            head?;
            let gathered = tokio::time::timeout(PATIENCE, gather(payload)).await;
            let bytes =
                gathered.map_err(|_| Refused::with_status(StatusCode::REQUEST_TIMEOUT, "the body took too long"))??;
            parse(&bytes).map(Self).map_err(Refused::from)
        })
    }
}

fn check_head(request: &HttpRequest) -> Result<(), Refused> {
    let unsupported = |message| Err(Refused::with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
    if !request.content_type().eq_ignore_ascii_case("application/json") {
        return unsupported("the body must be application/json");
    }
    let encoding = request.headers().get(CONTENT_ENCODING);
    if encoding.is_some_and(|encoding| encoding != "identity") {
        return unsupported("the body must not be compressed");
    }
    let length = request.headers().get(CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
    if length.is_some_and(|length: u64| length > BODY_BYTES as u64) {
        return Err(too_large());
    }
    Ok(())
}

async fn gather(mut payload: Payload) -> Result<BytesMut, Refused> {
    let mut bytes = BytesMut::new();
    while let Some(part) = payload.next().await {
        let part = part.map_err(|_| Refused::with_status(StatusCode::BAD_REQUEST, "the body broke off"))?;
        if bytes.len() + part.len() > BODY_BYTES {
            return Err(too_large());
        }
        bytes.extend_from_slice(&part);
    }
    Ok(bytes)
}

fn too_large() -> Refused {
    Refused::with_status(StatusCode::PAYLOAD_TOO_LARGE, &format!("the body must be at most {BODY_BYTES} bytes"))
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Refusal> {
    // The reader of structs would also take a list of their fields.
    if bytes.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
        return Err(Refusal::new(ErrorCode::BadRequest, "the body must be a JSON object"));
    }
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|fault| refusal(&fault))?;
    match json.end() {
        Ok(()) => Ok(value),
        Err(_) => Err(Refusal::new(ErrorCode::BadRequest, "something follows the JSON object")),
    }
}

/// Says where it went wrong, never what was there.
fn refusal(fault: &serde_path_to_error::Error<serde_json::Error>) -> Refusal {
    let cause = fault.inner();
    if !cause.is_data() {
        let message = format!("the body is not JSON (line {}, column {})", cause.line(), cause.column());
        return Refusal::new(ErrorCode::BadRequest, message);
    }
    let said = cause.to_string();
    let quoted = |start: &str| said.strip_prefix(start)?.split('`').next().map(str::to_owned);
    if let Some(field) = quoted("missing field `") {
        return Refusal::new(ErrorCode::Invalid, format!("{field}: is missing")).field(field);
    }
    if let Some(field) = quoted("duplicate field `") {
        return Refusal::new(ErrorCode::Invalid, format!("{field}: is there twice")).field(field);
    }
    let field = fault.path().to_string();
    Refusal::new(ErrorCode::Invalid, format!("{field}: has the wrong type")).field(field)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidings_protocol::rest::Login;

    fn refused(body: &str) -> (ErrorCode, Option<String>) {
        let refusal = parse::<Login>(body.as_bytes()).err().unwrap();
        assert!(!refusal.message.contains("hunter2"), "{}", refusal.message);
        (refusal.code, refusal.field)
    }

    #[test]
    fn what_is_wrong_is_named_and_not_repeated() {
        let invalid = |field: &str| (ErrorCode::Invalid, Some(field.to_owned()));
        let bad = (ErrorCode::BadRequest, None);
        assert_eq!(refused(r#"{"login":"a"}"#), invalid("password"));
        assert_eq!(refused(r#"{"login":"a","password":["hunter2"]}"#), invalid("password"));
        assert_eq!(refused(r#"{"login":"a","password":"hunter2","password":"hunter2"}"#), invalid("password"));
        assert_eq!(refused(r#"{"login":"a","password":"hunter2"} x"#), bad);
        assert_eq!(refused(r#"{"login":"a","password":"hunter2"#), bad);
        assert_eq!(refused(r#""hunter2""#), bad);
        assert_eq!(refused(r#"["a","hunter2"]"#), bad);
        assert_eq!(refused(""), bad);
        assert_eq!(refused(r#"{"login":"a","password":"\ud800"}"#), bad);
        assert_eq!(refused(&"[".repeat(BODY_BYTES)), bad);
    }
}
