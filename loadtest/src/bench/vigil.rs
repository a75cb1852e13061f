//! Healthy clients beside a fault: an author and some readers on a thread of their own, and how long each post took to reach each reader.
//! Must never share the thread of those who make the fault: their queue would be taken for the server's.

use std::cell::RefCell;
use std::fmt;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use hdrhistogram::Histogram;
use serde::Serialize;
use tidings_protocol::feed::FeedName;
use tidings_protocol::request::Hello;
use tokio::task::LocalSet;
use uuid::Uuid;

use crate::frame;
use crate::people::Person;
use crate::raw::{RawSocket, Took, push_text};

/// Between two posts: light load.
const EVERY: Duration = Duration::from_millis(20);
const READERS: usize = 20;
/// Before the number of the post in its text.
const MARK: &[u8] = b"\"text\":\"vigil ";
/// Sources of connections that no crowd uses.
const FIRST_SOURCE: usize = 100_000;
/// For the last posts to arrive.
const SETTLE: Duration = Duration::from_millis(500);

/// How long deliveries took, in milliseconds from when the post was due.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Delivered {
    /// Deliveries measured.
    pub count: u64,
    /// Half were faster.
    pub p50_ms: f64,
    /// 99 of 100 were faster.
    pub p99_ms: f64,
    /// The slowest.
    pub max_ms: f64,
}

impl fmt::Display for Delivered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { count, p50_ms, p99_ms, max_ms } = self;
        write!(f, "p50 {p50_ms:.1} ms, p99 {p99_ms:.1} ms, max {max_ms:.1} ms of {count} deliveries")
    }
}

/// When posts were due, and how long after that something happened.
type Times = Mutex<Vec<(Instant, Duration)>>;

#[derive(Default)]
struct Log {
    deliveries: Times,
    /// Answers to the author: what of a delivery is the commit.
    answers: Times,
    failed: Mutex<Option<anyhow::Error>>,
    ready: AtomicBool,
    over: AtomicBool,
}

/// The healthy clients, at work.
pub struct Vigil {
    log: Arc<Log>,
    thread: Option<JoinHandle<()>>,
}

impl Vigil {
    /// Connects an author and readers of theirs, and begins to post.
    ///
    /// # Errors
    /// They cannot connect.
    pub async fn begin(target: SocketAddr, author: &Person) -> Result<Self> {
        let log = Arc::new(Log::default());
        let (at_work, author) = (Arc::clone(&log), author.clone());
        let thread = std::thread::Builder::new().name("vigil".to_owned()).spawn(move || {
            let outcome = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(anyhow::Error::from)
                .and_then(|runtime| LocalSet::new().block_on(&runtime, keep(target, &author, &at_work)));
            if let Err(cause) = outcome {
                at_work.failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(cause);
            }
        })?;
        let vigil = Self { log, thread: Some(thread) };
        while !vigil.log.ready.load(Ordering::Relaxed) {
            vigil.check()?;
            tokio::time::sleep(EVERY).await;
        }
        Ok(vigil)
    }

    /// Deliveries of posts that were due from one moment to another.
    ///
    /// # Errors
    /// A healthy client failed.
    pub async fn between(&self, from: Instant, to: Instant) -> Result<Delivered> {
        tokio::time::sleep(SETTLE).await;
        self.settled(from, to)
    }

    /// The same of a time that is over for long enough.
    ///
    /// # Errors
    /// A healthy client failed.
    pub fn settled(&self, from: Instant, to: Instant) -> Result<Delivered> {
        self.check()?;
        of(&self.log.deliveries, from, to)
    }

    /// The same, of the answers to the author.
    ///
    /// # Errors
    /// A healthy client failed.
    pub fn acknowledged(&self, from: Instant, to: Instant) -> Result<Delivered> {
        self.check()?;
        of(&self.log.answers, from, to)
    }

    fn check(&self) -> Result<()> {
        let failed = self.log.failed.lock().unwrap_or_else(PoisonError::into_inner).take();
        failed.map_or(Ok(()), |cause| Err(cause.context("a healthy client failed")))
    }
}

