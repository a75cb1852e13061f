//! Two nodes behind one Postgres and one Redis are one server (P1, P3, P10).

use futures_util::future::join_all;
use serde_json::json;
use tidings_protocol::entity::User;
use tidings_protocol::feed::FeedName::{Global, Home, Me};
use tidings_protocol::reply::{PostResult, UserUpdated};
use uuid::Uuid;

use crate::person::{Outcome, Person};
use crate::state::Thing;
use crate::world::World;

/// Posts in a stream during which something dies.
const STREAM: usize = 200;

/// The whole stream is in bob's home: each post once, in the order written, without a repeat on the wire.
async fn heard_the_stream(bob: &mut Person, count: usize) {
    bob.hears_post(&format!("post {}", count - 1)).await;
    let expected: Vec<String> = (0..count).map(|number| format!("post {number}")).collect();
    assert_eq!(bob.state.texts(Home), expected);
    hears_no_repeat(bob).await;
}

async fn hears_no_repeat(bob: &mut Person) {
    let repeats = bob.state.repeats();
    assert!(repeats.is_empty(), "told twice: {repeats:?}");
    bob.hears_nothing_more().await;
}

#[tokio::test]
async fn a_post_on_one_node_reaches_a_follower_on_the_other() {
    let world = World::two_nodes().await;
    let mut ann = Person::arrives(world.a(), "ann", &[Home]).await;
    let mut bob = Person::arrives(world.b(), "bob", &[Home, Global]).await;
    bob.follows(ann.id()).await;
    bob.hears_resync(Home).await;
    let posted = ann.posts("good news").await;
    let heard = bob.hears_post("good news").await;
    assert_eq!(heard, posted, "what bob hears is what ann was answered");
    bob.hears_until("global tells it too", |bob| bob.state.texts(Global) == ["good news"]).await;
    ann.hears_post("good news").await;
}

#[tokio::test]
async fn who_comes_back_to_the_other_node_misses_nothing_and_hears_nothing_twice() {
    let world = World::two_nodes().await;
    let mut ann = Person::arrives(world.a(), "ann", &[]).await;
    let mut bob = Person::arrives(world.b(), "bob", &[Home]).await;
    bob.follows(ann.id()).await;
    bob.hears_resync(Home).await;
    ann.posts("post 0").await;
    bob.hears_post("post 0").await;
    bob.loses_the_line();
    for number in 1..20 {
        ann.posts(&format!("post {number}")).await;
    }
    let before = bob.snapshots(Home);
    let welcome = bob.resumes(world.a()).await;
    assert!(welcome.resumed);
    ann.posts("post 20").await;
    heard_the_stream(&mut bob, 21).await;
    assert_eq!(bob.snapshots(Home), before, "a short gap needs no snapshot");
}

#[tokio::test]
async fn with_redis_killed_nothing_is_missed() {
    let mut world = World::two_nodes().await;
    let mut ann = Person::arrives(world.a(), "ann", &[]).await;
    let mut bob = Person::arrives(world.b(), "bob", &[Home]).await;
    bob.follows(ann.id()).await;
    bob.hears_resync(Home).await;
    for number in 0..STREAM {
        match number {
            50 => world.redis().kill9().unwrap(),
            90 => {
                // Heard while Redis is dead; and whoever resumes then misses nothing either.
                bob.hears_post("post 89").await;
                bob.loses_the_line();
            }
            100 => assert!(bob.resumes(world.a()).await.resumed),
            130 => {
                bob.hears_post("post 129").await;
                bob.loses_the_line();
                assert!(bob.resumes(world.b()).await.resumed);
            }
            150 => world.redis().restart().unwrap(),
            _ => {}
        }
        ann.posts(&format!("post {number}")).await;
    }
    heard_the_stream(&mut bob, STREAM).await;
}

#[tokio::test]
async fn with_redis_hanging_posts_are_acknowledged_and_heard() {
    let mut world = World::two_nodes().await;
    let mut ann = Person::arrives(world.a(), "ann", &[]).await;
    let mut bob = Person::arrives(world.b(), "bob", &[Home]).await;
    bob.follows(ann.id()).await;
    bob.hears_resync(Home).await;
    world.redis().pause().unwrap();
    for number in 0..20 {
        ann.posts(&format!("post {number}")).await;
    }
    heard_the_stream(&mut bob, 20).await;
    world.redis().resume().unwrap();
    ann.posts("post 20").await;
    heard_the_stream(&mut bob, 21).await;
}

/// P10: whatever was answered is there once; whatever was not is asked again by the same id, on the node that is left.
#[tokio::test]
async fn a_node_killed_amid_a_stream_loses_nothing_and_doubles_nothing() {
    let mut world = World::two_nodes().await;
    let mut ann = Person::arrives(world.a(), "ann", &[]).await;
    let mut bob = Person::arrives(world.b(), "bob", &[Home]).await;
    let mut cara = Person::arrives(world.a(), "cara", &[Home]).await;
    for follower in [&mut bob, &mut cara] {
        follower.follows(ann.id()).await;
        follower.hears_resync(Home).await;
    }
    let stream: Vec<_> =
        (0..STREAM).map(|number| json!({ "id": Uuid::now_v7(), "text": format!("post {number}") })).collect();
    for post in &stream[..100] {
        ann.request::<PostResult>("post.create", post).await.unwrap();
    }
    // Forty on their way when the node dies; the first of them is answered.
    let mut asked = Vec::new();
    for post in &stream[100..140] {
        asked.push(ann.asks("post.create", post).await);
    }
    let first = ann.hears_answer(asked[0]).await;
    assert!(matches!(first, Outcome::Done(_)), "{first:?}");
    world.nodes[0].kill9().unwrap();
    ann.hears_the_end().await;
    cara.hears_the_end().await;

    ann.connects(world.b(), &[]).await;
    let mut duplicates = 0;
    for post in &stream[100..] {
        let created: PostResult = ann.request("post.create", post).await.unwrap();
        duplicates += usize::from(created.duplicate);
    }
    assert!(duplicates >= 1, "the answered one, at least, was there");
    assert!(cara.resumes(world.b()).await.resumed);
    for follower in [&mut bob, &mut cara] {
        heard_the_stream(follower, STREAM).await;
    }
    let rows = world.database.psql("select count(*) from posts").unwrap();
    assert_eq!(rows, STREAM.to_string());
}

