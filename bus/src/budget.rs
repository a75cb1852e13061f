//! Owns the count of bytes that wait in a queue, so that a queue bounded in messages is bounded in memory too (P6).
//! Must never block: what does not fit is refused.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A shared allowance of bytes.
#[derive(Clone, Debug)]
pub struct Budget {
    taken: Arc<AtomicUsize>,
    most: usize,
}

/// Bytes taken out of a [`Budget`]; they return when this is dropped.
#[derive(Debug)]
pub struct Share {
    taken: Arc<AtomicUsize>,
    bytes: usize,
}

impl Budget {
    pub fn new(most: usize) -> Self {
        Self { taken: Arc::default(), most }
    }

    /// Takes `bytes`, or nothing if they do not fit.
    #[must_use]
    pub fn take(&self, bytes: usize) -> Option<Share> {
        let fits = |taken: usize| taken.checked_add(bytes).filter(|sum| *sum <= self.most);
        self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits).ok()?;
        Some(Share { taken: Arc::clone(&self.taken), bytes })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.taken.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_no_more_than_it_has_and_takes_back_what_is_dropped() {
        let budget = Budget::new(10);
        let six = budget.take(6).expect("6 of 10");
        assert!(budget.take(5).is_none());
        assert!(budget.take(usize::MAX).is_none(), "no overflow either");
        let four = budget.take(4).expect("the other 4");
        drop(six);
        assert!(budget.take(7).is_none());
        drop(four);
        assert!(budget.take(10).is_some());
    }
}
