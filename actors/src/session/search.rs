//! What a session looks for by words. Nothing here changes anything; every question costs its points before it is asked.

use bytes::Bytes;
use tidings_protocol::error::{ErrorCode, Refusal};
use tidings_protocol::ids::{PostId, RequestId, UserId};
use tidings_protocol::listing::Span;
use tidings_protocol::position::Cursor;
use tidings_protocol::request::{MentionSuggest, SearchPeople, SearchPosts, SearchTags};
use tidings_protocol::text::{Prefix, Query};

use super::feeds::bounded;
use super::jobs::{not_found, place_in};
use super::methods::{entities, log_in_first};
use crate::frame;
use crate::ports::NotSearched;
use crate::worker::Worker;

/// What somebody looks for.
#[derive(Clone, Debug)]
pub enum SearchJob {
    /// People.
    People(Query, Option<Cursor>, u16),
    /// Posts.
    Posts(Query, Option<Cursor>, u16),
    /// Posts of a ranked view.
    Top(Span, Option<Cursor>, u16),
    /// Hashtags.
    Tags(Prefix),
    /// Whom they may mean to mention under a post.
    Mentions(UserId, Prefix, Option<PostId>),
}

impl SearchJob {
    /// # Errors
    /// The page is too long.
    pub(super) fn people(search: SearchPeople) -> Result<Self, Refusal> {
        Ok(Self::People(search.query, search.before, entities(search.limit)?))
    }

    /// # Errors
    /// The page is too long.
    pub(super) fn posts(search: SearchPosts) -> Result<Self, Refusal> {
        Ok(Self::Posts(search.query, search.before, entities(search.limit)?))
    }

    pub(super) fn tags(search: SearchTags) -> Self {
        Self::Tags(search.prefix)
    }

    /// # Errors
    /// Nobody is logged in: who is near depends on who asks.
    pub(super) fn mentions(viewer: Option<UserId>, suggest: MentionSuggest) -> Result<Self, Refusal> {
        Ok(Self::Mentions(viewer.ok_or_else(log_in_first)?, suggest.prefix, suggest.post))
    }
}

pub(super) async fn carry_out(
    worker: &Worker,
    viewer: Option<UserId>,
    id: RequestId,
    job: SearchJob,
) -> Result<Bytes, Refusal> {
    let (search, framing) = (&worker.node.search, worker.node.framing);
    match job {
        SearchJob::People(query, before, limit) => {
            let before = place_in(worker, before)?;
            let found = patient(search.people(viewer, &query, before, limit)).await?;
            Ok(frame::result(framing, id, found))
        }
        SearchJob::Posts(query, before, limit) => {
            let before = place_in(worker, before)?;
            let found = patient(search.posts(viewer, &query, before, limit)).await?;
            Ok(frame::result(framing, id, found))
        }
        SearchJob::Top(span, before, limit) => {
            let before = place_in(worker, before)?;
            let page = bounded(search.top(viewer, span, before, limit)).await?;
            let gone = "this ranking is not kept any more: begin with the newest one";
            let page = page.ok_or_else(|| Refusal::new(ErrorCode::CursorExpired, gone).field("before"))?;
            Ok(frame::result(framing, id, page))
        }
        SearchJob::Tags(prefix) => Ok(frame::result(framing, id, bounded(search.tags(&prefix)).await?)),
        SearchJob::Mentions(user, prefix, post) => {
            let found = bounded(search.mentions(user, &prefix, post)).await?;
            let found = found.ok_or_else(|| not_found().field("post"))?;
            Ok(frame::result(framing, id, found))
        }
    }
}

/// As [`bounded`], for what may also be asked in a way that cannot be answered.
async fn patient<T>(question: impl Future<Output = Result<T, NotSearched>>) -> Result<T, Refusal> {
    let answer = async {
        match question.await {
            Ok(found) => Ok(Ok(found)),
            Err(NotSearched::Unclear(why)) => Ok(Err(Refusal::new(ErrorCode::Invalid, why).field("query"))),
            Err(NotSearched::Store(fault)) => Err(fault),
        }
    };
    bounded(answer).await?
}
