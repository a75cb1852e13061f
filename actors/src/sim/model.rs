//! The dumb half of the simulated worlds: the whole journal as a plain list, and what follows from it, worked out afresh each time.
//! It knows nothing of indexes, logs or slots. What a thing says is made of its `rev`, so a wrong body shows itself.

use std::collections::{BTreeMap, BTreeSet};

use tidings_protocol::entity::{Author, Comment, Follow, Post, Removed, Role, User};
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::{CommentId, PostId, SessionId, UserId};
use tidings_protocol::position::{Cursor, Epoch, Millis, Seq};
use tidings_protocol::reply::Snapshot;

use crate::entry::{Batch, Change, Entry, Verb};
use crate::testing::{EPOCH, body};

/// A post or comment.
#[derive(Clone, Copy)]
pub(crate) struct Row {
    pub(crate) seq: u64,
    pub(crate) rev: u64,
    pub(crate) removed: bool,
    pub(crate) author: UserId,
    /// Of a comment.
    pub(crate) post: Option<PostId>,
    pub(crate) parent: Option<CommentId>,
}

/// The state after some entry.
#[derive(Clone)]
pub(crate) struct State {
    pub(crate) epoch: Epoch,
    pub(crate) users: BTreeMap<UserId, u64>,
    pub(crate) posts: BTreeMap<PostId, Row>,
    pub(crate) comments: BTreeMap<CommentId, Row>,
    /// With the last change, and whether it was a follow.
    pub(crate) follows: BTreeMap<(UserId, UserId), (u64, bool)>,
}

impl State {
    fn nothing(epoch: Epoch) -> Self {
        let (users, posts) = (BTreeMap::new(), BTreeMap::new());
        Self { epoch, users, posts, comments: BTreeMap::new(), follows: BTreeMap::new() }
    }

    fn fold(&mut self, seq: u64, change: &Change, parent: Option<CommentId>) {
        let created = |row: Option<&Row>| row.map_or(seq, |row| row.seq);
        match *change {
            Change::Post { verb, id, author } => {
                let row = self.posts.get(&id);
                let removed = verb == Verb::Removed;
                let row = Row { seq: created(row), rev: seq, removed, author, post: None, parent: None };
                self.posts.insert(id, row);
                if removed {
                    self.comments.retain(|_, comment| comment.post != Some(id));
                }
            }
            Change::Comment { verb, id, post, author } => {
                let row = self.comments.get(&id);
                let parent = row.map_or(parent, |row| row.parent);
                let removed = verb == Verb::Removed;
                let row = Row { seq: created(row), rev: seq, removed, author, post: Some(post), parent };
                self.comments.insert(id, row);
            }
            Change::User { id, .. } => drop(self.users.insert(id, seq)),
            Change::Follow { verb, follower, followee } => {
                self.follows.insert((follower, followee), (seq, verb != Verb::Removed));
            }
            Change::SessionRevoked { .. } => {}
        }
    }

    pub(crate) fn follows_of(&self, user: UserId) -> BTreeSet<UserId> {
        let held = self.follows.iter().filter(|((follower, _), (_, on))| *follower == user && *on);
        held.map(|((_, followee), _)| *followee).collect()
    }

    pub(crate) fn user(&self, id: UserId) -> User {
        let rev = self.users[&id];
        let (handle, name) = (format!("u{}", id.0.as_u64_pair().1), format!("name {rev}"));
        User { id, rev: Seq(rev), handle, name, bio: String::new(), role: Role::User, created_at: Millis(0) }
    }

    fn author(&self, id: UserId) -> Author {
        let User { id, rev, handle, name, .. } = self.user(id);
        Author { id, rev, handle, name }
    }

    fn post(&self, id: PostId) -> Post {
        let row = self.posts[&id];
        Post {
            id,
            rev: Seq(row.rev),
            seq: Seq(row.seq),
            author: self.author(row.author),
            text: format!("text {}", row.rev),
            created_at: Millis(0),
            edited_at: None,
        }
    }

