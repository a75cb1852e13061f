//! The whole program as a value: what is started, in which order, and how it stops.
//! Must never read the environment or a signal: those belong to `main`, so that tests can run many of these side by side.

mod agenda;
mod chores;
mod database;
mod open_files;
mod pictures;
mod search;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_server::ServerHandle;
use actix_web::web::Data;
use async_trait::async_trait;
use secrecy::ExposeSecret;
use tidings_actors::account::seen::Seen;
use tidings_actors::ports::{Bus, JournalStore, StoreFault};
use tidings_bus::{BadRedisUrl, InProcess, RedisBus, RedisOptions};
use tidings_store::Store;
use tokio::task::JoinHandle;

use crate::auth::{
    self, AllTokens, Auth, AuthFault, OwnAccount, Passwords, Purpose, ScopedTokens, Secret, SecretFault, TokenDesk,
};
use crate::client::Clients;
use crate::config::Config;
use crate::export::Exports;
use crate::gate::{self, Gate, Parts, Room};
use crate::http::{Front, Readiness};
use crate::origin::Origins;
use crate::{observe, serve};

use chores::Chores;
use database::Database;
pub(crate) use database::address as database_address;

/// Below this, bcrypt is for tests.
const SAFE_COST: u32 = 10;
/// How long a health check waits for the database.
const HEALTH_PATIENCE: Duration = Duration::from_secs(1);

