//! Anomalies of a new life of the journal: what is carried over, what is not told, numbers that are given out twice.
//! Must never make a change that the protocol allows: then finding nothing would be right.

#![expect(clippy::wildcard_enum_match_arm, reason = "each looks for one kind of record among all")]

use rand::rngs::StdRng;

use super::find::{epoch_told, pick, pick_slowly, shown, sights};
use super::{Mutation, turned};
use crate::examine::history::{Op, Record, Thing, What};
use crate::examine::judge::Invariant;

/// All of them.
pub const MUTATIONS: &[Mutation] = &[
    turned("a client never hears of the new epoch", &[Invariant::Bijection, Invariant::Lost], |records, rng| {
        // And is told something else of it before the line ends.
        let hears = |index: &usize| {
            let What::Position { connection: over, .. } = records[*index].what else { return false };
            records.iter().skip(index + 1).any(|record| match record.what {
                What::Event { connection, .. } | What::Position { connection, .. } => connection == over,
                _ => false,
            })
        };
        let fit: Vec<usize> = (0..records.len()).filter(|index| is_resync(&records[*index]) && hears(index)).collect();
        let Some(index) = choose(&fit, rng) else { return false };
        records.remove(index);
        true
    }),
    turned("a feed is not told afresh in the new epoch", &[Invariant::Lost], |records, rng| {
        let fit: Vec<usize> = (0..records.len()).filter(|index| is_only_start(records, *index)).collect();
        let Some(index) = choose(&fit, rng) else { return false };
        records.remove(index);
        true
    }),
    turned("an old cursor is resumed in the new epoch", &[Invariant::Bijection], |records, rng| {
        let wanted = |record: &Record| match record.what {
            What::Connected { cursor: Some(cursor), position, .. } => cursor.epoch != position.epoch,
            _ => false,
        };
        let Some(index) = pick(records, rng, wanted) else { return false };
        if let What::Connected { resumed, .. } = &mut records[index].what {
            *resumed = true;
        }
        true
    }),
    turned("an event of the new epoch bears the old one", &[Invariant::Bijection], |records, rng| {
        let new = records.iter().filter_map(epoch_told).max().unwrap_or_default();
        let Some(index) = pick(records, rng, |record| matches!(record.what, What::Event { epoch, .. } if epoch == new))
        else {
            return false;
        };
        if let What::Event { epoch, .. } = &mut records[index].what {
            *epoch -= 1;
        }
        true
    }),
    turned("one entry of the new epoch is two things", &[Invariant::Bijection], |records, rng| {
        let new = records.iter().filter_map(epoch_told).max().unwrap_or_default();
        let wanted = |index: usize| match &records[index].what {
            What::Event { epoch, seen, .. } => *epoch == new && seen.place.is_some() && sights(records, seen) > 1,
            _ => false,
        };
        let Some(index) = pick_slowly(records, rng, wanted) else { return false };
        if let What::Event { seen, .. } = &mut records[index].what {
            seen.thing = Thing::Post(uuid::Uuid::from_u128(5));
        }
        true
    }),
    turned("the journal begins anew for no reason", &[Invariant::Bijection], |records, _| {
        records.retain(|record| !matches!(record.what, What::Fault { .. }));
        true
    }),
    turned(
        "what the new epoch has shown is not there in the end",
        &[Invariant::Lost, Invariant::AbortedRead],
        |records, rng| {
            let new = records.iter().filter_map(epoch_told).max().unwrap_or_default();
            let events =
                records.iter().filter(|record| matches!(record.what, What::Event { epoch, .. } if epoch == new));
            let told: Vec<Thing> = events.flat_map(shown).map(|seen| seen.thing).collect();
            let removed = |thing: Thing| {
                records.iter().any(|record| match record.what {
                    What::Invoke { op: Op::Delete(other), .. } => other == thing,
                    _ => false,
                })
            };
            let fits = |thing: &Thing| matches!(thing, Thing::Post(_)) && told.contains(thing) && !removed(*thing);
            let lasting = records.iter().find_map(|record| match &record.what {
                What::Final(last) => Some(last.things.iter().map(|seen| seen.thing).filter(fits).collect::<Vec<_>>()),
                _ => None,
            });
            let Some(thing) = lasting.and_then(|things| choose(&things, rng)) else { return false };
            for record in records.iter_mut() {
                if let What::Final(last) = &mut record.what {
                    last.things.retain(|seen| seen.thing != thing);
                }
            }
            true
        },
    ),
];

fn is_resync(record: &Record) -> bool {
    matches!(&record.what, What::Position { notice, .. } if notice == "resync")
}

fn choose<T: Copy>(among: &[T], rng: &mut StdRng) -> Option<T> {
    use rand::seq::IndexedRandom as _;
    among.choose(rng).copied()
}

/// A fresh start right after a resync, of a feed that does not start again while the connection lasts, which is to the end.
fn is_only_start(records: &[Record], index: usize) -> bool {
    let What::Snapshot { request: None, feed: started, .. } = records[index].what else { return false };
    let same = |record: &&Record| record.client == records[index].client;
    let mut before = records.iter().take(index).rev().filter(same);
    let is_turn = before.find(|record| !matches!(record.what, What::Snapshot { .. })).is_some_and(is_resync);
    let ends = |record: &Record| match record.what {
        What::Closed { .. } | What::Stalled { .. } => true,
        What::Snapshot { feed, .. } | What::Invoke { op: Op::Unwatch(feed), .. } => feed == started,
        _ => false,
    };
    is_turn && !records.iter().skip(index + 1).filter(same).any(ends)
}
