//! What others did reaches the one it concerns: once, on every device, on every node, also after a kill (P3, P4, P5, P10).

use futures_util::future::join_all;
use serde_json::{Value, json};
use tidings_protocol::error::{ErrorCode, Refusal};
use tidings_protocol::feed::FeedName::{Home, Me, Notifications};
use tidings_protocol::ids::PostId;
use tidings_protocol::notification::{
    MarkerResult, Notification, NotificationKind, NotificationReading, NotificationsPage, PreferencesResult,
    ReadingResult,
};
use tidings_protocol::reply::FollowResult;
use tidings_testkit::Node;

use crate::person::Person;
use crate::state::Thing;
use crate::world::World;

/// What somebody has on the screen, newest first.
fn shown(person: &Person) -> Vec<Notification> {
    let groups = person
        .state
        .things(Notifications)
        .filter_map(|thing| if let Thing::Notification(told) = thing { Some(told.notification.clone()) } else { None });
    let mut groups: Vec<Notification> = groups.collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.seq));
    groups
}

fn kinds(person: &Person) -> Vec<(NotificationKind, u32)> {
    shown(person).iter().map(|group| (group.kind, group.count)).collect()
}

fn unread(person: &Person) -> u32 {
    person.state.unread
}

/// What is fetched is what was heard (P4).
async fn agrees_with_a_page(person: &mut Person) {
    let page: NotificationsPage = person.request("notification.page", json!({})).await.expect("a page");
    assert_eq!(page.notifications, shown(person), "{}: heard and fetched", person.handle);
    assert_eq!(page.reading.unread, unread(person), "{}: unread", person.handle);
}

async fn reacts(person: &mut Person, post: PostId) {
    let done: Result<Value, Refusal> = person.request("post.react", json!({ "id": post, "emoji": "love" })).await;
    done.expect("reacted");
}

async fn crowd(node: &Node, many: usize) -> Vec<Person> {
    let names: Vec<String> = (0..many).map(|nth| format!("fan{nth}")).collect();
    join_all(names.iter().map(|name| Person::arrives(node, name, &[]))).await
}

#[tokio::test]
async fn twelve_people_react_and_follow_and_every_device_on_every_node_shows_the_same() {
    let world = World::two_nodes().await;
    let mut ann = Person::arrives(world.a(), "ann", &[Notifications, Home]).await;
    let mut again = Person::logs_in(world.b(), "ann").await;
    again.connects(world.b(), &[Notifications]).await;
    let post = ann.posts("how do you like it?").await;
    let mut fans = crowd(world.b(), 12).await;
    let whom = ann.id();
    join_all(fans.iter_mut().map(async |fan| {
        reacts(fan, post.id).await;
        fan.follows(whom).await;
    }))
    .await;
    let wanted = |person: &Person| {
        let mut kinds = kinds(person);
        kinds.sort();
        kinds == [(NotificationKind::Follow, 12), (NotificationKind::Reaction, 12)]
    };
    for device in [&mut ann, &mut again] {
        device.hears_until("twelve, twice", wanted).await;
        assert_eq!(unread(device), 2);
        agrees_with_a_page(device).await;
        assert!(device.state.repeats().is_empty());
    }
    // Two take it back.
    for fan in &mut fans[..2] {
        let undone: Result<Value, Refusal> = fan.request("post.unreact", json!({ "id": post.id })).await;
        undone.expect("taken back");
        fan.unfollows(whom).await;
    }
    for device in [&mut ann, &mut again] {
        device.hears_until("ten, twice", |person| kinds(person).iter().all(|(_, count)| *count == 10)).await;
        agrees_with_a_page(device).await;
    }
}