/// Why it does not start. In words for operators; never holds a secret.
#[derive(Debug, thiserror::Error)]
pub enum StartFault {
    /// The port.
    #[error("cannot listen on {address}: {cause}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why not.
        cause: io::Error,
    },
    /// The secret.
    #[error(transparent)]
    Secret(#[from] SecretFault),
    /// The private Postgres.
    #[error("{0}. Or give `DATABASE_URL` of a Postgres that runs already")]
    PrivatePostgres(#[from] tidings_private_postgres::Fault),
    /// The database.
    #[error(transparent)]
    Database(#[from] StoreFault),
    /// The bus.
    #[error("setting `redis_url`: {0}")]
    Redis(#[from] BadRedisUrl),
    /// Keys and hashers.
    #[error(transparent)]
    Auth(#[from] AuthFault),
    /// Where pictures are kept.
    #[error("setting `media_store`: {0}")]
    Pictures(#[source] tidings_media::NotOpened),
    /// The file for the address.
    #[error("cannot write {}: {cause}", path.display())]
    AddressFile {
        /// Where.
        path: PathBuf,
        /// Why not.
        cause: io::Error,
    },
    /// A thread ended before its time.
    #[error("a part of the start ended unexpectedly")]
    Broken(#[from] tokio::task::JoinError),
}

/// Tidings, about to run.
pub struct App;

/// Tidings, running.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    gate: Gate,
    server: ServerHandle,
    serving: JoinHandle<io::Result<()>>,
    chores: Vec<JoinHandle<()>>,
    draining: Arc<AtomicBool>,
    drain: Duration,
    address_file: Option<PathBuf>,
    database: Database,
}

impl App {
    /// Starts a node. Must be called within an actix system; comes back when the node listens and can serve.
    ///
    /// # Errors
    /// The first thing that is in the way.
    pub async fn start(config: Config) -> Result<Running, StartFault> {
        Self::start_with(config, |parts| parts).await
    }

    /// The same with other parts behind the gate than the settings name: for tests of what happens when one of them fails.
    ///
    /// # Errors
    /// The first thing that is in the way.
    pub async fn start_with(config: Config, change: impl FnOnce(Parts) -> Parts) -> Result<Running, StartFault> {
        let numbers = observe::numbers();
        let room = Room::of(open_files::raise(), config.worker_threads());
        warn_of_weakness(&config);
        // First of all: a port that is taken is the likeliest fault, and nothing has been made yet.
        let wanted = config.listen;
        let fault = move |cause| StartFault::Listen { address: wanted, cause };
        let listener = serve::listen(config.listen).map_err(fault)?;
        let address = listener.local_addr().map_err(fault)?;
        let secret = match &config.secret {
            Some(given) => Secret::given(given),
            None => Secret::kept_in(&config.data_folder())?,
        };
        let database = Database::open(&config).await?;
        let store = Arc::new(database.store().clone());
        let access = Arc::new(auth::access_tokens(&config, &secret, store.clone()).await?);
        let scoped = ScopedTokens::under(&secret.derive(Purpose::ScopedTokens));
        let passwords = start_hashers(&config, &secret).await?;
        let seen = Arc::new(Seen::default());
        let gallery = pictures::open(&config, &secret, store.clone()).map_err(StartFault::Pictures)?;
        let exports = Arc::new(Exports::new(store.clone(), &secret));
        let config = Arc::new(config);
        let origins = Origins::listed(&config.allowed_origins);
        let clients = Clients::behind(&config.trusted_proxies);
        let parts = Parts {
            journal: store.clone(),
            reads: store.clone(),
            tokens: Arc::new(AllTokens { access: access.clone(), scoped: scoped.clone() }),
            bots: Arc::new(TokenDesk::new(store.clone(), scoped)),
            desk: Arc::new(OwnAccount::new(store.clone(), passwords.clone(), seen.clone(), exports.clone(), &config)),
            seen: seen.clone(),
            pictures: gallery.clone(),
            marks: store.clone(),
            search: store.clone(),
            drafts: store.clone(),
            moderation: store.clone(),
            circle: store.clone(),
            bus: bus(&config, &store).await?,
            framing: gate::FRAMING,
            origins: origins.clone(),
            clients: clients.clone(),
            room,
            config: config.clone(),
        };
        let gate = Gate::open(change(parts)).await?;
        let desk = Auth::open(&config, &secret, passwords, store.clone(), gate.submit(), access.clone());
        let (submit, pictures) = (gate.submit(), gallery.clone());
        let chores = Chores { store: store.clone(), access, seen, submit, gallery: pictures, numbers: numbers.clone() };
        let draining = Arc::new(AtomicBool::new(false));
        let readiness = Arc::new(Ready { journal: store.clone(), gate: gate.clone(), draining: draining.clone() });
        let front = Front { auth: Arc::new(desk), clients, exports, gallery, origins, readiness, metrics: numbers };
        let serving = serve::server(listener, &config, Data::new(front), gate.clone(), room).map_err(fault)?;
        let server = serving.handle();
        let running = Running {
            address,
            gate,
            server,
            serving: actix_rt::spawn(serving),
            chores: chores.begin(&config),
            draining,
            drain: Duration::from_millis(config.drain_ms),
            address_file: config.address_file.clone(),
            database,
        };
        running.say_where()?;
        Ok(running)
    }
}

impl Running {
    /// Where the page is.
    #[must_use]
    pub fn url(&self) -> String {
        let shown = reachable(self.address);
        format!("http://{shown}/")
    }

    /// Where what people write is kept, in words.
    #[must_use]
    pub fn whereabouts(&self) -> String {
        self.database.whereabouts()
    }

    /// Stops in order: no new connections, goodbye to those there are, what was taken in is committed, then the rest.
    pub async fn stop(mut self) {
        tracing::info!("stopping");
        self.draining.store(true, Ordering::Relaxed);
        // No new connections; the workers stay for those there are, which the server does not count once the gate has them.
        self.server.pause().await;
        self.gate.drain(self.drain).await;
        self.server.stop(true).await;
        match (&mut self.serving).await {
            Ok(Ok(())) => {}
            Ok(Err(fault)) => tracing::warn!(%fault, "the listener ended with a fault"),
            Err(fault) => tracing::warn!(%fault, "the listener was cut off"),
        }
        self.gate.finish().await;
        self.chores.drain(..).for_each(|chore| chore.abort());
        self.database.close().await;
        if let Some(path) = &self.address_file {
            // Nobody is there any longer; a file that is gone already is as good.
            drop(std::fs::remove_file(path));
        }
        tracing::info!("stopped");
    }

    /// Tells the log, and the file if there is one. Whole or not at all: readers poll for it.
    fn say_where(&self) -> Result<(), StartFault> {
        tracing::info!(address = %self.address, "listening");
        let Some(path) = &self.address_file else {
            return Ok(());
        };
        let draft = path.with_extension("draft");
        let written =
            std::fs::write(&draft, format!("{}\n", self.address)).and_then(|()| std::fs::rename(&draft, path));
        written.map_err(|cause| StartFault::AddressFile { path: path.clone(), cause })
    }
}

/// Where somebody on this machine reaches it: nobody can open "all addresses".
fn reachable(address: SocketAddr) -> SocketAddr {
    match address {
        all if all.ip().is_unspecified() => SocketAddr::new([127, 0, 0, 1].into(), all.port()),
        one => one,
    }
}

struct Ready {
    journal: Arc<dyn JournalStore>,
    gate: Gate,
    draining: Arc<AtomicBool>,
}

#[async_trait]
impl Readiness for Ready {
    async fn obstacles(&self) -> Vec<&'static str> {
        let mut obstacles = Vec::new();
        if self.draining.load(Ordering::Relaxed) {
            obstacles.push("stopping");
        }
        if !self.gate.is_clear() {
            obstacles.push("journal_not_confirmed");
        }
        match tokio::time::timeout(HEALTH_PATIENCE, self.journal.head()).await {
            Ok(Ok(_)) => {}
            Ok(Err(_)) | Err(_) => obstacles.push("database_unreachable"),
        }
        obstacles
    }
}

async fn bus(config: &Config, store: &Store) -> Result<Arc<dyn Bus>, StartFault> {
    let Some(url) = &config.redis_url else {
        return Ok(Arc::new(InProcess::alone()));
    };
    let secret = store.node_secret().await?;
    Ok(Arc::new(RedisBus::connect(url.expose_secret(), secret, RedisOptions::default())?))
}

/// On a thread where blocking is allowed: it hashes a password to begin with.
async fn start_hashers(config: &Config, secret: &Secret) -> Result<Passwords, StartFault> {
    let start = auth::hashers(config, secret);
    Ok(tokio::task::spawn_blocking(start).await??)
}

fn warn_of_weakness(config: &Config) {
    if config.bcrypt_cost < SAFE_COST {
        tracing::warn!(cost = config.bcrypt_cost, "passwords are hashed too weakly for anything but tests");
    }
    if config.websocket_echo {
        tracing::warn!("`websocket_echo` is set: no WebSocket is served, each is only an echo");
    }
}
