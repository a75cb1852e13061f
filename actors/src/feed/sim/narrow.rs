//! Who is told what, case by case: posts that are not for everybody, or not any more; blocks, mutes and tags.

use std::rc::Rc;

use tidings_protocol::entity::Visibility;
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::{CommentId, UserId};
use tidings_protocol::position::Seq;
use uuid::Uuid;

use super::cases::World;
use super::reader::FakeLine;
use super::script::tag;
use crate::entry::{Change, Verb};
use crate::feed::catch_up::CaughtUp;
use crate::feed::context::Afresh;
use crate::feed::forward::Forwarded;
use crate::feed::table::{Line, Told};
use crate::limits::OUTBOX_BYTES;
use crate::sim::audience::Wording;
use crate::sim::client::{Message, read};
use crate::testing::{post, user};

const POST: FeedName = FeedName::Post(post(1));
/// Of user 1, who writes here.
const PROFILE: FeedName = FeedName::User(user(1));

impl World {
    /// User 1 writes a post, or changes it.
    pub(super) fn writes(&mut self, verb: Verb, n: u64, visibility: Visibility, tags: &[u64], mentions: &[UserId]) {
        let wording = Wording {
            visibility: Some(visibility),
            mentions: mentions.to_vec(),
            tags: tags.iter().map(|n| tag(*n)).collect(),
        };
        self.list.write_post(Change::Post { verb, id: post(n), author: user(1) }, wording);
        self.applies(self.list.head());
    }

    fn comments(&mut self, n: u64, author: u64) {
        let id = CommentId(Uuid::from_u64_pair(3, n));
        self.happens([Change::Comment { verb: Verb::Created, id, post: post(1), author: user(author) }]);
    }
}

/// What has come on a line since it was last asked: feeds and events.
fn heard(line: &FakeLine) -> Vec<(FeedName, String)> {
    let text = String::from_utf8(line.read()).expect("text");
    let event = |line: &str| {
        let message: Message<'_> = read(line);
        (message.feed.expect("a push"), message.event.expect("a push").to_owned())
    };
    text.lines().filter(|line| !line.is_empty()).map(event).collect()
}

fn events(line: &FakeLine) -> Vec<String> {
    heard(line).into_iter().map(|(_, event)| event).collect()
}

fn joins(world: &mut World, who: u64, feeds: &[FeedName]) -> (crate::feed::table::SlotId, Rc<FakeLine>) {
    world.joins(who, 1, usize::MAX, feeds)
}

#[test]
fn p5_a_post_is_told_to_those_it_is_for() {
    let mut world = World::new();
    world.happens([Change::Follow { verb: Verb::Created, follower: user(2), followee: user(1) }]);
    let all = [FeedName::Home, FeedName::Global, PROFILE, FeedName::Tag(tag(1))];
    let (_mine, author) = joins(&mut world, 1, &all);
    let (_follower, follower) = joins(&mut world, 2, &all);
    let (_stranger, stranger) = joins(&mut world, 3, &all);
    let mut told = |visibility, mentions: &[UserId]| {
        let id = world.list.head();
        world.writes(Verb::Created, id, visibility, &[1], mentions);
        [&author, &follower, &stranger].map(|line| heard(line).into_iter().map(|(feed, _)| feed).collect::<Vec<_>>())
    };
    let (own, none) = (vec![FeedName::Home, PROFILE], vec![]);
    let public = vec![PROFILE, FeedName::Global, FeedName::Tag(tag(1))];
    let around: Vec<FeedName> = [FeedName::Home].into_iter().chain(public.clone()).collect();
    assert_eq!(told(Visibility::Public, &[]), [around.clone(), around, public]);
    assert_eq!(told(Visibility::Followers, &[]), [own.clone(), own.clone(), none.clone()]);
    assert_eq!(told(Visibility::Followers, &[user(3)]), [own.clone(), own.clone(), vec![PROFILE]]);
    assert_eq!(told(Visibility::Mentioned, &[user(3)]), [own.clone(), none.clone(), vec![PROFILE]]);
    assert_eq!(told(Visibility::Private, &[user(3)]), [own, none.clone(), none]);
}

