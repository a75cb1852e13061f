//! The port to what is to be done at its time. Every node looks, and whoever comes first does it: the commands are decided under the journal's
//! lock, so that each is done once (P10).

use async_trait::async_trait;

use super::StoreFault;
use crate::command::Command;
use crate::publishing::Timed;

/// What was put off until a time.
#[async_trait]
pub trait Agenda: Send + Sync + 'static {
    /// What is due by the database's clock, the longest overdue first, at most `most`: ends of mutes and of suspensions, and what deleted accounts have left behind
    /// where others see it.
    async fn due(&self, most: u16) -> Result<Vec<Command>, StoreFault>;

    /// Drafts whose time has come, the longest overdue first, at most `most`; among them those that somebody has begun to publish.
    async fn due_drafts(&self, most: u16) -> Result<Vec<Timed>, StoreFault>;

    /// Forgets a part of what deleted accounts alone ever saw. True while there may be more.
    async fn forget_departed(&self) -> Result<bool, StoreFault>;
}
