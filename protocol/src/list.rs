//! Lists: people one has chosen, and a feed of what they write. Nobody else's business, also not of those who are in them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::entity::Author;
use crate::ids::{ListId, UserId};
use crate::position::Seq;
use crate::text::ListName;

/// A list of one's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct List {
    /// Which.
    pub id: ListId,
    /// Last change, also of who is in it.
    pub rev: Seq,
    /// What one calls it.
    pub name: String,
    /// How many people are in it.
    pub members: u32,
}

/// "`user` is in `list`"; in a removed event, "no longer". A list that is removed takes its members along.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct ListMember {
    /// Last change.
    pub rev: Seq,
    /// Which list.
    pub list: ListId,
    /// Who.
    pub user: UserId,
}

/// `list.create`: may be repeated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct ListCreate {
    /// Chosen by the client (UUIDv7 recommended).
    pub id: ListId,
    /// What one calls it.
    pub name: ListName,
}

/// `list.update`: another name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct ListUpdate {
    /// Which.
    pub id: ListId,
    /// What one calls it from now on.
    pub name: ListName,
    /// Refuse as `stale` if it has changed since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub if_rev: Option<Seq>,
}

/// `list.delete`, `list.members`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct ListRef {
    /// Which.
    pub id: ListId,
}

/// `list.add`, `list.remove`: may be repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct ListPerson {
    /// Which list.
    pub id: ListId,
    /// Who.
    pub user: UserId,
}

/// Result of `list.create`, `list.update`, `list.add` and `list.remove`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(concrete(L = List))]
pub struct ListResult<L = List> {
    /// As it is now.
    pub list: L,
    /// The change.
    pub seq: Seq,
    /// It was so already; nothing was done now.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[ts(optional, as = "Option<bool>")]
    pub duplicate: bool,
}

/// Result of `list.all`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Lists {
    /// All of one's own, in the order of their making.
    pub lists: Vec<List>,
}

/// Result of `list.members`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct ListMembers {
    /// All of them, who was added last first; without those who block one.
    pub members: Vec<Author>,
}
