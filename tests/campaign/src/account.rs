//! What is kept of a round: its faults, the examiner's findings, recoveries and resources, read from the examiner's report.

use std::{collections::BTreeMap, path::PathBuf};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    nemesis::Entry,
    resources::Census,
    round::{Kind, Outcome, Round},
};

/// The kind of recoveries from a combination.
const SEVERAL: &str = "several at once";

/// How long after a fault was over things went on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recovery {
    /// Of what kind the fault was, or that there were several at once.
    pub kind: String,
    /// Until the first change that was asked for afterwards was acknowledged.
    pub ack_ms: Option<f64>,
    /// Until such a change had reached all who watched.
    pub delivered_ms: Option<f64>,
}

/// The account of one round.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Account {
    /// Its place in the campaign.
    pub number: u32,
    /// Its seed.
    pub seed: u64,
    /// What was tried.
    pub kind: Option<Kind>,
    /// All faults.
    pub book: Vec<Entry>,
    /// Changes that were acknowledged and followed.
    pub acknowledged: u64,
    /// Events that clients heard.
    pub delivered: u64,
    /// The examiner's count of everything.
    pub tally: Value,
    /// How often each invariant was broken.
    pub violated: BTreeMap<String, u64>,
    /// What it found wrong, as far as it tells.
    pub violations: Vec<Value>,
    /// How long recoveries took.
    pub recoveries: Vec<Recovery>,
    /// Latencies, faults and all.
    pub latency: Value,
    /// Resources before the first fault.
    pub warm: Census,
    /// Resources after the last.
    pub end: Census,
    /// What the nodes themselves say is wrong, or the examiner's failure.
    pub complaints: Vec<String>,
    /// Where everything about it was kept, if it was not good.
    pub kept: Option<PathBuf>,
}

impl Account {
    /// Of a round that came to its end.
    ///
    /// # Errors
    /// When the examiner's report is not one.
    pub fn of(round: &Round, book: Vec<Entry>, outcome: Outcome) -> Result<Self> {
        let Outcome { warm, end, verdict } = outcome;
        let report = verdict.report;
        let violations = report["violations"].as_array().context("a report without violations")?.clone();
        let violated: BTreeMap<String, u64> =
            serde_json::from_value(report["violated"].clone()).context("a report without a count of violations")?;
        let mut complaints = end.leaks_since(&warm);
        if verdict.code != 0 && violated.is_empty() {
            complaints.push(format!("the examiner is not content: {}", verdict.words));
        }
        Ok(Self {
            number: round.number,
            seed: round.seed,
            kind: Some(round.kind),
            recoveries: recoveries(&report, &book),
            acknowledged: report["tally"]["acknowledged"].as_u64().context("a tally without acknowledged changes")?,
            delivered: report["tally"]["events"].as_u64().unwrap_or_default(),
            tally: report["tally"].clone(),
            latency: report["latency"].clone(),
            book,
            violated,
            violations,
            warm,
            end,
            complaints,
            kept: None,
        })
    }

    /// Of a round that did not come to its end.
    #[must_use]
    pub fn failed(round: &Round, book: Vec<Entry>, why: &anyhow::Error) -> Self {
        let complaints = vec![format!("{why:#}")];
        Self { number: round.number, seed: round.seed, kind: Some(round.kind), book, complaints, ..Self::default() }
    }

    /// What was wrong, in words, at most so many lines of each sort.
    #[must_use]
    pub fn wrongs(&self, most: usize) -> Vec<String> {
        let unfired = self.unfired().map(|entry| format!("did not take hold: {}", entry.name));
        let violations = self.violations.iter().map(|one| format!("{}: {}", one["invariant"], one["says"]));
        let complaints = self.complaints.iter().cloned();
        unfired.take(most).chain(violations.take(most)).chain(complaints.take(most)).collect()
    }

    /// Faults that never took hold.
    pub fn unfired(&self) -> impl Iterator<Item = &Entry> {
        self.book.iter().filter(|entry| entry.fired_ms.is_none())
    }

    /// Nothing was wrong, and everything that was to be broken was.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.violated.is_empty() && self.complaints.is_empty() && self.unfired().next().is_none()
    }
}

/// The examiner knows faults by their number alone.
fn recoveries(report: &Value, book: &[Entry]) -> Vec<Recovery> {
    let all = report["recoveries"].as_array().into_iter().flatten();
    all.filter_map(|one| {
        let number = one["number"].as_u64()?;
        let entry = book.iter().find(|entry| u64::from(entry.number) == number)?;
        let together: Vec<&Entry> = book.iter().filter(|other| other.strike == entry.strike).collect();
        // While another fault of the same strike goes on, nothing can be said of this one.
        let last = together.iter().max_by_key(|other| other.healed_ms)?;
        (last.number == entry.number).then(|| Recovery {
            kind: if together.len() > 1 { SEVERAL.to_owned() } else { entry.kind.clone() },
            ack_ms: one["ack_ms"].as_f64(),
            delivered_ms: one["delivered_ms"].as_f64(),
        })
    })
    .collect()
}
