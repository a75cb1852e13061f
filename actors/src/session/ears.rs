//! Places at the firehose: as many connections of a node as its operator wants. Must never be more than are counted here.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tidings_protocol::error::{ErrorCode, Refusal};

/// The places of a node.
#[derive(Debug)]
pub struct Ears {
    most: usize,
    taken: Arc<AtomicUsize>,
}

/// One of them, given back when dropped.
#[derive(Debug)]
pub struct Ear(Arc<AtomicUsize>);

impl Ears {
    /// So many.
    #[must_use]
    pub fn of(most: usize) -> Self {
        Self { most, taken: Arc::default() }
    }

    /// Takes one, if there is one left.
    #[must_use]
    pub fn sit(&self) -> Option<Ear> {
        let more = |taken: usize| (taken < self.most).then_some(taken + 1);
        self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()?;
        Some(Ear(Arc::clone(&self.taken)))
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What is told when there is none left.
pub(super) fn no_room() -> Refusal {
    Refusal::new(ErrorCode::Overloaded, "as many watch the firehose as this node lets").after_ms(10_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p6_places_are_few_and_given_back() {
        let ears = Ears::of(2);
        let (one, two) = (ears.sit(), ears.sit());
        assert!(one.is_some() && two.is_some() && ears.sit().is_none());
        drop(one);
        assert!(ears.sit().is_some());
        assert!(Ears::of(0).sit().is_none());
    }
}
