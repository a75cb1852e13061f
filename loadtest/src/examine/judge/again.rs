//! `tidings-load judge`: a history is judged again, or the judge is examined.
//! Must never change a history.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Args;

use super::{Patience, judge};
use crate::examine::history;
use crate::examine::selftest::SelfTest;

/// What to judge.
#[derive(Args)]
pub struct JudgeArgs {
    /// The history of an examination, as JSON lines.
    history: Option<PathBuf>,
    /// A new epoch must keep what was acknowledged in the old one (a standby that is written to synchronously).
    #[arg(long)]
    epochs_keep_all: bool,
    /// Examines the judge: synthetic good histories of so many seeds, and each with every anomaly that it gives occasion to.
    #[arg(long, value_name = "SEEDS", num_args = 0..=1, default_missing_value = "120")]
    self_test: Option<u64>,
}

/// Judges a history again, or the judge.
///
/// # Errors
/// The history cannot be read.
pub fn judge_again(args: &JudgeArgs) -> Result<ExitCode> {
    let mut good = true;
    if let Some(seeds) = args.self_test {
        let test = SelfTest::of(0..seeds);
        good &= test.passed();
        write!(std::io::stdout(), "{test}")?;
    }
    match &args.history {
        Some(path) => {
            let records = history::read(path)?;
            let patience = Patience { loss_with_epoch: !args.epochs_keep_all, ..Patience::default() };
            let verdict = judge(&records, patience);
            good &= verdict.is_good();
            write!(std::io::stdout(), "{verdict}")?;
        }
        None if args.self_test.is_none() => bail!("name a history, or ask for --self-test"),
        None => {}
    }
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
