//! How many posts a second are acknowledged, with all authors pressing: closed loop, pipelined within the limit of requests in flight.
//! Must never count an answer that is not an acknowledgement, and compares with what the database holds afterwards (P2).

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use serde::Serialize;
use tidings_protocol::request::Hello;
use uuid::Uuid;

use crate::bench::pgbench::{Postgres, Yardstick};
use crate::bench::server::Server;
use crate::bench::steady::{self, Steady};
use crate::frame::{self, Frame};
use crate::machine;
use crate::people::Person;
use crate::raw::{CHUNK_BYTES, RawSocket, Took, push_text};
use crate::schedule;

/// Sockets, one for each author.
const AUTHORS: usize = 64;
/// Requests in flight on each: together 1,024, half of what the server's journal queues.
const IN_FLIGHT: usize = 16;
/// Length of a text.
pub const TEXT_BYTES: usize = 200;
const WARM_UP: Duration = Duration::from_secs(1);

/// What was found.
#[derive(Debug, Serialize)]
pub struct Commits {
    /// Posts acknowledged a second.
    pub acknowledged_per_second: f64,
    /// pgbench on the same Postgres.
    pub pgbench: Yardstick,
    /// Of the first to the better of the second.
    pub ratio: f64,
    /// Acknowledgements at half of that rate.
    pub half: Steady,
    /// Refusals, by code.
    pub refused: BTreeMap<String, u64>,
    /// Acknowledged over the whole part, warm-up included.
    pub acknowledged: u64,
    /// By how much the table of posts grew.
    pub rows: u64,
    /// CPU of the server, in cores.
    pub server_cores: f64,
    /// CPU of the harness, in cores.
    pub client_cores: f64,
}

struct Tally {
    acknowledged: Cell<u64>,
    refused: RefCell<BTreeMap<String, u64>>,
    over: Cell<bool>,
}

/// Measures posts a second, then pgbench.
///
/// # Errors
/// A connection fails, or the database holds other than what was acknowledged.
pub async fn measure(server: &Server, people: &[Person], seconds: u64) -> Result<Commits> {
    let postgres = Postgres::of(server.postgres_socket()?)?;
    let before = postgres.posts()?;
    let tally = Rc::new(Tally { acknowledged: Cell::new(0), refused: RefCell::default(), over: Cell::new(false) });
    let mut tasks = Vec::new();
    for (index, person) in people.iter().take(AUTHORS).enumerate() {
        let token = person.tokens.access_token.clone();
        tasks.push(tokio::task::spawn_local(press(server.address(), index, token, Rc::clone(&tally))));
    }
    tokio::time::sleep(WARM_UP).await;
    let (first, began) = (tally.acknowledged.get(), Instant::now());
    let (own, theirs) = (machine::own_cpu()?, machine::cpu_of(server.pid())?);
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    let wall = began.elapsed().as_secs_f64();
    let per_second = float(tally.acknowledged.get() - first) / wall;
    let client_cores = machine::own_cpu()?.since(own).total().as_secs_f64() / wall;
    let server_cores = machine::cpu_of(server.pid())?.since(theirs).total().as_secs_f64() / wall;
    tally.over.set(true);
    for task in tasks {
        task.await??;
    }
    let half = steady::measure(server, &people[..AUTHORS.min(people.len())], per_second / 2.0, seconds).await?;
    let acknowledged = tally.acknowledged.get() + half.acknowledged;
    let rows = postgres.posts()? - before;
    ensure!(acknowledged == rows, "{acknowledged} posts were acknowledged, but {rows} are in the database");
    let pgbench = postgres.yardstick(seconds, server.folder())?;
    let refused = tally.refused.take();
    Ok(Commits {
        acknowledged_per_second: per_second,
        ratio: per_second / pgbench.best(),
        pgbench,
        half,
        refused,
        acknowledged,
        rows,
        server_cores,
        client_cores,
    })
}

/// One author: as many posts in flight as allowed, until it is over and all are answered.
async fn press(target: SocketAddr, index: usize, token: String, tally: Rc<Tally>) -> Result<()> {
    let hello = Hello { token: Some(token), ..Hello::default() };
    let (mut socket, _) = RawSocket::open(target, index, hello).await?;
    let (mut buffer, mut wire) = (vec![0; CHUNK_BYTES], Vec::new());
    let text = schedule::text(0, index, TEXT_BYTES);
    let (mut sent, mut answered) = (0, 0);
    loop {
        wire.clear();
        while !tally.over.get() && sent - answered < IN_FLIGHT as u64 {
            sent += 1;
            push_text(&mut wire, &frame::create(sent, Uuid::now_v7(), &text)?);
        }
        if !wire.is_empty() {
            socket.write(&wire).await?;
        }
        if sent == answered {
            return Ok(());
        }
        let mut misread = None;
        let took = socket.texts(&mut buffer, |text| match answer(text, &tally) {
            Ok(counts) => answered += u64::from(counts),
            Err(cause) => misread = Some(cause),
        });
        if matches!(took.await?, Took::End) {
            bail!("the server hung up on author {index}");
        }
        if let Some(cause) = misread {
            return Err(cause);
        }
    }
}

/// Whether it was an answer at all.
fn answer(text: &[u8], tally: &Tally) -> Result<bool> {
    let frame = Frame::read(std::str::from_utf8(text)?)?;
    if frame.id.is_none() {
        return Ok(false);
    }
    match frame.error {
        None => tally.acknowledged.set(tally.acknowledged.get() + 1),
        Some(refusal) => *tally.refused.borrow_mut().entry(format!("{:?}", refusal.code)).or_default() += 1,
    }
    Ok(true)
}

impl fmt::Display for Commits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\nposts acknowledged")?;
        writeln!(
            f,
            "  {:.0}/s, {:.2} times pgbench ({:.0}/s as transactions, {:.0}/s as single statements)",
            self.acknowledged_per_second,
            self.ratio,
            self.pgbench.transaction_per_second,
            self.pgbench.statement_per_second
        )?;
        writeln!(
            f,
            "  server {:.2} cores, client {:.2} cores; refused {:?}; {} rows found for {} acknowledged",
            self.server_cores, self.client_cores, self.refused, self.rows, self.acknowledged
        )?;
        let half = &self.half;
        writeln!(
            f,
            "  at half of that rate ({:.0}/s, {} authors): acknowledged p50 {:.1}, p99 {:.1}, p99.9 {:.1} ms (we sent p99 {:.1} ms late); server {:.2} cores, client {:.2} cores",
            half.per_second,
            half.authors,
            half.p50_ms,
            half.p99_ms,
            half.p999_ms,
            half.lag_p99_ms,
            half.server_cores,
            half.client_cores
        )
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of a run are far below 2^52")]
fn float(count: u64) -> f64 {
    count as f64
}
