//! The first page of a `home` from memory: where those one follows have written enough lately, the database need not be asked.
//! Must never tell a page that the database would not: what memory does not hold whole, it does not tell at all.

use std::collections::hash_map::Entry as MapEntry;

use rustc_hash::{FxHashMap, FxHashSet};
use tidings_protocol::entity::{Post, User};
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::{PostId, UserId};
use tidings_protocol::position::{Cursor, Seq};
use tidings_protocol::reply::Snapshot;

use super::forward::read;
use super::sight::{Sight, sight};
use super::table::{FeedTable, Held, Line, SlotId};
use crate::entry::{Kind, Thing, Verb};
use crate::limits::RECALL_ENTRIES;

impl<L: Line> FeedTable<L> {
    /// The first page of a session's `home`, exact at [`Self::applied`]. None if memory does not reach far enough back, or the session has no
    /// place in the journal's present life yet.
    pub fn recall(&self, id: &SlotId, limit: u16) -> Option<Snapshot> {
        let slot = &self.slots[id.0];
        let context = &self.viewers[slot.viewer?].context;
        let displaced =
            slot.behind.as_ref().is_some_and(|behind| matches!(behind.held, Held::ForEpoch | Held::Revoked));
        if displaced {
            return None;
        }
        let limit = usize::from(limit);
        let mut page = Page::default();
        for (nth, entry) in self.log.of_authors(context.around()).enumerate() {
            // A post is no younger than any entry about it.
            if page.posts.get(limit).is_some_and(|next| next.seq >= entry.seq) {
                break;
            }
            if nth == RECALL_ENTRIES {
                return None;
            }
            let Some(Thing { kind, verb, id, .. }) = entry.change.thing() else { continue };
            match kind {
                Kind::Post => {
                    let seen = || sight(FeedName::Home, entry, Some(context.eyes())) == Sight::Whole;
                    // The newest entry comes first, and has the last word.
                    if page.met.insert(PostId(id)) && verb != Verb::Removed && seen() {
                        page.put(read(entry).ok()?, self.log.after());
                    }
                }
                Kind::User => {
                    if let MapEntry::Vacant(place) = page.profiles.entry(UserId(id)) {
                        place.insert(read(entry).ok()?);
                    }
                }
                Kind::Comment => {}
            }
        }
        let more = page.posts.len() > limit;
        // With fewer, older ones may belong here that memory has forgotten; unless there has never been anything before.
        if !more && self.log.after() != Seq(0) {
            return None;
        }
        let posts = page.newest(limit);
        let next = posts.last().filter(|_| more).map(|last| Cursor { epoch: self.epoch(), seq: last.seq });
        Some(Snapshot { posts: Some(posts), next, ..Snapshot::empty(FeedName::Home, self.applied) })
    }
}

/// What has been found so far.
#[derive(Default)]
struct Page {
    /// Newest first.
    posts: Vec<Post>,
    met: FxHashSet<PostId>,
    /// Authors who have changed their profile.
    profiles: FxHashMap<UserId, User>,
}

impl Page {
    /// Puts a post in its place. One from before what memory holds is left out: what stood beside it is not known.
    fn put(&mut self, post: Post, after: Seq) {
        if post.seq > after {
            let at = self.posts.partition_point(|newer| newer.seq > post.seq);
            self.posts.insert(at, post);
        }
    }

    /// The newest, with their authors as they are now.
    fn newest(mut self, limit: usize) -> Vec<Post> {
        self.posts.truncate(limit);
        for author in self.posts.iter_mut().map(|post| &mut post.author) {
            if let Some(now) = self.profiles.get(&author.id).filter(|now| now.rev > author.rev) {
                (author.rev, author.handle, author.name) = (now.rev, now.handle.clone(), now.name.clone());
            }
        }
        self.posts
    }
}
