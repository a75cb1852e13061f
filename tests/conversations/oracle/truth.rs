//! What everybody may see, worked out anew from all that was done, in the order of the journal: PROTOCOL.md's words about visibility, blocks, mutes
//! and moderation, and nothing else. Must never ask the server, and never be quick: it is the dumb thing the server is held against (P5).

use std::collections::{BTreeMap, BTreeSet};

use tidings_protocol::bots::{FirehoseFilter, FirehoseKind};
use tidings_protocol::entity::Visibility;
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::{CommentId, PostId, UserId};
use tidings_protocol::marks::{Emoji, PostCounts};
use tidings_protocol::position::Seq;
use tidings_protocol::spans::{self, Tag};

use super::deed::{Deed, Done};
use super::set;

/// A post as it is, or was when it went.
#[derive(Clone, Debug)]
pub struct Post {
    pub author: UserId,
    pub seq: Seq,
    pub rev: Seq,
    pub text: String,
    pub visibility: Visibility,
    pub gone: bool,
    /// A moderator has hidden it.
    pub hidden: bool,
    pub of: Option<PostId>,
    /// It was for everybody all along.
    pub always_public: bool,
    /// For whom it has ever been.
    widest: Visibility,
    /// Whom it mentions or has mentioned, since it was for fewer than everybody.
    mentioned: BTreeSet<UserId>,
    tags: BTreeSet<Tag>,
    tagged: BTreeSet<Tag>,
}

/// A comment.
#[derive(Clone, Debug)]
pub struct Comment {
    pub author: UserId,
    pub post: PostId,
    pub parent: Option<CommentId>,
    pub seq: Seq,
    pub rev: Seq,
    pub text: String,
    pub gone: bool,
    /// A moderator has hidden it.
    hidden: bool,
}

impl Comment {
    /// Whether there is nothing to be read of it.
    pub fn is_away(&self) -> bool {
        self.gone || self.hidden
    }
}

impl Post {
    /// For whom it is, as things are.
    fn audience(&self) -> Visibility {
        if self.hidden { Visibility::Private } else { self.visibility }
    }
}

/// All there is, as of `seq`.
#[derive(Clone, Debug, Default)]
pub struct Truth {
    pub seq: Seq,
    pub posts: BTreeMap<PostId, Post>,
    pub comments: BTreeMap<CommentId, Comment>,
    pub handles: BTreeMap<String, UserId>,
    /// Programs, and what they want to hear of all that is public.
    pub ears: BTreeMap<UserId, FirehoseFilter>,
    pub admins: BTreeSet<UserId>,
    pub moderators: BTreeSet<UserId>,
    pub suspended: BTreeSet<UserId>,
    reactions: BTreeMap<(PostId, UserId), Emoji>,
    /// Who was ever hidden from whom.
    ever_hidden: BTreeSet<(UserId, UserId)>,
    follows: BTreeSet<(UserId, UserId)>,
    blocks: BTreeSet<(UserId, UserId)>,
    mutes: BTreeSet<(UserId, UserId)>,
    listed: BTreeSet<(UserId, UserId)>,
}

