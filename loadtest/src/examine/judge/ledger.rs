//! The journal as it must have been, put together from everything that anybody saw: acknowledgements, events, snapshots, the final state.
//! Must never guess: where two observers differ, that is a violation (I4), and the first one counts.

use std::collections::{BTreeMap, HashMap, HashSet};

use tidings_protocol::feed::FeedName;
use uuid::Uuid;

use super::{Invariant, Verdict};
use crate::examine::history::{Final, Op, Phase, Record, Seen, Thing, What};

/// Everything known about a history.
pub(super) struct Ledger<'a> {
    /// The history itself.
    pub records: &'a [Record],
    /// Whose each client is.
    pub owners: Vec<Uuid>,
    /// The journal's life.
    pub epoch: u64,
    /// What is not newer is none of our business.
    pub base: u64,
    /// Everything of our people that anybody saw.
    pub things: BTreeMap<Thing, Story>,
    /// By number.
    pub requests: BTreeMap<u64, Request>,
    /// Requests that want the same of the same thing: one and its repetitions.
    pub attempts: HashMap<Want, Vec<u64>>,
    /// The final state and its record.
    pub last: Option<(usize, &'a Final)>,
    /// From and until, in microseconds: something was broken.
    pub fault_windows: Vec<(u64, u64)>,
    people: HashSet<Uuid>,
    seqs: HashMap<u64, (Thing, usize)>,
}

/// What a request wants of a thing; its repetitions want the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Want {
    /// This content.
    Content(Thing, u64),
    /// To be gone (of a follow: not to be).
    Gone(Thing),
    /// A follow, to be.
    Active(Thing),
}

/// A request and what became of it.
#[derive(Clone, Debug)]
pub(super) struct Request {
    /// Who asked.
    pub client: u32,
    /// Over which connection.
    pub connection: Option<u64>,
    /// What.
    pub op: Op,
    /// The record of the request.
    pub asked: usize,
    /// The record of the outcome.
    pub ended: Option<usize>,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Done.
    Done { seq: Option<u64>, duplicate: bool },
    /// Refused.
    Refused,
    /// Nobody knows.
    Unknown,
    /// Nothing came.
    Pending,
}

/// One thing through its life.
#[derive(Clone, Debug, Default)]
pub(super) struct Story {
    /// Where it stands in feeds.
    pub place: Option<u64>,
    /// Whose.
    pub author: Option<Uuid>,
    /// A comment's post.
    pub on: Option<Uuid>,
    /// Its states, by `rev`.
    pub states: BTreeMap<u64, State>,
}

/// One state of a thing.
#[derive(Clone, Copy, Debug)]
pub(super) struct State {
    /// Of its content.
    pub mark: u64,
    /// Removed, or not following.
    pub gone: bool,
    /// The record that showed it first.
    pub record: usize,
    /// An acknowledgement of the change itself.
    pub acknowledged: Option<usize>,
}

impl Story {
    /// The newest known state.
    pub fn latest(&self) -> Option<(u64, State)> {
        self.states.last_key_value().map(|(rev, state)| (*rev, *state))
    }

    /// The newest known state that is not newer than `seq`.
    pub fn as_of(&self, seq: u64) -> Option<(u64, State)> {
        self.states.range(..=seq).next_back().map(|(rev, state)| (*rev, *state))
    }

    /// When it was removed for good.
    pub fn removed(&self) -> Option<(u64, State)> {
        self.states.iter().find(|(_, state)| state.gone).map(|(rev, state)| (*rev, *state))
    }
}

impl Want {
    /// What this operation wants, if it changes anything.
    pub fn of(op: Op) -> Option<Self> {
        match op {
            Op::Create(thing, mark) | Op::Change(thing, mark) => Some(Self::Content(thing, mark)),
            Op::Delete(thing) | Op::Follow(thing, false) => Some(Self::Gone(thing)),
            Op::Follow(thing, true) => Some(Self::Active(thing)),
            Op::Hello | Op::Read(_) | Op::Watch(_) | Op::Unwatch(_) | Op::LogOut(_) => None,
        }
    }

