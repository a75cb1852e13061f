//! Which posts the database is asked about, and when: the touched ones, first come first served, all at once, and not again too soon.
//! A pure machine; `now` is an input. Must never forget a touched post before an answer that was asked for after the touch (P4).

use std::collections::VecDeque;

use rustc_hash::FxHashSet;
use tidings_protocol::ids::PostId;
use tidings_protocol::limits::COUNTS_EVERY_MS;
use tidings_protocol::marks::PostCounts;

use super::News;
use crate::limits::{COUNTED_AT_ONCE, COUNTS_AGAIN_MS, TOUCHED_POSTS};

/// What comes next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Ask the database about these; answer with [`Machine::answered`].
    Ask(Vec<PostId>),
    /// So many milliseconds.
    Wait(u64),
    /// Until something is touched.
    Rest,
}

/// The machine.
#[derive(Debug, Default)]
pub(super) struct Machine {
    touched: FxHashSet<PostId>,
    line: VecDeque<PostId>,
    asked: Vec<PostId>,
    not_before: u64,
}

impl Machine {
    /// The numbers of a post may have changed.
    pub(super) fn touch(&mut self, post: PostId) {
        if self.touched.contains(&post) {
            return;
        }
        if self.line.len() >= TOUCHED_POSTS {
            metrics::counter!("tidings_counts_dropped_total").increment(1);
            return;
        }
        self.touched.insert(post);
        self.line.push_back(post);
    }

    /// What to do now.
    pub(super) fn next(&mut self, now: u64) -> Step {
        if self.line.is_empty() {
            return Step::Rest;
        }
        if now < self.not_before {
            return Step::Wait(self.not_before - now);
        }
        let most = self.line.len().min(COUNTED_AT_ONCE);
        self.asked = self.line.drain(..most).collect();
        for post in &self.asked {
            self.touched.remove(post);
        }
        Step::Ask(self.asked.clone())
    }

    /// The answer to the last question; none if there is none. What to tell.
    pub(super) fn answered(&mut self, now: u64, answer: Option<Vec<PostCounts>>) -> News {
        let asked = std::mem::take(&mut self.asked);
        let Some(answer) = answer else {
            self.not_before = now + COUNTS_AGAIN_MS;
            asked.into_iter().for_each(|post| self.touch(post));
            return News::default();
        };
        self.not_before = now + COUNTS_EVERY_MS;
        let mut news: News = asked.into_iter().map(|post| (post, None)).collect();
        news.extend(answer.into_iter().map(|counts| (counts.post, Some(counts))));
        news
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{counts, post};

    #[test]
    fn the_first_touch_is_asked_about_at_once_and_the_next_ones_together() {
        let mut machine = Machine::default();
        assert_eq!(machine.next(5), Step::Rest);
        machine.touch(post(1));
        machine.touch(post(1));
        assert_eq!(machine.next(5), Step::Ask(vec![post(1)]));
        machine.touch(post(1));
        machine.touch(post(2));
        let news = machine.answered(9, Some(vec![counts(1, 7, 3)]));
        assert_eq!(news, News::from_iter([(post(1), Some(counts(1, 7, 3)))]));
        assert_eq!(machine.next(10), Step::Wait(COUNTS_EVERY_MS - 1));
        assert_eq!(machine.next(9 + COUNTS_EVERY_MS), Step::Ask(vec![post(1), post(2)]), "touched since it was asked");
        let news = machine.answered(300, Some(vec![counts(1, 8, 3)]));
        assert_eq!(news[&post(2)], None, "not there");
        assert_eq!(machine.next(9_999), Step::Rest);
    }

    #[test]
    fn p4_without_an_answer_it_asks_again_later() {
        let mut machine = Machine::default();
        machine.touch(post(1));
        assert_eq!(machine.next(0), Step::Ask(vec![post(1)]));
        machine.touch(post(2));
        assert!(machine.answered(10, None).is_empty());
        assert_eq!(machine.next(10), Step::Wait(COUNTS_AGAIN_MS));
        assert_eq!(machine.next(10 + COUNTS_AGAIN_MS), Step::Ask(vec![post(2), post(1)]));
    }

    #[test]
    fn p6_there_is_room_for_so_many_and_each_question_is_bounded() {
        let mut machine = Machine::default();
        (0..TOUCHED_POSTS as u64 + 9).for_each(|n| machine.touch(post(n)));
        assert_eq!(machine.line.len(), TOUCHED_POSTS);
        let Step::Ask(asked) = machine.next(0) else { panic!("something was touched") };
        assert_eq!(asked.len(), COUNTED_AT_ONCE);
        assert_eq!(asked[0], post(0), "first come first served");
        machine.touch(post(TOUCHED_POSTS as u64 + 1));
        assert_eq!(machine.line.len(), TOUCHED_POSTS - COUNTED_AT_ONCE + 1, "there is room again");
    }
}
