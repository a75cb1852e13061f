//! Owns the task that listens: connects, subscribes, hears, asks whether the line lives, and begins again.
//! Must never give up, and must never take silence for health: a line that does not answer a ping in time is away.

use std::future::Future;
use std::pin::Pin;

use redis::RedisResult;
use redis::aio::MultiplexedConnection;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};

use super::ear::Ear;
use super::line::{Line, Redis};
use crate::back_off::BackOff;
use crate::limits::{CONNECT_PATIENCE, PING_EVERY, PING_PATIENCE};
use crate::spoken::{Spoken, Standing};

type Ping = Pin<Box<dyn Future<Output = RedisResult<()>> + Send>>;

/// Until nobody listens any more; the bus aborts it when it is dropped.
pub async fn run<T: Spoken>(redis: Redis, mut ear: Ear<T>) {
    let mut back_off = BackOff::new();
    while !ear.is_deaf() {
        match timeout(CONNECT_PATIENCE, redis.subscribe::<T>(&ear.seal, &ear.tally)).await {
            Ok(Ok(line)) => {
                ear.stands(Standing::Back);
                hear(line, &mut ear, &mut back_off).await;
                tracing::warn!("bus: the connection to Redis is lost");
            }
            Ok(Err(error)) => tracing::debug!(kind = ?error.kind(), "bus: Redis refused"),
            Err(_) => tracing::debug!("bus: Redis does not answer"),
        }
        ear.stands(Standing::Away);
        sleep(back_off.next_wait()).await;
    }
}

/// Until the line is lost.
async fn hear<T: Spoken>(mut line: Line, ear: &mut Ear<T>, back_off: &mut BackOff) {
    let mut tick = interval(PING_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut ping: Option<Ping> = None;
    let mut life_sign = Instant::now();
    loop {
        tokio::select! {
            raw = line.raw.recv() => {
                let Some(raw) = raw else { return };
                life_sign = Instant::now();
                ear.take(&raw.bytes);
            }
            answer = answered(&mut ping) => {
                ping = None;
                match answer {
                    Ok(()) => back_off.reset(),
                    // The pong may be stuck behind a flood of messages; those are signs of life too.
                    Err(late) if late.is_timeout() && life_sign.elapsed() < PING_PATIENCE => {}
                    Err(_) => return,
                }
            }
            _ = tick.tick() => {
                if ear.is_deaf() {
                    return;
                }
                ear.say_standing();
                ping.get_or_insert_with(|| ask(line.connection.clone()));
            }
        }
    }
}

fn ask(mut connection: MultiplexedConnection) -> Ping {
    Box::pin(async move { redis::cmd("PING").query_async(&mut connection).await })
}

/// The answer to the ping under way; never comes while there is none.
async fn answered(ping: &mut Option<Ping>) -> RedisResult<()> {
    match ping {
        Some(ping) => ping.await,
        None => std::future::pending().await,
    }
}
