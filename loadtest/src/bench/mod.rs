//! The four figures of a release: latency at light load, posts a second, cost of a delivery, memory of an idle connection.
//! Starts its own server; quotes ratios where the machine decides the absolute number. See `docs/performance.md`.

mod commits;
mod drain;
mod fanout;
mod filling;
mod flock;
mod growth;
mod home;
mod idle;
pub mod peers;
mod pgbench;
mod resume;
pub mod server;
mod stalled;
mod steady;
mod storm;
mod vigil;

use std::fmt;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::graph::{self, Shape};
use crate::link;
use crate::people::{self, Person};
use crate::report::Report;
use crate::settings::Settings;
use crate::{drive, prepare};
use commits::Commits;
use drain::Drain;
use fanout::{Audience, Fanout};
use idle::Idle;
use server::Server;
use storm::Storms;

/// Between two parts.
const REST: Duration = Duration::from_secs(1);
/// Posts on their way at the same time, in turn.
const IN_FLIGHT: [u64; 2] = [1, 16];

/// One of the figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Memory of idle connections.
    Idle,
    /// A page of `home`, by how many one follows.
    Home,
    /// Connections that come back after having missed something.
    Resume,
    /// The cost of a delivery, by how much there is beside it.
    Growth,
    /// End-to-end latency at light load.
    Latency,
    /// Cost of a delivery.
    Fanout,
    /// Posts a second against pgbench.
    Commits,
    /// Readers who stop reading.
    Stalled,
    /// Everybody cut at once, and back.
    Storm,
    /// A node stopped with everybody on it.
    Drain,
}

/// What to measure, and how large.
#[derive(Args)]
pub struct BenchArgs {
    /// The server's binary. Default: `tidings` beside this one.
    #[arg(long)]
    binary: Option<PathBuf>,
    /// Parts to measure, parted by commas; all but these are measured only when they are asked for.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "idle,latency,fanout,commits")]
    parts: Vec<Part>,
    /// Seconds of each measurement.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Idle connections.
    #[arg(long, default_value_t = 10_000)]
    connections: usize,
    /// Connections of each account, at most 20.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u8).range(1..=20))]
    each: u8,
    /// How many each account of the idle connections follows.
    #[arg(long, default_value_t = 200)]
    followees: usize,
    /// Storms, one after another.
    #[arg(long, default_value_t = 3)]
    storms: usize,
    /// Subscribers of the one author.
    #[arg(long, default_value_t = 1_000)]
    subscribers: usize,
    /// File for the figures as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
}

/// What was found.
#[derive(Default, Serialize)]
struct Figures {
    cores: usize,
    idle: Option<Idle>,
    latency: Option<Report>,
    fanout: Vec<Fanout>,
    home: Option<home::Homes>,
    resume: Option<resume::Resumes>,
    growth: Vec<growth::Point>,
    commits: Option<Commits>,
    stalled: Option<stalled::Stalled>,
    storm: Option<Storms>,
    drain: Option<Drain>,
}

