//! The tail in a seeded world that loses, repeats, delays and forges, beside a plain list that forgets nothing.

use std::collections::BTreeMap;

use super::*;
use crate::entry::{Change, Entry, Verb};
use crate::testing::{Dice, body, post, user};

/// Longest wait of the shell for one answer; then it comes as "could not be had".
const SHELL_PATIENCE: Now = 2_000;

struct World {
    dice: Dice,
    now: Now,
    epoch: Epoch,
    /// All entries that ever were, by epoch; entry `n` at index `n - 1`.
    lists: BTreeMap<Epoch, Vec<Change>>,
    tail: Tail,
    /// What the tail has announced and handed on.
    tail_epoch: Epoch,
    handed: Seq,
    /// Inputs under way.
    coming: Vec<(Now, Input)>,
    asked: (bool, bool),
    confirmed_at: Now,
    /// When the machine was last given anything; since when it may not know what happened meanwhile; and how far the first batch after
    /// that has to reach.
    given_at: Now,
    unsure_since: Option<Now>,
    reaches: Seq,
    bus_up: bool,
    database_up: bool,
    crowded: bool,
    faults: bool,
    inputs: usize,
    blinded: usize,
}

impl World {
    fn of(seed: u64) -> Self {
        let epoch = Epoch(1);
        let head = Head { epoch, seq: Seq(0), floor: Seq(0) };
        Self {
            dice: Dice::of(seed),
            now: 0,
            epoch,
            lists: BTreeMap::from([(epoch, Vec::new())]),
            tail: Tail::new(head, 0),
            tail_epoch: epoch,
            handed: Seq(0),
            coming: Vec::new(),
            asked: (false, false),
            confirmed_at: 0,
            given_at: 0,
            unsure_since: None,
            reaches: Seq(0),
            bus_up: false,
            database_up: true,
            crowded: false,
            faults: true,
            inputs: 0,
            blinded: 0,
        }
    }

    fn list(&self) -> &Vec<Change> {
        &self.lists[&self.epoch]
    }

    fn head(&self) -> Seq {
        Seq(self.list().len() as u64)
    }

    /// Entries `first..=last` of the present journal; `present` leaves out what has been superseded, as a read from Postgres does.
    fn stretch(&self, first: u64, last: u64, present: bool) -> Batch {
        let list = self.list();
        let entries = (first..=last).filter_map(|seq| {
            let at = usize::try_from(seq).expect("small") - 1;
            let superseded = list[at + 1..].iter().any(|later| later.subject() == list[at].subject());
            (!present || !superseded).then(|| made(self.epoch, seq, list[at]))
        });
        Batch { epoch: self.epoch, first: Seq(first), last: Seq(last), entries: entries.collect() }
    }

    fn later(&mut self, wait: Now, input: Input) {
        self.coming.push((self.now + wait, input));
    }

    fn somebody_commits(&mut self) {
        if !self.database_up {
            return;
        }
        let first = self.head().next().0;
        for _ in 0..self.dice.between(1, 5) {
            let (verb, id) = (self.dice.one_of(&[Verb::Created, Verb::Updated, Verb::Removed]), self.dice.below(40));
            let change = Change::Post { verb, id: post(id), author: user(1) };
            self.lists.get_mut(&self.epoch).expect("present").push(change);
        }
        let batch = Arc::new(self.stretch(first, self.head().0, false));
        if self.dice.percent(30) {
            let wait = self.dice.between(0, 30);
            if self.faults && self.dice.percent(10) {
                self.later(wait, Input::Suspect);
            } else {
                self.later(wait, Input::Committed(batch, self.now));
            }
            return;
        }
        let lost = !self.bus_up || self.faults && self.dice.percent(20);
        let times = if lost { 0 } else { 1 + usize::from(self.faults && self.dice.percent(10)) };
        for _ in 0..times {
            let slow = self.faults && self.dice.percent(10);
            let wait = if slow { self.dice.between(0, 3_000) } else { self.dice.between(0, 8) };
            self.later(wait, Input::Rumour(Arc::clone(&batch)));
        }
    }

