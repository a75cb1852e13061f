//! Walks through what each client was sent, frame by frame: order, repeats, what had to come, what must not.
//! Must never look at two clients at once: what they agree on is the ledger's.

use std::collections::{BTreeMap, HashMap, HashSet};

use tidings_protocol::feed::FeedName;
use uuid::Uuid;

use super::ledger::{Ledger, Outcome, Want};
use super::view::{self, Due, Shot, Watch};
use super::{Invariant, Patience, Verdict};
use crate::examine::history::{Op, Record, Seen, Thing, What};

/// I1 (as seen by watchers), I6, I7, I11, I12, P4.
pub(super) fn judge(ledger: &Ledger<'_>, patience: Patience, verdict: &mut Verdict) {
    let mut dues = HashMap::new();
    for client in 0..u32::try_from(ledger.owners.len()).unwrap_or(u32::MAX) {
        let viewer = ledger.owner(Some(client));
        let mut ear = Ear {
            ledger,
            patience,
            viewer,
            client,
            watches: BTreeMap::new(),
            line: None,
            written: written(ledger, viewer),
            dues: &mut dues,
        };
        for (index, record) in ledger.records.iter().enumerate() {
            if record.client == Some(client) || matches!(record.what, What::Settled) {
                ear.hear(index, record, verdict);
            }
        }
    }
}

/// The highest entry that a person had been answered, by the record of the answer.
fn written(ledger: &Ledger<'_>, viewer: Uuid) -> BTreeMap<usize, u64> {
    let mut written: BTreeMap<usize, u64> = BTreeMap::new();
    for told in ledger.requests.values().filter(|told| ledger.owner(Some(told.client)) == viewer) {
        if let (Outcome::Done { seq: Some(seq), .. }, Some(ended)) = (told.outcome, told.ended) {
            written.insert(ended, seq);
        }
    }
    let mut highest = 0;
    for seq in written.values_mut() {
        highest = highest.max(*seq);
        *seq = highest;
    }
    written
}

/// One client on its way through the history.
struct Ear<'a, 'd> {
    ledger: &'a Ledger<'a>,
    patience: Patience,
    viewer: Uuid,
    client: u32,
    watches: BTreeMap<FeedName, Watch>,
    line: Option<Line>,
    written: BTreeMap<usize, u64>,
    dues: &'d mut HashMap<(FeedName, Option<Uuid>), Due>,
}

/// One connection.
struct Line {
    number: u64,
    opened: usize,
    /// The last push.
    last: u64,
    last_record: usize,
    /// Where it came back.
    cursor: Option<u64>,
    /// Feeds that go on from the cursor.
    resumed: Vec<FeedName>,
    had: HashSet<(FeedName, u64, Thing)>,
    /// It did not read for a while: what comes late was sent in time.
    slow: bool,
}

/// An event as recorded.
#[derive(Clone, Copy)]
struct Push {
    feed: FeedName,
    seq: u64,
    seen: Seen,
    at: u64,
    record: usize,
}

impl Ear<'_, '_> {
    fn hear(&mut self, index: usize, record: &Record, verdict: &mut Verdict) {
        match &record.what {
            What::Connected { connection, cursor, position, resumed, live, .. } => {
                self.watches.retain(|feed, _| live.contains(feed));
                let cursor = cursor.map(|cursor| cursor.seq.0);
                verdict.tally.resumes += u64::from(cursor.is_some());
                if *resumed && cursor.is_some_and(|cursor| cursor != position.seq.0) {
                    let says = format!("resumed at {cursor:?}, and told to stand at {position}");
                    verdict.accuse(Invariant::Order, says, [index]);
                }
                self.line = Some(Line {
                    number: *connection,
                    opened: index,
                    last: 0,
                    last_record: index,
                    cursor,
                    resumed: live.clone(),
                    had: HashSet::new(),
                    slow: false,
                });
            }
            What::Snapshot { request, feed, seq, members, complete, .. } => {
                let (viewer, feed, seq, complete) = (self.viewer, *feed, *seq, *complete);
                let shot = Shot { viewer, feed, seq, members, complete, record: index };
                self.snapshot(&shot, *request, verdict);
            }
            What::Event { connection, feed, seq, seen, .. } => {
                let push = Push { feed: *feed, seq: *seq, seen: *seen, at: record.at, record: index };
                self.event(*connection, push, verdict);
            }
            What::Position { connection, cursor, .. } => self.position(*connection, cursor.seq.0, index, verdict),
            What::Stalled { .. } => {
                if let Some(line) = &mut self.line {
                    line.slow = true;
                }
            }
            What::Ok { request, seen, .. } => self.answer(*request, seen.as_ref(), index, verdict),
            What::Closed { .. } => self.line = None,
            What::Settled => self.settle(index, verdict),
            What::Began { .. }
            | What::Invoke { .. }
            | What::Fail { .. }
            | What::Unknown { .. }
            | What::Fault { .. }
            | What::Healed
            | What::Final(_)
            | What::Resources { .. } => {}
        }
    }

