//! Requests to follow somebody who approves their followers first, and what else such a person says about who follows them.
//! Must never tell anybody but the two of a request.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::decode;
use crate::entity::{Author, Follow};
use crate::ids::UserId;
use crate::position::{Cursor, Seq};

/// "`asker` would like to follow `asked`"; in a removed event, "no longer": granted, refused or taken back. Told to both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct FollowRequest {
    /// Last change. Requests are sorted by it, newest first.
    pub rev: Seq,
    /// Who asks.
    pub asker: UserId,
    /// Whom.
    pub asked: UserId,
}

/// `request.page`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(default)]
pub struct RequestPage {
    /// `next` of the page before; the newest requests if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub before: Option<Cursor>,
    /// 1–100; 50 if absent.
    #[serde(deserialize_with = "decode::page_limit", skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100))]
    #[ts(optional)]
    pub limit: Option<u16>,
}

/// Somebody who would like to follow one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Asking {
    /// The request's last change: its place among the others.
    pub rev: Seq,
    /// Who.
    pub user: Author,
}

/// Result of `request.page`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct RequestsPage {
    /// Newest first.
    pub requests: Vec<Asking>,
    /// For the next `before`; null at the end.
    pub next: Option<Cursor>,
}

/// Result of `request.accept` and `request.reject`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(concrete(R = FollowRequest))]
pub struct RequestResult<R = FollowRequest> {
    /// The request, as of its end.
    pub request: R,
    /// The change.
    pub seq: Seq,
    /// It was so already; nothing was done now.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[ts(optional, as = "Option<bool>")]
    pub duplicate: bool,
}

/// Result of `user.remove_follower`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(concrete(F = Follow))]
pub struct FollowerRemoved<F = Follow> {
    /// The pair, as of its end.
    pub follow: F,
    /// The change.
    pub seq: Seq,
    /// It was so already; nothing was done now.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[ts(optional, as = "Option<bool>")]
    pub duplicate: bool,
}
