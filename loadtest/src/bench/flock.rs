//! Many idle clients that come back by the book: full-jitter back-off, their cursor, and after `going_away` the wait they were told.
//! Must never come back sooner than PROTOCOL.md lets a client.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use tidings_protocol::feed::FeedName;
use tidings_protocol::limits::CONNECTIONS_PER_USER;
use tidings_protocol::position::Cursor;
use tidings_protocol::request::Hello;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::frame::Frame;
use crate::machine;
use crate::people::Person;
use crate::raw::{RawSocket, Took};

/// Handshakes at the same time while the flock gathers, before anything is measured.
const AT_ONCE: usize = 64;
/// A handshake that takes this long is given up and tried again.
const OPEN_PATIENCE: Duration = Duration::from_secs(10);
/// Back-off of PROTOCOL.md §9.
const FIRST_WAIT_MS: u64 = 500;
const MOST_WAIT_MS: u64 = 20_000;
const LOOK: Duration = Duration::from_millis(10);

/// What happened since it was last cleared.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// When each that is back came back.
    pub back: Vec<Instant>,
    /// Went on from their cursor.
    pub resumed: usize,
    /// Were told `going_away`.
    pub told: Vec<Instant>,
    /// Connections that ended without having been told, or cut by us.
    pub hung_up: usize,
    /// Tries that came to nothing, by what was said.
    pub failures: BTreeMap<String, usize>,
}

struct Shared {
    /// Where to go, in turn.
    targets: RefCell<Vec<SocketAddr>>,
    tally: RefCell<Tally>,
    open: Cell<usize>,
    /// Places at the door while the flock gathers; closed afterwards.
    gathering: Semaphore,
}

/// The clients.
pub struct Flock {
    shared: Rc<Shared>,
    cut: watch::Sender<u64>,
    clients: Vec<JoinHandle<()>>,
}

impl Drop for Flock {
    fn drop(&mut self) {
        self.clients.iter().for_each(JoinHandle::abort);
    }
}

impl Flock {
    /// Connects so many clients of these people, each watching `home`.
    ///
    /// # Errors
    /// They do not all get in.
    pub async fn gather(target: SocketAddr, people: &[Person], size: usize) -> Result<Self> {
        machine::make_room_for(size)?;
        ensure!(people.len() * CONNECTIONS_PER_USER >= size, "{size} connections need more than {}", people.len());
        let shared = Rc::new(Shared {
            targets: RefCell::new(vec![target]),
            tally: RefCell::default(),
            open: Cell::new(0),
            gathering: Semaphore::new(AT_ONCE),
        });
        let (cut, is_cut) = watch::channel(0);
        let clients = (0..size)
            .map(|index| {
                let token = people[index % people.len()].tokens.access_token.clone();
                let client = Client { index, token, shared: Rc::clone(&shared), is_cut: is_cut.clone() };
                tokio::task::spawn_local(client.live())
            })
            .collect();
        let flock = Self { shared, cut, clients };
        flock.all_open(Duration::from_secs(120)).await?;
        flock.shared.gathering.close();
        Ok(flock)
    }

    /// Cuts every connection at once, without goodbye; they come back.
    pub fn scatter(&self) {
        *self.shared.tally.borrow_mut() = Tally::default();
        self.cut.send_modify(|cuts| *cuts += 1);
    }

    /// From now on they go elsewhere when they come back.
    pub fn next_target(&self, target: SocketAddr) {
        *self.shared.tally.borrow_mut() = Tally::default();
        *self.shared.targets.borrow_mut() = vec![target];
    }

    /// What has happened.
    pub fn tally(&self) -> Tally {
        self.shared.tally.borrow().clone()
    }

    /// Waits until everybody is back.
    ///
    /// # Errors
    /// They are not in time.
    pub async fn all_back(&self, patience: Duration) -> Result<()> {
        self.wait(patience, |shared| shared.tally.borrow().back.len()).await
    }

    async fn all_open(&self, patience: Duration) -> Result<()> {
        self.wait(patience, |shared| shared.open.get()).await
    }

