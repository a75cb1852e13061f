//! `tidings-campaign`: runs a campaign of faults against the server and the examiner that are given to it, and writes its report.
//!
//! Never builds anything: `cargo xtask campaign` does.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool speaks to the terminal")]

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context as _, Result};
use clap::Parser;
use tidings_campaign::{
    account::Account, campaign::Campaign, examiner::Load, report, round::Kind, summary::Summary, world::Plan,
};

/// Breaks Tidings under load, round after round, and has it examined.
#[derive(Parser)]
struct Arguments {
    /// The server's binary.
    #[arg(long)]
    server: PathBuf,
    /// The harness's binary, `tidings-load`.
    #[arg(long)]
    harness: PathBuf,
    /// How many rounds.
    #[arg(long, default_value_t = 6)]
    rounds: u32,
    /// The first round's seed; each further round has the next, so that any of them can be run alone.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How long faults go on in a round.
    #[arg(long, default_value_t = 60)]
    seconds_per_round: u64,
    /// What is tried, round by round, over and over.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "kills,each,combos")]
    kinds: Vec<Kind>,
    /// Faults may last as long as the list of faults says; otherwise a few seconds.
    #[arg(long)]
    long: bool,
    /// Nodes of the world.
    #[arg(long, default_value_t = 3)]
    nodes: usize,
    /// Rounds that one world lives.
    #[arg(long, default_value_t = 4)]
    fresh_every: u32,
    /// Accounts.
    #[arg(long, default_value_t = 12)]
    people: u32,
    /// Connections of clients.
    #[arg(long, default_value_t = 24)]
    clients: u32,
    /// Changes a second, of all clients together.
    #[arg(long, default_value_t = 400)]
    rate: u32,
    /// How long the world may take to recover in the end, in seconds.
    #[arg(long, default_value_t = 10)]
    recover: u32,
    /// Where to write the report.
    #[arg(long)]
    report: Option<PathBuf>,
    /// Where to keep what tells of rounds that were not good.
    #[arg(long, default_value = "target/campaign")]
    keep: PathBuf,
    /// Keep it of good rounds as well.
    #[arg(long)]
    keep_all: bool,
}

fn main() -> ExitCode {
    run(Arguments::parse()).unwrap_or_else(|why| {
        eprintln!("tidings-campaign: {why:#}");
        ExitCode::from(2)
    })
}

/// The path from the root: nodes are started in folders of their own.
fn found(binary: &Path) -> Result<PathBuf> {
    binary.canonicalize().with_context(|| binary.display().to_string())
}

fn run(arguments: Arguments) -> Result<ExitCode> {
    let campaign = Campaign {
        plan: Plan { server: found(&arguments.server)?, nodes: arguments.nodes, clocks: true },
        load: Load {
            harness: found(&arguments.harness)?,
            people: arguments.people,
            clients: arguments.clients,
            rate: arguments.rate,
            recover: arguments.recover,
            patience: Duration::from_secs(300),
        },
        rounds: arguments.rounds,
        seed: arguments.seed,
        seconds: arguments.seconds_per_round,
        kinds: arguments.kinds,
        fresh_every: arguments.fresh_every,
        long: arguments.long,
        keep: arguments.keep,
        keep_all: arguments.keep_all,
    };
    let accounts = campaign.run(tell)?;
    let summary = Summary::of(&campaign, accounts)?;
    println!("{}", report::markdown(&summary));
    if let Some(folder) = &arguments.report {
        report::write(&summary, folder)?;
        println!("written to {}", folder.display());
    }
    Ok(if summary.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A line for a round that has ended, and what was wrong with it.
fn tell(account: &Account) {
    let (number, seed, faults) = (account.number, account.seed, account.book.len());
    let state = if account.is_good() { "good" } else { "NOT GOOD" };
    println!("round {number}, seed {seed}: {state}; {faults} faults, {} changes acknowledged", account.acknowledged);
    for wrong in account.wrongs(5) {
        println!("    {wrong}");
    }
    if let Some(kept) = &account.kept {
        println!("    kept in {}", kept.display());
    }
}
