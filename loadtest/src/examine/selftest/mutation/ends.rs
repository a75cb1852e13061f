//! Anomalies of answers, log-outs, faults and resources.
//! Must never make a change that the protocol allows: then finding nothing would be right.

#![expect(clippy::wildcard_enum_match_arm, reason = "each looks for one kind of record among all")]

use rand::RngExt as _;
use rand::rngs::StdRng;
use tidings_protocol::error::ErrorCode;

use super::find::{
    asked, asks_content, is_new, is_revoked, pick, pick_calm, request_of, seen_place, shown, sights, tries,
};
use super::states::show_at_the_end;
use super::{Mutation, mutation};
use crate::examine::history::{Op, Phase, Record, Seen, Thing, What};
use crate::examine::judge::Invariant;

/// All of them.
pub const MUTATIONS: &[Mutation] = &[
    mutation("an acknowledgement names another entry", &[Invariant::OneEvent], |records, rng| {
        let Some(index) = pick(records, rng, is_new) else { return false };
        if let What::Ok { seq: Some(seq), .. } = &mut records[index].what {
            *seq += 1_000;
        }
        true
    }),
    mutation("what was done had been refused", &[Invariant::Phantom], |records, rng| {
        let Some(index) = pick(records, rng, is_new) else { return false };
        let What::Ok { request, seen: Some(seen), .. } = records[index].what.clone() else { return false };
        // A follow may have been asked for before as well, and somebody else must have seen it.
        if matches!(seen.thing, Thing::Follow(..)) || sights(records, &seen) < 2 || tries(records, seen.thing) != 1 {
            return false;
        }
        records[index].what = What::Fail { request, code: ErrorCode::Invalid };
        true
    }),
    mutation("nobody asked for it", &[Invariant::Phantom], |records, rng| {
        let Some(index) = pick(records, rng, |record| asks_content(record).is_some()) else { return false };
        let Some(thing) = asks_content(&records[index]) else { return false };
        let shown =
            records.iter().any(|record| matches!(&record.what, What::Event { seen, .. } if seen.thing == thing));
        let What::Invoke { request, .. } = records[index].what else { return false };
        records.retain(|record| request_of(record) != Some(request));
        let left = records.iter().any(|record| asks_content(record) == Some(thing));
        shown && !left
    }),
    mutation("one create is answered as new twice", &[Invariant::OneEvent], |records, rng| {
        let Some(index) = pick(records, rng, |record| is_new(record) && seen_place(record).is_some()) else {
            return false;
        };
        let Some(asked) = asked(records, index) else { return false };
        if !matches!(records[asked].what, What::Invoke { op: Op::Create(..), .. }) {
            return false;
        }
        let mut again = [records[asked].clone(), records[index].clone()];
        for record in &mut again {
            record.at = records[index].at;
            if let What::Invoke { request, .. } | What::Ok { request, .. } = &mut record.what {
                *request = 1;
            }
        }
        records.splice(index + 1..index + 1, again);
        true
    }),
    mutation("a request without an answer was done twice", &[Invariant::Unknown], done_twice),
    mutation("what was answered first stands later", &[Invariant::RealTime], |records, rng| against_time(records, rng)),
    mutation("a log-out leaves its connection open", &[Invariant::Revocation], |records, rng| {
        let Some(index) = pick(records, rng, is_revoked) else { return false };
        records.remove(index);
        true
    }),
    mutation("a log-out closes with a wrong number", &[Invariant::Revocation], |records, rng| {
        let Some(index) = pick_calm(records, rng, is_revoked) else { return false };
        if let What::Closed { code, .. } = &mut records[index].what {
            *code = Some(4000);
        }
        true
    }),
    mutation("a frame comes long after the log-out", &[Invariant::Revocation], |records, rng| {
        let Some(index) = pick(records, rng, is_revoked) else { return false };
        let What::Closed { connection, .. } = records[index].what else { return false };
        let What::Began { position: cursor, .. } = records[0].what else { return false };
        let Some(end) = records.iter().position(|record| matches!(record.what, What::Settled)) else { return false };
        let what = What::Position { connection, notice: "heartbeat".to_owned(), cursor };
        records.insert(end, Record { at: records[end].at, client: records[index].client, what });
        true
    }),
    mutation("a request is never answered", &[Invariant::Liveness], |records, rng| {
        let ends = |record: &Record| matches!(record.what, What::Ok { .. } | What::Fail { .. } | What::Unknown { .. });
        let Some(index) = pick(records, rng, ends) else { return false };
        records.remove(index);
        true
    }),
    mutation("an answer takes an hour", &[Invariant::Liveness], |records, rng| {
        let Some(index) = pick(records, rng, |record| matches!(record.what, What::Ok { .. })) else { return false };
        let from = records[index].at;
        for record in records.iter_mut().filter(|record| record.at >= from) {
            record.at += 3_600_000_000;
        }
        true
    }),
    mutation("a client does not come back", &[Invariant::Liveness], |records, rng| {
        let Some(index) = records.iter().position(|record| matches!(record.what, What::Settled)) else { return false };
        let (at, client) = (records[index].at, Some(rng.random_range(0..6)));
        let open = records[..index].iter().rev().find_map(|record| match record.what {
            What::Connected { connection, .. } if record.client == client => Some(connection),
            _ => None,
        });
        let Some(connection) = open else { return false };
        records.insert(index, Record { at, client, what: What::Closed { connection, code: None, ours: false } });
        true
    }),
    mutation("memory is not given back", &[Invariant::Resources], |records, _| {
        let found = records.iter_mut().rev().find_map(|record| match &mut record.what {
            What::Resources { resident_bytes, warm: false, .. } => Some(resident_bytes),
            _ => None,
        });
        found.is_some_and(|bytes| {
            *bytes *= 2;
            true
        })
    }),
    mutation("a fault does not fire", &[Invariant::Misfire], |records, rng| {
        let fired = |record: &Record| matches!(record.what, What::Fault { phase: Phase::Fired, .. });
        let Some(index) = pick(records, rng, fired) else { return false };
        records.remove(index);
        true
    }),
];

