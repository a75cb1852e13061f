//! What users ask the journal to do, and what comes of it.
//! Every command may be carried out twice without harm: that is what makes an unknown outcome askable (P10).

use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use tidings_protocol::drafts::DraftContent;
use tidings_protocol::entity::{PostExtra, Role, Visibility};
use tidings_protocol::error::{ErrorCode, Refusal};
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::{
    ActionId, CaseId, CommentId, FilterId, ListId, MediaId, NotificationId, PostId, ReportId, SessionId, UserId,
};
use tidings_protocol::limits::{PINNED_POSTS, REQUESTS_RECEIVED, REQUESTS_SENT};
use tidings_protocol::marks::Emoji;
use tidings_protocol::media::PictureRef;
use tidings_protocol::moderation::{ActionKind, Reason};
use tidings_protocol::notification::NotifyPreferences;
use tidings_protocol::position::{Epoch, Millis, Seq};
use tidings_protocol::settings::SettingsUpdate;
use tidings_protocol::spans::{MentionSpan, TagSpan};
use tidings_protocol::text::{Bio, CommentText, DisplayName, FilterPhrase, Handle, ListName, Note, PostText, Warning};
use tidings_protocol::threads::Commenters;
use uuid::Uuid;

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

/// Changes that are rare enough to be decided one after the other. Each becomes the arguments of a function of its own in the migrations,
/// named `act_` and its kind.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Deed {
    /// `actor` blocks `whom`: follows end in both directions, and neither sees the other.
    Block {
        /// Whom.
        whom: UserId,
    },
    /// `actor` blocks `whom` no longer.
    Unblock {
        /// Whom.
        whom: UserId,
    },
    /// `actor` does not want to read `whom`.
    Mute {
        /// Whom.
        whom: UserId,
        /// When it ends by itself.
        until: Option<Millis>,
    },
    /// `actor` reads `whom` again.
    Unmute {
        /// Whom.
        whom: UserId,
    },
    /// `actor` reacts to a post, in place of any other reaction of theirs to it.
    React {
        /// Which post.
        post: PostId,
        /// How.
        emoji: Emoji,
    },
    /// `actor` takes their reaction to a post back.
    Unreact {
        /// Which post.
        post: PostId,
    },
    /// `actor` bookmarks a post.
    Bookmark {
        /// Which.
        post: PostId,
    },
    /// `actor` has seen their notifications as far as this place.
    SeeNotifications {
        /// Which.
        up_to: Seq,
    },
    /// `actor` has read some of their notifications.
    ReadNotifications {
        /// Which; all if absent.
        #[serde(skip_serializing_if = "Option::is_none")]
        ids: Option<Vec<NotificationId>>,
        /// As far as they are not above this place.
        #[serde(skip_serializing_if = "Option::is_none")]
        up_to: Option<Seq>,
    },
    /// `actor` has read a feed as far as this place.
    SetMarker {
        /// Which feed.
        feed: FeedName,
        /// The place.
        seq: Seq,
        /// Markers they may have, so that one more makes them give up another.
        most: usize,
    },
    /// `actor` says of whom they want to hear.
    PreferNotifications(NotifyPreferences),
    /// `actor` takes a bookmark away.
    Unbookmark {
        /// Of which post.
        post: PostId,
    },
    /// `actor` shows a public post of theirs before all others. It is the post that changes.
    Pin {
        /// Which.
        post: PostId,
    },
    /// `actor` makes a bot.
    MakeBot {
        /// Its id.
        bot: UserId,
        /// Its unique name.
        handle: Handle,
        /// Its display name.
        name: DisplayName,
        /// Bots they may have.
        most: usize,
    },
    /// `actor` stops a bot of theirs for good.
    StopBot {
        /// Which.
        bot: UserId,
    },
    /// `actor` shows a post in its place again.
    Unpin {
        /// Which.
        post: PostId,
    },
    /// Nobody comments on a post any more. It is the post that changes.
    Lock {
        /// Which.
        post: PostId,
    },
    /// People comment on it again.
    Unlock {
        /// Which.
        post: PostId,
    },
    /// Each person comments on a post once in so many seconds; 0 for as often as they like.
    Slow {
        /// Which.
        post: PostId,
        /// How many.
        seconds: u32,
    },
    /// Who may comment on a post.
    Comments {
        /// Which.
        post: PostId,
        /// Who.
        comments: Commenters,
    },
    /// A comment on a post of `actor`'s is folded away. It is the comment that changes.
    Hide {
        /// Which.
        comment: CommentId,
    },
    /// It is unfolded again.
    Unhide {
        /// Which.
        comment: CommentId,
    },
    /// `actor` chooses something once and for all.
    Choose(SettingsUpdate),
    /// The account of `actor` ends, for somebody who has shown the password.
    DeleteAccount {
        /// The log-in that asks for it, which must still live.
        session: SessionId,
        /// What the password was checked against, which must still be the one kept.
        #[serde(serialize_with = "exposed")]
        checked: SecretString,
        /// For how long nobody may take the handle.
        rest_ms: u64,
    },
    /// `actor` puts a draft in whole.
    PutDraft {
        /// Which.
        #[serde(skip)]
        id: PostId,
        /// What it says.
        content: Box<DraftContent>,
        /// When it is to be published by itself.
        publish_at: Option<Millis>,
        /// Refuse if changed since.
        #[serde(skip_serializing_if = "Option::is_none")]
        if_rev: Option<Seq>,
        /// Drafts they may have.
        most: usize,
        /// How far ahead it may be set to be published.
        ahead_ms: u64,
    },
    /// `actor` deletes a draft.
    DeleteDraft {
        /// Which.
        id: PostId,
    },
    /// The time of a draft of `actor`'s has come: from here on it stays as it is until it is published.
    ClaimDraft {
        /// Which.
        id: PostId,
    },
    /// A claimed draft of `actor`'s is published, or was refused for good.
    FinishDraft {
        /// Which.
        #[serde(skip)]
        id: PostId,
        /// Why it was refused.
        #[serde(skip_serializing_if = "Option::is_none")]
        failed: Option<ErrorCode>,
    },
    /// `actor` reports something to the moderators.
    Report {
        /// Chosen by the client.
        id: ReportId,
        /// What kind of thing it is about.
        kind: ModeratedKind,
        /// Which.
        thing: Uuid,
        /// What is wrong with it.
        reason: Reason,
        /// For moderators.
        note: Option<Note>,
        /// Reports of one user in a day.
        most: u32,
    },
    /// `actor` sees to a case, or does so no longer.
    ClaimCase {
        /// Which.
        case: CaseId,
        /// No longer.
        release: bool,
    },
    /// `actor` settles a case without doing anything.
    SettleCase {
        /// Which.
        case: CaseId,
    },
    /// `actor` does something about somebody or what they wrote. It is the case that changes.
    Moderate {
        /// Chosen by the client.
        id: ActionId,
        /// In which case; without one it is about a thing.
        case: Option<CaseId>,
        /// What kind of thing.
        kind: Option<ModeratedKind>,
        /// Which.
        thing: Option<Uuid>,
        /// What.
        action: ActionKind,
        /// Why.
        reason: Reason,
        /// For the person.
        note: Option<Note>,
        /// When a suspension ends by itself.
        until: Option<Millis>,
    },
    /// `actor` says something against what was done to them.
    Appeal {
        /// What was done.
        action: ActionId,
        /// What they say.
        text: Note,
    },
    /// `actor` decides on that. It is the case that changes.
    SettleAppeal {
        /// What was done.
        action: ActionId,
        /// Takes it back.
        accept: bool,
        /// For the person.
        note: Option<Note>,
    },
    /// `actor` gives somebody a role. It is the profile that changes.
    SetRole {
        /// Whom.
        whom: UserId,
        /// Which.
        role: Role,
    },
    /// The time of the suspension of `actor` has come.
    EndSuspension {
        /// What suspended them.
        action: ActionId,
    },
    /// `actor` would like to follow `whom`, who approves their followers first. What a [`Act::Follow`] becomes where it has to.
    Ask {
        /// Whom.
        whom: UserId,
        /// Requests they may have open.
        sent: usize,
        /// Requests that may wait for `whom`.
        received: usize,
    },
    /// `actor` takes their request back. What a [`Act::Unfollow`] becomes where there is one.
    TakeBack {
        /// To whom.
        whom: UserId,
    },
    /// `actor` does not let `whom` follow them.
    Reject {
        /// Whose request.
        whom: UserId,
    },
    /// `actor` lets `whom` follow them.
    Accept {
        /// Whose request.
        whom: UserId,
    },
    /// `whom` follows `actor` no longer.
    RemoveFollower {
        /// Who.
        whom: UserId,
    },
    /// `actor` makes a list.
    MakeList {
        /// Which.
        list: ListId,
        /// What they call it.
        name: ListName,
        /// Lists they may have.
        most: usize,
    },
    /// `actor` calls a list otherwise.
    RenameList {
        /// Which.
        list: ListId,
        /// How.
        name: ListName,
        /// Refuse if changed since.
        if_rev: Option<Seq>,
    },
    /// `actor` puts somebody into a list, or takes them out.
    Enlist {
        /// Which list.
        list: ListId,
        /// Whom.
        user: UserId,
        /// Whether they are in it from now on.
        there: bool,
        /// People that may be in it.
        most: usize,
    },
    /// `actor` deletes a list.
    DropList {
        /// Which.
        list: ListId,
    },
    /// `actor` makes a keyword filter, or replaces one.
    PutFilter {
        /// Which.
        filter: FilterId,
        /// What they do not want to read.
        phrase: FilterPhrase,
        /// Only where it is no part of a longer word.
        whole_word: bool,
        /// When that ends.
        until: Option<Millis>,
        /// Filters they may have.
        most: usize,
    },
    /// `actor` deletes a keyword filter.
    DropFilter {
        /// Which.
        filter: FilterId,
    },
}

