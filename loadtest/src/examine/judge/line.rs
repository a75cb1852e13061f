//! One connection as its client heard it: order, repeats, and whether it read at all.
//! Must never look at the content of events.

use tidings_protocol::feed::FeedName;
use tidings_protocol::position::Cursor;

use super::life::Id;
use super::{Invariant, Verdict};

/// One connection.
pub(super) struct Line {
    /// Its number.
    pub number: u64,
    /// The record of its `hello`'s answer.
    pub opened: usize,
    /// Which life of the journal it was told of.
    pub life: usize,
    /// The last push.
    pub last: u64,
    /// Its record.
    pub last_record: usize,
    /// Feeds whose fresh start is due: a new epoch began.
    pub awaited: Vec<FeedName>,
    /// Feeds that may or may not be watched: nobody knows what became of the request.
    pub unsure: Vec<FeedName>,
    /// Until then it reads what was sent long before.
    pub slow_until: u64,
    cursor: Option<u64>,
    resumed: Vec<FeedName>,
    /// Pushes of the last entry, in the order in which they came.
    entry: Vec<(FeedName, Id, usize)>,
}

impl Line {
    /// Just opened.
    pub fn new(number: u64, opened: usize, life: usize, cursor: Option<Cursor>, live: &[FeedName]) -> Self {
        Self {
            number,
            opened,
            life,
            last: 0,
            last_record: opened,
            awaited: Vec::new(),
            unsure: Vec::new(),
            slow_until: 0,
            cursor: cursor.map(|cursor| cursor.seq.0),
            resumed: live.to_vec(),
            entry: Vec::new(),
        }
    }

    /// A push of an entry: I6 (never back), I7 (never twice).
    pub fn push(&mut self, feed: FeedName, id: Option<Id>, seq: u64, record: usize, verdict: &mut Verdict) {
        if seq < self.last {
            let says = format!("entry {seq} on `{feed}` after entry {}", self.last);
            verdict.accuse(Invariant::Order, says, [self.last_record, record]);
        }
        let resumed_at = self.cursor.filter(|_| self.resumed.contains(&feed));
        verdict.tally.repeats += u64::from(resumed_at == Some(seq));
        if let Some(cursor) = resumed_at.filter(|cursor| seq < *cursor) {
            let says = format!("entry {seq} on `{feed}`, resumed at {cursor}");
            verdict.accuse(Invariant::Repeat, says, [self.opened, record]);
        }
        if seq != self.last {
            self.end_entry(verdict);
        }
        self.entry.extend(id.map(|id| (feed, id, record)));
        (self.last, self.last_record) = (self.last.max(seq), record);
    }

    /// All pushes of an entry are there. It may have begun again where the queue was full in the middle of it: then the whole of it
    /// comes, which is more than what came before.
    pub fn end_entry(&mut self, verdict: &mut Verdict) {
        let entry = std::mem::take(&mut self.entry);
        if entry.len() < 2 {
            return;
        }
        let mut tries: Vec<&[(FeedName, Id, usize)]> = Vec::new();
        let mut from = 0;
        for (place, (feed, id, _)) in entry.iter().enumerate() {
            if entry[from..place].iter().any(|(other, of, _)| (other, of) == (feed, id)) {
                tries.push(&entry[from..place]);
                from = place;
            }
        }
        let whole = &entry[from..];
        let is_part = |part: &[(FeedName, Id, usize)]| {
            part.len() < whole.len()
                && part.iter().all(|(feed, id, _)| whole.iter().any(|(f, i, _)| (f, i) == (feed, id)))
        };
        if let Some(part) = tries.into_iter().find(|part| !is_part(part)) {
            let records = [part, whole].into_iter().filter_map(|part| part.first()).map(|(_, _, record)| *record);
            verdict.accuse(Invariant::Repeat, format!("entry {} comes again", self.last), records.collect::<Vec<_>>());
        }
    }

    /// Something came between that excuses the entry from being whole.
    pub fn forget_entry(&mut self) {
        self.entry.clear();
    }

    /// A feed starts afresh.
    pub fn restart(&mut self, feed: FeedName) {
        self.resumed.retain(|resumed| *resumed != feed);
        self.awaited.retain(|awaited| *awaited != feed);
        self.unsure.retain(|unsure| *unsure != feed);
        self.forget_entry();
    }

    /// Told where it stands: at the last push, or just before if that came in part.
    pub fn stand(&mut self, seq: u64, record: usize, verdict: &mut Verdict) {
        if seq + 1 < self.last {
            let says = format!("told to stand at {seq}, after entry {}", self.last);
            verdict.accuse(Invariant::Order, says, [self.last_record, record]);
        }
        if seq >= self.last {
            self.end_entry(verdict);
        }
    }

    /// Everything begins again.
    pub fn turn(&mut self, life: usize, record: usize, watched: Vec<FeedName>) {
        (self.life, self.last, self.last_record) = (life, 0, record);
        (self.awaited, self.cursor) = (watched, None);
        self.resumed.clear();
        self.forget_entry();
    }
}
