//! A server of the bench's own: started with its private Postgres in a temporary folder, asked about itself, stopped at the end.
//! Must never touch a server or a folder that it did not make.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use crate::bench::pgbench::Postgres;

/// Making a database, its schema and a key pair.
const START_PATIENCE: Duration = Duration::from_secs(60);
/// The server's own time to say goodbye to 10,000 connections, and some.
const STOP_PATIENCE: Duration = Duration::from_secs(20);
const LOOK: Duration = Duration::from_millis(50);

/// What a load test needs otherwise than a server for people: no limits on what one user or address may do, cheap passwords.
pub const SETTINGS: &[(&str, &str)] = &[
    ("TIDINGS_LISTEN", "127.0.0.1:0"),
    ("TIDINGS_BCRYPT_COST", "4"),
    ("TIDINGS_PASSWORD_QUEUE", "1024"),
    ("TIDINGS_POINTS_PER_MINUTE", "1000000000"),
    ("TIDINGS_CONNECTIONS_PER_IP", "1000000"),
    ("TIDINGS_GLOBAL_RATE", "0"),
    ("TIDINGS_SIGNUPS_PER_MINUTE_PER_IP", "1000000"),
    ("TIDINGS_LOGINS_PER_MINUTE", "1000000"),
    ("TIDINGS_LOG", "warn"),
];

/// A running server.
pub struct Server {
    binary: PathBuf,
    child: Child,
    address: SocketAddr,
    folder: TempDir,
}

impl Server {
    /// Starts one and waits until it is ready.
    ///
    /// # Errors
    /// It does not start; the error holds the end of its log.
    pub async fn start(binary: &Path) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("tidings-load-").tempdir()?;
        let home = folder.path().join("d");
        Self::start_in(binary, folder, &home, None, &[]).await
    }

    /// Starts another node on the same private Postgres, with the same secret. It must end before this one.
    ///
    /// # Errors
    /// It does not start; the error holds the end of its log.
    pub async fn start_beside(&self) -> Result<Self> {
        self.start_beside_with(&[]).await
    }

    /// The same, with settings of its own.
    ///
    /// # Errors
    /// It does not start; the error holds the end of its log.
    pub async fn start_beside_with(&self, settings: &[(&str, &str)]) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("tidings-load-").tempdir()?;
        let database = Postgres::of(self.postgres_socket()?)?.url()?;
        Self::start_in(&self.binary, folder, &self.folder.path().join("d"), Some(&database), settings).await
    }

    async fn start_in(
        binary: &Path,
        folder: TempDir,
        home: &Path,
        database: Option<&str>,
        settings: &[(&str, &str)],
    ) -> Result<Self> {
        let log = std::fs::File::create(folder.path().join("log"))?;
        let mut command = Command::new(binary);
        command.env_clear();
        for name in ["PATH", "HOME"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command
            .envs(SETTINGS.iter().chain(settings).copied())
            .env("TIDINGS_DATA_DIR", home)
            .env("TIDINGS_ADDRESS_FILE", folder.path().join("address"))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        if let Some(url) = database {
            command.env("TIDINGS_DATABASE_URL", url);
        }
        let child = command.spawn().with_context(|| format!("cannot run {}", binary.display()))?;
        let unknown = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut server = Self { binary: binary.to_owned(), child, address: unknown, folder };
        server.wait_ready().await?;
        Ok(server)
    }

    async fn wait_ready(&mut self) -> Result<()> {
        let deadline = Instant::now() + START_PATIENCE;
        let client = reqwest::Client::builder().timeout(Duration::from_secs(2)).build()?;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait()? {
                bail!("the server ended ({status}); its log:\n{}", self.log());
            }
            let written = std::fs::read_to_string(self.folder.path().join("address")).unwrap_or_default();
            if let Ok(address) = written.trim().parse() {
                self.address = address;
                let ready = client.get(format!("{}/readyz", self.url())).send().await;
                if ready.is_ok_and(|answer| answer.status().is_success()) {
                    return Ok(());
                }
            }
            tokio::time::sleep(LOOK).await;
        }
        bail!("the server was not ready in time; its log:\n{}", self.log());
    }

    fn log(&self) -> String {
        let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The same as a URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// For its CPU time and memory.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// A folder for the bench's own files, gone with the server.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The folder of its private Postgres' socket.
    ///
    /// # Errors
    /// It has none there.
    pub fn postgres_socket(&self) -> Result<PathBuf> {
        find_socket(&self.folder.path().join("d"))?
            .context("the server's private Postgres has no socket in its data folder")
    }

    /// Lets it stop in its own time.
    ///
    /// # Errors
    /// It does not, or ends with a fault.
    pub async fn stop(self) -> Result<()> {
        let code = self.terminate().await?;
        ensure!(code == 0, "the server ended with {code}");
        Ok(())
    }

    /// The same; gives its exit code.
    ///
    /// # Errors
    /// It does not end in time, or a signal ended it.
    pub async fn terminate(mut self) -> Result<i32> {
        let pid = i32::try_from(self.pid()).context("a pid of this size")?;
        kill(Pid::from_raw(pid), Signal::SIGTERM)?;
        let deadline = Instant::now() + STOP_PATIENCE;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait()? {
                return status
                    .code()
                    .with_context(|| format!("the server ended with {status}; its log:\n{}", self.log()));
            }
            tokio::time::sleep(LOOK).await;
        }
        bail!("the server did not stop within {STOP_PATIENCE:?}; its log:\n{}", self.log());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // After `stop` it is gone already, and both calls say so; there is nothing to do about a fault here.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn find_socket(folder: &Path) -> Result<Option<PathBuf>> {
    for entry in std::fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let entry = entry?;
        if entry.file_name() == ".s.PGSQL.5432" {
            return Ok(Some(folder.to_path_buf()));
        }
        // Postgres' own files have no socket among them, and are many.
        let worth = entry.file_type()?.is_dir() && entry.file_name() != "pgdata";
        let found = if worth { find_socket(&entry.path())? } else { None };
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}
