//! Anomalies of what one connection was sent: dropped, doubled, late, altered, astray.
//! Must never make a change that the protocol allows: then finding nothing would be right.

#![expect(clippy::wildcard_enum_match_arm, reason = "each looks for one kind of record among all")]

use std::collections::{BTreeMap, HashMap};

use rand::RngExt as _;
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use tidings_protocol::feed::FeedName;

use super::find::{pick, pick_slowly, shown, sights};
use super::{Mutation, mutation};
use crate::examine::history::{Op, Record, Seen, Thing, What};
use crate::examine::judge::Invariant;

/// All of them.
pub const MUTATIONS: &[Mutation] = &[
    mutation("an event is dropped", &[Invariant::Lost], drop_event),
    mutation("an event comes twice", &[Invariant::Repeat], |records, rng| {
        // After the last frame of its entry, and before another: else it might be that the whole entry had to be sent again.
        let Some(index) = pick(records, rng, |record| matches!(record.what, What::Event { .. })) else { return false };
        let Some(end) = (index + 1..records.len()).find(|later| ends_entry(&records[*later], &records[index])) else {
            return false;
        };
        if matches!(records[end].what, What::Closed { .. } | What::Snapshot { .. } | What::Ok { .. }) {
            return false;
        }
        let twin = Record { at: records[end].at, ..records[index].clone() };
        records.insert(end, twin);
        true
    }),
    mutation("two events change places", &[Invariant::Order], |records, rng| {
        let pairs = later_on_the_line(records);
        let Some(second) = pairs.get(&choose(rng, &pairs)).and_then(|later| later.first().copied()) else {
            return false;
        };
        swap_events(records, &pairs, second)
    }),
    mutation("an event comes late", &[Invariant::Order], |records, rng| {
        let pairs = later_on_the_line(records);
        let index = choose(rng, &pairs);
        let Some(last) = pairs.get(&index).and_then(|later| later.last().copied()) else { return false };
        let at = records[last].at;
        let mut late = records.remove(index);
        late.at = at;
        records.insert(last, late);
        true
    }),
    mutation("an event is altered", &[Invariant::Bijection, Invariant::Phantom], |records, rng| {
        spoil_event(records, rng, |seen| seen.mark != 0, |_, seen| seen.mark ^= 1)
    }),
    mutation("an event is of another epoch", &[Invariant::Bijection], |records, rng| {
        spoil_event(records, rng, |_| true, |epoch, _| *epoch += 1)
    }),
    mutation("two things share an entry", &[Invariant::Bijection], |records, rng| {
        spoil_event(
            records,
            rng,
            |seen| seen.place.is_some(),
            |_, seen| seen.thing = Thing::Post(uuid::Uuid::from_u128(5)),
        )
    }),
    mutation("a post reaches a stranger", &[Invariant::Visibility], misdeliver),
    mutation("an event comes on a feed that is not watched", &[Invariant::Visibility], |records, rng| {
        let Some(index) = pick(records, rng, |record| matches!(record.what, What::Event { .. })) else { return false };
        if let What::Event { feed, .. } = &mut records[index].what {
            *feed = FeedName::User(tidings_protocol::ids::UserId(uuid::Uuid::from_u128(6)));
        }
        true
    }),
    mutation("a removed body is shown", &[Invariant::Visibility, Invariant::Bijection], |records, rng| {
        spoil_event(records, rng, |seen| seen.gone, |_, seen| (seen.gone, seen.mark) = (false, 3))
    }),
];

/// Whether nothing more of an entry is to come on a connection from here on.
fn ends_entry(later: &Record, event: &Record) -> bool {
    let What::Event { connection: on, seq: of, .. } = event.what else { return true };
    match later.what {
        What::Event { connection, seq, .. } => connection == on && seq != of,
        What::Position { connection, .. } | What::Closed { connection, .. } | What::Snapshot { connection, .. } => {
            connection == on
        }
        // The answer to an unsubscription.
        What::Ok { seq: None, .. } => later.client == event.client,
        _ => false,
    }
}

