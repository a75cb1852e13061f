//! Owns the bus over Redis pub/sub: one connection that publishes, one that listens, and a task for each.
//! Must never make a caller wait for Redis, and must never believe a message that is not sealed under the node secret.

mod ear;
mod line;
mod listener;
mod publisher;

use std::sync::{Arc, Mutex, PoisonError};

use tidings_actors::entry::Batch;
use tidings_actors::ports::{Bus, Heard};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use crate::budget::Budget;
use crate::limits::{LISTEN_QUEUE, PUBLISH_QUEUE, WAITING_BYTES};
use crate::sealed::Seal;
use crate::tally::{Counts, Dropped, Tally};

use ear::Ear;
use line::Redis;
use publisher::Waiting;

/// What may be set differently.
#[derive(Clone, Debug)]
pub struct RedisOptions {
    /// Name of the pub/sub channel; by default one that is derived from the node secret, so that clusters sharing a Redis do not meet.
    pub channel: Option<String>,
    /// Batches that may wait to be published.
    pub publish_queue: usize,
    /// Rumours heard that may wait to be read.
    pub listen_queue: usize,
}

impl Default for RedisOptions {
    fn default() -> Self {
        Self { channel: None, publish_queue: PUBLISH_QUEUE, listen_queue: LISTEN_QUEUE }
    }
}

/// The address is not one of a Redis that can be used. Never shows the address: it may hold a password (P9).
#[derive(Debug, thiserror::Error)]
#[error("not a Redis address that can be used; expected redis://host:port or redis+unix:///path")]
pub struct BadRedisUrl;

/// The bus over Redis. Its tasks end when it is dropped: the listener at once, the publisher when what waits has been told.
#[derive(Debug)]
pub struct RedisBus {
    waiting: mpsc::Sender<Waiting>,
    waiting_bytes: Budget,
    heard: Mutex<Option<mpsc::Receiver<Heard>>>,
    listener: AbortHandle,
    tally: Tally,
}

impl RedisBus {
    /// Starts the bus on the current tokio runtime. Redis may be away: it is looked for until it is there.
    ///
    /// # Errors
    /// When `url` cannot be the address of a Redis.
    ///
    /// # Panics
    /// Outside of a tokio runtime, and when an option is 0.
    pub fn connect(url: &str, node_secret: [u8; 32], options: RedisOptions) -> Result<Self, BadRedisUrl> {
        let seal = Seal::new(&node_secret);
        let channel = options.channel.unwrap_or_else(|| seal.channel());
        let redis = Redis::parse(url, channel)?;
        let tally = Tally::new();
        let (waiting, to_publish) = mpsc::channel(options.publish_queue);
        let (to_tail, heard) = mpsc::channel(options.listen_queue);
        tokio::spawn(publisher::run(redis.clone(), seal.clone(), to_publish, tally.clone()));
        let ear = Ear::new(to_tail, seal, tally.clone());
        let listener = tokio::spawn(listener::run(redis, ear));
        Ok(Self {
            waiting,
            waiting_bytes: Budget::new(WAITING_BYTES),
            heard: Mutex::new(Some(heard)),
            listener: listener.abort_handle(),
            tally,
        })
    }

    /// What this bus has done so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.tally.counts()
    }
}

impl Bus for RedisBus {
    fn publish(&self, batch: Arc<Batch>) {
        let bytes = batch.entries.iter().map(|entry| entry.body.get().len()).sum();
        let told =
            self.waiting_bytes.take(bytes).is_some_and(|share| self.waiting.try_send(Waiting { batch, share }).is_ok());
        if !told {
            self.tally.dropped(Dropped::PublishQueue, 1);
        }
    }

    fn listen(&self) -> mpsc::Receiver<Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).take().expect("a bus is listened to once")
    }
}

impl Drop for RedisBus {
    fn drop(&mut self) {
        self.listener.abort();
    }
}
