//! What a run is asked to do, and whether that makes sense: the keys of a scenario file.
//! Must never be changed once a run has begun: it is printed in the report.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};
use tidings_protocol::limits::CONNECTIONS_PER_USER;

use crate::graph::Shape;
use crate::schedule::Arrivals;

/// What to run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// What it is like, in one line.
    pub about: String,
    /// The server; several nodes by several URLs.
    pub urls: Vec<String>,
    /// WebSockets to keep open.
    pub connections: usize,
    /// Accounts; connections are dealt out to them in turn. Default: one each, at most 200, but enough.
    pub people: Option<usize>,
    /// How many of the people write. Default: all.
    pub authors: Option<usize>,
    /// How followers are spread over authors.
    pub followers: Shape,
    /// Whom each person follows.
    pub follows: usize,
    /// Posts a second, all authors together.
    pub rate: f64,
    /// Comments a second, all authors together.
    pub comments: f64,
    /// Posts whose comments are watched; every connection watches one of them, in turn.
    pub threads: usize,
    /// How arrivals are spaced.
    pub arrivals: Arrivals,
    /// Decides the graph, the arrivals and the losses.
    pub seed: u64,
    /// Length of a text.
    pub text_bytes: usize,
    /// Lost lines a second, all connections together; each comes back with its cursor.
    pub reconnects: f64,
    /// Longest time that a lost connection stays away.
    pub away_ms: u64,
    /// Connections (the last ones) that stop reading again and again.
    pub slow_readers: usize,
    /// How long each of them stops.
    pub stall_ms: u64,
    /// From one stop to the next.
    pub stall_every_ms: u64,
    /// Seconds before the measured part, checked but not counted.
    pub warm_up: f64,
    /// Length of the measured part, or of each step.
    pub seconds: f64,
    /// Multiplies all rates, those of phases too.
    pub scale: f64,
    /// Parts with rates of their own, one after another.
    pub phases: Vec<Phase>,
    /// Raises the rates step by step up to the knee.
    pub steps: Option<Steps>,
    /// How long nothing at all may come before what is still missing is lost.
    pub patience: f64,
    /// Share of the connections of which every delivery is kept and checked; of the others only the order is.
    pub check: f64,
    /// File that keeps the accounts between runs (signing up is slow on purpose).
    pub accounts: Option<PathBuf>,
    /// Process id of the server on this machine, to report its CPU time and memory.
    pub server_pid: Option<u32>,
}

/// A part of a run with rates of its own; what is not given is as in the rest of the scenario.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Phase {
    /// For the report.
    pub name: String,
    /// Its length.
    pub seconds: f64,
    /// Posts a second.
    pub rate: Option<f64>,
    /// Comments a second.
    pub comments: Option<f64>,
    /// Lost lines a second.
    pub reconnects: Option<f64>,
    /// Share of the connections that are cut at once when it begins.
    #[serde(default)]
    pub cut: f64,
}

/// How the rates are raised, and when that is enough.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Steps {
    /// From one step to the next.
    pub factor: f64,
    /// Steps at most.
    pub most: usize,
    /// Seconds without load after each, in which what was late may come.
    pub rest: f64,
    /// The limit of the p99 of deliveries, in milliseconds.
    pub p99_ms: f64,
    /// The limit of what is due and has no answer when a step ends, in seconds' worth of the step.
    pub backlog_seconds: f64,
}

/// All keys of a scenario file, for those who mistype one.
pub const KEYS: &[&str] = &[
    "about",
    "urls",
    "connections",
    "people",
    "authors",
    "followers",
    "follows",
    "rate",
    "comments",
    "threads",
    "arrivals",
    "seed",
    "text_bytes",
    "reconnects",
    "away_ms",
    "slow_readers",
    "stall_ms",
    "stall_every_ms",
    "warm_up",
    "seconds",
    "scale",
    "phases",
    "steps",
    "patience",
    "check",
    "accounts",
    "server_pid",
];
/// All keys of a phase.
pub const PHASE_KEYS: &[&str] = &["name", "seconds", "rate", "comments", "reconnects", "cut"];
/// All keys of `[steps]`.
pub const STEPS_KEYS: &[&str] = &["factor", "most", "rest", "p99_ms", "backlog_seconds"];

