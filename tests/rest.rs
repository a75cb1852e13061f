//! The REST part as a client meets it, in process, over a real Postgres: sign up, log in, refresh, log out, and everything wrong with them.
//! Must never look inside: what is not on the wire is not tested here.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops right there")]

#[path = "rest/house.rs"]
mod house;

#[path = "rest/bad_input.rs"]
mod bad_input;
#[path = "rest/limits.rs"]
mod limits;
#[path = "rest/nodes.rs"]
mod nodes;
#[path = "rest/page.rs"]
mod page;
#[path = "rest/passwords.rs"]
mod passwords;
#[path = "rest/tokens.rs"]
mod tokens;
