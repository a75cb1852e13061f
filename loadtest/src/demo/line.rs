//! A connection that lasts: it carries out requests one by one, passes on what it hears, and comes back with its cursor.
//! Must never lose a request whose answer was lost: it is sent again with the same ids until it is answered (P10).

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use futures_util::{SinkExt, StreamExt};
use rand::RngExt as _;
use tidings_protocol::close::{AfterClose, after_close};
use tidings_protocol::error::{ErrorCode, Refusal};
use tidings_protocol::feed::FeedName;
use tidings_protocol::limits::SILENCE_MS;
use tidings_protocol::position::{Cursor, Millis};
use tidings_protocol::push::{Event, FeedPush};
use tidings_protocol::reply::{FeedStart, Welcome};
use tidings_protocol::request::{AuthRefresh, Hello, Method};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_tungstenite::tungstenite::{self, Message};

use crate::frame::{Frame, encode};
use crate::link::{self, Refused, Socket};
use crate::people::{Door, Person};

/// Requests that may wait for a line; whoever asks more waits.
const ASKS: usize = 16;
/// Back-off of the protocol (§9): the first step, and the longest.
const BACK_OFF: Duration = Duration::from_millis(500);
const BACK_OFF_MOST: Duration = Duration::from_secs(20);
/// A server that refuses connections for so long is not coming back.
const GONE_AFTER: Duration = Duration::from_secs(10);
/// Used for `hello` by `link`, and here for `auth.refresh`, whose answer changes nothing.
const ASIDE: u64 = 0;

/// How a line ends if nothing is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Nobody asks it anything any more.
    Idle,
    /// The server is gone.
    Gone,
}

/// Asks a line.
#[derive(Clone)]
pub struct Voice(mpsc::Sender<Ask>);

struct Ask {
    method: Method,
    answer: oneshot::Sender<Result<String, Refusal>>,
}

impl Voice {
    /// Asks and waits for the answer, over as many connections as it takes: the result as JSON.
    ///
    /// # Errors
    /// The line has ended. That the server refuses is not one.
    pub async fn ask(&self, method: Method) -> Result<Result<String, Refusal>> {
        let (answer, answered) = oneshot::channel();
        self.0.send(Ask { method, answer }).await.ok().context("the line has ended")?;
        answered.await.context("the line has ended")
    }
}

/// A connection to be.
pub struct Line {
    target: SocketAddr,
    door: Rc<Door>,
    /// Nobody: an anonymous line, which may read.
    person: Option<Person>,
    asks: mpsc::Receiver<Ask>,
    /// Where what it hears goes.
    heard: Option<mpsc::Sender<Event>>,
    feeds: Vec<FeedName>,
    cursor: Option<Cursor>,
    /// Sent and not answered, or to be sent again.
    pending: Option<Ask>,
    last_id: u64,
}

/// How one connection ends.
enum Lost {
    /// Come back, after this long if the server said so.
    Back(Option<Duration>),
    /// Get a new token first.
    Token,
    /// There is nothing more to do.
    Idle,
}

/// The account is refused: this is not the community that was here.
#[derive(Debug)]
struct Stranger;

impl std::fmt::Display for Stranger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the people of the demo are not here any more")
    }
}

impl Line {
    /// A line that speaks for somebody and does not listen.
    #[must_use]
    pub fn speaking(target: SocketAddr, door: Rc<Door>, person: Person) -> (Self, Voice) {
        Self::new(target, door, Some(person), None, Vec::new())
    }

    /// A line of nobody, which passes on what it hears of these feeds and of those it is asked to subscribe to.
    /// What finds no room in `heard` is not heard: this is for company, not for keeping books.
    #[must_use]
    pub fn listening(
        target: SocketAddr,
        door: Rc<Door>,
        feeds: Vec<FeedName>,
        heard: mpsc::Sender<Event>,
    ) -> (Self, Voice) {
        Self::new(target, door, None, Some(heard), feeds)
    }

    fn new(
        target: SocketAddr,
        door: Rc<Door>,
        person: Option<Person>,
        heard: Option<mpsc::Sender<Event>>,
        feeds: Vec<FeedName>,
    ) -> (Self, Voice) {
        let (voice, asks) = mpsc::channel(ASKS);
        let line = Self { target, door, person, asks, heard, feeds, cursor: None, pending: None, last_id: ASIDE };
        (line, Voice(voice))
    }

