//! Somebody's drafts, page by page.
//! Must never be asked for anybody but their owner.

use async_trait::async_trait;
use tidings_actors::ports::{Drafts, StoreFault};
use tidings_protocol::drafts::{Draft, DraftsPage};
use tidings_protocol::ids::UserId;
use tidings_protocol::position::{Cursor, Seq};

use crate::shape::{self, illegible, seq, stored, unexpected};
use crate::store::Store;
use crate::{faults, line};

#[async_trait]
impl Drafts for Store {
    async fn drafts_page(&self, user: UserId, before: Option<Seq>, limit: u16) -> Result<DraftsPage, StoreFault> {
        let before = before.map_or(i64::MAX, stored);
        let mut line = self.reads.line().await.map_err(faults::store)?;
        // One more tells whether there is more.
        let question = sqlx::query!(
            r#"select (select journal_epoch()) as "epoch!", s.id as "id!", s.rev as "rev!", s.extra as "body!"
                 from draft_states s
                where s.author = $1 and not s.removed and s.rev < $2
                order by s.rev desc limit $3"#,
            user.0,
            before,
            i64::from(limit) + 1
        );
        let answer = line::timed(self.reads.patience(), question.fetch_all(line.open())).await;
        let mut rows = line.settle(answer).map_err(faults::store)?;
        let more = rows.len() > usize::from(limit);
        rows.truncate(usize::from(limit));
        let last = rows.last().filter(|_| more);
        let next = last.map(|last| Ok(Cursor { epoch: shape::epoch(last.epoch), seq: seq(last.rev)? })).transpose()?;
        let mut drafts: Vec<Draft> = Vec::with_capacity(rows.len());
        for row in rows {
            match serde_json::from_str(&row.body) {
                Ok(draft) => drafts.push(draft),
                Err(_) => illegible(&unexpected("draft"), Some(51), Some(row.id), Some(row.rev)),
            }
        }
        Ok(DraftsPage { drafts, next })
    }
}
