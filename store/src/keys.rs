//! The signing keys of access tokens, as all nodes of a database share them.
//! Must never see a private key in the clear, nor let a node's clock decide about age.

use async_trait::async_trait;
use tidings_actors::ports::{KeptKey, SealedKey, SigningKeys, StoreFault};

use crate::{Store, faults, line};

#[async_trait]
impl SigningKeys for Store {
    async fn signing_keys(&self) -> Result<Vec<KeptKey>, StoreFault> {
        let question = sqlx::query_as::<_, (String, Vec<u8>, i64)>(
            "select kid, sealed, (extract(epoch from clock_timestamp() - created_at) * 1000)::bigint \
             from signing_keys order by created_at desc, kid",
        );
        let mut line = self.accounts.line().await.map_err(faults::store)?;
        let answer = line::timed(self.accounts.patience(), question.fetch_all(line.open())).await;
        let rows = line.settle(answer).map_err(faults::store)?;
        let keys = rows.into_iter().map(|(kid, sealed, age_ms)| KeptKey {
            key: SealedKey { kid, sealed },
            // Below zero only if the database's clock was set back: as good as new.
            age_ms: u64::try_from(age_ms).unwrap_or(0),
        });
        Ok(keys.collect())
    }

    async fn keep_signing_key(&self, key: &SealedKey, unless_younger_than_ms: u64) -> Result<bool, StoreFault> {
        let question = sqlx::query_scalar::<_, bool>("select keep_signing_key($1, $2, $3)")
            .bind(&key.kid)
            .bind(&key.sealed)
            .bind(i64::try_from(unless_younger_than_ms).unwrap_or(i64::MAX / 2));
        let mut line = self.accounts.line().await.map_err(faults::store)?;
        let answer = line::timed(self.accounts.patience(), question.fetch_one(line.open())).await;
        line.settle(answer).map_err(faults::store)
    }

    async fn forget_signing_key(&self, kid: &str) -> Result<(), StoreFault> {
        let question = sqlx::query("delete from signing_keys where kid = $1").bind(kid);
        let mut line = self.accounts.line().await.map_err(faults::store)?;
        let answer = line::timed(self.accounts.patience(), question.execute(line.open())).await;
        line.settle(answer).map_err(faults::store).map(|_| ())
    }
}
