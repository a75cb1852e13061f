//! The names of feeds. A feed is a filter over the journal; its name says which.
//! Must never decide who may read one: that is the session's and the store's.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::ids::{ListId, PostId, UserId};
use crate::spans::Tag;

/// A feed that can be subscribed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FeedName {
    /// Posts by oneself and those one follows, and changes of their profiles.
    Home,
    /// Every public post.
    Global,
    /// What others did that concerns oneself.
    Notifications,
    /// One's own profile and whom one follows, in step on all one's devices.
    Me,
    /// Cases that are not settled: for moderators.
    Mod,
    /// One person's profile and posts.
    User(UserId),
    /// One post and its comments.
    Post(PostId),
    /// Public posts with a hashtag.
    Tag(Tag),
    /// Everything that is public, for programs.
    Firehose,
    /// Posts by the people of a list of one's own.
    List(ListId),
}

/// Not the name of a feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a feed: expected home, global, notifications, me, mod, firehose, user:<id>, post:<id>, tag:<name> or list:<id>"
)]
pub struct BadFeedName;

impl FeedName {
    /// Whether somebody who is not logged in may read it.
    #[must_use]
    pub const fn is_public(self) -> bool {
        match self {
            Self::Global | Self::User(_) | Self::Post(_) | Self::Tag(_) => true,
            Self::Home | Self::Notifications | Self::Me | Self::Mod | Self::Firehose | Self::List(_) => false,
        }
    }
}

impl fmt::Display for FeedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Home => f.write_str("home"),
            Self::Global => f.write_str("global"),
            Self::Notifications => f.write_str("notifications"),
            Self::Me => f.write_str("me"),
            Self::Mod => f.write_str("mod"),
            Self::Firehose => f.write_str("firehose"),
            Self::User(id) => write!(f, "user:{id}"),
            Self::Post(id) => write!(f, "post:{id}"),
            Self::Tag(tag) => write!(f, "tag:{tag}"),
            Self::List(id) => write!(f, "list:{id}"),
        }
    }
}

impl FromStr for FeedName {
    type Err = BadFeedName;
    fn from_str(text: &str) -> Result<Self, BadFeedName> {
        match text.split_once(':') {
            None => match text {
                "home" => Ok(Self::Home),
                "global" => Ok(Self::Global),
                "notifications" => Ok(Self::Notifications),
                "me" => Ok(Self::Me),
                "mod" => Ok(Self::Mod),
                "firehose" => Ok(Self::Firehose),
                _ => Err(BadFeedName),
            },
            Some(("tag", tag)) => tag.parse().map(Self::Tag).map_err(|_| BadFeedName),
            // One way to write an id here, hyphenated: the name is a key in clients' maps.
            Some((_, id)) if id.len() != 36 => Err(BadFeedName),
            Some(("user", id)) => id.parse().map(Self::User).map_err(|_| BadFeedName),
            Some(("post", id)) => id.parse().map(Self::Post).map_err(|_| BadFeedName),
            Some(("list", id)) => id.parse().map(Self::List).map_err(|_| BadFeedName),
            Some(_) => Err(BadFeedName),
        }
    }
}

impl Serialize for FeedName {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for FeedName {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

crate::text::string_on_the_wire!(FeedName, {
    "pattern": "^(home|global|notifications|me|mod|firehose|(user|post|list):[0-9A-Fa-f-]{36}|tag:.{1,62})$",
    "description": "`home`, `global`, `notifications`, `me`, `mod`, `firehose`, `user:<id>`, `post:<id>`, `tag:<name>` or `list:<id>`."
});
