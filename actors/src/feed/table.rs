//! One worker thread's table of feeds → subscriptions, and the `seq` it has applied: fan-out (`fan_out.rs`) is a plain loop over it.
//! A pure machine: lines, not sockets; no clock, no waiting. Everything of one session happens on this one thread,
//! so the step from catching up to live is exact without locks.

use std::collections::VecDeque;
use std::hash::Hash;

use bytes::Bytes;
use rustc_hash::{FxHashMap, FxHashSet};
use slab::Slab;
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::{ListId, PostId, SessionId, UserId};
use tidings_protocol::position::{Epoch, Seq};
use tidings_protocol::spans::Tag;

use super::Topic;
use super::aside::Asides;
use super::context::{Afresh, Context};
use super::firehose::Listeners;
use super::sampling::Sampling;
use super::sight::Eyes;
use crate::entry::Entry;
use crate::frame::Framing;
use crate::hot_log::HotLog;
use crate::outbox::Pushed;
use crate::ports::Head;

/// What the table tells a session besides events; rare, so it goes through the session's mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// Whom the viewer follows, blocks or has muted changed: these feeds need fresh snapshots, and nothing comes until
    /// [`FeedTable::release`].
    ContextChanged(Afresh),
    /// Whether the viewer is never to be shown to be here has changed, or was said again.
    Hides(bool),
    /// The log-in has ended.
    Revoked,
    /// The journal began a new life: every position is void.
    NewEpoch,
    /// The node is leaving: come back elsewhere.
    GoingAway,
    /// The session is too far behind to be caught up from memory: its feeds need fresh snapshots.
    Beyond,
}

/// The way to one session's reader.
pub trait Line {
    /// Queues events: one frame or several, of which the first is that of `seq`.
    fn push(&self, frames: Bytes, seq: Seq) -> Pushed;
    /// Whether events may be sent at once: nothing waits that they would overtake.
    fn is_idle(&self) -> bool;
    /// To an idle line: sends events at once; what the reader does not take now is queued.
    fn send(&self, frames: &Bytes, seq: Seq) -> Pushed;
    /// Sends what is queued, as far as the reader takes it now.
    fn flush(&self);
    /// Whether a catch-up may queue more now.
    fn has_room(&self) -> bool;
    /// Tells the session.
    fn tell(&self, told: Told);
}

/// A session's place in the table. Valid until [`FeedTable::leave`], which its owner calls once.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct SlotId(pub(super) usize);

/// Counted since the last [`FeedTable::take_counts`]: plain adds on the fast path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Frames queued for readers.
    pub deliveries: u64,
    /// Times a reader fell behind.
    pub overflows: u64,
    /// Frames encoded.
    pub encoded: u64,
}

#[derive(Debug)]
pub(super) struct Slot<L> {
    pub(super) line: L,
    pub(super) viewer: Option<usize>,
    pub(super) session: Option<SessionId>,
    /// Those whose events are told.
    pub(super) feeds: Vec<FeedName>,
    pub(super) behind: Option<Behind>,
    pub(super) dirty: bool,
}

/// Where a session stands that is not live.
#[derive(Debug)]
pub(super) struct Behind {
    /// Entries read from Postgres that it still has to hear.
    pub(super) backlog: VecDeque<Entry>,
    /// From where the hot log takes over, inclusive.
    pub(super) from: Seq,
    /// Whether it has to wait for something else than its reader.
    pub(super) held: Held,
}

/// What a session that may hear nothing waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Held {
    /// Nothing: it is only behind.
    No,
    /// Feeds told afresh after a change of its viewer's context. An event before that would move its cursor past the change, and a line
    /// lost in between would lose what the change brings into them, or keep what it takes away (P3, P5).
    ForContext(Afresh),
    /// A place in the journal's new life; what it knows of its position is void.
    ForEpoch,
    /// Its end: the log-in is over, and nothing is sent to it any more, whatever its session still does (P5).
    Revoked,
}

impl Behind {
    pub(super) const fn at(from: Seq, held: Held) -> Self {
        Self { backlog: VecDeque::new(), from, held }
    }
}

impl<L> Slot<L> {
    /// Whether its log-in is over.
    pub(super) fn is_revoked(&self) -> bool {
        self.behind.as_ref().is_some_and(|behind| behind.held == Held::Revoked)
    }
}

#[derive(Debug)]
pub(super) struct ViewerSlot {
    pub(super) context: Context,
    pub(super) slots: Vec<usize>,
    pub(super) home: Vec<usize>,
    /// Looked up before the journal's present life began: to be replaced by the next look-up.
    pub(super) of_old_epoch: bool,
}

