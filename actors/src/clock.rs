//! The node's monotonic clock. Must be the only clock the living part reads for order and waiting: it is the runtime's, so that a test
//! which holds the runtime's time in its hand holds all of it.

use std::time::{Duration, Instant};

/// Milliseconds since `started`.
pub(crate) fn since(started: Instant) -> u64 {
    u64::try_from(whole_since(started).as_millis()).unwrap_or(u64::MAX)
}

/// What has passed since `started`, exactly.
pub(crate) fn whole_since(started: Instant) -> Duration {
    tokio::time::Instant::from_std(started).elapsed()
}
