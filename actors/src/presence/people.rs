//! Who is here: the best of what a user's connections show on this node, what the peers say, and when those were last seen who are gone.
//! Must never tell of a connection that shows nothing, and must never remember more than its bounds (P6).

use rustc_hash::{FxHashMap, FxHashSet};
use tidings_protocol::ids::UserId;
use tidings_protocol::position::Millis;
use tidings_protocol::presence::Showing;

use super::company::VisitId;
use super::fading::Fading;
use super::ledger::{Own, Theirs};
use super::{Standing, shown};
use crate::limits::{LAST_SEEN_KEPT, LAST_SEEN_TOLD};

/// How many connections of a user show what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Shown {
    online: u32,
    idle: u32,
    invisible: u32,
}

impl Shown {
    const fn of(&mut self, showing: Showing) -> &mut u32 {
        match showing {
            Showing::Online => &mut self.online,
            Showing::Idle => &mut self.idle,
            Showing::Invisible => &mut self.invisible,
        }
    }

    fn best(self) -> Option<Standing> {
        let best = match self {
            Self { online: 1.., .. } => Showing::Online,
            Self { idle: 1.., .. } => Showing::Idle,
            Self { .. } => Showing::Invisible,
        };
        shown(best)
    }

    fn is_nobody(self) -> bool {
        self == Self::default()
    }
}

/// The people.
#[derive(Debug)]
pub struct People {
    visits: FxHashMap<VisitId, (UserId, Showing)>,
    here: FxHashMap<UserId, Shown>,
    /// What the peers are told: who shows themselves here, and who did until lately.
    pub own: Own<UserId, Standing>,
    left: Fading,
    /// Who was on a node that is no longer heard.
    seen: FxHashMap<UserId, Millis>,
    seen_in_order: Fading,
    touched: FxHashSet<UserId>,
}

impl Default for People {
    fn default() -> Self {
        Self {
            visits: FxHashMap::default(),
            here: FxHashMap::default(),
            own: Own::default(),
            left: Fading::of(LAST_SEEN_TOLD),
            seen: FxHashMap::default(),
            seen_in_order: Fading::of(LAST_SEEN_KEPT),
            touched: FxHashSet::default(),
        }
    }
}

impl People {
    /// A connection shows its user in this way, or is no longer there.
    pub fn shows(&mut self, wall: Millis, visit: VisitId, shows: Option<(UserId, Showing)>) {
        let was = match shows {
            Some(now) => self.visits.insert(visit, now),
            None => self.visits.remove(&visit),
        };
        if let Some((user, showing)) = shows {
            *self.here.entry(user).or_default().of(showing) += 1;
        }
        if let Some((user, showing)) = was
            && let Some(shown) = self.here.get_mut(&user)
        {
            *shown.of(showing) -= 1;
        }
        let users = [was, shows].into_iter().flatten().map(|(user, _)| user);
        users.for_each(|user| self.settle(wall, user));
    }

    /// Forgets the connections of a worker thread.
    pub fn without(&mut self, wall: Millis, is_gone: impl Fn(&VisitId) -> bool) {
        let gone: Vec<VisitId> = self.visits.keys().copied().filter(is_gone).collect();
        gone.into_iter().for_each(|visit| self.shows(wall, visit, None));
    }

    /// Brings what the peers are told in step with what is shown here.
    fn settle(&mut self, wall: Millis, user: UserId) {
        let shown = self.here.get(&user).copied().unwrap_or_default();
        if shown.is_nobody() {
            self.here.remove(&user);
        }
        let was = self.own.get(&user);
        let is = match (shown.best(), was) {
            (Some(best), _) => Some(best),
            (None, Some(was)) if was.is_here() => {
                self.left.note(user, wall);
                Some(Standing::Gone(wall))
            }
            (None, was) => was,
        };
        if is != was {
            self.own.set(user, is);
            self.touched.insert(user);
        }
    }

    /// Somebody's standing may have changed.
    pub fn touch(&mut self, user: UserId) {
        self.touched.insert(user);
    }

    /// A peer is no longer heard: when it was last, its people were last seen.
    pub fn lose(&mut self, heard: Millis, theirs: &Theirs<UserId, Standing>) {
        for (user, standing) in theirs.iter() {
            let seen = match standing {
                Standing::Online | Standing::Idle => heard,
                Standing::Gone(since) => since,
            };
            if self.seen.get(&user).is_none_or(|known| *known < seen) {
                self.seen.insert(user, seen);
                self.seen_in_order.note(user, seen);
            }
            self.touched.insert(user);
        }
    }

