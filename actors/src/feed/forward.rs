//! Bringing a snapshot forward: Postgres gave it as of `seq` N, the table has applied up to A ≥ N; what lies between is put in
//! from the hot log, so that the reply is exact at A and live events follow without hole or overlap.

use serde::de::DeserializeOwned;
use tidings_protocol::entity::{Comment, Post, User};
use tidings_protocol::feed::FeedName;
use tidings_protocol::reply::Snapshot;
use uuid::Uuid;

use super::belongs;
use super::table::{FeedTable, Line, SlotId};
use crate::entry::{Change, Entry, Verb};

/// How a snapshot came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forwarded {
    /// It is exact at the table's position.
    Exact,
    /// What it is about has been removed since.
    Gone,
    /// Memory cannot bring it forward (too old, or the viewer's circle has changed since): read it again.
    Stale,
}

impl<L: Line> FeedTable<L> {
    /// Brings a snapshot of a session's feed forward to the table's position. The snapshot's `seq` is at most [`Self::applied`].
    pub fn forward(&self, id: &SlotId, snapshot: &mut Snapshot) -> Forwarded {
        debug_assert!(snapshot.seq <= self.applied(), "the caller waits until the table has reached the snapshot");
        let Some(entries) = self.log.since(snapshot.seq.next()) else {
            return Forwarded::Stale;
        };
        let circle = self.circle(id);
        for entry in entries {
            if let Change::Follow { follower, .. } = entry.change
                && snapshot.feed == FeedName::Home
                && circle.is_some_and(|circle| circle.user == follower)
            {
                return Forwarded::Stale;
            }
            if belongs(snapshot.feed, &entry.change, circle) {
                match put_in(snapshot, entry) {
                    Ok(true) => {}
                    Ok(false) => return Forwarded::Gone,
                    Err(_) => {
                        // From a peer that speaks another dialect: Postgres has it in ours. What the error quotes is somebody's text (P9).
                        tracing::error!(seq = entry.seq.0, "an entry's body is not what it should be");
                        return Forwarded::Stale;
                    }
                }
            }
        }
        snapshot.seq = self.applied();
        Forwarded::Exact
    }
}

/// Applies one entry by the rev rule, as a client would. False if the snapshot's own subject is gone.
fn put_in(snapshot: &mut Snapshot, entry: &Entry) -> Result<bool, serde_json::Error> {
    // The oldest place on the page; what is older than that is on the next one. 0 if the page is the whole feed.
    let page_from = snapshot.next.map_or(0, |next| next.seq.0);
    match entry.change {
        Change::Post { verb: Verb::Removed, id, .. } => {
            if let Some(posts) = &mut snapshot.posts {
                posts.retain(|post| post.id != id);
            }
            return Ok(snapshot.feed != FeedName::Post(id));
        }
        Change::Post { id, .. } => {
            let post: Post = read(entry)?;
            if snapshot.feed == FeedName::Post(id) {
                snapshot.post = Some(post);
            } else if let Some(posts) = &mut snapshot.posts {
                upsert(posts, post, page_from, |post| (post.id.0, post.seq.0));
            }
        }
        Change::Comment { verb: Verb::Removed, id, .. } => {
            for comment in snapshot.comments.iter_mut().flatten().filter(|comment| comment.id == id) {
                comment.rev = entry.seq;
                comment.removed = true;
                (comment.author, comment.text, comment.edited_at) = (None, None, None);
            }
        }
        Change::Comment { .. } => {
            if let Some(comments) = &mut snapshot.comments {
                let comment: Comment = read(entry)?;
                upsert(comments, comment, page_from, |comment| (comment.id.0, comment.seq.0));
            }
        }
        Change::User { id, .. } => {
            let user: User = read(entry)?;
            let authors = snapshot.posts.iter_mut().flatten().map(|post| &mut post.author);
            for author in authors.filter(|author| author.id == id) {
                (author.rev, author.handle, author.name) = (user.rev, user.handle.clone(), user.name.clone());
            }
            if snapshot.user.is_some() {
                snapshot.user = Some(user);
            }
        }
        Change::Follow { verb, followee, .. } => {
            if let Some(follows) = &mut snapshot.follows {
                follows.retain(|&user| user != followee);
                if verb != Verb::Removed {
                    follows.push(followee);
                }
            }
        }
        Change::SessionRevoked { .. } => {}
    }
    Ok(true)
}

/// Replaces an entity in place, or puts it where its creation belongs, newest first. One older than the page is left out.
fn upsert<E>(list: &mut Vec<E>, new: E, page_from: u64, key: impl Fn(&E) -> (Uuid, u64)) {
    let (id, seq) = key(&new);
    if let Some(old) = list.iter_mut().find(|old| key(old).0 == id) {
        *old = new;
    } else if seq >= page_from {
        let at = list.iter().position(|old| key(old).1 < seq).unwrap_or(list.len());
        list.insert(at, new);
    }
}

pub(super) fn read<E: DeserializeOwned>(entry: &Entry) -> Result<E, serde_json::Error> {
    serde_json::from_str(entry.body.get())
}
