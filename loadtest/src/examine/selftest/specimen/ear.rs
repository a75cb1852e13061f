//! How the toy's clients connect and what they are sent: live, catching up, afresh.
//! Must never send what the protocol does not promise.

use std::collections::BTreeSet;

use rand::RngExt as _;
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::{PostId, UserId};
use tidings_protocol::position::{Cursor, Seq};
use tidings_protocol::push::EventName;
use uuid::Uuid;

use super::{Entry, PAGE, World};
use crate::examine::history::{Op, Seen, Thing, What};

impl World {
    pub(super) fn heartbeat(&mut self, client: u32) {
        let told = &self.clients[client as usize];
        let (Some(connection), false) = (told.connection, told.asleep) else { return };
        let (notice, cursor) = ("heartbeat".to_owned(), self.head());
        self.clients[client as usize].position = cursor;
        self.note(Some(client), What::Position { connection, notice, cursor });
    }

    pub(super) fn tell(&mut self, client: u32, entry: Entry) {
        let told = &self.clients[client as usize];
        let (Some(connection), false, owner) = (told.connection, told.asleep, told.owner) else { return };
        let circle = matches!(entry.done.thing, Thing::Follow(follower, _) if follower == owner);
        if circle && told.feeds.contains(&FeedName::Home) {
            // Nothing more is heard until `home` has been read afresh, which may take a while.
            self.clients[client as usize].asleep = true;
            if self.rng.random() {
                self.wake(client);
            }
            return;
        }
        let feeds: Vec<FeedName> =
            told.feeds.iter().copied().filter(|feed| self.belongs(*feed, owner, &entry.shown)).collect();
        // A queue that is full in the middle of an entry: the whole of it comes again.
        if feeds.len() > 1 && self.rng.random_ratio(1, 10) {
            let part = self.rng.random_range(1..feeds.len());
            for feed in feeds.iter().take(part) {
                self.event(client, connection, *feed, entry.done);
            }
        }
        for feed in feeds {
            self.event(client, connection, feed, entry.done);
        }
    }

    fn event(&mut self, client: u32, connection: u64, feed: FeedName, seen: Seen) {
        let (event, epoch) = (EventName::PostUpdated, self.epoch);
        self.clients[client as usize].position.seq = Seq(seen.rev);
        self.note(Some(client), What::Event { connection, epoch, feed, seq: seen.rev, event, seen });
    }

    fn belongs(&self, feed: FeedName, viewer: Uuid, seen: &Seen) -> bool {
        let Some(author) = seen.author else { return false };
        let follows = self.things.get(&Thing::Follow(viewer, author)).is_some_and(|pair| !pair.gone);
        match feed {
            FeedName::Global => matches!(seen.thing, Thing::Post(_)),
            FeedName::Home => matches!(seen.thing, Thing::Post(_) | Thing::User(_)) && (author == viewer || follows),
            FeedName::Me => matches!(seen.thing, Thing::User(_) | Thing::Follow(..)) && author == viewer,
            FeedName::User(id) => matches!(seen.thing, Thing::Post(_) | Thing::User(_)) && author == id.0,
            FeedName::Post(id) => seen.thing == Thing::Post(id.0) || seen.on == Some(id.0),
            FeedName::Tag(_) | FeedName::List(_) | FeedName::Notifications | FeedName::Mod | FeedName::Firehose => {
                false
            }
        }
    }

    pub(super) fn snapshot(&mut self, client: u32, feed: FeedName, request: Option<u64>) {
        let told = &self.clients[client as usize];
        let (Some(connection), owner) = (told.connection, told.owner) else { return };
        let shown = |seen: &&Seen| !seen.gone && self.belongs(feed, owner, seen);
        let mut members: Vec<Seen> = self.things.values().filter(shown).copied().collect();
        members.retain(|seen| feed != FeedName::Home || seen.place.is_some());
        for seen in &mut members {
            if matches!(seen.thing, Thing::Follow(..)) {
                seen.rev = 0;
            }
        }
        members.sort_by_key(|seen| std::cmp::Reverse(seen.place.unwrap_or(u64::MAX)));
        let complete = members.len() <= PAGE || matches!(feed, FeedName::Post(_) | FeedName::Me);
        if !complete {
            members.truncate(PAGE);
        }
        let seq = self.seq;
        self.note(Some(client), What::Snapshot { connection, request, feed, seq, members, complete });
    }

    /// The present state of what has changed from an entry on, each thing once, the older first.
    fn missed(&self, from: u64) -> Vec<Entry> {
        let (mut had, mut removed) = (BTreeSet::new(), BTreeSet::new());
        let mut missed = Vec::new();
        for entry in self.log.iter().rev().take_while(|entry| entry.done.rev >= from) {
            if let (Thing::Post(post), true) = (entry.done.thing, entry.done.gone) {
                removed.insert(post);
            }
            if entry.done.on.is_none_or(|post| !removed.contains(&post)) && had.insert(entry.done.thing) {
                missed.push(*entry);
            }
        }
        missed.reverse();
        missed
    }

    fn catch_up(&mut self, client: u32, from: u64, feeds: &[FeedName]) {
        let told = &self.clients[client as usize];
        let (Some(connection), owner) = (told.connection, told.owner) else { return };
        for entry in self.missed(from) {
            for feed in feeds {
                if self.belongs(*feed, owner, &entry.shown) {
                    self.event(client, connection, *feed, entry.done);
                }
            }
        }
        self.heartbeat(client);
    }

