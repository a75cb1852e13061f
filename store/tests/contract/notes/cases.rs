//! Notifications and read markers, one rule at a time.

use tidings_actors::command::{Act, Command, Deed, Outcome};
use tidings_actors::entry::{Change, Entry};
use tidings_actors::ports::{BatchId, JournalStore as _, Reads as _};
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::{CommentId, PostId, UserId};
use tidings_protocol::marks::Emoji;
use tidings_protocol::notification::{
    HeardFrom, Notification, NotificationKind as Kind, NotificationReading, NotifyPreferences, ReadMarker,
};
use tidings_protocol::position::Seq;
use tidings_protocol::push::EventName;
use tidings_protocol::reply::Snapshot;
use uuid::Uuid;

use crate::world::{World, block, body, comment, done, duplicate, mute, once, post, post_for, sign_up};

async fn told(world: &World, user: UserId) -> Snapshot {
    world.store.snapshot(Some(user), FeedName::Notifications, 100).await.unwrap().unwrap()
}

async fn kinds(world: &World, user: UserId) -> Vec<(Kind, u32)> {
    let all: Vec<Notification> = told(world, user).await.notifications.unwrap();
    all.iter().map(|one| (one.kind, one.count)).collect()
}

async fn commit(world: &World, commands: &[Command]) -> (Vec<Outcome>, Vec<Entry>) {
    let committed = world.store.commit(once(), commands).await.unwrap();
    (committed.outcomes, committed.brought)
}

fn deed(actor: UserId, deed: Deed) -> Command {
    Command { actor, act: Act::Deed(deed) }
}

/// So many people, signed up together.
async fn crowd(world: &World, many: usize) -> Vec<UserId> {
    let ids: Vec<UserId> = (0..many).map(|_| UserId(Uuid::now_v7())).collect();
    let commands: Vec<Command> = ids
        .iter()
        .enumerate()
        .map(|(nth, &actor)| Command { actor, act: sign_up(&format!("one_of_many_{nth}")) })
        .collect();
    world.commit(&commands).await.into_iter().for_each(|outcome| drop(done(outcome)));
    ids
}

#[tokio::test]
async fn twelve_who_react_in_one_batch_are_one_group_and_one_entry() {
    let world = World::new().await;
    let ann = world.sign_up("ann").await;
    let crowd = crowd(&world, 12).await;
    let post = world.post(ann, "hello").await;
    let react = |&actor: &UserId| deed(actor, Deed::React { post, emoji: Emoji::Love });
    let (_, brought) = commit(&world, &crowd.iter().map(react).collect::<Vec<_>>()).await;
    assert_eq!(brought.len(), 1, "one entry, not twelve");
    assert_eq!(world.stored_seqs(), (1..=world.head().await.0).collect::<Vec<_>>(), "P1");
    let snapshot = told(&world, ann).await;
    let [group] = snapshot.notifications.as_deref().unwrap() else { panic!("one group") };
    assert_eq!((group.kind, group.count, group.post), (Kind::Reaction, 12, Some(post)));
    let newest: Vec<UserId> = crowd.iter().rev().take(3).copied().collect();
    assert_eq!(group.actors.iter().map(|actor| actor.id).collect::<Vec<_>>(), newest);
    assert_eq!(snapshot.reading.unwrap().unread, 1);
    // Another emoji is no other reaction.
    let again = deed(crowd[0], Deed::React { post, emoji: Emoji::Wow });
    let (outcomes, brought) = commit(&world, &[again]).await;
    assert!(matches!(outcomes.as_slice(), [Outcome::Done(_)]) && brought.is_empty());
    for &actor in &crowd {
        commit(&world, &[deed(actor, Deed::Unreact { post })]).await;
    }
    let snapshot = told(&world, ann).await;
    assert_eq!((snapshot.notifications.unwrap().len(), snapshot.reading.unwrap().unread), (0, 0));
}

#[tokio::test]
async fn p5_blocked_and_muted_people_never_notify_and_are_gone_from_what_they_did_before() {
    let world = World::new().await;
    let (ann, bob, cem) = (world.sign_up("ann").await, world.sign_up("bob").await, world.sign_up("cem").await);
    let on = world.post(ann, "hello").await;
    for who in [bob, cem] {
        world.comment(who, on, None, "hi").await;
    }
    assert_eq!(kinds(&world, ann).await, [(Kind::Comment, 2)]);
    done(world.does(ann, mute(bob)).await);
    assert_eq!(kinds(&world, ann).await, [(Kind::Comment, 1)]);
    done(world.does(cem, block(ann)).await);
    assert_eq!(kinds(&world, ann).await, []);
    assert_eq!(told(&world, ann).await.reading.unwrap().unread, 0);
    // The muted one may still comment; nobody is told.
    let (id, head) = (CommentId(Uuid::now_v7()), world.head().await);
    let (_, brought) = commit(&world, &[Command { actor: bob, act: comment(id, on, None, "@ann?") }]).await;
    assert!(brought.is_empty());
    assert_eq!(world.head().await, head.next());
    done(world.does(ann, Act::Deed(Deed::Unmute { whom: bob })).await);
    assert_eq!(kinds(&world, ann).await, [(Kind::Comment, 1)], "what they did meanwhile stays untold");
}

