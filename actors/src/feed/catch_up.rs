//! Catching up by cursor: for resumes and for slow readers, the same code.
//! A diff of state, not a replay: of several entries on one entity only the last is sent, so what has been
//! deleted since can never reach the wire again (P5).

use std::collections::VecDeque;

use rustc_hash::FxHashSet;
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::PostId;
use tidings_protocol::limits::CATCH_UP_EVENTS;
use tidings_protocol::position::Seq;

use super::context::Afresh;
use super::sight::{Eyes, Sight, belongs, sight};
use super::table::{Behind, FeedTable, Held, Line, SlotId};
use crate::entry::{Change, Entry, Subject, Verb};
use crate::frame;
use crate::outbox::Pushed;

/// How a session stands after a step of catching up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaughtUp {
    /// It has heard everything; from here on it is live.
    Live,
    /// The reader has to take what is queued first, or the session is held.
    Waiting,
    /// Memory does not reach back far enough, or it is too much to send one by one.
    Beyond,
}

impl<L: Line> FeedTable<L> {
    /// Whether a session with `feeds` could be resumed from memory, from `from` on, inclusive. Those could not that have to start afresh because
    /// their viewer's context has changed since.
    pub fn reaches(&self, id: &SlotId, feeds: &[FeedName], from: Seq) -> bool {
        let Some(entries) = self.log.since(from) else {
            return false;
        };
        let eyes = self.eyes(id.0);
        let mut matching = 0;
        for entry in entries {
            let afresh = eyes.and_then(|eyes| Afresh::of(&entry.change, eyes.user));
            if afresh.is_some_and(|afresh| feeds.iter().any(|&feed| afresh.touches(feed))) {
                return false;
            }
            matching +=
                usize::from(feeds.iter().any(|&feed| belongs(feed, entry, eyes) && self.is_for(id.0, feed, entry)));
        }
        matching <= CATCH_UP_EVENTS
    }

    /// Puts a session back: `backlog` first (read from Postgres), then the hot log from `from` on, inclusive, then live.
    /// [`Self::catch_up`] moves it on.
    pub fn fall_back(&mut self, id: &SlotId, backlog: Vec<Entry>, from: Seq) {
        if !self.slots[id.0].is_revoked() {
            self.slots[id.0].behind = Some(Behind { backlog: VecDeque::from(backlog), from, held: Held::No });
        }
    }

    /// Makes a session live where the table stands, whatever it has missed: its feeds are about to be told afresh.
    pub fn skip_to_now(&mut self, id: &SlotId) {
        if !self.slots[id.0].is_revoked() {
            self.slots[id.0].behind = None;
        }
    }

    /// Queues as much of what a session has missed as its reader takes.
    pub fn catch_up(&mut self, id: &SlotId) -> CaughtUp {
        loop {
            let Some(behind) = self.slots[id.0].behind.take() else {
                return CaughtUp::Live;
            };
            if behind.held != Held::No {
                self.slots[id.0].behind = Some(behind);
                return CaughtUp::Waiting;
            }
            let Some(missed) = self.missed(id, &behind) else {
                self.slots[id.0].behind = Some(behind);
                return CaughtUp::Beyond;
            };
            let stopped = self.queue(id, &missed);
            let slot = &mut self.slots[id.0];
            slot.line.flush();
            let Some(stopped) = stopped else {
                return CaughtUp::Live;
            };
            // The whole entry again next time: repeats are harmless by the rev rule.
            let still = |entry: &&Entry| entry.seq >= stopped && entry.seq < behind.from;
            let backlog: VecDeque<Entry> = missed.iter().filter(still).cloned().collect();
            let from = if backlog.is_empty() { behind.from.max(stopped) } else { behind.from };
            slot.behind = Some(Behind { backlog, from, held: Held::No });
            if !slot.line.has_room() {
                return CaughtUp::Waiting;
            }
        }
    }

