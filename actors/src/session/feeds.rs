//! Starting feeds: reading snapshots and bringing them forward, for `hello`, `feed.subscribe` and fresh starts alike.
//! Runs on the session's worker thread; between the last wait and the subscription nothing can come in between, which makes the step to live exact.

use std::rc::Rc;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use tidings_protocol::error::{ErrorCode, Refusal};
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::UserId;
use tidings_protocol::position::Seq;
use tidings_protocol::reply::Snapshot;
use tokio::time::timeout;

use super::methods::allowed;
use crate::feed::forward::Forwarded;
use crate::limits;
use crate::ports::StoreFault;
use crate::starts::{NotRead, Patience};
use crate::worker::{Place, Worker};

/// A feed's snapshot, exact at the table's position, or why there is none.
pub(super) type Started = (FeedName, Result<Snapshot, Refusal>);

/// The answer when the database cannot be asked.
pub(super) fn unavailable() -> Refusal {
    Refusal::new(ErrorCode::Unavailable, "the database cannot be reached").after_ms(1_000)
}

/// Sorts a fault: the operator hears the cause, the client that it may try again.
pub(super) fn fault(fault: &StoreFault) -> Refusal {
    match fault {
        StoreFault::Unavailable(_) => {
            tracing::warn!(%fault, "a read failed");
            unavailable()
        }
        StoreFault::Broken(_) => {
            tracing::error!(%fault, "a read failed");
            Refusal::new(ErrorCode::Internal, "a fault in the server")
        }
    }
}

/// Waits for a read, within bounds.
pub(super) async fn bounded<T>(read: impl Future<Output = Result<T, StoreFault>>) -> Result<T, Refusal> {
    match timeout(Duration::from_millis(limits::READ_PATIENCE_MS), read).await {
        Ok(Ok(found)) => Ok(found),
        Ok(Err(error)) => Err(fault(&error)),
        Err(_) => Err(unavailable()),
    }
}

/// Waits until the worker has applied `seq`, within bounds.
pub(super) async fn reached(worker: &Worker, patience: Patience, seq: Seq) -> Result<(), Refusal> {
    patience.wait(worker.reached(seq)).await.ok_or_else(unavailable)
}

/// Reads in turn, waiting for a database that is away, within bounds.
pub(super) async fn in_turn<T, R>(worker: &Worker, patience: Patience, read: impl FnMut() -> R) -> Result<T, Refusal>
where
    R: Future<Output = Result<T, StoreFault>>,
{
    worker.node.starts.read(patience, read).await.map_err(not_read)
}

/// The same for a look-up of who somebody is.
pub(super) async fn looked_up<T, R>(worker: &Worker, patience: Patience, read: impl FnMut() -> R) -> Result<T, Refusal>
where
    R: Future<Output = Result<T, StoreFault>>,
{
    worker.node.starts.look_up(patience, read).await.map_err(not_read)
}

fn not_read(not: NotRead) -> Refusal {
    match not {
        NotRead::PutOff(refusal) => refusal,
        NotRead::Fault(why) => fault(&why),
        NotRead::Late => unavailable(),
    }
}

/// Reads one snapshot, from memory where that holds it, and waits until the table has reached it.
async fn read(
    worker: &Worker,
    patience: Patience,
    place: &Place,
    viewer: Option<UserId>,
    feed: FeedName,
    limit: u16,
) -> Result<Snapshot, Refusal> {
    allowed(viewer, feed)?;
    if is_kept_from(worker, place, feed) {
        return Err(kept_from(feed));
    }
    if feed == FeedName::Home
        && let Some(home) = remembered(worker, patience, place, limit).await
    {
        return Ok(home);
    }
    let snapshot = in_turn(worker, patience, || worker.node.reads.snapshot(viewer, feed, limit)).await?;
    let snapshot = snapshot.ok_or_else(no_such_feed)?;
    reached(worker, patience, snapshot.seq).await?;
    Ok(snapshot)
}

