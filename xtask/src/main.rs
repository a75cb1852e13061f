//! `cargo xtask start | test | check | mutants | queries | bench`: the commands of a developer's day, each from a clean clone.
//!
//! Owns what is installed and started for them. Never touches a server it did not start, and leaves nothing running.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool speaks to the terminal")]

mod bench_peers;
mod campaign;
mod check;
mod floors;
mod install;
mod mutants;
mod queries;
mod shell;
mod start;
mod test;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::shell::Cargo;

#[derive(Parser)]
#[command(bin_name = "cargo xtask", about = "Start, test, check and measure Tidings")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build the release and run it, with a private Postgres unless DATABASE_URL is set
    Start {
        /// --demo has a made-up community move in and keep talking; all else is passed on to the server
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Install what tests need, start a Postgres and a Redis for them, run all tests
    Test {
        /// Names of tests and other arguments, passed on to the runner, such as -p tidings-store
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Formatting, lints, licences and the floors of the architecture
    Check {
        /// Only these: format, floors, mutants, lints, deny, advisories
        only: Vec<String>,
    },
    /// Put small bugs into a copy of the server, one at a time, and see that the tests notice
    Mutants {
        #[command(flatten)]
        wish: mutants::Wish,
    },
    /// Write the offline data of the store's queries, after changing one or a migration
    Queries,
    /// Break a running Tidings in every way there is, and have it examined: --rounds N --seed S [--seconds-per-round T]
    /// [--kinds kills,each,combos] [--report docs/campaign]
    Campaign {
        /// Passed on; --help tells all
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Run the load tests' benchmarks; `bench peers` measures deliveries beside those of other servers
    Bench {
        /// What to measure, passed on
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
}

fn main() -> ExitCode {
    let done = match Arguments::parse().task {
        Task::Start { args } => start::start(&args),
        Task::Test { args } => test::test(&args),
        Task::Check { only } => check::check(&only),
        Task::Mutants { wish } => mutants::mutants(&wish),
        Task::Queries => queries::queries(),
        Task::Campaign { args } => campaign::campaign(&args),
        Task::Bench { args } => bench(&args),
    };
    match done {
        Ok(code) => code,
        Err(fault) => {
            eprintln!("cargo xtask: {fault:#}");
            ExitCode::FAILURE
        }
    }
}

fn bench(args: &[String]) -> Result<ExitCode> {
    if let Some((first, rest)) = args.split_first()
        && first == "peers"
    {
        return bench_peers::bench_peers(rest);
    }
    Cargo::new(["run", "--release", "--package", "tidings-load", "--", "bench"]).args(args).exit_code()
}
