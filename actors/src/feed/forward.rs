//! Bringing a snapshot forward: Postgres gave it as of `seq` N, the table has applied up to A ≥ N; what lies between is put in
//! from the hot log, so that the reply is exact at A and live events follow without hole or overlap.

use serde::de::DeserializeOwned;
use tidings_protocol::entity::{Comment, Post, User};
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::PostId;
use tidings_protocol::moderation::{Case, CaseState};
use tidings_protocol::reply::Snapshot;
use uuid::Uuid;

use super::context::Afresh;
use super::notes;
use super::sight::{Sight, belongs, sight};
use super::table::{FeedTable, Line, SlotId};
use crate::entry::{Change, Entry, Kind, Verb};
use crate::frame::placeholder;

/// How a snapshot came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forwarded {
    /// It is exact at the table's position.
    Exact,
    /// What it is about has been removed since.
    Gone,
    /// Memory cannot bring it forward (too old, or what the viewer may see has changed since): read it again.
    Stale,
}

impl<L: Line> FeedTable<L> {
    /// Brings a snapshot of a session's feed forward to the table's position. The snapshot's `seq` is at most [`Self::applied`].
    pub fn forward(&self, id: &SlotId, snapshot: &mut Snapshot) -> Forwarded {
        debug_assert!(snapshot.seq <= self.applied(), "the caller waits until the table has reached the snapshot");
        let Some(entries) = self.log.since(snapshot.seq.next()) else {
            return Forwarded::Stale;
        };
        if snapshot.feed == FeedName::Firehose {
            // It says where the stream begins, and nothing else.
            snapshot.seq = self.applied();
            return Forwarded::Exact;
        }
        let eyes = self.eyes(id.0);
        for entry in entries {
            let afresh = eyes.and_then(|eyes| Afresh::of(&entry.change, eyes.user));
            if afresh.is_some_and(|afresh| afresh.touches(snapshot.feed)) {
                return Forwarded::Stale;
            }
            if !belongs(snapshot.feed, entry, eyes) {
                continue;
            }
            let put_in = match sight(snapshot.feed, entry, eyes) {
                Sight::Whole => put_in(snapshot, entry),
                Sight::Short | Sight::Nothing => take_out(snapshot, entry),
            };
            match put_in {
                Ok(Forwarded::Exact) => {}
                Ok(not) => return not,
                Err(_) => {
                    // From a peer that speaks another dialect: Postgres has it in ours. What the error quotes is somebody's text (P9).
                    tracing::error!(seq = entry.seq.0, "an entry's body is not what it should be");
                    return Forwarded::Stale;
                }
            }
        }
        snapshot.seq = self.applied();
        Forwarded::Exact
    }
}

/// The oldest place on the page; what is older than that is on the next one. 0 if the page is the whole feed.
fn page_from(snapshot: &Snapshot) -> u64 {
    snapshot.next.map_or(0, |next| next.seq.0)
}

