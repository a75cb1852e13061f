//! The way to the database: one small pool for each purpose, so that none can starve another (a flood of log-ins must not stop
//! the feed). Must never hold what a pool's purpose decides: statements live with their ports.

use std::sync::Arc;
use std::time::Duration;

use sqlx::ConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tidings_actors::ports::StoreFault;
use tidings_protocol::position::Seq;

use crate::faults;
use crate::furthest::Furthest;
use crate::gather::Gather;
use crate::line::{self, Losses, Pool, Purpose};
use crate::reads::{Answer, Asked, Hidden, Shown};

/// How the pools are cut.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// What Postgres shows this node as (`application_name`, with the purpose of the connection behind it).
    pub name: String,
    /// Most connections for snapshots, pages and catch-up.
    pub read_connections: u32,
    /// Most connections for log-in and refresh.
    pub account_connections: u32,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self { name: "tidings".to_owned(), read_connections: 8, account_connections: 4 }
    }
}

/// One batch is in flight at a time; the second connection is for the one that takes over after a loss.
const WRITE_CONNECTIONS: u32 = 2;
/// The head check and a read of missing journal, at the same time.
const TAIL_CONNECTIONS: u32 = 2;
/// Three short statements for each picture, and a painter makes about one a second.
const MEDIA_CONNECTIONS: u32 = 2;

/// Below the time after which the journal's caller gives up (`COMMIT_PATIENCE_MS`), so that the answer is Postgres's own.
const WRITE_LIMIT: Duration = Duration::from_millis(3_500);
/// A node is blind after 5 s without a head: two tries fit.
const TAIL_LIMIT: Duration = Duration::from_millis(1_500);
const READ_LIMIT: Duration = Duration::from_millis(3_000);
const ACCOUNT_LIMIT: Duration = Duration::from_millis(3_000);
const MEDIA_LIMIT: Duration = Duration::from_millis(3_000);
/// For making contact, where nobody waits yet.
const CONTACT_LIMIT: Duration = Duration::from_secs(5);
/// For building an index on a large table, or waiting while another node migrates.
const MIGRATION_PATIENCE: Duration = Duration::from_secs(600);
/// Between two statements of a migration.
const MIGRATION_IDLE_LIMIT: &str = "30s";

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("../migrations");

/// Tidings' Postgres. Clones share the pools.
#[derive(Clone, Debug)]
pub struct Store {
    pub(crate) writer: Pool,
    pub(crate) tail: Pool,
    pub(crate) reads: Pool,
    pub(crate) accounts: Pool,
    pub(crate) media: Pool,
    pub(crate) furthest: Furthest,
    pub(crate) viewers: Arc<Gather<Asked, Answer>>,
    pub(crate) newest: Arc<Gather<(), Result<Seq, StoreFault>>>,
    pub(crate) hidden: Arc<Gather<Shown, Hidden>>,
    direct: PgConnectOptions,
}

impl Store {
    /// Prepares the pools for the database at `url` (`postgres://…`, over TCP, with TLS by `sslmode`, or a unix socket by
    /// `?host=/folder`). Connections are made when they are needed: a database that is away now does no harm.
    /// Must be called within a tokio runtime.
    ///
    /// # Errors
    /// `Broken` if the URL cannot be read.
    pub fn connect(url: &str, options: &StoreOptions) -> Result<Self, StoreFault> {
        // The URL may hold a password: its error is not shown.
        let target: PgConnectOptions =
            url.parse().map_err(|_| StoreFault::Broken("the database's URL cannot be read".to_owned()))?;
        let target = target.disable_statement_logging();
        let (node, losses) = (options.name.as_str(), Losses::default());
        let pool = |purpose, most, limit| Pool::new(&target, &Purpose { node, purpose, most, limit, losses: &losses });
        Ok(Self {
            writer: pool("journal", WRITE_CONNECTIONS, WRITE_LIMIT),
            tail: pool("tail", TAIL_CONNECTIONS, TAIL_LIMIT),
            reads: pool("reads", options.read_connections, READ_LIMIT),
            accounts: pool("accounts", options.account_connections, ACCOUNT_LIMIT),
            media: pool("media", MEDIA_CONNECTIONS, MEDIA_LIMIT),
            furthest: Furthest::default(),
            viewers: Arc::new(Gather::new()),
            newest: Arc::new(Gather::new()),
            hidden: Arc::new(Gather::new()),
            direct: target
                .application_name(&format!("{} migrations", options.name))
                // A node that stands still amid a migration must not hold up the others for long.
                .options([("idle_in_transaction_session_timeout", MIGRATION_IDLE_LIMIT)]),
        })
    }

    /// Brings the schema up to date. Nodes that start together wait for each other.
    ///
    /// # Errors
    /// `Unavailable` if the database cannot be reached; `Broken` if its schema is newer or was changed by hand.
    pub async fn migrate(&self) -> Result<(), StoreFault> {
        // A connection of its own: the pools' time limits are too short for it.
        let own = PgPoolOptions::new()
            .max_connections(1)
            .acquire_timeout(CONTACT_LIMIT)
            .connect_lazy_with(self.direct.clone());
        let work = async {
            let migrated = MIGRATIONS.run(&own).await.map_err(faults::migration);
            own.close().await;
            migrated
        };
        tokio::time::timeout(MIGRATION_PATIENCE, work)
            .await
            .unwrap_or_else(|_| Err(StoreFault::Unavailable("the migrations did not end in time".to_owned())))
    }

    /// The secret that all nodes of this database share, made by the database when it was first migrated.
    ///
    /// # Errors
    /// As every read.
    pub async fn node_secret(&self) -> Result<[u8; 32], StoreFault> {
        let mut line = self.tail.line().await.map_err(faults::store)?;
        let answer = line::timed(
            self.tail.patience(),
            sqlx::query_scalar!("select node_secret from journal_head").fetch_one(line.open()),
        )
        .await;
        line.settle(answer)
            .map_err(faults::store)?
            .try_into()
            .map_err(|_| StoreFault::Broken("the node secret is not 32 bytes".to_owned()))
    }

    /// Closes all connections, waiting for the statements on them. For an orderly end; a dropped store is closed just as well.
    pub async fn close(&self) {
        for pool in [&self.writer, &self.tail, &self.reads, &self.accounts, &self.media] {
            pool.close().await;
        }
    }
}
