//! Who may see what, in plain words, worked out afresh each time from plain lists. It must not know how the server decides it.

use std::collections::BTreeSet;

use tidings_protocol::entity::Visibility;
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::{PostId, UserId};
use tidings_protocol::spans::Tag;

use super::model::{Row, State};
use crate::entry::{Change, Scope, Verb};

/// What an author says about a post besides its text; what is absent stays.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wording {
    pub(crate) visibility: Option<Visibility>,
    pub(crate) mentions: Vec<UserId>,
    pub(crate) tags: Vec<Tag>,
}

/// Whom a post is for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Audience {
    pub(crate) visibility: Visibility,
    pub(crate) widest: Visibility,
    pub(crate) mentioned: BTreeSet<UserId>,
    pub(crate) tags: BTreeSet<Tag>,
    pub(crate) tagged: BTreeSet<Tag>,
}

impl Audience {
    /// Of a post that is created, or changed from what it was.
    pub(crate) fn of(was: Option<&Self>, verb: Verb, said: &Wording) -> Self {
        let mut now = was.cloned().unwrap_or_default();
        if verb == Verb::Removed {
            now.tags.clear();
            return now;
        }
        now.visibility = said.visibility.unwrap_or(now.visibility);
        now.widest = if was.is_none() { now.visibility } else { now.widest.min(now.visibility) };
        now.mentioned.extend(&said.mentions);
        now.tags = said.tags.iter().copied().collect();
        now.tagged.extend(&now.tags);
        now
    }

    pub(crate) fn scope(&self) -> Option<Scope> {
        let plain = self.visibility.is_public() && self.tagged.is_empty();
        (!plain).then(|| Scope {
            visibility: self.visibility,
            widest: self.widest,
            mentioned: self.mentioned.iter().copied().collect(),
            tags: self.tags.iter().copied().collect(),
            tagged: self.tagged.iter().copied().collect(),
            of: None,
        })
    }

    pub(crate) fn from_scope(scope: Option<&Scope>) -> Self {
        scope.map_or_else(Self::default, |scope| Self {
            visibility: scope.visibility,
            widest: scope.widest,
            mentioned: scope.mentioned.iter().copied().collect(),
            tags: scope.tags.iter().copied().collect(),
            tagged: scope.tagged.iter().copied().collect(),
        })
    }
}

impl State {
    pub(crate) fn follows(&self, follower: UserId, followee: UserId) -> bool {
        self.follows.get(&(follower, followee)).is_some_and(|(_, on)| *on)
    }

    pub(crate) fn blocks(&self, blocker: UserId, blocked: UserId) -> bool {
        self.blocks.get(&(blocker, blocked)).is_some_and(|(_, on)| *on)
    }

    pub(crate) fn mutes(&self, muter: UserId, muted: UserId) -> bool {
        self.mutes.get(&(muter, muted)).is_some_and(|(_, on)| *on)
    }

    /// Whether one of the two blocks the other.
    pub(crate) fn apart(&self, viewer: Option<UserId>, other: UserId) -> bool {
        viewer.is_some_and(|viewer| self.blocks(viewer, other) || self.blocks(other, viewer))
    }

    fn has_muted(&self, viewer: Option<UserId>, other: UserId) -> bool {
        viewer.is_some_and(|viewer| self.mutes(viewer, other))
    }

    /// Whether somebody is not to read what somebody says among others.
    pub(crate) fn unread(&self, viewer: Option<UserId>, author: UserId) -> bool {
        self.apart(viewer, author) || self.has_muted(viewer, author)
    }

    pub(crate) fn hides_somebody(&self, viewer: Option<UserId>) -> bool {
        self.users.keys().any(|author| self.unread(viewer, *author))
    }

    /// Whether somebody may see a post of this visibility, wherever that is.
    fn admits(&self, visibility: Visibility, viewer: Option<UserId>, row: &Row) -> bool {
        let Some(viewer) = viewer else { return visibility == Visibility::Public };
        let mentioned = row.audience.mentioned.contains(&viewer);
        match visibility {
            _ if viewer == row.author => true,
            _ if self.apart(Some(viewer), row.author) => false,
            Visibility::Public => true,
            Visibility::Followers => self.follows(viewer, row.author) || mentioned,
            Visibility::Mentioned => mentioned,
            Visibility::Private => false,
        }
    }

    /// Whether a post of this visibility, with these tags, stands in a feed.
    fn stands_in(
        &self,
        feed: FeedName,
        viewer: Option<UserId>,
        (id, row): (PostId, &Row),
        (visibility, tags): (Visibility, &BTreeSet<Tag>),
    ) -> bool {
        let muted = self.has_muted(viewer, row.author);
        let public = visibility == Visibility::Public;
        self.admits(visibility, viewer, row)
            && match feed {
                FeedName::Home => {
                    let Some(viewer) = viewer else { return false };
                    !muted && (row.author == viewer || self.follows(viewer, row.author))
                }
                FeedName::Global => !muted && public,
                FeedName::Tag(tag) => !muted && public && tags.contains(&tag),
                FeedName::List(list) => !muted && self.lists(list, viewer, row.author),
                FeedName::User(user) => row.author == user,
                FeedName::Post(post) => id == post,
                FeedName::Notifications | FeedName::Me | FeedName::Mod | FeedName::Firehose => false,
            }
    }

