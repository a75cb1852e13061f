//! Tokens for programs: how they look, who may have one, and the check that needs no database
//! ([decision 26](../../docs/decisions/0026-tokens-and-bots.md)).
//! Must never keep or log a secret: what is kept is a log-in whose id is made of its SHA-256.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use aws_lc_rs::{digest, hmac};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tidings_actors::ports::{BadToken, BotDesk, Claims, NewApiToken, NotMade, TokenRows, Tokens};
use tidings_protocol::bots::{Scope, Scopes, Token, TokenCreate, TokenMade};
use tidings_protocol::entity::User;
use tidings_protocol::error::{ErrorCode, Refusal};
use tidings_protocol::ids::{SessionId, UserId};
use tidings_protocol::limits::{API_TOKENS, MAX_SAFE_INTEGER};
use tidings_protocol::position::Millis;
use uuid::{Builder, Uuid};
use zeroize::Zeroizing;

use super::secret::{DerivedKey, random};
use super::{AccessTokens, store_refusal};

/// Tells scanners for leaked secrets, and people, what it is.
const PREFIX: &str = "tid_";
/// The form of tokens: another one gets another number.
const FORM: u8 = 1;
const SECRET_BYTES: usize = 32;
/// Form, scopes, end, user, secret.
const CLAIM_BYTES: usize = 1 + 1 + 8 + 16 + SECRET_BYTES;
const TAG_BYTES: usize = 32;
/// A token without an end.
const NEVER: u64 = u64::MAX;

/// Writes and reads tokens under the deployment's key. A tag says at once that a token was never given out, so that made-up ones cost neither
/// the database nor somebody's seats.
#[derive(Clone)]
pub struct ScopedTokens(hmac::Key);

impl ScopedTokens {
    /// Under the key that all nodes share.
    #[must_use]
    pub fn under(key: &DerivedKey) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key.as_slice()))
    }

    fn write(&self, user: UserId, scopes: Scopes, expires_at: Option<Millis>, secret: &[u8; SECRET_BYTES]) -> String {
        let mut bytes = Zeroizing::new(Vec::with_capacity(CLAIM_BYTES + TAG_BYTES));
        bytes.extend_from_slice(&[FORM, scopes.bits()]);
        bytes.extend_from_slice(&expires_at.map_or(NEVER, |at| at.0).to_be_bytes());
        bytes.extend_from_slice(user.0.as_bytes());
        bytes.extend_from_slice(secret);
        let tag = hmac::sign(&self.0, &bytes);
        bytes.extend_from_slice(tag.as_ref());
        format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes.as_slice()))
    }

    fn read(&self, token: &str, now: Millis) -> Result<Claims, BadToken> {
        let text = token.strip_prefix(PREFIX).ok_or(BadToken::Invalid)?;
        let bytes = URL_SAFE_NO_PAD.decode(text).map(Zeroizing::new).map_err(|_| BadToken::Invalid)?;
        let (claim, tag) = bytes.split_first_chunk::<CLAIM_BYTES>().ok_or(BadToken::Invalid)?;
        hmac::verify(&self.0, claim, tag).map_err(|_| BadToken::Invalid)?;
        let claims = fields(claim).ok_or(BadToken::Invalid)?;
        if claims.expires_at.is_some_and(|at| at <= now) { Err(BadToken::Expired) } else { Ok(claims) }
    }
}

fn fields(claim: &[u8; CLAIM_BYTES]) -> Option<Claims> {
    let (&[form, scopes], rest) = claim.split_first_chunk()?;
    let (end, rest) = rest.split_first_chunk()?;
    let (user, secret) = rest.split_first_chunk()?;
    let scopes = Scopes::of_bits(scopes).filter(|scopes| !scopes.is_empty())?;
    let end = u64::from_be_bytes(*end);
    (form == FORM).then_some(Claims {
        user: UserId(Uuid::from_bytes(*user)),
        session: log_in_of(secret),
        expires_at: (end != NEVER).then_some(Millis(end)),
        scopes: Some(scopes),
    })
}

/// The log-in that a secret is. 122 bits of its hash: whoever reads them in the database still has to find a secret to them.
fn log_in_of(secret: &[u8]) -> SessionId {
    let hash = digest::digest(&digest::SHA256, secret);
    let start = hash.as_ref().first_chunk::<16>().expect("SHA-256 has 32 bytes");
    SessionId(Builder::from_custom_bytes(*start).into_uuid())
}

/// Checks both kinds of tokens that `hello` takes.
pub struct AllTokens {
    /// Of log-ins.
    pub access: Arc<AccessTokens>,
    /// Of programs.
    pub scoped: ScopedTokens,
}

impl Tokens for AllTokens {
    fn verify(&self, token: &str) -> Result<Claims, BadToken> {
        // A JWT has dots, and never begins like this.
        if token.starts_with(PREFIX) { self.scoped.read(token, now()) } else { self.access.verify(token) }
    }
}

/// The port [`BotDesk`], over keys and rows.
pub struct TokenDesk {
    rows: Arc<dyn TokenRows>,
    tokens: ScopedTokens,
}

impl TokenDesk {
    /// With the key that tokens are checked under.
    #[must_use]
    pub fn new(rows: Arc<dyn TokenRows>, tokens: ScopedTokens) -> Self {
        Self { rows, tokens }
    }
}

