//! Keeps a panic to the part it happened in: a step that panics ends here, and its part begins afresh from what is known to be sound.
//! Must never let a part go on with what such a step may have left half-done; see `docs/decisions/0008-units-of-failure.md`.

use std::panic::{AssertUnwindSafe, catch_unwind};

use futures_util::FutureExt;

/// What can fail by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// One connection's conversation.
    Session,
    /// One user's look-ups.
    User,
    /// One worker thread's feed table, and with it the connections of that thread.
    Feed,
    /// The node's order of batches.
    Journal,
    /// The node's view of the journal.
    Tail,
    /// Who is here.
    Presence,
    /// Posts in numbers.
    Counters,
}

impl Part {
    const fn name(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::User => "user",
            Self::Feed => "feed",
            Self::Journal => "journal",
            Self::Tail => "tail",
            Self::Presence => "presence",
            Self::Counters => "counters",
        }
    }

    /// Tells the operator that the part has failed and begins afresh. Where and why, the panic itself has told.
    pub(crate) fn has_failed(self) {
        metrics::counter!("tidings_parts_failed_total", "part" => self.name()).increment(1);
        tracing::error!(part = self.name(), "a panic: this part begins afresh");
    }
}

/// Runs one step; none if it panicked. The caller then throws away whatever the step had in hand: that is what makes it safe to catch.
#[must_use]
pub(crate) fn step<T>(part: Part, step: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(step)).inspect_err(|_| part.has_failed()).ok()
}

/// The same for what is waited for.
pub(crate) async fn wait<T>(part: Part, what: impl Future<Output = T>) -> Option<T> {
    AssertUnwindSafe(what).catch_unwind().await.inspect_err(|_| part.has_failed()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_that_panics_ends_here() {
        assert_eq!(step(Part::Tail, || 1), Some(1));
        assert_eq!(step(Part::Tail, || -> u8 { panic!("for the test") }), None);
    }

    #[actix::test]
    async fn and_so_does_a_wait() {
        assert_eq!(wait(Part::Tail, async { 1 }).await, Some(1));
        let panics = async {
            tokio::task::yield_now().await;
            panic!("for the test");
        };
        assert_eq!(wait(Part::Tail, panics).await, None::<()>);
    }
}
