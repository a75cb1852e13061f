//! The firehose, case by case: who is told what of it, at whose cost.

use std::sync::Arc;

use tidings_protocol::bots::{FirehoseFilter, FirehoseKind};
use tidings_protocol::entity::Visibility;
use tidings_protocol::feed::FeedName::{Firehose, Global, Home, User};
use tidings_protocol::ids::CommentId;
use tidings_protocol::position::Seq;
use tidings_protocol::spans::Tag;
use uuid::Uuid;

use super::cases::World;
use super::reader::FakeLine;
use crate::entry::{Batch, Change, Entry, Scope, Verb};
use crate::feed::catch_up::CaughtUp;
use crate::testing::{EPOCH, entry, post, user};

const CREATED: Verb = Verb::Created;

fn of_post(n: u64, author: u64) -> Change {
    Change::Post { verb: CREATED, id: post(n), author: user(author) }
}

fn of_comment(n: u64, author: u64) -> Change {
    Change::Comment { verb: CREATED, id: CommentId(Uuid::from_u64_pair(3, n)), post: post(1), author: user(author) }
}

fn for_some(entry: Entry, visibility: Visibility) -> Entry {
    let scope = Scope { visibility, widest: visibility, ..Scope::default() };
    Entry { scope: Some(Arc::new(scope)), ..entry }
}

fn tagged(entry: Entry, tag: &str) -> Entry {
    let tags = vec![tag.parse::<Tag>().expect("a tag")];
    let scope = Scope { tagged: tags.clone(), tags, ..Scope::default() };
    Entry { scope: Some(Arc::new(scope)), ..entry }
}

impl World {
    /// Beside the list: the firehose is no feed that it knows.
    fn tells(&mut self, entries: Vec<Entry>) {
        let (first, last) = (entries[0].seq, entries[entries.len() - 1].seq);
        let batch = Arc::new(Batch { epoch: EPOCH, first, last, entries });
        if self.table.apply(&batch, || false) {
            while self.table.sweep() {}
        }
    }
}

/// What came, as feed and number.
fn heard(line: &FakeLine) -> Vec<(String, u64)> {
    let wire = line.read();
    let frames = std::str::from_utf8(&wire).expect("text").lines();
    let read = |frame: &str| {
        let frame: serde_json::Value = serde_json::from_str(frame).expect("a frame");
        (frame["feed"].as_str().unwrap_or_default().to_owned(), frame["seq"].as_u64().unwrap_or_default())
    };
    frames.map(read).collect()
}

fn numbers(line: &FakeLine) -> Vec<u64> {
    heard(line).into_iter().map(|(_, seq)| seq).collect()
}

fn wants(kinds: &[FirehoseKind], authors: &[u64], tags: &[&str]) -> FirehoseFilter {
    FirehoseFilter {
        kinds: kinds.to_vec(),
        authors: authors.iter().map(|n| user(*n)).collect(),
        tags: tags.iter().map(|tag| tag.parse().expect("a tag")).collect(),
    }
}

#[test]
fn p5_it_tells_what_is_public_and_nothing_else() {
    let mut world = World::new();
    let (slot, line) = world.joins(3, 1, usize::MAX, &[Firehose]);
    world.tells(vec![
        entry(4, of_post(1, 1)),
        for_some(entry(5, of_post(2, 1)), Visibility::Followers),
        entry(6, of_comment(1, 2)),
        for_some(entry(7, of_comment(2, 2)), Visibility::Followers),
        entry(8, Change::User { verb: Verb::Updated, id: user(1) }),
        entry(9, Change::Follow { verb: CREATED, follower: user(1), followee: user(2) }),
        entry(10, Change::Mute { verb: CREATED, muter: user(1), muted: user(2) }),
    ]);
    assert_eq!(numbers(&line), [4, 6, 8]);
    // Nor by catching up.
    world.table.fall_back(&slot, Vec::new(), Seq(4));
    assert_eq!(world.table.catch_up(&slot), CaughtUp::Live);
    assert_eq!(numbers(&line), [4, 6, 8]);
    world.table.leave(slot);
    assert!(world.table.is_bare());
}

