//! What a run is asked to do, and whether that makes sense.
//! Must never be changed once a run has begun: it is printed in the report.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, ensure};
use clap::Args;
use serde::Serialize;
use tidings_protocol::limits::CONNECTIONS_PER_USER;

use crate::graph::Shape;
use crate::schedule::Arrivals;

/// What to run.
#[derive(Args, Clone, Debug, Serialize)]
pub struct Settings {
    /// The server; several nodes by several `--url`.
    #[arg(long = "url", default_value = "http://127.0.0.1:8080")]
    pub urls: Vec<String>,
    /// WebSockets to keep open.
    #[arg(long, default_value_t = 100)]
    pub connections: usize,
    /// Posts a second, all authors together.
    #[arg(long, default_value_t = 10.0)]
    pub rate: f64,
    /// Length of the measured part.
    #[arg(long, default_value_t = 30.0)]
    pub seconds: f64,
    /// Seconds before it, checked but not measured.
    #[arg(long, default_value_t = 2.0)]
    pub warm_up: f64,
    /// How followers are spread over authors.
    #[arg(long, value_enum, default_value = "zipf")]
    pub followers: Shape,
    /// Whom each person follows.
    #[arg(long, default_value_t = 10)]
    pub follows: usize,
    /// Accounts; connections are dealt out to them in turn, at most 20 each. Default: one each, at most 200, but enough.
    #[arg(long)]
    pub people: Option<usize>,
    /// How many of the people write. Default: all.
    #[arg(long)]
    pub authors: Option<usize>,
    /// How arrivals are spaced.
    #[arg(long, value_enum, default_value = "poisson")]
    pub arrivals: Arrivals,
    /// Decides the graph, the arrivals and the losses.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Length of a post's text.
    #[arg(long, default_value_t = 200)]
    pub text_bytes: usize,
    /// Lost lines a second, all connections together; each comes back with its cursor.
    #[arg(long, default_value_t = 0.0)]
    pub reconnects: f64,
    /// Longest time that a lost connection stays away.
    #[arg(long, default_value_t = 1000)]
    pub away_ms: u64,
    /// Longest wait for the last answers and deliveries; what has not come by then is lost.
    #[arg(long, default_value_t = 15.0)]
    pub patience: f64,
    /// File that keeps the accounts between runs (signing up is slow on purpose).
    #[arg(long)]
    pub accounts: Option<PathBuf>,
    /// Process id of the server on this machine, to report its CPU time and memory.
    #[arg(long)]
    pub server_pid: Option<u32>,
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

    /// Warm-up and measured part.
    #[must_use]
    pub fn length(&self) -> Duration {
        Duration::from_secs_f64(self.warm_up + self.seconds)
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
        let rates = [self.rate, self.seconds, self.warm_up, self.reconnects, self.patience];
        ensure!(rates.iter().all(|rate| rate.is_finite() && *rate >= 0.0), "rates and times must not be negative");
        Ok(())
    }
}
