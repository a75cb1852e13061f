//! What users ask the journal to do, and what comes of it.
//! Every command may be carried out twice without harm: that is what makes an unknown outcome askable (P10).

use secrecy::SecretString;
use tidings_protocol::error::{ErrorCode, Refusal};
use tidings_protocol::ids::{CommentId, PostId, SessionId, UserId};
use tidings_protocol::position::{Epoch, Seq};
use tidings_protocol::text::{Bio, CommentText, DisplayName, Handle, PostText};

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
        /// Text.
        text: PostText,
    },
    /// Changes a post.
    PostUpdate {
        /// Which.
        id: PostId,
        /// Text.
        text: PostText,
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
    /// Ends a log-in of `actor`, or all of them.
    SessionRevoke {
        /// Which; all if absent.
        session: Option<SessionId>,
    },
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

/// Why the store would not do it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Denied {
    /// The actor's account does not exist (any more).
    NoAccount,
    /// What it is about does not exist or was deleted.
    NotFound,
    /// It belongs to somebody else.
    Forbidden,
    /// The id is taken by other content.
    IdTaken,
    /// The handle is taken.
    HandleTaken,
    /// The e-mail address is taken.
    EmailTaken,
    /// Changed since `if_rev`.
    Stale,
    /// Answers would nest too deep.
    TooDeep,
    /// One cannot follow oneself.
    Oneself,
}

impl Denied {
    /// As the client is told.
    #[must_use]
    pub fn refusal(self) -> Refusal {
        use ErrorCode as Code;
        match self {
            Self::NoAccount => Refusal::new(Code::Unauthorized, "no such account"),
            Self::NotFound => Refusal::new(Code::NotFound, "it does not exist or was deleted"),
            Self::Forbidden => Refusal::new(Code::Forbidden, "it is not yours"),
            Self::IdTaken => Refusal::new(Code::Conflict, "this id is taken by something else").field("id"),
            Self::HandleTaken => Refusal::new(Code::Conflict, "this handle is taken").field("handle"),
            Self::EmailTaken => Refusal::new(Code::Conflict, "this e-mail address is taken").field("email"),
            Self::Stale => Refusal::new(Code::Stale, "it has changed since").field("if_rev"),
            Self::TooDeep => Refusal::new(Code::LimitReached, "answers do not nest deeper").field("parent"),
            Self::Oneself => Refusal::new(Code::Invalid, "not oneself").field("id"),
        }
    }
}

/// What came of a batch: one outcome for each command, in order.
#[derive(Clone, Debug)]
pub struct Committed {
    /// The journal's life.
    pub epoch: Epoch,
    /// One for each command. The `Done` entries are contiguous and ascending.
    pub outcomes: Vec<Outcome>,
}
