//! Server → client: the answer to a request, and the result of each method.
//! Results are generic over their entities so that the server can splice in bytes it has already encoded.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

pub use crate::account::{AccountDeleted, AccountExported, AccountGot};
pub use crate::asking::{FollowRequest, FollowerRemoved, RequestResult, RequestsPage};
pub use crate::bots::{BotsAll, TokenMade, TokenRevoked, TokensAll};
pub use crate::delivery::FeedModeSet;
pub use crate::drafts::{DraftResult, DraftsPage};
use crate::entity::{Block, Comment, Follow, LogIn, Mute, Post, Removed, User};
use crate::error::Refusal;
use crate::feed::FeedName;
use crate::filter::Filter;
pub use crate::filter::{FilterResult, Filters};
use crate::ids::{CommentId, ConnectionId, RequestId, SessionId, UserId};
use crate::limits;
use crate::list::List;
pub use crate::list::{ListMembers, ListResult, Lists};
pub use crate::marks::{BookmarkResult, BookmarksPage, PostHistory, PostsStats, ReactionResult};
pub use crate::media::{MediaDeleted, MediaGot, MediaTicketed};
use crate::moderation::Case;
pub use crate::moderation::{
    ActionResult, ActionsPage, CaseGot, CaseResult, CasesPage, LogLines, ReportResult, ReportsPage,
};
pub use crate::notification::{MarkerResult, NotificationsPage, PreferencesResult, ReadingResult};
use crate::notification::{Notification, NotificationReading, Preferences, ReadMarker};
use crate::position::{Cursor, Millis, Seq};
pub use crate::presence::{PresenceShown, PresenceWatched, TypingSent};
pub use crate::search::{MentionsSuggested, PeopleFound, PostsFound, TagsFound};
use crate::settings::Settings;
pub use crate::settings::SettingsResult;

/// An answer. `id` is null only where the request's could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Reply<R = serde_json::Value> {
    /// It was done.
    Result {
        /// Of the request.
        id: RequestId,
        /// By method.
        result: R,
    },
    /// It was refused.
    Error {
        /// Of the request.
        id: Option<RequestId>,
        /// Why.
        error: Refusal,
    },
}

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
/// `home`, `global`, `tag:<name>`, `list:<id>`: `posts`; `user:<id>`: `user`, `posts`, `pinned`; `post:<id>`: `post`, `comments`; `me`: `user`, `follows`, `blocks`,
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

/// Result of `auth.refresh`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct AuthRefreshed {
    /// When the new token runs out.
    pub expires_at: Millis,
}

/// Result of `account.email`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct EmailChanged {
    /// The address from now on, as it is kept.
    pub email: String,
}

/// Never shows the address (P9).
impl std::fmt::Debug for EmailChanged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EmailChanged")
    }
}

/// Result of `account.password` and `session.revoke_others`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct OthersEnded {
    /// How many other log-ins were ended.
    pub ended: u32,
}

/// Result of `session.list`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct LogIns {
    /// Those that are good, the last seen first.
    pub sessions: Vec<LogIn>,
}

/// Result of `session.revoke`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct SessionEnded {
    /// Which.
    pub id: SessionId,
    /// The change.
    pub seq: Seq,
}

/// Result of `user.get`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(concrete(U = User))]
pub struct UserResult<U = User> {
    /// The profile.
    pub user: U,
    /// Whether one follows them.
    pub following: bool,
    /// Whether they follow one.
    pub followed_by: bool,
    /// Whether one has asked to follow them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[ts(optional, as = "Option<bool>")]
    pub requested: bool,
    /// Whether they have asked to follow one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[ts(optional, as = "Option<bool>")]
    pub requested_by: bool,
    /// Whether one blocks them.
    pub blocking: bool,
    /// Whether one has muted them.
    pub muting: bool,
    /// How many follow them.
    #[ts(type = "number")]
    pub followers: u64,
    /// How many they follow.
    #[ts(type = "number")]
    pub follows: u64,
    /// How many posts of theirs everybody may see; of one's own, how many there are.
    #[ts(type = "number")]
    pub posts: u64,
}

/// Result of `user.update`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(concrete(U = User))]
pub struct UserUpdated<U = User> {
    /// As it is now.
    pub user: U,
    /// The change.
    pub seq: Seq,
}

/// Result of `user.follow` and `user.unfollow`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(concrete(F = Follow))]
pub struct FollowResult<F = Follow> {
    /// The pair, as of its last change.
    pub follow: F,
    /// Whether one follows them now.
    pub following: bool,
    /// Whether one has asked them to be allowed to: they approve their followers first.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[ts(optional, as = "Option<bool>")]
    pub requested: bool,
    /// The change.
    pub seq: Seq,
}

/// Result of `user.block` and `user.unblock`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(concrete(B = Block))]
pub struct BlockResult<B = Block> {
    /// The pair, as of its last change.
    pub block: B,
    /// Whether one blocks them now.
    pub blocking: bool,
    /// The change.
    pub seq: Seq,
}

/// Result of `user.mute` and `user.unmute`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(concrete(M = Mute))]
pub struct MuteResult<M = Mute> {
    /// The pair, as of its last change.
    pub mute: M,
    /// Whether one has muted them now.
    pub muting: bool,
    /// The change.
    pub seq: Seq,
}

/// Result of `post.create`, `post.update`, `post.pin`, `post.unpin`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(concrete(P = Post))]
pub struct PostResult<P = Post> {
    /// As it is now.
    pub post: P,
    /// The change.
    pub seq: Seq,
    /// It had been done before; nothing was done now.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[ts(optional, as = "Option<bool>")]
    pub duplicate: bool,
}

/// Result of `post.get`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct PostGot {
    /// As it is now.
    pub post: Post,
}

/// Result of `comment.create`, `comment.update`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(concrete(C = Comment))]
pub struct CommentResult<C = Comment> {
    /// As it is now.
    pub comment: C,
    /// The change.
    pub seq: Seq,
    /// It had been done before; nothing was done now.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[ts(optional, as = "Option<bool>")]
    pub duplicate: bool,
}

/// Result of `post.delete`, `comment.delete`, `draft.delete`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(concrete(R = Removed))]
pub struct RemovedResult<R = Removed> {
    /// What is gone.
    pub removed: R,
    /// The change.
    pub seq: Seq,
    /// It had been done before; nothing was done now.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[ts(optional, as = "Option<bool>")]
    pub duplicate: bool,
}

/// Result of `feed.page`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct PostsPage {
    /// Newest first.
    pub posts: Vec<Post>,
    /// For the next `before`; null at the end.
    pub next: Option<Cursor>,
}

/// Result of `comment.page`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct CommentsPage {
    /// Newest first; where all of a post's were asked for, after them older ones that these answer.
    pub comments: Vec<Comment>,
    /// How many direct answers those of them have that have any: as many as their own pages would hold, at most 100.
    pub answers: BTreeMap<CommentId, u32>,
    /// For the next `before`; null at the end.
    pub next: Option<Cursor>,
}

/// Result of `feed.unsubscribe`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Unsubscribed {
    /// Which.
    pub feed: FeedName,
}
