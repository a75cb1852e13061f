//! What all clients of one examination share on their one thread: the history, the numbers, who stands where.
//! Must never be borrowed across an await.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use anyhow::Error;
use tokio::time::Instant;

use super::world::World;
use crate::examine::history::{Record, Recorder, What};
use crate::examine::judge::{Invariant, Violation};

/// After a fault is over, nobody makes mischief for so long: recovery is measured then.
const CALM: Duration = Duration::from_millis(1_500);

/// A harness that wakes so late has not read either.
const GASP: Duration = Duration::from_millis(150);

/// Shared by all clients.
pub struct Stage {
    /// What they know of each other's posts.
    pub world: RefCell<World>,
    /// By client.
    pub seats: RefCell<Vec<Seat>>,
    recorder: RefCell<Recorder>,
    requests: Cell<u64>,
    connections: Cell<u64>,
    acknowledged: Cell<u64>,
    asides: Cell<usize>,
    over: Cell<bool>,
    healed: Cell<Option<Instant>>,
    lag_ms: RefCell<Vec<u64>>,
    breaches: RefCell<Vec<Violation>>,
    broken: RefCell<Option<Error>>,
}

/// Where one client stands.
#[derive(Clone, Debug, Default)]
pub struct Seat {
    /// `hello` was answered, and the line is not lost.
    pub connected: bool,
    /// Which connection, while it is connected.
    pub connection: u64,
    /// The `seq` of its position.
    pub position: u64,
    /// Orders that it has not looked at.
    pub queued: usize,
    /// Requests in flight or to be sent again.
    pub waiting: usize,
    /// Why it is not connected, as far as it knows.
    pub trouble: String,
}

impl Stage {
    /// With a history that nothing has been written to.
    #[must_use]
    pub fn new(recorder: Recorder, world: World, clients: usize) -> Self {
        Self {
            world: RefCell::new(world),
            seats: RefCell::new(vec![Seat::default(); clients]),
            recorder: RefCell::new(recorder),
            requests: Cell::new(0),
            connections: Cell::new(0),
            acknowledged: Cell::new(0),
            asides: Cell::new(0),
            over: Cell::new(false),
            healed: Cell::new(None),
            lag_ms: RefCell::new(Vec::new()),
            breaches: RefCell::new(Vec::new()),
            broken: RefCell::new(None),
        }
    }

    /// Writes down what happened just now.
    pub fn note(&self, client: Option<u32>, what: What) {
        if let Err(cause) = self.recorder.borrow_mut().note(client, what) {
            self.give_up(cause);
        }
    }

    /// Something that the protocol does not know and a history has no words for.
    pub fn breach(&self, invariant: Invariant, says: String) {
        let last = self.recorder.borrow().records.len().saturating_sub(1);
        self.breaches.borrow_mut().push(Violation { invariant, says, records: vec![last] });
    }

    /// The number of a new request.
    #[must_use]
    pub fn next_request(&self) -> u64 {
        self.requests.set(self.requests.get() + 1);
        self.requests.get()
    }

    /// The number of a new connection.
    #[must_use]
    pub fn next_connection(&self) -> u64 {
        self.connections.set(self.connections.get() + 1);
        self.connections.get()
    }

    /// An entry of the journal was acknowledged.
    pub fn acknowledge(&self, seq: u64) {
        self.acknowledged.set(self.acknowledged.get().max(seq));
    }

    /// The highest entry that was acknowledged.
    #[must_use]
    pub fn acknowledged(&self) -> u64 {
        self.acknowledged.get()
    }

    /// Changes where a client stands.
    pub fn seat(&self, client: u32, change: impl FnOnce(&mut Seat)) {
        if let Some(seat) = self.seats.borrow_mut().get_mut(client as usize) {
            change(seat);
        }
    }

    /// A request beside the connections (a log-out) began.
    pub fn begin_aside(&self) {
        self.asides.set(self.asides.get() + 1);
    }

    /// It ended.
    pub fn end_aside(&self) {
        self.asides.set(self.asides.get().saturating_sub(1));
    }

    /// A fault is over.
    pub fn heal(&self) {
        self.healed.set(Some(Instant::now()));
    }

    /// Whether recovery from a fault is being measured.
    #[must_use]
    pub fn is_calm(&self) -> bool {
        self.healed.get().is_some_and(|healed| healed.elapsed() < CALM)
    }

    /// It cannot go on.
    pub fn give_up(&self, cause: Error) {
        self.broken.borrow_mut().get_or_insert(cause);
    }

    /// We ourselves woke so much too late: nobody was reading meanwhile, and what had come by then was not late.
    pub fn lag(&self, late: Duration) {
        self.lag_ms.borrow_mut().push(u64::try_from(late.as_millis()).unwrap_or(u64::MAX));
        if late < GASP {
            return;
        }
        let length = u64::try_from(late.as_micros()).unwrap_or(u64::MAX);
        for (client, seat) in (0..).zip(self.seats.borrow().iter()).filter(|(_, seat)| seat.connected) {
            self.note(Some(client), What::Stalled { connection: seat.connection, length });
        }
    }

    /// How late we were at 99 of 100 times, and at worst, in milliseconds.
    #[must_use]
    pub fn lag_ms(&self) -> (u64, u64) {
        let mut lags = self.lag_ms.borrow_mut();
        lags.sort_unstable();
        let at = |place: usize| lags.get(place).copied().unwrap_or_default();
        (at(lags.len() * 99 / 100), at(lags.len().saturating_sub(1)))
    }

    /// Nothing new is to be asked any more; what was asked is brought to its end.
    pub fn stop(&self) {
        self.over.set(true);
    }

    /// Whether nothing new is to be asked any more.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.over.get()
    }

    /// Everybody is connected and nobody waits for an answer.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        let idle = |seat: &Seat| seat.connected && seat.queued == 0 && seat.waiting == 0;
        self.asides.get() == 0 && self.seats.borrow().iter().all(idle)
    }

    /// Everybody is connected and has everything up to this entry.
    #[must_use]
    pub fn all_have(&self, seq: u64) -> bool {
        self.seats.borrow().iter().all(|seat| seat.connected && seat.position >= seq)
    }

    /// Whether everybody is connected.
    #[must_use]
    pub fn all_connected(&self) -> bool {
        self.seats.borrow().iter().all(|seat| seat.connected)
    }

    /// In words: who is missing, and why.
    #[must_use]
    pub fn missing(&self) -> String {
        let seats = self.seats.borrow();
        let missing = seats.iter().enumerate().filter(|(_, seat)| !seat.connected);
        let words: Vec<String> = missing.map(|(client, seat)| format!("client {client}: {}", seat.trouble)).collect();
        words.join("; ")
    }

    /// What made it impossible to go on, if anything did.
    #[must_use]
    pub fn take_broken(&self) -> Option<Error> {
        self.broken.borrow_mut().take()
    }

    /// The whole history, and what it has no words for.
    ///
    /// # Errors
    /// It cannot be written to disk.
    pub fn finish(&self) -> anyhow::Result<(Vec<Record>, Vec<Violation>)> {
        let mut recorder = self.recorder.borrow_mut();
        recorder.finish()?;
        Ok((std::mem::take(&mut recorder.records), self.breaches.take()))
    }
}
