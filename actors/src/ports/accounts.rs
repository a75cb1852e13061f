//! The port to private account data: what log-in needs, kept apart from profiles.
//! Must never hand out a password hash or an e-mail address in a type that can be printed.

use async_trait::async_trait;
use secrecy::SecretString;
use tidings_protocol::entity::User;
use tidings_protocol::ids::{SessionId, UserId};

use super::StoreFault;

/// SHA-256 of a refresh token: all that is kept of it.
pub type TokenHash = [u8; 32];

/// What a log-in is checked against.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// Whose.
    pub user: UserId,
    /// As the hasher wrote it.
    pub password_hash: SecretString,
}

/// A refresh token to be kept.
#[derive(Clone, Copy, Debug)]
pub struct NewToken {
    /// Its hash.
    pub hash: TokenHash,
    /// Its life, in milliseconds from now by the database's clock.
    pub life_ms: u64,
}

/// What came of presenting a refresh token.
#[derive(Clone, Debug)]
pub enum Rotation {
    /// It was the newest of its session; the new one has taken its place.
    Rotated {
        /// The account.
        user: User,
        /// The log-in.
        session: SessionId,
    },
    /// It had been rotated already, within the grace for lost answers, and its successor has not been used: the caller may give
    /// out the same successor again (it is derived, not random).
    Repeated {
        /// The account.
        user: User,
        /// The log-in.
        session: SessionId,
    },
    /// It had been rotated already: stolen by somebody. The caller must revoke the session.
    Reused {
        /// Whose.
        user: UserId,
        /// The log-in.
        session: SessionId,
    },
    /// Unknown, expired, or of a session that has ended.
    Refused,
}

/// Private account data.
#[async_trait]
pub trait Accounts: Send + Sync + 'static {
    /// By handle or normalised e-mail address; none if there is no such account.
    async fn credentials(&self, login: &str) -> Result<Option<Credentials>, StoreFault>;

    /// A profile.
    async fn profile(&self, user: UserId) -> Result<Option<User>, StoreFault>;

    /// Begins a log-in with its first refresh token.
    async fn open_session(&self, user: UserId, session: SessionId, token: NewToken) -> Result<(), StoreFault>;

    /// Trades the token with hash `old` for `new`, exactly once however many ask at the same time. `grace_ms`: for how long after a
    /// rotation a repeat counts as a lost answer.
    async fn rotate(&self, old: TokenHash, new: NewToken, grace_ms: u64) -> Result<Rotation, StoreFault>;

    /// The live log-in that a refresh token belongs to.
    async fn session_of(&self, token: TokenHash) -> Result<Option<(UserId, SessionId)>, StoreFault>;
}