    /// Whether a feed shows a post.
    pub(crate) fn shows(&self, feed: FeedName, viewer: Option<UserId>, row: &Row, id: PostId) -> bool {
        let now = (row.audience.visibility, &row.audience.tags);
        !row.removed && self.stands_in(feed, viewer, (id, row), now)
    }

    /// Whether somebody may ever have seen a post there, as far as their context now says.
    pub(crate) fn may_have_shown(&self, feed: FeedName, viewer: Option<UserId>, row: &Row, id: PostId) -> bool {
        self.stands_in(feed, viewer, (id, row), (row.audience.widest, &row.audience.tagged))
    }

    /// Whether there is such a feed for somebody.
    pub(crate) fn is_open(&self, feed: FeedName, viewer: Option<UserId>) -> bool {
        match feed {
            FeedName::Home | FeedName::Notifications | FeedName::Me | FeedName::Firehose => viewer.is_some(),
            FeedName::Mod => false,
            FeedName::Global | FeedName::Tag(_) => true,
            FeedName::List(list) => self.has_list(list, viewer),
            FeedName::User(user) => self.users.contains_key(&user) && !self.apart(viewer, user),
            FeedName::Post(post) => self.posts.get(&post).is_some_and(|row| self.shows(feed, viewer, row, post)),
        }
    }

    /// Whether a change is about a feed of somebody's, whoever may be told what of it.
    pub(crate) fn is_about(&self, feed: FeedName, change: &Change, viewer: Option<UserId>) -> bool {
        let around = |user| viewer.is_some_and(|viewer| viewer == user || self.follows(viewer, user));
        match (feed, *change) {
            (FeedName::Home, Change::Post { author, .. }) => around(author),
            (FeedName::Global, Change::Post { .. }) => true,
            (FeedName::Tag(tag), Change::Post { id, .. }) => self.posts[&id].audience.tagged.contains(&tag),
            (FeedName::List(list), Change::Post { author, .. }) => self.lists(list, viewer, author),
            (FeedName::User(user), Change::Post { author, .. }) => author == user,
            (FeedName::Post(post), Change::Post { id, .. }) => id == post,
            _ => self.tells(feed, change, viewer),
        }
    }

    /// Whether somebody is told anything of the last state of what a change is about.
    pub(crate) fn tells(&self, feed: FeedName, change: &Change, viewer: Option<UserId>) -> bool {
        let one = |user| viewer == Some(user);
        let around = |user| one(user) || viewer.is_some_and(|viewer| self.follows(viewer, user));
        match (feed, *change) {
            (_, Change::Post { id, .. }) => {
                let row = &self.posts[&id];
                self.shows(feed, viewer, row, id) || self.may_have_shown(feed, viewer, row, id)
            }
            (FeedName::Post(post), Change::Comment { post: on, .. }) => on == post && self.is_open(feed, viewer),
            (FeedName::Home, Change::User { id, .. }) => around(id) && !self.apart(viewer, id),
            (FeedName::List(list), Change::User { id, .. }) => self.lists(list, viewer, id) && !self.apart(viewer, id),
            (FeedName::User(user), Change::User { id, .. }) => id == user && !self.apart(viewer, id),
            (FeedName::Me, Change::User { id, .. }) => one(id),
            (FeedName::Me, Change::Follow { follower, .. }) => one(follower),
            (FeedName::Me, Change::Block { blocker, .. }) => one(blocker),
            (FeedName::Me, Change::Mute { muter, .. }) => one(muter),
            (FeedName::Me, Change::List { owner, .. } | Change::Listed { owner, .. }) => one(owner),
            _ => false,
        }
    }
}

/// Whether a change of somebody's makes a feed of theirs start afresh.
pub(crate) fn starts_afresh(feed: FeedName, change: &Change, viewer: Option<UserId>) -> bool {
    let Some(viewer) = viewer else { return false };
    let for_followers = matches!(feed, FeedName::Home | FeedName::User(_) | FeedName::Post(_) | FeedName::List(_));
    let is_list = matches!(feed, FeedName::List(_));
    let for_others = feed != FeedName::Me;
    is_list
        && matches!(*change, Change::Listed { owner, .. } | Change::List { verb: Verb::Removed, owner, .. } if owner == viewer)
        || for_followers && matches!(*change, Change::Follow { follower, .. } if follower == viewer)
        || for_others && matches!(*change, Change::Mute { muter, .. } if muter == viewer)
        || for_others
            && matches!(*change, Change::Block { blocker, blocked, .. } if blocker == viewer || blocked == viewer)
}