#[tokio::test]
async fn p5_who_may_not_see_a_post_is_not_told_of_it_and_forgets_it_when_it_is_narrowed() {
    let world = World::new().await;
    let (ann, bob) = (world.sign_up("ann").await, world.sign_up("bob").await);
    let id = PostId(Uuid::now_v7());
    let visibility = tidings_protocol::entity::Visibility::Private;
    done(world.does(ann, post_for(id, "to myself, about @bob", visibility)).await);
    assert_eq!(kinds(&world, bob).await, []);
    let id = PostId(Uuid::now_v7());
    done(world.does(ann, post(id, "hey @bob")).await);
    assert_eq!(kinds(&world, bob).await, [(Kind::Mention, 1)]);
    done(world.does(ann, crate::world::edit_for(id, "hey @bob", Some(visibility), None)).await);
    assert_eq!(kinds(&world, bob).await, []);
}

#[tokio::test]
async fn plain_posts_bring_nobody_anything() {
    let world = World::new().await;
    let ann = world.sign_up("ann").await;
    let posts: Vec<Command> =
        (0..20).map(|_| Command { actor: ann, act: post(PostId(Uuid::now_v7()), "plain") }).collect();
    let (outcomes, brought) = commit(&world, &posts).await;
    assert_eq!((outcomes.len(), brought.len()), (20, 0));
    assert_eq!(world.head().await, Seq(21));
}

#[tokio::test]
async fn p10_a_batch_asked_again_brings_nothing_twice() {
    let world = World::new().await;
    let (ann, bob) = (world.sign_up("ann").await, world.sign_up("bob").await);
    let batch = BatchId { writer: Uuid::new_v4(), number: 7 };
    let follow = [Command { actor: bob, act: Act::Follow { whom: ann } }];
    let first = world.store.commit(batch, &follow).await.unwrap();
    let (again, head) = (world.store.commit(batch, &follow).await.unwrap(), world.head().await);
    assert_eq!((first.brought.len(), again.brought.len()), (1, 0));
    assert!(matches!(again.outcomes.as_slice(), [Outcome::Duplicate(_)]));
    assert_eq!((head, kinds(&world, ann).await), (Seq(4), vec![(Kind::Follow, 1)]));
}

#[tokio::test]
async fn new_followers_after_reading_are_a_new_group() {
    let world = World::new().await;
    let ann = world.sign_up("ann").await;
    let crowd = crowd(&world, 4).await;
    let follow = |who: UserId| Command { actor: who, act: Act::Follow { whom: ann } };
    commit(&world, &[follow(crowd[0]), follow(crowd[1])]).await;
    let newest = told(&world, ann).await.notifications.unwrap()[0].seq;
    let read = Deed::ReadNotifications { ids: None, up_to: Some(newest) };
    let entry = done(world.does(ann, Act::Deed(read.clone())).await);
    let reading: NotificationReading = body(&entry);
    assert_eq!((reading.read, reading.seen, reading.unread), (newest, newest, 0));
    duplicate(world.does(ann, Act::Deed(read)).await);
    commit(&world, &[follow(crowd[2])]).await;
    assert_eq!(kinds(&world, ann).await, [(Kind::Follow, 1), (Kind::Follow, 2)]);
    // One who leaves and comes back is in one group only.
    commit(&world, &[Command { actor: crowd[0], act: Act::Unfollow { whom: ann } }]).await;
    commit(&world, &[follow(crowd[0])]).await;
    assert_eq!(kinds(&world, ann).await, [(Kind::Follow, 2), (Kind::Follow, 1)]);
}

#[tokio::test]
async fn seen_and_read_never_go_back_and_never_run_ahead() {
    let world = World::new().await;
    let (ann, bob) = (world.sign_up("ann").await, world.sign_up("bob").await);
    let see = |up_to: u64| Act::Deed(Deed::SeeNotifications { up_to: Seq(up_to) });
    let reading: NotificationReading = body(&done(world.does(ann, see(2)).await));
    assert_eq!((reading.seen, reading.read), (Seq(2), Seq(0)));
    duplicate(world.does(ann, see(1)).await);
    let reading: NotificationReading = body(&done(world.does(ann, see(9_999)).await));
    assert_eq!(reading.seen, Seq(3), "what comes later is not seen yet");
    done(world.does(bob, Act::Follow { whom: ann }).await);
    let snapshot = told(&world, ann).await;
    assert!(snapshot.notifications.unwrap()[0].seq > snapshot.reading.unwrap().seen);
    assert_eq!(snapshot.reading.unwrap().unread, 1);
}

