//! A short conversation: connects as somebody, asks a list of things with many in flight, and leaves.
//! Must never be used while its answers are part of the history.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use futures_util::{SinkExt as _, StreamExt as _};
use tidings_protocol::error::Refusal;
use tidings_protocol::feed::FeedName;
use tidings_protocol::limits::PAGE_MAX;
use tidings_protocol::reply::Welcome;
use tidings_protocol::request::{Hello, Method};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite::Message;

use super::logins::{Logins, Trust};
use crate::frame::{Frame, encode};
use crate::link::{self, Refused, Socket};

/// In flight at a time.
const WINDOW: usize = 32;
/// For anything at all to come.
const PATIENCE: Duration = Duration::from_secs(20);
/// Tries to be let in, on one node after the other.
const TRIES: usize = 10;
/// Between them, and before a request that was put off without a time.
const PAUSE: Duration = Duration::from_millis(300);

/// An open conversation.
pub struct Visit {
    socket: Socket,
    last: u64,
}

impl Visit {
    /// Connects as this person and watches these feeds.
    ///
    /// # Errors
    /// No node lets us in.
    pub async fn pay(
        nodes: &[SocketAddr],
        logins: &Logins,
        person: usize,
        feeds: &[FeedName],
    ) -> Result<(Self, Welcome)> {
        let mut trouble = None;
        let mut trust = Trust::Good;
        let mut held = None;
        for turn in 0..TRIES {
            match Self::enter(nodes[(person + turn) % nodes.len()], logins, person, feeds, &mut held, trust).await {
                Ok(entered) => return Ok(entered),
                Err(cause) => {
                    trust = if cause.is::<Refused>() { Trust::Stale } else { Trust::Good };
                    trouble = Some(cause);
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
        Err(trouble.context("no node")?)
    }

    async fn enter(
        node: SocketAddr,
        logins: &Logins,
        person: usize,
        feeds: &[FeedName],
        held: &mut Option<u64>,
        trust: Trust,
    ) -> Result<(Self, Welcome)> {
        let pass = logins.pass(person, *held, trust, false).await?;
        *held = Some(pass.login);
        let mut socket = link::open(node, person).await?;
        let (token, feeds) = (Some(pass.token), feeds.to_vec());
        let hello = Hello { token, feeds, limit: Some(PAGE_MAX), ..Hello::default() };
        let welcome = link::greet(&mut socket, hello).await?;
        Ok((Self { socket, last: 0 }, welcome))
    }

    /// Asks all of it, as often as the server puts it off; the answers in the same order.
    ///
    /// # Errors
    /// The line is lost.
    pub async fn ask(&mut self, methods: &[Method]) -> Result<Vec<Result<String, Refusal>>> {
        let mut answers: Vec<Option<Result<String, Refusal>>> = vec![None; methods.len()];
        let now = Instant::now();
        let mut left: VecDeque<(usize, Instant)> = (0..methods.len()).map(|place| (place, now)).collect();
        let mut flight: BTreeMap<u64, usize> = BTreeMap::new();
        while !(left.is_empty() && flight.is_empty()) {
            while flight.len() < WINDOW
                && let Some((place, _)) = left.pop_front_if(|(_, due)| *due <= Instant::now())
            {
                self.last += 1;
                flight.insert(self.last, place);
                self.socket.send(Message::text(encode(self.last, methods[place].clone())?)).await?;
            }
            if flight.is_empty() {
                sleep_until(left.front().map_or(now, |(_, due)| *due)).await;
                continue;
            }
            let Some((id, answer)) = self.next().await? else { continue };
            let place = flight.remove(&id).context("an answer to what was not asked")?;
            match answer {
                Err(refusal) if refusal.retry => {
                    let wait = refusal.retry_after_ms.map_or(PAUSE, Duration::from_millis);
                    left.push_back((place, Instant::now() + wait));
                }
                done => answers[place] = Some(done),
            }
        }
        Ok(answers.into_iter().flatten().collect())
    }

    /// The next answer; `None` for anything else.
    async fn next(&mut self) -> Result<Option<(u64, Result<String, Refusal>)>> {
        let message =
            timeout(PATIENCE, self.socket.next()).await.context("no answer")?.context("the server hung up")??;
        match message {
            Message::Text(text) => {
                let frame = Frame::read(&text)?;
                let answer = frame.error.map_or_else(|| Ok(frame.result.map_or("null", |r| r.get()).to_owned()), Err);
                Ok(frame.id.map(|id| (id, answer)))
            }
            Message::Close(why) => bail!("the server closed: {}", link::close_words(why.as_ref())),
            Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => Ok(None),
        }
    }

    /// Leaves; that the goodbye is lost does no harm.
    pub async fn leave(mut self) {
        drop(timeout(PAUSE, self.socket.close(None)).await);
    }
}
