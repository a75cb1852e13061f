//! Fan-out: what a batch brings is encoded once for each feed and sent by a plain loop over the feed's readers.
//! Owns the runs (frames in a row for the same readers) and the sweep over those who are owed something. Must never wait, copy a frame for a
//! delivery, or let an event overtake what waits in a reader's queue (P3).

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::UserId;
use tidings_protocol::position::Seq;

use super::catch_up::CaughtUp;
use super::sampling::is_told;
use super::table::{Behind, FeedTable, Held, Line, SlotId, Told};
use super::{Topic, topics};
use crate::entry::{Batch, Change, Entry};
use crate::frame;
use crate::limits;
use crate::outbox::Pushed;

/// Readers looked at before any of them is written to: their memory is fetched side by side then, and not one after another behind a
/// system call each.
const LOOK_AHEAD: usize = if cfg!(test) { 2 } else { 32 };
/// Lines written to before anybody else on the thread has a turn: some 0.3 ms. In tests a handful of readers is a crowd.
const SWEEP_LEAST: usize = if cfg!(test) { 2 } else { 128 };

/// Frames that follow each other in the journal and go to the same readers: one buffer, which all of them share, and one `send` for each
/// reader, whatever the number of frames.
pub(super) struct Run {
    topic: Topic,
    readers: Vec<usize>,
    frames: Vec<Bytes>,
    bytes: usize,
    /// The entry of the first frame.
    first: Seq,
}

impl Run {
    /// Whether the next frame of this topic can go with it.
    fn takes(&self, topic: Topic, frame: &Bytes) -> bool {
        self.topic == topic && self.bytes + frame.len() <= limits::RUN_BYTES
    }

    fn add(&mut self, frame: Bytes) {
        self.bytes += frame.len();
        self.frames.push(frame);
    }

    fn joined(&self) -> Bytes {
        if let [only] = self.frames.as_slice() {
            return only.clone();
        }
        let mut joined = BytesMut::with_capacity(self.bytes);
        self.frames.iter().for_each(|frame| joined.extend_from_slice(frame));
        joined.freeze()
    }
}

/// A run on its way.
pub(super) struct Parcel {
    pub(super) frames: Bytes,
    pub(super) first: Seq,
    pub(super) count: u64,
}

impl<L: Line> FeedTable<L> {
    /// Delivers a batch: for each event and feed one frame, shared by all; then one write for each line that got something. Whoever's
    /// log-in ends with the batch hears nothing of it, not even what comes before: it was committed long since when the batch is late.
    ///
    /// Says whether some lines are left for [`Self::sweep`]: what they are owed is in their queues. `more` says whether another batch waits.
    pub fn apply(&mut self, batch: &Arc<Batch>, more: impl Fn() -> bool) -> bool {
        debug_assert_eq!(batch.epoch, self.epoch, "a new epoch is announced before its entries");
        for entry in &batch.entries {
            if let Change::SessionRevoked { user, session } = entry.change {
                self.revoke(user, session);
            }
        }
        let mut run = None;
        for entry in &batch.entries {
            if let Change::Follow { .. }
            | Change::Block { .. }
            | Change::Mute { .. }
            | Change::List { .. }
            | Change::Listed { .. } = entry.change
            {
                // From here on the topics have other readers.
                self.put_off(run.take());
            }
            self.note_context(entry);
            self.gather(entry, &mut run);
        }
        if self.dirty.is_empty() {
            self.send(run, &more);
        } else {
            self.put_off(run);
        }
        self.log.push(Arc::clone(batch));
        self.applied = batch.last;
        self.sweep()
    }

    /// Writes to a part of the lines that have got something: 128 of them, or a quarter. Says whether some are left. What comes in between is
    /// added to their queues and goes out in the same write, and a write of sixteen frames costs a tenth of sixteen writes.
    pub fn sweep(&mut self) -> bool {
        for _ in 0..share_of(self.dirty.len()) {
            let Some(id) = self.dirty.pop_front() else {
                return false;
            };
            self.flush(id);
        }
        !self.dirty.is_empty()
    }

    fn flush(&mut self, id: usize) {
        // Sessions come and go between two sweeps: the place may be empty, or another's who got nothing yet.
        let Some(slot) = self.slots.get_mut(id).filter(|slot| slot.dirty) else {
            return;
        };
        slot.dirty = false;
        slot.line.flush();
        // More in one batch than a queue holds, but the reader takes it: no need to wait for anything.
        if slot.behind.is_some() && slot.line.has_room() && self.catch_up(&SlotId(id)) == CaughtUp::Beyond {
            self.slots[id].line.tell(Told::Beyond);
        }
    }

