//! The shell around the machine, one on each node: asks the database about the posts that were touched, and leaves the answers for every
//! worker thread. Must never have two questions under way, and never hold up whoever touches a post.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tidings_protocol::ids::PostId;
use tidings_protocol::marks::PostCounts;
use tokio::time::{sleep, timeout};

use super::machine::{Machine, Step};
use super::{Counters, open};
use crate::bulkhead::{self, Part};
use crate::clock;
use crate::limits::READ_PATIENCE_MS;
use crate::ports::Marks;

/// Goes on until [`Counters::stop`]. `started` is where the node's clock began.
pub fn begin(counters: Arc<Counters>, marks: Arc<dyn Marks>, started: Instant) {
    actix::spawn(async move {
        while !counters.is_over() {
            if bulkhead::wait(Part::Counters, round(&counters, marks.as_ref(), started)).await.is_none() {
                // What was touched is forgotten: every thread says so again of all that is watched.
                *open(&counters.machine) = Machine::default();
                counters.leave_everywhere(|left| left.again = true);
            }
        }
    });
}

async fn round(counters: &Counters, marks: &dyn Marks, started: Instant) {
    let step = open(&counters.machine).next(clock::since(started));
    match step {
        Step::Rest => counters.rung.notified().await,
        Step::Wait(ms) => sleep(Duration::from_millis(ms)).await,
        Step::Ask(posts) => {
            let answer = ask(marks, &posts).await;
            let news = open(&counters.machine).answered(clock::since(started), answer);
            if !news.is_empty() {
                counters.leave_everywhere(|left| {
                    left.news.extend(news.iter().map(|(post, counts)| (*post, counts.clone())))
                });
            }
        }
    }
}

async fn ask(marks: &dyn Marks, posts: &[PostId]) -> Option<Vec<PostCounts>> {
    match timeout(Duration::from_millis(READ_PATIENCE_MS), marks.counts(posts)).await {
        Ok(Ok(counts)) => Some(counts),
        Ok(Err(fault)) => {
            tracing::warn!(%fault, "the numbers of posts could not be read");
            None
        }
        Err(_) => None,
    }
}
