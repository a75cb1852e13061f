//! What a session does about drafts: checked as far as that can be done without asking anybody, and their pages.
//! Must never publish anything: that is done at its time, by whichever node looks first.

use bytes::Bytes;
use tidings_protocol::drafts::{DraftContent, DraftPage, DraftPut};
use tidings_protocol::error::{ErrorCode, Refusal};
use tidings_protocol::ids::{RequestId, UserId};
use tidings_protocol::limits::{DRAFT_AHEAD_MS, DRAFTS};
use tidings_protocol::position::Cursor;
use tidings_protocol::settings::SettingsUpdate;

use super::feeds::bounded;
use super::jobs::place_in;
use super::methods::{entities, log_in_first};
use super::posts;
use crate::command::{Act, Deed};
use crate::frame;
use crate::publishing::post_of;
use crate::worker::Worker;

/// A page of somebody's own drafts.
#[derive(Clone, Copy, Debug)]
pub struct DraftsJob {
    user: UserId,
    before: Option<Cursor>,
    limit: u16,
}

/// # Errors
/// It is to be published at a time, and is no post.
pub(super) fn put(put: DraftPut) -> Result<Act, Refusal> {
    let DraftPut { id, text, visibility, warning, of, comments, publish_at, if_rev } = put;
    let content = DraftContent { text, visibility, warning, of, comments };
    if publish_at.is_some() {
        post_of(id, content.clone()).and_then(posts::create)?;
    }
    let (most, ahead_ms) = (DRAFTS, DRAFT_AHEAD_MS);
    Ok(Act::Deed(Deed::PutDraft { id, content: Box::new(content), publish_at, if_rev, most, ahead_ms }))
}

/// # Errors
/// Nobody is logged in, or the page is too long.
pub(super) fn page(viewer: Option<UserId>, page: DraftPage) -> Result<DraftsJob, Refusal> {
    let user = viewer.ok_or_else(log_in_first)?;
    Ok(DraftsJob { user, before: page.before, limit: entities(page.limit)? })
}

/// # Errors
/// It says nothing.
pub(super) fn choose(change: SettingsUpdate) -> Result<Act, Refusal> {
    if change == SettingsUpdate::default() {
        return Err(Refusal::new(ErrorCode::Invalid, "what? name at least one setting"));
    }
    Ok(Act::Deed(Deed::Choose(change)))
}

pub(super) async fn carry_out(worker: &Worker, id: RequestId, job: DraftsJob) -> Result<Bytes, Refusal> {
    let before = place_in(worker, job.before)?;
    let page = bounded(worker.node.drafts.drafts_page(job.user, before, job.limit)).await?;
    Ok(frame::result(worker.node.framing, id, page))
}
