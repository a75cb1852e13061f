//! Everything that a history says, read once: requests and their outcomes, and each life of the journal.
//! Must never judge but where two observers of the same entry differ (I4).

use std::collections::{BTreeMap, HashMap, HashSet};

use tidings_protocol::error::ErrorCode;
use uuid::Uuid;

use super::circle::{Doubt, Turn};
use super::clock::Clock;
use super::life::{Life, Story};
use super::request::{Outcome, Request, Want};
use super::{Invariant, Patience, Verdict};
use crate::examine::history::{Final, Op, Record, Seen, Thing, What};

/// Everything known about a history.
pub(super) struct Ledger<'a> {
    /// The history itself.
    pub records: &'a [Record],
    /// Time without faults.
    pub clock: Clock,
    /// Whose each client is.
    pub owners: Vec<Uuid>,
    /// What is not newer is none of our business.
    pub base: u64,
    /// Each epoch, in the order in which they were first heard of.
    pub lives: Vec<Life>,
    /// The record that first told of each.
    pub begun: Vec<usize>,
    /// By number.
    pub requests: BTreeMap<u64, Request>,
    /// Requests that want the same of the same thing: one and its repetitions.
    pub attempts: HashMap<Want, Vec<u64>>,
    /// The final state and its record.
    pub last: Option<(usize, &'a Final)>,
    /// Who asked for its creation, so that a removal (which names nobody) is known to be ours wherever it stands.
    makers: HashMap<Thing, Uuid>,
    people: HashSet<Uuid>,
    told: Told,
}

/// Which life of the journal each connection has been told of, as one reads on.
#[derive(Default)]
struct Told(HashMap<u64, usize>);

impl Told {
    fn of(&self, connection: Option<u64>) -> usize {
        connection.and_then(|connection| self.0.get(&connection).copied()).unwrap_or_default()
    }
}

impl<'a> Ledger<'a> {
    /// Reads everything, twice: first who asked for what, then what was seen.
    pub fn of(records: &'a [Record], patience: Patience, verdict: &mut Verdict) -> Self {
        let mut ledger = Self {
            records,
            clock: Clock::of(records, patience),
            owners: Vec::new(),
            base: 0,
            lives: Vec::new(),
            begun: Vec::new(),
            requests: BTreeMap::new(),
            attempts: HashMap::new(),
            last: None,
            makers: HashMap::new(),
            people: HashSet::new(),
            told: Told::default(),
        };
        for (index, record) in records.iter().enumerate() {
            ledger.note_request(index, record);
        }
        ledger.attribute(patience);
        ledger.told = Told::default();
        for (index, record) in records.iter().enumerate() {
            ledger.read(index, record, verdict);
        }
        ledger.note_circles(patience);
        for life in &mut ledger.lives {
            life.arrange();
            life.circles.arrange();
        }
        ledger
    }

    fn note_request(&mut self, index: usize, record: &Record) {
        match &record.what {
            What::Began { people, owners, position, .. } => {
                self.people = people.iter().copied().collect();
                let owner = |place: &u32| people.get(*place as usize).copied().unwrap_or_default();
                self.owners = owners.iter().map(owner).collect();
                self.base = position.seq.0;
                self.life_of(position.epoch.0, index);
            }
            What::Invoke { request, connection, op } => {
                self.note_invoke(index, record.client, *request, *connection, *op)
            }
            What::Ok { request, seq, duplicate, .. } => {
                self.end(*request, index, Outcome::Done { seq: *seq, duplicate: *duplicate });
            }
            What::Fail { request, code } => self.end(*request, index, outcome_of(*code)),
            What::Unknown { request, .. } => self.end(*request, index, Outcome::Unknown),
            What::Connected { connection, position: cursor, .. } | What::Position { connection, cursor, .. } => {
                let life = self.life_of(cursor.epoch.0, index);
                self.told.0.insert(*connection, life);
            }
            What::Snapshot { .. }
            | What::Event { .. }
            | What::Stalled { .. }
            | What::Closed { .. }
            | What::Fault { .. }
            | What::Healed
            | What::Settled
            | What::Final(_)
            | What::Resources { .. } => {}
        }
    }

    fn note_invoke(&mut self, index: usize, client: Option<u32>, request: u64, connection: Option<u64>, op: Op) {
        if let Some(want) = Want::of(op) {
            self.attempts.entry(want).or_default().push(request);
        }
        let client = client.unwrap_or_default();
        if let (Op::Create(thing, _), Some(author)) = (op, self.owners.get(client as usize)) {
            self.makers.entry(thing).or_insert(*author);
        }
        let life = Some(self.told.of(connection));
        let outcome = Outcome::Pending;
        let told = Request { client, connection, op, asked: index, ended: None, outcome, life };
        self.requests.insert(request, told);
    }

    fn end(&mut self, request: u64, index: usize, outcome: Outcome) {
        if let Some(told) = self.requests.get_mut(&request) {
            (told.ended, told.outcome) = (Some(index), outcome);
        }
    }

