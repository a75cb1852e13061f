//! Who is here, who is typing and how many are reading, over real nodes: the same on all of them, also after one was killed or Redis was.
//! Must never expect anything of this at once: what is true only for a moment is told within seconds.

#![expect(clippy::wildcard_enum_match_arm, reason = "each looks for one kind of notice among all")]

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tidings_protocol::error::{ErrorCode, Refusal};
use tidings_protocol::feed::FeedName;
use tidings_protocol::feed::FeedName::Me;
use tidings_protocol::ids::{PostId, UserId};
use tidings_protocol::presence::{Presence, PresenceWatched, Showing, Status, TypingSent};
use tidings_protocol::push::Notice;
use uuid::Uuid;

use crate::person::Person;
use crate::rest::rest;
use crate::world::World;

impl Person {
    /// Watches people; how they are now.
    async fn watches(&mut self, whom: &[UserId]) -> Vec<Presence> {
        let watched: PresenceWatched = self.request("presence.watch", json!({ "ids": whom })).await.expect("watched");
        watched.users
    }

    async fn shows(&mut self, status: Showing) {
        let shown: Value = self.request("presence.set", json!({ "status": status })).await.expect("shown");
        assert_eq!(shown["status"], json!(status));
    }

    async fn types(&mut self, post: PostId) {
        let sent: TypingSent = self.request("typing.send", json!({ "post": post })).await.expect("sent");
        assert_eq!(sent.again_after_ms, 3_000);
    }

    /// What was last told of somebody on this connection.
    fn told_of(&self, who: UserId) -> Option<Presence> {
        let told = self.notices.iter().rev().filter_map(|notice| match notice {
            Notice::Presence { users } => users.iter().find(|presence| presence.id == who),
            _ => None,
        });
        told.copied().next()
    }

    async fn hears_that(&mut self, who: UserId, status: Status) -> Presence {
        let what = format!("{} hears that somebody is {status:?}", self.handle);
        self.hears_until(&what, |me| me.told_of(who).is_some_and(|told| told.status == status)).await;
        self.told_of(who).expect("just heard")
    }

    /// Who types under a post, as was last told.
    fn typists(&self, on: PostId) -> Vec<String> {
        let told = self.notices.iter().rev().find_map(|notice| match notice {
            Notice::Typing { post, parent: None, users } if *post == on => Some(users),
            _ => None,
        });
        told.into_iter().flatten().map(|who| who.handle.clone()).collect()
    }

    fn readers(&self, on: PostId) -> Option<u64> {
        self.notices.iter().rev().find_map(|notice| match notice {
            Notice::Readers { post, count } if *post == on => Some(*count),
            _ => None,
        })
    }

    async fn hears_readers(&mut self, on: PostId, number: u64) {
        let what = format!("{} hears of {number} readers", self.handle);
        self.hears_until(&what, |me| me.readers(on) == Some(number)).await;
    }
}

/// Ann on the first node watches Bob on the second, whom she follows.
async fn ann_watches_bob(world: &World) -> (Person, Person) {
    let mut ann = Person::arrives(world.a(), "ann", &[]).await;
    let mut bob = Person::arrives(world.b(), "bob", &[]).await;
    ann.follows(bob.id()).await;
    bob.is_answered().await;
    ann.watches(&[bob.id()]).await;
    ann.shows(Showing::Online).await;
    (ann, bob)
}

/// He is here, as she is told in the answer or by the time the nodes have told each other.
async fn knows_that_bob_is_here(ann: &mut Person, bob: &Person) {
    let known = ann.watches(&[bob.id()]).await;
    if known.iter().all(|told| told.status != Status::Online) {
        ann.hears_that(bob.id(), Status::Online).await;
    }
}

#[tokio::test]
async fn who_is_here_on_one_node_is_known_on_the_other() {
    let world = World::two_nodes().await;
    let (mut ann, mut bob) = ann_watches_bob(&world).await;
    knows_that_bob_is_here(&mut ann, &bob).await;
    bob.shows(Showing::Idle).await;
    ann.hears_that(bob.id(), Status::Idle).await;
    bob.shows(Showing::Invisible).await;
    let gone = ann.hears_that(bob.id(), Status::Offline).await;
    assert!(gone.last_seen.is_some());
    // On another client, and on the other node: he is the best of both.
    let mut phone = Person::logs_in(world.a(), "bob").await;
    phone.connects(world.a(), &[]).await;
    ann.hears_that(bob.id(), Status::Online).await;
    phone.loses_the_line();
    let gone = ann.hears_that(bob.id(), Status::Offline).await;
    assert!(gone.last_seen.is_some());
    // Whom she does not follow she is not told of.
    let carl = Person::arrives(world.b(), "carl", &[]).await;
    assert_eq!(ann.watches(&[carl.id()]).await, []);
}