fn spoil_event(
    records: &mut [Record],
    rng: &mut StdRng,
    wanted: fn(&Seen) -> bool,
    spoil: fn(&mut u64, &mut Seen),
) -> bool {
    let fits = |index: usize| matches!(&records[index].what, What::Event { seen, .. } if wanted(seen) && sights(records, seen) > 1);
    let Some(index) = pick_slowly(records, rng, fits) else { return false };
    if let What::Event { epoch, seen, .. } = &mut records[index].what {
        spoil(epoch, seen);
    }
    true
}

/// For each event, those of the same connection that come later with a higher `seq`.
fn later_on_the_line(records: &[Record]) -> BTreeMap<usize, Vec<usize>> {
    let mut lines: HashMap<u64, Vec<(usize, u64)>> = HashMap::new();
    for (index, record) in records.iter().enumerate() {
        if let What::Event { connection, seq, .. } = record.what {
            lines.entry(connection).or_default().push((index, seq));
        }
    }
    let mut later = BTreeMap::new();
    for line in lines.values() {
        for (place, (index, seq)) in line.iter().enumerate() {
            let higher: Vec<usize> =
                line[place..].iter().filter(|(_, other)| other > seq).map(|(index, _)| *index).collect();
            if !higher.is_empty() {
                later.insert(*index, higher);
            }
        }
    }
    later
}

fn choose<V>(rng: &mut StdRng, among: &BTreeMap<usize, V>) -> usize {
    let keys: Vec<usize> = among.keys().copied().collect();
    if keys.is_empty() { usize::MAX } else { keys[rng.random_range(0..keys.len())] }
}

fn swap_events(records: &mut [Record], pairs: &BTreeMap<usize, Vec<usize>>, second: usize) -> bool {
    let Some(first) = pairs.iter().find(|(_, later)| later.contains(&second)).map(|(first, _)| *first) else {
        return false;
    };
    let (early, late) = (records[first].what.clone(), records[second].what.clone());
    (records[first].what, records[second].what) = (late, early);
    true
}

/// The last change of something, dropped where nothing later makes up for it.
fn drop_event(records: &mut Vec<Record>, rng: &mut StdRng) -> bool {
    let newest = |thing: Thing| {
        let revs = records.iter().flat_map(shown).filter(|seen| seen.thing == thing).map(|seen| seen.rev);
        revs.max().unwrap_or_default()
    };
    let is_needed = |index: usize| {
        let Record { client, what: What::Event { feed, seen, .. }, .. } = &records[index] else { return false };
        let same_client = |record: &&Record| record.client == *client;
        let shows = |record: &Record| match &record.what {
            What::Event { feed: on, seen: other, .. } => {
                on == feed && other.thing == seen.thing && other.rev >= seen.rev
            }
            _ => false,
        };
        let ends = |record: &Record| match &record.what {
            What::Snapshot { feed: on, .. } => on == feed,
            What::Invoke { op: Op::Unwatch(on), .. } => on == feed,
            What::Connected { live, .. } => !live.contains(feed),
            _ => false,
        };
        let came = records.iter().filter(same_client).filter(|record| shows(record)).count();
        let held = records[..index].iter().filter(same_client).any(|record| match &record.what {
            What::Snapshot { feed: on, seq, .. } => on == feed && *seq >= seen.rev,
            _ => false,
        });
        // It is held on this feed: what was never there need not be taken away.
        let mut before = records[..index].iter().rev().filter(same_client).filter(|record| match &record.what {
            What::Snapshot { feed: on, .. } => on == feed,
            What::Event { feed: on, seen: other, .. } => on == feed && other.thing == seen.thing,
            _ => false,
        });
        let before = before
            .next()
            .is_some_and(|record| shown(record).iter().any(|other| other.thing == seen.thing && !other.gone));
        let made_up = records[index..].iter().filter(same_client).any(ends);
        let post_gone = seen.on.is_some_and(|post| {
            records.iter().flat_map(shown).any(|other| other.thing == Thing::Post(post) && other.gone)
        });
        // People in `home` are not among what it holds.
        !is_in_doubt(records, *client, *feed, seen)
            && came == 1
            && !held
            && !made_up
            && !post_gone
            && newest(seen.thing) == seen.rev
            && (before || !seen.gone)
    };
    let Some(index) = pick_slowly(records, rng, is_needed) else { return false };
    records.remove(index);
    true
}

