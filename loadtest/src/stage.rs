//! What all connections of one run share on their one thread: the plan, the answers, the measurements.
//! Must never be borrowed across an await.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use anyhow::Result;
use hdrhistogram::Histogram;
use tidings_protocol::error::ErrorCode;
use tidings_protocol::ids::PostId;
use uuid::Uuid;

use crate::check::Violation;
use crate::history::{Outcome, Reader};
use crate::plan::Span;
use crate::schedule::{self, Planned};

/// Shared by all tasks of a run.
pub struct Stage {
    /// All posts and comments, by number, as they are due.
    pub plan: Vec<Planned>,
    /// Number by id.
    pub numbers: HashMap<Uuid, usize>,
    /// The parts of the run.
    pub spans: Vec<Span>,
    /// The posts whose comments are watched.
    pub threads: Vec<PostId>,
    /// Names this run in its texts.
    pub run: u64,
    /// Of each text.
    pub text_bytes: usize,
    /// When the plan began; none while connections are being made.
    pub began: Cell<Option<Instant>>,
    /// What has not been sent by now is not asked for any more.
    pub halted: Cell<bool>,
    /// What has been handed to a socket.
    pub asked: RefCell<Vec<bool>>,
    /// Posts that left after their author had been away: no follower could hear them in time.
    pub held_up: RefCell<Vec<bool>>,
    /// What the server said to each post.
    pub outcomes: RefCell<Vec<Outcome>>,
    /// What each connection heard.
    pub readers: RefCell<Vec<Reader>>,
    /// Connections with an open, greeted socket.
    pub open: Cell<usize>,
    /// The last `seq` each connection heard or was told.
    pub positions: RefCell<Vec<u64>>,
    /// Measurements.
    pub meters: RefCell<Meters>,
}

/// Times, in µs.
#[derive(Clone)]
pub struct Times {
    /// Due → acknowledged.
    pub ack: Histogram<u64>,
    /// Due → received by a reader, once for each.
    pub delivery: Histogram<u64>,
    /// Due → handed to the socket: our own lateness.
    pub lag: Histogram<u64>,
}

impl Times {
    /// Nothing measured yet.
    ///
    /// # Errors
    /// None in practice: three digits are always possible.
    pub fn new() -> Result<Self> {
        Ok(Self { ack: Histogram::new(3)?, delivery: Histogram::new(3)?, lag: Histogram::new(3)? })
    }

    /// Begins anew.
    pub fn clear(&mut self) {
        [&mut self.ack, &mut self.delivery, &mut self.lag].into_iter().for_each(Histogram::reset);
    }

    /// Takes in what another has measured.
    ///
    /// # Errors
    /// None in practice: histograms that grow by themselves take any.
    pub fn add(&mut self, other: &Self) -> Result<()> {
        self.ack.add(&other.ack)?;
        self.delivery.add(&other.delivery)?;
        self.lag.add(&other.lag)?;
        Ok(())
    }
}

/// What is measured in a run.
pub struct Meters {
    /// By the span in which a post was due.
    pub spans: Vec<Times>,
    /// By when it came: since somebody looked last.
    pub now: Times,
    /// Due → received, for what was due while the reader or the author was away or did not read, µs.
    pub caught_up: Histogram<u64>,
    /// Posts and comments that left.
    pub sent: u64,
    /// Posts and comments that were acknowledged.
    pub acknowledged: u64,
    /// Refusals of posts, by code.
    pub refusals: BTreeMap<String, u64>,
    /// Ends of connections that we did not want, by reason.
    pub closes: BTreeMap<String, u64>,
    /// Events received.
    pub events: u64,
    /// Bytes of text frames received.
    pub bytes: u64,
    /// Resumes that went on from the cursor.
    pub resumed: u64,
    /// Resumes answered with a snapshot.
    pub snapshots: u64,
    /// Fresh snapshots on a live connection.
    pub resyncs: u64,
    /// Posts answered again after a resume.
    pub duplicates: u64,
    /// By the span that cut them: how long after its beginning each connection was back, in seconds.
    pub back: Vec<Vec<f64>>,
    /// What was wrong with the order on connections that are not kept.
    pub disorder: Vec<Violation>,
}

impl Meters {
    fn new(spans: usize) -> Result<Self> {
        Ok(Self {
            spans: vec![Times::new()?; spans],
            now: Times::new()?,
            caught_up: Histogram::new(3)?,
            sent: 0,
            acknowledged: 0,
            refusals: BTreeMap::new(),
            closes: BTreeMap::new(),
            events: 0,
            bytes: 0,
            resumed: 0,
            snapshots: 0,
            resyncs: 0,
            duplicates: 0,
            back: vec![Vec::new(); spans],
            disorder: Vec::new(),
        })
    }

    /// Posts that the server would not do.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.refusals.values().sum()
    }
}

