//! What sessions do with the table: `hello`, resuming, fresh starts, catching up. As `session` does it, without the waiting.

use std::rc::Rc;

use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::{ListId, RequestId, UserId};
use tidings_protocol::limits::CATCH_UP_EVENTS;
use tidings_protocol::position::{Cursor, Seq};
use tidings_protocol::push::Notice;
use tidings_protocol::reply::Snapshot;

use super::reader::{FRAMING, FakeLine};
use super::script::tag;
use super::world::{FAST, Session, World};
use crate::feed::catch_up::CaughtUp;
use crate::feed::context::Afresh;
use crate::feed::forward::Forwarded;
use crate::feed::table::{Line, SlotId};
use crate::frame;
use crate::limits::OUTBOX_BYTES;
use crate::sim::client::{Client, newest_first};
use crate::sim::model::session_id;
use crate::testing::{EPOCH, post};

impl World {
    /// A snapshot as of some moment the table has reached, brought forward; again if that does not work out. None: no such feed.
    fn start(&mut self, slot: &SlotId, viewer: Option<UserId>, feed: FeedName) -> Option<Snapshot> {
        let limit = self.dice.one_of(&[1, 2, 5, 1_000]);
        if matches!(feed, FeedName::User(user) if self.table.is_apart(slot, user)) {
            return None;
        }
        if feed == FeedName::Home && self.dice.percent(60) {
            if let Some(snapshot) = self.table.recall(slot, u16::try_from(limit).expect("a page's limit")) {
                self.recalled += 1;
                self.examine_recalled(&snapshot, viewer, limit);
                return Some(snapshot);
            }
            self.forgotten += 1;
        }
        let mut at = self.lately(30);
        loop {
            let found = self.list.state(at).snapshot(at, viewer, feed, limit);
            let Some(mut snapshot) = found else {
                if at < self.applied() {
                    at = self.applied();
                    continue;
                }
                return None;
            };
            match self.table.forward(slot, &mut snapshot) {
                Forwarded::Exact => {
                    assert_eq!(snapshot.seq, self.table.applied());
                    let mut client = Client::default();
                    client.start(&snapshot);
                    self.oracle.examine_snapshot(viewer, &snapshot, || self.list.state(snapshot.seq.0));
                    assert!(newest_first(&snapshot), "{snapshot:?}");
                    // A sparse batch leaves out what has changed again since: the state is whole once that is applied too.
                    if self.applied() == self.list.head() {
                        client.check(feed, viewer, &self.list.present);
                    }
                    return Some(snapshot);
                }
                Forwarded::Gone => return None,
                Forwarded::Stale => {
                    assert!(at < self.applied(), "a fresh snapshot is never stale");
                    at = self.applied();
                }
            }
        }
    }

    /// A page from memory is the page the journal says; but for a moment amid a sparse batch, which leaves out what has changed again since.
    fn examine_recalled(&mut self, snapshot: &Snapshot, viewer: Option<UserId>, limit: usize) {
        self.oracle.examine_snapshot(viewer, snapshot, || self.list.state(snapshot.seq.0));
        assert_eq!(snapshot.seq, self.table.applied());
        assert!(newest_first(snapshot), "{snapshot:?}");
        if self.applied() == self.list.head() {
            let expected = self.list.present.snapshot(self.applied(), viewer, FeedName::Home, limit);
            let expected = expected.expect("a viewer has a home");
            assert_eq!(snapshot.posts, expected.posts, "limit {limit}");
            assert_eq!(snapshot.next, expected.next);
        }
    }

    pub(super) fn some_feeds(&mut self, logged_in: bool) -> Vec<FeedName> {
        let posts: Vec<_> = self.list.present.posts.keys().copied().collect();
        let some_post = if posts.is_empty() || self.dice.percent(5) { post(0) } else { self.one_of(&posts) };
        let some_user = self.anybody();
        let mut feeds = vec![FeedName::Global, FeedName::User(some_user), FeedName::Post(some_post)];
        feeds.push(FeedName::Tag(tag(self.dice.below(3))));
        if logged_in {
            feeds.extend([FeedName::Home, FeedName::Me]);
        }
        // Mostly somebody else's: there is no such feed then.
        let lists: Vec<ListId> = self.list.present.lists.keys().copied().collect();
        feeds.extend((0..2).filter(|_| !lists.is_empty()).map(|_| FeedName::List(self.dice.one_of(&lists))));
        feeds.retain(|_| self.dice.percent(60));
        feeds
    }

