//! Which parameters and which result belong to each method, and which entity to each event: one table for all tests and documents.
//! Must never be longer or shorter than the protocol: a test below compares.

use tidings_protocol::push::EventName;
use tidings_protocol::request::Method;

/// Calls `$with!` with `name: params => result` of every method.
macro_rules! for_each_method {
    ($with:ident) => {
        $with! {
            "hello": request::Hello => reply::Welcome,
            "auth.refresh": request::AuthRefresh => reply::AuthRefreshed,
            "account.get": request::Nothing => reply::AccountGot,
            "account.export": request::Nothing => reply::AccountExported,
            "account.delete": request::AccountDelete => reply::AccountDeleted,
            "account.password": request::AccountPassword => reply::OthersEnded,
            "account.email": request::AccountEmail => reply::EmailChanged,
            "session.list": request::Nothing => reply::LogIns,
            "session.revoke": request::SessionRef => reply::SessionEnded,
            "session.revoke_others": request::Nothing => reply::OthersEnded,
            "bot.create": request::BotCreate => reply::UserUpdated,
            "bot.all": request::Nothing => reply::BotsAll,
            "bot.delete": request::BotRef => reply::UserUpdated,
            "token.create": request::TokenCreate => reply::TokenMade,
            "token.all": request::TokenAll => reply::TokensAll,
            "token.revoke": request::TokenRef => reply::TokenRevoked,
            "settings.update": request::SettingsUpdate => reply::SettingsResult,
            "user.get": request::UserGet => reply::UserResult,
            "user.update": request::UserUpdate => reply::UserUpdated,
            "user.follow": request::UserRef => reply::FollowResult,
            "user.unfollow": request::UserRef => reply::FollowResult,
            "user.remove_follower": request::UserRef => reply::FollowerRemoved,
            "user.block": request::UserRef => reply::BlockResult,
            "user.unblock": request::UserRef => reply::BlockResult,
            "user.mute": request::UserMute => reply::MuteResult,
            "user.unmute": request::UserRef => reply::MuteResult,
            "request.page": request::RequestPage => reply::RequestsPage,
            "request.accept": request::UserRef => reply::RequestResult,
            "request.reject": request::UserRef => reply::RequestResult,
            "list.create": request::ListCreate => reply::ListResult,
            "list.update": request::ListUpdate => reply::ListResult,
            "list.delete": request::ListRef => reply::RemovedResult,
            "list.add": request::ListPerson => reply::ListResult,
            "list.remove": request::ListPerson => reply::ListResult,
            "list.all": request::Nothing => reply::Lists,
            "list.members": request::ListRef => reply::ListMembers,
            "filter.put": request::FilterPut => reply::FilterResult,
            "filter.delete": request::FilterRef => reply::RemovedResult,
            "filter.all": request::Nothing => reply::Filters,
            "post.create": request::PostCreate => reply::PostResult,
            "post.get": request::PostRef => reply::PostGot,
            "post.update": request::PostUpdate => reply::PostResult,
            "post.delete": request::PostRef => reply::RemovedResult,
            "post.history": request::PostRef => reply::PostHistory,
            "post.stats": request::PostStatsGet => reply::PostsStats,
            "post.react": request::PostReact => reply::ReactionResult,
            "post.unreact": request::PostRef => reply::ReactionResult,
            "post.bookmark": request::PostRef => reply::BookmarkResult,
            "post.unbookmark": request::PostRef => reply::BookmarkResult,
            "post.pin": request::PostRef => reply::PostResult,
            "post.unpin": request::PostRef => reply::PostResult,
            "bookmark.page": request::BookmarkPage => reply::BookmarksPage,
            "post.lock": request::PostRef => reply::PostResult,
            "post.unlock": request::PostRef => reply::PostResult,
            "post.slow": request::PostSlow => reply::PostResult,
            "post.comments": request::PostComments => reply::PostResult,
            "draft.put": request::DraftPut => reply::DraftResult,
            "draft.delete": request::DraftRef => reply::RemovedResult,
            "draft.page": request::DraftPage => reply::DraftsPage,
            "comment.create": request::CommentCreate => reply::CommentResult,
            "comment.update": request::CommentUpdate => reply::CommentResult,
            "comment.delete": request::CommentRef => reply::RemovedResult,
            "comment.hide": request::CommentRef => reply::CommentResult,
            "comment.unhide": request::CommentRef => reply::CommentResult,
            "comment.page": request::CommentPage => reply::CommentsPage,
            "feed.page": request::FeedPage => reply::PostsPage,
            "search.people": request::SearchPeople => reply::PeopleFound,
            "search.posts": request::SearchPosts => reply::PostsFound,
            "search.tags": request::SearchTags => reply::TagsFound,
            "mention.suggest": request::MentionSuggest => reply::MentionsSuggested,
            "feed.subscribe": request::FeedSubscribe => reply::Snapshot,
            "feed.mode": request::FeedMode => reply::FeedModeSet,
            "feed.unsubscribe": request::FeedUnsubscribe => reply::Unsubscribed,
            "presence.watch": request::PresenceWatch => reply::PresenceWatched,
            "presence.set": request::PresenceSet => reply::PresenceShown,
            "typing.send": request::TypingSend => reply::TypingSent,
            "notification.page": request::NotificationPage => reply::NotificationsPage,
            "notification.seen": request::NotificationSeen => reply::ReadingResult,
            "notification.read": request::NotificationRead => reply::ReadingResult,
            "marker.set": request::MarkerSet => reply::MarkerResult,
            "notify.preferences": request::NotifyPreferences => reply::PreferencesResult,
            "media.ticket": request::MediaTicket => reply::MediaTicketed,
            "media.get": request::MediaRef => reply::MediaGot,
            "media.delete": request::MediaRef => reply::MediaDeleted,
            "report.create": request::ReportCreate => reply::ReportResult,
            "report.page": request::OwnPage => reply::ReportsPage,
            "account.actions": request::OwnPage => reply::ActionsPage,
            "appeal.create": request::AppealCreate => reply::ActionResult,
            "appeal.settle": request::AppealSettle => reply::CaseResult,
            "mod.page": request::CasePage => reply::CasesPage,
            "mod.get": request::CaseRef => reply::CaseGot,
            "mod.claim": request::CaseClaim => reply::CaseResult,
            "mod.settle": request::CaseRef => reply::CaseResult,
            "mod.act": request::ModAct => reply::CaseResult,
            "mod.role": request::ModRole => reply::UserUpdated,
            "mod.log": request::LogPage => reply::LogLines,
        }
    };
}
pub(crate) use for_each_method;