    /// Lives until nobody asks any more or the server is gone.
    ///
    /// # Errors
    /// The server forbids to come back.
    pub async fn live(mut self) -> Result<End> {
        let mut tries = 0;
        let mut refused_since: Option<Instant> = None;
        loop {
            let mut wait = None;
            match self.connect().await {
                Ok(socket) => {
                    (tries, refused_since) = (0, None);
                    match self.serve(socket).await? {
                        Lost::Back(told) => wait = told,
                        Lost::Token => self.distrust_token(),
                        Lost::Idle => return Ok(End::Idle),
                    }
                }
                Err(cause) if is_refused_connection(&cause) => {
                    let since = *refused_since.get_or_insert_with(Instant::now);
                    if since.elapsed() >= GONE_AFTER {
                        return Ok(End::Gone);
                    }
                }
                Err(cause) => {
                    refused_since = None;
                    self.weigh(cause)?;
                }
            }
            sleep(wait.unwrap_or_else(|| back_off(tries, refused_since))).await;
            tries += 1;
        }
    }

    /// A new connection, with a good token and the cursor of the last one.
    async fn connect(&mut self) -> Result<Socket> {
        if let Some(person) = &self.person {
            let renewed = self.door.renew(person.clone()).await;
            self.person = Some(
                renewed.map_err(|cause| if cause.is::<reqwest::Error>() { cause } else { cause.context(Stranger) })?,
            );
        }
        let mut socket = link::open(self.target, 0).await?;
        let hello = Hello {
            token: self.person.as_ref().map(|person| person.tokens.access_token.clone()),
            client: Some("tidings-demo".to_owned()),
            feeds: self.feeds.clone(),
            cursor: self.cursor,
            ..Hello::default()
        };
        let welcome = link::greet(&mut socket, hello).await?;
        self.begin(welcome);
        Ok(socket)
    }

    fn begin(&mut self, welcome: Welcome) {
        self.cursor = Some(welcome.cursor);
        for start in welcome.feeds {
            match start {
                FeedStart::Live { .. } => {}
                FeedStart::Snapshot { snapshot } => self.pass_on(Event::FeedResync(snapshot)),
                // Such as the comments of a post that is gone.
                FeedStart::Refused { feed, .. } => self.feeds.retain(|known| *known != feed),
            }
        }
    }

    /// What to do about a connection that did not come about.
    fn weigh(&mut self, cause: anyhow::Error) -> Result<()> {
        let refusal = cause.downcast_ref::<Refused>().map(|Refused(refusal)| (refusal.code, refusal.retry));
        match refusal {
            Some((ErrorCode::BadToken | ErrorCode::TokenExpired, _)) => self.distrust_token(),
            Some((_, false)) => return Err(cause.context("`hello` was refused")),
            Some((_, true)) => {}
            None if cause.is::<Stranger>() => return Err(cause),
            None => {}
        }
        Ok(())
    }

    /// The next connection begins with new tokens.
    fn distrust_token(&mut self) {
        if let Some(person) = &mut self.person {
            person.tokens.access_expires_at = Millis(0);
        }
    }

    async fn serve(&mut self, mut socket: Socket) -> Result<Lost> {
        let mut again = self.pending.is_some().then(Instant::now);
        let mut last_sign = Instant::now();
        loop {
            let free = self.pending.is_none();
            let sent = tokio::select! {
                message = socket.next() => {
                    last_sign = Instant::now();
                    match self.take(message, &mut again, &mut socket).await? {
                        Some(lost) => return Ok(lost),
                        None => Ok(()),
                    }
                }
                ask = self.asks.recv(), if free => {
                    let Some(ask) = ask else { return Ok(Lost::Idle) };
                    self.pending = Some(ask);
                    self.send(&mut socket).await
                }
                () = at(again) => {
                    again = None;
                    self.send(&mut socket).await
                }
                () = sleep_until(last_sign + Duration::from_millis(SILENCE_MS)) => return Ok(Lost::Back(None)),
            };
            if sent.is_err() {
                return Ok(Lost::Back(None));
            }
        }
    }

    async fn send(&mut self, socket: &mut Socket) -> Result<()> {
        let Some(ask) = &self.pending else { return Ok(()) };
        self.last_id += 1;
        Ok(socket.send(Message::text(encode(self.last_id, ask.method.clone())?)).await?)
    }

