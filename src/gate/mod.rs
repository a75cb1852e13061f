//! The gate: where a connection becomes a session. The only part that knows sockets.
//! Owns: the handshake, the frames, TCP's own settings, and starting the living part. Must never decide about a conversation.

mod connection;
mod crowd;
mod door;
mod exit;
mod reader;
mod upgrade;
mod wire;

use std::cell::RefCell;
use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use actix::{Actor, Addr};
use actix_codec::Framed;
use actix_http::header::X_FORWARDED_FOR;
use actix_http::{HttpMessage, Request, StatusCode, h1};
use actix_rt::net::TcpStream;
use futures_util::future::LocalBoxFuture;
use socket2::SockRef;
use tidings_actors::account::seen::Seen;
use tidings_actors::counters::{Counters, rounds};
use tidings_actors::feed::actor::{Feed, TailStopped};
use tidings_actors::frame::Framing;
use tidings_actors::journal::actor::{Journal, JournalAddr};
use tidings_actors::node::{Node, Settings};
use tidings_actors::ports::{
    BotDesk, Bus, Circle, Desk, Drafts, JournalStore, Marks, Moderation, Pictures, Reads, Search, StoreFault, Submit,
    Tokens,
};
use tidings_actors::presence::company::Company;
use tidings_actors::presence::crier::{Crier, Stop as StopCrying};
use tidings_actors::session::ears::Ears;
use tidings_actors::starts::Starts;
use tidings_actors::tail::actor::{Message as ToTail, Sight, Tail};
use tidings_actors::user::Users;
use tidings_actors::worker::Worker;
use tokio::sync::OnceCell;

use crate::client::{Clients, network};
use crate::config::Config;
use crate::origin::Origins;
use connection::How;
use crowd::{Crowd, Present, Turned};
pub use door::{Room, door};

/// What the kernel may hold of frames a client has not taken. Without a bound one client that never read had 2.9 MiB.
const SEND_BUFFER_BYTES: usize = 64 * 1024;

/// What the gate is made of.
pub struct Parts {
    /// Where state changes.
    pub journal: Arc<dyn JournalStore>,
    /// Where state is read.
    pub reads: Arc<dyn Reads>,
    /// Who a token speaks for.
    pub tokens: Arc<dyn Tokens>,
    /// One's own account.
    pub desk: Arc<dyn Desk>,
    /// Tokens and bots.
    pub bots: Arc<dyn BotDesk>,
    /// Pictures.
    pub pictures: Arc<dyn Pictures>,
    /// What people have not published yet.
    pub drafts: Arc<dyn Drafts>,
    /// What people have chosen about others.
    pub circle: Arc<dyn Circle>,
    /// What people leave on posts.
    pub marks: Arc<dyn Marks>,
    /// Looking for things by words.
    pub search: Arc<dyn Search>,
    /// What moderators look at.
    pub moderation: Arc<dyn Moderation>,
    /// When log-ins were last connected.
    pub seen: Arc<Seen>,
    /// The way to the other nodes.
    pub bus: Arc<dyn Bus>,
    /// How what is sent is wrapped.
    pub framing: Framing,
    /// Which pages may.
    pub origins: Origins,
    /// Who is asking.
    pub clients: Clients,
    /// How many sockets there is room for.
    pub room: Room,
    /// The settings.
    pub config: Arc<Config>,
}

struct Shared {
    node: Arc<Node>,
    tail: Addr<Tail>,
    crier: Addr<Crier>,
    sight: Arc<Sight>,
    crowd: Arc<Crowd>,
    origins: Origins,
    clients: Clients,
    connections_per_ip: usize,
    room: Room,
    leaving: AtomicBool,
    how: How,
}

/// The gate.
#[derive(Clone)]
pub struct Gate {
    shared: Arc<Shared>,
}

/// Frames as WebSockets have them.
pub const FRAMING: Framing = wire::FRAMING;

thread_local! {
    /// The worker of this thread, started with its first connection; another one after it has failed.
    static WORKER: RefCell<Rc<OnceCell<Rc<Worker>>>> = RefCell::default();
}

