//! Conversations about who may follow whom, lists and filters, on two nodes: asked and answered, told on all devices, ended at once.

use serde_json::{Value, json};
use tidings_protocol::entity::Visibility;
use tidings_protocol::error::{ErrorCode, Refusal};
use tidings_protocol::feed::FeedName;
use tidings_protocol::feed::FeedName::{Home, Me, Notifications, User};
use tidings_protocol::ids::{ListId, UserId};
use tidings_protocol::notification::NotificationKind;
use tidings_protocol::reply::{FeedStart, Snapshot};
use uuid::Uuid;

use crate::person::Person;
use crate::state::Thing;
use crate::world::World;

impl Person {
    async fn approves_followers(&mut self) {
        let updated: Value = self.request("user.update", json!({ "asks": true })).await.expect("changed");
        assert_eq!(updated["user"]["asks"], true, "everybody sees it on the profile");
    }

    fn is_asked_by(&self, asker: UserId) -> bool {
        self.state.things(Me).any(|thing| matches!(thing, Thing::Request(request) if request.asker == asker))
    }

    fn is_following(&self, whom: UserId) -> bool {
        self.state.things(Me).any(|thing| matches!(thing, Thing::Follow(follow) if follow.followee == whom))
    }

    async fn makes_list(&mut self, name: &str) -> ListId {
        let id = ListId(Uuid::now_v7());
        let made: Value = self.request("list.create", json!({ "id": id, "name": name })).await.expect("made");
        assert_eq!((&made["list"]["name"], &made["list"]["members"]), (&json!(name), &json!(0)));
        id
    }

    async fn enlists(&mut self, list: ListId, user: UserId) -> Value {
        self.request("list.add", json!({ "id": list, "user": user })).await.expect("in it")
    }

    /// Watches one more feed.
    async fn begins(&mut self, feed: FeedName) {
        let snapshot: Snapshot = self.request("feed.subscribe", json!({ "feed": feed })).await.expect("there is one");
        self.feeds.push(feed);
        self.state.starts_afresh(snapshot);
    }
}

#[tokio::test]
async fn who_approves_followers_is_asked_on_every_node_and_the_answer_is_told_at_once() {
    let world = World::two_nodes().await;
    let mut ann = Person::arrives(world.a(), "ann", &[Me, Notifications]).await;
    let mut bob = Person::arrives(world.b(), "bob", &[Home, Me, User(ann.id())]).await;
    let mut phone = Person::logs_in(world.a(), "bob").await;
    phone.connects(world.a(), &[Home, Me]).await;
    ann.approves_followers().await;
    let secret = ann.posts_for(Visibility::Followers, "for followers").await;
    ann.posts("for all").await;
    bob.hears_until("what is public stays public", |bob| bob.state.texts(User(ann.id())) == ["for all"]).await;

    let asked: Value = bob.request("user.follow", json!({ "id": ann.id() })).await.expect("asked");
    assert_eq!((&asked["following"], &asked["requested"]), (&json!(false), &json!(true)));
    let again: Value = bob.request("user.follow", json!({ "id": ann.id() })).await.expect("asked already");
    assert_eq!(again, asked, "the first answer again");
    let by = bob.id();
    for person in [&mut ann, &mut bob, &mut phone] {
        person.hears_until("the request", |me| me.is_asked_by(by)).await;
    }
    ann.hears_until("a notification", |ann| {
        ann.state.things(Notifications).any(
            |thing| matches!(thing, Thing::Notification(told) if told.notification.kind == NotificationKind::Request),
        )
    })
    .await;
    bob.is_refused(ErrorCode::NotFound, "post.get", json!({ "id": secret.id })).await;
    let waiting: Value = ann.request("request.page", json!({})).await.expect("a page");
    assert_eq!(waiting["requests"][0]["user"]["handle"], "bob");
    let stands: Value = ann.request("user.get", json!({ "id": by })).await.expect("bob");
    assert_eq!((&stands["requested_by"], &stands["followed_by"]), (&json!(true), &json!(false)));

    let accepted: Value = ann.request("request.accept", json!({ "id": by })).await.expect("accepted");
    assert_eq!(accepted["request"]["asker"], json!(by));
    let her = ann.id();
    for device in [&mut bob, &mut phone] {
        device.hears_until("the follow", |me| me.is_following(her) && !me.is_asked_by(by)).await;
        device.hears_until("her posts", |me| me.state.texts(Home) == ["for followers", "for all"]).await;
    }
    ann.hears_until("nobody asks any more", |ann| {
        !ann.is_asked_by(by) && !ann.state.things(Notifications).any(|thing| matches!(thing, Thing::Notification(_)))
    })
    .await;

    let gone: Value = ann.request("user.remove_follower", json!({ "id": by })).await.expect("taken off");
    assert_eq!(gone["follow"]["follower"], json!(by));
    for device in [&mut bob, &mut phone] {
        device.hears_until("the end of it", |me| !me.is_following(her) && me.state.texts(Home).is_empty()).await;
    }
    bob.is_refused(ErrorCode::NotFound, "post.get", json!({ "id": secret.id })).await;
}

