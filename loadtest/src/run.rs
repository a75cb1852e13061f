//! The command `tidings-load run`: a scenario, a server, and the report in every form that was asked for.
//! Must never leave a server of its own behind.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::Args;

use crate::bench::server::Server;
use crate::flags::RunArgs;
use crate::report::{Report, html};
use crate::view::View;
use crate::{drive, scenario};

/// What to make a page of.
#[derive(Args)]
pub struct ReportArgs {
    /// The result (--json of `run`).
    result: PathBuf,
    /// File for the page. Without one, the report in words.
    #[arg(long)]
    html: Option<PathBuf>,
}

/// Tells of an earlier run.
///
/// # Errors
/// It is not a result, or the page cannot be written.
pub fn report(args: &ReportArgs) -> Result<ExitCode> {
    let report = Report::read(&args.result)?;
    match &args.html {
        None => write!(std::io::stdout(), "{report}")?,
        Some(path) => {
            std::fs::write(path, html::page(&report)?).with_context(|| format!("cannot write {}", path.display()))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs, reports, and says by its exit code whether the checker found anything.
///
/// # Errors
/// The run could not be carried out, or a report not written.
pub async fn run(args: &RunArgs) -> Result<ExitCode> {
    let (mut settings, source) = scenario::settle(args.scenario.as_deref(), &args.flags, &args.steps)?;
    // What cannot be written should be known before the run, not after it.
    for path in [&args.json, &args.html].into_iter().flatten() {
        std::fs::File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
    }
    let server = if args.serve { Some(Server::start(&binary(args.binary.as_deref())?).await?) } else { None };
    if let Some(server) = &server {
        settings.urls = vec![server.url()];
        settings.server_pid = Some(server.pid());
    }
    let mut view = View::open(args.quiet);
    let report = drive::perform(&settings, source, &mut view).await?;
    if let Some(server) = server {
        server.stop().await?;
    }
    tell(args, &report)?;
    Ok(if report.good() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The server's binary: the one that was named, or the one beside this program.
fn binary(named: Option<&Path>) -> Result<PathBuf> {
    let binary = match named {
        Some(named) => named.to_owned(),
        None => std::env::current_exe()?.with_file_name("tidings"),
    };
    ensure!(binary.is_file(), "no server at {}: build it, or name it with --binary", binary.display());
    Ok(binary)
}

fn tell(args: &RunArgs, report: &Report) -> Result<()> {
    write!(std::io::stdout(), "{report}")?;
    let write = |path: &PathBuf, text: String| {
        std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
    };
    if let Some(path) = &args.json {
        write(path, serde_json::to_string_pretty(report)?)?;
    }
    if let Some(path) = &args.html {
        write(path, html::page(report)?)?;
        writeln!(std::io::stdout(), "report       {}", path.display())?;
    }
    Ok(())
}