    fn comment(&self, id: CommentId) -> Comment {
        let row = self.comments[&id];
        Comment {
            id,
            rev: Seq(row.rev),
            seq: Seq(row.seq),
            post: row.post.expect("of a comment"),
            parent: row.parent,
            depth: 0,
            removed: row.removed,
            author: (!row.removed).then(|| self.author(row.author)),
            text: (!row.removed).then(|| format!("text {}", row.rev)),
            created_at: Millis(0),
            edited_at: None,
        }
    }

    /// An entity as the wire carries it.
    pub(crate) fn body(&self, change: &Change, seq: u64) -> String {
        let removed = |id| json(&Removed { id, rev: Seq(seq) });
        match *change {
            Change::Post { verb: Verb::Removed, id, .. } => removed(id.0),
            Change::Post { id, .. } => json(&self.post(id)),
            Change::Comment { verb: Verb::Removed, id, .. } => removed(id.0),
            Change::Comment { id, .. } => json(&self.comment(id)),
            Change::User { id, .. } => json(&self.user(id)),
            Change::Follow { follower, followee, .. } => json(&Follow { rev: Seq(seq), follower, followee }),
            Change::SessionRevoked { .. } => "{}".to_owned(),
        }
    }

    /// Whether a feed shows a post. `follows` is whom the viewer follows.
    pub(crate) fn shows(
        feed: FeedName,
        viewer: Option<UserId>,
        follows: &BTreeSet<UserId>,
        row: &Row,
        id: PostId,
    ) -> bool {
        !row.removed
            && match feed {
                FeedName::Home => Some(row.author) == viewer || follows.contains(&row.author),
                FeedName::Global => true,
                FeedName::User(user) => row.author == user,
                FeedName::Post(post) => id == post,
                FeedName::Me => false,
            }
    }

    pub(crate) fn posts_of(&self, feed: FeedName, viewer: Option<UserId>) -> Vec<(PostId, Row)> {
        let follows = viewer.map(|viewer| self.follows_of(viewer)).unwrap_or_default();
        let shown = self.posts.iter().filter(|(id, row)| Self::shows(feed, viewer, &follows, row, **id));
        let mut posts: Vec<(PostId, Row)> = shown.map(|(id, row)| (*id, *row)).collect();
        posts.sort_by_key(|(_, row)| std::cmp::Reverse(row.seq));
        posts
    }

    fn holds_answers(&self, id: CommentId) -> bool {
        let mut answers = self.comments.iter().filter(|(_, row)| row.parent == Some(id));
        answers.any(|(answer, row)| !row.removed || self.holds_answers(*answer))
    }

    pub(crate) fn comments_of(&self, post: PostId) -> Vec<(CommentId, Row)> {
        let of_post = self.comments.iter().filter(|(_, row)| row.post == Some(post));
        let shown = of_post.filter(|(id, row)| !row.removed || self.holds_answers(**id));
        let mut comments: Vec<(CommentId, Row)> = shown.map(|(id, row)| (*id, *row)).collect();
        comments.sort_by_key(|(_, row)| std::cmp::Reverse(row.seq));
        comments
    }

