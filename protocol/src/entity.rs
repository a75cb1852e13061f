//! What clients see of the things in a feed: explicit shapes, never database rows.
//! Each carries `rev`, the `seq` of its last change: keep the one with the higher `rev`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::ids::{CommentId, PostId, UserId};
use crate::position::{Millis, Seq};

/// What a user may do beyond their own things.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// May change their own things.
    #[default]
    User,
    /// May also delete what others wrote.
    Admin,
}

/// A public profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct User {
    /// Who.
    pub id: UserId,
    /// Last change.
    pub rev: Seq,
    /// Unique name, lower case.
    pub handle: String,
    /// Display name.
    pub name: String,
    /// Profile text, may be empty.
    pub bio: String,
    /// Role.
    pub role: Role,
    /// When they signed up.
    pub created_at: Millis,
}

/// An author as shown beside what they wrote, as of the moment the carrying frame was made.
/// It has a `rev` of its own: a `user.updated` with a higher one replaces it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Author {
    /// Who.
    pub id: UserId,
    /// The profile's last change.
    pub rev: Seq,
    /// Unique name.
    pub handle: String,
    /// Display name.
    pub name: String,
}

/// A post.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Post {
    /// Which.
    pub id: PostId,
    /// Last change.
    pub rev: Seq,
    /// Its place in feeds: the `seq` of its creation. Feeds are sorted by it, newest first.
    pub seq: Seq,
    /// Who wrote it.
    pub author: Author,
    /// The text.
    pub text: String,
    /// When it was created.
    pub created_at: Millis,
    /// When its text was last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub edited_at: Option<Millis>,
}

/// A comment on a post, or an answer to a comment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Comment {
    /// Which.
    pub id: CommentId,
    /// Last change.
    pub rev: Seq,
    /// Its place in the thread: the `seq` of its creation. Parents always come before their answers.
    pub seq: Seq,
    /// The post it belongs to.
    pub post: PostId,
    /// The comment it answers; absent for a comment on the post itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub parent: Option<CommentId>,
    /// 0 on the post itself, one more for each answer.
    pub depth: u8,
    /// True for a removed comment that still holds its answers in place; it has no `author` and no `text`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[ts(optional, as = "Option<bool>")]
    pub removed: bool,
    /// Who wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub author: Option<Author>,
    /// The text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub text: Option<String>,
    /// When it was created.
    pub created_at: Millis,
    /// When its text was last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub edited_at: Option<Millis>,
}

/// "`follower` follows `followee`"; in a removed event, "no longer".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Follow {
    /// Last change.
    pub rev: Seq,
    /// Who follows.
    pub follower: UserId,
    /// Whom.
    pub followee: UserId,
}

/// All that is told of something that is gone or may no longer be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Removed {
    /// A post's or comment's id, by the event's name.
    #[ts(type = "string")]
    pub id: uuid::Uuid,
    /// The removal.
    pub rev: Seq,
}
