//! The dumb half of the simulated worlds: the state after some entry of a plain list, and what follows from it, worked out afresh each time.
//! It knows nothing of indexes, logs or slots. What a thing says is made of its `rev`, so a wrong body shows itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tidings_protocol::entity::{
    Author, Block, Comment, CommentExtra, Follow, FollowRequest, List, ListMember, Mute, Post, PostExtra, Removed,
    Role, User, UserExtra,
};
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::{CommentId, ListId, PostId, SessionId, UserId};
use tidings_protocol::notification::NotificationReading;
use tidings_protocol::position::{Cursor, Epoch, Millis, Seq};
use tidings_protocol::reply::Snapshot;

use super::audience::Audience;
use crate::entry::{Change, Verb};
use crate::ports::Viewer;

/// A post or comment.
#[derive(Clone)]
pub(crate) struct Row {
    pub(crate) seq: u64,
    pub(crate) rev: u64,
    pub(crate) removed: bool,
    pub(crate) author: UserId,
    /// Of a post.
    pub(crate) audience: Arc<Audience>,
    /// Of a comment.
    pub(crate) post: Option<PostId>,
    pub(crate) parent: Option<CommentId>,
}

/// The state after some entry.
#[derive(Clone)]
pub(crate) struct State {
    pub(crate) epoch: Epoch,
    pub(crate) users: BTreeMap<UserId, u64>,
    pub(crate) posts: BTreeMap<PostId, Row>,
    pub(crate) comments: BTreeMap<CommentId, Row>,
    /// With the last change, and whether it was a follow.
    pub(crate) follows: BTreeMap<(UserId, UserId), (u64, bool)>,
    /// The same for blocks.
    pub(crate) blocks: BTreeMap<(UserId, UserId), (u64, bool)>,
    /// The same for mutes.
    pub(crate) mutes: BTreeMap<(UserId, UserId), (u64, bool)>,
    /// Lists with their owner, their last change, and whether they are there.
    pub(crate) lists: BTreeMap<ListId, (UserId, u64, bool)>,
    /// Who is, or was, in them.
    pub(crate) listed: BTreeMap<(ListId, UserId), bool>,
}

impl State {
    pub(crate) fn nothing(epoch: Epoch) -> Self {
        let (users, posts, comments) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let (follows, blocks, mutes) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let (lists, listed) = (BTreeMap::new(), BTreeMap::new());
        Self { epoch, users, posts, comments, follows, blocks, mutes, lists, listed }
    }

    /// Takes an entry in; `audience` is that of a post after it.
    pub(crate) fn put(&mut self, seq: u64, change: &Change, parent: Option<CommentId>, audience: Audience) {
        let audience = Arc::new(audience);
        let created = |row: Option<&Row>| row.map_or(seq, |row| row.seq);
        match *change {
            Change::Post { verb, id, author } => {
                let row = self.posts.get(&id);
                let removed = verb == Verb::Removed;
                let row = Row { seq: created(row), rev: seq, removed, author, audience, post: None, parent: None };
                self.posts.insert(id, row);
                if removed {
                    self.comments.retain(|_, comment| comment.post != Some(id));
                }
            }
            Change::Comment { verb, id, post, author } => {
                let row = self.comments.get(&id);
                let parent = row.map_or(parent, |row| row.parent);
                let removed = verb == Verb::Removed;
                let (seq, rev) = (created(row), seq);
                self.comments.insert(id, Row { seq, rev, removed, author, audience, post: Some(post), parent });
            }
            Change::User { id, .. } => drop(self.users.insert(id, seq)),
            Change::Follow { verb, follower, followee } => {
                self.follows.insert((follower, followee), (seq, verb != Verb::Removed));
            }
            Change::Block { verb, blocker, blocked } => {
                self.blocks.insert((blocker, blocked), (seq, verb != Verb::Removed));
            }
            Change::Mute { verb, muter, muted } => {
                self.mutes.insert((muter, muted), (seq, verb != Verb::Removed));
            }
            Change::List { verb, owner, id } => {
                self.lists.insert(id, (owner, seq, verb != Verb::Removed));
                if verb == Verb::Removed {
                    self.listed.retain(|(list, _), _| *list != id);
                }
            }
            Change::Listed { verb, list, member, .. } => {
                self.listed.insert((list, member), verb != Verb::Removed);
            }
            Change::Request { .. }
            | Change::Case { .. }
            | Change::Rights { .. }
            | Change::Own { .. }
            | Change::SessionRevoked { .. } => {}
        }
    }

    /// Whether somebody is in a list that is there and is this viewer's.
    pub(crate) fn lists(&self, list: ListId, viewer: Option<UserId>, member: UserId) -> bool {
        self.has_list(list, viewer) && self.listed.get(&(list, member)) == Some(&true)
    }

