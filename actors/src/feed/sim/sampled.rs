//! `global` where more is posted than it tells, case by case.

use std::rc::Rc;

use tidings_protocol::delivery::DeliveryMode::{Count, Full, Ids};
use tidings_protocol::entity::Visibility;
use tidings_protocol::feed::FeedName::{self, Global};
use tidings_protocol::position::Seq;
use tidings_protocol::push::Notice;

use super::cases::World;
use super::reader::FakeLine;
use crate::entry::{Change, Verb};
use crate::testing::{post, user};

const SECOND: u64 = 1_000;

impl World {
    /// A world whose `global` is told so many new posts a second.
    fn above(rate: u32) -> Self {
        let World { list, table } = Self::new();
        Self { list, table: table.sampled_above(rate) }
    }

    /// New posts by user 1, in one batch, and a second passes.
    fn a_second_of(&mut self, at: &mut u64, posts: std::ops::Range<u64>) {
        self.happens(posts.map(|n| Change::Post { verb: Verb::Created, id: post(n), author: user(1) }));
        *at += SECOND;
        self.table.passes(*at);
    }

    /// Who is told what part they are told, in any order.
    fn parts(&mut self, readers: &[&Rc<FakeLine>]) -> Vec<Option<u32>> {
        let mut told = vec![None; readers.len()];
        self.table.tell_part(|line, notice| {
            if let (Notice::Sampled { feed: Global, one_in }, Some(at)) =
                (notice, readers.iter().position(|reader| Rc::ptr_eq(reader, line)))
            {
                told[at] = Some(*one_in);
            }
        });
        told
    }
}

/// Events since the last time.
fn heard(line: &FakeLine) -> Vec<String> {
    let heard = String::from_utf8(line.read()).expect("text");
    line.wire.borrow_mut().clear();
    heard.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

#[test]
fn above_the_rate_new_posts_of_global_are_told_in_part_and_nothing_else_is() {
    let mut world = World::above(10);
    let mut at = 0;
    let (_full, full) = world.joins(2, 1, usize::MAX, &[Global]);
    let (ids_slot, ids) = world.joins(3, 1, usize::MAX, &[]);
    world.table.watch(&ids_slot, Global, Ids);
    let (count_slot, _count) = world.joins(3, 2, usize::MAX, &[]);
    world.table.watch(&count_slot, Global, Count);
    let (_profile, profile) = world.joins(2, 2, usize::MAX, &[FeedName::User(user(1))]);
    let (_fire, fire) = world.joins(2, 3, usize::MAX, &[FeedName::Firehose]);
    world.a_second_of(&mut at, 0..80);
    assert_eq!((heard(&full).len(), heard(&ids).len(), world.table.one_in()), (80, 80, 8));
    assert_eq!(world.parts(&[&full, &ids, &profile, &fire]), [Some(8), Some(8), None, None]);
    assert_eq!(world.parts(&[&full, &ids]), [None, None], "told once");
    heard(&profile);
    heard(&fire);
    world.a_second_of(&mut at, 80..160);
    let (part, brief) = (heard(&full), heard(&ids));
    assert!((1..=25).contains(&part.len()), "about ten: {}", part.len());
    assert_eq!(part.len(), brief.len(), "the same for all");
    assert_eq!((heard(&profile).len(), heard(&fire).len()), (80, 80));
    let mut news = 0;
    world.table.tell_news(|_, notice| {
        if let Notice::News { count, .. } = notice {
            news = *count;
        }
        true
    });
    assert_eq!(news, 100, "counted are all: as many as can be");
    // What changes and what goes is told, also of posts that were left out; a post for followers is none of global's.
    world.happens((80..160).map(|n| Change::Post { verb: Verb::Updated, id: post(n), author: user(1) }));
    world.happens((80..160).map(|n| Change::Post { verb: Verb::Removed, id: post(n), author: user(1) }));
    world.writes(Verb::Created, 900, Visibility::Private, &[1], &[]);
    assert_eq!((heard(&full).len(), heard(&ids).len()), (160, 160));
}

/// Somebody hides the author: every reader is asked for by itself, on another way.
#[test]
fn it_holds_where_readers_are_asked_one_by_one_as_well() {
    let mut world = World::above(10);
    let mut at = 0;
    world.happens([Change::Mute { verb: Verb::Created, muter: user(3), muted: user(1) }]);
    let (_full, full) = world.joins(2, 1, usize::MAX, &[Global]);
    let (_muted, muted) = world.joins(3, 1, usize::MAX, &[Global]);
    world.a_second_of(&mut at, 0..80);
    heard(&full);
    world.a_second_of(&mut at, 80..160);
    let part = heard(&full).len();
    assert!((1..=25).contains(&part), "about ten: {part}");
    assert_eq!(heard(&muted).len(), 0);
}

#[test]
fn who_comes_meanwhile_is_told_so_and_everybody_is_told_when_it_is_over() {
    let mut world = World::above(10);
    let mut at = 0;
    let (_early, early) = world.joins(2, 1, usize::MAX, &[Global]);
    world.a_second_of(&mut at, 0..80);
    assert_eq!(world.parts(&[&early]), [Some(8)]);
    let (slot, late) = world.joins(3, 1, usize::MAX, &[Global]);
    assert!(world.table.has_news(), "somebody has to be told");
    world.table.fall_back(&slot, Vec::new(), Seq(1));
    assert_eq!(world.parts(&[&early, &late]), [None, None], "not while behind");
    let _caught_up = world.table.catch_up(&slot);
    assert_eq!(heard(&late).len(), 80, "what was missed is told in full");
    assert_eq!(world.parts(&[&early, &late]), [None, Some(8)]);
    for _ in 0..3 {
        assert!(world.table.has_news(), "it has to be asked again, also when nothing comes");
        at += SECOND;
        world.table.passes(at);
    }
    assert_eq!((world.parts(&[&early, &late]), world.table.one_in()), (vec![Some(1), Some(1)], 1));
    assert!(!world.table.has_news());
    world.table.watch(&slot, Global, Count);
    world.table.watch(&slot, Global, Full);
    assert_eq!(world.parts(&[&early, &late]), [None, None], "where nothing is said, all is told");
}