impl Truth {
    /// Takes in what was done as entry `seq`.
    pub fn take(&mut self, seq: Seq, done: &Done) {
        assert!(seq > self.seq, "{done:?} at {seq}, after {}", self.seq);
        assert!(self.may(done), "as of {seq} they may not: {done:?}");
        self.seq = seq;
        match done.deed.clone() {
            Deed::Post { id, author, text, visibility, of } => self.is_written(id, author, text, visibility, of),
            Deed::Edit { id, text, visibility } => self.is_edited(id, text, visibility),
            Deed::Delete { id } => {
                let post = self.posts.get_mut(&id).expect("only what there is is deleted");
                (post.gone, post.rev) = (true, seq);
                self.comments.retain(|_, comment| comment.post != id);
            }
            Deed::Hide { id, on } => {
                let (_, named) = self.spans_of(&self.posts[&id].text);
                let post = self.posts.get_mut(&id).expect("only what there is is hidden");
                (post.hidden, post.rev) = (on, seq);
                post.always_public = false;
                post.widest = post.widest.min(post.audience());
                if on {
                    post.mentioned.extend(named);
                }
            }
            Deed::Comment { id, post, parent, author, text } => {
                let comment = Comment { author, post, parent, seq, rev: seq, text, gone: false, hidden: false };
                self.comments.insert(id, comment);
            }
            Deed::DeleteComment { id } => {
                let comment = self.comments.get_mut(&id).expect("only what there is is deleted");
                (comment.gone, comment.rev) = (true, seq);
            }
            Deed::HideComment { id, on } => {
                let comment = self.comments.get_mut(&id).expect("only what there is is hidden");
                (comment.hidden, comment.rev) = (on, seq);
            }
            Deed::React { who, post, emoji: Some(emoji) } => drop(self.reactions.insert((post, who), emoji)),
            Deed::React { who, post, emoji: None } => drop(self.reactions.remove(&(post, who))),
            Deed::Follow { who, whom, on } => set(&mut self.follows, (who, whom), on),
            Deed::Mute { who, whom, on } => {
                set(&mut self.mutes, (who, whom), on);
                self.ever_hidden.insert((who, whom));
            }
            Deed::Enlist { who, whom, on } => set(&mut self.listed, (who, whom), on),
            Deed::Suspend { whom, on } => set(&mut self.suspended, whom, on),
            Deed::Role { whom, on } => set(&mut self.moderators, whom, on),
            Deed::Block { who, whom, on } => {
                set(&mut self.blocks, (who, whom), on);
                self.ever_hidden.extend([(who, whom), (whom, who)]);
                if on {
                    self.follows.remove(&(who, whom));
                    self.follows.remove(&(whom, who));
                }
            }
        }
    }

    /// Whether it was theirs to do.
    fn may(&self, Done { who, deed, .. }: &Done) -> bool {
        let active = !self.suspended.contains(who) || deed.takes_back();
        let own = match deed {
            Deed::Edit { id, .. } => self.posts[id].author == *who,
            Deed::Delete { id } => self.posts[id].author == *who || self.moderates(*who),
            Deed::DeleteComment { id } => self.comments[id].author == *who || self.moderates(*who),
            Deed::Hide { .. } | Deed::HideComment { .. } | Deed::Suspend { .. } => self.moderates(*who),
            Deed::Role { .. } => self.admins.contains(who),
            Deed::React { post, emoji: Some(_), .. } | Deed::Comment { post, .. } => self.sees(*who, &self.posts[post]),
            Deed::Follow { whom, on: true, .. } => !self.apart(*who, *whom),
            Deed::Post { of, .. } => {
                of.is_none_or(|of| self.sees(*who, &self.posts[&of]) && self.posts[&of].audience().is_public())
            }
            Deed::Follow { .. }
            | Deed::Block { .. }
            | Deed::Mute { .. }
            | Deed::Enlist { .. }
            | Deed::React { emoji: None, .. } => true,
        };
        active && own
    }

    fn is_written(&mut self, id: PostId, author: UserId, text: String, visibility: Visibility, of: Option<PostId>) {
        let seq = self.seq;
        let (tags, named) = self.spans_of(&text);
        let mentioned = if visibility.is_public() { BTreeSet::new() } else { named };
        let (tagged, widest, always_public) = (tags.clone(), visibility, visibility.is_public());
        let (gone, hidden) = (false, false);
        let post = Post {
            author,
            seq,
            rev: seq,
            text,
            visibility,
            gone,
            hidden,
            of,
            always_public,
            widest,
            mentioned,
            tags,
            tagged,
        };
        self.posts.insert(id, post);
    }

