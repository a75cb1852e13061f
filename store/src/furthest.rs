//! The furthest place of the journal that this process has seen committed, to notice a journal that has gone back.
//! Must never hold what was only heard of: a rumour proves nothing.

use std::sync::{Arc, Mutex, PoisonError};

use tidings_protocol::position::{Epoch, Seq};

/// A place in a life of the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    epoch: Epoch,
    seq: Seq,
}

impl Place {
    /// Whether a journal whose head, asked for afterwards, stands there has lost this place without beginning a new life.
    pub(crate) fn is_lost_at(self, epoch: Epoch, head: Seq) -> bool {
        self.epoch == epoch && head < self.seq
    }
}

/// The furthest place seen. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Furthest(Arc<Mutex<Option<Place>>>);

impl Furthest {
    /// The furthest so far, if any.
    pub(crate) fn so_far(&self) -> Option<Place> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place was seen committed.
    pub(crate) fn reached(&self, epoch: Epoch, seq: Seq) {
        let mut furthest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match *furthest {
            Some(had) if had.epoch == epoch && had.seq >= seq => {}
            Some(_) | None => *furthest = Some(Place { epoch, seq }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_place_of_the_same_life_can_be_lost() {
        let furthest = Furthest::default();
        furthest.reached(Epoch(1), Seq(7));
        furthest.reached(Epoch(1), Seq(5));
        let place = furthest.so_far().expect("reached");
        assert!(place.is_lost_at(Epoch(1), Seq(6)) && !place.is_lost_at(Epoch(1), Seq(7)));
        assert!(!place.is_lost_at(Epoch(2), Seq(0)));
        furthest.reached(Epoch(2), Seq(3));
        assert_eq!(furthest.so_far(), Some(Place { epoch: Epoch(2), seq: Seq(3) }));
    }
}
