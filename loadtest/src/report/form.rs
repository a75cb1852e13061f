//! What a report holds, in the form in which it is written as JSON and read again.
//! Must never change its meaning without a new [`FORMAT`](super::FORMAT).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::SpanReport;
use crate::check::{Anomaly, Violation};
use crate::knee::Knee;
use crate::machine::Facts;
use crate::scenario::Source;
use crate::settings::Settings;
use crate::timeline::Tick;
use crate::usage::Cores;

/// Everything.
#[derive(Debug, Serialize, Deserialize)]
pub struct Report {
    /// Of this form.
    pub format: u32,
    /// Of the harness.
    pub version: String,
    /// Milliseconds since 1970 when it ended.
    pub ended_at: u64,
    /// That the harness ran on.
    pub machine: Facts,
    /// Where the settings came from.
    pub source: Source,
    /// What was asked for.
    pub settings: Settings,
    /// What became of the posts and comments.
    pub posts: Posts,
    /// What became of the deliveries.
    pub deliveries: Deliveries,
    /// In milliseconds, over all measured spans.
    pub latency_ms: Latency,
    /// Losses and returns.
    pub connections: Connections,
    /// CPU time, over the whole run.
    pub cpu: Load,
    /// Of both sides.
    pub memory: Memory,
    /// Why the figures say more about the harness than about the server; none if they do not.
    pub client_bottleneck: Option<String>,
    /// Of a run in steps.
    pub knee: Option<Knee>,
    /// One by one.
    pub spans: Vec<SpanReport>,
    /// Interval by interval.
    pub timeline: Vec<Tick>,
    /// Sample by sample.
    pub usage: Vec<UsagePoint>,
    /// How often which time was measured, over all measured spans.
    pub distribution: Distribution,
    /// What is wrong, by kind.
    pub violations: BTreeMap<Anomaly, usize>,
    /// The first of them.
    pub first_violations: Vec<Violation>,
}

/// What became of the posts and comments.
#[derive(Debug, Serialize, Deserialize)]
pub struct Posts {
    /// In the plan, as far as it was carried out.
    pub planned: usize,
    /// Done.
    pub acknowledged: usize,
    /// Done a second time after a resume, rightly answered as duplicates.
    pub duplicates: u64,
    /// Refused, by code.
    pub refused: BTreeMap<String, u64>,
    /// Without an answer.
    pub unanswered: usize,
    /// Not asked for any more when a step had passed its limit.
    pub given_up: usize,
}

/// What became of the deliveries.
#[derive(Debug, Serialize, Deserialize)]
pub struct Deliveries {
    /// Connections of which every delivery was checked.
    pub checked_connections: usize,
    /// Acknowledged posts times those of them that should hear them.
    pub expected: usize,
    /// Posts of this run that these heard, once for each connection.
    pub heard: usize,
    /// Heard again: the entry at the cursor, at a resume.
    pub repeats: usize,
    /// Events of any kind, on all connections.
    pub events: u64,
    /// Bytes of JSON received.
    pub bytes: u64,
    /// Events a second of the run.
    pub per_second: f64,
}

/// Quantiles of the measured times.
#[derive(Debug, Serialize, Deserialize)]
pub struct Latency {
    /// Due → acknowledged.
    pub ack: Quantiles,
    /// Due → received, over all followers.
    pub delivery: Quantiles,
    /// The same for what was due while the reader's or the author's connection was away, or the reader did not read.
    pub caught_up: Quantiles,
    /// Due → handed to the socket: the harness' own part in all of the above.
    pub send_lag: Quantiles,
}

/// Of one histogram, in milliseconds.
#[derive(Clone, Debug, Serialize, Deserialize)]
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
#[derive(Debug, Serialize, Deserialize)]
pub struct Connections {
    /// Resumed from the cursor.
    pub resumed: u64,
    /// Feeds that started afresh after a loss.
    pub snapshots: u64,
    /// Feeds that were told afresh on a live connection.
    pub resyncs: u64,
    /// Ends that nobody ordered, by reason.
    pub closes: BTreeMap<String, u64>,
}

/// CPU time, in cores: 1.0 is one core fully used.
#[derive(Debug, Serialize, Deserialize)]
pub struct Load {
    /// By the harness.
    pub client_cores: f64,
    /// By the server, if its pid is known.
    pub server_cores: Option<f64>,
    /// By everything on the harness' machine.
    pub machine_cores: Option<f64>,
    /// The server's CPU time for each delivery, writing of the posts included, in µs.
    pub server_us_per_delivery: Option<f64>,
}

/// Resident memory, in bytes.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Memory {
    /// The server's, before the first connection of the run.
    pub server_before: Option<u64>,
    /// The server's, when the plan began: all connections are open.
    pub server_open: Option<u64>,
    /// The server's highest.
    pub server_peak: Option<u64>,
    /// What opening the connections added, divided by them. What only the first connections cost is in it. None where
    /// they are too few to tell.
    pub server_bytes_per_connection: Option<u64>,
    /// Ours at its highest.
    pub client_peak: u64,
}

/// One sample.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UsagePoint {
    /// Its end, in seconds since the beginning of the run.
    pub at_s: f64,
    /// Since the sample before.
    pub cores: Cores,
    /// The server's, in bytes.
    pub server_bytes: Option<u64>,
    /// Ours, in bytes.
    pub client_bytes: u64,
}

/// How often which time was measured: upper end of a bar in milliseconds (it begins where the one before ended), and count.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Distribution {
    /// Due → acknowledged.
    pub ack: Vec<(f64, u64)>,
    /// Due → received.
    pub delivery: Vec<(f64, u64)>,
}
