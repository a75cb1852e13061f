//! A client that keeps what PROTOCOL.md tells it to keep, by the `rev` rule and the cursor rule, and nothing else.
//! What it holds can be compared with the journal at any time.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::value::RawValue;
use tidings_protocol::entity::{Block, Comment, Follow, List, ListMember, Mute, Post, Removed, User};
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::{CommentId, ListId, PostId, UserId};
use tidings_protocol::position::{Cursor, Epoch, Seq};
use tidings_protocol::reply::Snapshot;
use uuid::Uuid;

use super::model::{Row, State};
use crate::testing::EPOCH;

/// An entity as a client holds it: its last change, its place, and whether it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Held {
    rev: u64,
    seq: u64,
    there: bool,
}

/// Whether a snapshot's posts are in their order.
pub(crate) fn newest_first(snapshot: &Snapshot) -> bool {
    snapshot.posts.iter().flatten().map(|post| post.seq).is_sorted_by(|a, b| a > b)
}

/// What kind of thing an entity is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Post,
    Comment,
    User,
    Follow,
    Block,
    Mute,
    List,
}

/// One feed as a client holds it.
#[derive(Clone, Debug, Default)]
pub(crate) struct FeedHeld {
    things: BTreeMap<(Kind, Uuid), Held>,
    /// Older entities than this are not asked for.
    whole_from: u64,
}

/// A client.
#[derive(Debug, Default)]
pub(crate) struct Client {
    pub(crate) feeds: BTreeMap<FeedName, FeedHeld>,
    /// Feeds that are over, by what was said on them, and have not begun again since.
    pub(crate) over: BTreeSet<FeedName>,
    people: BTreeMap<UserId, u64>,
    pub(crate) cursor: Option<Cursor>,
    last_seq: u64,
}

/// Anything a server says.
#[derive(Deserialize)]
pub(crate) struct Message<'a> {
    /// Of an answer.
    pub(crate) id: Option<u64>,
    #[serde(borrow)]
    pub(crate) error: Option<&'a RawValue>,
    pub(crate) feed: Option<FeedName>,
    pub(crate) seq: Option<Seq>,
    pub(crate) event: Option<&'a str>,
    pub(crate) cursor: Option<Cursor>,
    #[serde(borrow)]
    pub(crate) data: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) result: Option<&'a RawValue>,
}

impl Client {
    /// Reads whole messages, one a line; every answer is a snapshot.
    pub(crate) fn read(&mut self, messages: &[u8]) {
        for text in std::str::from_utf8(messages).expect("text").lines().filter(|line| !line.is_empty()) {
            let message: Message<'_> = read(text);
            match message.result {
                Some(snapshot) => self.start(&read(snapshot.get())),
                None => self.take(&message),
            }
        }
    }

    /// A new connection begins.
    pub(crate) fn connects(&mut self) {
        self.last_seq = 0;
        self.over.clear();
    }

    /// The journal began a new life: cursors and `rev`s of the old one say nothing any more.
    pub(crate) fn forgets(&mut self) {
        self.people.clear();
        self.feeds.values_mut().for_each(|held| *held = FeedHeld::default());
        self.last_seq = 0;
    }

    fn epoch(&self) -> Epoch {
        self.cursor.map_or(EPOCH, |cursor| cursor.epoch)
    }

    /// Takes a push or a notice in.
    pub(crate) fn take(&mut self, message: &Message<'_>) {
        if let Some(cursor) = message.cursor {
            if message.event == Some("resync") {
                self.forgets();
            } else if let Some(had) = self.cursor {
                assert_eq!(had.epoch, cursor.epoch, "a new epoch that was not announced");
                // Of the entry at the cursor, not all feeds may have been told: then a heartbeat says the one before.
                assert!(had.seq.0 <= cursor.seq.0 + 1, "the cursor went back from {had} to {cursor}");
            }
            self.cursor = Some(cursor);
            return;
        }
        let (feed, seq) = (message.feed.expect("a push"), message.seq.expect("a push").0);
        let (event, data) = (message.event.expect("a push"), message.data.expect("a push").get());
        assert!(seq >= self.last_seq, "seq went back from {} to {seq}", self.last_seq);
        self.last_seq = seq;
        self.cursor = Some(Cursor { epoch: self.epoch(), seq: Seq(seq) });
        self.event(feed, event, data);
    }

