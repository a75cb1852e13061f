//! How long an acknowledgement takes while posts come at a fixed rate below what the server can do: open model, at random like people.
//! Latency counts from when a post was due. Must never wait for an answer before the next post is due, nor count a refusal.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail, ensure};
use futures_util::{StreamExt, TryStreamExt, stream};
use hdrhistogram::Histogram;
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde::Serialize;
use tidings_protocol::request::Hello;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::task::{JoinHandle, spawn_local};
use tokio::time::{sleep, sleep_until};
use uuid::Uuid;

use crate::bench::server::Server;
use crate::people::Person;
use crate::raw::{CHUNK_BYTES, Cutter, RawSocket, TEXT, push_text};
use crate::schedule::{self, Arrivals};
use crate::{frame, machine};

/// The beginning, which is not counted.
const WARM_UP: Duration = Duration::from_secs(1);
/// For the last answers.
const PATIENCE: Duration = Duration::from_secs(10);
/// Nothing is waited for longer than a minute.
const LONGEST_US: u64 = 60_000_000;
const TICK: Duration = Duration::from_millis(1);
const LOOK: Duration = Duration::from_millis(10);
/// Request ids begin above the `hello`.
const FIRST_ID: u64 = 2;

/// What was found.
#[derive(Debug, Serialize)]
pub struct Steady {
    /// Posts due in a second.
    pub per_second: f64,
    /// Sockets they came on, one for each author.
    pub authors: usize,
    /// From when a post was due until it was acknowledged, ms: half of them.
    pub p50_ms: f64,
    /// All but one in a hundred.
    pub p99_ms: f64,
    /// All but one in a thousand.
    pub p999_ms: f64,
    /// How late they left us, ms: all but one in a hundred. It is in all of the above.
    pub lag_p99_ms: f64,
    /// Acknowledged, warm-up included.
    pub acknowledged: u64,
    /// CPU of the server, in cores.
    pub server_cores: f64,
    /// CPU of the harness, in cores.
    pub client_cores: f64,
}

/// What all tasks look at.
struct Stage {
    began: Instant,
    /// When each post is due, since the beginning.
    due: Vec<Duration>,
    answered: Cell<usize>,
    late: RefCell<Histogram<u64>>,
    lag: RefCell<Histogram<u64>>,
    failed: RefCell<Option<anyhow::Error>>,
}

impl Stage {
    /// Notes how long ago a post was due, if it counts.
    fn note(&self, number: usize, histogram: &RefCell<Histogram<u64>>) {
        if let Some(&due) = self.due.get(number).filter(|&&due| due >= WARM_UP) {
            let late = (self.began + due).elapsed().as_micros();
            histogram.borrow_mut().saturating_record(u64::try_from(late).unwrap_or(u64::MAX));
        }
    }

    fn fail(&self, cause: anyhow::Error) {
        self.failed.borrow_mut().get_or_insert(cause);
    }
}

/// The tasks end with this.
struct Tasks(Vec<JoinHandle<()>>);

impl Drop for Tasks {
    fn drop(&mut self) {
        self.0.iter().for_each(JoinHandle::abort);
    }
}

/// So many posts a second by these people, one socket each, in turn.
///
/// # Errors
/// A post is refused or not answered, or a connection fails.
pub async fn measure(server: &Server, people: &[Person], per_second: f64, seconds: u64) -> Result<Steady> {
    let dials = people.iter().enumerate().map(|(index, person)| open(server.address(), index, person));
    let sockets: Vec<_> = stream::iter(dials).buffered(people.len().max(1)).try_collect().await?;
    let length = WARM_UP + Duration::from_secs(seconds);
    let due = schedule::arrivals(Arrivals::Poisson, per_second, length, &mut StdRng::seed_from_u64(1));
    let stage = Rc::new(Stage {
        began: Instant::now(),
        due,
        answered: Cell::new(0),
        late: RefCell::new(Histogram::new_with_max(LONGEST_US, 3)?),
        lag: RefCell::new(Histogram::new_with_max(LONGEST_US, 3)?),
        failed: RefCell::default(),
    });
    let (own, theirs) = (machine::own_cpu()?, machine::cpu_of(server.pid())?);
    let (mut tasks, mut lines) = (Tasks(Vec::new()), Vec::new());
    for socket in sockets {
        let (stream, cutter) = socket.into_parts();
        let (read, write) = stream.into_split();
        tasks.0.push(spawn_local(hear(read, cutter, Rc::clone(&stage))));
        lines.push(write);
    }
    send(&stage, &mut lines).await?;
    all_answered(&stage).await?;
    let wall = stage.began.elapsed().as_secs_f64();
    let cores = |used: machine::Cpu| used.total().as_secs_f64() / wall;
    let at = |histogram: &RefCell<Histogram<u64>>, quantile| ms(histogram.borrow().value_at_quantile(quantile));
    Ok(Steady {
        per_second,
        authors: people.len(),
        p50_ms: at(&stage.late, 0.5),
        p99_ms: at(&stage.late, 0.99),
        p999_ms: at(&stage.late, 0.999),
        lag_p99_ms: at(&stage.lag, 0.99),
        acknowledged: stage.answered.get() as u64,
        server_cores: cores(machine::cpu_of(server.pid())?.since(theirs)),
        client_cores: cores(machine::own_cpu()?.since(own)),
    })
}

