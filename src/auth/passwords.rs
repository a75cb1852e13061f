//! Hashing and checking passwords: bcrypt over a peppered digest, on a few threads of its own behind a bounded queue (P6).
//! Must never run on a runtime thread (a hash takes a quarter of a second) and never wait for room in the queue: full is an answer.
//!
//! What bcrypt is given is `base64(HMAC-SHA-384(pepper, password))`: 64 characters, so neither its 72-byte cut nor a NUL inside a
//! password can matter. Passwords are compared byte for byte, without any Unicode normalisation: what browsers send is composed (NFC).

use std::sync::Arc;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};
use tidings_actors::workshop::{Undone, Workshop};
use zeroize::Zeroizing;

use super::secret::{DerivedKey, random};

/// Why there is no answer about a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HashFault {
    /// As many are waiting as may.
    #[error("too many passwords are waiting to be hashed")]
    Full,
    /// The hashers are gone, or bcrypt refused: our own fault.
    #[error("a password could not be hashed")]
    Broken,
}

/// The hashers. Their threads end when the last clone is dropped.
#[derive(Clone)]
pub struct Passwords {
    threads: Workshop,
    pepper: hmac::Key,
    cost: u32,
    /// Checked in place of an account that does not exist, so that the answer takes as long.
    decoy: Arc<SecretString>,
}

impl Passwords {
    /// Starts `threads` hashers for which at most `waiting` passwords may wait. Takes as long as one hash.
    ///
    /// # Errors
    /// When a thread cannot be made, or `cost` is out of bcrypt's range.
    pub fn start(pepper: &DerivedKey, cost: u32, threads: usize, waiting: usize) -> std::io::Result<Self> {
        let decoy = bcrypt::non_truncating_hash(random::<32>().as_slice(), cost).map_err(std::io::Error::other)?;
        Ok(Self {
            threads: Workshop::start("hasher", threads, waiting)?,
            pepper: hmac::Key::new(hmac::HMAC_SHA384, pepper.as_slice()),
            cost,
            decoy: Arc::new(decoy.into()),
        })
    }

    /// The hash to keep.
    ///
    /// # Errors
    /// [`HashFault::Full`] at once when the queue is.
    pub async fn hash(&self, password: &SecretString) -> Result<SecretString, HashFault> {
        let (digest, cost) = (self.digest(password), self.cost);
        self.carry_out(move || bcrypt::non_truncating_hash(digest.as_bytes(), cost).map(SecretString::from)).await
    }

    /// Whether the password is the one that was hashed; `None` (no such account) is false after the same time.
    ///
    /// # Errors
    /// [`HashFault::Full`] at once when the queue is.
    pub async fn check(&self, password: &SecretString, hash: Option<SecretString>) -> Result<bool, HashFault> {
        let (digest, decoy) = (self.digest(password), Arc::clone(&self.decoy));
        self.carry_out(move || {
            let known = hash.is_some();
            let hash = hash.as_ref().unwrap_or(&decoy).expose_secret();
            let same = bcrypt::non_truncating_verify(digest.as_bytes(), hash)?;
            Ok(same && known)
        })
        .await
    }

    fn digest(&self, password: &SecretString) -> Zeroizing<String> {
        let tag = hmac::sign(&self.pepper, password.expose_secret().as_bytes());
        Zeroizing::new(STANDARD.encode(tag))
    }

    async fn carry_out<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> bcrypt::BcryptResult<T> + Send + 'static,
    ) -> Result<T, HashFault> {
        match self.threads.carry_out(work).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(fault)) => {
                tracing::error!(%fault, "bcrypt refused");
                Err(HashFault::Broken)
            }
            Err(Undone::Full) => {
                metrics::counter!("tidings_password_queue_full_total").increment(1);
                Err(HashFault::Full)
            }
            Err(Undone::Gone | Undone::Failed) => Err(HashFault::Broken),
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn hashers(waiting: usize) -> Passwords {
        Passwords::start(&Zeroizing::new([7; 32]), 4, 1, waiting).unwrap()
    }

    async fn same(kept: &str, tried: &str) -> bool {
        let passwords = hashers(8);
        let hash = passwords.hash(&kept.into()).await.unwrap();
        passwords.check(&tried.into(), Some(hash)).await.unwrap()
    }

    #[actix_rt::test]
    async fn what_bcrypt_alone_would_confuse_is_told_apart() {
        let long = "x".repeat(72);
        assert!(!same(&format!("{long}a"), &format!("{long}b")).await, "byte 73");
        assert!(!same("before\0after", "before\0other").await, "NUL inside");
        assert!(!same(&"y".repeat(1_000), &"y".repeat(999)).await, "long");
        assert!(!same("Password-1", "password-1").await, "case");
        assert!(!same("e\u{301}e\u{301}e\u{301}", "\u{e9}\u{e9}\u{e9}").await, "no normalisation");
    }

    #[actix_rt::test]
    async fn good_passwords_are_good() {
        for password in ["correct horse", "before\0after", "🐎🔋📎✅🐎", &"z".repeat(1_024)] {
            assert!(same(password, password).await);
        }
    }

    #[actix_rt::test]
    async fn another_pepper_is_another_password() {
        let hash = hashers(8).hash(&"correct horse".into()).await.unwrap();
        let other = Passwords::start(&Zeroizing::new([8; 32]), 4, 1, 8).unwrap();
        assert!(!other.check(&"correct horse".into(), Some(hash)).await.unwrap());
    }

    #[actix_rt::test]
    async fn nobody_has_no_password() {
        assert!(!hashers(8).check(&"anything at all".into(), None).await.unwrap());
    }

    #[actix_rt::test]
    async fn a_panic_harms_only_the_password_it_happened_to() {
        let passwords = hashers(8);
        let fault = passwords.carry_out(|| -> bcrypt::BcryptResult<()> { panic!("for the test") }).await;
        assert_eq!(fault, Err(HashFault::Broken));
        assert!(passwords.hash(&"the only thread goes on".into()).await.is_ok());
    }

    #[actix_rt::test]
    async fn a_full_queue_is_answered_at_once() {
        let passwords = hashers(1);
        // Keeps the only hasher busy until told otherwise, and then the only place in the queue.
        let (release, held) = std::sync::mpsc::channel::<()>();
        let (started, has_started) = std::sync::mpsc::channel();
        let mut busy = Box::pin(passwords.carry_out(move || {
            started.send(()).unwrap();
            held.recv().unwrap();
            Ok(())
        }));
        assert!(busy.as_mut().now_or_never().is_none());
        has_started.recv().unwrap();
        let mut waiting = Box::pin(passwords.carry_out(|| Ok(())));
        assert!(waiting.as_mut().now_or_never().is_none());
        assert_eq!(passwords.hash(&"one too many".into()).await.err(), Some(HashFault::Full));
        release.send(()).unwrap();
    }
}
