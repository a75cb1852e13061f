//! What the journal says: entries, and the contiguous batches they travel in.
//! Must never hold anything a viewer's permission depends on besides ids: filters decide by [`Change`], clients read `body`.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tidings_protocol::entity::Visibility;
use tidings_protocol::ids::{CaseId, CommentId, ListId, PostId, SessionId, UserId};
use tidings_protocol::position::{Epoch, Seq};
use tidings_protocol::push::EventName;
use tidings_protocol::spans::Tag;
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
    /// Somebody blocks somebody ([`Verb::Created`]) or does so no longer ([`Verb::Removed`]). Told to the one who blocks; it changes what
    /// both see.
    Block {
        /// What became of it.
        verb: Verb,
        /// Who blocks.
        blocker: UserId,
        /// Whom.
        blocked: UserId,
    },
    /// Somebody has muted somebody ([`Verb::Created`]) or no longer ([`Verb::Removed`]).
    Mute {
        /// What became of it.
        verb: Verb,
        /// Who mutes.
        muter: UserId,
        /// Whom.
        muted: UserId,
    },
    /// A case of the moderators', told on `mod` alone.
    Case {
        /// Which.
        id: CaseId,
    },
    /// Somebody looks after what others write from now on, or no longer. Never shown to clients; it opens or ends their `mod`.
    Rights {
        /// Who.
        user: UserId,
        /// Whether they do.
        moderates: bool,
    },
    /// Somebody asks to follow somebody ([`Verb::Created`]) or does so no longer ([`Verb::Removed`]). Told to both.
    Request {
        /// What became of it.
        verb: Verb,
        /// Who asks.
        asker: UserId,
        /// Whom.
        asked: UserId,
    },
    /// A list of somebody's, told to them alone.
    List {
        /// What became of it.
        verb: Verb,
        /// Whose.
        owner: UserId,
        /// Which.
        id: ListId,
    },
    /// Somebody is in a list ([`Verb::Created`]) or no longer ([`Verb::Removed`]). It changes what its owner's feed of that list shows.
    Listed {
        /// What became of it.
        verb: Verb,
        /// Whose list.
        owner: UserId,
        /// Which.
        list: ListId,
        /// Who.
        member: UserId,
    },
    /// Something of one user's own, told on their `me` alone.
    Own {
        /// What they are told.
        event: EventName,
        /// Whose.
        user: UserId,
        /// Which.
        id: Uuid,
    },
    /// A log-in ended. Never shown to clients; it closes their connections.
    SessionRevoked {
        /// Whose.
        user: UserId,
        /// Which; all of the user's if absent.
        session: Option<SessionId>,
    },
}

/// A kind of thing that others than those concerned may come to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A post.
    Post,
    /// A comment.
    Comment,
    /// A profile.
    User,
}

/// What an entry is about, where that is a thing that others may come to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thing {
    /// What kind of thing.
    pub kind: Kind,
    /// What became of it.
    pub verb: Verb,
    /// Which.
    pub id: Uuid,
    /// Whose.
    pub author: UserId,
}

/// An entity whose states follow each other: of two entries with the same one only the later counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// A post, comment or profile.
    One(Uuid),
    /// How one user stands to another, in one way.
    Pair(Tie, UserId, UserId),
    /// Somebody in a list.
    Member(ListId, UserId),
    /// Something of one user's own: of what kind, whose and which. One's reaction to a post and one's bookmark of it have the post's id.
    Own(&'static str, UserId, Uuid),
}

/// How one user may stand to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tie {
    /// The one follows the other.
    Follows,
    /// The one blocks the other.
    Blocks,
    /// The one has muted the other.
    Mutes,
    /// The one has asked to follow the other.
    Asks,
    /// None: all log-ins of a user.
    LogIns,
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
            Self::Block { verb: Verb::Removed, .. } => EventName::BlockRemoved,
            Self::Block { .. } => EventName::BlockCreated,
            Self::Mute { verb: Verb::Removed, .. } => EventName::MuteRemoved,
            Self::Mute { .. } => EventName::MuteCreated,
            Self::Case { .. } => EventName::CaseUpdated,
            Self::Request { verb: Verb::Removed, .. } => EventName::RequestRemoved,
            Self::Request { .. } => EventName::RequestCreated,
            Self::List { verb: Verb::Removed, .. } => EventName::ListRemoved,
            Self::List { .. } => EventName::ListUpdated,
            Self::Listed { verb: Verb::Removed, .. } => EventName::MemberRemoved,
            Self::Listed { .. } => EventName::MemberCreated,
            Self::Own { event, .. } => *event,
            Self::Rights { .. } | Self::SessionRevoked { .. } => return None,
        })
    }

    /// The thing that others may come to see; none where those alone are told whom it concerns.
    #[must_use]
    pub const fn thing(&self) -> Option<Thing> {
        Some(match *self {
            Self::Post { verb, id, author } => Thing { kind: Kind::Post, verb, id: id.0, author },
            Self::Comment { verb, id, author, .. } => Thing { kind: Kind::Comment, verb, id: id.0, author },
            Self::User { verb, id } => Thing { kind: Kind::User, verb, id: id.0, author: id },
            Self::Follow { .. }
            | Self::Block { .. }
            | Self::Mute { .. }
            | Self::Case { .. }
            | Self::Rights { .. }
            | Self::Request { .. }
            | Self::List { .. }
            | Self::Listed { .. }
            | Self::Own { .. }
            | Self::SessionRevoked { .. } => return None,
        })
    }

    /// Whose states follow each other.
    #[must_use]
    pub fn subject(&self) -> Subject {
        match *self {
            Self::Post { id, .. } => Subject::One(id.0),
            Self::Comment { id, .. } => Subject::One(id.0),
            Self::User { id, .. } => Subject::One(id.0),
            Self::Follow { follower, followee, .. } => Subject::Pair(Tie::Follows, follower, followee),
            Self::Block { blocker, blocked, .. } => Subject::Pair(Tie::Blocks, blocker, blocked),
            Self::Mute { muter, muted, .. } => Subject::Pair(Tie::Mutes, muter, muted),
            Self::Case { id } => Subject::One(id.0),
            Self::Rights { user, .. } => Subject::Own("rights", user, user.0),
            Self::Request { asker, asked, .. } => Subject::Pair(Tie::Asks, asker, asked),
            Self::List { owner, id, .. } => Subject::Own("list", owner, id.0),
            Self::Listed { list, member, .. } => Subject::Member(list, member),
            Self::Own { event, user, id } => Subject::Own(event.noun(), user, id),
            Self::SessionRevoked { user, session } => match session {
                Some(session) => Subject::One(session.0),
                None => Subject::Pair(Tie::LogIns, user, user),
            },
        }
    }
}

/// Which feeds a post belongs to and who may see it, where that is not simply everybody and none but its author's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// Who may see it now.
    pub visibility: Visibility,
    /// Who may have seen it: the least it was ever narrowed to.
    pub widest: Visibility,
    /// Whom it mentions or ever has mentioned; empty for a post that was never anything but public.
    pub mentioned: Vec<UserId>,
    /// Its hashtags.
    pub tags: Vec<Tag>,
    /// The hashtags it has ever had.
    pub tagged: Vec<Tag>,
    /// The post it hands on, whose numbers change with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<PostId>,
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
    /// Of a post that is not simply public, without hashtags and handing on nothing; of a comment on a post that is not for everybody, how far
    /// that is seen. None for everything else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Arc<Scope>>,
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
