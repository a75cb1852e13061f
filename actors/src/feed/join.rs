//! How sessions come into the table, watch feeds and leave. What they leave behind is nothing: every index is taken down with them.

use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::{ListId, PostId, SessionId};
use tidings_protocol::spans::Tag;

use super::Topic;
use super::context::Context;
use super::table::{FeedTable, Line, Slot, SlotId, ViewerSlot, remove_from};
use crate::entry::Change;
use crate::ports::Viewer;

/// Why a session could not join.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotJoined {
    /// Its log-in has ended since it was looked up.
    Revoked,
    /// It was looked up so long ago that memory cannot bring it forward: look it up again.
    TooOld,
}

impl<L: Line> FeedTable<L> {
    /// Takes a session in, with no feeds yet. `viewer` is as of its `seq`, at most [`Self::applied`]; what has
    /// happened since is taken from the hot log.
    ///
    /// # Errors
    /// Its log-in has ended, or it was looked up too long ago.
    pub fn join(&mut self, line: L, viewer: Option<(Viewer, SessionId)>) -> Result<SlotId, NotJoined> {
        let (viewer, session) = match viewer {
            None => (None, None),
            Some((viewer, session)) => (Some(self.take_in(viewer, session)?), Some(session)),
        };
        let slot = Slot { line, viewer, session, feeds: Vec::new(), behind: None, dirty: false };
        let id = self.slots.insert(slot);
        if let Some(viewer) = viewer {
            self.viewers[viewer].slots.push(id);
        }
        Ok(SlotId(id))
    }

    fn take_in(&mut self, viewer: Viewer, session: SessionId) -> Result<usize, NotJoined> {
        debug_assert!(viewer.seq <= self.applied, "the caller waits until the table has reached the viewer's seq");
        let since = self.log.since(viewer.seq.next()).ok_or(NotJoined::TooOld)?;
        let mut context = Context::of(viewer);
        let user = context.user();
        for entry in since {
            if let Change::SessionRevoked { user: whose, session: which } = entry.change
                && whose == user
                && which.is_none_or(|which| which == session)
            {
                return Err(NotJoined::Revoked);
            }
            context.take_entry(entry);
        }
        if let Some(&here) = self.viewer_of.get(&user) {
            // One who is here already is up to date by the entries applied since, but for a new epoch.
            if std::mem::take(&mut self.viewers[here].of_old_epoch) {
                let old = std::mem::replace(&mut self.viewers[here].context, context);
                self.unindex_context(here, &old);
                self.index_context(here);
                self.relist(here, &old);
            }
            return Ok(here);
        }
        let viewer = ViewerSlot { context, slots: Vec::new(), home: Vec::new(), of_old_epoch: false };
        let id = self.viewers.insert(viewer);
        self.viewer_of.insert(user, id);
        self.index_context(id);
        Ok(id)
    }

    /// Adds a feed; from here on its events come. Adding one twice changes nothing, but opens one again that was over.
    pub fn subscribe(&mut self, id: &SlotId, feed: FeedName) {
        let is_shut = matches!(feed, FeedName::Post(post) if self.shut.remove(&(id.0, post)));
        let slot = &mut self.slots[id.0];
        if !slot.feeds.contains(&feed) {
            // One more, and not four: most watch one or two, for as long as they are there, and a name has 64 bytes.
            slot.feeds.reserve_exact(1);
            slot.feeds.push(feed);
        } else if !is_shut {
            return;
        }
        if feed == FeedName::Global {
            self.note_part(id.0);
        }
        if self.asides.is_brief(id.0, feed) {
            return self.asides.hears_ids(id.0, feed);
        }
        match self.index_of(id, feed) {
            Some(Key::Topic(topic)) => self.index.entry(topic).or_default().push(id.0),
            Some(Key::Tag(tag)) => self.by_tag.entry(tag).or_default().push(id.0),
            Some(Key::List(viewer, list)) => {
                for &member in self.viewers[viewer].context.members(list) {
                    self.listed.entry(member).or_default().push((list, id.0));
                }
            }
            Some(Key::HomeOf(viewer)) => self.viewers[viewer].home.push(id.0),
            Some(Key::Firehose) => self.listens(id.0),
            None => {}
        }
    }

