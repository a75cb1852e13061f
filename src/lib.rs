//! Tidings as a program: configuration, HTTP, the gate, and how the parts are put together.
//! Everything that is not glue lives further down: see `ARCHITECTURE.md`.

pub mod admin;
pub mod app;
pub mod auth;
pub mod client;
pub mod config;
pub mod export;
pub mod gate;
pub mod http;
pub mod observe;
pub mod origin;
pub mod serve;
