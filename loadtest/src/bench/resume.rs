//! Many connections that come back after having missed some events: how long until all have heard them, and what it costs the database.
//! Must never count a connection that started afresh, nor one that has not heard everything.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Serialize;
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::PostId;
use tidings_protocol::limits::CONNECTIONS_PER_USER;
use tidings_protocol::position::Cursor;
use tidings_protocol::reply::Welcome;
use tidings_protocol::request::{Hello, Method, PostCreate};
use tidings_protocol::text::PostText;
use uuid::Uuid;

use crate::bench::filling;
use crate::bench::pgbench::Postgres;
use crate::bench::server::Server;
use crate::frame::Frame;
use crate::people::Person;
use crate::raw::{RawSocket, Took};
use crate::{link, machine, schedule};

/// Posts that each of them misses.
const MISSED: usize = 50;
/// Coming back at the same time: far more than the server reads at once.
const AT_ONCE: usize = 512;
const TEXT_BYTES: usize = 200;
/// Connections that come and go before: some for each worker.
const FIRST: usize = 64;
/// For the server to notice that they have gone.
const REST: Duration = Duration::from_secs(3);
const PATIENCE: Duration = Duration::from_secs(20);

/// What was found.
#[derive(Debug, Serialize)]
pub struct Resumes {
    /// Came back.
    pub connections: usize,
    /// Of so many accounts.
    pub accounts: usize,
    /// From the first that dialled to the last event of the last, in seconds.
    pub seconds: f64,
    /// Transactions of the database meanwhile, head checks included.
    pub transactions: u64,
    /// The server's CPU time for each (TCP, upgrade, token, missed events), in µs.
    pub each_us: f64,
    /// CPU of the server, in cores.
    pub server_cores: f64,
    /// CPU of the harness, in cores.
    pub client_cores: f64,
}

/// Connects everybody, cuts them, has the first of the people write what they miss, and lets them come back. Everybody must follow the first.
///
/// # Errors
/// Somebody does not come back, starts afresh, or does not hear everything.
pub async fn measure(server: &Server, people: &[Person], connections: usize) -> Result<Resumes> {
    machine::make_room_for(connections)?;
    let readers = &people[1..];
    let accounts = readers.len().min(connections);
    ensure!(accounts * CONNECTIONS_PER_USER >= connections, "{connections} connections need more than {accounts}");
    // The door lets in as many as come: what is measured is not the door.
    let node = server.start_beside_with(&[("TIDINGS_CONNECTS_PER_SECOND", "1000000")]).await?;
    let target = node.address();
    // Each worker begins with its first connection, and has to have seen the entry where the cursors will stand.
    let first = (0..FIRST).map(|index| RawSocket::open(target, index, Hello::default()));
    drop(stream::iter(first).buffered(FIRST).try_collect::<Vec<_>>().await?);
    write(target, &people[0], 1).await?;
    let there =
        (0..connections).map(|index| RawSocket::open(target, index, greeting(&readers[index % accounts], None)));
    let sockets: Vec<(RawSocket, Welcome)> = stream::iter(there).buffered(64).try_collect().await?;
    let cursors: Vec<Cursor> = sockets.into_iter().map(|(_, welcome)| welcome.cursor).collect();
    tokio::time::sleep(REST).await;
    let missed = write(target, &people[0], MISSED).await?;
    let postgres = Postgres::of(server.postgres_socket()?)?;
    let before = filling::transactions(&postgres).await?;
    let (own, theirs, began) = (machine::own_cpu()?, machine::cpu_of(node.pid())?, Instant::now());
    let missed = &missed;
    let back = cursors.into_iter().enumerate().map(|(index, cursor)| async move {
        let reader = &readers[index % accounts];
        let back = tokio::time::timeout(PATIENCE, come_back(target, index, reader, cursor, missed));
        back.await.with_context(|| format!("connection {index} is not back within {PATIENCE:?}"))?
    });
    // Kept open until all are back.
    let sockets: Vec<RawSocket> = stream::iter(back).buffer_unordered(AT_ONCE).try_collect().await?;
    let wall = began.elapsed().as_secs_f64();
    let (used, own) = (machine::cpu_of(node.pid())?.since(theirs).total(), machine::own_cpu()?.since(own).total());
    let transactions = filling::transactions(&postgres).await? - before;
    drop(sockets);
    node.stop().await?;
    #[expect(clippy::cast_precision_loss, reason = "some thousands")]
    let count = connections as f64;
    Ok(Resumes {
        connections,
        accounts,
        seconds: wall,
        transactions,
        each_us: used.as_secs_f64() * 1e6 / count,
        server_cores: used.as_secs_f64() / wall,
        client_cores: own.as_secs_f64() / wall,
    })
}

fn greeting(reader: &Person, cursor: Option<Cursor>) -> Hello {
    Hello {
        token: Some(reader.tokens.access_token.clone()),
        feeds: vec![FeedName::Home],
        limit: Some(1),
        cursor,
        ..Hello::default()
    }
}

/// What is missed, as the places of the posts in the journal.
async fn write(target: SocketAddr, author: &Person, posts: usize) -> Result<BTreeSet<u64>> {
    let mut socket = link::open(target, 0).await?;
    link::greet(&mut socket, Hello { token: Some(author.tokens.access_token.clone()), ..Hello::default() }).await?;
    let mut missed = BTreeSet::new();
    for id in 1..=posts as u64 {
        let text = PostText::parse(schedule::text(0, MISSED, TEXT_BYTES))?;
        let create = PostCreate::public(PostId(Uuid::now_v7()), text);
        let answer = link::ask(&mut socket, id, Method::PostCreate(create)).await?;
        let answer: serde_json::Value = serde_json::from_str(&answer)?;
        missed.insert(answer["seq"].as_u64().context("a post without a place")?);
    }
    Ok(missed)
}

async fn come_back(
    target: SocketAddr,
    index: usize,
    reader: &Person,
    cursor: Cursor,
    missed: &BTreeSet<u64>,
) -> Result<RawSocket> {
    let left = RefCell::new(missed.clone());
    let hear = |text: &[u8]| {
        let frame = std::str::from_utf8(text).ok().and_then(|text| Frame::read(text).ok());
        if let Some(seq) = frame.filter(|frame| frame.feed.is_some()).and_then(|frame| frame.seq) {
            left.borrow_mut().remove(&seq);
        }
    };
    let (mut socket, welcome) = RawSocket::resume(target, index, greeting(reader, Some(cursor)), hear).await?;
    ensure!(welcome.resumed, "connection {index} started afresh");
    let mut buffer = vec![0; 16 * 1024];
    while !left.borrow().is_empty() {
        let took = socket.texts(&mut buffer, hear).await?;
        ensure!(!matches!(took, Took::End), "the server hung up on connection {index}");
    }
    Ok(socket)
}

impl fmt::Display for Resumes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "\n{} connections of {} accounts come back, {MISSED} events missed each",
            self.connections, self.accounts
        )?;
        writeln!(
            f,
            "  all have heard them after {:.2} s; {} transactions; {:.0} µs of the server's CPU each; server {:.2} cores, client {:.2} cores",
            self.seconds, self.transactions, self.each_us, self.server_cores, self.client_cores
        )
    }
}
