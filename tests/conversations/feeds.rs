//! What feeds hold: whom one follows, snapshots and what follows them, and that state reached by events is state fetched (P3, P4).

use serde_json::{Value, json};
use tidings_protocol::error::{ErrorCode, Refusal};
use tidings_protocol::feed::FeedName;
use tidings_protocol::feed::FeedName::{Global, Home, Me, User};
use tidings_protocol::reply::{FeedStart, Snapshot};

use crate::person::Person;
use crate::state::Thing;
use crate::world::World;

#[tokio::test]
async fn home_begins_afresh_when_one_follows_and_when_one_no_longer_does() {
    let world = World::one_node().await;
    let mut ann = Person::arrives(world.a(), "ann", &[]).await;
    let mut bob = Person::arrives(world.a(), "bob", &[Home, Me]).await;
    ann.posts("from before").await;
    bob.posts("my own").await;
    bob.hears_post("my own").await;
    bob.follows(ann.id()).await;
    bob.hears_resync(Home).await;
    assert_eq!(bob.state.texts(Home), ["from before", "my own"]);
    ann.posts("from now").await;
    bob.hears_post("from now").await;
    bob.unfollows(ann.id()).await;
    bob.hears_resync(Home).await;
    assert_eq!(bob.state.texts(Home), ["my own"]);
    ann.posts("unheard").await;
    bob.posts("the fence").await;
    bob.hears_post("the fence").await;
    assert!(bob.state.post("unheard").is_none());
    let follows_nobody = bob.state.things(Me).all(|thing| !matches!(thing, Thing::Follow(_)));
    assert!(follows_nobody);
    assert!(bob.state.repeats().is_empty());
}

#[tokio::test]
async fn what_strangers_write_is_in_global_and_not_in_home() {
    let world = World::one_node().await;
    let mut ann = Person::arrives(world.a(), "ann", &[]).await;
    let mut bob = Person::arrives(world.a(), "bob", &[Home, Global]).await;
    ann.posts("a stranger's").await;
    bob.posts("the fence").await;
    bob.hears_until("both in global", |bob| bob.state.texts(Global) == ["a stranger's", "the fence"]).await;
    bob.hears_until("the fence at home", |bob| !bob.state.texts(Home).is_empty()).await;
    assert_eq!(bob.state.texts(Home), ["the fence"]);
}

#[tokio::test]
async fn who_is_not_logged_in_reads_what_is_public_and_nothing_else() {
    let world = World::one_node().await;
    let mut ann = Person::arrives(world.a(), "ann", &[]).await;
    let post = ann.posts("for everybody").await;
    let mut nobody = Person::anonymous();
    let feeds = [Global, Home, Me, User(ann.id()), FeedName::Post(post.id)];
    let welcome = nobody.connects(world.a(), &feeds).await;
    assert!(welcome.user.is_none());
    for start in &welcome.feeds {
        match start {
            FeedStart::Snapshot { snapshot } => assert!(snapshot.feed.is_public()),
            FeedStart::Refused { feed, error } => {
                assert!(!feed.is_public());
                assert_eq!(error.code, ErrorCode::Unauthorized);
            }
            FeedStart::Live { feed } => panic!("{feed} went on from nowhere"),
        }
    }
    for feed in [Global, User(ann.id())] {
        assert_eq!(nobody.state.texts(feed), ["for everybody"]);
    }
    ann.posts("and more").await;
    nobody.hears_post("and more").await;
    let unauthorized = ErrorCode::Unauthorized;
    for (method, params) in [
        ("feed.subscribe", json!({ "feed": Home })),
        ("feed.page", json!({ "feed": Home })),
        ("post.create", json!({ "id": uuid::Uuid::now_v7(), "text": "x" })),
        ("post.delete", json!({ "id": post.id })),
        ("user.follow", json!({ "id": ann.id() })),
        ("user.update", json!({ "name": "x" })),
    ] {
        nobody.is_refused(unauthorized, method, params).await;
    }
    let profile: Value = nobody.request("user.get", json!({ "handle": "ann" })).await.unwrap();
    assert!(!profile.to_string().contains("example.org"), "no e-mail address");
}

