//! The examination that every implementation of the bus port takes: what `tidings_actors::ports::Bus` promises, no more.
//! Must never test what only one implementation does; that is in `redis_faults.rs`.

mod common;

use std::sync::Arc;
use std::time::{Duration, Instant};

use common::{back, batch, next, redis_bus, rumour, whisper};
use tidings_actors::ports::{Bus, Heard};
use tidings_actors::presence::Standing;
use tidings_actors::presence::ledger::Stretch;
use tidings_actors::presence::whisper::Whisper;
use tidings_bus::{Hub, RedisBus, RedisOptions};
use tidings_protocol::ids::{PostId, UserId};
use tidings_protocol::position::Millis;
use tidings_testkit::Redis;
use tokio::sync::mpsc;
use uuid::Uuid;

/// Batches published without a reader: many times what any queue of the bus holds.
const FLOOD: u64 = 20_000;
/// Most that may wait in a listen queue.
const LISTEN_QUEUE: usize = 1_024;
/// Most whispers that may.
const WHISPER_QUEUE: usize = 64;

/// Two nodes on one bus, and what keeps it alive.
struct Pair {
    ann: Arc<dyn Bus>,
    bob: Arc<dyn Bus>,
    _redis: Option<Redis>,
}

fn in_process() -> Pair {
    let hub = Hub::new();
    Pair { ann: Arc::new(hub.join()), bob: Arc::new(hub.join()), _redis: None }
}

fn over_redis() -> Pair {
    let redis = Redis::start().expect("redis-server runs");
    Pair { ann: Arc::new(redis_bus(&redis.url())), bob: Arc::new(redis_bus(&redis.url())), _redis: Some(redis) }
}

async fn peers_hear_in_order_and_one_does_not_hear_oneself(pair: Pair) {
    let (mut at_ann, mut at_bob) = (pair.ann.listen(), pair.bob.listen());
    assert!(matches!(next(&mut at_ann).await, Heard::Back));
    assert!(matches!(next(&mut at_bob).await, Heard::Back));
    for seq in 1..=500 {
        pair.ann.publish(batch(seq));
    }
    for seq in 1..=500 {
        assert_eq!(rumour(&mut at_bob).await, seq);
    }
    // What ann hears first is bob's answer, so she has not heard herself.
    pair.bob.publish(batch(501));
    assert_eq!(rumour(&mut at_ann).await, 501);
    assert!(at_ann.try_recv().is_err() && at_bob.try_recv().is_err());
}

async fn a_batch_arrives_as_it_was(pair: Pair) {
    let (mut at_ann, mut at_bob) = (pair.ann.listen(), pair.bob.listen());
    back(&mut at_ann).await;
    back(&mut at_bob).await;
    let told = batch(42);
    pair.ann.publish(Arc::clone(&told));
    let Heard::Rumour(heard) = next(&mut at_bob).await else {
        panic!("no rumour");
    };
    assert_eq!(heard.epoch, told.epoch);
    assert_eq!((heard.first, heard.last), (told.first, told.last));
    assert_eq!(heard.entries.len(), 1);
    assert_eq!(heard.entries[0].seq, told.entries[0].seq);
    assert_eq!(heard.entries[0].change, told.entries[0].change);
    assert_eq!(heard.entries[0].body.get(), told.entries[0].body.get());
}

/// P6, P7: a node that does not read loses rumours; nobody waits for it, and it holds no more than its queue.
async fn a_flood_without_a_reader_is_bounded_and_passes(pair: Pair) {
    let (mut at_ann, mut at_bob) = (pair.ann.listen(), pair.bob.listen());
    back(&mut at_ann).await;
    back(&mut at_bob).await;
    let began = Instant::now();
    for seq in 1..=FLOOD {
        pair.ann.publish(batch(seq));
        if seq % 500 == 0 {
            // Lets the bus's own tasks run: the flood shall reach bob, not only ann's queue.
            tokio::task::yield_now().await;
        }
    }
    assert!(began.elapsed() < Duration::from_secs(5), "publish waited");
    assert!(at_bob.len() <= LISTEN_QUEUE);
    // It passes: what is published afterwards is heard again, and what came through of the flood is in order.
    let mut last = 0;
    for seq in FLOOD + 1.. {
        pair.ann.publish(batch(seq));
        while last <= FLOOD {
            match tokio::time::timeout(Duration::from_millis(100), at_bob.recv()).await {
                Ok(Some(Heard::Rumour(batch))) => {
                    assert!(batch.first.0 > last, "out of order");
                    last = batch.first.0;
                }
                Ok(other) => panic!("{other:?} during a flood"),
                Err(_) => break,
            }
        }
        if last > FLOOD {
            break;
        }
        assert!(began.elapsed() < common::DEADLINE, "nothing heard again");
    }
}

