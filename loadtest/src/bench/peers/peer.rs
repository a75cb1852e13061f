//! The servers that are compared: how each is started, where it listens, what is missing if it cannot be.
//! Must never leave one running, nor pass one over without a word.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use super::dialect::Dialect;

const START_PATIENCE: Duration = Duration::from_secs(20);
const LOOK: Duration = Duration::from_millis(20);

/// A server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Peer {
    /// The product, whole.
    Tidings,
    /// The lower bound: a loop of `send`.
    Bare,
    /// npm's `ws`.
    Ws,
    /// npm's `socket.io`.
    #[value(name = "socket.io")]
    #[serde(rename = "socket.io")]
    SocketIo,
    /// axum with tokio's broadcast.
    Axum,
    /// An actor for each connection.
    ActixWebActors,
    /// NATS' own server over WebSocket.
    Nats,
}

impl Peer {
    /// In the order of the table.
    pub const ALL: [Self; 7] =
        [Self::Tidings, Self::Bare, Self::Ws, Self::SocketIo, Self::Axum, Self::ActixWebActors, Self::Nats];

    /// As in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tidings => "Tidings",
            Self::Bare => "bare loop",
            Self::Ws => "ws",
            Self::SocketIo => "socket.io",
            Self::Axum => "axum + broadcast",
            Self::ActixWebActors => "actix-web-actors",
            Self::Nats => "NATS WebSocket",
        }
    }

    /// How it is spoken to.
    #[must_use]
    pub const fn dialect(self) -> Dialect {
        match self {
            Self::Tidings => Dialect::Tidings,
            Self::Bare | Self::Ws | Self::Axum | Self::ActixWebActors => Dialect::Plain,
            Self::SocketIo => Dialect::SocketIo,
            Self::Nats => Dialect::Nats,
        }
    }
}

/// Where the servers are found.
pub struct Places {
    /// Programs built from `loadtest/peers`.
    pub built: PathBuf,
    /// The folder `loadtest/peers` itself, with what npm has installed.
    pub sources: PathBuf,
}

/// One that runs; it ends when this is dropped.
pub struct Running {
    /// For its CPU time.
    pub pid: u32,
    /// Where it listens.
    pub address: SocketAddr,
    _child: Child,
    _folder: TempDir,
}

impl Places {
    /// Starts any of them but Tidings.
    ///
    /// # Errors
    /// Something is missing, or it does not start; in words for the report.
    pub async fn start(&self, peer: Peer) -> Result<Running> {
        match peer {
            Peer::Tidings => bail!("Tidings is started with its database"),
            Peer::Bare => self.start_built("bare").await,
            Peer::Axum => self.start_built("axum").await,
            Peer::ActixWebActors => self.start_built("actix-web-actors").await,
            Peer::Ws => self.start_node("ws").await,
            Peer::SocketIo => self.start_node("socket.io").await,
            Peer::Nats => self.start_nats().await,
        }
    }

    async fn start_built(&self, name: &str) -> Result<Running> {
        let program = self.built.join(name);
        if !program.is_file() {
            bail!("not built: no {}", program.display());
        }
        launch(Command::new(program)).await
    }

    async fn start_node(&self, package: &str) -> Result<Running> {
        let node = find("node").context("no `node` in PATH")?;
        let folder = self.sources.join("node");
        if !folder.join("node_modules").join(package).is_dir() {
            bail!("npm has not installed `{package}` in {}", folder.display());
        }
        let mut command = Command::new(node);
        command.arg(folder.join(format!("{package}.js"))).env("NODE_ENV", "production");
        launch(command).await
    }

    /// It tells its ports in a file.
    async fn start_nats(&self) -> Result<Running> {
        let program = find("nats-server").context("no `nats-server` in PATH")?;
        let folder = tempfile::Builder::new().prefix("tidings-load-").tempdir()?;
        let log = folder.path().join("log");
        let mut command = Command::new(program);
        command.arg("--config").arg(self.sources.join("nats.conf")).arg("--ports_file_dir").arg(folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(&log)?).kill_on_drop(true);
        let mut child = command.spawn()?;
        let pid = child.id().context("it has just been started")?;
        let deadline = Instant::now() + START_PATIENCE;
        loop {
            if let Some(address) = told_ports(folder.path()) {
                return Ok(Running { pid, address, _child: child, _folder: folder });
            }
            if child.try_wait()?.is_some() || Instant::now() >= deadline {
                bail!("nats-server did not start: {}", last_line(&log));
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

/// The rest of them print where they listen.
async fn launch(mut command: Command) -> Result<Running> {
    let folder = tempfile::Builder::new().prefix("tidings-load-").tempdir()?;
    let log = folder.path().join("log");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(File::create(&log)?).kill_on_drop(true);
    let mut child = command.spawn()?;
    let pid = child.id().context("it has just been started")?;
    let mut lines = BufReader::new(child.stdout.take().context("its output is ours")?).lines();
    let line = tokio::time::timeout(START_PATIENCE, lines.next_line()).await.context("it says nothing")??;
    let told = line.and_then(|line| line.parse().ok());
    let address = told.with_context(|| format!("it does not say where it listens: {}", last_line(&log)))?;
    Ok(Running { pid, address, _child: child, _folder: folder })
}

#[derive(Deserialize)]
struct Ports {
    websocket: Vec<String>,
}

fn told_ports(folder: &Path) -> Option<SocketAddr> {
    let mut entries = std::fs::read_dir(folder).ok()?.flatten();
    let file = entries.find(|entry| entry.path().extension().is_some_and(|ending| ending == "ports"))?;
    let ports: Ports = serde_json::from_slice(&std::fs::read(file.path()).ok()?).ok()?;
    ports.websocket.first()?.strip_prefix("ws://")?.parse().ok()
}

fn last_line(log: &Path) -> String {
    let said = std::fs::read_to_string(log).unwrap_or_default();
    said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("without a word").to_owned()
}

/// In `PATH`, or where Debian keeps what only root is thought to start.
fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    folders.map(|folder| folder.join(program)).find(|file| file.is_file())
}
