//! What a run found, for people and for programs.
//! Must never hide a bad figure: a client that was the bottleneck says so in the report itself.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;
use uuid::Uuid;

use crate::check::{self, Anomaly, Violation};
use crate::history::{Heard, History, Outcome};
use crate::machine::Cpu;
use crate::settings::Settings;
use crate::stage::Meters;

/// Violations shown one by one; the rest is counted.
const SHOWN: usize = 50;
/// The harness runs on one thread: above this share of a core its own queueing shows in the latencies.
const BUSY_CORE: f64 = 0.85;
/// A send schedule that lags this far behind (p99) measures the harness.
const LAG_MS: f64 = 10.0;

/// CPU time used during the run.
#[derive(Clone, Copy, Debug)]
pub struct Consumed {
    /// Length of the run.
    pub wall: Duration,
    /// By the harness.
    pub own: Cpu,
    /// By the server, if its pid was given.
    pub server: Option<Cpu>,
}

/// Everything.
#[derive(Debug, Serialize)]
pub struct Report {
    /// What was asked for.
    pub settings: Settings,
    /// What became of the posts.
    pub posts: Posts,
    /// What became of the deliveries.
    pub deliveries: Deliveries,
    /// In milliseconds.
    pub latency_ms: Latency,
    /// Losses and returns.
    pub connections: Connections,
    /// CPU time.
    pub cpu: Load,
    /// Why the figures say more about the harness than about the server; none if they do not.
    pub client_bottleneck: Option<String>,
    /// What is wrong, by kind.
    pub violations: BTreeMap<Anomaly, usize>,
    /// The first of them.
    pub first_violations: Vec<Violation>,
}

/// What became of the posts.
#[derive(Debug, Serialize)]
pub struct Posts {
    /// In the plan.
    pub planned: usize,
    /// Done.
    pub acknowledged: usize,
    /// Done a second time after a resume, rightly answered as duplicates.
    pub duplicates: u64,
    /// Refused, by code.
    pub refused: BTreeMap<String, u64>,
    /// Without an answer.
    pub unanswered: usize,
}

/// What became of the deliveries.
#[derive(Debug, Serialize)]
pub struct Deliveries {
    /// Acknowledged posts times the connections that should hear them.
    pub expected: usize,
    /// Posts of this run heard, once for each connection.
    pub heard: usize,
    /// Heard again: the entry at the cursor, at a resume.
    pub repeats: usize,
    /// Events of any kind.
    pub events: u64,
    /// Bytes of JSON received.
    pub bytes: u64,
    /// Events a second of the run.
    pub per_second: f64,
}

/// Quantiles of the measured times.
#[derive(Debug, Serialize)]
pub struct Latency {
    /// Due → acknowledged.
    pub ack: Quantiles,
    /// Due → received, over all followers.
    pub delivery: Quantiles,
    /// The same for what was due while the reader's or the author's connection was away.
    pub caught_up: Quantiles,
    /// Due → handed to the socket: the harness' own part in all of the above.
    pub send_lag: Quantiles,
}

/// Of one histogram, in milliseconds.
#[derive(Debug, Serialize)]
pub struct Quantiles {
    /// Measurements.
    pub count: u64,
    /// Median.
    pub p50: f64,
    /// 9 of 10.
    pub p90: f64,
    /// 99 of 100.
    pub p99: f64,
    /// 999 of 1,000.
    pub p999: f64,
    /// The worst.
    pub max: f64,
}

/// Losses and returns.
#[derive(Debug, Serialize)]
pub struct Connections {
    /// Resumed from the cursor.
    pub resumed: u64,
    /// Resumed with a snapshot.
    pub snapshots: u64,
    /// Ends that nobody ordered, by reason.
    pub closes: BTreeMap<String, u64>,
}

/// CPU time, in cores: 1.0 is one core fully used.
#[derive(Debug, Serialize)]
pub struct Load {
    /// By the harness.
    pub client_cores: f64,
    /// By the server, if its pid was given.
    pub server_cores: Option<f64>,
    /// The server's CPU time for each delivery, writing of the posts included, in µs.
    pub server_us_per_delivery: Option<f64>,
}

impl Report {
    /// Judges and sums up.
    #[must_use]
    pub fn of(settings: &Settings, history: &History, meters: &Meters, consumed: &Consumed) -> Self {
        let found = check::check(history);
        let (heard, repeats) = heard(history);
        let mut violations = BTreeMap::new();
        for violation in &found {
            *violations.entry(violation.anomaly).or_default() += 1;
        }
        let count = |wanted: fn(&Outcome) -> bool| history.posts.iter().filter(|post| wanted(&post.outcome)).count();
        let latency_ms = Latency {
            ack: Quantiles::of(&meters.ack),
            delivery: Quantiles::of(&meters.delivery),
            caught_up: Quantiles::of(&meters.caught_up),
            send_lag: Quantiles::of(&meters.lag),
        };
        let wall = consumed.wall.as_secs_f64();
        let client_cores = consumed.own.total().as_secs_f64() / wall;
        Self {
            settings: settings.clone(),
            posts: Posts {
                planned: history.posts.len(),
                acknowledged: count(|outcome| matches!(outcome, Outcome::Acknowledged { .. })),
                duplicates: meters.duplicates,
                refused: meters.refusals.clone(),
                unanswered: count(|outcome| *outcome == Outcome::Unknown),
            },
            deliveries: Deliveries {
                expected: expected(history),
                heard,
                repeats,
                events: meters.events,
                bytes: meters.bytes,
                per_second: float(meters.events) / wall,
            },
            connections: Connections {
                resumed: meters.resumed,
                snapshots: meters.snapshots,
                closes: meters.closes.clone(),
            },
            cpu: Load {
                client_cores,
                server_cores: consumed.server.map(|cpu| cpu.total().as_secs_f64() / wall),
                server_us_per_delivery: consumed
                    .server
                    .map(|cpu| cpu.total().as_secs_f64() * 1e6 / float(meters.events.max(1))),
            },
            client_bottleneck: bottleneck(client_cores, latency_ms.send_lag.p99),
            latency_ms,
            violations,
            first_violations: found.into_iter().take(SHOWN).collect(),
        }
    }

