//! The port to the journal: the one place where state changes.

use async_trait::async_trait;
use tidings_protocol::position::{Epoch, Seq};
use uuid::Uuid;

use super::StoreFault;
use crate::command::{Command, Committed};
use crate::entry::Batch;

/// How far the journal reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its present life. Changes by itself when a backup is restored or a standby promoted.
    pub epoch: Epoch,
    /// The last entry committed; 0 in an empty journal.
    pub seq: Seq,
    /// Cursors below this are answered with a snapshot: their tombstones may be gone.
    pub floor: Seq,
}

/// Which batch of commands this is: the same again is known for what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchId {
    /// One life of one node's journal, told apart from all others.
    pub writer: Uuid,
    /// Grows with each batch of the writer's, which has one in flight at a time.
    pub number: u64,
}

/// Why a batch has no outcomes.
#[derive(Debug, thiserror::Error)]
pub enum CommitFault {
    /// Nothing was done: no connection, read-only, disk full. Trying again later may help.
    #[error("nothing was done: {0}")]
    NotDone(String),
    /// The connection was lost or timed out on the way: done or not done. Ask again with the same id and commands, never guess.
    #[error("the outcome is unknown: {0}")]
    Unknown(String),
    /// Postgres refused the whole batch for a reason the deciding statements did not foresee; nothing was done.
    /// Try the commands one at a time to find the bad one.
    #[error("the batch was rejected: {0}")]
    Rejected(String),
    /// Committed, but an outcome cannot be read: a stored row is damaged. Ask again one at a time, so that only the one suffers whose row it is.
    #[error("an outcome cannot be read: {0}")]
    Unreadable(String),
}

/// The journal in Postgres.
#[async_trait]
pub trait JournalStore: Send + Sync + 'static {
    /// How far the journal reaches now, from the primary.
    async fn head(&self) -> Result<Head, StoreFault>;

    /// Carries out `commands` as one transaction in one round trip, in order.
    ///
    /// Contract: outcomes correspond to commands by index; `Done` entries take contiguous `seq`s after the head, in the
    /// order of the commands; what is refused or duplicate takes none (P1, P2). A deed may write entries before its own, which are no
    /// command's outcome. The caller sees to it that within one batch no
    /// command reads or writes an entity that another one writes.
    ///
    /// The writer's last batch, asked again with its id, is not decided again: what it did is answered `Duplicate`, with the
    /// entity's present state (of what has been removed since: as the command left it), what was refused as it was. A batch older than
    /// the writer's last is rejected, so that a statement that was lost on the way does nothing when it comes through after all.
    async fn commit(&self, batch: BatchId, commands: &[Command]) -> Result<Committed, CommitFault>;

    /// The journal from `from` to `to` inclusive, at most [`crate::limits::TAIL_READ_ENTRIES`] numbers of it (from the
    /// start), with the entities' present states. `last` of the batch says how far it reaches; entries that have been
    /// superseded are left out. `first` is always `from`; a head behind `from` gives an empty batch with `last` before `first`.
    async fn read(&self, from: Seq, to: Seq) -> Result<Batch, StoreFault>;

    /// Forgets journal rows and tombstones older than `keep_ms` and raises the floor. Returns the number of journal rows forgotten.
    async fn prune(&self, keep_ms: u64) -> Result<u64, StoreFault>;
}