#[tokio::test]
async fn p5_a_block_hides_who_is_here_on_every_node() {
    let world = World::two_nodes().await;
    let (mut ann, mut bob) = ann_watches_bob(&world).await;
    knows_that_bob_is_here(&mut ann, &bob).await;
    let blocked: Value = bob.request("user.block", json!({ "id": ann.id() })).await.expect("blocked");
    assert_eq!(blocked["blocking"], true);
    let hidden = ann.hears_that(bob.id(), Status::Offline).await;
    assert_eq!(hidden.last_seen, None, "as anybody looks of whom one may not know");
    let told = ann.notices.len();
    bob.shows(Showing::Idle).await;
    assert_eq!(ann.watches(&[bob.id()]).await, []);
    // Somebody else's coming shows that what there was to tell has been told.
    let carl = Person::signs_up(world.b(), "carl").await;
    ann.follows(carl.id()).await;
    ann.watches(&[bob.id(), carl.id()]).await;
    let mut carl = carl;
    carl.connects(world.b(), &[]).await;
    ann.hears_that(carl.id(), Status::Online).await;
    let about_bob = ann.notices[told..].iter().any(|notice| match notice {
        Notice::Presence { users } => users.iter().any(|presence| presence.id == bob.id()),
        _ => false,
    });
    assert!(!about_bob, "{:?}", &ann.notices[told..]);
}

#[tokio::test]
async fn p10_the_people_of_a_killed_node_are_gone_and_whoever_comes_back_is_not() {
    let mut world = World::two_nodes().await;
    let (mut ann, mut bob) = ann_watches_bob(&world).await;
    let mut carl = Person::arrives(world.b(), "carl", &[]).await;
    ann.follows(carl.id()).await;
    knows_that_bob_is_here(&mut ann, &bob).await;
    let known = ann.watches(&[bob.id(), carl.id()]).await;
    if known.iter().any(|told| told.status != Status::Online) {
        ann.hears_that(carl.id(), Status::Online).await;
    }
    let killed = Instant::now();
    world.nodes[1].kill9().unwrap();
    bob.hears_the_end().await;
    carl.hears_the_end().await;
    carl.resumes(world.a()).await;
    let told = ann.notices.len();
    ann.hears_that(bob.id(), Status::Offline).await;
    assert!(killed.elapsed() < Duration::from_secs(9), "{:?}", killed.elapsed());
    let carl_told: Vec<&Notice> = ann.notices[told..]
        .iter()
        .filter(|notice| matches!(notice, Notice::Presence { users } if users.iter().any(|of| of.id == carl.id())))
        .collect();
    assert!(carl_told.is_empty(), "whoever came back was here all the time: {carl_told:?}");
    bob.resumes(world.a()).await;
    ann.hears_that(bob.id(), Status::Online).await;
}

#[tokio::test]
async fn without_redis_each_node_knows_its_own_people_and_with_it_again_all() {
    let mut world = World::two_nodes().await;
    let (mut ann, bob) = ann_watches_bob(&world).await;
    let mut carl = Person::arrives(world.a(), "carl", &[]).await;
    ann.follows(carl.id()).await;
    knows_that_bob_is_here(&mut ann, &bob).await;
    ann.watches(&[bob.id(), carl.id()]).await;
    world.redis().kill9().unwrap();
    ann.hears_that(bob.id(), Status::Offline).await;
    carl.shows(Showing::Idle).await;
    ann.hears_that(carl.id(), Status::Idle).await;
    world.redis().restart().unwrap();
    ann.hears_that(bob.id(), Status::Online).await;
}

#[tokio::test]
async fn who_is_logged_out_elsewhere_is_gone_at_once() {
    let world = World::two_nodes().await;
    let (mut ann, mut bob) = ann_watches_bob(&world).await;
    knows_that_bob_is_here(&mut ann, &bob).await;
    let token = bob.tokens.as_ref().unwrap().refresh_token.clone();
    let _: Option<Value> = rest(world.a(), "auth/logout", &json!({ "refresh_token": token })).await.ok();
    let ended = Instant::now();
    bob.hears_close().await;
    ann.hears_that(bob.id(), Status::Offline).await;
    assert!(ended.elapsed() < Duration::from_secs(4), "{:?}", ended.elapsed());
}

