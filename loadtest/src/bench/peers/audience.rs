//! One speaker and many listeners on one thread: a loop over ready sockets, in which nothing is allocated for a delivery.
//! The same for every server. Must never let the next event out before its turn, nor a lost, doubled or late one pass.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use futures_util::{StreamExt, TryStreamExt, stream};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use super::dialect::{Dialect, Greeted, Role};
use super::nats;
use crate::raw::{CHUNK_BYTES, Cutter, TEXT, answer_ping, push_frame};

mod pace;

use pace::Lateness;
pub use pace::Part;

/// A delivery that takes this long is lost.
const PATIENCE: Duration = Duration::from_secs(10);
/// For what nobody waits for.
const LINGER: Duration = Duration::from_millis(20);
/// Handshakes at the same time.
const AT_ONCE: usize = 64;
/// Events that are looked at one by one before anything is measured, and how many of them are on their way at the same time.
const CHECKED: u64 = 32;
const CHECKED_IN_FLIGHT: u64 = 16;
const BINARY: u8 = 2;

/// Somebody at our end.
struct Line {
    stream: TcpStream,
    cutter: Cutter,
    nats: Option<nats::Counter>,
    heard: u64,
    /// All that was read, while it is looked at.
    record: Option<Vec<u8>>,
}

/// The connections to one server.
pub struct Audience {
    dialect: Dialect,
    poll: Poll,
    events: Events,
    listeners: Vec<Line>,
    speaker: Line,
    buffer: Vec<u8>,
    wire_bytes: usize,
    patience: Duration,
    sent: u64,
    /// While events come at a fixed rate.
    lateness: Option<Lateness>,
    /// Deliveries counted.
    pub heard: u64,
}

impl Audience {
    /// Connects a speaker and so many listeners. `tokens`: of the speaker, and of the accounts that listen in turn.
    ///
    /// # Errors
    /// A connection fails.
    pub async fn gather(dialect: Dialect, target: SocketAddr, listeners: usize, tokens: &[String]) -> Result<Self> {
        let (own, others) = tokens.split_first().map_or((None, tokens), |(own, others)| (Some(own.clone()), others));
        let dials = (0..listeners).map(|index| {
            let token = (!others.is_empty()).then(|| others[index % others.len()].clone());
            dialect.open(target, index, Role::Listener, token)
        });
        let listeners: Vec<_> = stream::iter(dials).buffer_unordered(AT_ONCE).try_collect().await?;
        let speaker = dialect.open(target, listeners.len(), Role::Speaker, own).await?;
        let poll = Poll::new()?;
        let line = |(index, greeted)| Line::new(dialect, greeted, &poll, Token(index));
        let mut lines = listeners.into_iter().chain([speaker]).enumerate().map(line).collect::<Result<Vec<_>>>()?;
        let speaker = lines.pop().context("there is a speaker")?;
        Ok(Self {
            dialect,
            poll,
            events: Events::with_capacity(1024),
            listeners: lines,
            speaker,
            buffer: vec![0; CHUNK_BYTES],
            wire_bytes: 0,
            patience: PATIENCE,
            sent: 0,
            lateness: None,
            heard: 0,
        })
    }

    /// Sends some events and looks at every byte of every delivery: all events, once, in order, in frames of one length, which is
    /// given back. For servers other than Tidings that length is `wire_bytes`.
    ///
    /// # Errors
    /// Anything else was delivered.
    pub fn check(&mut self, wire_bytes: usize) -> Result<usize> {
        self.wire_bytes = wire_bytes;
        self.listeners.iter_mut().for_each(|line| line.record = Some(Vec::new()));
        let first = self.sent + 1;
        while self.sent < first - 1 + CHECKED || self.on_their_way() > 0 {
            let left = first - 1 + CHECKED - self.sent;
            self.say(left.min(CHECKED_IN_FLIGHT.saturating_sub(self.on_their_way())))?;
            self.turn()?;
        }
        let mut longest = 0;
        for (index, line) in self.listeners.iter_mut().enumerate() {
            let record = line.record.take().unwrap_or_default();
            let events = self.dialect.events(&record).with_context(|| format!("listener {index}"))?;
            ensure!(events.len() as u64 == CHECKED, "listener {index} got {} events of {CHECKED}", events.len());
            for (number, event) in (first..).zip(&events) {
                let good = self.dialect.is_event(event, number, wire_bytes);
                ensure!(good, "listener {index}, in place of event {number}: {}", String::from_utf8_lossy(event));
                longest = longest.max(event.len());
            }
        }
        Ok(if self.dialect == Dialect::Tidings { longest + 4 } else { wire_bytes })
    }

    /// Keeps events on their way until time is up, then waits for the last.
    ///
    /// # Errors
    /// A delivery is lost or doubled, or a connection fails.
    pub fn press(&mut self, in_flight: u64, time: Duration) -> Result<()> {
        let end = Instant::now() + time;
        loop {
            let over = Instant::now() >= end;
            if over && self.on_their_way() == 0 {
                break;
            }
            if !over {
                self.say(in_flight.saturating_sub(self.on_their_way()))?;
            }
            self.turn()?;
        }
        self.linger()?;
        self.all_have_heard()
    }

