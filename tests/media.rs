//! Pictures as people meet them: a ticket over the socket, bytes by HTTP, and everything that may be wrong with either.
//! Black box: real servers and the protocol alone, as in the conversations; only the forgetting is carried out by hand. Must never sleep.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops right there")]

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

#[path = "media/album.rs"]
mod album;
#[path = "media/pictures.rs"]
mod pictures;

#[path = "media/away.rs"]
mod away;
#[path = "media/forgetting.rs"]
mod forgetting;
#[path = "media/hostile.rs"]
mod hostile;
#[path = "media/objects.rs"]
#[cfg(feature = "s3")]
mod objects;
#[path = "media/sending.rs"]
mod sending;
#[path = "media/shown.rs"]
mod shown;
#[path = "media/whose.rs"]
mod whose;
