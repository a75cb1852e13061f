//! Access tokens: JWT, RS256, nothing else. Issuing, checking, and the public keys for those who check elsewhere.
//! Must never accept an algorithm, key or claim that the token itself proposes.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, Header, Validation};
use serde::{Deserialize, Serialize};
use tidings_actors::ports::{BadToken, Claims, SigningKeys, Tokens};
use tidings_protocol::ids::{SessionId, UserId};
use tidings_protocol::position::Millis;
use tokio::sync::Notify;

use super::keyring::{KeyFault, KeyKeeper, Ring};
use super::secret::DerivedKey;

/// Who issues tokens, and whom they are for.
const ISSUER: &str = "tidings";
/// Ours have about 800 bytes; more is not worth decoding.
const TOKEN_BYTES: usize = 4096;
/// How far another node's clock may be ahead.
const CLOCK_LEEWAY_S: u64 = 60;
/// How often a node looks for new keys.
const REREAD: Duration = Duration::from_secs(60);
/// How soon it may look again because of a token with an unknown key: anybody can send those.
const REREAD_SOONEST: Duration = Duration::from_secs(5);

#[derive(Serialize, Deserialize)]
struct WireClaims {
    iss: String,
    aud: String,
    sub: UserId,
    sid: SessionId,
    iat: u64,
    exp: u64,
}

/// Issues and checks access tokens.
pub struct AccessTokens {
    pub(super) ring: ArcSwap<Ring>,
    pub(super) keeper: KeyKeeper,
    life: Duration,
    rules: Validation,
    unknown_key: Notify,
}

impl AccessTokens {
    /// Reads the keys, or makes the first one.
    ///
    /// # Errors
    /// When the database is away, or its keys were sealed under another secret.
    pub async fn start(
        store: Arc<dyn SigningKeys>,
        seal: &DerivedKey,
        period: Duration,
        life: Duration,
    ) -> Result<Self, KeyFault> {
        let keeper = KeyKeeper::new(store, seal, period, life);
        let ring = ArcSwap::from_pointee(keeper.read(None).await?);
        let mut rules = Validation::new(Algorithm::RS256);
        rules.set_issuer(&[ISSUER]);
        rules.set_audience(&[ISSUER]);
        rules.set_required_spec_claims(&["exp", "sub", "iss", "aud"]);
        rules.validate_nbf = true;
        rules.leeway = 0;
        Ok(Self { ring, keeper, life, rules, unknown_key: Notify::new() })
    }

    /// A token for a log-in, and when it runs out.
    ///
    /// # Errors
    /// When signing fails: our own fault.
    pub fn issue(&self, user: UserId, session: SessionId) -> Result<(String, Millis), KeyFault> {
        let iat = jsonwebtoken::get_current_timestamp();
        let exp = iat + self.life.as_secs().max(1);
        let (iss, aud) = (ISSUER.to_owned(), ISSUER.to_owned());
        let claims = WireClaims { iss, aud, sub: user, sid: session, iat, exp };
        let ring = self.ring.load();
        let key = ring.current();
        let mut header = Header::new(Algorithm::RS256);
        header.kid = Some(key.kid.clone());
        let token = jsonwebtoken::encode(&header, &claims, &key.signing)
            .map_err(|fault| KeyFault::Broken(fault.to_string()))?;
        Ok((token, Millis(exp * 1_000)))
    }

    /// The public keys, as JSON (RFC 7517).
    #[must_use]
    pub fn public_keys(&self) -> JwkSet {
        let keys = self.ring.load().keys.iter().map(|key| key.public.clone()).collect();
        JwkSet { keys }
    }

    /// Keeps the keys as the database has them, for as long as it is polled.
    pub async fn keep_up(&self) {
        loop {
            tokio::time::sleep(REREAD_SOONEST).await;
            // Either way ends the wait: the time for a look has come, or somebody showed a key we do not know.
            let _asked = tokio::time::timeout(REREAD - REREAD_SOONEST, self.unknown_key.notified()).await;
            let before = self.ring.load_full();
            match self.keeper.read(Some(&before)).await {
                Ok(ring) => self.ring.store(Arc::new(ring)),
                // The keys at hand stay good.
                Err(fault) => tracing::warn!(%fault, "signing keys could not be read again"),
            }
        }
    }

    fn check(&self, token: &str) -> Result<Claims, BadToken> {
        if token.len() > TOKEN_BYTES {
            return Err(BadToken::Invalid);
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| BadToken::Invalid)?;
        if header.alg != Algorithm::RS256 || proposes(&header) {
            return Err(BadToken::Invalid);
        }
        let ring = self.ring.load();
        let Some(key) = header.kid.as_deref().and_then(|kid| ring.find(kid)) else {
            self.unknown_key.notify_one();
            return Err(BadToken::Invalid);
        };
        let told = jsonwebtoken::decode::<WireClaims>(token, &key.verifying, &self.rules);
        let claims = told.map_err(|fault| bad(fault.kind()))?.claims;
        let now = jsonwebtoken::get_current_timestamp();
        if claims.iat > now.saturating_add(CLOCK_LEEWAY_S) || claims.exp <= claims.iat {
            return Err(BadToken::Invalid);
        }
        let expires_at = claims.exp.checked_mul(1_000).ok_or(BadToken::Invalid)?;
        Ok(Claims { user: claims.sub, session: claims.sid, expires_at: Some(Millis(expires_at)), scopes: None })
    }
}

impl Tokens for AccessTokens {
    fn verify(&self, token: &str) -> Result<Claims, BadToken> {
        self.check(token)
    }
}

/// Whether the header says where to find a key, or wants rules we do not know.
fn proposes(header: &Header) -> bool {
    header.jku.is_some()
        || header.jwk.is_some()
        || header.x5u.is_some()
        || header.x5c.is_some()
        || header.crit.is_some()
        || header.enc.is_some()
        || header.zip.is_some()
}

fn bad(kind: &ErrorKind) -> BadToken {
    if matches!(kind, ErrorKind::ExpiredSignature) { BadToken::Expired } else { BadToken::Invalid }
}
