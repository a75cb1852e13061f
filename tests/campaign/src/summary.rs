//! The campaign in figures. Pure arithmetic over accounts; what it says is what is published.

use std::{collections::BTreeMap, env, fs};

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::{
    account::{Account, Recovery},
    campaign::Campaign,
    resources::Census,
};

/// A campaign that is over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// How it was started.
    pub command: String,
    /// The first seed.
    pub seed: u64,
    /// When it ended, in UTC.
    pub date: String,
    /// On what.
    pub machine: String,
    /// The load of each round, in words.
    pub load: String,
    /// All rounds.
    pub rounds: usize,
    /// Rounds with which something was wrong.
    pub bad_rounds: Vec<u32>,
    /// Changes that were acknowledged and followed to the end.
    pub acknowledged: u64,
    /// Events that clients heard.
    pub delivered: u64,
    /// Everything the examiner counted, over all rounds.
    pub tally: BTreeMap<String, u64>,
    /// Violations found.
    pub violations: u64,
    /// Strikes of two and more faults at once.
    pub combinations: u64,
    /// Faults by kind: how often they took hold.
    pub fired: BTreeMap<String, Fired>,
    /// Faults that were ordered and did not take hold.
    pub unfired: Vec<String>,
    /// Recoveries by kind of fault.
    pub recoveries: BTreeMap<String, Spread>,
    /// Recoveries of all kinds.
    pub all_recoveries: Spread,
    /// Each recovery there was, for the plots.
    pub samples: Vec<Recovery>,
    /// Latencies, round by round, as the examiner gives them.
    pub latencies: Vec<serde_json::Value>,
    /// Resources, round by round: before the first fault and after the last.
    pub resources: Vec<(Census, Census)>,
    /// What nodes and rounds complained of.
    pub complaints: Vec<String>,
}

/// How often faults of a kind took hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fired {
    /// The row of the list of faults.
    pub row: String,
    /// Alone.
    pub alone: u64,
    /// With others at once.
    pub combined: u64,
}

/// How times are spread, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// Until a change was acknowledged.
    pub ack: Quantiles,
    /// Until one had reached everybody.
    pub delivered: Quantiles,
}

/// Of a set of times, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Quantiles {
    /// How many times there are.
    pub count: usize,
    /// Half of them took no longer.
    pub p50: f64,
    /// Nine of ten.
    pub p90: f64,
    /// Ninety-nine of a hundred.
    pub p99: f64,
    /// The longest.
    pub max: f64,
}

impl Quantiles {
    /// Of these times.
    #[must_use]
    pub fn of(times: impl Iterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = times.collect();
        sorted.sort_by(f64::total_cmp);
        let at = |percent: usize| {
            // The smallest that is not below so many of them.
            let rank = (sorted.len() * percent).div_ceil(100).max(1);
            sorted.get(rank - 1).copied().unwrap_or_default()
        };
        Self { count: sorted.len(), p50: at(50), p90: at(90), p99: at(99), max: at(100) }
    }
}

impl Spread {
    /// Of these recoveries.
    #[must_use]
    pub fn of<'a>(recoveries: impl Iterator<Item = &'a Recovery> + Clone) -> Self {
        Self {
            ack: Quantiles::of(recoveries.clone().filter_map(|one| one.ack_ms)),
            delivered: Quantiles::of(recoveries.filter_map(|one| one.delivered_ms)),
        }
    }
}

impl Summary {
    /// Of all these rounds.
    ///
    /// # Errors
    /// When the machine does not say what it is.
    pub fn of(campaign: &Campaign, accounts: Vec<Account>) -> Result<Self> {
        let load = &campaign.load;
        let samples: Vec<Recovery> = accounts.iter().flat_map(|account| account.recoveries.clone()).collect();
        Ok(Self {
            command: command(env::args().skip(1)),
            seed: campaign.seed,
            date: jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M UTC").to_string(),
            machine: machine()?,
            load: format!(
                "{} nodes; {} people with {} connections; {} changes a second",
                campaign.plan.nodes, load.people, load.clients, load.rate
            ),
            rounds: accounts.len(),
            bad_rounds: accounts.iter().filter(|account| !account.is_good()).map(|account| account.number).collect(),
            acknowledged: accounts.iter().map(|account| account.acknowledged).sum(),
            delivered: accounts.iter().map(|account| account.delivered).sum(),
            tally: tally(&accounts),
            violations: accounts.iter().flat_map(|account| account.violated.values()).sum(),
            combinations: accounts.iter().map(combinations).sum(),
            fired: fired(&accounts),
            unfired: accounts.iter().flat_map(Account::unfired).map(|entry| entry.name.clone()).collect(),
            recoveries: spreads(&samples),
            all_recoveries: Spread::of(samples.iter()),
            samples,
            latencies: accounts.iter().map(|account| account.latency.clone()).collect(),
            complaints: accounts.iter().flat_map(|account| account.complaints.clone()).collect(),
            resources: accounts.into_iter().map(|account| (account.warm, account.end)).collect(),
        })
    }

