//! The port to everything that is somebody's, page by page, for a copy of it. Each page is a statement of its own: a copy is as of the time it
//! takes to make, not as of one entry.

use async_trait::async_trait;
use tidings_protocol::ids::{SessionId, UserId};

use super::StoreFault;

/// What came of the wish for a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportWish {
    /// It may be fetched.
    Granted,
    /// The log-in that asks has ended.
    Ended,
    /// They had as many as may be had in a day.
    TooMany,
}

/// Some rows of a section.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExportPage {
    /// Each as JSON.
    pub rows: Vec<String>,
    /// What the next page comes after; none at the end.
    pub next: Option<String>,
}

/// Reading everything of one user's.
#[async_trait]
pub trait Export: Send + Sync + 'static {
    /// Notes that somebody wants a copy.
    async fn wish_export(&self, user: UserId, session: SessionId) -> Result<ExportWish, StoreFault>;

    /// The names of the sections, in their order.
    async fn export_sections(&self) -> Result<Vec<String>, StoreFault>;

    /// A page of a section, as long as the log-in that asked for the copy lives; none once it has ended.
    async fn export_page(
        &self,
        user: UserId,
        session: SessionId,
        section: &str,
        after: &str,
    ) -> Result<Option<ExportPage>, StoreFault>;
}
