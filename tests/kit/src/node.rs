//! A real Tidings server as a child of the test: started, waited for, paused, terminated, killed, started again.
//!
//! Knows the server's environment, `/readyz` and signals; nothing else of it.

use std::{
    env,
    ffi::{OsStr, OsString},
    fs::{self, File},
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use nix::sys::signal::Signal;
use tempfile::TempDir;

use crate::{program::Program, until};

/// A debug build that makes keys and runs migrations on a busy machine.
const START_PATIENCE: Duration = Duration::from_secs(60);
/// What of the test's environment the server may see: a developer's settings must not reach it.
const PASSED_ON: [&str; 6] = ["PATH", "HOME", "TMPDIR", "RUST_BACKTRACE", "RUST_LOG", "LLVM_PROFILE_FILE"];

/// What a node is started with.
#[derive(Debug)]
pub struct NodeBuilder {
    binary: PathBuf,
    envs: Vec<(OsString, OsString)>,
    args: Vec<OsString>,
}

impl NodeBuilder {
    /// The Postgres it works on.
    #[must_use]
    pub fn database(self, url: &str) -> Self {
        self.env("DATABASE_URL", url)
    }

    /// The Redis it talks to its peers by.
    #[must_use]
    pub fn redis(self, url: &str) -> Self {
        self.env("REDIS_URL", url)
    }

    /// Where it listens; a free port of loopback unless given.
    #[must_use]
    pub fn listen(self, address: &str) -> Self {
        self.env("TIDINGS_LISTEN", address)
    }

    /// A data folder to share or to keep; one of its own unless given.
    #[must_use]
    pub fn data_dir(self, folder: &Path) -> Self {
        self.env("TIDINGS_DATA_DIR", folder)
    }

    /// Any other variable; the last one of a name wins.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        let pair = (name.as_ref().to_owned(), value.as_ref().to_owned());
        self.envs.push(pair);
        self
    }

    /// A command-line argument.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// Starts the node and waits until `/readyz` answers 200.
    ///
    /// # Errors
    /// When it ends or is not ready in time; the error holds the end of its log.
    pub fn start(self) -> Result<Node> {
        let mut node = self.spawn()?;
        node.wait_ready()?;
        Ok(node)
    }

    /// Starts the node without waiting, for servers that are not meant to become ready.
    ///
    /// # Errors
    /// When the binary cannot be run.
    pub fn spawn(self) -> Result<Node> {
        let folder = tempfile::Builder::new().prefix("tidings-node-").tempdir()?;
        let mut node = Node { builder: self, folder, program: None, address: None };
        node.boot()?;
        Ok(node)
    }
}

/// A server that runs as long as this value lives.
#[derive(Debug)]
pub struct Node {
    // Before the folder: the program ends, then its files go.
    program: Option<Program>,
    builder: NodeBuilder,
    folder: TempDir,
    address: Option<SocketAddr>,
}

impl Node {
    /// A node of this binary: `env!("CARGO_BIN_EXE_tidings")` in the tests of the root package.
    #[must_use]
    pub fn of(binary: impl Into<PathBuf>) -> NodeBuilder {
        NodeBuilder { binary: binary.into(), envs: Vec::new(), args: Vec::new() }
    }