#[test]
fn p5_whom_the_listener_hides_and_who_blocks_them_is_left_out_from_then_on() {
    let mut world = World::new();
    let (_slot, line) = world.joins(3, 1, usize::MAX, &[Firehose]);
    world.happens([Change::Block { verb: CREATED, blocker: user(1), blocked: user(3) }]);
    world.happens([Change::Mute { verb: CREATED, muter: user(3), muted: user(2) }]);
    world.tells(vec![
        entry(6, of_post(1, 1)),
        entry(7, of_comment(1, 2)),
        entry(8, of_post(2, 2)),
        entry(9, of_post(3, 3)),
    ]);
    assert_eq!(numbers(&line), [9]);
}

#[test]
fn a_filter_leaves_out_the_rest_live_and_catching_up() {
    use FirehoseKind::{Comment, Post, User as Profile};
    let told = vec![
        entry(4, of_post(1, 1)),
        entry(5, of_comment(1, 2)),
        tagged(entry(6, of_post(2, 2)), "rain"),
        entry(7, Change::User { verb: Verb::Updated, id: user(1) }),
    ];
    for (filter, heard) in [
        (wants(&[], &[], &[]), vec![4, 5, 6, 7]),
        (wants(&[Post], &[], &[]), vec![4, 6]),
        (wants(&[Comment, Profile], &[], &[]), vec![5, 7]),
        (wants(&[], &[2], &[]), vec![5, 6]),
        (wants(&[], &[], &["rain", "sun"]), vec![6]),
        (wants(&[Post], &[1], &["rain"]), vec![]),
    ] {
        let mut world = World::new();
        let (slot, line) = world.joins(3, 1, usize::MAX, &[]);
        world.table.narrow(&slot, Some(filter.clone().into()));
        world.tells(told.clone());
        assert!(numbers(&line).is_empty(), "before it is subscribed");
        world.table.subscribe(&slot, Firehose);
        world.table.fall_back(&slot, Vec::new(), Seq(4));
        assert_eq!(world.table.catch_up(&slot), CaughtUp::Live);
        assert_eq!(numbers(&line), heard, "catching up: {filter:?}");
        let again = told.iter().map(|entry| Entry { seq: Seq(entry.seq.0 + 4), ..entry.clone() }).collect();
        world.tells(again);
        assert_eq!(numbers(&line), heard.iter().map(|seq| seq + 4).collect::<Vec<_>>(), "live: {filter:?}");
    }
}

#[test]
fn a_frame_is_made_once_however_many_filters_pass_it() {
    let mut world = World::new();
    let mut lines = Vec::new();
    for session in 0..20 {
        let (slot, line) = world.joins(3, session, usize::MAX, &[Firehose]);
        world.table.narrow(&slot, (session % 2 == 0).then(|| wants(&[], &[1 + session % 4], &[]).into()));
        lines.push((slot, line));
    }
    world.table.take_counts();
    world.tells(vec![entry(4, of_post(1, 1))]);
    let counts = world.table.take_counts();
    assert_eq!((counts.encoded, counts.deliveries), (1, 15), "ten who want all, five who want this author");
}

#[test]
fn p3_its_events_keep_their_place_among_those_of_other_feeds() {
    let mut world = World::new();
    let (_one, both) = world.joins(1, 1, usize::MAX, &[Firehose, Home, Global]);
    let (_two, people) = world.joins(2, 2, usize::MAX, &[Global, User(user(1))]);
    world.tells((4..24).map(|seq| entry(seq, of_post(seq, 1 + seq % 2))).collect());
    let told = heard(&both);
    assert!(told.is_sorted_by_key(|(_, seq)| *seq), "{told:?}");
    for feed in ["firehose", "global"] {
        let of_feed: Vec<u64> = told.iter().filter(|(name, _)| name == feed).map(|(_, seq)| *seq).collect();
        assert_eq!(of_feed, (4..24).collect::<Vec<_>>(), "{feed}");
    }
    let told = heard(&people);
    assert!(told.is_sorted_by_key(|(_, seq)| *seq), "{told:?}");
    assert_eq!(told.len(), 30);
}

#[test]
fn those_who_read_global_get_their_frames_in_one_piece_whoever_listens_beside_them() {
    let mut world = World::new();
    let (_one, reader) = world.joins(1, 1, usize::MAX, &[Global]);
    let (_two, _listener) = world.joins(2, 2, usize::MAX, &[Firehose]);
    let before = reader.pushes.get();
    world.tells((4..14).map(|seq| entry(seq, of_post(seq, 3))).collect());
    assert_eq!(reader.pushes.get() - before, 1, "ten frames in one piece");
    assert_eq!(numbers(&reader).len(), 10);
}