/// What moderators look after, as the store names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ModeratedKind {
    /// Somebody.
    User,
    /// A post.
    Post,
    /// A comment.
    Comment,
}

/// For the database alone.
fn exposed<S: serde::Serializer>(secret: &SecretString, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(secret.expose_secret())
}

impl Deed {
    /// What it is about, besides its actor.
    #[must_use]
    pub const fn thing(&self) -> Option<Uuid> {
        match self {
            // Of a marker the store knows: it is named by its feed.
            Self::SeeNotifications { .. }
            | Self::ReadNotifications { .. }
            | Self::SetMarker { .. }
            | Self::PreferNotifications(_)
            | Self::DeleteAccount { .. }
            | Self::Choose(_) => None,
            Self::Ask { whom, .. }
            | Self::TakeBack { whom }
            | Self::Reject { whom }
            | Self::Accept { whom }
            | Self::RemoveFollower { whom } => Some(whom.0),
            Self::MakeList { list, .. }
            | Self::RenameList { list, .. }
            | Self::Enlist { list, .. }
            | Self::DropList { list } => Some(list.0),
            Self::PutFilter { filter, .. } | Self::DropFilter { filter } => Some(filter.0),
            Self::MakeBot { bot, .. } | Self::StopBot { bot } => Some(bot.0),
            Self::Block { whom }
            | Self::Unblock { whom }
            | Self::Mute { whom, .. }
            | Self::Unmute { whom }
            | Self::SetRole { whom, .. } => Some(whom.0),
            Self::Report { thing, .. } => Some(*thing),
            Self::ClaimCase { case, .. } | Self::SettleCase { case } => Some(case.0),
            Self::Moderate { id: action, .. }
            | Self::Appeal { action, .. }
            | Self::SettleAppeal { action, .. }
            | Self::EndSuspension { action } => Some(action.0),
            Self::React { post, .. }
            | Self::Unreact { post }
            | Self::Bookmark { post }
            | Self::Unbookmark { post }
            | Self::Pin { post }
            | Self::Unpin { post }
            | Self::Lock { post }
            | Self::Unlock { post }
            | Self::Slow { post, .. }
            | Self::Comments { post, .. } => Some(post.0),
            Self::Hide { comment } | Self::Unhide { comment } => Some(comment.0),
            Self::PutDraft { id: post, .. }
            | Self::DeleteDraft { id: post }
            | Self::ClaimDraft { id: post }
            | Self::FinishDraft { id: post, .. } => Some(post.0),
        }
    }
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
