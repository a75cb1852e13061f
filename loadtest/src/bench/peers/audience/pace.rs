//! Events at a fixed rate, whatever the server does: how late each listener has each, and whether what is on its way grows.
//! Latency counts from when an event was due. Must never wait for a delivery before the next event is due.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use hdrhistogram::Histogram;

use super::Audience;

/// A run is looked at in so many parts: a server that falls behind is later in each.
pub const PARTS: usize = 4;
/// Nothing is waited for longer than a minute.
const LONGEST_US: u64 = 60_000_000;

/// How late deliveries were in one part of a run.
#[derive(Clone)]
pub struct Part {
    /// From when an event was due until a listener had it, µs.
    pub late: Histogram<u64>,
    /// Events that had not reached everybody, at most, when another was due.
    pub most_waiting: u64,
}

/// When each event is due, and how late it was.
pub struct Lateness {
    began: Instant,
    /// Events that were said before.
    first: u64,
    gap: Duration,
    /// Events in each part.
    each: u64,
    pub(super) parts: Vec<Part>,
}

impl Lateness {
    pub(super) fn new(began: Instant, first: u64, per_second: f64, each: u64) -> Result<Self> {
        let part = Part { late: Histogram::new_with_max(LONGEST_US, 3)?, most_waiting: 0 };
        let gap = Duration::from_secs_f64(1.0 / per_second);
        Ok(Self { began, first, gap, each, parts: vec![part; PARTS] })
    }

    /// When the event with this index, of all that were ever said, is due.
    fn due(&self, index: u64) -> Instant {
        self.began + self.gap.mul_f64(float(index - self.first))
    }

    fn part(&mut self, index: u64) -> Option<&mut Part> {
        let part = usize::try_from((index - self.first) / self.each).ok()?;
        self.parts.get_mut(part)
    }

    /// A listener has the events from one index up to another.
    pub fn heard(&mut self, from: u64, to: u64) {
        let now = Instant::now();
        for index in from.max(self.first)..to {
            let late = now.saturating_duration_since(self.due(index)).as_micros();
            if let Some(part) = self.part(index) {
                part.late.saturating_record(u64::try_from(late).unwrap_or(u64::MAX));
            }
        }
    }
}

impl Audience {
    /// So many events a second, each when it is due; waits until everybody has the last. What came how late, part by part.
    ///
    /// # Errors
    /// A delivery is lost or doubled, a post is refused, or a connection fails.
    pub fn pace(&mut self, per_second: f64, time: Duration) -> Result<Vec<Part>> {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "events of some seconds")]
        let each = (per_second * time.as_secs_f64()) as u64 / PARTS as u64;
        ensure!(each > 0, "too short for {per_second} events a second");
        let (first, end) = (self.sent, self.sent + each * PARTS as u64);
        self.lateness = Some(Lateness::new(Instant::now(), first, per_second, each)?);
        while self.sent < end {
            let wait = self.say_what_is_due(end)?;
            self.poll.poll(&mut self.events, Some(wait))?;
            self.take()?;
        }
        while self.on_their_way() > 0 {
            self.turn()?;
        }
        self.linger()?;
        self.all_have_heard()?;
        Ok(self.lateness.take().context("it was put there")?.parts)
    }

    /// How long until the next is due.
    fn say_what_is_due(&mut self, end: u64) -> Result<Duration> {
        let now = Instant::now();
        let lateness = self.lateness.as_ref().context("a run at a pace")?;
        let due = (self.sent..end).take_while(|&index| lateness.due(index) <= now).count() as u64;
        let (next, waiting) = (lateness.due(self.sent + due), self.on_their_way());
        if due > 0 {
            let index = self.sent;
            self.say(due)?;
            if let Some(part) = self.lateness.as_mut().and_then(|lateness| lateness.part(index)) {
                part.most_waiting = part.most_waiting.max(waiting);
            }
        }
        Ok(next.saturating_duration_since(now))
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of a run are far below 2^52")]
fn float(count: u64) -> f64 {
    count as f64
}
