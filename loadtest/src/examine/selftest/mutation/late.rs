//! Anomalies of what comes too late or from too far back: after an unfollow, a removal, a log-out.
//! Must never make a change that the protocol allows: then finding nothing would be right.

#![expect(clippy::wildcard_enum_match_arm, reason = "each looks for one kind of record among all")]

use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use tidings_protocol::feed::FeedName;
use tidings_protocol::position::Seq;
use tidings_protocol::push::EventName;

use super::find::{epoch_told, is_revoked, pick, shown};
use super::{Mutation, mutation};
use crate::examine::history::{Op, Phase, Record, Seen, Thing, What};
use crate::examine::judge::Invariant;

/// All of them.
pub const MUTATIONS: &[Mutation] = &[
    mutation("a new post comes after the unfollow", &[Invariant::Visibility], |records, rng| {
        after_unfollow(records, rng, |_, _| true)
    }),
    mutation("an old post comes long after the unfollow", &[Invariant::Visibility], |records, rng| {
        after_unfollow(records, rng, |seen, end| seen.rev < end)
    }),
    mutation("a post comes long after its removal", &[Invariant::Visibility], |records, rng| {
        let all: Vec<Seen> = records.iter().flat_map(shown).collect();
        let told = |record: &&Record| matches!(record.what, What::Ok { seq: Some(_), duplicate: false, .. });
        let removed = records.iter().filter(told).flat_map(shown).filter(|seen| seen.gone);
        let removed: Vec<Thing> =
            removed.map(|seen| seen.thing).filter(|thing| matches!(thing, Thing::Post(_))).collect();
        let alive: Vec<Seen> =
            all.into_iter().filter(|seen| seen.place.is_some() && removed.contains(&seen.thing)).collect();
        let Some(seen) = alive.choose(rng).copied() else { return false };
        show_last(records, 0, FeedName::Global, seen.rev, seen)
    }),
    mutation("home is not told afresh after a follow", &[Invariant::Lost], |records, rng| {
        let fit: Vec<usize> = (0..records.len()).filter(|index| is_last_home(records, *index)).collect();
        let Some(index) = fit.choose(rng).copied() else { return false };
        records.remove(index);
        true
    }),
    mutation("a thing is read older than before", &[Invariant::ReadYourWrites], |records, rng| {
        let posts: Vec<Seen> = records.iter().flat_map(shown).filter(|seen| seen.place.is_some()).collect();
        let Some(old) = posts.choose(rng).copied() else { return false };
        let Some(new) = posts.iter().find(|seen| seen.thing == old.thing && seen.rev > old.rev).copied() else {
            return false;
        };
        let Some(end) = settled(records) else { return false };
        let (at, client) = (records[end].at, Some(0));
        let read = |request: u64, seen: Seen| {
            let asked = What::Invoke { request, connection: None, op: Op::Read(seen.thing) };
            [asked, What::Ok { request, seq: None, duplicate: false, seen: Some(seen) }]
        };
        let frames = read(1, new).into_iter().chain(read(2, old));
        records.splice(end..end, frames.map(|what| Record { at, client, what }));
        true
    }),
    mutation("a heartbeat goes back", &[Invariant::Order], |records, rng| {
        let fits = |record: &Record| matches!(record.what, What::Event { seq, .. } if seq > 6);
        let Some(index) = pick(records, rng, fits) else { return false };
        let What::Event { connection, .. } = records[index].what else { return false };
        let What::Began { position, .. } = records[0].what else { return false };
        let (notice, cursor) = ("heartbeat".to_owned(), position);
        let back = Record { what: What::Position { connection, notice, cursor }, ..records[index].clone() };
        records.insert(index + 1, back);
        true
    }),
    mutation("a resume stands elsewhere", &[Invariant::Order], |records, rng| {
        let wanted = |record: &Record| matches!(record.what, What::Connected { resumed: true, cursor: Some(_), .. });
        let Some(index) = pick(records, rng, wanted) else { return false };
        if let What::Connected { position, .. } = &mut records[index].what {
            position.seq = Seq(position.seq.0 + 1);
        }
        true
    }),
    mutation("a connection is let in after the log-out", &[Invariant::Revocation], |records, rng| {
        let Some(index) = pick(records, rng, is_revoked) else { return false };
        let What::Closed { connection: over, .. } = records[index].what else { return false };
        let opened = records
            .iter()
            .find(|record| matches!(record.what, What::Connected { connection, .. } if connection == over));
        let (Some(mut again), Some(end)) = (opened.cloned(), settled(records)) else { return false };
        again.at = records[end].at;
        if let What::Connected { connection, .. } = &mut again.what {
            *connection = 9;
        }
        records.insert(end, again);
        true
    }),
    mutation("descriptors are not given back", &[Invariant::Resources], |records, _| {
        let found = records.iter_mut().rev().find_map(|record| match &mut record.what {
            What::Resources { files, warm: false, .. } => Some(files),
            _ => None,
        });
        found.is_some_and(|files| {
            *files += 20;
            true
        })
    }),
    mutation("a fault is never healed", &[Invariant::Misfire], |records, rng| {
        let healed = |record: &Record| matches!(record.what, What::Fault { phase: Phase::Healed, .. });
        let Some(index) = pick(records, rng, healed) else { return false };
        records.remove(index);
        true
    }),
];

