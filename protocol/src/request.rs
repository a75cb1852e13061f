//! Client → server: the request envelope, the closed list of methods and their parameters.
//! Must never read bytes itself: that is [`crate::decode`], which also keeps what [`crate::limits`] says.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::decode;
use crate::entity::Visibility;
use crate::error::{ErrorCode, Refusal};
use crate::feed::FeedName;
use crate::ids::{CommentId, PostId, RequestId, SessionId, UserId};
pub use crate::marks::{BookmarkPage, PostReact, PostStatsGet};
pub use crate::media::{MediaRef, MediaTicket};
pub use crate::notification::{MarkerSet, NotificationPage, NotificationRead, NotificationSeen, NotifyPreferences};
use crate::position::{Cursor, Millis, Seq};
use crate::presence::Showing;
pub use crate::presence::{PresenceSet, PresenceWatch, TypingSend};
use crate::text::{Bio, CommentText, DisplayName, Handle, PostText, Warning};

/// `hello`: the first request of every connection.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(default)]
pub struct Hello {
    /// Access token; without one the connection is anonymous and may read public feeds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub token: Option<String>,
    /// The client's name and version, for the server's logs: at most 64 bytes, no control characters.
    #[serde(deserialize_with = "decode::client_name", skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub client: Option<String>,
    /// Feeds to watch from the start.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[ts(as = "Option<Vec<FeedName>>", optional)]
    pub feeds: Vec<FeedName>,
    /// Where to resume all of `feeds`; without one they start with a snapshot.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub cursor: Option<Cursor>,
    /// Entities in each snapshot, 1–100; 50 if absent.
    #[serde(deserialize_with = "decode::page_limit", skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100))]
    #[ts(optional)]
    pub limit: Option<u16>,
    /// What this connection shows of its user from the start; `online` if absent. Nothing for an anonymous one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub presence: Option<Showing>,
}

/// Never shows the token (P9).
impl std::fmt::Debug for Hello {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hello")
            .field("token", &self.token.as_ref().map(|_| "…"))
            .field("client", &self.client)
            .field("feeds", &self.feeds)
            .field("cursor", &self.cursor)
            .field("limit", &self.limit)
            .field("presence", &self.presence)
            .finish()
    }
}

/// `auth.refresh`: a newer access token for the same user on the live connection.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct AuthRefresh {
    /// The new access token.
    pub token: String,
}

/// Never shows the token (P9).
impl std::fmt::Debug for AuthRefresh {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AuthRefresh")
    }
}

/// `account.password`: one's password, for a new one. Ends all one's other log-ins.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct AccountPassword {
    /// The password until now.
    pub current: String,
    /// The password from now on: 10 to 1,024 bytes of UTF-8.
    pub new: String,
}

/// Never shows a password (P9).
impl std::fmt::Debug for AccountPassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AccountPassword")
    }
}

/// `account.email`: another address to log in with.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct AccountEmail {
    /// One's password.
    pub password: String,
    /// The new address; upper case is folded to lower.
    pub email: String,
}

/// Never shows password or address (P9).
impl std::fmt::Debug for AccountEmail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AccountEmail")
    }
}

/// `session.list`, `session.revoke_others`: nothing needs to be said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Nothing {}

/// `session.revoke`: may be repeated without harm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct SessionRef {
    /// Which log-in.
    pub id: SessionId,
}

/// `user.get`: by `id` or by `handle`; one's own profile if neither is given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct UserGet {
    /// By id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub id: Option<UserId>,
    /// By unique name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub handle: Option<Handle>,
}

/// `user.update`: what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct UserUpdate {
    /// New display name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub name: Option<DisplayName>,
    /// New profile text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub bio: Option<Bio>,
    /// Refuse with `stale` if the profile has changed since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub if_rev: Option<Seq>,
}

/// `user.mute`: may be repeated; the last one says until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct UserMute {
    /// Whom.
    pub id: UserId,
    /// When it ends by itself; never if absent. A time in the past ends it at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub until: Option<Millis>,
}

/// `user.follow`, `user.unfollow`, `user.block`, `user.unblock`, `user.unmute`: all may be repeated without harm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct UserRef {
    /// Whom.
    pub id: UserId,
}

