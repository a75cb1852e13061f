//! Painters: a few threads of their own that decode and encode pictures, behind a bounded queue (P6).
//! Must never run on a runtime's thread (a picture takes up to some seconds), and never wait for room in the queue: full is an answer.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use bytes::Bytes;
use tidings_protocol::media::MediaKind;
use tokio::sync::oneshot;

use crate::picture::{self, Painted, Spoilt};

/// The threads could not be made.
#[derive(Debug, thiserror::Error)]
#[error("no thread for pictures could be made: {0}")]
pub struct PaintersGone(std::io::Error);

/// As many pictures are waiting as may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) struct Full;

type Job = Box<dyn FnOnce() + Send>;

/// The painters. Their threads end when the last clone is dropped.
#[derive(Clone)]
pub(crate) struct Painters {
    queue: SyncSender<Job>,
}

impl Painters {
    /// Starts `threads` painters for which at most `waiting` pictures may wait.
    pub(crate) fn start(threads: usize, waiting: usize) -> Result<Self, PaintersGone> {
        let (queue, jobs) = sync_channel(waiting);
        let jobs = Arc::new(Mutex::new(jobs));
        for number in 0..threads {
            let jobs = Arc::clone(&jobs);
            let painter = thread::Builder::new().name(format!("painter-{number}"));
            painter.spawn(move || work(&jobs)).map_err(PaintersGone)?;
        }
        Ok(Self { queue })
    }

    /// Makes a picture of what was sent. A file that makes a decoder panic is damaged.
    pub(crate) async fn paint(&self, kind: MediaKind, sent: Bytes) -> Result<Result<Painted, Spoilt>, Full> {
        self.carry_out(move || {
            let began = Instant::now();
            let painted = picture::paint(kind, &sent);
            metrics::histogram!("tidings_media_painting_seconds").record(began.elapsed().as_secs_f64());
            painted
        })
        .await
    }

    async fn carry_out<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Spoilt> + Send + 'static,
    ) -> Result<Result<T, Spoilt>, Full> {
        let (answer, result) = oneshot::channel();
        let job: Job = Box::new(move || {
            // Nobody waits any longer: spare the work.
            if !answer.is_closed() {
                // A client that leaves meanwhile is no fault.
                let _gone = answer.send(work());
            }
        });
        match self.queue.try_send(job) {
            Ok(()) => {}
            // Without threads, which is as good as all of them busy.
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                metrics::counter!("tidings_media_queue_full_total").increment(1);
                return Err(Full);
            }
        }
        Ok(result.await.unwrap_or(Err(Spoilt::Broken)))
    }
}

fn work(jobs: &Mutex<Receiver<Job>>) {
    loop {
        // Held only while waiting for the next job, never while painting.
        let next = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match next {
            // Whoever waits for it hears of a fault: the panic drops the way back.
            Ok(job) => {
                if catch_unwind(AssertUnwindSafe(job)).is_err() {
                    metrics::counter!("tidings_parts_failed_total", "part" => "painter").increment(1);
                    tracing::error!("a panic over a picture: its thread goes on with the next");
                }
            }
            Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn p7_a_panic_harms_only_the_picture_it_happened_to() {
        let painters = Painters::start(1, 4).unwrap();
        let fault = painters.carry_out(|| -> Result<(), Spoilt> { panic!("for the test") }).await;
        assert_eq!(fault, Ok(Err(Spoilt::Broken)));
        assert_eq!(painters.carry_out(|| Ok(7)).await, Ok(Ok(7)));
    }

    #[tokio::test]
    async fn p6_a_full_queue_is_answered_at_once() {
        let painters = Painters::start(1, 1).unwrap();
        let (release, held) = std::sync::mpsc::channel::<()>();
        let (started, has_started) = std::sync::mpsc::channel();
        let busy: Job = Box::new(move || {
            started.send(()).unwrap();
            held.recv().unwrap();
        });
        painters.queue.try_send(busy).unwrap();
        has_started.recv().unwrap();
        painters.queue.try_send(Box::new(|| ())).unwrap();
        assert_eq!(painters.carry_out(|| Ok(())).await, Err(Full));
        release.send(()).unwrap();
    }
}
