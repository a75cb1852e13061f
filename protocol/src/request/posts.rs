//! Parameters of requests about posts and comments.
//! Must never hold what a request is allowed to do: that is the session's and the store's.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::decode;
use crate::entity::Visibility;
use crate::ids::{CommentId, PostId};
use crate::media::PictureRef;
use crate::position::{Cursor, Seq};
use crate::text::{CommentText, PostText, Warning};
use crate::threads::Commenters;

/// `post.create`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct PostCreate {
    /// Chosen by the client; the same id with the same content is answered again, not created again.
    pub id: PostId,
    /// The text; may be absent only from a repost and from a post with pictures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub text: Option<PostText>,
    /// Who may see it; everybody if absent.
    #[serde(default, skip_serializing_if = "Visibility::is_public")]
    #[ts(optional, as = "Option<Visibility>")]
    pub visibility: Visibility,
    /// What the text is about, for readers to decide whether they want to see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub warning: Option<Warning>,
    /// A public post to hand on: with `text` a quote, without it a repost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub of: Option<PostId>,
    /// Who may comment on it; as its author's settings say at the time, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub comments: Option<Commenters>,
    /// Up to 4 pictures of one's own, in the order to be shown. A post that has some needs no text, unless it hands another on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 4))]
    #[ts(optional, as = "Option<Vec<PictureRef>>")]
    pub media: Vec<PictureRef>,
}

impl PostCreate {
    /// Words for everybody.
    #[must_use]
    pub const fn public(id: PostId, text: PostText) -> Self {
        let visibility = Visibility::Public;
        let media = Vec::new();
        Self { id, text: Some(text), visibility, warning: None, of: None, comments: None, media }
    }
}

/// `post.get`, `post.delete`, `post.history`, `post.unreact`, `post.bookmark`, `post.unbookmark`, `post.pin`, `post.unpin`, `post.lock`,
/// `post.unlock`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct PostRef {
    /// Which.
    pub id: PostId,
}

/// `post.update`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct PostUpdate {
    /// Which.
    pub id: PostId,
    /// The new text.
    pub text: PostText,
    /// Who may see it from now on; stays if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub visibility: Option<Visibility>,
    /// What the text is about; stays if absent, `""` takes it away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub warning: Option<Warning>,
    /// Who may comment on it from now on; stays if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub comments: Option<Commenters>,
    /// Refuse with `stale` if it has changed since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub if_rev: Option<Seq>,
}

impl PostUpdate {
    /// Other words, and nothing else.
    #[must_use]
    pub const fn words(id: PostId, text: PostText, if_rev: Option<Seq>) -> Self {
        Self { id, text, visibility: None, warning: None, comments: None, if_rev }
    }
}

/// `comment.create`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct CommentCreate {
    /// Chosen by the client, like a post's.
    pub id: CommentId,
    /// The post it belongs to.
    pub post: PostId,
    /// The comment it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub parent: Option<CommentId>,
    /// The text.
    pub text: CommentText,
}

/// `comment.update`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct CommentUpdate {
    /// Which.
    pub id: CommentId,
    /// The new text.
    pub text: CommentText,
    /// Refuse with `stale` if it has changed since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub if_rev: Option<Seq>,
}

/// `comment.delete`, `comment.hide`, `comment.unhide`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct CommentRef {
    /// Which.
    pub id: CommentId,
}

/// `comment.page`: older comments of a post, or direct answers to one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct CommentPage {
    /// The post.
    pub post: PostId,
    /// The comment whose direct answers are asked for; all comments of the post if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub parent: Option<CommentId>,
    /// `next` of the page or snapshot before; the newest comments if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub before: Option<Cursor>,
    /// 1–100; 50 if absent.
    #[serde(default, deserialize_with = "decode::page_limit", skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100))]
    #[ts(optional)]
    pub limit: Option<u16>,
}
