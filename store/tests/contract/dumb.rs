//! A Tidings that forgets nothing and does one thing at a time: what the store is checked against.
//! Must stay dumb: lists and maps, walked through from the start.

use std::collections::{BTreeMap, BTreeSet};

use tidings_actors::command::{Act, Command, Denied};
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::{CommentId, PostId, UserId};
use tidings_protocol::limits::COMMENT_DEPTH;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Done,
    Duplicate,
    Refused(Denied),
}

#[derive(Clone, Debug)]
pub struct Written {
    pub author: UserId,
    pub seq: u64,
    pub rev: u64,
    pub first: String,
    /// None: removed.
    pub text: Option<String>,
    pub on: Option<PostId>,
    pub parent: Option<CommentId>,
    pub depth: u8,
}

#[derive(Default)]
pub struct Dumb {
    pub head: u64,
    pub names: BTreeMap<UserId, (String, u64)>,
    pub follows: BTreeSet<(UserId, UserId)>,
    pub posts: BTreeMap<PostId, Written>,
    pub comments: BTreeMap<CommentId, Written>,
}

impl Dumb {
    pub fn does(&mut self, command: &Command) -> Verdict {
        let verdict = self.decide(command);
        if verdict == Verdict::Done {
            self.head += 1;
            self.write(command);
        }
        verdict
    }

    fn decide(&self, command: &Command) -> Verdict {
        let actor = command.actor;
        if !self.names.contains_key(&actor) {
            return Verdict::Refused(Denied::NoAccount);
        }
        match &command.act {
            Act::UserUpdate { name, .. } => {
                let same = name.as_ref().is_none_or(|name| name.as_str() == self.names[&actor].0);
                if same { Verdict::Duplicate } else { Verdict::Done }
            }
            Act::Follow { whom } if *whom == actor => Verdict::Refused(Denied::Oneself),
            Act::Unfollow { whom } if *whom == actor => Verdict::Refused(Denied::Oneself),
            Act::Follow { whom } if !self.names.contains_key(whom) => Verdict::Refused(Denied::NotFound),
            Act::Follow { whom } if self.follows.contains(&(actor, *whom)) => Verdict::Duplicate,
            Act::Unfollow { whom } if !self.follows.contains(&(actor, *whom)) => Verdict::Duplicate,
            Act::Follow { .. } | Act::Unfollow { .. } => Verdict::Done,
            Act::PostCreate { id, text } => {
                self.posts.get(id).map_or(Verdict::Done, |post| again(post, actor, text.as_str()))
            }
            Act::PostUpdate { id, text, if_rev } => {
                let if_rev = if_rev.map(|rev| rev.0);
                change(self.posts.get(id), actor, text.as_str(), if_rev)
            }
            Act::PostDelete { id } => delete(self.posts.get(id), actor),
            Act::CommentCreate { id, post, parent, text } => {
                if self.posts.get(post).is_none_or(|post| post.text.is_none()) {
                    return Verdict::Refused(Denied::NotFound);
                }
                if let Some(old) = self.comments.get(id) {
                    let elsewhere = old.on != Some(*post) || old.parent != *parent;
                    if old.author == actor && old.text.is_some() && elsewhere {
                        return Verdict::Refused(Denied::IdTaken);
                    }
                    return again(old, actor, text.as_str());
                }
                match parent.map(|parent| self.comments.get(&parent)) {
                    None => Verdict::Done,
                    Some(None) => Verdict::Refused(Denied::NotFound),
                    Some(Some(parent)) if parent.text.is_none() || parent.on != Some(*post) => {
                        Verdict::Refused(Denied::NotFound)
                    }
                    Some(Some(parent)) if parent.depth >= COMMENT_DEPTH => Verdict::Refused(Denied::TooDeep),
                    Some(Some(_)) => Verdict::Done,
                }
            }
            Act::CommentUpdate { id, text, if_rev } => {
                let if_rev = if_rev.map(|rev| rev.0);
                change(self.comments.get(id), actor, text.as_str(), if_rev)
            }
            Act::CommentDelete { id } => delete(self.comments.get(id), actor),
            Act::UserCreate { .. } | Act::SessionRevoke { .. } => panic!("not in the script"),
        }
    }

