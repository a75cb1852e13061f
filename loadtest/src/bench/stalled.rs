//! Readers who stop reading while events flow: what they cost the server in memory, and what the others notice of them (P7).
//! Must never pass over a healthy reader that missed an event, nor a stalled one that does not come back to where everybody is.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail, ensure};
use futures_util::{StreamExt, TryStreamExt, stream};
use hdrhistogram::Histogram;
use serde::Serialize;
use tidings_protocol::feed::FeedName;
use tidings_protocol::request::Hello;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::Notify;
use tokio::task::{JoinHandle, spawn_local};
use tokio::time::{sleep, sleep_until, timeout};
use uuid::Uuid;

use crate::bench::server::Server;
use crate::people::Person;
use crate::raw::{CHUNK_BYTES, Cutter, RawSocket, TEXT, Took, push_text};
use crate::{frame, machine};

const READERS: usize = 60;
/// The first of them.
const STALLED: usize = 10;
/// In each of three runs: the first fills the hot log, the second is what the third is compared with.
const EVENTS: usize = 100_000;
const EVENTS_PER_SECOND: f64 = 2_000.0;
/// Connections of the one author: each may have 64 posts under way.
const LINES: usize = 8;
const TEXT_BYTES: usize = 100;
/// Posts in a fresh `home`: the last event is among them, though others of the same moment may stand before it.
const SHOWN: u16 = 50;
const PATIENCE: Duration = Duration::from_secs(20);
/// Between two looks at the server's memory, and at what is due.
const LOOK: Duration = Duration::from_millis(100);
const TICK: Duration = Duration::from_millis(1);

/// What was found.
#[derive(Debug, Serialize)]
pub struct Stalled {
    /// Who listens.
    pub readers: usize,
    /// Of these, stopped.
    pub stalled: usize,
    /// In each run.
    pub events: usize,
    /// In one second.
    pub per_second: f64,
    /// From when an event was due until a healthy reader had it, all reading.
    pub before: Latency,
    /// The same while some have stopped.
    pub meanwhile: Latency,
    /// The server's most resident memory, all reading.
    pub before_bytes: u64,
    /// The same while some have stopped.
    pub meanwhile_bytes: u64,
    /// The difference for each that has stopped; what chance does to the resident memory in half a minute is in it.
    pub growth_each: i64,
    /// Frames that a stalled reader was sent when it went on, of all it had missed: at most.
    pub caught_up_with: u64,
}

/// Milliseconds.
#[derive(Debug, Serialize)]
pub struct Latency {
    /// Half of them.
    pub p50: f64,
    /// All but one in a hundred.
    pub p99: f64,
}

/// What all tasks look at.
struct Stage {
    began: Cell<Instant>,
    /// The number of this run's first event.
    first: Cell<usize>,
    /// Whether those who are to stall do so.
    stalls: Cell<bool>,
    go_on: Notify,
    /// Deliveries of this run, µs.
    late: RefCell<Histogram<u64>>,
    /// Deliveries of this run to the healthy.
    heard: Cell<usize>,
    failed: RefCell<Option<anyhow::Error>>,
}

impl Stage {
    fn new() -> Result<Self> {
        Ok(Self {
            began: Cell::new(Instant::now()),
            first: Cell::new(0),
            stalls: Cell::new(false),
            go_on: Notify::new(),
            // Up to a minute.
            late: RefCell::new(Histogram::new_with_max(60_000_000, 3)?),
            heard: Cell::new(0),
            failed: RefCell::default(),
        })
    }

    fn due(&self, number: usize) -> Instant {
        #[expect(clippy::cast_precision_loss, reason = "some hundred thousand")]
        let after = number.saturating_sub(self.first.get()) as f64 / EVENTS_PER_SECOND;
        self.began.get() + Duration::from_secs_f64(after)
    }

    fn fail(&self, cause: anyhow::Error) {
        self.failed.borrow_mut().get_or_insert(cause);
    }

    fn latency(&self) -> Latency {
        let late = self.late.borrow();
        #[expect(clippy::cast_precision_loss, reason = "microseconds of a run")]
        let at = |quantile| late.value_at_quantile(quantile) as f64 / 1e3;
        Latency { p50: at(0.5), p99: at(0.99) }
    }
}

/// One who listens.
struct Reader {
    socket: RawSocket,
    index: usize,
    /// Which events it has heard.
    heard: Vec<bool>,
}

/// The tasks end with this.
struct Tasks(Vec<JoinHandle<()>>);

impl Drop for Tasks {
    fn drop(&mut self) {
        self.0.iter().for_each(JoinHandle::abort);
    }
}