    fn something_odd(&mut self) {
        match self.dice.below(9) {
            0 => {
                self.bus_up = !self.bus_up;
                let input = if self.bus_up { Input::Back } else { Input::Away };
                self.later(0, input);
            }
            1 => self.database_up = !self.database_up,
            2 => self.crowded = !self.crowded,
            3 | 4 => {
                let first = self.dice.between(1, self.head().0 + 5);
                let garbage = Batch { epoch: Epoch(99), ..crate::testing::post_batch(first, first + 2) };
                self.later(0, Input::Rumour(Arc::new(garbage)));
            }
            5 => {
                let next = self.head().next();
                let empty = Batch { epoch: self.epoch, first: next, last: self.head(), entries: Vec::new() };
                self.later(0, Input::Rumour(Arc::new(empty)));
            }
            // The whole node stands still; nothing reaches the machine meanwhile.
            6 => self.now += self.dice.one_of(&[300, 1_490, 1_510, 4_990, 5_010, 60_000]),
            7 if self.database_up && self.dice.percent(30) => self.journal_begins_again(),
            _ => self.later(0, Input::Suspect),
        }
    }

    /// A backup is restored: the last entries are lost, and the numbers are given out again.
    fn journal_begins_again(&mut self) {
        let mut list = self.list().clone();
        list.truncate(self.dice.index(list.len() + 1));
        self.epoch = Epoch(self.epoch.0 + 1);
        self.lists.insert(self.epoch, list);
    }

    fn answer_head(&mut self) {
        assert!(!std::mem::replace(&mut self.asked.0, true), "one question about the head at a time");
        let late = self.faults && self.dice.percent(10);
        let had = self.database_up && !late;
        let head = had.then(|| Head { epoch: self.epoch, seq: self.head(), floor: Seq(0) });
        let wait = if had { self.dice.between(1, 60) } else { self.dice.between(1, SHELL_PATIENCE) };
        self.later(wait, Input::Head(head, self.now));
    }

    fn answer_stretch(&mut self, from: Seq, to: Seq) {
        assert!(!std::mem::replace(&mut self.asked.1, true), "one stretch at a time");
        assert!(from <= to && to.0 - from.0 < limits::TAIL_READ_ENTRIES, "{from}..={to}");
        let had = self.database_up && !(self.faults && self.dice.percent(10));
        let last = to.min(self.head()).0;
        let short = self.faults && last > from.0 && self.dice.percent(20);
        let last = if short { self.dice.between(from.0, last) } else { last };
        let stretch = had.then(|| Arc::new(self.stretch(from.0, last, true)));
        let wait = if had { self.dice.between(1, 40) } else { self.dice.between(1, SHELL_PATIENCE) };
        self.later(wait, Input::Stretch(stretch));
    }

    /// Lets the time of one step pass: everything that is due reaches the machine, in the order it is due, with ticks between.
    fn pass(&mut self, span: Now) {
        let until = self.now + span;
        loop {
            let next = self.coming.iter().enumerate().min_by_key(|(_, (due, _))| *due).map(|(at, (due, _))| (at, *due));
            let tick = self.tail.next_tick(self.now);
            assert!(tick > self.now, "a tick that does not wait is a busy loop");
            match next {
                Some((at, due)) if due <= until.max(self.now) && due <= tick => {
                    self.now = self.now.max(due);
                    let (_, input) = self.coming.swap_remove(at);
                    self.give(input);
                }
                _ if tick <= until => {
                    self.now = tick;
                    self.give(Input::Tick);
                }
                _ => break,
            }
        }
        self.now = self.now.max(until);
    }