    fn is_edited(&mut self, id: PostId, text: String, visibility: Visibility) {
        let (tags, named) = self.spans_of(&text);
        let post = self.posts.get_mut(&id).expect("only what there is is edited");
        // Whom it mentioned while it was for everybody counts only if it still does when it is narrowed.
        if !visibility.is_public() || post.hidden || !post.mentioned.is_empty() {
            post.mentioned.extend(named);
        }
        post.tagged.extend(tags.iter().copied());
        (post.text, post.visibility, post.tags, post.rev) = (text, visibility, tags, self.seq);
        post.always_public &= visibility.is_public();
        post.widest = post.widest.min(post.audience());
    }

    /// Whether somebody looks after what others write.
    pub fn moderates(&self, who: UserId) -> bool {
        (self.moderators.contains(&who) || self.admins.contains(&who)) && !self.suspended.contains(&who)
    }

    /// The people a text mentions.
    pub fn named(&self, text: &str) -> BTreeSet<UserId> {
        self.spans_of(text).1
    }

    /// What is counted of a post, whoever asks.
    pub fn numbers(&self, id: PostId) -> PostCounts {
        let under = self.comments.values().filter(|comment| comment.post == id && !comment.is_away());
        let handed_on = self.posts.values().filter(|post| post.of == Some(id) && !post.gone);
        let public: Vec<&Post> = handed_on.filter(|post| post.audience().is_public()).collect();
        let reposts = public.iter().filter(|post| post.text.is_empty()).count();
        let mut reactions: BTreeMap<Emoji, u64> = BTreeMap::new();
        for ((_, _), emoji) in self.reactions.iter().filter(|((post, _), _)| *post == id) {
            *reactions.entry(*emoji).or_default() += 1;
        }
        let number = |many: usize| u64::try_from(many).expect("few");
        PostCounts {
            post: id,
            seq: self.seq,
            comments: number(under.count()),
            reposts: number(reposts),
            quotes: number(public.len() - reposts),
            reactions,
        }
    }

    /// How somebody has reacted to a post.
    pub fn reaction(&self, who: UserId, post: PostId) -> Option<Emoji> {
        self.reactions.get(&(post, who)).copied()
    }

    /// In how many posts for everybody a hashtag is.
    pub fn tagged(&self, tag: Tag) -> usize {
        let there = |post: &&Post| !post.gone && post.audience().is_public() && post.tags.contains(&tag);
        self.posts.values().filter(there).count()
    }

    /// Whether a program has asked for what is said about this by its author.
    pub fn is_asked_for(
        &self,
        ear: UserId,
        kind: FirehoseKind,
        author: UserId,
        tagged: Option<&BTreeSet<Tag>>,
    ) -> bool {
        self.ears.get(&ear).is_some_and(|filter| {
            (filter.kinds.is_empty() || filter.kinds.contains(&kind))
                && (filter.authors.is_empty() || filter.authors.contains(&author))
                && (filter.tags.is_empty()
                    || tagged.is_some_and(|tagged| filter.tags.iter().any(|tag| tagged.contains(tag))))
        })
    }

    /// Whether one was never hidden from the other.
    pub fn was_always_open(&self, viewer: UserId, other: UserId) -> bool {
        !self.ever_hidden.contains(&(viewer, other))
    }

    fn spans_of(&self, text: &str) -> (BTreeSet<Tag>, BTreeSet<UserId>) {
        let spans = spans::find(text);
        let named = spans.mentions.iter().filter_map(|mention| self.handles.get(mention.handle.as_str()).copied());
        (spans.tags.iter().map(|span| span.tag).collect(), named.collect())
    }

    /// Whether a block keeps the two apart.
    pub fn apart(&self, one: UserId, other: UserId) -> bool {
        self.blocks.contains(&(one, other)) || self.blocks.contains(&(other, one))
    }

    /// Whether somebody is hidden from the viewer where they did not go to look.
    pub fn hidden(&self, viewer: UserId, other: UserId) -> bool {
        self.apart(viewer, other) || self.mutes.contains(&(viewer, other))
    }