    /// Queues entries until the reader's queue is half full. Says where it stopped.
    fn queue(&mut self, id: &SlotId, missed: &[Entry]) -> Option<Seq> {
        let mut over = Vec::new();
        let stopped = self.queue_some(id.0, missed, &mut over);
        over.into_iter().for_each(|post| self.shut(id.0, post));
        stopped
    }

    /// The same; posts of which the reader has been told that they may not be seen any more are `over`.
    fn queue_some(&self, id: usize, missed: &[Entry], over: &mut Vec<PostId>) -> Option<Seq> {
        let slot = &self.slots[id];
        let eyes = self.eyes(id);
        for entry in missed {
            if !slot.line.has_room() {
                return Some(entry.seq);
            }
            for &feed in &slot.feeds {
                let sight = self.told(id, feed, entry, eyes);
                let frame = match sight {
                    Sight::Whole | Sight::Short if self.asides.is_brief(id, feed) => {
                        frame::brief(self.framing, feed, entry, sight)
                    }
                    Sight::Whole => frame::push(self.framing, feed, entry),
                    Sight::Short => frame::short(self.framing, feed, entry),
                    Sight::Nothing => None,
                };
                let Some(frame) = frame else {
                    continue;
                };
                if let Pushed::Overflow { from } = slot.line.push(frame, entry.seq) {
                    return Some(from);
                }
                if let (FeedName::Post(post), Change::Post { .. }, Sight::Short) = (feed, entry.change, sight) {
                    over.push(post);
                }
            }
        }
        None
    }

    /// What a session is told of an entry on one of its feeds. Of a post that is over for it, that it is gone, whatever has become of it
    /// since; of the comments nothing.
    fn told(&self, id: usize, feed: FeedName, entry: &Entry, eyes: Option<Eyes<'_>>) -> Sight {
        let sight = if self.is_for(id, feed, entry) { sight(feed, entry, eyes) } else { Sight::Nothing };
        match (feed, entry.change) {
            (FeedName::Post(post), change) if sight != Sight::Nothing && self.shut.contains(&(id, post)) => {
                if matches!(change, Change::Post { .. }) { Sight::Short } else { Sight::Nothing }
            }
            _ => sight,
        }
    }

    /// Whether an entry passes the filter that a session may have set for a feed.
    fn is_for(&self, id: usize, feed: FeedName, entry: &Entry) -> bool {
        feed != FeedName::Firehose || self.wants(id, entry)
    }

    /// What a session has missed, each entity once, ascending. None if that cannot be told from memory or is too much.
    fn missed(&self, id: &SlotId, behind: &Behind) -> Option<Vec<Entry>> {
        let feeds = &self.slots[id.0].feeds;
        let eyes = self.eyes(id.0);
        let told = |feed, entry: &Entry| self.told(id.0, feed, entry, eyes);
        let mut seen = FxHashSet::<Subject>::default();
        // A post that is gone, for all or for this viewer, takes its comments along: they have no entries of their own that say so (P5).
        let mut barred = FxHashSet::<PostId>::default();
        let mut missed = Vec::new();
        let recent = self.log.since(behind.from)?;
        for entry in recent.rev().chain(behind.backlog.iter().rev()) {
            let wanted = feeds.iter().any(|&feed| told(feed, entry) != Sight::Nothing);
            // The last word has what is told nobody any more, too. Without a scope, what was said before is told to the same.
            let last_word = (wanted || entry.scope.is_some()) && seen.insert(entry.change.subject());
            if !last_word {
                continue;
            }
            if let Change::Post { verb, id: post, .. } = entry.change
                && (verb == Verb::Removed || told(FeedName::Post(post), entry) != Sight::Whole)
            {
                barred.insert(post);
            }
            if wanted {
                missed.push(entry.clone());
            }
        }
        missed.retain(|entry| !matches!(entry.change, Change::Comment { post, .. } if barred.contains(&post)));
        if missed.len() > CATCH_UP_EVENTS {
            return None;
        }
        missed.reverse();
        Some(missed)
    }
}
