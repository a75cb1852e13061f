//! Parameters of requests about a connection, an account and its log-ins.
//! Must never show a token, a password or an address when printed (P9).

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::bots::FirehoseFilter;
use crate::decode;
use crate::delivery::DeliveryMode;
use crate::feed::FeedName;
use crate::ids::SessionId;
use crate::position::Cursor;
use crate::presence::Showing;

/// `hello`: the first request of every connection.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(default)]
pub struct Hello {
    /// Access token; without one the connection is anonymous and may read public feeds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub token: Option<String>,
    /// The client's name and version, for the server's logs: at most 64 bytes, no control characters.
    #[serde(deserialize_with = "decode::client_name", skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub client: Option<String>,
    /// Feeds to watch from the start.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[ts(as = "Option<Vec<FeedName>>", optional)]
    pub feeds: Vec<FeedName>,
    /// How much one wants to be told of some of them: by their names. What is absent is told in full.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[ts(as = "Option<BTreeMap<FeedName, DeliveryMode>>", optional)]
    pub modes: BTreeMap<FeedName, DeliveryMode>,
    /// Where to resume all of `feeds`; without one they start with a snapshot.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub cursor: Option<Cursor>,
    /// Entities in each snapshot, 1–100; 50 if absent.
    #[serde(deserialize_with = "decode::page_limit", skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100))]
    #[ts(optional)]
    pub limit: Option<u16>,
    /// What this connection shows of its user from the start; `online` if absent. Nothing for an anonymous one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub presence: Option<Showing>,
    /// What is wanted of `firehose`, where it is among the feeds; all if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub filter: Option<FirehoseFilter>,
}

/// Never shows the token (P9).
impl std::fmt::Debug for Hello {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hello")
            .field("token", &self.token.as_ref().map(|_| "…"))
            .field("client", &self.client)
            .field("feeds", &self.feeds)
            .field("modes", &self.modes)
            .field("cursor", &self.cursor)
            .field("limit", &self.limit)
            .field("presence", &self.presence)
            .field("filter", &self.filter)
            .finish()
    }
}

/// `auth.refresh`: a newer access token for the same user on the live connection.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct AuthRefresh {
    /// The new access token.
    pub token: String,
}

/// Never shows the token (P9).
impl std::fmt::Debug for AuthRefresh {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AuthRefresh")
    }
}

/// `account.password`: one's password, for a new one. Ends all one's other log-ins.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct AccountPassword {
    /// The password until now.
    pub current: String,
    /// The password from now on: 10 to 1,024 bytes of UTF-8.
    pub new: String,
}

/// Never shows a password (P9).
impl std::fmt::Debug for AccountPassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AccountPassword")
    }
}

/// `account.email`: another address to log in with.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct AccountEmail {
    /// One's password.
    pub password: String,
    /// The new address; upper case is folded to lower.
    pub email: String,
}

/// Never shows password or address (P9).
impl std::fmt::Debug for AccountEmail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AccountEmail")
    }
}

/// `session.list`, `session.revoke_others`: nothing needs to be said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Nothing {}

/// `session.revoke`: may be repeated without harm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct SessionRef {
    /// Which log-in.
    pub id: SessionId,
}
