//! The bounded queue between a session and its socket: frames not yet taken, in order.
//! Must never grow past its bounds (P6) and must never drop an answer: pushes can be had again by cursor, answers cannot.

use std::collections::VecDeque;
use std::io::IoSlice;

use bytes::Bytes;
use tidings_protocol::position::Seq;

use crate::limits;

/// What a frame is, which decides whether it may be dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An event of a feed, obtainable again from its `seq` on.
    Push(Seq),
    /// An answer, a notice or a control frame.
    Keep,
}

#[derive(Debug)]
struct Frame {
    bytes: Bytes,
    kind: Kind,
}

/// What became of a push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Pushed {
    /// It waits to be written.
    Queued,
    /// There was no room: every waiting push was dropped with it. The reader has to catch up from here, inclusive.
    Overflow {
        /// The first entry not sent on every feed.
        from: Seq,
    },
}

/// The queue.
#[derive(Debug, Default)]
pub struct Outbox {
    frames: VecDeque<Frame>,
    /// Bytes of the first frame that the socket has taken already.
    begun: usize,
    /// Bytes in `frames`, the begun part included.
    bytes: usize,
}

impl Outbox {
    /// Appends an event's frame, or drops all waiting events when there is no room.
    pub fn push(&mut self, bytes: Bytes, seq: Seq) -> Pushed {
        if self.frames.len() < limits::OUTBOX_FRAMES && self.bytes + bytes.len() <= limits::OUTBOX_BYTES {
            self.append(bytes, Kind::Push(seq));
            return Pushed::Queued;
        }
        Pushed::Overflow { from: self.drop_pushes().unwrap_or(seq) }
    }

    /// Appends what may not be dropped. Its amount is bounded by who calls: requests in flight, and a few notices.
    pub fn keep(&mut self, bytes: Bytes) {
        self.append(bytes, Kind::Keep);
    }

    fn append(&mut self, bytes: Bytes, kind: Kind) {
        self.bytes += bytes.len();
        self.frames.push_back(Frame { bytes, kind });
    }

    /// Drops the pushes the socket has not begun to take; says the first `seq` among them.
    fn drop_pushes(&mut self) -> Option<Seq> {
        let begun = usize::from(self.begun > 0);
        let mut first = None;
        let mut index = 0;
        let bytes = &mut self.bytes;
        self.frames.retain(|frame| {
            index += 1;
            match frame.kind {
                Kind::Push(seq) if index > begun => {
                    first.get_or_insert(seq);
                    *bytes -= frame.bytes.len();
                    false
                }
                Kind::Push(_) | Kind::Keep => true,
            }
        });
        first
    }

    /// Fills `slices` with what to write next; says how many it filled.
    pub fn gather<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let mut filled = 0;
        for (slice, frame) in slices.iter_mut().zip(&self.frames) {
            let from = if filled == 0 { self.begun } else { 0 };
            *slice = IoSlice::new(&frame.bytes[from..]);
            filled += 1;
        }
        filled
    }

    /// The socket took `taken` bytes of what [`Self::gather`] gave.
    pub fn advance(&mut self, mut taken: usize) {
        while let Some(first) = self.frames.front() {
            let left = first.bytes.len() - self.begun;
            if taken < left {
                self.begun += taken;
                return;
            }
            taken -= left;
            self.bytes -= first.bytes.len();
            self.begun = 0;
            self.frames.pop_front();
        }
        debug_assert_eq!(taken, 0, "the socket cannot take more than it was given");
    }

    /// Nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// Bytes that wait, with the begun part of the first frame.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Room that a catch-up may fill, leaving the other half to live events that come meanwhile.
    #[must_use]
    pub fn has_room_for_catch_up(&self) -> bool {
        self.frames.len() < limits::OUTBOX_FRAMES / 2 && self.bytes < limits::OUTBOX_BYTES / 2
    }

    /// Gives back the memory of an emptied queue: an idle connection holds none.
    pub fn relax(&mut self) {
        if self.frames.is_empty() && self.frames.capacity() > 8 {
            self.frames = VecDeque::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(outbox: &Outbox) -> String {
        let mut slices = [IoSlice::new(&[]); 16];
        let filled = outbox.gather(&mut slices);
        slices[..filled].iter().map(|slice| String::from_utf8_lossy(slice).into_owned()).collect()
    }

    #[test]
    fn frames_leave_in_order_however_the_socket_cuts_them() {
        let mut outbox = Outbox::default();
        outbox.keep(Bytes::from_static(b"abc"));
        assert_eq!(outbox.push(Bytes::from_static(b"def"), Seq(1)), Pushed::Queued);
        outbox.advance(2);
        assert_eq!(text(&outbox), "cdef");
        outbox.advance(2);
        assert_eq!(text(&outbox), "ef");
        outbox.advance(2);
        assert!(outbox.is_empty());
        assert_eq!(outbox.bytes(), 0);
    }

    #[test]
    fn p6_overflow_drops_events_and_keeps_answers_and_the_begun_frame() {
        let mut outbox = Outbox::default();
        let big = Bytes::from(vec![b'x'; limits::OUTBOX_BYTES / 2]);
        assert_eq!(outbox.push(big.clone(), Seq(7)), Pushed::Queued);
        outbox.advance(1);
        outbox.keep(Bytes::from_static(b"answer"));
        assert_eq!(outbox.push(Bytes::from_static(b"event"), Seq(8)), Pushed::Queued);
        assert_eq!(outbox.push(big.clone(), Seq(9)), Pushed::Overflow { from: Seq(8) });
        outbox.advance(big.len() - 1);
        assert_eq!(text(&outbox), "answer");
    }

    #[test]
    fn p6_overflow_by_number_of_frames_starts_from_the_push_itself_when_all_else_is_kept() {
        let mut outbox = Outbox::default();
        for _ in 0..limits::OUTBOX_FRAMES {
            outbox.keep(Bytes::from_static(b"a"));
        }
        assert_eq!(outbox.push(Bytes::from_static(b"event"), Seq(3)), Pushed::Overflow { from: Seq(3) });
        assert_eq!(outbox.bytes(), limits::OUTBOX_FRAMES);
    }
}