    fn circle_changed(&self, owner: Uuid, from: u64) -> bool {
        let since = self.log.iter().rev().take_while(|entry| entry.done.rev >= from);
        since.into_iter().any(|entry| matches!(entry.done.thing, Thing::Follow(follower, _) if follower == owner))
    }

    /// Reads on, or hears on.
    pub(super) fn wake(&mut self, client: u32) {
        let told = &mut self.clients[client as usize];
        if told.connection.is_none() || !std::mem::take(&mut told.asleep) {
            return;
        }
        let (owner, from) = (told.owner, told.position.seq.0 + 1);
        let feeds: Vec<FeedName> = told.feeds.iter().copied().collect();
        if self.rng.random_ratio(1, 5) {
            // Too far behind: everything starts afresh.
            for feed in feeds {
                self.snapshot(client, feed, None);
            }
            return self.heartbeat(client);
        }
        if feeds.contains(&FeedName::Home) && self.circle_changed(owner, from) {
            self.snapshot(client, FeedName::Home, None);
        }
        self.catch_up(client, from, &feeds);
    }

    /// Does not read for a while: what comes later is told when it reads on.
    pub(super) fn stall(&mut self, client: u32) {
        let told = &mut self.clients[client as usize];
        if let (Some(connection), false) = (told.connection, std::mem::replace(&mut told.asleep, true)) {
            self.note(Some(client), What::Stalled { connection, length: 200_000 });
        }
    }

    /// Comes back: what has changed since the cursor, and the entry at the cursor again.
    pub(super) fn connect(&mut self, client: u32) {
        let (connection, head) = (self.number(), self.head());
        let told = &mut self.clients[client as usize];
        let (login, owner, given) = (told.login, told.owner, told.position);
        (told.connection, told.asleep) = (Some(connection), false);
        let feeds: Vec<FeedName> = told.feeds.iter().copied().collect();
        let given = (!std::mem::replace(&mut told.fresh, false)).then_some(given);
        // The same life, and not for too long.
        let since = given.filter(|given| given.epoch == head.epoch && head.seq.0 - given.seq.0 < 40);
        let from = since.map_or(0, |since| since.seq.0);
        let circle = self.circle_changed(owner, from);
        let goes_on = |feed: &&FeedName| since.is_some() && !(**feed == FeedName::Home && circle);
        let live: Vec<FeedName> = feeds.iter().filter(goes_on).copied().collect();
        let request = self.invoke(client, Op::Hello);
        let (resumed, node, refused) = (live.len() == feeds.len(), 0, Vec::new());
        let position = since.filter(|_| !live.is_empty()).unwrap_or(head);
        let (cursor, live_now) = (given, live.clone());
        self.note(
            Some(client),
            What::Connected { connection, login, node, cursor, position, resumed, live: live_now, refused },
        );
        self.note(Some(client), What::Ok { request, seq: None, duplicate: false, seen: None });
        for feed in feeds.iter().filter(|feed| !live.contains(feed)) {
            self.snapshot(client, *feed, Some(request));
        }
        self.clients[client as usize].position = Cursor { seq: position.seq, ..head };
        self.catch_up(client, from, &live);
    }

    pub(super) fn hang_up(&mut self, client: u32) {
        if let Some(connection) = self.clients[client as usize].connection.take() {
            self.note(Some(client), What::Closed { connection, code: None, ours: true });
        }
    }

    pub(super) fn watch(&mut self, client: u32) {
        if self.clients[client as usize].asleep {
            return;
        }
        let someone = self.people[self.rng.random_range(0..self.people.len())];
        let post = self.own(someone, |thing| matches!(thing, Thing::Post(_)));
        let feed = match post.map(|seen| seen.thing) {
            Some(Thing::Post(id)) if self.rng.random() => FeedName::Post(PostId(id)),
            _ => FeedName::User(UserId(someone)),
        };
        let request = self.invoke(client, Op::Watch(feed));
        self.clients[client as usize].feeds.insert(feed);
        self.note(Some(client), What::Ok { request, seq: None, duplicate: false, seen: None });
        self.snapshot(client, feed, Some(request));
    }

    pub(super) fn unwatch(&mut self, client: u32) {
        let Some(feed) = self.clients[client as usize].feeds.last().copied().filter(|feed| *feed > FeedName::Me) else {
            return;
        };
        let request = self.invoke(client, Op::Unwatch(feed));
        self.clients[client as usize].feeds.remove(&feed);
        self.note(Some(client), What::Ok { request, seq: None, duplicate: false, seen: None });
    }

    pub(super) fn read(&mut self, client: u32) {
        let owner = self.clients[client as usize].owner;
        if let Some(seen) = self.own(owner, |thing| matches!(thing, Thing::Post(_))) {
            let request = self.invoke(client, Op::Read(seen.thing));
            self.note(Some(client), What::Ok { request, seq: None, duplicate: false, seen: Some(seen) });
        }
    }

    pub(super) fn log_out(&mut self, client: u32) {
        let login = self.clients[client as usize].login;
        let request = self.invoke(client, Op::LogOut(login));
        self.note(Some(client), What::Ok { request, seq: None, duplicate: false, seen: None });
        if let Some(connection) = self.clients[client as usize].connection.take() {
            self.note(Some(client), What::Closed { connection, code: Some(4402), ours: false });
        }
        self.clients[client as usize].login = self.number();
        self.connect(client);
    }
}
