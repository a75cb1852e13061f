//! Does what is due, once in a while. Must never fall behind for want of asking again: while there is more, it goes on.

use std::sync::Arc;
use std::time::Duration;

use tidings_actors::ports::{Agenda, Submit};

/// Between two looks: what people put off is put off to the minute or the hour.
const EVERY: Duration = Duration::from_secs(1);
/// Things in one look: a batch of the journal or two.
const MOST: u16 = 256;

/// Looks and does, for ever. All nodes do; what another has done already is answered so and costs nothing more.
pub(super) async fn keep(agenda: Arc<dyn Agenda>, journal: Arc<dyn Submit>) {
    loop {
        let due = match agenda.due(MOST).await {
            Ok(due) => due,
            Err(fault) => {
                tracing::warn!(%fault, "what is due could not be looked up");
                Vec::new()
            }
        };
        let more = due.len() == usize::from(MOST);
        let done = futures_util::future::join_all(due.into_iter().map(|command| journal.submit(command))).await;
        if let Some(refusal) = done.iter().find_map(|done| done.as_ref().err()) {
            tracing::warn!(code = refusal.code.as_str(), "something that is due could not be done, and is tried again");
        }
        if !more {
            tokio::time::sleep(EVERY).await;
        }
    }
}
