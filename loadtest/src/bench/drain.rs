//! A node that is stopped with everybody on it: how soon all are told, have gone and are back on the node beside it, and that no
//! acknowledged post is lost on the way. Must never stop the node that holds the private Postgres: the one beside it is stopped.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde::Serialize;
use tidings_protocol::request::Hello;
use tokio::sync::watch;
use uuid::Uuid;

use crate::bench::flock::{Flock, going_away};
use crate::bench::pgbench::Postgres;
use crate::bench::server::Server;
use crate::frame::{self, Frame};
use crate::people::Person;
use crate::raw::{RawSocket, Took, push_text};

/// Authors who go on writing through it.
const AUTHORS: usize = 20;
/// Between two posts of one author.
const EVERY: Duration = Duration::from_millis(20);
/// Before and after.
const REST: Duration = Duration::from_secs(2);
const PATIENCE: Duration = Duration::from_secs(60);
/// Sources of connections that the flock does not use.
const FIRST_SOURCE: usize = 100_000;

/// What was found. Seconds count from the signal.
#[derive(Debug, Serialize)]
pub struct Drain {
    /// On the node when it was stopped.
    pub connections: usize,
    /// Until all had been told `going_away`.
    pub told_s: f64,
    /// Until the node had ended.
    pub ended_s: f64,
    /// Its exit code.
    pub exit_code: i32,
    /// Until half were back on the other node.
    pub half_back_s: f64,
    /// Until all were.
    pub all_back_s: f64,
    /// Went on from their cursor, without a snapshot.
    pub resumed: usize,
    /// Ended without having been told.
    pub not_told: usize,
    /// Tries that came to nothing, by what was said.
    pub failures: BTreeMap<String, usize>,
    /// Posts the authors wrote.
    pub posts: usize,
    /// Of these, answered on the first connection they were sent on.
    pub answered_at_once: usize,
    /// Refused by the leaving node (`retry`) and sent again.
    pub put_off: usize,
    /// Without an answer when the line ended, and sent again with the same id.
    pub unanswered: usize,
    /// Of those sent again, how many had been done before.
    pub duplicates: usize,
    /// Acknowledged and not in the database, or there twice. Must be none.
    pub failed_acks: i64,
}

/// Fills a node beside `server`, stops it, and sees everybody home.
///
/// # Errors
/// Somebody does not come back, or a post gets an answer that does not let the author send it again.
pub async fn measure(server: &Server, people: &[Person], connections: usize) -> Result<Drain> {
    let leaving = server.start_beside().await?;
    let postgres = Postgres::of(server.postgres_socket()?)?;
    let flock = Flock::gather(leaving.address(), &people[1..], connections).await?;
    let posts_before = postgres.posts()?;
    let (over, is_over) = watch::channel(false);
    let targets = [leaving.address(), server.address()];
    let ledger = Rc::new(RefCell::new(Ledger::default()));
    let authors: Vec<_> = (0..AUTHORS)
        .map(|index| {
            let token = people[0].tokens.access_token.clone();
            tokio::task::spawn_local(write(targets, index, token, Rc::clone(&ledger), is_over.clone()))
        })
        .collect();
    tokio::time::sleep(REST).await;

    flock.next_target(server.address());
    let began = Instant::now();
    let exit_code = leaving.terminate().await?;
    let ended_s = began.elapsed().as_secs_f64();
    flock.all_back(PATIENCE).await?;
    tokio::time::sleep(REST).await;
    over.send_replace(true);
    for author in authors {
        author.await??;
    }

    let tally = flock.tally();
    let after = |at: Option<&Instant>| at.map_or(f64::NAN, |at| at.duration_since(began).as_secs_f64());
    let ledger = ledger.borrow();
    let written = i64::try_from(postgres.posts()? - posts_before)?;
    Ok(Drain {
        connections,
        told_s: after(tally.told.last()),
        ended_s,
        exit_code,
        half_back_s: after(tally.back.get(tally.back.len() / 2)),
        all_back_s: after(tally.back.last()),
        resumed: tally.resumed,
        not_told: tally.hung_up,
        failures: tally.failures.clone(),
        posts: ledger.posts,
        answered_at_once: ledger.answered_at_once,
        put_off: ledger.put_off,
        unanswered: ledger.unanswered,
        duplicates: ledger.duplicates,
        failed_acks: i64::try_from(ledger.posts)? - written,
    })
}

#[derive(Default)]
struct Ledger {
    posts: usize,
    answered_at_once: usize,
    put_off: usize,
    unanswered: usize,
    duplicates: usize,
}

