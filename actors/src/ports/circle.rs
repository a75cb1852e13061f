//! The port for reading what somebody has chosen about others: who asks to follow them, their lists, their filters.
//! Every answer is for its owner alone (P5).

use async_trait::async_trait;
use tidings_protocol::asking::RequestsPage;
use tidings_protocol::filter::Filter;
use tidings_protocol::ids::{ListId, UserId};
use tidings_protocol::list::{List, ListMembers};
use tidings_protocol::position::Seq;

use super::StoreFault;

/// Reading one's circle.
#[async_trait]
pub trait Circle: Send + Sync + 'static {
    /// Open requests to follow `user`, newest first, from those before the one at `before`.
    async fn requests_page(&self, user: UserId, before: Option<Seq>, limit: u16) -> Result<RequestsPage, StoreFault>;

    /// All lists of `user`, in the order of their making.
    async fn lists(&self, user: UserId) -> Result<Vec<List>, StoreFault>;

    /// Who is in a list of `user`, who was added last first; none if it is not theirs or not there.
    async fn list_members(&self, user: UserId, list: ListId) -> Result<Option<ListMembers>, StoreFault>;

    /// All keyword filters of `user`, in the order of their making.
    async fn filters(&self, user: UserId) -> Result<Vec<Filter>, StoreFault>;
}

/// Where nobody has chosen anything, as in simulations.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoCircle;

#[async_trait]
impl Circle for NoCircle {
    async fn requests_page(&self, _: UserId, _: Option<Seq>, _: u16) -> Result<RequestsPage, StoreFault> {
        Ok(RequestsPage { requests: Vec::new(), next: None })
    }

    async fn lists(&self, _: UserId) -> Result<Vec<List>, StoreFault> {
        Ok(Vec::new())
    }

    async fn list_members(&self, _: UserId, _: ListId) -> Result<Option<ListMembers>, StoreFault> {
        Ok(None)
    }

    async fn filters(&self, _: UserId) -> Result<Vec<Filter>, StoreFault> {
        Ok(Vec::new())
    }
}
