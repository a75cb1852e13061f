//! What clients see of the things in a feed: explicit shapes, never database rows.
//! Each carries `rev`, the `seq` of its last change: keep the one with the higher `rev`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

pub use crate::asking::FollowRequest;
pub use crate::bots::BotOf;
pub use crate::delivery::Changed;
pub use crate::drafts::Draft;
pub use crate::filter::Filter;
use crate::ids::{CommentId, MediaId, PostId, SessionId, UserId};
pub use crate::list::{List, ListMember};
pub use crate::marks::{Bookmark, Reaction};
use crate::media::Picture;
use crate::moderation::Reason;
pub use crate::moderation::{Action, Case, Report};
pub use crate::notification::{NotificationReading, NotificationRemoved, NotificationTold, Preferences, ReadMarker};
use crate::position::{Millis, Seq};
pub use crate::settings::Settings;
use crate::spans::{MentionSpan, TagSpan};
use crate::threads::{Commenters, LockedBy};

/// What a user may do beyond their own things.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// May change their own things.
    #[default]
    User,
    /// May also delete what others wrote.
    Admin,
    /// Looks after what others write.
    Moderator,
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
    /// What not every profile has.
    #[serde(flatten)]
    #[ts(flatten)]
    pub extra: UserExtra,
}

/// What not every profile has: absent where there is nothing to say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(default)]
pub struct UserExtra {
    /// Whether they say yes or no to each who wants to follow them.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[ts(optional, as = "Option<bool>")]
    pub asks: bool,
    /// Of a bot: whose it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub bot: Option<BotOf>,
    /// Their face: a picture of theirs, `/media/<avatar>/full`, `…/320` or `…/96`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub avatar: Option<MediaId>,
    /// The account was deleted: there is nobody behind it any more, and its feed is over. Never in an answer or a snapshot.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[ts(optional, as = "Option<bool>")]
    pub deleted: bool,
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

/// Who may see a post, besides its author. Nobody who blocks the author, or is blocked by them, ever does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// Everybody.
    #[default]
    Public,
    /// Those who follow the author, and those whom the post mentions.
    Followers,
    /// Those whom the post mentions, or has mentioned while it was for fewer than everybody.
    Mentioned,
    /// Nobody else.
    Private,
}

impl Visibility {
    /// Whether everybody may see it.
    #[must_use]
    pub const fn is_public(&self) -> bool {
        matches!(self, Self::Public)
    }
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
    /// The text; empty in a repost without words of its own, and in a post of pictures alone.
    pub text: String,
    /// When it was created.
    pub created_at: Millis,
    /// When its text was last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub edited_at: Option<Millis>,
    /// What not every post has.
    #[serde(flatten)]
    #[ts(flatten)]
    pub extra: PostExtra,
}

/// What not every post has: absent where there is nothing to say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(default)]
pub struct PostExtra {
    /// Who may see it; `public` if absent.
    #[serde(skip_serializing_if = "Visibility::is_public")]
    #[ts(optional, as = "Option<Visibility>")]
    pub visibility: Visibility,
    /// What the text is about, for readers to decide whether they want to see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub warning: Option<String>,
    /// The post it hands on: with a text of its own a quote, without one a repost. Fetch it with `post.get`: what it says, and whether one may
    /// see it, is its own affair.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub of: Option<PostId>,
    /// Why a moderator has hidden it: nobody but its author sees it now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub hidden: Option<Reason>,
    /// Whether its author shows it before all others.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[ts(optional, as = "Option<bool>")]
    pub pinned: bool,
    /// Hashtags in the text.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<Vec<TagSpan>>")]
    pub tags: Vec<TagSpan>,
    /// People mentioned in the text.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<Vec<MentionSpan>>")]
    pub mentions: Vec<MentionSpan>,
    /// Who may comment on it; as its author's settings say at the time, if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub comments: Option<Commenters>,
    /// Nobody comments on it any more; by whose will.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub locked: Option<LockedBy>,
    /// Each person comments on it once in so many seconds, but for its author and moderators.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub slow: Option<u32>,
    /// Pictures it shows, in their order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<Vec<Picture>>")]
    pub media: Vec<Picture>,
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
    /// What not every comment has.
    #[serde(flatten)]
    #[ts(flatten)]
    pub extra: CommentExtra,
}

/// What not every comment has: absent where there is nothing to say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(default)]
pub struct CommentExtra {
    /// Whether the post's author has folded it away: shown closed, for whoever wants to read it to open.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[ts(optional, as = "Option<bool>")]
    pub hidden: bool,
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

/// "`blocker` blocks `blocked`"; in a removed event, "no longer".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Block {
    /// Last change.
    pub rev: Seq,
    /// Who blocks.
    pub blocker: UserId,
    /// Whom.
    pub blocked: UserId,
}

/// "`muter` does not want to read `muted`"; in a removed event, "no longer".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Mute {
    /// Last change.
    pub rev: Seq,
    /// Who mutes.
    pub muter: UserId,
    /// Whom.
    pub muted: UserId,
    /// When it ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub until: Option<Millis>,
}

/// A log-in of one's own: what `session.list` tells of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct LogIn {
    /// Which.
    pub id: SessionId,
    /// What the program that logged in called itself (its `User-Agent`), as far as it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub device: Option<String>,
    /// What its last connection called itself (`client` of `hello`), as far as it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub client: Option<String>,
    /// When it began.
    pub created_at: Millis,
    /// When it was last connected, to some minutes.
    pub seen_at: Millis,
    /// Whether it is the one that asks.
    pub current: bool,
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
