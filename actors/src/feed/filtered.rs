//! Entries of which not all readers of a feed are told the same: posts that not everybody may see, and what is by somebody whom a viewer here
//! hides. Readers are asked one by one there, and nowhere else. Also the readers of tags and lists. Must never encode a frame twice.

use bytes::Bytes;
use tidings_protocol::feed::FeedName;

use super::fan_out::{Parcel, name_of};
use super::sampling::is_told;
use super::sight::{Sight, sight};
use super::table::{FeedTable, Line};
use super::topics;
use crate::entry::{Change, Entry};
use crate::frame;

impl<L: Line> FeedTable<L> {
    /// Whether readers of one feed may be told different things of an entry.
    pub(super) fn is_filtered(&self, entry: &Entry) -> bool {
        entry.scope.as_ref().is_some_and(|scope| !scope.visibility.is_public())
            || entry.change.thing().is_some_and(|thing| self.is_hidden_from_some(thing.author))
    }

    /// Tells each reader of an entry what they may hear of it. What was gathered before must be on its way already.
    pub(super) fn tell_each(&mut self, entry: &Entry, left_out: bool) {
        for topic in topics(&entry.change).filter(|&topic| is_told(topic, left_out)) {
            let readers = self.readers(topic);
            self.tell_by_sight(name_of(topic), readers, entry);
        }
        for (feed, readers) in self.readers_by_tag(entry).into_iter().chain(self.readers_by_list(entry)) {
            self.tell_by_sight(feed, readers, entry);
        }
    }

    /// Tells the readers of a post's tags, who are all told the same.
    pub(super) fn tell_by_tag(&mut self, feeds: Vec<(FeedName, Vec<usize>)>, entry: &Entry) {
        for (feed, readers) in feeds {
            match sight(feed, entry, None) {
                Sight::Whole => self.tell_these(&readers, frame::push(self.framing, feed, entry), entry),
                Sight::Short => self.tell_these(&readers, frame::short(self.framing, feed, entry), entry),
                Sight::Nothing => {}
            }
        }
    }

    /// Who here reads a tag that a post has or ever had.
    pub(super) fn readers_by_tag(&self, entry: &Entry) -> Vec<(FeedName, Vec<usize>)> {
        let tags = entry.scope.iter().flat_map(|scope| &scope.tagged);
        let read = tags.filter_map(|tag| Some((FeedName::Tag(*tag), self.by_tag.get(tag)?.clone())));
        read.collect()
    }

    /// Who here reads a list of theirs with the author in it. Each list has one owner, but perhaps several devices of theirs.
    pub(super) fn readers_by_list(&self, entry: &Entry) -> Vec<(FeedName, Vec<usize>)> {
        let (false, Change::Post { author, .. } | Change::User { id: author, .. }) =
            (self.listed.is_empty(), entry.change)
        else {
            return Vec::new();
        };
        let mut read: Vec<(FeedName, Vec<usize>)> = Vec::new();
        for &(list, slot) in self.listed.get(&author).into_iter().flatten() {
            let feed = FeedName::List(list);
            match read.iter_mut().find(|(had, _)| *had == feed) {
                Some((_, readers)) => readers.push(slot),
                None => read.push((feed, vec![slot])),
            }
        }
        read
    }

    pub(super) fn tell_by_sight(&mut self, feed: FeedName, readers: Vec<usize>, entry: &Entry) {
        let (mut whole, mut short) = (Vec::new(), Vec::new());
        for id in readers.into_iter().filter(|&id| self.slots[id].behind.is_none()) {
            match sight(feed, entry, self.eyes(id)) {
                Sight::Whole => whole.push(id),
                Sight::Short => short.push(id),
                Sight::Nothing => {}
            }
        }
        if !whole.is_empty() {
            self.tell_these(&whole, frame::push(self.framing, feed, entry), entry);
        }
        if !short.is_empty() {
            self.tell_these(&short, frame::short(self.framing, feed, entry), entry);
        }
        if let (FeedName::Post(post), Change::Post { .. }) = (feed, entry.change) {
            short.into_iter().for_each(|id| self.shut(id, post));
        }
    }

    fn tell_these(&mut self, readers: &[usize], frame: Option<Bytes>, entry: &Entry) {
        let Some(frames) = frame else { return };
        self.counts.encoded += 1;
        let parcel = Parcel { frames, first: entry.seq, count: 1 };
        readers.iter().for_each(|&id| self.put_off_for(id, &parcel));
    }
}
