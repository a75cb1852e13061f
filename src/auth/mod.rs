//! Accounts' way in and out: sign up, log in, refresh, log out. Knows no HTTP; answers with the protocol's own types.
//! Must never tell whether it was the name or the password that was wrong, nor let a secret into a log (P9).

mod access;
mod desk;
mod keyring;
mod limits;
mod passwords;
mod refresh;
mod scoped;
mod secret;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use tidings_actors::command::{Act, Command, Outcome};
use tidings_actors::ports::{Accounts, NewToken, Opening, Rotation, SigningKeys, StoreFault, Submit};
use tidings_protocol::entity::User;
use tidings_protocol::error::{ErrorCode, Refusal};
use tidings_protocol::ids::{SessionId, UserId};
use tidings_protocol::limits::{DEVICE_NAME_BYTES, EMAIL_BYTES, PASSWORD_BYTES};
use tidings_protocol::position::Millis;
use tidings_protocol::rest;
use tidings_protocol::text::{BadText, DisplayName, Handle};
use uuid::Uuid;

pub use access::AccessTokens;
pub use desk::OwnAccount;
pub use keyring::{KeyFault, fits};
pub use limits::Limits;
pub use passwords::{HashFault, Passwords};
pub use refresh::{RefreshToken, Successors};
pub use scoped::{AllTokens, ScopedTokens, TokenDesk};
pub(crate) use secret::random;
pub use secret::{DerivedKey, Purpose, Secret, SecretFault};

use crate::config::Config;

/// For how long a rotated refresh token may be shown again by a client whose answer was lost.
const GRACE_MS: u64 = 10_000;
/// When to come back after finding the hashers busy: by then a full queue of the default size has been worked off.
const BUSY_MS: u64 = 5_000;

/// Who is asking over REST.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a> {
    /// From where.
    pub address: IpAddr,
    /// What the program calls itself.
    pub device: Option<&'a str>,
}

/// The desk where people come in.
pub struct Auth {
    accounts: Arc<dyn Accounts>,
    submit: Arc<dyn Submit>,
    passwords: Passwords,
    access: Arc<AccessTokens>,
    successors: Successors,
    limits: Limits,
    refresh_life: Duration,
}

/// Why nobody can come in.
#[derive(Debug, thiserror::Error)]
pub enum AuthFault {
    /// The signing keys.
    #[error(transparent)]
    Keys(#[from] KeyFault),
    /// The hashers.
    #[error("the password hashers cannot be started: {0}")]
    Hashers(std::io::Error),
}

/// Access tokens as the configuration wants them.
///
/// # Errors
/// As [`AccessTokens::start`].
pub async fn access_tokens(
    config: &Config,
    secret: &Secret,
    keys: Arc<dyn SigningKeys>,
) -> Result<AccessTokens, AuthFault> {
    let seal = secret.derive(Purpose::SigningKeys);
    let started = AccessTokens::start(keys, &seal, config.signing_key_period, config.access_token_ttl);
    Ok(started.await?)
}

/// What starts the password hashers as the configuration wants them: to be called where blocking is allowed, since it hashes once. It
/// fails where a thread cannot be made.
pub fn hashers(config: &Config, secret: &Secret) -> impl FnOnce() -> Result<Passwords, AuthFault> + Send + use<> {
    let pepper = secret.derive(Purpose::Passwords);
    let (cost, threads, waiting) = (config.bcrypt_cost, config.password_hashers, config.password_queue);
    move || Passwords::start(&pepper, cost, threads, waiting).map_err(AuthFault::Hashers)
}

impl Auth {
    /// Opens the desk.
    #[must_use]
    pub fn open(
        config: &Config,
        secret: &Secret,
        passwords: Passwords,
        accounts: Arc<dyn Accounts>,
        submit: Arc<dyn Submit>,
        access: Arc<AccessTokens>,
    ) -> Self {
        Self {
            accounts,
            submit,
            passwords,
            access,
            successors: Successors::new(&secret.derive(Purpose::RefreshTokens)),
            limits: Limits::new(config, &secret.derive(Purpose::Limits)),
            refresh_life: config.refresh_token_ttl,
        }
    }

    /// Access tokens, for those who publish the public keys.
    #[must_use]
    pub fn access(&self) -> &AccessTokens {
        &self.access
    }

