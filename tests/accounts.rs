//! One's own account over the socket: password, address, log-ins, and what ends on the other node when one of them changes.
//! Black box: real servers and the protocol alone, as in the conversations. Must never sleep.

#[path = "conversations/deeds.rs"]
#[allow(dead_code, reason = "shared with the conversations, which use more of it")]
mod deeds;
#[path = "conversations/line.rs"]
#[allow(dead_code, reason = "shared with the conversations, which use more of it")]
mod line;
#[path = "conversations/person.rs"]
#[allow(dead_code, reason = "shared with the conversations, which use more of it")]
mod person;
#[path = "conversations/rest.rs"]
mod rest;
#[path = "conversations/state.rs"]
#[allow(dead_code, reason = "shared with the conversations, which use more of it")]
mod state;
#[path = "conversations/world.rs"]
#[allow(dead_code, reason = "shared with the conversations, which use more of it")]
mod world;

#[path = "accounts/log_ins.rs"]
mod log_ins;
#[path = "accounts/passwords.rs"]
mod passwords;