    fn event(&mut self, feed: FeedName, event: &str, data: &str) {
        match event {
            "post.created" | "post.updated" => self.post(feed, &read(data)),
            "comment.created" | "comment.updated" => self.comment(feed, &read(data)),
            "post.removed" | "comment.removed" => {
                let removed: Removed = read(data);
                let kind = if event == "post.removed" { Kind::Post } else { Kind::Comment };
                self.put(feed, kind, removed.id, removed.rev, None, false);
                if feed == FeedName::Post(PostId(removed.id)) {
                    self.ends(feed);
                }
            }
            "user.updated" => self.user(feed, &read(data)),
            "follow.created" | "follow.removed" => {
                let follow: Follow = read(data);
                self.put(feed, Kind::Follow, follow.followee.0, follow.rev, None, event == "follow.created");
            }
            "block.created" | "block.removed" => {
                let block: Block = read(data);
                self.put(feed, Kind::Block, block.blocked.0, block.rev, None, event == "block.created");
            }
            "mute.created" | "mute.removed" => {
                let mute: Mute = read(data);
                self.put(feed, Kind::Mute, mute.muted.0, mute.rev, None, event == "mute.created");
            }
            "list.updated" => self.list(feed, &read(data)),
            "list.removed" => {
                let removed: Removed = read(data);
                self.put(feed, Kind::List, removed.id, removed.rev, None, false);
            }
            // Who is in a list comes by pages.
            "member.created" | "member.removed" => drop(read::<ListMember>(data)),
            "feed.resync" => self.start(&read(data)),
            _ => panic!("unknown event {event}"),
        }
    }

    /// Nothing more will be told on a feed: what it was about is gone, or may not be seen any more.
    fn ends(&mut self, feed: FeedName) {
        self.feeds.remove(&feed);
        self.over.insert(feed);
    }

    fn put(&mut self, feed: FeedName, kind: Kind, id: Uuid, rev: Seq, seq: Option<Seq>, there: bool) {
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
        self.put(feed, Kind::Post, post.id.0, post.rev, Some(post.seq), true);
    }

    fn list(&mut self, feed: FeedName, list: &List) {
        assert_eq!(list.name, format!("list {}", list.rev));
        self.put(feed, Kind::List, list.id.0, list.rev, None, true);
    }

    fn comment(&mut self, feed: FeedName, comment: &Comment) {
        if !comment.removed {
            assert_eq!(comment.text, Some(format!("text {}", comment.rev)));
        }
        assert_eq!((comment.text.is_none(), comment.author.is_none()), (comment.removed, comment.removed));
        self.put(feed, Kind::Comment, comment.id.0, comment.rev, Some(comment.seq), !comment.removed);
    }

    fn user(&mut self, feed: FeedName, user: &User) {
        self.person(user.id, user.rev, &user.name);
        if !matches!(feed, FeedName::Home | FeedName::List(_)) {
            self.put(feed, Kind::User, user.id.0, user.rev, Some(Seq(0)), true);
        }
    }

    /// A feed starts afresh.
    pub(crate) fn start(&mut self, snapshot: &Snapshot) {
        let feed = snapshot.feed;
        let is_empty = match feed {
            FeedName::Post(_) => snapshot.post.is_none(),
            FeedName::User(_) => snapshot.user.is_none(),
            FeedName::Mod => true,
            FeedName::List(_) => snapshot.posts.is_none(),
            FeedName::Home
            | FeedName::Global
            | FeedName::Notifications
            | FeedName::Me
            | FeedName::Firehose
            | FeedName::Tag(_) => false,
        };
        if is_empty {
            return self.ends(feed);
        }
        self.over.remove(&feed);
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
            self.put(feed, Kind::Follow, followee.0, Seq(0), None, true);
        }
        for block in snapshot.blocks.iter().flatten() {
            self.put(feed, Kind::Block, block.blocked.0, block.rev, None, true);
        }
        for mute in snapshot.mutes.iter().flatten() {
            self.put(feed, Kind::Mute, mute.muted.0, mute.rev, None, true);
        }
        snapshot.lists.iter().flatten().for_each(|list| self.list(feed, list));
    }

    /// P4: what a client holds of a feed is what the journal says.
    pub(crate) fn check(&self, feed: FeedName, viewer: Option<UserId>, state: &State) {
        if let Err(wrong) = self.compare(feed, viewer, state, u64::MAX) {
            panic!("{wrong}");
        }
    }

    /// The same of what was last changed up to some entry.
    pub(crate) fn compare(&self, feed: FeedName, viewer: Option<UserId>, state: &State, to: u64) -> Result<(), String> {
        if to == u64::MAX && !state.is_open(feed, viewer) {
            return Err(format!("{feed}: still held by {viewer:?}"));
        }
        let held = &self.feeds[&feed];
        let named = matches!(feed, FeedName::Home | FeedName::User(_) | FeedName::List(_));
        for (id, row) in state.posts.iter().filter(|(id, row)| state.shows(feed, viewer, row, **id)) {
            let (known, is) = (self.people.get(&row.author), state.users[&row.author]);
            if named && row.seq >= held.whole_from && row.rev <= to && is <= to && known != Some(&is) {
                return Err(format!("{feed}: an author's name is of {is}, not of {known:?}"));
            }
            let whole_from = if feed == FeedName::Post(*id) { 0 } else { held.whole_from };
            held.agrees((Kind::Post, id.0), Held::of(row), whole_from, to)
                .map_err(|wrong| format!("{feed}: {wrong}"))?;
        }
        for (thing, is) in besides_posts(feed, viewer, state) {
            let whole_from = if thing.0 == Kind::Comment { held.whole_from } else { 0 };
            held.agrees(thing, is, whole_from, to).map_err(|wrong| format!("{feed}: {wrong}"))?;
        }
        for (thing, holds) in held.things.iter().filter(|(_, holds)| holds.there) {
            if is_there(feed, viewer, *thing, state) {
                continue;
            }
            if to == u64::MAX || gone_at(feed, viewer, *thing, state).is_some_and(|at| at <= to && at > holds.rev) {
                return Err(format!("{feed}: still has {thing:?} {holds:?}"));
            }
        }
        Ok(())
    }
}

