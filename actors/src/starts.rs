//! The line for reads that start feeds: snapshots, what was missed, who somebody is. They are what a storm of clients coming back costs.
//! Must never let so many read at once that those who are there already find no connection to the database (P7).

use std::time::Duration;

use metrics::{Counter, Gauge};
use tidings_protocol::error::{ErrorCode, Refusal};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use crate::limits;

/// The line of one node.
pub struct Starts {
    places: Semaphore,
    waiting: Gauge,
    put_off: Counter,
}

/// A turn to read, given back when dropped.
pub(crate) type Turn<'a> = SemaphorePermit<'a>;

impl Default for Starts {
    fn default() -> Self {
        Self {
            places: Semaphore::new(limits::START_READS),
            waiting: metrics::gauge!("tidings_starts_waiting"),
            put_off: metrics::counter!("tidings_starts_put_off_total"),
        }
    }
}

impl Starts {
    /// Waits for a turn, within bounds.
    pub(crate) async fn turn(&self) -> Result<Turn<'_>, Refusal> {
        if let Ok(turn) = self.places.try_acquire() {
            return Ok(turn);
        }
        let _waiting = Waiting::new(&self.waiting);
        match timeout(Duration::from_millis(limits::START_PATIENCE_MS), self.places.acquire()).await {
            Ok(Ok(turn)) => Ok(turn),
            Ok(Err(_)) | Err(_) => {
                self.put_off.increment(1);
                let refusal = Refusal::new(ErrorCode::Unavailable, "too many are starting; come back later");
                Err(refusal.after_ms(limits::START_AGAIN_MS))
            }
        }
    }
}

/// One who waits, counted until dropped.
pub struct Waiting<'a>(&'a Gauge);

impl<'a> Waiting<'a> {
    /// Counted in this gauge.
    #[must_use]
    pub fn new(gauge: &'a Gauge) -> Self {
        gauge.increment(1.0);
        Self(gauge)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn so_many_read_at_once_and_the_next_waits_so_long() {
        let starts = Starts::default();
        let mut turns = Vec::new();
        for _ in 0..limits::START_READS {
            turns.push(starts.turn().await.expect("there is room"));
        }
        let refusal = starts.turn().await.expect_err("nobody gives a turn back");
        assert_eq!((refusal.code, refusal.retry), (ErrorCode::Unavailable, true));
        assert_eq!(refusal.retry_after_ms, Some(limits::START_AGAIN_MS));
        turns.pop();
        assert!(starts.turn().await.is_ok());
    }
}
