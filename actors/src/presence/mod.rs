//! Who is here, who is typing, how many are reading: true only for a moment. Owns all of it, here and in what peers are told.
//! Must never be needed for anything else: it has no `seq`, touches no database, may be dropped anywhere, and nobody waits for it.
//!
//! Each worker thread has a [`stand`] where its connections leave word and where news is told; a [`crier`] goes round the stands of its node
//! and whispers with those of the peers. What they share is the [`company`], where everything that waits is kept by its key, so that it never
//! grows with how often something happens.

mod board;
pub mod company;
pub mod crier;
mod fading;
pub mod ledger;
pub mod machine;
mod people;
mod readers;
#[cfg(test)]
mod sim;
pub mod stand;
mod typing;
pub mod visit;
pub mod whisper;

use serde::{Deserialize, Serialize};
use tidings_protocol::ids::{CommentId, PostId, UserId};
use tidings_protocol::position::Millis;
use tidings_protocol::presence::{Presence, Showing, Status};

/// How somebody stands, as nodes tell each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Standing {
    /// Here.
    Online,
    /// Here and not at it.
    Idle,
    /// Not here since.
    Gone(Millis),
}

impl Standing {
    /// Whether they are here at all.
    #[must_use]
    pub const fn is_here(self) -> bool {
        matches!(self, Self::Online | Self::Idle)
    }

    /// Of what two connections, or two nodes, say of one person, that which counts.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Online, _) | (_, Self::Online) => Self::Online,
            (Self::Idle, _) | (_, Self::Idle) => Self::Idle,
            (Self::Gone(one), Self::Gone(two)) => Self::Gone(one.max(two)),
        }
    }

    /// As a client is told; somebody of whom nothing is known is offline.
    #[must_use]
    pub const fn told(id: UserId, standing: Option<Self>) -> Presence {
        let (status, last_seen) = match standing {
            Some(Self::Online) => (Status::Online, None),
            Some(Self::Idle) => (Status::Idle, None),
            Some(Self::Gone(since)) => (Status::Offline, Some(since)),
            None => (Status::Offline, None),
        };
        Presence { id, status, last_seen }
    }
}

/// What a connection shows, as a standing; none if it shows nothing.
const fn shown(showing: Showing) -> Option<Standing> {
    match showing {
        Showing::Online => Some(Standing::Online),
        Showing::Idle => Some(Standing::Idle),
        Showing::Invisible => None,
    }
}

/// Where people write together: under a post, or under one of its comments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Thread {
    /// The post.
    pub post: PostId,
    /// The comment that is being answered.
    pub parent: Option<CommentId>,
}

/// Both clocks: one for waiting, one for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Milliseconds of the node's monotonic clock.
    pub now: u64,
    /// Milliseconds since 1970.
    pub wall: Millis,
}

/// Something was dropped, as it may be; the operator is told how often.
fn dropped(what: &'static str, number: usize) {
    if number > 0 {
        metrics::counter!("tidings_presence_dropped_total", "what" => what).increment(number as u64);
    }
}
