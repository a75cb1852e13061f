//! The port for reading somebody's drafts. Each is its owner's alone.

use async_trait::async_trait;
use tidings_protocol::drafts::DraftsPage;
use tidings_protocol::ids::UserId;
use tidings_protocol::position::Seq;

use super::StoreFault;

/// Reading drafts.
#[async_trait]
pub trait Drafts: Send + Sync + 'static {
    /// Drafts of `user`, the last changed first, from those before the one at `before`.
    async fn drafts_page(&self, user: UserId, before: Option<Seq>, limit: u16) -> Result<DraftsPage, StoreFault>;
}

/// Where nobody has any, as in simulations.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoDrafts;

#[async_trait]
impl Drafts for NoDrafts {
    async fn drafts_page(&self, _: UserId, _: Option<Seq>, _: u16) -> Result<DraftsPage, StoreFault> {
        Ok(DraftsPage { drafts: Vec::new(), next: None })
    }
}
