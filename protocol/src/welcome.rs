//! The answer to `hello`, and what it brings: how each feed starts, its snapshot, and what this server allows.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::asking::FollowRequest;
use crate::entity::{Block, Comment, Mute, Post, User};
use crate::error::Refusal;
use crate::feed::FeedName;
use crate::filter::Filter;
use crate::ids::{CommentId, ConnectionId, UserId};
use crate::limits;
use crate::list::List;
use crate::moderation::Case;
use crate::notification::{Notification, NotificationReading, Preferences, ReadMarker};
use crate::position::{Cursor, Millis, Seq};
use crate::settings::Settings;

/// Result of `hello`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Welcome {
    /// This connection's name in the server's logs.
    pub session: ConnectionId,
    /// Who one is; null for an anonymous connection.
    pub user: Option<User>,
    /// When the token runs out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub expires_at: Option<Millis>,
    /// One's position once this reply has been applied. Resumed feeds bring what is missing as events after it.
    pub cursor: Cursor,
    /// Whether every feed goes on from the given cursor. If false, those with a snapshot start afresh.
    pub resumed: bool,
    /// What this server allows.
    pub limits: Limits,
    /// A `heartbeat` comes at least this often.
    #[ts(type = "number")]
    pub heartbeat_ms: u64,
    /// One entry for each feed of the request, in its order.
    pub feeds: Vec<FeedStart>,
}

/// How a feed starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum FeedStart {
    /// Goes on from the cursor; what is missing follows as events.
    Live {
        /// Which.
        feed: FeedName,
    },
    /// Starts afresh: forget what was there.
    Snapshot {
        /// Its whole present state, as far as `limit` goes.
        #[serde(flatten)]
        snapshot: Box<Snapshot>,
    },
    /// May not be watched.
    Refused {
        /// Which.
        feed: FeedName,
        /// Why.
        error: Refusal,
    },
}

/// The state of a feed as of `seq`; every later change follows as an event. Which fields are there depends on the feed:
/// `home`, `global`, `tag:<name>`, `list:<id>`: `posts`; `user:<id>`: `user`, `posts`, `pinned`; `post:<id>`: `post`, `comments`, `answers`; `me`: `user`, `follows`, `blocks`,
/// `mutes`, `markers`, `preferences`, `settings`, `requests`, `lists`, `filters`; `notifications`: `notifications`, `reading`; `mod`: `cases`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Snapshot {
    /// Which.
    pub feed: FeedName,
    /// As of this entry.
    pub seq: Seq,
    /// The profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub user: Option<User>,
    /// The post.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub post: Option<Post>,
    /// Newest first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub posts: Option<Vec<Post>>,
    /// Those that the user shows before all others, wherever they stand among the posts; newest first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub pinned: Option<Vec<Post>>,
    /// Newest first, and after them older ones that these answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub comments: Option<Vec<Comment>>,
    /// How many direct answers to comments there are, by comment, as of a moment before the snapshot; absent for those without: 0. 100 means at least so many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub answers: Option<BTreeMap<CommentId, u32>>,
    /// Whom one follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub follows: Option<Vec<UserId>>,
    /// Whom one blocks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub blocks: Option<Vec<Block>>,
    /// Whom one has muted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub mutes: Option<Vec<Mute>>,
    /// How far one has read one's feeds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub markers: Option<Vec<ReadMarker>>,
    /// Of whom one wants to hear; absent where one never said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub preferences: Option<Preferences>,
    /// What one has chosen; absent where one never did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub settings: Option<Settings>,
    /// Requests of one's own to follow somebody; those of others to oneself come by `request.page`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub requests: Option<Vec<FollowRequest>>,
    /// One's lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub lists: Option<Vec<List>>,
    /// One's keyword filters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub filters: Option<Vec<Filter>>,
    /// Newest first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub notifications: Option<Vec<Notification>>,
    /// How far one has looked through them, and how many are unread.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub reading: Option<NotificationReading>,
    /// Those that are not settled, newest first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub cases: Option<Vec<Case>>,
    /// For `before` of `feed.page`, `comment.page`, `notification.page` or `mod.page`; null where there is no more.
    pub next: Option<Cursor>,
}

impl Snapshot {
    /// A snapshot with nothing in it yet.
    #[must_use]
    pub const fn empty(feed: FeedName, seq: Seq) -> Self {
        Self {
            feed,
            seq,
            user: None,
            post: None,
            posts: None,
            pinned: None,
            comments: None,
            answers: None,
            follows: None,
            blocks: None,
            mutes: None,
            markers: None,
            preferences: None,
            settings: None,
            requests: None,
            lists: None,
            filters: None,
            notifications: None,
            reading: None,
            cases: None,
            next: None,
        }
    }
}

/// What this server allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Limits {
    /// Bytes in a message.
    pub message_bytes: u32,
    /// Nesting of JSON.
    pub json_depth: u32,
    /// Requests waiting for their answer.
    pub requests_in_flight: u32,
    /// Feeds on this connection.
    pub feeds: u32,
    /// Connections of one user on one node.
    pub connections: u32,
    /// Characters in a post.
    pub post_chars: u32,
    /// Characters in a comment.
    pub comment_chars: u32,
    /// Deepest answer.
    pub comment_depth: u32,
    /// Entities in a page.
    pub page: u32,
    /// Budget; reading costs 1, following 2, changing 2, creating 3.
    pub points_per_minute: u32,
}

impl Limits {
    /// The wire's own limits with a server's configured budget.
    #[must_use]
    pub const fn with_budget(points_per_minute: u32) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "constants far below 2^32")]
        const fn small(limit: usize) -> u32 {
            limit as u32
        }
        Self {
            message_bytes: small(limits::MESSAGE_BYTES),
            json_depth: small(limits::JSON_DEPTH),
            requests_in_flight: small(limits::REQUESTS_IN_FLIGHT),
            feeds: small(limits::FEEDS_PER_CONNECTION),
            connections: small(limits::CONNECTIONS_PER_USER),
            post_chars: small(limits::POST_TEXT_CHARS),
            comment_chars: small(limits::COMMENT_TEXT_CHARS),
            comment_depth: limits::COMMENT_DEPTH as u32,
            page: limits::PAGE_MAX as u32,
            points_per_minute,
        }
    }
}
