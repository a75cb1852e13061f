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
            if belongs(snapshot.feed, &entry.change, circle) && !put_in(snapshot, entry) {
                return Forwarded::Gone;
            }
        }
        snapshot.seq = self.applied();
        Forwarded::Exact
    }
}

/// Applies one entry by the rev rule, as a client would. False if the snapshot's own subject is gone.
fn put_in(snapshot: &mut Snapshot, entry: &Entry) -> bool {
    match entry.change {
        Change::Post { verb: Verb::Removed, id, .. } => {
            if let Some(posts) = &mut snapshot.posts {
                posts.retain(|post| post.id != id);
            }
            return snapshot.feed != FeedName::Post(id);
        }
        Change::Post { id, .. } => {
            let post: Post = read(entry);
            if snapshot.feed == FeedName::Post(id) {
                snapshot.post = Some(post);
            } else if let Some(posts) = &mut snapshot.posts {
                upsert(posts, post, snapshot.next.is_none(), |post| (post.id.0, post.seq.0));
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
                let comment: Comment = read(entry);
                upsert(comments, comment, snapshot.next.is_none(), |comment| (comment.id.0, comment.seq.0));
            }
        }
        Change::User { .. } => {
            if snapshot.user.is_some() {
                snapshot.user = Some(read::<User>(entry));
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
    true
}

/// Replaces an entity in place, or puts it where its creation belongs, newest first. One older than the page is left out,
/// unless the page is the whole feed.
fn upsert<E>(list: &mut Vec<E>, new: E, whole: bool, key: impl Fn(&E) -> (Uuid, u64)) {
    let (id, seq) = key(&new);
    if let Some(old) = list.iter_mut().find(|old| key(old).0 == id) {
        *old = new;
        return;
    }
    let at = list.iter().position(|old| key(old).1 < seq);
    match at {
        Some(at) => list.insert(at, new),
        None if whole => list.push(new),
        None => {}
    }
}

fn read<E: DeserializeOwned>(entry: &Entry) -> E {
    serde_json::from_str(entry.body.get()).expect("bodies are encoded by the store from these very types")
}
