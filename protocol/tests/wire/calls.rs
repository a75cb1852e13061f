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
            "user.get": request::UserGet => reply::UserResult,
            "user.update": request::UserUpdate => reply::UserUpdated,
            "user.follow": request::UserRef => reply::FollowResult,
            "user.unfollow": request::UserRef => reply::FollowResult,
            "post.create": request::PostCreate => reply::PostResult,
            "post.get": request::PostRef => reply::PostGot,
            "post.update": request::PostUpdate => reply::PostResult,
            "post.delete": request::PostRef => reply::RemovedResult,
            "comment.create": request::CommentCreate => reply::CommentResult,
            "comment.update": request::CommentUpdate => reply::CommentResult,
            "comment.delete": request::CommentRef => reply::RemovedResult,
            "comment.page": request::CommentPage => reply::CommentsPage,
            "feed.page": request::FeedPage => reply::PostsPage,
            "feed.subscribe": request::FeedSubscribe => reply::Snapshot,
            "feed.unsubscribe": request::FeedUnsubscribe => reply::Unsubscribed,
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
