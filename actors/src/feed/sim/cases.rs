//! The feed table, case by case.

use std::rc::Rc;
use std::sync::Arc;

use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::{CaseId, CommentId, UserId};
use tidings_protocol::limits::CATCH_UP_EVENTS;
use tidings_protocol::position::{Epoch, Seq};
use uuid::Uuid;

use super::oracle::Queue;
use super::reader::{FRAMING, FakeLine};
use crate::entry::{Change, Verb};
use crate::feed::context::Afresh;
use crate::feed::forward::Forwarded;
use crate::feed::join::NotJoined;
use crate::feed::sight::{Sight, sight};
use crate::feed::table::{FeedTable, SlotId, Told};
use crate::ports::{Head, Viewer};
use crate::sim::list::List;
use crate::sim::model::session_id;
use crate::testing::{Dice, EPOCH, post, user};

pub(super) struct World {
    pub(super) list: List,
    pub(super) table: FeedTable<Rc<FakeLine>>,
}

impl World {
    /// Three people who follow nobody.
    pub(super) fn new() -> Self {
        let head = Head { epoch: EPOCH, seq: Seq(0), floor: Seq(0) };
        let mut world = Self { list: List::default(), table: FeedTable::new(FRAMING, head) };
        world.happens([1, 2, 3].map(|n| Change::User { verb: Verb::Created, id: user(n) }));
        world
    }

    /// In one batch.
    pub(super) fn happens(&mut self, changes: impl IntoIterator<Item = Change>) {
        let first = self.list.head() + 1;
        for change in changes {
            self.list.write(change, None);
        }
        self.applies(first);
    }

    /// The table is told of all from some entry on.
    pub(super) fn applies(&mut self, first: u64) {
        if self.table.apply(&Arc::new(self.list.batch(first, self.list.head(), false)), || false) {
            while self.table.sweep() {}
        }
    }

    fn viewer(&self, who: UserId) -> Viewer {
        self.list.state(self.list.head()).viewer(self.list.head(), who, true)
    }

    pub(super) fn joins(&mut self, who: u64, session: u64, room: usize, feeds: &[FeedName]) -> (SlotId, Rc<FakeLine>) {
        let line = FakeLine::of(Some(user(who)), room, &Queue::default());
        let viewer = Some((self.viewer(user(who)), session_id(session)));
        let slot = self.table.join(Rc::clone(&line), viewer).expect("fresh");
        for feed in feeds {
            self.table.subscribe(&slot, *feed);
        }
        (slot, line)
    }
}

fn posts(ids: impl IntoIterator<Item = u64>) -> Vec<Change> {
    ids.into_iter().map(|n| Change::Post { verb: Verb::Created, id: post(n), author: user(1) }).collect()
}

fn heard(line: &FakeLine) -> usize {
    line.wire.borrow().iter().filter(|byte| **byte == b'\n').count()
}

#[test]
fn p3_more_in_one_batch_than_a_queue_holds_catches_up_by_itself_when_the_reader_takes_it() {
    let mut world = World::new();
    let (slot, line) = world.joins(2, 1, usize::MAX, &[FeedName::Global]);
    world.happens(posts(0..800));
    assert_eq!(world.table.take_counts().overflows, 1);
    assert!(!world.table.is_behind(&slot) && line.told.borrow().is_empty());
    assert_eq!(heard(&line), 800);
    world.happens(posts(1_000..1_000 + 2 * CATCH_UP_EVENTS as u64));
    assert_eq!(*line.told.borrow(), [Told::Beyond], "too much to tell one by one");
}

