//! Keeps what is searched in step with what is written, a moment behind it.
//! Must never take more of the database than its share: between two portions it rests, however much waits.

use std::sync::Arc;
use std::time::Duration;

use tidings_store::Store;

/// Between two looks when everything has been taken in.
const EVERY: Duration = Duration::from_millis(500);
/// Between two portions when more waits: some 2,000 posts a second, with a tenth of one of the database's cores. Who writes faster than that is
/// found later.
const REST: Duration = Duration::from_millis(150);
/// After a failure.
const AGAIN: Duration = Duration::from_secs(2);

/// Looks and takes in, for ever. All nodes do; of two who come at once one does.
pub(super) async fn keep(store: Arc<Store>) {
    loop {
        let rest = match store.index_some().await {
            Ok(true) => REST,
            Ok(false) => EVERY,
            Err(fault) => {
                tracing::warn!(%fault, "what was written could not be taken in for searching");
                AGAIN
            }
        };
        tokio::time::sleep(rest).await;
    }
}
