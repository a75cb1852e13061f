//! Parameters of requests about feeds.
//! Must never hold who may read one: that is the session's and the store's.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::bots::FirehoseFilter;
use crate::decode;
use crate::delivery::DeliveryMode;
use crate::feed::FeedName;
use crate::listing::Listing;
use crate::position::Cursor;

/// `feed.page`: older posts of `home`, `global`, `tag:<name>` or `user:<id>`; or of a ranked view, `top:day` or `top:week`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct FeedPage {
    /// The feed or the view.
    pub feed: Listing,
    /// `next` of the page or snapshot before; the newest posts, or the first of the view as it is ranked now, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub before: Option<Cursor>,
    /// 1–100; 50 if absent.
    #[serde(default, deserialize_with = "decode::page_limit", skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100))]
    #[ts(optional)]
    pub limit: Option<u16>,
}

/// `feed.subscribe`: a snapshot now, and everything after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct FeedSubscribe {
    /// The feed.
    pub feed: FeedName,
    /// Entities in the snapshot, 1–100; 50 if absent.
    #[serde(default, deserialize_with = "decode::page_limit", skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100))]
    #[ts(optional)]
    pub limit: Option<u16>,
    /// How much one wants to be told after it.
    #[serde(default, skip_serializing_if = "DeliveryMode::is_full")]
    #[ts(optional, as = "Option<DeliveryMode>")]
    pub mode: DeliveryMode,
    /// Of `firehose`: what is wanted of it; all if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub filter: Option<FirehoseFilter>,
}

impl FeedSubscribe {
    /// Everything of a feed.
    #[must_use]
    pub const fn whole(feed: FeedName, limit: Option<u16>) -> Self {
        Self { feed, limit, mode: DeliveryMode::Full, filter: None }
    }
}

/// `feed.unsubscribe`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct FeedUnsubscribe {
    /// The feed.
    pub feed: FeedName,
}