/// A post on the `home` of somebody who is connected and does not follow its author then.
fn misdeliver(records: &mut Vec<Record>, rng: &mut StdRng) -> bool {
    let What::Began { people, owners, .. } = records[0].what.clone() else { return false };
    let mut lines: HashMap<u32, (u64, usize)> = HashMap::new();
    let mut fit = Vec::new();
    for (index, record) in records.iter().enumerate() {
        let Some(client) = record.client else { continue };
        match &record.what {
            What::Connected { connection, .. } => drop(lines.insert(client, (*connection, index))),
            What::Closed { .. } => drop(lines.remove(&client)),
            What::Event { feed: FeedName::Global, seq, seen, .. } if !seen.gone && seen.rev == *seq => {
                for (other, (connection, _)) in &lines {
                    let owner = people[owners[*other as usize] as usize];
                    if *other != client && seen.author != Some(owner) {
                        fit.push((index, *other, *connection, owner));
                    }
                }
            }
            _ => {}
        }
    }
    fit.shuffle(rng);
    let is_strange = |index: usize, owner: uuid::Uuid| {
        let Some(author) = seen_author(records, index) else { return false };
        let ever = records.iter().flat_map(shown).any(|seen| seen.thing == Thing::Follow(owner, author));
        !ever && !asks_follow(records, owner, author)
    };
    let found = fit.into_iter().find(|(index, _, _, owner)| is_strange(*index, *owner));
    let Some((index, client, connection, _)) = found else { return false };
    let mut astray = records[index].clone();
    astray.client = Some(client);
    if let What::Event { connection: over, feed, .. } = &mut astray.what {
        (*over, *feed) = (connection, FeedName::Home);
    }
    records.insert(index + 1, astray);
    true
}

fn seen_author(records: &[Record], index: usize) -> Option<uuid::Uuid> {
    shown(&records[index]).first().and_then(|seen| seen.author)
}

fn owner_of(records: &[Record], client: u32) -> Option<uuid::Uuid> {
    let What::Began { people, owners, .. } = &records.first()?.what else { return None };
    people.get(*owners.get(client as usize)? as usize).copied()
}

fn asks_follow(records: &[Record], who: uuid::Uuid, whom: uuid::Uuid) -> bool {
    let is_asked = |record: &Record| match record.what {
        What::Invoke { op: Op::Follow(pair, _), .. } => pair == Thing::Follow(who, whom),
        _ => false,
    };
    records.iter().any(is_asked)
}

/// Whether it may be that it need not be shown: a follow or a removal has no answer.
fn is_in_doubt(records: &[Record], client: Option<u32>, feed: FeedName, seen: &Seen) -> bool {
    let Some(owner) = client.and_then(|client| owner_of(records, client)) else { return true };
    // A removal names nobody.
    let author =
        records.iter().flat_map(shown).filter(|other| other.thing == seen.thing).find_map(|other| other.author);
    let answered =
        |wanted: u64| records.iter().any(|record| matches!(record.what, What::Ok { request, .. } if request == wanted));
    let open = |record: &Record| match record.what {
        What::Invoke { request, op: Op::Follow(Thing::Follow(who, whom), _), .. } => {
            feed == FeedName::Home && who == owner && Some(whom) == author && !answered(request)
        }
        _ => false,
    };
    records.iter().any(open)
}