/// Runs the parts that were asked for.
///
/// # Errors
/// A part could not be carried out.
pub async fn run(args: &BenchArgs) -> Result<ExitCode> {
    let binary = match &args.binary {
        Some(given) => given.clone(),
        None => std::env::current_exe()?.with_file_name("tidings"),
    };
    ensure!(binary.is_file(), "no server at {}: build it, or name it with --binary", binary.display());
    let server = Server::start(&binary).await?;
    let bench = Bench {
        args,
        server,
        accounts: (args.connections.div_ceil(usize::from(args.each)) + 1)
            .max(args.subscribers.div_ceil(20) + 1)
            .max(100),
    };
    let mut figures = Figures::default();
    let outcome = bench.measure(&mut figures).await;
    // What has been found is shown also when a later part failed.
    write!(std::io::stdout(), "{figures}")?;
    if let Some(path) = &args.json {
        let text = serde_json::to_string_pretty(&figures)?;
        std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    outcome?;
    let good = figures.latency.as_ref().is_none_or(Report::good);
    bench.server.stop().await?;
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

struct Bench<'a> {
    args: &'a BenchArgs,
    server: Server,
    accounts: usize,
}

impl Bench<'_> {
    async fn measure(&self, figures: &mut Figures) -> Result<()> {
        let file = self.accounts_file();
        let mut people = people::gather(&self.server.url(), self.accounts, Some(&file)).await?;
        figures.cores = std::thread::available_parallelism().map_or(1, usize::from);
        for part in &self.args.parts {
            // What the part before left open has time to go.
            tokio::time::sleep(REST).await;
            match part {
                Part::Idle => {
                    let (connections, followees) = (self.args.connections, self.args.followees);
                    figures.idle = Some(idle::measure(&self.server, &people, connections, followees).await?);
                }
                Part::Latency => {
                    figures.latency = Some(drive::run(&self.light_load()).await?);
                    people = people::load(&file)?;
                }
                Part::Fanout => figures.fanout = self.fanout(&mut people).await?,
                Part::Commits => {
                    figures.commits = Some(commits::measure(&self.server, &people, self.args.seconds).await?);
                }
                Part::Home => figures.home = Some(home::measure(&self.server, &people, self.args.seconds).await?),
                Part::Resume => {
                    self.celebrate(&mut people).await?;
                    let found = resume::measure(&self.server, &people, self.args.connections).await?;
                    figures.resume = Some(found);
                }
                Part::Growth => {
                    self.celebrate(&mut people).await?;
                    let (subscribers, seconds) = (self.args.subscribers, self.args.seconds);
                    figures.growth = growth::measure(&self.server, &people, subscribers, seconds).await?;
                }
                Part::Stalled => {
                    self.celebrate(&mut people).await?;
                    figures.stalled = Some(stalled::measure(&self.server, &people).await?);
                }
                Part::Storm => {
                    let (connections, storms) = (self.args.connections, self.args.storms);
                    let found = storm::measure(&self.server, &people, connections, storms, self.args.seconds);
                    figures.storm = Some(found.await?);
                }
                Part::Drain => {
                    figures.drain = Some(drain::measure(&self.server, &people, self.args.connections).await?);
                }
            }
        }
        Ok(())
    }

    fn accounts_file(&self) -> PathBuf {
        self.server.folder().join("accounts.json")
    }

    /// 50 posts a second by 10 authors whom everybody follows: each reaches 100 connections.
    fn light_load(&self) -> Settings {
        #[expect(clippy::cast_precision_loss, reason = "seconds")]
        let seconds = 2.0 * self.args.seconds as f64;
        Settings {
            urls: vec![self.server.url()],
            connections: 100,
            rate: 50.0,
            seconds,
            warm_up: 2.0,
            followers: Shape::Uniform,
            follows: 10,
            people: Some(100),
            authors: Some(10),
            accounts: Some(self.accounts_file()),
            server_pid: Some(self.server.pid()),
            ..Settings::default()
        }
    }

    /// Everybody follows the first.
    async fn celebrate(&self, people: &mut [Person]) -> Result<()> {
        let follows = graph::make(Shape::Celebrity, people.len(), 1, 1, 1);
        let target = link::resolve(&self.server.url()).await?;
        prepare::arrange(target, people, &follows, Some(&self.accounts_file())).await
    }

    async fn fanout(&self, people: &mut [Person]) -> Result<Vec<Fanout>> {
        self.celebrate(people).await?;
        let mut audience = Audience::gather(&self.server, people, self.args.subscribers).await?;
        let mut found = Vec::new();
        for in_flight in IN_FLIGHT {
            found.push(audience.measure(&self.server, in_flight, self.args.seconds).await?);
        }
        Ok(found)
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "on {} cores shared by server, Postgres and harness", self.cores)?;
        if let Some(report) = &self.latency {
            writeln!(f, "\nlight load: 50 posts/s, each to 100 connections\n{report}")?;
        }
        if let Some(commits) = &self.commits {
            write!(f, "{commits}")?;
        }
        for fanout in &self.fanout {
            writeln!(f, "\ndeliveries to {} subscribers, {} posts in flight", fanout.subscribers, fanout.in_flight)?;
            writeln!(
                f,
                "  {:.0}/s of {} bytes; server {:.2} µs user + {:.2} µs system each ({:.2} cores), client {:.2} cores",
                fanout.per_second,
                fanout.frame_bytes,
                fanout.user_us,
                fanout.system_us,
                fanout.server_cores,
                fanout.client_cores
            )?;
        }
        if let Some(home) = &self.home {
            write!(f, "{home}")?;
        }
        if let Some(resume) = &self.resume {
            write!(f, "{resume}")?;
        }
        if !self.growth.is_empty() {
            writeln!(f, "\na delivery, beside")?;
        }
        for point in &self.growth {
            write!(f, "{point}")?;
        }
        let crowds: [Option<&dyn fmt::Display>; 3] = [
            self.stalled.as_ref().map(|found| found as _),
            self.storm.as_ref().map(|found| found as _),
            self.drain.as_ref().map(|found| found as _),
        ];
        for found in crowds.into_iter().flatten() {
            write!(f, "{found}")?;
        }
        if let Some(idle) = &self.idle {
            writeln!(
                f,
                "\n{} idle connections of {} accounts, {} followees each",
                idle.connections, idle.accounts, idle.followees
            )?;
            writeln!(
                f,
                "  {} bytes each ({:.1} → {:.1} MiB); {:.0} opened a second, {:.0} µs of the server's CPU each",
                idle.bytes_each,
                mebibytes(idle.before_bytes),
                mebibytes(idle.after_bytes),
                idle.opened_per_second,
                idle.open_us
            )?;
        }
        Ok(())
    }
}

#[expect(clippy::cast_precision_loss, reason = "sizes are far below 2^52")]
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
