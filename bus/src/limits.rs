//! Bounds and patience of the bus, each with its unit in its name and its reason (P6).
//! Must never hold what the wire shows; that is `tidings_protocol::limits`.

use std::time::Duration;

/// Batches that wait to be published. At one batch per commit and 1 ms per commit this is a second of a stalled Redis.
pub const PUBLISH_QUEUE: usize = 1_024;
/// Rumours heard that wait for the tail. It parks as many behind a hole; more would be read from Postgres anyhow.
pub const LISTEN_QUEUE: usize = 1_024;
/// Messages that came off the Redis connection and wait to be checked and read.
pub const RAW_QUEUE: usize = 1_024;
/// Bytes that may wait in the publish queue, and as many off the connection: eight of the largest messages each.
pub const WAITING_BYTES: usize = 8 * MESSAGE_BYTES;
/// One message. A batch of 400 posts of the longest text is half of it; what is larger is left to Postgres.
pub const MESSAGE_BYTES: usize = 8 * 1024 * 1024;
/// Batches sent to Redis in one round trip: enough to outrun the writer, few enough that a failure loses little.
pub const PIPELINE_BATCHES: usize = 64;

/// Whispers that wait to be published, or to be heard: a node says ten a second, and what is lost is told again within seconds.
pub const WHISPER_QUEUE: usize = 64;
/// One whisper: 2,000 changes and 500 others of people and of posts, and 1,000 who type under the longest names, twice over.
pub const WHISPER_BYTES: usize = 2 * 1024 * 1024;
/// Bytes of whispers that may wait in each queue: four of the largest, a thousand common ones.
pub const WHISPERS_WAITING_BYTES: usize = 4 * WHISPER_BYTES;

/// How often the listening connection is asked whether it lives.
pub const PING_EVERY: Duration = Duration::from_millis(500);
/// Silence after a ping that means it does not. With [`PING_EVERY`] a black hole is noticed within 1.5 s; the design allows 2 s.
pub const PING_PATIENCE: Duration = Duration::from_millis(1_000);
/// Time for TCP, the handshake and the subscription together.
pub const CONNECT_PATIENCE: Duration = Duration::from_millis(1_000);
/// Time for the answer to a pipeline; then the rumours in it are given up.
pub const PUBLISH_PATIENCE: Duration = Duration::from_millis(1_000);
/// Shortest wait between two attempts to connect.
pub const BACK_OFF_FIRST: Duration = Duration::from_millis(50);
/// Longest wait between two attempts to connect.
pub const BACK_OFF_MOST: Duration = Duration::from_millis(2_000);

const _: () = assert!(PING_EVERY.as_millis() + PING_PATIENCE.as_millis() < 2_000);
const _: () = assert!(BACK_OFF_FIRST.as_millis() < BACK_OFF_MOST.as_millis());
const _: () = assert!(WAITING_BYTES >= MESSAGE_BYTES);
const _: () = assert!(PIPELINE_BATCHES <= PUBLISH_QUEUE);
const _: () = assert!(WHISPERS_WAITING_BYTES >= WHISPER_BYTES && WHISPER_BYTES <= MESSAGE_BYTES);
