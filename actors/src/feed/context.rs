//! A viewer's context: whom they follow, block, have muted and have put into lists, kept in step with the journal, because what is delivered from an entry on
//! depends on it exactly ([decision 7](../../../docs/decisions/0007-viewer-context-in-the-feed-table.md)). A change of it is told to their
//! sessions, which hear nothing until their feeds have been told afresh. Must never be behind the entry that is being delivered (P5).

use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::{ListId, SessionId, UserId};
use tidings_protocol::position::Seq;
use tidings_protocol::push::EventName;
use tidings_protocol::settings::Settings;

use super::sight::{Eyes, Listing};
use super::table::{Behind, FeedTable, Held, Line, Slot, SlotId, Told, ViewerSlot, remove_from, short};
use crate::entry::{Change, Entry, Verb};
use crate::ports::Viewer;

/// Which feeds have to start afresh when their viewer's context changes; each more than the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Afresh {
    /// Lists: after a change of who is in one, or its end.
    Lists,
    /// `home`, profiles, posts and lists, where what is told may be for followers only: after a follow or its end.
    Circle,
    /// All but `me`, which is told of the change itself: after a block, a mute, or the end of one; and when somebody comes to look after what
    /// others write, or does so no longer.
    Others,
}

impl Afresh {
    /// Whether a feed has to.
    #[must_use]
    pub const fn touches(self, feed: FeedName) -> bool {
        match self {
            Self::Lists => matches!(feed, FeedName::List(_)),
            Self::Circle => {
                matches!(feed, FeedName::Home | FeedName::User(_) | FeedName::Post(_) | FeedName::List(_))
            }
            // The firehose is no state that could start afresh: what comes on it comes as they are seen from here on.
            Self::Others => !matches!(feed, FeedName::Me | FeedName::Firehose),
        }
    }

    /// What a change means for the feeds of a viewer.
    pub(super) fn of(change: &Change, user: UserId) -> Option<Self> {
        match *change {
            Change::Follow { follower, .. } if follower == user => Some(Self::Circle),
            Change::Mute { muter, .. } if muter == user => Some(Self::Others),
            Change::Block { blocker, blocked, .. } if blocker == user || blocked == user => Some(Self::Others),
            Change::Rights { user: whose, .. } if whose == user => Some(Self::Others),
            Change::List { verb: Verb::Removed, owner, .. } | Change::Listed { owner, .. } if owner == user => {
                Some(Self::Lists)
            }
            Change::Follow { .. }
            | Change::Mute { .. }
            | Change::Request { .. }
            | Change::List { .. }
            | Change::Listed { .. }
            | Change::Block { .. }
            | Change::Rights { .. }
            | Change::Case { .. }
            | Change::Post { .. }
            | Change::Comment { .. }
            | Change::User { .. }
            | Change::Own { .. }
            | Change::SessionRevoked { .. } => None,
        }
    }
}

/// How a viewer stands to others. All lists are sorted.
#[derive(Debug)]
pub(super) struct Context {
    user: UserId,
    follows: Vec<UserId>,
    blocks: Vec<UserId>,
    blocked_by: Vec<UserId>,
    muted: Vec<UserId>,
    /// They are never to be shown to be here.
    hides: bool,
    moderates: bool,
    lists: Vec<Listing>,
}

impl Context {
    pub(super) fn of(viewer: Viewer) -> Self {
        let sorted = |mut users: Vec<UserId>| {
            users.sort_unstable();
            users.dedup();
            users
        };
        let mut lists: Vec<Listing> =
            viewer.lists.into_iter().map(|(id, members)| Listing { id, members: sorted(members) }).collect();
        lists.sort_unstable_by_key(|listing| listing.id);
        Self {
            user: viewer.user.id,
            follows: sorted(viewer.follows),
            blocks: sorted(viewer.blocks),
            blocked_by: sorted(viewer.blocked_by),
            muted: sorted(viewer.muted),
            hides: viewer.hides,
            moderates: viewer.moderates,
            lists,
        }
    }

    pub(super) const fn user(&self) -> UserId {
        self.user
    }

