//! The events of feeds: one table of their names and of what each carries.
//! Every event carries the full present state of one entity: what is kept of it is replaced where this is newer.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::asking::FollowRequest;
use crate::delivery::Changed;
use crate::drafts::Draft;
use crate::entity::{Block, Comment, Follow, Mute, Post, Removed, User};
use crate::filter::Filter;
use crate::list::{List, ListMember};
use crate::marks::{Bookmark, Reaction};
use crate::moderation::{Action, Case, Report};
use crate::notification::{NotificationReading, NotificationRemoved, NotificationTold, Preferences, ReadMarker};
use crate::reply::Snapshot;
use crate::settings::Settings;

/// Makes the table of events: what is not in it does not exist.
macro_rules! events {
    ($($(#[$doc:meta])* $variant:ident($data:ty) = $name:literal,)*) => {
        /// An event with its entity.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
        #[serde(tag = "event", content = "data")]
        pub enum Event {
            $($(#[$doc])* #[serde(rename = $name)] $variant($data),)*
        }

        /// The name of an event of a feed. `created` and `updated` carry the same thing and are applied the same way.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, TS)]
        pub enum EventName {
            $($(#[$doc])* #[serde(rename = $name)] $variant,)*
        }

        impl EventName {
            /// All of them, for documents and tests.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

events! {
    /// Somebody posted.
    PostCreated(Post) = "post.created",
    /// A post changed.
    PostUpdated(Post) = "post.updated",
    /// A post is gone.
    PostRemoved(Removed) = "post.removed",
    /// Somebody commented.
    CommentCreated(Comment) = "comment.created",
    /// A comment changed.
    CommentUpdated(Comment) = "comment.updated",
    /// A comment is gone.
    CommentRemoved(Removed) = "comment.removed",
    /// A profile changed.
    UserUpdated(User) = "user.updated",
    /// One follows somebody.
    FollowCreated(Follow) = "follow.created",
    /// One follows somebody no longer.
    FollowRemoved(Follow) = "follow.removed",
    /// One blocks somebody.
    BlockCreated(Block) = "block.created",
    /// One blocks somebody no longer.
    BlockRemoved(Block) = "block.removed",
    /// One has muted somebody, or changed until when.
    MuteCreated(Mute) = "mute.created",
    /// One has unmuted somebody, or the time is over.
    MuteRemoved(Mute) = "mute.removed",
    /// One has reacted to a post, or reacts otherwise.
    ReactionUpdated(Reaction) = "reaction.updated",
    /// One has taken a reaction back.
    ReactionRemoved(Reaction) = "reaction.removed",
    /// One has bookmarked a post.
    BookmarkCreated(Bookmark) = "bookmark.created",
    /// One has bookmarked a post no longer.
    BookmarkRemoved(Bookmark) = "bookmark.removed",
    /// Somebody did something that concerns one, or took it back, or it was read.
    NotificationUpdated(NotificationTold) = "notification.updated",
    /// Everybody has taken it back.
    NotificationRemoved(NotificationRemoved) = "notification.removed",
    /// One has looked further through one's notifications.
    NotificationRead(NotificationReading) = "notification.read",
    /// One has read further in a feed.
    MarkerUpdated(ReadMarker) = "marker.updated",
    /// Of too many read markers, this one is given up.
    MarkerRemoved(ReadMarker) = "marker.removed",
    /// Of whom one wants to hear has changed.
    PreferencesUpdated(Preferences) = "preferences.updated",
    /// One has chosen otherwise.
    SettingsUpdated(Settings) = "settings.updated",
    /// One has written or changed a draft, or its time has come.
    DraftUpdated(Draft) = "draft.updated",
    /// A draft is gone: deleted, or a post now.
    DraftRemoved(Removed) = "draft.removed",
    /// Somebody reported something, or a moderator did something about it.
    CaseUpdated(Box<Case>) = "case.updated",
    /// A report of one's own was taken, or settled.
    ReportUpdated(Report) = "report.updated",
    /// A moderator did something about one, or something of it changed.
    ActionUpdated(Box<Action>) = "action.updated",
    /// Something has changed in a feed that is told by ids.
    FeedChanged(Changed) = "feed.changed",
    /// Somebody would like to follow one, or one them.
    RequestCreated(FollowRequest) = "request.created",
    /// A request was granted, refused or taken back.
    RequestRemoved(FollowRequest) = "request.removed",
    /// One has made or changed a list.
    ListUpdated(List) = "list.updated",
    /// One has deleted a list, and its members with it.
    ListRemoved(Removed) = "list.removed",
    /// One has put somebody into a list.
    MemberCreated(ListMember) = "member.created",
    /// One has taken somebody out of a list.
    MemberRemoved(ListMember) = "member.removed",
    /// One has made or changed a keyword filter.
    FilterUpdated(Filter) = "filter.updated",
    /// One has deleted a keyword filter.
    FilterRemoved(Removed) = "filter.removed",
    /// The feed starts afresh.
    FeedResync(Box<Snapshot>) = "feed.resync",
}

impl EventName {
    /// Whether it is told on `notifications`, and not on `me`.
    #[must_use]
    pub const fn is_of_notifications(self) -> bool {
        matches!(self, Self::NotificationUpdated | Self::NotificationRemoved | Self::NotificationRead)
    }

    /// What it is about: the name up to the dot.
    #[must_use]
    pub fn noun(self) -> &'static str {
        let name = self.as_str();
        name.split_once('.').map_or(name, |(noun, _)| noun)
    }
}