    /// As `hello`: with the client of an earlier connection it goes on from its cursor.
    pub(super) fn hello(&mut self, user: Option<UserId>, mut client: Client, feeds: Vec<FeedName>) {
        self.numbers += 1;
        let number = self.numbers;
        let room = if self.is_fast || self.dice.percent(50) { FAST } else { 500 };
        let line = FakeLine::of(user, room, &self.oracle.queue);
        if room != FAST && self.dice.percent(60) {
            // Something large and old that a slow reader has not taken yet, so that it soon falls behind.
            line.keep(vec![b'\n'; OUTBOX_BYTES - 10_000].into());
        }
        let mut at = self.lately(20);
        let slot = loop {
            let viewer = user.map(|user| (self.list.state(at).viewer(at, user, true), session_id(number)));
            match self.table.join(Rc::clone(&line), viewer) {
                Ok(slot) => break slot,
                Err(_) if at < self.applied() => at = self.applied(),
                Err(error) => panic!("{error:?} with a fresh look-up"),
            }
        };
        client.connects();
        let cursor = client.cursor.map(|cursor| cursor.seq.0);
        let mut feeds = feeds;
        let (backlog, fresh) = self.resumable(&slot, user, &mut feeds, cursor);
        client.feeds.retain(|feed, _| feeds.contains(feed));
        for feed in &fresh {
            match self.start(&slot, user, *feed) {
                Some(snapshot) => line.keep(frame::result(FRAMING, RequestId(1), snapshot)),
                None => {
                    feeds.retain(|there| there != feed);
                    client.feeds.remove(feed);
                }
            }
        }
        let whole = backlog.is_none();
        for feed in feeds {
            client.feeds.entry(feed).or_default();
            self.table.subscribe(&slot, feed);
        }
        let mut session = Session { user, number, slot, line, client, wants: None, wants_all: false };
        match backlog {
            None => self.heartbeat(&session),
            Some((entries, from)) => {
                self.table.fall_back(&session.slot, entries, Seq(from));
                let caught_up = self.table.catch_up(&session.slot);
                self.caught_up(&mut session, caught_up);
            }
        }
        session.line.flush();
        if whole {
            self.restarted += 1
        } else {
            self.resumed += 1
        }
        self.sessions.push(session);
    }

    /// What comes before the hot log and where that takes over, and which feeds start afresh; without the former all of them do. Takes those
    /// out of `feeds` that are refused.
    fn resumable(
        &mut self,
        slot: &SlotId,
        viewer: Option<UserId>,
        feeds: &mut Vec<FeedName>,
        cursor: Option<u64>,
    ) -> (Option<(Vec<crate::entry::Entry>, u64)>, Vec<FeedName>) {
        let Some(cursor) = cursor else { return (None, feeds.to_vec()) };
        if self.table.reaches(slot, feeds, Seq(cursor)) && self.dice.percent(60) {
            // As `Reads::hidden`.
            let state = self.list.state(self.applied());
            feeds.retain(|feed| match feed {
                FeedName::Post(_) => state.is_open(*feed, viewer),
                FeedName::User(user) => !self.table.is_apart(slot, *user),
                FeedName::Mod => false,
                FeedName::List(list) => self.table.has_list(slot, *list),
                FeedName::Home
                | FeedName::Global
                | FeedName::Notifications
                | FeedName::Me
                | FeedName::Firehose
                | FeedName::Tag(_) => true,
            });
            return (Some((Vec::new(), cursor)), Vec::new());
        }
        let at = self.lately((self.applied() + 1 - cursor).clamp(1, 20));
        let (entries, restart) = self.list.missed(viewer, feeds, cursor, at);
        let going_on: Vec<FeedName> = feeds.iter().copied().filter(|feed| !restart.contains(feed)).collect();
        if entries.len() > CATCH_UP_EVENTS || !self.table.reaches(slot, &going_on, Seq(at + 1)) {
            return (None, feeds.to_vec());
        }
        (Some((entries, at + 1)), restart)
    }