    pub(super) fn eyes(&self) -> Eyes<'_> {
        let Self { user, follows, blocks, blocked_by, muted, lists, hides: _, moderates } = self;
        Eyes { user: *user, follows, blocks, blocked_by, muted, lists, moderates: *moderates }
    }

    /// Takes an entry in, if it is about this viewer.
    pub(super) fn take_entry(&mut self, entry: &Entry) {
        if let Change::Own { event: EventName::SettingsUpdated, user, .. } = entry.change
            && user == self.user
        {
            // From a peer that speaks another dialect: it stays as it is. What the error quotes is somebody's choice (P9).
            match serde_json::from_str::<Settings>(entry.body.get()) {
                Ok(settings) => self.hides = settings.hides(),
                Err(_) => tracing::error!(seq = entry.seq.0, "an entry's body is not what it should be"),
            }
        }
        self.take(&entry.change);
    }

    /// Takes a change in, if it is about this viewer.
    pub(super) fn take(&mut self, change: &Change) {
        match *change {
            Change::Follow { verb, follower, followee } if follower == self.user => {
                set(&mut self.follows, followee, verb != Verb::Removed);
            }
            Change::Mute { verb, muter, muted } if muter == self.user => {
                set(&mut self.muted, muted, verb != Verb::Removed);
            }
            Change::Block { verb, blocker, blocked } if blocker == self.user => {
                set(&mut self.blocks, blocked, verb != Verb::Removed);
            }
            Change::Block { verb, blocker, blocked } if blocked == self.user => {
                set(&mut self.blocked_by, blocker, verb != Verb::Removed);
            }
            Change::Rights { user, moderates } if user == self.user => self.moderates = moderates,
            Change::List { verb, owner, id } if owner == self.user => match (self.listing(id), verb) {
                (Ok(at), Verb::Removed) => drop(self.lists.remove(at)),
                (Err(at), Verb::Created | Verb::Updated) => self.lists.insert(at, Listing { id, members: Vec::new() }),
                (Ok(_), Verb::Created | Verb::Updated) | (Err(_), Verb::Removed) => {}
            },
            Change::Listed { verb, owner, list, member } if owner == self.user => {
                let at = self.listing(list).unwrap_or_else(|at| {
                    self.lists.insert(at, Listing { id: list, members: Vec::new() });
                    at
                });
                set(&mut self.lists[at].members, member, verb != Verb::Removed);
            }
            Change::Block { .. }
            | Change::Follow { .. }
            | Change::Mute { .. }
            | Change::Rights { .. }
            | Change::Case { .. }
            | Change::Request { .. }
            | Change::List { .. }
            | Change::Listed { .. }
            | Change::Post { .. }
            | Change::Comment { .. }
            | Change::User { .. }
            | Change::Own { .. }
            | Change::SessionRevoked { .. } => {}
        }
    }

    /// Where a list stands, or would.
    fn listing(&self, list: ListId) -> Result<usize, usize> {
        self.lists.binary_search_by_key(&list, |listing| listing.id)
    }

    /// Whether they have such a list.
    fn has(&self, list: ListId) -> bool {
        self.listing(list).is_ok()
    }

    /// Who is in a list of theirs; nobody, if it is not theirs.
    pub(super) fn members(&self, list: ListId) -> &[UserId] {
        self.listing(list).map_or(&[], |at| &self.lists[at].members)
    }

    /// Those whose posts their `home` shows.
    pub(super) fn around(&self) -> impl Iterator<Item = UserId> {
        self.follows.iter().copied().chain([self.user])
    }

    /// Those of whom something is hidden from them.
    fn hidden(&self) -> impl Iterator<Item = UserId> {
        let blocked_by = self.blocked_by.iter().filter(|user| self.blocks.binary_search(user).is_err());
        let muted = self.muted.iter().filter(|user| !self.eyes().is_apart_from(**user));
        self.blocks.iter().chain(blocked_by).chain(muted).copied()
    }

    /// Whether they follow somebody, and whether they hide something of them.
    fn stands_to(&self, whom: UserId) -> (bool, bool) {
        let holds = |list: &[UserId]| list.binary_search(&whom).is_ok();
        (holds(&self.follows), holds(&self.blocks) || holds(&self.blocked_by) || holds(&self.muted))
    }
}

