//! What the bots remember of the talk: the newest posts and their comments, by the `rev` rule.
//! Must never grow with the talk: a few threads of a few comments, and the marks of what was removed lately.

use std::collections::VecDeque;

use tidings_protocol::entity::{Comment, Post};
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::{CommentId, PostId};
use tidings_protocol::position::Seq;
use tidings_protocol::push::Event;
use tidings_protocol::reply::Snapshot;
use uuid::Uuid;

/// Threads that are followed; a connection may watch 200 feeds.
const THREADS: usize = 30;
/// Comments kept of each, the newest.
const COMMENTS: usize = 40;
/// Removed things whose older states are not let in again.
const REMOVED: usize = 256;

/// A post and what was said under it, oldest first.
#[derive(Debug)]
pub struct Thread {
    /// The post.
    pub post: Post,
    /// The newest of its comments.
    pub comments: Vec<Comment>,
    watched: bool,
    /// Of its comments, as far as they were told.
    newest: Seq,
}

/// Something that was not there before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// A post.
    Post(PostId),
    /// A comment.
    Comment(PostId, CommentId),
}

/// What there is to talk about.
#[derive(Default)]
pub struct Room {
    /// Oldest first.
    threads: VecDeque<Thread>,
    removed: VecDeque<Uuid>,
    /// No longer worth listening to.
    left: Vec<PostId>,
    /// Of posts, as far as they were told.
    newest: Seq,
}

impl Room {
    /// Takes an event in; says what is new, if anything is.
    pub fn hears(&mut self, event: Event) -> Option<News> {
        match event {
            Event::PostCreated(post) | Event::PostUpdated(post) => self.post(post),
            Event::CommentCreated(comment) | Event::CommentUpdated(comment) => self.comment(comment),
            Event::PostRemoved(removed) => {
                self.forget(removed.id);
                self.leave(|thread| thread.post.id.0 == removed.id);
                None
            }
            Event::CommentRemoved(removed) => {
                self.forget(removed.id);
                for thread in &mut self.threads {
                    thread.comments.retain(|comment| comment.id.0 != removed.id);
                }
                None
            }
            Event::FeedResync(snapshot) => {
                self.starts_afresh(*snapshot);
                None
            }
            // Not asked for here.
            Event::FeedChanged(_)
            | Event::UserUpdated(_)
            | Event::FollowCreated(_)
            | Event::FollowRemoved(_)
            | Event::BlockCreated(_)
            | Event::BlockRemoved(_)
            | Event::MuteCreated(_)
            | Event::MuteRemoved(_)
            | Event::ReactionUpdated(_)
            | Event::ReactionRemoved(_)
            | Event::BookmarkCreated(_)
            | Event::BookmarkRemoved(_)
            | Event::NotificationUpdated(_)
            | Event::NotificationRemoved(_)
            | Event::NotificationRead(_)
            | Event::MarkerUpdated(_)
            | Event::MarkerRemoved(_)
            | Event::PreferencesUpdated(_)
            | Event::SettingsUpdated(_)
            | Event::DraftUpdated(_)
            | Event::DraftRemoved(_)
            | Event::CaseUpdated(_)
            | Event::ReportUpdated(_)
            | Event::ActionUpdated(_)
            | Event::RequestCreated(_)
            | Event::RequestRemoved(_)
            | Event::ListUpdated(_)
            | Event::ListRemoved(_)
            | Event::MemberCreated(_)
            | Event::MemberRemoved(_)
            | Event::FilterUpdated(_)
            | Event::FilterRemoved(_) => None,
        }
    }

    /// The threads, oldest first.
    pub fn threads(&self) -> impl DoubleEndedIterator<Item = &Thread> {
        self.threads.iter()
    }

    /// One thread.
    #[must_use]
    pub fn thread(&self, id: PostId) -> Option<&Thread> {
        self.threads.iter().find(|thread| thread.post.id == id)
    }

    /// A post whose comments are not listened to yet; from now on they are.
    pub fn next_to_watch(&mut self) -> Option<FeedName> {
        let thread = self.threads.iter_mut().rev().find(|thread| !thread.watched)?;
        thread.watched = true;
        Some(FeedName::Post(thread.post.id))
    }

