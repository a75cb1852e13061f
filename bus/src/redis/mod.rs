//! Owns the bus over Redis pub/sub: a lane for rumours and one for whispers, each with a connection that publishes, one that listens, and a task
//! for each.
//! Must never make a caller wait for Redis, and must never believe a message that is not sealed under the node secret.

mod ear;
mod lane;
mod line;
mod listener;
mod publisher;

use std::sync::Arc;

use tidings_actors::entry::Batch;
use tidings_actors::ports::{Bus, Heard};
use tidings_actors::presence::whisper::Whisper;
use tokio::sync::mpsc;

use crate::limits::{LISTEN_QUEUE, PUBLISH_QUEUE, WHISPER_QUEUE};
use crate::sealed::Seal;
use crate::spoken::Spoken;
use crate::tally::Counts;

use lane::Lane;
use line::Redis;

/// What may be set differently.
#[derive(Clone, Debug)]
pub struct RedisOptions {
    /// Name of the pub/sub channel for rumours; by default one that is derived from the node secret, so that clusters sharing a Redis do not
    /// meet. That for whispers is the same with `:whispers` behind it.
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

/// The bus over Redis. Its tasks end when it is dropped: the listeners at once, the publishers when what waits has been told.
#[derive(Debug)]
pub struct RedisBus {
    rumours: Lane<Batch>,
    whispers: Lane<Whisper>,
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
        let lane = |kind: &str| Redis::parse(url, format!("{channel}{kind}"));
        let (rumours, whispers) = (lane(Batch::CHANNEL)?, lane(Whisper::CHANNEL)?);
        Ok(Self {
            rumours: Lane::open(rumours, seal.clone(), options.publish_queue, options.listen_queue),
            whispers: Lane::open(whispers, seal, WHISPER_QUEUE, WHISPER_QUEUE),
        })
    }

    /// What this bus has done with rumours so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.rumours.tally.counts()
    }

    /// What it has done with whispers.
    #[must_use]
    pub fn whisper_counts(&self) -> Counts {
        self.whispers.tally.counts()
    }
}

impl Bus for RedisBus {
    fn publish(&self, batch: Arc<Batch>) {
        self.rumours.publish(batch);
    }

    fn listen(&self) -> mpsc::Receiver<Heard> {
        self.rumours.listen()
    }

    fn whisper(&self, whisper: Arc<Whisper>) {
        self.whispers.publish(whisper);
    }

    fn overhear(&self) -> mpsc::Receiver<Whisper> {
        self.whispers.listen()
    }
}