    fn write(&mut self, command: &Command) {
        let (rev, actor) = (self.head, command.actor);
        match &command.act {
            Act::UserUpdate { name, .. } => {
                let name = name.as_ref().unwrap().as_str().to_owned();
                self.names.insert(actor, (name, rev));
            }
            Act::Follow { whom } => drop(self.follows.insert((actor, *whom))),
            Act::Unfollow { whom } => drop(self.follows.remove(&(actor, *whom))),
            Act::PostCreate { id, text } => {
                let written = Written::new(actor, rev, text.as_str());
                self.posts.insert(*id, written);
            }
            Act::PostUpdate { id, text, .. } => {
                self.posts.get_mut(id).unwrap().set(rev, Some(text.as_str()));
            }
            Act::PostDelete { id } => {
                self.posts.get_mut(id).unwrap().set(rev, None);
                self.comments.retain(|_, comment| comment.on != Some(*id));
            }
            Act::CommentCreate { id, post, parent, text } => {
                let depth = parent.map_or(0, |parent| self.comments[&parent].depth + 1);
                let written =
                    Written { on: Some(*post), parent: *parent, depth, ..Written::new(actor, rev, text.as_str()) };
                self.comments.insert(*id, written);
            }
            Act::CommentUpdate { id, text, .. } => {
                self.comments.get_mut(id).unwrap().set(rev, Some(text.as_str()));
            }
            Act::CommentDelete { id } => self.comments.get_mut(id).unwrap().set(rev, None),
            Act::UserCreate { .. } | Act::SessionRevoke { .. } => panic!("not in the script"),
        }
    }

    /// The posts of a feed, newest first.
    pub fn posts_of(&self, viewer: UserId, feed: FeedName) -> Vec<(PostId, u64, String)> {
        let wanted = |author: UserId| match feed {
            FeedName::Global => true,
            FeedName::Home => author == viewer || self.follows.contains(&(viewer, author)),
            FeedName::User(user) => author == user,
            FeedName::Me | FeedName::Post(_) => false,
        };
        let mut posts: Vec<(&PostId, &Written)> = self.posts.iter().filter(|(_, post)| wanted(post.author)).collect();
        posts.sort_by_key(|(_, post)| std::cmp::Reverse(post.seq));
        posts.into_iter().filter_map(|(id, post)| Some((*id, post.rev, post.text.clone()?))).collect()
    }

    /// The comments shown under a post: the live ones, and the removed ones they stand under.
    pub fn comments_of(&self, on: PostId) -> BTreeMap<CommentId, (u64, Option<String>)> {
        let mut shown = BTreeMap::new();
        for (id, comment) in &self.comments {
            if comment.on != Some(on) || comment.text.is_none() {
                continue;
            }
            let mut next = Some(*id);
            while let Some(id) = next {
                let comment = &self.comments[&id];
                shown.insert(id, (comment.rev, comment.text.clone()));
                next = comment.parent;
            }
        }
        shown
    }
}

impl Written {
    fn new(author: UserId, seq: u64, text: &str) -> Self {
        Self {
            author,
            seq,
            rev: seq,
            first: text.to_owned(),
            text: Some(text.to_owned()),
            on: None,
            parent: None,
            depth: 0,
        }
    }

    fn set(&mut self, rev: u64, text: Option<&str>) {
        self.rev = rev;
        self.text = text.map(str::to_owned);
    }
}

fn again(old: &Written, actor: UserId, text: &str) -> Verdict {
    match &old.text {
        _ if old.author != actor => Verdict::Refused(Denied::IdTaken),
        None => Verdict::Refused(Denied::NotFound),
        Some(now) if now == text || old.first == text => Verdict::Duplicate,
        Some(_) => Verdict::Refused(Denied::IdTaken),
    }
}

fn change(old: Option<&Written>, actor: UserId, text: &str, if_rev: Option<u64>) -> Verdict {
    match old {
        Some(old) => match &old.text {
            None => Verdict::Refused(Denied::NotFound),
            Some(_) if old.author != actor => Verdict::Refused(Denied::Forbidden),
            Some(now) if now == text => Verdict::Duplicate,
            Some(_) if if_rev.is_some_and(|rev| rev != old.rev) => Verdict::Refused(Denied::Stale),
            Some(_) => Verdict::Done,
        },
        None => Verdict::Refused(Denied::NotFound),
    }
}

fn delete(old: Option<&Written>, actor: UserId) -> Verdict {
    match old {
        None => Verdict::Refused(Denied::NotFound),
        Some(old) if old.author == actor && old.text.is_none() => Verdict::Duplicate,
        Some(old) if old.author == actor => Verdict::Done,
        Some(old) if old.text.is_none() => Verdict::Refused(Denied::NotFound),
        Some(_) => Verdict::Refused(Denied::Forbidden),
    }
}