    /// Takes a feed away. False if it was not there.
    pub fn unsubscribe(&mut self, id: &SlotId, feed: FeedName) -> bool {
        let slot = &mut self.slots[id.0];
        let Some(at) = slot.feeds.iter().position(|&had| had == feed) else {
            return self.unwatch(id, feed);
        };
        slot.feeds.swap_remove(at);
        let is_brief = self.asides.is_brief_no_more(id.0, feed);
        if matches!(feed, FeedName::Post(post) if self.shut.remove(&(id.0, post))) {
            return true;
        }
        if is_brief {
            self.asides.hears_ids_no_more(id.0, feed);
            return true;
        }
        match self.index_of(id, feed) {
            Some(Key::Topic(topic)) => remove_from(&mut self.index, topic, id.0),
            Some(Key::Tag(tag)) => remove_from(&mut self.by_tag, tag, id.0),
            Some(Key::List(viewer, list)) => {
                for &member in self.viewers[viewer].context.members(list) {
                    remove_from(&mut self.listed, member, (list, id.0));
                }
            }
            Some(Key::HomeOf(viewer)) => self.viewers[viewer].home.retain(|&slot| slot != id.0),
            Some(Key::Firehose) => self.listens_no_more(id.0),
            None => {}
        }
        true
    }

    /// Lets no comments of a post reach a session any more that may not see it any more.
    pub(super) fn shut(&mut self, id: usize, post: PostId) {
        if self.shut.insert((id, post)) {
            if self.asides.is_brief(id, FeedName::Post(post)) {
                self.asides.hears_ids_no_more(id, FeedName::Post(post));
            } else {
                remove_from(&mut self.index, Topic::Post(post), id);
            }
        }
    }

    /// Forgets a session.
    #[expect(clippy::needless_pass_by_value, reason = "the place cannot be used after this")]
    pub fn leave(&mut self, id: SlotId) {
        for feed in self.slots[id.0].feeds.iter().copied().chain(self.asides.silent(id.0)).collect::<Vec<_>>() {
            self.unsubscribe(&id, feed);
        }
        self.listens_no_more(id.0);
        let slot = self.slots.remove(id.0);
        let Some(viewer) = slot.viewer else { return };
        self.viewers[viewer].slots.retain(|&other| other != id.0);
        if self.viewers[viewer].slots.is_empty() {
            let gone = self.viewers.remove(viewer);
            self.viewer_of.remove(&gone.context.user());
            self.unindex_context(viewer, &gone.context);
        }
    }

    /// What a feed of a session is indexed by; none for what only those who are logged in have.
    fn index_of(&self, id: &SlotId, feed: FeedName) -> Option<Key> {
        let viewer = self.slots[id.0].viewer;
        Some(match feed {
            FeedName::Home => Key::HomeOf(viewer?),
            FeedName::Global => Key::Topic(Topic::Global),
            FeedName::Notifications => Key::Topic(Topic::Notifications(self.viewers[viewer?].context.user())),
            FeedName::Me => Key::Topic(Topic::Me(self.viewers[viewer?].context.user())),
            FeedName::Mod => {
                viewer?;
                Key::Topic(Topic::Mod)
            }
            FeedName::User(user) => Key::Topic(Topic::User(user)),
            FeedName::Post(post) => Key::Topic(Topic::Post(post)),
            FeedName::Tag(tag) => Key::Tag(tag),
            FeedName::Firehose => Key::Firehose,
            FeedName::List(list) => Key::List(viewer?, list),
        })
    }
}

/// What a feed is indexed by.
enum Key {
    Topic(Topic),
    Tag(Tag),
    /// Who listens has a list of their own.
    Firehose,
    /// By whoever is in it now.
    List(usize, ListId),
    /// `home` hangs on its viewer.
    HomeOf(usize),
}
