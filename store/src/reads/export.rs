//! A copy of everything that is somebody's, page by page.
//! Must never answer for a log-in that has ended.

use async_trait::async_trait;
use tidings_actors::ports::{Export, ExportPage, ExportWish, StoreFault};
use tidings_protocol::ids::{SessionId, UserId};
use tidings_protocol::limits::EXPORTS_PER_DAY;

use crate::shape::unexpected;
use crate::store::Store;
use crate::{faults, line};

/// Rows in one page: a megabyte of the longest posts.
const ROWS: i32 = 200;

#[async_trait]
impl Export for Store {
    async fn wish_export(&self, user: UserId, session: SessionId) -> Result<ExportWish, StoreFault> {
        let mut line = self.accounts.line().await.map_err(faults::store)?;
        let question = sqlx::query_scalar!(
            r#"select wish_export($1, $2, $3) as "verdict!""#,
            user.0,
            session.0,
            i32::from(EXPORTS_PER_DAY)
        );
        let answer = line::timed(self.accounts.patience(), question.fetch_one(line.open())).await;
        match line.settle(answer).map_err(faults::store)? {
            0 => Ok(ExportWish::Granted),
            1 => Ok(ExportWish::Ended),
            2 => Ok(ExportWish::TooMany),
            _ => Err(unexpected("verdict")),
        }
    }

    async fn export_sections(&self) -> Result<Vec<String>, StoreFault> {
        let mut line = self.accounts.line().await.map_err(faults::store)?;
        let question = sqlx::query_scalar!("select section from exported order by place");
        let answer = line::timed(self.accounts.patience(), question.fetch_all(line.open())).await;
        line.settle(answer).map_err(faults::store)
    }

    async fn export_page(
        &self,
        user: UserId,
        session: SessionId,
        section: &str,
        after: &str,
    ) -> Result<Option<ExportPage>, StoreFault> {
        let mut line = self.accounts.line().await.map_err(faults::store)?;
        let question = sqlx::query!(
            r#"select exists(select from sessions s
                              where s.id = $2 and s.user_id = $1 and s.revoked_ms is null) as "live!",
                      e.key as "key?", e.body as "body?"
                 from (select) one left join lateral export_page($1, $3, $4, $5) e on true"#,
            user.0,
            session.0,
            section,
            after,
            ROWS
        );
        let answer = line::timed(self.accounts.patience(), question.fetch_all(line.open())).await;
        let answered = line.settle(answer).map_err(faults::store)?;
        if answered.iter().any(|row| !row.live) {
            return Ok(None);
        }
        let mut page = ExportPage::default();
        for row in answered {
            page.rows.extend(row.body);
            page.next = row.key;
        }
        if i32::try_from(page.rows.len()).is_ok_and(|rows| rows < ROWS) {
            page.next = None;
        }
        Ok(Some(page))
    }
}