/// The table.
#[derive(Debug)]
pub struct FeedTable<L> {
    pub(super) framing: Framing,
    pub(super) epoch: Epoch,
    pub(super) applied: Seq,
    pub(super) log: HotLog,
    pub(super) slots: Slab<Slot<L>>,
    /// Slots by topic, but for `HomeOf`.
    pub(super) index: FxHashMap<Topic, Vec<usize>>,
    /// Viewers by the authors whom their `home` shows. Of all that is kept for a viewer this is the most, so their places are written short:
    /// 0.8 KB for 200 followees instead of 1.6.
    pub(super) around: FxHashMap<UserId, Vec<u32>>,
    /// Slots by tag.
    pub(super) by_tag: FxHashMap<Tag, Vec<usize>>,
    /// Lists that are watched here, with the slots that do, by who is in them.
    pub(super) listed: FxHashMap<UserId, Vec<(ListId, usize)>>,
    /// Authors of whom something is hidden from viewers here, and from how many.
    pub(super) hiders: FxHashMap<UserId, u32>,
    /// Who is told less.
    pub(super) asides: Asides,
    /// Slots whose `post:<id>` is over, because the post may not be seen any more: they are told that, and of its comments nothing.
    pub(super) shut: FxHashSet<(usize, PostId)>,
    /// Who listens to the firehose.
    pub(super) listeners: Listeners,
    /// What part of `global` is told.
    pub(super) sampling: Sampling,
    pub(super) viewers: Slab<ViewerSlot>,
    pub(super) viewer_of: FxHashMap<UserId, usize>,
    /// Slots that have got something which has not been sent yet, first come first served.
    pub(super) dirty: VecDeque<usize>,
    pub(super) counts: Counts,
}

impl<L: Line> FeedTable<L> {
    /// A table that stands at the journal's head.
    pub fn new(framing: Framing, head: Head) -> Self {
        Self {
            framing,
            epoch: head.epoch,
            applied: head.seq,
            log: HotLog::beginning_after(head.seq),
            slots: Slab::new(),
            index: FxHashMap::default(),
            around: FxHashMap::default(),
            by_tag: FxHashMap::default(),
            listed: FxHashMap::default(),
            hiders: FxHashMap::default(),
            asides: Asides::default(),
            shut: FxHashSet::default(),
            listeners: Listeners::new(),
            sampling: Sampling::above(0),
            viewers: Slab::new(),
            viewer_of: FxHashMap::default(),
            dirty: VecDeque::new(),
            counts: Counts::default(),
        }
    }

    /// The last entry applied.
    pub const fn applied(&self) -> Seq {
        self.applied
    }

    /// The journal's life.
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Sessions in the table.
    pub fn sessions(&self) -> usize {
        self.slots.len()
    }

    /// Remembers less from here on: for tests of what memory does not reach.
    #[cfg(test)]
    pub(crate) fn remember(&mut self, entries: usize) {
        self.log = HotLog::bounded(self.applied, entries, usize::MAX);
    }

    /// Whether nothing is left of anybody.
    #[cfg(test)]
    pub(crate) fn is_bare(&self) -> bool {
        let nobody = self.viewers.is_empty() && self.viewer_of.is_empty() && self.slots.is_empty();
        nobody
            && self.has_no_asides()
            && self.index.is_empty()
            && self.around.is_empty()
            && self.by_tag.is_empty()
            && self.listed.is_empty()
            && self.hiders.is_empty()
            && self.shut.is_empty()
            && self.listeners.is_empty()
    }

    /// What has been counted since the last time.
    pub fn take_counts(&mut self) -> Counts {
        std::mem::take(&mut self.counts)
    }

    /// Forgets the old journal. Every session falls silent and is told to join again and start its feeds afresh.
    pub fn begin_epoch(&mut self, head: Head) {
        self.epoch = head.epoch;
        self.applied = head.seq;
        self.log = HotLog::beginning_after(head.seq);
        for (_, viewer) in &mut self.viewers {
            viewer.of_old_epoch = true;
        }
        for (_, slot) in &mut self.slots {
            if !slot.is_revoked() {
                slot.behind = Some(Behind::at(head.seq.next(), Held::ForEpoch));
                slot.line.tell(Told::NewEpoch);
            }
        }
    }

    /// Whether a session has something to catch up.
    pub fn is_behind(&self, id: &SlotId) -> bool {
        self.slots[id.0].behind.is_some()
    }

    /// The last entry up to which a session has been sent everything; none while it has no place in a new epoch yet.
    pub fn position(&self, id: &SlotId) -> Option<Seq> {
        match &self.slots[id.0].behind {
            None => Some(self.applied),
            Some(behind) if behind.held == Held::ForEpoch => None,
            Some(behind) => Some(behind.backlog.front().map_or(behind.from, |entry| entry.seq).before()),
        }
    }

    /// The feeds of which a session is told events.
    pub fn feeds(&self, id: &SlotId) -> &[FeedName] {
        &self.slots[id.0].feeds
    }

    /// With whose eyes a session looks; none for an anonymous one.
    pub(super) fn eyes(&self, id: usize) -> Option<Eyes<'_>> {
        self.slots[id].viewer.map(|viewer| self.viewers[viewer].context.eyes())
    }
}

/// A viewer's place in [`FeedTable::around`].
pub(super) fn short(viewer: usize) -> u32 {
    u32::try_from(viewer).expect("each viewer has a connection, and those are files, of which there are fewer")
}

pub(super) fn remove_from<K: Eq + Hash, M: PartialEq>(index: &mut FxHashMap<K, Vec<M>>, key: K, gone: M) {
    if let Some(list) = index.get_mut(&key) {
        if let Some(at) = list.iter().position(|member| *member == gone) {
            list.swap_remove(at);
        }
        if list.is_empty() {
            index.remove(&key);
        }
    }
}
