//! Who is told what of an entry: all of it, only that it is gone, or nothing. The one place that says so: live delivery, catch-up, snapshots
//! brought forward and pages from memory all ask here (P5). A pure function; it must never guess what a viewer's context does not say.

use tidings_protocol::entity::Visibility;
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::{ListId, UserId};

use super::{Topic, topics};
use crate::entry::{Change, Entry, Scope, Verb};

/// What a viewer's context says: what they may see and want to see depends on nothing else. All lists are sorted.
#[derive(Clone, Copy, Debug)]
pub struct Eyes<'a> {
    /// The viewer.
    pub user: UserId,
    /// Whom they follow.
    pub follows: &'a [UserId],
    /// Whom they block.
    pub blocks: &'a [UserId],
    /// Who blocks them.
    pub blocked_by: &'a [UserId],
    /// Whom they have muted.
    pub muted: &'a [UserId],
    /// Whether they look after what others write.
    pub moderates: bool,
    /// Their lists.
    pub lists: &'a [Listing],
}

/// A list and who is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// Which.
    pub id: ListId,
    /// Sorted.
    pub members: Vec<UserId>,
}

/// What a viewer is told of an entry on a feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// All of it.
    Whole,
    /// Of a post, that it is gone; of a comment, a placeholder.
    Short,
    /// Nothing.
    Nothing,
}

impl Eyes<'_> {
    /// Whether one of the two blocks the other.
    #[must_use]
    pub fn is_apart_from(&self, other: UserId) -> bool {
        holds(self.blocks, other) || holds(self.blocked_by, other)
    }

    fn has_muted(&self, author: UserId) -> bool {
        holds(self.muted, author)
    }

    /// Whether somebody is in a list of theirs.
    fn lists(&self, list: ListId, author: UserId) -> bool {
        let at = self.lists.binary_search_by_key(&list, |listing| listing.id);
        at.is_ok_and(|at| holds(&self.lists[at].members, author))
    }

    /// Whether their `home` shows an author.
    fn has_around(&self, author: UserId) -> bool {
        author == self.user || holds(self.follows, author)
    }
}

fn holds(sorted: &[UserId], user: UserId) -> bool {
    sorted.binary_search(&user).is_ok()
}

/// Whether an entry belongs to a feed at all, or ever did; none: of an anonymous viewer.
#[must_use]
pub fn belongs(feed: FeedName, entry: &Entry, eyes: Option<Eyes<'_>>) -> bool {
    if let FeedName::Tag(tag) = feed {
        let is_post = matches!(entry.change, Change::Post { .. });
        return is_post && entry.scope.as_ref().is_some_and(|scope| scope.tagged.contains(&tag));
    }
    if feed == FeedName::Firehose {
        return matches!(entry.change, Change::Post { .. } | Change::Comment { .. } | Change::User { .. });
    }
    if let FeedName::List(list) = feed {
        let (Change::Post { author, .. } | Change::User { id: author, .. }) = entry.change else { return false };
        return eyes.is_some_and(|eyes| eyes.lists(list, author));
    }
    topics(&entry.change).any(|topic| match (feed, topic) {
        (FeedName::Home, Topic::HomeOf(author)) => eyes.is_some_and(|eyes| eyes.has_around(author)),
        (FeedName::Notifications, Topic::Notifications(user)) | (FeedName::Me, Topic::Me(user)) => {
            eyes.is_some_and(|eyes| eyes.user == user)
        }
        (FeedName::Global, Topic::Global) => true,
        (FeedName::Mod, Topic::Mod) => eyes.is_some_and(|eyes| eyes.moderates),
        (FeedName::User(watched), Topic::User(user)) => watched == user,
        (FeedName::Post(watched), Topic::Post(post)) => watched == post,
        _ => false,
    })
}