#[tokio::test]
async fn read_on_one_device_is_read_on_the_other_and_never_goes_back() {
    let world = World::two_nodes().await;
    let mut ann = Person::arrives(world.a(), "ann", &[Notifications, Me]).await;
    let mut again = Person::logs_in(world.b(), "ann").await;
    again.connects(world.b(), &[Notifications, Me]).await;
    let post = ann.posts("hello").await;
    let mut bob = Person::arrives(world.b(), "bob", &[]).await;
    bob.comments(post.id, None, "hi").await;
    reacts(&mut bob, post.id).await;
    for device in [&mut ann, &mut again] {
        device.hears_until("both", |person| kinds(person).len() == 2).await;
        assert_eq!(unread(device), 2);
    }
    let newest = shown(&ann)[0].clone();
    let read: ReadingResult =
        ann.request("notification.read", json!({ "ids": [newest.id], "up_to": newest.seq })).await.unwrap();
    assert_eq!(read.reading.unread, 1);
    again.hears_until("the newest is read", |person| shown(person)[0].read && unread(person) == 1).await;
    let all: ReadingResult = again.request("notification.read", json!({ "up_to": newest.seq })).await.unwrap();
    assert_eq!((all.reading.unread, all.reading.read), (0, newest.seq));
    let back: ReadingResult = ann.request("notification.seen", json!({ "up_to": 1 })).await.unwrap();
    assert!(back.duplicate);
    assert_eq!(back.reading.seen, newest.seq, "read is seen");
    for device in [&mut ann, &mut again] {
        let what = "nothing is unread";
        device.hears_until(what, |person| unread(person) == 0 && reading(person).read == newest.seq).await;
        agrees_with_a_page(device).await;
    }
    // Somebody comes in: it is unread again, and stands first.
    bob.comments(post.id, None, "and another thing").await;
    again.hears_until("unread again", |person| unread(person) == 1).await;
    assert_eq!(kinds(&again)[0], (NotificationKind::Comment, 1));

    // Markers, the same way.
    let set: MarkerResult = ann.request("marker.set", json!({ "feed": "home", "seq": post.seq })).await.unwrap();
    assert_eq!(set.marker.seq, post.seq);
    let marker = |person: &Person| {
        let mut markers = person
            .state
            .things(Me)
            .filter_map(|thing| if let Thing::Marker(marker) = thing { Some(*marker) } else { None });
        markers.find(|marker| marker.feed == Home)
    };
    again.hears_until("the marker", |person| marker(person) == Some(set.marker)).await;
    let late: MarkerResult = again.request("marker.set", json!({ "feed": "home", "seq": 1 })).await.unwrap();
    assert!(late.duplicate);
    assert_eq!(late.marker, set.marker);
    let mut third = Person::logs_in(world.a(), "ann").await;
    let welcome = third.connects(world.a(), &[Me]).await;
    assert_eq!(marker(&third), Some(set.marker), "{welcome:?}");
}

fn reading(person: &Person) -> NotificationReading {
    let reading = person
        .state
        .things(Notifications)
        .find_map(|thing| if let Thing::Reading(reading) = thing { Some(*reading) } else { None });
    reading.unwrap_or_default()
}

/// P10, P3: who lost the line with the node hears from another what they missed; nothing is lost, nothing comes twice.
#[tokio::test]
async fn a_killed_node_and_a_reconnect_lose_no_notification_and_double_none() {
    let mut world = World::two_nodes().await;
    let mut ann = Person::arrives(world.a(), "ann", &[Home, Notifications]).await;
    let post = ann.posts("hello").await;
    let mut fans = crowd(world.b(), 12).await;
    for fan in &mut fans[..4] {
        reacts(fan, post.id).await;
    }
    ann.hears_until("four", |person| kinds(person) == [(NotificationKind::Reaction, 4)]).await;
    world.nodes[0].kill9().unwrap();
    assert_eq!(ann.hears_the_end().await, crate::line::CUT);
    for fan in &mut fans[4..] {
        reacts(fan, post.id).await;
        fan.comments(post.id, None, "!").await;
    }
    let before = ann.snapshots(Notifications);
    let welcome = ann.resumes(world.b()).await;
    assert!(welcome.resumed, "{welcome:?}");
    ann.hears_until("all of it", |person| {
        let mut kinds = kinds(person);
        kinds.sort();
        kinds == [(NotificationKind::Comment, 8), (NotificationKind::Reaction, 12)]
    })
    .await;
    assert_eq!((unread(&ann), ann.snapshots(Notifications)), (2, before));
    agrees_with_a_page(&mut ann).await;
    assert!(ann.state.repeats().is_empty(), "{:?}", ann.state.repeats());
    ann.hears_nothing_more().await;
}