    /// The place of an epoch among the lives; a new one begins with this record.
    fn life_of(&mut self, epoch: u64, index: usize) -> usize {
        self.life(epoch).unwrap_or_else(|| {
            self.lives.push(Life::of(epoch));
            self.begun.push(index);
            self.lives.len() - 1
        })
    }

    /// The place of an epoch among the lives.
    pub fn life(&self, epoch: u64) -> Option<usize> {
        self.lives.iter().position(|life| life.epoch == epoch)
    }

    /// What was answered while another life was about to begin may have been done in either.
    fn attribute(&mut self, patience: Patience) {
        let turn = |begun: usize| self.clock.trouble_before(self.records[begun].at, patience.answer);
        let turns: Vec<u64> = self.begun.iter().map(|begun| turn(*begun)).collect();
        for told in self.requests.values_mut() {
            let next = told.life.and_then(|life| turns.get(life + 1)).copied();
            let ended = told.ended.map_or(u64::MAX, |ended| self.records[ended].at);
            if next.is_some_and(|turn| ended >= turn) {
                told.life = None;
            }
        }
    }

    fn read(&mut self, index: usize, record: &'a Record, verdict: &mut Verdict) {
        match &record.what {
            What::Ok { request, seen: Some(seen), seq, .. } => self.read_answer(*request, *seq, seen, index, verdict),
            What::Connected { connection, position: cursor, .. } | What::Position { connection, cursor, .. } => {
                let life = self.life_of(cursor.epoch.0, index);
                self.told.0.insert(*connection, life);
            }
            What::Snapshot { connection, feed, seq, members, .. } => {
                let life = self.told.of(Some(*connection));
                for seen in members {
                    self.sight(life, seen, false, index, verdict);
                }
                if *feed == tidings_protocol::feed::FeedName::Me {
                    let follower = self.owner(record.client);
                    let follows = members.iter().filter(|seen| !seen.gone).filter_map(|seen| match seen.thing {
                        Thing::Follow(_, followee) => Some(followee),
                        Thing::Post(_) | Thing::Comment(_) | Thing::User(_) => None,
                    });
                    self.lives[life].circles.list(follower, *seq, follows.collect());
                }
            }
            What::Event { connection, epoch, seq, seen, .. } => {
                let life = self.told.of(Some(*connection));
                if self.lives.get(life).is_some_and(|life| life.epoch == *epoch) {
                    self.read_event(life, *seq, seen, index, verdict);
                } else {
                    let says = format!("entry {seq} is of an epoch that its connection was not told of");
                    verdict.accuse(Invariant::Bijection, says, [index]);
                }
            }
            What::Final(last) => {
                self.last = Some((index, last));
                let life = self.lives.len().saturating_sub(1);
                for seen in last.things.iter().filter(|seen| !seen.gone) {
                    self.sight(life, seen, false, index, verdict);
                }
            }
            What::Ok { .. }
            | What::Began { .. }
            | What::Invoke { .. }
            | What::Fail { .. }
            | What::Unknown { .. }
            | What::Stalled { .. }
            | What::Closed { .. }
            | What::Fault { .. }
            | What::Healed
            | What::Settled
            | What::Resources { .. } => {}
        }
    }

    /// An event shows its thing as of its entry or later.
    fn read_event(&mut self, life: usize, seq: u64, seen: &Seen, index: usize, verdict: &mut Verdict) {
        if !self.is_ours(life, seen) {
            return;
        }
        self.sight(life, seen, false, index, verdict);
        if seen.rev < seq {
            let says = format!("{:?} comes with rev {} as entry {seq}", seen.thing, seen.rev);
            verdict.accuse(Invariant::Bijection, says, [index]);
        }
        if seq > self.base && seq != seen.rev {
            self.lives[life].claim(seq, seen.thing, index, verdict);
        }
    }

    /// An answer shows what was asked for, at the entry that it names.
    fn read_answer(&mut self, request: u64, seq: Option<u64>, seen: &Seen, index: usize, verdict: &mut Verdict) {
        let Some(told) = self.requests.get(&request).cloned() else {
            verdict.accuse(Invariant::Phantom, format!("an answer to request {request}, which nobody sent"), [index]);
            return;
        };
        if let Some(life) = told.life {
            self.sight(life, seen, told.is_new() && seq == Some(seen.rev), index, verdict);
        }
        let wanted = told.op.changes().or(if let Op::Read(thing) = told.op { Some(thing) } else { None });
        if wanted.is_some_and(|thing| thing != seen.thing) {
            let says = format!("request {request} is answered with {:?}", seen.thing);
            verdict.accuse(Invariant::OneEvent, says, [told.asked, index]);
        }
        // Follows and profiles are answered without saying that it was so already: only the first to ask has surely done it.
        let tells = !matches!(told.op, Op::Follow(..) | Op::Change(Thing::User(_), _));
        let is_done =
            told.is_new() && (tells || Want::of(told.op).is_some_and(|want| self.attempts(want).count() == 1));
        let asked_for = Want::of(told.op) == Some(Want::behind(seen.thing, seen.mark, seen.gone));
        let is_other = is_done && !asked_for;
        if told.is_new() && (is_other || seq != Some(seen.rev)) {
            let says = format!("request {request} is answered with another state than it asked for");
            verdict.accuse(Invariant::OneEvent, says, [told.asked, index]);
        }
    }

