//! Who is typing where, for as long as they are. Owns how often one person counts and how often a thread is told.
//! Must never hold more threads, or people in one, than its bounds (P6).

use rustc_hash::{FxHashMap, FxHashSet};
use tidings_protocol::entity::Author;
use tidings_protocol::limits::{TYPING_AGAIN_MS, TYPING_LIFE_MS};

use super::whisper::Typed;
use super::{Thread, dropped};
use crate::limits::{TYPING_EVERY_MS, TYPING_THREADS, TYPISTS_PER_THREAD, WHISPER_TYPED};

#[derive(Debug)]
struct Typist {
    who: Author,
    since: u64,
}

#[derive(Debug, Default)]
struct Typists {
    /// The latest last.
    people: Vec<Typist>,
    told_at: Option<u64>,
}

/// The threads in which somebody types.
#[derive(Debug, Default)]
pub struct Typing {
    threads: FxHashMap<Thread, Typists>,
    /// Those of which there is something to tell.
    news: FxHashSet<Thread>,
    /// What the peers have not been told yet.
    unsaid: Vec<Typed>,
    looked_at: u64,
}

impl Typing {
    /// Somebody of this node types.
    pub fn here(&mut self, now: u64, typed: Typed) {
        if !self.take(now, &typed) {
            return;
        }
        if self.unsaid.len() < WHISPER_TYPED {
            self.unsaid.push(typed);
        } else {
            dropped("typing_unsaid", 1);
        }
    }

    /// Somebody of another node types.
    pub fn elsewhere(&mut self, now: u64, typed: &Typed) {
        self.take(now, typed);
    }

    /// Whether half of the threads there may be are free.
    pub fn has_room_to_spare(&self) -> bool {
        self.threads.len() < TYPING_THREADS / 2
    }

    /// False if they were taken a moment ago, or there is no room for them.
    fn take(&mut self, now: u64, typed: &Typed) -> bool {
        if self.threads.len() >= TYPING_THREADS && !self.threads.contains_key(&typed.thread) {
            dropped("typing_threads", 1);
            return false;
        }
        let people = &mut self.threads.entry(typed.thread).or_default().people;
        if let Some(at) = people.iter().position(|typist| typist.who.id == typed.who.id) {
            if now < people[at].since + u64::from(TYPING_AGAIN_MS) {
                return false;
            }
            people.remove(at);
        } else if people.len() >= TYPISTS_PER_THREAD {
            dropped("typists", 1);
            return false;
        }
        people.push(Typist { who: typed.who.clone(), since: now });
        self.news.insert(typed.thread);
        true
    }

    /// What the next message to the peers says.
    pub fn unsaid(&mut self) -> Vec<Typed> {
        std::mem::take(&mut self.unsaid)
    }

    /// The threads to tell of now, each with those who type in it, the latest first.
    pub fn due(&mut self, now: u64) -> Vec<(Thread, Vec<Author>)> {
        if now >= self.looked_at + TYPING_EVERY_MS {
            self.looked_at = now;
            self.clear_away(now);
        }
        let threads = &mut self.threads;
        let mut due = Vec::new();
        self.news.retain(|thread| {
            let Some(typists) = threads.get_mut(thread) else {
                return false;
            };
            if typists.told_at.is_some_and(|told_at| now < told_at + TYPING_EVERY_MS) {
                return true;
            }
            typists.told_at = Some(now);
            let alive = typists.people.iter().rev().filter(|typist| is_alive(typist, now));
            due.push((*thread, alive.map(|typist| typist.who.clone()).collect()));
            false
        });
        due
    }

    fn clear_away(&mut self, now: u64) {
        self.threads.retain(|_, typists| {
            typists.people.retain(|typist| is_alive(typist, now));
            !typists.people.is_empty()
        });
    }

    /// Whether somebody is taken to be typing.
    #[cfg(test)]
    pub fn holds(&self, thread: Thread, who: tidings_protocol::ids::UserId) -> bool {
        self.threads.get(&thread).is_some_and(|typists| typists.people.iter().any(|typist| typist.who.id == who))
    }
}

const fn is_alive(typist: &Typist, now: u64) -> bool {
    now < typist.since + TYPING_LIFE_MS
}

#[cfg(test)]
mod tests {
    use tidings_protocol::position::Seq;

    use super::*;
    use crate::testing::{post, user};

    fn thread(n: u64) -> Thread {
        Thread { post: post(n), parent: None }
    }

    fn author(n: u64) -> Author {
        Author { id: user(n), rev: Seq(1), handle: format!("u{n}"), name: format!("U {n}") }
    }

    fn typed(who: u64, on: u64) -> Typed {
        Typed { thread: thread(on), who: author(who) }
    }

    fn names(due: &[(Thread, Vec<Author>)]) -> Vec<Vec<&str>> {
        due.iter().map(|(_, people)| people.iter().map(|who| who.handle.as_str()).collect()).collect()
    }

    #[test]
    fn one_person_counts_once_in_three_seconds_and_is_told_at_most_once_a_second() {
        let mut typing = Typing::default();
        for now in (0..6_000).step_by(10) {
            typing.here(now, typed(1, 1));
        }
        assert_eq!(typing.unsaid().len(), 2, "at 0 and at 3,000");
        assert_eq!(names(&typing.due(6_000)), [["u1"]]);
        assert!(typing.due(7_000).is_empty(), "no news");
        typing.here(7_000, typed(2, 1));
        typing.here(7_000, typed(2, 2));
        assert_eq!(typing.unsaid().len(), 2, "one for each thread");
        assert_eq!(typing.due(7_000).len(), 2);
        typing.here(7_500, typed(3, 1));
        assert!(typing.due(7_999).is_empty(), "the thread was told a moment ago");
        assert_eq!(names(&typing.due(8_000)), [["u3", "u2", "u1"]], "the latest first");
    }

    #[test]
    fn it_is_over_after_six_seconds() {
        let mut typing = Typing::default();
        typing.here(0, typed(1, 1));
        typing.here(3_000, typed(2, 1));
        assert_eq!(names(&typing.due(5_999)), [["u2", "u1"]]);
        typing.elsewhere(7_000, &typed(3, 1));
        assert_eq!(names(&typing.due(7_000)), [["u3", "u2"]]);
        typing.due(20_000);
        assert!(typing.threads.is_empty() && typing.news.is_empty(), "nothing is left");
    }

    #[test]
    fn p6_a_flood_is_bounded_in_people_in_threads_and_towards_the_peers() {
        let mut typing = Typing::default();
        for who in 0..10 * TYPISTS_PER_THREAD as u64 {
            typing.here(0, typed(who, 1));
        }
        assert_eq!(typing.threads[&thread(1)].people.len(), TYPISTS_PER_THREAD);
        for on in 0..2 * TYPING_THREADS as u64 {
            typing.here(0, typed(1, on));
        }
        assert_eq!(typing.threads.len(), TYPING_THREADS);
        assert!(!typing.holds(thread(2 * TYPING_THREADS as u64 - 1), user(1)));
        assert_eq!(typing.unsaid().len(), WHISPER_TYPED);
        typing.here(0, typed(1, 1));
        assert!(typing.unsaid().is_empty(), "they were taken already");
    }
}