    /// What must have been asked for this state to come about.
    pub fn behind(thing: Thing, mark: u64, gone: bool) -> Self {
        match (thing, gone) {
            (_, true) => Self::Gone(thing),
            (Thing::Follow(..), false) => Self::Active(thing),
            (_, false) => Self::Content(thing, mark),
        }
    }
}

impl<'a> Ledger<'a> {
    /// Reads everything once.
    pub fn of(records: &'a [Record], verdict: &mut Verdict) -> Self {
        let mut ledger = Self {
            records,
            owners: Vec::new(),
            epoch: 0,
            base: 0,
            things: BTreeMap::new(),
            requests: BTreeMap::new(),
            attempts: HashMap::new(),
            last: None,
            fault_windows: Vec::new(),
            people: HashSet::new(),
            seqs: HashMap::new(),
        };
        // Who made what first, so that a removal (which names nobody) is known to be ours wherever it stands.
        for (index, record) in records.iter().enumerate() {
            ledger.note_request(index, record);
        }
        for (index, record) in records.iter().enumerate() {
            ledger.read(index, record, verdict);
        }
        ledger
    }

    fn note_request(&mut self, index: usize, record: &Record) {
        match &record.what {
            What::Began { people, owners, position, .. } => {
                self.people = people.iter().copied().collect();
                let owner = |place: &u32| people.get(*place as usize).copied().unwrap_or_default();
                self.owners = owners.iter().map(owner).collect();
                (self.epoch, self.base) = (position.epoch.0, position.seq.0);
            }
            What::Invoke { request, connection, op } => {
                if let Some(want) = Want::of(*op) {
                    self.attempts.entry(want).or_default().push(*request);
                }
                let client = record.client.unwrap_or_default();
                if let Op::Create(thing, _) = op {
                    let author = self.owners.get(client as usize).copied();
                    self.things.entry(*thing).or_insert_with(|| Story { author, ..Story::default() });
                }
                let (connection, op) = (*connection, *op);
                let outcome = Outcome::Pending;
                let told = Request { client, connection, op, asked: index, ended: None, outcome };
                self.requests.insert(*request, told);
            }
            What::Ok { request, seq, duplicate, .. } => {
                self.end(*request, index, Outcome::Done { seq: *seq, duplicate: *duplicate });
            }
            What::Fail { request, .. } => self.end(*request, index, Outcome::Refused),
            What::Unknown { request, .. } => self.end(*request, index, Outcome::Unknown),
            What::Fault { number: _, name: _, phase } => self.note_fault(record.at, *phase),
            What::Connected { .. }
            | What::Snapshot { .. }
            | What::Event { .. }
            | What::Position { .. }
            | What::Stalled { .. }
            | What::Closed { .. }
            | What::Healed
            | What::Settled
            | What::Final(_)
            | What::Resources { .. } => {}
        }
    }

    fn end(&mut self, request: u64, index: usize, outcome: Outcome) {
        if let Some(told) = self.requests.get_mut(&request) {
            (told.ended, told.outcome) = (Some(index), outcome);
        }
    }

    /// Windows of faults are taken together: while anything is broken, everything is excused from being quick (never from being right).
    fn note_fault(&mut self, at: u64, phase: Phase) {
        match phase {
            Phase::Ordered => self.fault_windows.push((at, u64::MAX)),
            Phase::Fired => {}
            Phase::Healed => {
                if let Some(open) = self.fault_windows.iter_mut().find(|window| window.1 == u64::MAX) {
                    open.1 = at;
                }
            }
        }
    }

