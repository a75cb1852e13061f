//! The ports to tokens and bots: what sessions ask about them, and what is kept of each. Secrets are made and checked where keys are.
//! Must never be asked by who came with a token themselves, nor answer about anybody's but the asker's own.

use async_trait::async_trait;
use tidings_protocol::bots::{Scopes, Token, TokenCreate, TokenMade};
use tidings_protocol::entity::User;
use tidings_protocol::error::{ErrorCode, Refusal};
use tidings_protocol::ids::{SessionId, UserId};
use tidings_protocol::position::Millis;

use super::{Claims, StoreFault};

/// What a session may ask about tokens and bots. `who` is the log-in that asks.
#[async_trait]
pub trait BotDesk: Send + Sync + 'static {
    /// Makes a token, for oneself or a bot of one's own.
    ///
    /// # Errors
    /// `invalid` with the field, `not_found` for what is no bot of one's own, `forbidden` for scopes that one may not give, `limit_reached`.
    async fn make(&self, who: Claims, wish: TokenCreate) -> Result<TokenMade, Refusal>;

    /// The tokens that are good, of oneself or of a bot, the newest first.
    ///
    /// # Errors
    /// `not_found` for what is no bot of one's own.
    async fn tokens(&self, who: Claims, bot: Option<UserId>) -> Result<Vec<Token>, Refusal>;

    /// As whom a token of one's own acts: oneself or a bot.
    ///
    /// # Errors
    /// `not_found`.
    async fn bearer(&self, who: Claims, token: SessionId) -> Result<UserId, Refusal>;

    /// One's bots, the oldest first.
    ///
    /// # Errors
    /// What the database refuses.
    async fn bots(&self, who: Claims) -> Result<Vec<User>, Refusal>;
}

/// Where there are none, as in simulations.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoBots;

fn none_here<T>() -> Result<T, Refusal> {
    Err(Refusal::new(ErrorCode::NotFound, "there is no such thing"))
}

#[async_trait]
impl BotDesk for NoBots {
    async fn make(&self, _: Claims, _: TokenCreate) -> Result<TokenMade, Refusal> {
        none_here()
    }

    async fn tokens(&self, _: Claims, _: Option<UserId>) -> Result<Vec<Token>, Refusal> {
        Ok(Vec::new())
    }

    async fn bearer(&self, _: Claims, _: SessionId) -> Result<UserId, Refusal> {
        none_here()
    }

    async fn bots(&self, _: Claims) -> Result<Vec<User>, Refusal> {
        Ok(Vec::new())
    }
}

/// A token about to be kept.
#[derive(Clone, Debug)]
pub struct NewApiToken {
    /// Who makes it, by which log-in.
    pub by: Claims,
    /// As whom it acts: they or a bot of theirs.
    pub bearer: UserId,
    /// Its name as a log-in.
    pub session: SessionId,
    /// For people to know it by.
    pub name: String,
    /// What it is good for.
    pub scopes: Scopes,
    /// Until when; for good if absent.
    pub expires_at: Option<Millis>,
}

/// Why a token was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotMade {
    /// The log-in that asks has ended.
    Ended,
    /// It is no bot of theirs.
    NoSuchBot,
    /// They have as many as they may.
    TooMany,
    /// Only who moderates may have such a token.
    NoModerator,
    /// They are suspended.
    Suspended,
}

/// What is kept of tokens and bots.
#[async_trait]
pub trait TokenRows: Send + Sync + 'static {
    /// Keeps a token. Tells when it was made.
    async fn keep_token(&self, new: NewApiToken) -> Result<Result<Millis, NotMade>, StoreFault>;

    /// Tokens that are good, of `owner` or of a bot of theirs, the newest first. None if that is no bot of theirs.
    async fn tokens_of(&self, owner: UserId, bot: Option<UserId>) -> Result<Option<Vec<Token>>, StoreFault>;

    /// As whom a token acts that is `owner`'s or of a bot of theirs.
    async fn bearer_of(&self, owner: UserId, token: SessionId) -> Result<Option<UserId>, StoreFault>;

    /// The bots of `owner`, the oldest first.
    async fn bots_of(&self, owner: UserId) -> Result<Vec<User>, StoreFault>;
}