    /// Where it listens.
    ///
    /// # Panics
    /// Before the node was ready.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address.expect("the node was never ready")
    }

    /// `http://127.0.0.1:…`, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// The URL of its WebSocket.
    #[must_use]
    pub fn ws_url(&self) -> String {
        format!("ws://{}/api/v1/ws", self.address())
    }

    /// Its pid.
    ///
    /// # Panics
    /// When it is not running.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.program.as_ref().map(Program::pid).expect("the node is not running")
    }

    /// All it has printed so far, over all its lives.
    ///
    /// # Panics
    /// When the log cannot be read.
    #[must_use]
    pub fn log(&self) -> String {
        let printed = fs::read(self.log_path()).expect("the test's own file can be read");
        String::from_utf8_lossy(&printed).into_owned()
    }

    /// Waits until `/readyz` answers 200.
    ///
    /// # Errors
    /// When it ends or is not ready in time; the error holds the end of its log.
    pub fn wait_ready(&mut self) -> Result<()> {
        let mut program = self.program.take().context("the node is not running")?;
        let ready = until("the node is ready", START_PATIENCE, || {
            if let Some(status) = program.ended()? {
                bail!("the node ended instead of becoming ready ({status})");
            }
            self.address = fs::read_to_string(self.address_path()).ok().and_then(|written| written.trim().parse().ok());
            let status = self.address.and_then(|address| get(address, "/readyz").ok());
            Ok((status == Some(200)).then_some(()))
        });
        self.program = Some(program);
        ready.with_context(|| format!("its log ends:\n{}", tail(&self.log())))
    }

    /// `kill -9`.
    ///
    /// # Errors
    /// When it would not end.
    pub fn kill9(&mut self) -> Result<()> {
        self.program.take().map_or(Ok(()), |mut program| program.kill9())
    }

    /// `SIGTERM`; waits for the end and gives back the exit code.
    ///
    /// # Errors
    /// When it has not ended within `patience`.
    pub fn terminate(&mut self, patience: Duration) -> Result<i32> {
        self.signal(Signal::SIGTERM)?;
        self.wait_end(patience)
    }

    /// Waits for its end and gives back the exit code (128 + the signal if one ended it).
    ///
    /// # Errors
    /// When it has not ended within `patience`; the error holds the end of its log.
    pub fn wait_end(&mut self, patience: Duration) -> Result<i32> {
        let end = self.running()?.end(patience);
        end.with_context(|| format!("its log ends:\n{}", tail(&self.log())))
    }

    /// Stops it where it is (`SIGSTOP`): sockets stay open and nothing answers.
    ///
    /// # Errors
    /// When it is not running.
    pub fn pause(&mut self) -> Result<()> {
        self.signal(Signal::SIGSTOP)
    }

    /// Undoes [`Node::pause`].
    ///
    /// # Errors
    /// When it is not running.
    pub fn resume(&mut self) -> Result<()> {
        self.signal(Signal::SIGCONT)
    }

    /// Any other signal.
    ///
    /// # Errors
    /// When it is not running.
    pub fn signal(&mut self, signal: Signal) -> Result<()> {
        self.running()?.signal(signal)
    }

    /// Starts it again, with what it was started with and at the same address; kills it first if it is running.
    ///
    /// # Errors
    /// As [`NodeBuilder::start`].
    pub fn restart(&mut self) -> Result<()> {
        self.kill9()?;
        self.boot()?;
        self.wait_ready()
    }

    fn running(&mut self) -> Result<&mut Program> {
        self.program.as_mut().context("the node is not running")
    }

    fn boot(&mut self) -> Result<()> {
        // What an earlier life wrote must not be taken for this one's.
        match fs::remove_file(self.address_path()) {
            Ok(()) => {}
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => {}
            Err(cause) => return Err(cause.into()),
        }
        let log = File::options().create(true).append(true).open(self.log_path())?;
        let mut command = Command::new(&self.builder.binary);
        command.args(&self.builder.args).env_clear();
        for name in PASSED_ON {
            if let Some(value) = env::var_os(name) {
                command.env(name, value);
            }
        }
        command
            .env("TIDINGS_LISTEN", "127.0.0.1:0")
            // A fast test hears every post, unless it is about those it does not hear.
            .env("TIDINGS_GLOBAL_RATE", "0")
            .env("TIDINGS_DATA_DIR", self.folder.path().join("data"))
            .envs(self.builder.envs.iter().map(|(name, value)| (name, value)))
            .env("TIDINGS_ADDRESS_FILE", self.address_path())
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        if let Some(address) = self.address {
            command.env("TIDINGS_LISTEN", address.to_string());
        }
        self.program = Some(Program::start(&mut command, self.folder.path())?);
        Ok(())
    }

    fn log_path(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    fn address_path(&self) -> PathBuf {
        self.folder.path().join("address")
    }
}

/// The status of a `GET`.
fn get(address: SocketAddr, path: &str) -> Result<u16> {
    let patience = Duration::from_secs(2);
    let mut stream = TcpStream::connect_timeout(&address, patience)?;
    stream.set_read_timeout(Some(patience))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    let status = answer.split(' ').nth(1).context("not HTTP")?;
    Ok(status.parse()?)
}

/// The last lines of a log.
fn tail(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(30)..].join("\n")
}