#[async_trait]
impl BotDesk for TokenDesk {
    async fn make(&self, who: Claims, wish: TokenCreate) -> Result<TokenMade, Refusal> {
        let scopes: Scopes = wish.scopes.iter().copied().collect();
        // A time no clock can tell apart from "never" is one that a client mistook.
        if wish.expires.is_some_and(|at| at <= now() || at.0 > MAX_SAFE_INTEGER) {
            return Err(Refusal::new(ErrorCode::Invalid, "must be in the future").field("expires"));
        }
        let secret = random::<SECRET_BYTES>();
        let (bearer, session) = (wish.bot.unwrap_or(who.user), log_in_of(secret.as_slice()));
        let name: String = wish.name.into();
        let new = NewApiToken { by: who, bearer, session, name: name.clone(), scopes, expires_at: wish.expires };
        let made = self.rows.keep_token(new).await.map_err(store_refusal)?;
        let created_at = made.map_err(refusal)?;
        metrics::counter!("tidings_tokens_made_total").increment(1);
        tracing::info!(user = %who.user, %bearer, token = %session, scopes = ?scopes.list(), "a token was made");
        let token = Token {
            id: session,
            user: bearer,
            name,
            scopes: scopes.list(),
            created_at,
            seen_at: None,
            expires_at: wish.expires,
        };
        Ok(TokenMade { token, secret: self.tokens.write(bearer, scopes, wish.expires, &secret) })
    }

    async fn tokens(&self, who: Claims, bot: Option<UserId>) -> Result<Vec<Token>, Refusal> {
        self.rows.tokens_of(who.user, bot).await.map_err(store_refusal)?.ok_or_else(no_such_bot)
    }

    async fn bearer(&self, who: Claims, token: SessionId) -> Result<UserId, Refusal> {
        let found = self.rows.bearer_of(who.user, token).await.map_err(store_refusal)?;
        found.ok_or_else(|| Refusal::new(ErrorCode::NotFound, "there is no such token"))
    }

    async fn bots(&self, who: Claims) -> Result<Vec<User>, Refusal> {
        self.rows.bots_of(who.user).await.map_err(store_refusal)
    }
}

fn refusal(not: NotMade) -> Refusal {
    match not {
        NotMade::Ended => Refusal::new(ErrorCode::Unauthorized, "this log-in has ended"),
        NotMade::NoSuchBot => no_such_bot(),
        NotMade::TooMany => {
            Refusal::new(ErrorCode::LimitReached, format!("no more than {API_TOKENS} tokens can be good at a time"))
        }
        NotMade::NoModerator => {
            let word = serde_json::to_string(&Scope::Mod).unwrap_or_default();
            Refusal::new(ErrorCode::Forbidden, format!("{word} is for moderators")).field("scopes")
        }
        NotMade::Suspended => Refusal::new(ErrorCode::Forbidden, "this account is suspended"),
    }
}

fn no_such_bot() -> Refusal {
    Refusal::new(ErrorCode::NotFound, "you have no such bot").field("bot")
}

/// Milliseconds since 1970, as tokens count.
fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    Millis(since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1_000);
    const ANN: UserId = UserId(Uuid::from_u128(1));

    fn tokens(key: u8) -> ScopedTokens {
        ScopedTokens::under(&Zeroizing::new([key; 32]))
    }

    fn reading() -> Scopes {
        [Scope::Read].into_iter().collect()
    }

    #[test]
    fn a_token_says_who_for_what_and_until_when() {
        let text = tokens(1).write(ANN, reading(), Some(Millis(1_001)), &[7; 32]);
        let claims = tokens(1).read(&text, NOW).unwrap();
        assert_eq!((claims.user, claims.scopes, claims.expires_at), (ANN, Some(reading()), Some(Millis(1_001))));
        assert_eq!(claims.session, log_in_of(&[7; 32]));
        assert_eq!(tokens(1).read(&text, Millis(1_001)), Err(BadToken::Expired));
        let lasting = tokens(1).write(ANN, reading(), None, &[7; 32]);
        assert_eq!(tokens(1).read(&lasting, Millis(MAX_SAFE_INTEGER)).unwrap().expires_at, None);
    }

    #[test]
    fn no_bit_of_a_token_can_be_changed_and_another_deployment_does_not_believe_it() {
        let text = tokens(1).write(ANN, reading(), None, &[7; 32]);
        assert_eq!(tokens(2).read(&text, NOW), Err(BadToken::Invalid));
        let bytes = URL_SAFE_NO_PAD.decode(text.strip_prefix(PREFIX).unwrap()).unwrap();
        for at in 0..bytes.len() * 8 {
            let mut other = bytes.clone();
            other[at / 8] ^= 1 << (at % 8);
            let other = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(other));
            assert_eq!(tokens(1).read(&other, NOW), Err(BadToken::Invalid), "bit {at}");
        }
        for wrong in ["", "tid_", "tid_AAAA", &text[4..], &format!("{text}A"), &text.to_uppercase(), &text[..80]] {
            assert_eq!(tokens(1).read(wrong, NOW), Err(BadToken::Invalid), "{wrong}");
        }
    }

    #[test]
    fn what_is_kept_does_not_lead_back_to_the_secret() {
        let (one, other) = (log_in_of(&[7; 32]), log_in_of(&[8; 32]));
        assert_ne!(one, other);
        let text = tokens(1).write(ANN, reading(), None, &[7; 32]);
        let bytes = URL_SAFE_NO_PAD.decode(text.strip_prefix(PREFIX).unwrap()).unwrap();
        assert!(!bytes.windows(16).any(|window| window == one.0.as_bytes()), "the id is not in the token");
    }
}
