//! One's own account over the socket: what needs the password again, and one's log-ins.
//! Must never hash before it has asked the limits: whoever holds a stolen connection may guess as slowly as anybody else.

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;
use tidings_actors::account::seen::Seen;
use tidings_actors::command::Deed;
use tidings_actors::ports::{Accounts, Claims, Desk, NotChanged, Shown};
use tidings_protocol::account::{AccountExported, AccountGot};
use tidings_protocol::entity::LogIn;
use tidings_protocol::error::{ErrorCode, Refusal};
use tidings_protocol::ids::UserId;

use super::limits::PasswordLimits;
use super::{Passwords, check_length, email, hasher_refusal, store_refusal};
use crate::config::Config;
use crate::export::Exports;

const DAY_MS: u64 = 24 * 3_600_000;

/// The port [`Desk`], over hashers and accounts.
pub struct OwnAccount {
    accounts: Arc<dyn Accounts>,
    passwords: Passwords,
    limits: PasswordLimits,
    seen: Arc<Seen>,
    exports: Arc<Exports>,
    /// For how long the handle of a deleted account rests.
    rest_ms: u64,
}

impl OwnAccount {
    /// With the hashers of the log-ins, which are bounded together.
    #[must_use]
    pub fn new(
        accounts: Arc<dyn Accounts>,
        passwords: Passwords,
        seen: Arc<Seen>,
        exports: Arc<Exports>,
        config: &Config,
    ) -> Self {
        let rest_ms = u64::from(config.handle_rest_days) * DAY_MS;
        Self { accounts, passwords, limits: PasswordLimits::default(), seen, exports, rest_ms }
    }

    /// What the user's password is checked against, if they may try one now.
    async fn may_try(&self, user: UserId) -> Result<SecretString, Refusal> {
        self.limits.try_one(user)?;
        self.accounts.password_hash(user).await.map_err(store_refusal)?.ok_or_else(ended)
    }

    async fn is(&self, password: &SecretString, kept: &SecretString) -> Result<bool, Refusal> {
        self.passwords.check(password, Some(kept.clone())).await.map_err(hasher_refusal)
    }
}

#[async_trait]
impl Desk for OwnAccount {
    async fn change_password(&self, who: Claims, current: SecretString, new: SecretString) -> Result<u32, Refusal> {
        check_length(&new, "new")?;
        let checked = self.may_try(who.user).await?;
        if !self.is(&current, &checked).await? {
            // It may have been changed already, and the answer lost: what is wished for is so.
            return match self.is(&new, &checked).await? {
                true => self.end_others(who).await,
                false => Err(wrong("current")),
            };
        }
        let hash = self.passwords.hash(&new).await.map_err(hasher_refusal)?;
        let by = Shown { user: who.user, session: who.session, checked };
        let changed = self.accounts.change_password(by, hash).await.map_err(store_refusal)?;
        let ended = changed.map_err(|not| refusal(not, "current"))?;
        metrics::counter!("tidings_passwords_changed_total").increment(1);
        tracing::info!(user = %who.user, ended, "a password was changed");
        Ok(ended)
    }

    async fn change_email(&self, who: Claims, password: SecretString, wish: String) -> Result<String, Refusal> {
        use secrecy::ExposeSecret;
        let email = email(&wish)?;
        let checked = self.may_try(who.user).await?;
        if !self.is(&password, &checked).await? {
            return Err(wrong("password"));
        }
        let by = Shown { user: who.user, session: who.session, checked };
        let changed = self.accounts.change_email(by, email.expose_secret()).await.map_err(store_refusal)?;
        changed.map_err(|not| refusal(not, "password"))?;
        tracing::info!(user = %who.user, "an address was changed");
        Ok(email.expose_secret().to_owned())
    }

    async fn account(&self, who: Claims) -> Result<AccountGot, Refusal> {
        self.accounts.account(who.user).await.map_err(store_refusal)?.ok_or_else(ended)
    }

    async fn export(&self, who: Claims) -> Result<AccountExported, Refusal> {
        self.exports.ticket(who).await
    }

    async fn deletion(&self, who: Claims, password: SecretString) -> Result<Deed, Refusal> {
        let checked = self.may_try(who.user).await?;
        if !self.is(&password, &checked).await? {
            return Err(wrong("password"));
        }
        tracing::info!(user = %who.user, "an account is being deleted");
        Ok(Deed::DeleteAccount { session: who.session, checked, rest_ms: self.rest_ms })
    }

    async fn log_ins(&self, who: Claims) -> Result<Vec<LogIn>, Refusal> {
        // The one that asks is here now, and what its client calls itself need not wait to be written down.
        let sighting = self.seen.take(who.session).unwrap_or((who.session, None));
        self.accounts.note_seen(&[sighting]).await.map_err(store_refusal)?;
        self.accounts.log_ins(who.user, who.session).await.map_err(store_refusal)
    }

    async fn end_others(&self, who: Claims) -> Result<u32, Refusal> {
        let ended = self.accounts.end_other_sessions(who.user, who.session).await.map_err(store_refusal)?;
        ended.ok_or_else(self::ended)
    }
}

fn refusal(not: NotChanged, field: &str) -> Refusal {
    match not {
        NotChanged::Ended => ended(),
        NotChanged::OtherPassword => wrong(field),
        NotChanged::EmailTaken => Refusal::new(ErrorCode::Conflict, "this e-mail address is taken").field("email"),
    }
}

fn wrong(field: &str) -> Refusal {
    Refusal::new(ErrorCode::BadCredentials, "this is not the password").field(field)
}

fn ended() -> Refusal {
    Refusal::new(ErrorCode::Unauthorized, "this log-in has ended")
}