    /// As Postgres would answer, `limit` entities. None: there is no such feed.
    pub(crate) fn snapshot(&self, at: u64, viewer: Option<UserId>, feed: FeedName, limit: usize) -> Option<Snapshot> {
        let mut snapshot = Snapshot::empty(feed, Seq(at));
        let next = |row: &Row| Some(Cursor { epoch: self.epoch, seq: Seq(row.seq) });
        match feed {
            FeedName::Home | FeedName::Global | FeedName::User(_) => {
                let posts = self.posts_of(feed, viewer);
                if posts.len() > limit {
                    snapshot.next = next(&posts[limit - 1].1);
                }
                snapshot.posts = Some(posts.iter().take(limit).map(|(id, _)| self.post(*id)).collect());
                if let FeedName::User(user) = feed {
                    snapshot.user = Some(self.user(user));
                }
            }
            FeedName::Post(post) => {
                self.posts.get(&post).filter(|row| !row.removed)?;
                snapshot.post = Some(self.post(post));
                let comments = self.comments_of(post);
                let mut page: Vec<CommentId> = comments.iter().take(limit).map(|(id, _)| *id).collect();
                if comments.len() > limit {
                    snapshot.next = next(&comments[limit - 1].1);
                }
                let mut at = 0;
                while let Some(id) = page.get(at) {
                    page.extend(self.comments[id].parent.filter(|parent| !page.contains(parent)));
                    at += 1;
                }
                let length = page.len();
                page[limit.min(length)..].sort_by_key(|id| std::cmp::Reverse(self.comments[id].seq));
                snapshot.comments = Some(page.into_iter().map(|id| self.comment(id)).collect());
            }
            FeedName::Me => {
                let viewer = viewer?;
                snapshot.user = Some(self.user(viewer));
                snapshot.follows = Some(self.follows_of(viewer).into_iter().collect());
            }
        }
        Some(snapshot)
    }
}

fn json<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("a wire type")
}

/// Whether a change is told on a feed, in plain words.
pub(crate) fn told_on(feed: FeedName, change: &Change, viewer: Option<(UserId, &BTreeSet<UserId>)>) -> bool {
    let in_circle = |author| viewer.is_some_and(|(user, follows)| author == user || follows.contains(&author));
    match (feed, *change) {
        (FeedName::Home, Change::Post { author, .. }) => in_circle(author),
        (FeedName::Home, Change::User { id, .. }) => in_circle(id),
        (FeedName::Global, Change::Post { .. }) => true,
        (FeedName::User(user), Change::Post { author, .. }) => author == user,
        (FeedName::User(user), Change::User { id, .. }) => id == user,
        (FeedName::Post(post), Change::Post { id, .. }) => id == post,
        (FeedName::Post(post), Change::Comment { post: on, .. }) => on == post,
        (FeedName::Me, Change::User { id, .. }) => viewer.is_some_and(|(user, _)| id == user),
        (FeedName::Me, Change::Follow { follower, .. }) => viewer.is_some_and(|(user, _)| follower == user),
        _ => false,
    }
}

/// Whether two changes are of the same thing.
fn same_thing(a: &Change, b: &Change) -> bool {
    match (*a, *b) {
        (Change::Post { id: a, .. }, Change::Post { id: b, .. }) => a == b,
        (Change::Comment { id: a, .. }, Change::Comment { id: b, .. }) => a == b,
        (Change::User { id: a, .. }, Change::User { id: b, .. }) => a == b,
        (Change::Follow { follower: a, followee: c, .. }, Change::Follow { follower: b, followee: d, .. }) => {
            (a, c) == (b, d)
        }
        // Every end of a log-in is told: what one has ended the next one does not end again.
        _ => false,
    }
}

/// Whether a change leaves nothing to tell of an older one: it is of the same thing, or of the post that took its comments along.
fn makes_void(later: &Change, older: &Change) -> bool {
    let with_its_post = matches!((older, later),
        (Change::Comment { post, .. }, Change::Post { verb: Verb::Removed, id, .. }) if post == id);
    same_thing(older, later) || with_its_post
}

/// The journal.
pub(crate) struct List {
    pub(crate) entries: Vec<Entry>,
    parents: Vec<Option<CommentId>>,
    /// From which entry on each one is void.
    void_from: Vec<u64>,
    /// After the last entry, and every so often before, to start from.
    pub(crate) present: State,
    kept: Vec<State>,
}

const KEPT_EVERY: usize = 64;

impl Default for List {
    fn default() -> Self {
        let present = State::nothing(EPOCH);
        Self { entries: Vec::new(), parents: Vec::new(), void_from: Vec::new(), present, kept: Vec::new() }
    }
}

