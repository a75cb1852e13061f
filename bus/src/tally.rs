//! Owns the counters of one bus: for operators through `metrics` as `tidings_bus_*`, and for whoever holds the bus as [`Counts`].
//! Must never carry a label that grows with traffic or content (P9).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use metrics::{counter, describe_counter, describe_gauge, gauge};

/// Why a rumour was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dropped {
    /// The publish queue was full, in batches or bytes.
    PublishQueue,
    /// Redis was away, or did not answer in time.
    Away,
    /// Larger than a message may be.
    TooLarge,
    /// Too much came off the connection at once.
    RawQueue,
    /// The listen queue was full.
    ListenQueue,
}

impl Dropped {
    const fn why(self) -> &'static str {
        match self {
            Self::PublishQueue => "publish_queue",
            Self::Away => "away",
            Self::TooLarge => "too_large",
            Self::RawQueue => "raw_queue",
            Self::ListenQueue => "listen_queue",
        }
    }
}

/// What one bus has done since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Batches told to peers.
    pub published: u64,
    /// Rumours from peers put into the listen queue.
    pub heard: u64,
    /// Messages of one's own that came back and were skipped.
    pub own_skipped: u64,
    /// Rumours dropped, whatever the reason.
    pub dropped: u64,
    /// Messages that no peer with the node secret can have sent.
    pub forged: u64,
    /// Times the listening connection came back.
    pub reconnects: u64,
}

/// The counters, shared by the parts of one bus.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    counters: Arc<Counters>,
}

#[derive(Debug, Default)]
struct Counters {
    published: AtomicU64,
    heard: AtomicU64,
    own_skipped: AtomicU64,
    dropped: AtomicU64,
    forged: AtomicU64,
    reconnects: AtomicU64,
}

impl Tally {
    pub fn new() -> Self {
        describe_counter!("tidings_bus_published_total", "Batches told to peers.");
        describe_counter!("tidings_bus_heard_total", "Rumours from peers put into the listen queue.");
        describe_counter!("tidings_bus_own_skipped_total", "Messages of one's own that came back.");
        describe_counter!(
            "tidings_bus_dropped_total",
            "Rumours dropped, by reason; the tail reads them from Postgres."
        );
        describe_counter!("tidings_bus_forged_total", "Messages on the bus without a valid signature.");
        describe_counter!("tidings_bus_reconnects_total", "Times the listening connection came back.");
        describe_gauge!("tidings_bus_up", "1 while peers can be heard.");
        Self::default()
    }

    pub fn published(&self, batches: u64) {
        counter!("tidings_bus_published_total").increment(batches);
        self.counters.published.fetch_add(batches, Ordering::Relaxed);
    }

    pub fn heard(&self) {
        counter!("tidings_bus_heard_total").increment(1);
        self.counters.heard.fetch_add(1, Ordering::Relaxed);
    }

    pub fn own_skipped(&self) {
        counter!("tidings_bus_own_skipped_total").increment(1);
        self.counters.own_skipped.fetch_add(1, Ordering::Relaxed);
    }

    pub fn dropped(&self, why: Dropped, rumours: u64) {
        counter!("tidings_bus_dropped_total", "reason" => why.why()).increment(rumours);
        self.counters.dropped.fetch_add(rumours, Ordering::Relaxed);
    }

    pub fn forged(&self) {
        counter!("tidings_bus_forged_total").increment(1);
        self.counters.forged.fetch_add(1, Ordering::Relaxed);
    }

    pub fn reconnected(&self) {
        counter!("tidings_bus_reconnects_total").increment(1);
        self.counters.reconnects.fetch_add(1, Ordering::Relaxed);
    }

    pub fn up(&self, up: bool) {
        gauge!("tidings_bus_up").set(if up { 1.0 } else { 0.0 });
    }

    pub fn counts(&self) -> Counts {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts {
            published: of(&self.counters.published),
            heard: of(&self.counters.heard),
            own_skipped: of(&self.counters.own_skipped),
            dropped: of(&self.counters.dropped),
            forged: of(&self.counters.forged),
            reconnects: of(&self.counters.reconnects),
        }
    }
}
