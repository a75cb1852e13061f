//! What can be read page by page: feeds, and ranked views. A ranked view is no feed: it stands still, so there is nothing to watch.
//! Must never say how posts are ranked: that is the store's.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::feed::FeedName;

/// How far back a ranked view looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Span {
    /// Twenty-four hours.
    Day,
    /// Seven days.
    Week,
}

/// What `feed.page` pages through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Listing {
    /// A feed, the newest first.
    Feed(FeedName),
    /// The public posts of some time that people had most to do with, as they were ranked at one moment.
    Top(Span),
}

/// Nothing that can be read page by page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a feed, top:day or top:week")]
pub struct BadListing;

impl From<FeedName> for Listing {
    fn from(feed: FeedName) -> Self {
        Self::Feed(feed)
    }
}

impl fmt::Display for Listing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Feed(feed) => feed.fmt(f),
            Self::Top(Span::Day) => f.write_str("top:day"),
            Self::Top(Span::Week) => f.write_str("top:week"),
        }
    }
}

impl FromStr for Listing {
    type Err = BadListing;
    fn from_str(text: &str) -> Result<Self, BadListing> {
        match text {
            "top:day" => Ok(Self::Top(Span::Day)),
            "top:week" => Ok(Self::Top(Span::Week)),
            feed => feed.parse().map(Self::Feed).map_err(|_| BadListing),
        }
    }
}

impl Serialize for Listing {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Listing {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

crate::text::string_on_the_wire!(Listing, {
    "description": "The name of a feed, `top:day` or `top:week`."
});
