//! `tidings-load examine`: drives a deployment with many clients, writes down everything, and judges it by what the protocol promises.
//! Must never know anything of the server but its protocol.

mod drive;
mod history;
mod judge;
mod report;
mod selftest;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, ensure};
use clap::Args;
use tidings_protocol::limits::CONNECTIONS_PER_USER;

pub use self::judge::{JudgeArgs, judge_again};

use self::history::Recorder;
use self::judge::{Patience, judge};
use self::report::Report;
use self::selftest::SelfTest;

/// Good histories, and what is spoilt of each, by which the judge proves itself before it judges.
const SELF_TEST: std::ops::Range<u64> = 0..4;
/// Exit codes: something is wrong; it could not be found out.
const BAD: u8 = 1;
const NOT_EXAMINED: u8 = 2;

/// How to examine.
#[derive(Args, Clone, Debug)]
pub struct ExamineArgs {
    /// The server; several nodes by several `--url`.
    #[arg(long = "url", default_value = "http://127.0.0.1:8080")]
    pub urls: Vec<String>,
    /// Accounts.
    #[arg(long, default_value_t = 12)]
    pub people: usize,
    /// Clients, dealt out to the people in turn, at most 20 each.
    #[arg(long, default_value_t = 40)]
    pub clients: usize,
    /// Changes a second, all clients together. Default: 400, or what the server's limits allow.
    #[arg(long)]
    pub rate: Option<f64>,
    /// Length of the load.
    #[arg(long, default_value_t = 30.0)]
    pub seconds: f64,
    /// Decides what the clients try.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// File for the history, as JSON lines. Default: kept beside the temporary files if something is wrong.
    #[arg(long)]
    pub history: Option<PathBuf>,
    /// File for the report as JSON.
    #[arg(long)]
    pub json: Option<PathBuf>,
    /// File that keeps the accounts between examinations (signing up is slow on purpose).
    #[arg(long)]
    pub accounts: Option<PathBuf>,
    /// Faults are told on standard input, and end the load instead of `--seconds`.
    #[arg(long)]
    pub steered: bool,
    /// Seconds, after the load, until everybody must have everything.
    #[arg(long, default_value_t = 10.0)]
    pub recover: f64,
}

/// Examines, and says what was found: 0 all is good, 1 something is wrong, 2 it could not be examined.
///
/// # Errors
/// Standard output is closed.
pub async fn run(args: &ExamineArgs) -> Result<ExitCode> {
    match examine(args).await {
        Ok(report) => {
            write!(std::io::stdout(), "{report}")?;
            Ok(if report.good() { ExitCode::SUCCESS } else { ExitCode::from(BAD) })
        }
        Err(cause) => {
            writeln!(std::io::stderr(), "could not examine: {cause:#}")?;
            Ok(ExitCode::from(NOT_EXAMINED))
        }
    }
}

async fn examine(args: &ExamineArgs) -> Result<Report> {
    check(args)?;
    let proof = SelfTest::of(SELF_TEST);
    let blind = !proof.accused.is_empty() || proof.lines.iter().any(|line| line.found < line.tried);
    ensure!(!blind, "the judge overlooks what it is to find\n{proof}");
    let draft = tempfile::Builder::new().prefix("tidings-history-").suffix(".jsonl").tempfile()?;
    let path = args.history.as_deref().unwrap_or(draft.path());
    let examined = Box::pin(drive::examine(args, Recorder::to(path)?)).await?;
    let report = Report::of(args, &examined, &proof, judge(&examined.records, Patience::default()))?;
    if let Some(path) = &args.json {
        let text = serde_json::to_string_pretty(&report)?;
        std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    if args.history.is_none() && !report.good() {
        let (_, kept) = draft.keep()?;
        tell(&kept)?;
    }
    Ok(report)
}

fn tell(kept: &Path) -> Result<()> {
    writeln!(std::io::stdout(), "history     {}", kept.display())?;
    Ok(())
}

fn check(args: &ExamineArgs) -> Result<()> {
    let (people, clients) = (args.people, args.clients);
    ensure!(people >= 2, "--people {people}: at least two, or nobody has anybody to follow");
    ensure!(people <= clients, "--people {people}: more than --clients {clients}; some would never be heard of");
    ensure!(
        people * CONNECTIONS_PER_USER >= clients,
        "--clients {clients} need at least {} --people: a node allows {CONNECTIONS_PER_USER} connections each",
        clients.div_ceil(CONNECTIONS_PER_USER)
    );
    let positive = |number: f64| number.is_finite() && number > 0.0;
    ensure!(args.rate.is_none_or(positive), "--rate must be more than 0");
    ensure!(positive(args.seconds) && positive(args.recover), "--seconds and --recover must be more than 0");
    Ok(())
}