impl Gate {
    /// Opens the gate: starts tail and journal on this thread.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn open(parts: Parts) -> Result<Self, StoreFault> {
        let head = parts.journal.head().await?;
        let started = Instant::now();
        let sight = Arc::new(Sight::default());
        let tail = Tail::new(parts.journal.clone(), head, parts.bus.listen(), started, sight.clone()).start();
        let counters = Arc::<Counters>::default();
        rounds::begin(counters.clone(), parts.marks.clone(), started);
        let company = Arc::<Company>::default();
        let crier = Crier::begins(company.clone(), parts.bus.clone(), started);
        let journal = Journal::start_over(parts.journal, parts.bus, tail.clone(), started);
        let config = parts.config;
        let settings = Settings {
            hello_timeout_ms: config.hello_timeout_ms,
            points_per_minute: config.points_per_minute,
            global_rate: config.global_rate,
            heartbeat_ms: config.heartbeat_ms,
            drain_ms: config.drain_ms,
            outbox_bytes: config.outbox_bytes_of_worker(),
        };
        let node = Arc::new(Node {
            starts: Starts::default(),
            users: Users::new(parts.reads.clone(), settings.points_per_minute),
            reads: parts.reads,
            tokens: parts.tokens,
            desk: parts.desk,
            firehose: Ears::of(config.firehose_connections),
            bots: parts.bots,
            pictures: parts.pictures,
            marks: parts.marks,
            circle: parts.circle,
            search: parts.search,
            drafts: parts.drafts,
            moderation: parts.moderation,
            counters,
            seen: parts.seen,
            journal,
            company,
            framing: parts.framing,
            sight: sight.clone(),
            settings,
            started,
        });
        let shared = Shared {
            node,
            tail,
            crier,
            sight,
            crowd: Arc::default(),
            origins: parts.origins,
            clients: parts.clients,
            connections_per_ip: config.connections_per_ip,
            room: parts.room,
            leaving: AtomicBool::new(false),
            how: How { echo: config.websocket_echo, slow_after: Duration::from_millis(config.slow_ms) },
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// The way in for commands that come over REST.
    #[must_use]
    pub fn submit(&self) -> Arc<dyn Submit> {
        Arc::new(self.journal().clone())
    }

    fn journal(&self) -> &JournalAddr {
        &self.shared.node.journal
    }

    /// Whether the journal's head has been confirmed lately.
    #[must_use]
    pub fn is_clear(&self) -> bool {
        self.shared.sight.is_clear()
    }

    /// Takes a connection over; done when it has been handed to its own task.
    pub fn accept(&self, request: Request, framed: Framed<TcpStream, h1::Codec>) -> LocalBoxFuture<'static, ()> {
        let shared = self.shared.clone();
        Box::pin(async move {
            if let Err(fault) = shared.connect(request, framed).await {
                tracing::debug!(%fault, "a handshake came to nothing");
            }
        })
    }

    /// Says goodbye to all connections, and waits until they have ended, at most `patience`.
    pub async fn drain(&self, patience: Duration) {
        self.shared.leaving.store(true, Ordering::Relaxed);
        self.shared.tail.do_send(ToTail::Drain);
        if tokio::time::timeout(patience, self.shared.crowd.gone()).await.is_err() {
            tracing::warn!("some connections did not end in time");
        }
    }

    /// Waits until what was taken in has been answered; nothing is asked of the database after that.
    pub async fn finish(&self) {
        self.journal().idle().await;
        self.shared.tail.do_send(ToTail::Stop);
        self.shared.crier.do_send(StopCrying);
        self.shared.node.counters.stop();
    }
}

#[derive(Debug, thiserror::Error)]
enum NotConnected {
    #[error("the answer could not be sent: {0}")]
    Send(#[from] actix_http::error::DispatchError),
    #[error(transparent)]
    Worker(#[from] TailStopped),
    #[error("the socket's settings were refused: {0}")]
    Socket(#[from] std::io::Error),
}

impl Shared {
    async fn connect(&self, request: Request, mut framed: Framed<TcpStream, h1::Codec>) -> Result<(), NotConnected> {
        let accept = match upgrade::decide(&request, &self.origins) {
            Ok(accept) => accept,
            Err(refusal) => return Ok(upgrade::send(&mut framed, refusal).await?),
        };
        if self.leaving.load(Ordering::Relaxed) {
            return Ok(upgrade::send(&mut framed, upgrade::refuse(StatusCode::SERVICE_UNAVAILABLE)).await?);
        }
        let present = match self.count(&request) {
            Ok(present) => present,
            Err(turned) => {
                let status = match turned {
                    Turned::Network => StatusCode::TOO_MANY_REQUESTS,
                    Turned::Full => StatusCode::SERVICE_UNAVAILABLE,
                };
                return Ok(upgrade::send(&mut framed, upgrade::refuse(status)).await?);
            }
        };
        let worker = self.worker().await?;
        upgrade::send(&mut framed, accept).await?;
        drop(request);
        let parts = framed.into_parts();
        set_up(&parts.io, self.how)?;
        // A task of its own: the one that brought the request holds actix-http's dispatcher, several KB, for as long as it lives.
        actix_rt::spawn(connection::run(parts.io, parts.read_buf, worker, self.how, present));
        Ok(())
    }

    fn count(&self, request: &Request) -> Result<Present, Turned> {
        let peer = request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
        let forwarded: Vec<&str> =
            request.headers().get_all(X_FORWARDED_FOR).filter_map(|header| header.to_str().ok()).collect();
        let address = self.clients.address(peer, forwarded.into_iter());
        self.crowd.enter(network(address), self.connections_per_ip, self.room.inside)
    }

    async fn worker(&self) -> Result<Rc<Worker>, TailStopped> {
        let cell = WORKER.with_borrow_mut(|cell| {
            if cell.get().is_some_and(|worker| worker.is_torn()) {
                *cell = Rc::default();
            }
            Rc::clone(cell)
        });
        let start = || Feed::start_worker(self.node.clone(), &self.tail);
        cell.get_or_try_init(start).await.cloned()
    }
}

fn set_up(stream: &TcpStream, how: How) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    socket.set_send_buffer_size(SEND_BUFFER_BYTES)?;
    #[cfg(target_os = "linux")]
    // Once our own patience with a slow reader is over, and with a close frame it does not take, the kernel is not to keep what is left of it.
    // Without this such a socket outlived its session by 45 s.
    socket.set_tcp_user_timeout(Some(how.slow_after + connection::CLOSE_PATIENCE))?;
    Ok(())
}
