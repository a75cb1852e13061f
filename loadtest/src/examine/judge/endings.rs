//! How things end: log-outs everywhere and in time, every request answered, every fault fired, resources given back, counters right.
//! Must never look at the content of events.

use std::collections::BTreeMap;

use tidings_protocol::close::CloseCode;
use uuid::Uuid;

use super::ledger::{Ledger, Outcome};
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
    closed: Option<(usize, Option<u16>, bool)>,
    frames: Vec<usize>,
    slow: bool,
}

fn lines(ledger: &Ledger<'_>) -> BTreeMap<u64, Line> {
    let mut lines: BTreeMap<u64, Line> = BTreeMap::new();
    for (index, record) in ledger.records.iter().enumerate() {
        match &record.what {
            What::Connected { connection, login, .. } => {
                let line = Line { login: *login, opened: index, closed: None, frames: Vec::new(), slow: false };
                lines.insert(*connection, line);
            }
            What::Event { connection, .. } | What::Snapshot { connection, .. } | What::Position { connection, .. } => {
                if let Some(line) = lines.get_mut(connection) {
                    line.frames.push(index);
                }
            }
            What::Stalled { connection, .. } => {
                if let Some(line) = lines.get_mut(connection) {
                    line.slow = true;
                }
            }
            What::Closed { connection, code, ours } => {
                if let Some(line) = lines.get_mut(connection) {
                    line.closed = Some((index, *code, *ours));
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
    lines
}

/// I13: a second after a log-out was answered, no frame to what came from the log-in; its connections are closed with 4402.
fn revocations(ledger: &Ledger<'_>, patience: Patience, verdict: &mut Verdict) {
    let lines = lines(ledger);
    for told in ledger.requests.values() {
        let (Op::LogOut(login), Outcome::Done { .. }, Some(ended)) = (told.op, told.outcome, told.ended) else {
            continue;
        };
        let due = ledger.due(ledger.records[ended].at, patience.revocation);
        let over = ledger.records.last().is_some_and(|record| record.at > due);
        for line in lines.values().filter(|line| line.login == login) {
            let mut accuse = |says: &str, record: usize| {
                verdict.accuse(Invariant::Revocation, format!("log-in {login}: {says}"), [told.asked, ended, record]);
            };
            if line.opened > ended && ledger.records[line.opened].at > due {
                accuse("a connection was let in after the log-out", line.opened);
            }
            if let Some(frame) = line.frames.iter().find(|frame| !line.slow && ledger.records[**frame].at > due) {
                accuse("a frame came after the log-out", *frame);
            }
            match line.closed {
                Some((closed, code, ours)) if closed > ended => {
                    let right = ours || code.is_none() || code == Some(CloseCode::SessionRevoked.number());
                    if !right {
                        accuse("closed with another number than 4402", closed);
                    }
                    if !line.slow && ledger.records[closed].at > due {
                        accuse("closed too late", closed);
                    }
                }
                None if over => accuse("its connection was never closed", line.opened),
                Some(_) | None => {}
            }
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
            Some(ended) if ledger.records[ended].at > ledger.due(asked, patience.answer) => {
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
