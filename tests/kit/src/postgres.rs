//! Postgres for tests: one shared cluster with a database for each test, or a cluster of one's own to do harm to.
//!
//! The shared cluster is the one that `cargo xtask test` names in the environment, or else one for this test
//! process. Never touches databases it did not make.

use std::{
    env,
    process::Command,
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;
use tidings_private_postgres::{Cluster, Halt, Options, find_binaries};

use crate::SmallDisk;

/// Names, in the environment, the URL of the shared cluster's `postgres` database.
pub const TEST_POSTGRES: &str = "TIDINGS_TEST_POSTGRES";

/// The cluster that tests share.
#[derive(Debug)]
pub struct Postgres {
    url: String,
    /// Ours, if the environment named none. On a leash: a static is never dropped.
    _own: Option<PrivatePostgres>,
}

impl Postgres {
    /// The shared cluster, started at the first call if the environment names none.
    ///
    /// # Errors
    /// When Postgres is not installed or does not start.
    pub fn shared() -> Result<&'static Self> {
        static SHARED: OnceLock<Result<Postgres, String>> = OnceLock::new();
        let shared = SHARED.get_or_init(|| Self::find().map_err(|fault| format!("{fault:#}")));
        shared.as_ref().map_err(|fault| anyhow::anyhow!("{fault}"))
    }

    fn find() -> Result<Self> {
        if let Ok(url) = env::var(TEST_POSTGRES) {
            return Ok(Self { url, _own: None });
        }
        let own = PrivatePostgres::fast()?;
        Ok(Self { url: own.url("postgres"), _own: Some(own) })
    }

    /// The URL of the `postgres` database.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A new, empty database; it goes when the value is dropped.
    ///
    /// # Errors
    /// When the cluster is away.
    pub fn fresh_database(&self) -> Result<Database> {
        Database::create(&self.url)
    }
}

/// A cluster for one test alone, which may kill it, pause it and start it again. Nothing of it remains afterwards.
#[derive(Debug)]
pub struct PrivatePostgres {
    cluster: Cluster,
    _folder: TempDir,
}

impl PrivatePostgres {
    /// A cluster as safe as a real one (`fsync` on): what was committed survives [`PrivatePostgres::halt`].
    ///
    /// # Errors
    /// When Postgres is not installed or does not start.
    pub fn start() -> Result<Self> {
        Self::with(Options::default())
    }

    /// A cluster without `fsync`, for tests that do not crash it.
    ///
    /// # Errors
    /// When Postgres is not installed or does not start.
    pub fn fast() -> Result<Self> {
        Self::with(Options { unsafe_but_fast: true, ..Options::default() })
    }

    /// A cluster with options of one's own; it is leashed in any case.
    ///
    /// # Errors
    /// When Postgres is not installed or does not start.
    pub fn with(options: Options) -> Result<Self> {
        Self::start_in(new_folder()?, options)
    }

    fn start_in(folder: TempDir, mut options: Options) -> Result<Self> {
        options.leashed = true;
        // Many tests share it, each with a pool or several.
        let many = ("max_connections".to_owned(), "400".to_owned());
        options.settings.insert(0, many);
        let cluster = Cluster::start(folder.path(), options)?;
        Ok(Self { cluster, _folder: folder })
    }

    /// A cluster whose files are on a disk that can be filled.
    ///
    /// # Errors
    /// When Postgres is not installed or does not start.
    pub fn start_on(disk: &SmallDisk) -> Result<Self> {
        // Little log, so that a small disk has room for the rest.
        let small = [("min_wal_size", "32MB"), ("max_wal_size", "48MB"), ("shared_buffers", "16MB")];
        let settings = small.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let folder = tempfile::Builder::new().prefix("postgres-").tempdir_in(disk.path())?;
        Self::start_in(folder, Options { settings, ..Options::default() })
    }

    /// Another server that follows this one by streaming, until [`PrivatePostgres::promote`].
    ///
    /// # Errors
    /// When it cannot be copied or does not start.
    pub fn standby(&self) -> Result<Self> {
        let folder = new_folder()?;
        self.cluster.copy_to(folder.path(), true)?;
        Self::start_in(folder, Options::default())
    }

    /// A base backup of this server as it is now.
    ///
    /// # Errors
    /// When it cannot be copied.
    pub fn back_up(&self) -> Result<Backup> {
        let folder = new_folder()?;
        self.cluster.copy_to(folder.path(), false)?;
        Ok(Backup { folder })
    }

    /// Makes a standby a primary; done when it takes writes.
    ///
    /// # Errors
    /// When it is none.
    pub fn promote(&self) -> Result<()> {
        let promoted = self.cluster.psql("postgres", "select pg_promote()")?;
        anyhow::ensure!(promoted.trim() == "t", "not promoted within a minute");
        Ok(())
    }

