//! What people leave on posts: reactions, bookmarks, pins; how many there are of everything; and what a post said before.
//! Must never name who else reacted or bookmarked: others are only counted.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::decode;
use crate::entity::Post;
use crate::ids::PostId;
use crate::position::{Cursor, Millis, Seq};

/// The reactions there are. Named by words: how one looks is the client's affair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum Emoji {
    /// 👍
    Like,
    /// ❤️
    Love,
    /// 😂
    Laugh,
    /// 😮
    Wow,
    /// 😢
    Sad,
    /// 😠
    Angry,
    /// 🙏
    Thanks,
    /// 🎉
    Party,
}

impl Emoji {
    /// All of them, in the order of the numbers the database gives them, from 1.
    pub const ALL: [Self; 8] =
        [Self::Like, Self::Love, Self::Laugh, Self::Wow, Self::Sad, Self::Angry, Self::Thanks, Self::Party];
}

/// One's reaction to a post.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Reaction {
    /// Last change.
    pub rev: Seq,
    /// To which post.
    pub post: PostId,
    /// Which; absent if it was taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub emoji: Option<Emoji>,
}

/// "One has bookmarked `post`"; in a removed event, "no longer".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Bookmark {
    /// Last change. Bookmarks are sorted by it, newest first.
    pub rev: Seq,
    /// Which post.
    pub post: PostId,
}

/// How many there are of what others add to a post. Absolute: keep what has the higher `seq`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct PostCounts {
    /// Which post.
    pub post: PostId,
    /// As of this entry.
    pub seq: Seq,
    /// Comments that are not removed.
    #[ts(type = "number")]
    pub comments: u64,
    /// Public posts that hand it on without words.
    #[ts(type = "number")]
    pub reposts: u64,
    /// Public posts that hand it on with words.
    #[ts(type = "number")]
    pub quotes: u64,
    /// Reactions of each kind; what is absent is 0.
    #[ts(as = "BTreeMap<Emoji, u32>")]
    pub reactions: BTreeMap<Emoji, u64>,
}

/// What one has done to a post oneself; all absent for who is not logged in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(default)]
pub struct MyMarks {
    /// One's reaction.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub reaction: Option<Emoji>,
    /// Whether one has bookmarked it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[ts(optional, as = "Option<bool>")]
    pub bookmarked: bool,
    /// One's repost of it without words: what to delete to take it back.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub repost: Option<PostId>,
}

/// A post in numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct PostStats {
    /// For everybody.
    #[serde(flatten)]
    #[ts(flatten)]
    pub counts: PostCounts,
    /// For who asks.
    pub mine: MyMarks,
}

/// `post.react`: may be repeated; one's last reaction to a post is the one that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct PostReact {
    /// To which post.
    pub id: PostId,
    /// How.
    pub emoji: Emoji,
}

/// `post.stats`: numbers for many posts at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct PostStatsGet {
    /// 1 to 100.
    #[schemars(length(min = 1, max = 100))]
    pub ids: Vec<PostId>,
}

/// `bookmark.page`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(default)]
pub struct BookmarkPage {
    /// `next` of the page before; the newest bookmarks if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub before: Option<Cursor>,
    /// 1–100; 50 if absent.
    #[serde(deserialize_with = "decode::page_limit", skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100))]
    #[ts(optional)]
    pub limit: Option<u16>,
}

/// Result of `post.react` and `post.unreact`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(concrete(R = Reaction))]
pub struct ReactionResult<R = Reaction> {
    /// As of its last change.
    pub reaction: R,
    /// The change.
    pub seq: Seq,
    /// It was so already; nothing was done now.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[ts(optional, as = "Option<bool>")]
    pub duplicate: bool,
}

/// Result of `post.bookmark` and `post.unbookmark`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(concrete(B = Bookmark))]
pub struct BookmarkResult<B = Bookmark> {
    /// As of its last change.
    pub bookmark: B,
    /// Whether one has bookmarked it now.
    pub bookmarked: bool,
    /// The change.
    pub seq: Seq,
    /// It was so already; nothing was done now.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[ts(optional, as = "Option<bool>")]
    pub duplicate: bool,
}

/// Result of `post.stats`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct PostsStats {
    /// Of those of the posts that are there and that one may see, in the order asked.
    pub stats: Vec<PostStats>,
}

/// A bookmarked post.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Bookmarked {
    /// The bookmark's last change: its place among the others.
    pub rev: Seq,
    /// The post, as it is now.
    pub post: Post,
}

/// Result of `bookmark.page`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct BookmarksPage {
    /// Newest bookmark first, without posts that one may see no longer.
    pub bookmarks: Vec<Bookmarked>,
    /// For the next `before`; null at the end.
    pub next: Option<Cursor>,
}

/// What a post said before it was edited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct PostVersion {
    /// The post's `rev` when it last said so.
    pub rev: Seq,
    /// The text.
    pub text: String,
    /// Since when it said so.
    pub at: Millis,
}

/// Result of `post.history`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct PostHistory {
    /// The newest first, at most 100, without the present text; those that were written for fewer than may see the post now are only for these.
    pub versions: Vec<PostVersion>,
}
