//! The bounded queue between a session and its socket: frames not yet taken, in order; events in pieces of one frame or several.
//! Must never grow past its bounds (P6) and must never drop an answer: pushes can be had again by cursor, answers cannot.

use std::collections::VecDeque;
use std::io::IoSlice;

use bytes::Bytes;
use tidings_protocol::position::Seq;

use crate::limits;

/// Places of a queue that stay when it has been emptied.
const KEPT_PIECES: usize = 32;

/// What a piece is, which decides whether it may be dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Events, obtainable again from the first one's `seq` on.
    Push(Seq),
    /// An answer, a notice or a control frame.
    Keep,
}

/// What was queued at once: a frame, or the frames of a run of events, which others may share.
#[derive(Debug)]
struct Piece {
    bytes: Bytes,
    kind: Kind,
}

/// What became of a push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Pushed {
    /// It waits to be written.
    Queued,
    /// There was no room: the pushes behind the last kept frame were dropped with it. The reader has to catch up from here, inclusive.
    Overflow {
        /// The first entry not sent on every feed.
        from: Seq,
    },
}

/// The queue.
#[derive(Debug, Default)]
pub struct Outbox {
    pieces: VecDeque<Piece>,
    /// Bytes of the first piece that the socket has taken already.
    begun: usize,
    /// Bytes in `pieces`, the begun part included.
    bytes: usize,
}

impl Outbox {
    /// Appends events, or drops some when there is no room. In an empty queue there is room for anything: nothing would ever make more.
    pub fn push(&mut self, bytes: Bytes, seq: Seq) -> Pushed {
        let fits = self.pieces.len() < limits::OUTBOX_PIECES && self.bytes + bytes.len() <= limits::OUTBOX_BYTES;
        if fits || self.pieces.is_empty() {
            self.append(bytes, Kind::Push(seq));
            return Pushed::Queued;
        }
        self.shed(seq)
    }

    /// As a push for which there is no room.
    pub fn shed(&mut self, seq: Seq) -> Pushed {
        Pushed::Overflow { from: self.drop_pushes().unwrap_or(seq) }
    }

    /// Appends what may not be dropped. Its amount is bounded by who calls: requests in flight, and a few notices.
    pub fn keep(&mut self, bytes: Bytes) {
        self.append(bytes, Kind::Keep);
    }

    fn append(&mut self, bytes: Bytes, kind: Kind) {
        self.bytes += bytes.len();
        self.pieces.push_back(Piece { bytes, kind });
    }

    /// Drops the pushes behind the last frame that is kept and not begun; says the first `seq` among them. What waits before such a
    /// frame stays: a heartbeat or a fresh snapshot says where the reader stands, and must not come without what led there (P3).
    fn drop_pushes(&mut self) -> Option<Seq> {
        let begun = usize::from(self.begun > 0);
        let mut first = None;
        while self.pieces.len() > begun
            && let Some(&Piece { ref bytes, kind: Kind::Push(seq) }) = self.pieces.back()
        {
            first = Some(seq);
            self.bytes -= bytes.len();
            self.pieces.pop_back();
        }
        // A reader that has stalled costs a cursor, and not the room for a queue.
        self.pieces.shrink_to_fit();
        first
    }

    /// What to write next, if it lies together.
    #[must_use]
    pub fn only(&self) -> Option<&[u8]> {
        match &self.pieces {
            pieces if pieces.len() == 1 => pieces.front().map(|piece| &piece.bytes[self.begun..]),
            _ => None,
        }
    }

