//! What people did, as the oracle writes it down. Must never say what comes of it: that is worked out by the truth.

use tidings_protocol::entity::Visibility;
use tidings_protocol::ids::{CommentId, PostId, UserId};
use tidings_protocol::marks::Emoji;

/// Something that was done, and acknowledged.
#[derive(Clone, Debug)]
pub enum Deed {
    Post {
        id: PostId,
        author: UserId,
        text: String,
        visibility: Visibility,
        /// What it hands on.
        of: Option<PostId>,
    },
    Edit {
        id: PostId,
        text: String,
        visibility: Visibility,
    },
    Delete {
        id: PostId,
    },
    Comment {
        id: CommentId,
        post: PostId,
        parent: Option<CommentId>,
        author: UserId,
        text: String,
    },
    DeleteComment {
        id: CommentId,
    },
    Follow {
        who: UserId,
        whom: UserId,
        on: bool,
    },
    Block {
        who: UserId,
        whom: UserId,
        on: bool,
    },
    Mute {
        who: UserId,
        whom: UserId,
        on: bool,
    },
    /// Into the one list that each has, which is named as they are.
    Enlist {
        who: UserId,
        whom: UserId,
        on: bool,
    },
    React {
        who: UserId,
        post: PostId,
        emoji: Option<Emoji>,
    },
    /// By a moderator, as the rest.
    Hide {
        id: PostId,
        on: bool,
    },
    HideComment {
        id: CommentId,
        on: bool,
    },
    Suspend {
        whom: UserId,
        on: bool,
    },
    /// By an admin: they look after what others write, or no longer do.
    Role {
        whom: UserId,
        on: bool,
    },
}

/// A deed, whose it was, and with which others it was under way.
#[derive(Clone, Debug)]
pub struct Done {
    pub who: UserId,
    pub volley: usize,
    pub deed: Deed,
}

impl Deed {
    /// What one may do who is suspended: take back what one did, and look after what is nobody else's affair.
    pub fn takes_back(&self) -> bool {
        matches!(
            self,
            Self::Delete { .. }
                | Self::DeleteComment { .. }
                | Self::Enlist { .. }
                | Self::Follow { on: false, .. }
                | Self::Block { on: false, .. }
                | Self::Mute { on: false, .. }
                | Self::React { emoji: None, .. }
        )
    }
}

impl Done {
    /// Whether it may have changed what somebody is told of what `actor` did to something of `user`'s, about `post`: a tie between two of these people or
    /// the post's author, or a change of the post or of a comment on it.
    pub fn shakes(&self, people: [UserId; 3], post: Option<PostId>) -> bool {
        match &self.deed {
            Deed::Follow { who, whom, .. } | Deed::Block { who, whom, .. } | Deed::Mute { who, whom, .. } => {
                people.contains(who) && people.contains(whom)
            }
            Deed::Edit { id, .. } | Deed::Delete { id } | Deed::Hide { id, .. } => post == Some(*id),
            Deed::DeleteComment { .. } | Deed::HideComment { .. } => true,
            Deed::Post { .. }
            | Deed::Comment { .. }
            | Deed::Enlist { .. }
            | Deed::React { .. }
            | Deed::Suspend { .. }
            | Deed::Role { .. } => false,
        }
    }
}
