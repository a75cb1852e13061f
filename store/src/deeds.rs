//! Deeds, as the migrations number them: what a deed is in the journal, and what comes of its row.
//! Must never decide anything: that is done by the function of each deed, `carry_out` says which.

use std::sync::Arc;

use serde_json::value::RawValue;
use tidings_actors::command::Deed;
use tidings_actors::entry::{Change, Verb};
use tidings_actors::ports::StoreFault;
use tidings_protocol::entity::{Block, Follow, FollowRequest, Mute, Removed};
use tidings_protocol::ids::{CaseId, ListId, UserId};
use tidings_protocol::marks::{Bookmark, Reaction};
use tidings_protocol::position::Seq;
use tidings_protocol::push::EventName;
use uuid::Uuid;

use crate::shape::{body, unexpected};

/// The first number of a deed; below are the acts that are decided by sets.
pub(crate) const FIRST: i16 = 20;

/// What commands bring others: no deed, but in the journal like one.
pub(crate) const NOTIFICATION: i16 = 40;

/// A deed's number in the migrations and in `journal.kind`.
pub(crate) const fn number(deed: &Deed) -> i16 {
    match deed {
        Deed::Block { .. } => 20,
        Deed::Unblock { .. } => 21,
        Deed::Mute { .. } => 22,
        Deed::Unmute { .. } => 23,
        Deed::React { .. } => 24,
        Deed::Unreact { .. } => 25,
        Deed::Bookmark { .. } => 26,
        Deed::Unbookmark { .. } => 27,
        Deed::SeeNotifications { .. } => 28,
        Deed::ReadNotifications { .. } => 29,
        Deed::SetMarker { .. } => 30,
        Deed::PreferNotifications(_) => 31,
        Deed::Pin { .. } => 38,
        Deed::Unpin { .. } => 39,
        Deed::Lock { .. } => 60,
        Deed::Unlock { .. } => 61,
        Deed::Slow { .. } => 62,
        Deed::Comments { .. } => 63,
        Deed::Hide { .. } => 64,
        Deed::Unhide { .. } => 65,
        Deed::Report { .. } => 70,
        Deed::ClaimCase { .. } => 71,
        Deed::SettleCase { .. } => 72,
        Deed::Moderate { .. } => 73,
        Deed::Appeal { .. } => 74,
        Deed::SettleAppeal { .. } => 75,
        Deed::SetRole { .. } => 76,
        Deed::EndSuspension { .. } => 77,
        Deed::MakeBot { .. } => 80,
        Deed::StopBot { .. } => 81,
        Deed::Choose(_) => 50,
        Deed::PutDraft { .. } => 51,
        Deed::DeleteDraft { .. } => 52,
        Deed::ClaimDraft { .. } => 53,
        Deed::FinishDraft { .. } => 54,
        Deed::DeleteAccount { .. } => 55,
        Deed::Ask { .. } => 41,
        Deed::TakeBack { .. } => 42,
        Deed::Reject { .. } => 43,
        Deed::Accept { .. } => 44,
        Deed::RemoveFollower { .. } => 45,
        Deed::MakeList { .. } | Deed::RenameList { .. } | Deed::Enlist { .. } => 46,
        Deed::DropList { .. } => 47,
        Deed::PutFilter { .. } | Deed::DropFilter { .. } => 49,
    }
}

