//! Looking for people, posts and tags by words, and for whom one means while writing an `@`.
//! Must never say how words are compared: that is the store's, which compares all of them alike.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::decode;
use crate::entity::{Author, Post, User};
use crate::ids::PostId;
use crate::position::Cursor;
use crate::spans::Tag;
use crate::text::{Prefix, Query};

/// `search.people`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct SearchPeople {
    /// The beginnings of words of the name or of the handle, in any order: all of them have to be there.
    pub query: Query,
    /// `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub before: Option<Cursor>,
    /// 1–100; 50 if absent.
    #[serde(default, deserialize_with = "decode::page_limit", skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100))]
    #[ts(optional)]
    pub limit: Option<u16>,
}

/// `search.posts`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct SearchPosts {
    /// Words that are all there; `"words that follow each other"`, `-word` that is not there, `or` between two.
    pub query: Query,
    /// `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub before: Option<Cursor>,
    /// 1–100; 50 if absent.
    #[serde(default, deserialize_with = "decode::page_limit", skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100))]
    #[ts(optional)]
    pub limit: Option<u16>,
}

/// `search.tags`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct SearchTags {
    /// The beginning of the tag's name, with or without its `#`; empty: the tags with the most posts.
    pub prefix: Prefix,
}

/// `mention.suggest`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct MentionSuggest {
    /// The beginning of a handle or of a word of a name, with or without its `@`; empty: people who are near.
    pub prefix: Prefix,
    /// The post under which one writes: those who have written there come first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub post: Option<PostId>,
}

/// Somebody who was looked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct FoundPerson {
    /// Their profile.
    pub user: User,
    /// Whether one follows them.
    pub following: bool,
}

/// Result of `search.people`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct PeopleFound {
    /// Whose handle it is, then those one follows, then the others; in each, those whose handle begins so first, then the most followed.
    pub people: Vec<FoundPerson>,
    /// For the next `before`; null at the end, and after the first 200: say more of the name then.
    pub next: Option<Cursor>,
}

/// Result of `search.posts`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct PostsFound {
    /// Newest first.
    pub posts: Vec<Post>,
    /// For the next `before`; null at the end. A page may hold fewer than asked for, even none, while there is a `next`: so far was looked.
    pub next: Option<Cursor>,
}

/// A tag that was looked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct FoundTag {
    /// Its name.
    pub tag: Tag,
    /// How many public posts have it.
    #[ts(type = "number")]
    pub posts: u64,
}

/// Result of `search.tags`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct TagsFound {
    /// Those with the most posts first; at most 20.
    pub tags: Vec<FoundTag>,
}

/// Result of `mention.suggest`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct MentionsSuggested {
    /// Those who have written under the post, then those one follows, then the others; at most 10.
    pub people: Vec<Author>,
}