/// `post.create`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct PostCreate {
    /// Chosen by the client; the same id with the same content is answered again, not created again.
    pub id: PostId,
    /// The text; may be absent only from a repost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub text: Option<PostText>,
    /// Who may see it; everybody if absent.
    #[serde(default, skip_serializing_if = "Visibility::is_public")]
    #[ts(optional, as = "Option<Visibility>")]
    pub visibility: Visibility,
    /// What the text is about, for readers to decide whether they want to see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub warning: Option<Warning>,
    /// A public post to hand on: with `text` a quote, without it a repost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub of: Option<PostId>,
}

impl PostCreate {
    /// Words for everybody.
    #[must_use]
    pub const fn public(id: PostId, text: PostText) -> Self {
        Self { id, text: Some(text), visibility: Visibility::Public, warning: None, of: None }
    }
}

/// `post.get`, `post.delete`, `post.history`, `post.unreact`, `post.bookmark`, `post.unbookmark`, `post.pin`, `post.unpin`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct PostRef {
    /// Which.
    pub id: PostId,
}

/// `post.update`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct PostUpdate {
    /// Which.
    pub id: PostId,
    /// The new text.
    pub text: PostText,
    /// Who may see it from now on; stays if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub visibility: Option<Visibility>,
    /// What the text is about; stays if absent, `""` takes it away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub warning: Option<Warning>,
    /// Refuse with `stale` if it has changed since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub if_rev: Option<Seq>,
}

impl PostUpdate {
    /// Other words, and nothing else.
    #[must_use]
    pub const fn words(id: PostId, text: PostText, if_rev: Option<Seq>) -> Self {
        Self { id, text, visibility: None, warning: None, if_rev }
    }
}

/// `comment.create`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct CommentCreate {
    /// Chosen by the client, like a post's.
    pub id: CommentId,
    /// The post it belongs to.
    pub post: PostId,
    /// The comment it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub parent: Option<CommentId>,
    /// The text.
    pub text: CommentText,
}

/// `comment.update`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct CommentUpdate {
    /// Which.
    pub id: CommentId,
    /// The new text.
    pub text: CommentText,
    /// Refuse with `stale` if it has changed since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub if_rev: Option<Seq>,
}

/// `comment.delete`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct CommentRef {
    /// Which.
    pub id: CommentId,
}

/// `comment.page`: older comments of a post.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct CommentPage {
    /// The post.
    pub post: PostId,
    /// `next` of the page or snapshot before; the newest comments if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub before: Option<Cursor>,
    /// 1–100; 50 if absent.
    #[serde(default, deserialize_with = "decode::page_limit", skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100))]
    #[ts(optional)]
    pub limit: Option<u16>,
}

/// `feed.page`: older posts of `home`, `global`, `tag:<name>` or `user:<id>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct FeedPage {
    /// The feed.
    pub feed: FeedName,
    /// `next` of the page or snapshot before; the newest posts if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub before: Option<Cursor>,
    /// 1–100; 50 if absent.
    #[serde(default, deserialize_with = "decode::page_limit", skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100))]
    #[ts(optional)]
    pub limit: Option<u16>,
}

/// `feed.subscribe`: a snapshot now, and everything after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct FeedSubscribe {
    /// The feed.
    pub feed: FeedName,
    /// Entities in the snapshot, 1–100; 50 if absent.
    #[serde(default, deserialize_with = "decode::page_limit", skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100))]
    #[ts(optional)]
    pub limit: Option<u16>,
}

/// `feed.unsubscribe`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct FeedUnsubscribe {
    /// The feed.
    pub feed: FeedName,
}

