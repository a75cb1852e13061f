//! Decides what is applied, what is waited for and what is read from Postgres.
//! A pure machine: inputs and `now` in, effects out. It must never hand on an entry out of order or over a hole (P1, P3), and never
//! hand on anything while it cannot confirm the journal's head (P5, fails closed). After such a time, and after the process stood still,
//! what was missed goes on in one piece, so that a log-out at its end takes effect before what stands in front of it is delivered.

use std::collections::BTreeMap;
use std::sync::Arc;

use tidings_protocol::position::{Epoch, Meet, Seq};

use crate::entry::Batch;
use crate::limits;
use crate::ports::Head;

/// Milliseconds of a monotonic clock.
pub type Now = u64;

/// What reaches the tail.
#[derive(Clone, Debug)]
pub enum Input {
    /// This node committed a batch; the statement was sent at the given time.
    Committed(Arc<Batch>, Now),
    /// A peer says it committed a batch.
    Rumour(Arc<Batch>),
    /// The bus is lost.
    Away,
    /// The bus is back; anything may have been missed.
    Back,
    /// The head, asked for at the given time; none if it could not be had.
    Head(Option<Head>, Now),
    /// A stretch that was asked for; none if it could not be had.
    Stretch(Option<Arc<Batch>>),
    /// A commit's outcome was unknown: something may have been written that nobody announces.
    Suspect,
    /// Time passes.
    Tick,
}

/// What the shell does for it.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Hand the batch to every worker's feed table.
    Apply(Arc<Batch>),
    /// Ask Postgres for the head; answer with [`Input::Head`].
    AskHead,
    /// Ask Postgres for a stretch; answer with [`Input::Stretch`].
    AskStretch(Seq, Seq),
    /// The journal began a new life, or has forgotten what would come next; workers start afresh at its head.
    NewEpoch(Head),
    /// The head cannot be confirmed: nothing is handed on from here (P5).
    Blind,
    /// The head is confirmed again.
    Sighted,
}

/// The machine.
#[derive(Debug)]
pub struct Tail {
    epoch: Epoch,
    applied: Seq,
    /// The highest entry known to exist.
    known: Seq,
    /// Batches beyond a hole, by their first entry.
    parked: BTreeMap<Seq, Arc<Batch>>,
    hole_since: Option<Now>,
    bus_up: bool,
    asking_head: bool,
    asking_stretch: bool,
    asked_head_at: Now,
    confirmed_at: Now,
    blind: bool,
    crowded: bool,
    /// When it was last given anything: it is woken often enough to see by this that the process stood still.
    seen_at: Now,
    /// Stood still, or blind, until then: only a head asked for since tells what has happened meanwhile.
    unsure_since: Option<Now>,
    /// In hand, but not handed on before everything up to `withhold_to` is.
    withheld: Vec<Arc<Batch>>,
    withhold_to: Seq,
}

impl Tail {
    /// A tail that starts at a head just read.
    #[must_use]
    pub fn new(head: Head, now: Now) -> Self {
        Self {
            epoch: head.epoch,
            applied: head.seq,
            known: head.seq,
            parked: BTreeMap::new(),
            hole_since: None,
            bus_up: false,
            asking_head: false,
            asking_stretch: false,
            asked_head_at: now,
            confirmed_at: now,
            blind: false,
            crowded: false,
            seen_at: now,
            unsure_since: None,
            withheld: Vec::new(),
            withhold_to: Seq(0),
        }
    }

    /// The same tail after a failure, standing at `head`, the last that was handed on: what lies beyond is asked for anew. What it knew of
    /// its own sight it still knows (P5).
    #[must_use]
    pub fn begun_again(&self, head: Head, now: Now) -> Self {
        let fresh = Self::new(head, now);
        Self {
            bus_up: self.bus_up,
            confirmed_at: self.confirmed_at,
            blind: self.blind,
            unsure_since: self.unsure_since,
            ..fresh
        }
    }

    /// The last entry handed on.
    #[must_use]
    pub fn applied(&self) -> Seq {
        self.withheld.first().map_or(self.applied, |batch| batch.first.before())
    }

    /// Up to when everything that ends a log-in has been handed on; none while that is not known.
    #[must_use]
    pub fn sure_at(&self) -> Option<Now> {
        let all_told = self.unsure_since.is_none() && self.applied() >= self.withhold_to;
        all_told.then_some(self.confirmed_at)
    }

