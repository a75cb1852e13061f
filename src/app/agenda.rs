//! Does what is due, once in a while. Must never fall behind for want of asking again: while there is more, it goes on.

use std::sync::Arc;
use std::time::Duration;

use tidings_actors::ports::{Agenda, StoreFault, Submit};
use tidings_actors::publishing;
use tidings_protocol::error::Refusal;

/// Between two looks: what people put off is put off to the minute or the hour.
const EVERY: Duration = Duration::from_secs(1);
/// Things in one look: a batch of the journal or two.
const MOST: u16 = 256;

/// Looks and does, for ever. All nodes do; what another has done already is answered so and costs nothing more.
pub(super) async fn keep(agenda: Arc<dyn Agenda>, journal: Arc<dyn Submit>) {
    loop {
        let more = match look(&*agenda, &*journal).await {
            Ok(more) => more,
            Err(fault) => {
                tracing::warn!(%fault, "what is due could not be looked up");
                false
            }
        };
        if !more {
            tokio::time::sleep(EVERY).await;
        }
    }
}

/// Looks once. True if there is more to do at once. Drafts come first: they are waited for to the second.
async fn look(agenda: &dyn Agenda, journal: &dyn Submit) -> Result<bool, StoreFault> {
    let drafts = agenda.due_drafts(MOST).await?;
    let many_drafts = drafts.len() == usize::from(MOST);
    let published = drafts.into_iter().map(|timed| publishing::publish(journal, timed));
    let all_published = told(futures_util::future::join_all(published).await);
    let due = agenda.due(MOST).await?;
    let much_due = due.len() == usize::from(MOST);
    let done = futures_util::future::join_all(due.into_iter().map(|command| journal.submit(command))).await;
    let all_done = told(done);
    let forgetting = agenda.forget_departed().await?;
    // What cannot be done now is not asked for again at once.
    Ok((many_drafts && all_published) || (much_due && all_done) || forgetting)
}

/// Whether all of it could be done.
fn told<T>(done: Vec<Result<T, Refusal>>) -> bool {
    let refusal = done.into_iter().find_map(Result::err);
    if let Some(refusal) = &refusal {
        tracing::warn!(code = refusal.code.as_str(), "something that is due could not be done, and is tried again");
    }
    refusal.is_none()
}
