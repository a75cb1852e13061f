//! Owns the way of one kind of message over Redis: a connection that publishes, one that listens, and a task and bounded queues for each.
//! Must never share any of these with the other kind.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use super::ear::Ear;
use super::line::Redis;
use super::publisher::Waiting;
use super::{listener, publisher};
use crate::budget::Budget;
use crate::sealed::Seal;
use crate::spoken::Spoken;
use crate::tally::{Dropped, Tally};

/// A lane. Its tasks end when it is dropped: the listener at once, the publisher when what waits has been told.
#[derive(Debug)]
pub struct Lane<T: Spoken> {
    waiting: mpsc::Sender<Waiting<T>>,
    waiting_bytes: Budget,
    heard: Mutex<Option<mpsc::Receiver<T::Heard>>>,
    listener: AbortHandle,
    pub tally: Tally,
}

impl<T: Spoken> Lane<T> {
    /// Opens it on the current tokio runtime, with queues of these lengths.
    pub fn open(redis: Redis, seal: Seal, publish_queue: usize, listen_queue: usize) -> Self {
        let tally = Tally::of(T::NAMES);
        let (waiting, to_publish) = mpsc::channel(publish_queue);
        let (to_listener, heard) = mpsc::channel(listen_queue);
        tokio::spawn(publisher::run::<T>(redis.clone(), seal.clone(), to_publish, tally.clone()));
        let ear = Ear::<T>::new(to_listener, seal, tally.clone());
        let listener = tokio::spawn(listener::run(redis, ear));
        Self {
            waiting,
            waiting_bytes: Budget::new(T::WAITING_BYTES),
            heard: Mutex::new(Some(heard)),
            listener: listener.abort_handle(),
            tally,
        }
    }

    /// Never waits: what does not fit is dropped and counted.
    pub fn publish(&self, what: Arc<T>) {
        let share = self.waiting_bytes.take(what.bytes());
        let told = share.is_some_and(|share| self.waiting.try_send(Waiting { what, share }).is_ok());
        if !told {
            self.tally.dropped(Dropped::PublishQueue, 1);
        }
    }

    /// Everything heard. May be called once.
    pub fn listen(&self) -> mpsc::Receiver<T::Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).take().expect("a bus is listened to once")
    }
}

impl<T: Spoken> Drop for Lane<T> {
    fn drop(&mut self) {
        self.listener.abort();
    }
}
