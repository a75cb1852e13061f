//! The batch writer: commands to arrays, one call of `commit_batch`, rows to outcomes.
//! Must never send a second statement for a batch: the journal's lock lives and dies inside that one call.

mod columns;
mod outcome;

use sqlx::PgConnection;
use tidings_actors::command::{Command, Committed};
use tidings_actors::ports::{BatchId, CommitFault, JournalStore};
use tidings_protocol::limits::COMMENT_DEPTH;

use self::columns::Columns;
use self::outcome::Answer;
use crate::store::Store;
use crate::{faults, line};

impl Store {
    pub(crate) async fn commit_batch(&self, batch: BatchId, commands: &[Command]) -> Result<Committed, CommitFault> {
        if commands.is_empty() {
            return self.nothing_to_commit().await;
        }
        let columns = Columns::of(commands);
        let mut line = self.writer.kept_line().await.map_err(|error| faults::not_sent(&error))?;
        let answer = line::timed(self.writer.patience(), ask(batch, &columns, line.open())).await;
        let answers = line.settle(answer).map_err(|error| faults::in_flight(&error))?;
        self.writer.keep(line);
        // It is committed, whatever we make of the answer.
        outcome::committed(commands, answers).map_err(|fault| CommitFault::Unreadable(fault.to_string()))
    }

    async fn nothing_to_commit(&self) -> Result<Committed, CommitFault> {
        let head = self.head().await.map_err(|fault| CommitFault::NotDone(fault.to_string()))?;
        Ok(Committed { epoch: head.epoch, outcomes: Vec::new(), brought: Vec::new() })
    }
}

async fn ask(batch: BatchId, columns: &Columns<'_>, connection: &mut PgConnection) -> Result<Vec<Answer>, sqlx::Error> {
    sqlx::query_as!(
        Answer,
        r#"select ord, verdict as "verdict!", rev, epoch as "epoch!", at_ms as "at_ms!",
                  actor_rev, actor_handle, actor_name, author, seq, created_ms, edited_ms, text,
                  post, parent, depth, bio, role, extra, scope, body, removed, told, object
             from commit_batch($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)"#,
        &columns.acts,
        &columns.actors,
        &columns.ids as _,
        &columns.texts as _,
        &columns.if_revs as _,
        &columns.on_posts as _,
        &columns.parents as _,
        &columns.bios as _,
        &columns.handles as _,
        &columns.emails as _,
        &columns.hashes as _,
        i16::from(COMMENT_DEPTH),
        batch.writer,
        batch.number.cast_signed(),
        &columns.args as _,
    )
    .fetch_all(connection)
    .await
}
