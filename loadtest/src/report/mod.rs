//! What a run found, for people and for programs.
//! Must never hide a bad figure: a client that was the bottleneck says so in the report itself.

pub mod chart;
mod form;
pub mod html;
mod spans;
mod words;

use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use hdrhistogram::Histogram;
use uuid::Uuid;

use crate::check;
use crate::graph::Follows;
use crate::history::{Heard, History, Outcome, Posted, TextMark};
use crate::knee;
use crate::machine;
use crate::scenario::Source;
use crate::settings::Settings;
use crate::stage::{Meters, Stage, Times};
use crate::usage::Usage;
use crate::watch::Watch;
pub use form::{Connections, Deliveries, Distribution, Latency, Load, Memory, Posts, Quantiles, Report, UsagePoint};
pub use spans::SpanReport;

/// Of the form of the result as JSON. A reader refuses what is newer.
pub const FORMAT: u32 = 1;
/// Violations shown one by one; the rest is counted.
const SHOWN: usize = 50;
/// The harness runs on one thread: above this share of a core its own queueing shows in the latencies.
const BUSY_CORE: f64 = 0.85;
/// A send schedule that lags this far behind (p99) measures the harness.
const LAG_MS: f64 = 10.0;
/// Share of all cores above which everybody waits for everybody.
const FULL: f64 = 0.9;
/// With fewer connections, what they add is lost in what the server does besides.
const ENOUGH_TO_DIVIDE: usize = 1_000;
/// Of the distribution: each bar is so much wider than the one before (20 to a decade).
const BAR_FACTOR: f64 = 1.122_018_454_301_963_4;

/// A run that is over.
pub struct Run<'a> {
    /// What was asked for.
    pub settings: &'a Settings,
    /// Whom each person follows.
    pub follows: Follows,
    /// Where the settings came from.
    pub source: Source,
    /// CPU time and memory.
    pub usage: Usage,
    /// Intervals, steps and backlogs.
    pub watch: Watch,
    /// Length, with the wait for the last.
    pub wall: Duration,
    /// Of both sides.
    pub memory: Memory,
}

impl Memory {
    /// From what was there before, and the samples.
    #[must_use]
    pub fn of(server_before: Option<u64>, usage: &Usage, connections: usize) -> Self {
        let server = |sample: &crate::usage::Sample| sample.server.map(|(_, bytes)| bytes);
        let server_open = usage.samples.first().and_then(server);
        let growth = server_before.zip(server_open).map(|(before, open)| open.saturating_sub(before));
        Self {
            server_before,
            server_open,
            server_peak: usage.samples.iter().filter_map(server).max(),
            server_bytes_per_connection: growth
                .filter(|_| connections >= ENOUGH_TO_DIVIDE)
                .map(|bytes| bytes / connections.max(1) as u64),
            client_peak: usage.samples.iter().map(|sample| sample.own_bytes).max().unwrap_or(0),
        }
    }
}

impl Report {
    /// Judges and sums up.
    #[must_use]
    pub fn of(run: Run<'_>, stage: &Stage) -> Self {
        let meters = stage.meters.borrow();
        let spans = spans::of(&run, stage, &meters);
        let given_up = if stage.halted.get() { not_asked(stage, spans::planned(stage, spans.len())) } else { 0 };
        let history = history(&run, stage);
        let mut found = check::check(&history);
        found.extend(meters.disorder.iter().cloned());
        let (heard, repeats) = heard(&history);
        let mut violations = BTreeMap::new();
        for violation in &found {
            *violations.entry(violation.anomaly).or_default() += 1;
        }
        let count = |wanted: fn(&Outcome) -> bool| history.posts.iter().filter(|post| wanted(&post.outcome)).count();
        let total = total(stage, &meters);
        let wall = run.wall.as_secs_f64();
        let cores = run.usage.between(Duration::ZERO, run.wall);
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            ended_at: u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX),
            machine: machine::facts(),
            posts: Posts {
                planned: history.posts.len() + given_up,
                acknowledged: count(|outcome| matches!(outcome, Outcome::Acknowledged { .. })),
                duplicates: meters.duplicates,
                refused: meters.refusals.clone(),
                unanswered: count(|outcome| *outcome == Outcome::Unknown),
                given_up,
            },
            deliveries: Deliveries {
                checked_connections: history.readers.iter().filter(|reader| reader.kept).count(),
                expected: expected(&history),
                heard,
                repeats,
                events: meters.events,
                bytes: meters.bytes,
                per_second: float(meters.events) / wall,
            },
            connections: Connections {
                resumed: meters.resumed,
                snapshots: meters.snapshots,
                resyncs: meters.resyncs,
                closes: meters.closes.clone(),
            },
            cpu: Load {
                client_cores: cores.client,
                server_cores: cores.server,
                machine_cores: cores.machine,
                server_us_per_delivery: cores.server.map(|cores| cores * wall * 1e6 / float(meters.events.max(1))),
            },
            memory: run.memory,
            client_bottleneck: spans::client_bottleneck(&spans),
            knee: run.settings.steps.as_ref().map(|limits| knee::find(&run.watch.steps, limits)),
            latency_ms: Latency {
                ack: Quantiles::of(&total.ack),
                delivery: Quantiles::of(&total.delivery),
                caught_up: Quantiles::of(&meters.caught_up),
                send_lag: Quantiles::of(&total.lag),
            },
            distribution: Distribution { ack: bars(&total.ack), delivery: bars(&total.delivery) },
            spans,
            usage: usage_points(&run.usage),
            settings: run.settings.clone(),
            source: run.source,
            timeline: run.watch.timeline.ticks,
            violations,
            first_violations: found.into_iter().take(SHOWN).collect(),
        }
    }

    /// Whether the checker found nothing.
    #[must_use]
    pub fn good(&self) -> bool {
        self.violations.is_empty()
    }

    /// Deliveries that fresh snapshots stood in for, rightly.
    #[must_use]
    pub fn left_out(&self) -> Option<usize> {
        let missing = self.deliveries.expected.saturating_sub(self.deliveries.heard);
        (self.good() && missing > 0).then_some(missing)
    }

    /// Whether nearly all cores of the harness' machine were busy.
    #[must_use]
    pub fn machine_was_full(&self) -> bool {
        self.full(self.cpu.machine_cores)
    }

    /// Whether so many busy cores are nearly all of them.
    #[must_use]
    pub fn full(&self, machine: Option<f64>) -> bool {
        machine.is_some_and(|busy| busy > FULL * float(self.machine.cores as u64))
    }

    /// Reads what an earlier run has written.
    ///
    /// # Errors
    /// It is not a result, or of a newer harness.
    pub fn read(path: &std::path::Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let format: serde_json::Value = serde_json::from_str(&text).with_context(|| format!("{}", path.display()))?;
        let format = format.get("format").and_then(serde_json::Value::as_u64);
        let format = format.with_context(|| format!("{} is not a result of `tidings-load run`", path.display()))?;
        ensure!(
            format == u64::from(FORMAT),
            "{} has format {format}; this tidings-load reads format {FORMAT}",
            path.display()
        );
        serde_json::from_str(&text).with_context(|| format!("{} is damaged", path.display()))
    }
}

