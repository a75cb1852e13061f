//! People who write, sessions that come and go, readers that stall; and what has to be true of all of it.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::{CommentId, UserId};
use tidings_protocol::position::Seq;
use uuid::Uuid;

use super::reader::{FRAMING, FakeLine, Gone};
use crate::entry::{Change, Verb};
use crate::feed::table::{FeedTable, SlotId, Told};
use crate::hot_log::HotLog;
use crate::ports::Head;
use crate::sim::client::Client;
use crate::sim::model::{List, session_id};
use crate::testing::{Dice, EPOCH, post, user};

pub(super) const USERS: u64 = 6;
pub(super) const FAST: usize = usize::MAX;

pub(super) struct Session {
    pub(super) user: Option<UserId>,
    pub(super) number: u64,
    pub(super) slot: SlotId,
    pub(super) line: Rc<FakeLine>,
    pub(super) client: Client,
    pub(super) wants_home: bool,
    pub(super) wants_all: bool,
}

pub(super) struct World {
    pub(super) dice: Dice,
    pub(super) list: List,
    pub(super) table: FeedTable<Rc<FakeLine>>,
    pub(super) sessions: Vec<Session>,
    /// Clients that have lost the line and will come back.
    pub(super) away: Vec<(Option<UserId>, Client)>,
    pub(super) gone: Gone,
    pub(super) numbers: u64,
    pub(super) posts: u64,
    pub(super) overflows: u64,
    pub(super) resumed: usize,
    pub(super) restarted: usize,
    pub(super) recalled: usize,
    pub(super) forgotten: usize,
    pub(super) deliveries: u64,
}

