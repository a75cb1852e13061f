//! Bounds of the living part, each with its unit in its name and its reason (P6).
//! Must never hold what the wire shows; that is `tidings_protocol::limits`.

/// Commands in one batch. Measured with the prototype: 42,000 posts/s at 100, 53,000 at 400; beyond that the answer comes later for little gain.
pub const BATCH_COMMANDS: usize = 400;
/// Commands waiting for their batch: five full batches, below a second of work. More are answered `overloaded`.
pub const JOURNAL_QUEUE: usize = 5 * BATCH_COMMANDS;
/// Longest wait for the outcome of a batch before its commands are answered `unavailable`.
pub const COMMIT_PATIENCE_MS: u64 = 5_000;

/// How long a hole in the journal waits for its rumour before Postgres is asked.
pub const HOLE_PATIENCE_MS: u64 = 5;
/// Head comparison while the bus is well: finds a lost *last* message within a second.
pub const HEAD_CHECK_MS: u64 = 1_000;
/// Head comparison while the bus is down.
pub const HEAD_CHECK_ALONE_MS: u64 = 100;
/// A node that has not confirmed the head for this long stops pushing (P5).
pub const BLIND_AFTER_MS: u64 = 5_000;
/// Entries in one read of missing journal.
pub const TAIL_READ_ENTRIES: u64 = 1_000;
/// Batches parked behind a hole; more are dropped and read from Postgres.
pub const TAIL_PARKED_BATCHES: usize = 1_024;

/// Hot log, by entries: at 1,000 entries/s more than the longest wait between a disconnect and a first reconnect try (20 s).
pub const HOT_LOG_ENTRIES: usize = 65_536;
/// Hot log, by bytes of bodies, per node.
pub const HOT_LOG_BYTES: usize = 64 * 1024 * 1024;

/// Outbox, by frames not yet taken by the socket.
pub const OUTBOX_FRAMES: usize = 512;
/// Outbox, by bytes not yet taken by the socket.
pub const OUTBOX_BYTES: usize = 256 * 1024;
/// A reader that has not caught up for this long is closed with `slow`.
pub const SLOW_PATIENCE_MS: u64 = 60_000;

const _: () = assert!(JOURNAL_QUEUE >= BATCH_COMMANDS);
const _: () = assert!(HEAD_CHECK_MS < BLIND_AFTER_MS);
const _: () = assert!(OUTBOX_BYTES > 2 * tidings_protocol::limits::MESSAGE_BYTES);
