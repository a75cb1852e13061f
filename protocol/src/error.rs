//! Refusals: the closed list of error codes, and the object that carries one.
//! Must never hold a cause from inside the server; messages are for people who write clients.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Why a request was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// Not JSON, not a request, or too deep.
    BadRequest,
    /// No such method.
    UnknownMethod,
    /// A parameter has the wrong type or an impossible value; `field` names it.
    Invalid,
    /// One must be logged in.
    Unauthorized,
    /// The token is not valid.
    BadToken,
    /// The token has run out.
    TokenExpired,
    /// Handle or e-mail and password do not match.
    BadCredentials,
    /// One may not do that.
    Forbidden,
    /// There is no such thing, or one may not see it.
    NotFound,
    /// The id or the name is taken by something else.
    Conflict,
    /// It has changed since the `if_rev` that was given.
    Stale,
    /// The cursor is of another epoch or older than what is kept.
    CursorExpired,
    /// Too many of something; `message` says of what.
    LimitReached,
    /// Too fast; come back after `retry_after_ms`.
    RateLimited,
    /// More is waiting than the server can hold.
    Overloaded,
    /// The server cannot do it now. For a create: it may have been done; the same id again is safe.
    Unavailable,
    /// A fault in the server.
    Internal,
}

impl ErrorCode {
    /// All of them, for documents and tests.
    pub const ALL: &[Self] = &[
        Self::BadRequest,
        Self::UnknownMethod,
        Self::Invalid,
        Self::Unauthorized,
        Self::BadToken,
        Self::TokenExpired,
        Self::BadCredentials,
        Self::Forbidden,
        Self::NotFound,
        Self::Conflict,
        Self::Stale,
        Self::CursorExpired,
        Self::LimitReached,
        Self::RateLimited,
        Self::Overloaded,
        Self::Unavailable,
        Self::Internal,
    ];

    /// The code on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BadRequest => "bad_request",
            Self::UnknownMethod => "unknown_method",
            Self::Invalid => "invalid",
            Self::Unauthorized => "unauthorized",
            Self::BadToken => "bad_token",
            Self::TokenExpired => "token_expired",
            Self::BadCredentials => "bad_credentials",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::Stale => "stale",
            Self::CursorExpired => "cursor_expired",
            Self::LimitReached => "limit_reached",
            Self::RateLimited => "rate_limited",
            Self::Overloaded => "overloaded",
            Self::Unavailable => "unavailable",
            Self::Internal => "internal",
        }
    }

    /// Whether the same request, sent again later, may succeed.
    #[must_use]
    pub const fn retry(self) -> bool {
        matches!(self, Self::RateLimited | Self::Overloaded | Self::Unavailable | Self::Internal)
    }
}

/// The `error` of a reply, over the socket and over REST alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Refusal {
    /// What kind of refusal.
    pub code: ErrorCode,
    /// For people who write clients.
    pub message: String,
    /// Whether the same request, sent again later, may succeed.
    pub retry: bool,
    /// When to send it again, if the server knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "number")]
    pub retry_after_ms: Option<u64>,
    /// The parameter that was wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub field: Option<String>,
}

impl Refusal {
    /// A refusal with its code's own `retry`.
    #[must_use]
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), retry: code.retry(), retry_after_ms: None, field: None }
    }

    /// Names the parameter that was wrong.
    #[must_use]
    pub fn field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// Says when to come back.
    #[must_use]
    pub const fn after_ms(mut self, wait: u64) -> Self {
        self.retry_after_ms = Some(wait);
        self
    }
}
