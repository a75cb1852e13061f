//! Feeds as filters over the journal: which change belongs to which feed.
//! The one place that says so; live delivery, catch-up and snapshots all ask here.

pub mod actor;
pub mod catch_up;
mod fan_out;
pub mod forward;
pub mod join;
pub mod recall;
#[cfg(test)]
mod sim;
pub mod table;
#[cfg(test)]
mod weight;

use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::{PostId, UserId};

use crate::entry::Change;

/// What subscriptions are indexed by on a worker thread. `home` is indexed by the authors whose posts it shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Topic {
    /// Homes that show this author.
    HomeOf(UserId),
    /// The global feed.
    Global,
    /// The `me` feed of a user.
    Me(UserId),
    /// The feed of a user's profile.
    User(UserId),
    /// The feed of a post.
    Post(PostId),
}

/// The topics a change reaches.
pub fn topics(change: &Change) -> impl Iterator<Item = Topic> {
    let reached = match *change {
        Change::Post { id, author, .. } => {
            [Some(Topic::HomeOf(author)), Some(Topic::User(author)), Some(Topic::Global), Some(Topic::Post(id))]
        }
        Change::Comment { post, .. } => [Some(Topic::Post(post)), None, None, None],
        Change::User { id, .. } => [Some(Topic::HomeOf(id)), Some(Topic::User(id)), Some(Topic::Me(id)), None],
        Change::Follow { follower, .. } => [Some(Topic::Me(follower)), None, None, None],
        Change::SessionRevoked { .. } => [None; 4],
    };
    reached.into_iter().flatten()
}

/// The authors a viewer's `home` shows: themselves and whom they follow.
#[derive(Clone, Copy, Debug)]
pub struct Circle<'a> {
    /// The viewer.
    pub user: UserId,
    /// Whom they follow, sorted.
    pub follows: &'a [UserId],
}

impl Circle<'_> {
    fn holds(&self, author: UserId) -> bool {
        author == self.user || self.follows.binary_search(&author).is_ok()
    }
}

/// Whether a change belongs to a feed, as `circle`'s viewer (none for an anonymous one) sees it.
#[must_use]
pub fn belongs(feed: FeedName, change: &Change, circle: Option<Circle<'_>>) -> bool {
    topics(change).any(|topic| match (feed, topic) {
        (FeedName::Home, Topic::HomeOf(author)) => circle.is_some_and(|circle| circle.holds(author)),
        (FeedName::Me, Topic::Me(user)) => circle.is_some_and(|circle| circle.user == user),
        (FeedName::Global, Topic::Global) => true,
        (FeedName::User(watched), Topic::User(user)) => watched == user,
        (FeedName::Post(watched), Topic::Post(post)) => watched == post,
        _ => false,
    })
}
