//! Walks through what each client was sent, frame by frame: order, repeats, what had to come, what must not.
//! Must never look at two clients at once: what they agree on is the ledger's.

use std::collections::{BTreeMap, HashMap};

use tidings_protocol::feed::FeedName;
use tidings_protocol::position::Cursor;
use uuid::Uuid;

use super::ledger::Ledger;
use super::life::Life;
use super::line::Line;
use super::request::Outcome;
use super::sight::{Eyes, Push};
use super::snapshot::{self, Shot};
use super::watch::{self, Due, Mark, Watch};
use super::{Invariant, Patience, Verdict};
use crate::examine::history::{Op, Record, Seen, Thing, What};

/// I1 (as seen by watchers), I6, I7, I11, I12, P4.
pub(super) fn judge(ledger: &Ledger<'_>, patience: Patience, verdict: &mut Verdict) {
    let mut dues = Dues::default();
    let written = written(ledger);
    let clients = 0..u32::try_from(ledger.owners.len()).unwrap_or(u32::MAX);
    let mut ears: Vec<Ear<'_>> = clients.map(|client| Ear::new(ledger, patience, client, &written)).collect();
    for (index, record) in ledger.records.iter().enumerate() {
        if let What::Settled = record.what {
            ears.iter_mut().for_each(|ear| ear.settle(index, verdict));
        } else if let Some(ear) = record.client.and_then(|client| ears.get_mut(client as usize)) {
            ear.hear(index, record, &mut dues, verdict);
        }
    }
}

/// By life, feed and, where it matters, person.
type Dues = HashMap<(usize, FeedName, Option<Uuid>), Due>;

/// The highest entry that a person had been answered in a life, by the record of the answer; ascending.
type Written = HashMap<(Uuid, usize), Vec<(usize, u64)>>;

fn written(ledger: &Ledger<'_>) -> Written {
    let mut written = Written::new();
    for told in ledger.requests.values() {
        if let (Some(life), Some((seq, ended))) = (told.life, told.entry()) {
            written.entry((ledger.owner(Some(told.client)), life)).or_default().push((ended, seq));
        }
    }
    for answers in written.values_mut() {
        answers.sort_unstable();
        let mut highest = 0;
        for (_, seq) in answers {
            highest = highest.max(*seq);
            *seq = highest;
        }
    }
    written
}

/// One client on its way through the history.
struct Ear<'a> {
    ledger: &'a Ledger<'a>,
    patience: Patience,
    viewer: Uuid,
    client: u32,
    watches: BTreeMap<FeedName, Watch>,
    line: Option<Line>,
    written: &'a Written,
    /// What was read last of each thing, and where.
    read: HashMap<(usize, Thing), (u64, usize)>,
}

impl<'a> Ear<'a> {
    fn new(ledger: &'a Ledger<'a>, patience: Patience, client: u32, written: &'a Written) -> Self {
        let viewer = ledger.owner(Some(client));
        Self { ledger, patience, viewer, client, watches: BTreeMap::new(), line: None, written, read: HashMap::new() }
    }

    fn hear(&mut self, index: usize, record: &'a Record, dues: &mut Dues, verdict: &mut Verdict) {
        match &record.what {
            What::Connected { connection, cursor, position, resumed, live, .. } => {
                self.connect(index, *connection, *cursor, *position, *resumed, live, verdict);
            }
            What::Snapshot { connection, request, feed, seq, members, complete } => {
                let (viewer, feed, seq, complete) = (self.viewer, *feed, *seq, *complete);
                let slow = self.line.as_ref().is_some_and(|line| record.at < line.slow_until);
                let shot = Shot { viewer, feed, seq, members, complete, record: index, slow };
                self.snapshot(*connection, shot, *request, dues, verdict);
            }
            What::Event { connection, feed, seq, seen, .. } => {
                let slow = self.line.as_ref().is_some_and(|line| record.at < line.slow_until);
                let push = Push { feed: *feed, seq: *seq, seen: *seen, record: index, slow };
                self.event(*connection, push, verdict);
            }
            What::Position { connection, notice, cursor } => {
                self.position(*connection, notice, *cursor, index, verdict);
            }
            What::Stalled { length, .. } => {
                if let Some(line) = &mut self.line {
                    line.slow_until = record.at.saturating_add(*length).saturating_add(2 * self.patience.revocation);
                }
            }
            What::Ok { request, seen, .. } => self.answer(*request, seen.as_ref(), index, verdict),
            What::Fail { request, .. } => self.answer(*request, None, index, verdict),
            What::Unknown { request, .. } => self.doubt(*request),
            What::Closed { connection, .. } => {
                if self.line.as_ref().is_some_and(|line| line.number == *connection) {
                    self.line = None;
                }
            }
            What::Began { .. }
            | What::Invoke { .. }
            | What::Fault { .. }
            | What::Healed
            | What::Settled
            | What::Final(_)
            | What::Resources { .. } => {}
        }
    }

