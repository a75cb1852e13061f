//! Server → client without being asked: events of feeds, and messages about the connection.
//! A feed's event carries the full present state of one entity: keep it if its `rev` is newer than yours.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::asking::FollowRequest;
use crate::delivery::Changed;
use crate::drafts::Draft;
use crate::entity::{Author, Block, Comment, Follow, Mute, Post, Removed, User};
use crate::feed::FeedName;
use crate::filter::Filter;
use crate::ids::{CommentId, PostId};
use crate::list::{List, ListMember};
use crate::marks::{Bookmark, PostCounts, Reaction};
use crate::moderation::{Action, Case, Report};
use crate::notification::{NotificationReading, NotificationRemoved, NotificationTold, Preferences, ReadMarker};
use crate::position::{Cursor, Millis, Seq};
use crate::presence::Presence;
use crate::reply::Snapshot;
use crate::settings::Settings;

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
    /// A [`Block`].
    #[serde(rename = "block.created")]
    BlockCreated,
    /// A [`Block`].
    #[serde(rename = "block.removed")]
    BlockRemoved,
    /// A [`Mute`].
    #[serde(rename = "mute.created")]
    MuteCreated,
    /// A [`Mute`].
    #[serde(rename = "mute.removed")]
    MuteRemoved,
    /// A [`Reaction`].
    #[serde(rename = "reaction.updated")]
    ReactionUpdated,
    /// A [`Reaction`].
    #[serde(rename = "reaction.removed")]
    ReactionRemoved,
    /// A [`Bookmark`].
    #[serde(rename = "bookmark.created")]
    BookmarkCreated,
    /// A [`Bookmark`].
    #[serde(rename = "bookmark.removed")]
    BookmarkRemoved,
    /// A [`NotificationTold`].
    #[serde(rename = "notification.updated")]
    NotificationUpdated,
    /// A [`NotificationRemoved`].
    #[serde(rename = "notification.removed")]
    NotificationRemoved,
    /// A [`NotificationReading`].
    #[serde(rename = "notification.read")]
    NotificationRead,
    /// A [`ReadMarker`].
    #[serde(rename = "marker.updated")]
    MarkerUpdated,
    /// A [`ReadMarker`].
    #[serde(rename = "marker.removed")]
    MarkerRemoved,
    /// A [`Preferences`].
    #[serde(rename = "preferences.updated")]
    PreferencesUpdated,
    /// A [`Settings`].
    #[serde(rename = "settings.updated")]
    SettingsUpdated,
    /// A [`Draft`].
    #[serde(rename = "draft.updated")]
    DraftUpdated,
    /// A [`Removed`].
    #[serde(rename = "draft.removed")]
    DraftRemoved,
    /// A [`Case`].
    #[serde(rename = "case.updated")]
    CaseUpdated,
    /// A [`Report`].
    #[serde(rename = "report.updated")]
    ReportUpdated,
    /// An [`Action`].
    #[serde(rename = "action.updated")]
    ActionUpdated,
    /// A [`Changed`]: something in a feed that is told by ids.
    #[serde(rename = "feed.changed")]
    FeedChanged,
    /// A [`FollowRequest`].
    #[serde(rename = "request.created")]
    RequestCreated,
    /// A [`FollowRequest`].
    #[serde(rename = "request.removed")]
    RequestRemoved,
    /// A [`List`].
    #[serde(rename = "list.updated")]
    ListUpdated,
    /// A [`Removed`].
    #[serde(rename = "list.removed")]
    ListRemoved,
    /// A [`ListMember`].
    #[serde(rename = "member.created")]
    MemberCreated,
    /// A [`ListMember`].
    #[serde(rename = "member.removed")]
    MemberRemoved,
    /// A [`Filter`].
    #[serde(rename = "filter.updated")]
    FilterUpdated,
    /// A [`Removed`].
    #[serde(rename = "filter.removed")]
    FilterRemoved,
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
        Self::BlockCreated,
        Self::BlockRemoved,
        Self::MuteCreated,
        Self::MuteRemoved,
        Self::ReactionUpdated,
        Self::ReactionRemoved,
        Self::BookmarkCreated,
        Self::BookmarkRemoved,
        Self::NotificationUpdated,
        Self::NotificationRemoved,
        Self::NotificationRead,
        Self::MarkerUpdated,
        Self::MarkerRemoved,
        Self::PreferencesUpdated,
        Self::SettingsUpdated,
        Self::DraftUpdated,
        Self::DraftRemoved,
        Self::CaseUpdated,
        Self::ReportUpdated,
        Self::ActionUpdated,
        Self::FeedChanged,
        Self::RequestCreated,
        Self::RequestRemoved,
        Self::ListUpdated,
        Self::ListRemoved,
        Self::MemberCreated,
        Self::MemberRemoved,
        Self::FilterUpdated,
        Self::FilterRemoved,
        Self::FeedResync,
    ];

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
            Self::BlockCreated => "block.created",
            Self::BlockRemoved => "block.removed",
            Self::MuteCreated => "mute.created",
            Self::MuteRemoved => "mute.removed",
            Self::ReactionUpdated => "reaction.updated",
            Self::ReactionRemoved => "reaction.removed",
            Self::BookmarkCreated => "bookmark.created",
            Self::BookmarkRemoved => "bookmark.removed",
            Self::NotificationUpdated => "notification.updated",
            Self::NotificationRemoved => "notification.removed",
            Self::NotificationRead => "notification.read",
            Self::MarkerUpdated => "marker.updated",
            Self::MarkerRemoved => "marker.removed",
            Self::PreferencesUpdated => "preferences.updated",
            Self::SettingsUpdated => "settings.updated",
            Self::DraftUpdated => "draft.updated",
            Self::DraftRemoved => "draft.removed",
            Self::CaseUpdated => "case.updated",
            Self::ReportUpdated => "report.updated",
            Self::ActionUpdated => "action.updated",
            Self::FeedChanged => "feed.changed",
            Self::RequestCreated => "request.created",
            Self::RequestRemoved => "request.removed",
            Self::ListUpdated => "list.updated",
            Self::ListRemoved => "list.removed",
            Self::MemberCreated => "member.created",
            Self::MemberRemoved => "member.removed",
            Self::FilterUpdated => "filter.updated",
            Self::FilterRemoved => "filter.removed",
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
    /// One blocks somebody.
    #[serde(rename = "block.created")]
    BlockCreated(Block),
    /// One blocks somebody no longer.
    #[serde(rename = "block.removed")]
    BlockRemoved(Block),
    /// One has muted somebody, or changed until when.
    #[serde(rename = "mute.created")]
    MuteCreated(Mute),
    /// One has unmuted somebody, or the time is over.
    #[serde(rename = "mute.removed")]
    MuteRemoved(Mute),
    /// One has reacted to a post, or reacts otherwise.
    #[serde(rename = "reaction.updated")]
    ReactionUpdated(Reaction),
    /// One has taken a reaction back.
    #[serde(rename = "reaction.removed")]
    ReactionRemoved(Reaction),
    /// One has bookmarked a post.
    #[serde(rename = "bookmark.created")]
    BookmarkCreated(Bookmark),
    /// One has bookmarked a post no longer.
    #[serde(rename = "bookmark.removed")]
    BookmarkRemoved(Bookmark),
    /// Somebody did something that concerns one, or took it back, or it was read.
    #[serde(rename = "notification.updated")]
    NotificationUpdated(NotificationTold),
    /// Everybody has taken it back.
    #[serde(rename = "notification.removed")]
    NotificationRemoved(NotificationRemoved),
    /// One has looked further through one's notifications.
    #[serde(rename = "notification.read")]
    NotificationRead(NotificationReading),
    /// One has read further in a feed.
    #[serde(rename = "marker.updated")]
    MarkerUpdated(ReadMarker),
    /// Of too many read markers, this one is given up.
    #[serde(rename = "marker.removed")]
    MarkerRemoved(ReadMarker),
    /// Of whom one wants to hear has changed.
    #[serde(rename = "preferences.updated")]
    PreferencesUpdated(Preferences),
    /// One has chosen otherwise.
    #[serde(rename = "settings.updated")]
    SettingsUpdated(Settings),
    /// One has written or changed a draft, or its time has come.
    #[serde(rename = "draft.updated")]
    DraftUpdated(Draft),
    /// A draft is gone: deleted, or a post now.
    #[serde(rename = "draft.removed")]
    DraftRemoved(Removed),
    /// Somebody reported something, or a moderator did something about it.
    #[serde(rename = "case.updated")]
    CaseUpdated(Box<Case>),
    /// A report of one's own was taken, or settled.
    #[serde(rename = "report.updated")]
    ReportUpdated(Report),
    /// A moderator did something about one, or something of it changed.
    #[serde(rename = "action.updated")]
    ActionUpdated(Box<Action>),
    /// Something has changed in a feed that is told by ids.
    #[serde(rename = "feed.changed")]
    FeedChanged(Changed),
    /// Somebody would like to follow one, or one them.
    #[serde(rename = "request.created")]
    RequestCreated(FollowRequest),
    /// A request was granted, refused or taken back.
    #[serde(rename = "request.removed")]
    RequestRemoved(FollowRequest),
    /// One has made or changed a list.
    #[serde(rename = "list.updated")]
    ListUpdated(List),
    /// One has deleted a list, and its members with it.
    #[serde(rename = "list.removed")]
    ListRemoved(Removed),
    /// One has put somebody into a list.
    #[serde(rename = "member.created")]
    MemberCreated(ListMember),
    /// One has taken somebody out of a list.
    #[serde(rename = "member.removed")]
    MemberRemoved(ListMember),
    /// One has made or changed a keyword filter.
    #[serde(rename = "filter.updated")]
    FilterUpdated(Filter),
    /// One has deleted a keyword filter.
    #[serde(rename = "filter.removed")]
    FilterRemoved(Removed),
    /// The feed starts afresh.
    #[serde(rename = "feed.resync")]
    FeedResync(Box<Snapshot>),
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
}

impl Notice {
    /// Names of all notices, for documents and tests.
    pub const NAMES: &[&str] =
        &["heartbeat", "going_away", "resync", "token_expiring", "counts", "presence", "typing", "readers", "news"];

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
