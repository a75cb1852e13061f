//! Whether the database keeps what it acknowledges. Must never change a setting: they are the operator's.

use tidings_actors::ports::StoreFault;

use crate::store::Store;
use crate::{faults, line};

/// Settings of Postgres under which something acknowledged may be lost when it crashes or the power fails.
pub const DURABILITY: [&str; 3] = ["fsync", "full_page_writes", "synchronous_commit"];

impl Store {
    /// Those of [`DURABILITY`] that are off for our connections.
    ///
    /// # Errors
    /// As every read.
    pub async fn unsafe_settings(&self) -> Result<Vec<&'static str>, StoreFault> {
        let mut line = self.writer.line().await.map_err(faults::store)?;
        let question = sqlx::query_scalar::<_, bool>(
            "select current_setting(name) = 'off' from unnest($1) with ordinality s (name, at) order by at",
        )
        .bind(&DURABILITY[..]);
        let answer = line::timed(self.writer.patience(), question.fetch_all(line.open())).await;
        let off = line.settle(answer).map_err(faults::store)?;
        Ok(DURABILITY.into_iter().zip(off).filter_map(|(name, off)| off.then_some(name)).collect())
    }

    /// Whether the database may see when its files came to be here, and so notices by itself that a backup was restored.
    ///
    /// # Errors
    /// As every read.
    pub async fn sees_restores(&self) -> Result<bool, StoreFault> {
        let mut line = self.writer.line().await.map_err(faults::store)?;
        let question = sqlx::query_scalar::<_, bool>("select files_born() is not null");
        let answer = line::timed(self.writer.patience(), question.fetch_one(line.open())).await;
        line.settle(answer).map_err(faults::store)
    }
}
