//! Owns the bus of a node that is alone, and of several nodes in one process, as tests run them.
//! Must never wait for a peer: one that does not read loses rumours, and only it.

use std::sync::{Arc, Mutex, PoisonError};

use tidings_actors::entry::Batch;
use tidings_actors::ports::{Bus, Heard};
use tokio::sync::mpsc;

use crate::limits::LISTEN_QUEUE;
use crate::tally::{Counts, Dropped, Tally};

/// Where nodes of one process meet.
#[derive(Clone, Debug, Default)]
pub struct Hub {
    members: Arc<Mutex<Members>>,
}

#[derive(Debug, Default)]
struct Members {
    next: u64,
    all: Vec<Member>,
}

#[derive(Debug)]
struct Member {
    number: u64,
    ear: mpsc::Sender<Heard>,
    tally: Tally,
}

/// One node's end of a [`Hub`].
#[derive(Debug)]
pub struct InProcess {
    hub: Hub,
    number: u64,
    heard: Mutex<Option<mpsc::Receiver<Heard>>>,
    tally: Tally,
}

impl Hub {
    /// A hub without members.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a node. It hears what is published from now on, and leaves when it is dropped.
    #[must_use]
    pub fn join(&self) -> InProcess {
        let (ear, heard) = mpsc::channel(LISTEN_QUEUE);
        ear.try_send(Heard::Back).expect("a new queue has room for its first message");
        let tally = Tally::new();
        tally.up(true);
        let number = self.with_members(|members| {
            let number = members.next;
            members.next += 1;
            members.all.push(Member { number, ear, tally: tally.clone() });
            number
        });
        InProcess { hub: self.clone(), number, heard: Mutex::new(Some(heard)), tally }
    }

    /// A panic elsewhere leaves the list whole: it is only pushed to and filtered.
    fn with_members<R>(&self, act: impl FnOnce(&mut Members) -> R) -> R {
        act(&mut self.members.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl InProcess {
    /// The bus of a single node: nobody to tell, nobody to hear.
    #[must_use]
    pub fn alone() -> Self {
        Hub::new().join()
    }

    /// What this bus has done so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.tally.counts()
    }
}

impl Bus for InProcess {
    fn publish(&self, batch: Arc<Batch>) {
        self.hub.with_members(|members| {
            for peer in members.all.iter().filter(|peer| peer.number != self.number) {
                match peer.ear.try_send(Heard::Rumour(Arc::clone(&batch))) {
                    Ok(()) => peer.tally.heard(),
                    Err(_) => peer.tally.dropped(Dropped::ListenQueue, 1),
                }
            }
        });
        self.tally.published(1);
    }

    fn listen(&self) -> mpsc::Receiver<Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).take().expect("a bus is listened to once")
    }
}

impl Drop for InProcess {
    fn drop(&mut self) {
        self.hub.with_members(|members| members.all.retain(|member| member.number != self.number));
    }
}