#[test]
fn p5_a_log_in_that_ends_is_told_to_its_sessions_alone_and_keeps_late_ones_out() {
    let mut world = World::new();
    let before = world.viewer(user(1));
    let (_slot_1, mine) = world.joins(1, 1, usize::MAX, &[]);
    let (_slot_2, other) = world.joins(1, 2, usize::MAX, &[]);
    let (_slot_3, foreign) = world.joins(2, 1, usize::MAX, &[]);
    world.happens([Change::SessionRevoked { user: user(1), session: Some(session_id(1)) }]);
    let told = |line: &FakeLine| line.told.borrow().len();
    assert_eq!((told(&mine), told(&other), told(&foreign)), (1, 0, 0));
    let late = FakeLine::of(None, 0, &Queue::default());
    let refused = world.table.join(Rc::clone(&late), Some((before.clone(), session_id(1))));
    assert_eq!(refused, Err(NotJoined::Revoked));
    assert!(world.table.join(late, Some((before, session_id(2)))).is_ok());
    world.happens([Change::SessionRevoked { user: user(1), session: None }]);
    assert_eq!((told(&mine), told(&other), told(&foreign)), (2, 1, 0));
}

#[test]
fn p4_a_snapshot_from_before_a_follow_is_stale_and_only_for_home() {
    let mut world = World::new();
    let (slot, line) = world.joins(1, 1, usize::MAX, &[FeedName::Home]);
    let before = world.list.head();
    world.happens([Change::Follow { verb: Verb::Created, follower: user(1), followee: user(2) }]);
    assert_eq!(*line.told.borrow(), [Told::ContextChanged(Afresh::Circle)]);
    let snapshot = |feed| world.list.state(before).snapshot(before, Some(user(1)), feed, 10).expect("there");
    assert_eq!(world.table.forward(&slot, &mut snapshot(FeedName::Home)), Forwarded::Stale);
    let mut me = snapshot(FeedName::Me);
    assert_eq!(world.table.forward(&slot, &mut me), Forwarded::Exact);
    assert_eq!((me.seq.0, me.follows), (before + 1, Some(vec![user(2)])));
}

#[test]
fn p4_a_page_whose_posts_have_all_gone_still_takes_in_newer_ones() {
    let mut world = World::new();
    let (slot, _line) = world.joins(1, 1, usize::MAX, &[]);
    world.happens(posts([1, 2]));
    let head = world.list.head();
    let mut page = world.list.state(head).snapshot(head, None, FeedName::Global, 1).expect("there");
    assert!(page.next.is_some());
    world.happens([Change::Post { verb: Verb::Removed, id: post(2), author: user(1) }]);
    world.happens(posts([3]));
    assert_eq!(world.table.forward(&slot, &mut page), Forwarded::Exact);
    let ids: Vec<_> = page.posts.iter().flatten().map(|post| post.id).collect();
    assert_eq!(ids, [post(3)]);
}

#[test]
fn p4_a_new_name_reaches_the_authors_of_a_snapshot_too() {
    let mut world = World::new();
    let (slot, _line) = world.joins(1, 1, usize::MAX, &[]);
    world.happens(posts([1]));
    let head = world.list.head();
    let mut home = world.list.state(head).snapshot(head, Some(user(1)), FeedName::Home, 9).expect("there");
    world.happens([Change::User { verb: Verb::Updated, id: user(1) }]);
    assert_eq!(world.table.forward(&slot, &mut home), Forwarded::Exact);
    assert_eq!(home.posts.expect("posts")[0].author.rev, Seq(head + 1));
}

#[test]
fn p5_the_comments_of_a_removed_post_are_not_told_to_who_was_away() {
    let mut world = World::new();
    world.happens(posts([1]));
    let from = world.list.head() + 1;
    let comment = CommentId(Uuid::from_u64_pair(3, 1));
    world.happens([Change::Comment { verb: Verb::Created, id: comment, post: post(1), author: user(2) }]);
    world.happens([Change::Post { verb: Verb::Removed, id: post(1), author: user(1) }]);
    let (slot, line) = world.joins(3, 1, usize::MAX, &[FeedName::Post(post(1))]);
    world.table.fall_back(&slot, Vec::new(), Seq(from));
    let _caught_up = world.table.catch_up(&slot);
    let wire = String::from_utf8(line.wire.borrow().clone()).expect("text");
    assert!(wire.contains("post.removed") && !wire.contains("comment."), "{wire}");
}

