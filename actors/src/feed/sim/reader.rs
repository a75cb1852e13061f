//! The far end of a line: a socket that takes what it likes, and a client that keeps what PROTOCOL.md tells it to keep.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::io::IoSlice;
use std::rc::Rc;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use tidings_protocol::entity::{Comment, Follow, Post, Removed, User};
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::{PostId, UserId};
use tidings_protocol::position::{Cursor, Seq};
use tidings_protocol::reply::Snapshot;
use uuid::Uuid;

use super::model::State;
use crate::feed::table::{Line, Told};
use crate::frame::Framing;
use crate::outbox::{Outbox, Pushed};

/// One message a line.
pub(super) const FRAMING: Framing =
    Framing { text: |payload| [payload, b"\n"].concat().into(), ping: Bytes::new, close: |_| Bytes::new() };

/// Ids of what has been removed, as far as the table has applied.
pub(super) type Gone = Rc<RefCell<BTreeSet<String>>>;

/// A line over the real outbox and a socket that takes `room` bytes, in odd pieces.
#[derive(Default)]
pub(super) struct FakeLine {
    pub(super) outbox: RefCell<Outbox>,
    pub(super) room: Cell<usize>,
    pub(super) wire: RefCell<Vec<u8>>,
    pub(super) told: RefCell<Vec<Told>>,
    /// The socket did not take everything; whoever waits for it to do so has been told.
    pub(super) full: Cell<bool>,
    pub(super) pushes: Cell<usize>,
    pub(super) gone: Gone,
}

impl FakeLine {
    pub(super) fn of(room: usize, gone: &Gone) -> Rc<Self> {
        Rc::new(Self { room: Cell::new(room), gone: Rc::clone(gone), ..Self::default() })
    }

    pub(super) fn keep(&self, frame: Bytes) {
        self.outbox.borrow_mut().keep(frame);
    }

    /// P5: what is gone is not told again.
    fn check(&self, frame: &[u8]) {
        let text = std::str::from_utf8(frame).expect("text");
        let after = |mark: &str| text.find(mark).map(|at| &text[at + mark.len()..][..36]);
        let living = ["post.created", "post.updated", "comment.created", "comment.updated"];
        if living.iter().any(|event| text.contains(&format!("\"event\":\"{event}\""))) {
            let ids = [after("\"data\":{\"id\":\""), after("\"post\":\"")];
            let gone = self.gone.borrow();
            assert!(!ids.into_iter().flatten().any(|id| gone.contains(id)), "told again after its removal: {text}");
        }
    }
}

impl Line for Rc<FakeLine> {
    fn push(&self, frame: Bytes, seq: Seq) -> Pushed {
        self.check(&frame);
        self.pushes.set(self.pushes.get() + 1);
        self.outbox.borrow_mut().push(frame, seq)
    }

    fn flush(&self) {
        let mut outbox = self.outbox.borrow_mut();
        while !outbox.is_empty() {
            let mut slices = [IoSlice::new(&[]); 5];
            let filled = outbox.gather(&mut slices);
            let offered: usize = slices[..filled].iter().map(|slice| slice.len()).sum();
            let taken = offered.min(self.room.get()).min(9_777);
            if taken == 0 {
                self.full.set(true);
                return;
            }
            if self.room.get() != usize::MAX {
                self.room.set(self.room.get() - taken);
            }
            let mut left = taken;
            for slice in &slices[..filled] {
                let part = left.min(slice.len());
                self.wire.borrow_mut().extend_from_slice(&slice[..part]);
                left -= part;
            }
            outbox.advance(taken);
        }
        outbox.relax();
    }

    fn has_room(&self) -> bool {
        self.outbox.borrow().has_room_for_catch_up()
    }

    fn tell(&self, told: Told) {
        self.told.borrow_mut().push(told);
    }
}

/// An entity as a client holds it: its last change, its place, and whether it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Held {
    rev: u64,
    seq: u64,
    there: bool,
}