/// One's `home` from memory, once memory holds all that was answered before it was asked for, here or on another node: people see what they
/// have written.
async fn remembered(worker: &Worker, patience: Patience, place: &Place, limit: u16) -> Option<Snapshot> {
    // A node that cannot see the journal's head does not tell anything from memory either (P5).
    if !worker.node.sight.is_sure(worker.node.now()) {
        return None;
    }
    let home = worker.table().recall(place.slot(), limit)?;
    let newest = bounded(worker.node.reads.newest()).await.ok()?;
    reached(worker, patience, newest).await.ok()?;
    Some(home)
}

/// Whether it is the profile of somebody who blocks the viewer, or whom the viewer blocks: to both it is as if there were none. Or the
/// moderators', and the viewer is none.
pub(super) fn is_kept_from(worker: &Worker, place: &Place, feed: FeedName) -> bool {
    match feed {
        FeedName::User(user) => worker.table().is_apart(place.slot(), user),
        FeedName::Mod => !worker.table().moderates(place.slot()),
        FeedName::Home
        | FeedName::Global
        | FeedName::Notifications
        | FeedName::Me
        | FeedName::Firehose
        | FeedName::Post(_)
        // Whose it is says what is read of it: this worker may not have heard of a new one yet.
        | FeedName::List(_)
        | FeedName::Tag(_) => false,
    }
}

/// The answer to who may not read a feed.
pub(super) fn kept_from(feed: FeedName) -> Refusal {
    if feed == FeedName::Mod {
        Refusal::new(ErrorCode::Forbidden, "this feed is for moderators")
    } else {
        no_such_feed()
    }
}

pub(super) fn no_such_feed() -> Refusal {
    Refusal::new(ErrorCode::NotFound, "there is no such feed")
}

/// Snapshots of `feeds`, all exact at the table's position when this returns. The caller must use them before it waits again.
pub(super) async fn start(
    worker: &Rc<Worker>,
    patience: Patience,
    place: &Place,
    viewer: Option<UserId>,
    feeds: &[FeedName],
    limit: u16,
) -> Vec<Started> {
    let limit = share(limit, feeds.len());
    let mut started: Vec<Option<Started>> = vec![None; feeds.len()];
    for _ in 0..limits::SNAPSHOT_TRIES {
        let epoch = worker.table().epoch();
        let missing: Vec<usize> = (0..feeds.len()).filter(|&at| started[at].is_none()).collect();
        let mut reads = stream::iter(missing)
            .map(|at| async move { (at, read(worker, patience, place, viewer, feeds[at], limit).await) })
            .buffer_unordered(limits::SESSION_READS);
        while let Some((at, result)) = reads.next().await {
            started[at] = Some((feeds[at], result));
        }
        let table = worker.table();
        if table.epoch() != epoch {
            // Of the journal's life before: what it says may be lost, whatever number it bears.
            started.fill(None);
            continue;
        }
        for entry in &mut started {
            if let Some((_, Ok(snapshot))) = entry {
                match table.forward(place.slot(), snapshot) {
                    Forwarded::Exact => {}
                    Forwarded::Gone => *entry = Some((snapshot.feed, Err(no_such_feed()))),
                    Forwarded::Stale => *entry = None,
                }
            }
        }
        if started.iter().all(Option::is_some) {
            break;
        }
    }
    let given_up = |(feed, entry): (&FeedName, Option<Started>)| entry.unwrap_or((*feed, Err(unavailable())));
    feeds.iter().zip(started).map(given_up).collect()
}

/// With many feeds at once each gets fewer entities, so that one answer stays within bounds.
fn share(limit: u16, feeds: usize) -> u16 {
    let most = limits::SNAPSHOT_ENTITIES / feeds.max(1);
    limit.min(u16::try_from(most).unwrap_or(limit)).max(1)
}