    /// A post whose comments need not be listened to any more.
    pub fn next_to_leave(&mut self) -> Option<FeedName> {
        self.left.pop().map(FeedName::Post)
    }

    fn post(&mut self, post: Post) -> Option<News> {
        if self.removed.contains(&post.id.0) {
            return None;
        }
        if let Some(thread) = self.threads.iter_mut().find(|thread| thread.post.id == post.id) {
            if post.rev > thread.post.rev {
                thread.post = post;
            }
            return None;
        }
        let (id, seq) = (post.id, post.seq);
        // An edit of something old brings it up again; it was not forgotten to be remembered now.
        if self.threads.len() >= THREADS && self.threads.front().is_some_and(|oldest| seq < oldest.post.seq) {
            return None;
        }
        let place = self.threads.partition_point(|thread| thread.post.seq < seq);
        self.threads.insert(place, Thread { post, comments: Vec::new(), watched: false, newest: seq });
        if self.threads.len() > THREADS {
            self.left.extend(self.threads.pop_front().filter(|thread| thread.watched).map(|thread| thread.post.id));
        }
        let new = seq > self.newest;
        self.newest = self.newest.max(seq);
        new.then_some(News::Post(id))
    }

    fn comment(&mut self, comment: Comment) -> Option<News> {
        if comment.removed || self.removed.contains(&comment.id.0) {
            return None;
        }
        let thread = self.threads.iter_mut().find(|thread| thread.post.id == comment.post)?;
        if let Some(known) = thread.comments.iter_mut().find(|known| known.id == comment.id) {
            if comment.rev > known.rev {
                *known = comment;
            }
            return None;
        }
        let news = News::Comment(comment.post, comment.id);
        let seq = comment.seq;
        let place = thread.comments.partition_point(|other| other.seq < seq);
        thread.comments.insert(place, comment);
        if thread.comments.len() > COMMENTS {
            thread.comments.remove(0);
        }
        let new = seq > thread.newest;
        thread.newest = thread.newest.max(seq);
        new.then_some(news)
    }

    /// Nothing in a snapshot is news.
    fn starts_afresh(&mut self, snapshot: Snapshot) {
        let posts = snapshot.posts.unwrap_or_default();
        if snapshot.feed == FeedName::Global {
            let oldest = posts.iter().map(|post| post.seq).min();
            self.leave(|thread| {
                let covered = oldest.is_none_or(|oldest| thread.post.seq >= oldest);
                covered && posts.iter().all(|post| post.id != thread.post.id)
            });
            self.newest = self.newest.max(snapshot.seq);
        }
        for post in posts.into_iter().chain(snapshot.post) {
            self.post(post);
        }
        // Each feed has a mark of its own: an answer to a subscription may overtake events that still wait to be heard.
        let feed = snapshot.feed;
        if let Some(thread) = self.threads.iter_mut().find(|thread| FeedName::Post(thread.post.id) == feed) {
            thread.newest = thread.newest.max(snapshot.seq);
        }
        for comment in snapshot.comments.into_iter().flatten() {
            self.comment(comment);
        }
    }

    fn leave(&mut self, gone: impl Fn(&Thread) -> bool) {
        let left = self.threads.iter().filter(|thread| thread.watched && gone(thread));
        self.left.extend(left.map(|thread| thread.post.id));
        self.threads.retain(|thread| !gone(thread));
    }

    fn forget(&mut self, id: Uuid) {
        self.removed.push_back(id);
        if self.removed.len() > REMOVED {
            self.removed.pop_front();
        }
    }
}

#[cfg(test)]
pub mod tests {
    use tidings_protocol::entity::{Author, CommentExtra, PostExtra, Removed};
    use tidings_protocol::ids::UserId;
    use tidings_protocol::position::Millis;

    use super::*;

    fn author(number: u128) -> Author {
        let handle = format!("p{number}");
        Author { id: UserId(Uuid::from_u128(number)), rev: Seq(1), name: format!("P {number}"), handle }
    }