#[tokio::test]
async fn a_killed_node_that_comes_back_takes_up_the_stream() {
    let mut world = World::two_nodes().await;
    let mut ann = Person::arrives(world.b(), "ann", &[]).await;
    let mut bob = Person::arrives(world.a(), "bob", &[Home]).await;
    bob.follows(ann.id()).await;
    bob.hears_resync(Home).await;
    ann.posts("post 0").await;
    bob.hears_post("post 0").await;
    world.nodes[0].kill9().unwrap();
    bob.hears_the_end().await;
    ann.posts("post 1").await;
    world.nodes[0].restart().unwrap();
    ann.posts("post 2").await;
    assert!(bob.resumes(world.a()).await.resumed);
    ann.posts("post 3").await;
    heard_the_stream(&mut bob, 4).await;
}

#[tokio::test]
async fn a_retry_on_the_other_node_is_the_same_post() {
    let world = World::two_nodes().await;
    let mut ann = Person::arrives(world.a(), "ann", &[]).await;
    let mut again = Person::logs_in(world.b(), "ann").await;
    again.connects(world.b(), &[Home]).await;
    let params = json!({ "id": Uuid::now_v7(), "text": "once" });
    let first: PostResult = ann.request("post.create", &params).await.unwrap();
    let second: PostResult = again.request("post.create", &params).await.unwrap();
    assert!(!first.duplicate && second.duplicate);
    assert_eq!((first.post, first.seq), (second.post, second.seq));
    again.hears_post("once").await;
    assert_eq!(again.state.texts(Home), ["once"]);
}

/// F18: the same request from many devices on both nodes at the same moment.
#[tokio::test]
async fn twins_that_race_on_two_nodes_are_done_once_and_answered_alike() {
    let world = World::two_nodes().await;
    let mut bob = Person::arrives(world.b(), "bob", &[Global]).await;
    let mut devices = vec![Person::arrives(world.a(), "ann", &[]).await];
    for number in 1..8 {
        let mut device = Person::logs_in(world.a(), "ann").await;
        device.connects(&world.nodes[number % 2], &[]).await;
        devices.push(device);
    }
    for round in 0..25 {
        let text = format!("round {round}");
        let params = json!({ "id": Uuid::now_v7(), "text": text });
        let asked = join_all(devices.iter_mut().map(|device| device.request::<PostResult>("post.create", &params)));
        let answers: Vec<PostResult> = asked.await.into_iter().map(Result::unwrap).collect();
        assert_eq!(answers.iter().filter(|answer| !answer.duplicate).count(), 1, "{text}");
        assert!(answers.iter().all(|answer| answer.post == answers[0].post && answer.seq == answers[0].seq), "{text}");
        bob.hears_post(&text).await;
    }
    let rounds: Vec<String> = (0..25).map(|round| format!("round {round}")).collect();
    assert_eq!(bob.state.texts(Global), rounds);
    hears_no_repeat(&mut bob).await;
}

#[tokio::test]
async fn a_changed_profile_reaches_the_other_device_on_the_other_node() {
    let world = World::two_nodes().await;
    let mut phone = Person::arrives(world.a(), "ann", &[Me]).await;
    let mut laptop = Person::logs_in(world.b(), "ann").await;
    laptop.connects(world.b(), &[Me]).await;
    let params = json!({ "name": "Ann of Green Gables", "bio": "writes" });
    let changed: UserUpdated = phone.request("user.update", params).await.unwrap();
    assert_eq!(changed.user.name, "Ann of Green Gables");
    for device in [&mut laptop, &mut phone] {
        let is_known = |known: &User| *known == changed.user;
        device
            .hears_until("the new name", |device| {
                device.state.things(Me).any(|thing| matches!(thing, Thing::User(user) if is_known(user)))
            })
            .await;
    }
}

#[tokio::test]
async fn whom_one_follows_on_one_device_is_followed_on_the_other() {
    let world = World::two_nodes().await;
    let mut ann = Person::arrives(world.a(), "ann", &[]).await;
    ann.posts("from before").await;
    let mut phone = Person::arrives(world.a(), "bob", &[Home]).await;
    let mut laptop = Person::logs_in(world.b(), "bob").await;
    laptop.connects(world.b(), &[Home]).await;
    phone.follows(ann.id()).await;
    laptop.hears_post("from before").await;
    ann.posts("from now").await;
    laptop.hears_post("from now").await;
    phone.unfollows(ann.id()).await;
    laptop.hears_until("home is empty again", |laptop| laptop.state.texts(Home).is_empty()).await;
}