    /// Adds an entry's frames to the run, or to a new one where it reaches other readers.
    fn gather(&mut self, entry: &Entry, run: &mut Option<Run>) {
        let left_out = self.leaves_out(entry);
        if !self.asides.is_empty() {
            self.count_news(entry);
            if self.reaches_brief(entry) {
                self.put_off(run.take());
                self.tell_brief(entry, left_out);
            }
        }
        if self.is_filtered(entry) {
            self.put_off(run.take());
            self.tell_each(entry, left_out);
            return self.tell_listeners(entry, run);
        }
        for topic in topics(&entry.change) {
            if !self.has_readers(topic) || !is_told(topic, left_out) {
                continue;
            }
            let Some(frame) = frame::push(self.framing, name_of(topic), entry) else {
                return;
            };
            self.counts.encoded += 1;
            if let Some(run) = run
                && run.takes(topic, &frame)
            {
                run.add(frame);
                continue;
            }
            let next =
                Run { topic, readers: self.readers(topic), bytes: frame.len(), frames: vec![frame], first: entry.seq };
            self.put_off(run.replace(next));
        }
        let tagged = self.readers_by_tag(entry);
        if !tagged.is_empty() {
            self.put_off(run.take());
            self.tell_by_tag(tagged, entry);
        }
        let listed = self.readers_by_list(entry);
        if !listed.is_empty() {
            self.put_off(run.take());
            listed.into_iter().for_each(|(feed, readers)| self.tell_by_sight(feed, readers, entry));
        }
        self.tell_listeners(entry, run);
    }

    fn has_readers(&self, topic: Topic) -> bool {
        match topic {
            Topic::HomeOf(author) => self.homes_around(author).any(|home| !home.is_empty()),
            Topic::Global | Topic::Notifications(_) | Topic::Me(_) | Topic::Mod | Topic::User(_) | Topic::Post(_) => {
                self.index.contains_key(&topic)
            }
        }
    }

    pub(super) fn readers(&self, topic: Topic) -> Vec<usize> {
        match topic {
            Topic::HomeOf(author) => self.homes_around(author).flatten().copied().collect(),
            Topic::Global | Topic::Notifications(_) | Topic::Me(_) | Topic::Mod | Topic::User(_) | Topic::Post(_) => {
                self.index.get(&topic).cloned().unwrap_or_default()
            }
        }
    }

    /// For each viewer whose `home` shows an author, the slots that watch it.
    fn homes_around(&self, author: UserId) -> impl Iterator<Item = &Vec<usize>> {
        self.around.get(&author).into_iter().flatten().map(|&viewer| &self.viewers[viewer as usize].home)
    }

    pub(super) fn put_off(&mut self, run: Option<Run>) {
        if let Some(run) = run {
            let parcel = Parcel::of(&run);
            run.readers.into_iter().for_each(|id| self.put_off_for(id, &parcel));
        }
    }

    /// As [`Self::put_off`] and a sweep, for a run that comes alone: without the detour over queues. Whoever is not idle, and whoever is left
    /// when it is time for others, gets it queued.
    fn send(&mut self, run: Option<Run>, more: &impl Fn() -> bool) {
        let Some(run) = run else {
            return;
        };
        let parcel = Parcel::of(&run);
        let least = share_of(run.readers.len());
        let (mut seen, mut gives_way) = (0, false);
        for readers in run.readers.chunks(LOOK_AHEAD) {
            // Several events at once mean that more are on their way, and that somebody on this thread has to read them.
            gives_way = gives_way || seen >= least && (parcel.count > 1 || more());
            let idle = if gives_way { 0 } else { self.idle(readers) };
            for (bit, &id) in readers.iter().enumerate() {
                if idle >> bit & 1 == 1 {
                    let pushed = self.slots[id].line.send(&parcel.frames, parcel.first);
                    self.note(id, pushed, &parcel);
                } else {
                    self.put_off_for(id, &parcel);
                }
            }
            seen += readers.len();
        }
    }

    /// Which of up to [`LOOK_AHEAD`] readers can be sent to at once, a bit for each.
    fn idle(&self, readers: &[usize]) -> u32 {
        readers.iter().enumerate().fold(0, |idle, (bit, &id)| {
            let slot = &self.slots[id];
            idle | u32::from(slot.behind.is_none() & slot.line.is_idle()) << bit
        })
    }

    pub(super) fn put_off_for(&mut self, id: usize, parcel: &Parcel) {
        let slot = &mut self.slots[id];
        if slot.behind.is_some() {
            return;
        }
        let pushed = slot.line.push(parcel.frames.clone(), parcel.first);
        if !slot.dirty {
            slot.dirty = true;
            self.dirty.push_back(id);
        }
        self.note(id, pushed, parcel);
    }

    fn note(&mut self, id: usize, pushed: Pushed, parcel: &Parcel) {
        match pushed {
            Pushed::Queued => self.counts.deliveries += parcel.count,
            Pushed::Overflow { from } => {
                self.counts.overflows += 1;
                self.slots[id].behind = Some(Behind::at(from, Held::No));
            }
        }
    }
}

impl Parcel {
    fn of(run: &Run) -> Self {
        Self { frames: run.joined(), first: run.first, count: run.frames.len() as u64 }
    }
}

/// How many of so many lines are written to in one go: at least a quarter, so that nobody waits for ever while batches come faster than that.
fn share_of(lines: usize) -> usize {
    SWEEP_LEAST.max(lines / 4)
}

pub(super) const fn name_of(topic: Topic) -> FeedName {
    match topic {
        Topic::HomeOf(_) => FeedName::Home,
        Topic::Global => FeedName::Global,
        Topic::Notifications(_) => FeedName::Notifications,
        Topic::Me(_) => FeedName::Me,
        Topic::Mod => FeedName::Mod,
        Topic::User(user) => FeedName::User(user),
        Topic::Post(post) => FeedName::Post(post),
    }
}

const _: () = assert!(LOOK_AHEAD <= u32::BITS as usize);
