//! Times out of a history: how long answers and deliveries took, and how soon all was well again after each fault.
//! Must never measure what the clients delayed themselves.

use std::collections::{BTreeMap, HashMap};

use hdrhistogram::Histogram;
use serde::Serialize;
use tidings_protocol::close::CloseCode;
use tidings_protocol::feed::FeedName;
use tidings_protocol::push::EventName;

use crate::examine::history::{Op, Phase, Record, Thing, What};
use crate::report::Quantiles;

/// A fault and when it stood where, in microseconds since the beginning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// In the schedule.
    pub number: u32,
    /// In words.
    pub name: String,
    /// Its time came.
    pub ordered: Option<u64>,
    /// It was seen to have its effect.
    pub fired: Option<u64>,
    /// What it broke was back.
    pub healed: Option<u64>,
}

/// How soon all was well again after a fault.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Recovery {
    /// Of the fault.
    pub number: u32,
    /// Of the fault.
    pub name: String,
    /// Until the first change that was asked for afterwards was acknowledged; absent if none was.
    pub ack_ms: Option<f64>,
    /// Until the first post that was asked for afterwards had reached everybody; absent if it did not.
    pub delivered_ms: Option<f64>,
}

/// Times of answers and deliveries.
#[derive(Debug, Serialize)]
pub struct Latency {
    /// From a change to its answer.
    pub ack: Quantiles,
    /// From a post to each who was connected and reading.
    pub delivered: Quantiles,
}

/// All faults, by number.
#[must_use]
pub fn faults(records: &[Record]) -> Vec<Fault> {
    let mut faults: BTreeMap<u32, Fault> = BTreeMap::new();
    for record in records {
        let What::Fault { number, name, phase } = &record.what else { continue };
        let fault = faults.entry(*number).or_insert_with(|| Fault {
            number: *number,
            name: name.clone(),
            ordered: None,
            fired: None,
            healed: None,
        });
        let time = match phase {
            Phase::Ordered => &mut fault.ordered,
            Phase::Fired => &mut fault.fired,
            Phase::Healed => &mut fault.healed,
        };
        time.get_or_insert(record.at);
    }
    faults.into_values().collect()
}

/// How soon all was well again, for each fault that was healed.
#[must_use]
pub fn recoveries(records: &[Record]) -> Vec<Recovery> {
    let clients = records
        .iter()
        .find_map(|record| if let What::Began { owners, .. } = &record.what { Some(owners.len()) } else { None });
    let healed = records.iter().enumerate().filter_map(|(index, record)| {
        let What::Fault { number, name, phase: Phase::Healed } = &record.what else { return None };
        Some((index, *number, name))
    });
    healed
        .map(|(index, number, name)| {
            let (ack, delivered) = recovery(records, index, clients.unwrap_or_default());
            Recovery { number, name: name.clone(), ack_ms: ack, delivered_ms: delivered }
        })
        .collect()
}

/// From this record.
fn recovery(all: &[Record], index: usize, clients: usize) -> (Option<f64>, Option<f64>) {
    let (before, records) = all.split_at(index);
    let Some(healed) = records.first().map(|record| record.at) else { return (None, None) };
    let mut asked: HashMap<u64, Op> = HashMap::new();
    let mut ack = None;
    for record in records {
        if let What::Invoke { request, op, .. } = record.what
            && op.changes().is_some()
        {
            asked.insert(request, op);
        } else if let What::Ok { request, seq: Some(seq), duplicate: false, .. } = record.what
            && let Some(op) = asked.get(&request)
        {
            ack = ack.or(Some(millis(record.at - healed)));
            if matches!(op, Op::Create(Thing::Post(_), _)) {
                // It may have been pushed before it was answered, but not before it was asked for.
                let reached = everybody_has(records, seq, asleep(before, healed, clients));
                return (ack, reached.map(|at| millis(at - healed)));
            }
        } else if matches!(record.what, What::Settled) {
            break;
        }
    }
    (ack, None)
}

/// Who read nothing, on purpose, when the fault was over: since then, for all that is known.
fn asleep(before: &[Record], healed: u64, clients: usize) -> Vec<Option<u64>> {
    let mut asleep = vec![None; clients];
    for record in before {
        if let (What::Stalled { length, .. }, Some(client)) = (&record.what, record.client)
            && record.at.saturating_add(*length) > healed
            && let Some(time) = asleep.get_mut(client as usize)
        {
            *time = Some(healed);
        }
    }
    asleep
}

/// When the last client had everything up to an entry; who was logged out meanwhile is not waited for.
fn everybody_has(records: &[Record], entry: u64, mut reached: Vec<Option<u64>>) -> Option<u64> {
    let mut missing = reached.iter().filter(|time| time.is_none()).count();
    for record in records {
        let Some(time) = record.client.and_then(|client| reached.get_mut(client as usize)) else { continue };
        if time.is_none() && covers(&record.what, entry) {
            *time = Some(record.at);
            missing -= 1;
            if missing == 0 {
                return reached.into_iter().flatten().max();
            }
        }
    }
    None
}