/// One feed as a client holds it.
#[derive(Clone, Debug, Default)]
pub(super) struct FeedHeld {
    things: BTreeMap<(&'static str, Uuid), Held>,
    /// Older entities than this are not asked for.
    whole_from: u64,
}

/// A client.
#[derive(Debug, Default)]
pub(super) struct Client {
    pub(super) feeds: BTreeMap<FeedName, FeedHeld>,
    people: BTreeMap<UserId, u64>,
    pub(super) cursor: Option<u64>,
    last_seq: u64,
}

#[derive(Deserialize)]
struct Message<'a> {
    feed: Option<FeedName>,
    seq: Option<Seq>,
    event: Option<&'a str>,
    cursor: Option<Cursor>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    result: Option<Snapshot>,
}

impl Client {
    /// Reads whole messages off the wire.
    pub(super) fn read(&mut self, line: &FakeLine) {
        let mut wire = line.wire.borrow_mut();
        let whole = wire.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let read: Vec<u8> = wire.drain(..whole).collect();
        for text in std::str::from_utf8(&read).expect("text").lines().filter(|line| !line.is_empty()) {
            self.take(serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}")));
        }
    }

    /// A new connection begins.
    pub(super) fn connects(&mut self) {
        self.last_seq = 0;
    }

    fn take(&mut self, message: Message<'_>) {
        if let Some(snapshot) = message.result {
            return self.start(&snapshot);
        }
        if let Some(cursor) = message.cursor {
            // Of the entry at the cursor, not all feeds may have been told: then a heartbeat says the one before.
            assert!(self.cursor.is_none_or(|had| had <= cursor.seq.0 + 1), "the cursor went back");
            self.cursor = Some(cursor.seq.0);
            return;
        }
        let (feed, seq) = (message.feed.expect("a push"), message.seq.expect("a push").0);
        let (event, data) = (message.event.expect("a push"), message.data.expect("a push").get());
        assert!(seq >= self.last_seq, "seq went back from {} to {seq}", self.last_seq);
        self.last_seq = seq;
        self.cursor = Some(seq);
        match event {
            "post.created" | "post.updated" => self.post(feed, &read(data)),
            "comment.created" | "comment.updated" => self.comment(feed, &read(data)),
            "post.removed" | "comment.removed" => {
                let removed: Removed = read(data);
                let kind = if event == "post.removed" { "post" } else { "comment" };
                self.put(feed, kind, removed.id, removed.rev, None, false);
                if feed == FeedName::Post(PostId(removed.id)) {
                    let held = self.feeds.get_mut(&feed);
                    held.into_iter().for_each(|held| held.things.retain(|(kind, _), _| *kind != "comment"));
                }
            }
            "user.updated" => self.user(feed, &read(data)),
            "follow.created" | "follow.removed" => {
                let follow: Follow = read(data);
                self.put(feed, "follow", follow.followee.0, follow.rev, None, event == "follow.created");
            }
            "feed.resync" => self.start(&read(data)),
            _ => panic!("unknown event {event}"),
        }
    }

    fn put(&mut self, feed: FeedName, kind: &'static str, id: Uuid, rev: Seq, seq: Option<Seq>, there: bool) {
        // What comes of a feed that was given up meanwhile is dropped.
        let Some(held) = self.feeds.get_mut(&feed) else { return };
        let had = held.things.get(&(kind, id));
        if had.is_none_or(|had| had.rev < rev.0) {
            let seq = seq.map_or_else(|| had.map_or(0, |had| had.seq), |seq| seq.0);
            held.things.insert((kind, id), Held { rev: rev.0, seq, there });
        }
    }

    fn person(&mut self, id: UserId, rev: Seq, name: &str) {
        assert_eq!(name, format!("name {rev}"));
        let had = self.people.entry(id).or_default();
        *had = rev.0.max(*had);
    }

    fn post(&mut self, feed: FeedName, post: &Post) {
        assert_eq!(post.text, format!("text {}", post.rev));
        self.person(post.author.id, post.author.rev, &post.author.name);
        self.put(feed, "post", post.id.0, post.rev, Some(post.seq), true);
    }

