//! One node's actors, with one worker thread, over a store, a bus and sockets of plain memory.
//! Must never decide what the actors decide: it keeps entries and gives them back.

use std::cell::{Cell, RefCell};
use std::io::{self, IoSlice};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix::{Actor, Addr, Arbiter};
use bytes::Bytes;
use serde_json::{Value, json};
use tidings_actors::entry::Change;
use tidings_actors::feed::actor::Feed;
use tidings_actors::feed::table::Line;
use tidings_actors::frame::Framing;
use tidings_actors::journal::actor::Journal;
use tidings_actors::link::{Link, Standing, Wire};
use tidings_actors::node::{Node, Settings};
use tidings_actors::ports::{
    Bus, JournalStore, NoBots, NoCircle, NoDrafts, NoMarks, NoModeration, NoPictures, NoSearch,
};
use tidings_actors::presence::company::Company;
use tidings_actors::presence::crier::Crier;
use tidings_actors::session::actor::{Message, Session};
use tidings_actors::session::ears::Ears;
use tidings_actors::starts::Starts;
use tidings_actors::tail::actor::{Message as ToTail, Sight, Tail};
use tidings_actors::user::Users;
use tidings_actors::worker::Worker;
use tidings_protocol::close::CloseCode;
use tidings_protocol::position::{Cursor, Seq};
use tokio::sync::{Notify, oneshot};
use tokio::time::timeout;

use crate::memory::{EPOCH, Memory};

/// Nothing here waits for anything but other tasks of its own thread.
const DEADLINE: Duration = Duration::from_secs(10);

pub const SETTINGS: Settings = Settings {
    hello_timeout_ms: 20_000,
    points_per_minute: 100_000,
    global_rate: 0,
    heartbeat_ms: 60_000,
    outbox_bytes: 1 << 30,
    drain_ms: 100,
};

/// A node with one worker thread.
pub struct House {
    pub memory: Arc<Memory>,
    pub node: Arc<Node>,
    pub worker: Rc<Worker>,
    tail: Addr<Tail>,
}

impl House {
    pub async fn open(settings: Settings) -> Self {
        Self::open_on(Arc::new(Memory::default()), settings).await
    }

    /// A node that begins when all this has been committed.
    pub async fn open_on(memory: Arc<Memory>, settings: Settings) -> Self {
        let started = Instant::now();
        let head = memory.head().await.unwrap();
        let sight = Arc::new(Sight::default());
        // On a thread of their own, as in a real node.
        let (to, started_there) = oneshot::channel();
        let (parts, sees) = (memory.clone(), sight.clone());
        let company = Arc::<Company>::default();
        let here = company.clone();
        Arbiter::new().spawn_fn(move || {
            let tail = Tail::new(parts.clone(), head, parts.listen(), started, sees).start();
            Crier::begins(here, parts.clone(), started);
            let journal = Journal::start_over(parts.clone(), parts, tail.clone(), started);
            assert!(to.send((tail, journal)).is_ok());
        });
        let (tail, journal) = started_there.await.unwrap();
        let node = Arc::new(Node {
            reads: memory.clone(),
            tokens: memory.clone(),
            desk: memory.clone(),
            firehose: Ears::of(100),
            bots: Arc::new(NoBots),
            pictures: Arc::new(NoPictures),
            marks: Arc::new(NoMarks),
            search: Arc::new(NoSearch),
            drafts: Arc::new(NoDrafts),
            moderation: Arc::new(NoModeration),
            circle: Arc::new(NoCircle),
            counters: Arc::default(),
            seen: Arc::default(),
            company,
            journal,
            users: Users::new(memory.clone(), settings.points_per_minute),
            framing: Framing { text, ping: || Bytes::from_static(b"ping\n"), close },
            settings,
            started,
            sight,
            starts: Starts::default(),
        });
        let worker = Feed::start_worker(node.clone(), &tail).await.unwrap();
        Self { memory, node, worker, tail }
    }

    /// Nothing confirms any more that the journal is where the node believes it to be.
    pub fn goes_blind(&self) {
        self.tail.do_send(ToTail::Stop);
    }

    /// Another worker in the place of the first, as after a panic.
    pub async fn begins_another_worker(&mut self) {
        self.worker = Feed::start_worker(self.node.clone(), &self.tail).await.unwrap();
    }

    /// These changes are committed as one batch; when this returns, the feed table has applied it.
    pub async fn happens(&self, changes: &[Change]) {
        let batch = Arc::new(self.memory.write(changes));
        self.tail.do_send(ToTail::Committed(batch.clone(), self.node.now()));
        self.worker.reached(batch.last).await;
    }

    /// The journal begins a new life with these changes; when this returns, the feed table is of it.
    pub async fn begins_a_new_life(&self, changes: &[Change]) {
        let epoch = self.memory.begins_a_new_life(changes);
        self.tail.do_send(ToTail::Suspect);
        let began = Instant::now();
        while self.worker.table().epoch() != epoch {
            assert!(began.elapsed() < DEADLINE, "the new life went unnoticed");
            tokio::task::yield_now().await;
        }
    }

