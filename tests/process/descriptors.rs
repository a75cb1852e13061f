//! F21: a node with too few open files. It must neither spin nor forget those who are there, keep files for the database, and recover.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use uuid::Uuid;

use crate::client::{Client, PATIENCE, number, signs_up, until};
use crate::nodes::{World, files_of};

/// What the node may open.
const FILES: usize = 256;
/// Who want in, all at once.
const DIALS: usize = 1_000;
/// A node that spins takes a whole core, or two.
const WATCH: Duration = Duration::from_secs(2);
const IDLE_ENOUGH: Duration = Duration::from_millis(600);

#[tokio::test]
async fn too_few_files_for_all_who_want_in() {
    let settings = [("connections_per_ip", "100000"), ("connects_per_second", "100000")];
    let mut world = World::with_files(FILES, &settings).await;
    let (node, pid) = (world.nodes[0].address(), world.nodes[0].pid());
    let token = signs_up(node, "ann").await;
    let mut ann = Client::arrives(node, Some(&token), &[]).await;
    let mut bob = Client::arrives(node, None, &["global"]).await;

    let dials = (0..DIALS).map(|_| tokio::spawn(dials(node)));
    let mut crowd = Vec::new();
    let (mut let_in, mut refused) = (0, 0);
    for dial in dials.collect::<Vec<_>>() {
        let (stream, status) = dial.await.unwrap();
        let_in += usize::from(status == Some(101));
        refused += usize::from(status == Some(503));
        crowd.push(stream);
    }
    assert!(let_in > 50, "{let_in} let in");
    assert!(refused > 0, "the others are told, as far as there was room to tell them");
    assert!(files_of(pid) < FILES, "some are left");

    // It does not spin.
    let before = cpu_of(pid);
    let watched = Instant::now();
    while watched.elapsed() < WATCH {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let used = cpu_of(pid) - before;
    assert!(used < IDLE_ENOUGH, "{used:?} of CPU within {WATCH:?} of doing nothing");

    // Those who are there are served, and the database is reached anew.
    ann.posts(Uuid::now_v7(), "while it is full").await.unwrap();
    bob.hears("while it is full").await.unwrap();
    world
        .sql(
            "select pg_terminate_backend(pid) from pg_stat_activity
              where datname = current_database() and application_name like 'tidings %'",
        )
        .await;
    let id = Uuid::now_v7();
    until("the database is reached anew", async || {
        ann.posts(id, "after the database was lost").await.unwrap()["result"].is_object()
    })
    .await;
    bob.hears("after the database was lost").await.unwrap();

    // And it recovers.
    drop(crowd);
    until("there is room again", async || match Client::dial(node).await {
        Some(mut client) => client.says_hello(None, &["global"], None).await.is_ok(),
        None => false,
    })
    .await;
    until("nobody of the crowd is left", async || number(node, "tidings_connections", "").await < 4.5).await;
    let ended = tokio::task::spawn_blocking(move || world.nodes[0].terminate(PATIENCE)).await.unwrap();
    assert_eq!(ended.unwrap(), 0);
}

/// Asks for a WebSocket by hand; what came of it within a while. The connection stays open, whatever it is worth.
async fn dials(node: SocketAddr) -> (Option<TcpStream>, Option<u16>) {
    let Ok(mut stream) = TcpStream::connect(node).await else {
        return (None, None);
    };
    let request = format!(
        "GET /api/v1/ws HTTP/1.1\r\nHost: {node}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Protocol: tidings.v1.json\r\n\r\n"
    );
    if stream.write_all(request.as_bytes()).await.is_err() {
        return (None, None);
    }
    let mut answer = [0; 64];
    let reading = tokio::time::timeout(Duration::from_secs(3), stream.read(&mut answer));
    let Ok(Ok(length)) = reading.await else {
        return (Some(stream), None);
    };
    let head = String::from_utf8_lossy(&answer[..length]).into_owned();
    (Some(stream), head.split(' ').nth(1).and_then(|status| status.parse().ok()))
}

/// CPU time of a process: fields 14 and 15 of its `stat`, in hundredths of a second, behind the name in brackets.
fn cpu_of(pid: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("a process");
    let ticks = stat.rsplit_once(')').expect("a name").1.split_whitespace().skip(11).take(2);
    Duration::from_millis(ticks.map(|ticks| ticks.parse::<u64>().expect("a number") * 10).sum())
}
