//! Anomalies put into good histories, one at a time, each with the invariants of which at least one must find it.
//! Must never make a change that the protocol allows: then finding nothing would be right.

mod ends;
mod epochs;
mod events;
mod find;
mod late;
mod states;

use std::collections::BTreeSet;

use rand::rngs::StdRng;

use crate::examine::history::Record;
use crate::examine::judge::Invariant;

/// Puts one anomaly in; false where the history gives no occasion.
type Spoil = fn(&mut Vec<Record>, &mut StdRng) -> bool;

/// An anomaly.
pub struct Mutation {
    /// In words.
    pub name: &'static str,
    /// One of these must be found.
    pub breaks: &'static [Invariant],
    /// In histories with so many lives of the journal.
    pub lives: usize,
    /// How it is done.
    pub spoil: Spoil,
}

const fn mutation(name: &'static str, breaks: &'static [Invariant], spoil: Spoil) -> Mutation {
    Mutation { name, breaks, lives: 1, spoil }
}

/// For histories with a change of epoch.
const fn turned(name: &'static str, breaks: &'static [Invariant], spoil: Spoil) -> Mutation {
    Mutation { name, breaks, lives: 2, spoil }
}

/// How many lives of the journal a history tells of.
pub fn lives(records: &[Record]) -> usize {
    let epochs: BTreeSet<u64> = records.iter().filter_map(find::epoch_told).collect();
    epochs.len()
}

/// All of them.
pub fn all() -> impl Iterator<Item = &'static Mutation> {
    [events::MUTATIONS, states::MUTATIONS, ends::MUTATIONS, late::MUTATIONS, epochs::MUTATIONS].into_iter().flatten()
}