#[test]
fn p5_a_post_that_is_narrowed_is_told_as_gone_and_its_comments_no_more() {
    let mut world = World::new();
    world.writes(Verb::Created, 1, Visibility::Public, &[], &[]);
    let (slot, reader) = joins(&mut world, 2, &[POST, FeedName::Global]);
    let (_mine, author) = joins(&mut world, 1, &[POST]);
    world.comments(1, 3);
    assert_eq!(events(&reader), ["comment.created"]);
    world.writes(Verb::Updated, 1, Visibility::Private, &[], &[]);
    assert_eq!(heard(&reader), [(FeedName::Global, "post.removed".into()), (POST, "post.removed".into())]);
    world.comments(2, 1);
    world.writes(Verb::Updated, 1, Visibility::Private, &[], &[]);
    world.comments(3, 1);
    assert_eq!(events(&reader), ["post.removed"], "on `global` alone: it may not have been told");
    assert_eq!(events(&author)[1..], ["post.updated", "comment.created", "post.updated", "comment.created"]);
    // What has been said meanwhile it has not heard: it has to begin again.
    world.writes(Verb::Updated, 1, Visibility::Public, &[], &[]);
    world.comments(4, 3);
    assert_eq!(heard(&reader), [(FeedName::Global, "post.updated".into())]);
    world.table.subscribe(&slot, POST);
    world.comments(5, 3);
    assert_eq!(events(&reader), ["comment.created"]);
}

#[test]
fn p5_whoever_was_away_when_a_post_was_narrowed_is_told_so_and_nothing_that_was_said_there() {
    let mut world = World::new();
    world.writes(Verb::Created, 1, Visibility::Public, &[], &[]);
    let from = world.list.head();
    world.comments(1, 3);
    world.writes(Verb::Updated, 1, Visibility::Followers, &[], &[]);
    world.comments(2, 1);
    let (slot, reader) = joins(&mut world, 2, &[POST]);
    world.table.fall_back(&slot, Vec::new(), Seq(from));
    assert_eq!(world.table.catch_up(&slot), CaughtUp::Live);
    assert_eq!(events(&reader), ["post.removed"]);
    world.comments(3, 1);
    assert_eq!(events(&reader), [""; 0]);
    // One who comes when it is for all again has missed nothing.
    world.writes(Verb::Updated, 1, Visibility::Public, &[], &[]);
    let (slot, reader) = joins(&mut world, 3, &[POST]);
    world.table.fall_back(&slot, Vec::new(), Seq(from));
    assert_eq!(world.table.catch_up(&slot), CaughtUp::Live);
    let comment = "comment.created";
    assert_eq!(events(&reader), [comment, comment, comment, "post.updated"]);
}

#[test]
fn p3_that_a_post_is_gone_is_told_again_when_it_was_lost_with_a_full_outbox() {
    let mut world = World::new();
    world.writes(Verb::Created, 1, Visibility::Public, &[], &[]);
    let (slot, reader) = world.joins(2, 1, 0, &[POST, FeedName::Global]);
    reader.keep(vec![b'\n'; OUTBOX_BYTES - 1_000].into());
    world.writes(Verb::Updated, 1, Visibility::Private, &[], &[]);
    // Of all that is pushed nothing stays.
    world.happens((100..140).map(|n| Change::Post { verb: Verb::Created, id: post(n), author: user(3) }));
    assert!(world.table.is_behind(&slot));
    world.comments(1, 1);
    world.writes(Verb::Updated, 1, Visibility::Public, &[], &[]);
    reader.room.set(usize::MAX);
    reader.flush();
    assert_eq!(world.table.catch_up(&slot), CaughtUp::Live);
    let of_post: Vec<String> =
        heard(&reader).into_iter().filter(|(feed, _)| *feed == POST).map(|(_, event)| event).collect();
    assert_eq!(of_post, ["post.removed"], "and nothing of what was said meanwhile");
}

