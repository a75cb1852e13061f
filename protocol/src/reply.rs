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
pub use crate::filter::{FilterResult, Filters};
use crate::ids::{CommentId, RequestId, SessionId};
pub use crate::list::{ListMembers, ListResult, Lists};
pub use crate::marks::{BookmarkResult, BookmarksPage, PostHistory, PostsStats, ReactionResult};
pub use crate::media::{MediaDeleted, MediaGot, MediaTicketed};
pub use crate::moderation::{
    ActionResult, ActionsPage, CaseGot, CaseResult, CasesPage, LogLines, ReportResult, ReportsPage,
};
pub use crate::notification::{MarkerResult, NotificationsPage, PreferencesResult, ReadingResult};
use crate::position::{Cursor, Millis, Seq};
pub use crate::presence::{PresenceShown, PresenceWatched, TypingSent};
pub use crate::search::{MentionsSuggested, PeopleFound, PostsFound, TagsFound};
pub use crate::settings::SettingsResult;
pub use crate::welcome::{FeedStart, Limits, Snapshot, Welcome};

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
