//! The one secret of a deployment, and the keys derived from it. All nodes of a database share it.
//! Must never print or log it, and never use it for two purposes: each purpose has a key of its own (HKDF, RFC 5869).

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use aws_lc_rs::hkdf::{HKDF_SHA256, Prk, Salt};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

/// The file in the data folder.
const FILE: &str = "secret";
/// 256 bits: what the strongest key derived from it needs.
const RANDOM_BYTES: usize = 32;

/// What a derived key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Sealing the private keys that sign access tokens.
    SigningKeys,
    /// The pepper of passwords.
    Passwords,
    /// Successors of refresh tokens.
    RefreshTokens,
    /// Messages between nodes.
    Bus,
    /// Names of accounts in rate limits.
    Limits,
    /// Tickets to send pictures.
    MediaTickets,
    /// Tickets to fetch copies of everything somebody has.
    Exports,
    /// Tokens for programs.
    ScopedTokens,
}

impl Purpose {
    /// Part of the derivation: must never change, or what was made under it is lost.
    const fn label(self) -> &'static [u8] {
        match self {
            Self::SigningKeys => b"tidings/signing-keys/v1",
            Self::Passwords => b"tidings/passwords/v1",
            Self::RefreshTokens => b"tidings/refresh-tokens/v1",
            Self::Bus => b"tidings/bus/v1",
            Self::Limits => b"tidings/limits/v1",
            Self::MediaTickets => b"tidings/media-tickets/v1",
            Self::Exports => b"tidings/exports/v1",
            Self::ScopedTokens => b"tidings/scoped-tokens/v1",
        }
    }
}

/// A derived key.
pub type DerivedKey = Zeroizing<[u8; 32]>;

/// The secret, ready to derive keys from.
pub struct Secret(Prk);

/// Why there is no secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretFault {
    /// The file cannot be made or read.
    #[error("the secret in {}: {cause}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// The file holds something else.
    #[error("{} does not hold a secret of Tidings; restore it from a backup, or give the setting `secret`", .0.display())]
    Spoilt(PathBuf),
}

impl Secret {
    /// The secret that was given.
    #[must_use]
    pub fn given(secret: &SecretString) -> Self {
        Self::of(secret.expose_secret().as_bytes())
    }

    /// The secret kept in `folder`, made if there is none. Several processes may do this at once: all get the same.
    ///
    /// # Errors
    /// When the file cannot be made, read or understood.
    pub fn kept_in(folder: &Path) -> Result<Self, SecretFault> {
        let path = folder.join(FILE);
        if !path.exists() {
            make(folder, &path).map_err(|cause| SecretFault::File { path, cause })?;
        }
        Self::found_in(folder)
    }

    /// The secret kept in `folder`, for tools beside a server: none is made.
    ///
    /// # Errors
    /// When there is none, or it cannot be understood.
    pub fn found_in(folder: &Path) -> Result<Self, SecretFault> {
        let path = folder.join(FILE);
        let fault = |cause| SecretFault::File { path: path.clone(), cause };
        let text = Zeroizing::new(fs::read_to_string(&path).map_err(fault)?);
        let bytes = URL_SAFE_NO_PAD.decode(text.trim()).map(Zeroizing::new);
        match bytes {
            Ok(bytes) if bytes.len() == RANDOM_BYTES => Ok(Self::of(text.trim().as_bytes())),
            _ => Err(SecretFault::Spoilt(path)),
        }
    }

    fn of(material: &[u8]) -> Self {
        Self(Salt::new(HKDF_SHA256, b"tidings").extract(material))
    }

    /// The key for one purpose.
    #[must_use]
    pub fn derive(&self, purpose: Purpose) -> DerivedKey {
        let mut key = Zeroizing::new([0; 32]);
        let label = [purpose.label()];
        self.0
            .expand(&label, HKDF_SHA256)
            .and_then(|stream| stream.fill(key.as_mut_slice()))
            .expect("32 bytes are within what HKDF-SHA-256 gives");
        key
    }
}

/// Random bytes from the system.
pub(crate) fn random<const N: usize>() -> Zeroizing<[u8; N]> {
    let mut bytes = Zeroizing::new([0; N]);
    aws_lc_rs::rand::fill(bytes.as_mut_slice()).expect("the system's random source does not fail once it has started");
    bytes
}

/// Makes the file so that it is there whole or not at all: written beside, synced, then linked, which fails if somebody was faster.
fn make(folder: &Path, path: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let draft = folder.join(format!("{FILE}.{}", uuid::Uuid::new_v4().simple()));
    let text = Zeroizing::new(URL_SAFE_NO_PAD.encode(random::<RANDOM_BYTES>().as_slice()));
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    file.set_permissions(fs::Permissions::from_mode(0o600))?;
    file.write_all(text.as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    match linked {
        Err(cause) if cause.kind() != io::ErrorKind::AlreadyExists => Err(cause),
        _ => fs::File::open(folder)?.sync_all(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kept_secret_is_made_once_and_only_for_its_owner() {
        let folder = tempfile::tempdir().unwrap();
        let first = Secret::kept_in(folder.path()).unwrap();
        let again = Secret::kept_in(folder.path()).unwrap();
        assert_eq!(first.derive(Purpose::Passwords), again.derive(Purpose::Passwords));
        let mode = fs::metadata(folder.path().join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no draft is left");
    }

    #[test]
    fn processes_that_start_together_share_one() {
        let folder = tempfile::tempdir().unwrap();
        let keys: Vec<DerivedKey> = std::thread::scope(|scope| {
            let racers: Vec<_> =
                (0..8).map(|_| scope.spawn(|| Secret::kept_in(folder.path()).unwrap().derive(Purpose::Bus))).collect();
            racers.into_iter().map(|racer| racer.join().unwrap()).collect()
        });
        assert!(keys.iter().all(|key| key == &keys[0]));
    }

    #[test]
    fn purposes_do_not_share_keys() {
        let secret = Secret::given(&"0123456789abcdef0123456789abcdef".into());
        assert_ne!(secret.derive(Purpose::Passwords), secret.derive(Purpose::SigningKeys));
    }

    #[test]
    fn a_spoilt_file_is_refused_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE), "half a secr").unwrap();
        assert!(matches!(Secret::kept_in(folder.path()), Err(SecretFault::Spoilt(_))));
    }
}
