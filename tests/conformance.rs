//! The WebSocket transport against RFC 6455: the cases of the public Autobahn suite, and what hostile clients send.
//! Must never use a WebSocket library: what libraries refuse to send is what is tested here. `docs/conformance.md` tells the results.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops right there")]

#[path = "conformance/client.rs"]
mod client;
#[path = "conformance/world.rs"]
mod world;

#[path = "conformance/autobahn.rs"]
mod autobahn;
#[path = "conformance/floods.rs"]
mod floods;
#[path = "conformance/frames.rs"]
mod frames;
#[path = "conformance/handshakes.rs"]
mod handshakes;
