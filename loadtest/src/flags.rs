//! The flags of `tidings-load run`: each overrides the key of the same name in the scenario.
//! Must never hold a default: what is not given is the scenario's, or `Settings`'.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use crate::graph::Shape;
use crate::schedule::Arrivals;

/// What to run, and how to tell of it.
#[derive(Args)]
pub struct RunArgs {
    /// A scenario: a name out of `tidings-load scenarios`, or a TOML file. Without one: the flags, and defaults.
    pub scenario: Option<String>,
    /// Overrides.
    #[command(flatten)]
    pub flags: Flags,
    /// Overrides of `[steps]`.
    #[command(flatten)]
    pub steps: StepFlags,
    /// Starts a server of its own for this run, with a private Postgres, and stops it afterwards.
    #[arg(long, conflicts_with_all = ["urls", "accounts", "server_pid"])]
    pub serve: bool,
    /// The server's binary for --serve. Default: `tidings` beside this one.
    #[arg(long, requires = "serve")]
    pub binary: Option<PathBuf>,
    /// File for the result as JSON (`tidings-load compare` reads it).
    #[arg(long)]
    pub json: Option<PathBuf>,
    /// File for the report as a page: one file, nothing is fetched from anywhere.
    #[arg(long)]
    pub html: Option<PathBuf>,
    /// Nothing on the terminal but the report.
    #[arg(long)]
    pub quiet: bool,
}

/// Keys of the scenario.
#[derive(Args, Default, Serialize)]
pub struct Flags {
    /// The server (http://127.0.0.1:8080); several nodes by several --url.
    #[arg(long = "url")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub urls: Vec<String>,
    /// WebSockets to keep open (100).
    #[arg(long)]
    pub connections: Option<usize>,
    /// Accounts; connections are dealt out to them in turn, at most 20 each. Default: one each, at most 200, but enough.
    #[arg(long)]
    pub people: Option<usize>,
    /// How many of the people write. Default: all.
    #[arg(long)]
    pub authors: Option<usize>,
    /// How followers are spread over authors.
    #[arg(long, value_enum)]
    pub followers: Option<Shape>,
    /// Whom each person follows (10).
    #[arg(long)]
    pub follows: Option<usize>,
    /// Posts a second, all authors together (10).
    #[arg(long)]
    pub rate: Option<f64>,
    /// Comments a second, all authors together (0).
    #[arg(long)]
    pub comments: Option<f64>,
    /// Posts whose comments are watched; every connection watches one of them, in turn (0).
    #[arg(long)]
    pub threads: Option<usize>,
    /// How arrivals are spaced.
    #[arg(long, value_enum)]
    pub arrivals: Option<Arrivals>,
    /// Decides the graph, the arrivals and the losses (1).
    #[arg(long)]
    pub seed: Option<u64>,
    /// Length of a text (200).
    #[arg(long)]
    pub text_bytes: Option<usize>,
    /// Lost lines a second, all connections together; each comes back with its cursor (0).
    #[arg(long)]
    pub reconnects: Option<f64>,
    /// Longest time that a lost connection stays away (1000).
    #[arg(long)]
    pub away_ms: Option<u64>,
    /// Connections that stop reading again and again (0).
    #[arg(long)]
    pub slow_readers: Option<usize>,
    /// How long each of them stops (3000).
    #[arg(long)]
    pub stall_ms: Option<u64>,
    /// From one stop to the next (5000).
    #[arg(long)]
    pub stall_every_ms: Option<u64>,
    /// Seconds before the measured part, checked but not counted (2).
    #[arg(long)]
    pub warm_up: Option<f64>,
    /// Length of the measured part (30), or of each step; phases are stretched to it together.
    #[arg(long)]
    pub seconds: Option<f64>,
    /// Multiplies all rates, those of phases too (1).
    #[arg(long)]
    pub scale: Option<f64>,
    /// Seconds in which nothing at all comes before what is still missing is lost (15).
    #[arg(long)]
    pub patience: Option<f64>,
    /// Share of the connections of which every delivery is kept and checked (1); of the others only the order is. For
    /// runs whose deliveries (50 bytes each) would not fit in memory.
    #[arg(long)]
    pub check: Option<f64>,
    /// File that keeps the accounts between runs (signing up is slow on purpose).
    #[arg(long)]
    pub accounts: Option<PathBuf>,
    /// Process id of the server on this machine, to report its CPU time and memory.
    #[arg(long)]
    pub server_pid: Option<u32>,
}

/// Keys of `[steps]`.
#[derive(Args, Default, Serialize)]
pub struct StepFlags {
    /// Raises the rates step by step up to the knee, also where the scenario does not.
    #[arg(long)]
    #[serde(skip)]
    pub steps: bool,
    /// Each step's rate over that of the one before (1.5).
    #[arg(long = "steps-factor")]
    pub factor: Option<f64>,
    /// Steps at most (12).
    #[arg(long = "steps-most")]
    pub most: Option<usize>,
    /// Seconds without load after each step (1).
    #[arg(long = "steps-rest")]
    pub rest: Option<f64>,
    /// p99 of deliveries in milliseconds beyond which it is enough (50).
    #[arg(long = "steps-p99-ms")]
    pub p99_ms: Option<f64>,
    /// Seconds' worth of work without an answer at the end of a step beyond which it is enough (0.5).
    #[arg(long = "steps-backlog-seconds")]
    pub backlog_seconds: Option<f64>,
}
