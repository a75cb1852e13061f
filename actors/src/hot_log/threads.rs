//! Threads through the recent journal: from each author's newest entry to the one before it, so that the newest of many authors are found
//! without looking at what others did. Must never outlive the entries it leads to.

use std::collections::{BinaryHeap, VecDeque};

use rustc_hash::FxHashMap;
use tidings_protocol::ids::UserId;
use tidings_protocol::position::Seq;

/// Leads nowhere.
const NOWHERE: u64 = u64::MAX;

/// An entry on the thread of its author.
#[derive(Debug)]
struct Knot {
    seq: Seq,
    author: UserId,
    /// The number of the author's knot before; forgotten, if it is below the first.
    before: u64,
}

/// The threads of all authors.
#[derive(Debug, Default)]
pub(super) struct Threads {
    /// Ascending, numbered one after the other.
    knots: VecDeque<Knot>,
    /// The number of the first knot.
    first: u64,
    /// The number of each author's newest.
    newest: FxHashMap<UserId, u64>,
}

impl Threads {
    /// Ties an author's next entry on.
    pub(super) fn tie(&mut self, seq: Seq, author: UserId) {
        let number = self.first + self.knots.len() as u64;
        let before = self.newest.insert(author, number).unwrap_or(NOWHERE);
        self.knots.push_back(Knot { seq, author, before });
    }

    /// Forgets entries up to some place.
    pub(super) fn forget(&mut self, up_to: Seq) {
        while let Some(knot) = self.knots.pop_front_if(|knot| knot.seq <= up_to) {
            if self.newest.get(&knot.author) == Some(&self.first) {
                self.newest.remove(&knot.author);
            }
            self.first += 1;
        }
    }

    /// The places of these authors' entries, newest first.
    pub(super) fn of(&self, authors: impl Iterator<Item = UserId>) -> impl Iterator<Item = Seq> {
        let mut heads: BinaryHeap<u64> = authors.filter_map(|author| self.newest.get(&author).copied()).collect();
        std::iter::from_fn(move || {
            let mut newest = heads.peek_mut()?;
            let knot = self.knot(*newest).expect("numbers below the first are never kept");
            if self.knot(knot.before).is_some() {
                *newest = knot.before;
            } else {
                std::collections::binary_heap::PeekMut::pop(newest);
            }
            Some(knot.seq)
        })
    }

    fn knot(&self, number: u64) -> Option<&Knot> {
        let at = number.checked_sub(self.first)?;
        self.knots.get(usize::try_from(at).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::user;

    proptest::proptest! {
        #[test]
        fn what_they_lead_to_is_what_a_plain_list_says(
            steps in proptest::collection::vec((0..8_u64, 1..4_u64, 0..10_u64), 1..80),
            asked in proptest::collection::btree_set(0..10_u64, 0..10),
        ) {
            let mut threads = Threads::default();
            let mut list: Vec<(u64, u64)> = Vec::new();
            let mut seq = 0;
            for (author, gap, forget) in steps {
                seq += gap;
                threads.tie(Seq(seq), user(author));
                list.push((seq, author));
                if forget == 0 {
                    let up_to = seq.saturating_sub(20);
                    threads.forget(Seq(up_to));
                    list.retain(|&(seq, _)| seq > up_to);
                }
                let found: Vec<u64> = threads.of(asked.iter().map(|&n| user(n))).map(|seq| seq.0).collect();
                let expected: Vec<u64> =
                    list.iter().rev().filter(|(_, author)| asked.contains(author)).map(|&(seq, _)| seq).collect();
                proptest::prop_assert_eq!(found, expected);
            }
            let authors = list.iter().map(|&(_, author)| author).collect::<std::collections::BTreeSet<_>>();
            proptest::prop_assert_eq!(threads.newest.len(), authors.len(), "nobody is remembered without an entry");
        }
    }
}