fn of(times: &Times, from: Instant, to: Instant) -> Result<Delivered> {
    let mut histogram = Histogram::<u64>::new(3)?;
    for (due, took) in &*times.lock().unwrap_or_else(PoisonError::into_inner) {
        if (from..to).contains(due) {
            histogram.record(u64::try_from(took.as_micros())?)?;
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "microseconds of a short run")]
    let ms = |micros: u64| micros as f64 / 1_000.0;
    Ok(Delivered {
        count: histogram.len(),
        p50_ms: ms(histogram.value_at_quantile(0.5)),
        p99_ms: ms(histogram.value_at_quantile(0.99)),
        max_ms: ms(histogram.max()),
    })
}

/// Something happened now that post `number` led to.
fn note(times: &Times, dues: &RefCell<Vec<Instant>>, number: Option<usize>) {
    let now = Instant::now();
    if let Some(due) = number.and_then(|number| dues.borrow().get(number).copied()) {
        times.lock().unwrap_or_else(PoisonError::into_inner).push((due, now.saturating_duration_since(due)));
    }
}

impl Drop for Vigil {
    fn drop(&mut self) {
        self.log.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // Its fault, if it had one, is in the log.
            drop(thread.join());
        }
    }
}

async fn keep(target: SocketAddr, person: &Person, log: &Arc<Log>) -> Result<()> {
    let feed = FeedName::User(person.id());
    let dues: Rc<RefCell<Vec<Instant>>> = Rc::default();
    for index in 0..READERS {
        let hello = Hello { feeds: vec![feed], limit: Some(1), ..Hello::default() };
        let (socket, _) = RawSocket::open(target, FIRST_SOURCE + index, hello).await?;
        tokio::task::spawn_local(read(socket, Rc::clone(&dues), Arc::clone(log)));
    }
    let hello = Hello { token: Some(person.tokens.access_token.clone()), ..Hello::default() };
    let (mut author, _) = RawSocket::open(target, FIRST_SOURCE + READERS, hello).await?;
    log.ready.store(true, Ordering::Relaxed);
    let mut buffer = vec![0; 16 * 1024];
    let mut due = tokio::time::Instant::now();
    let mut number = 0;
    while !log.over.load(Ordering::Relaxed) {
        tokio::select! {
            () = tokio::time::sleep_until(due) => {
                dues.borrow_mut().push(due.into_std());
                let text = frame::create(number, Uuid::now_v7(), &format!("vigil {number} of a healthy author"))?;
                let mut wire = Vec::new();
                push_text(&mut wire, &text);
                author.write(&wire).await?;
                number += 1;
                due += EVERY;
            }
            // An answer bears the post's text as well.
            took = author.texts(&mut buffer, |text| note(&log.answers, &dues, number_in(text))) => {
                if matches!(took?, Took::End) { bail!("the server hung up on the author") }
            }
        }
    }
    Ok(())
}

async fn read(mut socket: RawSocket, dues: Rc<RefCell<Vec<Instant>>>, log: Arc<Log>) {
    let mut buffer = vec![0; 16 * 1024];
    let cause = loop {
        let heard = |text: &[u8]| note(&log.deliveries, &dues, number_in(text));
        match socket.texts(&mut buffer, heard).await {
            Ok(Took::Texts(_)) => {}
            Ok(Took::End) => break anyhow!("the server hung up on a reader"),
            Err(cause) => break cause.context("a reader lost the line"),
        }
    };
    log.failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(cause);
}

/// The number of the post in an event.
fn number_in(text: &[u8]) -> Option<usize> {
    let at = text.windows(MARK.len()).position(|window| window == MARK)? + MARK.len();
    let digits = text[at..].split(|byte| !byte.is_ascii_digit()).next().context("split gives one").ok()?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_post_is_known_by_its_number() {
        let text =
            br#"{"feed":"user:x","seq":9,"event":"post.created","data":{"text":"vigil 417 of a healthy author"}}"#;
        assert_eq!(number_in(text), Some(417));
        assert_eq!(number_in(b"{\"text\":\"something else\"}"), None);
    }
}