/// What is sent in one go is done in the order sent, also where a follow turns out to be a request.
#[tokio::test]
async fn a_request_is_taken_back_by_an_unfollow_that_was_sent_right_behind_it() {
    let world = World::one_node().await;
    let mut ann = Person::arrives(world.a(), "ann", &[Me]).await;
    let mut bob = Person::arrives(world.a(), "bob", &[Me]).await;
    ann.approves_followers().await;
    let whom = json!({ "id": ann.id() });
    let mut ids = Vec::new();
    for method in ["user.follow", "user.unfollow", "user.follow", "user.unfollow"] {
        ids.push(bob.asks(method, whom.clone()).await);
    }
    for (nth, id) in ids.into_iter().enumerate() {
        let crate::person::Outcome::Done(answer) = bob.hears_answer(id).await else { panic!("request {nth}") };
        assert_eq!((&answer["following"], answer["requested"] == true), (&json!(false), nth % 2 == 0), "request {nth}");
    }
    let waiting: Value = ann.request("request.page", json!({})).await.expect("a page");
    assert_eq!(waiting["requests"], json!([]));
}

#[tokio::test]
async fn p5_a_list_is_a_feed_of_chosen_people_for_its_owner_alone() {
    let world = World::two_nodes().await;
    let mut ann = Person::arrives(world.a(), "ann", &[Me]).await;
    let mut bob = Person::arrives(world.b(), "bob", &[]).await;
    let mut cara = Person::arrives(world.a(), "cara", &[]).await;
    let mut dan = Person::arrives(world.b(), "dan", &[]).await;
    let list = ann.makes_list("close").await;
    let feed = FeedName::List(list);
    bob.posts("before").await;
    ann.begins(feed).await;
    let mut phone = Person::logs_in(world.b(), "ann").await;
    phone.connects(world.b(), &[Me, feed]).await;
    ann.enlists(list, bob.id()).await;
    for device in [&mut ann, &mut phone] {
        device.hears_until("it starts afresh with who is in it", |me| me.state.texts(feed) == ["before"]).await;
        let (members, who) =
            (|me: &Person| me.state.things(Me).filter(|thing| matches!(thing, Thing::Member(_))).count(), "bob");
        device.hears_until(who, |me| members(me) == 1).await;
        let says_one = |thing: &Thing| matches!(thing, Thing::List(list) if list.members == 1);
        device.hears_until("how many", |me| me.state.things(Me).any(says_one)).await;
    }
    ann.enlists(list, cara.id()).await;
    cara.posts("cara's").await;
    dan.posts("of one who is not in it").await;
    bob.posts_for(Visibility::Followers, "for followers").await;
    bob.posts_for(Visibility::Mentioned, "for @ann").await;
    for device in [&mut ann, &mut phone] {
        device.hears_until("theirs", |me| me.state.texts(feed) == ["before", "cara's", "for @ann"]).await;
    }
    // Whom one follows may be read more of.
    ann.follows(bob.id()).await;
    phone.hears_until("more", |me| me.state.texts(feed) == ["before", "cara's", "for followers", "for @ann"]).await;
    // Away while it changes, and back with a cursor.
    phone.loses_the_line();
    ann.request::<Value>("list.remove", json!({ "id": list, "user": bob.id() })).await.expect("out of it");
    cara.posts("later").await;
    phone.resumes(world.a()).await;
    phone.hears_until("without him", |me| me.state.texts(feed) == ["cara's", "later"]).await;
    ann.turns("user.mute", cara.id()).await;
    ann.hears_until("nothing of a muted one", |me| me.state.texts(feed).is_empty()).await;
    ann.turns("user.unmute", cara.id()).await;
    ann.hears_until("hers again", |me| me.state.texts(feed) == ["cara's", "later"]).await;

    for (method, params) in [
        ("feed.subscribe", json!({ "feed": feed })),
        ("feed.page", json!({ "feed": feed })),
        ("list.members", json!({ "id": list })),
    ] {
        cara.is_refused(ErrorCode::NotFound, method, params).await;
    }
    // No cursor opens it either.
    cara.cursor = ann.cursor;
    cara.loses_the_line();
    cara.feeds = vec![feed];
    let welcome = cara.resumes(world.a()).await;
    assert!(matches!(&welcome.feeds[..], [FeedStart::Refused { error, .. }] if error.code == ErrorCode::NotFound));

    let gone: Result<Value, Refusal> = ann.request("list.delete", json!({ "id": list })).await;
    gone.expect("deleted");
    let before = dan.posts("the fence").await;
    ann.hears_until("its feed is over", |me| me.state.texts(feed).is_empty()).await;
    phone.hears_until("on both devices", |me| me.state.texts(feed).is_empty()).await;
    ann.is_refused(ErrorCode::NotFound, "feed.subscribe", json!({ "feed": feed })).await;
    ann.hears_until("it is gone", |me| !me.state.things(Me).any(|thing| matches!(thing, Thing::List(_)))).await;
    assert!(before.seq.0 > 0);
}

