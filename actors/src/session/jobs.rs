//! Carrying out one request and encoding its answer. Nothing here changes the session; what does is in the actor.

use bytes::Bytes;
use serde_json::value::RawValue;
use tidings_protocol::entity::Follow;
use tidings_protocol::error::{ErrorCode, Refusal};
use tidings_protocol::ids::{RequestId, UserId};
use tidings_protocol::notification::{MarkerResult, PreferencesResult, ReadingResult};
use tidings_protocol::position::{Cursor, Seq};
use tidings_protocol::push::EventName;
use tidings_protocol::reply::{
    ActionResult, BlockResult, BookmarkResult, CaseResult, CommentResult, DraftResult, FilterResult, FollowResult,
    FollowerRemoved, ListResult, MuteResult, PostGot, PostResult, ReactionResult, RemovedResult, ReportResult,
    RequestResult, SessionEnded, SettingsResult, UserUpdated,
};

use super::circle;
use super::drafts;
use super::feeds::bounded;
use super::machine::Job;
use super::marks;
use super::moderation;
use super::notes;
use super::search;
use crate::command::{Act, Command, Deed, Outcome};
use crate::entry::{Change, Entry, Verb};
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
        Job::Comments(branch, before, limit) => {
            let before = place_in(worker, before)?;
            let page = bounded(reads.comments_page(viewer, branch, before, limit)).await?;
            Ok(frame::result(framing, id, page.ok_or_else(not_found)?))
        }
        Job::Circle(job) => circle::carry_out(worker, viewer, id, job).await,
        Job::Marks(job) => marks::carry_out(worker, viewer, id, job).await,
        Job::Drafts(job) => drafts::carry_out(worker, id, job).await,
        Job::Notes(job) => notes::carry_out(worker, id, job).await,
        Job::Search(job) => search::carry_out(worker, viewer, id, job).await,
        Job::Moderation(user, job) => moderation::carry_out(worker, user, id, job).await,
        Job::Subscribe(..)
        | Job::Mode(..)
        | Job::Unsubscribe(_)
        | Job::Token(_)
        | Job::Account(_)
        | Job::Bots(_)
        | Job::Media(_)
        | Job::Company(_) => Err(Refusal::new(ErrorCode::Internal, "a fault in the server")),
    }
}

pub(super) fn not_found() -> Refusal {
    Refusal::new(ErrorCode::NotFound, "there is no such thing")
}

/// The place a page cursor names, if it is of this journal.
pub(super) fn place_in(worker: &Worker, before: Option<Cursor>) -> Result<Option<Seq>, Refusal> {
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
    let framing = worker.node.framing;
    let wish = Wish::of(&command);
    let (entry, duplicate) = match worker.node.journal.submit(command).await? {
        Outcome::Done(entry) => (entry, false),
        Outcome::Duplicate(entry) => (entry, true),
        Outcome::Refused(denied) => return Err(denied.refusal()),
    };
    let (body, seq): (&RawValue, Seq) = (&entry.body, entry.seq);
    match (wish, entry.change) {
        (Wish::Follow | Wish::Unfollow, Change::Request { verb, asker, asked }) => {
            Ok(frame::result(framing, id, followed(wish, verb, asker, asked, seq)))
        }
        (Wish::NoFollower, Change::Follow { .. }) => {
            Ok(frame::result(framing, id, FollowerRemoved { follow: body, seq, duplicate }))
        }
        _ => Ok(told(framing, id, &entry, duplicate)),
    }
}

/// What somebody wanted, as far as the entry does not tell what to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    Follow,
    Unfollow,
    NoFollower,
    Other,
}

impl Wish {
    const fn of(command: &Command) -> Self {
        match command.act {
            Act::Follow { .. } => Self::Follow,
            Act::Unfollow { .. } => Self::Unfollow,
            Act::Deed(Deed::RemoveFollower { .. }) => Self::NoFollower,
            Act::UserCreate { .. }
            | Act::UserUpdate { .. }
            | Act::PostCreate { .. }
            | Act::PostUpdate { .. }
            | Act::PostDelete { .. }
            | Act::CommentCreate { .. }
            | Act::CommentUpdate { .. }
            | Act::CommentDelete { .. }
            | Act::Deed(_)
            | Act::SessionRevoke { .. } => Self::Other,
        }
    }
}

