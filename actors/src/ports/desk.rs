//! The port to one's own account: what needs a password, and one's log-ins. Implemented where passwords are hashed.
//! Must never be asked without a log-in, nor answer about anybody else's.

use async_trait::async_trait;
use secrecy::SecretString;
use tidings_protocol::account::{AccountExported, AccountGot};
use tidings_protocol::entity::LogIn;
use tidings_protocol::error::Refusal;

use super::Claims;
use crate::command::Deed;

/// One's own account. `who` is the log-in that asks, as its token says; whether it still lives is decided with the change.
#[async_trait]
pub trait Desk: Send + Sync + 'static {
    /// Changes the password and ends all other log-ins, together or not at all. Tells how many ended.
    ///
    /// # Errors
    /// `bad_credentials` for a wrong one, `rate_limited`, `invalid`, and what hashers and database refuse. After `unavailable` it may have
    /// been done.
    async fn change_password(&self, who: Claims, current: SecretString, new: SecretString) -> Result<u32, Refusal>;

    /// Changes the address. Gives it back as it is kept.
    ///
    /// # Errors
    /// As [`Desk::change_password`], and `conflict` for one that is taken.
    async fn change_email(&self, who: Claims, password: SecretString, email: String) -> Result<String, Refusal>;

    /// The account as its owner alone sees it.
    ///
    /// # Errors
    /// What the database refuses.
    async fn account(&self, who: Claims) -> Result<AccountGot, Refusal>;

    /// Leave to fetch a copy of everything that is theirs.
    ///
    /// # Errors
    /// `limit_reached`, and what the database refuses.
    async fn export(&self, who: Claims) -> Result<AccountExported, Refusal>;

    /// The deed that deletes the account, for somebody who shows the password. Nothing is done yet.
    ///
    /// # Errors
    /// As [`Desk::change_password`].
    async fn deletion(&self, who: Claims, password: SecretString) -> Result<Deed, Refusal>;

    /// The log-ins that are good, the last seen first.
    ///
    /// # Errors
    /// What the database refuses.
    async fn log_ins(&self, who: Claims) -> Result<Vec<LogIn>, Refusal>;

    /// Ends all log-ins but the one that asks. Tells how many.
    ///
    /// # Errors
    /// What the database refuses.
    async fn end_others(&self, who: Claims) -> Result<u32, Refusal>;
}