    fn all_have_heard(&self) -> Result<()> {
        for (index, line) in self.listeners.iter().enumerate() {
            ensure!(line.heard == self.sent, "listener {index} heard {} events of {}", line.heard, self.sent);
        }
        Ok(())
    }

    /// Events that have not reached everybody.
    fn on_their_way(&self) -> u64 {
        // A doubled delivery is found when all are in; until then it must not upset the count.
        self.sent.saturating_sub(self.heard / self.listeners.len() as u64)
    }

    /// So many events in one write.
    fn say(&mut self, events: u64) -> Result<()> {
        if events == 0 {
            return Ok(());
        }
        let mut wire = Vec::new();
        for _ in 0..events {
            self.sent += 1;
            self.dialect.push_event(&mut wire, self.sent, self.wire_bytes)?;
        }
        self.speaker.stream.write_all(&wire).context("the server does not take what is said")
    }

    /// Waits until something has come and takes it.
    fn turn(&mut self) -> Result<()> {
        if let Err(cause) = self.poll.poll(&mut self.events, Some(self.patience)) {
            ensure!(cause.kind() == ErrorKind::Interrupted, "poll: {cause}");
        }
        if self.events.is_empty() {
            bail!("{} events did not reach everybody within {:?}", self.on_their_way(), self.patience);
        }
        self.take()
    }

    /// A doubled delivery may have stood for one that is still on its way.
    fn linger(&mut self) -> Result<()> {
        loop {
            self.poll.poll(&mut self.events, Some(LINGER))?;
            if self.events.is_empty() {
                return Ok(());
            }
            self.take()?;
        }
    }

    fn take(&mut self) -> Result<()> {
        for event in &self.events {
            let Token(index) = event.token();
            match self.listeners.get_mut(index) {
                Some(line) => {
                    let heard = line.read(&mut self.buffer).with_context(|| format!("listener {index}"))?;
                    self.heard += heard;
                    if let Some(lateness) = &mut self.lateness {
                        lateness.heard(line.heard - heard, line.heard);
                    }
                }
                None => self.speaker.hear_answers(self.dialect, &mut self.buffer).context("the speaker")?,
            }
        }
        Ok(())
    }
}

impl Line {
    fn new(dialect: Dialect, greeted: Greeted, poll: &Poll, token: Token) -> Result<Self> {
        greeted.stream.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(greeted.stream);
        poll.registry().register(&mut stream, token, Interest::READABLE)?;
        let nats = (dialect == Dialect::Nats).then(nats::Counter::default);
        Ok(Self { stream, cutter: greeted.cutter, nats, heard: 0, record: None })
    }

    /// Takes all that is there; says how many deliveries it held.
    fn read(&mut self, buffer: &mut [u8]) -> Result<u64> {
        let mut heard = 0;
        while let Some(taken) = self.take(buffer)? {
            if let Some(record) = &mut self.record {
                record.extend_from_slice(&buffer[..taken]);
            }
            heard += self.count(&buffer[..taken])?;
            // Short of a buffer there is no more: the next bytes bring another event.
            if taken < buffer.len() {
                break;
            }
        }
        self.heard += heard;
        Ok(heard)
    }

    fn take(&mut self, buffer: &mut [u8]) -> Result<Option<usize>> {
        match self.stream.read(buffer) {
            Ok(0) => bail!("the server hung up"),
            Ok(taken) => Ok(Some(taken)),
            Err(cause) if cause.kind() == ErrorKind::WouldBlock => Ok(None),
            Err(cause) => Err(cause.into()),
        }
    }

    fn count(&mut self, bytes: &[u8]) -> Result<u64> {
        let mut pongs = Vec::new();
        let counted = match &mut self.nats {
            None => self.cutter.count(bytes, |opcode, payload| answer_ping(&mut pongs, opcode, payload)),
            Some(counter) => {
                let (mut heard, mut outcome) = (nats::Heard::default(), Ok(()));
                self.cutter.feed(bytes, |opcode, payload| {
                    if opcode == BINARY && outcome.is_ok() {
                        outcome = counter.take(payload, &mut heard);
                    }
                });
                outcome?;
                (0..heard.pings).for_each(|_| push_frame(&mut pongs, BINARY, b"PONG\r\n"));
                heard.messages
            }
        };
        if !pongs.is_empty() {
            self.stream.write_all(&pongs)?;
        }
        Ok(counted)
    }

    /// What the speaker is told: Tidings answers each post, the others say nothing.
    fn hear_answers(&mut self, dialect: Dialect, buffer: &mut [u8]) -> Result<()> {
        if dialect != Dialect::Tidings {
            let echoes = self.read(buffer)?;
            ensure!(echoes == 0, "the server sends events back");
            return Ok(());
        }
        while let Some(taken) = self.take(buffer)? {
            let (mut pongs, mut refused) = (Vec::new(), None);
            self.cutter.feed(&buffer[..taken], |opcode, payload| {
                if opcode == TEXT && payload.starts_with(b"{\"id\":") && contains(payload, b"\"error\":") {
                    refused = Some(String::from_utf8_lossy(payload).into_owned());
                }
                answer_ping(&mut pongs, opcode, payload);
            });
            if let Some(why) = refused {
                bail!("a post was refused: {why}");
            }
            self.stream.write_all(&pongs)?;
            if taken < buffer.len() {
                break;
            }
        }
        Ok(())
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests;
