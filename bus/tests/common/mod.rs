//! What the bus tests share: batches to tell, ears with deadlines. Must never use a Redis channel of another test.
#![allow(dead_code, reason = "each test binary uses its own part")]

use std::sync::Arc;
use std::time::Duration;

use serde_json::value::RawValue;
use tidings_actors::entry::{Batch, Change, Entry, Verb};
use tidings_actors::ports::Heard;
use tidings_actors::presence::whisper::Whisper;
use tidings_bus::{RedisBus, RedisOptions};
use tidings_protocol::ids::UserId;
use tidings_protocol::position::{Epoch, Seq};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// Longer than any wait of a healthy bus on a busy machine; shorter than a person's patience.
pub const DEADLINE: Duration = Duration::from_secs(15);
pub const SECRET: [u8; 32] = [7; 32];

/// One entry, number `seq`.
pub fn batch(seq: u64) -> Arc<Batch> {
    let body = RawValue::from_string(format!("{{\"rev\":{seq}}}")).expect("it is JSON");
    Arc::new(Batch {
        epoch: Epoch(1),
        first: Seq(seq),
        last: Seq(seq),
        entries: vec![Entry {
            seq: Seq(seq),
            change: Change::User { verb: Verb::Updated, id: UserId(Default::default()) },
            body: body.into(),
            scope: None,
        }],
    })
}

/// The crier's whisper number `number`, about nobody.
pub fn whisper(number: u64) -> Arc<Whisper> {
    let (people, readers) = Default::default();
    Arc::new(Whisper { node: Default::default(), number, asks: false, people, readers, typed: Vec::new() })
}

/// A bus over the Redis at `url`, on its default channel.
pub fn redis_bus(url: &str) -> RedisBus {
    RedisBus::connect(url, SECRET, RedisOptions::default()).expect("a Redis address")
}

/// The next thing heard.
pub async fn next(heard: &mut mpsc::Receiver<Heard>) -> Heard {
    timeout(DEADLINE, heard.recv()).await.expect("heard nothing within the deadline").expect("the bus is gone")
}

/// The next thing heard must be a rumour; its number.
pub async fn rumour(heard: &mut mpsc::Receiver<Heard>) -> u64 {
    match next(heard).await {
        Heard::Rumour(batch) => batch.first.0,
        standing @ (Heard::Away | Heard::Back) => panic!("{standing:?} instead of a rumour"),
    }
}

/// Passes over rumours until the bus says that it is away.
pub async fn away(heard: &mut mpsc::Receiver<Heard>) {
    while !matches!(next(heard).await, Heard::Away) {}
}

/// Passes over rumours until the bus says that it is back.
pub async fn back(heard: &mut mpsc::Receiver<Heard>) {
    while !matches!(next(heard).await, Heard::Back) {}
}

/// Asks until it is so.
pub async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let asking = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(DEADLINE, asking).await.unwrap_or_else(|_| panic!("not within the deadline: {what}"));
}
