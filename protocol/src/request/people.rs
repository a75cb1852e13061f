//! Parameters of requests about people: profiles, follows, blocks, mutes.
//! Must never hold what a request is allowed to do: that is the session's and the store's.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::decode;
use crate::ids::{MediaId, UserId};
use crate::position::{Millis, Seq};
use crate::text::{Bio, DisplayName, Handle};

/// `user.get`: by `id` or by `handle`; one's own profile if neither is given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct UserGet {
    /// By id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub id: Option<UserId>,
    /// By unique name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub handle: Option<Handle>,
}

/// `user.update`: what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct UserUpdate {
    /// New display name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub name: Option<DisplayName>,
    /// New profile text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub bio: Option<Bio>,
    /// A picture of one's own, sent as an `avatar`, for a face; `null` for none. Stays if absent.
    #[serde(default, deserialize_with = "decode::present", skip_serializing_if = "Option::is_none")]
    #[ts(optional, as = "Option<Option<MediaId>>")]
    pub avatar: Option<Option<MediaId>>,
    /// Whether one approves one's followers first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub asks: Option<bool>,
    /// Refuse with `stale` if the profile has changed since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub if_rev: Option<Seq>,
}

/// `user.mute`: may be repeated; the last one says until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct UserMute {
    /// Whom.
    pub id: UserId,
    /// When it ends by itself; never if absent. A time in the past ends it at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub until: Option<Millis>,
}

/// `user.follow`, `user.unfollow`, `user.remove_follower`, `user.block`, `user.unblock`, `user.unmute`, `request.accept`, `request.reject`: all may be repeated without harm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct UserRef {
    /// Whom.
    pub id: UserId,
}
