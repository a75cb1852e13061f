//! What all connections of one run share on their one thread: the plan, the answers, the measurements.
//! Must never be borrowed across an await.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use anyhow::Result;
use hdrhistogram::Histogram;
use tidings_protocol::error::ErrorCode;
use uuid::Uuid;

use crate::history::{Outcome, Reader};
use crate::schedule::Planned;

/// Shared by all tasks of a run.
pub struct Stage {
    /// All posts, by number.
    pub plan: Vec<Planned>,
    /// Number by id.
    pub numbers: HashMap<Uuid, usize>,
    /// Posts due before this are checked but not measured.
    pub warm_up: Duration,
    /// When the plan began; none while connections are being made.
    pub began: Cell<Option<Instant>>,
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

/// What is measured in a run.
pub struct Meters {
    /// Due → acknowledged, µs.
    pub ack: Histogram<u64>,
    /// Due → received by a follower, µs, once for each follower.
    pub delivery: Histogram<u64>,
    /// The same for what was due while the connection was away, µs.
    pub caught_up: Histogram<u64>,
    /// Due → handed to the socket, µs: our own lateness.
    pub lag: Histogram<u64>,
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
    /// Posts answered again after a resume.
    pub duplicates: u64,
}

impl Meters {
    /// Nothing measured yet.
    ///
    /// # Errors
    /// None in practice: three digits are always possible.
    pub fn new() -> Result<Self> {
        Ok(Self {
            ack: Histogram::new(3)?,
            delivery: Histogram::new(3)?,
            caught_up: Histogram::new(3)?,
            lag: Histogram::new(3)?,
            refusals: BTreeMap::new(),
            closes: BTreeMap::new(),
            events: 0,
            bytes: 0,
            resumed: 0,
            snapshots: 0,
            duplicates: 0,
        })
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
    /// As [`Meters::new`].
    pub fn new(plan: Vec<Planned>, warm_up: Duration, readers: Vec<Reader>) -> Result<Self> {
        let numbers = plan.iter().enumerate().map(|(number, post)| (post.id, number)).collect();
        Ok(Self {
            numbers,
            warm_up,
            began: Cell::new(None),
            held_up: RefCell::new(vec![false; plan.len()]),
            outcomes: RefCell::new(vec![Outcome::Unknown; plan.len()]),
            positions: RefCell::new(vec![0; readers.len()]),
            readers: RefCell::new(readers),
            open: Cell::new(0),
            meters: RefCell::new(Meters::new()?),
            plan,
        })
    }

    /// How long ago a post was due, and when that was; `None` before the run.
    fn since_due(&self, number: usize) -> Option<(Duration, Instant)> {
        let due = self.began.get()? + self.plan[number].due;
        Some((due.elapsed(), due))
    }

    fn measured(&self, number: usize) -> bool {
        self.plan[number].due >= self.warm_up
    }

    /// A post is handed to the socket, for the first time or again.
    pub fn sent(&self, number: usize, open_since: Instant) {
        let Some((lag, due)) = self.since_due(number) else {
            return;
        };
        if due < open_since {
            self.held_up.borrow_mut()[number] = true;
        } else if self.measured(number) {
            note(&mut self.meters.borrow_mut().lag, lag);
        }
    }

    /// A post is acknowledged.
    pub fn acknowledged(&self, number: usize, seq: u64, duplicate: bool, open_since: Instant) {
        self.outcomes.borrow_mut()[number] = Outcome::Acknowledged { seq };
        let mut meters = self.meters.borrow_mut();
        meters.duplicates += u64::from(duplicate);
        if let Some((time, due)) = self.since_due(number)
            && self.measured(number)
            && due >= open_since
        {
            note(&mut meters.ack, time);
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
        } else if self.measured(number) {
            note(&mut meters.delivery, time);
        }
    }

    /// An end that we did not want.
    pub fn closed(&self, reason: String) {
        *self.meters.borrow_mut().closes.entry(reason).or_default() += 1;
    }
}
