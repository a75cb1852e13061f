//! Refresh tokens: how they look, what follows them, and the little that is kept.
//! Must never keep or log a token; only its SHA-256 leaves this file.

use std::fmt;

use aws_lc_rs::{digest, hmac};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tidings_actors::ports::TokenHash;
use zeroize::Zeroizing;

use super::secret::{DerivedKey, random};

/// Tells scanners for leaked secrets, and people, what it is.
const PREFIX: &str = "tr1_";

/// A refresh token: 256 bits.
#[derive(Clone, PartialEq, Eq)]
pub struct RefreshToken(Zeroizing<[u8; 32]>);

impl RefreshToken {
    /// The first one of a log-in.
    #[must_use]
    pub fn fresh() -> Self {
        Self(random())
    }

    /// What a client sent, if it has the form of one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text.strip_prefix(PREFIX)?).map(Zeroizing::new).ok()?;
        Some(Self(Zeroizing::new(bytes.as_slice().try_into().ok()?)))
    }

    /// As the client gets it.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(self.0.as_slice()))
    }

    /// All that is kept of it.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        let hash = digest::digest(&digest::SHA256, self.0.as_slice());
        hash.as_ref().try_into().expect("SHA-256 has 32 bytes")
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshToken(…)")
    }
}

/// Finds the token that follows another. It is derived, not drawn, so that a client whose answer was lost gets the same one again,
/// from any node, without anybody having kept it.
#[derive(Clone)]
pub struct Successors(hmac::Key);

impl Successors {
    /// Under the deployment's key.
    #[must_use]
    pub fn new(key: &DerivedKey) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key.as_slice()))
    }

    /// The token that follows `token`.
    #[must_use]
    pub fn after(&self, token: &RefreshToken) -> RefreshToken {
        let tag = hmac::sign(&self.0, token.0.as_slice());
        let bytes = tag.as_ref().try_into().expect("HMAC-SHA-256 has 32 bytes");
        RefreshToken(Zeroizing::new(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_survives_its_text_and_nothing_else_does() {
        let token = RefreshToken::fresh();
        assert_eq!(RefreshToken::parse(&token.text()), Some(token.clone()));
        for wrong in
            ["", "tr1_", "tr1_AAAA", &token.text()[4..], &format!("{}A", token.text()), &token.text().to_uppercase()]
        {
            assert_eq!(RefreshToken::parse(wrong), None, "{wrong}");
        }
        assert!(!format!("{token:?}").contains(&token.text()[4..]));
    }

    #[test]
    fn the_successor_is_the_same_for_all_nodes_and_another_with_another_secret() {
        let token = RefreshToken::fresh();
        let one = Successors::new(&Zeroizing::new([1; 32]));
        let two = Successors::new(&Zeroizing::new([2; 32]));
        assert_eq!(one.after(&token), one.clone().after(&token));
        assert_ne!(one.after(&token), two.after(&token));
        assert_ne!(one.after(&token), token);
        assert_ne!(one.after(&token).hash(), token.hash());
    }
}
