//! One round: an examination of a warm world while faults of one sort go through it, by a seed.

use std::{
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use anyhow::Result;
use clap::ValueEnum;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng, seq::SliceRandom as _};
use serde::{Deserialize, Serialize};
use tidings_testkit::{Blow, Proxy};

use crate::{
    examiner::{Examiner, Files, Load, Verdict},
    fault::{self, Fault, Luck, Part},
    nemesis::{Entry, Nemesis},
    resources::Census,
    world::{Member, World},
};

/// Load before the first fault, and after the last one before resources are counted.
const WARM_UP: Duration = Duration::from_secs(2);
const COOL_DOWN: Duration = Duration::from_secs(3);
/// Clients that were cut off are back after this.
const SPREAD_PAUSE: Duration = Duration::from_millis(400);
/// How often clients are cut off so that they spread; chance decides where each goes.
const MOST_CUTS: usize = 4;
/// How often a partner is looked for that leaves the others their parts.
const MOST_TRIES: usize = 100;

/// What is tried in a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Node, Redis and Postgres are killed, one after the other, again and again.
    Kills,
    /// Two or three faults at once.
    Combos,
    /// Every fault there is, one after the other, again and again.
    Each,
}

/// A round to be.
#[derive(Clone, Copy, Debug)]
pub struct Round {
    /// Its place in the campaign.
    pub number: u32,
    /// Decides everything that is random in it.
    pub seed: u64,
    /// What is tried.
    pub kind: Kind,
    /// For how long; a strike that has begun is brought to its end.
    pub seconds: u64,
    /// Whether faults may last long.
    pub long: bool,
}

/// What came of a round, before anybody judges it.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Warm, before the first fault.
    pub warm: Census,
    /// After the last, under the same load.
    pub end: Census,
    /// The examiner's.
    pub verdict: Verdict,
}

impl Round {
    /// Runs it over this world, and writes every fault into the book.
    ///
    /// # Errors
    /// When something that is not under test failed: the examiner, or a part that could not be put right.
    pub fn run(&self, world: &mut World, load: &Load, folder: &Path, book: &mut Vec<Entry>) -> Result<Outcome> {
        let files = Files {
            history: folder.join("history.jsonl"),
            report: folder.join("report.json"),
            accounts: world.folder.path().join("accounts.json"),
        };
        let urls = world.urls()?;
        let mut examiner = Examiner::start(load, &urls, self.seed, &files)?;
        thread::sleep(WARM_UP);
        let warm = Census::take(world)?;
        self.break_things(world, &mut examiner, book)?;
        thread::sleep(COOL_DOWN);
        let end = Census::take(world)?;
        let verdict = examiner.verdict(load.patience)?;
        Ok(Outcome { warm, end, verdict })
    }

    fn break_things(&self, world: &mut World, examiner: &mut Examiner, book: &mut Vec<Entry>) -> Result<()> {
        let clocks = world.members.iter().all(Member::has_clock);
        let mut schedule = Schedule::new(self, world.members.len(), clocks);
        let mut nemesis = Nemesis::new(world, examiner, book);
        while nemesis.elapsed() < Duration::from_secs(self.seconds) {
            spread(nemesis.world);
            let (faults, rest) = schedule.strike();
            nemesis.strike(faults)?;
            thread::sleep(rest);
        }
        Ok(())
    }
}

/// Clients gather where nothing has been killed for a while, and then most faults hit nobody. While a node has hardly any, every
/// other line of the one that has most is cut, as a balancer would; each client goes to the next node of its own.
fn spread(world: &World) {
    for _ in 0..MOST_CUTS {
        let mut links: Vec<&Proxy> = world.members.iter().map(|member| &member.clients).collect();
        links.sort_by_key(|link| link.counts().live);
        let all: u64 = links.iter().map(|link| link.counts().live).sum();
        let (Some(least), Some(most)) = (links.first(), links.last()) else { return };
        if least.counts().live * 8 >= all {
            return;
        }
        most.strike(Blow::Cut, 2);
        thread::sleep(SPREAD_PAUSE);
    }
}

/// The faults of a round, strike by strike. The seed alone decides them.
#[derive(Debug)]
pub struct Schedule {
    kind: Kind,
    luck: Luck,
    /// What there is.
    makers: Vec<fault::Maker>,
    /// What is still to come before everything has had its turn.
    turn: Vec<fault::Maker>,
}