    /// Whether the checker found nothing.
    #[must_use]
    pub fn good(&self) -> bool {
        self.violations.is_empty()
    }
}

fn bottleneck(cores: f64, lag_p99_ms: f64) -> Option<String> {
    if cores > BUSY_CORE {
        Some(format!("the harness used {cores:.2} cores on its one thread: latencies include its own queue"))
    } else if lag_p99_ms > LAG_MS {
        Some(format!(
            "posts left {lag_p99_ms:.1} ms late (p99): the harness could not keep its schedule, or waited for one of its 64 requests in flight"
        ))
    } else {
        None
    }
}

/// Acknowledged posts times the connections that should hear them.
fn expected(history: &History) -> usize {
    let mut readers = vec![0_usize; history.follows.len()];
    for reader in &history.readers {
        for author in history.follows[reader.person].iter().chain([&reader.person]) {
            readers[*author] += 1;
        }
    }
    let done = history.posts.iter().filter(|post| matches!(post.outcome, Outcome::Acknowledged { .. }));
    done.map(|post| readers[post.author]).sum()
}

/// Posts of this run that were heard, as events or in snapshots: once for each connection, and again.
fn heard(history: &History) -> (usize, usize) {
    let ours: HashSet<Uuid> = history.posts.iter().map(|post| post.id).collect();
    let (mut once, mut again) = (0, 0);
    for reader in &history.readers {
        let mut had = HashSet::new();
        let heard = reader.lives.iter().flat_map(|life| &life.heard);
        for seen in heard.flat_map(Heard::posts).filter(|seen| ours.contains(&seen.id)) {
            if had.insert(seen.id) { once += 1 } else { again += 1 }
        }
    }
    (once, again)
}

#[expect(clippy::cast_precision_loss, reason = "counts of a run are far below 2^52")]
fn float(count: u64) -> f64 {
    count as f64
}

impl Quantiles {
    /// Of a histogram of µs.
    #[must_use]
    pub fn of(histogram: &Histogram<u64>) -> Self {
        let at = |quantile| float(histogram.value_at_quantile(quantile)) / 1000.0;
        Self {
            count: histogram.len(),
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            max: float(histogram.max()) / 1000.0,
        }
    }
}

impl fmt::Display for Quantiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.count == 0 {
            return f.write_str("-");
        }
        write!(
            f,
            "p50 {:8.2}  p90 {:8.2}  p99 {:8.2}  p99.9 {:8.2}  max {:8.2} ms  ({} measured)",
            self.p50, self.p90, self.p99, self.p999, self.max, self.count
        )
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (posts, deliveries, latency) = (&self.posts, &self.deliveries, &self.latency_ms);
        writeln!(
            f,
            "posts        {} planned, {} acknowledged ({} of them again after a loss), {} unanswered, refused {:?}",
            posts.planned, posts.acknowledged, posts.duplicates, posts.unanswered, posts.refused
        )?;
        writeln!(
            f,
            "deliveries   {} expected, {} heard, {} repeated at a resume; {:.0} a second",
            deliveries.expected, deliveries.heard, deliveries.repeats, deliveries.per_second
        )?;
        writeln!(f, "acknowledged {}", latency.ack)?;
        writeln!(f, "delivered    {}", latency.delivery)?;
        writeln!(f, "caught up    {}", latency.caught_up)?;
        writeln!(f, "send lag     {}", latency.send_lag)?;
        let connections = &self.connections;
        writeln!(
            f,
            "connections  {} resumed, {} with a snapshot, unexpected ends {:?}",
            connections.resumed, connections.snapshots, connections.closes
        )?;
        write!(f, "cpu          client {:.2} cores", self.cpu.client_cores)?;
        if let (Some(cores), Some(each)) = (self.cpu.server_cores, self.cpu.server_us_per_delivery) {
            write!(f, ", server {cores:.2} cores, {each:.2} µs per delivery")?;
        }
        writeln!(f)?;
        if let Some(why) = &self.client_bottleneck {
            writeln!(f, "CLIENT-BOUND {why}")?;
        }
        if self.good() {
            return writeln!(f, "checker      every acknowledged post reached every follower once, in order");
        }
        writeln!(f, "VIOLATIONS   {:?}", self.violations)?;
        self.first_violations.iter().try_for_each(|violation| writeln!(f, "  {violation}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_or_late_harness_says_so() {
        assert_eq!(bottleneck(0.5, 1.0), None);
        assert!(bottleneck(0.95, 1.0).unwrap().contains("0.95 cores"));
        assert!(bottleneck(0.5, 50.0).unwrap().contains("50.0 ms late"));
    }

    #[test]
    fn quantiles_are_in_milliseconds() {
        let mut histogram = Histogram::new(3).unwrap();
        (1..=100).for_each(|ms| histogram.record(ms * 1000).unwrap());
        let quantiles = Quantiles::of(&histogram);
        assert!((49.0..51.1).contains(&quantiles.p50), "{}", quantiles.p50);
        assert!((98.0..100.1).contains(&quantiles.p99));
    }
}
