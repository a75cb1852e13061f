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
/// Head comparison while the bus is well: finds a lost *last* message, and what an operator did by SQL, well within a second (P5).
pub const HEAD_CHECK_MS: u64 = 500;
/// Head comparison while the bus is down.
pub const HEAD_CHECK_ALONE_MS: u64 = 100;
/// A node that has not confirmed the head for this long stops pushing (P5).
pub const BLIND_AFTER_MS: u64 = 5_000;
/// The tail is woken at least this often, so that it sees whether the process stood still.
pub const TAIL_PULSE_MS: u64 = 500;
/// A tail that was not woken for this long stood still (paused, or its thread was held up), and asks for the head before it pushes
/// anything: what it holds may be from before a log-out (P5). Well above what a busy machine does to a thread.
pub const ASLEEP_MS: u64 = 1_500;
/// Entries kept in hand after standing still, to be handed on in one piece; beyond that sessions start afresh. Some 20 MB of posts.
pub const TAIL_WITHHELD_ENTRIES: u64 = 20_000;
/// Entries in one read of missing journal.
pub const TAIL_READ_ENTRIES: u64 = 1_000;
/// Entries before the head that a node reads when it starts: one read, some 20 ms. All who come back to a single node that was started
/// again find themselves there, instead of asking Postgres one by one.
pub const TAIL_RECALLS: u64 = TAIL_READ_ENTRIES;
/// Batches parked behind a hole; more are dropped and read from Postgres.
pub const TAIL_PARKED_BATCHES: usize = 1_024;

/// Batches handed to a worker and not yet applied; beyond that the tail waits for it.
pub const WORKER_PENDING: usize = 256;

/// Hot log, by entries: at 1,000 entries/s more than the longest wait between a disconnect and a first reconnect try (20 s).
pub const HOT_LOG_ENTRIES: usize = 65_536;
/// Hot log, by bytes of bodies, per node.
pub const HOT_LOG_BYTES: usize = 64 * 1024 * 1024;

/// Entries looked at for a page of `home` from memory: a page of 100 and as many changes and removals again, ten times over. Some 2 ms.
pub const RECALL_ENTRIES: usize = 2_000;

/// Outbox, by pieces not yet taken by the socket: a frame, or the frames of a run.
pub const OUTBOX_PIECES: usize = 256;
/// Outbox, by bytes not yet taken by the socket. A reader that has stalled may cost 64 KiB, pieces included; one that is only slow has as much
/// again in the socket, and is caught up from memory.
pub const OUTBOX_BYTES: usize = 48 * 1024;
/// Frames that go to the same readers in one piece: 57 of 285 bytes, and a third of what an outbox holds.
pub const RUN_BYTES: usize = 16 * 1024;
/// When the outboxes of a thread hold too much together, those that hold at least this give way: a reader who keeps up holds less.
pub const SHED_BYTES: usize = 16 * 1024;
/// What a queued piece takes besides its bytes.
pub const PIECE_OVERHEAD_BYTES: usize = 64;
/// A reader that has not caught up for this long is closed with `slow`.
pub const SLOW_PATIENCE_MS: u64 = 60_000;

