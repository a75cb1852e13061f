//! Server → client without being asked: events of feeds, and messages about the connection.
//! A feed's event carries the full present state of one entity: keep it if its `rev` is newer than yours.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::entity::{Comment, Follow, Post, Removed, User};
use crate::feed::FeedName;
use crate::position::{Cursor, Millis, Seq};
use crate::reply::Snapshot;

/// The name of an event of a feed. `created` and `updated` carry the same thing and are applied the same way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, TS)]
pub enum EventName {
    /// A [`Post`].
    #[serde(rename = "post.created")]
    PostCreated,
    /// A [`Post`].
    #[serde(rename = "post.updated")]
    PostUpdated,
    /// A [`Removed`].
    #[serde(rename = "post.removed")]
    PostRemoved,
    /// A [`Comment`].
    #[serde(rename = "comment.created")]
    CommentCreated,
    /// A [`Comment`].
    #[serde(rename = "comment.updated")]
    CommentUpdated,
    /// A [`Removed`].
    #[serde(rename = "comment.removed")]
    CommentRemoved,
    /// A [`User`].
    #[serde(rename = "user.updated")]
    UserUpdated,
    /// A [`Follow`].
    #[serde(rename = "follow.created")]
    FollowCreated,
    /// A [`Follow`].
    #[serde(rename = "follow.removed")]
    FollowRemoved,
    /// A [`Snapshot`]: forget what the feed held and take this.
    #[serde(rename = "feed.resync")]
    FeedResync,
}

impl EventName {
    /// All of them, for documents and tests.
    pub const ALL: &[Self] = &[
        Self::PostCreated,
        Self::PostUpdated,
        Self::PostRemoved,
        Self::CommentCreated,
        Self::CommentUpdated,
        Self::CommentRemoved,
        Self::UserUpdated,
        Self::FollowCreated,
        Self::FollowRemoved,
        Self::FeedResync,
    ];

    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PostCreated => "post.created",
            Self::PostUpdated => "post.updated",
            Self::PostRemoved => "post.removed",
            Self::CommentCreated => "comment.created",
            Self::CommentUpdated => "comment.updated",
            Self::CommentRemoved => "comment.removed",
            Self::UserUpdated => "user.updated",
            Self::FollowCreated => "follow.created",
            Self::FollowRemoved => "follow.removed",
            Self::FeedResync => "feed.resync",
        }
    }
}

/// An event with its entity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(tag = "event", content = "data")]
pub enum Event {
    /// Somebody posted.
    #[serde(rename = "post.created")]
    PostCreated(Post),
    /// A post changed.
    #[serde(rename = "post.updated")]
    PostUpdated(Post),
    /// A post is gone.
    #[serde(rename = "post.removed")]
    PostRemoved(Removed),
    /// Somebody commented.
    #[serde(rename = "comment.created")]
    CommentCreated(Comment),
    /// A comment changed.
    #[serde(rename = "comment.updated")]
    CommentUpdated(Comment),
    /// A comment is gone.
    #[serde(rename = "comment.removed")]
    CommentRemoved(Removed),
    /// A profile changed.
    #[serde(rename = "user.updated")]
    UserUpdated(User),
    /// One follows somebody.
    #[serde(rename = "follow.created")]
    FollowCreated(Follow),
    /// One follows somebody no longer.
    #[serde(rename = "follow.removed")]
    FollowRemoved(Follow),
    /// The feed starts afresh.
    #[serde(rename = "feed.resync")]
    FeedResync(Snapshot),
}

/// An event of a feed. `seq` never goes back on one connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct FeedPush {
    /// The subscription it belongs to.
    pub feed: FeedName,
    /// The journal entry.
    pub seq: Seq,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// A message about the connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Notice {
    /// The connection lives, and this is the position of everything it watches.
    Heartbeat {
        /// Keep it for `hello`.
        cursor: Cursor,
    },
    /// The node is leaving: come back, to whichever node answers, after `reconnect_after_ms`.
    GoingAway {
        /// Differs between connections, so that not all come at once.
        #[ts(type = "number")]
        reconnect_after_ms: u64,
        /// Keep it for `hello`.
        cursor: Cursor,
    },
    /// The journal began a new life (a restored backup, a promoted standby): all earlier cursors are void. A `feed.resync` follows for each feed.
    Resync {
        /// The new position.
        cursor: Cursor,
    },
    /// The token runs out soon: send `auth.refresh`.
    TokenExpiring {
        /// When.
        expires_at: Millis,
    },
}

impl Notice {
    /// Names of all notices, for documents and tests.
    pub const NAMES: &[&str] = &["heartbeat", "going_away", "resync", "token_expiring"];

    /// The name on the wire.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Heartbeat { .. } => "heartbeat",
            Self::GoingAway { .. } => "going_away",
            Self::Resync { .. } => "resync",
            Self::TokenExpiring { .. } => "token_expiring",
        }
    }
}

/// Anything the server sends, for clients that read every frame into one type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum ServerFrame {
    /// An answer.
    Reply(crate::reply::Reply),
    /// An event of a feed.
    Feed(Box<FeedPush>),
    /// About the connection.
    Notice(Notice),
}
