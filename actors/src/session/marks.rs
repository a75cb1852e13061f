//! What a session asks about marks on posts: numbers, bookmarks, earlier versions. Leaving marks is a write like any other.

use bytes::Bytes;
use tidings_protocol::error::{ErrorCode, Refusal};
use tidings_protocol::ids::{PostId, RequestId, UserId};
use tidings_protocol::limits::STATS_POSTS;
use tidings_protocol::marks::PostsStats;
use tidings_protocol::position::Cursor;
use tidings_protocol::request::BookmarkPage;

use super::feeds::bounded;
use super::jobs::{not_found, place_in};
use super::methods::{entities, log_in_first};
use crate::frame;
use crate::worker::Worker;

/// What somebody asks about marks.
#[derive(Clone, Debug)]
pub enum MarksJob {
    /// Numbers of posts.
    Stats(Vec<PostId>),
    /// One's bookmarks.
    Bookmarks(UserId, Option<Cursor>, u16),
    /// What a post said before.
    History(PostId),
}

/// Numbers of these, each once.
///
/// # Errors
/// None, or too many.
pub(super) fn stats(mut ids: Vec<PostId>) -> Result<MarksJob, Refusal> {
    if ids.is_empty() || ids.len() > STATS_POSTS {
        let message = format!("must be 1 to {STATS_POSTS}");
        return Err(Refusal::new(ErrorCode::Invalid, message).field("ids"));
    }
    let mut seen = rustc_hash::FxHashSet::default();
    ids.retain(|id| seen.insert(*id));
    Ok(MarksJob::Stats(ids))
}

/// One's own bookmarks.
///
/// # Errors
/// Nobody is logged in, or the page is too long.
pub(super) fn page(viewer: Option<UserId>, page: BookmarkPage) -> Result<MarksJob, Refusal> {
    let user = viewer.ok_or_else(log_in_first)?;
    Ok(MarksJob::Bookmarks(user, page.before, entities(page.limit)?))
}

pub(super) async fn carry_out(
    worker: &Worker,
    viewer: Option<UserId>,
    id: RequestId,
    job: MarksJob,
) -> Result<Bytes, Refusal> {
    let (marks, framing) = (&worker.node.marks, worker.node.framing);
    match job {
        MarksJob::Stats(posts) => {
            let stats = bounded(marks.stats(viewer, &posts)).await?;
            Ok(frame::result(framing, id, PostsStats { stats }))
        }
        MarksJob::Bookmarks(user, before, limit) => {
            let before = place_in(worker, before)?;
            Ok(frame::result(framing, id, bounded(marks.bookmarks_page(user, before, limit)).await?))
        }
        MarksJob::History(post) => {
            let history = bounded(marks.history(viewer, post)).await?.ok_or_else(not_found)?;
            Ok(frame::result(framing, id, history))
        }
    }
}
