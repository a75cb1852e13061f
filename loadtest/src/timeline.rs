//! The run cut into short intervals: what was due, sent, acknowledged and delivered in each, and how fast.
//! Must never change what it measures: looking costs some microseconds, a few times a second.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use crate::report::millis;
use crate::stage::Stage;

/// Intervals in a run, about.
const INTERVALS: f64 = 120.0;
/// Shorter ones would be noise, longer ones would hide what happened.
const INTERVAL_S: (f64, f64) = (0.25, 10.0);

/// One interval. Counts are of the interval, times are by when something came.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tick {
    /// Its end, in seconds since the beginning of the run.
    pub at_s: f64,
    /// Its length.
    pub seconds: f64,
    /// In which span it ends.
    pub span: usize,
    /// Posts and comments that were due.
    pub due: u64,
    /// That left.
    pub sent: u64,
    /// That were acknowledged.
    pub acknowledged: u64,
    /// Events received.
    pub delivered: u64,
    /// Due and without an answer at its end.
    pub backlog: u64,
    /// Connections open at its end.
    pub open: usize,
    /// Due → acknowledged.
    pub ack_ms: Option<Few>,
    /// Due → received.
    pub delivery_ms: Option<Few>,
}

/// A few quantiles, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Few {
    /// Measurements.
    pub count: u64,
    /// Median.
    pub p50: f64,
    /// 99 of 100.
    pub p99: f64,
    /// The worst.
    pub max: f64,
}

impl Few {
    /// Of a histogram in µs; none if it is empty.
    #[must_use]
    pub fn of(histogram: &Histogram<u64>) -> Option<Self> {
        (!histogram.is_empty()).then(|| Self {
            count: histogram.len(),
            p50: millis(histogram.value_at_quantile(0.5)),
            p99: millis(histogram.value_at_quantile(0.99)),
            max: millis(histogram.max()),
        })
    }
}

/// The run so far.
pub struct Timeline {
    interval: Duration,
    /// All that is over.
    pub ticks: Vec<Tick>,
    due: u64,
    sent: u64,
    acknowledged: u64,
    delivered: u64,
}

impl Timeline {
    /// Of a run of this length.
    #[must_use]
    pub fn of(length: Duration) -> Self {
        let seconds = (length.as_secs_f64() / INTERVALS).clamp(INTERVAL_S.0, INTERVAL_S.1);
        let interval = Duration::from_secs_f64(seconds);
        Self { interval, ticks: Vec::new(), due: 0, sent: 0, acknowledged: 0, delivered: 0 }
    }

    /// Ends the interval if it is over; gives it if so.
    pub fn look(&mut self, stage: &Stage, now: Duration) -> Option<&Tick> {
        let last = self.ticks.last().map_or(0.0, |tick| tick.at_s);
        let seconds = now.as_secs_f64() - last;
        if seconds < self.interval.as_secs_f64() {
            return None;
        }
        let (due, backlog) = (stage.due(now), stage.backlog(now));
        let mut meters = stage.meters.borrow_mut();
        let tick = Tick {
            at_s: now.as_secs_f64(),
            seconds,
            span: stage.spans.iter().rposition(|span| span.begins < now).unwrap_or(0),
            due: due - self.due,
            sent: meters.sent - self.sent,
            acknowledged: meters.acknowledged - self.acknowledged,
            delivered: meters.events - self.delivered,
            backlog,
            open: stage.open.get(),
            ack_ms: Few::of(&meters.now.ack),
            delivery_ms: Few::of(&meters.now.delivery),
        };
        meters.now.clear();
        (self.due, self.sent) = (due, meters.sent);
        (self.acknowledged, self.delivered) = (meters.acknowledged, meters.events);
        self.ticks.push(tick);
        self.ticks.last()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::plan;
    use crate::settings::Settings;

    #[test]
    fn intervals_hold_what_came_in_them_and_nothing_twice() {
        let settings = Settings { rate: 100.0, warm_up: 1.0, seconds: 9.0, ..Settings::default() };
        let spans = plan::spans(&settings);
        let (planned, _) = plan::make(&settings, &spans);
        let all = planned.len() as u64;
        let stage = Stage::new((planned, spans), Vec::new(), Vec::new(), 10).unwrap();
        // The run began ten seconds ago, so that everything is late by what has passed since it was due.
        let began = Instant::now().checked_sub(Duration::from_secs(10)).unwrap();
        stage.began.set(Some(began));
        let mut timeline = Timeline::of(Duration::from_secs(10));
        assert_eq!(timeline.look(&stage, Duration::from_millis(100)), None, "not over yet");
        stage.sent(0, began);
        stage.acknowledged(0, 7, false, began);
        let first = timeline.look(&stage, Duration::from_millis(500)).unwrap().clone();
        assert_eq!((first.sent, first.acknowledged, first.span), (1, 1, 0));
        assert_eq!((first.backlog, first.due), (first.due - 1, stage.due(Duration::from_millis(500))));
        assert!(first.ack_ms.unwrap().p50 > 9_000.0, "counted from when it was due: {first:?}");
        assert_eq!(first.delivery_ms, None);
        let last = timeline.look(&stage, Duration::from_secs(20)).unwrap().clone();
        assert_eq!((last.sent, last.ack_ms, last.span), (0, None, 1));
        assert_eq!(first.due + last.due, all);
        assert_eq!(last.backlog, all - 1);
    }
}
