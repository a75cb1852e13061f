//! The examiner examined: good histories must pass, and every anomaly put into one must be found by its invariant.
//! Must never let a mutation pass unseen: an examiner that overlooks something is worse than none.

mod mutation;
mod specimen;

use std::fmt;

use rand::SeedableRng as _;
use rand::rngs::StdRng;

use super::judge::{Patience, judge};

/// What became of one kind of anomaly.
#[derive(Clone, Debug)]
pub struct Line {
    /// In words.
    pub name: &'static str,
    /// How often it could be put in.
    pub tried: u64,
    /// How often its invariant found it.
    pub found: u64,
    /// Seeds of which it was not found.
    pub missed: Vec<u64>,
}

/// What became of the self-test.
#[derive(Clone, Debug)]
pub struct SelfTest {
    /// Good histories that were judged.
    pub good: u64,
    /// Seeds of good histories that were accused, with the first accusation.
    pub accused: Vec<(u64, String)>,
    /// By kind.
    pub lines: Vec<Line>,
}

impl SelfTest {
    /// Good histories of so many seeds, and each with every anomaly that it gives occasion to.
    #[must_use]
    pub fn of(seeds: std::ops::Range<u64>) -> Self {
        let mut test = Self { good: 0, accused: Vec::new(), lines: Vec::new() };
        let line = |mutation: &mutation::Mutation| Line { name: mutation.name, tried: 0, found: 0, missed: Vec::new() };
        test.lines.extend(mutation::all().map(line));
        for seed in seeds {
            let good = specimen::good(seed);
            test.good += 1;
            let verdict = judge(&good, Patience::default());
            test.accused.extend(verdict.violations.first().map(|violation| (seed, violation.to_string())));
            let lives = mutation::lives(&good);
            for (mutation, line) in mutation::all().zip(&mut test.lines) {
                let mut bad = good.clone();
                if mutation.lives != lives || !(mutation.spoil)(&mut bad, &mut StdRng::seed_from_u64(seed)) {
                    continue;
                }
                line.tried += 1;
                let found = judge(&bad, Patience::default()).violations;
                if found.iter().any(|violation| mutation.breaks.contains(&violation.invariant)) {
                    line.found += 1;
                } else {
                    line.missed.push(seed);
                }
            }
        }
        test
    }

    /// Nothing good was accused, everything bad was found, and every kind was tried.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.accused.is_empty() && self.lines.iter().all(|line| line.tried > 0 && line.found == line.tried)
    }
}

impl fmt::Display for SelfTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.lines {
            writeln!(f, "{:6} of {:6} found: {}", line.found, line.tried, line.name)?;
            if !line.missed.is_empty() {
                writeln!(f, "       MISSED with seeds {:?}", line.missed)?;
            }
        }
        for (seed, says) in &self.accused {
            writeln!(f, "FALSE ACCUSATION of the good history of seed {seed}: {says}")?;
        }
        let (found, tried) = self.lines.iter().fold((0, 0), |sum, line| (sum.0 + line.found, sum.1 + line.tried));
        let verdict = if self.passed() { "passed" } else { "FAILED" };
        writeln!(f, "self-test {verdict}: {found} of {tried} anomalies found, {} good histories", self.good)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_histories_pass_and_every_anomaly_is_found() {
        let test = SelfTest::of(0..120);
        assert!(test.passed(), "{test}");
    }
}
