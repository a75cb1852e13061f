//! One connection's socket: reading, waiting until it takes more, and ending. The only one who waits on it.
//! Must never decide anything about the conversation: messages go to the session, frames come from its link.

use std::future::pending;
use std::io;
use std::net::Shutdown;
use std::rc::Rc;
use std::time::Duration;

use actix::Addr;
use actix_http::ws::{CloseReason, OpCode};
use actix_rt::net::TcpStream;
use bytes::{Bytes, BytesMut};
use socket2::SockRef;
use tidings_actors::feed::table::Line;
use tidings_actors::link::{Link, Standing};
use tidings_actors::session::actor::{Message, Session};
use tidings_actors::worker::Worker;
use tidings_protocol::limits::{MESSAGE_BYTES, MESSAGE_BYTES_BEFORE_HELLO};
use tokio::time::{Instant, sleep_until, timeout};

use super::crowd::Present;
use super::exit::Exit;
use super::reader::{Incoming, Reader};
use super::wire::{TcpWire, close_with, frame};

/// How long a peer may take to answer a close frame.
pub(super) const CLOSE_PATIENCE: Duration = Duration::from_secs(5);
/// How long a connection is kept for its close frame to arrive, and how much of what the peer still sends is passed over meanwhile.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_BYTES: usize = 1024 * 1024;
/// Read at once; given back when what was read has been taken.
const READ_BYTES: usize = 4 * 1024;

/// Who is at this end of a connection.
enum Party {
    /// A conversation.
    Session(Addr<Session>),
    /// Nobody: every message goes back as it came. For conformance tests (the setting `websocket_echo`).
    Echo,
}

struct Connection {
    link: Rc<Link<TcpWire>>,
    party: Party,
    worker: Rc<Worker>,
    reader: Reader,
    buffer: BytesMut,
    /// How long a reader may leave its socket full.
    slow_after: Duration,
    /// Since when the socket has not taken everything.
    full_since: Option<Instant>,
    /// When a connection that is closing is dropped.
    drop_at: Option<Instant>,
    /// The peer has closed, or will not be listened to any more.
    deaf: bool,
}

/// What an operator may set of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct How {
    /// Every message goes back as it came (the setting `websocket_echo`).
    pub(super) echo: bool,
    /// How long a reader may leave its socket full.
    pub(super) slow_after: Duration,
}

/// Runs a connection until it has ended. `read_already` came behind the upgrade request; `present` is dropped at the very end.
///
/// No `async fn`: what that is given lies in its future twice, as it came and where it went, which was 256 bytes of each connection's task.
pub(super) fn run(
    stream: TcpStream,
    read_already: BytesMut,
    worker: Rc<Worker>,
    how: How,
    present: Present,
) -> impl Future<Output = ()> {
    let mut connection = Connection::open(stream, read_already, worker, how);
    async move {
        connection.converse().await;
        // Of thousands that end at once each waits for its turn, and there is nothing more to read.
        connection.buffer = BytesMut::new();
        let exit = Exit::turn().await;
        let said_goodbye = connection.link.standing() == Standing::Closing;
        let link = Rc::clone(&connection.link);
        drop(connection);
        if said_goodbye {
            exit.done().await;
            // Boxed: what it reads into would lie in this task for as long as the connection lasts, and was half of what one weighed.
            Box::pin(linger(&link.wire().0)).await;
        } else {
            drop(link);
            exit.done().await;
        }
        drop(present);
    }
}

impl Drop for Connection {
    /// On whichever way the connection ends, also by a panic: nothing of it stays behind with its session.
    fn drop(&mut self) {
        self.link.break_off();
        self.tell(Message::Gone);
    }
}

/// Lets the close frame arrive. A socket that is dropped with bytes unread resets the connection, and the peer might never see why.
async fn linger(stream: &TcpStream) {
    if SockRef::from(stream).shutdown(Shutdown::Write).is_err() {
        return;
    }
    let until_closed = async {
        let (mut scratch, mut left) = ([0; READ_BYTES], LINGER_BYTES);
        while stream.readable().await.is_ok() && left > 0 {
            match stream.try_read(&mut scratch) {
                Ok(0) => return,
                Ok(taken) => left = left.saturating_sub(taken),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return,
            }
        }
    };
    // What counts is that the peer had the time; whether it closed does not matter any more.
    drop(timeout(LINGER, until_closed).await);
}

