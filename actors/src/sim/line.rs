//! A connection between a simulated client and a node: two pipes, and at the node's end what the gate does with a socket.
//! It must never be kinder than a socket: it takes what there is room for, and it may fall silent without ending.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::pending;
use std::io::{self, IoSlice};
use std::rc::Rc;
use std::time::Duration;

use actix::Addr;
use bytes::Bytes;
use tidings_protocol::ids::ConnectionId;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

use crate::feed::table::Line;
use crate::frame::Framing;
use crate::limits::SLOW_PATIENCE_MS;
use crate::link::{Link, Standing, Wire};
use crate::session::actor::{Message, Session};
use crate::worker::Worker;

/// One message a line; what is the transport's begins with a mark.
pub(super) const FRAMING: Framing = Framing {
    text: |payload| [payload, b"\n"].concat().into(),
    ping: || Bytes::from_static(b"!ping\n"),
    close: |code| format!("!close {}\n", code.number()).into(),
};

/// What a client answers a ping with.
pub(super) const PONG: &str = "!pong";

/// How long a peer may take to answer a close frame, as the gate has it.
const CLOSE_PATIENCE: Duration = Duration::from_secs(5);

/// Both directions.
pub(super) struct Pipe {
    pub(super) number: u64,
    /// Bytes the socket still takes.
    pub(super) room: Cell<usize>,
    pub(super) to_client: RefCell<Vec<u8>>,
    /// When the first of them was written.
    pub(super) written_at: Cell<Option<Instant>>,
    pub(super) to_node: RefCell<VecDeque<String>>,
    /// The client has closed, and the node may know.
    pub(super) closed: Cell<bool>,
    /// The node has let go of it.
    pub(super) dropped: Cell<bool>,
    /// Something for the client to look at.
    pub(super) stirred: Rc<RefCell<Vec<u64>>>,
    pub(super) moved: Notify,
}

impl Pipe {
    pub(super) fn new(number: u64, room: usize, stirred: Rc<RefCell<Vec<u64>>>) -> Rc<Self> {
        Rc::new(Self {
            number,
            room: Cell::new(room),
            to_client: RefCell::default(),
            written_at: Cell::new(None),
            to_node: RefCell::default(),
            closed: Cell::new(false),
            dropped: Cell::new(false),
            stirred,
            moved: Notify::new(),
        })
    }

    pub(super) fn send(&self, message: String) {
        self.to_node.borrow_mut().push_back(message);
        self.moved.notify_one();
    }

    pub(super) fn close(&self) {
        self.closed.set(true);
        self.moved.notify_one();
    }

    /// The client takes whole messages, which makes room.
    pub(super) fn take(&self, room: usize) -> Vec<u8> {
        let mut wire = self.to_client.borrow_mut();
        let whole = wire.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let taken: Vec<u8> = wire.drain(..whole).collect();
        if self.room.get() < room {
            self.room.set(room);
            self.moved.notify_one();
        }
        taken
    }
}

struct PipeEnd(Rc<Pipe>);

impl Wire for PipeEnd {
    fn write(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let pipe = &*self.0;
        if pipe.closed.get() {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let mut room = pipe.room.get();
        let mut wire = pipe.to_client.borrow_mut();
        let before = wire.len();
        if before == 0 {
            pipe.written_at.set(Some(Instant::now()));
        }
        for slice in slices {
            let part = room.min(slice.len());
            wire.extend_from_slice(&slice[..part]);
            if room != usize::MAX {
                room -= part;
            }
        }
        pipe.room.set(room);
        if wire.len() == before {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        pipe.stirred.borrow_mut().push(pipe.number);
        Ok(wire.len() - before)
    }
}

struct Connection {
    pipe: Rc<Pipe>,
    link: Rc<Link>,
    session: Addr<Session>,
    worker: Rc<Worker>,
    full_since: Option<Instant>,
    drop_at: Option<Instant>,
}

/// The node's end of a connection, until it has ended.
pub(super) async fn serve(pipe: Rc<Pipe>, worker: Rc<Worker>) {
    let link: Rc<Link> = Link::new(PipeEnd(Rc::clone(&pipe)), worker.node.now());
    let connection = ConnectionId(Uuid::from_u64_pair(5, pipe.number));
    let session = Session::start_as(connection, Rc::clone(&worker), Rc::clone(&link));
    Connection { pipe, link, session, worker, full_since: None, drop_at: None }.converse().await;
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.link.break_off();
        self.session.do_send(Message::Gone);
        self.pipe.dropped.set(true);
        self.pipe.stirred.borrow_mut().push(self.pipe.number);
    }
}

impl Connection {
    async fn converse(&mut self) {
        loop {
            self.take_messages();
            self.look_at_outbox();
            if self.pipe.closed.get() || self.has_ended() {
                return;
            }
            let slow = self.full_since.map(|since| since + Duration::from_millis(SLOW_PATIENCE_MS));
            let wake_at = self.drop_at.or(slow);
            tokio::select! {
                biased;
                () = self.link.stirred() => {}
                () = self.pipe.moved.notified() => self.link.flush(),
                () = sleep_to(wake_at) => self.late(),
            }
        }
    }

    fn is_closing(&self) -> bool {
        self.link.standing() != Standing::Open
    }

    fn has_ended(&self) -> bool {
        match self.link.standing() {
            Standing::Open => false,
            Standing::Broken => true,
            Standing::Closing => {
                let late = self.drop_at.is_some_and(|drop_at| Instant::now() >= drop_at);
                late || !self.link.wants_to_write()
            }
        }
    }

    fn late(&mut self) {
        if !self.is_closing() {
            self.session.do_send(Message::Stuck);
            self.full_since = Some(Instant::now());
        }
    }

    fn look_at_outbox(&mut self) {
        if self.is_closing() && self.drop_at.is_none() {
            self.drop_at = Some(Instant::now() + CLOSE_PATIENCE);
        }
        if self.link.wants_to_write() {
            self.full_since.get_or_insert_with(Instant::now);
            return;
        }
        self.full_since = None;
        if self.link.has_drained() && !self.is_closing() {
            self.session.do_send(Message::Drained);
        }
    }

    fn take_messages(&self) {
        while !self.is_closing() && self.link.wants_to_read() && self.link.has_room() {
            let Some(message) = self.pipe.to_node.borrow_mut().pop_front() else {
                return;
            };
            self.link.heard(self.worker.node.now());
            if message != PONG {
                self.link.request_taken();
                self.session.do_send(Message::Text(message));
            }
        }
    }
}

async fn sleep_to(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => pending().await,
    }
}
