//! What everybody may see, worked out anew from all that was done, in the order of the journal: PROTOCOL.md's words about visibility, blocks and
//! mutes, and nothing else. Must never ask the server, and never be quick: it is the dumb thing the server is held against (P5).

use std::collections::{BTreeMap, BTreeSet};

use tidings_protocol::entity::Visibility;
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::{CommentId, PostId, UserId};
use tidings_protocol::position::Seq;
use tidings_protocol::spans::{self, Tag};

use super::set;

/// Something that was done, and acknowledged.
#[derive(Clone, Debug)]
pub enum Deed {
    Post {
        id: PostId,
        author: UserId,
        text: String,
        visibility: Visibility,
    },
    Edit {
        id: PostId,
        text: String,
        visibility: Visibility,
    },
    Delete {
        id: PostId,
    },
    Comment {
        id: CommentId,
        post: PostId,
        author: UserId,
        text: String,
    },
    DeleteComment {
        id: CommentId,
    },
    Follow {
        who: UserId,
        whom: UserId,
        on: bool,
    },
    Block {
        who: UserId,
        whom: UserId,
        on: bool,
    },
    Mute {
        who: UserId,
        whom: UserId,
        on: bool,
    },
    /// Into the one list that each has, which is named as they are.
    Enlist {
        who: UserId,
        whom: UserId,
        on: bool,
    },
}

/// A post as it is, or was when it went.
#[derive(Clone, Debug)]
pub struct Post {
    pub author: UserId,
    pub seq: Seq,
    pub rev: Seq,
    pub text: String,
    pub visibility: Visibility,
    pub gone: bool,
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
    pub seq: Seq,
    pub rev: Seq,
    pub text: String,
    pub gone: bool,
}

/// All there is, as of `seq`.
#[derive(Clone, Debug, Default)]
pub struct Truth {
    pub seq: Seq,
    pub posts: BTreeMap<PostId, Post>,
    pub comments: BTreeMap<CommentId, Comment>,
    pub handles: BTreeMap<String, UserId>,
    follows: BTreeSet<(UserId, UserId)>,
    blocks: BTreeSet<(UserId, UserId)>,
    mutes: BTreeSet<(UserId, UserId)>,
    listed: BTreeSet<(UserId, UserId)>,
}

impl Truth {
    /// Takes in what was done as entry `seq`.
    pub fn take(&mut self, seq: Seq, deed: Deed) {
        assert!(seq > self.seq, "{deed:?} at {seq}, after {}", self.seq);
        self.seq = seq;
        match deed {
            Deed::Post { id, author, text, visibility } => {
                let (tags, named) = self.spans_of(&text);
                let mentioned = if visibility.is_public() { BTreeSet::new() } else { named };
                let tagged = tags.clone();
                let widest = visibility;
                let post =
                    Post { author, seq, rev: seq, text, visibility, gone: false, widest, mentioned, tags, tagged };
                self.posts.insert(id, post);
            }
            Deed::Edit { id, text, visibility } => {
                let (tags, named) = self.spans_of(&text);
                let post = self.posts.get_mut(&id).expect("only what there is is edited");
                // Whom it mentioned while it was for everybody counts only if it still does when it is narrowed.
                if !visibility.is_public() || !post.mentioned.is_empty() {
                    post.mentioned.extend(named);
                }
                post.tagged.extend(tags.iter().copied());
                (post.text, post.visibility, post.tags, post.rev) = (text, visibility, tags, seq);
                post.widest = post.widest.min(visibility);
            }
            Deed::Delete { id } => {
                let post = self.posts.get_mut(&id).expect("only what there is is deleted");
                (post.gone, post.rev) = (true, seq);
                self.comments.retain(|_, comment| comment.post != id);
            }
            Deed::Comment { id, post, author, text } => {
                let comment = Comment { author, post, seq, rev: seq, text, gone: false };
                self.comments.insert(id, comment);
            }
            Deed::DeleteComment { id } => {
                let comment = self.comments.get_mut(&id).expect("only what there is is deleted");
                (comment.gone, comment.rev) = (true, seq);
            }
            Deed::Follow { who, whom, on } => set(&mut self.follows, (who, whom), on),
            Deed::Mute { who, whom, on } => set(&mut self.mutes, (who, whom), on),
            Deed::Enlist { who, whom, on } => set(&mut self.listed, (who, whom), on),
            Deed::Block { who, whom, on } => {
                set(&mut self.blocks, (who, whom), on);
                if on {
                    self.follows.remove(&(who, whom));
                    self.follows.remove(&(whom, who));
                }
            }
        }
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
        !post.gone && !self.apart(viewer, post.author) && self.admits(viewer, post, post.visibility)
    }

    /// Whether the feed shows the post to its viewer.
    pub fn shows(&self, viewer: UserId, feed: FeedName, id: PostId, post: &Post) -> bool {
        self.sees(viewer, post) && self.has_place(viewer, feed, id, post, &post.tags, post.visibility)
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
            FeedName::Notifications | FeedName::Me | FeedName::Mod | FeedName::Firehose => false,
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
        self.comments
            .iter()
            .filter(move |(_, comment)| comment.post == post && !comment.gone && !self.hidden(viewer, comment.author))
    }
}
