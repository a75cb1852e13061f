//! One worker thread's table of feeds → subscriptions, and the `seq` it has applied: fan-out is a plain loop over it.
//! A pure machine: lines, not sockets; no clock, no waiting. Everything of one session happens on this one thread,
//! so the step from catching up to live is exact without locks.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use rustc_hash::FxHashMap;
use slab::Slab;
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::{SessionId, UserId};
use tidings_protocol::position::{Epoch, Seq};

use super::catch_up::CaughtUp;
use super::{Circle, Topic, topics};
use crate::entry::{Batch, Change, Entry, Verb};
use crate::frame::{self, Framing};
use crate::hot_log::HotLog;
use crate::outbox::Pushed;
use crate::ports::{Head, Viewer};

/// What the table tells a session besides events; rare, so it goes through the session's mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// The viewer's follows changed: `home` needs a fresh snapshot.
    CircleChanged,
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
    /// Queues an event.
    fn push(&self, frame: Bytes, seq: Seq) -> Pushed;
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

/// Why a session could not join.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotJoined {
    /// Its log-in has ended since it was looked up.
    Revoked,
    /// It was looked up so long ago that memory cannot bring it forward: look it up again.
    TooOld,
}

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
    session: Option<SessionId>,
    pub(super) feeds: Vec<FeedName>,
    pub(super) behind: Option<Behind>,
    dirty: bool,
}

/// Where a session stands that is not live.
#[derive(Debug)]
pub(super) struct Behind {
    /// Entries read from Postgres that it still has to hear.
    pub(super) backlog: VecDeque<Entry>,
    /// From where the hot log takes over, inclusive.
    pub(super) from: Seq,
}

#[derive(Debug)]
pub(super) struct ViewerSlot {
    pub(super) user: UserId,
    /// Sorted.
    pub(super) follows: Vec<UserId>,
    slots: Vec<usize>,
    home: Vec<usize>,
    /// Looked up before the journal's present life began: to be replaced by the next look-up.
    of_old_epoch: bool,
}

impl ViewerSlot {
    pub(super) fn circle(&self) -> Circle<'_> {
        Circle { user: self.user, follows: &self.follows }
    }
}

/// The table.
#[derive(Debug)]
pub struct FeedTable<L> {
    pub(super) framing: Framing,
    epoch: Epoch,
    applied: Seq,
    pub(super) log: HotLog,
    pub(super) slots: Slab<Slot<L>>,
    /// Slots by topic; for `HomeOf`, viewers by author.
    pub(super) index: FxHashMap<Topic, Vec<usize>>,
    pub(super) viewers: Slab<ViewerSlot>,
    pub(super) viewer_of: FxHashMap<UserId, usize>,
    dirty: Vec<usize>,
    counts: Counts,
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
            viewers: Slab::new(),
            viewer_of: FxHashMap::default(),
            dirty: Vec::new(),
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

    /// What has been counted since the last time.
    pub fn take_counts(&mut self) -> Counts {
        std::mem::take(&mut self.counts)
    }