fn settled(records: &[Record]) -> Option<usize> {
    records.iter().position(|record| matches!(record.what, What::Settled))
}

/// An event on the connection that a client has in the end.
fn show_last(records: &mut Vec<Record>, client: u32, feed: FeedName, seq: u64, seen: Seen) -> bool {
    let Some(end) = settled(records) else { return false };
    let open = records[..end].iter().rev().find_map(|record| match record.what {
        What::Connected { connection, .. } if record.client == Some(client) => Some(connection),
        _ => None,
    });
    let (Some(connection), Some(epoch)) = (open, records.iter().find_map(epoch_told)) else { return false };
    let what = What::Event { connection, epoch, feed, seq, event: EventName::PostCreated, seen };
    records.insert(end, Record { at: records[end].at, client: Some(client), what });
    true
}

/// By an author whom the viewer has unfollowed, as was answered, and has never asked to follow again.
fn after_unfollow(records: &mut Vec<Record>, rng: &mut StdRng, wanted: fn(&Seen, u64) -> bool) -> bool {
    let What::Began { people, owners, .. } = records[0].what.clone() else { return false };
    let asks = |pair: Thing| -> Vec<usize> {
        let asked = |index: &usize| matches!(records[*index].what, What::Invoke { op: Op::Follow(other, _), .. } if other == pair);
        (0..records.len()).filter(asked).collect()
    };
    let over = |index: usize| -> Option<(Thing, u64)> {
        let What::Ok { seen: Some(seen @ Seen { thing: Thing::Follow(..), gone: true, .. }), .. } = records[index].what
        else {
            return None;
        };
        let all_answered = asks(seen.thing).iter().all(|asked| {
            let What::Invoke { request: of, .. } = records[*asked].what else { return false };
            records.iter().any(|record| matches!(record.what, What::Ok { request, .. } if request == of))
        });
        let newest = asks(seen.thing).last().is_some_and(|asked| *asked < index);
        (all_answered && newest).then_some((seen.thing, seen.rev))
    };
    let fit: Vec<(Thing, u64)> = (0..records.len()).filter_map(over).collect();
    let Some((Thing::Follow(who, whom), ended)) = fit.choose(rng).copied() else { return false };
    let posts = records.iter().filter(|record| matches!(record.what, What::Final(_))).flat_map(shown);
    let is_theirs =
        |seen: &Seen| matches!(seen.thing, Thing::Post(_)) && seen.author == Some(whom) && wanted(seen, ended);
    let posts: Vec<Seen> = posts.filter(is_theirs).collect();
    let Some(seen) = posts.choose(rng).copied() else { return false };
    let viewer = (0..).zip(&owners).find(|(_, owner)| people[**owner as usize] == who).map(|(client, _)| client);
    let newest = records.iter().flat_map(shown).map(|seen| seen.rev).max().unwrap_or_default();
    // An old one may have been sent in time; then it is only late.
    let seq = if wanted(&seen, 0) { newest } else { seen.rev };
    viewer.is_some_and(|client| show_last(records, client, FeedName::Home, seq, seen))
}

/// The last fresh `home` that somebody is sent, for a follow of their own that was answered.
fn is_last_home(records: &[Record], index: usize) -> bool {
    let What::Snapshot { request: None, feed: FeedName::Home, connection, seq, .. } = records[index].what else {
        return false;
    };
    let client = records[index].client;
    let What::Began { people, owners, .. } = &records[0].what else { return false };
    let Some(owner) = client.map(|client| people[owners[client as usize] as usize]) else { return false };
    let mut later = records.iter().skip(index + 1).filter(|record| record.client == client);
    let stays =
        !later.any(|record| matches!(record.what, What::Closed { .. } | What::Snapshot { feed: FeedName::Home, .. }));
    let mut before = records.iter().take(index).rev().filter_map(|record| match record.what {
        What::Snapshot { feed: FeedName::Home, connection: over, seq, .. } if over == connection => Some(seq),
        _ => None,
    });
    let before = before.next().unwrap_or(u64::MAX);
    let turned = records.iter().flat_map(shown).any(|seen| {
        matches!(seen.thing, Thing::Follow(follower, _) if follower == owner) && seen.rev > before && seen.rev <= seq
    });
    stays && turned
}