    #[expect(clippy::too_many_arguments, reason = "they are the fields of one record")]
    fn connect(
        &mut self,
        index: usize,
        connection: u64,
        cursor: Option<Cursor>,
        position: Cursor,
        resumed: bool,
        live: &[FeedName],
        verdict: &mut Verdict,
    ) {
        verdict.tally.resumes += u64::from(cursor.is_some());
        let life = self.ledger.life(position.epoch.0).unwrap_or_default();
        self.watches.retain(|feed, watch| live.contains(feed) && watch.life == life);
        let goes_on = cursor.filter(|_| resumed || !live.is_empty());
        if goes_on.is_some_and(|cursor| cursor.epoch != position.epoch) {
            let says = format!("resumed at {cursor:?}, and told to stand at {position}: another epoch");
            verdict.accuse(Invariant::Bijection, says, [index]);
        } else if resumed && cursor.is_some_and(|cursor| cursor != position) {
            let says = format!("resumed at {cursor:?}, and told to stand at {position}");
            verdict.accuse(Invariant::Order, says, [index]);
        }
        self.line = Some(Line::new(connection, index, life, cursor, live));
    }

    fn life(&self) -> Option<&'a Life> {
        self.ledger.lives.get(self.line.as_ref()?.life)
    }

    fn snapshot(
        &mut self,
        connection: u64,
        shot: Shot<'a>,
        request: Option<u64>,
        dues: &mut Dues,
        verdict: &mut Verdict,
    ) {
        let ledger = self.ledger;
        let Some(line) = self.line.as_mut().filter(|line| line.number == connection) else { return };
        let (number, life) = (line.life, &ledger.lives[line.life]);
        snapshot::compare(ledger, life, shot, self.patience, verdict);
        line.restart(shot.feed);
        if request.is_none() && shot.seq < line.last {
            let says = format!("`{}` afresh as of {}, after {}", shot.feed, shot.seq, line.last);
            verdict.accuse(Invariant::Order, says, [line.last_record, shot.record]);
        }
        if let Some(told) = request.and_then(|request| ledger.requests.get(&request)) {
            let own = self.written.get(&(self.viewer, number)).map(Vec::as_slice).unwrap_or_default();
            let before = own.partition_point(|(ended, _)| *ended < told.asked).checked_sub(1);
            let own = before.and_then(|place| own.get(place)).map_or(0, |(_, seq)| *seq);
            if own > shot.seq {
                let says = format!("`{}` as of {}, after entry {own} of one's own was answered", shot.feed, shot.seq);
                verdict.accuse(Invariant::ReadYourWrites, says, [told.asked, shot.record]);
            }
        }
        let person = (shot.feed == FeedName::Me).then_some(self.viewer);
        let due = dues.entry((number, shot.feed, person));
        let due = Due::clone(due.or_insert_with(|| watch::due(life, shot.feed, self.viewer, ledger.base)));
        let watch = Watch::from((number, life), self.viewer, shot.feed, shot.seq, shot.members, due);
        self.watches.insert(shot.feed, watch);
    }

    fn event(&mut self, connection: u64, push: Push, verdict: &mut Verdict) {
        verdict.tally.events += 1;
        let ledger = self.ledger;
        let Some(line) = self.line.as_mut().filter(|line| line.number == connection) else {
            verdict.accuse(Invariant::Order, format!("entry {} outside of a connection", push.seq), [push.record]);
            return;
        };
        let life = &ledger.lives[line.life];
        let id = life.known(push.seen.thing);
        let line_is_unsure = line.unsure.contains(&push.feed);
        line.push(push.feed, id, push.seq, push.record, verdict);
        if line.awaited.contains(&push.feed) {
            let says = format!("entry {} on `{}` of a new epoch, before it was told afresh", push.seq, push.feed);
            verdict.accuse(Invariant::Lost, says, [push.record]);
            return;
        }
        if let Some(id) = id {
            Eyes { ledger, life, viewer: self.viewer, patience: self.patience }.meet(push, id, verdict);
        }
        self.demand(Mark { before: push.seq, record: push.record }, verdict);
        match (self.watches.get_mut(&push.feed), id) {
            (Some(watch), Some(id)) => watch.apply(life, id, &push.seen),
            (Some(_), None) => {}
            (None, _) if line_is_unsure => {}
            (None, _) => {
                let (seq, feed, client) = (push.seq, push.feed, self.client);
                let says = format!("entry {seq} on `{feed}`, which client {client} does not watch");
                verdict.accuse(Invariant::Visibility, says, [push.record]);
            }
        }
    }

    fn demand(&mut self, mark: Mark, verdict: &mut Verdict) {
        let Some(life) = self.life() else { return };
        for watch in self.watches.values_mut() {
            watch.demand(self.ledger, life, mark, verdict);
        }
    }

    fn position(&mut self, connection: u64, notice: &str, cursor: Cursor, record: usize, verdict: &mut Verdict) {
        let ledger = self.ledger;
        let Some(line) = self.line.as_mut().filter(|line| line.number == connection) else { return };
        let life = ledger.life(cursor.epoch.0).unwrap_or_default();
        if notice == "resync" {
            let watched = std::mem::take(&mut self.watches).into_keys().collect();
            return line.turn(life, record, watched);
        }
        if life != line.life {
            let says = format!("a {notice} of another epoch, without a resync");
            verdict.accuse(Invariant::Bijection, says, [line.opened, record]);
            return;
        }
        line.stand(cursor.seq.0, record, verdict);
        self.demand(Mark { before: cursor.seq.0 + 1, record }, verdict);
    }

    fn answer(&mut self, request: u64, seen: Option<&Seen>, record: usize, verdict: &mut Verdict) {
        let ledger = self.ledger;
        let Some(told) = ledger.requests.get(&request) else { return };
        // Refused, for whatever reason: it is still watched.
        if let (Op::Unwatch(feed), Outcome::Done { .. }) = (told.op, told.outcome) {
            self.watches.remove(&feed);
            if let Some(line) = &mut self.line {
                line.restart(feed);
            }
        }
        let Some(life) = told.life.and_then(|life| ledger.lives.get(life)) else { return };
        let eyes = Eyes { ledger, life, viewer: self.viewer, patience: self.patience };
        eyes.read(told, seen, record, verdict);
        if let (Op::Read(thing), Some(seen), Some(number)) = (told.op, seen, told.life) {
            let before = self.read.insert((number, thing), (seen.rev, record));
            if let Some(before) = before.filter(|before| before.1 < told.asked) {
                eyes.read_again(thing, before, seen, record, verdict);
            }
        }
    }

    /// Nobody knows whether a feed is still watched: nothing of it is demanded, and nothing of it is wrong.
    fn doubt(&mut self, request: u64) {
        let told = self.ledger.requests.get(&request);
        let (Some(Op::Unwatch(feed) | Op::Watch(feed)), Some(line)) = (told.map(|told| told.op), &mut self.line) else {
            return;
        };
        if told.is_some_and(|told| told.connection == Some(line.number)) {
            self.watches.remove(&feed);
            line.restart(feed);
            line.unsure.push(feed);
        }
    }

    /// Everybody has had the time to recover: everybody has everything.
    fn settle(&mut self, index: usize, verdict: &mut Verdict) {
        let ledger = self.ledger;
        let Some((record, last)) = ledger.last else { return };
        let Some(line) = self.line.as_ref() else {
            let says = format!("client {} was not back in time after all faults were over", self.client);
            verdict.accuse(Invariant::Liveness, says, [index]);
            return;
        };
        if line.life + 1 != ledger.lives.len() || !line.awaited.is_empty() {
            let says = format!("client {} was never told all feeds of the new epoch", self.client);
            verdict.accuse(Invariant::Lost, says, [line.last_record, index]);
            return;
        }
        let life = &ledger.lives[line.life];
        // What was committed just now may still be on its way.
        let by = ledger.records[index].at.saturating_sub(self.patience.revocation);
        let by = ledger.records.get(..index).unwrap_or_default().partition_point(|record| record.at <= by);
        let reached = life.reached(by);
        self.demand(Mark { before: reached + 1, record: index }, verdict);
        let people = life.of_author.keys().copied();
        if let (Some(home), Some(turn)) =
            (self.watches.get(&FeedName::Home), life.circles.last_turn(self.viewer, people, reached))
            && turn.seq > home.base
        {
            let says = format!("`home` of client {} was never told afresh after entry {}", self.client, turn.seq);
            verdict.accuse(Invariant::Lost, says, turn.told.into_iter().chain([index]));
        }
        let found: HashMap<Thing, &Seen> =
            last.things.iter().filter(|seen| !seen.gone).map(|seen| (seen.thing, seen)).collect();
        for watch in self.watches.values() {
            watch.compare(ledger, life, &found, record, verdict);
        }
    }
}
