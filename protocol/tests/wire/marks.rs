//! Arbitrary marks on posts, as [`crate::samples`] for the rest.

use proptest::collection::{btree_map, vec};
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;
use tidings_protocol::limits::MAX_SAFE_INTEGER;
use tidings_protocol::marks::{Bookmark, Emoji, PostCounts, Reaction};
use tidings_protocol::push::{Event, Notice};
use tidings_protocol::request::{self, Method};

use crate::samples::{cursor, post_id, seq};

fn emoji() -> impl Strategy<Value = Emoji> {
    select(&Emoji::ALL)
}

fn number() -> impl Strategy<Value = u64> {
    prop_oneof![0..100_u64, 0..=MAX_SAFE_INTEGER]
}

pub fn method() -> impl Strategy<Value = Method> {
    let which = || post_id().prop_map(|id| request::PostRef { id });
    prop_oneof![
        which().prop_map(Method::PostHistory),
        vec(post_id(), 0..4).prop_map(|ids| Method::PostStats(request::PostStatsGet { ids })),
        (post_id(), emoji()).prop_map(|(id, emoji)| Method::PostReact(request::PostReact { id, emoji })),
        which().prop_map(Method::PostUnreact),
        which().prop_map(Method::PostBookmark),
        which().prop_map(Method::PostUnbookmark),
        which().prop_map(Method::PostPin),
        which().prop_map(Method::PostUnpin),
        (of(cursor()), of(1..=100_u16))
            .prop_map(|(before, limit)| Method::BookmarkPage(request::BookmarkPage { before, limit })),
    ]
}

pub fn event() -> impl Strategy<Value = Event> {
    let bookmark = || (seq(), post_id()).prop_map(|(rev, post)| Bookmark { rev, post });
    let reaction = || (seq(), post_id(), of(emoji())).prop_map(|(rev, post, emoji)| Reaction { rev, post, emoji });
    prop_oneof![
        reaction().prop_map(Event::ReactionUpdated),
        reaction().prop_map(Event::ReactionRemoved),
        bookmark().prop_map(Event::BookmarkCreated),
        bookmark().prop_map(Event::BookmarkRemoved),
    ]
}

pub fn counts() -> impl Strategy<Value = Notice> {
    let reactions = btree_map(emoji(), number(), 0..4);
    (post_id(), seq(), [number(), number(), number()], reactions).prop_map(
        |(post, seq, [comments, reposts, quotes], reactions)| {
            Notice::Counts(PostCounts { post, seq, comments, reposts, quotes, reactions })
        },
    )
}

#[test]
fn the_words_for_reactions_stay_what_they_are() {
    let words = serde_json::to_value(Emoji::ALL).expect("encodes");
    // As `emoji_words` of the migrations has them: their places are kept in the database.
    assert_eq!(words, serde_json::json!(["like", "love", "laugh", "wow", "sad", "angry", "thanks", "party"]));
}
