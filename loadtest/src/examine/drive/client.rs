//! One client: connects, does what it is told, loses the line, comes back to another node with its cursor, asks again what was not answered.
//! Must never wait for an answer before it sends what is due, and must never do anything that it does not write down.

use std::collections::{BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use rand::RngExt as _;
use rand::rngs::StdRng;
use tidings_protocol::close::{AfterClose, CloseCode, after_close};
use tidings_protocol::feed::FeedName;
use tidings_protocol::limits::REQUESTS_IN_FLIGHT;
use tidings_protocol::position::Cursor;
use tidings_protocol::request::{FeedSubscribe, FeedUnsubscribe, Hello, Method};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::intent::{Intent, Task};
use super::line::Line;
use super::logins::{Logins, Pass, Trust};
use super::stage::Stage;
use crate::examine::history::{Op, What};
use crate::examine::judge::Invariant;
use crate::link;

/// TCP and the WebSocket's handshake: a node that takes longer is taken for dead.
const DIAL: Duration = Duration::from_secs(3);
/// From one try to the next, in milliseconds, at random.
const BACK_OFF_MS: std::ops::Range<u64> = 50..500;
/// How often to ping, and how long nothing at all may come: shorter than the protocol's 60 s, as a native client may.
const PING: Duration = Duration::from_secs(2);
const SILENCE: Duration = Duration::from_secs(6);
/// From `hello` to its answer.
const GREETING: Duration = Duration::from_secs(8);
/// For the answers that are due when a node says that it is leaving.
const LEAVING: Duration = Duration::from_secs(2);
/// After a close that means never to come back: an examiner does come back, and tells of it.
const UNWELCOME: Duration = Duration::from_secs(1);
/// A snapshot's size.
const SNAPSHOT: u16 = 50;

/// What a client is told.
#[derive(Clone, Copy, Debug)]
pub enum Order {
    /// Ask for something.
    Do(Intent),
    /// Ask for this even though nothing new is to be asked.
    Last(Intent),
    /// Watch a feed, or fetch it anew if it is watched.
    Watch(FeedName),
    /// Leave a feed that is watched, but for the first two.
    Unwatch(u32),
    /// Lose the line.
    Cut,
    /// Read nothing for so long.
    Stall(Duration),
    /// Log out, and everybody who shares the log-in.
    LogOut,
}

/// A request that is to be sent.
pub struct Waiting {
    pub task: Task,
    /// Not before this.
    pub due: Instant,
}

/// One client.
pub struct Client {
    pub number: u32,
    pub person: usize,
    pub stage: Rc<Stage>,
    pub logins: Rc<Logins>,
    /// Where, in turn.
    pub nodes: Rc<[SocketAddr]>,
    pub orders: UnboundedReceiver<Order>,
    /// Newer tokens for the live connection.
    pub fresh: (UnboundedSender<Pass>, UnboundedReceiver<Pass>),
    /// Decides its back-off.
    pub rng: StdRng,
    pub feeds: BTreeSet<FeedName>,
    pub cursor: Option<Cursor>,
    pub backlog: VecDeque<Waiting>,
    pub login: Option<u64>,
    pub trust: Trust,
    /// How often it dialled.
    pub dialled: usize,
}

/// How a connection ends.
#[derive(Debug)]
pub struct End {
    /// The close number.
    pub code: Option<u16>,
    /// We hung up.
    pub ours: bool,
    /// In words.
    pub why: String,
    /// Come back after this instead of the back-off.
    pub away: Option<Duration>,
}

impl End {
    /// We hang up.
    pub fn ours(why: impl Into<String>) -> Self {
        Self { code: None, ours: true, why: why.into(), away: None }
    }

    /// The line is lost.
    pub fn lost(why: impl Into<String>) -> Self {
        Self { ours: false, ..Self::ours(why) }
    }
}

impl Client {
    /// Lives until it is aborted.
    pub async fn live(mut self) {
        loop {
            let away = match self.connect().await {
                Ok(mut line) => {
                    let end = self.serve(&mut line).await;
                    self.part(line, end)
                }
                Err(cause) => {
                    self.stage.seat(self.number, |seat| seat.trouble = format!("{cause:#}"));
                    None
                }
            };
            let back_off = Duration::from_millis(self.rng.random_range(BACK_OFF_MS));
            sleep(away.unwrap_or(back_off)).await;
        }
    }

    /// Dials the next node with a good token, and says `hello`.
    async fn connect(&mut self) -> anyhow::Result<Line> {
        let apart = self.trust == Trust::Dead && self.rng.random_ratio(1, 3);
        let pass = self.logins.pass(self.person, self.login, self.trust, apart).await?;
        (self.login, self.trust) = (Some(pass.login), Trust::Good);
        let node = self.dialled % self.nodes.len();
        self.dialled += 1;
        let opening = link::open(self.nodes[node], self.number as usize);
        let socket = timeout(DIAL, opening).await.map_err(|_| anyhow::anyhow!("no answer to the handshake"))??;
        let mut line = Line::new(self.stage.next_connection(), u32::try_from(node)?, pass.login, socket);
        let hello = self.hello(&pass);
        line.given = self.cursor;
        let sent = self.send(&mut line, Task { op: Op::Hello, method: Method::Hello(hello) }).await;
        if let Err(end) = sent {
            let why = end.why.clone();
            self.part(line, end);
            anyhow::bail!("could not say hello: {why}");
        }
        Ok(line)
    }

    fn hello(&self, pass: &Pass) -> Hello {
        Hello {
            token: Some(pass.token.clone()),
            client: Some("tidings-examine".to_owned()),
            feeds: self.feeds.iter().copied().collect(),
            cursor: self.cursor,
            limit: Some(SNAPSHOT),
            ..Hello::default()
        }
    }

    async fn serve(&mut self, line: &mut Line) -> End {
        let mut next_ping = Instant::now() + PING;
        loop {
            let due = match self.send_what_is_due(line).await {
                Ok(due) => due,
                Err(end) => return end,
            };
            self.tell_where_we_stand(line);
            let step = tokio::select! {
                message = line.next() => self.take(line, message).await,
                order = self.orders.recv(), if line.greeted => match order {
                    Some(order) => {
                        self.stage.seat(self.number, |seat| seat.queued = seat.queued.saturating_sub(1));
                        self.obey(line, order).await
                    }
                    None => std::future::pending().await,
                },
                Some(pass) = self.fresh.1.recv() => self.put_on(line, pass).await,
                () = at(due) => Ok(()),
                () = sleep_until(next_ping) => {
                    next_ping = Instant::now() + PING;
                    self.check(line).await
                }
            };
            if let Err(end) = step {
                return end;
            }
        }
    }

    fn tell_where_we_stand(&self, line: &Line) {
        let (waiting, position) =
            (line.flight.len() + self.backlog.len(), self.cursor.map_or(0, |cursor| cursor.seq.0));
        self.stage.seat(self.number, |seat| {
            (seat.connected, seat.connection) = (line.greeted, line.number);
            (seat.waiting, seat.position) = (waiting, position);
        });
    }

    /// Sends as much as may be in flight; gives back when the next is due.
    async fn send_what_is_due(&mut self, line: &mut Line) -> Result<Option<Instant>, End> {
        while line.greeted && line.leaving.is_none() && line.flight.len() < REQUESTS_IN_FLIGHT {
            let now = Instant::now();
            let Some(place) = self.backlog.iter().position(|waiting| waiting.due <= now) else {
                return Ok(self.backlog.iter().map(|waiting| waiting.due).min());
            };
            if let Some(waiting) = self.backlog.remove(place) {
                self.send(line, waiting.task).await?;
            }
        }
        Ok(None)
    }

    /// Writes it down, then sends it.
    pub async fn send(&mut self, line: &mut Line, task: Task) -> Result<(), End> {
        let (request, connection, op) = (self.stage.next_request(), Some(line.number), task.op);
        self.stage.note(Some(self.number), What::Invoke { request, connection, op });
        let method = task.method.clone();
        line.flight.insert(request, task);
        line.send(request, method).await
    }

    /// The line lives, or else it is given up.
    async fn check(&mut self, line: &mut Line) -> Result<(), End> {
        let now = Instant::now();
        if let Some((until, wait)) = line.leaving
            && (line.flight.is_empty() || now >= until)
        {
            return Err(End { away: Some(wait), ..End::ours("the node is leaving") });
        }
        if now - line.heard > SILENCE {
            return Err(End::ours("nothing came for too long"));
        }
        if !line.greeted && now - line.opened > GREETING {
            return Err(End::ours("no answer to hello"));
        }
        line.ping().await
    }

    async fn obey(&mut self, line: &mut Line, order: Order) -> Result<(), End> {
        let mut ask = |op, method| self.backlog.push_back(Waiting { task: Task { op, method }, due: Instant::now() });
        match order {
            // What was not begun when the end was called is not begun any more.
            Order::Do(_) | Order::Watch(_) | Order::Unwatch(_) if self.stage.is_over() => {}
            // An order may have waited until a fault was over, and would look like a slow recovery now.
            Order::Cut | Order::Stall(_) | Order::LogOut if self.stage.is_over() || self.stage.is_calm() => {}
            Order::Do(intent) | Order::Last(intent) => {
                let task = intent.resolve(self.person, &self.stage.world.borrow());
                match task {
                    Ok(Task { op, method }) => {
                        if let Op::Delete(thing) = op {
                            self.stage.world.borrow_mut().forget(thing);
                        }
                        ask(op, method);
                    }
                    Err(cause) => self.stage.breach(Invariant::Liveness, format!("a text of ours is none: {cause}")),
                }
            }
            Order::Watch(feed) => {
                ask(Op::Watch(feed), Method::FeedSubscribe(FeedSubscribe::whole(feed, Some(SNAPSHOT))));
            }
            Order::Unwatch(pick) => {
                let left: Vec<FeedName> = self.feeds.iter().filter(|feed| **feed > FeedName::Global).copied().collect();
                let feed = (pick as usize).checked_rem(left.len()).and_then(|place| left.get(place)).copied();
                if let Some(feed) = feed {
                    self.feeds.remove(&feed);
                    ask(Op::Unwatch(feed), Method::FeedUnsubscribe(FeedUnsubscribe { feed }));
                }
            }
            Order::Cut => return Err(End::ours("cut on purpose")),
            Order::Stall(length) => self.stall(line, length).await,
            Order::LogOut => self.log_out(line.login),
        }
        Ok(())
    }

    async fn stall(&self, line: &mut Line, length: Duration) {
        let (connection, micros) = (line.number, u64::try_from(length.as_micros()).unwrap_or(u64::MAX));
        self.stage.note(Some(self.number), What::Stalled { connection, length: micros });
        sleep(length).await;
        line.heard = Instant::now();
    }

    /// Goes on beside the connection, which is to hear of it by being closed.
    fn log_out(&self, login: u64) {
        let (stage, logins, client, person) = (self.stage.clone(), self.logins.clone(), self.number, self.person);
        stage.begin_aside();
        tokio::task::spawn_local(async move {
            logins.log_out(&stage, client, person, login).await;
            stage.end_aside();
        });
    }

    /// Writes down the end, and keeps what has to be asked again, in its order and before everything else.
    fn part(&mut self, line: Line, end: End) -> Option<Duration> {
        let (connection, code, client) = (line.number, end.code, Some(self.number));
        self.stage.note(client, What::Closed { connection, code, ours: end.ours });
        let now = Instant::now();
        for (request, task) in line.flight.into_iter().rev() {
            self.stage.note(client, What::Unknown { request, why: end.why.clone() });
            if task.op.changes().is_some() || matches!(task.op, Op::Read(_)) {
                self.backlog.push_front(Waiting { task, due: now });
            }
        }
        let waiting = self.backlog.len();
        self.stage.seat(self.number, |seat| {
            (seat.connected, seat.waiting, seat.trouble) = (false, waiting, end.why.clone());
        });
        let mut away = end.away;
        match end.code.map(after_close) {
            Some(AfterClose::Reauthenticate) if code == Some(CloseCode::SessionRevoked.number()) => {
                self.trust = Trust::Dead;
            }
            Some(AfterClose::Reauthenticate) => self.trust = Trust::Stale,
            Some(AfterClose::Stop) => {
                away = Some(UNWELCOME);
                // The server still counts connections that we have given up.
                if code != Some(CloseCode::TooManyConnections.number()) {
                    let says = format!("client {} was told never to come back: {}", self.number, end.why);
                    self.stage.breach(Invariant::Liveness, says);
                }
            }
            Some(AfterClose::Reconnect) | None => {}
        }
        away
    }

    /// The answers that are due are waited for; nothing new is sent.
    pub fn leave(line: &mut Line, wait: Duration) {
        line.leaving = Some((Instant::now() + LEAVING, wait));
    }
}

async fn at(when: Option<Instant>) {
    match when {
        Some(when) => sleep_until(when).await,
        None => std::future::pending().await,
    }
}