    async fn wait(&self, patience: Duration, count: impl Fn(&Shared) -> usize) -> Result<()> {
        let end = Instant::now() + patience;
        while count(&self.shared) < self.clients.len() {
            if Instant::now() > end {
                let (there, all) = (count(&self.shared), self.clients.len());
                bail!("{there} of {all} connections within {patience:?}; failures {:?}", self.tally().failures);
            }
            sleep(LOOK).await;
        }
        Ok(())
    }
}

struct Client {
    index: usize,
    token: String,
    shared: Rc<Shared>,
    is_cut: watch::Receiver<u64>,
}

/// How a connection ended.
enum Ended {
    Cut,
    HungUp,
    Told { after: Duration, cursor: Cursor },
}

impl Client {
    async fn live(mut self) {
        let mut cursor = None;
        let mut tries = 0;
        loop {
            let opened = self.open(cursor).await;
            let (mut socket, at) = match opened {
                Ok(opened) => opened,
                Err(cause) => {
                    *self.shared.tally.borrow_mut().failures.entry(cause.to_string()).or_default() += 1;
                    tries += 1;
                    sleep(back_off(tries)).await;
                    continue;
                }
            };
            tries = 0;
            cursor = Some(at);
            self.shared.open.set(self.shared.open.get() + 1);
            let ended = self.stay(&mut socket).await;
            drop(socket);
            self.shared.open.set(self.shared.open.get() - 1);
            match ended {
                Ended::Told { after, cursor: told } => {
                    cursor = Some(told);
                    self.shared.tally.borrow_mut().told.push(Instant::now());
                    sleep(after).await;
                }
                Ended::Cut => sleep(back_off(0)).await,
                Ended::HungUp => {
                    self.shared.tally.borrow_mut().hung_up += 1;
                    sleep(back_off(0)).await;
                }
            }
        }
    }

    async fn open(&self, cursor: Option<Cursor>) -> Result<(RawSocket, Cursor)> {
        // Closed once everybody is there: then nobody waits for anybody.
        let _place = self.shared.gathering.acquire().await.ok();
        let targets = self.shared.targets.borrow().clone();
        let hello = Hello {
            token: Some(self.token.clone()),
            feeds: vec![FeedName::Home],
            limit: Some(1),
            cursor,
            ..Hello::default()
        };
        let opening = RawSocket::open(targets[self.index % targets.len()], self.index, hello);
        let Ok(opened) = timeout(OPEN_PATIENCE, opening).await else { bail!("no answer within {OPEN_PATIENCE:?}") };
        let (socket, welcome) = opened?;
        let mut tally = self.shared.tally.borrow_mut();
        tally.back.push(Instant::now());
        tally.resumed += usize::from(welcome.resumed);
        Ok((socket, welcome.cursor))
    }

    /// Answers pings until the connection ends.
    async fn stay(&mut self, socket: &mut RawSocket) -> Ended {
        self.is_cut.mark_unchanged();
        let mut buffer = vec![0; 1024];
        loop {
            let mut told = None;
            let on_text = |text: &[u8]| told = told.take().or_else(|| going_away(text));
            tokio::select! {
                _ = self.is_cut.changed() => return Ended::Cut,
                took = socket.texts(&mut buffer, on_text) => match took {
                    Ok(Took::Texts(_)) => {}
                    Ok(Took::End) | Err(_) => return Ended::HungUp,
                },
            }
            if let Some((after, cursor)) = told {
                return Ended::Told { after, cursor };
            }
        }
    }
}

/// What a leaving node says: how long to wait, and where one stands.
pub fn going_away(text: &[u8]) -> Option<(Duration, Cursor)> {
    let frame = Frame::read(std::str::from_utf8(text).ok()?).ok()?;
    let after = frame.reconnect_after_ms.filter(|_| frame.event == Some("going_away"))?;
    Some((Duration::from_millis(after), frame.cursor?))
}

/// Full jitter.
fn back_off(tries: u32) -> Duration {
    let most = (FIRST_WAIT_MS << tries.min(6)).min(MOST_WAIT_MS);
    Duration::from_millis(rand::random_range(0..=most))
}
