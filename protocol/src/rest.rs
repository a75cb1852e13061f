//! Bodies of the REST part: sign up, log in, refresh, log out. Everything else is on the socket.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::entity::User;
use crate::error::Refusal;
use crate::position::Millis;

/// `POST /api/v1/users`.
#[derive(Clone, Serialize, Deserialize, JsonSchema, TS)]
pub struct SignUp {
    /// Wished-for unique name.
    pub handle: String,
    /// Display name; the handle if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub name: Option<String>,
    /// Private, never shown.
    pub email: String,
    /// 10 to 1,024 bytes of UTF-8.
    pub password: String,
}

/// `POST /api/v1/auth/login`.
#[derive(Clone, Serialize, Deserialize, JsonSchema, TS)]
pub struct Login {
    /// Handle or e-mail address.
    pub login: String,
    /// Password.
    pub password: String,
}

/// `POST /api/v1/auth/refresh` and `/api/v1/auth/logout`.
#[derive(Clone, Serialize, Deserialize, JsonSchema, TS)]
pub struct RefreshToken {
    /// The newest refresh token of the session.
    pub refresh_token: String,
}

/// Answer to sign up, log in and refresh.
#[derive(Clone, Serialize, Deserialize, JsonSchema, TS)]
pub struct Tokens {
    /// The account's profile.
    pub user: User,
    /// JWT for `hello`.
    pub access_token: String,
    /// When the access token runs out.
    pub access_expires_at: Millis,
    /// For `POST /api/v1/auth/refresh`, once.
    pub refresh_token: String,
    /// When the refresh token runs out.
    pub refresh_expires_at: Millis,
}

/// Every REST refusal.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, TS)]
pub struct RestError {
    /// Why.
    pub error: Refusal,
}
