//! A chaos proxy: a link between two parts that can be slow, narrow, deaf, cut, torn or half gone, on order.
//!
//! Owns its port and the connections through it, on a runtime of its own, so that the test's own runtime cannot slow it.
//! Never changes, reorders or invents a byte, and says of every fault what it has hit: a fault that hit nothing proves nothing.

mod counts;
mod delay_line;
mod door;
mod line;
mod pump;
mod upstream;
mod weather;

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result};
use tokio::{
    runtime::{Builder, Handle},
    sync::watch,
    task::AbortHandle,
};

pub use counts::Counts;
pub use upstream::Upstream;
pub use weather::{Way, Weather};

use crate::{until, wait};
use counts::Tally;
use weather::Skies;

/// How long a change of the door may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is done to connections that are there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blow {
    /// Both sides are told the end of the stream (FIN).
    Cut,
    /// Both sides are told that the other has reset the connection (RST).
    Reset,
    /// Nobody is told anything, and nothing arrives any more, also when all else has healed: the other side's machine has
    /// lost its power.
    HalfOpen,
}

/// What becomes of new connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// They are carried.
    Open,
    /// They are taken, and nothing more happens until the door opens, as with a program that does not accept.
    Parked,
    /// They are refused: nobody listens.
    Shut,
}

/// A link that breaks on order. It ends, with all connections through it, when it is dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    upstream: Upstream,
    shared: Arc<Shared>,
    task: AbortHandle,
}

/// What the proxy, its door and its lines have in common.
#[derive(Debug)]
struct Shared {
    tally: Tally,
    skies: watch::Sender<Skies>,
    door: watch::Sender<Door>,
    /// What the door really is, once an order has been carried out.
    door_is: watch::Sender<Door>,
    /// The lines there are, by number, and how to strike them.
    lines: Mutex<HashMap<u64, watch::Sender<Option<Blow>>>>,
}

impl Shared {
    fn lines(&self) -> MutexGuard<'_, HashMap<u64, watch::Sender<Option<Blow>>>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Proxy {
    /// A link to `upstream`, open and calm, on a port of its own.
    ///
    /// # Errors
    /// When there is no port.
    pub fn start(upstream: Upstream) -> Result<Self> {
        let runtime = runtime()?;
        let _inside = runtime.enter();
        let (listener, address) = door::listen_anywhere()?;
        let shared = Arc::new(Shared {
            tally: Tally::default(),
            skies: watch::Sender::new(Skies::default()),
            door: watch::Sender::new(Door::Open),
            door_is: watch::Sender::new(Door::Open),
            lines: Mutex::default(),
        });
        let task = runtime.spawn(door::run(listener, upstream.clone(), Arc::clone(&shared)));
        Ok(Self { address, upstream, shared, task: task.abort_handle() })
    }

    /// A link to the part that `url` names: `http://host:port`, `redis://host:port`, or a Postgres on TCP or a socket.
    ///
    /// # Errors
    /// When the URL names no address, or there is no port.
    pub fn before(url: &str) -> Result<Self> {
        Self::start(Upstream::of_url(url)?)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `url`, a URL of the part behind, as it reads through this link.
    ///
    /// # Errors
    /// When it is not a URL.
    pub fn url(&self, url: &str) -> Result<String> {
        upstream::through(url, self.address)
    }

    /// From now on these conditions hold one way or both, for connections that are there and for new ones.
    pub fn set(&self, way: Way, weather: Weather) {
        self.shared.skies.send_modify(|skies| skies.set(way, weather));
    }

    /// Undoes [`Proxy::set`], both ways. What was held goes on, as after a partition.
    pub fn calm(&self) {
        self.set(Way::Both, Weather::default());
    }

    /// Strikes every `one_in`-th connection; how many there were.
    pub fn strike(&self, blow: Blow, one_in: u64) -> usize {
        let lines = self.shared.lines();
        let chosen = lines.iter().filter(|(number, _)| number.is_multiple_of(one_in.max(1)));
        let hit = chosen.filter(|(_, line)| line.send(Some(blow)).is_ok()).count();
        self.shared.tally.struck(hit);
        hit
    }

    /// Opens or closes the door; comes back when it is so.
    ///
    /// # Errors
    /// When the port has been taken while the door was shut.
    pub fn door(&self, door: Door) -> Result<()> {
        self.shared.door.send_replace(door);
        until("the door is as ordered", PATIENCE, || Ok((*self.shared.door_is.borrow() == door).then_some(())))
            .with_context(|| format!("the way to {} through {}", self.upstream, self.address))
    }

    /// What it has done so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let live = self.shared.lines().len();
        self.shared.tally.counts(live)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // The door's task holds all lines.
        self.task.abort();
    }
}

/// The runtime of all proxies of this program: one thread that never ends.
fn runtime() -> Result<&'static Handle> {
    static RUNTIME: OnceLock<Handle> = OnceLock::new();
    if let Some(running) = RUNTIME.get() {
        return Ok(running);
    }
    let runtime = Builder::new_current_thread().enable_all().build().context("no runtime for proxies")?;
    let ours = runtime.handle().clone();
    thread::Builder::new()
        .name("proxies".to_owned())
        .spawn(move || runtime.block_on(std::future::pending::<()>()))
        .context("no thread for proxies")?;
    // Two first callers at once: one of the threads then has nothing to do.
    Ok(RUNTIME.get_or_init(|| ours))
}

/// A port nobody uses; kept apart for the door.
fn port() -> Result<u16> {
    wait::free_port()
}
