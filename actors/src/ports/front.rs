//! Ports between the living part and the front: who a token speaks for, and the way in for commands.

use async_trait::async_trait;
use tidings_protocol::bots::Scopes;
use tidings_protocol::error::Refusal;
use tidings_protocol::ids::{SessionId, UserId};
use tidings_protocol::position::Millis;

use crate::command::{Command, Outcome};

/// What a good token says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claims {
    /// Whose it is.
    pub user: UserId,
    /// The log-in it came from, or is.
    pub session: SessionId,
    /// When it runs out; never if absent.
    pub expires_at: Option<Millis>,
    /// What it is good for; an access token, which comes from a log-in, for everything.
    pub scopes: Option<Scopes>,
}

/// Why a token is not good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadToken {
    /// It was good once.
    #[error("the token has run out")]
    Expired,
    /// It never was, or its key is no longer known.
    #[error("the token is not valid")]
    Invalid,
}

/// Checks tokens. Pure computation (about 28 µs), never I/O: whether the log-in still lives is asked of [`super::Reads::viewer`].
pub trait Tokens: Send + Sync + 'static {
    /// What a token says, if it is good now.
    ///
    /// # Errors
    /// Expired or invalid; nothing more is told.
    fn verify(&self, token: &str) -> Result<Claims, BadToken>;
}

/// The way to the journal for those who are not actors.
#[async_trait]
pub trait Submit: Send + Sync + 'static {
    /// Carries out one command and answers after it has been committed (P2). Waits a bounded time.
    ///
    /// # Errors
    /// `overloaded` when too much is waiting, `unavailable` when the journal cannot be reached, `internal` for a fault; what the
    /// store denied comes as [`Outcome::Refused`].
    async fn submit(&self, command: Command) -> Result<Outcome, Refusal>;
}
