//! `tidings-load`: load with a conscience. Drives a server as its clients do, measures, and checks every delivery.
//! A black box: knows the protocol and nothing of the server's inside.

mod bench;
mod check;
mod compare;
mod connection;
mod crowd;
mod demo;
mod drive;
mod examine;
#[cfg(test)]
mod fake;
mod flags;
mod frame;
mod graph;
mod history;
mod knee;
mod link;
mod machine;
mod people;
mod plan;
mod prepare;
mod raw;
mod report;
mod run;
mod scenario;
mod schedule;
mod settings;
mod stage;
mod timeline;
mod usage;
mod view;
mod watch;

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use tokio::task::LocalSet;

/// Load tests for Tidings.
#[derive(Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs a scenario against a server and checks that every acknowledged post reached every follower once, in order.
    Run(Box<flags::RunArgs>),
    /// Lists the scenarios that come with the program.
    Scenarios,
    /// Makes the page of a result that was kept as JSON.
    Report(run::ReportArgs),
    /// Says what got better or worse from one result to another, and whether that is more than noise.
    Compare(compare::CompareArgs),
    /// Starts a server of its own and measures latency, posts a second, cost of deliveries, memory of idle connections.
    Bench(bench::BenchArgs),
    /// Measures deliveries beside those of other servers: the same frames, the same client, each server on a core of its own.
    Peers(bench::peers::PeersArgs),
    /// Judges the history of an examination again, or examines the judge itself.
    Judge(examine::JudgeArgs),
    /// Moves a small made-up community in to an empty server and keeps it talking.
    Demo(demo::DemoArgs),
    /// Examines a deployment: does what people do, writes down every frame, and judges it by what the protocol promises.
    Examine(Box<examine::ExamineArgs>),
}

fn main() -> Result<ExitCode> {
    let command = Cli::parse().command;
    // One thread: its CPU time shows at once whether the harness is the bottleneck.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, perform(command))
}

async fn perform(command: Command) -> Result<ExitCode> {
    match command {
        Command::Run(args) => run::run(&args).await,
        Command::Scenarios => {
            write!(std::io::stdout(), "{}", scenario::list())?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Report(args) => run::report(&args),
        Command::Compare(args) => compare::compare(&args),
        Command::Bench(args) => bench::run(&args).await,
        Command::Peers(args) => bench::peers::run(&args).await,
        Command::Judge(args) => examine::judge_again(&args),
        Command::Demo(args) => demo::run(&args).await,
        Command::Examine(args) => examine::run(&args).await,
    }
}
