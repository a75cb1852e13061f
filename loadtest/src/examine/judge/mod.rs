//! Judges a history by what the protocol promises. Pure: a history in, violations out, each with the records that show it.
//! Must never know anything of the server but the protocol, and must never accuse a history for what the protocol allows.
//!
//! The invariants are those of the list that the promises were taken from. Not judged, for they cannot be seen from outside: I5 (the
//! journal is dense: numbers may belong to sign-ups, log-outs and other people) and I14 (the audit trail: there is none yet).
//!
//! What is allowed, and easily taken for wrong: the entry at the cursor comes again after a resume, and a whole entry comes again where
//! a queue was full in the middle of it; of several changes of a thing only the last is told to who was behind; after a follow `home`
//! starts afresh, and what of it was told already comes again; what had no answer was done or not, also much later; in a new epoch
//! everything starts afresh, and what was answered just before may be lost with the old one.

mod again;
mod circle;
mod clock;
mod endings;
mod ledger;
mod life;
mod line;
mod outcome;
mod request;
mod sight;
mod snapshot;
mod stream;
mod watch;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::history::{Record, What};
use ledger::Ledger;

pub use again::{JudgeArgs, judge_again};

/// What must hold. The numbers are those of the list that the promises were taken from; I5 and I14 are not visible from outside yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Invariant {
    /// I1: what was acknowledged is in the final state and reached everybody who watched.
    Lost,
    /// I2: nothing is shown that nobody asked for or that was refused.
    Phantom,
    /// I3: what was shown is committed.
    AbortedRead,
    /// I4: one entry of the journal is one change of one thing, for all who look, under one epoch.
    Bijection,
    /// I6: on one connection `seq` never goes back.
    Order,
    /// I7: nothing comes twice, but for the entry at the cursor of a resume.
    Repeat,
    /// I8: one request is done once, and all its answers agree.
    OneEvent,
    /// I9: a request without an answer was done once or not at all.
    Unknown,
    /// I10: what was answered before something else was asked stands before it in the journal.
    RealTime,
    /// I11: people see what they have written.
    ReadYourWrites,
    /// P4: state by events = state fetched; a snapshot is the journal up to its `seq`.
    Snapshot,
    /// I12: nothing is shown to those who may not see it now.
    Visibility,
    /// I13: a log-out ends everything that came from the log-in.
    Revocation,
    /// I15: every request ends, and after the faults everybody has everything in time.
    Liveness,
    /// I16: memory and descriptors return to what they were.
    Resources,
    /// I17: counters equal what was done.
    Counters,
    /// A scheduled fault did not fire: the examination did not try what it says.
    Misfire,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// What does not hold.
    pub invariant: Invariant,
    /// In words.
    pub says: String,
    /// The lines of the history that show it, from 0.
    pub records: Vec<usize>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {} (records {:?})", self.invariant, self.says, self.records)
    }
}

/// How patient the judge is. Times in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Patience {
    /// From the answer to a log-out, an unfollow or a removal until it holds everywhere (P5).
    pub revocation: u64,
    /// From a request to its answer or the end of its connection; also until the server has given up what nobody answered for.
    pub answer: u64,
    /// A new epoch may lose what was acknowledged in the old one (a restored backup, a standby that was behind).
    pub loss_with_epoch: bool,
    /// Memory and descriptors may grow by this many per cent over the warm state…
    pub growth_percent: u64,
    /// … and memory by this many bytes besides (allocators keep some).
    pub growth_bytes: u64,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            revocation: 1_000_000,
            answer: 30_000_000,
            loss_with_epoch: true,
            growth_percent: 5,
            growth_bytes: 8 << 20,
        }
    }
}

/// What the judge found.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Verdict {
    /// What is wrong, the first of each kind; empty if the history is good.
    pub violations: Vec<Violation>,
    /// How often each invariant was found broken, with those that are not listed.
    pub broken: BTreeMap<Invariant, u64>,
    /// What was followed.
    pub tally: Tally,
}

/// How much was followed: a verdict on nothing is worth nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Requests.
    pub requests: u64,
    /// Changes that were acknowledged and followed to everybody who watched.
    pub acknowledged: u64,
    /// Requests whose outcome nobody knows.
    pub unknown: u64,
    /// Requests that were refused.
    pub refused: u64,
    /// Events received.
    pub events: u64,
    /// Snapshots compared with the journal.
    pub snapshots: u64,
    /// Times that a feed had to have everything up to some position, with everything that was to be there.
    pub demands: u64,
    /// The entry at the cursor, received again after a resume.
    pub repeats: u64,
    /// Connections that came back with a cursor.
    pub resumes: u64,
    /// Feeds compared with the final state.
    pub final_feeds: u64,
    /// Times that the journal began a new life.
    pub new_epochs: u64,
    /// Things that were acknowledged in an earlier epoch and are not there in the end.
    pub lost_with_epoch: u64,
}

/// Judges a whole history.
#[must_use]
pub fn judge(records: &[Record], patience: Patience) -> Verdict {
    let mut verdict = Verdict::default();
    let Some(What::Began { .. }) = records.first().map(|record| &record.what) else {
        verdict.accuse(Invariant::Liveness, "the history does not begin with `began`".to_owned(), [0]);
        return verdict;
    };
    let ledger = Ledger::of(records, patience, &mut verdict);
    outcome::judge(&ledger, patience, &mut verdict);
    stream::judge(&ledger, patience, &mut verdict);
    endings::judge(&ledger, patience, &mut verdict);
    verdict
}

/// A server that is wrong is wrong a million times: of each kind so many are told in full.
const TOLD_IN_FULL: u64 = 100;

impl Verdict {
    /// Whether everything that was to hold holds.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.violations.is_empty()
    }

    fn accuse(&mut self, invariant: Invariant, says: String, records: impl IntoIterator<Item = usize>) {
        let times = self.broken.entry(invariant).or_default();
        *times += 1;
        if *times <= TOLD_IN_FULL {
            self.violations.push(Violation { invariant, says, records: records.into_iter().collect() });
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for violation in &self.violations {
            writeln!(f, "{violation}")?;
        }
        for (invariant, times) in &self.broken {
            writeln!(f, "{invariant:?} is broken {times} times")?;
        }
        writeln!(f, "{}", self.tally)?;
        f.write_str(if self.is_good() { "The history is good.\n" } else { "The history is NOT good.\n" })
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} requests ({} changes acknowledged, ", self.requests, self.acknowledged)?;
        write!(f, "{} refused, {} without an answer), ", self.refused, self.unknown)?;
        write!(
            f,
            "{} events, {} snapshots compared, {} states demanded of streams, ",
            self.events, self.snapshots, self.demands
        )?;
        write!(
            f,
            "{} resumes ({} repeats), {} feeds compared in the end, ",
            self.resumes, self.repeats, self.final_feeds
        )?;
        write!(f, "{} new epochs ({} things lost with the old)", self.new_epochs, self.lost_with_epoch)
    }
}
