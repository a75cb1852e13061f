//! What the outboxes of one worker thread may hold together. Each is bounded by itself; ten thousand of them are not (F20).
//! Must never cost a reader who keeps up anything: when there is too much, those with the longest queues fall behind first.

use std::cell::Cell;

use crate::limits;

/// The budget of one worker thread.
#[derive(Debug)]
pub struct Purse {
    most: usize,
    held: Cell<usize>,
    /// What has been told to the operator.
    told: Cell<usize>,
    shed: Cell<u64>,
}

impl Purse {
    /// A budget of so many bytes.
    #[must_use]
    pub const fn of(most: usize) -> Self {
        Self { most, held: Cell::new(0), told: Cell::new(0), shed: Cell::new(0) }
    }

    /// Whether a queue of this length has to give way.
    #[must_use]
    pub fn is_short_for(&self, queued: usize) -> bool {
        self.held.get() > self.most && queued >= limits::SHED_BYTES
    }

    /// A queue gave way.
    pub(crate) fn has_shed(&self) {
        self.shed.set(self.shed.get() + 1);
    }

    /// A queue that held `was` holds `is`.
    pub(crate) fn change(&self, was: usize, is: usize) {
        self.held.set(self.held.get() - was + is);
    }

    /// Tells the numbers, once in a while.
    pub(crate) fn report(&self) {
        let (held, told) = (self.held.get(), self.told.replace(self.held.get()));
        if held != told {
            let gauge = metrics::gauge!("tidings_outbox_bytes");
            #[expect(clippy::cast_precision_loss, reason = "a gauge of a bounded amount")]
            if held > told { gauge.increment((held - told) as f64) } else { gauge.decrement((told - held) as f64) }
        }
        if self.shed.get() > 0 {
            metrics::counter!("tidings_outbox_shed_total").increment(self.shed.take());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_queues_give_way_first() {
        let purse = Purse::of(100_000);
        purse.change(0, 100_000);
        assert!(!purse.is_short_for(usize::MAX), "exactly full is not too much");
        purse.change(0, 1);
        assert!(purse.is_short_for(limits::SHED_BYTES));
        assert!(!purse.is_short_for(limits::SHED_BYTES - 1), "a short queue stays");
        purse.change(100_000, 10);
        assert!(!purse.is_short_for(limits::SHED_BYTES));
        assert_eq!(purse.held.get(), 11);
    }
}
