//! What a session is asked about notifications, read markers and preferences: as jobs, and how these are carried out.
//! Must never decide what somebody is told of: that is the store's.

use bytes::Bytes;
use tidings_protocol::error::{ErrorCode, Refusal};
use tidings_protocol::ids::{RequestId, UserId};
use tidings_protocol::limits::{NOTIFICATIONS_READ_AT_ONCE, READ_MARKERS};
use tidings_protocol::position::Cursor;
use tidings_protocol::request::{MarkerSet, NotificationPage, NotificationRead, NotifyPreferences};

use super::feeds::bounded;
use super::jobs::place_in;
use super::methods::{entities, log_in_first};
use crate::command::{Act, Deed};
use crate::frame;
use crate::worker::Worker;

/// A page of somebody's notifications: before which, and how many.
#[derive(Clone, Copy, Debug)]
pub struct NotesJob {
    /// Whose.
    pub user: UserId,
    /// The newest if absent.
    pub before: Option<Cursor>,
    /// How many.
    pub limit: u16,
}

/// # Errors
/// Nobody is logged in, or it is too long.
pub(super) fn page(viewer: Option<UserId>, page: NotificationPage) -> Result<NotesJob, Refusal> {
    let user = viewer.ok_or_else(log_in_first)?;
    Ok(NotesJob { user, before: page.before, limit: entities(page.limit)? })
}

pub(super) const fn marker(marker: MarkerSet) -> Act {
    Act::Deed(Deed::SetMarker { feed: marker.feed, seq: marker.seq, most: READ_MARKERS })
}

/// # Errors
/// It names none, or too many.
pub(super) fn read(read: NotificationRead) -> Result<Act, Refusal> {
    let NotificationRead { ids, up_to } = read;
    match &ids {
        None if up_to.is_none() => {
            Err(Refusal::new(ErrorCode::Invalid, "which? name ids, up_to or both").field("up_to"))
        }
        Some(ids) if ids.is_empty() || ids.len() > NOTIFICATIONS_READ_AT_ONCE => {
            let message = format!("must be 1 to {NOTIFICATIONS_READ_AT_ONCE}");
            Err(Refusal::new(ErrorCode::Invalid, message).field("ids"))
        }
        None | Some(_) => Ok(Act::Deed(Deed::ReadNotifications { ids, up_to })),
    }
}

/// # Errors
/// It says nothing.
pub(super) fn prefer(change: NotifyPreferences) -> Result<Act, Refusal> {
    if change == NotifyPreferences::default() {
        return Err(Refusal::new(ErrorCode::Invalid, "of what? name at least one kind"));
    }
    Ok(Act::Deed(Deed::PreferNotifications(change)))
}

pub(super) async fn carry_out(worker: &Worker, id: RequestId, job: NotesJob) -> Result<Bytes, Refusal> {
    let before = place_in(worker, job.before)?;
    let page = bounded(worker.node.reads.notifications_page(job.user, before, job.limit)).await?;
    Ok(frame::result(worker.node.framing, id, page))
}
