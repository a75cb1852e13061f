//! Owns the task that publishes: whatever has gathered goes out in one round trip. Must never hold on to a message: when Redis is away or slow
//! it is dropped and counted, since peers read from Postgres what they do not hear, and hear again what is true only for a moment.

use std::sync::Arc;

use redis::RedisResult;
use redis::aio::MultiplexedConnection;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::line::Redis;
use crate::back_off::BackOff;
use crate::budget::Share;
use crate::limits::PIPELINE_BATCHES;
use crate::sealed::Seal;
use crate::spoken::Spoken;
use crate::tally::{Dropped, Tally};

/// A message in the publish queue, with the bytes it holds there.
#[derive(Debug)]
pub struct Waiting<T> {
    pub what: Arc<T>,
    pub share: Share,
}

/// The publishing connection, while there is one.
struct Mouth {
    redis: Redis,
    connection: Option<MultiplexedConnection>,
    back_off: BackOff,
    not_before: Instant,
}

/// Until the bus is dropped and the queue is empty.
pub async fn run<T: Spoken>(redis: Redis, seal: Seal, mut queue: mpsc::Receiver<Waiting<T>>, tally: Tally) {
    let mut mouth = Mouth::new(redis);
    // So that the first rumour does not wait for a handshake. Away is no news here: the listener tells it.
    mouth.connect().await;
    let mut waiting = Vec::with_capacity(PIPELINE_BATCHES);
    while queue.recv_many(&mut waiting, PIPELINE_BATCHES).await > 0 {
        let (pipeline, messages) = pipeline(&mouth.redis.channel, &seal, &tally, &mut waiting);
        if messages == 0 {
            continue;
        }
        if mouth.tell(&pipeline).await {
            tally.published(messages);
        } else {
            tally.dropped(Dropped::Away, messages);
        }
    }
}

/// All that waits as one pipeline, and how many messages are in it.
fn pipeline<T: Spoken>(
    channel: &str,
    seal: &Seal,
    tally: &Tally,
    waiting: &mut Vec<Waiting<T>>,
) -> (redis::Pipeline, u64) {
    let mut pipeline = redis::pipe();
    let mut messages = 0;
    for Waiting { what, share } in waiting.drain(..) {
        if let Some(message) = seal.close(&*what) {
            let publish = pipeline.cmd("PUBLISH").arg(channel).arg(message);
            publish.ignore();
            messages += 1;
        } else {
            tally.dropped(Dropped::TooLarge, 1);
        }
        drop(share);
    }
    (pipeline, messages)
}

impl Mouth {
    fn new(redis: Redis) -> Self {
        Self { redis, connection: None, back_off: BackOff::new(), not_before: Instant::now() }
    }

    /// Sends the pipeline, once more on a fresh connection if the present one turns out to be broken: a message may come twice.
    async fn tell(&mut self, pipeline: &redis::Pipeline) -> bool {
        let was_connected = self.connection.is_some();
        let told = match self.send(pipeline).await {
            Some(Ok(())) => true,
            Some(Err(error)) if was_connected && !error.is_timeout() => {
                matches!(self.send(pipeline).await, Some(Ok(())))
            }
            Some(Err(_)) | None => false,
        };
        if told {
            self.back_off.reset();
            self.not_before = Instant::now();
        }
        told
    }

    /// None while there is no connection and it is too early to try for one.
    async fn send(&mut self, pipeline: &redis::Pipeline) -> Option<RedisResult<()>> {
        if self.connection.is_none() {
            self.connect().await;
        }
        let connection = self.connection.as_mut()?;
        let sent = pipeline.query_async::<()>(connection).await;
        if sent.is_err() {
            self.connection = None;
        }
        Some(sent)
    }

    /// Each try puts off the next one, also when it succeeds: a Redis that takes connections and then refuses to publish must not
    /// be asked without end. A pipeline that is told ends the wait.
    async fn connect(&mut self) {
        if Instant::now() >= self.not_before {
            self.connection = self.redis.connect().await.ok();
            self.not_before = Instant::now() + self.back_off.next_wait();
        }
    }
}
