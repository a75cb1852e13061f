//! The whole journal as a plain list that forgets nothing; of each moment the state can be worked out.
//! It knows nothing of indexes, logs or slots.

use std::collections::BTreeSet;
use std::sync::Arc;

use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::{CommentId, UserId};
use tidings_protocol::position::{Epoch, Seq};

use super::audience::{Audience, Wording, starts_afresh};
use super::model::State;
use crate::entry::{Batch, Change, Entry, Verb};
use crate::testing::{EPOCH, body};

impl State {
    fn fold(&mut self, seq: u64, change: &Change, said: &Said) {
        let was = if let Change::Post { id, .. } = change { self.posts.get(id) } else { None };
        let verb = if let Change::Post { verb, .. } = change { *verb } else { Verb::Updated };
        let audience = Audience::of(was.map(|row| &*row.audience), verb, &said.wording);
        self.put(seq, change, said.parent, audience);
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
        (Change::Block { blocker: a, blocked: c, .. }, Change::Block { blocker: b, blocked: d, .. }) => {
            (a, c) == (b, d)
        }
        (Change::Mute { muter: a, muted: c, .. }, Change::Mute { muter: b, muted: d, .. }) => (a, c) == (b, d),
        (Change::List { id: a, .. }, Change::List { id: b, .. }) => a == b,
        (Change::Listed { list: a, member: c, .. }, Change::Listed { list: b, member: d, .. }) => (a, c) == (b, d),
        // Every end of a log-in is told: what one has ended the next one does not end again.
        _ => false,
    }
}

/// Whether a change leaves nothing to tell of an older one: it is of the same thing, or of the post that took its comments along,
/// or the list its members.
fn makes_void(later: &Change, older: &Change) -> bool {
    let with_its_post = matches!((older, later),
        (Change::Comment { post, .. }, Change::Post { verb: Verb::Removed, id, .. }) if post == id);
    let with_its_list = matches!((older, later),
        (Change::Listed { list, .. }, Change::List { verb: Verb::Removed, id, .. }) if list == id);
    same_thing(older, later) || with_its_post || with_its_list
}

/// What an entry does not say by itself.
#[derive(Clone, Default)]
struct Said {
    /// Which comment is answered.
    parent: Option<CommentId>,
    wording: Wording,
}

/// The journal.
pub(crate) struct List {
    pub(crate) entries: Vec<Entry>,
    said: Vec<Said>,
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
        Self { entries: Vec::new(), said: Vec::new(), void_from: Vec::new(), present, kept: Vec::new() }
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
        self.said.truncate(keep);
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
        self.append(change, Said { parent, wording: Wording::default() });
    }

    /// The same for a post that is not simply for everybody.
    pub(crate) fn write_post(&mut self, change: Change, wording: Wording) {
        self.append(change, Said { parent: None, wording });
    }

    fn append(&mut self, change: Change, said: Said) {
        let seq = self.head() + 1;
        for (entry, void_from) in self.entries.iter().zip(&mut self.void_from) {
            if *void_from == u64::MAX && makes_void(&change, &entry.change) {
                *void_from = seq;
            }
        }
        self.present.fold(seq, &change, &said);
        let body = body(&self.present.body(&change, seq));
        let post = if let Change::Post { id, .. } = change { self.present.posts.get(&id) } else { None };
        let scope = post.and_then(|row| row.audience.scope()).map(Arc::new);
        self.entries.push(Entry { seq: Seq(seq), change, body, scope });
        self.said.push(said);
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
        for (entry, said) in self.entries[kept * KEPT_EVERY..at].iter().zip(&self.said[kept * KEPT_EVERY..]) {
            state.fold(entry.seq.0, &entry.change, said);
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

    /// What somebody has missed of `feeds` from `since` on, as of `at`, and which of them have to start afresh. As Postgres, it does not ask who may
    /// see which post.
    pub(crate) fn missed(
        &self,
        viewer: Option<UserId>,
        feeds: &[FeedName],
        since: u64,
        at: u64,
    ) -> (Vec<Entry>, Vec<FeedName>) {
        let until = usize::try_from(at).expect("small");
        let from = usize::try_from(since.max(1)).expect("small") - 1;
        let state = self.state(at);
        let mut missed = Vec::new();
        let mut restart: BTreeSet<FeedName> =
            feeds.iter().copied().filter(|feed| !state.is_open(*feed, viewer)).collect();
        for index in from.min(until)..until {
            let entry = &self.entries[index];
            restart.extend(feeds.iter().filter(|feed| starts_afresh(**feed, &entry.change, viewer)));
            if !self.is_void(index, until) && feeds.iter().any(|feed| state.is_about(*feed, &entry.change, viewer)) {
                missed.push(entry.clone());
            }
        }
        (missed, restart.into_iter().collect())
    }
}