/// What became of a follow that had to be asked for: it is asked for now, or, where that is not wanted any more, it is there. As of `seq` one
/// followed them no sooner.
fn followed(wish: Wish, verb: Verb, follower: UserId, followee: UserId, seq: Seq) -> FollowResult {
    let requested = verb != Verb::Removed;
    let following = wish == Wish::Follow && !requested;
    FollowResult { follow: Follow { rev: seq, follower, followee }, following, requested, seq }
}

/// The answer to a write, by what it was about.
fn told(framing: Framing, id: RequestId, entry: &Entry, duplicate: bool) -> Bytes {
    let (body, seq): (&RawValue, Seq) = (&entry.body, entry.seq);
    match entry.change {
        Change::Post { verb: Verb::Removed, .. } | Change::Comment { verb: Verb::Removed, .. } => {
            frame::result(framing, id, RemovedResult { removed: body, seq, duplicate })
        }
        Change::Post { .. } => frame::result(framing, id, PostResult { post: body, seq, duplicate }),
        Change::Comment { .. } => frame::result(framing, id, CommentResult { comment: body, seq, duplicate }),
        Change::User { .. } => frame::result(framing, id, UserUpdated { user: body, seq }),
        Change::Follow { verb, .. } => {
            let following = verb != Verb::Removed;
            frame::result(framing, id, FollowResult { follow: body, following, requested: false, seq })
        }
        // What became of `user.follow` and `user.unfollow` is told by `followed`.
        Change::Request { .. } => frame::result(framing, id, RequestResult { request: body, seq, duplicate }),
        Change::List { verb: Verb::Removed, .. } => {
            frame::result(framing, id, RemovedResult { removed: body, seq, duplicate })
        }
        Change::List { .. } => frame::result(framing, id, ListResult { list: body, seq, duplicate }),
        Change::Own { event: EventName::FilterUpdated, .. } => {
            frame::result(framing, id, FilterResult { filter: body, seq, duplicate })
        }
        Change::Own { event: EventName::FilterRemoved, .. } => {
            frame::result(framing, id, RemovedResult { removed: body, seq, duplicate })
        }
        Change::Block { verb, .. } => {
            frame::result(framing, id, BlockResult { block: body, blocking: verb != Verb::Removed, seq })
        }
        // One until a time that has passed is none.
        Change::Mute { verb, .. } => {
            frame::result(framing, id, MuteResult { mute: body, muting: verb != Verb::Removed, seq })
        }
        Change::Own { event: EventName::ReactionUpdated | EventName::ReactionRemoved, .. } => {
            frame::result(framing, id, ReactionResult { reaction: body, seq, duplicate })
        }
        Change::Own { event: event @ (EventName::BookmarkCreated | EventName::BookmarkRemoved), .. } => {
            let bookmarked = event == EventName::BookmarkCreated;
            frame::result(framing, id, BookmarkResult { bookmark: body, bookmarked, seq, duplicate })
        }
        Change::Own { event: EventName::NotificationRead, .. } => {
            frame::result(framing, id, ReadingResult { reading: body, seq, duplicate })
        }
        Change::Own { event: EventName::MarkerUpdated, .. } => {
            frame::result(framing, id, MarkerResult { marker: body, seq, duplicate })
        }
        Change::Own { event: EventName::PreferencesUpdated, .. } => {
            frame::result(framing, id, PreferencesResult { preferences: body, seq, duplicate })
        }
        Change::Own { event: EventName::SettingsUpdated, .. } => {
            frame::result(framing, id, SettingsResult { settings: body, seq, duplicate })
        }
        Change::Own { event: EventName::DraftUpdated, .. } => {
            frame::result(framing, id, DraftResult { draft: body, seq, duplicate })
        }
        Change::Own { event: EventName::DraftRemoved, .. } => {
            frame::result(framing, id, RemovedResult { removed: body, seq, duplicate })
        }
        Change::SessionRevoked { session: Some(session), .. } => {
            frame::result(framing, id, SessionEnded { id: session, seq })
        }
        Change::Case { .. } => frame::result(framing, id, CaseResult { case: body, seq, duplicate }),
        Change::Own { event: EventName::ReportUpdated, .. } => {
            frame::result(framing, id, ReportResult { report: body, seq, duplicate })
        }
        Change::Own { event: EventName::ActionUpdated, .. } => {
            frame::result(framing, id, ActionResult { action: body, seq, duplicate })
        }
        // Of these no request over the socket is the cause.
        Change::Own { .. }
        | Change::Listed { .. }
        | Change::Rights { .. }
        | Change::SessionRevoked { session: None, .. } => frame::result(framing, id, serde_json::Map::new()),
    }
}
