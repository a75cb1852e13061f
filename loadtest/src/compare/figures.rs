//! The figures that two results have in common, each as it was in the intervals of every run.
//! Must never mix parts of different load: parts are paired by name and rate.

use crate::report::{Report, SpanReport, UsagePoint};
use crate::timeline::Tick;

/// Whether more of it is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Good {
    /// Throughput.
    More,
    /// Times and costs.
    Less,
}

/// One figure, interval by interval, for each run of both sides.
pub struct Figure {
    /// Of which part.
    pub span: String,
    /// For people.
    pub name: &'static str,
    /// Whether more of it is better.
    pub good: Good,
    /// Before: runs, and intervals in them.
    pub before: Vec<Vec<f64>>,
    /// After.
    pub after: Vec<Vec<f64>>,
    /// Why it says nothing about the server.
    pub doubt: Option<&'static str>,
}

/// What one interval says of a figure.
#[derive(Clone, Copy)]
enum Of {
    Tick(fn(&Tick) -> Option<f64>),
    Sample(fn(&UsagePoint) -> Option<f64>),
}

#[expect(clippy::cast_precision_loss, reason = "counts and sizes of one run are far below 2^52")]
const FIGURES: &[(&str, Good, Of)] = &[
    ("delivered, median ms", Good::Less, Of::Tick(|tick| tick.delivery_ms.map(|few| few.p50))),
    ("delivered, p99 ms", Good::Less, Of::Tick(|tick| tick.delivery_ms.map(|few| few.p99))),
    ("acknowledged, median ms", Good::Less, Of::Tick(|tick| tick.ack_ms.map(|few| few.p50))),
    ("acknowledged, p99 ms", Good::Less, Of::Tick(|tick| tick.ack_ms.map(|few| few.p99))),
    ("acknowledged, a second", Good::More, Of::Tick(|tick| Some(tick.acknowledged as f64 / tick.seconds))),
    ("server, cores", Good::Less, Of::Sample(|point| point.cores.server)),
    ("server, MiB", Good::Less, Of::Sample(|point| point.server_bytes.map(|bytes| bytes as f64 / 1_048_576.0))),
];

/// All figures of the measured parts that every run has.
#[must_use]
pub fn common(before: &[Report], after: &[Report]) -> Vec<Figure> {
    let mut figures = Vec::new();
    let Some(first) = before.first() else { return figures };
    for span in first.spans.iter().filter(|span| span.measured) {
        let same = |run: &Report| run.spans.iter().any(|other| alike(other, span));
        if !before.iter().chain(after).all(same) {
            continue;
        }
        let twins = || before.iter().chain(after).flat_map(|run| run.spans.iter().map(move |other| (run, other)));
        let any = |doubtful: fn(&Report, &SpanReport) -> bool| {
            twins().filter(|(_, other)| alike(other, span)).any(|(run, other)| doubtful(run, other))
        };
        let client_bound = any(|_, span| span.client_bottleneck.is_some());
        let full = any(|run, span| run.full(span.cores.machine));
        for &(name, good, of) in FIGURES {
            let side = |runs: &[Report]| runs.iter().map(|run| values(run, span, of)).collect::<Vec<_>>();
            let (before, after) = (side(before), side(after));
            if before.iter().chain(&after).all(|values| !values.is_empty()) {
                // On a full machine times are those of whatever else runs there; costs are still the server's own.
                let doubt = match name {
                    _ if client_bound => Some("the harness was the bottleneck"),
                    time if full && time.ends_with("ms") => Some("the machine was full"),
                    _ => None,
                };
                figures.push(Figure { span: span.name.clone(), name, good, before, after, doubt });
            }
        }
    }
    figures
}

fn alike(one: &SpanReport, other: &SpanReport) -> bool {
    one.name == other.name && (one.rate - other.rate).abs() <= 0.01 * other.rate.abs()
}

/// The intervals that lie in this part.
fn values(run: &Report, wanted: &SpanReport, of: Of) -> Vec<f64> {
    let Some(span) = run.spans.iter().find(|span| alike(span, wanted)) else {
        return Vec::new();
    };
    let inside =
        |at: f64, length: f64| at - length >= span.begins_s - 0.05 && at <= span.begins_s + span.seconds + 0.05;
    match of {
        Of::Tick(value) => {
            run.timeline.iter().filter(|tick| inside(tick.at_s, tick.seconds)).filter_map(value).collect()
        }
        Of::Sample(value) => run.usage.iter().filter(|point| inside(point.at_s, 0.25)).filter_map(value).collect(),
    }
}
