//! Subscriptions that are not told in full: ids only, a number of what is new, or nothing for the time being. They have lists of their own, so
//! that those who are told in full pay one comparison for each entry, and nothing for each delivery.
//! Must never count or name what `sight` does not show whole, nor tell anything to who is behind or held (P5, P7).

use std::collections::VecDeque;

use bytes::Bytes;
use rustc_hash::{FxHashMap, FxHashSet};
use serde::Deserialize;
use tidings_protocol::delivery::DeliveryMode;
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::UserId;
use tidings_protocol::limits::NEWS_COUNTED;
use tidings_protocol::position::{Cursor, Seq};
use tidings_protocol::push::Notice;
use uuid::Uuid;

use super::context::Afresh;
use super::fan_out::{Parcel, name_of};
use super::sight::{Sight, sight};
use super::table::{FeedTable, Line, SlotId, remove_from};
use super::topics;
use crate::entry::{Change, Entry, Kind, Thing, Verb};
use crate::frame;

/// A feed of a session of which no events are told.
#[derive(Debug)]
struct Aside {
    feed: FeedName,
    /// What is new in it; none: nobody wants to know.
    news: Option<News>,
}

/// What is new since somebody looked.
#[derive(Debug)]
struct News {
    since: Seq,
    ids: FxHashSet<Uuid>,
    /// The last number has not been told.
    owed: bool,
}

impl News {
    fn since(since: Seq) -> Self {
        Self { since, ids: FxHashSet::default(), owed: false }
    }

    /// Takes an entry in that is shown whole (`seen`) or is not. Says whether the number is another now.
    fn takes(&mut self, entry: &Entry, seen: bool) -> bool {
        let Some(Thing { kind: Kind::Post | Kind::Comment, verb, id, .. }) = entry.change.thing() else { return false };
        if verb == Verb::Removed || !seen {
            return self.ids.remove(&id);
        }
        // A stretch of the journal that was read from Postgres has the last change of a thing alone.
        let is_new = verb == Verb::Created || born(entry).is_some_and(|born| born > self.since);
        is_new && self.ids.len() < NEWS_COUNTED && self.ids.insert(id)
    }
}

/// An entity's place.
fn born(entry: &Entry) -> Option<Seq> {
    #[derive(Deserialize)]
    struct Placed {
        seq: Seq,
    }
    serde_json::from_str::<Placed>(entry.body.get()).ok().map(|placed| placed.seq)
}

/// What one session is told less of. Most have nothing of the kind, and no room for it in their place.
#[derive(Debug, Default)]
struct Less {
    /// Feeds whose events are told by ids.
    brief: Vec<FeedName>,
    /// Feeds of which no events are told.
    asides: Vec<Aside>,
}

/// Who is told less, by feed. Those of `home` are asked one by one whether it is theirs.
#[derive(Debug, Default)]
pub(super) struct Asides {
    /// By slot.
    of: FxHashMap<usize, Less>,
    brief: FxHashMap<FeedName, Vec<usize>>,
    counting: FxHashMap<FeedName, Vec<usize>>,
    /// Lists among these: which of them an entry reaches is asked of each.
    lists: Vec<FeedName>,
    /// Slots that are owed a number, each once.
    due: VecDeque<usize>,
}

impl Asides {
    pub(super) fn is_empty(&self) -> bool {
        self.brief.is_empty() && self.counting.is_empty()
    }

    /// Whether a feed that a session is told of is told by ids.
    pub(super) fn is_brief(&self, slot: usize, feed: FeedName) -> bool {
        !self.of.is_empty() && self.of.get(&slot).is_some_and(|less| less.brief.contains(&feed))
    }

    /// A feed is not told by ids any more. Whether it was.
    pub(super) fn is_brief_no_more(&mut self, slot: usize, feed: FeedName) -> bool {
        let Some(less) = self.of.get_mut(&slot) else { return false };
        let had = less.brief.len();
        less.brief.retain(|brief| *brief != feed);
        let was = less.brief.len() < had;
        self.tidy(slot);
        was
    }

    /// The feeds of a session of which no events are told.
    pub(super) fn silent(&self, slot: usize) -> Vec<FeedName> {
        self.of.get(&slot).map(|less| less.asides.iter().map(|aside| aside.feed).collect()).unwrap_or_default()
    }

    fn aside(&self, slot: usize, feed: FeedName) -> Option<&Aside> {
        self.of.get(&slot)?.asides.iter().find(|aside| aside.feed == feed)
    }

    /// Puts a session that is told everything out of the list.
    fn tidy(&mut self, slot: usize) {
        if self.of.get(&slot).is_some_and(|less| less.brief.is_empty() && less.asides.is_empty()) {
            self.of.remove(&slot);
        }
    }

