//! What a delivery costs: one author, 1,000 subscribers, and the server's CPU time from `/proc`, user and system apart.
//! Must never let the next post out before its turn: how many are in flight is what is being compared.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Serialize;
use tidings_protocol::feed::FeedName;
use tidings_protocol::limits::CONNECTIONS_PER_USER;
use tidings_protocol::request::Hello;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::bench::server::Server;
use crate::frame;
use crate::machine;
use crate::people::Person;
use crate::raw::{CHUNK_BYTES, RawSocket, Took, push_text};
use crate::schedule;

const TEXT_BYTES: usize = 200;
const WARM_UP: Duration = Duration::from_secs(1);
/// A delivery that takes this long is lost.
const PATIENCE: Duration = Duration::from_secs(10);

/// What was found.
#[derive(Debug, Serialize)]
pub struct Fanout {
    /// Connections that hear the author.
    pub subscribers: usize,
    /// Posts that may be on their way at the same time.
    pub in_flight: u64,
    /// Deliveries a second.
    pub per_second: f64,
    /// Bytes of one delivery on the wire, WebSocket header included.
    pub frame_bytes: usize,
    /// The server's CPU time in its own code for each delivery, µs; the writing of the post included.
    pub user_us: f64,
    /// The server's CPU time in the kernel for each delivery, µs: mostly the loopback's TCP, both ways.
    pub system_us: f64,
    /// CPU of the server, in cores.
    pub server_cores: f64,
    /// CPU of the harness, in cores.
    pub client_cores: f64,
}

#[derive(Default)]
struct Heard {
    frames: Cell<u64>,
    frame_bytes: Cell<usize>,
    /// Something was heard.
    more: Notify,
    failed: RefCell<Option<anyhow::Error>>,
}

/// The author and the subscribers, connected.
pub struct Audience {
    author: RawSocket,
    heard: Rc<Heard>,
    subscribers: usize,
    sent: u64,
    answered: u64,
    listening: Vec<JoinHandle<()>>,
}

impl Drop for Audience {
    fn drop(&mut self) {
        // Their sockets close with them; the next part wants the accounts' connections back.
        self.listening.iter().for_each(JoinHandle::abort);
    }
}

impl Audience {
    /// Connects everybody: the first of the people writes, the others listen on 20 connections each. They must follow the first already.
    ///
    /// # Errors
    /// A connection fails.
    pub async fn gather(server: &Server, people: &[Person], subscribers: usize) -> Result<Self> {
        let needed = subscribers.div_ceil(CONNECTIONS_PER_USER) + 1;
        ensure!(people.len() >= needed, "{subscribers} subscribers need {needed} people");
        let greeting = |person: &Person, feeds| Hello {
            token: Some(person.tokens.access_token.clone()),
            feeds,
            limit: Some(1),
            ..Hello::default()
        };
        let target = server.address();
        let dials = (0..subscribers).map(|index| {
            let person = &people[1 + index % (needed - 1)];
            RawSocket::open(target, index, greeting(person, vec![FeedName::Home]))
        });
        let sockets: Vec<_> = stream::iter(dials).buffer_unordered(64).try_collect().await?;
        let heard = Rc::new(Heard::default());
        let buffer = Rc::new(RefCell::new(vec![0; CHUNK_BYTES]));
        let mut listening = Vec::new();
        for (socket, _) in sockets {
            let listener = listen(socket, Rc::clone(&heard), Rc::clone(&buffer));
            listening.push(tokio::task::spawn_local(listener));
        }
        let (author, _) = RawSocket::open(target, subscribers, greeting(&people[0], Vec::new())).await?;
        Ok(Self { author, heard, subscribers, sent: 0, answered: 0, listening })
    }

