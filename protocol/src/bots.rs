//! Programs that act for somebody: tokens that may do only what they were made for, and bots, which have nothing but such tokens.
//! Must never show a token's secret but in the answer that makes it (P9).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::decode;
use crate::entity::User;
use crate::ids::{SessionId, UserId};
use crate::position::{Millis, Seq};
use crate::spans::Tag;
use crate::text::{DisplayName, Handle};

/// What a token is good for. What a method needs stands in PROTOCOL.md's table; what is not there needs a log-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Reads whatever its user may see.
    Read,
    /// Writes, follows and reacts as its user.
    Write,
    /// Moderates, as far as its user may.
    Mod,
    /// Hears of everything that is public: the feed `firehose`.
    Firehose,
}

impl Scope {
    /// All of them, in the order of their bits in [`Scopes`].
    pub const ALL: [Self; 4] = [Self::Read, Self::Write, Self::Mod, Self::Firehose];

    const fn bit(self) -> u8 {
        match self {
            Self::Read => 1,
            Self::Write => 1 << 1,
            Self::Mod => 1 << 2,
            Self::Firehose => 1 << 3,
        }
    }
}

/// A set of [`Scope`]s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Scopes(u8);

impl Scopes {
    /// Whether `scope` is among them.
    #[must_use]
    pub const fn hold(self, scope: Scope) -> bool {
        self.0 & scope.bit() != 0
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// As they are kept: a bit for each, in the order of [`Scope::ALL`].
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// From how they are kept; none if a bit means nothing.
    #[must_use]
    pub const fn of_bits(bits: u8) -> Option<Self> {
        if bits >> Scope::ALL.len() == 0 { Some(Self(bits)) } else { None }
    }

    /// Each of them once, in order.
    #[must_use]
    pub fn list(self) -> Vec<Scope> {
        Scope::ALL.into_iter().filter(|scope| self.hold(*scope)).collect()
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().fold(0, |bits, scope| bits | scope.bit()))
    }
}

/// What the profile of a bot says besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct BotOf {
    /// Whose it is.
    pub owner: UserId,
    /// Whether it has been stopped for good.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[ts(optional, as = "Option<bool>")]
    pub stopped: bool,
}

/// `bot.create`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct BotCreate {
    /// Chosen by the client, like a post's.
    pub id: UserId,
    /// Unique name, among people's; never changes.
    pub handle: Handle,
    /// Display name.
    pub name: DisplayName,
}

/// `bot.delete`: may be repeated without harm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct BotRef {
    /// Which.
    pub id: UserId,
}

/// Kinds of things on the feed `firehose`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum FirehoseKind {
    /// Public posts.
    Post,
    /// Comments on them.
    Comment,
    /// Profiles.
    User,
}

/// What of the feed `firehose` is wanted: what is in all of the lists that are not empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(default)]
pub struct FirehoseFilter {
    /// Of these kinds.
    #[serde(deserialize_with = "decode::few", skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    #[ts(as = "Option<Vec<FirehoseKind>>", optional)]
    pub kinds: Vec<FirehoseKind>,
    /// By these people; at most 100.
    #[serde(deserialize_with = "decode::few", skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    #[ts(as = "Option<Vec<UserId>>", optional)]
    pub authors: Vec<UserId>,
    /// Posts that have, or had, one of these hashtags; at most 100.
    #[serde(deserialize_with = "decode::few", skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    #[ts(as = "Option<Vec<Tag>>", optional)]
    pub tags: Vec<Tag>,
}

/// `token.create`. The answer alone holds the secret: after a lost answer revoke what `token.all` shows and make another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct TokenCreate {
    /// A bot of one's own that it is for; oneself if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub bot: Option<UserId>,
    /// For people to know it by.
    pub name: DisplayName,
    /// What it is good for: one or more. `mod` only for who moderates.
    pub scopes: Vec<Scope>,
    /// When it runs out; never if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub expires: Option<Millis>,
}

/// `token.all`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(default)]
pub struct TokenAll {
    /// A bot of one's own whose they are; oneself if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub bot: Option<UserId>,
}

/// `token.revoke`: one's own or one's bots'; may be repeated without harm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct TokenRef {
    /// Which.
    pub id: SessionId,
}

/// A token, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Token {
    /// Which.
    pub id: SessionId,
    /// As who it acts.
    pub user: UserId,
    /// For people to know it by.
    pub name: String,
    /// What it is good for.
    pub scopes: Vec<Scope>,
    /// When it was made.
    pub created_at: Millis,
    /// When it was last connected, to some minutes; absent if never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub seen_at: Option<Millis>,
    /// When it runs out; never if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub expires_at: Option<Millis>,
}

/// Result of `token.create`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct TokenMade {
    /// The token.
    pub token: Token,
    /// What goes into `token` of `hello`. It is told nowhere else and never again: begins with `tid_`.
    pub secret: String,
}

/// Never shows the secret (P9).
impl std::fmt::Debug for TokenMade {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenMade").field("token", &self.token).finish_non_exhaustive()
    }
}

/// Result of `token.all`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct TokensAll {
    /// Those that are good, the newest first.
    pub tokens: Vec<Token>,
}

/// Result of `token.revoke`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct TokenRevoked {
    /// Which.
    pub id: SessionId,
    /// The change.
    pub seq: Seq,
}

/// Result of `bot.all`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct BotsAll {
    /// One's bots that have not been stopped, the oldest first.
    pub bots: Vec<User>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_kept_as_bits_that_mean_the_same_for_ever() {
        let words = serde_json::to_value(Scope::ALL).expect("encodes");
        assert_eq!(words, serde_json::json!(["read", "write", "mod", "firehose"]));
        for (nth, scope) in Scope::ALL.into_iter().enumerate() {
            assert_eq!(Scopes::from_iter([scope]).bits(), 1 << nth, "{scope:?}");
        }
        let both: Scopes = [Scope::Write, Scope::Read, Scope::Write].into_iter().collect();
        assert_eq!(both.list(), [Scope::Read, Scope::Write]);
        assert_eq!(Scopes::of_bits(both.bits()), Some(both));
        assert_eq!(Scopes::of_bits(16), None);
        assert!(!both.hold(Scope::Mod) && Scopes::default().is_empty());
    }
}
