//! Programs that listen to all that is public, each to something else, and like anybody can be blocked. Must never lose their line: what a stream said
//! meanwhile is told by its present state alone, and here each entry counts.

use serde_json::json;
use tidings_protocol::bots::{FirehoseFilter, FirehoseKind};
use tidings_protocol::error::Refusal;
use tidings_protocol::feed::FeedName::{self, Firehose, Global};
use tidings_protocol::position::Seq;
use tidings_protocol::reply::Snapshot;

use super::chance::Things;
use super::truth::Truth;
use crate::person::Person;
use crate::state::{Thing, comment_key, post_key};
use crate::world::World;

/// Bots of the herald's: one that hears everything, one that hears of two hashtags, one that hears what some people comment.
pub async fn begin(
    world: &World,
    herald: &mut Person,
    people: &mut Vec<Person>,
    things: &mut Things,
    truth: &mut Truth,
) {
    let some: Vec<_> = things.people.iter().take(5).map(|(id, _)| *id).collect();
    let wanted = [
        json!({}),
        json!({ "kinds": ["post"], "tags": ["rust", "rain"] }),
        json!({ "kinds": ["comment"], "authors": some }),
    ];
    for (nth, filter) in wanted.into_iter().enumerate() {
        let made = herald.makes_bot(&format!("ear{nth}")).await;
        let mut ear = herald.sends_bot(&made, &["read", "firehose"]).await;
        ear.connects(&world.nodes[nth % 2], &[Global]).await;
        let begins: Result<Snapshot, Refusal> =
            ear.request("feed.subscribe", json!({ "feed": Firehose, "filter": filter })).await;
        ear.feeds.push(Firehose);
        ear.state.starts_afresh(begins.expect("it may"));
        things.people.push((made.id, made.handle.clone()));
        truth.handles.insert(made.handle, made.id);
        let filter: FirehoseFilter = serde_json::from_value(filter).expect("a filter");
        truth.ears.insert(made.id, filter);
        people.push(ear);
    }
}

/// All that is public, as it was said last, to whom it was never hidden.
pub fn must_have_heard_all(truth: &Truth, ear: &Person) {
    let (viewer, heard) = (ear.id(), &ear.state.feeds[&Firehose]);
    let is_known = |key: &str, rev: Seq| {
        heard.things.get(key).is_some_and(|(known, thing)| *known == rev && *thing != Thing::Gone)
    };
    for (id, post) in truth.posts.iter().filter(|(_, post)| truth.was_always_open(viewer, post.author)) {
        if truth.shows(viewer, FeedName::Firehose, *id, post) {
            assert!(is_known(&post_key(&id.to_string()), post.rev), "{viewer} has not heard of {id}: {post:?}");
        }
    }
    for (id, comment) in &truth.comments {
        let post = &truth.posts[&comment.post];
        let open = [comment.author, post.author].iter().all(|who| truth.was_always_open(viewer, *who));
        let asked_for = truth.is_asked_for(viewer, FirehoseKind::Comment, comment.author, None);
        if open && asked_for && post.always_public && !comment.is_away() {
            assert!(
                is_known(&comment_key(&id.to_string()), comment.rev),
                "{viewer} has not heard of {id}: {comment:?}"
            );
        }
    }
}
