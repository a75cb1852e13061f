//! What an examination found, for people and for programs: what was tried, what fired, what was followed, what is wrong and what shows it.
//! Must never call an examination good that tried nothing.

mod recovery;

use std::collections::BTreeMap;
use std::fmt;

use anyhow::Result;
use serde::Serialize;

use self::recovery::{Fault, Latency, Recovery};
use super::ExamineArgs;
use super::drive::Examined;
use super::history::{Final, Record, What};
use super::judge::{Invariant, Tally, Verdict, Violation};
use super::selftest::SelfTest;

/// Violations that are told with their records; all are counted.
const TOLD: usize = 200;
/// Violations that are shown to people one by one.
const SHOWN: usize = 20;
/// Members of a snapshot that are kept as evidence.
const MEMBERS: usize = 100;

/// Everything.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Decides what the clients try.
    pub seed: u64,
    /// Of the load.
    pub seconds: f64,
    /// Accounts.
    pub people: usize,
    /// Clients.
    pub clients: usize,
    /// URLs.
    pub nodes: usize,
    /// Changes a second that were asked for.
    pub rate: f64,
    /// Changes that were not asked because their client was too far behind.
    pub skipped: u64,
    /// How the judge did on anomalies that were made for it.
    pub self_test: Proof,
    /// What was followed.
    pub tally: Tally,
    /// How many of each.
    pub violated: BTreeMap<Invariant, u64>,
    /// What is wrong, with what shows it.
    pub violations: Vec<Shown>,
    /// What was broken from outside.
    pub faults: Vec<Fault>,
    /// How soon all was well again.
    pub recoveries: Vec<Recovery>,
    /// In milliseconds.
    pub latency: Latency,
    /// How late the examiner itself was, 99 of 100 times.
    pub lag_p99_ms: u64,
    /// The same at worst.
    pub lag_max_ms: u64,
    /// What the server's processes used.
    pub resources: Vec<Used>,
}

/// How the judge did on anomalies that were made for it.
#[derive(Debug, Serialize)]
pub struct Proof {
    /// Histories in which nothing was wrong.
    pub good: u64,
    /// Of these, accused nevertheless.
    pub accused: usize,
    /// Anomalies put into them.
    pub tried: u64,
    /// Of these, found.
    pub found: u64,
}

/// A violation with its records.
#[derive(Debug, Serialize)]
pub struct Shown {
    /// What does not hold, in words, and by which lines of the history.
    #[serde(flatten)]
    pub violation: Violation,
    /// These lines.
    pub history: Vec<Record>,
}

/// What a process used.
#[derive(Debug, Serialize)]
pub struct Used {
    /// Which.
    pub pid: u32,
    /// Before the faults, or at the end.
    pub warm: bool,
    /// Resident memory.
    pub resident_bytes: u64,
    /// Open descriptors.
    pub files: u64,
}

impl Report {
    /// Of an examination and its verdict.
    ///
    /// # Errors
    /// None in practice.
    pub fn of(args: &ExamineArgs, examined: &Examined, test: &SelfTest, verdict: Verdict) -> Result<Self> {
        let records = &examined.records;
        let mut violated = verdict.broken;
        for breach in &examined.breaches {
            *violated.entry(breach.invariant).or_default() += 1;
        }
        let all = verdict.violations.into_iter().chain(examined.breaches.iter().cloned());
        let show = |violation: Violation| {
            let lines = violation.records.iter().filter_map(|line| records.get(*line));
            let history = lines.map(evidence).collect();
            Shown { violation, history }
        };
        let resources = records.iter().filter_map(|record| {
            let What::Resources { pid, warm, resident_bytes, files } = record.what else { return None };
            Some(Used { pid, warm, resident_bytes, files })
        });
        Ok(Self {
            seed: args.seed,
            seconds: examined.load.as_secs_f64(),
            people: args.people,
            clients: args.clients,
            nodes: args.urls.len(),
            rate: examined.rate,
            skipped: examined.skipped,
            self_test: Proof {
                good: test.good,
                accused: test.accused.len(),
                tried: test.lines.iter().map(|line| line.tried).sum(),
                found: test.lines.iter().map(|line| line.found).sum(),
            },
            tally: verdict.tally,
            violated,
            violations: all.take(TOLD).map(show).collect(),
            faults: recovery::faults(records),
            recoveries: recovery::recoveries(records),
            latency: recovery::latency(records)?,
            lag_p99_ms: examined.lag_ms.0,
            lag_max_ms: examined.lag_ms.1,
            resources: resources.collect(),
        })
    }