    /// Nothing was wrong in any round, and all that was to be broken was.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.bad_rounds.is_empty()
    }
}

/// How anybody starts the same again: without what is found by itself, and differs from machine to machine.
fn command(mut args: impl Iterator<Item = String>) -> String {
    let mut line = "cargo xtask campaign".to_owned();
    while let Some(word) = args.next() {
        if ["--server", "--harness", "--keep"].contains(&word.as_str()) {
            args.next();
        } else {
            line = line + " " + &word;
        }
    }
    line
}

/// Numbers of the examiner's tallies, added up.
fn tally(accounts: &[Account]) -> BTreeMap<String, u64> {
    let mut sums = BTreeMap::new();
    for (name, count) in accounts.iter().filter_map(|account| account.tally.as_object()).flatten() {
        if let Some(count) = count.as_u64() {
            *sums.entry(name.clone()).or_default() += count;
        }
    }
    sums
}

/// Strikes of more than one fault that took hold.
fn combinations(account: &Account) -> u64 {
    let mut strikes: BTreeMap<u32, u64> = BTreeMap::new();
    for entry in account.book.iter().filter(|entry| entry.fired_ms.is_some()) {
        *strikes.entry(entry.strike).or_default() += 1;
    }
    strikes.values().filter(|faults| **faults > 1).count() as u64
}

fn fired(accounts: &[Account]) -> BTreeMap<String, Fired> {
    let mut fired: BTreeMap<String, Fired> = BTreeMap::new();
    for account in accounts {
        for entry in account.book.iter().filter(|entry| entry.fired_ms.is_some()) {
            let alone = account.book.iter().filter(|other| other.strike == entry.strike).count() == 1;
            let count = fired.entry(entry.kind.clone()).or_default();
            count.row.clone_from(&entry.row);
            *(if alone { &mut count.alone } else { &mut count.combined }) += 1;
        }
    }
    fired
}

fn spreads(samples: &[Recovery]) -> BTreeMap<String, Spread> {
    let kinds: std::collections::BTreeSet<&String> = samples.iter().map(|sample| &sample.kind).collect();
    let of = |kind: &String| Spread::of(samples.iter().filter(|sample| sample.kind == *kind));
    kinds.into_iter().map(|kind| (kind.clone(), of(kind))).collect()
}

/// Processor, cores and memory, as Linux tells them.
fn machine() -> Result<String> {
    let field = |text: &str, name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.map_or_else(|| "unknown".to_owned(), |rest| rest.trim_start_matches([' ', '\t', ':']).to_owned())
    };
    let processor = field(&fs::read_to_string("/proc/cpuinfo")?, "model name");
    let memory = field(&fs::read_to_string("/proc/meminfo")?, "MemTotal:");
    let cores = std::thread::available_parallelism()?;
    Ok(format!("{cores} cores ({processor}), {memory} of memory, {} {}", env::consts::OS, env::consts::ARCH))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_one_that_works_elsewhere() {
        let given = ["--server", "/x/tidings", "--rounds", "3", "--keep", "/y", "--long"];
        assert_eq!(command(given.map(str::to_owned).into_iter()), "cargo xtask campaign --rounds 3 --long");
    }

    #[test]
    fn quantiles_are_times_that_there_were() {
        let spread = Quantiles::of((1..=200).rev().map(f64::from));
        assert_eq!((spread.count, spread.p50, spread.p90, spread.p99, spread.max), (200, 100.0, 180.0, 198.0, 200.0));
        assert_eq!(Quantiles::of([7.0].into_iter()), Quantiles { count: 1, p50: 7.0, p90: 7.0, p99: 7.0, max: 7.0 });
        assert_eq!(Quantiles::of(std::iter::empty()), Quantiles::default());
    }
}
