//! How many of the new posts `global` is told where more come than anybody can read: all, or one in two, four, eight …
//! Owns the rate, and who has still to be told of it. Must never leave out anything but a new post, nor anything on another feed, nor ask
//! the same post differently for two readers.

use rustc_hash::FxHashSet;
use tidings_protocol::entity::Visibility;
use tidings_protocol::feed::FeedName;
use tidings_protocol::position::Seq;
use tidings_protocol::push::Notice;

use super::Topic;
use super::table::{FeedTable, Line};
use crate::entry::{Change, Entry, Verb};

/// How long the rate is measured before anything follows from it: long enough that a batch of posts written in one go is no flood, short
/// enough that a flood is told in full for no longer than a person would look at it.
const WINDOW_MS: u64 = 1_000;
/// So many windows in a row have to be calm before more is told again, so that a rate that swings does not swing what is told.
const CALM_WINDOWS: u32 = 3;
/// It is never less than one in so many: beyond that nobody could tell the difference.
const ONE_IN_MOST: u32 = 1 << 16;

/// What is told of the new posts of `global`.
#[derive(Debug)]
pub(super) struct Sampling {
    /// New posts a second that are told; 0: all, however many.
    most: u32,
    /// One in so many is told: a power of two.
    one_in: u32,
    /// When the present window began, by the node's clock.
    began_ms: u64,
    /// New posts in it.
    came: u64,
    /// Calm windows in a row.
    calm: u32,
    /// Slots that have not been told the present number.
    due: FxHashSet<usize>,
}

impl Sampling {
    pub(super) fn above(most: u32) -> Self {
        Self { most, one_in: 1, began_ms: 0, came: 0, calm: 0, due: FxHashSet::default() }
    }

    /// Whether not all is told.
    const fn is_on(&self) -> bool {
        self.one_in > 1
    }

    /// Counts a new post. Whether it is left out: by its place in the journal, which is the same for all nodes, and which nobody can choose.
    fn leaves_out(&mut self, post: Seq) -> bool {
        self.came += 1;
        self.is_on() && mixed(post.0) & u64::from(self.one_in - 1) != 0
    }

    /// Ends the window if it is over. Whether another part is told from here on.
    fn passes(&mut self, now: u64) -> bool {
        let passed = now.saturating_sub(self.began_ms);
        if self.most == 0 || passed < WINDOW_MS {
            return false;
        }
        let rate = self.came * 1_000 / passed;
        (self.began_ms, self.came) = (now, 0);
        let had = self.one_in;
        // Fewer are told at once; more only when they would still be bearable if a third more came.
        let calmly = self.bearable(rate * 4 / 3);
        self.calm = if calmly < had { self.calm + 1 } else { 0 };
        if self.calm >= CALM_WINDOWS {
            (self.one_in, self.calm) = (calmly, 0);
        }
        self.one_in = self.one_in.max(self.bearable(rate));
        self.one_in != had
    }

    /// The least number of which telling one in so many stays within what is told.
    fn bearable(&self, rate: u64) -> u32 {
        let parts = rate.div_ceil(u64::from(self.most).max(1)).clamp(1, u64::from(ONE_IN_MOST));
        u32::try_from(parts).map_or(ONE_IN_MOST, u32::next_power_of_two)
    }
}