    pub(super) fn hears_ids(&mut self, slot: usize, feed: FeedName) {
        self.brief.entry(feed).or_default().push(slot);
        self.note_list(feed);
    }

    pub(super) fn hears_ids_no_more(&mut self, slot: usize, feed: FeedName) {
        remove_from(&mut self.brief, feed, slot);
        self.note_list(feed);
    }

    /// After somebody has come to a feed, or gone from it.
    fn note_list(&mut self, feed: FeedName) {
        if let FeedName::List(_) = feed {
            self.lists.retain(|list| *list != feed);
            if self.brief.contains_key(&feed) || self.counting.contains_key(&feed) {
                self.lists.push(feed);
            }
        }
    }

    /// Lets a number be told that is another now: `change` says whether it is.
    fn changes(&mut self, slot: usize, feed: FeedName, change: impl FnOnce(&mut News) -> bool) {
        let asides = self.of.get_mut(&slot).map(|less| &mut less.asides);
        let news = asides.into_iter().flatten().find(|aside| aside.feed == feed).and_then(|aside| aside.news.as_mut());
        if let Some(news) = news
            && change(news)
            && !std::mem::replace(&mut news.owed, true)
            && !self.due.contains(&slot)
        {
            self.due.push_back(slot);
        }
    }
}

/// How far numbers have been told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owes {
    /// Nothing is owed.
    Nothing,
    /// Somebody does not keep up, or is held.
    Somebody,
}

impl<L: Line> FeedTable<L> {
    /// How much a session is told of a feed; none if it does not watch it.
    pub fn mode(&self, id: &SlotId, feed: FeedName) -> Option<DeliveryMode> {
        if self.slots[id.0].feeds.contains(&feed) {
            let brief = self.asides.is_brief(id.0, feed);
            return Some(if brief { DeliveryMode::Ids } else { DeliveryMode::Full });
        }
        let aside = self.asides.aside(id.0, feed)?;
        Some(if aside.news.is_some() { DeliveryMode::Count } else { DeliveryMode::Off })
    }

    /// How many feeds a session watches, in whatever mode.
    pub fn watched(&self, id: &SlotId) -> usize {
        self.slots[id.0].feeds.len() + self.asides.silent(id.0).len()
    }

    /// Adds a feed, or tells it otherwise from here on. What is counted is counted from here on.
    pub fn watch(&mut self, id: &SlotId, feed: FeedName, mode: DeliveryMode) {
        if self.mode(id, feed) != Some(mode) || !mode.is_told() {
            self.unsubscribe(id, feed);
        }
        match mode {
            DeliveryMode::Full => self.subscribe(id, feed),
            DeliveryMode::Ids => {
                if !self.asides.is_brief(id.0, feed) {
                    self.asides.of.entry(id.0).or_default().brief.push(feed);
                }
                self.subscribe(id, feed);
            }
            DeliveryMode::Count => {
                self.asides.counting.entry(feed).or_default().push(id.0);
                self.asides.note_list(feed);
                let news = Some(News::since(self.applied));
                self.asides.of.entry(id.0).or_default().asides.push(Aside { feed, news });
            }
            DeliveryMode::Off => self.asides.of.entry(id.0).or_default().asides.push(Aside { feed, news: None }),
        }
    }

    /// Takes a feed away of which no events are told. False if there is none such.
    pub(super) fn unwatch(&mut self, id: &SlotId, feed: FeedName) -> bool {
        let Some(aside) = self.asides.aside(id.0, feed) else {
            return false;
        };
        if aside.news.is_some() {
            remove_from(&mut self.asides.counting, feed, id.0);
            self.asides.note_list(feed);
        }
        if let Some(less) = self.asides.of.get_mut(&id.0) {
            less.asides.retain(|aside| aside.feed != feed);
        }
        self.asides.tidy(id.0);
        true
    }

    /// Gives another place of the same session the feeds of which no events are told. What is new begins anew.
    pub fn carry_asides(&mut self, from: &SlotId, to: &SlotId) {
        for feed in self.asides.silent(from.0) {
            if let Some(mode) = self.mode(from, feed) {
                self.watch(to, feed, mode);
            }
        }
    }

    /// Counts what is new in a feed from after `since` on, as far back as memory reaches; otherwise from here on.
    pub fn count_since(&mut self, id: &SlotId, feed: FeedName, since: Seq) {
        let Some(entries) = self.log.since(since.next()) else {
            return;
        };
        let eyes = self.eyes(id.0);
        let mut news = News::since(since);
        for entry in entries {
            let sight = sight(feed, entry, eyes);
            if sight != Sight::Nothing && !is_by(entry, eyes.map(|eyes| eyes.user)) {
                news.takes(entry, sight == Sight::Whole);
            }
        }
        self.asides.changes(id.0, feed, |counted| {
            *counted = News { owed: counted.owed, ..news };
            true
        });
    }

