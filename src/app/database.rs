//! Which Postgres: a given one, or a private one that lives and ends with this node.
//! Must never leave a private Postgres running, nor touch a given one beyond its own database.

use std::path::PathBuf;

use secrecy::ExposeSecret;
use tidings_private_postgres::{Cluster, Options};
use tidings_store::{Store, StoreOptions};

use super::StartFault;
use crate::config::Config;

/// The folder of the private cluster in the data folder.
const FOLDER: &str = "postgres";
/// The database in the private cluster.
const NAME: &str = "tidings";

/// The database and, if it is ours, its server.
pub(super) struct Database {
    store: Store,
    private: Option<Cluster>,
}

impl Database {
    /// Opens the database and brings its schema up to date.
    pub(super) async fn open(config: &Config) -> Result<Self, StartFault> {
        let (url, private) = match &config.database_url {
            Some(url) => (url.expose_secret().to_owned(), None),
            None => {
                let folder = config.data_folder().join(FOLDER);
                let cluster = tokio::task::spawn_blocking(move || start(folder)).await??;
                (cluster.url(NAME), Some(cluster))
            }
        };
        let store = Store::connect(&url, &StoreOptions::default())?;
        let database = Self { store, private };
        if let Err(fault) = database.store.migrate().await {
            database.close().await;
            return Err(fault.into());
        }
        Ok(database)
    }

    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    pub(super) fn whereabouts(&self) -> String {
        match &self.private {
            Some(cluster) => format!("a private Postgres in {}", cluster.folder().display()),
            None => "the Postgres that was given".to_owned(),
        }
    }

    pub(super) async fn close(self) {
        self.store.close().await;
        let Some(cluster) = self.private else { return };
        match tokio::task::spawn_blocking(move || cluster.stop()).await {
            Ok(Ok(())) => {}
            Ok(Err(fault)) => tracing::warn!(%fault, "the private Postgres did not stop by itself"),
            Err(fault) => tracing::warn!(%fault, "stopping the private Postgres was cut off"),
        }
    }
}

/// Blocks: a second at the first start, less later.
fn start(folder: PathBuf) -> Result<Cluster, tidings_private_postgres::Fault> {
    let cluster = Cluster::start(&folder, Options::default())?;
    cluster.ensure_database(NAME)?;
    Ok(cluster)
}
