//! When people who are not here any more were last seen: remembered for a time and up to a number, the oldest forgotten first.
//! Must never grow past that (P6).

use std::collections::VecDeque;

use tidings_protocol::ids::UserId;
use tidings_protocol::position::Millis;

use crate::limits::LAST_SEEN_KEPT_MS;

/// Who was seen when, in the order in which it was noted.
#[derive(Debug)]
pub struct Fading {
    order: VecDeque<(UserId, Millis)>,
    most: usize,
}

impl Fading {
    /// Remembers so many.
    pub const fn of(most: usize) -> Self {
        Self { order: VecDeque::new(), most }
    }

    pub fn note(&mut self, user: UserId, seen: Millis) {
        self.order.push_back((user, seen));
    }

    /// The next one that is to be forgotten, if it was noted like this. Whether there is a newer note its owner knows.
    pub fn forget(&mut self, wall: Millis) -> Option<(UserId, Millis)> {
        let (_, seen) = self.order.front()?;
        let old = seen.0.saturating_add(LAST_SEEN_KEPT_MS) <= wall.0;
        if old || self.order.len() > self.most { self.order.pop_front() } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::user;

    #[test]
    fn p6_the_oldest_go_first_by_number_and_by_age() {
        let mut fading = Fading::of(2);
        for n in 1..=3 {
            fading.note(user(n), Millis(n));
        }
        assert_eq!(fading.forget(Millis(3)), Some((user(1), Millis(1))));
        assert_eq!(fading.forget(Millis(3)), None);
        assert_eq!(fading.forget(Millis(LAST_SEEN_KEPT_MS + 2)), Some((user(2), Millis(2))));
        assert_eq!(fading.forget(Millis(LAST_SEEN_KEPT_MS + 2)), None);
    }
}