    pub(super) fn heartbeat(&self, session: &Session) {
        let seq = self.table.position(&session.slot).expect("there is one epoch in this world");
        let cursor = Cursor { epoch: EPOCH, seq };
        session.line.keep(frame::message(FRAMING, &Notice::Heartbeat { cursor }));
        session.line.flush();
    }

    pub(super) fn caught_up(&self, session: &mut Session, caught_up: CaughtUp) {
        match caught_up {
            CaughtUp::Live => self.heartbeat(session),
            // For the reader, or for its fresh home.
            CaughtUp::Waiting => {
                let told = !session.line.told.borrow().is_empty();
                assert!(session.line.full.get() || session.wants.is_some() || told, "nobody will wake it");
            }
            CaughtUp::Beyond => session.wants_all = true,
        }
    }

    /// Fresh starts that are wanted, as events, where the reader stands; then it goes on from there.
    pub(super) fn renew(&mut self, at: usize) {
        let mut session = self.sessions.remove(at);
        // Of two changes that are told one after the other, the fresh start for the first may be told before the second is heard of.
        let all = session.wants_all;
        if let Some(afresh) = session.wants.or(all.then_some(Afresh::Circle)) {
            let less = self.dice.one_of(&[Afresh::Lists, Afresh::Circle]);
            let afresh = if !all && self.dice.percent(30) { less } else { afresh };
            let applied = self.table.applied();
            let at = self.table.position(&session.slot).expect("there is one epoch in this world").next().min(applied);
            let watched = self.table.feeds(&session.slot).to_vec();
            for feed in watched.into_iter().filter(|feed| all || afresh.touches(*feed)) {
                let snapshot = self.start(&session.slot, session.user, feed);
                if snapshot.is_some() {
                    self.table.subscribe(&session.slot, feed);
                } else {
                    self.table.unsubscribe(&session.slot, feed);
                }
                let snapshot = snapshot.unwrap_or_else(|| Snapshot::empty(feed, applied));
                session.line.keep(frame::resync(FRAMING, &snapshot, at));
            }
            if all {
                self.table.skip_to_now(&session.slot);
            } else {
                self.table.release(&session.slot, afresh);
            }
            let done = all || session.wants <= Some(afresh);
            (session.wants, session.wants_all) = (session.wants.filter(|_| !done), false);
            let caught_up = self.table.catch_up(&session.slot);
            session.line.flush();
            self.caught_up(&mut session, caught_up);
        }
        self.sessions.insert(at, session);
    }

    pub(super) fn change_feeds(&mut self, at: usize) {
        let mut session = self.sessions.remove(at);
        for feed in self.some_feeds(session.user.is_some()) {
            if self.dice.percent(50) {
                let Some(snapshot) = self.start(&session.slot, session.user, feed) else { continue };
                session.line.keep(frame::result(FRAMING, RequestId(1), snapshot));
                self.table.subscribe(&session.slot, feed);
            } else if session.line.outbox.borrow().is_empty() && self.table.unsubscribe(&session.slot, feed) {
                session.client.read(&session.line.read());
                session.client.feeds.remove(&feed);
            }
        }
        session.line.flush();
        self.sessions.insert(at, session);
    }

    /// The reader takes some. Only a socket that was full and has taken everything tells the session.
    pub(super) fn takes(&mut self, at: usize, room: usize) {
        let mut session = self.sessions.remove(at);
        session.line.room.set(room);
        session.line.flush();
        while session.line.outbox.borrow().is_empty() && session.line.full.replace(false) {
            if self.table.is_behind(&session.slot) {
                let caught_up = self.table.catch_up(&session.slot);
                self.caught_up(&mut session, caught_up);
            }
        }
        session.client.read(&session.line.read());
        self.sessions.insert(at, session);
    }

    pub(super) fn loses_the_line(&mut self, at: usize) {
        let mut session = self.sessions.swap_remove(at);
        session.client.read(&session.line.read());
        self.table.leave(session.slot);
        self.away.push((session.user, session.client));
    }

    /// Somebody who was away comes back, on a new connection.
    pub(super) fn comes_back(&mut self) {
        if self.away.is_empty() {
            return;
        }
        let at = self.dice.index(self.away.len());
        let (user, client) = self.away.swap_remove(at);
        let feeds: Vec<FeedName> = client.feeds.keys().copied().collect();
        self.hello(user, client, feeds);
    }
}
