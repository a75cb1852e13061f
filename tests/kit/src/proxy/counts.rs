//! Owns what a proxy says of itself: what went through, and what its faults have hit.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::weather::Way;

/// What a proxy has done since its start; only `live` and `half_open` go down again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Connections taken.
    pub taken: u64,
    /// Connections that are there now, half-open ones not.
    pub live: u64,
    /// Half-open connections whose other side has not given up yet.
    pub half_open: u64,
    /// Connections that could not be carried on: the part behind refused.
    pub refused: u64,
    /// Connections that had to wait for the door.
    pub parked: u64,
    /// Connections that were struck.
    pub struck: u64,
    /// Bytes passed on to the part behind.
    pub bytes_up: u64,
    /// Bytes passed on from it.
    pub bytes_down: u64,
    /// Bytes that met latency, jitter, a narrow line or small writes.
    pub slowed: u64,
    /// Bytes that fell into a black hole; they go on when it closes.
    pub held: u64,
    /// Bytes that half-open connections have swallowed for ever.
    pub swallowed: u64,
}

#[derive(Debug, Default)]
pub(super) struct Tally {
    taken: AtomicU64,
    half_open: AtomicU64,
    refused: AtomicU64,
    parked: AtomicU64,
    struck: AtomicU64,
    bytes_up: AtomicU64,
    bytes_down: AtomicU64,
    slowed: AtomicU64,
    held: AtomicU64,
    swallowed: AtomicU64,
}

impl Tally {
    /// The number of the connection.
    pub(super) fn taken(&self) -> u64 {
        self.taken.fetch_add(1, Relaxed)
    }

    /// A half-open connection lives as long as the answer.
    pub(super) fn half_open(&self) -> HalfOpen<'_> {
        self.half_open.fetch_add(1, Relaxed);
        HalfOpen(self)
    }

    pub(super) fn refused(&self) {
        self.refused.fetch_add(1, Relaxed);
    }

    pub(super) fn parked(&self) {
        self.parked.fetch_add(1, Relaxed);
    }

    pub(super) fn struck(&self, lines: usize) {
        self.struck.fetch_add(lines as u64, Relaxed);
    }

    pub(super) fn passed(&self, way: Way, bytes: usize) {
        let counter = if way == Way::Up { &self.bytes_up } else { &self.bytes_down };
        counter.fetch_add(bytes as u64, Relaxed);
    }

    pub(super) fn slowed(&self, bytes: usize) {
        self.slowed.fetch_add(bytes as u64, Relaxed);
    }

    pub(super) fn held(&self, bytes: usize) {
        self.held.fetch_add(bytes as u64, Relaxed);
    }

    pub(super) fn swallowed(&self, bytes: usize) {
        self.swallowed.fetch_add(bytes as u64, Relaxed);
    }

    pub(super) fn counts(&self, live: usize) -> Counts {
        Counts {
            taken: self.taken.load(Relaxed),
            live: live as u64,
            half_open: self.half_open.load(Relaxed),
            refused: self.refused.load(Relaxed),
            parked: self.parked.load(Relaxed),
            struck: self.struck.load(Relaxed),
            bytes_up: self.bytes_up.load(Relaxed),
            bytes_down: self.bytes_down.load(Relaxed),
            slowed: self.slowed.load(Relaxed),
            held: self.held.load(Relaxed),
            swallowed: self.swallowed.load(Relaxed),
        }
    }
}

/// A half-open connection that is counted.
pub(super) struct HalfOpen<'a>(&'a Tally);

impl Drop for HalfOpen<'_> {
    fn drop(&mut self) {
        self.0.half_open.fetch_sub(1, Relaxed);
    }
}
