//! What the server sends, read as leanly as a harness must: borrowed, and no deeper than needed.
//! Must never stand in for the protocol's own types where speed does not matter.

use std::borrow::Cow;

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::value::RawValue;
use tidings_protocol::error::Refusal;
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::{CommentId, PostId, RequestId};
use tidings_protocol::position::Cursor;
use tidings_protocol::reply::Snapshot;
use tidings_protocol::request::{CommentCreate, Method, PostCreate, Request};
use tidings_protocol::text::{CommentText, PostText};
use uuid::Uuid;

use crate::history::{Heard, SeenPost, TextMark};

/// Any frame of the server; which fields are there says what it is.
#[derive(Debug, Deserialize)]
pub struct Frame<'a> {
    /// Of a reply.
    #[serde(default)]
    pub id: Option<u64>,
    /// Of a reply.
    #[serde(borrow, default)]
    pub result: Option<&'a RawValue>,
    /// Of a reply.
    #[serde(default)]
    pub error: Option<Refusal>,
    /// Of an event of a feed.
    #[serde(default)]
    pub feed: Option<&'a str>,
    /// Of an event of a feed.
    #[serde(default)]
    pub seq: Option<u64>,
    /// Of an event or a notice.
    #[serde(default)]
    pub event: Option<&'a str>,
    /// Of an event of a feed.
    #[serde(borrow, default)]
    pub data: Option<&'a RawValue>,
    /// Of a notice.
    #[serde(default)]
    pub cursor: Option<Cursor>,
    /// Of `going_away`.
    #[serde(default)]
    pub reconnect_after_ms: Option<u64>,
}

/// The parts of a pushed post or comment that the checker compares.
#[derive(Debug, Deserialize)]
struct LeanPost<'a> {
    id: Uuid,
    #[serde(borrow)]
    text: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Done {
    seq: u64,
    #[serde(default)]
    duplicate: bool,
}

impl<'a> Frame<'a> {
    /// Reads one text message.
    ///
    /// # Errors
    /// Not a frame of this protocol.
    pub fn read(message: &'a str) -> Result<Self> {
        serde_json::from_str(message).context("the server sent what is not a frame of tidings.v1")
    }

    /// `seq` and `duplicate` of the reply to a create.
    ///
    /// # Errors
    /// The result has another form.
    pub fn done(&self) -> Result<(u64, bool)> {
        let result = self.result.context("a reply without a result")?;
        let done: Done = serde_json::from_str(result.get())?;
        Ok((done.seq, done.duplicate))
    }

    /// The event as the checker keeps it.
    ///
    /// # Errors
    /// The event has another form.
    pub fn heard(&self) -> Result<Heard> {
        let seq = self.seq.context("an event without a seq")?;
        let body = self.data.context("an event without data")?.get();
        Ok(match self.event {
            Some("post.created" | "post.updated" | "comment.created" | "comment.updated") => {
                let post: LeanPost<'_> = serde_json::from_str(body)?;
                Heard::Post(SeenPost { id: post.id, seq, text: TextMark::of(&post.text) })
            }
            Some("feed.resync") => snapshot(&serde_json::from_str::<Snapshot>(body)?),
            Some(_) | None => Heard::Other { seq },
        })
    }
}

/// A snapshot as the checker keeps it. A thread's own post is older than the run and not of it.
#[must_use]
pub fn snapshot(snapshot: &Snapshot) -> Heard {
    let posts = snapshot.posts.iter().flatten().map(|post| (post.id.0, post.seq.0, Some(post.text.as_str())));
    let comments = snapshot.comments.iter().flatten();
    let comments = comments.map(|comment| (comment.id.0, comment.seq.0, comment.text.as_deref()));
    let seen =
        posts.chain(comments).map(|(id, seq, text)| SeenPost { id, seq, text: TextMark::of(text.unwrap_or("")) });
    Heard::Snapshot {
        thread: matches!(snapshot.feed, FeedName::Post(_)),
        seq: snapshot.seq.0,
        posts: seen.collect(),
        complete: snapshot.next.is_none(),
    }
}

/// A `post.create` on the wire.
///
/// # Errors
/// The text is not a post's.
pub fn create(id: u64, post: Uuid, text: &str) -> Result<String> {
    let params = PostCreate::public(PostId(post), PostText::parse(text)?);
    encode(id, Method::PostCreate(params))
}

/// A `comment.create` on the wire.
///
/// # Errors
/// The text is not a comment's.
pub fn comment(id: u64, comment: Uuid, post: PostId, text: &str) -> Result<String> {
    let params = CommentCreate { id: CommentId(comment), post, parent: None, text: CommentText::parse(text)? };
    encode(id, Method::CommentCreate(params))
}

/// Any request on the wire.
///
/// # Errors
/// None in practice: requests are always JSON.
pub fn encode(id: u64, method: Method) -> Result<String> {
    Ok(serde_json::to_string(&Request { id: RequestId(id), method })?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "01900000-0000-7000-8000-000000000001";

    #[test]
    fn a_pushed_post_is_read() {
        let text =
            format!(r#"{{"feed":"home","seq":7,"event":"post.created","data":{{"id":"{ID}","rev":7,"text":"a\"b"}}}}"#);
        let frame = Frame::read(&text).unwrap();
        let expected = SeenPost { id: ID.parse().unwrap(), seq: 7, text: TextMark::of("a\"b") };
        assert_eq!(frame.heard().unwrap(), Heard::Post(expected));
    }

    #[test]
    fn replies_and_notices_are_told_apart() {
        let reply = Frame::read(r#"{"id":3,"result":{"post":{},"seq":9,"duplicate":true}}"#).unwrap();
        assert_eq!((reply.id, reply.done().unwrap()), (Some(3), (9, true)));
        let notice = Frame::read(r#"{"event":"heartbeat","cursor":"k3-12"}"#).unwrap();
        assert_eq!(notice.cursor.unwrap().seq.0, 12);
        let refusal = Frame::read(r#"{"id":null,"error":{"code":"overloaded","message":"m","retry":true}}"#).unwrap();
        assert!(refusal.error.unwrap().retry);
    }

    #[test]
    fn what_we_send_is_what_the_protocol_reads() {
        let wire = create(5, ID.parse().unwrap(), "hello").unwrap();
        let request = Request::decode(&wire).unwrap();
        assert_eq!((request.id.0, request.method.name()), (5, "post.create"));
    }
}
