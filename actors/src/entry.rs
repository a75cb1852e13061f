//! What the journal says: entries, and the contiguous batches they travel in.
//! Must never hold anything a viewer's permission depends on besides ids: filters decide by [`Change`], clients read `body`.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tidings_protocol::ids::{CommentId, PostId, SessionId, UserId};
use tidings_protocol::position::{Epoch, Seq};
use tidings_protocol::push::EventName;
use uuid::Uuid;

/// What became of an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Verb {
    /// It is new.
    Created,
    /// It changed.
    Updated,
    /// It is gone; its tombstone remains.
    Removed,
}

/// Which entity an entry is about, and every id by which feeds are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Change {
    /// A post.
    Post {
        /// What became of it.
        verb: Verb,
        /// Which.
        id: PostId,
        /// By whom.
        author: UserId,
    },
    /// A comment.
    Comment {
        /// What became of it.
        verb: Verb,
        /// Which.
        id: CommentId,
        /// On which post.
        post: PostId,
        /// By whom.
        author: UserId,
    },
    /// A profile; [`Verb::Created`] when somebody signed up.
    User {
        /// What became of it.
        verb: Verb,
        /// Whose.
        id: UserId,
    },
    /// A follow ([`Verb::Created`]) or the end of one ([`Verb::Removed`]).
    Follow {
        /// What became of it.
        verb: Verb,
        /// Who follows.
        follower: UserId,
        /// Whom.
        followee: UserId,
    },
    /// A log-in ended. Never shown to clients; it closes their connections.
    SessionRevoked {
        /// Whose.
        user: UserId,
        /// Which; all of the user's if absent.
        session: Option<SessionId>,
    },
}

/// An entity whose states follow each other: of two entries with the same one only the later counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// A post, comment or profile.
    One(Uuid),
    /// A pair of users.
    Pair(UserId, UserId),
}

impl Change {
    /// The event clients are told; none for entries that are no client's business.
    #[must_use]
    pub const fn event(&self) -> Option<EventName> {
        Some(match self {
            Self::Post { verb: Verb::Created, .. } => EventName::PostCreated,
            Self::Post { verb: Verb::Updated, .. } => EventName::PostUpdated,
            Self::Post { verb: Verb::Removed, .. } => EventName::PostRemoved,
            Self::Comment { verb: Verb::Created, .. } => EventName::CommentCreated,
            Self::Comment { verb: Verb::Updated, .. } => EventName::CommentUpdated,
            Self::Comment { verb: Verb::Removed, .. } => EventName::CommentRemoved,
            Self::User { .. } => EventName::UserUpdated,
            Self::Follow { verb: Verb::Removed, .. } => EventName::FollowRemoved,
            Self::Follow { .. } => EventName::FollowCreated,
            Self::SessionRevoked { .. } => return None,
        })
    }

    /// Whose states follow each other.
    #[must_use]
    pub const fn subject(&self) -> Subject {
        match *self {
            Self::Post { id, .. } => Subject::One(id.0),
            Self::Comment { id, .. } => Subject::One(id.0),
            Self::User { id, .. } => Subject::One(id.0),
            Self::Follow { follower, followee, .. } => Subject::Pair(follower, followee),
            Self::SessionRevoked { user, session } => match session {
                Some(session) => Subject::One(session.0),
                None => Subject::Pair(user, user),
            },
        }
    }
}

/// One journal entry with the full present state of its entity.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// Its number.
    pub seq: Seq,
    /// What it is about.
    pub change: Change,
    /// The wire form of the entity (`Post`, `Comment`, `User`, `Follow` of the protocol), of
    /// `Removed` where the verb says so; `{}` for [`Change::SessionRevoked`]. Encoded once, shared by all.
    pub body: Arc<RawValue>,
}

/// A contiguous stretch of the journal. `entries` is ascending and may be sparse: an entry whose entity
/// has changed again since is left out, because the later entry carries the state.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Batch {
    /// The journal's life.
    #[serde(with = "epoch_as_text")]
    pub epoch: Epoch,
    /// First number it covers.
    pub first: Seq,
    /// Last number it covers.
    pub last: Seq,
    /// The entries.
    pub entries: Vec<Entry>,
}

mod epoch_as_text {
    use serde::{Deserialize, Deserializer, Serializer};
    use tidings_protocol::position::Epoch;

    pub(super) fn serialize<S: Serializer>(epoch: &Epoch, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(epoch)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Epoch, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
