//! What a delivery and a reader who has stalled cost, counted by the allocator itself: no clock, no resident memory, so that it says the same on
//! a busy machine. The table, the links and their outboxes are the real ones; only the sockets are not.
//! Must never depend on how much is allocated for an event: what counts is that it is the same for ten readers and for a thousand.

use std::cell::Cell;
use std::io::{self, ErrorKind, IoSlice};
use std::rc::Rc;
use std::sync::Arc;

use allocation_counter::measure;
use bytes::Bytes;
use serde_json::value::RawValue;
use tidings_actors::entry::{Batch, Change, Entry, Verb};
use tidings_actors::feed::table::{FeedTable, SlotId};
use tidings_actors::frame::Framing;
use tidings_actors::limits::OUTBOX_BYTES;
use tidings_actors::link::{Link, Wire};
use tidings_actors::ports::Head;
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::{PostId, UserId};
use tidings_protocol::position::{Epoch, Seq};
use uuid::Uuid;

const AUTHOR: UserId = UserId(Uuid::from_u64_pair(1, 1));
const EPOCH: Epoch = Epoch(7);
/// Of an event, about.
const BODY_BYTES: usize = 400;

/// A socket that takes everything, until it takes nothing.
#[derive(Default)]
struct Sink {
    has_stalled: Cell<bool>,
    frames: Cell<usize>,
}

impl Wire for Sink {
    fn write(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        if self.has_stalled.get() {
            return Err(ErrorKind::WouldBlock.into());
        }
        self.frames.set(self.frames.get() + 1);
        Ok(slices.iter().map(|slice| slice.len()).sum())
    }
}

type Reader = Rc<Link<Sink>>;

/// A table, and those who read one author in it.
struct Stage {
    table: FeedTable<Reader>,
    readers: Vec<Reader>,
    slots: Vec<SlotId>,
}

impl Stage {
    fn with(readers: usize) -> Self {
        let framing = Framing { text: Bytes::copy_from_slice, ping: Bytes::new, close: |_| Bytes::new() };
        let mut table = FeedTable::new(framing, Head { epoch: EPOCH, seq: Seq(0), floor: Seq(0) });
        let readers: Vec<Reader> = (0..readers).map(|_| Link::new(Sink::default(), 0)).collect();
        let join = |reader: &Reader| {
            let slot = table.join(Rc::clone(reader), None).expect("anybody may");
            table.subscribe(&slot, FeedName::User(AUTHOR));
            slot
        };
        let slots = readers.iter().map(join).collect();
        Self { table, readers, slots }
    }

    /// Applies a batch; `busy` as if another one waited already. Every reader is written to before it returns.
    fn apply(&mut self, batch: &Arc<Batch>, busy: bool) {
        let mut left = self.table.apply(batch, || busy);
        while left {
            left = self.table.sweep();
        }
    }

    fn frames(&self) -> usize {
        self.readers.iter().map(|reader| reader.wire().frames.get()).sum()
    }
}

/// New posts of the author from `first` on, as a commit brings them.
fn posts(first: u64, count: u64) -> Arc<Batch> {
    let entry = |seq| {
        let id = PostId(Uuid::from_u64_pair(2, seq));
        let body = format!("{{\"rev\":{seq},\"text\":\"{}\"}}", "x".repeat(BODY_BYTES));
        let body = Arc::from(RawValue::from_string(body).expect("JSON"));
        Entry { seq: Seq(seq), change: Change::Post { verb: Verb::Created, id, author: AUTHOR }, body, scope: None }
    };
    let last = first + count - 1;
    Arc::new(Batch { epoch: EPOCH, first: Seq(first), last: Seq(last), entries: (first..=last).map(entry).collect() })
}

/// Allocations of one batch for so many readers, once queues that stay have been made.
fn allocations(readers: usize, events: u64, busy: bool) -> u64 {
    let mut stage = Stage::with(readers);
    for nth in 0..3 {
        stage.apply(&posts(nth * events + 1, events), busy);
    }
    let before = stage.frames();
    let batch = posts(3 * events + 1, events);
    let made = measure(|| stage.apply(&batch, busy)).count_total;
    assert_eq!(stage.frames() - before, readers, "one write for each reader, whatever the number of events");
    made
}

#[test]
fn a_delivery_allocates_nothing() {
    for (events, busy) in [(1, false), (1, true), (16, false), (16, true)] {
        let (few, many) = (allocations(10, events, busy), allocations(1_000, events, busy));
        // What is queued for the first time is made shareable: once for a batch.
        assert!(many <= few + 1, "{events} events, busy {busy}: {few} allocations for 10 readers, {many} for 1,000");
    }
}

const READERS: usize = 60;
const STALLED: u64 = 10;
const EVENTS: u64 = 100_000;
const EVENTS_OF_BATCH: u64 = 8;
/// What each who stalls may cost, the queue's own places included (row 8 of the speed issue).
const MOST_OF_STALLED: u64 = 64 * 1024;

const BATCHES: u64 = EVENTS / EVENTS_OF_BATCH;

/// Bytes that are still there after all events have gone by, when one reader after the other has stopped reading, each at a moment of its own
/// (before which batch): what they hold is shared with nobody.
fn bytes_left(moments: &[u64]) -> u64 {
    let mut stage = Stage::with(READERS);
    let left = measure(|| {
        for nth in 0..BATCHES {
            if let Some(reader) = moments.iter().position(|moment| *moment == nth) {
                stage.readers[reader].wire().has_stalled.set(true);
            }
            stage.apply(&posts(nth * EVENTS_OF_BATCH + 1, EVENTS_OF_BATCH), false);
        }
    });
    let behind = stage.slots.iter().filter(|slot| stage.table.is_behind(slot)).count();
    assert_eq!(behind, moments.len(), "who has stalled is a cursor, and nobody else");
    u64::try_from(left.bytes_current).expect("more is allocated than given back")
}

#[test]
fn p7_a_reader_who_has_stalled_costs_a_queue_and_a_cursor() {
    let without = bytes_left(&[]);
    let long_ago: Vec<u64> = (0..STALLED).map(|nth| nth * 1_000).collect();
    // Events enough for several queues, and few enough that a queue without a bound would still hold them.
    let just_now: Vec<u64> = (0..STALLED).map(|nth| BATCHES - 100 - nth).collect();
    for moments in [long_ago, just_now] {
        let each = bytes_left(&moments).saturating_sub(without) / STALLED;
        println!("{each} bytes for each who has stalled, the first before batch {}", moments[0]);
        assert!(each <= MOST_OF_STALLED, "{each} bytes for each, from {}", moments[0]);
        assert!(each > OUTBOX_BYTES as u64 / 2, "{each} bytes: it is not what has stalled that was counted");
    }
}