    fn comment(&mut self, feed: FeedName, comment: &Comment) {
        if !comment.removed {
            assert_eq!(comment.text, Some(format!("text {}", comment.rev)));
        }
        assert_eq!((comment.text.is_none(), comment.author.is_none()), (comment.removed, comment.removed));
        self.put(feed, "comment", comment.id.0, comment.rev, Some(comment.seq), !comment.removed);
    }

    fn user(&mut self, feed: FeedName, user: &User) {
        self.person(user.id, user.rev, &user.name);
        if feed != FeedName::Home {
            self.put(feed, "user", user.id.0, user.rev, Some(Seq(0)), true);
        }
    }

    /// A feed starts afresh.
    pub(super) fn start(&mut self, snapshot: &Snapshot) {
        let feed = snapshot.feed;
        let whole_from = snapshot.next.map_or(0, |next| next.seq.0);
        self.feeds.insert(feed, FeedHeld { whole_from, ..FeedHeld::default() });
        for post in snapshot.posts.iter().flatten().chain(&snapshot.post) {
            self.post(feed, post);
        }
        for comment in snapshot.comments.iter().flatten() {
            self.comment(feed, comment);
        }
        if let Some(user) = &snapshot.user {
            self.user(feed, user);
        }
        for followee in snapshot.follows.iter().flatten() {
            self.put(feed, "follow", followee.0, Seq(0), None, true);
        }
        let places = snapshot.posts.iter().flatten().map(|post| post.seq);
        assert!(places.is_sorted_by(|a, b| a > b), "newest first");
    }

    /// P4: what a client holds of a feed is what the journal says.
    pub(super) fn check(&self, feed: FeedName, viewer: Option<UserId>, state: &State) {
        let held = &self.feeds[&feed];
        let mut truth = BTreeMap::new();
        for (id, row) in state.posts_of(feed, viewer) {
            truth.insert(("post", id.0), Held { rev: row.rev, seq: row.seq, there: true });
            if matches!(feed, FeedName::Home | FeedName::User(_)) && row.seq >= held.whole_from {
                let known = self.people.get(&row.author);
                assert_eq!(known, state.users.get(&row.author), "an author's name in {feed}");
            }
        }
        if let FeedName::Post(post) = feed {
            for (id, row) in state.comments_of(post) {
                let there = !row.removed;
                truth.insert(("comment", id.0), Held { rev: row.rev, seq: row.seq, there });
            }
        }
        if let FeedName::User(user) = feed {
            truth.insert(("user", user.0), Held { rev: state.users[&user], seq: 0, there: true });
        }
        if let (FeedName::Me, Some(viewer)) = (feed, viewer) {
            truth.insert(("user", viewer.0), Held { rev: state.users[&viewer], seq: 0, there: true });
            for followee in state.follows_of(viewer) {
                truth.insert(("follow", followee.0), Held { rev: 0, seq: 0, there: true });
            }
        }
        for (thing, true_held) in &truth {
            let exempt = true_held.seq < held.whole_from
                && thing.0 != "user"
                && !matches!(feed, FeedName::Post(post) if thing.1 == post.0);
            let holds = held.things.get(thing);
            match holds {
                Some(holds) if thing.0 == "follow" => assert!(holds.there, "{feed} {thing:?}"),
                Some(holds) => {
                    assert_eq!((holds.rev, holds.there), (true_held.rev, true_held.there), "{feed} {thing:?}");
                }
                None => assert!(exempt, "{feed} has no {thing:?} {true_held:?}"),
            }
        }
        for (thing, holds) in &held.things {
            assert!(!holds.there || truth.contains_key(thing), "{feed} still has {thing:?} {holds:?}");
        }
    }
}

fn read<'a, T: Deserialize<'a>>(data: &'a str) -> T {
    serde_json::from_str(data).unwrap_or_else(|error| panic!("{error}: {data}"))
}