impl Held {
    /// A post that is shown.
    const fn of(row: &Row) -> Self {
        Self { rev: row.rev, seq: row.seq, there: true }
    }
}

impl FeedHeld {
    /// Whether a thing is held as it is, if it was last changed up to some entry and is not older than what was asked for.
    fn agrees(&self, thing: (Kind, Uuid), is: Held, whole_from: u64, to: u64) -> Result<(), String> {
        let agrees = match self.things.get(&thing) {
            Some(holds) if thing.0 == Kind::Follow => holds.there,
            Some(holds) => (holds.rev, holds.there) == (is.rev, is.there),
            None => is.seq < whole_from,
        };
        let says = || format!("{thing:?} is {is:?}, held is {:?}", self.things.get(&thing));
        if is.rev > to || agrees { Ok(()) } else { Err(says()) }
    }
}

/// What there is in a feed besides posts.
fn besides_posts(feed: FeedName, viewer: Option<UserId>, state: &State) -> Vec<((Kind, Uuid), Held)> {
    let there = |kind, id: UserId, rev: u64| ((kind, id.0), Held { rev, seq: 0, there: true });
    match (feed, viewer) {
        (FeedName::Post(post), _) => {
            // Who hides somebody may hear an answer to what was left out because nobody had answered it: as with one that is older than
            // the page, they have to make its place themselves.
            let hides = state.hides_somebody(viewer);
            let counts = |row: &Row| state.reads(viewer, row) || !hides;
            let comments = state.comments_of(post, viewer).into_iter().filter(|(_, row)| counts(row));
            let held = |row: &Row| Held { rev: row.rev, seq: row.seq, there: state.reads(viewer, row) };
            comments.map(|(id, row)| ((Kind::Comment, id.0), held(row))).collect()
        }
        (FeedName::User(id), _) => vec![there(Kind::User, id, state.users[&id])],
        (FeedName::Me, Some(viewer)) => {
            let mut held = vec![there(Kind::User, viewer, state.users[&viewer])];
            for (kind, pairs) in
                [(Kind::Follow, &state.follows), (Kind::Block, &state.blocks), (Kind::Mute, &state.mutes)]
            {
                let mine = pairs.iter().filter(|((one, _), (_, on))| *one == viewer && *on);
                held.extend(mine.map(|((_, other), (rev, _))| there(kind, *other, *rev)));
            }
            held.extend(state.lists_of(viewer).map(|(list, rev)| there(Kind::List, UserId(list.0), rev)));
            held
        }
        _ => Vec::new(),
    }
}

/// Whether a feed holds a thing.
fn is_there(feed: FeedName, viewer: Option<UserId>, (kind, id): (Kind, Uuid), state: &State) -> bool {
    let mine =
        |stands: fn(&State, UserId, UserId) -> bool| viewer.is_some_and(|viewer| stands(state, viewer, UserId(id)));
    match kind {
        Kind::Post => state.posts.get(&PostId(id)).is_some_and(|row| state.shows(feed, viewer, row, PostId(id))),
        Kind::Comment => state.comments.get(&CommentId(id)).is_some_and(|row| state.reads(viewer, row)),
        Kind::User => state.users.contains_key(&UserId(id)),
        Kind::Follow => mine(State::follows),
        Kind::Block => mine(State::blocks),
        Kind::Mute => mine(State::mutes),
        Kind::List => state.has_list(ListId(id), viewer),
    }
}

/// When something went out of a feed, if by an entry of its own.
fn gone_at(feed: FeedName, viewer: Option<UserId>, thing: (Kind, Uuid), state: &State) -> Option<u64> {
    match (thing, feed) {
        ((Kind::Post, id), _) => {
            let gone = state.posts.get(&PostId(id)).filter(|row| !state.shows(feed, viewer, row, PostId(id)));
            gone.map(|row| row.rev)
        }
        ((Kind::Comment, id), FeedName::Post(post)) => match state.comments.get(&CommentId(id)) {
            Some(row) => row.removed.then_some(row.rev),
            None => state.posts.get(&post).filter(|row| row.removed).map(|row| row.rev),
        },
        ((Kind::Follow, id), _) => state.follows.get(&(viewer?, UserId(id))).map(|(rev, _)| *rev),
        ((Kind::Block, id), _) => state.blocks.get(&(viewer?, UserId(id))).map(|(rev, _)| *rev),
        ((Kind::List, id), _) => state.lists.get(&ListId(id)).filter(|(_, _, there)| !there).map(|(_, rev, _)| *rev),
        ((Kind::Mute, id), _) => state.mutes.get(&(viewer?, UserId(id))).map(|(rev, _)| *rev),
        _ => None,
    }
}

/// Reads what the server has written.
pub(crate) fn read<'a, T: Deserialize<'a>>(text: &'a str) -> T {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}