fn done_twice(records: &mut Vec<Record>, _: &mut StdRng) -> bool {
    let unknown: Vec<u64> =
        records.iter().filter(|record| matches!(record.what, What::Unknown { .. })).filter_map(request_of).collect();
    let done = records.iter().find_map(|record| match record.what {
        What::Invoke { request, op: Op::Create(thing @ Thing::Post(_), mark), .. } if unknown.contains(&request) => {
            records.iter().flat_map(shown).find(|seen| seen.thing == thing && seen.mark == mark)
        }
        _ => None,
    });
    let Some(done) = done else { return false };
    let seq = records.iter().flat_map(shown).map(|seen| seen.rev).max().unwrap_or_default() + 1;
    show_at_the_end(records, Seen { rev: seq, ..done })
}

/// Two creates, the second asked after the first was answered, change their entries for everybody.
fn against_time(records: &mut [Record], rng: &mut StdRng) -> bool {
    let creates = |record: &Record| is_new(record) && seen_place(record) == shown(record).first().map(|seen| seen.rev);
    let Some(first) = pick(records, rng, creates) else { return false };
    let Some(second) = (first + 1..records.len()).rev().find(|index| creates(&records[*index])) else { return false };
    if asked(records, second).is_none_or(|asked| asked < first) {
        return false;
    }
    let (Some(a), Some(b)) = (seen_place(&records[first]), seen_place(&records[second])) else { return false };
    let swap = |seq: &mut u64| {
        *seq = match *seq {
            seq if seq == a => b,
            seq if seq == b => a,
            seq => seq,
        };
    };
    for record in records.iter_mut() {
        match &mut record.what {
            What::Event { seq, seen, .. } => {
                swap(seq);
                swap_seen(seen, swap);
            }
            What::Ok { seq, seen, .. } => {
                seq.iter_mut().for_each(swap);
                seen.iter_mut().for_each(|seen| swap_seen(seen, swap));
            }
            What::Snapshot { members, .. } => members.iter_mut().for_each(|seen| swap_seen(seen, swap)),
            What::Final(last) => last.things.iter_mut().for_each(|seen| swap_seen(seen, swap)),
            _ => {}
        }
    }
    true
}

fn swap_seen(seen: &mut Seen, swap: impl Fn(&mut u64)) {
    swap(&mut seen.rev);
    seen.place.iter_mut().for_each(swap);
}
