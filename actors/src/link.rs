//! One connection as the living part sees it: its outbox and the way to write. Lives on one worker thread.
//! Must never wait: it writes what the socket takes now, and says when somebody should wait for the rest.

use std::cell::{Cell, OnceCell, RefCell, RefMut};
use std::io::{self, IoSlice};
use std::rc::Rc;

use actix::Addr;
use bytes::Bytes;
use tidings_protocol::position::Seq;
use tokio::sync::Notify;

use crate::feed::table::{Line, Told};
use crate::limits;
use crate::outbox::{Outbox, Pushed};
use crate::purse::Purse;
use crate::session::actor::Session;

/// Writing to a peer without waiting.
pub trait Wire {
    /// Writes as much as is taken now.
    ///
    /// # Errors
    /// `WouldBlock` when nothing is taken now; anything else ends the connection.
    fn write(&self, slices: &[IoSlice<'_>]) -> io::Result<usize>;

    /// The same for what lies together.
    ///
    /// # Errors
    /// As [`Self::write`].
    fn send(&self, bytes: &[u8]) -> io::Result<usize> {
        self.write(&[IoSlice::new(bytes)])
    }
}

/// How a link stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Frames may be queued.
    Open,
    /// The close frame is queued; nothing follows it.
    Closing,
    /// The peer cannot be written to any more.
    Broken,
}

/// How much the socket took.
enum Wrote {
    All,
    Some,
    Failed,
}

/// Slices in one vectored write: what Linux takes at once is 1,024, and 64 frames of 250 bytes fill a loopback segment.
const SLICES: usize = 64;
/// Slices for what a few batches have brought. 64 are a kilobyte to prepare.
const FEW: usize = 4;

/// A connection. Its wire lies in it and not behind a pointer of its own, and what a delivery touches lies together at its end: fetching
/// the descriptor alone was 1.1 % of a delivery.
#[repr(C)]
pub struct Link<W: ?Sized = dyn Wire> {
    /// When the peer was last heard, in milliseconds of the worker's clock.
    heard_at: Cell<u64>,
    /// Requests taken from the socket and not yet answered: the reader stops at its limit.
    in_flight: Cell<usize>,
    session: RefCell<Option<Addr<Session>>>,
    /// Rung when the one who waits on the socket should look again.
    stirred: Notify,
    /// What all outboxes of the thread share, once it belongs to one, and what of it is this one's.
    purse: OnceCell<Rc<Purse>>,
    weight: Cell<usize>,
    outbox: RefCell<Outbox>,
    /// The socket has been full since this was last asked.
    was_full: Cell<bool>,
    standing: Cell<Standing>,
    wire: W,
}

impl<W> Link<W> {
    /// A link over a wire.
    #[must_use]
    pub fn new(wire: W, now: u64) -> Rc<Self> {
        Rc::new(Self {
            outbox: RefCell::default(),
            purse: OnceCell::new(),
            weight: Cell::new(0),
            standing: Cell::new(Standing::Open),
            session: RefCell::new(None),
            was_full: Cell::new(false),
            stirred: Notify::new(),
            in_flight: Cell::new(0),
            heard_at: Cell::new(now),
            wire,
        })
    }

    /// What it writes to.
    pub const fn wire(&self) -> &W {
        &self.wire
    }
}

impl<W: Wire + ?Sized> Link<W> {
    /// From now on its outbox counts for the thread's budget.
    pub(crate) fn share(&self, purse: Rc<Purse>) {
        // A link belongs to one thread for life.
        drop(self.purse.set(purse));
    }

    /// Whether the outbox has to give way to others.
    fn is_too_much(&self, outbox: &Outbox) -> bool {
        self.purse.get().is_some_and(|purse| purse.is_short_for(outbox.bytes()))
    }

