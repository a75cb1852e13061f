//! One simulated client: connects, follows orders, keeps what it hears, comes back with its cursor when the line is lost.
//! Must never judge what it hears, and must never wait for an answer before it does what is due.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use futures_util::{SinkExt, StreamExt};
use rand::RngExt;
use tidings_protocol::close::{AfterClose, after_close};
use tidings_protocol::feed::FeedName;
use tidings_protocol::limits::REQUESTS_IN_FLIGHT;
use tidings_protocol::position::{Cursor, Seq};
use tidings_protocol::reply::{FeedStart, Welcome};
use tidings_protocol::request::Hello;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_tungstenite::tungstenite::Message;
use uuid::Uuid;

use crate::check::{Anomaly, Violation};
use crate::frame::{self, Frame};
use crate::history::{Heard, Life};
use crate::link::{self, Socket};
use crate::schedule::Order;
use crate::stage::Stage;

/// Posts are numbered from here on the wire; 0 is `hello`.
const FIRST_POST_ID: u64 = 1;
/// After a loss that nobody ordered.
const BACK_OFF: Duration = Duration::from_millis(100);
/// Failed tries wait a random time up to this, doubled each time (`PROTOCOL.md` §9): without the jitter all clients of
/// a node that died would come back in the same millisecond.
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// Failed attempts in a row before a connection gives up.
const ATTEMPTS: u32 = 100;
/// Entities in the snapshot when a resume is not possible.
const SNAPSHOT: u16 = 100;
/// What the kernel holds for a slow reader. The server has to hold the rest.
const SLOW_RECEIVE_BYTES: u32 = 16 * 1024;
/// Violations of order that are kept of connections whose deliveries are not.
const DISORDER_KEPT: usize = 1000;

/// A connection to be.
pub struct Connection {
    /// Its number, from 0.
    pub index: usize,
    /// Where: in turn, so that a lost line comes back to another node (any node can resume any cursor).
    pub targets: Rc<[SocketAddr]>,
    /// Whose.
    pub token: String,
    /// It will be told to stop reading.
    pub slow: bool,
    /// What it is told to do. Bounded by the plan, which is made before the run.
    pub orders: UnboundedReceiver<Order>,
    /// What it shares with the others.
    pub stage: Rc<Stage>,
}

/// What a connection keeps from one life to the next.
#[derive(Default)]
struct Memory {
    /// Attempts to connect so far.
    attempts: usize,
    cursor: Option<Cursor>,
    /// Posts sent and not answered.
    unanswered: BTreeSet<usize>,
    /// The last `seq` that was pushed in this life.
    pushed: u64,
    /// It was cut when this span began, and is not back yet.
    cut: Option<usize>,
}

/// How a life ends.
enum End {
    /// Come back after this.
    Lost(Duration),
    /// There is nothing more to do.
    Over,
}

impl Connection {
    /// Lives until it is aborted or the server forbids it to come back.
    ///
    /// # Errors
    /// The server cannot be reached any more, or answered something that is not its protocol.
    pub async fn live(mut self) -> Result<()> {
        let mut memory = Memory::default();
        let mut failed = 0;
        loop {
            match self.connect(&mut memory).await {
                Ok(socket) => {
                    failed = 0;
                    self.stage.open.set(self.stage.open.get() + 1);
                    if let Some(span) = memory.cut.take() {
                        self.stage.back(span);
                    }
                    let end = self.serve(socket, &mut memory).await;
                    self.stage.open.set(self.stage.open.get() - 1);
                    match end? {
                        End::Lost(away) => tokio::time::sleep(away).await,
                        End::Over => return Ok(()),
                    }
                }
                Err(cause) => {
                    failed += 1;
                    let final_word = cause.downcast_ref::<link::Refused>().is_some_and(|refused| !refused.0.retry);
                    if failed >= ATTEMPTS || final_word {
                        return Err(cause.context(format!("connection {}", self.index)));
                    }
                    self.stage.closed(format!("could not connect: {cause:#}"));
                    let most = LONGEST_WAIT.min(FIRST_WAIT * 2_u32.saturating_pow(failed - 1));
                    let wait = rand::rng().random_range(Duration::ZERO..=most);
                    tokio::time::sleep(wait).await;
                }
            }
        }
    }