    /// Fills `slices` with what to write next; says how many it filled.
    pub fn gather<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let mut filled = 0;
        for (slice, piece) in slices.iter_mut().zip(&self.pieces) {
            let from = if filled == 0 { self.begun } else { 0 };
            *slice = IoSlice::new(&piece.bytes[from..]);
            filled += 1;
        }
        filled
    }

    /// The socket took `taken` bytes of what [`Self::gather`] gave.
    pub fn advance(&mut self, mut taken: usize) {
        while let Some(first) = self.pieces.front() {
            let left = first.bytes.len() - self.begun;
            if taken < left {
                self.begun += taken;
                return;
            }
            taken -= left;
            self.bytes -= first.bytes.len();
            self.begun = 0;
            self.pieces.pop_front();
        }
        debug_assert_eq!(taken, 0, "the socket cannot take more than it was given");
    }

    /// Nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Pieces that wait.
    #[must_use]
    pub fn pieces(&self) -> usize {
        self.pieces.len()
    }

    /// Bytes that wait, with the begun part of the first piece.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Memory it takes, as if nothing of it were shared.
    #[must_use]
    pub fn weight(&self) -> usize {
        self.bytes + self.pieces.len() * limits::PIECE_OVERHEAD_BYTES
    }

    /// Room that a catch-up may fill, leaving the other half to live events that come meanwhile.
    #[must_use]
    pub fn has_room_for_catch_up(&self) -> bool {
        self.pieces.len() < limits::OUTBOX_PIECES / 2 && self.bytes < limits::OUTBOX_BYTES / 2
    }

    /// Gives back the memory of an emptied queue that was long. One that is used time and again keeps its 1.5 KB until it rests: with less, making
    /// it anew was an allocation for every eleventh delivery under load.
    pub fn relax(&mut self) {
        if self.pieces.capacity() > KEPT_PIECES {
            self.rest();
        }
    }

    /// Gives back the memory of an emptied queue: an idle connection holds none. The smallest has 192 bytes, and costs nothing while it is used.
    pub fn rest(&mut self) {
        if self.pieces.is_empty() {
            self.pieces = VecDeque::new();
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
        for _ in 0..limits::OUTBOX_PIECES {
            outbox.keep(Bytes::from_static(b"a"));
        }
        assert_eq!(outbox.push(Bytes::from_static(b"event"), Seq(3)), Pushed::Overflow { from: Seq(3) });
        assert_eq!(outbox.bytes(), limits::OUTBOX_PIECES);
    }

    #[test]
    fn p3_what_is_dropped_comes_after_what_is_kept() {
        let mut outbox = Outbox::default();
        assert_eq!(outbox.push(Bytes::from_static(b"five "), Seq(5)), Pushed::Queued);
        outbox.keep(Bytes::from_static(b"cursor-5 "));
        while let Pushed::Queued = outbox.push(Bytes::from_static(b"more "), Seq(6)) {}
        assert_eq!(text(&outbox), "five cursor-5 ", "a heartbeat that says 5 must not come without 5");
    }

    /// What is done to the outbox.
    #[derive(Clone, Debug)]
    enum Step {
        Push(usize),
        Keep(usize),
        Take(usize),
    }

    fn step() -> impl proptest::strategy::Strategy<Value = Step> {
        use proptest::prelude::*;
        let length = prop_oneof![1..300_usize, 20_000..60_000_usize];
        prop_oneof![
            5 => length.clone().prop_map(Step::Push),
            1 => (1..200_usize).prop_map(Step::Keep),
            1 => prop_oneof![1..100_usize, 10_000..200_000_usize].prop_map(Step::Take),
        ]
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]
        #[test]
        fn p6_it_behaves_like_a_plain_list_of_frames(steps in proptest::collection::vec(step(), 1..900)) {
            let mut outbox = Outbox::default();
            // All frames that wait: their byte, length, and seq if they may be dropped; and how much of the first has gone.
            let mut list: Vec<(u8, usize, Option<u64>)> = Vec::new();
            let mut gone = 0;
            for (step, mark) in steps.into_iter().zip(1..) {
                let byte = u8::try_from(mark % 251).expect("small");
                let waiting: usize = list.iter().map(|(_, length, _)| length).sum();
                match step {
                    Step::Keep(length) => {
                        outbox.keep(Bytes::from(vec![byte; length]));
                        list.push((byte, length, None));
                    }
                    Step::Push(length) => {
                        let pushed = outbox.push(Bytes::from(vec![byte; length]), Seq(mark));
                        if list.is_empty() || list.len() < limits::OUTBOX_PIECES && waiting + length <= limits::OUTBOX_BYTES {
                            proptest::prop_assert_eq!(pushed, Pushed::Queued);
                            list.push((byte, length, Some(mark)));
                        } else {
                            let mut from = mark;
                            while list.len() > usize::from(gone > 0) && let Some((_, _, Some(seq))) = list.last() {
                                from = *seq;
                                list.pop();
                            }
                            proptest::prop_assert_eq!(pushed, Pushed::Overflow { from: Seq(from) });
                        }
                    }
                    Step::Take(most) => {
                        let mut slices = [IoSlice::new(&[]); 8];
                        let filled = outbox.gather(&mut slices);
                        let (mut offered, mut expected) = (Vec::new(), Vec::new());
                        slices[..filled].iter().for_each(|slice| offered.extend_from_slice(slice));
                        offered.truncate(most);
                        outbox.advance(offered.len());
                        list.iter().take(8).for_each(|(byte, length, _)| expected.resize(expected.len() + length, *byte));
                        expected.drain(..gone);
                        expected.truncate(most);
                        proptest::prop_assert_eq!(offered.len(), expected.len());
                        proptest::prop_assert!(offered == expected, "other bytes than were put in");
                        gone += offered.len();
                        while !list.is_empty() && gone >= list[0].1 {
                            gone -= list.remove(0).1;
                        }
                    }
                }
                proptest::prop_assert_eq!(outbox.bytes(), list.iter().map(|(_, length, _)| length).sum::<usize>());
                proptest::prop_assert_eq!(outbox.is_empty(), list.is_empty());
            }
        }
    }
}
