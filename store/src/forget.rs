//! Forgetting: old journal rows, the tombstones nobody can ask for any more, dead tokens and log-ins.
//! Must never delete above the floor, nor do much at a time: each statement is small, so that nobody waits for it.

use sqlx::Postgres;
use sqlx::postgres::PgArguments;
use sqlx::query::{Query, QueryScalar};
use tidings_actors::ports::StoreFault;
use tidings_protocol::limits::SLOW_SECONDS;

use crate::shape::unexpected;
use crate::store::Store;
use crate::{faults, line};

/// Rows in one statement: some 20 ms of work.
const CHUNK: i64 = 5_000;

type Deletion<'q> = Query<'q, Postgres, PgArguments>;
/// Answered with how many were found.
type Forgetting<'q> = QueryScalar<'q, Postgres, Option<i64>, PgArguments>;

impl Store {
    /// See `JournalStore::prune`. Above all the floor is raised; what is below it may then go in any order, by any node.
    pub(crate) async fn forget(&self, keep_ms: u64) -> Result<u64, StoreFault> {
        let keep_ms = i64::try_from(keep_ms).unwrap_or(i64::MAX / 2);
        let floor = self.raise_floor(keep_ms).await?;
        let journal = self
            .in_chunks(|| {
                sqlx::query!(
                    "delete from journal where seq in
                     (select seq from journal where seq < $1 order by seq limit $2)",
                    floor,
                    CHUNK
                )
            })
            .await?;
        self.forget_marks_of_removed(floor).await?;
        self.in_chunks(|| {
            sqlx::query!(
                "delete from posts where id in
                 (select id from posts where removed and rev < $1 order by rev limit $2)",
                floor,
                CHUNK
            )
        })
        .await?;
        self.forget_comments(floor).await?;
        self.forget_follows(floor).await?;
        self.forget_ties(floor).await?;
        self.until_fewer(CHUNK, || {
            sqlx::query_scalar!("select forget_ended_choices($1, $2::bigint::integer)", floor, CHUNK)
        })
        .await?;
        self.forget_notifications(floor).await?;
        self.forget_marks(floor).await?;
        self.forget_paces().await?;
        self.forget_drafts(floor).await?;
        self.forget_left_handles().await?;
        self.forget_log_ins(keep_ms).await?;
        self.forget_writers().await?;
        self.forget_copies().await?;
        Ok(journal)
    }

    async fn raise_floor(&self, keep_ms: i64) -> Result<i64, StoreFault> {
        loop {
            let mut line = self.accounts.line().await.map_err(faults::store)?;
            let question = sqlx::query!(
                r#"select floor as "floor!", more as "more!" from raise_floor($1, $2::bigint::integer)"#,
                keep_ms,
                CHUNK
            );
            let answer = line::timed(self.accounts.patience(), question.fetch_one(line.open())).await;
            let raised = line.settle(answer).map_err(faults::store)?;
            if !raised.more {
                return Ok(raised.floor);
            }
        }
    }