    /// Makes an account and logs it in.
    ///
    /// # Errors
    /// `invalid` with the field, `conflict` with the field, and what limits, hashers, journal and database refuse.
    pub async fn sign_up(&self, from: Caller<'_>, wish: rest::SignUp) -> Result<rest::Tokens, Refusal> {
        let password = SecretString::from(wish.password);
        let handle = Handle::parse(wish.handle).map_err(|bad| invalid("handle", &bad))?;
        let name = wish.name.unwrap_or_else(|| handle.as_str().to_owned());
        let name = DisplayName::parse(name).map_err(|bad| invalid("name", &bad))?;
        let email = email(&wish.email)?;
        check_length(&password, "password")?;
        self.limits.sign_up(from.address)?;
        let password_hash = self.passwords.hash(&password).await.map_err(hasher_refusal)?;
        let actor = UserId(Uuid::now_v7());
        let act = Act::UserCreate { handle, name, email, password_hash };
        let user = match self.submit.submit(Command { actor, act }).await? {
            Outcome::Done(entry) | Outcome::Duplicate(entry) => entry,
            Outcome::Refused(denied) => return Err(denied.refusal()),
        };
        let user: User = serde_json::from_str(user.body.get()).map_err(|fault| broken(&fault))?;
        metrics::counter!("tidings_sign_ups_total").increment(1);
        self.open_session(user, from.device, None).await
    }

    /// Logs in.
    ///
    /// # Errors
    /// `bad_credentials`, the same in content and time for a wrong name and a wrong password; and what limits, hashers and database refuse.
    pub async fn log_in(&self, from: Caller<'_>, wish: rest::Login) -> Result<rest::Tokens, Refusal> {
        let password = SecretString::from(wish.password);
        let login = wish.login.to_lowercase();
        self.limits.log_in(from.address, &login)?;
        let found = if could_be_a_login(&login) {
            self.accounts.credentials(&login).await.map_err(store_refusal)?
        } else {
            None
        };
        let banned = found.as_ref().is_some_and(|found| found.banned);
        let (user, hash) = found.map(|found| (found.user, found.password_hash)).unzip();
        let good = self.passwords.check(&password, hash.clone()).await.map_err(hasher_refusal)?;
        let outcome = if good { "good" } else { "bad" };
        metrics::counter!("tidings_log_ins_total", "outcome" => outcome).increment(1);
        let user = user.filter(|_| good).ok_or_else(bad_credentials)?;
        // Told only to who knows the password.
        if banned {
            return Err(Refusal::new(ErrorCode::Forbidden, "this account is banned"));
        }
        let profile = self.accounts.profile(user).await.map_err(store_refusal)?;
        self.open_session(profile.ok_or_else(bad_credentials)?, from.device, hash).await
    }

    /// Trades a refresh token for its successor and a new access token. A token that was traded before, and not just now, is in
    /// wrong hands: its session ends on all nodes.
    ///
    /// # Errors
    /// `bad_token`, and what limits, journal and database refuse.
    pub async fn refresh(&self, from: IpAddr, wish: rest::RefreshToken) -> Result<rest::Tokens, Refusal> {
        self.limits.refresh(from)?;
        let old = RefreshToken::parse(&wish.refresh_token).ok_or_else(bad_token)?;
        let next = self.successors.after(&old);
        let rotation = self.accounts.rotate(old.hash(), self.to_keep(&next), GRACE_MS).await;
        match rotation.map_err(store_refusal)? {
            Rotation::Rotated { user, session } | Rotation::Repeated { user, session } => {
                self.tokens(user, session, &next)
            }
            Rotation::Reused { user, session } => {
                tracing::warn!(%user, %session, "a refresh token was used twice; its session ends");
                metrics::counter!("tidings_refresh_tokens_reused_total").increment(1);
                self.revoke(user, session).await?;
                Err(bad_token())
            }
            Rotation::Refused => Err(bad_token()),
        }
    }

    /// Ends the log-in that a refresh token belongs to, on all nodes. One that has ended already is no error: the answer may have been lost.
    ///
    /// # Errors
    /// `bad_token` for what is no token, and what limits, journal and database refuse.
    pub async fn log_out(&self, from: IpAddr, wish: rest::RefreshToken) -> Result<(), Refusal> {
        self.limits.refresh(from)?;
        let token = RefreshToken::parse(&wish.refresh_token).ok_or_else(bad_token)?;
        match self.accounts.session_of(token.hash()).await.map_err(store_refusal)? {
            Some((user, session)) => self.revoke(user, session).await,
            None => Ok(()),
        }
    }

    async fn revoke(&self, actor: UserId, session: SessionId) -> Result<(), Refusal> {
        let act = Act::SessionRevoke { session: Some(session) };
        match self.submit.submit(Command { actor, act }).await? {
            Outcome::Done(_) | Outcome::Duplicate(_) => Ok(()),
            Outcome::Refused(denied) => Err(denied.refusal()),
        }
    }

