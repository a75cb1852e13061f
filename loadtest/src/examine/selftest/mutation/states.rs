//! Anomalies of snapshots, reads and the final state.
//! Must never make a change that the protocol allows: then finding nothing would be right.

#![expect(clippy::wildcard_enum_match_arm, reason = "each looks for one kind of record among all")]

use rand::RngExt as _;
use rand::rngs::StdRng;
use tidings_protocol::feed::FeedName;

use super::find::{acknowledged, epoch_told, is_new, is_wanted_gone, pick, request_of, shown};
use super::{Mutation, mutation};
use crate::examine::history::{Op, Record, Seen, Thing, What};
use crate::examine::judge::Invariant;

/// All of them.
pub const MUTATIONS: &[Mutation] = &[
    mutation("a removed post is in a snapshot", &[Invariant::Visibility], |records, rng| {
        let Some((index, before)) = removed_before_snapshot(records, rng) else { return false };
        if let What::Snapshot { members, .. } = &mut records[index].what {
            members.push(before);
        }
        true
    }),
    mutation("a snapshot leaves something out", &[Invariant::Snapshot], |records, rng| {
        let lasting = |records: &[Record], members: &[Seen]| -> Vec<usize> {
            (0..members.len()).filter(|index| !is_wanted_gone(records, &members[*index])).collect()
        };
        let wanted = |record: &Record| match &record.what {
            What::Snapshot { feed: FeedName::Global, members, complete: true, .. } => {
                !lasting(records, members).is_empty()
            }
            _ => false,
        };
        let Some(index) = pick(records, rng, wanted) else { return false };
        let What::Snapshot { members, .. } = &records[index].what else { return false };
        let lasting = lasting(records, members);
        let which = lasting[rng.random_range(0..lasting.len())];
        if let What::Snapshot { members, .. } = &mut records[index].what {
            members.remove(which);
        }
        true
    }),
    mutation(
        "a snapshot is older than one's own writes",
        &[Invariant::ReadYourWrites, Invariant::Snapshot],
        old_snapshot,
    ),
    mutation("an author reads an old state", &[Invariant::ReadYourWrites], old_read),
    mutation("an acknowledged post is not there in the end", &[Invariant::Lost], |records, rng| {
        let acknowledged = acknowledged(records);
        let lasts = |seen: &Seen| acknowledged.contains_key(&(seen.thing, seen.rev)) && !is_wanted_gone(records, seen);
        let all = records.iter().filter(|record| matches!(record.what, What::Final(_))).flat_map(shown);
        let lasting: Vec<Thing> = all.filter(lasts).map(|seen| seen.thing).collect();
        if lasting.is_empty() {
            return false;
        }
        let which = lasting[rng.random_range(0..lasting.len())];
        spoil_last(records, rng, |things, _| {
            things.retain(|seen| seen.thing != which);
            true
        })
    }),
    mutation(
        "an acknowledged change is undone in the end",
        &[Invariant::Lost, Invariant::AbortedRead],
        |records, rng| {
            let acknowledged = acknowledged(records);
            spoil_last(records, rng, |things, _| {
                let known = things.iter_mut().find(|seen| acknowledged.contains_key(&(seen.thing, seen.rev)));
                known.is_some_and(|seen| {
                    seen.rev -= 1;
                    true
                })
            })
        },
    ),
    mutation("what was shown was never committed", &[Invariant::AbortedRead], aborted),
    mutation("a counter is wrong", &[Invariant::Counters], |records, rng| {
        let counted = records.iter_mut().find_map(|record| match &mut record.what {
            What::Final(last) if !last.counts.is_empty() => Some(&mut last.counts),
            _ => None,
        });
        counted.is_some_and(|counts| {
            let which = rng.random_range(0..counts.len());
            counts[which].followers += 1;
            true
        })
    }),
];

fn spoil_last(
    records: &mut [Record],
    rng: &mut StdRng,
    mut spoil: impl FnMut(&mut Vec<Seen>, &mut StdRng) -> bool,
) -> bool {
    let last = records.iter_mut().find_map(|record| match &mut record.what {
        What::Final(last) => Some(&mut last.things),
        _ => None,
    });
    last.is_some_and(|things| spoil(things, rng))
}

