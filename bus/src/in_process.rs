//! Owns the bus of a node that is alone, and of several nodes in one process, as tests run them.
//! Must never wait for a peer: one that does not read loses what it is told, and only it.

use std::sync::{Arc, Mutex, PoisonError};

use tidings_actors::entry::Batch;
use tidings_actors::ports::{Bus, Heard};
use tidings_actors::presence::whisper::Whisper;
use tokio::sync::mpsc;

use crate::limits::{LISTEN_QUEUE, WHISPER_QUEUE};
use crate::tally::{Counts, Dropped, RUMOURS, Tally, WHISPERS};

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
    rumours: Way<Heard>,
    whispers: Way<Whisper>,
}

/// The way of one kind of message to a member.
#[derive(Clone, Debug)]
struct Way<T> {
    ear: mpsc::Sender<T>,
    tally: Tally,
}

impl<T> Way<T> {
    fn tell(&self, what: T) {
        match self.ear.try_send(what) {
            Ok(()) => self.tally.heard(),
            Err(_) => self.tally.dropped(Dropped::ListenQueue, 1),
        }
    }
}

/// One node's end of a [`Hub`].
#[derive(Debug)]
pub struct InProcess {
    hub: Hub,
    number: u64,
    heard: Mutex<Option<mpsc::Receiver<Heard>>>,
    overheard: Mutex<Option<mpsc::Receiver<Whisper>>>,
    tally: Tally,
    whisper_tally: Tally,
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
        let rumours = Way { ear, tally: Tally::of(&RUMOURS) };
        rumours.tally.up(true);
        let (ear, overheard) = mpsc::channel(WHISPER_QUEUE);
        let whispers = Way { ear, tally: Tally::of(&WHISPERS) };
        whispers.tally.up(true);
        let (tally, whisper_tally) = (rumours.tally.clone(), whispers.tally.clone());
        let number = self.with_members(|members| {
            let number = members.next;
            members.next += 1;
            members.all.push(Member { number, rumours, whispers });
            number
        });
        let (heard, overheard) = (Mutex::new(Some(heard)), Mutex::new(Some(overheard)));
        InProcess { hub: self.clone(), number, heard, overheard, tally, whisper_tally }
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

    /// What this bus has done with rumours so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.tally.counts()
    }

    /// What it has done with whispers.
    #[must_use]
    pub fn whisper_counts(&self) -> Counts {
        self.whisper_tally.counts()
    }

    fn tell_peers(&self, tell: impl Fn(&Member)) {
        self.hub.with_members(|members| members.all.iter().filter(|peer| peer.number != self.number).for_each(tell));
    }
}

fn taken<T>(once: &Mutex<Option<mpsc::Receiver<T>>>) -> mpsc::Receiver<T> {
    once.lock().unwrap_or_else(PoisonError::into_inner).take().expect("a bus is listened to once")
}

impl Bus for InProcess {
    fn publish(&self, batch: Arc<Batch>) {
        self.tell_peers(|peer| peer.rumours.tell(Heard::Rumour(Arc::clone(&batch))));
        self.tally.published(1);
    }

    fn listen(&self) -> mpsc::Receiver<Heard> {
        taken(&self.heard)
    }

    fn whisper(&self, whisper: Arc<Whisper>) {
        self.tell_peers(|peer| peer.whispers.tell(Whisper::clone(&whisper)));
        self.whisper_tally.published(1);
    }

    fn overhear(&self) -> mpsc::Receiver<Whisper> {
        taken(&self.overheard)
    }
}

impl Drop for InProcess {
    fn drop(&mut self) {
        self.hub.with_members(|members| members.all.retain(|member| member.number != self.number));
    }
}
