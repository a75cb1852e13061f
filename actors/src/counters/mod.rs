//! Posts in numbers, live: whoever watches a post is told how many comments, reposts, quotes and reactions it has, whenever that changes.
//! Must never cost a write anything, nor stand in the way of events: it is told beside them, at most four times a second for each post, and
//! always as it is in the end.
//!
//! Worker threads say which watched posts an entry has touched; the [`rounds`] of the node ask the database for all of them at once; each
//! worker's [`tally`] tells those who watch.

mod board;
mod machine;
pub mod rounds;
#[cfg(test)]
mod sim;
pub(crate) mod tally;

use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use rustc_hash::FxHashMap;
use tidings_protocol::ids::PostId;
use tidings_protocol::marks::PostCounts;
use tidings_protocol::push::EventName;
use tokio::sync::Notify;

use crate::entry::{Change, Entry, Verb};
use machine::Machine;

/// What an answer says of posts; none: it is not there (any more).
type News = FxHashMap<PostId, Option<PostCounts>>;

/// The post whose numbers an entry may change.
fn touched(entry: &Entry) -> Option<PostId> {
    match entry.change {
        // A change may stand for the creation as well, where the entry of that was left out.
        Change::Comment { verb: Verb::Created | Verb::Updated | Verb::Removed, post, .. } => Some(post),
        Change::Own { event: EventName::ReactionUpdated | EventName::ReactionRemoved, id, .. } => Some(PostId(id)),
        Change::Post { .. } => entry.scope.as_ref().and_then(|scope| scope.of),
        Change::Own { .. }
        | Change::Case { .. }
        | Change::Rights { .. }
        | Change::User { .. }
        | Change::Follow { .. }
        | Change::Block { .. }
        | Change::Mute { .. }
        | Change::Request { .. }
        | Change::List { .. }
        | Change::Listed { .. }
        | Change::SessionRevoked { .. } => None,
    }
}

/// Where the rounds leave what is news for one worker thread.
#[derive(Debug, Default)]
struct Shelf {
    left: Mutex<Left>,
    /// Rung when something was left.
    rung: Notify,
}

#[derive(Debug, Default)]
struct Left {
    news: News,
    /// The rounds have forgotten what was touched.
    again: bool,
    /// The worker is gone.
    over: bool,
}

/// What all threads of a node share about this.
#[derive(Debug, Default)]
pub struct Counters {
    machine: Mutex<Machine>,
    shelves: Mutex<Vec<Weak<Shelf>>>,
    /// Rung when a post was touched, and at the end.
    rung: Notify,
    over: AtomicBool,
}

/// Nothing in these locks is ever left half-changed: a step that panics begins the rounds anew.
fn open<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shelf {
    fn leave(&self, leave: impl FnOnce(&mut Left)) {
        leave(&mut open(&self.left));
        self.rung.notify_one();
    }

    fn take(&self) -> Left {
        let mut left = open(&self.left);
        Left { news: mem::take(&mut left.news), again: mem::take(&mut left.again), over: left.over }
    }
}

impl Counters {
    /// The node has left: nothing more is told.
    pub fn stop(&self) {
        self.over.store(true, Ordering::Relaxed);
        self.rung.notify_one();
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// The numbers of these posts may have changed.
    fn touch(&self, posts: impl IntoIterator<Item = PostId>) {
        let mut machine = open(&self.machine);
        posts.into_iter().for_each(|post| machine.touch(post));
        drop(machine);
        self.rung.notify_one();
    }

    /// A shelf for one more worker thread.
    fn shelf(&self) -> Arc<Shelf> {
        let shelf = Arc::<Shelf>::default();
        open(&self.shelves).push(Arc::downgrade(&shelf));
        shelf
    }

    fn leave_everywhere(&self, leave: impl Fn(&mut Left)) {
        let mut shelves = open(&self.shelves);
        shelves.retain(|shelf| shelf.strong_count() > 0);
        let there: Vec<Arc<Shelf>> = shelves.iter().filter_map(Weak::upgrade).collect();
        drop(shelves);
        there.iter().for_each(|shelf| shelf.leave(&leave));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tidings_protocol::entity::Visibility;
    use uuid::Uuid;

    use super::*;
    use crate::entry::Scope;
    use crate::testing::{post, user};

    fn entry(change: Change) -> Entry {
        crate::testing::entry(1, change)
    }

    #[test]
    fn an_entry_touches_the_post_whose_numbers_it_changes() {
        let of = Scope { of: Some(post(7)), visibility: Visibility::Private, ..Scope::default() };
        let quote = Change::Post { verb: Verb::Updated, id: post(8), author: user(1) };
        assert_eq!(touched(&Entry { scope: Some(Arc::new(of)), ..entry(quote) }), Some(post(7)));
        assert_eq!(touched(&entry(quote)), None, "an edit of a plain post changes no number");
        let own = |event| entry(Change::Own { event, user: user(1), id: post(7).0 });
        assert_eq!(touched(&own(EventName::ReactionUpdated)), Some(post(7)));
        assert_eq!(touched(&own(EventName::ReactionRemoved)), Some(post(7)));
        assert_eq!(touched(&own(EventName::BookmarkCreated)), None, "nobody is told of another's bookmarks");
        let id = tidings_protocol::ids::CommentId(Uuid::from_u128(1));
        for verb in [Verb::Created, Verb::Updated, Verb::Removed] {
            let comment = Change::Comment { verb, id, post: post(7), author: user(1) };
            assert_eq!(touched(&entry(comment)), Some(post(7)));
        }
    }
}