    /// Somebody saw this. Lists of whom one follows tell no `rev`: those are for `circle`.
    fn sight(&mut self, life: usize, seen: &Seen, acknowledged: bool, index: usize, verdict: &mut Verdict) {
        if seen.rev == 0 || !self.is_ours(life, seen) {
            return;
        }
        let maker = self.makers.get(&seen.thing).copied();
        let base = self.base;
        let Some(life) = self.lives.get_mut(life) else { return };
        life.sight(seen, maker, acknowledged, index, verdict);
        if seen.rev > base {
            life.claim(seen.rev, seen.thing, index, verdict);
        }
    }

    /// What is known, and what is in doubt, about who follows whom.
    fn note_circles(&mut self, patience: Patience) {
        // The first request that was answered with an entry.
        let mut asked: HashMap<(usize, Thing, u64), usize> = HashMap::new();
        let follows = self.requests.values().filter(|told| matches!(told.op, Op::Follow(..)));
        for told in follows.clone() {
            if let (Some((seq, _)), Some(life), Some(thing)) = (told.entry(), told.life, told.op.changes()) {
                let first = asked.entry((life, thing, seq)).or_insert(told.asked);
                *first = told.asked.min(*first);
            }
        }
        for (number, life) in self.lives.iter_mut().enumerate() {
            for story in &life.stories {
                let Thing::Follow(follower, followee) = story.thing else { continue };
                for state in &story.states {
                    let asked = asked.get(&(number, story.thing, state.rev)).copied().unwrap_or_default();
                    let turn = Turn { seq: state.rev, active: !state.gone, asked, told: state.acknowledged };
                    life.circles.turn(follower, followee, turn);
                }
            }
            for told in follows.clone() {
                let Op::Follow(Thing::Follow(follower, followee), active) = told.op else { continue };
                let over = told.ended.and_then(|ended| self.clock.later(ended, patience.answer));
                let (from, to) = match told.life {
                    // Done in one life or in another.
                    None if !told.outcome.is_refusal() => (0, u64::MAX),
                    // It cannot be done before what was there when it was asked, nor after the server has given it up.
                    Some(_) if told.outcome.is_open() => {
                        (life.reached(told.asked), over.map_or(u64::MAX, |over| life.reached(over)))
                    }
                    Some(_) | None => continue,
                };
                life.circles.doubt(follower, followee, Doubt { from, to, asked: told.asked, active });
            }
        }
    }

    /// Whether it belongs to the people of this examination.
    pub fn is_ours(&self, life: usize, seen: &Seen) -> bool {
        seen.author.is_some_and(|author| self.people.contains(&author))
            || self.makers.contains_key(&seen.thing)
            || matches!(seen.thing, Thing::Follow(a, b) if self.people.contains(&a) && self.people.contains(&b))
            || self.lives.get(life).is_some_and(|life| life.known(seen.thing).is_some())
    }

    /// Whose a client is.
    pub fn owner(&self, client: Option<u32>) -> Uuid {
        client.and_then(|client| self.owners.get(client as usize).copied()).unwrap_or_default()
    }

    /// All requests that want this.
    pub fn attempts(&self, want: Want) -> impl Iterator<Item = &Request> + Clone {
        let numbers = self.attempts.get(&want).map(Vec::as_slice).unwrap_or_default();
        numbers.iter().filter_map(|number| self.requests.get(number))
    }

    /// Somebody asked before a record for its removal, or that of its post, and it is not known what came of it.
    pub fn may_be_gone(&self, life: &Life, story: &Story, record: usize) -> bool {
        let post = story.on.map(Thing::Post);
        [Some(story.thing), post].into_iter().flatten().any(|thing| {
            let is_known = life.story(thing).is_some_and(|story| story.removed().is_some());
            self.attempts(Want::Gone(thing))
                .any(|told| told.asked < record && !told.outcome.is_refusal() && !(is_known && told.life.is_some()))
        })
    }
}

/// After these nobody knows, whatever it is called: the protocol promises nothing of what they leave behind.
const fn outcome_of(code: ErrorCode) -> Outcome {
    match code {
        ErrorCode::Unavailable | ErrorCode::Internal => Outcome::Unknown,
        ErrorCode::NotFound => Outcome::NotFound,
        ErrorCode::BadRequest
        | ErrorCode::UnknownMethod
        | ErrorCode::Invalid
        | ErrorCode::Unauthorized
        | ErrorCode::BadToken
        | ErrorCode::TokenExpired
        | ErrorCode::BadCredentials
        | ErrorCode::Forbidden
        | ErrorCode::Conflict
        | ErrorCode::Stale
        | ErrorCode::CursorExpired
        | ErrorCode::LimitReached
        | ErrorCode::RateLimited
        | ErrorCode::Overloaded => Outcome::Refused,
    }
}
