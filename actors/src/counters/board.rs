//! One worker thread's numbers: the last of each post that is watched here, and who has not been told them.
//! A pure machine over readers' places. Must never take a reader to be told who was not: they are owed it until they keep up or leave (P4).

use rustc_hash::{FxHashMap, FxHashSet};
use tidings_protocol::ids::PostId;
use tidings_protocol::marks::PostCounts;

use crate::limits::COUNTS_OWED;

/// A connection that watches a post: its place in memory, whether it may be told something now, and the way to it.
#[derive(Clone, Debug)]
pub(super) struct Reader<R> {
    pub(super) place: usize,
    pub(super) may_be_told: bool,
    pub(super) way: R,
}

/// Numbers, and whom to tell them.
#[derive(Debug)]
pub(super) struct Due<R> {
    pub(super) counts: PostCounts,
    pub(super) readers: Vec<R>,
}

/// What is known of a post that is, or was, watched here.
#[derive(Debug, Default)]
struct Watched {
    last: Option<PostCounts>,
    owed: Owed,
    /// Whoever has come since: told the next numbers, since the last ones may be from before.
    coming: Owed,
}

/// Who has not been told the last numbers.
#[derive(Debug)]
enum Owed {
    All,
    /// By their places; a place may be another's by now, who is then told once more.
    Some(FxHashSet<usize>),
}

impl Default for Owed {
    fn default() -> Self {
        Self::Some(FxHashSet::default())
    }
}

impl Owed {
    fn to(&self, place: usize) -> bool {
        match self {
            Self::All => true,
            Self::Some(places) => places.contains(&place),
        }
    }

    fn add(&mut self, place: usize) {
        if let Self::Some(places) = self {
            places.insert(place);
            if places.len() > COUNTS_OWED {
                // Telling somebody twice does no harm.
                *self = Self::All;
            }
        }
    }

    fn add_all(&mut self, more: Self) {
        match more {
            Self::All => *self = Self::All,
            Self::Some(places) => places.into_iter().for_each(|place| self.add(place)),
        }
    }

    fn is_nobody(&self) -> bool {
        matches!(self, Self::Some(places) if places.is_empty())
    }
}

/// The board.
#[derive(Debug, Default)]
pub(super) struct Board {
    posts: FxHashMap<PostId, Watched>,
    /// Posts of which somebody is owed the numbers.
    due: FxHashSet<PostId>,
    /// Posts when it was last tidied.
    tidied: usize,
}

impl Board {
    /// Somebody watches a post from now on.
    pub(super) fn reads(&mut self, post: PostId, place: usize) {
        self.posts.entry(post).or_default().coming.add(place);
    }

    /// Somebody could not be told after all.
    pub(super) fn owes(&mut self, post: PostId, place: usize) {
        if let Some(watched) = self.posts.get_mut(&post) {
            watched.owed.add(place);
            self.due.insert(post);
        }
    }

    /// The numbers of a post, as far as it is there.
    pub(super) fn brings(&mut self, post: PostId, counts: Option<PostCounts>) {
        let Some(counts) = counts else {
            self.posts.remove(&post);
            self.due.remove(&post);
            return;
        };
        // Nobody watches it here.
        let Some(watched) = self.posts.get_mut(&post) else { return };
        let is_news = watched.last.as_ref().is_none_or(|last| PostCounts { seq: counts.seq, ..last.clone() } != counts);
        if is_news {
            watched.owed = Owed::All;
        }
        watched.owed.add_all(std::mem::take(&mut watched.coming));
        if !watched.owed.is_nobody() {
            self.due.insert(post);
        }
        watched.last = Some(counts);
    }

    /// Nothing known is true any more: everybody is owed everything. The posts to ask about.
    pub(super) fn begin_afresh(&mut self) -> Vec<PostId> {
        for watched in self.posts.values_mut() {
            *watched = Watched { last: None, owed: Owed::default(), coming: Owed::All };
        }
        self.due.clear();
        self.posts.keys().copied().collect()
    }

    /// Whether somebody is to be told something as soon as they can be.
    pub(super) fn owes_somebody(&self) -> bool {
        !self.due.is_empty()
    }

    /// What to tell now. `readers` gives those who watch a post.
    pub(super) fn due<R>(&mut self, readers: impl Fn(PostId) -> Vec<Reader<R>>) -> Vec<Due<R>> {
        let mut due = Vec::new();
        for post in std::mem::take(&mut self.due) {
            let Some(watched) = self.posts.get_mut(&post) else {
                continue;
            };
            let here = readers(post);
            if here.is_empty() {
                self.posts.remove(&post);
                continue;
            }
            let Some(counts) = &watched.last else {
                continue;
            };
            let owed = std::mem::take(&mut watched.owed);
            let mut told = Vec::new();
            for reader in here.into_iter().filter(|reader| owed.to(reader.place)) {
                if reader.may_be_told {
                    told.push(reader.way);
                } else {
                    watched.owed.add(reader.place);
                    self.due.insert(post);
                }
            }
            if !told.is_empty() {
                due.push(Due { counts: counts.clone(), readers: told });
            }
        }
        self.tidy(readers);
        due
    }

