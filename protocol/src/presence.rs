//! What is true only for a moment: who is here, who is typing, how many are reading.
//! Must never carry a `seq` or a `rev`: nothing of it is kept, and all of it may be lost on the way.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::ids::{CommentId, PostId, UserId};
use crate::position::Millis;

/// What one connection shows of its user. A user is shown as the best of all their connections: online, then idle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum Showing {
    /// They are here.
    #[default]
    Online,
    /// They are here and not at it.
    Idle,
    /// Nothing, as if the connection were not there; what is typed on it is told to nobody.
    Invisible,
}

/// How somebody is, as others are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Here.
    Online,
    /// Here and not at it.
    Idle,
    /// Not here, or not showing it.
    Offline,
}

/// Somebody's status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Presence {
    /// Who.
    pub id: UserId,
    /// How they are.
    pub status: Status,
    /// When they were last here, if they are not and the server still knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub last_seen: Option<Millis>,
}

/// `presence.watch`: whose status one wants to hear. Replaces what was watched before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct PresenceWatch {
    /// At most 500. Whoever among them one does not follow is left out in silence. Empty: nobody any more.
    pub ids: Vec<UserId>,
}

/// `presence.set`: what this connection shows from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct PresenceSet {
    /// What.
    pub status: Showing,
}

/// `typing.send`: one is writing a comment on a post, or an answer to one of its comments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct TypingSend {
    /// The post, whose feed this connection watches.
    pub post: PostId,
    /// The comment that is being answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub parent: Option<CommentId>,
}

/// Result of `presence.watch`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct PresenceWatched {
    /// How those are now whom one follows.
    pub users: Vec<Presence>,
}

/// Result of `presence.set`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct PresenceShown {
    /// What this connection shows from now on.
    pub status: Showing,
}

/// Result of `typing.send`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct TypingSent {
    /// Sending it again earlier changes nothing.
    pub again_after_ms: u32,
}
