//! A Tidings that forgets nothing and does one thing at a time: what the store is checked against.
//! Must stay dumb: lists and maps, walked through from the start.

use std::collections::{BTreeMap, BTreeSet};

use tidings_actors::command::{Act, Command, Deed, Denied, ExtraChange};
use tidings_protocol::entity::{PostExtra, Visibility};
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::{CommentId, ListId, PostId, UserId};
use tidings_protocol::limits::COMMENT_DEPTH;
use tidings_protocol::spans::MentionSpan;
use tidings_protocol::text::PostText;
use uuid::Uuid;

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
    pub audience: Visibility,
    /// Whom it mentions or has mentioned while it was for fewer than everybody.
    pub mentioned: BTreeSet<UserId>,
    pub tags: BTreeSet<String>,
    /// The post it hands on, and whether without words.
    pub of: Option<(PostId, bool)>,
    /// What it was created with besides its text, to be known again.
    pub first_extra: String,
    pub extra: String,
}

#[derive(Default)]
pub struct Dumb {
    pub head: u64,
    pub names: BTreeMap<UserId, (String, u64)>,
    pub follows: BTreeSet<(UserId, UserId)>,
    pub blocks: BTreeSet<(UserId, UserId)>,
    pub mutes: BTreeSet<(UserId, UserId)>,
    /// Each with its owner.
    pub lists: BTreeMap<ListId, UserId>,
    pub listed: BTreeSet<(ListId, UserId)>,
    pub posts: BTreeMap<PostId, Written>,
    pub comments: BTreeMap<CommentId, Written>,
}

