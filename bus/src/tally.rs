//! Owns the counters of one bus: for operators through `metrics` as `tidings_bus_*` and `tidings_whispers_*`, and for whoever holds the bus as
//! [`Counts`].
//! Must never carry a label that grows with traffic or content (P9).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use metrics::{counter, describe_counter, describe_gauge, gauge};

/// Why a message was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dropped {
    /// The publish queue was full, in messages or bytes.
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

/// What one bus has done with one kind of message since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Messages told to peers.
    pub published: u64,
    /// Messages from peers put into the listen queue.
    pub heard: u64,
    /// Messages of one's own that came back and were skipped.
    pub own_skipped: u64,
    /// Messages dropped, whatever the reason.
    pub dropped: u64,
    /// Messages that no peer with the node secret can have sent.
    pub forged: u64,
    /// Times the listening connection came back.
    pub reconnects: u64,
}

/// What operators read about one kind of message.
#[derive(Debug)]
pub struct Names {
    published: &'static str,
    heard: &'static str,
    own_skipped: &'static str,
    dropped: &'static str,
    forged: &'static str,
    reconnects: &'static str,
    up: &'static str,
}

/// About rumours.
pub const RUMOURS: Names = Names {
    published: "tidings_bus_published_total",
    heard: "tidings_bus_heard_total",
    own_skipped: "tidings_bus_own_skipped_total",
    dropped: "tidings_bus_dropped_total",
    forged: "tidings_bus_forged_total",
    reconnects: "tidings_bus_reconnects_total",
    up: "tidings_bus_up",
};

/// About whispers.
pub const WHISPERS: Names = Names {
    published: "tidings_whispers_published_total",
    heard: "tidings_whispers_heard_total",
    own_skipped: "tidings_whispers_own_skipped_total",
    dropped: "tidings_whispers_dropped_total",
    forged: "tidings_whispers_forged_total",
    reconnects: "tidings_whispers_reconnects_total",
    up: "tidings_whispers_up",
};

/// The counters, shared by the parts of one bus that carry one kind of message.
#[derive(Clone, Debug)]
pub struct Tally {
    counters: Arc<Counters>,
    names: &'static Names,
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
    pub fn of(names: &'static Names) -> Self {
        describe_counter!(names.published, "Messages told to peers.");
        describe_counter!(names.heard, "Messages from peers put into the listen queue.");
        describe_counter!(names.own_skipped, "Messages of one's own that came back.");
        describe_counter!(
            names.dropped,
            "Messages dropped, by reason; the tail reads rumours from Postgres, and criers say again what was lost of whispers."
        );
        describe_counter!(names.forged, "Messages on the bus without a valid signature.");
        describe_counter!(names.reconnects, "Times the listening connection came back.");
        describe_gauge!(names.up, "1 while peers can be heard.");
        Self { counters: Arc::default(), names }
    }

    pub fn published(&self, messages: u64) {
        counter!(self.names.published).increment(messages);
        self.counters.published.fetch_add(messages, Ordering::Relaxed);
    }

    pub fn heard(&self) {
        counter!(self.names.heard).increment(1);
        self.counters.heard.fetch_add(1, Ordering::Relaxed);
    }

    pub fn own_skipped(&self) {
        counter!(self.names.own_skipped).increment(1);
        self.counters.own_skipped.fetch_add(1, Ordering::Relaxed);
    }

    pub fn dropped(&self, why: Dropped, messages: u64) {
        counter!(self.names.dropped, "reason" => why.why()).increment(messages);
        self.counters.dropped.fetch_add(messages, Ordering::Relaxed);
    }

    pub fn forged(&self) {
        counter!(self.names.forged).increment(1);
        self.counters.forged.fetch_add(1, Ordering::Relaxed);
    }

    pub fn reconnected(&self) {
        counter!(self.names.reconnects).increment(1);
        self.counters.reconnects.fetch_add(1, Ordering::Relaxed);
    }

    pub fn up(&self, up: bool) {
        gauge!(self.names.up).set(if up { 1.0 } else { 0.0 });
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
