//! F15, F16, F20: peers that have vanished, and peers that never read. Nothing of them stays: no connection, no file, no count; and what
//! they hold together has a bound.

use std::time::Duration;

use serde_json::json;
use uuid::Uuid;

use crate::client::{Client, number, signs_up, until};
use crate::nodes::{World, files_of};

/// A few of each.
const PEERS: usize = 10;
/// A text that fills buffers.
const FILLER: usize = 4_900;
/// What the kernel's buffers on both sides, and the outbox, hold together, and then some.
const FLOOD: usize = 400;

/// They hold their connection and answer nothing, not even a ping.
#[tokio::test]
async fn a_peer_that_has_vanished_is_given_up() {
    let world = World::of(1, &[("heartbeat_ms", "500")]).await;
    let (node, pid) = (world.nodes[0].address(), world.nodes[0].pid());
    let token = signs_up(node, "ann").await;
    let mut ann = Client::arrives(node, Some(&token), &["global"]).await;
    let files = files_of(pid);
    let mut vanished = Vec::new();
    for _ in 0..PEERS {
        vanished.push(Client::arrives(node, Some(&token), &["global", "home"]).await);
    }
    // Ann answers pings by reading.
    let listening = tokio::spawn(async move {
        loop {
            if let Err(number) = ann.next().await {
                return number;
            }
        }
    });
    until("they are told `silent`", async || {
        number(node, "tidings_closes_total", "\"silent\"").await > PEERS as f64 - 0.5
    })
    .await;
    until("they are gone", async || number(node, "tidings_connections", "").await < 1.5).await;
    until("and so are their files", async || files_of(pid) <= files + 4).await;
    assert!(!listening.is_finished(), "whoever answers stays");
    drop(vanished);
}

#[tokio::test]
async fn a_reader_who_never_reads_is_ended_and_frees_what_it_held() {
    let world = World::of(1, &[("slow_ms", "1500")]).await;
    let (node, pid) = (world.nodes[0].address(), world.nodes[0].pid());
    let token = signs_up(node, "ann").await;
    let mut ann = Client::arrives(node, Some(&token), &[]).await;
    let mut bob = Client::arrives(node, None, &["global"]).await;
    let files = files_of(pid);
    let mut stuck = Vec::new();
    for _ in 0..PEERS {
        let mut reader = Client::dial_with(node, Some(4_096)).await.unwrap();
        reader.says_hello(None, &["global"], None).await.unwrap();
        stuck.push(reader);
    }
    flood(&mut ann, &mut bob).await;
    until("they are ended as slow", async || {
        number(node, "tidings_closes_total", "\"slow\"").await > PEERS as f64 - 0.5
    })
    .await;
    until("they are gone", async || number(node, "tidings_connections", "").await < 2.5).await;
    until("and so are their files", async || files_of(pid) <= files + 4).await;
    ann.posts(Uuid::now_v7(), "after").await.unwrap();
    bob.hears("after").await.unwrap();
    // Nothing but what was missed: they come back with their cursor.
    let cursor = stuck[0].cursor.clone().unwrap();
    let back = tokio::time::timeout(Duration::from_secs(20), Client::comes_back(node, None, &["global"], &cursor));
    let (mut back, _) = back.await.unwrap();
    back.hears("after").await.unwrap();
}

/// Ann writes more than all buffers hold, and bob reads along.
async fn flood(ann: &mut Client, bob: &mut Client) {
    let filler = "x".repeat(FILLER);
    for part in 0..FLOOD / 50 {
        let mut asked = Vec::new();
        for turn in 0..50 {
            let text = format!("{} {filler}", part * 50 + turn);
            asked.push(ann.sends("post.create", json!({ "id": Uuid::now_v7(), "text": text })).await);
        }
        for request in asked {
            let answer = ann.answer(request).await.expect("the author's connection lives");
            assert!(answer["result"].is_object(), "{answer}");
        }
        bob.hears(&format!("{} {filler}", part * 50 + 49)).await.expect("a quick reader stays");
    }
}

/// F20: each may hold 48 KiB; all together may not hold so many times as much. When they hold too much, those that hold 16 KiB give way, each when it is
/// told more; a shorter queue still takes what it is told, at most one piece of 16 KiB. That piece for each is what the bound leaves open: how many of them are
/// short just then is a matter of how fast the sockets take what.
#[tokio::test]
async fn readers_who_never_read_have_a_bound_together() {
    const MIB: f64 = 1024.0 * 1024.0;
    const READERS: usize = 6 * PEERS;
    const PIECE: f64 = 16.0 * 1024.0 + 64.0;
    let world = World::of(1, &[("outbox_mib", "1")]).await;
    let node = world.nodes[0].address();
    let token = signs_up(node, "ann").await;
    let mut ann = Client::arrives(node, Some(&token), &[]).await;
    let mut bob = Client::arrives(node, None, &["global"]).await;
    let mut stuck = Vec::new();
    for _ in 0..READERS {
        let mut reader = Client::dial_with(node, Some(4_096)).await.unwrap();
        reader.says_hello(None, &["global"], None).await.unwrap();
        stuck.push(reader);
    }
    flood(&mut ann, &mut bob).await;
    let held = number(node, "tidings_outbox_bytes", "").await;
    assert!(number(node, "tidings_outbox_shed_total", "").await > 0.5, "they had to give way");
    assert!(held < MIB + PIECE * READERS as f64, "{held} bytes are held");
    // Once they read, they miss nothing.
    let last = format!("{} {}", FLOOD - 1, "x".repeat(FILLER));
    for reader in &mut stuck {
        reader.hears(&last).await.unwrap();
    }
    until("nothing is held any more", async || {
        ann.posts(Uuid::now_v7(), "after").await.unwrap();
        number(node, "tidings_outbox_bytes", "").await < MIB / 10.0
    })
    .await;
}
