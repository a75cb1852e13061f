//! People who write, sessions that come and go, readers that stall; and what has to be true of all of it.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::UserId;
use tidings_protocol::position::Seq;

use super::oracle::Oracle;
use super::reader::{FRAMING, FakeLine};
use crate::entry::{Change, Verb};
use crate::feed::context::Afresh;
use crate::feed::table::{FeedTable, SlotId, Told};
use crate::hot_log::HotLog;
use crate::ports::Head;
use crate::sim::audience::starts_afresh;
use crate::sim::client::Client;
use crate::sim::list::List;
use crate::sim::model::session_id;
use crate::testing::{Dice, EPOCH, user};

const WORLDS: u64 = 14;
/// Sessions where readers are slow, and where they are fast and many hear everything at once.
const FEW: usize = 12;
const MANY: usize = 40;
pub(super) const USERS: u64 = 6;
pub(super) const FAST: usize = usize::MAX;

pub(super) struct Session {
    pub(super) user: Option<UserId>,
    pub(super) number: u64,
    pub(super) slot: SlotId,
    pub(super) line: Rc<FakeLine>,
    pub(super) client: Client,
    pub(super) wants: Option<Afresh>,
    pub(super) wants_all: bool,
}

pub(super) struct World {
    pub(super) dice: Dice,
    pub(super) list: List,
    pub(super) table: FeedTable<Rc<FakeLine>>,
    pub(super) sessions: Vec<Session>,
    /// Clients that have lost the line and will come back.
    pub(super) away: Vec<(Option<UserId>, Client)>,
    pub(super) oracle: Oracle,
    /// All readers keep up.
    pub(super) is_fast: bool,
    pub(super) numbers: u64,
    pub(super) posts: u64,
    pub(super) overflows: u64,
    pub(super) resumed: usize,
    pub(super) restarted: usize,
    pub(super) recalled: usize,
    pub(super) forgotten: usize,
    pub(super) deliveries: u64,
}

impl World {
    fn of(seed: u64) -> Self {
        let mut dice = Dice::of(seed);
        let mut list = List::default();
        for n in 0..USERS {
            list.write(Change::User { verb: Verb::Created, id: user(n) }, None);
        }
        let head = Head { epoch: EPOCH, seq: Seq(USERS), floor: Seq(0) };
        let mut table = FeedTable::new(FRAMING, head);
        if dice.percent(50) {
            table.log = HotLog::bounded(head.seq, 100, usize::MAX);
        }
        let (sessions, away, oracle) = (Vec::new(), Vec::new(), Oracle::of(list.state(USERS)));
        let (is_fast, numbers, posts, overflows, deliveries) = (seed % 3 == 1, 0, 0, 0, 0);
        let (resumed, restarted, recalled, forgotten) = (0, 0, 0, 0);
        Self {
            dice,
            list,
            table,
            sessions,
            away,
            oracle,
            is_fast,
            numbers,
            posts,
            overflows,
            resumed,
            restarted,
            recalled,
            forgotten,
            deliveries,
        }
    }

    pub(super) fn applied(&self) -> u64 {
        self.table.applied().0
    }

    /// A moment the table has reached, not long ago.
    pub(super) fn lately(&mut self, most: u64) -> u64 {
        USERS.max(self.applied().saturating_sub(self.dice.below(most)))
    }

    pub(super) fn anybody(&mut self) -> UserId {
        user(self.dice.below(USERS))
    }

    /// The table applies what has been written, up to some entry.
    fn apply(&mut self, to: u64) {
        let late = self.dice.percent(30);
        let batch = Arc::new(self.list.batch(self.applied() + 1, to, late));
        let expected: Vec<BTreeSet<String>> =
            self.sessions.iter().map(|session| self.told_by(&batch.entries, session)).collect();
        // Another batch seems to wait: some lines are left for later.
        let more = self.dice.percent(50);
        self.sessions.iter().for_each(|session| session.line.is_live());
        let left = self.table.apply(&batch, || more);
        if left && !more {
            self.sweeps();
        }
        for (session, expected) in self.sessions.iter().zip(expected) {
            let named = |told: &Told| match told {
                Told::ContextChanged(afresh) => Some(format!("{afresh:?}")),
                Told::Revoked => Some("revoked".to_owned()),
                Told::Beyond | Told::Hides(_) => None,
                Told::NewEpoch | Told::GoingAway => panic!("{told:?}"),
            };
            let told: BTreeSet<String> = session.line.told.borrow().iter().filter_map(named).collect();
            assert_eq!(told, expected, "what session {} is told besides events", session.number);
        }
        self.oracle.follow(&batch.entries, || self.list.state(to));
        let counts = self.table.take_counts();
        self.overflows += counts.overflows;
        self.deliveries += counts.deliveries;
        self.hear_what_was_told();
    }

    fn sweeps(&mut self) {
        while self.table.sweep() {}
    }

    /// What a batch makes the table tell a session besides events.
    fn told_by(&self, entries: &[crate::entry::Entry], session: &Session) -> BTreeSet<String> {
        let feeds = self.table.feeds(&session.slot);
        let told = entries.iter().filter_map(|entry| {
            if let Change::SessionRevoked { user, session: which } = entry.change {
                let ends = session.user == Some(user) && which.is_none_or(|which| which == session_id(session.number));
                return ends.then(|| "revoked".to_owned());
            }
            let touched = feeds.iter().any(|feed| starts_afresh(*feed, &entry.change, session.user));
            let kind = if let Change::Follow { .. } = entry.change {
                "Circle"
            } else if let Change::List { .. } | Change::Listed { .. } = entry.change {
                "Lists"
            } else {
                "Others"
            };
            touched.then(|| kind.to_owned())
        });
        told.collect()
    }

