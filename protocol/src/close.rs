//! How connections end: a closed list of numbers whose range tells an old client what to do with one it has never met.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What a client does after a close.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum AfterClose {
    /// Come back with full-jitter back-off and the last cursor.
    Reconnect,
    /// Get a new token first, then come back.
    Reauthenticate,
    /// Stop and tell the person.
    Stop,
}

macro_rules! close_codes {
    ($($(#[$doc:meta])* $name:ident = $number:literal $reason:literal,)*) => {
        /// Why the server ended a connection.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum CloseCode { $($(#[$doc])* $name,)* }

        impl CloseCode {
            /// All of them, for documents and tests.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The number on the wire.
            #[must_use]
            pub const fn number(self) -> u16 {
                match self { $(Self::$name => $number,)* }
            }

            /// The reason text on the wire.
            #[must_use]
            pub const fn reason(self) -> &'static str {
                match self { $(Self::$name => $reason,)* }
            }
        }
    };
}

close_codes! {
    /// The node is being shut down.
    GoingAway = 4000 "going_away",
    /// No answer to pings.
    Silent = 4001 "silent",
    /// The session failed inside the server.
    Internal = 4002 "internal",
    /// The node cannot serve now.
    Unavailable = 4003 "unavailable",
    /// Too far behind for too long.
    Slow = 4008 "slow",
    /// The node carries as many connections as it can.
    Overloaded = 4009 "overloaded",
    /// No `hello` in time.
    HelloTimeout = 4010 "hello_timeout",
    /// The token in `hello` is not valid.
    BadToken = 4400 "bad_token",
    /// The token ran out while connected.
    TokenExpired = 4401 "token_expired",
    /// Logged out, here or elsewhere.
    SessionRevoked = 4402 "session_revoked",
    /// The client broke the protocol (binary frame, something before `hello`, `hello` twice).
    ProtocolError = 4500 "protocol_error",
    /// The account may not connect.
    Banned = 4501 "banned",
    /// The user holds as many connections as allowed.
    TooManyConnections = 4502 "too_many_connections",
    /// The client keeps sending what is refused.
    Flood = 4503 "flood",
}

impl CloseCode {
    /// What the client should do, by the number's range.
    #[must_use]
    pub const fn after(self) -> AfterClose {
        after_close(self.number())
    }
}

/// What to do after a close with this number, also one this version has never heard of.
#[must_use]
pub const fn after_close(number: u16) -> AfterClose {
    match number {
        4400..=4499 => AfterClose::Reauthenticate,
        // The transport's own: a broken frame, a text that is not UTF-8, too large a message. Coming back would repeat it.
        4500..=4599 | 1002 | 1003 | 1007 | 1008 | 1009 => AfterClose::Stop,
        _ => AfterClose::Reconnect,
    }
}