/// What an author has sent and not been answered, by request.
type Open = BTreeMap<u64, (Uuid, bool)>;

/// Writes on the first target until it goes away, then on the second; ends when everything has been acknowledged.
async fn write(
    targets: [SocketAddr; 2],
    index: usize,
    token: String,
    ledger: Rc<RefCell<Ledger>>,
    is_over: watch::Receiver<bool>,
) -> Result<()> {
    let mut open = Open::new();
    let mut number = 1;
    for target in targets {
        let hello = Hello { token: Some(token.clone()), ..Hello::default() };
        let (mut socket, _) = RawSocket::open(target, FIRST_SOURCE + index, hello).await?;
        let again: Vec<Uuid> = std::mem::take(&mut open).into_values().map(|(id, _)| id).collect();
        for id in again {
            post(&mut socket, &mut number, id, true, &mut open).await?;
        }
        let line = converse(&mut socket, &mut number, &mut open, &ledger, &is_over).await?;
        drop(socket);
        ledger.borrow_mut().unanswered += open.values().filter(|(_, again)| !again).count();
        match line {
            Line::Done => return Ok(()),
            Line::Lost => {}
            Line::Told(after) => tokio::time::sleep(after).await,
        }
    }
    bail!("an author was sent away twice")
}

/// How a line ended.
enum Line {
    Done,
    Lost,
    Told(Duration),
}

async fn converse(
    socket: &mut RawSocket,
    number: &mut u64,
    open: &mut Open,
    ledger: &RefCell<Ledger>,
    is_over: &watch::Receiver<bool>,
) -> Result<Line> {
    let mut buffer = vec![0; 64 * 1024];
    let mut due = tokio::time::Instant::now();
    loop {
        let over = *is_over.borrow();
        if over && open.is_empty() {
            return Ok(Line::Done);
        }
        let mut replies = Vec::new();
        tokio::select! {
            () = tokio::time::sleep_until(due) => {
                due += EVERY;
                if !over {
                    ledger.borrow_mut().posts += 1;
                    if post(socket, number, Uuid::now_v7(), false, open).await.is_err() {
                        return Ok(Line::Lost);
                    }
                }
            }
            took = socket.texts(&mut buffer, |text| replies.push(text.to_vec())) => {
                let ended = matches!(took, Ok(Took::End) | Err(_));
                let told = replies.iter().find_map(|text| going_away(text));
                for reply in replies {
                    take(&reply, number, open, ledger)?;
                }
                if let Some((after, _)) = told {
                    return Ok(Line::Told(after));
                }
                if ended {
                    return Ok(Line::Lost);
                }
            }
        }
    }
}

async fn post(socket: &mut RawSocket, number: &mut u64, id: Uuid, again: bool, open: &mut Open) -> Result<()> {
    *number += 1;
    open.insert(*number, (id, again));
    let mut wire = Vec::new();
    push_text(&mut wire, &frame::create(*number, id, "written through a farewell")?);
    socket.write(&wire).await
}

fn take(reply: &[u8], number: &mut u64, open: &mut Open, ledger: &RefCell<Ledger>) -> Result<()> {
    let frame = Frame::read(std::str::from_utf8(reply)?)?;
    let Some(request) = frame.id else { return Ok(()) };
    let (id, again) = open.remove(&request).context("an answer to nothing")?;
    match &frame.error {
        None => {
            let duplicate = frame.done()?.1;
            let mut ledger = ledger.borrow_mut();
            ledger.answered_at_once += usize::from(!again);
            ledger.duplicates += usize::from(duplicate);
        }
        Some(refusal) => {
            ensure!(refusal.retry, "a post was refused for good: {}", refusal.message);
            ledger.borrow_mut().put_off += 1;
            // This node would only say so again: it goes to the next one, with the same id.
            *number += 1;
            open.insert(*number, (id, true));
        }
    }
    Ok(())
}

impl fmt::Display for Drain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\na node stopped with {} connections on it", self.connections)?;
        writeln!(
            f,
            "  all told after {:.2} s ({} not told), node ended after {:.2} s with exit code {}",
            self.told_s, self.not_told, self.ended_s, self.exit_code
        )?;
        writeln!(
            f,
            "  back on the other: half after {:.2} s, all after {:.2} s; {} resumed; came to nothing {:?}",
            self.half_back_s, self.all_back_s, self.resumed, self.failures
        )?;
        writeln!(
            f,
            "  {} posts meanwhile: {} answered at once, {} put off, {} unanswered and sent again ({} were done); {} failed",
            self.posts, self.answered_at_once, self.put_off, self.unanswered, self.duplicates, self.failed_acks
        )
    }
}