#[tokio::test]
async fn preferences_say_of_whom_one_hears_from_then_on() {
    let world = World::new().await;
    let (ann, bob, cem) = (world.sign_up("ann").await, world.sign_up("bob").await, world.sign_up("cem").await);
    let on = world.post(ann, "hello").await;
    let prefer = |comment| Act::Deed(Deed::PreferNotifications(NotifyPreferences { comment, ..Default::default() }));
    done(world.does(ann, prefer(Some(HeardFrom::Followed))).await);
    duplicate(world.does(ann, prefer(Some(HeardFrom::Followed))).await);
    done(world.does(ann, Act::Follow { whom: bob }).await);
    for who in [bob, cem] {
        world.comment(who, on, None, "hi").await;
    }
    assert_eq!(kinds(&world, ann).await, [(Kind::Comment, 1)]);
    done(world.does(ann, prefer(Some(HeardFrom::Nobody))).await);
    world.comment(bob, on, None, "hi again").await;
    assert_eq!(told(&world, ann).await.notifications.unwrap()[0].count, 1);
    let me = world.store.snapshot(Some(ann), FeedName::Me, 1).await.unwrap().unwrap();
    assert_eq!(me.preferences.unwrap().notify.comment, Some(HeardFrom::Nobody));
    assert_eq!(world.store.snapshot(Some(bob), FeedName::Me, 1).await.unwrap().unwrap().preferences, None);
}

#[tokio::test]
async fn p6_read_markers_move_on_and_of_too_many_the_longest_unmoved_is_given_up() {
    let world = World::new().await;
    let ann = world.sign_up("ann").await;
    for nth in 0..6 {
        world.post(ann, &format!("post {nth}")).await;
    }
    let set = |feed: FeedName, seq: u64| Act::Deed(Deed::SetMarker { feed, seq: Seq(seq), most: 2 });
    let before = world.head().await;
    let marker: ReadMarker = body(&done(world.does(ann, set(FeedName::Home, 3)).await));
    assert_eq!((marker.feed, marker.seq, marker.rev), (FeedName::Home, Seq(3), before.next()));
    let had: ReadMarker = body(&duplicate(world.does(ann, set(FeedName::Home, 2)).await));
    assert_eq!(had, marker, "the last writer does not move it back");
    done(world.does(ann, set(FeedName::Global, 5)).await);
    done(world.does(ann, set(FeedName::Home, 4)).await);
    let entry = done(world.does(ann, set(FeedName::User(ann), 1)).await);
    assert_eq!(entry.change.event(), Some(EventName::MarkerUpdated));
    let me = world.store.snapshot(Some(ann), FeedName::Me, 1).await.unwrap().unwrap();
    let left: Vec<FeedName> = me.markers.unwrap().iter().map(|marker| marker.feed).collect();
    assert_eq!(left, [FeedName::Home, FeedName::User(ann)]);
    // Who was away hears which one went; two feeds' markers are two things.
    let missed = world.store.missed(Some(ann), &[FeedName::Me], before.next(), 100).await.unwrap();
    let events: Vec<_> = missed.entries.iter().filter_map(|entry| entry.change.event()).collect();
    assert_eq!(events, [EventName::MarkerUpdated, EventName::MarkerRemoved, EventName::MarkerUpdated]);
    let ids: std::collections::BTreeSet<Uuid> = missed
        .entries
        .iter()
        .filter_map(|entry| if let Change::Own { id, .. } = entry.change { Some(id) } else { None })
        .collect();
    assert_eq!(ids.len(), 3);
    // The answer names the same thing as the journal.
    assert_eq!(missed.entries.last().unwrap().change, entry.change);
}

#[tokio::test]
async fn what_is_no_more_is_forgotten_below_the_floor_with_all_that_hangs_on_it() {
    let world = World::new().await;
    let (ann, bob) = (world.sign_up("ann").await, world.sign_up("bob").await);
    let on = world.post(ann, "hello").await;
    world.comment(bob, on, None, "one").await;
    done(world.does(bob, Act::Deed(Deed::React { post: on, emoji: Emoji::Like })).await);
    let kept = world.post(ann, "another").await;
    world.comment(bob, kept, None, "two").await;
    done(world.does(ann, Act::PostDelete { id: on }).await);
    assert_eq!(kinds(&world, ann).await, [(Kind::Comment, 1)]);
    // The floor does not pass the head.
    world.post(ann, "one more").await;
    world.database.psql("update journal set at_ms = 0").unwrap();
    world.store.prune(1_000).await.unwrap();
    let left = |table: &str| world.database.psql(&format!("select count(*) from {table}")).unwrap();
    assert_eq!(left("notifications").trim(), "1");
    assert_eq!(left("notifiers").trim(), "1");
    assert_eq!(left("notifying_things").trim(), "1");
    assert_eq!(kinds(&world, ann).await, [(Kind::Comment, 1)]);
}
