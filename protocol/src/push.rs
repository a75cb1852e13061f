//! Server → client without being asked: events of feeds, and messages about the connection.
//! A feed's event carries the full present state of one entity: keep it if its `rev` is newer than yours.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::entity::Author;
pub use crate::event::{Event, EventName};
use crate::feed::FeedName;
use crate::ids::{CommentId, PostId};
use crate::marks::PostCounts;
use crate::position::{Cursor, Millis, Seq};
use crate::presence::Presence;

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
    /// A post that is watched (`post:<id>`) in numbers, when they have changed: at most four times a second, and the last ones always.
    Counts(PostCounts),
    /// People one watches and follows have come, gone or changed. At most once a second.
    Presence {
        /// How they are now.
        users: Vec<Presence>,
    },
    /// People are writing in a thread of a post whose feed is watched. Show each for 6 seconds after the last of these that names them, or until
    /// their comment comes.
    Typing {
        /// The post.
        post: PostId,
        /// The comment that is being answered; absent: they comment on the post itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        parent: Option<CommentId>,
        /// Those who write there now, the latest first; at most ten.
        users: Vec<Author>,
    },
    /// How many connections, to all nodes together and one's own included, watch the feed of a post. At most every two seconds.
    Readers {
        /// The post.
        post: PostId,
        /// So many.
        #[ts(type = "number")]
        count: u64,
    },
    /// How much is new in a feed that is told by number. At most once a second, and the last number always.
    News {
        /// Which feed.
        feed: FeedName,
        /// Posts, or comments, by others since `since` that are still there for one; 100 means at least so many.
        count: u32,
        /// From where it is counted.
        since: Cursor,
    },
    /// So much is posted that new posts come only in part on a feed that is watched in `full` or by `ids`. Edits and removals all come. Whoever
    /// begins to watch meanwhile is told so after the answer; where nothing is said, all is told.
    Sampled {
        /// Which feed.
        feed: FeedName,
        /// One in so many is told, a power of two; 1: all are again.
        one_in: u32,
    },
}

impl Notice {
    /// Names of all notices, for documents and tests.
    pub const NAMES: &[&str] = &[
        "heartbeat",
        "going_away",
        "resync",
        "token_expiring",
        "counts",
        "presence",
        "typing",
        "readers",
        "news",
        "sampled",
    ];

    /// The name on the wire.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Heartbeat { .. } => "heartbeat",
            Self::GoingAway { .. } => "going_away",
            Self::Resync { .. } => "resync",
            Self::TokenExpiring { .. } => "token_expiring",
            Self::Counts(_) => "counts",
            Self::Presence { .. } => "presence",
            Self::Typing { .. } => "typing",
            Self::Readers { .. } => "readers",
            Self::News { .. } => "news",
            Self::Sampled { .. } => "sampled",
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
