//! Tidings beside other servers: the same frames, the same client, interleaved rounds, each server alone on its core.
//! Must never quote a figure of a server that did not deliver everything in order. See `docs/performance.md`.

mod audience;
mod cores;
mod dialect;
mod found;
mod nats;
mod paced;
mod peer;
mod subject;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::Args;

use crate::{machine, people};
use cores::Cores;
use found::{Found, Missing};
use peer::{Peer, Places};
use subject::Subject;

/// What a Tidings frame of the bench's posts comes to, for a run without Tidings.
const FRAME_BYTES: usize = 287;

/// What to compare, and how long.
#[derive(Args)]
pub struct PeersArgs {
    /// Times each server is measured, all others in between.
    #[arg(long, default_value_t = 4)]
    rounds: usize,
    /// Who is sent every event, parted by commas.
    #[arg(long, value_delimiter = ',', default_value = "1000,5000")]
    subscribers: Vec<usize>,
    /// Seconds of each measurement.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Instead of the table: so many events a second, each when it is due, and how late they come.
    #[arg(long)]
    paced: Option<f64>,
    /// Servers to measure, parted by commas. Default: all.
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Peer>,
    /// Tidings' binary. Default: `tidings` beside this one.
    #[arg(long)]
    binary: Option<PathBuf>,
    /// Folder of the peers built from `loadtest/peers`.
    #[arg(long, default_value = "target/peers/release")]
    built: PathBuf,
    /// The folder `loadtest/peers`.
    #[arg(long, default_value = "loadtest/peers")]
    sources: PathBuf,
    /// File for the figures as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
}

/// Measures all servers and prints the table.
///
/// # Errors
/// A server lost, doubled or altered an event, or Tidings could not be started. A peer that is missing is no error, and is named.
pub async fn run(args: &PeersArgs) -> Result<ExitCode> {
    ensure!(args.paced.is_none_or(|per_second| per_second > 0.0), "nothing happens at this pace");
    ensure!(args.rounds > 0 && !args.subscribers.is_empty() && !args.subscribers.contains(&0), "nothing to measure");
    // Servers inherit it.
    machine::make_room_for(args.most_subscribers() + 1024)?;
    let cores = Cores::take()?;
    let mut found = Found {
        cores,
        frame_bytes: FRAME_BYTES,
        seconds: args.seconds,
        series: Vec::new(),
        paced: Vec::new(),
        missing: Vec::new(),
        rows: Vec::new(),
    };
    let mut subjects = args.start_all(&mut found).await?;
    let outcome = args.measure_all(&mut subjects, &mut found).await;
    // What has been found is shown also when a later part failed.
    if args.paced.is_none() {
        found.judge(&args.subscribers);
    }
    write!(std::io::stdout(), "{found}")?;
    if let Some(path) = &args.json {
        let text = serde_json::to_string_pretty(&found)?;
        std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    outcome?;
    for subject in subjects {
        subject.stop().await?;
    }
    Ok(ExitCode::SUCCESS)
}

impl PeersArgs {
    fn most_subscribers(&self) -> usize {
        self.subscribers.iter().copied().max().unwrap_or(0)
    }

    /// All that were asked for and are there. All run from the beginning; one that nobody is connected to does nothing.
    async fn start_all(&self, found: &mut Found) -> Result<Vec<Subject>> {
        let places = Places { built: self.built.clone(), sources: self.sources.clone() };
        let mut subjects = Vec::new();
        for peer in Peer::ALL.into_iter().filter(|peer| self.only.is_empty() || self.only.contains(peer)) {
            if peer == Peer::Tidings {
                let beside = std::env::current_exe()?.with_file_name("tidings");
                let binary = self.binary.clone().unwrap_or(beside);
                subjects.push(Subject::tidings(&binary, found.cores, self.most_subscribers()).await?);
                continue;
            }
            match found.cores.on_server(places.start(peer)).await {
                Ok(running) => subjects.push(Subject::other(peer, running)),
                Err(why) => found.missing.push(Missing { peer, why: format!("{why:#}") }),
            }
        }
        ensure!(!subjects.is_empty(), "none of the servers is there: {:?}", found.missing);
        Ok(subjects)
    }

    async fn measure_all(&self, subjects: &mut [Subject], found: &mut Found) -> Result<()> {
        let all = self.rounds * self.subscribers.len() * subjects.len();
        let bar = people::bar(all as u64, "measured");
        for round in 0..self.rounds {
            for &subscribers in &self.subscribers {
                for subject in &*subjects {
                    let name = subject.peer.name();
                    bar.set_message(format!("{name}, {subscribers} subscribers"));
                    let measured = match self.paced {
                        None => subject.measure(self.seconds, subscribers, found).await,
                        Some(per_second) => subject.pace(per_second, self.seconds, subscribers, found).await,
                    };
                    measured.with_context(|| format!("{name}, {subscribers} subscribers, round {}", round + 1))?;
                    bar.inc(1);
                }
            }
            // At first Tidings says how long a frame is; after that another one begins each time.
            subjects.rotate_left(1);
        }
        bar.finish_and_clear();
        found.sort();
        Ok(())
    }
}
