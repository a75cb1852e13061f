//! F17 in small: those who come at once are let in one after the other, and nobody else waits for them. How a storm of 10,000 goes,
//! `tidings-load bench --parts storm` tells.

use std::time::Duration;

use crate::client::{Client, number, until};
use crate::nodes::World;

/// All at once; 66 turns are saved up by two workers, the others wait.
const COME: usize = 150;

#[tokio::test]
async fn a_crowd_comes_in_one_after_the_other_and_nobody_else_waits() {
    let world = World::of(1, &[("connects_per_second", "20")]).await;
    let node = world.nodes[0].address();
    let crowd = (0..COME).map(|_| tokio::spawn(Client::arrives(node, None, &["global"])));
    let crowd: Vec<_> = crowd.collect();
    until("some wait", async || number(node, "tidings_door_waiting", "").await > 10.0).await;
    let asking = reqwest::get(format!("http://{node}/healthz"));
    let answer = tokio::time::timeout(Duration::from_secs(1), asking).await.expect("at once").unwrap();
    assert!(answer.status().is_success());
    assert!(number(node, "tidings_door_waiting", "").await > 0.5, "they still wait");
    for client in crowd {
        client.await.expect("let in");
    }
    assert!(number(node, "tidings_door_refused_total", "").await < 0.5);
    assert!(number(node, "tidings_door_waiting", "").await < 0.5);
}

#[tokio::test]
async fn who_would_wait_too_long_is_told_at_once() {
    let world = World::of(1, &[("connects_per_second", "2")]).await;
    let node = world.nodes[0].address();
    let crowd = (0..COME).map(|_| tokio::spawn(Client::dial(node)));
    let crowd: Vec<_> = crowd.collect();
    // Ten in the line of each worker wait for up to ten seconds; what is not among them is refused now.
    until("the line is full", async || number(node, "tidings_door_refused_total", "").await > 30.0).await;
    let mut refused = 0;
    for client in crowd {
        if client.is_finished() {
            refused += usize::from(client.await.unwrap().is_none());
        } else {
            client.abort();
        }
    }
    assert!(refused > 30, "{refused} heard it");
}
