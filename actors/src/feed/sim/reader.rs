//! The near end of a line: the real outbox over a socket that takes what it likes.

use std::cell::{Cell, RefCell};
use std::io::IoSlice;
use std::rc::Rc;

use bytes::Bytes;
use tidings_protocol::ids::UserId;
use tidings_protocol::position::Seq;

use super::oracle::{Queue, Queued};
use crate::feed::table::{Line, Told};
use crate::frame::Framing;
use crate::outbox::{Outbox, Pushed};

/// One message a line.
pub(super) const FRAMING: Framing =
    Framing { text: |payload| [payload, b"\n"].concat().into(), ping: Bytes::new, close: |_| Bytes::new() };

/// A line over the real outbox and a socket that takes `room` bytes, in odd pieces.
#[derive(Default)]
pub(super) struct FakeLine {
    pub(super) outbox: RefCell<Outbox>,
    pub(super) room: Cell<usize>,
    pub(super) wire: RefCell<Vec<u8>>,
    pub(super) told: RefCell<Vec<Told>>,
    /// The socket did not take everything; whoever waits for it to do so has been told.
    pub(super) full: Cell<bool>,
    pub(super) pushes: Cell<usize>,
    /// Who reads; none: somebody anonymous.
    viewer: Option<UserId>,
    /// What is pushed next is told by catching up.
    late: Cell<bool>,
    queue: Queue,
}

impl FakeLine {
    pub(super) fn of(viewer: Option<UserId>, room: usize, queue: &Queue) -> Rc<Self> {
        Rc::new(Self { viewer, room: Cell::new(room), queue: Rc::clone(queue), ..Self::default() })
    }

    /// The table applies another batch.
    pub(super) fn is_live(&self) {
        self.late.set(false);
    }

    /// Whole messages the socket has taken, for their reader.
    pub(super) fn read(&self) -> Vec<u8> {
        let mut wire = self.wire.borrow_mut();
        let whole = wire.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        wire.drain(..whole).collect()
    }

    pub(super) fn keep(&self, frame: Bytes) {
        self.outbox.borrow_mut().keep(frame);
    }

    /// Hands a frame on to be examined.
    fn shows(&self, frames: &[u8]) {
        let frames = std::str::from_utf8(frames).expect("text").lines();
        let queued = |frame: &str| Queued { viewer: self.viewer, frame: frame.to_owned(), late: self.late.get() };
        self.queue.borrow_mut().extend(frames.map(queued));
    }
}

impl Line for Rc<FakeLine> {
    fn push(&self, frames: Bytes, seq: Seq) -> Pushed {
        self.shows(&frames);
        self.pushes.set(self.pushes.get() + 1);
        self.outbox.borrow_mut().push(frames, seq)
    }

    fn is_idle(&self) -> bool {
        self.outbox.borrow().is_empty()
    }

    fn send(&self, frames: &Bytes, seq: Seq) -> Pushed {
        assert!(self.is_idle(), "sent past what waits");
        let pushed = self.push(frames.clone(), seq);
        self.flush();
        pushed
    }

    fn flush(&self) {
        let mut outbox = self.outbox.borrow_mut();
        while !outbox.is_empty() {
            let mut slices = [IoSlice::new(&[]); 5];
            let filled = outbox.gather(&mut slices);
            let offered: usize = slices[..filled].iter().map(|slice| slice.len()).sum();
            let taken = offered.min(self.room.get()).min(9_777);
            if taken == 0 {
                self.full.set(true);
                return;
            }
            if self.room.get() != usize::MAX {
                self.room.set(self.room.get() - taken);
            }
            let mut left = taken;
            for slice in &slices[..filled] {
                let part = left.min(slice.len());
                self.wire.borrow_mut().extend_from_slice(&slice[..part]);
                left -= part;
            }
            outbox.advance(taken);
        }
        outbox.relax();
    }

    fn has_room(&self) -> bool {
        // Nobody else asks.
        self.late.set(true);
        self.outbox.borrow().has_room_for_catch_up()
    }

    fn tell(&self, told: Told) {
        self.told.borrow_mut().push(told);
    }
}
