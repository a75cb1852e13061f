//! One worker thread: its feed table, which its sessions use by plain calls, and the wish to know when it has reached a `seq`.
//! Nothing here is shared between threads; a borrow of the table is never held across a wait. A table that was being changed when somebody
//! panicked is torn: it must never be used again.

use std::cell::{Cell, Ref, RefCell, RefMut};
use std::ops::{Deref, DerefMut};
use std::rc::Rc;
use std::sync::Arc;
use std::thread::panicking;

use slab::Slab;
use tidings_protocol::close::CloseCode;
use tidings_protocol::feed::FeedName;
use tidings_protocol::position::{Cursor, Seq};
use tokio::sync::Notify;

use crate::counters::tally::{self, Tally};
use crate::feed::table::{FeedTable, Line, SlotId, Told};
use crate::link::Link;
use crate::news;
use crate::node::Node;
use crate::presence::stand::{self, Stand};
use crate::purse::Purse;

/// A worker thread's own.
pub struct Worker {
    /// The node it belongs to.
    pub node: Arc<Node>,
    table: RefCell<FeedTable<Rc<Link>>>,
    /// Every connection of this thread, greeted or not.
    links: RefCell<Slab<Rc<Link>>>,
    /// What their outboxes may hold together.
    purse: Rc<Purse>,
    /// Who of its connections is here.
    stand: Stand,
    /// The numbers of posts that its connections watch.
    tally: Tally,
    moved: Notify,
    /// Somebody who wants to know only how much is new is owed a number.
    news_rung: Rc<Notify>,
    /// Somebody panicked while changing the table.
    torn: Cell<bool>,
    tore: Notify,
}

impl Worker {
    pub(crate) fn new(node: Arc<Node>, table: FeedTable<Rc<Link>>) -> Rc<Self> {
        let purse = Rc::new(Purse::of(node.settings.outbox_bytes));
        let worker = Rc::new(Self {
            stand: Stand::new(&node.company),
            tally: Tally::new(&node.counters),
            node,
            purse,
            table: RefCell::new(table),
            links: RefCell::default(),
            moved: Notify::new(),
            news_rung: Rc::default(),
            torn: Cell::new(false),
            tore: Notify::new(),
        });
        stand::open(&worker);
        tally::open(&worker);
        news::open(&worker);
        worker
    }

    /// A connection watches a feed from now on: of a post it is told also what is in no journal.
    pub(crate) fn reads(&self, feed: FeedName, link: &Rc<Link>) {
        if let FeedName::Post(post) = feed {
            self.stand.reads(post, link);
            self.tally.reads(post, link);
        }
    }

    /// Where the numbers of posts are told.
    pub(crate) const fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Rung when a number of what is new waits to be told.
    pub(crate) const fn news_rung(&self) -> &Rc<Notify> {
        &self.news_rung
    }

    /// Lets what is new be told, if somebody wants to know.
    pub(crate) fn ring_news(&self) {
        if self.table().has_news() {
            self.news_rung.notify_one();
        }
    }

    /// Where its connections leave word of themselves.
    pub const fn stand(&self) -> &Stand {
        &self.stand
    }

    /// The feed table.
    ///
    /// # Panics
    /// When it is torn: whoever would use it ends as well, rather than tell anybody what it may have mixed up.
    pub fn table(&self) -> Ref<'_, FeedTable<Rc<Link>>> {
        assert!(!self.torn.get(), "the feed table is torn");
        self.table.borrow()
    }

    /// The feed table, to change it.
    ///
    /// # Panics
    /// When it is torn.
    pub fn table_mut(&self) -> TableMut<'_> {
        assert!(!self.torn.get(), "the feed table is torn");
        TableMut { table: self.table.borrow_mut(), worker: self, panicking_before: panicking() }
    }

    /// Whether somebody panicked while changing the table. Nothing of this worker can be used then; its thread needs a new one.
    pub fn is_torn(&self) -> bool {
        self.torn.get()
    }

    /// Nothing of this worker may be used any more.
    pub(crate) fn tear(&self) {
        self.torn.set(true);
        self.tore.notify_one();
    }

    /// Waits until the table is torn.
    pub(crate) async fn torn(&self) {
        while !self.torn.get() {
            self.tore.notified().await;
        }
    }

    /// Ends every connection of this thread: they come back to a new worker, with their cursors.
    pub(crate) fn give_up(&self) {
        for (_, link) in &*self.links.borrow() {
            link.give_up((self.node.framing.close)(CloseCode::Internal));
        }
    }

    /// The table has moved on.
    pub(crate) fn moved(&self) {
        self.moved.notify_waiters();
    }

    /// Waits until the table has applied `seq`. It may be behind what Postgres answers by a few milliseconds.
    pub async fn reached(&self, seq: Seq) {
        loop {
            let moved = self.moved.notified();
            if self.table().applied() >= seq {
                return;
            }
            moved.await;
        }
    }

    /// Where the table stands, as clients are told.
    pub fn cursor(&self, seq: Seq) -> Cursor {
        Cursor { epoch: self.table().epoch(), seq }
    }

    /// Takes a connection into the thread's list; the guard takes it out again.
    #[must_use]
    pub fn admit(self: &Rc<Self>, link: Rc<Link>) -> Admitted {
        link.share(Rc::clone(&self.purse));
        let key = self.links.borrow_mut().insert(link);
        Admitted { worker: Rc::clone(self), key }
    }

    /// Tells what the outboxes hold.
    pub(crate) fn report(&self) {
        self.purse.report();
    }

    /// Connections of this thread.
    pub fn connections(&self) -> usize {
        self.links.borrow().len()
    }

    /// Tells every connection of this thread.
    pub(crate) fn tell_all(&self, told: Told) {
        for (_, link) in &*self.links.borrow() {
            link.tell(told);
        }
    }
}

/// The table while it is being changed. Dropped by a panic, it leaves the table torn.
pub struct TableMut<'a> {
    table: RefMut<'a, FeedTable<Rc<Link>>>,
    worker: &'a Worker,
    /// Taken by a destructor of something that is being unwound already: that panic is none of the table's.
    panicking_before: bool,
}

impl Deref for TableMut<'_> {
    type Target = FeedTable<Rc<Link>>;

    fn deref(&self) -> &Self::Target {
        &self.table
    }
}

impl DerefMut for TableMut<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.table
    }
}

impl Drop for TableMut<'_> {
    fn drop(&mut self) {
        if panicking() && !self.panicking_before {
            self.worker.tear();
        }
    }
}

/// A connection's place in its thread's list.
pub struct Admitted {
    worker: Rc<Worker>,
    key: usize,
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.worker.links.borrow_mut().remove(self.key);
    }
}

/// A session's place in the feed table, given back when dropped, on whichever way its session ends.
pub struct Place {
    worker: Rc<Worker>,
    slot: Option<SlotId>,
}

impl Place {
    pub(crate) const fn new(worker: Rc<Worker>, slot: SlotId) -> Self {
        Self { worker, slot: Some(slot) }
    }

    /// The slot.
    pub fn slot(&self) -> &SlotId {
        self.slot.as_ref().expect("present until dropped")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // A torn table is left alone: this may run while its session is being unwound, where a second panic would end the process.
        if let Some(slot) = self.slot.take()
            && !self.worker.is_torn()
        {
            self.worker.table_mut().leave(slot);
        }
    }
}