    /// Posts for so many seconds, with so many in flight.
    ///
    /// # Errors
    /// A delivery is lost or doubled, or a connection fails.
    pub async fn measure(&mut self, server: &Server, in_flight: u64, seconds: u64) -> Result<Fanout> {
        self.press(in_flight, WARM_UP).await?;
        let (own, theirs, before, began) =
            (machine::own_cpu()?, machine::cpu_of(server.pid())?, self.heard.frames.get(), Instant::now());
        self.press(in_flight, Duration::from_secs(seconds)).await?;
        let wall = began.elapsed().as_secs_f64();
        let deliveries = float(self.heard.frames.get() - before);
        let used = machine::cpu_of(server.pid())?.since(theirs);
        let per = |time: Duration| time.as_secs_f64() * 1e6 / deliveries;
        Ok(Fanout {
            subscribers: self.subscribers,
            in_flight,
            per_second: deliveries / wall,
            frame_bytes: self.heard.frame_bytes.get(),
            user_us: per(used.user),
            system_us: per(used.system),
            server_cores: used.total().as_secs_f64() / wall,
            client_cores: machine::own_cpu()?.since(own).total().as_secs_f64() / wall,
        })
    }

    /// Keeps posts on their way until time is up, then waits for the last.
    async fn press(&mut self, in_flight: u64, time: Duration) -> Result<()> {
        let end = Instant::now() + time;
        let mut buffer = vec![0; CHUNK_BYTES];
        loop {
            let over = Instant::now() >= end;
            while !over && self.on_their_way() < in_flight {
                self.post().await?;
            }
            if over && self.on_their_way() == 0 && self.answered == self.sent {
                break;
            }
            self.hear(&mut buffer).await?;
        }
        let most = self.sent * self.subscribers as u64;
        ensure!(self.heard.frames.get() == most, "more was delivered than posted");
        Ok(())
    }

    /// Waits until something is delivered or answered.
    async fn hear(&mut self, buffer: &mut [u8]) -> Result<()> {
        let heard = Rc::clone(&self.heard);
        tokio::select! {
            replies = self.replies(buffer) => self.answered += replies?,
            () = heard.more.notified() => {}
            () = tokio::time::sleep(PATIENCE) => bail!("{} posts did not reach everybody within {PATIENCE:?}", self.on_their_way()),
        }
        heard.failed.borrow_mut().take().map_or(Ok(()), Err)
    }

    /// Posts that have not reached everybody.
    fn on_their_way(&self) -> u64 {
        self.sent - self.heard.frames.get() / self.subscribers as u64
    }

    async fn post(&mut self) -> Result<()> {
        self.sent += 1;
        let mut wire = Vec::new();
        push_text(&mut wire, &frame::create(self.sent, Uuid::now_v7(), &schedule::text(0, 0, TEXT_BYTES))?);
        self.author.write(&wire).await
    }

    /// How many replies came; a refusal fails.
    async fn replies(&mut self, buffer: &mut [u8]) -> Result<u64> {
        let (mut replies, mut refused) = (0, None);
        let took = self.author.texts(buffer, |text| match text.starts_with(b"{\"id\":") {
            true if text.windows(8).any(|eight| eight == b"\"error\":") => {
                refused = Some(String::from_utf8_lossy(text).into_owned())
            }
            true => replies += 1,
            false => {}
        });
        if matches!(took.await?, Took::End) {
            bail!("the server hung up on the author");
        }
        refused.map_or(Ok(replies), |why| bail!("a post was refused: {why}"))
    }
}

/// One subscriber.
async fn listen(mut socket: RawSocket, heard: Rc<Heard>, buffer: Rc<RefCell<Vec<u8>>>) {
    let failure = loop {
        match socket.count(&buffer).await {
            Ok(Took::Texts(0)) => {}
            Ok(Took::Texts(texts)) => {
                heard.frames.set(heard.frames.get() + texts);
                heard.frame_bytes.set(socket.last_event_bytes());
                heard.more.notify_one();
            }
            Ok(Took::End) => break anyhow::anyhow!("the server hung up on a subscriber"),
            Err(cause) => break cause,
        }
    };
    heard.failed.borrow_mut().get_or_insert(failure);
    heard.more.notify_one();
}

#[expect(clippy::cast_precision_loss, reason = "counts of a run are far below 2^52")]
fn float(count: u64) -> f64 {
    count as f64
}
