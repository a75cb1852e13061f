//! How sessions come into the table, watch feeds and leave. What they leave behind is nothing: every index is taken down with them.

use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::{SessionId, UserId};

use super::Topic;
use super::table::{FeedTable, Line, Slot, SlotId, ViewerSlot, remove_from, slot_viewer};
use crate::entry::{Change, Verb};
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
        let user = viewer.user.id;
        let mut follows = viewer.follows;
        follows.sort_unstable();
        follows.dedup();
        let since = self.log.since(viewer.seq.next()).ok_or(NotJoined::TooOld)?;
        for entry in since {
            match entry.change {
                Change::SessionRevoked { user: whose, session: which }
                    if whose == user && which.is_none_or(|which| which == session) =>
                {
                    return Err(NotJoined::Revoked);
                }
                Change::Follow { verb, follower, followee } if follower == user => {
                    match (follows.binary_search(&followee), verb != Verb::Removed) {
                        (Err(at), true) => follows.insert(at, followee),
                        (Ok(at), false) => drop(follows.remove(at)),
                        (Ok(_), true) | (Err(_), false) => {}
                    }
                }
                Change::Follow { .. }
                | Change::SessionRevoked { .. }
                | Change::Post { .. }
                | Change::Comment { .. }
                | Change::User { .. } => {}
            }
        }
        if let Some(&here) = self.viewer_of.get(&user) {
            // One who is here already is up to date by the entries applied since, but for a new epoch.
            if std::mem::take(&mut self.viewers[here].of_old_epoch) {
                self.replace_follows(here, &follows);
            }
            return Ok(here);
        }
        let viewer = ViewerSlot { user, follows, slots: Vec::new(), home: Vec::new(), of_old_epoch: false };
        let id = self.viewers.insert(viewer);
        self.viewer_of.insert(user, id);
        for author in self.viewers[id].follows.iter().chain([&user]) {
            self.index.entry(Topic::HomeOf(*author)).or_default().push(id);
        }
        Ok(id)
    }

    fn replace_follows(&mut self, viewer: usize, follows: &[UserId]) {
        for followee in self.viewers[viewer].follows.clone() {
            if follows.binary_search(&followee).is_err() {
                self.set_follow(viewer, followee, false);
            }
        }
        for &followee in follows {
            self.set_follow(viewer, followee, true);
        }
    }

    /// Adds a feed; from here on its events come. Adding one twice changes nothing.
    pub fn subscribe(&mut self, id: &SlotId, feed: FeedName) {
        let slot = &mut self.slots[id.0];
        if slot.feeds.contains(&feed) {
            return;
        }
        slot.feeds.push(feed);
        match (self.topic(id, feed), slot_viewer(&self.slots, id)) {
            (Some(topic), _) => self.index.entry(topic).or_default().push(id.0),
            (None, Some(viewer)) => self.viewers[viewer].home.push(id.0),
            (None, None) => {}
        }
    }

    /// Takes a feed away. False if it was not there.
    pub fn unsubscribe(&mut self, id: &SlotId, feed: FeedName) -> bool {
        let slot = &mut self.slots[id.0];
        let Some(at) = slot.feeds.iter().position(|&had| had == feed) else {
            return false;
        };
        slot.feeds.swap_remove(at);
        match (self.topic(id, feed), slot_viewer(&self.slots, id)) {
            (Some(topic), _) => remove_from(&mut self.index, topic, id.0),
            (None, Some(viewer)) => self.viewers[viewer].home.retain(|&slot| slot != id.0),
            (None, None) => {}
        }
        true
    }

    /// Forgets a session.
    #[expect(clippy::needless_pass_by_value, reason = "the place cannot be used after this")]
    pub fn leave(&mut self, id: SlotId) {
        for feed in self.slots[id.0].feeds.clone() {
            self.unsubscribe(&id, feed);
        }
        let slot = self.slots.remove(id.0);
        let Some(viewer) = slot.viewer else { return };
        self.viewers[viewer].slots.retain(|&other| other != id.0);
        if self.viewers[viewer].slots.is_empty() {
            let gone = self.viewers.remove(viewer);
            self.viewer_of.remove(&gone.user);
            for author in gone.follows.iter().chain([&gone.user]) {
                remove_from(&mut self.index, Topic::HomeOf(*author), viewer);
            }
        }
    }

    /// What a feed is indexed by; none for `home`, which hangs on its viewer.
    fn topic(&self, id: &SlotId, feed: FeedName) -> Option<Topic> {
        match feed {
            FeedName::Home => None,
            FeedName::Global => Some(Topic::Global),
            FeedName::Me => slot_viewer(&self.slots, id).map(|viewer| Topic::Me(self.viewers[viewer].user)),
            FeedName::User(user) => Some(Topic::User(user)),
            FeedName::Post(post) => Some(Topic::Post(post)),
        }
    }
}
