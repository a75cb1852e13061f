//! Owns the order of a fault's life: ordered, seen to have taken hold, left for its time, put right; and keeps the book of it.
//!
//! Never leaves the world broken: what was ordered is put right, also when something else failed meanwhile.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use crate::{
    examiner::Examiner,
    fault::{Fault, Part},
    world::World,
};

/// How long a fault has to show that it took hold.
const FIRE_PATIENCE: Duration = Duration::from_secs(6);
const POLL: Duration = Duration::from_millis(5);

/// Whoever is told what is being broken.
pub trait Witness {
    /// Fault `number` is in `phase`: `ordered`, `fired` or `healed`.
    ///
    /// # Errors
    /// When it does not listen any more.
    fn hear(&mut self, number: u32, name: &str, phase: &str) -> Result<()>;
}

impl Witness for Examiner {
    fn hear(&mut self, number: u32, name: &str, phase: &str) -> Result<()> {
        self.fault(number, name, phase)
    }
}

/// One fault in the book.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Its number in the round.
    pub number: u32,
    /// Which strike it was part of: those of one strike were there at once.
    pub strike: u32,
    /// The row of the list of faults.
    pub row: String,
    /// Its kind.
    pub kind: String,
    /// Its particulars.
    pub name: String,
    /// When it was ordered, in milliseconds since the round began.
    pub ordered_ms: u64,
    /// When it was seen to have taken hold; never, if it has not.
    pub fired_ms: Option<u64>,
    /// What was seen.
    pub evidence: Option<String>,
    /// When what it broke accepted connections again.
    pub healed_ms: Option<u64>,
}

/// Breaks a world and keeps the book.
pub struct Nemesis<'a> {
    /// What is broken.
    pub world: &'a mut World,
    /// Who is told.
    pub witness: &'a mut dyn Witness,
    /// All faults so far.
    pub book: &'a mut Vec<Entry>,
    began: Instant,
    strikes: u32,
}

/// A fault on its way.
struct Ordered {
    fault: Box<dyn Fault>,
    place: usize,
}

impl<'a> Nemesis<'a> {
    /// Writes into this book.
    pub fn new(world: &'a mut World, witness: &'a mut dyn Witness, book: &'a mut Vec<Entry>) -> Self {
        Self { world, witness, book, began: Instant::now(), strikes: 0 }
    }

    /// Time since the round began.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Breaks all of this at once and puts it right again. A fault that does not take hold stands in the book as such.
    ///
    /// # Errors
    /// When something could not be broken or put right, or nobody listens any more.
    pub fn strike(&mut self, faults: Vec<Box<dyn Fault>>) -> Result<()> {
        self.strikes += 1;
        let mut ordered = Vec::new();
        let mut outcome = Ok(());
        for fault in faults {
            outcome = outcome.and_then(|()| self.order(fault, &mut ordered));
        }
        outcome = outcome.and_then(|()| self.wait_fired(&mut ordered));
        let took_hold = Instant::now();
        // A node that is started waits for its database, so what it needs comes first.
        ordered.sort_by_key(|one| {
            (one.fault.claims().iter().any(|part| matches!(part, Part::Node(_))), one.fault.length())
        });
        for mut one in ordered {
            let left = one.fault.length().saturating_sub(took_hold.elapsed());
            if outcome.is_ok() {
                thread::sleep(left);
            }
            let healed = self.heal(&mut one);
            outcome = outcome.and(healed);
        }
        outcome
    }

    fn order(&mut self, mut fault: Box<dyn Fault>, ordered: &mut Vec<Ordered>) -> Result<()> {
        let place = self.book.len();
        let number = u32::try_from(place)?;
        let name = fault.name();
        self.witness.hear(number, &name, "ordered")?;
        self.book.push(Entry {
            number,
            strike: self.strikes,
            row: fault.row().to_owned(),
            kind: fault.kind().to_owned(),
            name: name.clone(),
            ordered_ms: millis(self.began),
            fired_ms: None,
            evidence: None,
            healed_ms: None,
        });
        let done = fault.order(self.world).with_context(|| name);
        ordered.push(Ordered { fault, place });
        done
    }

    fn wait_fired(&mut self, ordered: &mut [Ordered]) -> Result<()> {
        let deadline = Instant::now() + FIRE_PATIENCE;
        loop {
            let mut all = true;
            for one in &mut *ordered {
                let entry = &mut self.book[one.place];
                if entry.fired_ms.is_some() {
                    continue;
                }
                entry.evidence = one.fault.fired(self.world).with_context(|| entry.name.clone())?;
                if entry.evidence.is_some() {
                    entry.fired_ms = Some(millis(self.began));
                    self.witness.hear(entry.number, &entry.name, "fired")?;
                }
                all &= entry.fired_ms.is_some();
            }
            if all || Instant::now() > deadline {
                return Ok(());
            }
            thread::sleep(POLL);
        }
    }

    fn heal(&mut self, one: &mut Ordered) -> Result<()> {
        let name = self.book[one.place].name.clone();
        one.fault.heal(self.world).with_context(|| format!("putting right: {name}"))?;
        let healed_ms = millis(self.began);
        let entry = &mut self.book[one.place];
        entry.healed_ms = Some(healed_ms);
        self.witness.hear(entry.number, &entry.name, "healed")
    }
}

fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