/// Whether this shows that a client has everything up to an entry, or need not be waited for.
#[expect(clippy::wildcard_enum_match_arm, reason = "no other record tells of a position")]
fn covers(what: &What, entry: u64) -> bool {
    match what {
        What::Event { seq, .. } | What::Snapshot { feed: FeedName::Global, seq, .. } => *seq >= entry,
        What::Position { cursor, .. } => cursor.seq.0 >= entry,
        What::Closed { code, .. } => *code == Some(CloseCode::SessionRevoked.number()),
        _ => false,
    }
}

/// Times of answers and deliveries.
///
/// # Errors
/// None in practice: the histograms resize themselves.
#[expect(clippy::wildcard_enum_match_arm, reason = "no other record tells of a delay")]
pub fn latency(records: &[Record]) -> anyhow::Result<Latency> {
    let (mut ack, mut delivered) = (Histogram::<u64>::new(3)?, Histogram::<u64>::new(3)?);
    let mut asked: HashMap<u64, (u64, Option<u64>)> = HashMap::new();
    let mut posted: HashMap<Thing, u64> = HashMap::new();
    // Since when a connection has been reading.
    let mut reading: HashMap<u64, u64> = HashMap::new();
    for record in records {
        match &record.what {
            What::Invoke { request, op, connection } if op.changes().is_some() => {
                asked.insert(*request, (record.at, *connection));
                if let Op::Create(thing, _) = op {
                    posted.entry(*thing).or_insert(record.at);
                }
            }
            What::Ok { request, seq: Some(_), duplicate: false, .. } => {
                if let Some((at, connection)) = asked.get(request)
                    && connection.and_then(|connection| reading.get(&connection)).is_some_and(|since| since <= at)
                {
                    ack.record(record.at - at)?;
                }
            }
            What::Connected { connection, .. } => {
                reading.insert(*connection, record.at);
            }
            What::Stalled { connection, length } => {
                reading.insert(*connection, record.at + length);
            }
            What::Event { connection, feed: FeedName::Global, event: EventName::PostCreated, seen, .. } => {
                if let (Some(at), Some(since)) = (posted.get(&seen.thing), reading.get(connection))
                    && since <= at
                {
                    delivered.record(record.at - at)?;
                }
            }
            _ => {}
        }
    }
    Ok(Latency { ack: Quantiles::of(&ack), delivered: Quantiles::of(&delivered) })
}

#[expect(clippy::cast_precision_loss, reason = "the microseconds of an examination are far below 2^52")]
fn millis(micros: u64) -> f64 {
    micros as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use tidings_protocol::position::{Cursor, Epoch, Seq};
    use uuid::Uuid;

    use super::*;

    fn cursor(seq: u64) -> Cursor {
        Cursor { epoch: Epoch(1), seq: Seq(seq) }
    }

    fn history(rest: Vec<(u64, Option<u32>, What)>) -> Vec<Record> {
        let began = What::Began { seed: 1, people: Vec::new(), owners: vec![0, 0], position: cursor(1) };
        let all = [(0, None, began)].into_iter().chain(rest);
        all.map(|(at, client, what)| Record { at, client, what }).collect()
    }

    #[test]
    fn recovery_ends_when_the_last_client_has_the_first_new_post() {
        let healed = What::Fault { number: 4, name: "kill".to_owned(), phase: Phase::Healed };
        let op = Op::Create(Thing::Post(Uuid::from_u128(1)), 1);
        let position = |seq| What::Position { connection: 1, notice: "heartbeat".to_owned(), cursor: cursor(seq) };
        let invoke = |request| What::Invoke { request, connection: Some(1), op };
        let ok = |request, seq| What::Ok { request, seq: Some(seq), duplicate: false, seen: None };
        let records = history(vec![
            (500, Some(0), invoke(1)),
            (1_000, None, healed),
            (2_000, Some(0), ok(1, 5)),
            (3_000, Some(0), invoke(2)),
            (9_000, Some(0), ok(2, 6)),
            (10_000, Some(0), position(6)),
            (20_000, Some(1), position(5)),
            (31_000, Some(1), position(6)),
        ]);
        let told = recoveries(&records);
        let expected = Recovery { number: 4, name: "kill".to_owned(), ack_ms: Some(8.0), delivered_ms: Some(30.0) };
        assert_eq!(told, vec![expected]);
        assert_eq!(recoveries(&records[..8])[0].delivered_ms, None);
        assert_eq!(faults(&records)[0].healed, Some(1_000));
    }
}
