//! What an idle, authenticated connection costs in the server's memory: resident set before and after, divided.
//! Must never count what only the first connections cost (pools, lazily made tables): some come and go before.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Serialize;
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::UserId;
use tidings_protocol::limits::CONNECTIONS_PER_USER;
use tidings_protocol::request::Hello;

use crate::bench::filling::{self, Circle};
use crate::bench::pgbench::Postgres;
use crate::bench::server::Server;
use crate::machine;
use crate::people::Person;
use crate::raw::RawSocket;

/// Connections that come and go before the first measurement.
const FIRST: usize = 500;
/// For the server to notice that these have gone, and to come to rest after the others have come.
const REST: Duration = Duration::from_secs(2);
/// People to follow, who do nothing else here.
const OTHERS: u64 = 5_000;
/// Handshakes at the same time.
const AT_ONCE: usize = 64;

/// What was found.
#[derive(Debug, Serialize)]
pub struct Idle {
    /// Open at the same time, each watching `home`.
    pub connections: usize,
    /// Of so many accounts.
    pub accounts: usize,
    /// Each of which follows so many.
    pub followees: usize,
    /// Resident memory of the server before, in bytes.
    pub before_bytes: u64,
    /// Resident memory of the server with all connections, in bytes.
    pub after_bytes: u64,
    /// The difference for each connection. The kernel's buffers are not in it.
    pub bytes_each: u64,
    /// Connections opened and greeted a second.
    pub opened_per_second: f64,
    /// The server's CPU time for each of them (TCP, upgrade, token, snapshot), in µs.
    pub open_us: f64,
}

/// Opens, rests, measures.
///
/// # Errors
/// Not all connections can be opened.
pub async fn measure(server: &Server, people: &[Person], connections: usize, followees: usize) -> Result<Idle> {
    machine::make_room_for(connections)?;
    let accounts = people.len().min(connections);
    ensure!(
        accounts * CONNECTIONS_PER_USER >= connections,
        "{connections} connections need more accounts than {accounts}"
    );
    let postgres = Postgres::of(server.postgres_socket()?)?;
    filling::add(&postgres, OTHERS, 0)?;
    let ids: Vec<UserId> = people.iter().map(Person::id).collect();
    filling::follow(&postgres, &ids, Circle::Mixed, followees)?;
    filling::settled(&postgres, server.address()).await?;
    drop(open(server.address(), people, FIRST.min(connections)).await?);
    tokio::time::sleep(REST).await;
    let before_bytes = machine::resident_bytes(server.pid())?;
    let (cpu, began) = (machine::cpu_of(server.pid())?, Instant::now());
    let sockets = open(server.address(), people, connections).await?;
    let took = began.elapsed().as_secs_f64();
    let cpu = machine::cpu_of(server.pid())?.since(cpu).total();
    tokio::time::sleep(REST).await;
    let after_bytes = machine::resident_bytes(server.pid())?;
    drop(sockets);
    #[expect(clippy::cast_precision_loss, reason = "some thousands")]
    let count = connections as f64;
    Ok(Idle {
        connections,
        accounts,
        followees,
        before_bytes,
        after_bytes,
        bytes_each: after_bytes.saturating_sub(before_bytes) / connections as u64,
        opened_per_second: count / took,
        open_us: cpu.as_secs_f64() * 1e6 / count,
    })
}

async fn open(target: SocketAddr, people: &[Person], connections: usize) -> Result<Vec<RawSocket>> {
    let dials = (0..connections).map(|index| {
        let hello = Hello {
            token: Some(people[index % people.len()].tokens.access_token.clone()),
            feeds: vec![FeedName::Home],
            limit: Some(1),
            ..Hello::default()
        };
        async move { Ok::<_, anyhow::Error>(RawSocket::open(target, index, hello).await?.0) }
    });
    stream::iter(dials).buffer_unordered(AT_ONCE).try_collect().await
}