    /// Whether a user's page may be asked for.
    pub fn shows_profile(&self, viewer: UserId, whom: UserId) -> bool {
        !self.blocks.contains(&(whom, viewer))
    }

    fn admits(&self, viewer: UserId, post: &Post, visibility: Visibility) -> bool {
        viewer == post.author
            || match visibility {
                Visibility::Public => true,
                Visibility::Followers => {
                    self.follows.contains(&(viewer, post.author)) || post.mentioned.contains(&viewer)
                }
                Visibility::Mentioned => post.mentioned.contains(&viewer),
                Visibility::Private => false,
            }
    }

    /// Whether the viewer may read the post, where they go to look for it.
    pub fn sees(&self, viewer: UserId, post: &Post) -> bool {
        !post.gone && !self.apart(viewer, post.author) && self.admits(viewer, post, post.audience())
    }

    /// Whether the viewer may read what others say about a post. A program that listens to what everybody says in public hears it wherever it is said,
    /// also under a post by somebody who is hidden from it.
    pub fn hears_about(&self, viewer: UserId, feed: FeedName, post: &Post) -> bool {
        self.sees(viewer, post) || feed == FeedName::Firehose && !post.gone && post.audience().is_public()
    }

    /// Whether the feed shows the post to its viewer.
    pub fn shows(&self, viewer: UserId, feed: FeedName, id: PostId, post: &Post) -> bool {
        self.sees(viewer, post) && self.has_place(viewer, feed, id, post, &post.tags, post.audience())
    }

    /// Whether the viewer may hear on the feed that the post is gone: it may have shown it to them.
    pub fn may_have_shown(&self, viewer: UserId, feed: FeedName, id: PostId, post: &Post) -> bool {
        !self.apart(viewer, post.author)
            && self.admits(viewer, post, post.widest)
            && self.has_place(viewer, feed, id, post, &post.tagged, post.widest)
    }

    fn has_place(
        &self,
        viewer: UserId,
        feed: FeedName,
        id: PostId,
        post: &Post,
        tags: &BTreeSet<Tag>,
        visibility: Visibility,
    ) -> bool {
        let author = post.author;
        match feed {
            FeedName::Home => {
                (author == viewer || self.follows.contains(&(viewer, author))) && !self.hidden(viewer, author)
            }
            FeedName::Global => visibility.is_public() && !self.hidden(viewer, author),
            FeedName::Tag(tag) => visibility.is_public() && tags.contains(&tag) && !self.hidden(viewer, author),
            FeedName::List(list) => {
                list.0 == viewer.0 && self.listed.contains(&(viewer, author)) && !self.hidden(viewer, author)
            }
            FeedName::User(user) => author == user,
            FeedName::Post(watched) => watched == id,
            FeedName::Firehose => {
                let asked_for = self.is_asked_for(viewer, FirehoseKind::Post, author, Some(&post.tagged));
                visibility.is_public() && !self.hidden(viewer, author) && asked_for
            }
            FeedName::Notifications | FeedName::Me | FeedName::Mod => false,
        }
    }

    /// What a feed holds for its viewer, newest first.
    pub fn feed(&self, viewer: UserId, feed: FeedName) -> Vec<(PostId, &Post)> {
        let shown = |(id, post): &(&PostId, &Post)| self.shows(viewer, feed, **id, post);
        let mut all: Vec<(PostId, &Post)> = self.posts.iter().filter(shown).map(|(id, post)| (*id, post)).collect();
        all.sort_by_key(|(_, post)| std::cmp::Reverse(post.seq));
        all
    }

    /// The comments of a post that their viewer may read.
    pub fn thread(&self, viewer: UserId, post: PostId) -> impl Iterator<Item = (&CommentId, &Comment)> {
        self.comments.iter().filter(move |(_, comment)| {
            comment.post == post && !comment.is_away() && !self.hidden(viewer, comment.author)
        })
    }
}
