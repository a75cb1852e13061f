//! Catching up by cursor: for resumes and for slow readers, the same code.
//! A diff of state, not a replay: of several entries on one entity only the last is sent, so what has been
//! deleted since can never reach the wire again (P5).

use std::collections::VecDeque;

use rustc_hash::FxHashSet;
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::{PostId, UserId};
use tidings_protocol::limits::CATCH_UP_EVENTS;
use tidings_protocol::position::Seq;

use super::belongs;
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
    /// Whether a session with `feeds` could be resumed from memory, from `from` on, inclusive. `home` could not if the circle has changed since.
    pub fn reaches(&self, id: &SlotId, feeds: &[FeedName], from: Seq) -> bool {
        let Some(entries) = self.log.since(from) else {
            return false;
        };
        let circle = self.circle(id);
        let mut matching = 0;
        for entry in entries {
            if feeds.contains(&FeedName::Home) && is_follow_by(entry, circle.map(|circle| circle.user)) {
                return false;
            }
            matching += usize::from(feeds.iter().any(|&feed| belongs(feed, &entry.change, circle)));
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

    /// Lets a session that was held for its `home` go on: [`Self::catch_up`] comes next, and then the fresh `home`.
    pub fn release(&mut self, id: &SlotId) {
        if let Some(behind) = &mut self.slots[id.0].behind
            && behind.held == Held::ForHome
        {
            behind.held = Held::No;
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
    fn queue(&self, id: &SlotId, missed: &[Entry]) -> Option<Seq> {
        let slot = &self.slots[id.0];
        let circle = self.circle(id);
        for entry in missed {
            if !slot.line.has_room() {
                return Some(entry.seq);
            }
            for &feed in slot.feeds.iter().filter(|&&feed| belongs(feed, &entry.change, circle)) {
                let Some(frame) = frame::push(self.framing, feed, entry) else {
                    continue;
                };
                if let Pushed::Overflow { from } = slot.line.push(frame, entry.seq) {
                    return Some(from);
                }
            }
        }
        None
    }

    /// What a session has missed, each entity once, ascending. None if that cannot be told from memory or is too much.
    fn missed(&self, id: &SlotId, behind: &Behind) -> Option<Vec<Entry>> {
        let slot = &self.slots[id.0];
        let circle = self.circle(id);
        let mut seen = FxHashSet::<Subject>::default();
        // A post takes its comments along: what is older than its removal has no entry of its own that says so (P5).
        let mut removed = FxHashSet::<PostId>::default();
        let mut missed = Vec::new();
        let recent = self.log.since(behind.from)?;
        for entry in recent.rev().chain(behind.backlog.iter().rev()) {
            match entry.change {
                Change::Post { verb: Verb::Removed, id, .. } => drop(removed.insert(id)),
                Change::Comment { post, .. } if removed.contains(&post) => continue,
                Change::Post { .. }
                | Change::Comment { .. }
                | Change::User { .. }
                | Change::Follow { .. }
                | Change::SessionRevoked { .. } => {}
            }
            let wanted = slot.feeds.iter().any(|&feed| belongs(feed, &entry.change, circle));
            if wanted && seen.insert(entry.change.subject()) {
                missed.push(entry.clone());
            }
        }
        if missed.len() > CATCH_UP_EVENTS {
            return None;
        }
        missed.reverse();
        Some(missed)
    }
}

fn is_follow_by(entry: &Entry, user: Option<UserId>) -> bool {
    matches!(entry.change, Change::Follow { follower, .. } if Some(follower) == user)
}