    /// A new life: greets, and notes how the feed starts.
    async fn connect(&self, memory: &mut Memory) -> Result<Socket> {
        let target = self.targets[(self.index + memory.attempts) % self.targets.len()];
        memory.attempts += 1;
        let mut socket = link::open_with(target, self.index, self.slow.then_some(SLOW_RECEIVE_BYTES)).await?;
        let thread = self.stage.readers.borrow()[self.index].thread;
        let thread = thread.map(|thread| FeedName::Post(self.stage.threads[thread]));
        let hello = Hello {
            token: Some(self.token.clone()),
            client: Some("tidings-load".to_owned()),
            feeds: [FeedName::Home].into_iter().chain(thread).collect(),
            cursor: memory.cursor,
            limit: Some(if memory.cursor.is_some() { SNAPSHOT } else { 1 }),
            ..Hello::default()
        };
        let welcome = link::greet(&mut socket, hello).await?;
        self.begin(memory, &welcome)?;
        Ok(socket)
    }

    fn begin(&self, memory: &mut Memory, welcome: &Welcome) -> Result<()> {
        let mut readers = self.stage.readers.borrow_mut();
        let reader = &mut readers[self.index];
        let mut life = Life { resumed_at: memory.cursor.map(|cursor| cursor.seq.0), heard: Vec::new() };
        let mut meters = self.stage.meters.borrow_mut();
        let mut afresh = 0;
        for start in &welcome.feeds {
            match start {
                FeedStart::Snapshot { snapshot } => {
                    afresh += 1;
                    if reader.kept {
                        life.heard.push(frame::snapshot(snapshot));
                    }
                }
                // Brings what is missing as events.
                FeedStart::Live { .. } => {}
                FeedStart::Refused { error, .. } => return Err(anyhow!(link::Refused(error.clone()))),
            }
        }
        ensure!(!welcome.feeds.is_empty(), "`hello` was answered without its feeds");
        if memory.cursor.is_some() {
            meters.snapshots += afresh;
            meters.resumed += u64::from(afresh == 0);
        }
        memory.pushed = memory.cursor.map_or(0, |cursor| cursor.seq.0.saturating_sub(1));
        memory.cursor = Some(welcome.cursor);
        if reader.lives.is_empty() {
            reader.before = welcome.cursor.seq.0;
        }
        reader.lives.push(life);
        self.note_position(memory);
        Ok(())
    }

    fn note_position(&self, memory: &Memory) {
        if let Some(cursor) = memory.cursor {
            self.stage.positions.borrow_mut()[self.index] = cursor.seq.0;
        }
    }

    async fn serve(&mut self, mut socket: Socket, memory: &mut Memory) -> Result<End> {
        let mut since = Instant::now();
        // What was not answered before the line was lost is asked again, in the same order: ids make that safe (P10).
        for number in memory.unanswered.clone() {
            if self.send(&mut socket, number).await.is_err() {
                return Ok(End::Lost(BACK_OFF));
            }
            self.stage.sent(number, since);
        }
        loop {
            let room = memory.unanswered.len() < REQUESTS_IN_FLIGHT;
            tokio::select! {
                message = socket.next() => {
                    if let Some(end) = self.take(message, memory, since)? {
                        return Ok(end);
                    }
                }
                order = self.orders.recv(), if room => match order {
                    Some(Order::Post(_)) if self.stage.halted.get() => {}
                    Some(Order::Post(number)) => {
                        memory.unanswered.insert(number);
                        if self.send(&mut socket, number).await.is_err() {
                            self.stage.closed("could not send".to_owned());
                            return Ok(End::Lost(BACK_OFF));
                        }
                        self.stage.sent(number, since);
                    }
                    // No goodbye: the server finds out by itself, as with a real loss.
                    Some(Order::Drop { away, cut }) => {
                        memory.cut = cut;
                        return Ok(End::Lost(away));
                    }
                    Some(Order::Stall { length }) => {
                        tokio::time::sleep(length).await;
                        since = Instant::now();
                    }
                    None => return Ok(End::Over),
                },
            }
        }
    }

