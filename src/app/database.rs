//! Which Postgres: a given one, or a private one that lives and ends with this node.
//! Must never leave a private Postgres running, nor touch a given one beyond its own database.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use secrecy::ExposeSecret;
use tidings_private_postgres::{Cluster, Options, url_of_running};
use tidings_store::{DURABILITY, Store, StoreOptions};
use tokio::task::{JoinHandle, spawn_blocking};

use super::StartFault;
use crate::config::Config;

/// The folder of the private cluster in the data folder.
const FOLDER: &str = "postgres";
/// The database in the private cluster.
const NAME: &str = "tidings";

/// How often a private Postgres is looked after. Nobody else starts it again when it was killed, or ended itself on a full disk.
const LOOK_AFTER: Duration = Duration::from_secs(1);

/// The database and, if it is ours, its server.
pub(super) struct Database {
    store: Store,
    private: Option<Private>,
}

/// Where the database of a running server is, for tools beside it: starts nothing.
///
/// # Errors
/// When it is a private Postgres that nobody keeps running.
pub(crate) fn address(config: &Config) -> Result<String, tidings_private_postgres::Fault> {
    match &config.database_url {
        Some(url) => Ok(url.expose_secret().to_owned()),
        None => url_of_running(&config.data_folder().join(FOLDER), NAME),
    }
}

/// A Postgres of our own, kept running.
struct Private {
    folder: PathBuf,
    /// There until it is stopped.
    cluster: Arc<Mutex<Option<Cluster>>>,
    keeper: JoinHandle<()>,
}

impl Database {
    /// Opens the database and brings its schema up to date.
    pub(super) async fn open(config: &Config) -> Result<Self, StartFault> {
        let (url, private) = match &config.database_url {
            Some(url) => (url.expose_secret().to_owned(), None),
            None => {
                let folder = config.data_folder().join(FOLDER);
                let cluster = spawn_blocking(move || start(folder)).await??;
                (cluster.url(NAME), Some(Private::kept(cluster)))
            }
        };
        let store = Store::connect(&url, &StoreOptions::default())?;
        let database = Self { store, private };
        if let Err(fault) = database.store.migrate().await {
            database.close().await;
            return Err(fault.into());
        }
        warn_of_weakness(&database.store).await;
        Ok(database)
    }

    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    pub(super) fn whereabouts(&self) -> String {
        match &self.private {
            Some(private) => format!("a private Postgres in {}", private.folder.display()),
            None => "the Postgres that was given".to_owned(),
        }
    }

    pub(super) async fn close(self) {
        self.store.close().await;
        if let Some(private) = self.private {
            private.stop().await;
        }
    }
}

impl Private {
    fn kept(cluster: Cluster) -> Self {
        let folder = cluster.folder().to_owned();
        let cluster = Arc::new(Mutex::new(Some(cluster)));
        let keeper = tokio::spawn(keep_running(Arc::clone(&cluster)));
        Self { folder, cluster, keeper }
    }

    async fn stop(self) {
        self.keeper.abort();
        let cluster = Arc::clone(&self.cluster);
        let stopping = spawn_blocking(move || take(&cluster).take().map_or(Ok(()), Cluster::stop));
        match stopping.await {
            Ok(Ok(())) => {}
            Ok(Err(fault)) => tracing::warn!(%fault, "the private Postgres did not stop by itself"),
            Err(fault) => tracing::warn!(%fault, "stopping the private Postgres was cut off"),
        }
    }
}

impl Drop for Private {
    /// For a start that failed half-way: whoever waits for the keeper to notice would leave the server behind.
    fn drop(&mut self) {
        self.keeper.abort();
        drop(take(&self.cluster).take());
    }
}

/// Starts the server again whenever it has ended, until it is stopped for good.
async fn keep_running(cluster: Arc<Mutex<Option<Cluster>>>) {
    loop {
        tokio::time::sleep(LOOK_AFTER).await;
        let kept = Arc::clone(&cluster);
        match spawn_blocking(move || start_again(&kept)).await {
            Ok(Ok(false)) => {}
            Ok(Ok(true)) => {
                metrics::counter!("tidings_private_postgres_restarts_total").increment(1);
                tracing::error!("the private Postgres had ended by itself, and was started again");
            }
            Ok(Err(fault)) => {
                tracing::error!(%fault, "the private Postgres has ended, and cannot be started again now")
            }
            Err(fault) => tracing::error!(%fault, "looking after the private Postgres failed"),
        }
    }
}

/// Blocks. True if it had to be done.
fn start_again(kept: &Mutex<Option<Cluster>>) -> Result<bool, tidings_private_postgres::Fault> {
    let mut kept = take(kept);
    let Some(cluster) = kept.as_mut() else { return Ok(false) };
    let ended = !cluster.is_running();
    cluster.start_again().map(|()| ended)
}

fn take(kept: &Mutex<Option<Cluster>>) -> std::sync::MutexGuard<'_, Option<Cluster>> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A database that may forget what it has acknowledged is a choice for tests; in service it is a mistake, and must be loud (P2, P10).
async fn warn_of_weakness(store: &Store) {
    let off = match store.unsafe_settings().await {
        Ok(off) => off,
        Err(fault) => return tracing::warn!(%fault, "the database's settings cannot be read"),
    };
    match store.sees_restores().await {
        Ok(true) => {}
        Ok(false) => tracing::warn!(
            "the database may not see when its files were restored from a backup: grant what docs/operations.md names, or call \
             begin_new_life() after each restore"
        ),
        Err(fault) => tracing::warn!(%fault, "the database's rights cannot be read"),
    }
    for setting in DURABILITY {
        let weak = off.contains(&setting);
        metrics::gauge!("tidings_database_unsafe", "setting" => setting).set(f64::from(u8::from(weak)));
        if weak {
            tracing::warn!(
                setting,
                "is off in the database: what was acknowledged may be lost when it crashes or the power fails"
            );
        }
    }
}

/// Blocks: a second at the first start, less later.
fn start(folder: PathBuf) -> Result<Cluster, tidings_private_postgres::Fault> {
    let cluster = Cluster::start(&folder, Options::default())?;
    cluster.ensure_database(NAME)?;
    Ok(cluster)
}