    /// Entries known to exist and not handed on.
    #[must_use]
    pub fn behind(&self) -> u64 {
        self.known.0.saturating_sub(self.applied().0)
    }

    /// Whether the head cannot be confirmed.
    #[must_use]
    pub const fn is_blind(&self) -> bool {
        self.blind
    }

    /// When to be woken at the latest.
    #[must_use]
    pub fn next_tick(&self, now: Now) -> Now {
        // What has been asked wakes the machine by its answer.
        let head = if self.asking_head { Now::MAX } else { self.asked_head_at + self.head_interval() };
        let hole = match self.hole_since {
            // Nobody tells when the workers have room again.
            _ if self.crowded && self.applied < self.known => now + limits::HOLE_PATIENCE_MS,
            Some(since) if !self.stopped() && !self.asking_stretch => since + limits::HOLE_PATIENCE_MS,
            Some(_) | None => Now::MAX,
        };
        let blind = if self.blind { Now::MAX } else { self.confirmed_at + limits::BLIND_AFTER_MS };
        head.min(hole).min(blind).min(now + limits::TAIL_PULSE_MS).max(now + 1)
    }

    /// Moves on. `crowded` says that a worker has not yet taken what it was handed: then nothing more is handed on,
    /// what comes is parked as far as there is room, and the rest is read from Postgres later (P6).
    pub fn on(&mut self, now: Now, input: Input, crowded: bool) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.crowded = crowded;
        // A process that was stopped must notice before it hands anything on.
        self.check_sleep(now);
        self.check_sight(now, &mut effects);
        match input {
            Input::Committed(batch, asked_at) => {
                self.confirm(asked_at, now, &mut effects);
                self.offer(batch, now, &mut effects);
            }
            Input::Rumour(batch) => self.offer(batch, now, &mut effects),
            Input::Away => self.bus_up = false,
            Input::Back => {
                self.bus_up = true;
                self.ask_head(now, &mut effects);
            }
            Input::Suspect => self.ask_head(now, &mut effects),
            Input::Head(head, asked_at) => {
                self.asking_head = false;
                if let Some(head) = head {
                    self.confirm(asked_at, now, &mut effects);
                    self.compare(head, asked_at, now, &mut effects);
                }
            }
            Input::Stretch(stretch) => {
                self.asking_stretch = false;
                // If it could not be had, the hole stays and is asked for again after its patience.
                self.hole_since = Some(now);
                if let Some(batch) = stretch {
                    self.offer(batch, now, &mut effects);
                }
            }
            Input::Tick => {}
        }
        self.look_after_hole(now, &mut effects);
        if now >= self.asked_head_at + self.head_interval() {
            self.ask_head(now, &mut effects);
        }
        effects
    }

    const fn stopped(&self) -> bool {
        self.blind || self.crowded || self.unsure_since.is_some()
    }

    const fn head_interval(&self) -> Now {
        if self.bus_up && !self.blind && self.unsure_since.is_none() {
            limits::HEAD_CHECK_MS
        } else {
            limits::HEAD_CHECK_ALONE_MS
        }
    }

    fn ask_head(&mut self, now: Now, effects: &mut Vec<Effect>) {
        if !self.asking_head {
            self.asking_head = true;
            self.asked_head_at = now;
            effects.push(Effect::AskHead);
        }
    }

    fn check_sight(&mut self, now: Now, effects: &mut Vec<Effect>) {
        if !self.blind && now >= self.confirmed_at + limits::BLIND_AFTER_MS {
            self.blind = true;
            self.unsure_since = Some(now);
            effects.push(Effect::Blind);
        }
    }

    /// Whoever stood still may hold rumours from before a log-out that happened meanwhile.
    fn check_sleep(&mut self, now: Now) {
        if now >= self.seen_at + limits::ASLEEP_MS {
            self.unsure_since = Some(now);
        }
        self.seen_at = now;
    }

    fn confirm(&mut self, asked_at: Now, now: Now, effects: &mut Vec<Effect>) {
        self.confirmed_at = self.confirmed_at.max(asked_at);
        if self.blind && now < self.confirmed_at + limits::BLIND_AFTER_MS {
            self.blind = false;
            effects.push(Effect::Sighted);
        }
    }

    fn compare(&mut self, head: Head, asked_at: Now, now: Now, effects: &mut Vec<Effect>) {
        let sure_again = self.unsure_since.is_some_and(|since| asked_at >= since);
        if sure_again {
            self.unsure_since = None;
        }
        // A node that slept for days may need entries that are forgotten, or more than can be kept in hand: like a new life, only a
        // fresh start is exact.
        let too_much = sure_again && head.seq.0 > self.applied().0 + limits::TAIL_WITHHELD_ENTRIES;
        if head.epoch != self.epoch || head.floor > self.applied.next() || too_much {
            self.epoch = head.epoch;
            self.applied = head.seq;
            self.known = head.seq;
            self.parked.clear();
            self.withheld.clear();
            self.withhold_to = Seq(0);
            self.hole_since = None;
            effects.push(Effect::NewEpoch(head));
            return;
        }
        if sure_again {
            self.withhold_to = self.withhold_to.max(head.seq);
        }
        if head.seq > self.known {
            self.known = head.seq;
            self.hole_since.get_or_insert(now);
        }
    }

    fn offer(&mut self, batch: Arc<Batch>, now: Now, effects: &mut Vec<Effect>) {
        if batch.epoch != self.epoch {
            self.ask_head(now, effects);
            return;
        }
        if batch.last < batch.first {
            return;
        }
        self.known = self.known.max(batch.last);
        match self.applied.meet(batch.first, batch.last) {
            Meet::Repeat => {}
            Meet::Next if !self.stopped() => {
                self.apply(batch, effects);
                self.unpark(effects);
            }
            Meet::Next | Meet::Hole { .. } => self.park(batch),
        }
    }

    fn park(&mut self, batch: Arc<Batch>) {
        if self.parked.len() < limits::TAIL_PARKED_BATCHES {
            self.parked.insert(batch.first, batch);
        }
    }

    fn apply(&mut self, batch: Arc<Batch>, effects: &mut Vec<Effect>) {
        let first = self.applied.next();
        self.applied = batch.last;
        let batch = if batch.first == first { batch } else { Arc::new(without_repeats(&batch, first)) };
        if self.applied < self.withhold_to {
            self.withheld.push(batch);
        } else if self.withheld.is_empty() {
            effects.push(Effect::Apply(batch));
        } else {
            self.withheld.push(batch);
            effects.push(Effect::Apply(Arc::new(in_one_piece(&self.withheld))));
            self.withheld.clear();
        }
    }

    fn unpark(&mut self, effects: &mut Vec<Effect>) {
        while let Some((_, batch)) = self.parked.first_key_value() {
            match self.applied.meet(batch.first, batch.last) {
                Meet::Hole { .. } => return,
                Meet::Repeat => drop(self.parked.pop_first()),
                Meet::Next => {
                    if let Some((_, batch)) = self.parked.pop_first() {
                        self.apply(batch, effects);
                    }
                }
            }
        }
    }

    fn look_after_hole(&mut self, now: Now, effects: &mut Vec<Effect>) {
        if self.stopped() {
            return;
        }
        self.unpark(effects);
        if self.applied >= self.known {
            self.hole_since = None;
            return;
        }
        let since = *self.hole_since.get_or_insert(now);
        if self.asking_stretch || now < since + limits::HOLE_PATIENCE_MS {
            return;
        }
        // Up to the head as of the read, whatever is parked before it: an entry is left out where its entity has changed again, and the table
        // must not stand between the two (P4). What takes several reads is handed on in one piece for the same reason.
        let to = Seq(self.applied.0 + limits::TAIL_READ_ENTRIES);
        if self.known > to && self.known.0 - self.applied().0 <= limits::TAIL_WITHHELD_ENTRIES {
            self.withhold_to = self.withhold_to.max(self.known);
        }
        self.asking_stretch = true;
        effects.push(Effect::AskStretch(self.applied.next(), to));
    }
}

fn without_repeats(batch: &Batch, first: Seq) -> Batch {
    let entries = batch.entries.iter().filter(|entry| entry.seq >= first).cloned().collect();
    Batch { epoch: batch.epoch, first, last: batch.last, entries }
}

/// Contiguous batches as one.
fn in_one_piece(batches: &[Arc<Batch>]) -> Batch {
    let (first, last) = batches.first().zip(batches.last()).expect("its caller has just added one");
    let entries = batches.iter().flat_map(|batch| batch.entries.iter().cloned()).collect();
    Batch { epoch: last.epoch, first: first.first, last: last.last, entries }
}

#[cfg(test)]
mod sim;
#[cfg(test)]
mod tests;