/// Calls `$with!` with `name: entity` of every event.
macro_rules! for_each_event {
    ($with:ident) => {
        $with! {
            "post.created": entity::Post,
            "post.updated": entity::Post,
            "post.removed": entity::Removed,
            "comment.created": entity::Comment,
            "comment.updated": entity::Comment,
            "comment.removed": entity::Removed,
            "user.updated": entity::User,
            "follow.created": entity::Follow,
            "follow.removed": entity::Follow,
            "block.created": entity::Block,
            "block.removed": entity::Block,
            "mute.created": entity::Mute,
            "mute.removed": entity::Mute,
            "reaction.updated": entity::Reaction,
            "reaction.removed": entity::Reaction,
            "bookmark.created": entity::Bookmark,
            "bookmark.removed": entity::Bookmark,
            "notification.updated": entity::NotificationTold,
            "notification.removed": entity::NotificationRemoved,
            "notification.read": entity::NotificationReading,
            "marker.updated": entity::ReadMarker,
            "marker.removed": entity::ReadMarker,
            "preferences.updated": entity::Preferences,
            "settings.updated": entity::Settings,
            "draft.updated": entity::Draft,
            "draft.removed": entity::Removed,
            "case.updated": entity::Case,
            "report.updated": entity::Report,
            "action.updated": entity::Action,
            "feed.changed": entity::Changed,
            "request.created": entity::FollowRequest,
            "request.removed": entity::FollowRequest,
            "list.updated": entity::List,
            "list.removed": entity::Removed,
            "member.created": entity::ListMember,
            "member.removed": entity::ListMember,
            "filter.updated": entity::Filter,
            "filter.removed": entity::Removed,
            "feed.resync": reply::Snapshot,
        }
    };
}
pub(crate) use for_each_event;

#[test]
fn the_tables_name_every_method_and_event() {
    macro_rules! names {
        ($($name:literal: $($_rest:path)=>+,)*) => { [$($name),*] };
    }
    assert_eq!(for_each_method!(names), Method::NAMES);
    let events: Vec<_> = EventName::ALL.iter().map(|event| event.as_str()).collect();
    assert_eq!(for_each_event!(names).as_slice(), events);
}
