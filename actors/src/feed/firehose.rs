//! The firehose: everything public, for programs that ask for it. It is a stream and no state: its snapshot says only where it begins.
//! Who listens hangs beside the feeds that people read, so that what is asked of each of its readers costs nobody else anything.
//! Must never tell what `global` would not, and never encode a frame twice.

use std::sync::Arc;

use tidings_protocol::bots::{FirehoseFilter, FirehoseKind};
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::UserId;
use tidings_protocol::spans::Tag;

use super::fan_out::{Parcel, Run};
use super::sight::{Sight, sight};
use super::table::{FeedTable, Line, SlotId};
use crate::entry::{Entry, Kind, Thing};
use crate::frame;

/// What one reader wants of it. All lists are sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    kinds: Vec<FirehoseKind>,
    authors: Vec<UserId>,
    tags: Vec<Tag>,
}

impl From<FirehoseFilter> for Filter {
    fn from(wish: FirehoseFilter) -> Self {
        let FirehoseFilter { mut kinds, mut authors, mut tags } = wish;
        kinds.sort_unstable();
        authors.sort_unstable();
        tags.sort_unstable();
        Self { kinds, authors, tags }
    }
}

impl Filter {
    /// Whether an entry that is public is wanted. One that had a wanted hashtag once still is: it may have to be forgotten.
    #[must_use]
    pub fn takes(&self, entry: &Entry) -> bool {
        let Some(Thing { kind, author, .. }) = entry.change.thing() else { return false };
        let kind = match kind {
            Kind::Post => FirehoseKind::Post,
            Kind::Comment => FirehoseKind::Comment,
            Kind::User => FirehoseKind::User,
        };
        let among = |tag: &Tag| self.tags.binary_search(tag).is_ok();
        let tagged = || {
            let scope = entry.scope.as_ref().filter(|_| kind == FirehoseKind::Post);
            scope.is_some_and(|scope| scope.tagged.iter().any(among))
        };
        (self.kinds.is_empty() || self.kinds.binary_search(&kind).is_ok())
            && (self.authors.is_empty() || self.authors.binary_search(&author).is_ok())
            && (self.tags.is_empty() || tagged())
    }
}

/// Who listens to the firehose on a worker.
pub(super) type Listeners = Vec<Listener>;

/// One of them.
#[derive(Debug)]
pub(super) struct Listener {
    slot: usize,
    /// Until it has subscribed, it is told nothing.
    listens: bool,
    filter: Option<Arc<Filter>>,
}

impl<L: Line> FeedTable<L> {
    /// What a session wants of the firehose from now on; all of it without a filter. It is told nothing of it before it subscribes.
    pub fn narrow(&mut self, id: &SlotId, filter: Option<Filter>) {
        self.listener(id.0).filter = filter.map(Arc::new);
    }

    pub(super) fn listens(&mut self, id: usize) {
        self.listener(id).listens = true;
    }

    pub(super) fn listens_no_more(&mut self, id: usize) {
        self.listeners.retain(|listener| listener.slot != id);
    }

    fn listener(&mut self, id: usize) -> &mut Listener {
        let at = self.listeners.iter().position(|listener| listener.slot == id).unwrap_or_else(|| {
            self.listeners.push(Listener { slot: id, listens: false, filter: None });
            self.listeners.len() - 1
        });
        &mut self.listeners[at]
    }

    /// Whether a session wants to hear of an entry on the firehose.
    pub(super) fn wants(&self, id: usize, entry: &Entry) -> bool {
        let listener = self.listeners.iter().find(|listener| listener.slot == id);
        listener.and_then(|listener| listener.filter.as_ref()).is_none_or(|filter| filter.takes(entry))
    }

    /// Tells those who listen of an entry. What is gathered for others goes on gathering, unless one of them is told of that, too.
    pub(super) fn tell_listeners(&mut self, entry: &Entry, run: &mut Option<Run>) {
        if self.listeners.is_empty() {
            return;
        }
        let (mut whole, mut short) = (Vec::new(), Vec::new());
        for listener in &self.listeners {
            let keeps_up = listener.listens && self.slots[listener.slot].behind.is_none();
            if keeps_up && listener.filter.as_ref().is_none_or(|filter| filter.takes(entry)) {
                match sight(FeedName::Firehose, entry, self.eyes(listener.slot)) {
                    Sight::Whole => whole.push(listener.slot),
                    Sight::Short => short.push(listener.slot),
                    Sight::Nothing => {}
                }
            }
        }
        let hears_more = |&id: &usize| self.slots[id].feeds.len() > 1;
        if whole.iter().chain(&short).any(hears_more) {
            self.put_off(run.take());
        }
        for (readers, frame) in [(whole, frame::push as fn(_, _, _) -> _), (short, frame::short as fn(_, _, _) -> _)] {
            if readers.is_empty() {
                continue;
            }
            let Some(frames) = frame(self.framing, FeedName::Firehose, entry) else { continue };
            self.counts.encoded += 1;
            let parcel = Parcel { frames, first: entry.seq, count: 1 };
            readers.iter().for_each(|&id| self.put_off_for(id, &parcel));
        }
    }
}
