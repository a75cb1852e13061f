//! Which look-ups of one user are under way. A pure machine: several connections of one log-in that arrive together share one read.
//! Must never answer from an older read than the one that began after the question: a revocation in between would be missed.

use rustc_hash::FxHashMap;
use tidings_protocol::ids::SessionId;

/// Askers by log-in. `T` is where an answer goes.
#[derive(Debug)]
pub struct LookUps<T> {
    under_way: FxHashMap<SessionId, Group<T>>,
}

#[derive(Debug)]
struct Group<T> {
    /// Served by the read under way.
    now: Vec<T>,
    /// Came after it began: served by the next.
    next: Vec<T>,
}

impl<T> Default for LookUps<T> {
    fn default() -> Self {
        Self { under_way: FxHashMap::default() }
    }
}

impl<T> LookUps<T> {
    /// Somebody asks. True: begin a read now.
    #[must_use]
    pub fn ask(&mut self, session: SessionId, to: T) -> bool {
        if let Some(group) = self.under_way.get_mut(&session) {
            group.next.push(to);
            return false;
        }
        self.under_way.insert(session, Group { now: vec![to], next: Vec::new() });
        true
    }

    /// The read came back: those it serves, and whether the next one begins now.
    #[must_use]
    pub fn found(&mut self, session: SessionId) -> (Vec<T>, bool) {
        let Some(group) = self.under_way.remove(&session) else {
            return (Vec::new(), false);
        };
        let again = !group.next.is_empty();
        if again {
            self.under_way.insert(session, Group { now: group.next, next: Vec::new() });
        }
        (group.now, again)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_who_come_while_a_read_is_under_way_share_the_next_one() {
        let session = SessionId(uuid::Uuid::from_u128(1));
        let mut look_ups = LookUps::default();
        assert!(look_ups.ask(session, "a"));
        assert!(!look_ups.ask(session, "b"));
        assert!(!look_ups.ask(session, "c"));
        assert_eq!(look_ups.found(session), (vec!["a"], true));
        assert_eq!(look_ups.found(session), (vec!["b", "c"], false));
        assert!(look_ups.ask(session, "d"), "nothing is under way any more");
    }
}