    /// Delivers a batch: for each event and feed one frame, shared by all; then one flush for each line that got something.
    pub fn apply(&mut self, batch: &Arc<Batch>) {
        debug_assert_eq!(batch.epoch, self.epoch, "a new epoch is announced before its entries");
        for entry in &batch.entries {
            self.note_context(entry);
            self.fan_out(entry);
        }
        self.log.push(Arc::clone(batch));
        self.applied = batch.last;
        for id in std::mem::take(&mut self.dirty) {
            let slot = &mut self.slots[id];
            slot.dirty = false;
            slot.line.flush();
            // More in one batch than a queue holds, but the reader takes it: no need to wait for anything.
            if slot.behind.is_some() && slot.line.has_room() && self.catch_up(&SlotId(id)) == CaughtUp::Beyond {
                self.slots[id].line.tell(Told::Beyond);
            }
        }
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
            slot.behind = Some(Behind { backlog: VecDeque::new(), from: head.seq.next() });
            slot.line.tell(Told::NewEpoch);
        }
    }

    fn fan_out(&mut self, entry: &Entry) {
        for topic in topics(&entry.change) {
            let Some(subscribed) = self.index.get(&topic) else {
                continue;
            };
            let Some(frame) = frame::push(self.framing, name_of(topic), entry) else {
                return;
            };
            self.counts.encoded += 1;
            let mut out = Deliver { slots: &mut self.slots, dirty: &mut self.dirty, counts: &mut self.counts };
            if let Topic::HomeOf(_) = topic {
                for &viewer in subscribed {
                    for &slot in &self.viewers[viewer].home {
                        out.one(slot, &frame, entry.seq);
                    }
                }
            } else {
                for &slot in subscribed {
                    out.one(slot, &frame, entry.seq);
                }
            }
        }
    }

    /// Lets an entry change what viewers see or end their log-in, before it is delivered.
    fn note_context(&mut self, entry: &Entry) {
        match entry.change {
            Change::Follow { verb, follower, followee } => {
                let Some(&viewer) = self.viewer_of.get(&follower) else {
                    return;
                };
                self.set_follow(viewer, followee, verb != Verb::Removed);
                // Told also where nothing changes here: in a sparse batch the entry before may be left out, and a `home` may have been
                // read in between.
                for &slot in &self.viewers[viewer].home {
                    self.slots[slot].line.tell(Told::CircleChanged);
                }
            }
            Change::SessionRevoked { user, session } => {
                let Some(&viewer) = self.viewer_of.get(&user) else {
                    return;
                };
                for &slot in &self.viewers[viewer].slots {
                    let slot = &self.slots[slot];
                    if session.is_none() || slot.session == session {
                        slot.line.tell(Told::Revoked);
                    }
                }
            }
            Change::Post { .. } | Change::Comment { .. } | Change::User { .. } => {}
        }
    }

    /// Changes whom a viewer follows, in their list and in the index.
    fn set_follow(&mut self, viewer: usize, followee: UserId, follows: bool) {
        let list = &mut self.viewers[viewer].follows;
        match (list.binary_search(&followee), follows) {
            (Err(at), true) => {
                list.insert(at, followee);
                self.index.entry(Topic::HomeOf(followee)).or_default().push(viewer);
            }
            (Ok(at), false) => {
                list.remove(at);
                remove_from(&mut self.index, Topic::HomeOf(followee), viewer);
            }
            (Ok(_), true) | (Err(_), false) => {}
        }
    }

    /// Takes a session in, with no feeds yet. `viewer` is as of its `seq`, at most [`Self::applied`]; what has
    /// happened since is taken from the hot log.
    ///
    /// # Errors
    /// Its log-in has ended, or it was looked up too long ago.
    pub fn join(&mut self, line: L, viewer: Option<(Viewer, SessionId)>) -> Result<SlotId, NotJoined> {
        let (viewer, session) = match viewer {
            None => (None, None),
            Some((viewer, session)) => (Some(self.take_in(viewer, session)?), Some(session)),
        };
        let slot = Slot { line, viewer, session, feeds: Vec::new(), behind: None, dirty: false };
        let id = self.slots.insert(slot);
        if let Some(viewer) = viewer {
            self.viewers[viewer].slots.push(id);
        }
        Ok(SlotId(id))
    }

    fn take_in(&mut self, viewer: Viewer, session: SessionId) -> Result<usize, NotJoined> {
        debug_assert!(viewer.seq <= self.applied, "the caller waits until the table has reached the viewer's seq");
        let user = viewer.user.id;
        let mut follows = viewer.follows;
        follows.sort_unstable();
        follows.dedup();
        let since = self.log.since(viewer.seq.next()).ok_or(NotJoined::TooOld)?;
        for entry in since {
            match entry.change {
                Change::SessionRevoked { user: whose, session: which }
                    if whose == user && which.is_none_or(|which| which == session) =>
                {
                    return Err(NotJoined::Revoked);
                }
                Change::Follow { verb, follower, followee } if follower == user => {
                    match (follows.binary_search(&followee), verb != Verb::Removed) {
                        (Err(at), true) => follows.insert(at, followee),
                        (Ok(at), false) => drop(follows.remove(at)),
                        (Ok(_), true) | (Err(_), false) => {}
                    }
                }
                Change::Follow { .. }
                | Change::SessionRevoked { .. }
                | Change::Post { .. }
                | Change::Comment { .. }
                | Change::User { .. } => {}
            }
        }
        if let Some(&here) = self.viewer_of.get(&user) {
            // One who is here already is up to date by the entries applied since, but for a new epoch.
            if std::mem::take(&mut self.viewers[here].of_old_epoch) {
                self.replace_follows(here, &follows);
            }
            return Ok(here);
        }
        let viewer = ViewerSlot { user, follows, slots: Vec::new(), home: Vec::new(), of_old_epoch: false };
        let id = self.viewers.insert(viewer);
        self.viewer_of.insert(user, id);
        for author in self.viewers[id].follows.iter().chain([&user]) {
            self.index.entry(Topic::HomeOf(*author)).or_default().push(id);
        }
        Ok(id)
    }

    fn replace_follows(&mut self, viewer: usize, follows: &[UserId]) {
        for followee in self.viewers[viewer].follows.clone() {
            if follows.binary_search(&followee).is_err() {
                self.set_follow(viewer, followee, false);
            }
        }
        for &followee in follows {
            self.set_follow(viewer, followee, true);
        }
    }

    /// Adds a feed; from here on its events come. Adding one twice changes nothing.
    pub fn subscribe(&mut self, id: &SlotId, feed: FeedName) {
        let slot = &mut self.slots[id.0];
        if slot.feeds.contains(&feed) {
            return;
        }
        slot.feeds.push(feed);
        match (self.topic(id, feed), slot_viewer(&self.slots, id)) {
            (Some(topic), _) => self.index.entry(topic).or_default().push(id.0),
            (None, Some(viewer)) => self.viewers[viewer].home.push(id.0),
            (None, None) => {}
        }
    }

    /// Takes a feed away. False if it was not there.
    pub fn unsubscribe(&mut self, id: &SlotId, feed: FeedName) -> bool {
        let slot = &mut self.slots[id.0];
        let Some(at) = slot.feeds.iter().position(|&had| had == feed) else {
            return false;
        };
        slot.feeds.swap_remove(at);
        match (self.topic(id, feed), slot_viewer(&self.slots, id)) {
            (Some(topic), _) => remove_from(&mut self.index, topic, id.0),
            (None, Some(viewer)) => self.viewers[viewer].home.retain(|&slot| slot != id.0),
            (None, None) => {}
        }
        true
    }

    /// Whether a session has something to catch up.
    pub fn is_behind(&self, id: &SlotId) -> bool {
        self.slots[id.0].behind.is_some()
    }

    /// The last entry up to which a session has been sent everything.
    pub fn position(&self, id: &SlotId) -> Seq {
        match &self.slots[id.0].behind {
            None => self.applied,
            Some(behind) => behind.backlog.front().map_or(behind.from, |entry| entry.seq).before(),
        }
    }

    /// The feeds a session watches.
    pub fn feeds(&self, id: &SlotId) -> &[FeedName] {
        &self.slots[id.0].feeds
    }

    /// Forgets a session.
    #[expect(clippy::needless_pass_by_value, reason = "the place cannot be used after this")]
    pub fn leave(&mut self, id: SlotId) {
        for feed in self.slots[id.0].feeds.clone() {
            self.unsubscribe(&id, feed);
        }
        let slot = self.slots.remove(id.0);
        let Some(viewer) = slot.viewer else { return };
        self.viewers[viewer].slots.retain(|&other| other != id.0);
        if self.viewers[viewer].slots.is_empty() {
            let gone = self.viewers.remove(viewer);
            self.viewer_of.remove(&gone.user);
            for author in gone.follows.iter().chain([&gone.user]) {
                remove_from(&mut self.index, Topic::HomeOf(*author), viewer);
            }
        }
    }

    /// What a feed is indexed by; none for `home`, which hangs on its viewer.
    fn topic(&self, id: &SlotId, feed: FeedName) -> Option<Topic> {
        match feed {
            FeedName::Home => None,
            FeedName::Global => Some(Topic::Global),
            FeedName::Me => slot_viewer(&self.slots, id).map(|viewer| Topic::Me(self.viewers[viewer].user)),
            FeedName::User(user) => Some(Topic::User(user)),
            FeedName::Post(post) => Some(Topic::Post(post)),
        }
    }

    pub(super) fn circle(&self, id: &SlotId) -> Option<Circle<'_>> {
        slot_viewer(&self.slots, id).map(|viewer| self.viewers[viewer].circle())
    }
}