    /// Nothing is wrong, and something was tried.
    #[must_use]
    pub fn good(&self) -> bool {
        self.violated.is_empty() && self.tally.acknowledged > 0
    }
}

/// A line as evidence: without the bulk.
fn evidence(record: &Record) -> Record {
    let mut record = record.clone();
    if let What::Final(last) = &mut record.what {
        *last = Final { seq: last.seq, ..Final::default() };
    } else if let What::Snapshot { members, .. } = &mut record.what {
        members.truncate(MEMBERS);
    }
    record
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tally = &self.tally;
        writeln!(
            f,
            "tried       seed {}, {:.1} s, {:.0} changes a second by {} clients of {} people on {} nodes",
            self.seed, self.seconds, self.rate, self.clients, self.people, self.nodes
        )?;
        writeln!(
            f,
            "requests    {}: {} changes acknowledged, {} refused, {} without an answer (asked again); {} not asked",
            tally.requests, tally.acknowledged, tally.refused, tally.unknown, self.skipped
        )?;
        writeln!(
            f,
            "followed    {} events, {} snapshots, {} resumes, {} repeats at a cursor",
            tally.events, tally.snapshots, tally.resumes, tally.repeats
        )?;
        writeln!(
            f,
            "demanded    {} times that something had to be there; {} feeds compared with the final state",
            tally.demands, tally.final_feeds
        )?;
        writeln!(f, "answered    {}", self.latency.ack)?;
        writeln!(f, "delivered   {}", self.latency.delivered)?;
        writeln!(
            f,
            "ourselves   p99 {} ms late, at worst {} ms: part of the two above",
            self.lag_p99_ms, self.lag_max_ms
        )?;
        self.faults_in_words(f)?;
        let proof = &self.self_test;
        writeln!(
            f,
            "judge       {} of {} anomalies found that were made for it, {} of {} good histories accused",
            proof.found, proof.tried, proof.accused, proof.good
        )?;
        if self.good() {
            return writeln!(f, "verdict     GOOD: nothing lost, doubled, out of order or leaked");
        }
        if self.violated.is_empty() {
            return writeln!(f, "verdict     NOTHING was acknowledged: nothing was examined");
        }
        writeln!(f, "verdict     BAD: {:?}", self.violated)?;
        self.violations.iter().take(SHOWN).try_for_each(|shown| writeln!(f, "  {}", shown.violation))
    }
}

impl Report {
    fn faults_in_words(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for fault in &self.faults {
            let phase = |name: &str, at: Option<u64>| at.map_or_else(|| format!("NOT {name}"), |at| seconds(name, at));
            let phases = [("ordered", fault.ordered), ("fired", fault.fired), ("healed", fault.healed)];
            let phases = phases.map(|(name, at)| phase(name, at)).join(", ");
            let recovery = self.recoveries.iter().find(|recovery| recovery.number == fault.number);
            let time = |ms: Option<f64>| ms.map_or_else(|| "never".to_owned(), |ms| format!("{ms:.0} ms"));
            let recovered = recovery.map_or_else(String::new, |recovery| {
                format!("; then answered in {}, delivered in {}", time(recovery.ack_ms), time(recovery.delivered_ms))
            });
            writeln!(f, "fault {:5} {}: {phases}{recovered}", fault.number, fault.name)?;
        }
        Ok(())
    }
}

fn seconds(name: &str, micros: u64) -> String {
    format!("{name} at {}.{:03} s", micros / 1_000_000, micros / 1_000 % 1_000)
}