#[tokio::test]
async fn keyword_filters_are_in_step_on_all_devices_and_leave_nothing_out() {
    let world = World::two_nodes().await;
    let mut ann = Person::arrives(world.a(), "ann", &[Me, FeedName::Global]).await;
    let mut phone = Person::logs_in(world.b(), "ann").await;
    phone.connects(world.b(), &[Me]).await;
    let id = Uuid::now_v7();
    let put = json!({ "id": id, "phrase": "Finale", "whole_word": true, "until": 7 });
    ann.request::<Value>("filter.put", put).await.expect("put");
    let says = |phrase: &'static str| {
        move |me: &Person| {
            me.state.things(Me).any(|thing| matches!(thing, Thing::Filter(filter) if filter.phrase == phrase))
        }
    };
    phone.hears_until("the filter", says("Finale")).await;
    phone.request::<Value>("filter.put", json!({ "id": id, "phrase": "ending" })).await.expect("replaced");
    ann.hears_until("another phrase", says("ending")).await;
    let all: Value = ann.request("filter.all", json!({})).await.expect("all");
    assert_eq!((all["filters"].as_array().map(Vec::len), &all["filters"][0]["until"]), (Some(1), &Value::Null));
    let mut bob = Person::arrives(world.b(), "bob", &[]).await;
    bob.posts("the ending").await;
    ann.hears_post("the ending").await;
    ann.is_refused(ErrorCode::Invalid, "filter.put", json!({ "id": id, "phrase": "\u{200b}" })).await;
    ann.request::<Value>("filter.delete", json!({ "id": id })).await.expect("deleted");
    phone.hears_until("none", |me| !me.state.things(Me).any(|thing| matches!(thing, Thing::Filter(_)))).await;
}