    /// `checked`: what the password was checked against, which must still be the one kept.
    async fn open_session(
        &self,
        user: User,
        device: Option<&str>,
        checked: Option<SecretString>,
    ) -> Result<rest::Tokens, Refusal> {
        let session = SessionId(Uuid::now_v7());
        let refresh = RefreshToken::fresh();
        let (token, device) = (self.to_keep(&refresh), device.and_then(device_name));
        let opening = Opening { user: user.id, session, token, device, checked };
        if self.accounts.open_session(opening).await.map_err(store_refusal)? {
            self.tokens(user, session, &refresh)
        } else {
            Err(bad_credentials())
        }
    }

    fn to_keep(&self, token: &RefreshToken) -> NewToken {
        NewToken { hash: token.hash(), life_ms: self.refresh_life_ms() }
    }

    fn tokens(&self, user: User, session: SessionId, refresh: &RefreshToken) -> Result<rest::Tokens, Refusal> {
        let (access_token, access_expires_at) = self.access.issue(user.id, session).map_err(|fault| broken(&fault))?;
        let now = jiff::Timestamp::now().as_millisecond();
        let refresh_expires_at = Millis(u64::try_from(now).unwrap_or(0).saturating_add(self.refresh_life_ms()));
        Ok(rest::Tokens { user, access_token, access_expires_at, refresh_token: refresh.text(), refresh_expires_at })
    }

    fn refresh_life_ms(&self) -> u64 {
        u64::try_from(self.refresh_life.as_millis()).unwrap_or(u64::MAX)
    }
}

/// A checked address in lower case: two that differ only in case are one mailbox nearly everywhere.
fn email(text: &str) -> Result<SecretString, Refusal> {
    let good = text.len() <= EMAIL_BYTES && garde::rules::email::parse_email(text).is_ok();
    if !good {
        let refusal = Refusal::new(ErrorCode::Invalid, "email: is not an e-mail address");
        return Err(refusal.field("email"));
    }
    Ok(text.to_lowercase().into())
}

/// What a program calls itself, as far as it is kept.
fn device_name(said: &str) -> Option<String> {
    let clean: String = said.chars().filter(|c| !c.is_control()).collect();
    let short = &clean[..clean.floor_char_boundary(DEVICE_NAME_BYTES)];
    Some(short.trim().to_owned()).filter(|name| !name.is_empty())
}

pub(crate) fn check_length(password: &SecretString, field: &str) -> Result<(), Refusal> {
    use secrecy::ExposeSecret;
    if PASSWORD_BYTES.contains(&password.expose_secret().len()) {
        return Ok(());
    }
    let (least, most) = (PASSWORD_BYTES.start(), PASSWORD_BYTES.end());
    let message = format!("{field}: must be {least} to {most} bytes");
    Err(Refusal::new(ErrorCode::Invalid, message).field(field))
}

/// Whether the database needs to be asked; it would refuse a NUL.
fn could_be_a_login(login: &str) -> bool {
    login.len() <= EMAIL_BYTES && !login.chars().any(char::is_control)
}

fn invalid(field: &str, bad: &BadText) -> Refusal {
    Refusal::new(ErrorCode::Invalid, format!("{field}: {bad}")).field(field)
}

fn bad_credentials() -> Refusal {
    Refusal::new(ErrorCode::BadCredentials, "name and password do not match")
}

fn bad_token() -> Refusal {
    Refusal::new(ErrorCode::BadToken, "the refresh token is not valid")
}

fn hasher_refusal(fault: HashFault) -> Refusal {
    match fault {
        HashFault::Full => Refusal::new(ErrorCode::Overloaded, "too many are logging in").after_ms(BUSY_MS),
        HashFault::Broken => Refusal::new(ErrorCode::Internal, "a fault in the server"),
    }
}

/// What a client hears of a fault of the database; the operator gets the cause.
pub(crate) fn store_refusal(fault: StoreFault) -> Refusal {
    match fault {
        StoreFault::Unavailable(cause) => {
            tracing::warn!(cause, "the database is unavailable");
            Refusal::new(ErrorCode::Unavailable, "the server cannot do it now").after_ms(1_000)
        }
        StoreFault::Broken(cause) => broken(&cause),
    }
}

fn broken(cause: &dyn std::fmt::Display) -> Refusal {
    tracing::error!(%cause, "a fault of our own");
    Refusal::new(ErrorCode::Internal, "a fault in the server")
}

#[cfg(test)]
mod tests;
