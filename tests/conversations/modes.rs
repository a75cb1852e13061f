//! Feeds told by ids, by number or not at all over the real server, across two nodes; and back to everything without a gap (P3).

use serde_json::json;
use tidings_protocol::delivery::{DeliveryMode, FeedModeSet};
use tidings_protocol::error::{ErrorCode, Refusal};
use tidings_protocol::feed::FeedName::{self, Global, Me};
use tidings_protocol::push::Notice;
use tidings_protocol::reply::{PostsPage, Welcome};

use crate::person::Person;
use crate::state::changed_key;
use crate::world::World;

impl Person {
    async fn wants(&mut self, feed: FeedName, mode: DeliveryMode) -> FeedModeSet {
        let set: FeedModeSet =
            self.request("feed.mode", json!({ "feed": feed, "mode": mode })).await.expect("it is watched");
        assert_eq!((set.feed, set.mode), (feed, mode));
        set
    }

    /// The last number that was told of a feed.
    fn news(&self, of: FeedName) -> Option<u32> {
        let mut news = self.notices.iter().filter_map(|notice| {
            if let Notice::News { feed, count, .. } = notice { Some((feed, count)) } else { None }
        });
        news.rfind(|(feed, _)| **feed == of).map(|(_, count)| *count)
    }
}

#[tokio::test]
async fn p3_less_is_told_and_then_everything_again_without_a_gap() {
    let world = World::two_nodes().await;
    let mut ann = Person::arrives(world.a(), "ann", &[]).await;
    let mut bob = Person::arrives(world.b(), "bob", &[Global, Me]).await;
    let first = ann.posts("told in full").await;
    bob.hears_post("told in full").await;
    assert_eq!(bob.wants(Global, DeliveryMode::Ids).await.snapshot, None);
    let second = ann.posts("told by its id").await;
    let key = changed_key(second.id.0);
    bob.hears_until("by its id", |bob| bob.state.feeds[&Global].things.contains_key(&key)).await;
    assert!(bob.state.post("told by its id").is_none());
    bob.wants(Global, DeliveryMode::Count).await;
    let third = ann.posts("counted").await;
    ann.posts("counted as well").await;
    bob.hears_until("two are new", |bob| bob.news(Global) == Some(2)).await;
    ann.deletes(third.id).await;
    bob.hears_until("one of them is gone", |bob| bob.news(Global) == Some(1)).await;
    bob.wants(Global, DeliveryMode::Off).await;
    ann.deletes(first.id).await;
    ann.posts("not told").await;
    bob.hears_nothing_more().await;
    let set = bob.wants(Global, DeliveryMode::Full).await;
    bob.state.starts_afresh(*set.snapshot.expect("all of it"));
    ann.posts("told again").await;
    bob.hears_post("told again").await;
    let page: Result<PostsPage, Refusal> = bob.request("feed.page", json!({ "feed": "global" })).await;
    let mut fetched: Vec<String> = page.expect("a page").posts.into_iter().map(|post| post.text).collect();
    fetched.sort();
    let mut told = bob.state.texts(Global);
    told.sort();
    assert_eq!(told, fetched, "state by events = state fetched (P4)");
    let refusal = bob.is_refused(ErrorCode::Invalid, "feed.mode", json!({ "feed": "me", "mode": "count" })).await;
    assert_eq!(refusal.field.as_deref(), Some("mode"));
    bob.is_refused(ErrorCode::NotFound, "feed.mode", json!({ "feed": "tag:other", "mode": "off" })).await;
}

/// Who comes back counting is told what has come meanwhile.
#[tokio::test]
async fn a_number_is_told_from_the_cursor_on() {
    let world = World::one_node().await;
    let mut ann = Person::arrives(world.a(), "ann", &[]).await;
    let mut bob = Person::arrives(world.a(), "bob", &[Global]).await;
    let post = ann.posts("before").await;
    bob.hears_post("before").await;
    bob.loses_the_line();
    ann.posts("one").await;
    ann.posts("two").await;
    bob.dials(world.a()).await;
    let cursor = bob.cursor.expect("a cursor");
    assert_eq!(cursor.seq, post.rev);
    let hello = json!({ "token": bob.token(), "feeds": ["global"], "modes": { "global": "count" }, "cursor": cursor });
    let welcome: Welcome = bob.request("hello", hello).await.expect("welcome");
    assert!(welcome.resumed);
    bob.hears_until("two are new", |bob| bob.news(Global) == Some(2)).await;
}