impl Schedule {
    /// Of this round, over so many nodes; `clocks` if their clocks can be set.
    #[must_use]
    pub fn new(round: &Round, nodes: usize, clocks: bool) -> Self {
        let makers = match round.kind {
            Kind::Kills => fault::KILLS.to_vec(),
            Kind::Combos => fault::combined(clocks),
            Kind::Each => fault::all(clocks),
        };
        let rng = StdRng::seed_from_u64(round.seed);
        Self { kind: round.kind, luck: Luck { rng, nodes, long: round.long }, makers, turn: Vec::new() }
    }

    /// What comes next, and how long to leave the world in peace after it.
    pub fn strike(&mut self) -> (Vec<Box<dyn Fault>>, Duration) {
        let (faults, rest) = match self.kind {
            Kind::Kills => (vec![self.in_turn()], 400..900),
            Kind::Each => (vec![self.in_turn()], 1_000..1_500),
            Kind::Combos => (self.combination(), 1_500..2_500),
        };
        (faults, Duration::from_millis(self.luck.rng.random_range(rest)))
    }

    /// The next; each has its turn before one comes again.
    fn in_turn(&mut self) -> Box<dyn Fault> {
        if self.turn.is_empty() {
            self.turn.clone_from(&self.makers);
            self.turn.shuffle(&mut self.luck.rng);
        }
        let maker = self.turn.pop().expect("there are faults");
        maker(&mut self.luck)
    }

    /// Two or three that do not need the same part; the first of them in turn, so that none is left out.
    fn combination(&mut self) -> Vec<Box<dyn Fault>> {
        let mut chosen: Vec<Box<dyn Fault>> = vec![self.in_turn()];
        let wanted = if self.luck.rng.random_bool(0.5) { 2 } else { 3 };
        for _ in 0..MOST_TRIES {
            if chosen.len() == wanted {
                break;
            }
            let maker = self.makers[self.luck.rng.random_range(0..self.makers.len())];
            let fault = maker(&mut self.luck);
            let claims = fault.claims();
            let taken: Vec<Part> = chosen.iter().flat_map(|other| other.claims()).collect();
            if !claims.iter().any(|part| taken.contains(part)) {
                chosen.push(fault);
            }
        }
        chosen
    }
}

/// Where the files of a round lie.
#[must_use]
pub fn folder(keep: &Path, round: &Round) -> PathBuf {
    keep.join(format!("{:?}-{:03}-seed-{}", round.kind, round.number, round.seed).to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(kind: Kind, seed: u64, strikes: usize) -> Vec<Vec<String>> {
        let round = Round { number: 1, seed, kind, seconds: 1, long: true };
        let mut schedule = Schedule::new(&round, 3, true);
        (0..strikes).map(|_| schedule.strike().0.iter().map(|fault| fault.name()).collect()).collect()
    }

    #[test]
    fn a_seed_decides_everything() {
        assert_eq!(names(Kind::Combos, 7, 50), names(Kind::Combos, 7, 50));
        assert_ne!(names(Kind::Combos, 7, 50), names(Kind::Combos, 8, 50));
    }

    #[test]
    fn faults_of_one_strike_leave_each_other_their_parts_and_a_node_stays() {
        let round = Round { number: 1, seed: 3, kind: Kind::Combos, seconds: 1, long: true };
        let mut schedule = Schedule::new(&round, 3, true);
        let mut sizes = [0; 4];
        for _ in 0..500 {
            let (faults, _) = schedule.strike();
            sizes[faults.len()] += 1;
            let mut claims: Vec<_> = faults.iter().flat_map(|fault| fault.claims()).collect();
            let wanted = claims.len();
            claims.sort_by_key(|part| format!("{part:?}"));
            claims.dedup();
            assert_eq!(claims.len(), wanted, "two want the same");
        }
        assert!(sizes[2] > 100 && sizes[3] > 100 && sizes[1] == 0, "{sizes:?}");
    }

    #[test]
    fn kills_are_shared_out_evenly() {
        let kinds: Vec<String> = names(Kind::Kills, 1, 300).concat();
        for part in ["node", "Redis", "Postgres"] {
            assert_eq!(kinds.iter().filter(|name| name.starts_with(&format!("kill -9 {part}"))).count(), 100);
        }
    }
}