/// Every bit of a number made to depend on all others, so that posts which are written in turn with something else are not all told, or none
/// of them (the end of Sebastiano Vigna's splitmix64).
const fn mixed(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

impl<L: Line> FeedTable<L> {
    /// The same, telling on `global` so many new posts a second at the most; 0: all.
    #[must_use]
    pub fn sampled_above(mut self, most: u32) -> Self {
        self.sampling = Sampling::above(most);
        self
    }

    /// One in so many new posts is told on `global`.
    pub const fn one_in(&self) -> u32 {
        self.sampling.one_in
    }

    /// It is `now`, in milliseconds of the node's clock: to be said before each batch, and every second while not all is told.
    pub fn passes(&mut self, now: u64) {
        if self.sampling.passes(now) {
            let slots = self.slots.iter().filter(|(_, slot)| slot.feeds.contains(&FeedName::Global));
            self.sampling.due = slots.map(|(id, _)| id).collect();
        }
    }

    /// Whether `global` is not told of an entry. Asked once for each.
    pub(super) fn leaves_out(&mut self, entry: &Entry) -> bool {
        let Change::Post { verb: Verb::Created, .. } = entry.change else { return false };
        let is_public = entry.scope.as_ref().is_none_or(|scope| scope.visibility == Visibility::Public);
        self.sampling.most > 0 && is_public && self.sampling.leaves_out(entry.seq)
    }

    /// Somebody watches `global` from here on: while not all of it is told, they have to be told that.
    pub(super) fn note_part(&mut self, slot: usize) {
        if self.sampling.is_on() {
            self.sampling.due.insert(slot);
        }
    }

    /// Whether somebody has to be told, or not all is told, so that it has to be asked again how it stands.
    pub(super) fn is_sampled(&self) -> bool {
        self.sampling.is_on() || !self.sampling.due.is_empty()
    }

    /// Tells those who watch `global` what part of it they are told, where that is another than they know. Who is behind or held is told
    /// when they are not any more.
    pub fn tell_part(&mut self, mut tell: impl FnMut(&L, &Notice)) {
        let notice = Notice::Sampled { feed: FeedName::Global, one_in: self.sampling.one_in };
        let slots = &self.slots;
        self.sampling.due.retain(|&id| {
            // Sessions come and go: the place may be another's, who watches something else.
            let slot = slots.get(id).filter(|slot| slot.feeds.contains(&FeedName::Global));
            if let Some(slot) = slot.filter(|slot| slot.behind.is_none()) {
                tell(&slot.line, &notice);
            }
            slot.is_some_and(|slot| slot.behind.is_some())
        });
    }
}

/// Whether a topic's readers are told of an entry of which `global` may not be.
pub(super) fn is_told(topic: Topic, left_out: bool) -> bool {
    !(left_out && topic == Topic::Global)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seconds with so many new posts each; what is told at the end of each.
    fn told(sampling: &mut Sampling, seconds: &[u64]) -> Vec<u32> {
        let second = |&came: &u64| {
            for post in 0..came {
                sampling.leaves_out(Seq(post));
            }
            sampling.passes(sampling.began_ms + WINDOW_MS);
            sampling.one_in
        };
        seconds.iter().map(second).collect()
    }

    #[test]
    fn it_is_told_less_at_once_and_more_only_after_some_calm() {
        let mut sampling = Sampling::above(100);
        assert_eq!(told(&mut sampling, &[0, 100, 101, 200, 201, 1_700]), [1, 1, 2, 2, 4, 32]);
        // Three quarters of what half as many would bear is calm; more is not.
        assert_eq!(told(&mut sampling, &[1_300, 1_300, 1_300, 1_200, 1_200, 1_300]), [32; 6]);
        assert_eq!(told(&mut sampling, &[1_200, 1_100, 1_000]), [32, 32, 16]);
        assert_eq!(told(&mut sampling, &[0, 0, 0, 0]), [16, 16, 1, 1]);
        assert_eq!(told(&mut sampling, &[u64::from(u32::MAX) / 1_000]), [1 << 16]);
    }

    #[test]
    fn zero_tells_all_and_a_window_may_be_long() {
        assert_eq!(told(&mut Sampling::above(0), &[100_000]), [1]);
        let mut sampling = Sampling::above(100);
        for post in 0..1_000 {
            sampling.leaves_out(Seq(post));
        }
        assert!(!sampling.passes(WINDOW_MS - 1), "not over yet");
        assert!(!sampling.passes(10 * WINDOW_MS), "a hundred a second");
    }

    #[test]
    fn what_is_told_is_about_the_part_it_is_said_to_be_also_of_every_other_entry() {
        for one_in in [2, 8, 64] {
            let mut sampling = Sampling { one_in, ..Sampling::above(1) };
            for step in [1, 2, 3, 64] {
                let told = (1..=10_000).filter(|place| !sampling.leaves_out(Seq(place * step))).count();
                let wanted = 10_000 / usize::try_from(one_in).expect("small");
                assert!(told.abs_diff(wanted) < wanted / 3, "{told} of 10,000 at one in {one_in}, every {step}th");
            }
        }
    }
}
