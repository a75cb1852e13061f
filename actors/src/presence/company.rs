//! What the threads of a node share about who is here: how people stand, and between the crier and each worker's stand a tray with what one
//! has for the other. Must never grow with how often something happens: what waits is kept by its key, and the last one counts (P6).

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dashmap::DashMap;
use rustc_hash::{FxHashMap, FxHashSet};
use tidings_protocol::entity::Author;
use tidings_protocol::ids::{PostId, UserId};
use tidings_protocol::presence::Showing;

use super::{Standing, Thread, dropped};
use crate::limits::TYPED_ON_A_TRAY;

/// A connection of a user, in its node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct VisitId {
    /// Its worker thread.
    pub worker: u64,
    /// Its place there, which another may have after it.
    pub number: u32,
}

/// What a stand has for the crier.
#[derive(Debug, Default)]
pub struct Report {
    /// All that was said before is void.
    pub afresh: bool,
    /// What connections show; none: the connection is gone.
    pub visits: FxHashMap<u32, Option<(UserId, Showing)>>,
    /// How many connections watch a post.
    pub readers: FxHashMap<PostId, u32>,
    /// Who types where.
    pub typed: FxHashMap<(UserId, Thread), Author>,
}

impl Report {
    fn is_empty(&self) -> bool {
        !self.afresh && self.visits.is_empty() && self.readers.is_empty() && self.typed.is_empty()
    }
}

/// What the crier has for a stand.
#[derive(Debug, Default)]
pub struct News {
    /// The crier knows nothing any more: report everything afresh.
    pub again: bool,
    /// Whose standing may have changed.
    pub people: FxHashSet<UserId>,
    /// Who types in a thread, the latest first.
    pub typing: FxHashMap<Thread, Arc<[Author]>>,
    /// How many connections watch a post.
    pub readers: FxHashMap<PostId, u64>,
}

/// Between the crier and one stand.
#[derive(Debug, Default)]
pub struct Tray {
    report: Mutex<Report>,
    news: Mutex<News>,
}

/// Nothing in these locks is ever half-changed: each is a few maps, of which every change stands by itself.
fn open<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Tray {
    /// A connection shows its user in this way, or is gone.
    pub fn shows(&self, number: u32, shows: Option<(UserId, Showing)>) {
        open(&self.report).visits.insert(number, shows);
    }

    /// A post is watched by so many connections.
    pub fn counts(&self, post: PostId, number: u32) {
        open(&self.report).readers.insert(post, number);
    }

    /// Somebody types.
    pub fn types(&self, thread: Thread, who: Author) {
        let typed = &mut open(&self.report).typed;
        if typed.len() < TYPED_ON_A_TRAY || typed.contains_key(&(who.id, thread)) {
            typed.insert((who.id, thread), who);
        } else {
            dropped("typed", 1);
        }
    }

    /// What this stand has to say replaces all it has said before.
    pub fn begins_afresh(&self) {
        *open(&self.report) = Report { afresh: true, ..Report::default() };
    }

    /// What the stand has left; none if that is nothing.
    pub fn report(&self) -> Option<Report> {
        let mut report = open(&self.report);
        (!report.is_empty()).then(|| std::mem::take(&mut *report))
    }

    /// Leaves something for the stand.
    pub fn leave(&self, leave: impl FnOnce(&mut News)) {
        leave(&mut open(&self.news));
    }

    /// What the crier has left.
    pub fn news(&self) -> News {
        std::mem::take(&mut *open(&self.news))
    }
}

/// Who is here, as the threads of one node share it.
#[derive(Debug, Default)]
pub struct Company {
    roster: DashMap<UserId, Standing>,
    trays: Mutex<Vec<(u64, Arc<Tray>)>>,
    numbers: AtomicU64,
}

impl Company {
    /// How somebody stands; none if nothing is known of them.
    #[must_use]
    pub fn standing(&self, user: &UserId) -> Option<Standing> {
        self.roster.get(user).map(|standing| *standing)
    }

    /// A tray for one more stand. The crier takes it away when the stand has dropped its own.
    #[must_use]
    pub fn tray(&self) -> Arc<Tray> {
        let tray = Arc::<Tray>::default();
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        open(&self.trays).push((number, Arc::clone(&tray)));
        tray
    }

    /// The trays there are, and the numbers of those whose stand has gone.
    pub(super) fn trays(&self) -> (Vec<(u64, Arc<Tray>)>, Vec<u64>) {
        let mut gone = Vec::new();
        let mut trays = open(&self.trays);
        trays.retain(|(number, tray)| {
            let is_kept = Arc::strong_count(tray) > 1;
            if !is_kept {
                gone.push(*number);
            }
            is_kept
        });
        (trays.clone(), gone)
    }

    /// People stand like this now; those for whom that is news.
    pub(super) fn stand(&self, people: Vec<(UserId, Option<Standing>)>) -> Vec<UserId> {
        let differs = |(user, is): &(UserId, Option<Standing>)| {
            let was = match is {
                Some(standing) => self.roster.insert(*user, *standing),
                None => self.roster.remove(user).map(|(_, standing)| standing),
            };
            was != *is
        };
        people.into_iter().filter(differs).map(|(user, _)| user).collect()
    }

    /// Nothing is known of anybody any more; those of whom something was.
    pub(super) fn clear(&self) -> Vec<UserId> {
        let known: Vec<UserId> = self.roster.iter().map(|entry| *entry.key()).collect();
        self.roster.clear();
        known
    }

    /// People of whom something is known.
    #[must_use]
    pub fn people(&self) -> usize {
        self.roster.len()
    }
}

#[cfg(test)]
mod tests {
    use tidings_protocol::position::Seq;

    use super::*;
    use crate::testing::{post, user};

    #[test]
    fn p6_a_tray_holds_each_thing_once_however_often_it_happens() {
        let tray = Tray::default();
        let who = |n| Author { id: user(n), rev: Seq(1), handle: String::new(), name: String::new() };
        let thread = Thread { post: post(1), parent: None };
        for n in 0..10_000 {
            tray.shows(1, Some((user(1), if n % 2 == 0 { Showing::Online } else { Showing::Idle })));
            tray.counts(post(1), u32::try_from(n).unwrap());
            tray.types(thread, who(n));
        }
        tray.types(thread, who(1));
        let report = tray.report().unwrap();
        assert_eq!((report.visits[&1], report.readers[&post(1)]), (Some((user(1), Showing::Idle)), 9_999));
        assert_eq!((report.visits.len(), report.readers.len(), report.typed.len()), (1, 1, TYPED_ON_A_TRAY));
        assert!(tray.report().is_none());
    }

    #[test]
    fn a_tray_goes_when_its_stand_does() {
        let company = Company::default();
        let (one, two) = (company.tray(), company.tray());
        let numbers = || {
            let (there, gone) = company.trays();
            (there.into_iter().map(|(number, _)| number).collect::<Vec<_>>(), gone)
        };
        assert_eq!(numbers(), (vec![0, 1], vec![]));
        drop(one);
        assert_eq!(numbers(), (vec![1], vec![0]));
        drop(two);
        assert_eq!(numbers(), (vec![], vec![1]));
    }
}
