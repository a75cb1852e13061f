//! What a delivery costs while there is more and more beside it that it has nothing to do with: rows in the database, feeds watched on the
//! node, worker threads. A flat curve is the claim. Must never deliver to those who are only there to be many.

use std::fmt;
use std::net::SocketAddr;

use anyhow::Result;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Serialize;
use tidings_protocol::feed::FeedName;
use tidings_protocol::limits::FEEDS_PER_CONNECTION;
use tidings_protocol::request::Hello;

use crate::bench::fanout::{Audience, Fanout};
use crate::bench::filling;
use crate::bench::pgbench::Postgres;
use crate::bench::server::Server;
use crate::machine;
use crate::people::Person;
use crate::raw::RawSocket;

/// Other people, and as many posts of theirs.
const ROWS: [u64; 3] = [100, 10_000, 1_000_000];
/// Feeds that others watch.
const FEEDS: [usize; 3] = [100, 10_000, 1_000_000];
const WORKERS: [&str; 2] = ["1", "2"];
const IN_FLIGHT: [u64; 2] = [1, 16];
/// The one in the middle is shown: what else the machine does falls on single ones.
const ROUNDS: usize = 5;
/// Sources of connections that the audience does not use.
const FIRST_SOURCE: usize = 50_000;

/// One point of a curve.
#[derive(Debug, Serialize)]
pub struct Point {
    /// What there is many of.
    pub of: &'static str,
    /// So many.
    pub count: usize,
    /// What a delivery cost beside them.
    pub fanout: Fanout,
}

/// Measures a point of each curve after the other. Everybody must follow the first of the people.
///
/// # Errors
/// A delivery is lost, or a connection fails.
pub async fn measure(server: &Server, people: &[Person], subscribers: usize, seconds: u64) -> Result<Vec<Point>> {
    let postgres = Postgres::of(server.postgres_socket()?)?;
    let mut found = Vec::new();
    for workers in WORKERS {
        let node = server.start_beside_with(&[("TIDINGS_WORKERS", workers)]).await?;
        let count = workers.parse()?;
        found.extend(deliver(&node, people, subscribers, seconds).await?.map(|fanout| Point {
            of: "workers",
            count,
            fanout,
        }));
        node.stop().await?;
    }
    let mut there = 0;
    for rows in ROWS {
        filling::add(&postgres, rows - there, rows - there)?;
        there = rows;
        // A node of its own, so that no curve stands on what another has left in memory.
        let node = server.start_beside_with(&[("TIDINGS_WORKERS", "1")]).await?;
        let count = usize::try_from(rows)?;
        let deliveries = deliver(&node, people, subscribers, seconds).await?;
        found.extend(deliveries.map(|fanout| Point { of: "people and posts", count, fanout }));
        if rows == ROWS[ROWS.len() - 1] {
            found.extend(beside_feeds(&node, people, subscribers, seconds).await?);
        }
        node.stop().await?;
    }
    Ok(found)
}

/// With each number of posts in flight.
async fn deliver(node: &Server, people: &[Person], subscribers: usize, seconds: u64) -> Result<[Fanout; 2]> {
    let mut audience = Audience::gather(node, people, subscribers).await?;
    let [alone, many] = IN_FLIGHT;
    Ok([median(&mut audience, node, alone, seconds).await?, median(&mut audience, node, many, seconds).await?])
}

async fn median(audience: &mut Audience, node: &Server, in_flight: u64, seconds: u64) -> Result<Fanout> {
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        rounds.push(audience.measure(node, in_flight, seconds).await?);
    }
    rounds.sort_by(|one, other| (one.user_us + one.system_us).total_cmp(&(other.user_us + other.system_us)));
    Ok(rounds.swap_remove(ROUNDS / 2))
}

async fn beside_feeds(node: &Server, people: &[Person], subscribers: usize, seconds: u64) -> Result<Vec<Point>> {
    machine::make_room_for(FEEDS[FEEDS.len() - 1] / FEEDS_PER_CONNECTION + subscribers)?;
    let (mut found, mut watching, mut there) = (Vec::new(), Vec::new(), 0);
    for feeds in FEEDS {
        watching.extend(watch(node.address(), there, feeds).await?);
        there = feeds;
        let deliveries = deliver(node, people, subscribers, seconds).await?;
        found.extend(deliveries.map(|fanout| Point { of: "feeds watched", count: feeds, fanout }));
    }
    Ok(found)
}

/// Connections that watch profiles of people who write nothing now, each another one.
async fn watch(target: SocketAddr, from: usize, to: usize) -> Result<Vec<RawSocket>> {
    let dials = (from..to).step_by(FEEDS_PER_CONNECTION).map(|first| async move {
        let last = (first + FEEDS_PER_CONNECTION).min(to);
        let feeds = (first..last).map(|number| FeedName::User(filling::person(1 + number as u64))).collect();
        let hello = Hello { feeds, limit: Some(1), ..Hello::default() };
        let (socket, _) = RawSocket::open(target, FIRST_SOURCE + first / FEEDS_PER_CONNECTION, hello).await?;
        Ok::<_, anyhow::Error>(socket)
    });
    stream::iter(dials).buffer_unordered(8).try_collect().await
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Fanout { in_flight, per_second, user_us, system_us, server_cores, client_cores, .. } = &self.fanout;
        writeln!(
            f,
            "  {:>9} {:<16} {in_flight:>2} in flight: {:.2} µs each ({user_us:.2} user + {system_us:.2} system), {per_second:.0}/s; server {server_cores:.2} cores, client {client_cores:.2} cores",
            self.count,
            self.of,
            user_us + system_us
        )
    }
}
