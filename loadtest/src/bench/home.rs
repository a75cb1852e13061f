//! How long a page of `home` takes, by how many one follows: asked of a node that has just begun and knows nothing but the database, and of
//! one that has been there for a while. Must never count a page that is not what the other node says as well.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use hdrhistogram::Histogram;
use serde::Serialize;
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::PostId;
use tidings_protocol::reply::Snapshot;
use tidings_protocol::request::{FeedSubscribe, FeedUnsubscribe, Hello, Method};

use crate::bench::filling::{self, Circle};
use crate::bench::pgbench::Postgres;
use crate::bench::server::Server;
use crate::link::{self, Socket};
use crate::people::Person;

/// Others than those whose `home` is asked for.
const PEOPLE: u64 = 100_000;
const POSTS: u64 = 300_000;
const FOLLOWEES: [usize; 3] = [200, 2_000, 5_000];
const PAGE: u16 = 50;
/// Pages before any is measured: connections are made, statements prepared.
const WARM_UP: usize = 30;

/// All of it.
#[derive(Debug, Serialize)]
pub struct Homes {
    /// By size and kind of the circle.
    pub pages: Vec<Pages>,
    /// Transactions of the database for each page of the new node, its head checks included.
    pub cold_transactions: f64,
    /// The same of the warm one.
    pub warm_transactions: f64,
}

/// Pages of one `home`.
#[derive(Debug, Serialize)]
pub struct Pages {
    /// Whom its owner follows.
    pub followees: usize,
    /// Those who write much, or anybody.
    pub busy: bool,
    /// From a node with nothing in memory.
    pub cold: Asked,
    /// From a node that has seen the journal pass.
    pub warm: Asked,
}

/// What came of asking again and again.
#[derive(Debug, Serialize)]
pub struct Asked {
    /// How often.
    pub pages: u64,
    /// Half were faster, in milliseconds.
    pub p50_ms: f64,
    /// 99 of 100 were faster.
    pub p99_ms: f64,
}

/// Fills the database, then asks for so many seconds for each `home` at each node.
///
/// # Errors
/// A page is not whole, or the nodes differ.
pub async fn measure(server: &Server, people: &[Person], seconds: u64) -> Result<Homes> {
    let postgres = Postgres::of(server.postgres_socket()?)?;
    filling::add(&postgres, PEOPLE, POSTS)?;
    let mut homes = Vec::new();
    for (nth, followees) in FOLLOWEES.into_iter().enumerate() {
        for (circle, owner) in [(Circle::Busy, &people[2 * nth]), (Circle::Mixed, &people[2 * nth + 1])] {
            filling::follow(&postgres, &[owner.id()], circle, followees)?;
            homes.push((followees, circle, owner));
        }
    }
    filling::settled(&postgres, server.address()).await?;
    let beside = server.start_beside().await?;
    let before = filling::transactions(&postgres).await?;
    let mut there = Vec::new();
    for &(_, _, owner) in &homes {
        there.push(ask(&beside, owner, seconds).await?);
    }
    let between = filling::transactions(&postgres).await?;
    beside.stop().await?;
    let mut pages = Vec::new();
    for ((followees, circle, owner), (cold, shown)) in homes.into_iter().zip(there) {
        let (warm, here) = ask(server, owner, seconds).await?;
        ensure!(shown == here, "two nodes show different pages to one who follows {followees}");
        pages.push(Pages { followees, busy: circle == Circle::Busy, cold, warm });
    }
    let after = filling::transactions(&postgres).await?;
    #[expect(clippy::cast_precision_loss, reason = "counts of a short run")]
    let each = |transactions: u64, asked: fn(&Pages) -> &Asked| {
        transactions as f64 / pages.iter().map(|pages| asked(pages).pages).sum::<u64>() as f64
    };
    let cold_transactions = each(between - before, |pages| &pages.cold);
    let warm_transactions = each(after - between, |pages| &pages.warm);
    Ok(Homes { pages, cold_transactions, warm_transactions })
}

async fn ask(node: &Server, owner: &Person, seconds: u64) -> Result<(Asked, Vec<PostId>)> {
    let mut socket = link::open(node.address(), 0).await?;
    let hello = Hello { token: Some(owner.tokens.access_token.clone()), ..Hello::default() };
    link::greet(&mut socket, hello).await?;
    for _ in 0..WARM_UP {
        page(&mut socket).await?;
    }
    let mut histogram = Histogram::<u64>::new(3)?;
    let end = Instant::now() + Duration::from_secs(seconds);
    let posts = loop {
        let (took, posts) = page(&mut socket).await?;
        histogram.record(u64::try_from(took.as_micros())?)?;
        if Instant::now() > end {
            break posts;
        }
    };
    #[expect(clippy::cast_precision_loss, reason = "microseconds of a short run")]
    let ms = |micros: u64| micros as f64 / 1_000.0;
    let asked = Asked {
        pages: histogram.len(),
        p50_ms: ms(histogram.value_at_quantile(0.5)),
        p99_ms: ms(histogram.value_at_quantile(0.99)),
    };
    Ok((asked, posts))
}

/// One page, from the question to the last byte of the answer.
async fn page(socket: &mut Socket) -> Result<(Duration, Vec<PostId>)> {
    let began = Instant::now();
    let subscribe = FeedSubscribe::whole(FeedName::Home, Some(PAGE));
    let answer = link::ask(socket, 1, Method::FeedSubscribe(subscribe)).await?;
    let took = began.elapsed();
    let snapshot: Snapshot = serde_json::from_str(&answer)?;
    let posts = snapshot.posts.context("a `home` without posts")?;
    ensure!(posts.len() == usize::from(PAGE), "{} posts on a page of {PAGE}", posts.len());
    ensure!(posts.is_sorted_by(|newer, older| newer.seq > older.seq), "a page that is not newest first");
    link::ask(socket, 2, Method::FeedUnsubscribe(FeedUnsubscribe { feed: FeedName::Home })).await?;
    Ok((took, posts.into_iter().map(|post| post.id).collect()))
}

impl fmt::Display for Homes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pages.iter().try_for_each(|pages| write!(f, "{pages}"))?;
        let Self { cold_transactions, warm_transactions, .. } = self;
        writeln!(f, "  transactions for each page: new node {cold_transactions:.2}, warm node {warm_transactions:.4}")
    }
}

impl fmt::Display for Pages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let circle = if self.busy { "who write much" } else { "of all sorts" };
        writeln!(f, "\n`home` of {PAGE}, {} followees {circle}", self.followees)?;
        for (node, asked) in [("new node ", &self.cold), ("warm node", &self.warm)] {
            let Asked { pages, p50_ms, p99_ms } = asked;
            writeln!(f, "  {node}: p50 {p50_ms:.2} ms, p99 {p99_ms:.2} ms of {pages} pages")?;
        }
        Ok(())
    }
}
