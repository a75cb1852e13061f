//! Time as a promise may count it: it stands still while something is broken, and while the whole examination gasps for breath.
//! Must never excuse what is wrong at any time: only what is slow.

use std::collections::BTreeMap;

use super::Patience;
use crate::examine::history::{Phase, Record, What};

/// Between two records pass at most so many microseconds: a longer silence of everybody may be our own (two cores for all).
const BREATH: u64 = 250_000;

/// How much calm time has passed by each record.
pub(super) struct Clock {
    calm: Vec<u64>,
    /// From and until, in microseconds; sorted, apart from each other.
    windows: Vec<(u64, u64)>,
}

impl Clock {
    /// Reads the faults.
    pub fn of(records: &[Record], patience: Patience) -> Self {
        let windows = windows(records, patience.revocation.saturating_mul(2));
        let mut clock = Self { calm: Vec::with_capacity(records.len()), windows };
        let (mut passed, mut before) = (0_u64, 0);
        for record in records {
            if !clock.is_broken(before, record.at) {
                passed += record.at.saturating_sub(before).min(BREATH);
            }
            clock.calm.push(passed);
            before = record.at;
        }
        clock
    }

    /// Whether more than `patience` calm time lies between two records.
    pub fn is_late(&self, told: usize, now: usize, patience: u64) -> bool {
        let passed = |record: usize| self.calm.get(record).copied().unwrap_or_default();
        passed(now).saturating_sub(passed(told)) > patience
    }

    /// The first record that is so much calm time later.
    pub fn later(&self, record: usize, calm: u64) -> Option<usize> {
        let from = self.calm.get(record).copied().unwrap_or_default();
        let place = self.calm.partition_point(|passed| *passed < from.saturating_add(calm));
        (place < self.calm.len()).then_some(place)
    }

    /// Whether anything was broken between two moments, or had been just before.
    pub fn is_broken(&self, from: u64, until: u64) -> bool {
        let place = self.windows.partition_point(|window| window.1 < from);
        self.windows.get(place).is_some_and(|window| window.0 <= until)
    }

    /// When what should take `patience` must be over: later if anything was broken meanwhile.
    pub fn due(&self, at: u64, patience: u64) -> u64 {
        let mut due = at.saturating_add(patience);
        let place = self.windows.partition_point(|window| window.1 < at);
        for (from, until) in self.windows.iter().skip(place) {
            if *from > due {
                break;
            }
            due = due.max(until.saturating_add(patience));
        }
        due
    }

    /// When the faults began that were under way at some time within `before` of a moment.
    pub fn trouble_before(&self, at: u64, before: u64) -> u64 {
        let earliest = at.saturating_sub(before);
        let place = self.windows.partition_point(|window| window.1 < earliest);
        let began = self.windows.get(place).map(|window| window.0).filter(|from| *from <= at);
        began.map_or(earliest, |from| from.max(earliest))
    }
}

/// While anything is broken, and `after` beyond.
fn windows(records: &[Record], after: u64) -> Vec<(u64, u64)> {
    let mut faults: BTreeMap<u32, (u64, u64)> = BTreeMap::new();
    for record in records {
        if let What::Fault { number, phase, .. } = &record.what {
            let window = faults.entry(*number).or_insert((record.at, u64::MAX));
            if *phase == Phase::Healed {
                window.1 = record.at.saturating_add(after);
            }
        }
    }
    let mut windows: Vec<(u64, u64)> = faults.into_values().collect();
    windows.sort_unstable();
    let mut apart: Vec<(u64, u64)> = Vec::new();
    for window in windows {
        match apart.last_mut().filter(|last| window.0 <= last.1) {
            Some(last) => last.1 = last.1.max(window.1),
            None => apart.push(window),
        }
    }
    apart
}