/// Publishes one whisper after the other until it is overheard: nobody is told when a listener of whispers has connected.
async fn until_overheard(bus: &Arc<dyn Bus>, overheard: &mut mpsc::Receiver<Whisper>, from: u64) -> u64 {
    let began = Instant::now();
    for number in from.. {
        bus.whisper(whisper(number));
        if let Ok(heard) = tokio::time::timeout(Duration::from_millis(50), overheard.recv()).await {
            return heard.expect("the bus is there").number;
        }
        assert!(began.elapsed() < common::DEADLINE, "nothing overheard");
    }
    unreachable!("numbers do not end")
}

async fn peers_overhear_in_order_and_as_it_was(pair: Pair) {
    let (mut at_ann, mut at_bob) = (pair.ann.overhear(), pair.bob.overhear());
    let mut last = until_overheard(&pair.ann, &mut at_bob, 1).await;
    while let Ok(whisper) = at_bob.try_recv() {
        last = whisper.number;
    }
    let mut told = Whisper::clone(&whisper(1_000));
    told.asks = true;
    told.people.changed = vec![(UserId(Uuid::now_v7()), Some(Standing::Gone(Millis(7)))), (UserId(Uuid::nil()), None)];
    told.readers.stretch = Some(Stretch { after: None, until: None, items: vec![(PostId(Uuid::nil()), 3)] });
    pair.ann.whisper(Arc::new(told.clone()));
    loop {
        let heard = tokio::time::timeout(common::DEADLINE, at_bob.recv()).await.expect("in time").expect("a whisper");
        if heard.number == 1_000 {
            assert_eq!(heard, told);
            break;
        }
        assert!(heard.number > last, "out of order");
        last = heard.number;
    }
    // What ann overhears first is bob's, so she has not overheard herself.
    assert!(until_overheard(&pair.bob, &mut at_ann, 2_000).await >= 2_000);
}

/// P6, P7: whispers that nobody reads are dropped, and cost rumours nothing.
async fn a_flood_of_whispers_is_bounded_and_loses_no_rumour(pair: Pair) {
    let (mut at_ann, mut at_bob) = (pair.ann.listen(), pair.bob.listen());
    let mut overheard = pair.bob.overhear();
    back(&mut at_ann).await;
    back(&mut at_bob).await;
    let began = Instant::now();
    for seq in 1..=500 {
        for number in 0..40 {
            pair.ann.whisper(whisper(40 * seq + number));
        }
        pair.ann.publish(batch(seq));
        tokio::task::yield_now().await;
    }
    assert!(began.elapsed() < Duration::from_secs(5), "whispering waited");
    for seq in 1..=500 {
        assert_eq!(rumour(&mut at_bob).await, seq);
    }
    assert!(overheard.len() <= WHISPER_QUEUE);
    while overheard.try_recv().is_ok() {}
    assert!(until_overheard(&pair.ann, &mut overheard, 50_000).await > 0, "it passes");
}

async fn a_dropped_peer_hears_its_queue_end(pair: Pair) {
    let mut at_bob = pair.bob.listen();
    let mut overheard = pair.bob.overhear();
    back(&mut at_bob).await;
    drop(pair.bob);
    let ended = tokio::time::timeout(common::DEADLINE, async { while at_bob.recv().await.is_some() {} });
    ended.await.expect("the queue of a dropped bus must end");
    let ended = tokio::time::timeout(common::DEADLINE, async { while overheard.recv().await.is_some() {} });
    ended.await.expect("and that of whispers");
    pair.ann.publish(batch(1));
    pair.ann.whisper(whisper(1));
}

macro_rules! examine {
    ($($name:ident,)*) => {
        mod in_process_bus {
            $(#[tokio::test] async fn $name() { super::$name(super::in_process()).await })*
        }
        mod redis_bus_single_threaded {
            $(#[tokio::test] async fn $name() { super::$name(super::over_redis()).await })*
        }
        mod redis_bus_multi_threaded {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() { super::$name(super::over_redis()).await })*
        }
    };
}

examine! {
    peers_hear_in_order_and_one_does_not_hear_oneself,
    a_batch_arrives_as_it_was,
    a_flood_without_a_reader_is_bounded_and_passes,
    peers_overhear_in_order_and_as_it_was,
    a_flood_of_whispers_is_bounded_and_loses_no_rumour,
    a_dropped_peer_hears_its_queue_end,
}

#[tokio::test]
async fn a_node_alone_is_told_that_all_is_well_and_hears_nothing() {
    let alone = tidings_bus::InProcess::alone();
    let mut heard = alone.listen();
    assert!(matches!(next(&mut heard).await, Heard::Back));
    alone.publish(batch(1));
    assert!(matches!(heard.try_recv(), Err(tokio::sync::mpsc::error::TryRecvError::Empty)));
}

#[tokio::test]
async fn an_address_that_is_none_is_refused_without_showing_it() {
    for url in ["", "postgres://x", "redis://:hunter2@h:notaport", "rediss://h"] {
        let refusal = RedisBus::connect(url, common::SECRET, RedisOptions::default());
        let refusal = refusal.expect_err(url).to_string();
        assert!(!refusal.contains("hunter2"));
    }
}