/// Reads of one session side by side: enough to hide a round trip, few enough that one client cannot take the pool.
pub const SESSION_READS: usize = 4;
/// Reads at once that start feeds, on one node: fewer than the store has connections for reads (8), so that pages and posts are read meanwhile.
pub const START_READS: usize = 6;
/// Look-ups at once of who somebody is, on one node: as many as two statements of the store take, one under way and one being gathered.
pub const LOOK_UPS: usize = 256;
/// Those who wait for a turn among these: what six reads at a time can do within the patience, at 2 ms each.
pub const START_LINE: usize = 15_000;
/// Longest wait of one `hello`, subscription or fresh start for all of its reads.
pub const START_PATIENCE_MS: u64 = 5_000;
/// A fresh start that did not come about within that is wanted again after once to twice this.
pub const REFRESH_AGAIN_MS: u64 = 125;
/// While the database is away it is asked again after this, by those whose turn it is.
pub const START_ASKS_AGAIN_MS: u64 = 50;
/// What a client that waited in vain is told to wait.
pub const START_AGAIN_MS: u64 = 2_000;
/// Tries to find a seat free among those of one user, and the time between two: a second in all, while the end of a line that was cut may
/// still be unnoticed.
pub const SEAT_TRIES: u32 = 20;
/// Between two such tries.
pub const SEAT_AGAIN_MS: u64 = 50;
/// Refusals without one request in between that was taken; a client that goes on like that is closed with `flood`.
pub const REFUSALS_IN_A_ROW: u32 = 1_000;
/// Longest wait of a session for one read; then `unavailable`.
pub const READ_PATIENCE_MS: u64 = 5_000;
/// Longest wait of a resume for a cursor ahead of this node: another node may be ahead by a moment, and the head check finds it.
pub const AHEAD_PATIENCE_MS: u64 = 2 * HEAD_CHECK_MS;
/// Entities in all snapshots of one `hello` or one fresh start together; with many feeds each gets fewer.
pub const SNAPSHOT_ENTITIES: usize = 1_000;
/// Tries to bring a snapshot forward; each fails only if the viewer's context or what it is about changed, or 65,536 entries passed, during the read.
pub const SNAPSHOT_TRIES: usize = 5;
/// Log-ins whose "last seen" waits to be written down: 10,000 connections that come and go within a minute, several times over. Some 5 MB.
pub const SEEN_WAITING: usize = 65_536;
/// How often "last seen" is written down, all of a node's log-ins together.
pub const SEEN_EVERY_MS: u64 = 60_000;
/// How often a connection that goes on is noted: "last seen" is true to some minutes, and 10,000 connections cost 17 rows a second.
pub const SEEN_AGAIN_MS: u64 = 600_000;
/// Log-ins in one such statement: some 10 ms of work, during which nobody else may end them.
pub const SEEN_ROWS: usize = 500;
/// How long before its end a token is said to run out.
pub const TOKEN_WARNING_MS: u64 = 60_000;

/// How often a crier goes round and a stand tells what there is: who types on another node is seen within four of these.
pub const PRESENCE_PULSE_MS: u64 = 100;
/// Connections told something of who is here before anybody else on their thread has a turn: some 0.3 ms.
pub const PRESENCE_PART: usize = 128;
/// How often a watch looks whether its viewer follows others than before. What may be told is decided at each message; this is only for
/// whom they have begun to follow, or follow no longer, while nothing else happened.
pub const CIRCLE_LOOK_MS: u64 = 2_000;
/// How often a stand counts the connections that watch each post: twice for each time that the number is told.
pub const READERS_COUNT_MS: u64 = 1_000;
/// Connections that are owed the number of one post; more than that do not keep up, and hear the next one.
pub const READERS_OWED: usize = 1_000;
/// Posts whose readers are counted, on one node and of one peer: as many as 10,000 connections watch at two each.
pub const READERS_POSTS: usize = 20_000;
/// Between two messages about one thread in which people type.
pub const TYPING_EVERY_MS: u64 = 1_000;
/// Threads in which somebody types, as one node knows: 4 MB.
pub const TYPING_THREADS: usize = 10_000;
/// People who type in one thread, of whom ten are told by name.
pub const TYPISTS_PER_THREAD: usize = 50;
/// Signs of typing that wait for the crier at one stand.
pub const TYPED_ON_A_TRAY: usize = 1_000;
/// How long what others are shown of a typist is taken to be true: a new name is seen within a minute.
pub const CARD_MS: u64 = 60_000;