/// What was asked for and heard, for the checker.
fn history(run: &Run<'_>, stage: &Stage) -> History {
    let (outcomes, asked, halted) = (stage.outcomes.take(), stage.asked.take(), stage.halted.get());
    let posts = stage.plan.iter().enumerate().filter(|(number, _)| !halted || asked[*number]);
    let posts = posts.map(|(number, post)| Posted {
        id: post.id,
        author: post.author,
        thread: post.thread,
        text: TextMark::of(&stage.text(number)),
        outcome: outcomes[number],
    });
    History { follows: run.follows.clone(), posts: posts.collect(), readers: stage.readers.take() }
}

/// Of the first so many posts.
fn not_asked(stage: &Stage, first: usize) -> usize {
    stage.asked.borrow()[..first].iter().filter(|asked| !**asked).count()
}

/// Of all measured spans together.
fn total(stage: &Stage, meters: &Meters) -> Times {
    let measured = meters.spans.iter().zip(&stage.spans).filter(|(_, span)| span.measured);
    let mut all: Option<Times> = None;
    for (times, _) in measured {
        match &mut all {
            None => all = Some(times.clone()),
            // Histograms that grow by themselves take in any other.
            Some(all) => all.add(times).unwrap_or_default(),
        }
    }
    all.unwrap_or_else(|| meters.spans[0].clone())
}

/// Why figures say more about the harness than about the server, in words.
#[must_use]
pub fn bottleneck(cores: f64, lag_p99_ms: f64) -> Option<String> {
    if cores > BUSY_CORE {
        Some(format!("the harness used {cores:.2} cores on its one thread: latencies include its own queue"))
    } else if lag_p99_ms > LAG_MS {
        Some(format!(
            "posts left {lag_p99_ms:.1} ms late (p99): the harness did not get a processor in time, or an author had all of its 64 \
             requests in flight"
        ))
    } else {
        None
    }
}

/// Acknowledged posts times the checked connections that should hear them.
fn expected(history: &History) -> usize {
    let mut readers = vec![0_usize; history.follows.len()];
    let mut watchers: BTreeMap<usize, usize> = BTreeMap::new();
    for reader in history.readers.iter().filter(|reader| reader.kept) {
        for author in history.follows[reader.person].iter().chain([&reader.person]) {
            readers[*author] += 1;
        }
        if let Some(thread) = reader.thread {
            *watchers.entry(thread).or_default() += 1;
        }
    }
    let done = history.posts.iter().filter(|post| matches!(post.outcome, Outcome::Acknowledged { .. }));
    let hear = |post: &Posted| match post.thread {
        None => readers[post.author],
        Some(thread) => watchers.get(&thread).copied().unwrap_or(0),
    };
    done.map(hear).sum()
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

fn usage_points(usage: &Usage) -> Vec<UsagePoint> {
    let pairs = usage.samples.windows(2);
    pairs
        .map(|pair| UsagePoint {
            at_s: pair[1].at.as_secs_f64(),
            cores: usage.between(pair[0].at, pair[1].at),
            server_bytes: pair[1].server.map(|(_, bytes)| bytes),
            client_bytes: pair[1].own_bytes,
        })
        .collect()
}

impl Quantiles {
    /// Of a histogram in µs.
    #[must_use]
    pub fn of(histogram: &Histogram<u64>) -> Self {
        let at = |quantile| millis(histogram.value_at_quantile(quantile));
        Self {
            count: histogram.len(),
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            max: millis(histogram.max()),
        }
    }
}

/// Bars of even width on a logarithmic scale, from the first measurement to the last.
fn bars(histogram: &Histogram<u64>) -> Vec<(f64, u64)> {
    let bars = histogram.iter_log(10, BAR_FACTOR);
    let bars = bars.map(|bar| (millis(bar.value_iterated_to()), bar.count_since_last_iteration()));
    bars.skip_while(|(_, count)| *count == 0).collect()
}

/// Of µs.
#[must_use]
pub fn millis(micros: u64) -> f64 {
    float(micros) / 1000.0
}

#[expect(clippy::cast_precision_loss, reason = "counts and microseconds of one run are far below 2^52")]
fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
pub mod tests;
