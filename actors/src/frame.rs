//! Payloads the server sends, put together from bytes that are encoded already.
//! Must never know how a transport frames them: that comes in as [`Framing`].

use bytes::Bytes;
use serde::Serialize;
use tidings_protocol::close::CloseCode;
use tidings_protocol::delivery::Changed;
use tidings_protocol::entity::{Comment, CommentExtra, Removed};
use tidings_protocol::error::Refusal;
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::RequestId;
use tidings_protocol::position::Seq;
use tidings_protocol::push::EventName;
use tidings_protocol::reply::Reply;

use crate::entry::{Entry, Kind, Thing};
use crate::feed::sight::Sight;

/// How the transport wraps what is sent.
#[derive(Clone, Copy, Debug)]
pub struct Framing {
    /// One text payload, once for all who share it.
    pub text: fn(payload: &[u8]) -> Bytes,
    /// The question whether the peer lives.
    pub ping: fn() -> Bytes,
    /// The end of the connection.
    pub close: fn(CloseCode) -> Bytes,
}

/// An event of a feed: `{"feed":…,"seq":…,"event":…,"data":…}` with the entry's body spliced in.
/// None for entries no client is told of.
#[must_use]
pub fn push(framing: Framing, feed: FeedName, entry: &Entry) -> Option<Bytes> {
    let event = entry.change.event()?;
    Some((framing.text)(payload(feed, entry.seq, event, entry.body.get()).as_bytes()))
}

/// The same for those who may not be told all of it: of a post that it is gone, of a comment a placeholder. None where there is nothing of
/// the kind to tell, or the comment cannot be read.
#[must_use]
pub fn short(framing: Framing, feed: FeedName, entry: &Entry) -> Option<Bytes> {
    let thing = entry.change.thing()?;
    let (event, body) = match thing.kind {
        Kind::Post => (EventName::PostRemoved, json(&Removed { id: thing.id, rev: entry.seq })),
        Kind::Comment => match placeholder(entry) {
            Ok(comment) => (entry.change.event()?, json(&comment)),
            Err(_) => {
                // What the error quotes is somebody's text (P9).
                tracing::error!(seq = entry.seq.0, "a comment's body is not what it should be");
                return None;
            }
        },
        Kind::User => return None,
    };
    Some((framing.text)(payload(feed, entry.seq, event, &body).as_bytes()))
}

/// An event of a feed that is told by ids: what it is about, and nothing of what it says. None for entries no client is told of.
#[must_use]
pub fn brief(framing: Framing, feed: FeedName, entry: &Entry, sight: Sight) -> Option<Bytes> {
    let Thing { kind, id, .. } = entry.change.thing()?;
    let event =
        if kind == Kind::Post && sight == Sight::Short { EventName::PostRemoved } else { entry.change.event()? };
    let body = json(&Changed { event, id, rev: entry.seq });
    Some((framing.text)(payload(feed, entry.seq, EventName::FeedChanged, &body).as_bytes()))
}

/// A comment as those see it who are not to read its author: as if it were removed.
///
/// # Errors
/// Its body is not a comment's.
pub fn placeholder(entry: &Entry) -> Result<Comment, serde_json::Error> {
    let comment: Comment = serde_json::from_str(entry.body.get())?;
    Ok(Comment { removed: true, author: None, text: None, edited_at: None, extra: CommentExtra::default(), ..comment })
}

/// A fresh snapshot as an event of its feed. `at` is where the reader stands with this event: events move cursors, and while other
/// feeds are still owed something older than the snapshot, the cursor must not run ahead of it (P3).
#[must_use]
pub fn resync(framing: Framing, snapshot: &tidings_protocol::reply::Snapshot, at: Seq) -> Bytes {
    let body = json(snapshot);
    (framing.text)(payload(snapshot.feed, at, EventName::FeedResync, &body).as_bytes())
}

fn payload(feed: FeedName, seq: Seq, event: EventName, body: &str) -> String {
    use std::fmt::Write;
    // 112 bytes hold the longest envelope: a feed name with an id, a 16-digit seq, the longest event name.
    let mut payload = String::with_capacity(body.len() + 160);
    let written =
        write!(payload, "{{\"feed\":\"{feed}\",\"seq\":{seq},\"event\":\"{}\",\"data\":{body}}}", event.as_str());
    debug_assert!(written.is_ok(), "writing to a String cannot fail");
    payload
}

/// The answer to a request that was done.
#[must_use]
pub fn result<R: Serialize>(framing: Framing, id: RequestId, result: R) -> Bytes {
    (framing.text)(json(&Reply::Result { id, result }).as_bytes())
}

/// The answer to a request that was refused.
#[must_use]
pub fn error(framing: Framing, id: Option<RequestId>, error: Refusal) -> Bytes {
    (framing.text)(json(&Reply::<()>::Error { id, error }).as_bytes())
}

/// Any other message.
#[must_use]
pub fn message<M: Serialize>(framing: Framing, message: &M) -> Bytes {
    (framing.text)(json(message).as_bytes())
}

fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("wire types have string keys and cannot fail to encode")
}
