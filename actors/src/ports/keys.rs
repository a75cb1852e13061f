//! The port to the signing keys of access tokens, which all nodes of a database share.
//! Must never see a private key in the clear: what passes here is sealed.

use async_trait::async_trait;

use super::StoreFault;

/// A private key as it is kept: sealed under a secret that the database does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedKey {
    /// Names the key in tokens (`kid`).
    pub kid: String,
    /// The sealed private key.
    pub sealed: Vec<u8>,
}

/// A key with its age.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptKey {
    /// The key.
    pub key: SealedKey,
    /// Milliseconds since it was kept, by the database's clock: nodes' clocks may differ.
    pub age_ms: u64,
}

/// Signing keys.
#[async_trait]
pub trait SigningKeys: Send + Sync + 'static {
    /// All that are kept, youngest first.
    async fn signing_keys(&self) -> Result<Vec<KeptKey>, StoreFault>;

    /// Keeps `key`, unless there is one already that is younger than `unless_younger_than_ms`: of several nodes that want a new key at
    /// the same time, one gets its way. Tells whether it was this one.
    async fn keep_signing_key(&self, key: &SealedKey, unless_younger_than_ms: u64) -> Result<bool, StoreFault>;

    /// Forgets a key; nothing happens if it is not kept.
    async fn forget_signing_key(&self, kid: &str) -> Result<(), StoreFault>;
}