#[test]
fn p5_cases_reach_moderators_alone_and_nobody_from_the_entry_on_by_which_they_are_none() {
    let mut world = World::new();
    let rights = |who: u64, moderates| Change::Rights { user: user(who), moderates };
    let case = |n: u64| Change::Case { id: CaseId(Uuid::from_u64_pair(7, n)) };
    let (slot, line) = world.joins(1, 1, usize::MAX, &[FeedName::Mod]);
    assert!(!world.table.moderates(&slot));
    world.happens([rights(1, true), case(1)]);
    assert_eq!((heard(&line), line.told.borrow().clone()), (0, vec![Told::ContextChanged(Afresh::Others)]));
    assert!(world.table.moderates(&slot) && Afresh::Others.touches(FeedName::Mod));
    // Once the feed has been told afresh: the case again, which is harmless, and what follows.
    world.table.release(&slot, Afresh::Others);
    let _caught_up = world.table.catch_up(&slot);
    world.happens([case(2)]);
    let wire = || String::from_utf8(line.wire.borrow().clone()).expect("text");
    assert_eq!(wire().matches("case.updated").count(), 2);
    let since = world.list.head();
    world.happens([rights(1, false), case(3), rights(2, true)]);
    assert_eq!(wire().matches("case.updated").count(), 2, "held");
    assert!(!world.table.reaches(&slot, &[FeedName::Mod], Seq(since)), "nor may they go on from memory");
    let (other, another) = world.joins(2, 2, usize::MAX, &[FeedName::Me]);
    world.happens([case(4)]);
    assert_eq!(heard(&another), 0, "who does not watch it");
    world.table.leave(slot);
    world.table.leave(other);
    assert!(world.table.is_bare());
}

#[test]
fn a_new_epoch_silences_everybody_until_they_join_again_with_whom_they_follow_then() {
    let mut world = World::new();
    world.happens([Change::Follow { verb: Verb::Created, follower: user(1), followee: user(2) }]);
    let (old, line) = world.joins(1, 1, usize::MAX, &[FeedName::Home]);
    let head = Head { epoch: Epoch(9), seq: Seq(3), floor: Seq(0) };
    world.table.begin_epoch(head);
    assert_eq!((world.table.epoch(), world.table.applied()), (head.epoch, head.seq));
    assert_eq!(*line.told.borrow(), [Told::NewEpoch]);
    // In this life user 1 follows user 3.
    world.list = List::default();
    for n in 1..=3 {
        world.list.write(Change::User { verb: Verb::Created, id: user(n) }, None);
    }
    let mut next = |change| {
        world.list.write(change, None);
        let mut batch = world.list.batch(world.list.head(), world.list.head(), false);
        batch.epoch = head.epoch;
        world.table.apply(&Arc::new(batch), || false);
    };
    next(Change::Follow { verb: Verb::Created, follower: user(1), followee: user(3) });
    let by = |n: u64, author| Change::Post { verb: Verb::Created, id: post(n), author };
    next(by(1, user(2)));
    assert_eq!(line.pushes.get(), 0, "silent");
    let (slot, fresh) = world.joins(1, 1, usize::MAX, &[FeedName::Home]);
    world.table.leave(old);
    let mut next = |change| {
        world.list.write(change, None);
        let mut batch = world.list.batch(world.list.head(), world.list.head(), false);
        batch.epoch = head.epoch;
        world.table.apply(&Arc::new(batch), || false);
    };
    next(by(2, user(2)));
    next(by(3, user(3)));
    assert_eq!(fresh.pushes.get(), 1, "user 3 and not user 2");
    world.table.leave(slot);
    assert!(world.table.is_bare());
}