    async fn in_chunks<'q>(&self, deletion: impl Fn() -> Deletion<'q> + Send + Sync) -> Result<u64, StoreFault> {
        let mut gone = 0;
        loop {
            let mut line = self.accounts.line().await.map_err(faults::store)?;
            let answer = line::timed(self.accounts.patience(), deletion().execute(line.open())).await;
            let chunk = line.settle(answer).map_err(faults::store)?.rows_affected();
            gone += chunk;
            if chunk < CHUNK.unsigned_abs() {
                return Ok(gone);
            }
        }
    }

    /// Asks a function that forgets a chunk until it says that it found fewer than this.
    async fn until_fewer<'q>(
        &self,
        than: i64,
        question: impl Fn() -> Forgetting<'q> + Send + Sync,
    ) -> Result<(), StoreFault> {
        loop {
            let mut line = self.accounts.line().await.map_err(faults::store)?;
            let answer = line::timed(self.accounts.patience(), question().fetch_one(line.open())).await;
            if line.settle(answer).map_err(faults::store)?.ok_or_else(|| unexpected("null"))? < than {
                return Ok(());
            }
        }
    }

    async fn forget_comments(&self, floor: i64) -> Result<(), StoreFault> {
        let mut from = Some(0);
        while let Some(rev) = from {
            let mut line = self.accounts.line().await.map_err(faults::store)?;
            let question = sqlx::query_scalar!(
                "select next_rev from forget_comments($1, $2, $3::bigint::integer)",
                floor,
                rev,
                CHUNK
            );
            let answer = line::timed(self.accounts.patience(), question.fetch_one(line.open())).await;
            from = line.settle(answer).map_err(faults::store)?;
        }
        Ok(())
    }

    /// Who commented when in a slow thread, once no pause is that long.
    async fn forget_paces(&self) -> Result<u64, StoreFault> {
        self.in_chunks(|| {
            sqlx::query!(
                "delete from slow_comments where (post, user_id) in
                 (select post, user_id from slow_comments where at_ms < clock_ms() - $1 order by at_ms limit $2)",
                i64::from(SLOW_SECONDS) * 1_000,
                CHUNK
            )
        })
        .await
    }

    async fn forget_follows(&self, floor: i64) -> Result<(), StoreFault> {
        self.until_fewer(CHUNK, || {
            sqlx::query_scalar!("select forget_ended_follows($1, $2::bigint::integer)", floor, CHUNK)
        })
        .await
    }

    /// Ended blocks and mutes.
    async fn forget_ties(&self, floor: i64) -> Result<(), StoreFault> {
        self.until_fewer(CHUNK, || {
            sqlx::query_scalar!("select forget_ended_ties($1, $2::bigint::integer)", floor, CHUNK)
        })
        .await
    }

    /// Reactions and bookmarks that were taken back.
    async fn forget_marks(&self, floor: i64) -> Result<(), StoreFault> {
        self.until_fewer(CHUNK, || {
            sqlx::query_scalar!("select forget_ended_marks($1, $2::bigint::integer)", floor, CHUNK)
        })
        .await
    }

    /// Drafts that were deleted or published.
    async fn forget_drafts(&self, floor: i64) -> Result<(), StoreFault> {
        self.until_fewer(CHUNK, || {
            sqlx::query_scalar!("select forget_ended_drafts($1, $2::bigint::integer)", floor, CHUNK)
        })
        .await
    }

    /// Handles of deleted accounts that have rested long enough.
    async fn forget_left_handles(&self) -> Result<(), StoreFault> {
        self.until_fewer(CHUNK, || sqlx::query_scalar!("select forget_left_handles($1::bigint::integer)", CHUNK)).await
    }

    /// Those to posts whose tombstones go next, while these still say which.
    async fn forget_marks_of_removed(&self, floor: i64) -> Result<(), StoreFault> {
        self.until_fewer(CHUNK, || {
            sqlx::query_scalar!("select forget_marks_of_removed($1, $2::bigint::integer)", floor, CHUNK)
        })
        .await
    }

    /// Groups of notifications that are no more, and read markers that were given up.
    async fn forget_notifications(&self, floor: i64) -> Result<(), StoreFault> {
        // People who are left in one of them count, too, and may be more than a chunk holds: until nothing is left.
        self.until_fewer(1, || {
            sqlx::query_scalar!("select forget_notifications($1, $2::bigint::integer)", floor, CHUNK)
        })
        .await
    }

    /// What cases remember of what was reported, once they have been settled for a month.
    async fn forget_copies(&self) -> Result<(), StoreFault> {
        const AFTER_MS: i64 = 30 * 24 * 60 * 60 * 1_000;
        self.until_fewer(CHUNK, || {
            sqlx::query_scalar!("select forget_copies($1, $2::bigint::integer)", AFTER_MS, CHUNK)
        })
        .await
    }

    /// Writers that have ended long ago: a node asks a batch again for some seconds.
    async fn forget_writers(&self) -> Result<(), StoreFault> {
        const AFTER_MS: i64 = 24 * 60 * 60 * 1_000;
        self.in_chunks(|| {
            sqlx::query!(
                "delete from writers where writer in
                 (select writer from writers where at_ms < clock_ms() - $1 limit $2)",
                AFTER_MS,
                CHUNK
            )
        })
        .await
        .map(drop)
    }

    /// Tokens that have run out, and then the log-ins that no token leads to any more.
    async fn forget_log_ins(&self, keep_ms: i64) -> Result<(), StoreFault> {
        self.in_chunks(|| {
            sqlx::query!(
                "delete from refresh_tokens where hash in
                 (select hash from refresh_tokens where expires_ms < clock_ms() order by expires_ms limit $1)",
                CHUNK
            )
        })
        .await?;
        self.in_chunks(|| {
            sqlx::query!(
                "delete from api_tokens where session in
                 (select t.session from api_tokens t join sessions s on s.id = t.session
                   where t.expires_ms < clock_ms() or s.revoked_ms < clock_ms() - $1 limit $2)",
                keep_ms,
                CHUNK
            )
        })
        .await?;
        self.in_chunks(|| {
            sqlx::query!(
                "delete from sessions where id in
                 (select s.id from sessions s
                   where s.opened_ms < clock_ms() - $1
                     and not exists (select from refresh_tokens t where t.session = s.id)
                     and not exists (select from api_tokens t where t.session = s.id)
                   order by s.opened_ms limit $2)",
                keep_ms,
                CHUNK
            )
        })
        .await?;
        Ok(())
    }
}