    /// Forgets posts that nobody watches any more, now and then.
    fn tidy<R>(&mut self, readers: impl Fn(PostId) -> Vec<Reader<R>>) {
        const FEW: usize = 64;
        if self.posts.len() > 2 * self.tidied + FEW {
            self.posts.retain(|post, _| !readers(*post).is_empty());
            self.tidied = self.posts.len();
        }
    }

    #[cfg(test)]
    pub(super) fn posts(&self) -> usize {
        self.posts.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{counts, post};

    /// Everybody of `0..readers` watches; those of `slow` do not keep up.
    fn watched(readers: usize, slow: &[usize]) -> impl Fn(PostId) -> Vec<Reader<usize>> {
        move |_| (0..readers).map(|n| Reader { place: n, may_be_told: !slow.contains(&n), way: n }).collect()
    }

    fn told(board: &mut Board, readers: impl Fn(PostId) -> Vec<Reader<usize>>) -> Vec<(u64, Vec<usize>)> {
        let due = board.due(readers).into_iter();
        due.map(|due| (due.counts.comments, due.readers)).collect()
    }

    #[test]
    fn all_are_told_what_has_changed_and_only_newcomers_what_has_not() {
        let mut board = Board::default();
        board.reads(post(1), 0);
        board.reads(post(1), 1);
        assert!(told(&mut board, watched(2, &[])).is_empty(), "nothing is known yet");
        board.brings(post(1), Some(counts(1, 7, 3)));
        assert_eq!(told(&mut board, watched(2, &[])), [(3, vec![0, 1])]);
        board.reads(post(1), 2);
        assert!(told(&mut board, watched(3, &[])).is_empty(), "what is known is from before they came");
        board.brings(post(1), Some(counts(1, 8, 3)));
        assert_eq!(told(&mut board, watched(3, &[])), [(3, vec![2])]);
        board.brings(post(1), Some(counts(1, 9, 4)));
        assert_eq!(told(&mut board, watched(3, &[])), [(4, vec![0, 1, 2])]);
        assert!(!board.owes_somebody());
    }

    #[test]
    fn p4_whoever_does_not_keep_up_is_told_the_last_numbers_when_they_do() {
        let mut board = Board::default();
        board.reads(post(1), 0);
        for n in 1..9 {
            board.brings(post(1), Some(counts(1, n, n)));
            assert!(told(&mut board, watched(1, &[0])).is_empty());
            assert!(board.owes_somebody());
        }
        assert_eq!(told(&mut board, watched(1, &[])), [(8, vec![0])]);
        board.owes(post(1), 0);
        assert_eq!(told(&mut board, watched(1, &[])), [(8, vec![0])], "a line that was full after all");
    }

    #[test]
    fn p6_beyond_so_many_that_are_owed_all_are() {
        let mut board = Board::default();
        board.reads(post(1), 0);
        board.brings(post(1), Some(counts(1, 1, 1)));
        told(&mut board, watched(1, &[]));
        (0..=COUNTS_OWED).for_each(|n| board.reads(post(1), 10 + n));
        board.brings(post(1), Some(counts(1, 2, 1)));
        assert_eq!(told(&mut board, watched(1, &[])), [(1, vec![0])], "told twice, and nobody is forgotten");
    }

    #[test]
    fn nothing_is_left_of_posts_that_are_gone_or_that_nobody_watches() {
        let mut board = Board::default();
        board.brings(post(1), Some(counts(1, 1, 1)));
        assert_eq!(board.posts(), 0, "watched on another thread");
        board.reads(post(1), 0);
        board.brings(post(1), None);
        assert_eq!((board.posts(), board.owes_somebody()), (0, false));
        for n in 0..1_000 {
            board.reads(post(n), 0);
            board.brings(post(n), Some(counts(n, 1, 1)));
            board.due(|of| watched(usize::from(of == post(n)), &[])(of));
            assert!(board.posts() < 100, "{} posts", board.posts());
        }
    }

    #[test]
    fn p4_a_new_life_of_the_journal_makes_everything_news_again() {
        let mut board = Board::default();
        board.reads(post(1), 0);
        board.brings(post(1), Some(counts(1, 900, 3)));
        told(&mut board, watched(1, &[]));
        assert_eq!(board.begin_afresh(), [post(1)]);
        assert!(told(&mut board, watched(1, &[])).is_empty());
        board.brings(post(1), Some(counts(1, 5, 3)));
        assert_eq!(told(&mut board, watched(1, &[])), [(3, vec![0])]);
    }
}
