//! A Redis for a test: on a port of its own, keeping nothing, killed and started again at the same address.
//!
//! Never uses a Redis it did not start, unless `cargo xtask test` names one.

use std::{
    env, fs,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use nix::sys::signal::Signal;
use tempfile::TempDir;

use crate::{free_port, program::Program, until};

/// Names, in the environment, the URL of a Redis that tests may share.
pub const TEST_REDIS: &str = "TIDINGS_TEST_REDIS";

/// Ports may be taken between finding and binding; more than this many in a row is no accident.
const PORTS_TRIED: u32 = 10;
const PATIENCE: Duration = Duration::from_secs(15);

/// A Redis server of one's own.
#[derive(Debug)]
pub struct Redis {
    port: u16,
    server: Option<Program>,
    folder: TempDir,
}

impl Redis {
    /// Starts one on a free port.
    ///
    /// # Errors
    /// When `redis-server` is not installed or does not start.
    pub fn start() -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("tidings-redis-").tempdir()?;
        let mut redis = Self { port: 0, server: None, folder };
        let mut last = None;
        for _ in 0..PORTS_TRIED {
            redis.port = free_port()?;
            match redis.boot() {
                Ok(()) => return Ok(redis),
                Err(fault) => last = Some(fault),
            }
        }
        Err(last.context("no port was tried")?)
    }

    /// The URL of the Redis that tests share, if `cargo xtask test` has started one. What is sent there is heard by
    /// every test: use names of your own.
    #[must_use]
    pub fn shared_url() -> Option<String> {
        env::var(TEST_REDIS).ok()
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `kill -9`.
    ///
    /// # Errors
    /// When it would not end.
    pub fn kill9(&mut self) -> Result<()> {
        self.server.take().map_or(Ok(()), |mut server| server.kill9())
    }

    /// Starts it again, empty, on the same port; kills it first if it is running.
    ///
    /// # Errors
    /// When the port is taken or it does not start.
    pub fn restart(&mut self) -> Result<()> {
        self.kill9()?;
        self.boot()
    }

    /// Stops it where it is: connections stay open and nothing answers.
    ///
    /// # Errors
    /// When it is not running.
    pub fn pause(&mut self) -> Result<()> {
        self.running()?.signal(Signal::SIGSTOP)
    }

    /// Undoes [`Redis::pause`].
    ///
    /// # Errors
    /// When it is not running.
    pub fn resume(&mut self) -> Result<()> {
        self.running()?.signal(Signal::SIGCONT)
    }

    /// Sends one command without arguments that hold blanks, such as `CLIENT KILL TYPE pubsub`, and gives back the
    /// bare answer.
    ///
    /// # Errors
    /// When it does not answer within a second.
    pub fn ask(&self, command: &str) -> Result<String> {
        ask(self.port, command)
    }

    /// What it has logged so far, over all its lives.
    ///
    /// # Errors
    /// When there is no log.
    pub fn log(&self) -> Result<String> {
        let path = self.folder.path().join("log");
        fs::read_to_string(&path).with_context(|| path.display().to_string())
    }

    fn running(&mut self) -> Result<&mut Program> {
        self.server.as_mut().context("this Redis is not running")
    }

    fn boot(&mut self) -> Result<()> {
        let log = self.folder.path().join("log");
        let mut command = Command::new("redis-server");
        command
            .args(["--port", &self.port.to_string()])
            .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .args(["--daemonize", "no", "--loglevel", "warning"])
            .arg("--dir")
            .arg(self.folder.path())
            .arg("--logfile")
            .arg(&log)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut server = Program::start(&mut command, self.folder.path())
            .context("Redis is needed here: run `cargo xtask test`, or install redis-server")?;
        // Another program on the port would answer too: only the pid tells that it is ours.
        let pid = format!("process_id:{}\r\n", server.pid());
        until("redis-server is ready", PATIENCE, || {
            if let Some(status) = server.ended()? {
                let said = std::fs::read_to_string(&log).unwrap_or_default();
                bail!("redis-server ended ({status}): {said}");
            }
            let answer = ask(self.port, "INFO server").unwrap_or_default();
            Ok(answer.contains(&pid).then_some(()))
        })?;
        self.server = Some(server);
        Ok(())
    }
}

/// One command over a connection of its own; the answer up to where `QUIT`'s begins.
fn ask(port: u16, command: &str) -> Result<String> {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
    stream.set_read_timeout(Some(Duration::from_secs(1)))?;
    stream.write_all(format!("{command}\r\nQUIT\r\n").as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer.strip_suffix("+OK\r\n").unwrap_or(&answer).to_owned())
}