    /// Writes what the socket takes now.
    fn write(&self, outbox: &mut Outbox) -> Wrote {
        while !outbox.is_empty() {
            let wrote = match outbox.only() {
                // 2.30 µs, where preparing 64 slices and a vectored write of one took 2.95.
                Some(only) => self.wire.send(only),
                None if outbox.pieces() <= FEW => self.gather::<FEW>(outbox),
                None => self.gather::<SLICES>(outbox),
            };
            match wrote {
                Ok(taken) => outbox.advance(taken),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Wrote::Some,
                Err(_) => return Wrote::Failed,
            }
        }
        outbox.relax();
        Wrote::All
    }

    fn gather<const MOST: usize>(&self, outbox: &Outbox) -> io::Result<usize> {
        let mut slices = [IoSlice::new(&[]); MOST];
        let filled = outbox.gather(&mut slices);
        self.wire.write(&slices[..filled])
    }

    fn weigh(&self, outbox: RefMut<'_, Outbox>) {
        if let Some(purse) = self.purse.get() {
            let is = outbox.weight();
            purse.change(self.weight.replace(is), is);
        }
    }

    pub(crate) fn attach(&self, session: Addr<Session>) {
        *self.session.borrow_mut() = Some(session);
    }

    pub(crate) fn detach(&self) {
        *self.session.borrow_mut() = None;
    }

    /// Nothing is expected for a while: what is not needed meanwhile is given back.
    pub(crate) fn rest(&self) {
        self.outbox.borrow_mut().rest();
    }

    /// Waits until there is something to look at again.
    pub async fn stirred(&self) {
        self.stirred.notified().await;
    }

    /// How it stands.
    pub fn standing(&self) -> Standing {
        self.standing.get()
    }

    /// Whether something waits for the socket to take it.
    pub fn wants_to_write(&self) -> bool {
        self.standing.get() != Standing::Broken && !self.outbox.borrow().is_empty()
    }

    /// Whether the socket had been full and has taken everything, whoever wrote it. True once for each time.
    pub fn has_drained(&self) -> bool {
        !self.wants_to_write() && self.was_full.replace(false)
    }

    /// Whether the next request may be taken from the socket: not while as many as allowed wait for their answer, or while answers are
    /// not being taken. This is the back-pressure that keeps a connection from harming others (P7).
    pub fn wants_to_read(&self) -> bool {
        let outbox = self.outbox.borrow();
        self.in_flight.get() < tidings_protocol::limits::REQUESTS_IN_FLIGHT
            && outbox.bytes() < limits::OUTBOX_BYTES
            && !self.is_too_much(&outbox)
    }

    /// Queues what may not be dropped.
    pub fn keep(&self, frame: Bytes) {
        if self.standing.get() == Standing::Open {
            let mut outbox = self.outbox.borrow_mut();
            outbox.keep(frame);
            self.weigh(outbox);
        }
    }

    /// Queues the close frame; nothing can follow it.
    pub fn close(&self, frame: Bytes) {
        if self.standing.get() == Standing::Open {
            self.outbox.borrow_mut().keep(frame);
            self.standing.set(Standing::Closing);
        }
        self.stirred.notify_one();
    }

    /// Ends the connection and its session, which can do nothing more for it.
    pub(crate) fn give_up(&self, frame: Bytes) {
        self.close(frame);
        if let Some(session) = &*self.session.borrow() {
            session.do_send(crate::session::actor::Message::Gone);
        }
    }

    /// Gives the peer up.
    pub fn break_off(&self) {
        self.standing.set(Standing::Broken);
        self.stirred.notify_one();
    }

    /// A request was taken from the socket.
    pub fn request_taken(&self) {
        self.in_flight.set(self.in_flight.get() + 1);
    }

    /// A request was answered.
    pub(crate) fn request_answered(&self) {
        let was = self.in_flight.get();
        self.in_flight.set(was.saturating_sub(1));
        if was >= tidings_protocol::limits::REQUESTS_IN_FLIGHT {
            self.stirred.notify_one();
        }
    }