    /// What is known of somebody without asking the peers' ledgers.
    pub fn known(&self, user: &UserId) -> Option<Standing> {
        let seen = self.seen.get(user).map(|seen| Standing::Gone(*seen));
        [self.own.get(user), seen].into_iter().flatten().reduce(Standing::or)
    }

    /// Forgets what is too old, or too much.
    pub fn forget(&mut self, wall: Millis) {
        while let Some((user, seen)) = self.left.forget(wall) {
            if self.own.get(&user) == Some(Standing::Gone(seen)) {
                self.own.set(user, None);
                self.touched.insert(user);
            }
        }
        while let Some((user, seen)) = self.seen_in_order.forget(wall) {
            if self.seen.get(&user) == Some(&seen) {
                self.seen.remove(&user);
                self.touched.insert(user);
            }
        }
    }

    /// Those whose standing may have changed since the last time.
    pub fn touched(&mut self) -> FxHashSet<UserId> {
        std::mem::take(&mut self.touched)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::user;

    const NOON: Millis = Millis(1_000_000);

    fn visit(number: u32) -> VisitId {
        VisitId { worker: 1, number }
    }

    #[test]
    fn a_user_is_the_best_of_their_connections_and_gone_with_the_last() {
        let mut people = People::default();
        let mut shows = |number, showing: Option<Showing>| {
            people.shows(NOON, visit(number), showing.map(|showing| (user(1), showing)));
            people.known(&user(1))
        };
        assert_eq!(shows(1, Some(Showing::Idle)), Some(Standing::Idle));
        assert_eq!(shows(2, Some(Showing::Online)), Some(Standing::Online));
        assert_eq!(shows(3, Some(Showing::Invisible)), Some(Standing::Online));
        assert_eq!(shows(2, Some(Showing::Invisible)), Some(Standing::Idle));
        assert_eq!(shows(1, None), Some(Standing::Gone(NOON)));
        assert_eq!(shows(2, None), Some(Standing::Gone(NOON)));
        assert_eq!(shows(3, None), Some(Standing::Gone(NOON)));
        assert!(people.here.is_empty() && people.visits.is_empty());
    }

    #[test]
    fn who_never_shows_themselves_was_never_here() {
        let mut people = People::default();
        people.shows(NOON, visit(1), Some((user(1), Showing::Invisible)));
        people.shows(NOON, visit(1), None);
        assert_eq!(people.known(&user(1)), None);
        assert!(people.touched().is_empty() && people.own.part().is_empty());
    }

    #[test]
    fn a_place_taken_by_another_user_is_given_up_by_the_first() {
        let mut people = People::default();
        people.shows(NOON, visit(1), Some((user(1), Showing::Online)));
        people.shows(NOON, visit(1), Some((user(2), Showing::Online)));
        assert_eq!(people.known(&user(1)), Some(Standing::Gone(NOON)));
        assert_eq!(people.known(&user(2)), Some(Standing::Online));
        people.without(NOON, |visit| visit.worker == 1);
        assert_eq!(people.known(&user(2)), Some(Standing::Gone(NOON)));
    }

    #[test]
    fn p6_when_people_were_last_seen_is_forgotten_in_time_and_beyond_a_number() {
        let mut people = People::default();
        for n in 0..LAST_SEEN_TOLD as u64 + 10 {
            people.shows(NOON, visit(1), Some((user(n), Showing::Online)));
        }
        people.shows(NOON, visit(1), None);
        people.forget(NOON);
        assert_eq!(people.own.len(), LAST_SEEN_TOLD);
        assert_eq!(people.known(&user(0)), None);
        // Who has come back since is not forgotten with the old note.
        people.shows(NOON, visit(2), Some((user(20), Showing::Online)));
        let later = Millis(NOON.0 + crate::limits::LAST_SEEN_KEPT_MS);
        people.forget(later);
        assert_eq!((people.own.len(), people.known(&user(20))), (1, Some(Standing::Online)));
    }

    #[test]
    fn p6_the_people_of_lost_peers_are_remembered_up_to_a_number() {
        let mut people = People::default();
        let mut theirs = Theirs::default();
        let changed = (0..LAST_SEEN_KEPT as u64 + 5).map(|n| (user(n), Some(Standing::Online))).collect();
        theirs.take(&super::super::ledger::Part { changed, stretch: None }, usize::MAX, |_| {});
        people.lose(NOON, &theirs);
        people.forget(NOON);
        assert_eq!(people.seen.len(), LAST_SEEN_KEPT);
        assert_eq!(people.known(&user(LAST_SEEN_KEPT as u64)), Some(Standing::Gone(NOON)));
    }
}