    /// The URL of one of its databases.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        self.cluster.url(database)
    }

    /// The cluster itself, for `psql`, its log and its binaries.
    #[must_use]
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// A new, empty database.
    ///
    /// # Errors
    /// When the cluster is away.
    pub fn fresh_database(&self) -> Result<Database> {
        Database::create(&self.url("postgres"))
    }

    /// Ends the server the hard or the soft way; its address stays the same for [`PrivatePostgres::start_again`].
    ///
    /// # Errors
    /// When it would not end.
    pub fn halt(&mut self, how: Halt) -> Result<()> {
        Ok(self.cluster.halt(how)?)
    }

    /// `kill -9` to the server and all its children.
    ///
    /// # Errors
    /// When it would not end.
    pub fn kill9(&mut self) -> Result<()> {
        self.halt(Halt::Kill)
    }

    /// Starts the server again at the same address.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start_again(&mut self) -> Result<()> {
        Ok(self.cluster.start_again()?)
    }

    /// Stops all of its processes where they are: connections stay open and nothing answers.
    ///
    /// # Errors
    /// When its files are gone.
    pub fn pause(&self) -> Result<()> {
        Ok(self.cluster.pause()?)
    }

    /// Undoes [`PrivatePostgres::pause`].
    ///
    /// # Errors
    /// When its files are gone.
    pub fn resume(&self) -> Result<()> {
        Ok(self.cluster.resume()?)
    }
}

/// A server's files as they were, not running.
#[derive(Debug)]
pub struct Backup {
    folder: TempDir,
}

impl Backup {
    /// Starts a server from it.
    ///
    /// # Errors
    /// When it does not start.
    pub fn restore(self) -> Result<PrivatePostgres> {
        PrivatePostgres::start_in(self.folder, Options::default())
    }
}

fn new_folder() -> Result<TempDir> {
    Ok(tempfile::Builder::new().prefix("tidings-postgres-").tempdir()?)
}

/// An empty database for one test. Dropped with the value, connections or not.
#[derive(Debug)]
pub struct Database {
    url: String,
    name: String,
    admin: String,
}

impl Database {
    fn create(admin: &str) -> Result<Self> {
        let name = unique_name();
        let url = with_database(admin, &name)?;
        // Not template1: nobody is ever connected to template0, so creations do not get into each other's way.
        psql(admin, &format!("create database {name} template template0"))?;
        Ok(Self { url, name, admin: admin.to_owned() })
    }

    /// Its URL, for sqlx as for `psql`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Runs SQL by `psql` and gives back its bare rows, columns parted by `|`.
    ///
    /// # Errors
    /// What `psql` said.
    pub fn psql(&self, sql: &str) -> Result<String> {
        psql(&self.url, sql)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let sql = format!("drop database if exists {} with (force)", self.name);
        // A cluster that was killed by its test takes its databases along.
        let _gone = psql(&self.admin, &sql);
    }
}

/// A name no other test has, in this run or another.
fn unique_name() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros());
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("t_{}_{now:x}_{count}", std::process::id())
}

/// The same server, another database.
fn with_database(url: &str, name: &str) -> Result<String> {
    let (scheme, rest) = url.split_once("://").context("not a URL of a database")?;
    let (path, query) = rest.split_once('?').map_or((rest, String::new()), |(path, query)| (path, format!("?{query}")));
    let host = path.split('/').next().unwrap_or_default();
    Ok(format!("{scheme}://{host}/{name}{query}"))
}

fn psql(url: &str, sql: &str) -> Result<String> {
    static PSQL: OnceLock<Option<std::path::PathBuf>> = OnceLock::new();
    let found = PSQL.get_or_init(|| Some(find_binaries().ok()?.program("psql")));
    let program = found.as_ref().context("no Postgres here: run `cargo xtask test`")?;
    let ended = Command::new(program)
        .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"])
        .args(["-d", url, "-c", sql])
        .output()?;
    if !ended.status.success() {
        bail!("psql: {}", String::from_utf8_lossy(&ended.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&ended.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_database_of_a_url_is_replaced_and_nothing_else() {
        let socket = "postgres:///postgres?host=/a/b&port=5432&user=postgres";
        assert_eq!(with_database(socket, "t").unwrap(), "postgres:///t?host=/a/b&port=5432&user=postgres");
        assert_eq!(with_database("postgres://u:p@h:5/x", "t").unwrap(), "postgres://u:p@h:5/t");
        assert_eq!(with_database("postgres://h", "t").unwrap(), "postgres://h/t");
    }
}