    fn hear_what_was_told(&mut self) {
        for at in (0..self.sessions.len()).rev() {
            let told = std::mem::take(&mut *self.sessions[at].line.told.borrow_mut());
            for told in told {
                match told {
                    Told::ContextChanged(afresh) => {
                        let wants = &mut self.sessions[at].wants;
                        *wants = (*wants).max(Some(afresh));
                    }
                    Told::Beyond => self.sessions[at].wants_all = true,
                    Told::Revoked => {
                        let session = self.sessions.swap_remove(at);
                        self.table.leave(session.slot);
                        break;
                    }
                    Told::NewEpoch | Told::GoingAway | Told::Hides(_) => {}
                }
            }
        }
    }

    /// Looks at what has been queued since the table last applied something.
    pub(super) fn examines(&mut self) {
        let applied = self.applied();
        self.oracle.follow(&[], || self.list.state(applied));
    }

    fn step(&mut self) {
        let burst = !self.is_fast && self.dice.percent(2);
        let many = if burst { self.dice.between(300, 700) } else { self.dice.below(8) };
        for _ in 0..many {
            self.write();
        }
        while self.applied() < self.list.head() && self.dice.percent(90) {
            let whole = self.dice.percent(50);
            let to = if whole { self.list.head() } else { self.dice.between(self.applied() + 1, self.list.head()) };
            self.apply(to);
        }
        let (most, come) = if self.is_fast { (MANY, 90) } else { (FEW, 30) };
        if self.sessions.len() < most && self.dice.percent(come) {
            let user = self.dice.percent(85).then(|| self.anybody());
            let feeds = self.some_feeds(user.is_some());
            self.hello(user, Client::default(), feeds);
        }
        if self.dice.percent(30) {
            self.comes_back();
        }
        for at in 0..self.sessions.len() {
            if self.sessions[at].wants.is_some() && self.dice.percent(40) {
                self.renew(at);
            }
        }
        for _ in 0..3 {
            if self.sessions.is_empty() {
                return;
            }
            let at = self.dice.index(self.sessions.len());
            self.acts(at);
            self.examines();
        }
    }

    /// A session does something.
    fn acts(&mut self, at: usize) {
        match self.dice.below(20) {
            0..9 => {
                let room = if self.is_fast { FAST } else { self.dice.one_of(&[0, 10, 1_000, 30_000, FAST]) };
                self.takes(at, room);
            }
            9..11 => self.renew(at),
            11..13 => self.change_feeds(at),
            13 | 14 => self.loses_the_line(at),
            15 => {
                let session = self.sessions.swap_remove(at);
                self.table.leave(session.slot);
            }
            _ => self.heartbeat(&self.sessions[at]),
        }
    }

    /// Everything is applied, every reader reads, and what was wanted is done.
    fn settle(&mut self) {
        if self.applied() < self.list.head() {
            self.apply(self.list.head());
        }
        self.sweeps();
        while !self.away.is_empty() {
            self.comes_back();
        }
        for _ in 0..10 {
            for at in 0..self.sessions.len() {
                self.takes(at, FAST);
                self.renew(at);
            }
        }
        let state = &self.list.present;
        for session in &mut self.sessions {
            session.client.read(&session.line.read());
            assert!(session.line.outbox.borrow().is_empty() && session.line.wire.borrow().is_empty());
            assert!(!self.table.is_behind(&session.slot), "a wake-up was lost");
            let watched: BTreeSet<FeedName> = self.table.feeds(&session.slot).iter().copied().collect();
            let held: BTreeSet<FeedName> = session.client.feeds.keys().copied().collect();
            // Feeds that are over may still have their place; nothing comes of them.
            assert!(held.is_subset(&watched), "{held:?} held, {watched:?} watched");
            assert!(watched.difference(&held).all(|feed| session.client.over.contains(feed)), "{held:?}, {watched:?}");
            for feed in held {
                session.client.check(feed, session.user, state);
            }
        }
        self.examines();
    }

    fn everybody_leaves(&mut self) {
        for session in self.sessions.drain(..) {
            self.table.leave(session.slot);
        }
        assert!(self.table.is_bare());
    }
}

#[test]
fn p3_p4_p5_every_session_reaches_the_state_of_the_journal_whatever_its_line_does() {
    let (mut entries, mut deliveries, mut overflows, mut resumed, mut restarted) = (0, 0, 0, 0, 0);
    let (mut recalled, mut forgotten, mut examined, mut short) = (0, 0, 0, 0);
    for seed in 0..WORLDS {
        let mut world = World::of(seed);
        for round in 0..3 {
            for _ in 0..60 {
                world.step();
            }
            world.settle();
            if round == 1 {
                world.everybody_leaves();
            }
        }
        world.everybody_leaves();
        entries += world.list.head();
        deliveries += world.deliveries;
        overflows += world.overflows;
        (resumed, restarted) = (resumed + world.resumed, restarted + world.restarted);
        (recalled, forgotten) = (recalled + world.recalled, forgotten + world.forgotten);
        (examined, short) = (examined + world.oracle.examined, short + world.oracle.short);
    }
    println!(
        "{entries} entries, {deliveries} deliveries, {overflows} overflows, {resumed} resumed, {restarted} restarted, \
         {recalled} homes from memory, {forgotten} not; {examined} examined, {short} told less than there is"
    );
    assert!(overflows > 30 && resumed > 100, "the world has been too kind");
    assert!(recalled > 100 && forgotten > 30, "memory has not been tried both ways");
    assert!(examined > 100_000 && short > 1_000, "who may be told what has not been tried enough");
}
