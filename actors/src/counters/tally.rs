//! A worker thread's part: says which posts watched here an entry has touched, and tells their numbers to those who watch, by a plain loop,
//! at most four times a second. Must never queue anything for a reader that does not keep up (P7), and must never tell anything while the
//! node cannot be sure of log-ins and follows (P5).

use std::cell::RefCell;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tidings_protocol::ids::PostId;
use tidings_protocol::limits::COUNTS_EVERY_MS;
use tidings_protocol::push::Notice;
use tokio::task::yield_now;
use tokio::time::sleep;

use super::board::{Board, Reader};
use super::{Counters, Shelf, touched};
use crate::bulkhead::{self, Part};
use crate::entry::Batch;
use crate::feed::table::{FeedTable, Line};
use crate::frame;
use crate::limits::COUNTS_PART;
use crate::link::Link;
use crate::worker::Worker;

/// A worker's tally.
pub(crate) struct Tally {
    counters: Arc<Counters>,
    shelf: Arc<Shelf>,
    board: RefCell<Board>,
}

/// One message on its way.
struct Parcel {
    post: PostId,
    link: Rc<Link>,
    frame: Bytes,
}

impl Tally {
    pub(crate) fn new(counters: &Arc<Counters>) -> Self {
        Self { shelf: counters.shelf(), counters: Arc::clone(counters), board: RefCell::default() }
    }

    /// A connection watches a post from now on, and is told its numbers.
    pub(crate) fn reads(&self, post: PostId, link: &Rc<Link>) {
        self.board.borrow_mut().reads(post, address(link));
        self.counters.touch([post]);
    }

    /// A batch has been applied.
    pub(crate) fn applied(&self, batch: &Batch, table: &FeedTable<Rc<Link>>) {
        let mut watched =
            batch.entries.iter().filter_map(touched).filter(|post| table.readers_count(*post) > 0).peekable();
        if watched.peek().is_some() {
            self.counters.touch(watched);
        }
    }

    /// What is known may be of a life of the journal that is over, or is lost: everything is asked and told afresh.
    pub(crate) fn begin_afresh(&self) {
        let posts = self.board.borrow_mut().begin_afresh();
        self.counters.touch(posts);
    }

    /// What there is to tell, and whether somebody is still owed something.
    fn pulse(&self, worker: &Worker) -> (Vec<Parcel>, bool) {
        // Whoever may see a post, and whoever is still logged in, may have changed without this node's knowing: what was left stays there.
        if !worker.node.sight.is_sure(worker.node.now()) {
            return (Vec::new(), true);
        }
        let left = self.shelf.take();
        if left.again {
            self.begin_afresh();
        }
        let mut board = self.board.borrow_mut();
        left.news.into_iter().for_each(|(post, counts)| board.brings(post, counts));
        let table = worker.table();
        let mut parcels = Vec::new();
        for due in board.due(|post| readers(&table, post)) {
            let post = due.counts.post;
            let frame = frame::message(worker.node.framing, &Notice::Counts(due.counts));
            let parcel = |link| Parcel { post, link, frame: frame.clone() };
            parcels.extend(due.readers.into_iter().map(parcel));
        }
        (parcels, board.owes_somebody())
    }

    /// Whether it was told after all: the reader's line may have filled since it was looked at.
    fn deliver(&self, Parcel { post, link, frame }: Parcel) -> bool {
        let is_told = link.is_idle();
        if is_told {
            link.keep(frame);
            link.flush();
        } else {
            self.board.borrow_mut().owes(post, address(&link));
        }
        is_told
    }
}

impl Drop for Tally {
    fn drop(&mut self) {
        self.shelf.leave(|left| left.over = true);
    }
}

fn readers(table: &FeedTable<Rc<Link>>, post: PostId) -> Vec<Reader<Rc<Link>>> {
    let reader = |reader: crate::feed::audience::Reader<'_, Rc<Link>>| Reader {
        place: address(reader.line),
        may_be_told: reader.may_be_told && reader.line.is_idle(),
        way: Rc::clone(reader.line),
    };
    table.readers_of(post).map(reader).collect()
}

fn address(link: &Rc<Link>) -> usize {
    Rc::as_ptr(link).addr()
}

/// Opens a worker's tally, for as long as the worker is in use.
pub(crate) fn open(worker: &Rc<Worker>) {
    let shelf = Arc::clone(&worker.tally().shelf);
    let worker = Rc::downgrade(worker);
    let told = metrics::counter!("tidings_counts_told_total");
    actix::spawn(async move {
        let mut owes = false;
        loop {
            if !owes {
                shelf.rung.notified().await;
            }
            let Some((parcels, owes_still)) = pulse(&worker) else {
                return;
            };
            let (number, left_out) = deliver(&worker, parcels).await;
            told.increment(number);
            owes = owes_still || left_out;
            sleep(Duration::from_millis(COUNTS_EVERY_MS)).await;
        }
    });
}

/// None once the worker is not used any more.
fn pulse(worker: &Weak<Worker>) -> Option<(Vec<Parcel>, bool)> {
    let worker = worker.upgrade().filter(|worker| !worker.is_torn())?;
    let pulsed = bulkhead::step(Part::Counters, || worker.tally().pulse(&worker));
    if pulsed.is_none() && !worker.is_torn() {
        worker.tally().begin_afresh();
    }
    Some(pulsed.unwrap_or_default())
}

/// Part by part: whatever else is to be done on this thread has a turn in between. How many were told, and whether some were not.
async fn deliver(worker: &Weak<Worker>, parcels: Vec<Parcel>) -> (u64, bool) {
    let (mut number, mut left_out) = (0, false);
    let mut parcels = parcels.into_iter();
    while parcels.len() > 0 {
        let Some(worker) = worker.upgrade().filter(|worker| !worker.is_torn()) else {
            break;
        };
        for parcel in parcels.by_ref().take(COUNTS_PART) {
            let is_told = worker.tally().deliver(parcel);
            number += u64::from(is_told);
            left_out |= !is_told;
        }
        yield_now().await;
    }
    (number, left_out)
}