/// Signs of typing in one whisper.
pub const WHISPER_TYPED: usize = 1_000;
/// Changes of people, and of posts, in one whisper: 20,000 people a second come back to a node that was started again.
pub const WHISPER_CHANGES: usize = 2_000;
/// People, and posts, in one stretch of the walk over all of them: with 10,000 of each, a walk takes two seconds. Some 40 KB.
pub const WHISPER_STRETCH: usize = 500;
/// Between the beginnings of two walks: for so long may what was lost on the bus stay wrong. A node with more people takes longer.
pub const WALK_EVERY_MS: u64 = 5_000;
/// The same when a peer has asked for one.
pub const WALK_AGAIN_MS: u64 = 1_000;
/// A crier whispers at least this often.
pub const LIFE_SIGN_MS: u64 = 1_000;
/// A peer that was not heard for this long is taken to be gone, and with it whoever is connected to it. A node that is killed has its people
/// come back elsewhere within that.
pub const PEER_SILENCE_MS: u64 = 5 * LIFE_SIGN_MS;
/// A crier that did not go round for this long cannot say of its peers that they were silent.
pub const STOOD_STILL_MS: u64 = 1_000;
/// Peers that are heard. A cluster on one Postgres has a few.
pub const PEERS: usize = 64;
/// Peers that are remembered to be gone, so that what they said late is not believed.
pub const FORGOTTEN_PEERS: usize = 256;
/// People of one peer: more than its connections could be.
pub const PEER_PEOPLE: usize = 200_000;
/// How long it is remembered when somebody was last seen.
pub const LAST_SEEN_KEPT_MS: u64 = 24 * 3_600_000;
/// People who have left this node of whom peers are told when: a tenth of what a walk over all of them may take.
pub const LAST_SEEN_TOLD: usize = 5_000;
/// People of nodes that are gone of whom it is remembered when they were last seen. 5 MB.
pub const LAST_SEEN_KEPT: usize = 50_000;

/// Posts whose numbers may have changed and are still to be asked for: as many as 10,000 connections watch at two each. Only watched posts
/// are among them. What is beyond is told with its next change.
pub const TOUCHED_POSTS: usize = 20_000;
/// Posts whose numbers are asked for at once: some 5 ms of work.
pub const COUNTED_AT_ONCE: usize = 1_000;
/// When they could not be had, they are asked for again after this.
pub const COUNTS_AGAIN_MS: u64 = 1_000;
/// Connections of one thread that are owed the numbers of one post, known one by one; beyond that all are told.
pub const COUNTS_OWED: usize = 1_000;
/// Connections told numbers before anybody else on their thread has a turn: some 0.3 ms.
pub const COUNTS_PART: usize = 128;

/// What one user may do a minute to change how they stand to one other: a follow or its end weighs 1.
pub const TURNS_PER_MINUTE: u32 = 30;
/// What a block, a mute or an end of one weighs of it: six a minute, more than anybody needs who changes their mind, and the other's feeds start
/// afresh that often at most.
pub const TURN_AWAY: u32 = 5;
/// Pairs of whom that is remembered before those who are quiet again are forgotten: some 6 MB. Twice as many at the most.
pub const TURNS_KEPT: usize = 65_536;
/// Between two looks for those.
pub const TURNS_SWEEP_MS: u64 = 1_000;

const _: () = assert!(JOURNAL_QUEUE >= BATCH_COMMANDS);
const _: () = assert!(HEAD_CHECK_MS < BLIND_AFTER_MS);
const _: () = assert!(2 * TAIL_PULSE_MS < ASLEEP_MS && ASLEEP_MS < BLIND_AFTER_MS);
const _: () = assert!(SHED_BYTES < OUTBOX_BYTES / 2);
const _: () = assert!(OUTBOX_BYTES + OUTBOX_PIECES * PIECE_OVERHEAD_BYTES <= 64 * 1024);
const _: () = assert!(RUN_BYTES < OUTBOX_BYTES / 2);
const _: () = assert!(2 * LIFE_SIGN_MS < PEER_SILENCE_MS && STOOD_STILL_MS > 2 * PRESENCE_PULSE_MS);
const _: () = assert!(WHISPER_STRETCH as u64 * (PEER_SILENCE_MS / PRESENCE_PULSE_MS) > 2 * LAST_SEEN_TOLD as u64);
const _: () = assert!(2 * READERS_COUNT_MS <= tidings_protocol::limits::READERS_EVERY_MS);
const _: () = assert!(TURN_AWAY <= TURNS_PER_MINUTE && TURNS_PER_MINUTE.is_multiple_of(TURN_AWAY));