#[test]
fn what_is_indexed_what_belongs_and_what_plain_words_say_agree() {
    let mut dice = Dice::of(5);
    let mut told_in_all = 0;
    for _ in 0..300 {
        let mut world = World::new();
        let someone = |dice: &mut Dice| user(dice.between(1, 3));
        for _ in 0..dice.below(3) {
            let (follower, followee) = (someone(&mut dice), someone(&mut dice));
            if follower != followee {
                world.happens([Change::Follow { verb: Verb::Created, follower, followee }]);
            }
        }
        world.happens(posts(0..2));
        let me = someone(&mut dice);
        let (whom, which) = (someone(&mut dice), post(dice.below(2)));
        let all = [FeedName::Home, FeedName::Global, FeedName::Me, FeedName::User(whom), FeedName::Post(which)];
        let feeds: Vec<FeedName> = all.into_iter().filter(|_| dice.percent(50)).collect();
        let (slot, line) = world.joins(me.0.as_u64_pair().1, 1, usize::MAX, &feeds);
        let (verb, author) = (dice.one_of(&[Verb::Created, Verb::Updated, Verb::Removed]), someone(&mut dice));
        let change = match dice.below(4) {
            0 => Change::Post { verb, id: post(dice.below(2)), author: user(1) },
            1 => {
                let id = CommentId(Uuid::from_u64_pair(3, 1));
                Change::Comment { verb, id, post: post(dice.below(2)), author }
            }
            2 => Change::User { verb: Verb::Updated, id: author },
            _ => Change::SessionRevoked { user: author, session: None },
        };
        world.happens([change]);
        let (entry, state) = (world.list.entries.last().expect("just written"), &world.list.present);
        let by_words = feeds.iter().filter(|feed| state.tells(**feed, &change, Some(me))).count();
        let eyes = world.table.eyes(slot.0);
        let by_sight = feeds.iter().filter(|feed| sight(**feed, entry, eyes) != Sight::Nothing).count();
        assert_eq!((line.pushes.get(), by_sight), (by_words, by_words), "{change:?} on {feeds:?} of {me}");
        told_in_all += by_words;
    }
    assert!(told_in_all > 100);
}

#[test]
fn p4_a_home_from_memory_is_whole_or_not_told() {
    let mut world = World::new();
    let (slot, _line) = world.joins(1, 1, usize::MAX, &[FeedName::Home]);
    world.happens(posts(0..5));
    let all = world.table.recall(&slot, 10).expect("memory holds the whole journal");
    assert_eq!((all.posts.map(|posts| posts.len()), all.next, all.seq), (Some(5), None, Seq(8)));
    let two = world.table.recall(&slot, 2).expect("there are enough");
    let places: Vec<u64> = two.posts.iter().flatten().map(|post| post.seq.0).collect();
    assert_eq!((places, two.next.map(|next| next.seq)), (vec![8, 7], Some(Seq(7))));
    world.table.remember(4);
    assert!(world.table.recall(&slot, 2).is_none(), "what came before may belong there");
    world.happens(posts(5..7));
    assert!(world.table.recall(&slot, 2).is_none(), "whether there is more is not known");
    world.happens([Change::Post { verb: Verb::Updated, id: post(0), author: user(1) }]);
    assert!(world.table.recall(&slot, 2).is_none(), "an old post that has changed is still an old one");
    world.happens(posts(7..8));
    assert!(world.table.recall(&slot, 2).is_some());
}

#[test]
fn p3_whoever_has_no_place_in_the_present_life_of_the_journal_is_told_nothing_from_memory() {
    let mut world = World::new();
    let (slot, _line) = world.joins(1, 1, usize::MAX, &[FeedName::Home]);
    world.happens(posts(0..5));
    world.table.begin_epoch(Head { epoch: Epoch(7), seq: Seq(0), floor: Seq(0) });
    assert!(world.table.recall(&slot, 2).is_none(), "whom they follow may be lost");
    let viewer = Viewer { seq: Seq(0), ..world.viewer(user(1)) };
    let line = FakeLine::of(None, usize::MAX, &Queue::default());
    let again = world.table.join(line, Some((viewer, session_id(2)))).expect("fresh");
    assert_eq!(world.table.recall(&again, 2).and_then(|home| home.posts), Some(Vec::new()));
    assert!(world.table.recall(&slot, 2).is_none(), "this session has not come along");
}
