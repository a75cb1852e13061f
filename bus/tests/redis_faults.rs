//! What the Redis bus does when Redis dies, hangs, cuts, or carries what no peer has sent (faults F1, F2, F3, F5).
//! Must never pass by waiting: each test waits for what it asserts, with a deadline.

mod common;

use std::time::{Duration, Instant};

use common::{SECRET, away, back, batch, next, redis_bus, rumour, until, whisper};
use tidings_actors::ports::{Bus, Heard};
use tidings_actors::presence::whisper::Whisper;
use tidings_bus::{RedisBus, RedisOptions};
use tidings_testkit::Redis;
use tokio::sync::mpsc;

const CHANNEL: &str = "tidings:1:a-test";

fn on_channel(redis: &Redis, secret: [u8; 32]) -> RedisBus {
    let options = RedisOptions { channel: Some(CHANNEL.to_owned()), ..RedisOptions::default() };
    RedisBus::connect(&redis.url(), secret, options).expect("a Redis address")
}

/// Publishes until it is heard: after a fault the first rumours may be lost.
async fn hears_again(ann: &RedisBus, at_bob: &mut mpsc::Receiver<Heard>) {
    let began = Instant::now();
    for seq in 1_000.. {
        ann.publish(batch(seq));
        let heard = tokio::time::timeout(Duration::from_millis(50), at_bob.recv()).await;
        if let Ok(Some(Heard::Rumour(batch))) = heard
            && batch.first.0 >= 1_000
        {
            return;
        }
        assert!(began.elapsed() < common::DEADLINE, "hears nothing again");
    }
}

#[tokio::test]
async fn killed_and_started_again() {
    let mut redis = Redis::start().unwrap();
    let (ann, bob) = (redis_bus(&redis.url()), redis_bus(&redis.url()));
    let mut at_bob = bob.listen();
    back(&mut at_bob).await;
    ann.publish(batch(1));
    assert_eq!(rumour(&mut at_bob).await, 1);

    redis.kill9().unwrap();
    let killed = Instant::now();
    away(&mut at_bob).await;
    assert!(killed.elapsed() < Duration::from_secs(1), "a cut is noticed at once");
    ann.publish(batch(2));
    redis.restart().unwrap();
    back(&mut at_bob).await;
    hears_again(&ann, &mut at_bob).await;
    assert_eq!(bob.counts().reconnects, 1);
}

#[tokio::test]
async fn hanging_is_noticed_within_two_seconds() {
    let mut redis = Redis::start().unwrap();
    let (ann, bob) = (redis_bus(&redis.url()), redis_bus(&redis.url()));
    let mut at_bob = bob.listen();
    back(&mut at_bob).await;
    redis.pause().unwrap();
    let paused = Instant::now();
    assert!(matches!(next(&mut at_bob).await, Heard::Away));
    assert!(paused.elapsed() < Duration::from_millis(2_300), "{:?}", paused.elapsed());
    redis.resume().unwrap();
    back(&mut at_bob).await;
    hears_again(&ann, &mut at_bob).await;
}

/// F3: publishing never waits for Redis, and what piles up meanwhile is bounded.
#[tokio::test]
async fn a_hanging_redis_does_not_hold_up_the_publisher() {
    let mut redis = Redis::start().unwrap();
    let options = RedisOptions { publish_queue: 8, ..RedisOptions::default() };
    let ann = RedisBus::connect(&redis.url(), SECRET, options).unwrap();
    let mut at_ann = ann.listen();
    back(&mut at_ann).await;
    redis.pause().unwrap();
    let began = Instant::now();
    for seq in 1..=1_000 {
        ann.publish(batch(seq));
        tokio::task::yield_now().await;
    }
    assert!(began.elapsed() < Duration::from_secs(1));
    assert!(ann.counts().dropped > 800, "{:?}", ann.counts());
    redis.resume().unwrap();
    let dropped = ann.counts().dropped;
    until("what waits is told or dropped", || ann.counts().dropped + ann.counts().published >= 1_000).await;
    assert!(ann.counts().dropped >= dropped);
}

