//! Who may be told what, examined frame by frame: beside the table stands a plain state, made of the entries that the table has been given
//! and no others, and every frame queued for a reader has to be one that this reader may be told by it (P5).

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use tidings_protocol::ids::UserId;
use tidings_protocol::reply::Snapshot;

use crate::entry::Entry;
use crate::sim::audience::Audience;
use crate::sim::client::{Message, read};
use crate::sim::model::State;
use crate::sim::telling::{Told, may_be_told};

/// A frame that was queued for somebody and has not been examined.
pub(super) struct Queued {
    pub(super) viewer: Option<UserId>,
    pub(super) frame: String,
    /// It was told by catching up: as things stand now, and not as they stood when it was written.
    pub(super) late: bool,
}

/// Frames queued by all lines.
pub(super) type Queue = Rc<RefCell<Vec<Queued>>>;

pub(super) struct Oracle {
    /// As far as the table has applied, and as it was told.
    pub(super) state: State,
    pub(super) queue: Queue,
    pub(super) examined: u64,
    /// Of these, frames that tell less than there is: of things that may not be seen any more.
    pub(super) short: u64,
}

impl Oracle {
    /// Beside a table that begins where things stand so.
    pub(super) fn of(state: State) -> Self {
        Self { state, queue: Queue::default(), examined: 0, short: 0 }
    }

    /// Takes entries in as the table has, and examines what it has queued since. `truth` is what the journal says where the table stands: amid a
    /// sparse batch the table has not been told all that was read from Postgres meanwhile.
    pub(super) fn follow(&mut self, entries: &[Entry], truth: impl Fn() -> State) {
        let (late, live): (Vec<_>, Vec<_>) = self.queue.take().into_iter().partition(|queued| queued.late);
        let mut by_seq = BTreeMap::<u64, Vec<Queued>>::new();
        live.into_iter().for_each(|queued| by_seq.entry(seq_of(&queued.frame)).or_default().push(queued));
        for entry in entries {
            self.state.put(entry.seq.0, &entry.change, None, Audience::from_scope(entry.scope.as_deref()));
            let of_this = by_seq.remove(&entry.seq.0).unwrap_or_default();
            of_this.iter().for_each(|queued| self.examine(queued, || None));
        }
        assert!(by_seq.is_empty(), "told without an entry: {:?}", by_seq.keys());
        late.iter().for_each(|queued| self.examine(queued, || Some(truth())));
    }

    fn examine(&mut self, queued: &Queued, truth: impl FnOnce() -> Option<State>) {
        let verdict = |state: &State| may_be_told(state, queued.viewer, &queued.frame);
        let verdict = verdict(&self.state).or_else(|| truth().as_ref().and_then(verdict));
        let Some(told) = verdict else { panic!("{:?} may not be told (P5): {}", queued.viewer, queued.frame) };
        self.examined += 1;
        self.short += u64::from(told == Told::Short);
    }

    /// A snapshot holds nothing its viewer may not see.
    pub(super) fn examine_snapshot(&mut self, viewer: Option<UserId>, snapshot: &Snapshot, truth: impl Fn() -> State) {
        let feed = snapshot.feed;
        for post in snapshot.posts.iter().flatten().chain(&snapshot.post) {
            let shown =
                |state: &State| state.posts.get(&post.id).is_some_and(|row| state.shows(feed, viewer, row, post.id));
            assert!(shown(&self.state) || shown(&truth()), "{viewer:?} may not see (P5): {post:?} in {feed}");
            self.examined += 1;
        }
        for comment in snapshot.comments.iter().flatten().filter(|comment| !comment.removed) {
            let reads = |state: &State| state.comments.get(&comment.id).is_some_and(|row| state.reads(viewer, row));
            assert!(reads(&self.state) || reads(&truth()), "{viewer:?} may not read (P5): {comment:?} in {feed}");
            self.examined += 1;
        }
    }
}

fn seq_of(frame: &str) -> u64 {
    let message: Message<'_> = read(frame);
    message.seq.map_or(0, |seq| seq.0)
}
