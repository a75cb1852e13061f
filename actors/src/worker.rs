//! One worker thread: its feed table, which its sessions use by plain calls, and the wish to know when it has reached a `seq`.
//! Nothing here is shared between threads; a borrow of the table is never held across a wait.

use std::cell::{Ref, RefCell, RefMut};
use std::rc::Rc;
use std::sync::Arc;

use slab::Slab;
use tidings_protocol::position::{Cursor, Seq};
use tokio::sync::Notify;

use crate::feed::table::{FeedTable, Line, SlotId, Told};
use crate::link::Link;
use crate::node::Node;

/// A worker thread's own.
pub struct Worker {
    /// The node it belongs to.
    pub node: Arc<Node>,
    table: RefCell<FeedTable<Rc<Link>>>,
    /// Every connection of this thread, greeted or not.
    links: RefCell<Slab<Rc<Link>>>,
    moved: Notify,
}

impl Worker {
    pub(crate) fn new(node: Arc<Node>, table: FeedTable<Rc<Link>>) -> Rc<Self> {
        Rc::new(Self { node, table: RefCell::new(table), links: RefCell::default(), moved: Notify::new() })
    }

    /// The feed table.
    pub fn table(&self) -> Ref<'_, FeedTable<Rc<Link>>> {
        self.table.borrow()
    }

    /// The feed table, to change it.
    pub fn table_mut(&self) -> RefMut<'_, FeedTable<Rc<Link>>> {
        self.table.borrow_mut()
    }

    /// The table has moved on.
    pub(crate) fn moved(&self) {
        self.moved.notify_waiters();
    }

    /// Waits until the table has applied `seq`. It may be behind what Postgres answers by a few milliseconds.
    pub async fn reached(&self, seq: Seq) {
        loop {
            let moved = self.moved.notified();
            if self.table.borrow().applied() >= seq {
                return;
            }
            moved.await;
        }
    }

    /// Where the table stands, as clients are told.
    pub fn cursor(&self, seq: Seq) -> Cursor {
        Cursor { epoch: self.table.borrow().epoch(), seq }
    }

    /// Takes a connection into the thread's list; the guard takes it out again.
    #[must_use]
    pub fn admit(self: &Rc<Self>, link: Rc<Link>) -> Admitted {
        let key = self.links.borrow_mut().insert(link);
        Admitted { worker: Rc::clone(self), key }
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
        if let Some(slot) = self.slot.take() {
            self.worker.table.borrow_mut().leave(slot);
        }
    }
}