    /// The peer was heard.
    pub fn heard(&self, now: u64) {
        self.heard_at.set(now);
    }

    pub(crate) fn heard_at(&self) -> u64 {
        self.heard_at.get()
    }
}

impl<W: ?Sized> Drop for Link<W> {
    fn drop(&mut self) {
        if let Some(purse) = self.purse.get() {
            purse.change(self.weight.get(), 0);
        }
    }
}

impl<W: Wire + ?Sized> Line for Rc<Link<W>> {
    fn push(&self, frames: Bytes, seq: Seq) -> Pushed {
        if self.standing.get() != Standing::Open {
            return Pushed::Queued;
        }
        let mut outbox = self.outbox.borrow_mut();
        let pushed = if self.is_too_much(&outbox) {
            self.purse.get().inspect(|purse| purse.has_shed());
            outbox.shed(seq)
        } else {
            outbox.push(frames, seq)
        };
        self.weigh(outbox);
        pushed
    }

    fn is_idle(&self) -> bool {
        (self.standing.get() == Standing::Open) & self.outbox.borrow().is_empty()
    }

    fn send(&self, frames: &Bytes, seq: Seq) -> Pushed {
        let taken = match self.wire.send(frames) {
            Ok(taken) if taken == frames.len() => return Pushed::Queued,
            Ok(taken) => taken,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
            Err(_) => {
                self.break_off();
                return Pushed::Queued;
            }
        };
        let pushed = self.push(frames.clone(), seq);
        self.outbox.borrow_mut().advance(taken);
        // Notices that the socket is full, and calls the one who waits for it.
        self.flush();
        pushed
    }

    fn flush(&self) {
        if self.standing.get() == Standing::Broken {
            return;
        }
        let mut outbox = self.outbox.borrow_mut();
        let wrote = self.write(&mut outbox);
        self.weigh(outbox);
        match wrote {
            Wrote::All if self.standing.get() == Standing::Open => {}
            Wrote::All => self.stirred.notify_one(),
            Wrote::Some => {
                self.was_full.set(true);
                self.stirred.notify_one();
            }
            Wrote::Failed => self.break_off(),
        }
    }

    fn has_room(&self) -> bool {
        let outbox = self.outbox.borrow();
        outbox.has_room_for_catch_up() && !self.is_too_much(&outbox)
    }

    fn tell(&self, told: Told) {
        if let Some(session) = &*self.session.borrow() {
            session.do_send(crate::session::actor::Message::Told(told));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A socket that takes so many bytes, and then none.
    struct Narrow {
        room: Cell<usize>,
        took: RefCell<Vec<u8>>,
    }

    impl Wire for Narrow {
        fn write(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
            let all: Vec<u8> = slices.iter().flat_map(|slice| slice.iter().copied()).collect();
            let taken = all.len().min(self.room.get());
            if taken == 0 {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            self.room.set(self.room.get() - taken);
            self.took.borrow_mut().extend_from_slice(&all[..taken]);
            Ok(taken)
        }
    }

    #[test]
    fn p3_what_a_socket_takes_in_parts_is_written_once() {
        let link = Link::new(Narrow { room: Cell::new(4), took: RefCell::default() }, 0);
        let said = |link: &Link<Narrow>| String::from_utf8(link.wire().took.borrow().clone()).expect("text");
        assert!(link.is_idle());
        assert_eq!(link.send(&Bytes::from_static(b"first run "), Seq(1)), Pushed::Queued);
        assert_eq!(said(&link), "firs");
        assert!(!link.is_idle(), "the rest comes before anything else");
        assert_eq!(link.push(Bytes::from_static(b"second"), Seq(3)), Pushed::Queued);
        for room in [3, 5, 1, 0, 90] {
            link.wire().room.set(room);
            link.flush();
        }
        assert_eq!(said(&link), "first run second");
        assert!(link.is_idle());
    }
}
