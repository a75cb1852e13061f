//! Changes that are rare enough to be decided one after the other.
//! Must never say how they are decided: that is done by the function of each in the migrations.

use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use tidings_protocol::drafts::DraftContent;
use tidings_protocol::entity::Role;
use tidings_protocol::error::ErrorCode;
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::{
    ActionId, CaseId, CommentId, FilterId, ListId, NotificationId, PostId, ReportId, SessionId, UserId,
};
use tidings_protocol::marks::Emoji;
use tidings_protocol::moderation::{ActionKind, Reason};
use tidings_protocol::notification::NotifyPreferences;
use tidings_protocol::position::{Millis, Seq};
use tidings_protocol::settings::SettingsUpdate;
use tidings_protocol::text::{DisplayName, FilterPhrase, Handle, ListName, Note};
use tidings_protocol::threads::Commenters;
use uuid::Uuid;

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
    /// `actor` lets `whom` follow them.
    Accept {
        /// Whose request.
        whom: UserId,
    },
    /// `actor` does not let `whom` follow them.
    Reject {
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
    /// `actor` says of whom they want to hear.
    PreferNotifications(NotifyPreferences),
    /// `actor` has read a feed as far as this place.
    SetMarker {
        /// Which feed.
        feed: FeedName,
        /// The place.
        seq: Seq,
        /// Markers they may have, so that one more makes them give up another.
        most: usize,
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