#[tokio::test]
async fn p5_blocked_and_muted_people_never_notify_and_leave_what_is_shown() {
    let world = World::one_node().await;
    let mut ann = Person::arrives(world.a(), "ann", &[Notifications]).await;
    let mut bob = Person::arrives(world.a(), "bob", &[]).await;
    let mut cem = Person::arrives(world.a(), "cem", &[]).await;
    let post = ann.posts("hello").await;
    for other in [&mut bob, &mut cem] {
        reacts(other, post.id).await;
    }
    ann.hears_until("two", |person| kinds(person) == [(NotificationKind::Reaction, 2)]).await;
    let muted: Result<Value, Refusal> = ann.request("user.mute", json!({ "id": bob.id() })).await;
    muted.expect("muted");
    ann.hears_until("one", |person| kinds(person) == [(NotificationKind::Reaction, 1)]).await;
    assert_eq!(shown(&ann)[0].actors[0].id, cem.id());
    let blocked: Result<Value, Refusal> = cem.request("user.block", json!({ "id": ann.id() })).await;
    blocked.expect("blocked");
    ann.hears_until("none", |person| kinds(person).is_empty() && unread(person) == 0).await;
    // A muted one may go on; nobody is told.
    bob.comments(post.id, None, "@ann @ann").await;
    bob.follows(ann.id()).await;
    bob.posts("hey @ann").await;
    ann.hears_nothing_more().await;
    agrees_with_a_page(&mut ann).await;
}

#[tokio::test]
async fn mentions_replies_quotes_and_what_is_deleted() {
    let world = World::one_node().await;
    let mut ann = Person::arrives(world.a(), "ann", &[Notifications]).await;
    let mut bob = Person::arrives(world.a(), "bob", &[Notifications]).await;
    let post = ann.posts("hello @bob").await;
    bob.hears_until("a mention", |person| kinds(person) == [(NotificationKind::Mention, 1)]).await;
    let comment = bob.comments(post.id, None, "hello yourself").await;
    ann.comments(post.id, Some(comment.id), "@bob, yes").await;
    bob.hears_until("a reply, and no mention besides", |person| {
        kinds(person) == [(NotificationKind::Reply, 1), (NotificationKind::Mention, 1)]
    })
    .await;
    assert_eq!(shown(&bob)[0].comment, Some(comment.id));
    let id = uuid::Uuid::now_v7();
    let quote: Result<Value, Refusal> =
        bob.request("post.create", json!({ "id": id, "text": "look", "of": post.id })).await;
    quote.expect("quoted");
    let wanted = [(NotificationKind::Quote, 1), (NotificationKind::Comment, 1)];
    ann.hears_until("a quote", |person| kinds(person) == wanted).await;
    assert_eq!(shown(&ann)[0].last, Some(id));
    bob.deletes(PostId(id)).await;
    ann.hears_until("the quote is gone", |person| kinds(person) == [(NotificationKind::Comment, 1)]).await;
    ann.deletes(post.id).await;
    for person in [&mut ann, &mut bob] {
        person.hears_until("all went with the post", |person| kinds(person).is_empty() && unread(person) == 0).await;
        agrees_with_a_page(person).await;
    }
}

#[tokio::test]
async fn preferences_are_kept_and_told_and_what_makes_no_sense_is_refused() {
    let world = World::one_node().await;
    let mut ann = Person::arrives(world.a(), "ann", &[Notifications, Me]).await;
    let mut bob = Person::arrives(world.a(), "bob", &[]).await;
    let chosen: PreferencesResult = ann.request("notify.preferences", json!({ "follow": "nobody" })).await.unwrap();
    ann.hears_until("preferences.updated", |person| {
        person.state.things(Me).any(|thing| matches!(thing, Thing::Preferences(told) if *told == chosen.preferences))
    })
    .await;
    let followed: Result<FollowResult, Refusal> = bob.request("user.follow", json!({ "id": ann.id() })).await;
    followed.expect("followed");
    ann.hears_nothing_more().await;
    ann.is_refused(ErrorCode::Invalid, "notify.preferences", json!({})).await;
    ann.is_refused(ErrorCode::Invalid, "notification.read", json!({})).await;
    ann.is_refused(ErrorCode::Invalid, "notification.read", json!({ "ids": [] })).await;
    let many: Vec<uuid::Uuid> = (0..101).map(|_| uuid::Uuid::now_v7()).collect();
    ann.is_refused(ErrorCode::Invalid, "notification.read", json!({ "ids": many })).await;
    let mut nobody = Person::anonymous();
    nobody.connects(world.a(), &[]).await;
    nobody.is_refused(ErrorCode::Unauthorized, "notification.page", json!({})).await;
    nobody.is_refused(ErrorCode::Unauthorized, "marker.set", json!({ "feed": "home", "seq": 1 })).await;
    nobody.is_refused(ErrorCode::Unauthorized, "feed.subscribe", json!({ "feed": "notifications" })).await;
    // Of somebody else's there is nothing to read.
    let mine: ReadingResult =
        bob.request("notification.read", json!({ "ids": [uuid::Uuid::now_v7()] })).await.expect("nothing to do");
    assert!(mine.duplicate);
}