/// What a viewer (none: an anonymous one) is told of an entry on a feed.
///
/// Whether one may read a post of which a comment is told is not known here: that was seen to when the feed began, and the entry that
/// takes it away ends the feed.
#[must_use]
pub fn sight(feed: FeedName, entry: &Entry, eyes: Option<Eyes<'_>>) -> Sight {
    if !belongs(feed, entry, eyes) {
        return Sight::Nothing;
    }
    match entry.change {
        Change::Post { verb, author, .. } => {
            let view = View { feed, author, eyes };
            view.of_post(verb, entry.scope.as_deref())
        }
        Change::Comment { verb, author, .. } => {
            // What a comment on a post says that is not for everybody goes to those who watch that post.
            let public = entry.scope.as_ref().is_none_or(|scope| scope.visibility.is_public());
            if feed == FeedName::Firehose && !public {
                return Sight::Nothing;
            }
            let hidden = eyes.is_some_and(|eyes| eyes.is_apart_from(author) || eyes.has_muted(author));
            if hidden && verb != Verb::Removed { Sight::Short } else { Sight::Whole }
        }
        Change::User { id, .. } => {
            if eyes.is_some_and(|eyes| eyes.is_apart_from(id)) {
                Sight::Nothing
            } else {
                Sight::Whole
            }
        }
        Change::Follow { .. }
        | Change::Block { .. }
        | Change::Mute { .. }
        | Change::Request { .. }
        | Change::List { .. }
        | Change::Listed { .. }
        | Change::Case { .. }
        | Change::Own { .. } => Sight::Whole,
        Change::Rights { .. } | Change::SessionRevoked { .. } => Sight::Nothing,
    }
}

/// A post on a feed, as somebody sees it.
struct View<'a> {
    feed: FeedName,
    author: UserId,
    eyes: Option<Eyes<'a>>,
}

impl View<'_> {
    fn of_post(&self, verb: Verb, scope: Option<&Scope>) -> Sight {
        if self.is_hidden() {
            return Sight::Nothing;
        }
        let Some(scope) = scope else {
            return Sight::Whole;
        };
        if verb != Verb::Removed && self.admits(scope.visibility, scope) && self.still_belongs(scope) {
            Sight::Whole
        } else if !self.admits(scope.widest, scope) {
            Sight::Nothing
        } else if verb == Verb::Removed {
            Sight::Whole
        } else {
            Sight::Short
        }
    }

    /// Whether the viewer sees nothing of this author here. A muted one's posts are there for who goes and looks.
    fn is_hidden(&self) -> bool {
        let looks_there = matches!(self.feed, FeedName::User(_) | FeedName::Post(_));
        self.eyes.is_some_and(|eyes| eyes.is_apart_from(self.author) || !looks_there && eyes.has_muted(self.author))
    }

    /// Whether the feed shows the viewer a post of this visibility.
    fn admits(&self, visibility: Visibility, scope: &Scope) -> bool {
        if matches!(self.feed, FeedName::Global | FeedName::Tag(_) | FeedName::Firehose) {
            return visibility.is_public();
        }
        let own = self.eyes.is_some_and(|eyes| eyes.user == self.author);
        let follows = self.eyes.is_some_and(|eyes| holds(eyes.follows, self.author));
        let mentioned = self.eyes.is_some_and(|eyes| scope.mentioned.contains(&eyes.user));
        own || match visibility {
            Visibility::Public => true,
            Visibility::Followers => follows || mentioned,
            Visibility::Mentioned => mentioned,
            Visibility::Private => false,
        }
    }

    fn still_belongs(&self, scope: &Scope) -> bool {
        match self.feed {
            FeedName::Tag(tag) => scope.tags.contains(&tag),
            FeedName::Home
            | FeedName::List(_)
            | FeedName::Global
            | FeedName::Notifications
            | FeedName::Me
            | FeedName::Mod
            | FeedName::Firehose
            | FeedName::User(_)
            | FeedName::Post(_) => true,
        }
    }
}
