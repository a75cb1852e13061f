//! Feeds as filters over the journal: which change reaches which feed, who is told what of it, and how it gets there.
//! Nothing here asks anybody: what is not known from the journal, or was not looked up before, is not told.

pub mod actor;
pub mod aside;
pub mod audience;
pub mod catch_up;
pub mod context;
mod fan_out;
mod filtered;
pub mod firehose;
pub mod forward;
pub mod join;
mod notes;
pub mod recall;
mod sampling;
pub mod sight;
#[cfg(test)]
mod sim;
pub mod table;
#[cfg(test)]
mod weight;

use tidings_protocol::ids::{PostId, UserId};

use crate::entry::Change;

/// What subscriptions are indexed by on a worker thread, but for tags, whose names are longer, and lists, which few have. `home` is indexed by the authors whose posts it
/// shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Topic {
    /// Homes that show this author.
    HomeOf(UserId),
    /// The global feed.
    Global,
    /// The notifications of a user.
    Notifications(UserId),
    /// The `me` feed of a user.
    Me(UserId),
    /// The feed of the moderators.
    Mod,
    /// The feed of a user's profile.
    User(UserId),
    /// The feed of a post.
    Post(PostId),
}

/// The topics a change reaches: as far as that depends on nothing but whose and what it is.
pub fn topics(change: &Change) -> impl Iterator<Item = Topic> {
    let reached = match *change {
        Change::Post { id, author, .. } => {
            [Some(Topic::HomeOf(author)), Some(Topic::User(author)), Some(Topic::Global), Some(Topic::Post(id))]
        }
        Change::Comment { post, .. } => [Some(Topic::Post(post)), None, None, None],
        Change::User { id, .. } => [Some(Topic::HomeOf(id)), Some(Topic::User(id)), Some(Topic::Me(id)), None],
        Change::Own { event, user, .. } if event.is_of_notifications() => {
            [Some(Topic::Notifications(user)), None, None, None]
        }
        Change::Follow { follower: user, .. }
        | Change::Block { blocker: user, .. }
        | Change::Mute { muter: user, .. }
        | Change::List { owner: user, .. }
        | Change::Listed { owner: user, .. }
        | Change::Own { user, .. } => [Some(Topic::Me(user)), None, None, None],
        Change::Request { asker, asked, .. } => [Some(Topic::Me(asker)), Some(Topic::Me(asked)), None, None],
        Change::Case { .. } => [Some(Topic::Mod), None, None, None],
        Change::Rights { .. } | Change::SessionRevoked { .. } => [None; 4],
    };
    reached.into_iter().flatten()
}
