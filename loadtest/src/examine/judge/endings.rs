//! How things end: log-outs everywhere and in time, every request answered, every fault fired, resources given back, counters right.
//! Must never look at the content of events.

use std::collections::{BTreeMap, HashMap};

use tidings_protocol::close::CloseCode;
use uuid::Uuid;

use super::ledger::Ledger;
use super::request::Outcome;
use super::{Invariant, Patience, Verdict};
use crate::examine::history::{Counts, Op, Phase, Thing, What};

/// I13, I15, I16, I17, and that all faults fired.
pub(super) fn judge(ledger: &Ledger<'_>, patience: Patience, verdict: &mut Verdict) {
    revocations(ledger, patience, verdict);
    answers(ledger, patience, verdict);
    misfires(ledger, verdict);
    resources(ledger, patience, verdict);
    counters(ledger, verdict);
}

/// A connection, as far as log-outs care.
struct Line {
    login: u64,
    opened: usize,
    slow_until: u64,
    closed: Option<usize>,
}

/// The answer to the log-out of a log-in, after its request.
type Ended = HashMap<u64, (usize, usize)>;

/// I13: a second after a log-out was answered, no frame to what came from the log-in; its connections are closed with 4402.
fn revocations(ledger: &Ledger<'_>, patience: Patience, verdict: &mut Verdict) {
    let mut ended = Ended::new();
    for told in ledger.requests.values() {
        if let (Op::LogOut(login), Outcome::Done { .. }, Some(end)) = (told.op, told.outcome, told.ended) {
            ended.insert(login, (told.asked, end));
        }
    }
    let mut lines: BTreeMap<u64, Line> = BTreeMap::new();
    for (index, record) in ledger.records.iter().enumerate() {
        let late = |login: u64| {
            let (asked, end) = *ended.get(&login)?;
            let is_late = end < index && ledger.clock.is_late(end, index, patience.revocation);
            is_late.then_some((asked, end))
        };
        let mut accuse = |login: u64, says: &str, (asked, end): (usize, usize)| {
            verdict.accuse(Invariant::Revocation, format!("log-in {login}: {says}"), [asked, end, index]);
        };
        match &record.what {
            What::Connected { connection, login, .. } => {
                lines.insert(*connection, Line { login: *login, opened: index, slow_until: 0, closed: None });
                if let Some(end) = late(*login) {
                    accuse(*login, "a connection was let in after the log-out", end);
                }
            }
            What::Event { connection, .. } | What::Snapshot { connection, .. } | What::Position { connection, .. } => {
                let line = lines.get(connection).filter(|line| record.at >= line.slow_until);
                if let Some((login, end)) = line.and_then(|line| late(line.login).map(|end| (line.login, end))) {
                    accuse(login, "a frame came after the log-out", end);
                }
            }
            What::Stalled { connection, length } => {
                if let Some(line) = lines.get_mut(connection) {
                    line.slow_until = record.at.saturating_add(*length).saturating_add(2 * patience.revocation);
                }
            }
            What::Closed { connection, code, ours } => {
                let Some(line) = lines.get_mut(connection) else { continue };
                line.closed = Some(index);
                let Some((asked, end)) = ended.get(&line.login).copied().filter(|(asked, _)| *asked < index) else {
                    continue;
                };
                let calm = record.at >= line.slow_until && !ledger.clock.is_broken(ledger.records[asked].at, record.at);
                let right = *ours || code.is_none() || *code == Some(CloseCode::SessionRevoked.number());
                if calm && !right && end < index {
                    accuse(line.login, "closed with another number than 4402", (asked, end));
                }
                if record.at >= line.slow_until && late(line.login).is_some() {
                    accuse(line.login, "closed too late", (asked, end));
                }
            }
            What::Began { .. }
            | What::Invoke { .. }
            | What::Ok { .. }
            | What::Fail { .. }
            | What::Unknown { .. }
            | What::Fault { .. }
            | What::Healed
            | What::Settled
            | What::Final(_)
            | What::Resources { .. } => {}
        }
    }
    left_open(ledger, patience, &ended, &lines, verdict);
}

fn left_open(
    ledger: &Ledger<'_>,
    patience: Patience,
    ended: &Ended,
    lines: &BTreeMap<u64, Line>,
    verdict: &mut Verdict,
) {
    let last = ledger.records.len().saturating_sub(1);
    for line in lines.values().filter(|line| line.closed.is_none()) {
        if let Some((asked, end)) = ended.get(&line.login).copied()
            && ledger.clock.is_late(end, last, patience.revocation)
            && ledger.records[last].at >= line.slow_until
        {
            let says = format!("log-in {}: its connection was never closed", line.login);
            verdict.accuse(Invariant::Revocation, says, [asked, end, line.opened]);
        }
    }
}