    async fn send(&self, socket: &mut Socket, number: usize) -> Result<()> {
        let post = &self.stage.plan[number];
        let (request, text) = (FIRST_POST_ID + number as u64, self.stage.text(number));
        let wire = match post.thread {
            None => frame::create(request, post.id, &text)?,
            Some(thread) => frame::comment(request, post.id, self.stage.threads[thread], &text)?,
        };
        Ok(socket.send(Message::text(wire)).await?)
    }

    /// Takes what came; `Some` if it was the end.
    fn take(
        &self,
        message: Option<Result<Message, tokio_tungstenite::tungstenite::Error>>,
        memory: &mut Memory,
        since: Instant,
    ) -> Result<Option<End>> {
        match message {
            Some(Ok(Message::Text(text))) => self.text(&text, memory, since),
            Some(Ok(Message::Close(why))) => {
                let number = why.as_ref().map_or(1005, |why| u16::from(why.code));
                self.stage.closed(format!("closed: {}", link::close_words(why.as_ref())));
                Ok(Some(match after_close(number) {
                    AfterClose::Reconnect => End::Lost(BACK_OFF),
                    AfterClose::Reauthenticate | AfterClose::Stop => End::Over,
                }))
            }
            Some(Ok(Message::Binary(_))) => Err(anyhow!("the server sent a binary frame")),
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => Ok(None),
            Some(Err(cause)) => {
                self.stage.closed(format!("lost: {cause}"));
                Ok(Some(End::Lost(BACK_OFF)))
            }
            None => {
                self.stage.closed("lost without a close".to_owned());
                Ok(Some(End::Lost(BACK_OFF)))
            }
        }
    }

    fn text(&self, text: &str, memory: &mut Memory, since: Instant) -> Result<Option<End>> {
        let frame = Frame::read(text)?;
        self.stage.meters.borrow_mut().bytes += text.len() as u64;
        if frame.feed.is_some() {
            self.event(&frame, memory, since)?;
        } else if let Some(id) = frame.id {
            self.reply(&frame, id, memory, since)?;
        } else if let Some(error) = frame.error {
            return Err(anyhow!(link::Refused(error)).context("a request of ours was not understood"));
        } else if let Some(cursor) = frame.cursor {
            memory.cursor = Some(cursor);
            self.note_position(memory);
            if let Some(wait) = frame.reconnect_after_ms {
                self.stage.closed("going_away".to_owned());
                return Ok(Some(End::Lost(Duration::from_millis(wait))));
            }
        }
        Ok(None)
    }

    fn event(&self, frame: &Frame<'_>, memory: &mut Memory, since: Instant) -> Result<()> {
        let heard = frame.heard()?;
        let seq = frame.seq.unwrap_or_default();
        if let Some(cursor) = memory.cursor.as_mut() {
            cursor.seq = Seq(seq);
        }
        self.note_position(memory);
        let id = if let Heard::Post(seen) = &heard { Some(seen.id) } else { None };
        if let Some(id) = &id {
            self.stage.delivered(id, since);
        }
        let mut meters = self.stage.meters.borrow_mut();
        meters.events += 1;
        meters.resyncs += u64::from(matches!(heard, Heard::Snapshot { .. }));
        let mut readers = self.stage.readers.borrow_mut();
        let reader = &mut readers[self.index];
        if reader.kept {
            let life = reader.lives.last_mut().context("heard something before `hello`")?;
            life.heard.push(heard);
        } else if seq < memory.pushed && meters.disorder.len() < DISORDER_KEPT {
            let (anomaly, post) = (Anomaly::Reordered, id.unwrap_or(Uuid::nil()));
            meters.disorder.push(Violation { anomaly, reader: Some(self.index), post, seq: Some(seq) });
        }
        memory.pushed = memory.pushed.max(seq);
        Ok(())
    }

    fn reply(&self, frame: &Frame<'_>, id: u64, memory: &mut Memory, since: Instant) -> Result<()> {
        let number = id.checked_sub(FIRST_POST_ID).and_then(|number| usize::try_from(number).ok());
        let number = number.filter(|number| memory.unanswered.remove(number));
        let number = number.with_context(|| format!("a reply to {id}, which was not asked or has been answered"))?;
        match &frame.error {
            Some(refusal) => self.stage.refused(number, refusal.code),
            None => {
                let (seq, duplicate) = frame.done()?;
                self.stage.acknowledged(number, seq, duplicate, since);
            }
        }
        Ok(())
    }
}
