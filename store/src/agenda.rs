//! What is due. Must never do it: that is the journal's, which decides whether it is still to be done.

use async_trait::async_trait;
use tidings_actors::command::{Act, Command, Deed};
use tidings_actors::ports::{Agenda, StoreFault};
use tidings_protocol::ids::UserId;

use crate::store::Store;
use crate::{faults, line};

#[async_trait]
impl Agenda for Store {
    async fn due(&self, most: u16) -> Result<Vec<Command>, StoreFault> {
        let mut line = self.accounts.line().await.map_err(faults::store)?;
        let question = sqlx::query!(
            "select m.muter, m.muted from mutes m
              where m.active and m.until_ms <= clock_ms()
              order by m.until_ms limit $1",
            i64::from(most)
        );
        let answer = line::timed(self.accounts.patience(), question.fetch_all(line.open())).await;
        let rows = line.settle(answer).map_err(faults::store)?;
        let unmute =
            |muter, muted| Command { actor: UserId(muter), act: Act::Deed(Deed::Unmute { whom: UserId(muted) }) };
        Ok(rows.into_iter().map(|row| unmute(row.muter, row.muted)).collect())
    }
}
