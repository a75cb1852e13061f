//! The port to what is to be done at its time. Every node looks, and whoever comes first does it: the commands are decided under the journal's
//! lock, so that each is done once (P10).

use async_trait::async_trait;

use super::StoreFault;
use crate::command::Command;

/// What was put off until a time.
#[async_trait]
pub trait Agenda: Send + Sync + 'static {
    /// What is due by the database's clock, the longest overdue first, at most `most`: ends of mutes.
    async fn due(&self, most: u16) -> Result<Vec<Command>, StoreFault>;
}