/// Puts somebody into a sorted list, or takes them out.
fn set(list: &mut Vec<UserId>, user: UserId, there: bool) {
    match (list.binary_search(&user), there) {
        (Err(at), true) => list.insert(at, user),
        (Ok(at), false) => drop(list.remove(at)),
        (Ok(_), true) | (Err(_), false) => {}
    }
}

impl<L> Slot<L> {
    /// Lets the session hear nothing from an entry on, until these feeds have been told afresh.
    fn hold_for_context(&mut self, afresh: Afresh, from: Seq) {
        let behind = self.behind.get_or_insert(Behind::at(from, Held::No));
        behind.held = match behind.held {
            Held::No => Held::ForContext(afresh),
            Held::ForContext(more) => Held::ForContext(more.max(afresh)),
            Held::ForEpoch => Held::ForEpoch,
            Held::Revoked => Held::Revoked,
        };
    }
}

impl<L: Line> FeedTable<L> {
    /// Lets an entry change what viewers see, before it is delivered.
    pub(super) fn note_context(&mut self, entry: &Entry) {
        match entry.change {
            Change::Follow { follower, followee, .. } => self.note_context_of(follower, followee, entry),
            Change::Mute { muter, muted, .. } => self.note_context_of(muter, muted, entry),
            Change::Block { blocker, blocked, .. } => {
                self.note_context_of(blocker, blocked, entry);
                self.note_context_of(blocked, blocker, entry);
            }
            Change::Own { event: EventName::SettingsUpdated, user, .. } => self.note_settings_of(user, entry),
            // Nobody else is concerned.
            Change::Rights { user, .. } => self.note_context_of(user, user, entry),
            Change::List { owner, .. } | Change::Listed { owner, .. } => self.note_lists_of(owner, entry),
            // Ends of log-ins are done already, before anything else of the batch.
            Change::SessionRevoked { .. }
            | Change::Case { .. }
            | Change::Request { .. }
            | Change::Post { .. }
            | Change::Comment { .. }
            | Change::User { .. }
            | Change::Own { .. } => {}
        }
    }

    fn note_context_of(&mut self, user: UserId, whom: UserId, entry: &Entry) {
        let (Some(&viewer), Some(afresh)) = (self.viewer_of.get(&user), Afresh::of(&entry.change, user)) else {
            return;
        };
        let context = &mut self.viewers[viewer].context;
        let (followed, hid) = context.stands_to(whom);
        context.take(&entry.change);
        let (follows, hides) = context.stands_to(whom);
        match (followed, follows) {
            (false, true) => self.around.entry(whom).or_default().push(short(viewer)),
            (true, false) => remove_from(&mut self.around, whom, short(viewer)),
            (true, true) | (false, false) => {}
        }
        match (hid, hides) {
            (false, true) => self.hide(whom),
            (true, false) => self.unhide(whom),
            (true, true) | (false, false) => {}
        }
        self.hold_for(viewer, afresh, entry);
    }

    /// Lets those sessions of a viewer hear nothing from an entry on whose feeds it touches.
    fn hold_for(&mut self, viewer: usize, afresh: Afresh, entry: &Entry) {
        // Told also where nothing changes here: in a sparse batch the entry before may be left out, and a snapshot may have been read in
        // between.
        for slot in self.viewers[viewer].slots.clone() {
            self.count_afresh(slot, afresh, entry.seq);
            let slot = &mut self.slots[slot];
            if slot.feeds.iter().any(|&feed| afresh.touches(feed)) {
                slot.hold_for_context(afresh, entry.seq);
                slot.line.tell(Told::ContextChanged(afresh));
            }
        }
    }

    fn note_settings_of(&mut self, user: UserId, entry: &Entry) {
        let Some(&viewer) = self.viewer_of.get(&user) else {
            return;
        };
        let context = &mut self.viewers[viewer].context;
        context.take_entry(entry);
        let hides = context.hides;
        for &slot in &self.viewers[viewer].slots {
            self.slots[slot].line.tell(Told::Hides(hides));
        }
    }

    /// Whether the viewer of a session is never to be shown to be here.
    #[must_use]
    pub fn hides(&self, id: &SlotId) -> bool {
        self.slots[id.0].viewer.is_some_and(|viewer| self.viewers[viewer].context.hides)
    }