    /// Takes what came; `Some` if it was the end.
    async fn take(
        &mut self,
        message: Option<Result<Message, tungstenite::Error>>,
        again: &mut Option<Instant>,
        socket: &mut Socket,
    ) -> Result<Option<Lost>> {
        match message {
            Some(Ok(Message::Text(text))) => self.text(&text, again, socket).await,
            Some(Ok(Message::Close(why))) => {
                let number = why.as_ref().map_or(1005, |why| u16::from(why.code));
                match after_close(number) {
                    AfterClose::Reconnect => Ok(Some(Lost::Back(None))),
                    AfterClose::Reauthenticate => Ok(Some(Lost::Token)),
                    AfterClose::Stop => bail!("the server closed for good: {}", link::close_words(why.as_ref())),
                }
            }
            Some(Ok(Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => Ok(None),
            Some(Err(_)) | None => Ok(Some(Lost::Back(None))),
        }
    }

    async fn text(&mut self, text: &str, again: &mut Option<Instant>, socket: &mut Socket) -> Result<Option<Lost>> {
        let frame = Frame::read(text)?;
        if frame.feed.is_some() {
            self.push(text);
            return Ok(None);
        }
        if let Some(cursor) = frame.cursor {
            self.cursor = Some(cursor);
        }
        if let Some(wait) = frame.reconnect_after_ms {
            return Ok(Some(Lost::Back(Some(Duration::from_millis(wait)))));
        }
        if frame.event == Some("token_expiring") {
            return Ok(self.refresh(socket).await.err().map(|_| Lost::Token));
        }
        if frame.id == Some(self.last_id) && self.pending.is_some() {
            *again = self.reply(&frame);
        }
        Ok(None)
    }

    /// A push moves the cursor, also one of a kind we do not know.
    fn push(&mut self, text: &str) {
        let Ok(push) = serde_json::from_str::<FeedPush>(text) else { return };
        if let Some(cursor) = &mut self.cursor {
            cursor.seq = push.seq;
        }
        self.pass_on(push.event);
    }

    /// Answers whoever asked; `Some` is when to ask again.
    fn reply(&mut self, frame: &Frame<'_>) -> Option<Instant> {
        if let Some(refusal) = frame.error.as_ref().filter(|refusal| refusal.retry) {
            return Some(Instant::now() + Duration::from_millis(refusal.retry_after_ms.unwrap_or(500)));
        }
        let ask = self.pending.take()?;
        let answer = frame.error.clone().map_or_else(|| Ok(frame.result.map_or("null", |r| r.get()).to_owned()), Err);
        if answer.is_ok() {
            self.note_feed(&ask.method);
        }
        // Whoever asked may have left.
        drop(ask.answer.send(answer));
        None
    }

    /// Feeds that are watched are asked for again on the next connection.
    fn note_feed(&mut self, method: &Method) {
        if let Method::FeedSubscribe(subscribe) = method {
            self.feeds.push(subscribe.feed);
        } else if let Method::FeedUnsubscribe(left) = method {
            self.feeds.retain(|feed| *feed != left.feed);
        }
    }

    async fn refresh(&mut self, socket: &mut Socket) -> Result<()> {
        let Some(person) = &self.person else { return Ok(()) };
        let person = self.door.renew(person.clone()).await?;
        let token = person.tokens.access_token.clone();
        self.person = Some(person);
        Ok(socket.send(Message::text(encode(ASIDE, Method::AuthRefresh(AuthRefresh { token }))?)).await?)
    }

    fn pass_on(&self, event: Event) {
        if let Some(heard) = &self.heard {
            drop(heard.try_send(event));
        }
    }
}

async fn at(when: Option<Instant>) {
    match when {
        Some(when) => sleep_until(when).await,
        None => std::future::pending().await,
    }
}

/// Full jitter; never beyond the moment at which the server counts as gone.
fn back_off(tries: u32, refused_since: Option<Instant>) -> Duration {
    let most = BACK_OFF.saturating_mul(1 << tries.min(10)).min(BACK_OFF_MOST);
    let wait = most.mul_f64(rand::rng().random_range(0.0..1.0));
    refused_since.map_or(wait, |since| wait.min(GONE_AFTER.saturating_sub(since.elapsed())))
}

fn is_refused_connection(cause: &anyhow::Error) -> bool {
    let refused = |cause: &(dyn std::error::Error + 'static)| {
        cause.downcast_ref::<io::Error>().is_some_and(|cause| cause.kind() == io::ErrorKind::ConnectionRefused)
    };
    cause.chain().any(refused)
}