impl Dumb {
    /// `at`: as which entry, if it is done.
    pub fn does(&mut self, command: &Command, at: u64) -> Verdict {
        let verdict = self.decide(command);
        if verdict == Verdict::Done {
            assert!(at > self.head, "entries ascend");
            self.head = at;
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
            Act::Follow { whom } if self.blocks.contains(&(actor, *whom)) => Verdict::Refused(Denied::Blocked),
            Act::Follow { whom } if self.blocks.contains(&(*whom, actor)) => Verdict::Refused(Denied::NotFound),
            Act::Follow { whom } if self.follows.contains(&(actor, *whom)) => Verdict::Duplicate,
            Act::Unfollow { whom } if !self.follows.contains(&(actor, *whom)) => Verdict::Duplicate,
            Act::Follow { .. } | Act::Unfollow { .. } => Verdict::Done,
            Act::Deed(deed) => self.decide_deed(actor, deed),
            Act::PostCreate { id, text, extra, .. } => self.decide_post(actor, *id, text.as_ref(), extra.as_deref()),
            Act::PostUpdate { id, text, change: new, if_rev } => {
                if self.posts.get(id).is_some_and(|post| !self.sees(Some(actor), post)) {
                    return Verdict::Refused(Denied::NotFound);
                }
                let if_rev = if_rev.map(|rev| rev.0);
                let same = self.posts.get(id).is_some_and(|post| changed(post, new) == post.extra);
                change(self.posts.get(id), actor, text.as_str(), same, if_rev)
            }
            Act::PostDelete { id } => {
                if self.posts.get(id).is_some_and(|post| post.author != actor && !self.sees(Some(actor), post)) {
                    return Verdict::Refused(Denied::NotFound);
                }
                delete(self.posts.get(id), actor)
            }
            Act::CommentCreate { id, post, parent, text } => {
                self.decide_comment(actor, *id, *post, *parent, text.as_str())
            }
            Act::CommentUpdate { id, text, if_rev } => {
                let if_rev = if_rev.map(|rev| rev.0);
                change(self.comments.get(id), actor, text.as_str(), true, if_rev)
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
            Act::Deed(Deed::Block { whom }) => {
                self.follows.remove(&(actor, *whom));
                self.follows.remove(&(*whom, actor));
                self.blocks.insert((actor, *whom));
            }
            Act::Deed(Deed::Unblock { whom }) => drop(self.blocks.remove(&(actor, *whom))),
            Act::Deed(Deed::Mute { whom, .. }) => drop(self.mutes.insert((actor, *whom))),
            Act::Deed(Deed::Enlist { list, user, there: true, .. }) => drop(self.listed.insert((*list, *user))),
            Act::Deed(Deed::Enlist { list, user, there: false, .. }) => drop(self.listed.remove(&(*list, *user))),
            Act::Deed(Deed::Unmute { whom }) => drop(self.mutes.remove(&(actor, *whom))),
            Act::PostCreate { id, text, extra, .. } => {
                let mut written = Written::new(actor, rev, text.as_ref().map_or("", |text| text.as_str()));
                if let Some(extra) = extra {
                    written.audience = extra.visibility;
                    written.tags = extra.tags.iter().map(|span| span.tag.to_string()).collect();
                    written.of = extra.of.map(|of| (of, text.is_none()));
                    if !extra.visibility.is_public() {
                        written.mentioned = people(&extra.mentions);
                    }
                }
                written.extra = extra_of(extra.as_deref());
                written.first_extra = written.extra.clone();
                self.posts.insert(*id, written);
            }
            Act::PostUpdate { id, text, change: new, .. } => {
                let post = self.posts.get_mut(id).unwrap();
                post.extra = changed(post, new);
                let restricted = !post.audience.is_public() || !post.mentioned.is_empty();
                post.audience = new.visibility.unwrap_or(post.audience);
                if restricted || !post.audience.is_public() {
                    post.mentioned.extend(people(&new.mentions));
                }
                post.tags = new.tags.iter().map(|span| span.tag.to_string()).collect();
                post.of = post.of.map(|(of, _)| (of, false));
                post.set(rev, Some(text.as_str()));
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
            Act::UserCreate { .. } | Act::SessionRevoke { .. } | Act::Deed(_) => panic!("not in the script"),
        }
    }

    fn decide_post(&self, actor: UserId, id: PostId, text: Option<&PostText>, extra: Option<&PostExtra>) -> Verdict {
        match self.posts.get(&id) {
            Some(post) => again(post, actor, text.map_or("", |text| text.as_str()), &extra_of(extra)),
            None => extra.and_then(|extra| extra.of).map_or(Verdict::Done, |of| {
                let may = self.posts.get(&of).is_some_and(|post| {
                    post.audience.is_public()
                        && post.text.as_ref().is_some_and(|text| !text.is_empty())
                        && !self.are_apart(actor, post.author)
                });
                let handed_on =
                    |post: &&Written| post.author == actor && post.of == Some((of, true)) && post.text.is_some();
                let once_more = text.is_none() && self.posts.values().any(|post| handed_on(&post));
                match (may, once_more) {
                    (false, _) => Verdict::Refused(Denied::NotFound),
                    (true, true) => Verdict::Refused(Denied::IdTaken),
                    (true, false) => Verdict::Done,
                }
            }),
        }
    }

    fn decide_comment(
        &self,
        actor: UserId,
        id: CommentId,
        post: PostId,
        parent: Option<CommentId>,
        text: &str,
    ) -> Verdict {
        if self.posts.get(&post).is_none_or(|post| post.text.is_none() || !self.sees(Some(actor), post)) {
            return Verdict::Refused(Denied::NotFound);
        }
        if let Some(old) = self.comments.get(&id) {
            let elsewhere = old.on != Some(post) || old.parent != parent;
            if old.author == actor && old.text.is_some() && elsewhere {
                return Verdict::Refused(Denied::IdTaken);
            }
            return again(old, actor, text, "");
        }
        match parent.map(|parent| self.comments.get(&parent)) {
            None => Verdict::Done,
            Some(None) => Verdict::Refused(Denied::NotFound),
            Some(Some(parent))
                if parent.text.is_none() || parent.on != Some(post) || self.are_apart(actor, parent.author) =>
            {
                Verdict::Refused(Denied::NotFound)
            }
            Some(Some(parent)) if parent.depth >= COMMENT_DEPTH => Verdict::Refused(Denied::TooDeep),
            Some(Some(_)) => Verdict::Done,
        }
    }

    fn decide_deed(&self, actor: UserId, deed: &Deed) -> Verdict {
        if let Deed::Enlist { list, user, there, .. } = *deed {
            return self.decide_list(actor, list, user, there);
        }
        let (whom, had, wanted) = match deed {
            Deed::Block { whom } => (whom, self.blocks.contains(&(actor, *whom)), true),
            Deed::Unblock { whom } => (whom, self.blocks.contains(&(actor, *whom)), false),
            Deed::Mute { whom, .. } => (whom, self.mutes.contains(&(actor, *whom)), true),
            Deed::Unmute { whom } => (whom, self.mutes.contains(&(actor, *whom)), false),
            other => panic!("not in the script: {other:?}"),
        };
        match (*whom == actor, self.names.contains_key(whom)) {
            (true, _) => Verdict::Refused(Denied::Oneself),
            (false, false) if wanted => Verdict::Refused(Denied::NotFound),
            _ if had == wanted => Verdict::Duplicate,
            _ => Verdict::Done,
        }
    }

    fn decide_list(&self, actor: UserId, list: ListId, user: UserId, there: bool) -> Verdict {
        if self.lists.get(&list) != Some(&actor) {
            Verdict::Refused(Denied::NotFound)
        } else if self.listed.contains(&(list, user)) == there {
            Verdict::Duplicate
        } else if there && self.blocks.contains(&(actor, user)) {
            Verdict::Refused(Denied::Blocked)
        } else if there && self.are_apart(actor, user) {
            Verdict::Refused(Denied::NotFound)
        } else {
            Verdict::Done
        }
    }

    pub fn are_apart(&self, one: UserId, other: UserId) -> bool {
        self.blocks.contains(&(one, other)) || self.blocks.contains(&(other, one))
    }

    /// Whether a viewer may see a post.
    pub fn sees(&self, viewer: Option<UserId>, post: &Written) -> bool {
        let Some(viewer) = viewer else {
            return post.audience.is_public();
        };
        if viewer == post.author {
            return true;
        }
        let mentioned = post.mentioned.contains(&viewer);
        !self.are_apart(viewer, post.author)
            && match post.audience {
                Visibility::Public => true,
                Visibility::Followers => mentioned || self.follows.contains(&(viewer, post.author)),
                Visibility::Mentioned => mentioned,
                Visibility::Private => false,
            }
    }

    /// Whether a viewer reads somebody where they have not gone to look for them.
    fn reads(&self, viewer: UserId, author: UserId) -> bool {
        !self.are_apart(viewer, author) && !self.mutes.contains(&(viewer, author))
    }

    /// The posts of a feed, newest first.
    pub fn posts_of(&self, viewer: UserId, feed: FeedName) -> Vec<(PostId, u64, String)> {
        let wanted = |post: &Written| match feed {
            FeedName::Global => post.audience.is_public() && self.reads(viewer, post.author),
            FeedName::Tag(tag) => {
                post.audience.is_public() && self.reads(viewer, post.author) && post.tags.contains(tag.as_str())
            }
            FeedName::Home => {
                let followed = self.follows.contains(&(viewer, post.author)) && self.reads(viewer, post.author);
                (post.author == viewer || followed) && self.sees(Some(viewer), post)
            }
            FeedName::User(user) => post.author == user && self.sees(Some(viewer), post),
            FeedName::List(list) => {
                let listed = self.listed.contains(&(list, post.author)) && self.reads(viewer, post.author);
                self.lists.get(&list) == Some(&viewer) && listed && self.sees(Some(viewer), post)
            }
            FeedName::Notifications | FeedName::Me | FeedName::Mod | FeedName::Firehose | FeedName::Post(_) => false,
        };
        let mut posts: Vec<(&PostId, &Written)> = self.posts.iter().filter(|(_, post)| wanted(post)).collect();
        posts.sort_by_key(|(_, post)| std::cmp::Reverse(post.seq));
        posts.into_iter().filter_map(|(id, post)| Some((*id, post.rev, post.text.clone()?))).collect()
    }

    /// The comments shown under a post: the live ones, and the ones they stand under, without words where they are removed or of somebody
    /// hidden.
    pub fn comments_of(&self, viewer: UserId, on: PostId) -> BTreeMap<CommentId, (u64, Option<String>)> {
        let mut shown = BTreeMap::new();
        for (id, comment) in &self.comments {
            if comment.on != Some(on) || comment.text.is_none() || !self.reads(viewer, comment.author) {
                continue;
            }
            let mut next = Some(*id);
            while let Some(id) = next {
                let comment = &self.comments[&id];
                let text = comment.text.clone().filter(|_| self.reads(viewer, comment.author));
                shown.insert(id, (comment.rev, text));
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
            audience: Visibility::Public,
            mentioned: BTreeSet::new(),
            tags: BTreeSet::new(),
            of: None,
            first_extra: String::new(),
            extra: String::new(),
        }
    }

    fn set(&mut self, rev: u64, text: Option<&str>) {
        self.rev = rev;
        self.text = text.map(str::to_owned);
    }
}

/// People are called `person0`, `person1` and so on, with the ids 1, 2 and so on.
fn people(mentions: &[MentionSpan]) -> BTreeSet<UserId> {
    let nth = |mention: &MentionSpan| mention.handle.strip_prefix("person")?.parse::<u128>().ok();
    mentions.iter().filter_map(|mention| Some(UserId(Uuid::from_u128(nth(mention)? + 1)))).collect()
}

/// What a post has besides its text, in words that can be compared.
fn extra_of(extra: Option<&PostExtra>) -> String {
    extra.map_or_else(String::new, |extra| format!("{extra:?}"))
}

/// As a change leaves it.
fn changed(post: &Written, new: &ExtraChange) -> String {
    let extra = PostExtra {
        visibility: new.visibility.unwrap_or(post.audience),
        of: post.of.map(|(of, _)| of),
        hidden: None,
        tags: new.tags.clone(),
        mentions: new.mentions.clone(),
        ..PostExtra::default()
    };
    extra_of((extra != PostExtra::default()).then_some(&extra))
}

fn again(old: &Written, actor: UserId, text: &str, extra: &str) -> Verdict {
    match &old.text {
        _ if old.author != actor => Verdict::Refused(Denied::IdTaken),
        None => Verdict::Refused(Denied::NotFound),
        Some(now) if now == text && old.extra == extra => Verdict::Duplicate,
        Some(_) if old.first == text && old.first_extra == extra => Verdict::Duplicate,
        Some(_) => Verdict::Refused(Denied::IdTaken),
    }
}

fn change(old: Option<&Written>, actor: UserId, text: &str, same: bool, if_rev: Option<u64>) -> Verdict {
    match old {
        Some(old) => match &old.text {
            None => Verdict::Refused(Denied::NotFound),
            Some(_) if old.author != actor => Verdict::Refused(Denied::Forbidden),
            Some(now) if now == text && same => Verdict::Duplicate,
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