    fn give(&mut self, input: Input) {
        self.inputs += 1;
        if self.now >= self.given_at + limits::ASLEEP_MS || self.now >= self.confirmed_at + limits::BLIND_AFTER_MS {
            self.unsure_since.get_or_insert(self.now);
        }
        self.given_at = self.now;
        match &input {
            Input::Head(head, asked_at) => {
                self.asked.0 = false;
                if let Some(head) = head {
                    self.confirmed_at = self.confirmed_at.max(*asked_at);
                    if self.unsure_since.is_some_and(|since| *asked_at >= since) {
                        (self.unsure_since, self.reaches) = (None, head.seq);
                    }
                }
            }
            Input::Committed(_, asked_at) => self.confirmed_at = self.confirmed_at.max(*asked_at),
            Input::Stretch(_) => self.asked.1 = false,
            Input::Rumour(_) | Input::Away | Input::Back | Input::Suspect | Input::Tick => {}
        }
        for effect in self.tail.on(self.now, input, self.crowded) {
            match effect {
                Effect::Apply(batch) => self.check(&batch),
                Effect::AskHead => self.answer_head(),
                Effect::AskStretch(from, to) => self.answer_stretch(from, to),
                Effect::NewEpoch(head) => {
                    assert!(self.lists.contains_key(&head.epoch) && head.epoch > self.tail_epoch);
                    (self.tail_epoch, self.handed, self.reaches) = (head.epoch, head.seq, Seq(0));
                }
                Effect::Blind => self.blinded += 1,
                Effect::Sighted => {}
            }
        }
        assert!(self.tail.parked.len() <= limits::TAIL_PARKED_BATCHES);
        assert_eq!(self.tail.applied(), self.handed);
    }

    fn check(&mut self, batch: &Batch) {
        assert!(!self.crowded, "handed on to workers that have no room");
        assert!(self.now < self.confirmed_at + limits::BLIND_AFTER_MS, "handed on while blind (P5)");
        assert!(self.unsure_since.is_none(), "handed on without asking what happened while it stood still (P5)");
        assert!(batch.last >= self.reaches, "handed on in pieces: a log-out may stand behind it (P5)");
        assert_eq!(batch.epoch, self.tail_epoch, "of an epoch that was not announced");
        assert_eq!(batch.first, self.handed.next(), "not contiguous (P3)");
        assert!(batch.last >= batch.first);
        let list = &self.lists[&self.tail_epoch];
        let mut told = batch.entries.iter().peekable();
        for seq in batch.first.0..=batch.last.0 {
            let at = usize::try_from(seq).expect("small") - 1;
            let truth = made(self.tail_epoch, seq, list[at]);
            match told.next_if(|entry| entry.seq.0 == seq) {
                Some(entry) => assert_eq!((entry.change, entry.body.get()), (truth.change, truth.body.get())),
                None => {
                    let superseded = list[at + 1..].iter().any(|later| later.subject() == list[at].subject());
                    assert!(superseded, "entry {seq} is missing, and no later one carries its state");
                }
            }
        }
        assert!(told.next().is_none(), "entries out of order");
        self.handed = batch.last;
    }

    fn heal(&mut self) {
        (self.faults, self.database_up, self.crowded) = (false, true, false);
        if !self.bus_up {
            self.bus_up = true;
            self.later(0, Input::Back);
        }
        // What is under way may still fail or come late; after that one round of questions has to do.
        self.pass(SHELL_PATIENCE + 3_000);
        let before = self.inputs;
        self.pass(2 * limits::HEAD_CHECK_MS);
        assert!(self.inputs - before < 50, "an idle tail is quiet");
    }
}

/// The entry as it was written: what it says differs from epoch to epoch and from number to number.
fn made(epoch: Epoch, seq: u64, change: Change) -> Entry {
    Entry { seq: Seq(seq), change, body: body(&format!("{{\"rev\":{seq},\"epoch\":\"{epoch}\"}}")), scope: None }
}

#[test]
fn p1_p3_p5_whatever_the_bus_and_the_database_do_the_journal_is_handed_on_whole_and_in_order() {
    let (mut inputs, mut entries, mut blinded, mut epochs) = (0, 0, 0, 0);
    for seed in 0..250 {
        let mut world = World::of(seed);
        world.bus_up = true;
        world.later(0, Input::Back);
        for _ in 0..250 {
            if world.dice.percent(60) {
                world.somebody_commits();
            }
            if world.dice.percent(10) {
                world.something_odd();
            }
            let span = world.dice.between(0, 40);
            world.pass(span);
        }
        world.heal();
        assert_eq!(
            (world.tail_epoch, world.handed),
            (world.epoch, world.head()),
            "everything arrives once faults cease"
        );
        assert!(!world.tail.is_blind() && world.tail.parked.is_empty());
        inputs += world.inputs;
        entries += world.head().0;
        blinded += world.blinded;
        epochs += world.epoch.0 - 1;
    }
    println!("{inputs} inputs, {entries} entries, {blinded} times blind, {epochs} new epochs");
    assert!(blinded > 100 && epochs > 50, "the world has been too kind");
}
