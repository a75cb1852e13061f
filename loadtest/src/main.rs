//! `tidings-load`: load with a conscience. Drives a server as its clients do, measures, and checks every delivery.
//! A black box: knows the protocol and nothing of the server's inside.

mod bench;
mod check;
mod connection;
mod crowd;
mod demo;
mod drive;
mod examine;
#[cfg(test)]
mod fake;
mod frame;
mod graph;
mod history;
mod link;
mod machine;
mod people;
mod prepare;
mod raw;
mod report;
mod schedule;
mod settings;
mod stage;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
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
    /// Drives a running server and checks that every acknowledged post reached every follower once, in order.
    Run {
        #[command(flatten)]
        settings: Box<settings::Settings>,
        /// File for the report as JSON.
        #[arg(long)]
        json: Option<PathBuf>,
    },
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
        Command::Run { settings, json } => {
            let report = drive::run(&settings).await?;
            write!(std::io::stdout(), "{report}")?;
            if let Some(path) = json {
                let text = serde_json::to_string_pretty(&report)?;
                std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
            }
            Ok(if report.good() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Command::Bench(args) => bench::run(&args).await,
        Command::Peers(args) => bench::peers::run(&args).await,
        Command::Judge(args) => examine::judge_again(&args),
        Command::Demo(args) => demo::run(&args).await,
        Command::Examine(args) => examine::run(&args).await,
    }
}
