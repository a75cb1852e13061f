//! Slow work on a few threads of its own, behind a bounded queue (P6): hashing passwords, painting pictures.
//! Must never run on a runtime's thread, and never wait for room in the queue: full is an answer.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::{io, thread};

use tokio::sync::oneshot;

/// Why a piece of work has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Undone {
    /// As much is waiting as may; it was not begun.
    Full,
    /// There are no threads; it was not begun.
    Gone,
    /// It panicked.
    Failed,
}

type Job = Box<dyn FnOnce() + Send>;

/// The threads. They end when the last clone is dropped.
#[derive(Clone, Debug)]
pub struct Workshop {
    queue: SyncSender<Job>,
}

impl Workshop {
    /// Starts `threads` of this name, for which at most `waiting` pieces of work may wait.
    ///
    /// # Errors
    /// When a thread cannot be made.
    pub fn start(name: &'static str, threads: usize, waiting: usize) -> io::Result<Self> {
        let (queue, jobs) = sync_channel(waiting);
        let jobs = Arc::new(Mutex::new(jobs));
        for number in 0..threads {
            let jobs = Arc::clone(&jobs);
            thread::Builder::new().name(format!("{name}-{number}")).spawn(move || take_on(name, &jobs))?;
        }
        Ok(Self { queue })
    }

    /// Has something done. What nobody waits for any longer when its turn comes is not begun.
    ///
    /// # Errors
    /// As [`Undone`]; `Full` at once.
    pub async fn carry_out<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Undone> {
        let (answer, result) = oneshot::channel();
        let job: Job = Box::new(move || {
            if !answer.is_closed() {
                // Whoever leaves while it is being done is no fault.
                drop(answer.send(work()));
            }
        });
        self.queue.try_send(job).map_err(|not_taken| match not_taken {
            TrySendError::Full(_) => Undone::Full,
            TrySendError::Disconnected(_) => Undone::Gone,
        })?;
        result.await.map_err(|_| Undone::Failed)
    }
}

fn take_on(name: &'static str, jobs: &Mutex<Receiver<Job>>) {
    loop {
        // Held only while waiting for the next job, never while it is done.
        let next = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = next else { return };
        // Whoever waits for it hears of a fault: the panic drops the way back.
        if catch_unwind(AssertUnwindSafe(job)).is_err() {
            metrics::counter!("tidings_parts_failed_total", "part" => name).increment(1);
            tracing::error!(part = name, "a panic: its thread goes on with the next");
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[actix::test]
    async fn p7_a_panic_harms_only_the_work_it_happened_in() {
        let workshop = Workshop::start("tester", 1, 4).unwrap();
        assert_eq!(workshop.carry_out(|| -> u8 { panic!("for the test") }).await, Err(Undone::Failed));
        assert_eq!(workshop.carry_out(|| 7).await, Ok(7));
    }

    #[actix::test]
    async fn p6_a_full_queue_is_answered_at_once() {
        let workshop = Workshop::start("tester", 1, 1).unwrap();
        // Keeps the only thread busy until told otherwise, and then the only place in the queue.
        let (release, held) = std::sync::mpsc::channel::<()>();
        let (started, has_started) = std::sync::mpsc::channel();
        let mut busy = Box::pin(workshop.carry_out(move || {
            started.send(()).unwrap();
            held.recv().unwrap();
        }));
        assert!(busy.as_mut().now_or_never().is_none());
        has_started.recv().unwrap();
        let mut waiting = Box::pin(workshop.carry_out(|| ()));
        assert!(waiting.as_mut().now_or_never().is_none());
        assert_eq!(workshop.carry_out(|| ()).await, Err(Undone::Full));
        release.send(()).unwrap();
        assert_eq!((busy.await, waiting.await), (Ok(()), Ok(())));
    }

    #[actix::test]
    async fn what_nobody_waits_for_is_not_begun_and_without_threads_nothing_is() {
        let workshop = Workshop::start("tester", 1, 4).unwrap();
        let (release, held) = std::sync::mpsc::channel::<()>();
        let mut busy = Box::pin(workshop.carry_out(move || held.recv().unwrap()));
        assert!(busy.as_mut().now_or_never().is_none());
        let mut left = Box::pin(workshop.carry_out(|| panic!("nobody waits for this")));
        assert!(left.as_mut().now_or_never().is_none());
        drop(left);
        release.send(()).unwrap();
        busy.await.unwrap();
        assert_eq!(workshop.carry_out(|| 7).await, Ok(7));
        assert_eq!(Workshop::start("tester", 0, 4).unwrap().carry_out(|| 7).await, Err(Undone::Gone));
    }
}