    pub(crate) fn has_list(&self, list: ListId, viewer: Option<UserId>) -> bool {
        self.lists.get(&list).is_some_and(|(owner, _, there)| viewer == Some(*owner) && *there)
    }

    /// Somebody's lists.
    pub(crate) fn lists_of(&self, owner: UserId) -> impl Iterator<Item = (ListId, u64)> {
        let mine = self.lists.iter().filter(move |(_, (whose, _, there))| *whose == owner && *there);
        mine.map(|(id, (_, rev, _))| (*id, *rev))
    }

    fn members(&self, of: ListId) -> Vec<UserId> {
        let there = self.listed.iter().filter(|((list, _), there)| *list == of && **there);
        there.map(|((_, member), _)| *member).collect()
    }

    fn list(&self, id: ListId, rev: u64) -> List {
        let members = u32::try_from(self.members(id).len()).expect("small");
        List { id, rev: Seq(rev), name: format!("list {rev}"), members }
    }

    pub(crate) fn follows_of(&self, user: UserId) -> BTreeSet<UserId> {
        second(&self.follows, user).map(|(followee, _)| followee).collect()
    }

    pub(crate) fn viewer(&self, seq: u64, user: UserId, session_live: bool) -> Viewer {
        let first = self.blocks.iter().filter(|((_, blocked), (_, on))| *blocked == user && *on);
        Viewer {
            seq: Seq(seq),
            user: self.user(user),
            follows: self.follows_of(user).into_iter().collect(),
            blocks: second(&self.blocks, user).map(|(blocked, _)| blocked).collect(),
            hides: false,
            blocked_by: first.map(|((blocker, _), _)| *blocker).collect(),
            muted: second(&self.mutes, user).map(|(muted, _)| muted).collect(),
            moderates: false,
            lists: self.lists_of(user).map(|(list, _)| (list, self.members(list))).collect(),
            session_live,
        }
    }

    pub(crate) fn user(&self, id: UserId) -> User {
        let rev = self.users[&id];
        let (handle, name) = (format!("user{}", id.0.as_u64_pair().1), format!("name {rev}"));
        User {
            id,
            rev: Seq(rev),
            handle,
            name,
            bio: String::new(),
            role: Role::User,
            created_at: Millis(0),
            extra: UserExtra::default(),
        }
    }

    fn author(&self, id: UserId) -> Author {
        let User { id, rev, handle, name, .. } = self.user(id);
        Author { id, rev, handle, name }
    }

    fn post(&self, id: PostId) -> Post {
        let row = &self.posts[&id];
        Post {
            id,
            rev: Seq(row.rev),
            seq: Seq(row.seq),
            author: self.author(row.author),
            text: format!("text {}", row.rev),
            created_at: Millis(0),
            edited_at: None,
            extra: PostExtra { visibility: row.audience.visibility, ..PostExtra::default() },
        }
    }

    /// As a viewer sees it; none: as the journal has it.
    fn comment(&self, id: CommentId, viewer: Option<UserId>) -> Comment {
        let row = &self.comments[&id];
        let removed = row.removed || self.unread(viewer, row.author);
        Comment {
            id,
            rev: Seq(row.rev),
            seq: Seq(row.seq),
            post: row.post.expect("of a comment"),
            parent: row.parent,
            depth: 0,
            removed,
            author: (!removed).then(|| self.author(row.author)),
            text: (!removed).then(|| format!("text {}", row.rev)),
            created_at: Millis(0),
            edited_at: None,
            extra: CommentExtra::default(),
        }
    }

    /// An entity as the wire carries it.
    pub(crate) fn body(&self, change: &Change, seq: u64) -> String {
        let removed = |id| json(&Removed { id, rev: Seq(seq) });
        match *change {
            Change::Post { verb: Verb::Removed, id, .. } => removed(id.0),
            Change::Post { id, .. } => json(&self.post(id)),
            Change::Comment { verb: Verb::Removed, id, .. } => removed(id.0),
            Change::Comment { id, .. } => json(&self.comment(id, None)),
            Change::User { id, .. } => json(&self.user(id)),
            Change::Follow { follower, followee, .. } => json(&Follow { rev: Seq(seq), follower, followee }),
            Change::Block { blocker, blocked, .. } => json(&Block { rev: Seq(seq), blocker, blocked }),
            Change::Mute { muter, muted, .. } => json(&Mute { rev: Seq(seq), muter, muted, until: None }),
            Change::Request { asker, asked, .. } => json(&FollowRequest { rev: Seq(seq), asker, asked }),
            Change::List { verb: Verb::Removed, id, .. } => removed(id.0),
            Change::List { id, .. } => json(&self.list(id, seq)),
            Change::Listed { list, member, .. } => json(&ListMember { rev: Seq(seq), list, user: member }),
            Change::Case { .. } | Change::Rights { .. } | Change::Own { .. } | Change::SessionRevoked { .. } => {
                "{}".to_owned()
            }
        }
    }