    /// Begins anew what is counted in feeds that a change of the viewer's context touches.
    pub(super) fn count_afresh(&mut self, slot: usize, afresh: Afresh, since: Seq) {
        for feed in self.asides.silent(slot).into_iter().filter(|feed| afresh.touches(*feed)) {
            self.asides.changes(slot, feed, |news| {
                *news = News { owed: news.owed, ..News::since(since) };
                true
            });
        }
    }

    /// The feeds an entry belongs to, or ever did; and all lists of those who are told less.
    fn reached(&self, entry: &Entry) -> Vec<FeedName> {
        let tags = entry.scope.iter().flat_map(|scope| &scope.tagged);
        let feeds = topics(&entry.change).map(name_of).chain(tags.map(|tag| FeedName::Tag(*tag)));
        feeds.chain(self.asides.lists.iter().copied()).collect()
    }

    /// Whether somebody here may hear of an entry by its id.
    pub(super) fn reaches_brief(&self, entry: &Entry) -> bool {
        self.reached(entry).iter().any(|feed| self.asides.brief.contains_key(feed))
    }

    /// Tells an entry to those who hear ids. What was gathered before must be on its way already.
    pub(super) fn tell_brief(&mut self, entry: &Entry, left_out: bool) {
        for feed in self.reached(entry) {
            if left_out && feed == FeedName::Global {
                continue;
            }
            let Some(readers) = self.asides.brief.get(&feed).cloned() else { continue };
            let mut frames: [Option<Option<Bytes>>; 2] = [None, None];
            for id in readers {
                let sight = sight(feed, entry, self.eyes(id));
                if sight == Sight::Nothing || self.slots[id].behind.is_some() {
                    continue;
                }
                let is_short = sight == Sight::Short;
                let framing = self.framing;
                let frame =
                    frames[usize::from(is_short)].get_or_insert_with(|| frame::brief(framing, feed, entry, sight));
                if let Some(frames) = frame.clone() {
                    self.put_off_for(id, &Parcel { frames, first: entry.seq, count: 1 });
                }
                if let (FeedName::Post(post), Change::Post { .. }, true) = (feed, entry.change, is_short) {
                    self.shut(id, post);
                }
            }
            self.counts.encoded += frames.iter().flatten().flatten().count() as u64;
        }
    }

    /// Counts an entry where it is new.
    pub(super) fn count_news(&mut self, entry: &Entry) {
        for feed in self.reached(entry) {
            let Some(readers) = self.asides.counting.get(&feed).cloned() else { continue };
            for id in readers {
                let eyes = self.eyes(id);
                let (user, sight) = (eyes.map(|eyes| eyes.user), sight(feed, entry, eyes));
                if !is_by(entry, user) {
                    self.asides.changes(id, feed, |news| news.takes(entry, sight == Sight::Whole));
                }
            }
        }
    }

    /// Whether a number waits to be told, of what is new or of what part is told.
    pub fn has_news(&self) -> bool {
        !self.asides.due.is_empty() || self.is_sampled()
    }

    /// Tells the numbers that have changed to as many sessions as are owed one now. `tell` says whether a reader took it; who does not keep up,
    /// or is held, stays owed.
    pub fn tell_news(&mut self, mut tell: impl FnMut(&L, &Notice) -> bool) -> Owes {
        for _ in 0..self.asides.due.len() {
            let Some(id) = self.asides.due.pop_front() else { break };
            let epoch = self.epoch;
            // Sessions come and go: the place may be another's, who is owed nothing.
            let (Some(slot), Some(less)) = (self.slots.get(id), self.asides.of.get_mut(&id)) else { continue };
            let mut is_owed = false;
            for aside in &mut less.asides {
                let Some(news) = aside.news.as_mut().filter(|news| news.owed) else { continue };
                let count = u32::try_from(news.ids.len()).unwrap_or(u32::MAX);
                let notice = Notice::News { feed: aside.feed, count, since: Cursor { epoch, seq: news.since } };
                news.owed = slot.behind.is_some() || !tell(&slot.line, &notice);
                is_owed |= news.owed;
            }
            if is_owed {
                self.asides.due.push_back(id);
            }
        }
        if self.has_news() { Owes::Somebody } else { Owes::Nothing }
    }

    #[cfg(test)]
    pub(super) fn has_no_asides(&self) -> bool {
        self.asides.is_empty() && self.asides.of.is_empty()
    }
}

/// What one writes oneself is not new to one.
fn is_by(entry: &Entry, user: Option<UserId>) -> bool {
    let thing = entry.change.thing().filter(|thing| thing.kind != Kind::User);
    thing.is_some_and(|thing| Some(thing.author) == user)
}