/// I15: a request is answered in time, or its connection ends.
fn answers(ledger: &Ledger<'_>, patience: Patience, verdict: &mut Verdict) {
    for told in ledger.requests.values() {
        let asked = ledger.records[told.asked].at;
        let where_to =
            told.connection.map_or_else(|| "REST".to_owned(), |connection| format!("connection {connection}"));
        match told.ended {
            None => {
                let says = format!("{:?} over {where_to} was never answered", told.op);
                verdict.accuse(Invariant::Liveness, says, [told.asked]);
            }
            Some(ended) if ledger.records[ended].at > ledger.clock.due(asked, patience.answer) => {
                let after = (ledger.records[ended].at - asked) / 1000;
                let says = format!("{:?} over {where_to} ended after {after} ms", told.op);
                verdict.accuse(Invariant::Liveness, says, [told.asked, ended]);
            }
            Some(_) => {}
        }
    }
}

/// A fault that was ordered fired and was healed; otherwise the examination did not try what it says.
fn misfires(ledger: &Ledger<'_>, verdict: &mut Verdict) {
    let mut faults: BTreeMap<u32, (usize, bool, bool)> = BTreeMap::new();
    for (index, record) in ledger.records.iter().enumerate() {
        if let What::Fault { number, phase, .. } = &record.what {
            let fault = faults.entry(*number).or_insert((index, false, false));
            match phase {
                Phase::Ordered => {}
                Phase::Fired => fault.1 = true,
                Phase::Healed => fault.2 = true,
            }
        }
    }
    for (number, (index, fired, healed)) in faults {
        if !(fired && healed) {
            let what = if fired { "was never healed" } else { "did not fire" };
            verdict.accuse(Invariant::Misfire, format!("fault {number} {what}"), [index]);
        }
    }
}

/// I16: warm ± what is allowed.
fn resources(ledger: &Ledger<'_>, patience: Patience, verdict: &mut Verdict) {
    let mut first: BTreeMap<u32, (usize, u64, u64)> = BTreeMap::new();
    for (index, record) in ledger.records.iter().enumerate() {
        let What::Resources { pid, warm, resident_bytes, files } = record.what else { continue };
        if warm {
            first.insert(pid, (index, resident_bytes, files));
            continue;
        }
        let Some((before, warm_bytes, warm_files)) = first.get(&pid).copied() else { continue };
        let most = |warm: u64| warm + warm * patience.growth_percent / 100;
        let bytes = most(warm_bytes) + patience.growth_bytes;
        // A descriptor or two more is a log file or a pooled connection.
        for (what, now, most) in
            [("bytes resident", resident_bytes, bytes), ("descriptors", files, most(warm_files) + 2)]
        {
            if now > most {
                let says = format!("process {pid} holds {now} {what}; {most} would be the warm state");
                verdict.accuse(Invariant::Resources, says, [before, index]);
            }
        }
    }
}

/// I17: what `user.get` counts is what is there.
fn counters(ledger: &Ledger<'_>, verdict: &mut Verdict) {
    let Some((index, last)) = ledger.last else { return };
    let mut counted: BTreeMap<Uuid, Counts> = BTreeMap::new();
    let mut count = |user: Uuid, add: fn(&mut Counts)| {
        add(counted.entry(user).or_insert(Counts { user, followers: 0, follows: 0, posts: 0 }));
    };
    for seen in last.things.iter().filter(|seen| !seen.gone) {
        match (seen.thing, seen.author) {
            (Thing::Post(_), Some(author)) => count(author, |counts| counts.posts += 1),
            (Thing::Follow(follower, followee), _) => {
                count(follower, |counts| counts.follows += 1);
                count(followee, |counts| counts.followers += 1);
            }
            (Thing::Post(_) | Thing::Comment(_) | Thing::User(_), _) => {}
        }
    }
    for told in &last.counts {
        let own = counted.get(&told.user).copied();
        let own = own.unwrap_or(Counts { user: told.user, followers: 0, follows: 0, posts: 0 });
        if own != *told {
            let says = format!("{}: told {told:?}, counted {own:?}", told.user);
            verdict.accuse(Invariant::Counters, says, [index]);
        }
    }
}
