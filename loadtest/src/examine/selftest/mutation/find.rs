//! Finding places in a history where an anomaly can be put.
//! Must never change a history.

#![expect(clippy::wildcard_enum_match_arm, reason = "each looks for one kind of record among all")]

use rand::RngExt as _;
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use std::collections::HashMap;

use crate::examine::history::{Op, Record, Seen, Thing, What};

pub fn pick(records: &[Record], rng: &mut StdRng, wanted: impl Fn(&Record) -> bool) -> Option<usize> {
    let fit: Vec<usize> = (0..records.len()).filter(|index| wanted(&records[*index])).collect();
    if fit.is_empty() { None } else { Some(fit[rng.random_range(0..fit.len())]) }
}

/// The same where it costs something to find out: one after the other, until one fits.
pub fn pick_slowly(records: &[Record], rng: &mut StdRng, wanted: impl Fn(usize) -> bool) -> Option<usize> {
    let mut places: Vec<usize> = (0..records.len()).collect();
    places.shuffle(rng);
    places.into_iter().find(|index| wanted(*index))
}

/// Where no fault is near, and nobody who does not read.
pub fn pick_calm(records: &[Record], rng: &mut StdRng, wanted: impl Fn(&Record) -> bool) -> Option<usize> {
    let faults: Vec<u64> = records
        .iter()
        .filter(|record| matches!(record.what, What::Fault { .. } | What::Stalled { .. }))
        .map(|record| record.at)
        .collect();
    pick(records, rng, |record| wanted(record) && faults.iter().all(|at| at.abs_diff(record.at) > 3_000_000))
}

/// All states shown by a record.
pub fn shown(record: &Record) -> Vec<Seen> {
    match &record.what {
        What::Event { seen, .. } | What::Ok { seen: Some(seen), .. } => vec![*seen],
        What::Snapshot { members, .. } => members.clone(),
        What::Final(last) => last.things.clone(),
        _ => Vec::new(),
    }
}

pub fn sights(records: &[Record], wanted: &Seen) -> usize {
    let same = |seen: &Seen| seen.thing == wanted.thing && seen.rev == wanted.rev;
    records.iter().filter(|record| shown(record).iter().any(same)).count()
}

pub fn is_new(record: &Record) -> bool {
    matches!(record.what, What::Ok { seq: Some(_), duplicate: false, seen: Some(_), .. })
}

pub fn is_revoked(record: &Record) -> bool {
    matches!(record.what, What::Closed { code: Some(4402), .. })
}

pub fn seen_place(record: &Record) -> Option<u64> {
    shown(record).first().and_then(|seen| seen.place)
}

pub fn request_of(record: &Record) -> Option<u64> {
    match record.what {
        What::Invoke { request, .. }
        | What::Ok { request, .. }
        | What::Fail { request, .. }
        | What::Unknown { request, .. } => Some(request),
        _ => None,
    }
}

pub fn asks_content(record: &Record) -> Option<Thing> {
    match record.what {
        What::Invoke { op: Op::Create(thing, _), .. } => Some(thing),
        _ => None,
    }
}

pub fn asked(records: &[Record], answer: usize) -> Option<usize> {
    let request = request_of(&records[answer]);
    records[..answer].iter().position(|record| request_of(record) == request)
}

pub fn acknowledged(records: &[Record]) -> HashMap<(Thing, u64), usize> {
    let all = records.iter().enumerate().filter(|(_, record)| is_new(record));
    all.flat_map(|(index, record)| shown(record).into_iter().map(move |seen| ((seen.thing, seen.rev), index))).collect()
}

/// The epoch that a connection is told here.
pub fn epoch_told(record: &Record) -> Option<u64> {
    match record.what {
        What::Began { position: cursor, .. }
        | What::Connected { position: cursor, .. }
        | What::Position { cursor, .. } => Some(cursor.epoch.0),
        _ => None,
    }
}

/// Somebody asked for its removal, or that of its post: where it is then is another question.
pub fn is_wanted_gone(records: &[Record], seen: &Seen) -> bool {
    let things = [Some(seen.thing), seen.on.map(Thing::Post)];
    let is_removal = |record: &Record| match record.what {
        What::Invoke { op: Op::Delete(thing), .. } => things.contains(&Some(thing)),
        _ => false,
    };
    records.iter().any(is_removal)
}

/// How often it was asked to be created or changed.
pub fn tries(records: &[Record], wanted: Thing) -> usize {
    let asks = |record: &&Record| match record.what {
        What::Invoke { op: Op::Create(thing, _) | Op::Change(thing, _), .. } => thing == wanted,
        _ => false,
    };
    records.iter().filter(asks).count()
}