macro_rules! methods {
    ($($(#[$doc:meta])* $variant:ident($params:ty) = $name:literal,)*) => {
        /// Every request a client can make.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, TS)]
        #[serde(tag = "method", content = "params")]
        pub enum Method {
            $($(#[$doc])* #[serde(rename = $name)] $variant($params),)*
        }

        impl Method {
            /// Names of all methods, for documents and tests.
            pub const NAMES: &[&str] = &[$($name,)*];

            /// The method's name on the wire.
            #[must_use]
            pub const fn name(&self) -> &'static str {
                match self { $(Self::$variant(_) => $name,)* }
            }

            /// Reads a method's parameters.
            pub(crate) fn read(name: &str, params: &str) -> Result<Self, Refusal> {
                match name {
                    $($name => decode::object::<$params>(params).map(Self::$variant),)*
                    _ => Err(Refusal::new(ErrorCode::UnknownMethod, "no such method")),
                }
            }
        }
    };
}

methods! {
    /// First request of a connection.
    Hello(Hello) = "hello",
    /// A newer token for the live connection.
    AuthRefresh(AuthRefresh) = "auth.refresh",
    /// Changes one's password and ends all one's other log-ins.
    AccountPassword(AccountPassword) = "account.password",
    /// Changes one's e-mail address.
    AccountEmail(AccountEmail) = "account.email",
    /// One's log-ins.
    SessionList(Nothing) = "session.list",
    /// Ends a log-in of one's own.
    SessionRevoke(SessionRef) = "session.revoke",
    /// Ends all log-ins of one's own but this one.
    SessionRevokeOthers(Nothing) = "session.revoke_others",
    /// A profile, its counts and how one stands to it.
    UserGet(UserGet) = "user.get",
    /// Changes one's profile.
    UserUpdate(UserUpdate) = "user.update",
    /// Follows somebody.
    UserFollow(UserRef) = "user.follow",
    /// Stops following somebody.
    UserUnfollow(UserRef) = "user.unfollow",
    /// Blocks somebody: neither sees the other any more, and neither follows the other.
    UserBlock(UserRef) = "user.block",
    /// Blocks somebody no longer.
    UserUnblock(UserRef) = "user.unblock",
    /// Hides what somebody writes from oneself, for some time or for good.
    UserMute(UserMute) = "user.mute",
    /// Mutes somebody no longer.
    UserUnmute(UserRef) = "user.unmute",
    /// Creates a post.
    PostCreate(PostCreate) = "post.create",
    /// One post.
    PostGet(PostRef) = "post.get",
    /// Changes a post of one's own.
    PostUpdate(PostUpdate) = "post.update",
    /// Deletes a post of one's own; an admin any.
    PostDelete(PostRef) = "post.delete",
    /// What a post said before it was edited.
    PostHistory(PostRef) = "post.history",
    /// Numbers for many posts, and what one has done to them.
    PostStats(PostStatsGet) = "post.stats",
    /// Reacts to a post.
    PostReact(PostReact) = "post.react",
    /// Takes one's reaction back.
    PostUnreact(PostRef) = "post.unreact",
    /// Bookmarks a post.
    PostBookmark(PostRef) = "post.bookmark",
    /// Takes a bookmark away.
    PostUnbookmark(PostRef) = "post.unbookmark",
    /// Shows a public post of one's own before all others.
    PostPin(PostRef) = "post.pin",
    /// Shows it in its place again.
    PostUnpin(PostRef) = "post.unpin",
    /// The posts one has bookmarked.
    BookmarkPage(BookmarkPage) = "bookmark.page",
    /// Creates a comment.
    CommentCreate(CommentCreate) = "comment.create",
    /// Changes a comment of one's own.
    CommentUpdate(CommentUpdate) = "comment.update",
    /// Deletes a comment of one's own; an admin any.
    CommentDelete(CommentRef) = "comment.delete",
    /// Older comments of a post.
    CommentPage(CommentPage) = "comment.page",
    /// Older posts of a feed.
    FeedPage(FeedPage) = "feed.page",
    /// Watches a feed.
    FeedSubscribe(FeedSubscribe) = "feed.subscribe",
    /// Stops watching a feed.
    FeedUnsubscribe(FeedUnsubscribe) = "feed.unsubscribe",
    /// Hears whether people are here.
    PresenceWatch(PresenceWatch) = "presence.watch",
    /// Shows that one is here, or not.
    PresenceSet(PresenceSet) = "presence.set",
    /// Tells that one is writing.
    TypingSend(TypingSend) = "typing.send",
    /// Older notifications.
    NotificationPage(NotificationPage) = "notification.page",
    /// Says how far one's notifications have been seen.
    NotificationSeen(NotificationSeen) = "notification.seen",
    /// Says which of one's notifications have been read.
    NotificationRead(NotificationRead) = "notification.read",
    /// Says how far one has read a feed.
    MarkerSet(MarkerSet) = "marker.set",
    /// Says of whom one wants to hear.
    NotifyPreferences(NotifyPreferences) = "notify.preferences",
    /// Leave to send a picture.
    MediaTicket(MediaTicket) = "media.ticket",
    /// What is known of a picture.
    MediaGet(MediaRef) = "media.get",
    /// Deletes a picture of one's own that nothing shows.
    MediaDelete(MediaRef) = "media.delete",
}

/// A request that was understood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, TS)]
pub struct Request {
    /// Echoed in the reply.
    pub id: RequestId,
    /// What is asked.
    #[serde(flatten)]
    pub method: Method,
}

/// A request that was not understood: the refusal, and the id to answer to where one could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misread {
    /// `null` on the wire where absent.
    pub id: Option<RequestId>,
    /// What to answer.
    pub refusal: Refusal,
}
