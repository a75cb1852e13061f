//! Machine and board together, in virtual time, with a database that is slow or away and readers who come, go and do not keep up; beside
//! them a plain list of everything that anybody was told.

use std::collections::BTreeMap;

use tidings_protocol::ids::PostId;
use tidings_protocol::limits::COUNTS_EVERY_MS;

use super::board::{Board, Reader};
use super::machine::{Machine, Step};
use crate::testing::{Dice, counts, post};

/// What each reader was told of each post: when, and what.
type Heard = BTreeMap<(usize, PostId), Vec<(u64, u64)>>;

/// What the database finds.
type Found = Vec<(PostId, u64)>;

struct World {
    now: u64,
    machine: Machine,
    /// A worker thread each, with when it may tell something again.
    boards: Vec<(Board, u64)>,
    /// The truth: a number of each post.
    truth: BTreeMap<PostId, u64>,
    seq: u64,
    /// A question on its way: when it is answered, with what was true when the database looked, or not at all.
    asked: Option<(u64, Option<Found>)>,
    /// By worker: readers of a post, and whether they keep up.
    readers: Vec<BTreeMap<(PostId, usize), bool>>,
    heard: Heard,
}

impl World {
    fn of(workers: usize) -> Self {
        Self {
            now: 0,
            machine: Machine::default(),
            boards: (0..workers).map(|_| (Board::default(), 0)).collect(),
            truth: BTreeMap::new(),
            seq: 0,
            asked: None,
            readers: vec![BTreeMap::new(); workers],
            heard: Heard::new(),
        }
    }

    fn reads(&mut self, worker: usize, reader: usize, of: PostId) {
        self.readers[worker].insert((of, reader), true);
        self.boards[worker].0.reads(of, reader);
        self.machine.touch(of);
    }

    /// Somebody reacts: committed, applied on every worker, and told to whoever watches.
    fn reacts(&mut self, to: PostId) {
        *self.truth.entry(to).or_default() += 1;
        self.seq += 1;
        if self.readers.iter().any(|readers| readers.keys().any(|(post, _)| *post == to)) {
            self.machine.touch(to);
        }
    }

    /// One millisecond. `delay` and `fails` are how the database takes a question.
    fn tick(&mut self, delay: u64, fails: bool) {
        self.now += 1;
        if self.asked.as_ref().is_some_and(|(at, _)| self.now >= *at) {
            let (_, answer) = self.asked.take().unwrap();
            let seq = self.seq;
            let told = |posts: Vec<(PostId, u64)>| {
                posts.into_iter().map(|(of, number)| super::PostCounts { post: of, ..counts(0, seq, number) }).collect()
            };
            let news = self.machine.answered(self.now, answer.map(told));
            for (of, counts) in news {
                self.boards.iter_mut().for_each(|(board, _)| board.brings(of, counts.clone()));
            }
        }
        if self.asked.is_none()
            && let Step::Ask(posts) = self.machine.next(self.now)
        {
            let is = |of: PostId| (of, self.truth.get(&of).copied().unwrap_or(0));
            let answer = (!fails).then(|| posts.into_iter().map(is).collect());
            self.asked = Some((self.now + delay, answer));
        }
        for (worker, (board, not_before)) in self.boards.iter_mut().enumerate() {
            if self.now < *not_before {
                continue;
            }
            let readers = &self.readers[worker];
            let here = |of: PostId| {
                let of_post = readers.iter().filter(|((post, _), _)| *post == of);
                of_post.map(|((_, n), keeps_up)| Reader { place: *n, may_be_told: *keeps_up, way: *n }).collect()
            };
            for due in board.due(here) {
                *not_before = self.now + COUNTS_EVERY_MS;
                for reader in due.readers {
                    self.heard.entry((reader, due.counts.post)).or_default().push((self.now, due.counts.comments));
                }
            }
        }
    }

    /// Nobody was told more than four times in any second, nor twice the same without having come anew.
    fn nobody_is_flooded(&self) {
        for told in self.heard.values() {
            for (nth, (at, _)) in told.iter().enumerate() {
                let in_a_second = told[nth..].iter().take_while(|(then, _)| *then < at + 1_000).count();
                assert!(in_a_second <= 4, "{in_a_second} messages in the second from {at}");
            }
        }
    }

    fn everybody_knows_the_truth(&self) {
        for readers in &self.readers {
            for (of, reader) in readers.keys() {
                let last = self.heard.get(&(*reader, *of)).and_then(|told| told.last()).map(|(_, number)| *number);
                assert_eq!(last, Some(self.truth.get(of).copied().unwrap_or(0)), "reader {reader}");
            }
        }
    }
}

#[test]
fn a_thousand_reactions_in_a_second_are_told_in_four_messages_and_the_last_is_right() {
    let mut world = World::of(2);
    for reader in 0..10 {
        world.reads(reader % 2, reader, post(1));
    }
    for _ in 0..1_000 {
        world.reacts(post(1));
        world.tick(3, false);
    }
    let first_second = world.heard[&(0, post(1))].len();
    assert!((2..=4).contains(&first_second), "{first_second} messages");
    for _ in 0..1_000 {
        world.tick(3, false);
    }
    world.nobody_is_flooded();
    world.everybody_knows_the_truth();
    assert_eq!(world.heard[&(9, post(1))].last().unwrap().1, 1_000);
    let before = world.heard.clone();
    (0..5_000).for_each(|_| world.tick(3, false));
    assert_eq!(world.heard, before, "nothing is told while nothing happens");
}

#[test]
fn p4_whatever_happens_everybody_knows_the_last_numbers_once_it_is_quiet() {
    for seed in 0..60 {
        let mut dice = Dice::of(seed);
        let mut world = World::of(3);
        let mut next_reader = 0;
        for nth in 0..3_000 {
            match dice.below(100) {
                0..4 => {
                    let (worker, of) = (dice.index(3), post(dice.below(5)));
                    world.reads(worker, next_reader, of);
                    next_reader += 1;
                }
                4..6 => {
                    let readers = &mut world.readers[dice.index(3)];
                    let key = readers.keys().nth(dice.index(readers.len().max(1))).copied();
                    key.map(|key| readers.remove(&key));
                }
                6..12 => {
                    let readers = &mut world.readers[dice.index(3)];
                    let at = dice.index(readers.len().max(1));
                    if let Some(keeps_up) = readers.values_mut().nth(at) {
                        *keeps_up = !*keeps_up;
                    }
                }
                // Nothing more is news for the last second, in which some do not keep up.
                12..40 if nth < 2_000 => world.reacts(post(dice.below(5))),
                40..42 => {
                    let board = &mut world.boards[dice.index(3)].0;
                    let posts = board.begin_afresh();
                    posts.into_iter().for_each(|of| world.machine.touch(of));
                }
                _ => {}
            }
            let (delay, fails) = (dice.between(1, 400), dice.percent(10));
            world.tick(delay, fails);
        }
        world.readers.iter_mut().flat_map(BTreeMap::values_mut).for_each(|keeps_up| *keeps_up = true);
        (0..3_000).for_each(|_| world.tick(1, false));
        world.nobody_is_flooded();
        world.everybody_knows_the_truth();
    }
}