    fn read(&mut self, index: usize, record: &'a Record, verdict: &mut Verdict) {
        match &record.what {
            What::Ok { request, seq, duplicate, seen } => {
                let acknowledges = (!duplicate).then_some(*seq).flatten();
                if let Some(seen) = seen {
                    self.sight(seen, acknowledges == Some(seen.rev), index, verdict);
                    self.compare_answer(*request, *seq, seen, index, verdict);
                }
            }
            What::Snapshot { members, .. } => {
                for seen in members {
                    self.sight(seen, false, index, verdict);
                }
            }
            What::Event { epoch, seq, seen, .. } => {
                self.sight(seen, false, index, verdict);
                self.compare_event(*epoch, *seq, seen, index, verdict);
            }
            What::Final(last) => {
                self.last = Some((index, last));
                for seen in &last.things {
                    self.sight(seen, false, index, verdict);
                }
            }
            What::Began { .. }
            | What::Invoke { .. }
            | What::Fail { .. }
            | What::Unknown { .. }
            | What::Connected { .. }
            | What::Position { .. }
            | What::Stalled { .. }
            | What::Closed { .. }
            | What::Fault { .. }
            | What::Healed
            | What::Settled
            | What::Resources { .. } => {}
        }
    }

    /// An event shows its thing as of its entry or later.
    fn compare_event(&mut self, epoch: u64, seq: u64, seen: &Seen, index: usize, verdict: &mut Verdict) {
        if epoch != self.epoch {
            let says = format!("entry {seq} is told under another epoch, though nothing was restored");
            verdict.accuse(Invariant::Bijection, says, [0, index]);
        }
        if !self.is_ours(seen) {
            return;
        }
        if seen.rev < seq {
            let says = format!("{:?} comes with rev {} as entry {seq}", seen.thing, seen.rev);
            verdict.accuse(Invariant::Bijection, says, [index]);
        }
        self.claim(seq, seen.thing, index, verdict);
    }

    /// An answer shows what was asked for, at the entry that it names.
    fn compare_answer(&self, request: u64, seq: Option<u64>, seen: &Seen, index: usize, verdict: &mut Verdict) {
        let Some(told) = self.requests.get(&request) else {
            verdict.accuse(Invariant::Phantom, format!("an answer to request {request}, which nobody sent"), [index]);
            return;
        };
        let wanted = told.op.changes().or(if let Op::Read(thing) = told.op { Some(thing) } else { None });
        if wanted.is_some_and(|thing| thing != seen.thing) {
            let says = format!("request {request} is answered with {:?}", seen.thing);
            verdict.accuse(Invariant::OneEvent, says, [told.asked, index]);
        }
        let Outcome::Done { duplicate: false, seq: Some(_) } = told.outcome else { return };
        if Want::of(told.op) != Some(Want::behind(seen.thing, seen.mark, seen.gone)) || seq != Some(seen.rev) {
            let says = format!("request {request} is answered with another state than it asked for");
            verdict.accuse(Invariant::OneEvent, says, [told.asked, index]);
        }
    }

    /// Somebody saw this.
    fn sight(&mut self, seen: &Seen, acknowledged: bool, index: usize, verdict: &mut Verdict) {
        // Lists of whom one follows tell no `rev`; the judge of views compares them.
        if !self.is_ours(seen) || seen.rev == 0 {
            return;
        }
        let story = self.things.entry(seen.thing).or_default();
        let mut differs = |what: &str, record: usize| {
            let says = format!("{:?} rev {}: {what} differs between observers", seen.thing, seen.rev);
            verdict.accuse(Invariant::Bijection, says, [record, index]);
        };
        let state = State { mark: seen.mark, gone: seen.gone, record: index, acknowledged: None };
        let known = story.states.entry(seen.rev).or_insert(state);
        let record = known.record;
        if (known.mark, known.gone) != (seen.mark, seen.gone) {
            differs("the content", record);
        }
        if acknowledged {
            known.acknowledged.get_or_insert(index);
        }
        if seen.place.is_some_and(|place| *story.place.get_or_insert(place) != place) {
            differs("the place", record);
        }
        if seen.author.is_some_and(|author| *story.author.get_or_insert(author) != author) {
            differs("the author", record);
        }
        if seen.on.is_some_and(|on| *story.on.get_or_insert(on) != on) {
            differs("the post", record);
        }
        self.claim(seen.rev, seen.thing, index, verdict);
    }

