//! Why the store would not do something, and how the client is told.
//! Must never say more of what somebody may not see than that it is not there.

use tidings_protocol::error::{ErrorCode, Refusal};
use tidings_protocol::limits::PINNED_POSTS;

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
    /// One cannot follow, block or mute oneself.
    Oneself,
    /// The actor blocks them.
    Blocked,
    /// The actor is suspended.
    Suspended,
    /// Only what everybody may see can be pinned.
    NotPublic,
    /// As much is pinned as may be.
    TooManyPinned,
    /// As many of these as one may have.
    TooMany,
    /// A picture is not there, is somebody else's, or is shown elsewhere.
    NoPicture {
        /// By which parameter it was named.
        field: &'static str,
    },
    /// The thread is locked, or its author wants to hear from others only.
    Closed,
    /// Their last comment in a slow thread is not long enough ago.
    TooSoon {
        /// When it will be.
        after_ms: u64,
    },
    /// It is being published and stays as it is.
    BeingPublished,
    /// The password has changed meanwhile.
    OtherPassword,
    /// Nothing can be published then.
    NoSuchTime,
    /// Only moderators may, or only admins.
    NotModerator,
    /// Another moderator sees to it.
    Claimed,
    /// One may not do this to oneself, nor to somebody with as much authority.
    Protected,
    /// There is nothing to be said against it, or it has been said.
    NoAppeal,
    /// This cannot be done to a thing of this kind, or not until then.
    Misplaced,
    /// It is so already.
    AlreadySo,
    /// It waits for the answer to an appeal.
    AppealOpen,
    /// It was decided by the one who asks: another has to.
    OwnDecision,
    /// A follow that has to be asked for first, or was asked for and is taken back: the journal does the same again as a deed
    /// ([`Act::asked_for`]), so that nobody outside ever hears this.
    AsksFirst,
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
            Self::Blocked => Refusal::new(Code::Forbidden, "you block them"),
            Self::NotPublic => Refusal::new(Code::Forbidden, "only a public post can be pinned"),
            Self::TooManyPinned => {
                Refusal::new(Code::LimitReached, format!("no more than {PINNED_POSTS} posts can be pinned"))
            }
            Self::TooMany => Refusal::new(Code::LimitReached, "no more of these may be had"),
            Self::NoPicture { field } => {
                Refusal::new(Code::NotFound, "no such picture of yours that is shown nowhere yet").field(field)
            }
            Self::Closed => Refusal::new(Code::Forbidden, "comments are closed to you here").field("post"),
            Self::TooSoon { after_ms } => {
                Refusal::new(Code::RateLimited, "comments are slowed down here").field("post").after_ms(after_ms)
            }
            Self::BeingPublished => Refusal::new(Code::Conflict, "it is being published").field("id"),
            Self::OtherPassword => Refusal::new(Code::BadCredentials, "this is not the password").field("password"),
            Self::NoSuchTime => Refusal::new(Code::Invalid, "must lie in the next 366 days").field("publish_at"),
            Self::AsksFirst => Refusal::new(Code::Forbidden, "they approve their followers first"),
            Self::Suspended => Refusal::new(Code::Forbidden, "this account is suspended"),
            Self::NotModerator => Refusal::new(Code::Forbidden, "this is not for you"),
            Self::Claimed => Refusal::new(Code::Conflict, "somebody else sees to it"),
            Self::Protected => Refusal::new(Code::Forbidden, "not to oneself, nor to somebody with as much authority"),
            Self::NoAppeal => Refusal::new(Code::Forbidden, "this cannot be appealed, or was before").field("action"),
            Self::Misplaced => {
                Refusal::new(Code::Invalid, "not to this kind of thing, or not until then").field("action")
            }
            Self::AlreadySo => Refusal::new(Code::Conflict, "it is so already").field("action"),
            Self::AppealOpen => Refusal::new(Code::Conflict, "an appeal is open: settle that"),
            Self::OwnDecision => Refusal::new(Code::Forbidden, "another moderator has to decide"),
        }
    }
}
