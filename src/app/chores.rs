//! What a node does besides serving, for as long as it runs: each begins again when it fails.
//! Must never decide when a node stops: whoever began these ends them.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use metrics_exporter_prometheus::PrometheusHandle;
use tidings_actors::account::seen::Seen;
use tidings_actors::limits::{SEEN_EVERY_MS, SEEN_ROWS};
use tidings_actors::ports::{Accounts, JournalStore, Submit};
use tidings_media::Gallery;
use tidings_store::Store;
use tokio::task::JoinHandle;

use super::{agenda, pictures, search};
use crate::auth::AccessTokens;
use crate::config::Config;
use crate::observe;

/// How often old journal is forgotten.
const PRUNE_EVERY: Duration = Duration::from_secs(3_600);
/// Between the failure of a chore and its next beginning.
const CHORE_REST: Duration = Duration::from_secs(1);
const DAY_MS: u64 = 24 * 3_600_000;

/// What the chores work with.
pub(super) struct Chores {
    pub(super) store: Arc<Store>,
    pub(super) access: Arc<AccessTokens>,
    pub(super) seen: Arc<Seen>,
    pub(super) submit: Arc<dyn Submit>,
    pub(super) gallery: Arc<Gallery>,
    pub(super) numbers: PrometheusHandle,
}

impl Chores {
    /// Begins them all, on this thread.
    pub(super) fn begin(self, config: &Config) -> Vec<JoinHandle<()>> {
        let Self { store, access, seen, submit, gallery, numbers } = self;
        let (accounts, agenda, index) = (store.clone(), store.clone(), store.clone());
        let keep_ms = u64::from(config.journal_keep_days) * DAY_MS;
        vec![
            chore("signing keys", move || {
                let access = access.clone();
                async move { access.keep_up().await }
            }),
            chore("numbers", move || observe::keep_tidy(numbers.clone())),
            chore("log-ins seen", move || note_seen(accounts.clone(), seen.clone())),
            chore("agenda", move || agenda::keep(agenda.clone(), submit.clone())),
            chore("search", move || search::keep(index.clone())),
            chore("old journal", move || forget(store.clone(), keep_ms)),
            chore("unused pictures", move || pictures::forget(gallery.clone())),
        ]
    }
}

/// Work that goes on as long as the node does, whatever happens to it.
fn chore<W: Future<Output = ()> + 'static>(name: &'static str, work: impl Fn() -> W + 'static) -> JoinHandle<()> {
    actix_rt::spawn(async move {
        while AssertUnwindSafe(work()).catch_unwind().await.is_err() {
            tracing::error!(name, "a chore panicked and begins again");
            tokio::time::sleep(CHORE_REST).await;
        }
    })
}

/// Forgets old journal now and then. All nodes do; who comes second finds nothing.
async fn forget(journal: Arc<dyn JournalStore>, keep_ms: u64) {
    loop {
        tokio::time::sleep(PRUNE_EVERY).await;
        match journal.prune(keep_ms).await {
            Ok(0) => {}
            Ok(rows) => tracing::info!(rows, "old journal forgotten"),
            Err(fault) => tracing::warn!(%fault, "old journal could not be forgotten"),
        }
    }
}

/// Writes down when log-ins were last connected, all together, once in a while.
async fn note_seen(accounts: Arc<dyn Accounts>, seen: Arc<Seen>) {
    loop {
        tokio::time::sleep(Duration::from_millis(SEEN_EVERY_MS)).await;
        for rows in seen.take_all().chunks(SEEN_ROWS) {
            if let Err(fault) = accounts.note_seen(rows).await {
                // The next time will tell much the same.
                tracing::warn!(%fault, "when log-ins were last seen could not be written down");
                break;
            }
        }
    }
}