impl List {
    /// A new life: what came after `keep` is lost, and its numbers are given out again. Gives what is lost.
    pub(crate) fn begins_again(&mut self, epoch: Epoch, keep: u64) -> Vec<Entry> {
        let keep = usize::try_from(keep).expect("small");
        self.present = self.state(keep as u64);
        self.kept.truncate(keep / KEPT_EVERY);
        for state in self.kept.iter_mut().chain([&mut self.present]) {
            state.epoch = epoch;
        }
        self.parents.truncate(keep);
        self.void_from.truncate(keep);
        for void_from in self.void_from.iter_mut().filter(|void_from| **void_from > keep as u64) {
            *void_from = u64::MAX;
        }
        self.entries.split_off(keep)
    }

    pub(crate) fn head(&self) -> u64 {
        self.entries.len() as u64
    }

    pub(crate) fn write(&mut self, change: Change, parent: Option<CommentId>) {
        let seq = self.head() + 1;
        for (entry, void_from) in self.entries.iter().zip(&mut self.void_from) {
            if *void_from == u64::MAX && makes_void(&change, &entry.change) {
                *void_from = seq;
            }
        }
        self.present.fold(seq, &change, parent);
        let body = body(&self.present.body(&change, seq));
        self.entries.push(Entry { seq: Seq(seq), change, body });
        self.parents.push(parent);
        self.void_from.push(u64::MAX);
        if self.entries.len().is_multiple_of(KEPT_EVERY) {
            self.kept.push(self.present.clone());
        }
    }

    /// The state after entry `at`.
    pub(crate) fn state(&self, at: u64) -> State {
        let at = usize::try_from(at).expect("small");
        let kept = at / KEPT_EVERY;
        let mut state = if kept == 0 { State::nothing(self.present.epoch) } else { self.kept[kept - 1].clone() };
        for (entry, parent) in self.entries[kept * KEPT_EVERY..at].iter().zip(&self.parents[kept * KEPT_EVERY..]) {
            state.fold(entry.seq.0, &entry.change, *parent);
        }
        state
    }

    /// Whether entry `at + 1` says nothing any more that a later one, up to `until`, does not say better.
    fn is_void(&self, at: usize, until: usize) -> bool {
        self.void_from[at] <= until as u64
    }

    /// Entries `first..=last` as their commit told them, or `late`, as a read from Postgres gives them.
    pub(crate) fn batch(&self, first: u64, last: u64, late: bool) -> Batch {
        let range = usize::try_from(first).expect("small") - 1..usize::try_from(last).expect("small");
        let wanted = range.filter(|at| !late || !self.is_void(*at, self.entries.len()));
        let entries = wanted.map(|at| self.entries[at].clone()).collect();
        Batch { epoch: self.present.epoch, first: Seq(first), last: Seq(last), entries }
    }

    /// What somebody has missed of `feeds` from `since` on, as of `at`, and whether their circle has changed meanwhile.
    pub(crate) fn missed(&self, viewer: Option<UserId>, feeds: &[FeedName], since: u64, at: u64) -> (Vec<Entry>, bool) {
        let until = usize::try_from(at).expect("small");
        let from = usize::try_from(since.max(1)).expect("small") - 1;
        let state = self.state(at);
        let follows = viewer.map(|user| (user, state.follows_of(user)));
        let circle = follows.as_ref().map(|(user, follows)| (*user, follows));
        let mut missed = Vec::new();
        let mut circle_changed = false;
        for index in from.min(until)..until {
            let entry = &self.entries[index];
            circle_changed |= matches!(entry.change, Change::Follow { follower, .. } if Some(follower) == viewer);
            if !self.is_void(index, until) && feeds.iter().any(|feed| told_on(*feed, &entry.change, circle)) {
                missed.push(entry.clone());
            }
        }
        (missed, circle_changed)
    }
}

pub(crate) fn session_id(n: u64) -> SessionId {
    SessionId(uuid::Uuid::from_u64_pair(4, n))
}
