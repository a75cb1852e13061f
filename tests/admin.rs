//! `tidings admin` as an operator runs it: as a program of its own, beside a server that is running, or not.
//! Black box: its words, its exit code, and what the server's clients see of it. Must never sleep.

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

#[path = "admin/orders.rs"]
mod orders;
#[path = "admin/program.rs"]
mod program;
#[path = "admin/refusals.rs"]
mod refusals;
