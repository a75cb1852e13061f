//! Redis fails over to a replica and takes with it what was on its way (F5). Costs latency, never an event (P3).

use std::time::Instant;

use tidings_protocol::feed::FeedName::Global;
use tidings_testkit::Redis;

use crate::deeds::{Draft, RECOVERY, until};
use crate::door::Behind;
use crate::person::Person;
use crate::world::Plan;

#[tokio::test]
async fn a_redis_that_fails_over_or_is_split_loses_nothing() {
    let mut world = Plan::default().nodes(2).await;
    let mut ann = Person::arrives(&world.nodes[0], "ann", &[]).await;
    let mut bob = Person::arrives(&world.nodes[1], "bob", &[Global]).await;
    let replica = tokio::task::spawn_blocking(Redis::start).await.unwrap().unwrap();
    let primary = world.redis.as_ref().unwrap().port();
    replica.ask(&format!("replicaof 127.0.0.1 {primary}")).unwrap();
    until("the replica follows", RECOVERY, async || {
        replica.ask("info replication").unwrap().contains("master_link_status:up")
    })
    .await;
    ann.posts("post 0").await;
    bob.hears_post("post 0").await;

    // The old one stands still, and both nodes still hang on it.
    world.redis.as_mut().unwrap().pause().unwrap();
    let mut next = 1;
    for _ in 0..20 {
        ann.posts(&format!("post {next}")).await;
        next += 1;
    }
    bob.hears_post(&format!("post {}", next - 1)).await;
    // One of them finds the new one: each publishes where the other does not listen, and neither is told so.
    replica.ask("replicaof no one").unwrap();
    world.redis_doors[0].lead_to(Behind::Port(replica.port()));
    world.redis.as_mut().unwrap().resume().unwrap();
    // Half a second each: it is found by looking at the journal's head.
    for _ in 0..6 {
        ann.posts(&format!("post {next}")).await;
        next += 1;
        bob.hears_post(&format!("post {}", next - 1)).await;
    }
    // And then the other.
    world.redis_doors[1].lead_to(Behind::Port(replica.port()));
    until("both listen to the new one", RECOVERY, async || {
        replica.ask("client list type pubsub").unwrap().lines().count() >= 2
    })
    .await;
    let began = Instant::now();
    for _ in 0..20 {
        ann.posts(&format!("post {next}")).await;
        next += 1;
    }
    bob.hears_post(&format!("post {}", next - 1)).await;
    println!("twenty posts by the new Redis: {:?}", began.elapsed());
    let all: Vec<String> = (0..next).map(|number| format!("post {number}")).collect();
    assert_eq!(bob.state.texts(Global), all);
    assert_eq!(bob.snapshots(Global), 1, "nobody had to start afresh");
    ann.posts_at_last(&world.nodes[0], &Draft::of("the end")).await;
    bob.hears_post("the end").await;
}