/// Notes a time in µs; a histogram that grows by itself takes any.
pub fn note(histogram: &mut Histogram<u64>, time: Duration) {
    let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    if histogram.record(micros).is_err() {
        histogram.saturating_record(micros);
    }
}

impl Stage {
    /// A stage on which nothing has happened.
    ///
    /// # Errors
    /// As [`Times::new`].
    pub fn new(
        (plan, spans): (Vec<Planned>, Vec<Span>),
        readers: Vec<Reader>,
        threads: Vec<PostId>,
        text_bytes: usize,
    ) -> Result<Self> {
        let numbers = plan.iter().enumerate().map(|(number, post)| (post.id, number)).collect();
        Ok(Self {
            numbers,
            threads,
            run: Uuid::new_v4().as_u64_pair().0,
            text_bytes,
            began: Cell::new(None),
            halted: Cell::new(false),
            asked: RefCell::new(vec![false; plan.len()]),
            held_up: RefCell::new(vec![false; plan.len()]),
            outcomes: RefCell::new(vec![Outcome::Unknown; plan.len()]),
            positions: RefCell::new(vec![0; readers.len()]),
            readers: RefCell::new(readers),
            open: Cell::new(0),
            meters: RefCell::new(Meters::new(spans.len())?),
            plan,
            spans,
        })
    }

    /// The text of a post or comment, with a marker that names the run and the number.
    #[must_use]
    pub fn text(&self, number: usize) -> String {
        schedule::text(self.run, number, self.text_bytes)
    }

    /// How long ago a post was due, and when that was; `None` before the run.
    fn since_due(&self, number: usize) -> Option<(Duration, Instant)> {
        let due = self.began.get()? + self.plan[number].due;
        Some((due.elapsed(), due))
    }

    /// A post is handed to the socket, for the first time or again.
    pub fn sent(&self, number: usize, open_since: Instant) {
        let first = !std::mem::replace(&mut self.asked.borrow_mut()[number], true);
        let mut meters = self.meters.borrow_mut();
        meters.sent += u64::from(first);
        let Some((lag, due)) = self.since_due(number) else {
            return;
        };
        if due < open_since {
            self.held_up.borrow_mut()[number] = true;
        } else {
            note(&mut meters.now.lag, lag);
            note(&mut meters.spans[self.plan[number].span].lag, lag);
        }
    }

    /// A post is acknowledged.
    pub fn acknowledged(&self, number: usize, seq: u64, duplicate: bool, open_since: Instant) {
        self.outcomes.borrow_mut()[number] = Outcome::Acknowledged { seq };
        let mut meters = self.meters.borrow_mut();
        meters.duplicates += u64::from(duplicate);
        meters.acknowledged += 1;
        if let Some((time, due)) = self.since_due(number)
            && due >= open_since
        {
            note(&mut meters.now.ack, time);
            note(&mut meters.spans[self.plan[number].span].ack, time);
        }
    }

    /// A post is refused.
    pub fn refused(&self, number: usize, code: ErrorCode) {
        // These two do not say that nothing was done.
        let open_question = matches!(code, ErrorCode::Unavailable | ErrorCode::Internal);
        self.outcomes.borrow_mut()[number] = if open_question { Outcome::Unknown } else { Outcome::Refused };
        *self.meters.borrow_mut().refusals.entry(format!("{code:?}")).or_default() += 1;
    }

    /// A post has arrived as an event.
    pub fn delivered(&self, id: &Uuid, open_since: Instant) {
        let Some(&number) = self.numbers.get(id) else {
            return;
        };
        let Some((time, due)) = self.since_due(number) else {
            return;
        };
        let mut meters = self.meters.borrow_mut();
        if due < open_since || self.held_up.borrow()[number] {
            note(&mut meters.caught_up, time);
        } else {
            note(&mut meters.now.delivery, time);
            note(&mut meters.spans[self.plan[number].span].delivery, time);
        }
    }

    /// An end that we did not want.
    pub fn closed(&self, reason: String) {
        *self.meters.borrow_mut().closes.entry(reason).or_default() += 1;
    }

    /// A connection that was cut when this span began is back and has been greeted.
    pub fn back(&self, span: usize) {
        if let Some(began) = self.began.get() {
            let cut = began + self.spans[span].begins;
            self.meters.borrow_mut().back[span].push(cut.elapsed().as_secs_f64());
        }
    }

    /// How many posts and comments are due by now.
    #[must_use]
    pub fn due(&self, now: Duration) -> u64 {
        self.plan.partition_point(|post| post.due <= now) as u64
    }

    /// How many of these have neither been acknowledged nor refused.
    #[must_use]
    pub fn backlog(&self, now: Duration) -> u64 {
        let meters = self.meters.borrow();
        self.due(now).saturating_sub(meters.acknowledged + meters.refused())
    }
}
