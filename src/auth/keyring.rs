//! The keys that sign access tokens: making, sealing, and which of them is used when. Nodes share them through the database.
//! Must never let a private key out of the process in the clear, nor decide by a node's own clock: ages come from the database.
//!
//! A key lives in three parts: *next* (known to all nodes, not used yet), *current* (signs), *retired* (its tokens are still good).

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::RsaKeyPair;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::jwk::{Jwk, KeyAlgorithm, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use tidings_actors::ports::{KeptKey, SealedKey, SigningKeys, StoreFault};
use zeroize::Zeroizing;

use super::secret::DerivedKey;

/// A new key signs only after this long: several times what a node needs to learn of it.
const LEAD: Duration = Duration::from_secs(5 * 60);
/// How long after its last token has run out a key is forgotten: clocks differ.
const SLACK: Duration = Duration::from_secs(10 * 60);

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub enum KeyFault {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreFault),
    /// Sealed under another secret.
    #[error(
        "the secret of this node does not fit its database: signing key {0} cannot be opened. All nodes of a database need the same `secret`; restore it, or point to another database"
    )]
    OtherSecret(String),
    /// Something the cryptographic library would not do.
    #[error("a signing key could not be made or read: {0}")]
    Broken(String),
}

/// A key in use.
pub(super) struct Key {
    pub(super) kid: String,
    pub(super) signing: EncodingKey,
    pub(super) verifying: DecodingKey,
    pub(super) public: Jwk,
}

/// All keys whose tokens are good now.
pub(super) struct Ring {
    /// Youngest first; the next one is among them.
    pub(super) keys: Vec<Arc<Key>>,
    /// Which of them signs.
    current: usize,
}

impl Ring {
    pub(super) fn current(&self) -> &Key {
        &self.keys[self.current]
    }

    pub(super) fn find(&self, kid: &str) -> Option<&Arc<Key>> {
        self.keys.iter().find(|key| key.kid == kid)
    }
}

/// Reads, makes, rotates and forgets keys.
pub(super) struct KeyKeeper {
    store: Arc<dyn SigningKeys>,
    seal: RandomizedNonceKey,
    period: Duration,
    token_life: Duration,
}

impl KeyKeeper {
    pub(super) fn new(store: Arc<dyn SigningKeys>, seal: &DerivedKey, period: Duration, token_life: Duration) -> Self {
        let seal = RandomizedNonceKey::new(&AES_256_GCM, seal.as_slice()).expect("AES-256 takes any 32 bytes");
        Self { store, seal, period, token_life }
    }

    /// The keys as they are now. Makes a new one if it is time, forgets those that nobody needs any longer.
    pub(super) async fn read(&self, before: Option<&Ring>) -> Result<Ring, KeyFault> {
        let mut kept = self.store.signing_keys().await?;
        if kept.first().is_none_or(|youngest| youngest.age_ms >= millis(self.period)) {
            self.make().await?;
            kept = self.store.signing_keys().await?;
        }
        let (current, needed) = choose(&kept, self.token_life)
            .ok_or_else(|| KeyFault::Broken("the database did not keep the new key".into()))?;
        for old in kept.drain(needed..) {
            self.store.forget_signing_key(&old.key.kid).await?;
            tracing::info!(kid = old.key.kid, "signing key forgotten");
        }
        let keys = kept.into_iter().map(|kept| self.open(kept.key, before));
        Ok(Ring { keys: keys.collect::<Result<_, _>>()?, current })
    }

    async fn make(&self) -> Result<(), KeyFault> {
        // Finding the primes takes a good part of a second.
        let made = tokio::task::spawn_blocking(generate).await;
        let (kid, private) = made.map_err(|fault| KeyFault::Broken(fault.to_string()))??;
        let sealed = self.seal(&kid, &private)?;
        let key = SealedKey { kid, sealed };
        if self.store.keep_signing_key(&key, millis(self.period)).await? {
            tracing::info!(kid = key.kid, "signing key made");
        }
        Ok(())
    }

    fn seal(&self, kid: &str, private: &[u8]) -> Result<Vec<u8>, KeyFault> {
        let mut text = private.to_vec();
        let nonce = self.seal.seal_in_place_append_tag(Aad::from(kid), &mut text).map_err(|_| broken("sealing"))?;
        Ok([nonce.as_ref().as_slice(), &text].concat())
    }

    fn open(&self, key: SealedKey, before: Option<&Ring>) -> Result<Arc<Key>, KeyFault> {
        if let Some(open) = before.and_then(|ring| ring.find(&key.kid)) {
            return Ok(Arc::clone(open));
        }
        let (nonce, text) =
            key.sealed.split_at_checked(NONCE_LEN).ok_or_else(|| broken("a sealed key is too short"))?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| broken("nonce"))?;
        let mut text = Zeroizing::new(text.to_vec());
        let private = self
            .seal
            .open_in_place(nonce, Aad::from(key.kid.as_str()), &mut text)
            .map_err(|_| KeyFault::OtherSecret(key.kid.clone()))?;
        Ok(Arc::new(ready(key.kid, private)?))
    }
}