#[tokio::test]
async fn readers_on_both_nodes_hear_who_types_and_how_many_they_are() {
    let mut world = World::two_nodes().await;
    let mut ann = Person::arrives(world.a(), "ann", &[]).await;
    let post = ann.posts("read this").await.id;
    let feed = FeedName::Post(post);
    let _: Value = ann.request("feed.subscribe", json!({ "feed": feed })).await.expect("watched");
    let mut bob = Person::arrives(world.b(), "bob", &[feed]).await;
    let mut nobody = Person::anonymous();
    nobody.connects(world.b(), &[feed]).await;
    for reader in [&mut ann, &mut bob, &mut nobody] {
        reader.hears_readers(post, 3).await;
    }
    bob.types(post).await;
    ann.hears_until("ann hears that bob types", |ann| ann.typists(post) == ["bob"]).await;
    nobody.hears_until("so does somebody on his node", |nobody| nobody.typists(post) == ["bob"]).await;
    ann.types(post).await;
    bob.hears_until("bob hears that ann types", |bob| bob.typists(post) == ["ann"]).await;
    nobody.hears_until("the latest comes first", |nobody| nobody.typists(post) == ["ann", "bob"]).await;
    let heard_himself = bob.notices.iter().any(|notice| match notice {
        Notice::Typing { users, .. } => users.iter().any(|who| who.handle == "bob"),
        _ => false,
    });
    assert!(!heard_himself, "{:?}", bob.notices);
    world.nodes[1].kill9().unwrap();
    ann.hears_readers(post, 1).await;
}

#[tokio::test]
async fn what_is_too_much_is_refused() {
    let world = World::one_node().await;
    let mut ann = Person::arrives(world.a(), "ann", &[]).await;
    let many: Vec<Uuid> = (0..501).map(|_| Uuid::now_v7()).collect();
    let refusal = ann.is_refused(ErrorCode::LimitReached, "presence.watch", json!({ "ids": many })).await;
    assert_eq!(refusal.field.as_deref(), Some("ids"));
    assert_eq!(ann.watches(&many[1..].iter().map(|id| UserId(*id)).collect::<Vec<_>>()).await, []);
    let post = ann.posts("nobody reads this").await.id;
    let refusal = ann.is_refused(ErrorCode::Forbidden, "typing.send", json!({ "post": post })).await;
    assert_eq!(refusal.field.as_deref(), Some("post"));
    ann.is_refused(ErrorCode::Invalid, "presence.set", json!({ "status": "offline" })).await;
    let mut nobody = Person::anonymous();
    nobody.connects(world.a(), &[FeedName::Post(post)]).await;
    nobody.is_refused(ErrorCode::Unauthorized, "typing.send", json!({ "post": post })).await;
}

#[tokio::test]
async fn p9_who_hides_is_seen_by_nobody_on_any_node_and_sees_nobody() {
    let world = World::two_nodes().await;
    let mut ann = Person::arrives(world.a(), "ann", &[Me]).await;
    let mut bob = Person::arrives(world.b(), "bob", &[Me]).await;
    bob.follows(ann.id()).await;
    ann.follows(bob.id()).await;
    knows_that_bob_is_here(&mut bob, &ann).await;
    let hidden: Result<Value, Refusal> = ann.request("settings.update", json!({ "presence": "hidden" })).await;
    hidden.expect("hidden");
    bob.hears_that(ann.id(), Status::Offline).await;
    // A device that comes later is not seen either, whatever it wishes.
    let mut phone = Person::logs_in(world.b(), "ann").await;
    phone.connects(world.b(), &[Me]).await;
    let shown: Result<Value, Refusal> = phone.request("presence.set", json!({ "status": "online" })).await;
    shown.expect("wished");
    let blind: Value = phone.request("presence.watch", json!({ "ids": [bob.id()] })).await.expect("answered");
    assert_eq!(blind["users"], json!([]), "who is not seen does not see");
    let seen: Result<Value, Refusal> = phone.request("settings.update", json!({ "presence": "shown" })).await;
    seen.expect("shown again");
    bob.hears_that(ann.id(), Status::Online).await;
    let seeing: Value = phone.request("presence.watch", json!({ "ids": [bob.id()] })).await.expect("answered");
    assert_eq!(seeing["users"][0]["status"], "online");
}