async fn open(target: SocketAddr, index: usize, person: &Person) -> Result<RawSocket> {
    let hello = Hello { token: Some(person.tokens.access_token.clone()), ..Hello::default() };
    Ok(RawSocket::open(target, index, hello).await?.0)
}

/// Every post when it is due, on the lines in turn; what is due at the same moment on the same line goes out in one write.
async fn send(stage: &Stage, lines: &mut [OwnedWriteHalf]) -> Result<()> {
    let (text, count) = (schedule::text(0, 0, super::commits::TEXT_BYTES), lines.len());
    let mut wires = vec![Vec::new(); count];
    let mut next = 0;
    while next < stage.due.len() {
        sleep_until((Instant::now() + TICK).into()).await;
        let first = next;
        while stage.due.get(next).is_some_and(|&due| stage.began + due <= Instant::now()) {
            push_text(&mut wires[next % count], &frame::create(next as u64 + FIRST_ID, Uuid::now_v7(), &text)?);
            next += 1;
        }
        for (line, wire) in lines.iter_mut().zip(&mut wires).filter(|(_, wire)| !wire.is_empty()) {
            line.write_all(wire).await?;
            wire.clear();
        }
        (first..next).for_each(|number| stage.note(number, &stage.lag));
        if let Some(cause) = stage.failed.borrow_mut().take() {
            return Err(cause);
        }
    }
    Ok(())
}

async fn all_answered(stage: &Stage) -> Result<()> {
    let end = Instant::now() + PATIENCE;
    while stage.answered.get() < stage.due.len() {
        if let Some(cause) = stage.failed.borrow_mut().take() {
            return Err(cause);
        }
        ensure!(Instant::now() < end, "{} answers to {} posts", stage.answered.get(), stage.due.len());
        sleep(LOOK).await;
    }
    Ok(())
}

/// One author's answers.
async fn hear(mut read: OwnedReadHalf, mut cutter: Cutter, stage: Rc<Stage>) {
    let mut buffer = vec![0; CHUNK_BYTES];
    loop {
        let taken = match read.read(&mut buffer).await {
            Ok(0) => return stage.fail(anyhow!("the server hung up on an author")),
            Ok(taken) => taken,
            Err(cause) => return stage.fail(cause.into()),
        };
        cutter.feed(&buffer[..taken], |opcode, text| {
            if opcode != TEXT {
                return;
            }
            match answer(text) {
                Ok(None) => {}
                Ok(Some(number)) => {
                    stage.answered.set(stage.answered.get() + 1);
                    stage.note(number, &stage.late);
                }
                Err(cause) => stage.fail(cause),
            }
        });
    }
}

/// Which post a text acknowledges; none if it is no reply.
fn answer(text: &[u8]) -> Result<Option<usize>> {
    let frame = frame::Frame::read(std::str::from_utf8(text)?)?;
    let Some(id) = frame.id else { return Ok(None) };
    if let Some(refusal) = frame.error {
        bail!("a post was refused: {}", refusal.message);
    }
    Ok(id.checked_sub(FIRST_ID).and_then(|number| usize::try_from(number).ok()))
}

#[expect(clippy::cast_precision_loss, reason = "microseconds of a run")]
fn ms(micros: u64) -> f64 {
    micros as f64 / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_names_its_post_and_a_refusal_fails() {
        assert_eq!(answer(br#"{"id":7,"result":{"seq":3}}"#).unwrap(), Some(5));
        assert_eq!(answer(br#"{"event":"heartbeat"}"#).unwrap(), None);
        let refused = br#"{"id":7,"error":{"code":"overloaded","message":"later","retry":true}}"#;
        assert!(answer(refused).unwrap_err().to_string().contains("later"));
    }
}
