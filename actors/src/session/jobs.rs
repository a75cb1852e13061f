//! Carrying out one request and encoding its answer. Nothing here changes the session; what does is in the actor.

use bytes::Bytes;
use serde_json::value::RawValue;
use tidings_protocol::error::{ErrorCode, Refusal};
use tidings_protocol::ids::RequestId;
use tidings_protocol::ids::UserId;
use tidings_protocol::position::{Cursor, Seq};
use tidings_protocol::reply::{CommentResult, FollowResult, PostGot, PostResult, RemovedResult, UserUpdated};

use super::feeds::bounded;
use super::machine::Job;
use crate::command::{Act, Command, Outcome};
use crate::entry::Entry;
use crate::frame::{self, Framing};
use crate::ports::Submit;
use crate::worker::Worker;

/// Carries out a write or a read and gives the answer's frame.
pub(super) async fn answer(worker: &Worker, viewer: Option<UserId>, id: RequestId, job: Job) -> Bytes {
    let framing = worker.node.framing;
    carry_out(worker, viewer, id, job).await.unwrap_or_else(|refusal| frame::error(framing, Some(id), refusal))
}

async fn carry_out(worker: &Worker, viewer: Option<UserId>, id: RequestId, job: Job) -> Result<Bytes, Refusal> {
    let reads = &worker.node.reads;
    let framing = worker.node.framing;
    match job {
        Job::Write(command) => write(worker, id, command).await,
        Job::User(who) => {
            let found = bounded(reads.user(viewer, &who)).await?.ok_or_else(not_found)?;
            Ok(frame::result(framing, id, found))
        }
        Job::Post(post) => {
            let post = bounded(reads.post(viewer, post)).await?.ok_or_else(not_found)?;
            Ok(frame::result(framing, id, PostGot { post }))
        }
        Job::Posts(feed, before, limit) => {
            let before = place_in(worker, before)?;
            let page = bounded(reads.posts_page(viewer, feed, before, limit)).await?;
            Ok(frame::result(framing, id, page.ok_or_else(not_found)?))
        }
        Job::Comments(post, before, limit) => {
            let before = place_in(worker, before)?;
            let page = bounded(reads.comments_page(viewer, post, before, limit)).await?;
            Ok(frame::result(framing, id, page.ok_or_else(not_found)?))
        }
        Job::Subscribe(..) | Job::Unsubscribe(_) | Job::Token(_) => {
            Err(Refusal::new(ErrorCode::Internal, "a fault in the server"))
        }
    }
}

fn not_found() -> Refusal {
    Refusal::new(ErrorCode::NotFound, "there is no such thing")
}

/// The place a page cursor names, if it is of this journal.
fn place_in(worker: &Worker, before: Option<Cursor>) -> Result<Option<Seq>, Refusal> {
    match before {
        Some(cursor) if cursor.epoch != worker.table().epoch() => {
            let message = "this cursor belongs to an earlier life of the journal: start from the newest page";
            Err(Refusal::new(ErrorCode::CursorExpired, message).field("before"))
        }
        Some(cursor) => Ok(Some(cursor.seq)),
        None => Ok(None),
    }
}

async fn write(worker: &Worker, id: RequestId, command: Command) -> Result<Bytes, Refusal> {
    let answer: Answer = Answer::to(&command.act);
    let (entry, duplicate) = match worker.node.journal.submit(command).await? {
        Outcome::Done(entry) => (entry, false),
        Outcome::Duplicate(entry) => (entry, true),
        Outcome::Refused(denied) => return Err(denied.refusal()),
    };
    Ok(answer.frame(worker.node.framing, id, &entry, duplicate))
}

/// Which result a write is answered with.
#[derive(Clone, Copy, Debug)]
enum Answer {
    Post,
    Comment,
    Removed,
    User,
    Follow { following: bool },
}

impl Answer {
    const fn to(act: &Act) -> Self {
        match act {
            Act::PostCreate { .. } | Act::PostUpdate { .. } => Self::Post,
            Act::CommentCreate { .. } | Act::CommentUpdate { .. } => Self::Comment,
            Act::PostDelete { .. } | Act::CommentDelete { .. } => Self::Removed,
            Act::Follow { .. } => Self::Follow { following: true },
            Act::Unfollow { .. } => Self::Follow { following: false },
            Act::UserCreate { .. } | Act::UserUpdate { .. } | Act::SessionRevoke { .. } => Self::User,
        }
    }

    fn frame(self, framing: Framing, id: RequestId, entry: &Entry, duplicate: bool) -> Bytes {
        let (body, seq): (&RawValue, Seq) = (&entry.body, entry.seq);
        match self {
            Self::Post => frame::result(framing, id, PostResult { post: body, seq, duplicate }),
            Self::Comment => frame::result(framing, id, CommentResult { comment: body, seq, duplicate }),
            Self::Removed => frame::result(framing, id, RemovedResult { removed: body, seq, duplicate }),
            Self::User => frame::result(framing, id, UserUpdated { user: body, seq }),
            Self::Follow { following } => frame::result(framing, id, FollowResult { follow: body, following, seq }),
        }
    }
}
