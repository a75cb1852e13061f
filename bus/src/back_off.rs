//! Owns how long to wait before the next attempt to connect. Must never sleep itself: it only says how long.

use std::time::Duration;

use crate::limits::{BACK_OFF_FIRST, BACK_OFF_MOST};

/// Doubling with jitter: nodes that lost Redis together must not come back together.
#[derive(Debug)]
pub struct BackOff {
    most: Duration,
}

impl BackOff {
    pub const fn new() -> Self {
        Self { most: BACK_OFF_FIRST }
    }

    /// The next wait: anything from the shortest to the present most, which doubles with each call.
    pub fn next_wait(&mut self) -> Duration {
        self.most = (self.most * 2).min(BACK_OFF_MOST);
        rand::random_range(BACK_OFF_FIRST..=self.most)
    }

    /// All is well again.
    pub const fn reset(&mut self) {
        self.most = BACK_OFF_FIRST;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_within_their_bounds_and_start_again_after_success() {
        let mut back_off = BackOff::new();
        assert!(back_off.next_wait() <= BACK_OFF_FIRST * 2);
        for _ in 0..200 {
            let wait = back_off.next_wait();
            assert!((BACK_OFF_FIRST..=BACK_OFF_MOST).contains(&wait));
        }
        assert_eq!(back_off.most, BACK_OFF_MOST);
        back_off.reset();
        assert!(back_off.next_wait() <= BACK_OFF_FIRST * 2);
    }
}
