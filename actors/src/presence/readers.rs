//! How many connections watch each post, on this node and on all. Owns how often a number is told.
//! Must never keep numbers of more posts than its bounds (P6): beyond them nothing is told of a post.

use rustc_hash::{FxHashMap, FxHashSet};
use tidings_protocol::ids::PostId;
use tidings_protocol::limits::READERS_EVERY_MS;

use super::dropped;
use super::ledger::Own;
use crate::limits::READERS_POSTS;

#[derive(Clone, Copy, Debug)]
struct Said {
    number: u64,
    at: u64,
}

/// The numbers.
#[derive(Debug, Default)]
pub struct Readers {
    counted: FxHashMap<(u64, PostId), u32>,
    /// What the peers are told: the sum over this node's workers.
    pub own: Own<PostId, u32>,
    /// What was last told here, of posts that are watched here.
    said: FxHashMap<PostId, Said>,
    /// Posts whose number may have changed since.
    touched: FxHashSet<PostId>,
}

impl Readers {
    /// A worker has counted.
    pub fn counts(&mut self, worker: u64, post: PostId, number: u32) {
        let sum = self.own.get(&post);
        if sum.is_none() && (number == 0 || self.own.len() >= READERS_POSTS) {
            return dropped("readers_posts", usize::from(number > 0));
        }
        let was = match number {
            0 => self.counted.remove(&(worker, post)),
            _ => self.counted.insert((worker, post), number),
        };
        let sum = (sum.unwrap_or(0) + number).saturating_sub(was.unwrap_or(0));
        self.own.set(post, (sum > 0).then_some(sum));
        self.touched.insert(post);
    }

    /// Forgets what a worker has counted.
    pub fn without(&mut self, worker: u64) {
        let gone: Vec<PostId> = self.counted.keys().filter(|(of, _)| *of == worker).map(|(_, post)| *post).collect();
        gone.into_iter().for_each(|post| self.counts(worker, post, 0));
    }

    /// Whether anybody here watches a post, as far as numbers are kept.
    pub fn is_watched(&self, post: &PostId) -> bool {
        self.own.get(post).is_some()
    }

    /// A peer's number has changed.
    pub fn touch(&mut self, post: PostId) {
        if self.is_watched(&post) {
            self.touched.insert(post);
        }
    }

    /// The numbers to tell now; `elsewhere` knows those of the peers.
    pub fn due(&mut self, now: u64, elsewhere: impl Fn(&PostId) -> u64) -> Vec<(PostId, u64)> {
        let (own, said) = (&self.own, &mut self.said);
        let mut due = Vec::new();
        self.touched.retain(|post| {
            let Some(here) = own.get(post) else {
                said.remove(post);
                return false;
            };
            let number = u64::from(here) + elsewhere(post);
            match said.get(post) {
                Some(last) if last.number == number => false,
                Some(last) if now < last.at + READERS_EVERY_MS => true,
                Some(_) | None => {
                    said.insert(*post, Said { number, at: now });
                    due.push((*post, number));
                    false
                }
            }
        });
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::post;

    #[test]
    fn a_number_is_told_when_it_has_changed_and_at_most_every_two_seconds() {
        let mut readers = Readers::default();
        readers.counts(1, post(1), 3);
        readers.counts(2, post(1), 2);
        assert_eq!(readers.due(0, |_| 10), [(post(1), 15)]);
        readers.counts(1, post(1), 4);
        assert!(readers.due(1_999, |_| 10).is_empty(), "told a moment ago");
        readers.counts(1, post(1), 3);
        assert!(readers.due(2_000, |_| 10).is_empty(), "as it was told");
        readers.touch(post(1));
        assert_eq!(readers.due(2_000, |_| 11), [(post(1), 16)]);
        readers.touch(post(2));
        assert!(readers.due(9_000, |_| 1).is_empty(), "nobody here watches it");
    }

    #[test]
    fn nothing_is_left_of_a_post_that_nobody_watches() {
        let mut readers = Readers::default();
        readers.counts(1, post(1), 3);
        readers.counts(2, post(1), 3);
        readers.due(0, |_| 0);
        readers.without(1);
        assert_eq!(readers.due(2_000, |_| 0), [(post(1), 3)]);
        readers.counts(2, post(1), 0);
        assert!(readers.due(4_000, |_| 7).is_empty());
        assert!(readers.counted.is_empty() && readers.said.is_empty() && readers.own.len() == 0);
    }

    #[test]
    fn p6_beyond_the_bound_a_post_has_no_number() {
        let mut readers = Readers::default();
        (0..READERS_POSTS as u64).for_each(|n| readers.counts(1, post(n), 1));
        readers.counts(1, post(u64::MAX), 1);
        assert_eq!((readers.own.len(), readers.is_watched(&post(u64::MAX))), (READERS_POSTS, false));
        readers.counts(1, post(0), 2);
        assert!(readers.due(0, |_| 0).contains(&(post(0), 2)), "those who are in are counted on");
    }
}