/// Applies one entry by the rev rule, as a client would.
fn put_in(snapshot: &mut Snapshot, entry: &Entry) -> Result<Forwarded, serde_json::Error> {
    let page_from = page_from(snapshot);
    match entry.change {
        Change::Post { verb: Verb::Removed, id, .. } => {
            if snapshot.feed == FeedName::Post(id) {
                return Ok(Forwarded::Gone);
            }
            remove(snapshot, id);
        }
        Change::Post { id, .. } => {
            let post: Post = read(entry)?;
            if snapshot.feed == FeedName::Post(id) {
                snapshot.post = Some(post);
            } else {
                put_post_in(snapshot, post, page_from);
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
            let posts = snapshot.posts.iter_mut().chain(&mut snapshot.pinned).flatten();
            let authors = posts.map(|post| &mut post.author);
            for author in authors.filter(|author| author.id == id) {
                (author.rev, author.handle, author.name) = (user.rev, user.handle.clone(), user.name.clone());
            }
            if snapshot.user.is_some() {
                snapshot.user = Some(user);
            }
        }
        Change::Follow { .. }
        | Change::Block { .. }
        | Change::Mute { .. }
        | Change::Request { .. }
        | Change::List { .. }
        | Change::Listed { .. } => put_in_ties(snapshot, entry)?,
        Change::Case { .. } => put_case_in(snapshot, read(entry)?),
        Change::Own { event, .. } => notes::put_in(snapshot, event, entry)?,
        Change::Rights { .. } | Change::SessionRevoked { .. } => {}
    }
    Ok(Forwarded::Exact)
}

/// How one stands to others, as one's own `me` has it.
fn put_in_ties(snapshot: &mut Snapshot, entry: &Entry) -> Result<(), serde_json::Error> {
    match entry.change {
        Change::Follow { verb, followee, .. } => {
            if let Some(follows) = &mut snapshot.follows {
                follows.retain(|&user| user != followee);
                if verb != Verb::Removed {
                    follows.push(followee);
                }
            }
        }
        Change::Mute { verb, muted, .. } => {
            if let Some(mutes) = &mut snapshot.mutes {
                mutes.retain(|mute| mute.muted != muted);
                if verb != Verb::Removed {
                    mutes.push(read(entry)?);
                }
            }
        }
        Change::Block { verb, blocked, .. } => {
            if let Some(blocks) = &mut snapshot.blocks {
                blocks.retain(|block| block.blocked != blocked);
                if verb != Verb::Removed {
                    blocks.push(read(entry)?);
                }
            }
        }
        // Those to oneself come by pages.
        Change::Request { verb, asker, asked } if snapshot.user.as_ref().is_some_and(|user| user.id == asker) => {
            if let Some(requests) = &mut snapshot.requests {
                requests.retain(|request| request.asked != asked);
                if verb != Verb::Removed {
                    requests.push(read(entry)?);
                }
            }
        }
        Change::List { verb, id, .. } => {
            if let Some(lists) = &mut snapshot.lists {
                let at = lists.iter().position(|list| list.id == id);
                match (at, verb) {
                    (Some(at), Verb::Removed) => drop(lists.remove(at)),
                    (Some(at), Verb::Created | Verb::Updated) => lists[at] = read(entry)?,
                    (None, Verb::Created | Verb::Updated) => lists.push(read(entry)?),
                    (None, Verb::Removed) => {}
                }
            }
        }
        Change::Post { .. }
        | Change::Comment { .. }
        | Change::User { .. }
        | Change::Case { .. }
        | Change::Rights { .. }
        | Change::Request { .. }
        // The list itself says how many there are.
        | Change::Listed { .. }
        | Change::Own { .. }
        | Change::SessionRevoked { .. } => {}
    }
    Ok(())
}

/// A settled case is none of the feed's any more.
fn put_case_in(snapshot: &mut Snapshot, case: Case) {
    let page_from = page_from(snapshot);
    let Some(cases) = &mut snapshot.cases else { return };
    if case.state == CaseState::Settled {
        cases.retain(|had| had.id != case.id);
    } else {
        upsert(cases, case, page_from, |case| (case.id.0, case.seq.0));
    }
}

fn put_post_in(snapshot: &mut Snapshot, post: Post, page_from: u64) {
    let key = |post: &Post| (post.id.0, post.seq.0);
    if let Some(pinned) = &mut snapshot.pinned {
        pinned.retain(|old| old.id != post.id);
        if post.extra.pinned {
            upsert(pinned, post.clone(), 0, key);
        }
    }
    if let Some(posts) = &mut snapshot.posts {
        upsert(posts, post, page_from, key);
    }
}

/// Applies an entry of which the viewer may not be told, or not all.
fn take_out(snapshot: &mut Snapshot, entry: &Entry) -> Result<Forwarded, serde_json::Error> {
    match entry.change.thing().map(|thing| (thing.kind, thing.id)) {
        // It may be seen again by now, with comments that came meanwhile.
        Some((Kind::Post, id)) if snapshot.feed == FeedName::Post(PostId(id)) => return Ok(Forwarded::Stale),
        Some((Kind::Post, id)) => remove(snapshot, PostId(id)),
        Some((Kind::Comment, _)) => {
            let page_from = page_from(snapshot);
            if let Some(comments) = &mut snapshot.comments {
                upsert(comments, placeholder(entry)?, page_from, |comment| (comment.id.0, comment.seq.0));
            }
        }
        Some((Kind::User, _)) | None => {}
    }
    Ok(Forwarded::Exact)
}

fn remove(snapshot: &mut Snapshot, id: PostId) {
    for posts in snapshot.posts.iter_mut().chain(&mut snapshot.pinned) {
        posts.retain(|post| post.id != id);
    }
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

#[cfg(test)]
mod tests {
    use tidings_protocol::entity::{Author, PostExtra};
    use tidings_protocol::position::{Cursor, Millis, Seq};

    use super::*;
    use crate::testing::{EPOCH, post, user};

    fn post_of(seq: u64, rev: u64, pinned: bool) -> Post {
        let author = Author { id: user(1), rev: Seq(1), handle: String::new(), name: String::new() };
        let extra = PostExtra { pinned, ..PostExtra::default() };
        let (id, text) = (post(seq), String::new());
        Post { id, rev: Seq(rev), seq: Seq(seq), author, text, created_at: Millis(0), edited_at: None, extra }
    }

    #[test]
    fn p4_pinned_posts_are_brought_forward_wherever_they_stand() {
        let next = Some(Cursor { epoch: EPOCH, seq: Seq(8) });
        let (posts, pinned) = (Some(vec![post_of(9, 9, false), post_of(8, 8, false)]), Some(vec![post_of(3, 7, true)]));
        let mut profile = Snapshot { posts, pinned, next, ..Snapshot::empty(FeedName::User(user(1)), Seq(9)) };
        let seqs = |posts: &Option<Vec<Post>>| posts.iter().flatten().map(|post| post.seq.0).collect::<Vec<_>>();
        put_post_in(&mut profile, post_of(9, 10, true), 8);
        put_post_in(&mut profile, post_of(5, 11, true), 8);
        assert_eq!((seqs(&profile.pinned), seqs(&profile.posts)), (vec![9, 5, 3], vec![9, 8]));
        put_post_in(&mut profile, post_of(3, 12, false), 8);
        remove(&mut profile, post(9));
        assert_eq!((seqs(&profile.pinned), seqs(&profile.posts)), (vec![5], vec![8]));
        let mut home = Snapshot { posts: Some(Vec::new()), ..Snapshot::empty(FeedName::Home, Seq(9)) };
        put_post_in(&mut home, post_of(9, 10, true), 0);
        assert_eq!((home.pinned.is_none(), seqs(&home.posts)), (true, vec![9]));
    }
}