fn comment_id(n: u64) -> CommentId {
    CommentId(Uuid::from_u64_pair(3, n))
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
        let (sessions, away, gone) = (Vec::new(), Vec::new(), Gone::default());
        let (numbers, posts, overflows, deliveries) = (0, 0, 0, 0);
        let (resumed, restarted, recalled, forgotten) = (0, 0, 0, 0);
        Self {
            dice,
            list,
            table,
            sessions,
            away,
            gone,
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

    /// Somebody does something that can be done.
    fn write(&mut self) {
        let (who, whom) = (self.anybody(), self.anybody());
        let state = &self.list.present;
        let posts: Vec<_> = state.posts.iter().filter(|(_, row)| !row.removed).collect();
        let comments: Vec<_> = state.comments.iter().filter(|(_, row)| !row.removed).collect();
        self.posts += 1;
        let fresh = Change::Post { verb: Verb::Created, id: post(self.posts), author: who };
        let mut parent = None;
        let change = match self.dice.below(20) {
            0 => Change::User { verb: Verb::Updated, id: who },
            1..3 => {
                let (follower, followee) = (who, whom);
                let on = state.follows.get(&(follower, followee)).is_some_and(|(_, on)| *on);
                let verb = if on { Verb::Removed } else { Verb::Created };
                if follower == followee { fresh } else { Change::Follow { verb, follower, followee } }
            }
            3..7 if !posts.is_empty() => {
                let (id, row) = posts[self.dice.index(posts.len())];
                let verb = if self.dice.percent(40) { Verb::Removed } else { Verb::Updated };
                Change::Post { verb, id: *id, author: row.author }
            }
            7..11 if !posts.is_empty() => {
                let (on, _) = posts[self.dice.index(posts.len())];
                let candidates: Vec<_> = comments.iter().filter(|(_, row)| row.post == Some(*on)).collect();
                if !candidates.is_empty() && self.dice.percent(60) {
                    parent = Some(*candidates[self.dice.index(candidates.len())].0);
                }
                Change::Comment { verb: Verb::Created, id: comment_id(self.posts), post: *on, author: who }
            }
            11..15 if !comments.is_empty() => {
                let (id, row) = comments[self.dice.index(comments.len())];
                let verb = if self.dice.percent(40) { Verb::Removed } else { Verb::Updated };
                Change::Comment { verb, id: *id, post: row.post.expect("of a comment"), author: row.author }
            }
            15 if self.dice.percent(10) => {
                let session = self.dice.percent(60).then(|| session_id(self.dice.below(self.numbers + 1)));
                Change::SessionRevoked { user: who, session }
            }
            _ => fresh,
        };
        self.list.write(change, parent);
    }

    /// The table applies what has been written, up to some entry.
    fn apply(&mut self, to: u64) {
        let late = self.dice.percent(30);
        let batch = Arc::new(self.list.batch(self.applied() + 1, to, late));
        let expected: Vec<BTreeSet<&str>> =
            self.sessions.iter().map(|session| self.told_by(&batch.entries, session)).collect();
        // Another batch seems to wait: some lines are left for later.
        let more = self.dice.percent(50);
        let left = self.table.apply(&batch, || more);
        if left && !more {
            self.sweeps();
        }
        for (session, expected) in self.sessions.iter().zip(expected) {
            let named = |told: &Told| match told {
                Told::CircleChanged => Some("circle changed"),
                Told::Revoked => Some("revoked"),
                Told::Beyond => None,
                Told::NewEpoch | Told::GoingAway => panic!("{told:?}"),
            };
            let told: BTreeSet<&str> = session.line.told.borrow().iter().filter_map(named).collect();
            assert_eq!(told, expected, "what session {} is told besides events", session.number);
        }
        for entry in &batch.entries {
            match entry.change {
                Change::Post { verb: Verb::Removed, id, .. } => self.gone.borrow_mut().insert(id.to_string()),
                Change::Comment { verb: Verb::Removed, id, .. } => self.gone.borrow_mut().insert(id.to_string()),
                Change::Post { .. }
                | Change::Comment { .. }
                | Change::User { .. }
                | Change::Follow { .. }
                | Change::SessionRevoked { .. } => continue,
            };
        }
        let counts = self.table.take_counts();
        self.overflows += counts.overflows;
        self.deliveries += counts.deliveries;
        self.hear_what_was_told();
    }

    fn sweeps(&mut self) {
        while self.table.sweep() {}
    }

    /// What a batch makes the table tell a session besides events.
    fn told_by(&self, entries: &[crate::entry::Entry], session: &Session) -> BTreeSet<&'static str> {
        let watches_home = self.table.feeds(&session.slot).contains(&FeedName::Home);
        let told = entries.iter().filter_map(|entry| match entry.change {
            Change::Follow { follower, .. } if session.user == Some(follower) && watches_home => Some("circle changed"),
            Change::SessionRevoked { user, session: which } if session.user == Some(user) => {
                which.is_none_or(|which| which == session_id(session.number)).then_some("revoked")
            }
            Change::Post { .. }
            | Change::Comment { .. }
            | Change::User { .. }
            | Change::Follow { .. }
            | Change::SessionRevoked { .. } => None,
        });
        told.collect()
    }

    fn hear_what_was_told(&mut self) {
        for at in (0..self.sessions.len()).rev() {
            let told = std::mem::take(&mut *self.sessions[at].line.told.borrow_mut());
            for told in told {
                match told {
                    Told::CircleChanged => self.sessions[at].wants_home = true,
                    Told::Beyond => self.sessions[at].wants_all = true,
                    Told::Revoked => {
                        let session = self.sessions.swap_remove(at);
                        self.table.leave(session.slot);
                        break;
                    }
                    Told::NewEpoch | Told::GoingAway => {}
                }
            }
        }
    }

    fn step(&mut self) {
        let many = if self.dice.percent(1) { self.dice.between(300, 700) } else { self.dice.below(6) };
        for _ in 0..many {
            self.write();
        }
        while self.applied() < self.list.head() && self.dice.percent(90) {
            let whole = self.dice.percent(50);
            let to = if whole { self.list.head() } else { self.dice.between(self.applied() + 1, self.list.head()) };
            self.apply(to);
        }
        if self.sessions.len() < 8 && self.dice.percent(20) {
            let user = self.dice.percent(85).then(|| self.anybody());
            let feeds = self.some_feeds(user.is_some());
            self.hello(user, Client::default(), feeds);
        }
        if self.dice.percent(30) {
            self.comes_back();
        }
        if self.sessions.is_empty() {
            return;
        }
        let at = self.dice.index(self.sessions.len());
        match self.dice.below(20) {
            0..8 => {
                let room = self.dice.one_of(&[0, 10, 1_000, 30_000, FAST]);
                self.takes(at, room);
            }
            8..11 => self.renew(at),
            11..13 => self.change_feeds(at),
            13..16 => self.loses_the_line(at),
            16 => {
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
        for _ in 0..3 {
            for at in 0..self.sessions.len() {
                self.takes(at, FAST);
                self.renew(at);
            }
        }
        let state = self.list.state(self.list.head());
        for session in &mut self.sessions {
            session.client.read(&session.line.read());
            assert!(session.line.outbox.borrow().is_empty() && session.line.wire.borrow().is_empty());
            assert!(!self.table.is_behind(&session.slot), "a wake-up was lost");
            let watched: BTreeSet<FeedName> = self.table.feeds(&session.slot).iter().copied().collect();
            assert_eq!(watched, session.client.feeds.keys().copied().collect());
            for feed in watched {
                session.client.check(feed, session.user, &state);
            }
        }
    }

    fn everybody_leaves(&mut self) {
        for session in self.sessions.drain(..) {
            self.table.leave(session.slot);
        }
        assert_eq!(self.table.sessions(), 0);
        assert!(self.table.index.is_empty() && self.table.viewer_of.is_empty() && self.table.viewers.is_empty());
    }
}

#[test]
fn p3_p4_p5_every_session_reaches_the_state_of_the_journal_whatever_its_line_does() {
    let (mut entries, mut deliveries, mut overflows, mut resumed, mut restarted) = (0, 0, 0, 0, 0);
    let (mut recalled, mut forgotten) = (0, 0);
    for seed in 0..16 {
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
    }
    println!(
        "{entries} entries, {deliveries} deliveries, {overflows} overflows, {resumed} resumed, {restarted} restarted, \
         {recalled} homes from memory, {forgotten} not"
    );
    assert!(overflows > 30 && resumed > 100, "the world has been too kind");
    assert!(recalled > 100 && forgotten > 30, "memory has not been tried both ways");
}
