//! The port to private account data: what log-in needs, kept apart from profiles.
//! Must never hand out a password hash or an e-mail address in a type that can be printed.

use async_trait::async_trait;
use secrecy::SecretString;
use tidings_protocol::account::AccountGot;
use tidings_protocol::entity::{LogIn, User};
use tidings_protocol::ids::{SessionId, UserId};

use super::StoreFault;
use crate::account::seen::Sighting;

/// SHA-256 of a refresh token: all that is kept of it.
pub type TokenHash = [u8; 32];

/// What a log-in is checked against.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// Whose.
    pub user: UserId,
    /// As the hasher wrote it.
    pub password_hash: SecretString,
    /// They may not log in, whatever they know.
    pub banned: bool,
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

/// A log-in about to begin.
#[derive(Clone, Debug)]
pub struct Opening {
    /// Whose.
    pub user: UserId,
    /// Its name.
    pub session: SessionId,
    /// Its first refresh token.
    pub token: NewToken,
    /// What the program that logs in calls itself.
    pub device: Option<String>,
    /// What the password was checked against; none where there was nothing to check, as after a sign-up.
    pub checked: Option<SecretString>,
}

/// A change of an account by somebody who has shown the password.
#[derive(Clone, Debug)]
pub struct Shown {
    /// Whose account.
    pub user: UserId,
    /// The log-in that asks for it, which must still live.
    pub session: SessionId,
    /// What the password was checked against, which must still be the one kept.
    pub checked: SecretString,
}

/// Why an account was not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotChanged {
    /// The log-in that asks has ended.
    Ended,
    /// The password has changed meanwhile.
    OtherPassword,
    /// The address belongs to another account.
    EmailTaken,
}

/// Private account data.
#[async_trait]
pub trait Accounts: Send + Sync + 'static {
    /// By handle or normalised e-mail address; none if there is no such account.
    async fn credentials(&self, login: &str) -> Result<Option<Credentials>, StoreFault>;

    /// A profile.
    async fn profile(&self, user: UserId) -> Result<Option<User>, StoreFault>;

    /// The account as its owner alone sees it; none if there is no such account.
    async fn account(&self, user: UserId) -> Result<Option<AccountGot>, StoreFault>;

    /// What the password of `user` is checked against; none if there is no such account.
    async fn password_hash(&self, user: UserId) -> Result<Option<SecretString>, StoreFault>;

    /// Begins a log-in. Of more than [`LOG_INS_PER_USER`](tidings_protocol::limits::LOG_INS_PER_USER) those not seen longest end. False, and
    /// nothing happens, if the password has changed since it was checked, or there is no such account.
    async fn open_session(&self, opening: Opening) -> Result<bool, StoreFault>;

    /// Keeps another password hash and ends all other log-ins, together or not at all. Tells how many ended.
    async fn change_password(&self, by: Shown, hash: SecretString) -> Result<Result<u32, NotChanged>, StoreFault>;

    /// Keeps another address, normalised by the caller.
    async fn change_email(&self, by: Shown, email: &str) -> Result<Result<(), NotChanged>, StoreFault>;

    /// The log-ins of a user that are good, the last seen first. `current` is the one that asks.
    async fn log_ins(&self, user: UserId, current: SessionId) -> Result<Vec<LogIn>, StoreFault>;

    /// Ends all log-ins of a user but this one. Tells how many; none if this one has ended itself.
    async fn end_other_sessions(&self, user: UserId, but: SessionId) -> Result<Option<u32>, StoreFault>;

    /// Notes that log-ins are connected, as of now. Those that have ended, and those that somebody else is changing, are left out.
    async fn note_seen(&self, seen: &[Sighting]) -> Result<(), StoreFault>;

    /// Trades the token with hash `old` for `new`, exactly once however many ask at the same time. `grace_ms`: for how long after a
    /// rotation a repeat counts as a lost answer.
    async fn rotate(&self, old: TokenHash, new: NewToken, grace_ms: u64) -> Result<Rotation, StoreFault>;

    /// The live log-in that a refresh token belongs to.
    async fn session_of(&self, token: TokenHash) -> Result<Option<(UserId, SessionId)>, StoreFault>;
}