fn removed_before_snapshot(records: &[Record], rng: &mut StdRng) -> Option<(usize, Seen)> {
    let gone: Vec<Seen> =
        records.iter().flat_map(shown).filter(|seen| seen.gone && matches!(seen.thing, Thing::Post(_))).collect();
    let is_global = |record: &Record| matches!(record.what, What::Snapshot { feed: FeedName::Global, .. });
    let index = pick(records, rng, is_global)?;
    let What::Snapshot { seq, .. } = records[index].what else { return None };
    let end = gone.iter().find(|seen| seen.rev <= seq)?;
    let before = records.iter().flat_map(shown).find(|seen| seen.thing == end.thing && !seen.gone)?;
    Some((index, before))
}

/// A feed as it was before anything of the run, fetched after one's own write.
fn old_snapshot(records: &mut Vec<Record>, rng: &mut StdRng) -> bool {
    let Some(index) = pick(records, rng, |record| is_new(record) && record.client.is_some_and(|client| client < 4))
    else {
        return false;
    };
    let (client, at) = (records[index].client, records[index].at);
    let open = records[..index].iter().rev().find_map(|record| match record.what {
        What::Connected { connection, .. } if record.client == client => Some(connection),
        _ => None,
    });
    let Some(connection) = open else { return false };
    let feed = FeedName::User(tidings_protocol::ids::UserId(uuid::Uuid::from_u128(9)));
    let (request, seq) = (1, 1);
    let asked = What::Invoke { request, connection: Some(connection), op: Op::Watch(feed) };
    let done = What::Ok { request, seq: None, duplicate: false, seen: None };
    let old = What::Snapshot { connection, request: Some(request), feed, seq, members: Vec::new(), complete: true };
    let added = [asked, done, old].map(|what| Record { at, client, what });
    records.splice(index + 1..index + 1, added);
    true
}

fn old_read(records: &mut Vec<Record>, rng: &mut StdRng) -> bool {
    let acknowledged = acknowledged(records);
    let is_second = |record: &Record| {
        is_new(record)
            && shown(record).iter().any(|seen| {
                !seen.gone && acknowledged.keys().any(|(thing, rev)| *thing == seen.thing && *rev < seen.rev)
            })
    };
    let Some(index) = pick(records, rng, is_second) else { return false };
    let (Record { at, client, .. }, Some(seen)) = (records[index].clone(), shown(&records[index]).first().copied())
    else {
        return false;
    };
    let older = |other: &Seen| other.thing == seen.thing && other.rev < seen.rev;
    let Some(old) = records[..index].iter().flat_map(shown).find(older) else { return false };
    let (request, op) = (1, Op::Read(seen.thing));
    let asked = What::Invoke { request, connection: None, op };
    let read = What::Ok { request, seq: None, duplicate: false, seen: Some(old) };
    records.splice(index + 1..index + 1, [asked, read].map(|what| Record { at, client, what }));
    true
}

/// Shown to somebody at the end, from a request that nobody knows the outcome of; in the end it is not there.
fn aborted(records: &mut Vec<Record>, _: &mut StdRng) -> bool {
    let unknown = records.iter().filter(|record| matches!(record.what, What::Unknown { .. })).filter_map(request_of);
    let unknown: Vec<u64> = unknown.collect();
    let lost = records.iter().find_map(|record| match record.what {
        What::Invoke { request, op: Op::Create(Thing::Post(id), mark), .. } if unknown.contains(&request) => {
            let never = !records.iter().flat_map(shown).any(|seen| seen.thing == Thing::Post(id));
            never.then_some((Thing::Post(id), mark, record.client))
        }
        _ => None,
    });
    let Some((thing, mark, client)) = lost else { return false };
    let What::Began { people, owners, .. } = records[0].what.clone() else { return false };
    let author = client.map(|client| people[owners[client as usize] as usize]);
    let seq = records.iter().flat_map(shown).map(|seen| seen.rev).max().unwrap_or_default() + 1;
    let seen = Seen { thing, rev: seq, place: Some(seq), author, on: None, mark, gone: false };
    show_at_the_end(records, seen)
}

pub fn show_at_the_end(records: &mut Vec<Record>, seen: Seen) -> bool {
    let Some(end) = records.iter().position(|record| matches!(record.what, What::Healed)) else { return false };
    let open = records[..end].iter().rev().find_map(|record| match record.what {
        What::Connected { connection, .. } => Some((record.client, connection)),
        _ => None,
    });
    let Some((client, connection)) = open else { return false };
    let (epoch, feed, event) = (
        records.iter().filter_map(epoch_told).max().unwrap_or_default(),
        FeedName::Global,
        tidings_protocol::push::EventName::PostCreated,
    );
    let what = What::Event { connection, epoch, feed, seq: seen.rev, event, seen };
    let at = records[end].at;
    records.insert(end, Record { at, client, what });
    true
}