#[tokio::test]
async fn cut_by_the_server() {
    let redis = Redis::start().unwrap();
    let (ann, bob) = (redis_bus(&redis.url()), redis_bus(&redis.url()));
    let mut at_bob = bob.listen();
    back(&mut at_bob).await;
    for kind in ["pubsub", "normal"] {
        redis.ask(&format!("CLIENT KILL TYPE {kind}")).unwrap();
        if kind == "pubsub" {
            assert!(matches!(next(&mut at_bob).await, Heard::Away));
            assert!(matches!(next(&mut at_bob).await, Heard::Back));
        }
        hears_again(&ann, &mut at_bob).await;
    }
}

#[tokio::test]
async fn not_there_at_first() {
    let mut redis = Redis::start().unwrap();
    redis.kill9().unwrap();
    let (ann, bob) = (redis_bus(&redis.url()), redis_bus(&redis.url()));
    let mut at_bob = bob.listen();
    assert!(matches!(next(&mut at_bob).await, Heard::Away));
    ann.publish(batch(1));
    redis.restart().unwrap();
    assert!(matches!(next(&mut at_bob).await, Heard::Back));
    hears_again(&ann, &mut at_bob).await;
}

/// A line that waits however long the machine takes; by itself one gives up after 500 ms.
async fn patient(client: &redis::Client) -> redis::aio::MultiplexedConnection {
    let config = redis::AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
    client.get_multiplexed_async_connection_with_config(&config).await.expect("Redis is there")
}

/// F5: what is not a peer's is counted and harms nothing.
#[tokio::test]
async fn garbage_and_forgeries_are_ignored() {
    let redis = Redis::start().unwrap();
    let (ann, bob) = (on_channel(&redis, SECRET), on_channel(&redis, SECRET));
    let mut at_bob = bob.listen();
    back(&mut at_bob).await;
    let client = redis::Client::open(redis.url()).unwrap();
    let mut eve = patient(&client).await;
    let mut listening = client.get_async_pubsub().await.unwrap();
    listening.subscribe(CHANNEL).await.unwrap();
    ann.publish(batch(1));
    let mut wire = listening.on_message();
    let genuine = futures_util::StreamExt::next(&mut wire).await.unwrap();
    let genuine: Vec<u8> = genuine.get_payload().unwrap();
    assert_eq!(rumour(&mut at_bob).await, 1);

    let mut bent = genuine.clone();
    *bent.last_mut().unwrap() ^= 1;
    let forgeries = [
        Vec::new(),
        b"garbage".to_vec(),
        vec![0; 9 * 1024 * 1024],
        genuine[..genuine.len() - 1].to_vec(),
        genuine[..30].to_vec(),
        bent,
    ];
    let sent = forgeries.len() as u64;
    for forged in forgeries {
        let publish = redis::cmd("PUBLISH").arg(CHANNEL).arg(forged).to_owned();
        publish.query_async::<()>(&mut eve).await.unwrap();
    }
    ann.publish(batch(2));
    assert_eq!(rumour(&mut at_bob).await, 2, "only what ann has sent");
    assert_eq!(bob.counts().forged, sent);
    // A message sent again is a rumour like any other: the tail knows a repeat.
    let publish = redis::cmd("PUBLISH").arg(CHANNEL).arg(genuine).to_owned();
    publish.query_async::<()>(&mut eve).await.unwrap();
    assert_eq!(rumour(&mut at_bob).await, 1);
}

#[tokio::test]
async fn a_node_with_another_secret_is_not_believed() {
    let redis = Redis::start().unwrap();
    let (ann, bob) = (on_channel(&redis, SECRET), on_channel(&redis, SECRET));
    let eve = on_channel(&redis, [8; 32]);
    let (mut at_bob, mut at_eve) = (bob.listen(), eve.listen());
    back(&mut at_bob).await;
    back(&mut at_eve).await;
    eve.publish(batch(66));
    until("eve's message is refused", || bob.counts().forged == 1).await;
    ann.publish(batch(1));
    assert_eq!(rumour(&mut at_bob).await, 1);
    until("eve refuses ann's", || eve.counts().forged == 1).await;
    assert!(at_eve.try_recv().is_err());
}

