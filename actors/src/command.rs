//! What users ask the journal to do, and what comes of it.
//! Every command may be carried out twice without harm: that is what makes an unknown outcome askable (P10).

mod deed;
mod denied;

use secrecy::SecretString;
use serde::Serialize;
use tidings_protocol::entity::{PostExtra, Visibility};
use tidings_protocol::ids::{CommentId, MediaId, PostId, SessionId, UserId};
use tidings_protocol::limits::{REQUESTS_RECEIVED, REQUESTS_SENT};
use tidings_protocol::media::PictureRef;
use tidings_protocol::position::{Epoch, Seq};
use tidings_protocol::spans::{MentionSpan, TagSpan};
use tidings_protocol::text::{Bio, CommentText, DisplayName, Handle, PostText, Warning};
use tidings_protocol::threads::Commenters;

pub use self::deed::{Deed, ModeratedKind};
pub use self::denied::Denied;
use crate::entry::Entry;

/// A wish to change the state, by `actor`.
#[derive(Clone, Debug)]
pub struct Command {
    /// Who wishes it. Permission is decided by the store, from its own rows, under the journal's lock.
    pub actor: UserId,
    /// What.
    pub act: Act,
}

/// The changes there are.
#[derive(Clone, Debug)]
pub enum Act {
    /// Signs `actor` up.
    UserCreate {
        /// Unique name.
        handle: Handle,
        /// Display name.
        name: DisplayName,
        /// Normalised address.
        email: SecretString,
        /// As the hasher wrote it.
        password_hash: SecretString,
    },
    /// Changes the profile of `actor`; what is absent stays.
    UserUpdate {
        /// Display name.
        name: Option<DisplayName>,
        /// Profile text.
        bio: Option<Bio>,
        /// What else is to change.
        change: ProfileChange,
        /// Refuse if changed since.
        if_rev: Option<Seq>,
    },
    /// `actor` follows `whom`.
    Follow {
        /// Whom.
        whom: UserId,
    },
    /// `actor` no longer follows `whom`.
    Unfollow {
        /// Whom.
        whom: UserId,
    },
    /// Creates a post.
    PostCreate {
        /// Chosen by the client.
        id: PostId,
        /// Text; none for a repost and for pictures alone.
        text: Option<PostText>,
        /// What not every post has, but for pictures; none if it has nothing of it.
        extra: Option<Box<PostExtra>>,
        /// Pictures of `actor`'s that nothing shows yet.
        pictures: Vec<PictureRef>,
    },
    /// Changes a post.
    PostUpdate {
        /// Which.
        id: PostId,
        /// Text.
        text: PostText,
        /// What else is to change, and what the new text brings with it.
        change: ExtraChange,
        /// Refuse if changed since.
        if_rev: Option<Seq>,
    },
    /// Deletes a post; its comments go with it.
    PostDelete {
        /// Which.
        id: PostId,
    },
    /// Creates a comment.
    CommentCreate {
        /// Chosen by the client.
        id: CommentId,
        /// On which post.
        post: PostId,
        /// Answering which comment.
        parent: Option<CommentId>,
        /// Text.
        text: CommentText,
    },
    /// Changes a comment.
    CommentUpdate {
        /// Which.
        id: CommentId,
        /// Text.
        text: CommentText,
        /// Refuse if changed since.
        if_rev: Option<Seq>,
    },
    /// Deletes a comment; answers to it stay.
    CommentDelete {
        /// Which.
        id: CommentId,
    },
    /// Anything else: decided by itself, after the rest of its batch.
    Deed(Deed),
    /// Ends a log-in of `actor`, or all of them.
    SessionRevoke {
        /// Which; all if absent.
        session: Option<SessionId>,
    },
}

impl Act {
    /// What a follow or its end becomes where it turns out that there has to be a request first, or that there is one; none for everything else.
    #[must_use]
    pub const fn asked_for(&self) -> Option<Deed> {
        match *self {
            Self::Follow { whom } => Some(Deed::Ask { whom, sent: REQUESTS_SENT, received: REQUESTS_RECEIVED }),
            Self::Unfollow { whom } => Some(Deed::TakeBack { whom }),
            Self::UserCreate { .. }
            | Self::UserUpdate { .. }
            | Self::PostCreate { .. }
            | Self::PostUpdate { .. }
            | Self::PostDelete { .. }
            | Self::CommentCreate { .. }
            | Self::CommentUpdate { .. }
            | Self::CommentDelete { .. }
            | Self::Deed(_)
            | Self::SessionRevoke { .. } => None,
        }
    }
}

/// A change of what not every profile has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ProfileChange {
    /// Stays if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asks: Option<bool>,
    /// Stays if absent; `None` in it for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub avatar: Option<Option<MediaId>>,
}

/// A change of what not every post has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ExtraChange {
    /// Stays if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visibility: Option<Visibility>,
    /// Stays if absent; empty for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warning: Option<Warning>,
    /// Stays if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comments: Option<Commenters>,
    /// Those of the new text.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<TagSpan>,
    /// Those of the new text.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mentions: Vec<MentionSpan>,
}

/// What came of one command.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// Done: this is the new entry.
    Done(Entry),
    /// It was so already and nothing was written: the present state, `seq` being its `rev`.
    Duplicate(Entry),
    /// Not done, and nothing left behind (P2).
    Refused(Denied),
}

/// What came of a batch: one outcome for each command, in order.
#[derive(Clone, Debug)]
pub struct Committed {
    /// The journal's life.
    pub epoch: Epoch,
    /// One for each command. The `Done` entries are contiguous and ascending.
    pub outcomes: Vec<Outcome>,
    /// Entries that are no command's: what the commands bring others. Behind those that are, contiguous and ascending.
    pub brought: Vec<Entry>,
}