#[test]
fn p5_a_block_holds_in_both_directions_at_once() {
    let mut world = World::new();
    world.happens([Change::Follow { verb: Verb::Created, follower: user(2), followee: user(1) }]);
    world.writes(Verb::Created, 1, Visibility::Public, &[], &[]);
    let (blocker, of_blocker) = joins(&mut world, 1, &[FeedName::Global, FeedName::Me]);
    let (blocked, of_blocked) = joins(&mut world, 2, &[FeedName::Home, FeedName::Me, POST]);
    let (_third, of_third) = joins(&mut world, 3, &[POST]);
    let by = |author| Change::Post { verb: Verb::Created, id: post(author), author: user(author) };
    world.happens([
        Change::Follow { verb: Verb::Removed, follower: user(2), followee: user(1) },
        Change::Block { verb: Verb::Created, blocker: user(1), blocked: user(2) },
        by(2),
    ]);
    let others = Told::ContextChanged(Afresh::Others);
    assert_eq!(*of_blocker.told.borrow(), [others]);
    assert_eq!(*of_blocked.told.borrow(), [Told::ContextChanged(Afresh::Circle), others]);
    assert!(world.table.is_apart(&blocker, user(2)) && world.table.is_apart(&blocked, user(1)));
    world.comments(1, 2);
    assert_eq!(events(&of_third), ["comment.created"], "others read both");
    // Nothing comes before the fresh start, and that for the follow alone is not enough.
    assert!(events(&of_blocker).is_empty() && events(&of_blocked).is_empty());
    world.table.release(&blocked, Afresh::Circle);
    assert_eq!(world.table.catch_up(&blocked), CaughtUp::Waiting);
    for (slot, line, told) in [
        (&blocker, &of_blocker, vec!["block.created"]),
        (&blocked, &of_blocked, vec!["follow.removed", "post.created", "comment.created"]),
    ] {
        world.table.release(slot, Afresh::Others);
        assert_eq!(world.table.catch_up(slot), CaughtUp::Live);
        assert_eq!(events(line), told);
    }
    // Both ends of a block have to end: user 2 blocks, too.
    world.happens([Change::Block { verb: Verb::Created, blocker: user(2), blocked: user(1) }]);
    world.happens([Change::Block { verb: Verb::Removed, blocker: user(1), blocked: user(2) }]);
    assert!(world.table.is_apart(&blocker, user(2)) && world.table.is_apart(&blocked, user(1)));
    world.happens([Change::Block { verb: Verb::Removed, blocker: user(2), blocked: user(1) }]);
    assert!(!world.table.is_apart(&blocker, user(2)) && !world.table.is_apart(&blocked, user(1)));
    assert!(world.table.hiders.is_empty());
}

#[test]
fn who_is_muted_is_not_heard_among_others_but_where_one_goes_and_looks() {
    let mut world = World::new();
    world.happens([Change::Follow { verb: Verb::Created, follower: user(2), followee: user(1) }]);
    world.happens([Change::Mute { verb: Verb::Created, muter: user(2), muted: user(1) }]);
    let feeds = [FeedName::Home, FeedName::Global, PROFILE, POST];
    let (_slot, reader) = joins(&mut world, 2, &feeds);
    world.writes(Verb::Created, 1, Visibility::Public, &[], &[]);
    assert_eq!(heard(&reader), [(PROFILE, "post.created".into()), (POST, "post.created".into())]);
    world.comments(1, 1);
    world.comments(2, 3);
    let text = String::from_utf8(reader.read()).expect("text");
    let comments: Vec<&str> = text.lines().collect();
    assert!(comments[0].contains("\"removed\":true") && !comments[0].contains("text"), "{}", comments[0]);
    assert!(comments[1].contains("\"text\""), "{}", comments[1]);
}

