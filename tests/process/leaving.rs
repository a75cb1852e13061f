//! F12: a node that is stopped hands everybody over, and nothing acknowledged is lost; also when it is given too little time.

use std::time::Duration;

use serde_json::json;
use tidings_protocol::close::CloseCode;
use uuid::Uuid;

use crate::client::{Client, signs_up};
use crate::nodes::World;

/// Everybody on the node.
const SOCKETS: usize = 500;
const AUTHORS: usize = 10;
/// For a debug build on a busy machine; how fast it is, the bench tells.
const PATIENCE: Duration = Duration::from_secs(30);

/// Asked and, as far as it came, answered.
struct Farewell {
    acknowledged: Vec<Uuid>,
    /// Told to try again elsewhere, or without an answer when the line ended.
    open: Vec<Uuid>,
    goodbye: Option<serde_json::Value>,
    end: u16,
}

/// Writes until the connection ends.
async fn writes(mut author: Client, name: usize) -> Farewell {
    let (mut acknowledged, mut open, mut asked) = (Vec::new(), Vec::new(), Vec::new());
    let mut end = None;
    while end.is_none() {
        for _ in 0..5 {
            let id = Uuid::now_v7();
            let text = format!("by {name}");
            asked.push((author.sends("post.create", json!({ "id": id, "text": text })).await, id));
        }
        for (request, id) in std::mem::take(&mut asked) {
            match end {
                Some(_) => open.push(id),
                None => match author.answer(request).await {
                    Ok(answer) if answer["result"].is_object() => acknowledged.push(id),
                    Ok(refusal) => {
                        assert_eq!(refusal["error"]["retry"], true, "{refusal}");
                        open.push(id);
                    }
                    Err(number) => {
                        end = Some(number);
                        open.push(id);
                    }
                },
            }
        }
    }
    let goodbye = author.heard.iter().find(|frame| frame["event"] == "going_away").cloned();
    Farewell { acknowledged, open, goodbye, end: end.unwrap_or_default() }
}

#[tokio::test]
async fn everybody_is_told_and_everything_acknowledged_is_there() {
    let settings = [("connects_per_second", "100000"), ("drain_ms", "5000"), ("connections_per_ip", "100000")];
    let mut world = World::of(2, &settings).await;
    let (leaving, staying) = (world.nodes[0].address(), world.nodes[1].address());
    let token = signs_up(leaving, "ann").await;
    let mut readers = Vec::new();
    for _ in 0..SOCKETS {
        readers.push(Client::arrives(leaving, None, &["global"]).await);
    }
    let mut authors = Vec::new();
    for name in 0..AUTHORS {
        let author = Client::arrives(leaving, Some(&token), &[]).await;
        authors.push(tokio::spawn(writes(author, name)));
    }
    readers[0].hears("by 0").await.unwrap();

    let mut node = world.nodes.remove(0);
    let ending = tokio::task::spawn_blocking(move || node.terminate(PATIENCE));
    let reading = readers.into_iter().map(|mut reader| tokio::spawn(async move { (reader.end().await, reader) }));
    for reader in reading.collect::<Vec<_>>() {
        let (end, reader) = reader.await.unwrap();
        assert_eq!(end, CloseCode::GoingAway.number());
        let goodbye = reader.heard.last().unwrap();
        assert_eq!(goodbye["event"], "going_away", "the last word");
        assert!(goodbye["reconnect_after_ms"].as_u64().unwrap() <= 5_000, "{goodbye}");
    }
    assert_eq!(ending.await.unwrap().unwrap(), 0);

    let (mut acknowledged, mut open) = (Vec::new(), Vec::new());
    for author in authors {
        let farewell = author.await.unwrap();
        assert_eq!(farewell.end, CloseCode::GoingAway.number());
        assert!(farewell.goodbye.is_some());
        acknowledged.extend(farewell.acknowledged);
        open.extend(farewell.open);
    }
    assert!(!acknowledged.is_empty());
    let list: Vec<String> = acknowledged.iter().map(|id| format!("'{id}'")).collect();
    let there = world.sql(format!("select count(*) from posts where id in ({})", list.join(","))).await;
    assert_eq!(there, acknowledged.len().to_string(), "acknowledged is committed");
    // What was left open is asked again elsewhere, and is there once.
    let mut ann = Client::arrives(staying, Some(&token), &[]).await;
    for id in &open {
        // The text of each author's posts is told by nothing but the author: ask what is there already.
        let there = ann.ask("post.get", json!({ "id": id })).await.unwrap();
        if there["result"].is_null() {
            let again = ann.posts(*id, "again").await.unwrap();
            assert!(again["result"].is_object(), "{again}");
        }
    }
    let all = world.sql("select count(*) from posts").await;
    assert_eq!(all, (acknowledged.len() + open.len()).to_string());
}

/// Clients that hear nothing and never close: the node leaves without them, in order.
#[tokio::test]
async fn a_node_with_too_little_time_ends_well_all_the_same() {
    let mut world = World::of(1, &[("connects_per_second", "100000"), ("drain_ms", "100")]).await;
    let address = world.nodes[0].address();
    let token = signs_up(address, "ann").await;
    let mut deaf = Vec::new();
    for _ in 0..50 {
        deaf.push(Client::arrives(address, None, &["global"]).await);
    }
    let author = Client::arrives(address, Some(&token), &[]).await;
    let writing = tokio::spawn(writes(author, 0));
    let mut node = world.nodes.remove(0);
    let (code, log) = tokio::task::spawn_blocking(move || (node.terminate(PATIENCE), node.log())).await.unwrap();
    assert_eq!(code.unwrap(), 0);
    assert!(log.contains("some connections did not end in time"), "{log}");
    let farewell = writing.await.unwrap();
    let there = world.sql("select count(*) from posts").await.parse::<usize>().unwrap();
    assert!(there >= farewell.acknowledged.len(), "acknowledged is committed");
    assert!(there <= farewell.acknowledged.len() + farewell.open.len());
}
