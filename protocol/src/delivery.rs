//! How much one is told of a feed one watches: everything, only what has changed, only how much is new, or nothing for the time being.
//! Must never change what one may see: that is the same in every mode.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use uuid::Uuid;

use crate::decode;
use crate::feed::FeedName;
use crate::position::{Cursor, Seq};
use crate::push::EventName;
use crate::reply::Snapshot;

/// How much one is told of a feed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryMode {
    /// Every event with its entity.
    #[default]
    Full,
    /// Of every event only what it is about: `feed.changed`.
    Ids,
    /// How much is new, by the notice `news`.
    Count,
    /// Nothing.
    Off,
}

impl DeliveryMode {
    /// Whether it is how it is where nobody says anything.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        matches!(self, Self::Full)
    }

    /// Whether a feed's events come, in one form or the other.
    #[must_use]
    pub const fn is_told(self) -> bool {
        matches!(self, Self::Full | Self::Ids)
    }

    /// Whether a feed can be told so: one's own things, notifications and what moderators see are told in full or not at all.
    #[must_use]
    pub const fn fits(self, feed: FeedName) -> bool {
        match feed {
            // A stream is told in full, or not watched.
            FeedName::Firehose => matches!(self, Self::Full),
            FeedName::Me | FeedName::Notifications | FeedName::Mod => matches!(self, Self::Full | Self::Off),
            FeedName::Home
            | FeedName::Global
            | FeedName::User(_)
            | FeedName::Post(_)
            | FeedName::Tag(_)
            | FeedName::List(_) => true,
        }
    }
}

/// `feed.mode`: may be repeated; for `count` it begins to count again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct FeedMode {
    /// A feed one watches.
    pub feed: FeedName,
    /// How much one wants to be told of it from now on.
    pub mode: DeliveryMode,
    /// Entities in the snapshot, if there is one: 1–100; 50 if absent.
    #[serde(default, deserialize_with = "decode::page_limit", skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100))]
    #[ts(optional)]
    pub limit: Option<u16>,
}

/// Result of `feed.mode`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct FeedModeSet {
    /// Which feed.
    pub feed: FeedName,
    /// How much one is told of it now.
    pub mode: DeliveryMode,
    /// From where it goes on, or is counted.
    pub cursor: Cursor,
    /// The feed as it is now, if one was told less than its events before: forget what you had of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub snapshot: Option<Box<Snapshot>>,
}

/// That something has changed, without what it is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Changed {
    /// The event that `full` would have told.
    pub event: EventName,
    /// The entity's id.
    #[ts(type = "string")]
    pub id: Uuid,
    /// The change.
    pub rev: Seq,
}
