//! The wire of `tidings.v1`: every frame, name, number and limit that a client can meet, and nothing else.
//! Owns: types, their JSON form, and the sorting of bad input into answers. Must never know sockets, time, storage or a runtime.
//!
//! Start at [`request`] (client → server), [`reply`] and [`push`] (server → client).

pub mod account;
pub mod asking;
pub mod bots;
pub mod close;
pub mod decode;
pub mod delivery;
pub mod drafts;
pub mod entity;
pub mod error;
pub mod event;
pub mod feed;
pub mod filter;
pub mod ids;
pub mod limits;
pub mod list;
pub mod listing;
pub mod marks;
pub mod media;
pub mod moderation;
pub mod notification;
pub mod position;
pub mod presence;
pub mod push;
pub mod reply;
pub mod request;
pub mod rest;
pub mod search;
pub mod settings;
pub mod spans;
pub mod text;
pub mod threads;
pub mod welcome;

/// The WebSocket subprotocol a client must offer and the server picks.
pub const SUBPROTOCOL: &str = "tidings.v1.json";
/// The path of the WebSocket.
pub const WEBSOCKET_PATH: &str = "/api/v1/ws";
