//! What others did that concerns somebody, told in groups; how far they have read, that and their feeds; of whom they want to hear.
//! Must never carry what was written: a notification names the post or comment, which is fetched as anything else.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::decode;
use crate::entity::Author;
use crate::feed::FeedName;
use crate::ids::{CommentId, NotificationId, PostId};
use crate::position::{Cursor, Millis, Seq};

/// What others did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum NotificationKind {
    /// They follow one now.
    Follow,
    /// They ask to.
    Request,
    /// They mentioned one in a post or a comment.
    Mention,
    /// They commented on a post of one's own.
    Comment,
    /// They answered a comment of one's own.
    Reply,
    /// They reacted to a post of one's own.
    Reaction,
    /// They handed a post of one's own on.
    Repost,
    /// They handed it on with words of their own.
    Quote,
}

impl NotificationKind {
    /// All of them, in the order of the numbers the database gives them, from 1.
    pub const ALL: [Self; 8] = [
        Self::Follow,
        Self::Request,
        Self::Mention,
        Self::Comment,
        Self::Reply,
        Self::Reaction,
        Self::Repost,
        Self::Quote,
    ];
}

/// One kind of thing that others did about one thing of one's own: "12 people reacted to your post". New followers come in one group until it
/// has been read; the next one begins another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Notification {
    /// Which.
    pub id: NotificationId,
    /// Last change.
    pub rev: Seq,
    /// Its place: when somebody came into it last. Sort by it, newest first. Unlike a post's it grows.
    pub seq: Seq,
    /// What they did.
    pub kind: NotificationKind,
    /// About which post, or on which.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub post: Option<PostId>,
    /// About which comment on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub comment: Option<CommentId>,
    /// The comment or post that came last, as far as it is still there. Absent for follows and reactions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "string")]
    pub last: Option<uuid::Uuid>,
    /// Who did, the newest first, at most three.
    pub actors: Vec<Author>,
    /// How many different people did.
    pub count: u32,
    /// When somebody came into it last.
    pub at: Millis,
    /// Whether it was read by itself; what has a `seq` up to `read` of [`NotificationReading`] is read, too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[ts(optional, as = "Option<bool>")]
    pub read: bool,
}

/// A notification as an event tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct NotificationTold {
    /// The notification.
    #[serde(flatten)]
    #[ts(flatten)]
    pub notification: Notification,
    /// How many are unread now. Of several such numbers the one of the last event counts.
    pub unread: u32,
}

/// A notification that is no more: everybody in it has taken back what they did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct NotificationRemoved {
    /// Which.
    pub id: NotificationId,
    /// The removal.
    pub rev: Seq,
    /// How many are unread now.
    pub unread: u32,
}

/// How far one has looked through one's notifications, on whichever device. Never goes back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct NotificationReading {
    /// Last change; 0 if there never was one.
    pub rev: Seq,
    /// Notifications with a `seq` up to this have been seen.
    pub seen: Seq,
    /// Notifications with a `seq` up to this have been read.
    pub read: Seq,
    /// How many are unread now.
    pub unread: u32,
}

/// How far one has read a feed, on whichever device. Never goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct ReadMarker {
    /// Last change.
    pub rev: Seq,
    /// Which feed.
    pub feed: FeedName,
    /// Read up to this place.
    pub seq: Seq,
}

/// Of whom one wants to hear.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum HeardFrom {
    /// Of everybody, but for those one hides.
    #[default]
    Everyone,
    /// Of those one follows.
    Followed,
    /// Of nobody.
    Nobody,
}

/// Of whom one wants to hear, by what they did; what is absent stays as it is, and is `everyone` at first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(default)]
pub struct NotifyPreferences {
    /// Follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub follow: Option<HeardFrom>,
    /// Requests to follow.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub request: Option<HeardFrom>,
    /// Mentions.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub mention: Option<HeardFrom>,
    /// Comments.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub comment: Option<HeardFrom>,
    /// Answers to comments.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub reply: Option<HeardFrom>,
    /// Reactions.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub reaction: Option<HeardFrom>,
    /// Posts handed on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub repost: Option<HeardFrom>,
    /// Posts handed on with words.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub quote: Option<HeardFrom>,
}

/// One's preferences as of their last change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Preferences {
    /// Last change.
    pub rev: Seq,
    /// What one chose.
    #[serde(flatten)]
    #[ts(flatten)]
    pub notify: NotifyPreferences,
}

/// `notification.page`: older notifications.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(default)]
pub struct NotificationPage {
    /// `next` of the page or snapshot before; the newest if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub before: Option<Cursor>,
    /// 1–100; 50 if absent.
    #[serde(deserialize_with = "decode::page_limit", skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100))]
    #[ts(optional)]
    pub limit: Option<u16>,
}

/// `notification.seen`: may be repeated; never goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct NotificationSeen {
    /// The `seq` of the newest that was seen.
    pub up_to: Seq,
}

/// `notification.read`: may be repeated; never goes back. One of both, or both: then those of `ids` that have not changed their place since.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(default)]
pub struct NotificationRead {
    /// These; all if absent. 1 to 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 100))]
    #[ts(optional)]
    pub ids: Option<Vec<NotificationId>>,
    /// As far as their `seq` is not above this.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub up_to: Option<Seq>,
}

/// `marker.set`: may be repeated; never goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct MarkerSet {
    /// Which feed.
    pub feed: FeedName,
    /// The `seq` of the newest that was read.
    pub seq: Seq,
}

/// Result of `notification.page`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct NotificationsPage {
    /// Newest first.
    pub notifications: Vec<Notification>,
    /// How far one has looked through them.
    pub reading: NotificationReading,
    /// For the next `before`; null at the end.
    pub next: Option<Cursor>,
}

/// Result of `notification.seen` and `notification.read`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(concrete(R = NotificationReading))]
pub struct ReadingResult<R = NotificationReading> {
    /// As it is now.
    pub reading: R,
    /// The change.
    pub seq: Seq,
    /// It was so already; nothing was done now.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[ts(optional, as = "Option<bool>")]
    pub duplicate: bool,
}

/// Result of `marker.set`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(concrete(M = ReadMarker))]
pub struct MarkerResult<M = ReadMarker> {
    /// As it is now; further on than asked if another device was there before.
    pub marker: M,
    /// The change.
    pub seq: Seq,
    /// It was so already; nothing was done now.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[ts(optional, as = "Option<bool>")]
    pub duplicate: bool,
}

/// Result of `notify.preferences`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(concrete(P = Preferences))]
pub struct PreferencesResult<P = Preferences> {
    /// As they are now.
    pub preferences: P,
    /// The change.
    pub seq: Seq,
    /// It was so already; nothing was done now.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[ts(optional, as = "Option<bool>")]
    pub duplicate: bool,
}
