//! Small journals and seeded dice for the tests of this crate. A failing seed names itself: it is the bug report.

use std::collections::BTreeMap;
use std::sync::Arc;

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use serde_json::value::RawValue;
use tidings_protocol::ids::{PostId, UserId};
use tidings_protocol::marks::PostCounts;
use tidings_protocol::position::{Epoch, Seq};
use uuid::Uuid;

use crate::entry::{Batch, Change, Entry, Verb};

pub(crate) const EPOCH: Epoch = Epoch(46_656);

pub(crate) const fn user(n: u64) -> UserId {
    UserId(Uuid::from_u64_pair(1, n))
}

pub(crate) const fn post(n: u64) -> PostId {
    PostId(Uuid::from_u64_pair(2, n))
}

/// Numbers of a post that nobody has done anything to but comment.
pub(crate) fn counts(of: u64, seq: u64, comments: u64) -> PostCounts {
    PostCounts { post: post(of), seq: Seq(seq), comments, reposts: 0, quotes: 0, reactions: BTreeMap::new() }
}

pub(crate) fn body(json: &str) -> Arc<RawValue> {
    Arc::from(RawValue::from_string(json.to_owned()).expect("test JSON"))
}

pub(crate) fn entry(seq: u64, change: Change) -> Entry {
    Entry { seq: Seq(seq), change, body: body(&format!("{{\"rev\":{seq}}}")), scope: None }
}

/// A batch of any changes, numbered from `first`.
pub(crate) fn batch(first: u64, changes: impl IntoIterator<Item = Change>) -> Batch {
    let entries: Vec<Entry> = (first..).zip(changes).map(|(seq, change)| entry(seq, change)).collect();
    let last = Seq(first + entries.len() as u64 - 1);
    Batch { epoch: EPOCH, first: Seq(first), last, entries }
}

/// A batch of new posts by user 1, post ids being their `seq`.
pub(crate) fn post_batch(first: u64, last: u64) -> Batch {
    batch(first, (first..=last).map(|n| Change::Post { verb: Verb::Created, id: post(n), author: user(1) }))
}

/// Chance that can be repeated.
pub(crate) struct Dice {
    seed: u64,
    rng: SmallRng,
}

impl Dice {
    pub(crate) fn of(seed: u64) -> Self {
        Self { seed, rng: SmallRng::seed_from_u64(seed) }
    }

    /// A number below `sides`.
    pub(crate) fn below(&mut self, sides: u64) -> u64 {
        self.rng.random_range(0..sides)
    }

    /// Yes, so many times out of a hundred.
    pub(crate) fn percent(&mut self, chance: u64) -> bool {
        self.below(100) < chance
    }

    pub(crate) fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.below(most - least + 1)
    }

    pub(crate) fn index(&mut self, length: usize) -> usize {
        self.rng.random_range(0..length)
    }

    pub(crate) fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.index(choices.len())]
    }
}

impl Drop for Dice {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("seed {}", self.seed);
        }
    }
}