    pub fn post(number: u64, by: u128, text: &str) -> Post {
        Post {
            id: PostId(Uuid::from_u128(u128::from(number))),
            rev: Seq(number),
            seq: Seq(number),
            author: author(by),
            text: text.to_owned(),
            created_at: Millis(1),
            edited_at: None,
            extra: PostExtra::default(),
        }
    }

    pub fn comment(number: u64, under: u64, by: u128) -> Comment {
        Comment {
            id: CommentId(Uuid::from_u128(u128::from(number))),
            rev: Seq(number),
            seq: Seq(number),
            post: PostId(Uuid::from_u128(u128::from(under))),
            parent: None,
            depth: 0,
            removed: false,
            author: Some(author(by)),
            text: Some("a comment".to_owned()),
            created_at: Millis(1),
            edited_at: None,
            extra: CommentExtra::default(),
        }
    }

    #[test]
    fn what_is_new_is_told_once() {
        let mut room = Room::default();
        let new = room.hears(Event::PostCreated(post(5, 1, "hello")));
        assert_eq!(new, Some(News::Post(PostId(Uuid::from_u128(5)))));
        assert_eq!(room.hears(Event::PostUpdated(Post { rev: Seq(6), ..post(5, 1, "hullo") })), None);
        assert_eq!(room.hears(Event::PostCreated(post(5, 1, "hello"))), None);
        assert_eq!(room.threads().next().unwrap().post.text, "hullo", "an older state does not win");
        assert!(matches!(room.hears(Event::CommentCreated(comment(7, 5, 2))), Some(News::Comment(..))));
        assert_eq!(room.hears(Event::CommentCreated(comment(8, 99, 2))), None, "of a post nobody knows");
    }

    #[test]
    fn what_was_removed_does_not_come_back() {
        let mut room = Room::default();
        room.hears(Event::PostCreated(post(5, 1, "hello")));
        room.hears(Event::CommentCreated(comment(7, 5, 2)));
        assert_eq!(room.next_to_watch(), Some(FeedName::Post(PostId(Uuid::from_u128(5)))));
        room.hears(Event::CommentRemoved(Removed { id: Uuid::from_u128(7), rev: Seq(8) }));
        assert!(room.threads().next().unwrap().comments.is_empty());
        room.hears(Event::CommentCreated(comment(7, 5, 2)));
        assert!(room.threads().next().unwrap().comments.is_empty());
        room.hears(Event::PostRemoved(Removed { id: Uuid::from_u128(5), rev: Seq(9) }));
        room.hears(Event::PostCreated(post(5, 1, "hello")));
        assert_eq!(room.threads().count(), 0);
        assert!(room.next_to_leave().is_some() && room.next_to_leave().is_none());
    }

    #[test]
    fn memory_is_bounded_and_old_threads_are_left() {
        let mut room = Room::default();
        for number in 1..=1_000 {
            room.hears(Event::PostCreated(post(number * 100, 1, "x")));
            while room.next_to_watch().is_some() {}
            for comments in 1..=60 {
                room.hears(Event::CommentCreated(comment(number * 100 + comments, number * 100, 2)));
            }
            while room.next_to_leave().is_some() {}
        }
        assert_eq!(room.threads().count(), THREADS);
        assert!(room.threads().all(|thread| thread.comments.len() == COMMENTS));
        let old = room.hears(Event::PostUpdated(post(100, 1, "an edit of the first post")));
        assert!(old.is_none() && room.threads().count() == THREADS);
    }

    #[test]
    fn a_snapshot_replaces_and_is_no_news() {
        let mut room = Room::default();
        for number in [10, 20, 30] {
            room.hears(Event::PostCreated(post(number, 1, "x")));
        }
        let mut snapshot = Snapshot::empty(FeedName::Global, Seq(50));
        snapshot.posts = Some(vec![post(40, 3, "new"), post(20, 1, "x")]);
        assert_eq!(room.hears(Event::FeedResync(Box::new(snapshot))), None);
        let seqs: Vec<u64> = room.threads().map(|thread| thread.post.seq.0).collect();
        assert_eq!(seqs, [10, 20, 40], "30 is gone, and whether 10 is was not told");
        assert!(room.hears(Event::PostCreated(post(51, 3, "newer"))).is_some());
    }
}