/// Three runs: all read; all read; some have stopped. Then these go on. Everybody must follow the first of the people.
///
/// # Errors
/// A healthy reader misses an event or hears one twice, or a stalled one does not find back.
pub async fn measure(server: &Server, people: &[Person]) -> Result<Stalled> {
    // Nobody is ended for being slow: what is measured is what they cost while they are kept.
    let node = server.start_beside_with(&[("TIDINGS_SLOW_MS", "600000")]).await?;
    let stage = Rc::new(Stage::new()?);
    let (author, others) = people.split_first().context("nobody is there")?;
    let mut tasks = Tasks(Vec::new());
    let mut lines = Vec::new();
    for index in 0..LINES {
        let hello = Hello { token: Some(author.tokens.access_token.clone()), ..Hello::default() };
        let (socket, _) = RawSocket::open(node.address(), READERS + index, hello).await?;
        let (stream, cutter) = socket.into_parts();
        let (read, write) = stream.into_split();
        tasks.0.push(spawn_local(hear_answers(read, cutter, Rc::clone(&stage))));
        lines.push(write);
    }
    let dials = (0..READERS).map(|index| {
        let reader = &others[index % others.len()];
        let hello = Hello {
            token: Some(reader.tokens.access_token.clone()),
            feeds: vec![FeedName::Home],
            limit: Some(SHOWN),
            ..Hello::default()
        };
        RawSocket::open(node.address(), index, hello)
    });
    let sockets: Vec<_> = stream::iter(dials).buffered(READERS).try_collect().await?;
    let mut stopped = Vec::new();
    for (index, (socket, _)) in sockets.into_iter().enumerate() {
        let reader = Reader { socket, index, heard: vec![false; 3 * EVENTS] };
        let listening = spawn_local(reader.listen(Rc::clone(&stage)));
        if index < STALLED { stopped.push(listening) } else { tasks.0.push(forget(listening)) }
    }
    stage.run(&node, &mut lines, 0).await.context("the first run")?;
    let (before, before_bytes) = stage.run(&node, &mut lines, EVENTS).await.context("all reading")?;
    stage.stalls.set(true);
    let (meanwhile, meanwhile_bytes) = stage.run(&node, &mut lines, 2 * EVENTS).await.context("some have stopped")?;
    stage.stalls.set(false);
    stage.go_on.notify_waiters();
    let mut caught_up_with = 0;
    for listening in stopped {
        let back = timeout(PATIENCE, listening).await.context("a stalled reader did not find back in time")?;
        caught_up_with = caught_up_with.max(back?);
    }
    if let Some(cause) = stage.failed.borrow_mut().take() {
        return Err(cause);
    }
    ensure!(caught_up_with < EVENTS as u64, "nobody has stalled: all was in the sockets");
    drop(tasks);
    node.stop().await?;
    let grown = i64::try_from(meanwhile_bytes)? - i64::try_from(before_bytes)?;
    Ok(Stalled {
        readers: READERS,
        stalled: STALLED,
        events: EVENTS,
        per_second: EVENTS_PER_SECOND,
        before,
        meanwhile,
        before_bytes,
        meanwhile_bytes,
        growth_each: grown / i64::try_from(STALLED)?,
        caught_up_with,
    })
}

fn forget(listening: JoinHandle<u64>) -> JoinHandle<()> {
    spawn_local(async move { drop(listening.await) })
}

impl Stage {
    /// Sends the events from `first` on when they are due; waits until the healthy have all of them. Gives the most memory seen.
    async fn run(&self, node: &Server, lines: &mut [OwnedWriteHalf], first: usize) -> Result<(Latency, u64)> {
        self.first.set(first);
        self.heard.set(0);
        self.late.borrow_mut().reset();
        self.began.set(Instant::now());
        let healthy = if self.stalls.get() { READERS - STALLED } else { READERS };
        let sending = send(self, lines, first);
        let watching = async {
            let mut most = 0;
            while self.heard.get() < healthy * EVENTS {
                sleep(LOOK).await;
                most = machine::resident_bytes(node.pid())?.max(most);
                if let Some(cause) = self.failed.borrow_mut().take() {
                    return Err(cause);
                }
                let over = self.due(first + EVENTS) + PATIENCE;
                ensure!(Instant::now() < over, "{} deliveries of {}", self.heard.get(), healthy * EVENTS);
            }
            Ok(most)
        };
        let ((), most) = tokio::try_join!(sending, watching)?;
        Ok((self.latency(), most))
    }
}

/// Every event when it is due, on the lines in turn; what is due at the same moment goes out in one write.
async fn send(stage: &Stage, lines: &mut [OwnedWriteHalf], first: usize) -> Result<()> {
    let mut wires = vec![Vec::new(); lines.len()];
    let mut next = first;
    while next < first + EVENTS {
        sleep_until((Instant::now() + TICK).into()).await;
        while next < first + EVENTS && stage.due(next) <= Instant::now() {
            let text = format!("{next:08} {}", "x".repeat(TEXT_BYTES - 9));
            push_text(&mut wires[next % LINES], &frame::create(next as u64 + 2, Uuid::now_v7(), &text)?);
            next += 1;
        }
        for (line, wire) in lines.iter_mut().zip(&mut wires) {
            line.write_all(wire).await?;
            wire.clear();
        }
    }
    Ok(())
}