/// P4: whatever happened in between, what events made of a feed is what a fresh look at it shows.
#[tokio::test]
async fn state_reached_by_events_is_state_fetched() {
    let world = World::two_nodes().await;
    let mut ann = Person::arrives(world.a(), "ann", &[]).await;
    let mut bob = Person::arrives(world.b(), "bob", &[]).await;
    let mut watcher = Person::arrives(world.b(), "cara", &[Global, Home]).await;
    watcher.follows(ann.id()).await;
    watcher.hears_resync(Home).await;
    for number in 0..12 {
        let post = ann.posts(&format!("ann {number}")).await;
        bob.posts(&format!("bob {number}")).await;
        if number % 3 == 0 {
            ann.deletes(post.id).await;
        } else if number % 3 == 1 {
            let edit = json!({ "id": post.id, "text": format!("ann {number} edited") });
            ann.request::<Value>("post.update", edit).await.unwrap();
        }
        if number == 6 {
            watcher.loses_the_line();
        } else if number == 9 {
            watcher.resumes(world.a()).await;
        }
    }
    ann.posts("the end").await;
    for feed in [Global, Home] {
        watcher.hears_until("the end", |watcher| watcher.state.texts(feed).iter().any(|text| text == "the end")).await;
    }
    let mut fresh = Person::logs_in(world.b(), "cara").await;
    fresh.connects(world.b(), &[Global, Home]).await;
    for feed in [Global, Home] {
        assert_eq!(watcher.state.posts(feed), fresh.state.posts(feed), "{feed}");
    }
    assert_eq!(fresh.state.posts(Home).len(), 8 + 1);
}

#[tokio::test]
async fn a_feed_that_is_watched_later_starts_with_all_there_is_and_goes_on() {
    let world = World::one_node().await;
    let mut ann = Person::arrives(world.a(), "ann", &[]).await;
    let mut bob = Person::arrives(world.a(), "bob", &[]).await;
    for number in 0..5 {
        ann.posts(&format!("post {number}")).await;
    }
    let snapshot: Snapshot =
        bob.request("feed.subscribe", json!({ "feed": User(ann.id()), "limit": 3 })).await.unwrap();
    assert!(snapshot.next.is_some(), "two more are behind it");
    assert_eq!(snapshot.user.as_ref().map(|user| user.handle.as_str()), Some("ann"));
    bob.feeds.push(User(ann.id()));
    bob.state.starts_afresh(snapshot);
    assert_eq!(bob.state.texts(User(ann.id())), ["post 2", "post 3", "post 4"]);
    ann.posts("post 5").await;
    bob.hears_post("post 5").await;
    let params = json!({ "feed": User(ann.id()) });
    bob.request::<Value>("feed.unsubscribe", &params).await.unwrap();
    ann.posts("post 6").await;
    bob.hears_nothing_more().await;
}

#[tokio::test]
async fn while_a_feed_is_being_watched_anew_nothing_falls_between() {
    let world = World::two_nodes().await;
    let mut ann = Person::arrives(world.a(), "ann", &[]).await;
    let mut bob = Person::arrives(world.b(), "bob", &[]).await;
    let writing = async {
        for number in 0..150 {
            ann.posts(&format!("post {number}")).await;
        }
    };
    let watching = async {
        for _ in 0..10 {
            let params = json!({ "feed": Global, "limit": 100 });
            let snapshot: Snapshot = bob.request("feed.subscribe", &params).await.unwrap();
            bob.state.starts_afresh(snapshot);
            bob.is_answered().await;
            bob.request::<Value>("feed.unsubscribe", &params).await.unwrap();
        }
        let params = json!({ "feed": Global, "limit": 100 });
        let snapshot: Snapshot = bob.request("feed.subscribe", &params).await.unwrap();
        let seen = snapshot.posts.as_ref().map_or(0, Vec::len);
        bob.state.starts_afresh(snapshot);
        seen
    };
    let ((), seen) = tokio::join!(writing, watching);
    bob.hears_post("post 149").await;
    let numbers: Vec<u64> = bob.state.posts(Global).iter().map(|post| post.seq.0).collect();
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "a hole in {numbers:?}");
    assert!(numbers.len() >= seen);
    assert!(bob.state.repeats().is_empty());
}

#[tokio::test]
async fn watching_what_one_watches_already_starts_it_afresh() {
    let world = World::one_node().await;
    let mut ann = Person::arrives(world.a(), "ann", &[Global]).await;
    ann.posts("one").await;
    ann.hears_post("one").await;
    let snapshot: Result<Snapshot, Refusal> = ann.request("feed.subscribe", json!({ "feed": Global })).await;
    ann.state.starts_afresh(snapshot.unwrap());
    ann.posts("two").await;
    ann.hears_post("two").await;
    ann.hears_nothing_more().await;
    assert_eq!(ann.state.texts(Global), ["one", "two"]);
    assert!(ann.state.repeats().is_empty());
}
