//! Client → server: the request envelope, the closed list of methods and their parameters.
//! Must never read bytes itself: that is [`crate::decode`], which also keeps what [`crate::limits`] says.

mod account;
mod feeds;
mod people;
mod posts;

use schemars::JsonSchema;
use serde::Serialize;
use ts_rs::TS;

pub use self::account::{AccountEmail, AccountPassword, AuthRefresh, Hello, Nothing, SessionRef};
pub use self::feeds::{FeedPage, FeedSubscribe, FeedUnsubscribe};
pub use self::people::{UserGet, UserMute, UserRef, UserUpdate};
pub use self::posts::{CommentCreate, CommentPage, CommentRef, CommentUpdate, PostCreate, PostRef, PostUpdate};
pub use crate::account::AccountDelete;
pub use crate::asking::RequestPage;
pub use crate::bots::{BotCreate, BotRef, TokenAll, TokenCreate, TokenRef};
use crate::decode;
pub use crate::delivery::FeedMode;
pub use crate::drafts::{DraftPage, DraftPut, DraftRef};
use crate::error::{ErrorCode, Refusal};
pub use crate::filter::{FilterPut, FilterRef};
use crate::ids::RequestId;
pub use crate::list::{ListCreate, ListPerson, ListRef, ListUpdate};
pub use crate::marks::{BookmarkPage, PostReact, PostStatsGet};
pub use crate::media::{MediaRef, MediaTicket};
pub use crate::moderation::{
    AppealCreate, AppealSettle, CaseClaim, CasePage, CaseRef, LogPage, ModAct, ModRole, OwnPage, ReportCreate,
};
pub use crate::notification::{MarkerSet, NotificationPage, NotificationRead, NotificationSeen, NotifyPreferences};
pub use crate::presence::{PresenceSet, PresenceWatch, TypingSend};
pub use crate::search::{MentionSuggest, SearchPeople, SearchPosts, SearchTags};
pub use crate::settings::SettingsUpdate;
pub use crate::threads::{PostComments, PostSlow};

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
    /// One's own account.
    AccountGet(Nothing) = "account.get",
    /// Leave to fetch a copy of everything one has.
    AccountExport(Nothing) = "account.export",
    /// Deletes one's account, for good.
    AccountDelete(AccountDelete) = "account.delete",
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
    /// Makes a bot of one's own.
    BotCreate(BotCreate) = "bot.create",
    /// One's bots.
    BotAll(Nothing) = "bot.all",
    /// Stops a bot of one's own for good.
    BotDelete(BotRef) = "bot.delete",
    /// Makes a token for a program, for oneself or a bot of one's own.
    TokenCreate(TokenCreate) = "token.create",
    /// The tokens of oneself or of a bot.
    TokenAll(TokenAll) = "token.all",
    /// Ends a token.
    TokenRevoke(TokenRef) = "token.revoke",
    /// Changes one's settings.
    SettingsUpdate(SettingsUpdate) = "settings.update",
    /// A profile, its counts and how one stands to it.
    UserGet(UserGet) = "user.get",
    /// Changes one's profile.
    UserUpdate(UserUpdate) = "user.update",
    /// Follows somebody.
    UserFollow(UserRef) = "user.follow",
    /// Stops following somebody.
    UserUnfollow(UserRef) = "user.unfollow",
    /// Takes somebody off one's followers.
    UserRemoveFollower(UserRef) = "user.remove_follower",
    /// Blocks somebody: neither sees the other any more, and neither follows the other.
    UserBlock(UserRef) = "user.block",
    /// Blocks somebody no longer.
    UserUnblock(UserRef) = "user.unblock",
    /// Hides what somebody writes from oneself, for some time or for good.
    UserMute(UserMute) = "user.mute",
    /// Mutes somebody no longer.
    UserUnmute(UserRef) = "user.unmute",
    /// Who asks to follow one.
    RequestPage(RequestPage) = "request.page",
    /// Lets somebody follow one who has asked.
    RequestAccept(UserRef) = "request.accept",
    /// Does not let them.
    RequestReject(UserRef) = "request.reject",
    /// Makes a list.
    ListCreate(ListCreate) = "list.create",
    /// Calls a list otherwise.
    ListUpdate(ListUpdate) = "list.update",
    /// Deletes a list.
    ListDelete(ListRef) = "list.delete",
    /// Puts somebody into a list.
    ListAdd(ListPerson) = "list.add",
    /// Takes somebody out of a list.
    ListRemove(ListPerson) = "list.remove",
    /// One's lists.
    ListAll(Nothing) = "list.all",
    /// Who is in a list.
    ListMembers(ListRef) = "list.members",
    /// Makes a keyword filter, or replaces one.
    FilterPut(FilterPut) = "filter.put",
    /// Deletes a keyword filter.
    FilterDelete(FilterRef) = "filter.delete",
    /// One's keyword filters.
    FilterAll(Nothing) = "filter.all",
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
    /// Ends new comments on a post.
    PostLock(PostRef) = "post.lock",
    /// Allows new comments on it again.
    PostUnlock(PostRef) = "post.unlock",
    /// Says how fast people may comment on it.
    PostSlow(PostSlow) = "post.slow",
    /// Says who may comment on it.
    PostComments(PostComments) = "post.comments",
    /// Puts a draft in whole.
    DraftPut(DraftPut) = "draft.put",
    /// Deletes a draft.
    DraftDelete(DraftRef) = "draft.delete",
    /// One's drafts.
    DraftPage(DraftPage) = "draft.page",
    /// Creates a comment.
    CommentCreate(CommentCreate) = "comment.create",
    /// Changes a comment of one's own.
    CommentUpdate(CommentUpdate) = "comment.update",
    /// Deletes a comment of one's own; an admin any.
    CommentDelete(CommentRef) = "comment.delete",
    /// Folds a comment on one's own post away.
    CommentHide(CommentRef) = "comment.hide",
    /// Unfolds it again.
    CommentUnhide(CommentRef) = "comment.unhide",
    /// Older comments of a post, or direct answers to one of them.
    CommentPage(CommentPage) = "comment.page",
    /// Older posts of a feed.
    FeedPage(FeedPage) = "feed.page",
    /// Looks for people.
    SearchPeople(SearchPeople) = "search.people",
    /// Looks for posts.
    SearchPosts(SearchPosts) = "search.posts",
    /// Looks for hashtags.
    SearchTags(SearchTags) = "search.tags",
    /// Whom one may mean to mention.
    MentionSuggest(MentionSuggest) = "mention.suggest",
    /// Watches a feed.
    FeedSubscribe(FeedSubscribe) = "feed.subscribe",
    /// Says how much one wants to be told of a feed one watches.
    FeedMode(FeedMode) = "feed.mode",
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
    /// Reports somebody, a post or a comment to the moderators.
    ReportCreate(ReportCreate) = "report.create",
    /// What one has reported, and what came of it.
    ReportPage(OwnPage) = "report.page",
    /// What was done to one, and whether one is suspended.
    AccountActions(OwnPage) = "account.actions",
    /// Says something against what was done to one.
    AppealCreate(AppealCreate) = "appeal.create",
    /// Decides on it; for moderators.
    AppealSettle(AppealSettle) = "appeal.settle",
    /// Cases; for moderators.
    ModPage(CasePage) = "mod.page",
    /// One case, with who reported; for moderators.
    ModGet(CaseRef) = "mod.get",
    /// Says that one sees to a case; for moderators.
    ModClaim(CaseClaim) = "mod.claim",
    /// Settles a case without doing anything; for moderators.
    ModSettle(CaseRef) = "mod.settle",
    /// Does something about somebody, a post or a comment; for moderators.
    ModAct(ModAct) = "mod.act",
    /// Gives somebody a role; for admins.
    ModRole(ModRole) = "mod.role",
    /// What was done, and by whom; for admins.
    ModLog(LogPage) = "mod.log",
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
