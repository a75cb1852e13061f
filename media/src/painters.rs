//! Painters: a few threads of their own that decode and encode pictures, behind a bounded queue (P6).
//! Must never run on a runtime's thread (a picture takes up to some seconds), and never wait for room in the queue: full is an answer.

use std::time::Instant;

use bytes::Bytes;
use tidings_actors::workshop::{Undone, Workshop};
use tidings_protocol::media::MediaKind;

use crate::picture::{self, Painted, Spoilt};

/// The threads could not be made.
#[derive(Debug, thiserror::Error)]
#[error("no thread for pictures could be made: {0}")]
pub struct PaintersGone(std::io::Error);

/// As many pictures are waiting as may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) struct Full;

/// The painters. Their threads end when the last clone is dropped.
#[derive(Clone)]
pub(crate) struct Painters(Workshop);

impl Painters {
    /// Starts `threads` painters for which at most `waiting` pictures may wait.
    pub(crate) fn start(threads: usize, waiting: usize) -> Result<Self, PaintersGone> {
        Workshop::start("painter", threads, waiting).map(Self).map_err(PaintersGone)
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
        match self.0.carry_out(work).await {
            Ok(done) => Ok(done),
            Err(Undone::Failed) => Ok(Err(Spoilt::Broken)),
            // Without threads, which is as good as all of them busy.
            Err(Undone::Full | Undone::Gone) => {
                metrics::counter!("tidings_media_queue_full_total").increment(1);
                Err(Full)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

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
        let mut busy = Box::pin(painters.carry_out(move || {
            started.send(()).unwrap();
            held.recv().unwrap();
            Ok(())
        }));
        assert!(busy.as_mut().now_or_never().is_none());
        has_started.recv().unwrap();
        let mut waiting = Box::pin(painters.carry_out(|| Ok(())));
        assert!(waiting.as_mut().now_or_never().is_none());
        assert_eq!(painters.carry_out(|| Ok(())).await, Err(Full));
        release.send(()).unwrap();
    }
}