#[test]
fn a_post_is_told_to_the_readers_of_its_tags_and_when_it_loses_one() {
    let mut world = World::new();
    let feeds = [FeedName::Tag(tag(1)), FeedName::Tag(tag(2))];
    let (_slot, reader) = joins(&mut world, 2, &feeds);
    world.writes(Verb::Created, 1, Visibility::Public, &[1], &[]);
    assert_eq!(heard(&reader), [(feeds[0], "post.created".into())]);
    world.writes(Verb::Updated, 1, Visibility::Public, &[2], &[]);
    assert_eq!(heard(&reader), [(feeds[0], "post.removed".into()), (feeds[1], "post.updated".into())]);
    assert_eq!(world.table.take_counts().encoded, 3);
}

#[test]
fn p5_a_snapshot_brought_forward_loses_what_may_not_be_seen_any_more() {
    let mut world = World::new();
    world.writes(Verb::Created, 1, Visibility::Public, &[1], &[]);
    world.writes(Verb::Created, 2, Visibility::Public, &[1], &[]);
    let before = world.list.head();
    let (slot, _line) = joins(&mut world, 2, &[]);
    world.writes(Verb::Updated, 1, Visibility::Followers, &[1], &[]);
    world.writes(Verb::Updated, 2, Visibility::Public, &[], &[]);
    let left = |feed| {
        let mut snapshot = world.list.state(before).snapshot(before, Some(user(2)), feed, 10).expect("there");
        assert_eq!(world.table.forward(&slot, &mut snapshot), Forwarded::Exact);
        snapshot.posts.expect("posts").into_iter().map(|post| post.id).collect::<Vec<_>>()
    };
    assert_eq!(left(FeedName::Global), [post(2)]);
    assert_eq!(left(FeedName::Tag(tag(1))), []);
    let mut of_post = world.list.state(before).snapshot(before, Some(user(2)), POST, 10).expect("there");
    assert_eq!(world.table.forward(&slot, &mut of_post), Forwarded::Stale, "it has to be asked for again");
}

#[test]
fn p5_a_snapshot_from_before_a_block_or_a_mute_is_stale_but_for_ones_own_things() {
    let mut world = World::new();
    let changes = [
        Change::Block { verb: Verb::Created, blocker: user(1), blocked: user(2) },
        Change::Mute { verb: Verb::Created, muter: user(1), muted: user(3) },
    ];
    for change in changes {
        let before = world.list.head();
        let (slot, _line) = joins(&mut world, 1, &[]);
        world.happens([change]);
        for feed in [FeedName::Home, FeedName::Global, FeedName::Tag(tag(1)), FeedName::User(user(3))] {
            let mut snapshot = world.list.state(before).snapshot(before, Some(user(1)), feed, 10).expect("there");
            assert_eq!(world.table.forward(&slot, &mut snapshot), Forwarded::Stale, "{feed} {change:?}");
            assert!(!world.table.reaches(&slot, &[feed], Seq(before + 1)), "{feed} {change:?}");
        }
        let mut me = world.list.state(before).snapshot(before, Some(user(1)), FeedName::Me, 10).expect("there");
        assert_eq!(world.table.forward(&slot, &mut me), Forwarded::Exact);
        let now = world.list.present.snapshot(before + 1, Some(user(1)), FeedName::Me, 10).expect("there");
        assert_eq!((me.blocks, me.mutes), (now.blocks, now.mutes));
        assert!(world.table.reaches(&slot, &[FeedName::Me], Seq(before + 1)));
    }
}

/// Plain posts go the way they always went: in one piece, with nobody asked, though others here hide others.
#[test]
fn what_everybody_is_told_alike_goes_out_in_one_piece() {
    let mut world = World::new();
    world.happens([Change::Mute { verb: Verb::Created, muter: user(2), muted: user(3) }]);
    let (_slot, reader) = joins(&mut world, 2, &[FeedName::Global]);
    let by = |n, author| Change::Post { verb: Verb::Created, id: post(n), author: user(author) };
    world.happens((0..5).map(|n| by(n, 1)));
    assert_eq!((reader.pushes.get(), heard(&reader).len()), (1, 5));
    world.happens([by(5, 1), by(6, 3), by(7, 1)]);
    assert_eq!((reader.pushes.get(), heard(&reader).len()), (3, 2), "the muted one's parts the others");
}