    fn note_lists_of(&mut self, owner: UserId, entry: &Entry) {
        let Some(&viewer) = self.viewer_of.get(&owner) else { return };
        let lists = self.viewers[viewer].context.lists.clone();
        let context = &mut self.viewers[viewer].context;
        let old = Context {
            lists,
            follows: Vec::new(),
            blocks: Vec::new(),
            blocked_by: Vec::new(),
            muted: Vec::new(),
            ..*context
        };
        context.take(&entry.change);
        self.relist(viewer, &old);
        if let Some(afresh) = Afresh::of(&entry.change, owner) {
            self.hold_for(viewer, afresh, entry);
        }
    }

    /// Puts who is in the lists that a viewer's sessions watch into the index, in place of who was in them.
    pub(super) fn relist(&mut self, viewer: usize, old: &Context) {
        let ViewerSlot { slots, context, .. } = &self.viewers[viewer];
        for &slot in slots {
            for feed in &self.slots[slot].feeds {
                let &FeedName::List(list) = feed else { continue };
                if self.asides.is_brief(slot, *feed) {
                    continue;
                }
                old.members(list).iter().for_each(|&member| remove_from(&mut self.listed, member, (list, slot)));
                let now = context.members(list).iter();
                now.for_each(|&member| self.listed.entry(member).or_default().push((list, slot)));
            }
        }
    }

    /// Whether a list is one of a session's viewer.
    #[must_use]
    pub fn has_list(&self, id: &SlotId, list: ListId) -> bool {
        self.slots[id.0].viewer.is_some_and(|viewer| self.viewers[viewer].context.has(list))
    }

    /// Whether something of what an author does is hidden from somebody here.
    pub(super) fn is_hidden_from_some(&self, author: UserId) -> bool {
        self.hiders.contains_key(&author)
    }

    fn hide(&mut self, author: UserId) {
        *self.hiders.entry(author).or_default() += 1;
    }

    fn unhide(&mut self, author: UserId) {
        if let Some(viewers) = self.hiders.get_mut(&author) {
            *viewers -= 1;
            if *viewers == 0 {
                self.hiders.remove(&author);
            }
        }
    }

    /// Puts a viewer's context into the indexes.
    pub(super) fn index_context(&mut self, viewer: usize) {
        let context = &self.viewers[viewer].context;
        for author in context.around() {
            self.around.entry(author).or_default().push(short(viewer));
        }
        let hidden: Vec<UserId> = context.hidden().collect();
        hidden.into_iter().for_each(|author| self.hide(author));
    }

    /// Takes a viewer's context out of the indexes.
    pub(super) fn unindex_context(&mut self, viewer: usize, context: &Context) {
        for author in context.around() {
            remove_from(&mut self.around, author, short(viewer));
        }
        context.hidden().for_each(|author| self.unhide(author));
    }

    /// Lets a session that was held for its context go on, if these feeds are all that had to be told afresh: [`Self::catch_up`] comes next.
    pub fn release(&mut self, id: &SlotId, told: Afresh) {
        if let Some(behind) = &mut self.slots[id.0].behind
            && let Held::ForContext(wanted) = behind.held
            && wanted <= told
        {
            behind.held = Held::No;
        }
    }

    /// Whether a session's viewer looks after what others write.
    #[must_use]
    pub fn moderates(&self, id: &SlotId) -> bool {
        self.eyes(id.0).is_some_and(|eyes| eyes.moderates)
    }

    /// Whether a session's viewer and somebody are kept apart by a block: neither sees the other's profile.
    #[must_use]
    pub fn is_apart(&self, id: &SlotId, from: UserId) -> bool {
        self.eyes(id.0).is_some_and(|eyes| eyes.is_apart_from(from))
    }

    /// Ends one log-in of a user, or all of them.
    pub(super) fn revoke(&mut self, user: UserId, session: Option<SessionId>) {
        let Some(&viewer) = self.viewer_of.get(&user) else {
            return;
        };
        for &slot in &self.viewers[viewer].slots {
            let slot = &mut self.slots[slot];
            if session.is_none() || slot.session == session {
                slot.behind = Some(Behind::at(self.applied, Held::Revoked));
                slot.line.tell(Told::Revoked);
            }
        }
    }
}
