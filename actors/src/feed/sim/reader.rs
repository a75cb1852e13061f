//! The near end of a line: the real outbox over a socket that takes what it likes.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::io::IoSlice;
use std::rc::Rc;

use bytes::Bytes;
use tidings_protocol::position::Seq;

use crate::feed::table::{Line, Told};
use crate::frame::Framing;
use crate::outbox::{Outbox, Pushed};

/// One message a line.
pub(super) const FRAMING: Framing =
    Framing { text: |payload| [payload, b"\n"].concat().into(), ping: Bytes::new, close: |_| Bytes::new() };

/// Ids of what has been removed, as far as the table has applied.
pub(super) type Gone = Rc<RefCell<BTreeSet<String>>>;

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
    pub(super) gone: Gone,
}

impl FakeLine {
    pub(super) fn of(room: usize, gone: &Gone) -> Rc<Self> {
        Rc::new(Self { room: Cell::new(room), gone: Rc::clone(gone), ..Self::default() })
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

    /// P5: what is gone is not told again.
    fn check(&self, frames: &[u8]) {
        std::str::from_utf8(frames).expect("text").lines().for_each(|frame| self.check_one(frame));
    }

    fn check_one(&self, text: &str) {
        let after = |mark: &str| text.find(mark).map(|at| &text[at + mark.len()..][..36]);
        let living = ["post.created", "post.updated", "comment.created", "comment.updated"];
        if living.iter().any(|event| text.contains(&format!("\"event\":\"{event}\""))) {
            let ids = [after("\"data\":{\"id\":\""), after("\"post\":\"")];
            let gone = self.gone.borrow();
            assert!(!ids.into_iter().flatten().any(|id| gone.contains(id)), "told again after its removal: {text}");
        }
    }
}

impl Line for Rc<FakeLine> {
    fn push(&self, frames: Bytes, seq: Seq) -> Pushed {
        self.check(&frames);
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
        self.outbox.borrow().has_room_for_catch_up()
    }

    fn tell(&self, told: Told) {
        self.told.borrow_mut().push(told);
    }
}