fn slot_viewer<L>(slots: &Slab<Slot<L>>, id: &SlotId) -> Option<usize> {
    slots[id.0].viewer
}

fn name_of(topic: Topic) -> FeedName {
    match topic {
        Topic::HomeOf(_) => FeedName::Home,
        Topic::Global => FeedName::Global,
        Topic::Me(_) => FeedName::Me,
        Topic::User(user) => FeedName::User(user),
        Topic::Post(post) => FeedName::Post(post),
    }
}

fn remove_from(index: &mut FxHashMap<Topic, Vec<usize>>, topic: Topic, gone: usize) {
    if let Some(list) = index.get_mut(&topic) {
        if let Some(at) = list.iter().position(|&member| member == gone) {
            list.swap_remove(at);
        }
        if list.is_empty() {
            index.remove(&topic);
        }
    }
}

/// The inner loop's view of the table.
struct Deliver<'a, L> {
    slots: &'a mut Slab<Slot<L>>,
    dirty: &'a mut Vec<usize>,
    counts: &'a mut Counts,
}

impl<L: Line> Deliver<'_, L> {
    fn one(&mut self, id: usize, frame: &Bytes, seq: Seq) {
        let slot = &mut self.slots[id];
        if slot.behind.is_some() {
            return;
        }
        match slot.line.push(frame.clone(), seq) {
            Pushed::Queued => self.counts.deliveries += 1,
            Pushed::Overflow { from } => {
                self.counts.overflows += 1;
                slot.behind = Some(Behind { backlog: VecDeque::new(), from });
            }
        }
        if !slot.dirty {
            slot.dirty = true;
            self.dirty.push(id);
        }
    }
}
