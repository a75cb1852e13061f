//! How a refusal looks over HTTP: a status, the protocol's error object, and when to come back.
//! Must never let a framework's own error text through, nor a cause from inside.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use tidings_protocol::error::{ErrorCode, Refusal};
use tidings_protocol::rest::RestError;

/// A refused request.
#[derive(Debug)]
pub struct Refused {
    status: StatusCode,
    refusal: Refusal,
}

impl Refused {
    /// With a status that the code alone does not tell.
    #[must_use]
    pub fn with_status(status: StatusCode, message: &str) -> Self {
        Self { status, refusal: Refusal::new(ErrorCode::BadRequest, message) }
    }

    /// A refusal with another status than its code's own.
    #[must_use]
    pub const fn from_refusal(status: StatusCode, refusal: Refusal) -> Self {
        Self { status, refusal }
    }

    /// There is nothing here.
    #[must_use]
    pub fn nothing_here() -> Self {
        Refusal::new(ErrorCode::NotFound, "there is nothing here").into()
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self { status: status(refusal.code), refusal }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.status.as_u16(), self.refusal.code)
    }
}

impl ResponseError for Refused {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let mut answer = HttpResponse::build(self.status);
        if let Some(wait) = self.refusal.retry_after_ms {
            answer.insert_header((RETRY_AFTER, wait.div_ceil(1_000).to_string()));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            answer.insert_header((WWW_AUTHENTICATE, "Bearer"));
        }
        answer.json(RestError { error: self.refusal.clone() })
    }
}

const fn status(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::BadRequest | ErrorCode::Invalid => StatusCode::BAD_REQUEST,
        ErrorCode::Unauthorized | ErrorCode::BadToken | ErrorCode::TokenExpired | ErrorCode::BadCredentials => {
            StatusCode::UNAUTHORIZED
        }
        ErrorCode::Forbidden => StatusCode::FORBIDDEN,
        ErrorCode::NotFound | ErrorCode::UnknownMethod => StatusCode::NOT_FOUND,
        ErrorCode::Conflict | ErrorCode::Stale | ErrorCode::LimitReached => StatusCode::CONFLICT,
        ErrorCode::CursorExpired => StatusCode::GONE,
        ErrorCode::RateLimited | ErrorCode::Overloaded => StatusCode::TOO_MANY_REQUESTS,
        ErrorCode::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        ErrorCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