    fn due(&mut self, feed: FeedName) -> Due {
        let personal = matches!(feed, FeedName::Home | FeedName::Me).then_some(self.viewer);
        Due::clone(self.dues.entry((feed, personal)).or_insert_with(|| view::due(self.ledger, feed, self.viewer)))
    }

    fn snapshot(&mut self, shot: &Shot<'_>, request: Option<u64>, verdict: &mut Verdict) {
        view::compare_snapshot(self.ledger, shot, verdict);
        if let Some(told) = request.and_then(|request| self.ledger.requests.get(&request)) {
            let own = self.written.range(..told.asked).next_back().map_or(0, |(_, seq)| *seq);
            if own > shot.seq {
                let says = format!("`{}` as of {}, after entry {own} of one's own was answered", shot.feed, shot.seq);
                verdict.accuse(Invariant::ReadYourWrites, says, [told.asked, shot.record]);
            }
        }
        let due = self.due(shot.feed);
        self.watches.insert(shot.feed, Watch::from(shot, due));
        if let Some(line) = &mut self.line {
            line.resumed.retain(|feed| *feed != shot.feed);
            if request.is_none() && shot.seq < line.last {
                let says = format!("`{}` afresh as of {}, after {}", shot.feed, shot.seq, line.last);
                verdict.accuse(Invariant::Order, says, [line.last_record, shot.record]);
            }
        }
    }

    fn event(&mut self, connection: u64, push: Push, verdict: &mut Verdict) {
        verdict.tally.events += 1;
        let Some(line) = self.line.as_mut().filter(|line| line.number == connection) else {
            verdict.accuse(Invariant::Order, format!("entry {} outside of a connection", push.seq), [push.record]);
            return;
        };
        if push.seq < line.last {
            let says = format!("entry {} on `{}` after entry {}", push.seq, push.feed, line.last);
            verdict.accuse(Invariant::Order, says, [line.last_record, push.record]);
        }
        (line.last, line.last_record) = (line.last.max(push.seq), push.record);
        line.repeats(push, self.watches.get(&push.feed).map(|watch| watch.base), verdict);
        let slow = line.slow;
        if self.ledger.is_ours(&push.seen) {
            self.visible(push, slow, verdict);
        }
        for watch in self.watches.values_mut() {
            watch.demand(self.ledger, push.seq, push.record, verdict);
        }
        match self.watches.get_mut(&push.feed) {
            Some(watch) => watch.apply(&push.seen),
            None => {
                let says =
                    format!("entry {} on `{}`, which client {} does not watch", push.seq, push.feed, self.client);
                verdict.accuse(Invariant::Visibility, says, [push.record]);
            }
        }
    }

    /// I12: of those one follows, and nothing that is removed.
    fn visible(&self, push: Push, slow: bool, verdict: &mut Verdict) {
        let Some(story) = self.ledger.things.get(&push.seen.thing).filter(|_| !push.seen.gone) else { return };
        let thing = push.seen.thing;
        if let Some((end, state)) = self.ledger.end_of(thing) {
            let late = !slow && state.acknowledged.is_some_and(|told| self.is_late(told, push.at));
            if push.seq >= end || late {
                let says = format!("{thing:?} was removed at {end}, and shown as entry {}", push.seq);
                verdict.accuse(Invariant::Visibility, says, [state.record, push.record]);
            }
        }
        let Some(author) = story.author.filter(|_| story.on.is_some() || !matches!(thing, Thing::Comment(_))) else {
            return;
        };
        if push.feed != FeedName::Home {
            if !self.ledger.belongs(push.feed, self.viewer, thing, story, u64::MAX) {
                let says = format!("{thing:?} on `{}` of client {}", push.feed, self.client);
                verdict.accuse(Invariant::Visibility, says, [push.record]);
            }
        } else if author != self.viewer && self.ledger.is_clear(self.viewer, author) {
            self.followed(push, author, slow, verdict);
        }
    }

