//! The port for reading what moderators look at, and what somebody hears of it. Who is no moderator is told so, as of the same statement.

use async_trait::async_trait;
use tidings_protocol::ids::{CaseId, UserId};
use tidings_protocol::moderation::{ActionsPage, CaseGot, CasesPage, LogLines, ReportsPage};
use tidings_protocol::position::Seq;

use super::StoreFault;

/// What came of a question that not everybody may ask.
#[derive(Clone, Debug)]
pub enum Asked<T> {
    /// The answer.
    Told(T),
    /// Not for who asks.
    NotForThem,
    /// There is no such thing.
    NotThere,
}

/// Reading reports, cases, actions and the log.
#[async_trait]
pub trait Moderation: Send + Sync + 'static {
    /// What `user` has reported, last changed first, from those before the one changed at `before`.
    async fn reports_page(&self, user: UserId, before: Option<Seq>, limit: u16) -> Result<ReportsPage, StoreFault>;

    /// What was done to `user`, last changed first, and what they may do now.
    async fn actions_page(&self, user: UserId, before: Option<Seq>, limit: u16) -> Result<ActionsPage, StoreFault>;

    /// Settled cases or all others, newest first, for moderators.
    async fn cases_page(
        &self,
        viewer: UserId,
        settled: bool,
        before: Option<Seq>,
        limit: u16,
    ) -> Result<Asked<CasesPage>, StoreFault>;

    /// One case, with what it is about as it is now and with who reported it, for moderators. Whom it is about is not told who.
    async fn case(&self, viewer: UserId, case: CaseId) -> Result<Asked<CaseGot>, StoreFault>;

    /// Lines of the log before the one numbered `before`, newest first, for admins.
    async fn log(&self, viewer: UserId, before: Option<u64>, limit: u16) -> Result<Asked<LogLines>, StoreFault>;
}

/// Where nobody looks, as in simulations.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoModeration;

#[async_trait]
impl Moderation for NoModeration {
    async fn reports_page(&self, _: UserId, _: Option<Seq>, _: u16) -> Result<ReportsPage, StoreFault> {
        Ok(ReportsPage { reports: Vec::new(), next: None })
    }

    async fn actions_page(&self, _: UserId, _: Option<Seq>, _: u16) -> Result<ActionsPage, StoreFault> {
        Err(StoreFault::Broken("nobody is known here".to_owned()))
    }

    async fn cases_page(&self, _: UserId, _: bool, _: Option<Seq>, _: u16) -> Result<Asked<CasesPage>, StoreFault> {
        Ok(Asked::NotForThem)
    }

    async fn case(&self, _: UserId, _: CaseId) -> Result<Asked<CaseGot>, StoreFault> {
        Ok(Asked::NotForThem)
    }

    async fn log(&self, _: UserId, _: Option<u64>, _: u16) -> Result<Asked<LogLines>, StoreFault> {
        Ok(Asked::NotForThem)
    }
}