impl Default for Settings {
    fn default() -> Self {
        Self {
            about: String::new(),
            urls: vec!["http://127.0.0.1:8080".to_owned()],
            connections: 100,
            people: None,
            authors: None,
            followers: Shape::Zipf,
            follows: 10,
            rate: 10.0,
            comments: 0.0,
            threads: 0,
            arrivals: Arrivals::Poisson,
            seed: 1,
            text_bytes: 200,
            reconnects: 0.0,
            away_ms: 1000,
            slow_readers: 0,
            stall_ms: 3000,
            stall_every_ms: 5000,
            warm_up: 2.0,
            seconds: 30.0,
            scale: 1.0,
            phases: Vec::new(),
            steps: None,
            patience: 15.0,
            check: 1.0,
            accounts: None,
            server_pid: None,
        }
    }
}

impl Default for Steps {
    fn default() -> Self {
        Self { factor: 1.5, most: 12, rest: 1.0, p99_ms: 50.0, backlog_seconds: 0.5 }
    }
}

impl Settings {
    /// How many accounts.
    #[must_use]
    pub fn people(&self) -> usize {
        let enough = self.connections.div_ceil(CONNECTIONS_PER_USER);
        self.people.unwrap_or_else(|| self.connections.min(200).max(enough))
    }

    /// How many of them write.
    #[must_use]
    pub fn authors(&self) -> usize {
        self.authors.unwrap_or_else(|| self.people())
    }

    /// Whether the settings fit together.
    ///
    /// # Errors
    /// In words: what does not fit.
    pub fn check(&self) -> Result<()> {
        let (people, authors) = (self.people(), self.authors());
        ensure!(self.connections > 0 && !self.urls.is_empty(), "nothing to connect");
        ensure!(people <= self.connections, "--people {people}: more than connections; some would never be heard of");
        ensure!(
            people * CONNECTIONS_PER_USER >= self.connections,
            "{} connections need at least {} --people: the server allows {CONNECTIONS_PER_USER} connections each",
            self.connections,
            self.connections.div_ceil(CONNECTIONS_PER_USER)
        );
        ensure!((1..=people).contains(&authors), "--authors must be 1 to --people ({people})");
        let phases = self.phases.iter().flat_map(|phase| {
            [Some(phase.seconds), phase.rate, phase.comments, phase.reconnects, Some(phase.cut)].into_iter().flatten()
        });
        let rates = [
            self.rate,
            self.comments,
            self.seconds,
            self.warm_up,
            self.reconnects,
            self.patience,
            self.scale,
            self.check,
        ];
        ensure!(
            rates.into_iter().chain(phases).all(|rate| rate.is_finite() && rate >= 0.0),
            "rates and times must not be negative"
        );
        let comments =
            self.comments > 0.0 || self.phases.iter().any(|phase| phase.comments.is_some_and(|rate| rate > 0.0));
        ensure!(!comments || self.threads > 0, "comments need --threads: a post to comment on");
        ensure!(self.check <= 1.0, "--check is a share of the connections, 0 to 1");
        ensure!(self.phases.iter().all(|phase| phase.cut <= 1.0), "`cut` is a share of the connections, 0 to 1");
        ensure!(
            self.slow_readers + authors <= self.connections,
            "{} --slow-readers and {authors} authors, who read at once, need more than {} connections",
            self.slow_readers,
            self.connections
        );
        ensure!(
            self.slow_readers == 0 || self.stall_every_ms > self.stall_ms,
            "slow readers must read at times: --stall-every-ms must be more than --stall-ms"
        );
        self.check_steps()
    }

    fn check_steps(&self) -> Result<()> {
        let Some(steps) = &self.steps else {
            return Ok(());
        };
        ensure!(self.phases.is_empty(), "a scenario has phases or steps, not both");
        ensure!(steps.factor.is_finite() && steps.factor > 1.0, "steps must rise: `factor` must be more than 1");
        ensure!((2..=64).contains(&steps.most), "`most` must be 2 to 64 steps");
        ensure!(self.seconds >= 1.0, "a step needs at least a second (`seconds`)");
        ensure!(
            steps.p99_ms > 0.0 && steps.backlog_seconds > 0.0 && (0.0..=600.0).contains(&steps.rest),
            "the limits of steps must be more than 0"
        );
        ensure!(self.rate + self.comments > 0.0, "steps need a rate to begin with: `rate` or `comments`");
        Ok(())
    }
}