/// Whether `secret` is the one of this database's nodes: under another, a password that is set here would never be right there.
///
/// # Errors
/// [`KeyFault::OtherSecret`] if it is not; what the database refuses.
pub async fn fits(store: Arc<dyn SigningKeys>, seal: &DerivedKey) -> Result<(), KeyFault> {
    let keeper = KeyKeeper::new(store, seal, Duration::ZERO, Duration::ZERO);
    match keeper.store.signing_keys().await?.into_iter().next() {
        Some(kept) => keeper.open(kept.key, None).map(drop),
        // No node has ever started on it.
        None => Ok(()),
    }
}

/// Of the kept keys, youngest first: which one signs, and how many are still needed. None if there are none.
fn choose(kept: &[KeptKey], token_life: Duration) -> Option<(usize, usize)> {
    let known_to_all = |key: &KeptKey| key.age_ms >= millis(LEAD);
    let oldest = kept.len().checked_sub(1)?;
    let current = kept.iter().position(known_to_all).unwrap_or(oldest);
    // A key signed its last token when its successor took over, and that token lives on for a while.
    let done = |successor: &KeptKey| successor.age_ms >= millis(LEAD + token_life + SLACK);
    let needed = kept.iter().position(done).map_or(kept.len(), |successor| successor + 1);
    Some((current, needed))
}

/// A new key: its name and its private half as PKCS#8.
fn generate() -> Result<(String, Zeroizing<Vec<u8>>), KeyFault> {
    let pair = RsaKeyPair::generate(KeySize::Rsa3072).map_err(|_| broken("generating"))?;
    let der = AsDer::<Pkcs8V1Der>::as_der(&pair).map_err(|_| broken("encoding"))?;
    let private = Zeroizing::new(der.as_ref().to_vec());
    let public = Jwk::from_encoding_key(&encoding_key(&private)?, Algorithm::RS256).map_err(refused)?;
    // RFC 7638: the same key has the same name everywhere.
    let kid = public.thumbprint(ThumbprintHash::SHA256).map_err(refused)?;
    Ok((kid, private))
}

fn ready(kid: String, private: &[u8]) -> Result<Key, KeyFault> {
    let signing = encoding_key(private)?;
    let mut public = Jwk::from_encoding_key(&signing, Algorithm::RS256).map_err(refused)?;
    public.common.key_id = Some(kid.clone());
    public.common.key_algorithm = Some(KeyAlgorithm::RS256);
    public.common.public_key_use = Some(PublicKeyUse::Signature);
    let verifying = DecodingKey::from_jwk(&public).map_err(refused)?;
    Ok(Key { kid, signing, verifying, public })
}

/// The JWT library takes PKCS#8 only as PEM.
fn encoding_key(pkcs8: &[u8]) -> Result<EncodingKey, KeyFault> {
    let pem =
        Zeroizing::new(format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(pkcs8)));
    EncodingKey::from_rsa_pem(pem.as_bytes()).map_err(refused)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn broken(what: &str) -> KeyFault {
    KeyFault::Broken(what.to_owned())
}

fn refused(fault: jsonwebtoken::errors::Error) -> KeyFault {
    KeyFault::Broken(fault.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 24 * 3_600_000;
    const LIFE: Duration = Duration::from_secs(24 * 3600);

    fn aged(ages: &[u64]) -> Vec<KeptKey> {
        let key = |age: &u64| KeptKey { key: SealedKey { kid: age.to_string(), sealed: Vec::new() }, age_ms: *age };
        ages.iter().map(key).collect()
    }

    #[test]
    fn the_first_key_signs_at_once() {
        assert_eq!(choose(&aged(&[0]), LIFE), Some((0, 1)));
        assert_eq!(choose(&[], LIFE), None);
    }

    #[test]
    fn a_new_key_is_known_before_it_is_used() {
        assert_eq!(choose(&aged(&[1_000, 30 * DAY]), LIFE), Some((1, 2)));
        assert_eq!(choose(&aged(&[millis(LEAD), 30 * DAY]), LIFE), Some((0, 2)));
    }

    #[test]
    fn an_old_key_is_kept_until_its_last_token_has_run_out() {
        assert_eq!(choose(&aged(&[DAY, 31 * DAY]), LIFE), Some((0, 2)));
        assert_eq!(choose(&aged(&[DAY + millis(LEAD + SLACK), 31 * DAY]), LIFE), Some((0, 1)));
        // After a long stop the old key still signs, however old it is.
        assert_eq!(choose(&aged(&[0, 400 * DAY]), LIFE), Some((1, 2)));
    }

    #[test]
    fn a_sealed_key_opens_under_its_secret_and_name_alone() {
        let store: Arc<dyn SigningKeys> = Arc::new(crate::auth::tests::MemoryKeys::default());
        let keeper = |byte| KeyKeeper::new(Arc::clone(&store), &Zeroizing::new([byte; 32]), LIFE, LIFE);
        let (kid, private) = generate().unwrap();
        let sealed = keeper(1).seal(&kid, &private).unwrap();
        assert!(!sealed.windows(16).any(|part| private.windows(16).next() == Some(part)));
        let key = SealedKey { kid, sealed };
        assert!(keeper(1).open(key.clone(), None).is_ok());
        assert!(matches!(keeper(2).open(key.clone(), None), Err(KeyFault::OtherSecret(_))));
        let renamed = SealedKey { kid: "other".into(), ..key };
        assert!(matches!(keeper(1).open(renamed, None), Err(KeyFault::OtherSecret(_))));
    }
}
