//! Decides what is applied, what is waited for and what is read from Postgres.
//! A pure machine: inputs and `now` in, effects out. It must never hand on an entry out of order or over a hole (P1, P3), and never
//! hand on anything while it cannot confirm the journal's head (P5, fails closed).

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
}

impl Tail {
    /// A tail that starts at a head just read.
    #[must_use]
    pub const fn new(head: Head, now: Now) -> Self {
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
        }
    }

    /// The last entry handed on.
    #[must_use]
    pub const fn applied(&self) -> Seq {
        self.applied
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
        head.min(hole).min(blind).max(now + 1)
    }

    /// Moves on. `crowded` says that a worker has not yet taken what it was handed: then nothing more is handed on,
    /// what comes is parked as far as there is room, and the rest is read from Postgres later (P6).
    pub fn on(&mut self, now: Now, input: Input, crowded: bool) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.crowded = crowded;
        // A process that was stopped for long must notice before it hands anything on.
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
                    self.compare(head, now, &mut effects);
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
        self.blind || self.crowded
    }

    const fn head_interval(&self) -> Now {
        if self.bus_up && !self.blind { limits::HEAD_CHECK_MS } else { limits::HEAD_CHECK_ALONE_MS }
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
            effects.push(Effect::Blind);
        }
    }

    fn confirm(&mut self, asked_at: Now, now: Now, effects: &mut Vec<Effect>) {
        self.confirmed_at = self.confirmed_at.max(asked_at);
        if self.blind && now < self.confirmed_at + limits::BLIND_AFTER_MS {
            self.blind = false;
            effects.push(Effect::Sighted);
        }
    }

    fn compare(&mut self, head: Head, now: Now, effects: &mut Vec<Effect>) {
        // A node that slept for days may need entries that are forgotten: like a new life, only a fresh start is exact.
        if head.epoch != self.epoch || head.floor > self.applied.next() {
            self.epoch = head.epoch;
            self.applied = head.seq;
            self.known = head.seq;
            self.parked.clear();
            self.hole_since = None;
            effects.push(Effect::NewEpoch(head));
        } else if head.seq > self.known {
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
        effects.push(Effect::Apply(batch));
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
        let before_parked = self.parked.first_key_value().map_or(self.known, |(first, _)| first.before());
        let to = before_parked.min(Seq(self.applied.0 + limits::TAIL_READ_ENTRIES));
        self.asking_stretch = true;
        effects.push(Effect::AskStretch(self.applied.next(), to));
    }
}

fn without_repeats(batch: &Batch, first: Seq) -> Batch {
    let entries = batch.entries.iter().filter(|entry| entry.seq >= first).cloned().collect();
    Batch { epoch: batch.epoch, first, last: batch.last, entries }
}

#[cfg(test)]
mod sim;
#[cfg(test)]
mod tests;