impl Connection {
    fn open(stream: TcpStream, read_already: BytesMut, worker: Rc<Worker>, how: How) -> Self {
        let link = Link::new(TcpWire(stream), worker.node.now());
        let (party, first_message) = if how.echo {
            (Party::Echo, MESSAGE_BYTES)
        } else {
            let as_the_session_knows_it: Rc<Link> = link.clone();
            (Party::Session(Session::start_on(Rc::clone(&worker), as_the_session_knows_it)), MESSAGE_BYTES_BEFORE_HELLO)
        };
        Self {
            link,
            party,
            worker,
            reader: Reader::new(first_message),
            buffer: read_already,
            slow_after: how.slow_after,
            full_since: None,
            drop_at: None,
            deaf: false,
        }
    }

    async fn converse(&mut self) {
        loop {
            self.take_messages();
            self.look_at_outbox();
            if self.has_ended() {
                return;
            }
            let wake_at = self.wake_at();
            let reading = self.listens();
            tokio::select! {
                () = self.link.stirred() => {}
                ready = self.link.wire().0.writable(), if self.full_since.is_some() => {
                    if ready.is_err() { return }
                    self.link.flush();
                }
                ready = self.link.wire().0.readable(), if reading => {
                    if ready.is_err() || self.read().is_err() { return }
                }
                () = sleep_to(wake_at) => self.late(),
            }
        }
    }

    /// Whether the next message may be taken. Answers to pings are not requests in flight: what bounds them is room in the outbox.
    fn listens(&self) -> bool {
        !self.deaf && (self.is_closing() || self.link.wants_to_read() && self.link.has_room())
    }

    fn tell(&self, message: Message) {
        if let Party::Session(session) = &self.party {
            session.do_send(message);
        }
    }

    fn is_closing(&self) -> bool {
        self.link.standing() != Standing::Open
    }

    /// A broken link has ended; a closing one when the peer has answered or its time is up.
    fn has_ended(&self) -> bool {
        match self.link.standing() {
            Standing::Open => false,
            Standing::Broken => true,
            Standing::Closing => {
                let late = self.drop_at.is_some_and(|drop_at| Instant::now() >= drop_at);
                late || (self.deaf && !self.link.wants_to_write())
            }
        }
    }

    fn wake_at(&self) -> Option<Instant> {
        let slow = self.full_since.map(|since| since + self.slow_after);
        self.drop_at.or(slow)
    }

    fn late(&mut self) {
        if !self.is_closing() {
            self.tell(Message::Stuck);
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
            self.tell(Message::Drained);
        }
    }

    /// Reads what is there.
    fn read(&mut self) -> io::Result<()> {
        self.buffer.reserve(READ_BYTES);
        match self.link.wire().0.try_read_buf(&mut self.buffer) {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(_) => {
                self.link.heard(self.worker.node.now());
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Hands on what has been read, as far as the session takes it.
    fn take_messages(&mut self) {
        while self.listens() {
            match self.reader.next(&mut self.buffer) {
                Ok(Some(incoming)) => self.take(incoming),
                Ok(None) => break,
                Err(number) => self.close(Some(number.into())),
            }
        }
        if self.buffer.is_empty() {
            // An idle connection holds no read buffer.
            self.buffer = BytesMut::new();
        }
    }

    fn take(&mut self, incoming: Incoming) {
        if let Incoming::Close(reason) = incoming {
            // The echo; if we closed first, this was the peer's.
            return self.close(reason);
        }
        if self.is_closing() {
            return;
        }
        match incoming {
            Incoming::Text(text) => match &self.party {
                Party::Session(session) => {
                    self.link.request_taken();
                    session.do_send(Message::Text(text));
                }
                Party::Echo => self.send(frame(text.as_bytes(), OpCode::Text)),
            },
            Incoming::Binary(bytes) => match &self.party {
                Party::Session(session) => session.do_send(Message::Binary),
                Party::Echo => self.send(frame(&bytes, OpCode::Binary)),
            },
            Incoming::Ping(payload) => self.send(frame(&payload, OpCode::Pong)),
            Incoming::Pong | Incoming::Close(_) => {}
        }
    }

    fn send(&self, frame: Bytes) {
        self.link.keep(frame);
        self.link.flush();
    }

    /// Closes by the transport's own rules, and listens no more.
    fn close(&mut self, reason: Option<CloseReason>) {
        self.deaf = true;
        self.link.close(close_with(reason));
        self.link.flush();
        self.tell(Message::Gone);
    }
}

async fn sleep_to(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => pending().await,
    }
}
