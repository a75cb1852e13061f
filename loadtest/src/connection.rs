//! One simulated client: connects, follows orders, keeps what it hears, comes back with its cursor when the line is lost.
//! Must never judge what it hears, and must never wait for an answer before it does what is due.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use futures_util::{SinkExt, StreamExt};
use tidings_protocol::close::{AfterClose, after_close};
use tidings_protocol::feed::FeedName;
use tidings_protocol::limits::REQUESTS_IN_FLIGHT;
use tidings_protocol::position::{Cursor, Seq};
use tidings_protocol::reply::{FeedStart, Welcome};
use tidings_protocol::request::Hello;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_tungstenite::tungstenite::Message;

use crate::frame::{self, Frame};
use crate::history::{Heard, Life};
use crate::link::{self, Socket};
use crate::schedule::Order;
use crate::stage::Stage;

/// Posts are numbered from here on the wire; 0 is `hello`.
const FIRST_POST_ID: u64 = 1;
/// After a loss: small and fixed, since a harness on loopback wants to be back, not to be polite.
const BACK_OFF: Duration = Duration::from_millis(100);
/// Failed attempts in a row before a connection gives up.
const ATTEMPTS: u32 = 100;
/// Entities in the snapshot when a resume is not possible.
const SNAPSHOT: u16 = 100;

/// A connection to be.
pub struct Connection {
    /// Its number, from 0.
    pub index: usize,
    /// Where: in turn, so that a lost line comes back to another node (any node can resume any cursor).
    pub targets: Rc<[SocketAddr]>,
    /// Whose.
    pub token: String,
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
                    let end = self.serve(socket, &mut memory).await;
                    self.stage.open.set(self.stage.open.get() - 1);
                    match end? {
                        End::Lost(away) => tokio::time::sleep(away).await,
                        End::Over => return Ok(()),
                    }
                }
                Err(cause) => {
                    failed += 1;
                    if failed >= ATTEMPTS || cause.is::<link::Refused>() {
                        return Err(cause.context(format!("connection {}", self.index)));
                    }
                    self.stage.closed(format!("could not connect: {cause:#}"));
                    tokio::time::sleep(BACK_OFF).await;
                }
            }
        }
    }

    /// A new life: greets, and notes how the feed starts.
    async fn connect(&self, memory: &mut Memory) -> Result<Socket> {
        let target = self.targets[(self.index + memory.attempts) % self.targets.len()];
        memory.attempts += 1;
        let mut socket = link::open(target, self.index).await?;
        let hello = Hello {
            token: Some(self.token.clone()),
            client: Some("tidings-load".to_owned()),
            feeds: vec![FeedName::Home],
            cursor: memory.cursor,
            limit: Some(if memory.cursor.is_some() { SNAPSHOT } else { 1 }),
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
        match welcome.feeds.first() {
            Some(FeedStart::Snapshot { snapshot }) => {
                life.heard.push(frame::snapshot(snapshot));
                meters.snapshots += u64::from(memory.cursor.is_some());
                // Resumed feeds bring what is missing as events; this one is already there.
                memory.cursor = Some(welcome.cursor);
            }
            Some(FeedStart::Live { .. }) => {
                meters.resumed += 1;
                memory.cursor = memory.cursor.or(Some(welcome.cursor));
            }
            Some(FeedStart::Refused { error, .. }) => {
                return Err(anyhow!(link::Refused(error.clone())));
            }
            None => return Err(anyhow!("`hello` was answered without its feed")),
        }
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
        let since = Instant::now();
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
                    Some(Order::Post(number)) => {
                        memory.unanswered.insert(number);
                        if self.send(&mut socket, number).await.is_err() {
                            self.stage.closed("could not send".to_owned());
                            return Ok(End::Lost(BACK_OFF));
                        }
                        self.stage.sent(number, since);
                    }
                    // No goodbye: the server finds out by itself, as with a real loss.
                    Some(Order::Drop { away }) => return Ok(End::Lost(away)),
                    None => return Ok(End::Over),
                },
            }
        }
    }

    async fn send(&self, socket: &mut Socket, number: usize) -> Result<()> {
        let post = &self.stage.plan[number];
        let wire = frame::create(FIRST_POST_ID + number as u64, post.id, &post.text)?;
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
        if let Heard::Post(seen) = &heard {
            self.stage.delivered(&seen.id, since);
        }
        self.stage.meters.borrow_mut().events += 1;
        let mut readers = self.stage.readers.borrow_mut();
        let life = readers[self.index].lives.last_mut().context("heard something before `hello`")?;
        life.heard.push(heard);
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
