//! The recent journal in memory, for resumes, slow readers and bringing snapshots forward.
//! Must never have a hole and never outgrow its bounds; what it no longer reaches is asked of Postgres.

mod threads;

use std::collections::VecDeque;
use std::sync::Arc;

use tidings_protocol::ids::UserId;
use tidings_protocol::position::Seq;
use tidings_protocol::spans::Tag;

use crate::entry::{Batch, Change, Entry, Scope};
use crate::limits;
use threads::Threads;

/// A contiguous run of batches ending at the last one applied. Batches are shared between the threads of a node.
#[derive(Debug)]
pub struct HotLog {
    batches: VecDeque<Arc<Batch>>,
    /// The log holds every entry after this one.
    after: Seq,
    /// Through the posts and profiles.
    threads: Threads,
    entries: usize,
    bytes: usize,
    most_entries: usize,
    most_bytes: usize,
}

impl HotLog {
    /// An empty log that begins after `applied`.
    #[must_use]
    pub fn beginning_after(applied: Seq) -> Self {
        Self::bounded(applied, limits::HOT_LOG_ENTRIES, limits::HOT_LOG_BYTES)
    }

    pub(crate) fn bounded(applied: Seq, most_entries: usize, most_bytes: usize) -> Self {
        let (batches, threads) = (VecDeque::new(), Threads::default());
        Self { batches, after: applied, threads, entries: 0, bytes: 0, most_entries, most_bytes }
    }

    /// Appends the next batch and forgets the oldest ones past the bounds.
    pub fn push(&mut self, batch: Arc<Batch>) {
        let expected = self.batches.back().map_or(self.after, |last| last.last).next();
        assert_eq!(batch.first, expected, "the tail hands on a contiguous journal (P1)");
        self.entries += batch.entries.len();
        self.bytes += bytes_of(&batch);
        for entry in &batch.entries {
            if let Change::Post { author, .. } | Change::User { id: author, .. } = entry.change {
                self.threads.tie(entry.seq, author);
            }
        }
        self.batches.push_back(batch);
        while self.entries > self.most_entries || self.bytes > self.most_bytes {
            let Some(oldest) = self.batches.pop_front() else {
                break;
            };
            self.entries -= oldest.entries.len();
            self.bytes -= bytes_of(&oldest);
            self.after = oldest.last;
            self.threads.forget(self.after);
        }
    }

    /// It holds every entry after this one.
    #[must_use]
    pub const fn after(&self) -> Seq {
        self.after
    }

    /// Entries about posts and profiles of these authors, newest first.
    pub fn of_authors(&self, authors: impl Iterator<Item = UserId>) -> impl Iterator<Item = &Entry> {
        self.threads.of(authors).filter_map(|seq| self.entry(seq))
    }

    fn entry(&self, seq: Seq) -> Option<&Entry> {
        let batch = self.batches.get(self.batches.partition_point(|batch| batch.last < seq))?;
        let at = batch.entries.binary_search_by_key(&seq, |entry| entry.seq).ok()?;
        batch.entries.get(at)
    }

    /// The entries from `from` on, inclusive, ascending; none if the log no longer reaches back that far.
    #[must_use]
    pub fn since(&self, from: Seq) -> Option<impl DoubleEndedIterator<Item = &Entry>> {
        if from <= self.after {
            return None;
        }
        let skip = self.batches.partition_point(|batch| batch.last < from);
        let entries = self.batches.range(skip..).flat_map(|batch| &batch.entries);
        Some(entries.filter(move |entry| entry.seq >= from))
    }
}

fn bytes_of(batch: &Batch) -> usize {
    let scope = |scope: &Scope| {
        size_of::<Scope>()
            + scope.mentioned.len() * size_of::<UserId>()
            + (scope.tags.len() + scope.tagged.len()) * size_of::<Tag>()
    };
    let bytes = |entry: &Entry| entry.body.get().len() + size_of::<Entry>() + entry.scope.as_deref().map_or(0, scope);
    batch.entries.iter().map(bytes).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::post_batch;

    #[test]
    fn it_gives_what_it_holds_and_says_when_it_does_not_reach() {
        let mut log = HotLog::bounded(Seq(10), 5, usize::MAX);
        assert_eq!(log.since(Seq(11)).expect("reaches").count(), 0);
        assert!(log.since(Seq(10)).is_none());
        log.push(Arc::new(post_batch(11, 13)));
        log.push(Arc::new(post_batch(14, 15)));
        let all: Vec<u64> = log.since(Seq(12)).expect("reaches").map(|entry| entry.seq.0).collect();
        assert_eq!(all, [12, 13, 14, 15]);
        log.push(Arc::new(post_batch(16, 16)));
        assert!(log.since(Seq(13)).is_none(), "the first batch has gone to stay within five entries");
        assert_eq!(log.since(Seq(14)).expect("reaches").count(), 3);
    }

    #[test]
    #[should_panic(expected = "contiguous")]
    fn p8_a_hole_is_our_own_broken_invariant_and_loud() {
        let mut log = HotLog::beginning_after(Seq(1));
        log.push(Arc::new(post_batch(3, 3)));
    }

    proptest::proptest! {
        #[test]
        fn p6_it_holds_the_newest_that_fit_and_answers_like_a_plain_list(
            steps in proptest::collection::vec((1..6_u64, 0..7_u64), 1..60),
            most_entries in 1..30_usize,
            start in 0..5_u64,
        ) {
            let mut log = HotLog::bounded(Seq(start), most_entries, usize::MAX);
            let mut batches: Vec<(u64, u64)> = Vec::new();
            let mut head = start;
            for (length, back) in steps {
                batches.push((head + 1, head + length));
                head += length;
                log.push(Arc::new(post_batch(head - length + 1, head)));
                // The dumb way: whole batches from the newest back, as long as they fit.
                let mut reach = head + 1;
                for (first, _) in batches.iter().rev() {
                    if head - first + 1 > most_entries as u64 {
                        break;
                    }
                    reach = *first;
                }
                let from = (head + 2).saturating_sub(back * 3);
                let found: Option<Vec<u64>> = log.since(Seq(from)).map(|since| since.map(|entry| entry.seq.0).collect());
                let expected = (from >= reach && from > start).then(|| (from..=head).collect::<Vec<u64>>());
                proptest::prop_assert_eq!(found, expected, "from {} with {} reached back to {}", from, head, reach);
            }
        }
    }
}