    /// Somebody connects and says nothing yet.
    pub fn visitor(&self) -> Visitor {
        let tape = Rc::new(Tape::default());
        let link: Rc<Link> = Link::new(Writing(tape.clone()), self.node.now());
        actix::spawn(write_the_end(link.clone()));
        let session = Session::start_on(self.worker.clone(), link.clone());
        Visitor { session, link, tape, asked: Cell::new(1) }
    }

    /// Somebody connects and says `hello` with `params`; the visitor and what was answered.
    pub async fn greets(&self, params: Value) -> (Visitor, Value) {
        let visitor = self.visitor();
        visitor.says(&json!({ "id": 1, "method": "hello", "params": params }));
        let answer = visitor.hears().await;
        (visitor, answer)
    }

    /// Waits until everybody has gone and nothing of them is left.
    pub async fn is_empty(&self) {
        let empty = || {
            let sessions = self.worker.table().sessions();
            (self.worker.connections(), sessions, self.node.users.count()) == (0, 0, 0)
        };
        let began = Instant::now();
        while !empty() {
            assert!(
                began.elapsed() < DEADLINE,
                "left behind: {} connections, {} places, {} users",
                self.worker.connections(),
                self.worker.table().sessions(),
                self.node.users.count()
            );
            tokio::task::yield_now().await;
        }
    }
}

/// The cursor at an entry.
pub fn cursor(seq: u64) -> String {
    Cursor { epoch: EPOCH, seq: Seq(seq) }.to_string()
}

/// Waits as the one does who waits on a real socket: writes the end of a connection that nobody else has written.
async fn write_the_end(link: Rc<Link>) {
    while link.standing() == Standing::Open {
        link.stirred().await;
    }
    link.flush();
}

/// What has been written to a socket that takes everything, or nothing.
#[derive(Default)]
struct Tape {
    written: RefCell<String>,
    full: Cell<bool>,
    rung: Notify,
}

struct Writing(Rc<Tape>);

impl Wire for Writing {
    fn write(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        if self.0.full.get() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let mut written = self.0.written.borrow_mut();
        slices.iter().for_each(|slice| written.push_str(std::str::from_utf8(slice).unwrap()));
        self.0.rung.notify_one();
        Ok(slices.iter().map(|slice| slice.len()).sum())
    }
}

/// The far end of a connection.
pub struct Visitor {
    pub session: Addr<Session>,
    link: Rc<Link>,
    tape: Rc<Tape>,
    asked: Cell<u64>,
}

impl Visitor {
    pub fn says(&self, request: &Value) {
        self.link.request_taken();
        self.session.do_send(Message::Text(request.to_string()));
    }

    /// Asks without waiting for the answer.
    pub fn asks(&self, method: &str, params: &Value) -> u64 {
        let id = self.asked.get() + 1;
        self.asked.set(id);
        self.says(&json!({ "id": id, "method": method, "params": params }));
        id
    }

    /// The next frame. A close frame reads as `{"close": number}`.
    pub async fn hears(&self) -> Value {
        loop {
            let line = {
                let mut written = self.tape.written.borrow_mut();
                written.find('\n').map(|end| written.drain(..=end).collect::<String>())
            };
            match line.as_deref().map(str::trim_end) {
                Some("ping") => {}
                Some(line) => return serde_json::from_str(line).unwrap(),
                None => timeout(DEADLINE, self.tape.rung.notified()).await.expect("something to hear"),
            }
        }
    }

    /// The next frame, if there is one already.
    pub fn heard(&self) -> Option<Value> {
        let mut written = self.tape.written.borrow_mut();
        let line = written.find('\n').map(|end| written.drain(..=end).collect::<String>())?;
        Some(serde_json::from_str(line.trim_end()).unwrap())
    }

    /// The socket takes nothing more.
    pub fn stops_reading(&self) {
        self.tape.full.set(true);
    }

    /// The socket takes everything again, and its session is told.
    pub fn reads_on(&self) {
        self.tape.full.set(false);
        self.link.flush();
        self.session.do_send(Message::Drained);
    }

    /// The near end of the connection.
    pub fn link(&self) -> Rc<Link> {
        self.link.clone()
    }

    /// The connection is cut.
    pub fn goes(&self) {
        self.session.do_send(Message::Gone);
    }
}

thread_local! {
    /// The next notice of who is here panics while it is framed.
    pub static CHOKES: Cell<bool> = const { Cell::new(false) };
}

fn text(payload: &[u8]) -> Bytes {
    let is_presence = payload.starts_with(br#"{"event":"presence""#);
    assert!(!(is_presence && CHOKES.replace(false)), "for the test");
    [payload, b"\n"].concat().into()
}

fn close(code: CloseCode) -> Bytes {
    format!("{{\"close\":{}}}\n", code.number()).into()
}
