//! What somebody has not published yet: drafts, on all their devices, and those that are published by themselves at their time.
//! Must never be told to anybody else, nor shown when printed (P9).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::decode;
use crate::entity::Visibility;
use crate::error::ErrorCode;
use crate::ids::PostId;
use crate::position::{Cursor, Millis, Seq};
use crate::text::{DraftText, Warning};
use crate::threads::Commenters;

/// What is to become a post, as far as it has been written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(default)]
pub struct DraftContent {
    /// The text so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub text: Option<DraftText>,
    /// Who is to see it; not chosen yet if absent, and then everybody when it is published by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub visibility: Option<Visibility>,
    /// What the text is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub warning: Option<Warning>,
    /// The post it hands on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub of: Option<PostId>,
    /// Who may comment on it; as one's settings say if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub comments: Option<Commenters>,
}

/// A draft.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Draft {
    /// Which; the post that it becomes has the same.
    pub id: PostId,
    /// Last change.
    pub rev: Seq,
    /// What it says.
    #[serde(flatten)]
    #[ts(flatten)]
    pub content: DraftContent,
    /// When its owner last changed it.
    pub changed_at: Millis,
    /// When it is published by itself; never if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub publish_at: Option<Millis>,
    /// It is being published and can no longer be changed: in a moment it is gone, and the post is there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[ts(optional, as = "Option<bool>")]
    pub publishing: bool,
    /// Its time came, and it could not be published: as `post.create` would have been refused. It is not tried again; changing it begins anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub failed: Option<ErrorCode>,
}

/// `draft.put`: puts a draft in whole, in place of what it said before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct DraftPut {
    /// Chosen by the client, as a post's: the post that it becomes has the same.
    pub id: PostId,
    /// The text so far; with `publish_at` it must be a post's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub text: Option<DraftText>,
    /// Who is to see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub visibility: Option<Visibility>,
    /// What the text is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub warning: Option<Warning>,
    /// A public post to hand on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub of: Option<PostId>,
    /// Who may comment on it; as one's settings say if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub comments: Option<Commenters>,
    /// When it is to be published by itself, by the server's clock: in the next 366 days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub publish_at: Option<Millis>,
    /// Refuse with `stale` if it has changed since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub if_rev: Option<Seq>,
}

/// `draft.delete`: may be repeated without harm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct DraftRef {
    /// Which.
    pub id: PostId,
}

/// `draft.page`: one's drafts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(default)]
pub struct DraftPage {
    /// `next` of the page before; those changed last if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub before: Option<Cursor>,
    /// 1–100; 50 if absent.
    #[serde(deserialize_with = "decode::page_limit", skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100))]
    #[ts(optional)]
    pub limit: Option<u16>,
}

/// Result of `draft.put`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(concrete(D = Draft))]
pub struct DraftResult<D = Draft> {
    /// As it is now.
    pub draft: D,
    /// The change.
    pub seq: Seq,
    /// It was so already; nothing was done now.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[ts(optional, as = "Option<bool>")]
    pub duplicate: bool,
}

/// Result of `draft.page`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct DraftsPage {
    /// Those changed last first.
    pub drafts: Vec<Draft>,
    /// For the next `before`; null at the end.
    pub next: Option<Cursor>,
}