/// What an entity that deeds are about is in the journal. `act`: any deed about it; `removed`: whether it is gone.
pub(crate) fn change(act: i16, actor: UserId, thing: Uuid, removed: bool) -> Result<Change, StoreFault> {
    let verb = if removed { Verb::Removed } else { Verb::Created };
    let own = |event| Change::Own { event, user: actor, id: thing };
    match act {
        20 | 21 => Ok(Change::Block { verb, blocker: actor, blocked: UserId(thing) }),
        22 | 23 => Ok(Change::Mute { verb, muter: actor, muted: UserId(thing) }),
        24 | 25 if removed => Ok(own(EventName::ReactionRemoved)),
        24 | 25 => Ok(own(EventName::ReactionUpdated)),
        26 | 27 if removed => Ok(own(EventName::BookmarkRemoved)),
        26 | 27 => Ok(own(EventName::BookmarkCreated)),
        28 | 29 => Ok(own(EventName::NotificationRead)),
        30 if removed => Ok(own(EventName::MarkerRemoved)),
        30 => Ok(own(EventName::MarkerUpdated)),
        31 => Ok(own(EventName::PreferencesUpdated)),
        50 => Ok(own(EventName::SettingsUpdated)),
        51..=54 if removed => Ok(own(EventName::DraftRemoved)),
        51..=54 => Ok(own(EventName::DraftUpdated)),
        41 | 42 => Ok(Change::Request { verb, asker: actor, asked: UserId(thing) }),
        // Of these the actor is the one who was asked, or followed.
        43 | 44 => Ok(Change::Request { verb, asker: UserId(thing), asked: actor }),
        45 => Ok(Change::Follow { verb, follower: UserId(thing), followee: actor }),
        46 | 47 => Ok(Change::List { verb, owner: actor, id: ListId(thing) }),
        49 if removed => Ok(own(EventName::FilterRemoved)),
        49 => Ok(own(EventName::FilterUpdated)),
        NOTIFICATION if removed => Ok(own(EventName::NotificationRemoved)),
        NOTIFICATION => Ok(own(EventName::NotificationUpdated)),
        70 => Ok(own(EventName::ReportUpdated)),
        71 => Ok(Change::Case { id: CaseId(thing) }),
        74 => Ok(own(EventName::ActionUpdated)),
        79 => Ok(Change::Rights { user: actor, moderates: !removed }),
        _ => Err(unexpected("kind of deed")),
    }
}

/// Who is in a list is no deed's own entity: it has its entry before that of the list.
pub(crate) const MEMBER: i16 = 48;

/// The entity's body as stored.
pub(crate) fn stored_body(json: String) -> Result<Arc<RawValue>, StoreFault> {
    RawValue::from_string(json).map(Arc::from).map_err(|_| unexpected("body"))
}

/// The body of what was never there and is not there now either: an end of what never began.
pub(crate) fn never_was(deed: &Deed, actor: UserId) -> Result<Arc<RawValue>, StoreFault> {
    let rev = Seq(0);
    match *deed {
        // The functions of these make them where they are not.
        Deed::SeeNotifications { .. }
        | Deed::ReadNotifications { .. }
        | Deed::SetMarker { .. }
        | Deed::PreferNotifications(_)
        | Deed::Choose(_)
        | Deed::DeleteAccount { .. }
        | Deed::PutDraft { .. }
        | Deed::ClaimDraft { .. }
        // Told as the post or comment it is about.
        | Deed::Pin { .. }
        | Deed::Unpin { .. }
        | Deed::Lock { .. }
        | Deed::Unlock { .. }
        | Deed::Slow { .. }
        | Deed::Comments { .. }
        | Deed::Hide { .. }
        | Deed::Unhide { .. }
        | Deed::Report { .. }
        | Deed::ClaimCase { .. }
        | Deed::SettleCase { .. }
        | Deed::Moderate { .. }
        | Deed::Appeal { .. }
        | Deed::SettleAppeal { .. }
        | Deed::SetRole { .. }
        | Deed::EndSuspension { .. }
        // Told as a profile.
        | Deed::MakeBot { .. }
        | Deed::StopBot { .. }
        // What is not there is refused.
        | Deed::MakeList { .. }
        | Deed::RenameList { .. }
        | Deed::Enlist { .. }
        | Deed::DropList { .. }
        | Deed::PutFilter { .. }
        | Deed::DropFilter { .. } => Err(unexpected("silence about a deed")),
        Deed::Ask { whom, .. } | Deed::TakeBack { whom } => body(&FollowRequest { rev, asker: actor, asked: whom }),
        Deed::Reject { whom } | Deed::Accept { whom } => body(&FollowRequest { rev, asker: whom, asked: actor }),
        Deed::RemoveFollower { whom } => body(&Follow { rev, follower: whom, followee: actor }),
        Deed::DeleteDraft { id } | Deed::FinishDraft { id, .. } => body(&Removed { id: id.0, rev }),
        Deed::Block { whom } | Deed::Unblock { whom } => body(&Block { rev, blocker: actor, blocked: whom }),
        Deed::Mute { whom, .. } | Deed::Unmute { whom } => {
            body(&Mute { rev, muter: actor, muted: whom, until: None })
        }
        Deed::React { post, .. } | Deed::Unreact { post } => body(&Reaction { rev, post, emoji: None }),
        Deed::Bookmark { post } | Deed::Unbookmark { post } => body(&Bookmark { rev, post }),
    }
}