    /// An entry of the journal is about one thing.
    fn claim(&mut self, seq: u64, thing: Thing, index: usize, verdict: &mut Verdict) {
        let (owner, record) = *self.seqs.entry(seq).or_insert((thing, index));
        if owner != thing && seq > self.base {
            let says = format!("entry {seq} is {owner:?} for one observer and {thing:?} for another");
            verdict.accuse(Invariant::Bijection, says, [record, index]);
        }
    }

    /// Whether it belongs to the people of this examination.
    pub fn is_ours(&self, seen: &Seen) -> bool {
        seen.author.is_some_and(|author| self.people.contains(&author))
            || self.things.contains_key(&seen.thing)
            || matches!(seen.thing, Thing::Follow(a, b) if self.people.contains(&a) && self.people.contains(&b))
    }

    /// Whose a client is.
    pub fn owner(&self, client: Option<u32>) -> Uuid {
        client.and_then(|client| self.owners.get(client as usize).copied()).unwrap_or_default()
    }

    /// Everything that happened to the pair is known: no follow or unfollow between them is without an answer.
    pub fn is_clear(&self, follower: Uuid, followee: Uuid) -> bool {
        let pair = Thing::Follow(follower, followee);
        let wants = [Want::Gone(pair), Want::Active(pair)];
        let all = wants.iter().filter_map(|want| self.attempts.get(want)).flatten();
        all.filter_map(|request| self.requests.get(request))
            .all(|told| matches!(told.outcome, Outcome::Done { .. } | Outcome::Refused))
    }

    /// Whether `viewer` follows `author` as of an entry; oneself always.
    pub fn follows(&self, viewer: Uuid, author: Uuid, seq: u64) -> bool {
        viewer == author
            || self
                .things
                .get(&Thing::Follow(viewer, author))
                .and_then(|story| story.as_of(seq))
                .is_some_and(|(_, state)| !state.gone)
    }

    /// Whether a feed shows a thing, as of an entry.
    pub fn belongs(&self, feed: FeedName, viewer: Uuid, thing: Thing, story: &Story, seq: u64) -> bool {
        match (feed, thing) {
            (FeedName::Global, Thing::Post(_)) => true,
            (FeedName::Home, Thing::Post(_) | Thing::User(_)) => {
                story.author.is_some_and(|author| self.follows(viewer, author, seq))
            }
            (FeedName::User(whose), Thing::Post(_) | Thing::User(_)) => story.author == Some(whose.0),
            (FeedName::Post(which), Thing::Post(id)) => which.0 == id,
            (FeedName::Post(which), Thing::Comment(_)) => story.on == Some(which.0),
            (FeedName::Me, Thing::User(id)) => id == viewer,
            (FeedName::Me, Thing::Follow(follower, _)) => follower == viewer,
            (FeedName::Global | FeedName::Home | FeedName::User(_), Thing::Comment(_) | Thing::Follow(..))
            | (FeedName::Global | FeedName::Post(_), Thing::User(_))
            | (FeedName::Post(_), Thing::Follow(..))
            | (FeedName::Me, Thing::Post(_) | Thing::Comment(_)) => false,
        }
    }

    /// The removal of a thing or of the post that it stands on, whichever came first.
    pub fn end_of(&self, thing: Thing) -> Option<(u64, State)> {
        if matches!(thing, Thing::User(_) | Thing::Follow(..)) {
            return None;
        }
        let story = self.things.get(&thing)?;
        let post = story.on.and_then(|post| self.things.get(&Thing::Post(post)));
        let ends = [story.removed(), post.and_then(Story::removed)];
        ends.into_iter().flatten().min_by_key(|(rev, _)| *rev)
    }

    /// Until when something that was done at `at` must hold everywhere: later if anything was broken meanwhile.
    pub fn due(&self, at: u64, patience: u64) -> u64 {
        let due = at.saturating_add(patience);
        let broken =
            self.fault_windows.iter().filter(|(from, until)| *from <= due && at <= until.saturating_add(patience));
        broken.map(|(_, until)| until.saturating_add(2 * patience)).fold(due, u64::max)
    }
}