#[tokio::test]
async fn nothing_of_a_dropped_bus_goes_on() {
    let mut redis = Redis::start().unwrap();
    let alive = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let before = alive();
    let well = redis_bus(&redis.url());
    let mut heard = well.listen();
    back(&mut heard).await;
    well.publish(batch(1));
    drop(well);
    until("the tasks of a well bus end", || alive() == before).await;

    redis.kill9().unwrap();
    let away_bus = redis_bus(&redis.url());
    let mut heard = away_bus.listen();
    away(&mut heard).await;
    away_bus.publish(batch(2));
    drop(away_bus);
    until("the tasks of a bus that is away end", || alive() == before).await;
}

#[tokio::test]
async fn counts_tell_what_happened() {
    let redis = Redis::start().unwrap();
    let (ann, bob) = (redis_bus(&redis.url()), redis_bus(&redis.url()));
    let (mut at_ann, mut at_bob) = (ann.listen(), bob.listen());
    back(&mut at_ann).await;
    back(&mut at_bob).await;
    for seq in 1..=10 {
        ann.publish(batch(seq));
        assert_eq!(rumour(&mut at_bob).await, seq);
    }
    until("ann has met her own messages", || ann.counts().own_skipped == 10).await;
    until("ann knows that they were sent", || ann.counts().published == 10).await;
    assert_eq!(bob.counts().heard, 10);
    assert_eq!(bob.counts().own_skipped + bob.counts().dropped + bob.counts().forged, 0);
}

/// Whispers survive what rumours do, and each kind is believed on its own channel only.
#[tokio::test]
async fn whispers_come_again_after_redis_was_killed_and_no_kind_is_taken_for_the_other() {
    let mut redis = Redis::start().unwrap();
    let (ann, bob) = (on_channel(&redis, SECRET), on_channel(&redis, SECRET));
    let (mut at_bob, mut overheard) = (bob.listen(), bob.overhear());
    back(&mut at_bob).await;
    overhears_again(&ann, &mut overheard, 1).await;
    redis.kill9().unwrap();
    away(&mut at_bob).await;
    ann.whisper(whisper(1_000));
    redis.restart().unwrap();
    back(&mut at_bob).await;
    overhears_again(&ann, &mut overheard, 2_000).await;
    assert!(bob.whisper_counts().reconnects == 1 && bob.whisper_counts().forged == 0);

    // Somebody who holds the bus plays what was said on the other channel, each way.
    let client = redis::Client::open(redis.url()).unwrap();
    let mut eve = patient(&client).await;
    let mut listening = client.get_async_pubsub().await.unwrap();
    let channels = [CHANNEL.to_owned(), format!("{CHANNEL}:whispers")];
    for channel in &channels {
        listening.subscribe(channel).await.unwrap();
    }
    let mut messages = listening.on_message();
    let mut said: [Option<Vec<u8>>; 2] = [None, None];
    let began = Instant::now();
    // A rumour or a whisper may be lost, as after this kill: said again until both are heard.
    for number in 1.. {
        ann.publish(batch(number));
        ann.whisper(whisper(9_000 + number));
        let next = futures_util::StreamExt::next(&mut messages);
        if let Ok(Some(heard)) = tokio::time::timeout(Duration::from_millis(50), next).await {
            let kind = channels.iter().position(|channel| channel == heard.get_channel_name()).unwrap();
            said[kind].get_or_insert(heard.get_payload().unwrap());
        }
        if said.iter().all(Option::is_some) {
            break;
        }
        assert!(began.elapsed() < common::DEADLINE, "both kinds are said");
    }
    for (kind, said) in said.into_iter().enumerate() {
        let other = &channels[1 - kind];
        redis::cmd("PUBLISH").arg(other).arg(said).query_async::<()>(&mut eve).await.unwrap();
    }
    until("each kind is refused on the other's channel", || {
        bob.counts().forged == 1 && bob.whisper_counts().forged == 1
    })
    .await;
}

/// Whispers until one is overheard, and takes what else there is.
async fn overhears_again(ann: &RedisBus, overheard: &mut mpsc::Receiver<Whisper>, from: u64) {
    let began = Instant::now();
    for number in from.. {
        ann.whisper(whisper(number));
        let heard = tokio::time::timeout(Duration::from_millis(50), overheard.recv()).await;
        if let Ok(Some(heard)) = heard
            && heard.number >= from
        {
            return;
        }
        assert!(began.elapsed() < common::DEADLINE, "overhears nothing again");
    }
}