/// An author's answers; none may be a refusal.
async fn hear_answers(mut read: OwnedReadHalf, mut cutter: Cutter, stage: Rc<Stage>) {
    let mut buffer = vec![0; CHUNK_BYTES];
    loop {
        let taken = match read.read(&mut buffer).await {
            Ok(0) => return stage.fail(anyhow!("the server hung up on the author")),
            Ok(taken) => taken,
            Err(cause) => return stage.fail(cause.into()),
        };
        cutter.feed(&buffer[..taken], |opcode, text| {
            if opcode == TEXT && text.starts_with(b"{\"id\":") && after(text, b"\"error\":").is_some() {
                stage.fail(anyhow!("a post was refused: {}", String::from_utf8_lossy(text)));
            }
        });
    }
}

impl Reader {
    /// Until the line ends; one that has stalled, until it is where everybody is. Gives how many events it was sent after that.
    async fn listen(mut self, stage: Rc<Stage>) -> u64 {
        self.hear(&stage).await.unwrap_or_else(|cause| {
            stage.fail(cause.context(format!("reader {}", self.index)));
            0
        })
    }

    async fn hear(&mut self, stage: &Stage) -> Result<u64> {
        let (mut buffer, mut stalled, mut since, mut back) = (vec![0; CHUNK_BYTES], false, 0, false);
        let last = number(3 * EVENTS - 1);
        while !back {
            if stage.stalls.get() && self.index < STALLED {
                stalled = true;
                stage.go_on.notified().await;
            }
            let (heard, index) = (&mut self.heard, self.index);
            let mut twice = None;
            let took = self.socket.texts(&mut buffer, |text| {
                back |= stalled && after(text, last.as_bytes()).is_some();
                let Some(number) = event_in(text) else { return };
                if stalled {
                    since += 1;
                } else if std::mem::replace(&mut heard[number], true) {
                    twice = Some(number);
                } else {
                    stage.heard.set(stage.heard.get() + 1);
                    if index >= STALLED {
                        let late = Instant::now().saturating_duration_since(stage.due(number));
                        stage.late.borrow_mut().saturating_record(u64::try_from(late.as_micros()).unwrap_or(u64::MAX));
                    }
                }
            });
            if matches!(took.await?, Took::End) {
                bail!("the server hung up");
            }
            if let Some(number) = twice {
                bail!("event {number} came twice");
            }
        }
        Ok(since)
    }
}

/// As it stands in a frame.
fn number(number: usize) -> String {
    format!("\"text\":\"{number:08} ")
}

/// Which event a push is; none for anything else.
fn event_in(text: &[u8]) -> Option<usize> {
    if !text.starts_with(b"{\"feed\":") || after(text, b"\"event\":\"post.created\"").is_none() {
        return None;
    }
    let digits = after(text, b"\"text\":\"")?.get(..8)?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

fn after<'a>(text: &'a [u8], part: &[u8]) -> Option<&'a [u8]> {
    text.windows(part.len()).position(|window| window == part).map(|at| &text[at + part.len()..])
}

impl fmt::Display for Stalled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { readers, stalled, events, per_second, before, meanwhile, .. } = self;
        writeln!(f, "\n{stalled} of {readers} readers stop reading; {events} events, {per_second:.0} a second")?;
        writeln!(
            f,
            "  healthy readers: p50 {:.1} → {:.1} ms, p99 {:.1} → {:.1} ms ({:.2} times)",
            before.p50,
            meanwhile.p50,
            before.p99,
            meanwhile.p99,
            meanwhile.p99 / before.p99
        )?;
        writeln!(
            f,
            "  server: {:.1} KiB more for each that has stopped; it went on after {} events and was where everybody is",
            kibibytes(self.growth_each),
            self.caught_up_with
        )
    }
}

#[expect(clippy::cast_precision_loss, reason = "bytes of a process")]
fn kibibytes(bytes: i64) -> f64 {
    bytes as f64 / 1024.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_told_by_its_number_and_nothing_else_is_one() {
        let push = br#"{"feed":"home","seq":9,"event":"post.created","data":{"id":"x","text":"00000042 xx"}}"#;
        assert_eq!(event_in(push), Some(42));
        assert!(after(push, number(42).as_bytes()).is_some() && after(push, number(4).as_bytes()).is_none());
        let resync = br#"{"feed":"home","seq":9,"event":"feed.resync","data":{"items":[{"text":"00000042 xx"}]}}"#;
        assert_eq!(event_in(resync), None);
        assert!(after(resync, number(42).as_bytes()).is_some(), "but it brings one back");
        assert_eq!(event_in(br#"{"id":2,"result":{"post":{"text":"00000042 xx"}}}"#), None);
    }
}