    pub(crate) fn posts_of(&self, feed: FeedName, viewer: Option<UserId>) -> Vec<(PostId, &Row)> {
        let shown = self.posts.iter().filter(|(id, row)| self.shows(feed, viewer, row, **id));
        let mut posts: Vec<(PostId, &Row)> = shown.map(|(id, row)| (*id, row)).collect();
        posts.sort_by_key(|(_, row)| std::cmp::Reverse(row.seq));
        posts
    }

    /// Whether there is a text for somebody, and not only a placeholder.
    pub(crate) fn reads(&self, viewer: Option<UserId>, comment: &Row) -> bool {
        !comment.removed && !self.unread(viewer, comment.author)
    }

    fn holds_answers(&self, id: CommentId, viewer: Option<UserId>) -> bool {
        let mut answers = self.comments.iter().filter(|(_, row)| row.parent == Some(id));
        answers.any(|(answer, row)| self.reads(viewer, row) || self.holds_answers(*answer, viewer))
    }

    pub(crate) fn comments_of(&self, post: PostId, viewer: Option<UserId>) -> Vec<(CommentId, &Row)> {
        let of_post = self.comments.iter().filter(|(_, row)| row.post == Some(post));
        let shown = of_post.filter(|(id, row)| self.reads(viewer, row) || self.holds_answers(**id, viewer));
        let mut comments: Vec<(CommentId, &Row)> = shown.map(|(id, row)| (*id, row)).collect();
        comments.sort_by_key(|(_, row)| std::cmp::Reverse(row.seq));
        comments
    }

    /// As Postgres would answer, `limit` entities. None: there is no such feed.
    pub(crate) fn snapshot(&self, at: u64, viewer: Option<UserId>, feed: FeedName, limit: usize) -> Option<Snapshot> {
        if !self.is_open(feed, viewer) {
            return None;
        }
        let mut snapshot = Snapshot::empty(feed, Seq(at));
        let next = |row: &Row| Some(Cursor { epoch: self.epoch, seq: Seq(row.seq) });
        match feed {
            FeedName::Home | FeedName::Global | FeedName::User(_) | FeedName::Tag(_) | FeedName::List(_) => {
                let posts = self.posts_of(feed, viewer);
                if posts.len() > limit {
                    snapshot.next = next(posts[limit - 1].1);
                }
                snapshot.posts = Some(posts.iter().take(limit).map(|(id, _)| self.post(*id)).collect());
                if let FeedName::User(user) = feed {
                    snapshot.user = Some(self.user(user));
                }
            }
            FeedName::Post(post) => {
                snapshot.post = Some(self.post(post));
                let comments = self.comments_of(post, viewer);
                let mut page: Vec<CommentId> = comments.iter().take(limit).map(|(id, _)| *id).collect();
                if comments.len() > limit {
                    snapshot.next = next(comments[limit - 1].1);
                }
                let mut at = 0;
                while let Some(id) = page.get(at) {
                    page.extend(self.comments[id].parent.filter(|parent| !page.contains(parent)));
                    at += 1;
                }
                let length = page.len();
                page[limit.min(length)..].sort_by_key(|id| std::cmp::Reverse(self.comments[id].seq));
                snapshot.comments = Some(page.into_iter().map(|id| self.comment(id, viewer)).collect());
            }
            FeedName::Firehose => {}
            // Nothing concerns anybody here.
            FeedName::Notifications => {
                viewer?;
                snapshot.notifications = Some(Vec::new());
                snapshot.reading = Some(NotificationReading::default());
            }
            // Nobody moderates here.
            FeedName::Mod => return None,
            FeedName::Me => {
                let viewer = viewer?;
                snapshot.user = Some(self.user(viewer));
                snapshot.follows = Some(self.follows_of(viewer).into_iter().collect());
                let block = |(blocked, rev)| Block { rev: Seq(rev), blocker: viewer, blocked };
                snapshot.blocks = Some(second(&self.blocks, viewer).map(block).collect());
                let mute = |(muted, rev)| Mute { rev: Seq(rev), muter: viewer, muted, until: None };
                snapshot.mutes = Some(second(&self.mutes, viewer).map(mute).collect());
                snapshot.lists = Some(self.lists_of(viewer).map(|(list, rev)| self.list(list, rev)).collect());
            }
        }
        Some(snapshot)
    }
}

fn json<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("a wire type")
}

/// To whom somebody stands so, and since which entry.
fn second(pairs: &BTreeMap<(UserId, UserId), (u64, bool)>, one: UserId) -> impl Iterator<Item = (UserId, u64)> {
    let held = pairs.iter().filter(move |((first, _), (_, on))| *first == one && *on);
    held.map(|((_, second), (rev, _))| (*second, *rev))
}

pub(crate) fn session_id(n: u64) -> SessionId {
    SessionId(uuid::Uuid::from_u64_pair(4, n))
}
