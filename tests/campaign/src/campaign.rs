//! The campaign: round after round, each by its own seed, over worlds that are kept for a while; what was not good is kept on disk.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

use crate::{
    account::Account,
    examiner::Load,
    round::{self, Kind, Round},
    world::{Plan, World},
};

/// What no fault from outside may bring about, in a node's log.
const NEVER: &str = "panicked";
/// What the journal must be whatever happened: one entry for each number up to its head.
const DENSE: &str = "select h.seq = count(j.seq) and coalesce(max(j.seq), 0) = h.seq and coalesce(min(j.seq), 1) = 1 \
                     from journal_head h left join journal j on true group by h.seq";

/// What a campaign is asked to do.
#[derive(Clone, Debug)]
pub struct Campaign {
    /// How worlds are made.
    pub plan: Plan,
    /// What the examiner does.
    pub load: Load,
    /// How many rounds.
    pub rounds: u32,
    /// The first round's seed; each further round has the next.
    pub seed: u64,
    /// How long faults go on in a round.
    pub seconds: u64,
    /// What is tried, round by round, over and over.
    pub kinds: Vec<Kind>,
    /// Rounds that one world lives.
    pub fresh_every: u32,
    /// Whether faults may last long.
    pub long: bool,
    /// Where to keep what tells of rounds that were not good.
    pub keep: PathBuf,
    /// Whether to keep it of good rounds as well.
    pub keep_all: bool,
}

impl Campaign {
    /// Runs all rounds; `tell` hears of each as it ends.
    ///
    /// # Errors
    /// When no world can be made, or nothing can be written. What is wrong with a round is in its account.
    pub fn run(&self, mut tell: impl FnMut(&Account)) -> Result<Vec<Account>> {
        let mut accounts = Vec::new();
        let mut world: Option<(World, bool, u32)> = None;
        for round in self.rounds() {
            let clocks = round.kind != Kind::Kills;
            let lasts = matches!(&world, Some((_, with, age)) if *with == clocks && *age < self.fresh_every);
            if !lasts {
                // The old one ends before the new one begins.
                drop(world.take());
                world = Some((World::start(&Plan { clocks, ..self.plan.clone() })?, clocks, 0));
            }
            let (present, _, age) = world.as_mut().context("a world was made")?;
            *age += 1;
            let account = self.round(&round, present)?;
            tell(&account);
            if !account.is_good() {
                world = None;
            }
            accounts.push(account);
        }
        Ok(accounts)
    }

    fn rounds(&self) -> impl Iterator<Item = Round> {
        let kinds = self.kinds.iter().copied().cycle();
        (0..self.rounds).zip(kinds).map(|(number, kind)| Round {
            number: number + 1,
            seed: self.seed.wrapping_add(u64::from(number)),
            kind,
            seconds: self.seconds,
            long: self.long,
        })
    }

    fn round(&self, round: &Round, world: &mut World) -> Result<Account> {
        let folder = round::folder(&self.keep, round);
        fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        let mut book = Vec::new();
        let mut account = match round.run(world, &self.load, &folder, &mut book) {
            Ok(outcome) => Account::of(round, book, outcome)?,
            Err(why) => Account::failed(round, book, &why),
        };
        account.complaints.extend(complaints(world));
        if account.is_good() && !self.keep_all {
            fs::remove_dir_all(&folder)?;
        } else {
            keep(&folder, world, &mut account)?;
        }
        Ok(account)
    }
}

/// What is wrong inside, whatever clients saw.
fn complaints(world: &World) -> Vec<String> {
    let mut complaints = Vec::new();
    for (number, member) in world.members.iter().enumerate() {
        let log = member.node.log();
        let bad = log.lines().filter(|line| line.contains(NEVER));
        complaints.extend(bad.take(5).map(|line| format!("node {number} says: {line}")));
    }
    match world.database.psql(DENSE) {
        Ok(said) if said.trim() == "t" => {}
        Ok(said) => complaints.push(format!("the journal has holes ({said})")),
        Err(why) => complaints.push(format!("Postgres is not there after the round: {why:#}")),
    }
    complaints
}

fn keep(folder: &Path, world: &World, account: &mut Account) -> Result<()> {
    world.keep_logs(folder)?;
    account.kept = Some(folder.to_owned());
    fs::write(folder.join("account.json"), serde_json::to_vec_pretty(account)?)?;
    Ok(())
}
