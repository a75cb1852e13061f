//! Identities as types, so that a post can never be passed where a user belongs.
//! Must never hold meaning beyond identity: order in time is `seq`, never an id.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, TS)]
        #[serde(transparent)]
        #[ts(type = "string")]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.as_hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0.as_hyphenated())
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::try_parse(text).map(Self)
            }
        }
    };
}

id! {
    /// A person or bot.
    UserId
}
id! {
    /// A post. Chosen by its author's client (UUIDv7 recommended), which makes retries safe.
    PostId
}
id! {
    /// A comment. Chosen by its author's client, like [`PostId`].
    CommentId
}
id! {
    /// A picture. Chosen by its owner's client, like [`PostId`].
    MediaId
}
id! {
    /// A group of notifications; made by the server.
    NotificationId
}
id! {
    /// A report. Chosen by its author's client, like [`PostId`].
    ReportId
}
id! {
    /// All reports about one thing; made by the server.
    CaseId
}
id! {
    /// What a moderator did. Chosen by the moderator's client, like [`PostId`].
    ActionId
}
id! {
    /// A list of people; chosen by its owner's client, like [`PostId`].
    ListId
}
id! {
    /// A keyword filter; chosen by its owner's client, like [`PostId`].
    FilterId
}
id! {
    /// One log-in of one user: the refresh-token family, and what log-out ends.
    SessionId
}
id! {
    /// One WebSocket connection, for correlating with the server's logs.
    ConnectionId
}

/// The client's number for a request, echoed in its reply. 0 … 2⁵³−1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, JsonSchema, TS)]
#[serde(transparent)]
#[ts(type = "number")]
pub struct RequestId(#[schemars(range(max = crate::limits::MAX_SAFE_INTEGER))] pub u64);

impl<'de> Deserialize<'de> for RequestId {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let number = u64::deserialize(from)?;
        if number > crate::limits::MAX_SAFE_INTEGER {
            return Err(serde::de::Error::custom("must be at most 2^53-1"));
        }
        Ok(Self(number))
    }
}