    fn followed(&self, push: Push, author: Uuid, slow: bool, verdict: &mut Verdict) {
        let pair = Thing::Follow(self.viewer, author);
        let asked = self.ledger.attempts.get(&Want::Active(pair)).into_iter().flatten();
        let asked = asked.filter_map(|request| self.ledger.requests.get(request));
        // The newest request to follow that was made before this came, and its entry.
        let begun = asked.filter(|told| told.asked < push.record).filter_map(|told| match told.outcome {
            Outcome::Done { seq, .. } => seq,
            Outcome::Refused | Outcome::Unknown | Outcome::Pending => None,
        });
        let begun = begun.max();
        let ends = self.ledger.things.get(&pair).map(|story| &story.states);
        let ended =
            ends.into_iter().flatten().filter(|(rev, state)| state.gone && begun.is_none_or(|begun| **rev > begun));
        let late = ended.filter_map(|(_, state)| state.acknowledged).find(|told| !slow && self.is_late(*told, push.at));
        let unseen = !self.ledger.follows(self.viewer, author, push.seq) && begun.is_none_or(|begun| begun <= push.seq);
        if unseen || late.is_some() {
            let says = format!("{:?} of somebody whom client {} does not follow", push.seen.thing, self.client);
            verdict.accuse(Invariant::Visibility, says, late.into_iter().chain([push.record]));
        }
    }

    fn is_late(&self, told: usize, at: u64) -> bool {
        self.ledger.due(self.ledger.records[told].at, self.patience.revocation) < at
    }

    fn position(&mut self, connection: u64, seq: u64, record: usize, verdict: &mut Verdict) {
        let Some(line) = self.line.as_ref().filter(|line| line.number == connection) else { return };
        if seq < line.last {
            let says = format!("told to stand at {seq}, after entry {}", line.last);
            verdict.accuse(Invariant::Order, says, [line.last_record, record]);
        }
        for watch in self.watches.values_mut() {
            watch.demand(self.ledger, seq + 1, record, verdict);
        }
    }

    fn answer(&mut self, request: u64, seen: Option<&Seen>, record: usize, verdict: &mut Verdict) {
        let Some(told) = self.ledger.requests.get(&request) else { return };
        if let Op::Unwatch(feed) = told.op {
            self.watches.remove(&feed);
        }
        let (Op::Read(thing), Some(seen)) = (told.op, seen) else { return };
        let Some(story) = self.ledger.things.get(&thing).filter(|story| story.author == Some(self.viewer)) else {
            return;
        };
        let own = story.states.iter().rev();
        let own = own.filter_map(|(rev, state)| state.acknowledged.map(|answered| (*rev, answered)));
        if let Some((rev, answered)) = own.into_iter().find(|(_, answered)| *answered < told.asked)
            && seen.rev < rev
        {
            let says = format!("{thing:?} read at rev {}, after its author was answered rev {rev}", seen.rev);
            verdict.accuse(Invariant::ReadYourWrites, says, [answered, told.asked, record]);
        }
    }

    fn settle(&mut self, index: usize, verdict: &mut Verdict) {
        let Some((record, last)) = self.ledger.last else { return };
        if self.line.is_none() {
            let says = format!("client {} was not back in time after all faults were over", self.client);
            verdict.accuse(Invariant::Liveness, says, [index]);
            return;
        }
        let found: HashMap<Thing, &Seen> = last.things.iter().map(|seen| (seen.thing, seen)).collect();
        for watch in self.watches.values_mut() {
            watch.demand(self.ledger, last.seq + 1, index, verdict);
            watch.compare(self.ledger, &found, record, verdict);
        }
    }
}

impl Line {
    /// I7: a repeat is the entry at the cursor, or what a slow reader had not read when it fell back.
    fn repeats(&mut self, push: Push, base: Option<u64>, verdict: &mut Verdict) {
        let resumed_at = self.cursor.filter(|_| self.resumed.contains(&push.feed));
        verdict.tally.repeats += u64::from(resumed_at == Some(push.seq));
        let again = !self.had.insert((push.feed, push.seq, push.seen.thing)) && !self.slow;
        let (says, frame) = if again {
            (format!("entry {} comes again on `{}`", push.seq, push.feed), self.last_record)
        } else if resumed_at.is_some_and(|cursor| push.seq < cursor) {
            (format!("entry {} on `{}`, resumed at {resumed_at:?}", push.seq, push.feed), self.opened)
        } else if resumed_at.is_none() && base.is_some_and(|base| push.seq < base) {
            (format!("entry {} on `{}`, after a snapshot as of {base:?}", push.seq, push.feed), self.opened)
        } else {
            return;
        };
        verdict.accuse(Invariant::Repeat, says, [frame, push.record]);
    }
}
