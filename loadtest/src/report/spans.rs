//! A run's spans, one by one: what was asked of each, and what came of it.
//! Must never lay at a span's door what was due in another: times count where the post was due.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Quantiles, Run, bottleneck, float, millis};
use crate::plan::{self, Span};
use crate::stage::{Meters, Stage};
use crate::usage::Cores;

/// A phase, a step, the warm-up or the one measured part.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SpanReport {
    /// Of the phase or step.
    pub name: String,
    /// The warm-up is not.
    pub measured: bool,
    /// Since the beginning of the run, in seconds.
    pub begins_s: f64,
    /// Its length.
    pub seconds: f64,
    /// Posts and comments a second that were asked for.
    pub rate: f64,
    /// Posts and comments that were due.
    pub planned: usize,
    /// Acknowledged a second while it lasted.
    pub acknowledged_per_second: f64,
    /// Events received a second while it lasted.
    pub delivered_per_second: f64,
    /// Due and without an answer at its end.
    pub backlog: u64,
    /// Due → acknowledged, in milliseconds.
    pub ack: Quantiles,
    /// Due → received, in milliseconds.
    pub delivery: Quantiles,
    /// Due → handed to the socket, in milliseconds.
    pub send_lag: Quantiles,
    /// CPU.
    pub cores: Cores,
    /// The server's CPU time for each delivery, in µs.
    pub server_us_per_delivery: Option<f64>,
    /// Why its figures say more about the harness than about the server.
    pub client_bottleneck: Option<String>,
    /// How soon those were back that were cut when it began.
    pub back: Option<Back>,
}

/// How soon connections that were cut at once were back and greeted.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Back {
    /// Cut.
    pub cut: usize,
    /// Came back before the run was over.
    pub back: usize,
    /// Until half were, in seconds, with the time they stayed away on purpose.
    pub half_s: f64,
    /// Until 99 of 100 were.
    pub most_s: f64,
    /// Until the last was.
    pub all_s: f64,
}

impl Back {
    /// From the times at which they came.
    #[must_use]
    pub fn of(cut: usize, times: &[f64]) -> Option<Self> {
        let mut times = times.to_vec();
        times.sort_by(f64::total_cmp);
        let at = |share: usize| times.get((times.len() * share).div_ceil(100).saturating_sub(1)).copied();
        Some(Self { cut, back: times.len(), half_s: at(50)?, most_s: at(99)?, all_s: at(100)? })
    }
}

/// All spans that began.
pub fn of(run: &Run<'_>, stage: &Stage, meters: &Meters) -> Vec<SpanReport> {
    let begun = if stage.halted.get() {
        stage.spans.iter().filter(|span| !span.measured).count() + run.watch.steps.len()
    } else {
        stage.spans.len()
    };
    stage.spans[..begun].iter().enumerate().map(|(number, span)| one(run, stage, meters, number, span)).collect()
}

fn one(run: &Run<'_>, stage: &Stage, meters: &Meters, number: usize, span: &Span) -> SpanReport {
    let times = &meters.spans[number];
    let cores = run.usage.between(span.begins, span.ends);
    let from = run.watch.begun.get(number).copied().unwrap_or_default();
    let to = run.watch.ended.get(number).copied().unwrap_or_default();
    let seconds = to.at.saturating_sub(from.at).as_secs_f64();
    let each = |from: u64, to: u64| if seconds > 0.0 { float(to.saturating_sub(from)) / seconds } else { 0.0 };
    let lag = millis(times.lag.value_at_quantile(0.99));
    let delivered = each(from.events, to.events);
    SpanReport {
        name: span.name.clone(),
        measured: span.measured,
        begins_s: span.begins.as_secs_f64(),
        seconds: span.length().as_secs_f64(),
        rate: span.work(),
        planned: planned(stage, number + 1) - planned(stage, number),
        acknowledged_per_second: each(from.acknowledged, to.acknowledged),
        delivered_per_second: delivered,
        backlog: to.backlog,
        ack: Quantiles::of(&times.ack),
        delivery: Quantiles::of(&times.delivery),
        send_lag: Quantiles::of(&times.lag),
        cores,
        server_us_per_delivery: cores.server.filter(|_| delivered > 0.0).map(|cores| cores * 1e6 / delivered),
        client_bottleneck: bottleneck(cores.client, lag),
        back: (span.cut > 0.0).then(|| Back::of(plan::cut(run.settings, span), &meters.back[number])).flatten(),
    }
}

/// Posts and comments that are due before this span.
pub fn planned(stage: &Stage, span: usize) -> usize {
    let from = stage.spans.get(span).map_or(Duration::MAX, |span| span.begins);
    stage.plan.partition_point(|post| post.due < from)
}

/// The first measured span whose figures are the harness' own.
pub fn client_bottleneck(spans: &[SpanReport]) -> Option<String> {
    let measured: Vec<&SpanReport> = spans.iter().filter(|span| span.measured).collect();
    let (span, why) = measured.iter().find_map(|span| Some((span, span.client_bottleneck.as_ref()?)))?;
    Some(if measured.len() > 1 { format!("in `{}`: {why}", span.name) } else { why.clone() })
}
