//! The line for reads that start feeds: snapshots, what was missed, who somebody is. They are what a storm of clients coming back costs.
//! Must never let so many read at once that those who are there already find no connection to the database (P7), and never send anybody away
//! because the database is away for a moment: whoever has their turn asks again, and the others wait behind them, so many and so long.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use metrics::{Counter, Gauge};
use tidings_protocol::error::{ErrorCode, Refusal};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep, timeout_at};

use crate::limits;
use crate::ports::StoreFault;

/// The line of one node.
pub struct Starts {
    places: Semaphore,
    /// For look-ups of who somebody is: those that come together are one read for the database.
    look_ups: Semaphore,
    /// Those behind them.
    line: AtomicUsize,
    waiting: Gauge,
    put_off: Counter,
    again: Counter,
}

/// A turn to read, given back when dropped.
type Turn<'a> = SemaphorePermit<'a>;

/// Until when somebody waits for all the reads of one start together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    until: Instant,
}

impl Patience {
    /// It begins now.
    pub(crate) fn begins() -> Self {
        Self { until: Instant::now() + Duration::from_millis(limits::START_PATIENCE_MS) }
    }

    /// Waits for something no longer than that.
    pub(crate) async fn wait<T>(self, what: impl Future<Output = T>) -> Option<T> {
        timeout_at(self.until, what).await.ok()
    }

    fn allows(self, wait: Duration) -> bool {
        Instant::now() + wait < self.until
    }
}

impl Default for Starts {
    fn default() -> Self {
        Self {
            places: Semaphore::new(limits::START_READS),
            look_ups: Semaphore::new(limits::LOOK_UPS),
            line: AtomicUsize::new(0),
            waiting: metrics::gauge!("tidings_starts_waiting"),
            put_off: metrics::counter!("tidings_starts_put_off_total"),
            again: metrics::counter!("tidings_starts_again_total"),
        }
    }
}

/// Why there is nothing to read.
#[derive(Debug)]
pub(crate) enum NotRead {
    /// Too many are before them, or they have waited long enough for their turn.
    PutOff(Refusal),
    /// The database's last word.
    Fault(StoreFault),
    /// No answer in time.
    Late,
}

impl Starts {
    /// Reads when the turn has come; and again as long as the database is away and `patience` lasts.
    pub(crate) async fn read<T, R>(&self, patience: Patience, read: impl FnMut() -> R) -> Result<T, NotRead>
    where
        R: Future<Output = Result<T, StoreFault>>,
    {
        self.read_in(&self.places, patience, read).await
    }

    /// The same for a look-up, of which the port answers many at once.
    pub(crate) async fn look_up<T, R>(&self, patience: Patience, read: impl FnMut() -> R) -> Result<T, NotRead>
    where
        R: Future<Output = Result<T, StoreFault>>,
    {
        self.read_in(&self.look_ups, patience, read).await
    }

    async fn read_in<T, R>(
        &self,
        places: &Semaphore,
        patience: Patience,
        mut read: impl FnMut() -> R,
    ) -> Result<T, NotRead>
    where
        R: Future<Output = Result<T, StoreFault>>,
    {
        // Kept while the database is away: it is asked by a few, however many wait for it.
        let _turn = self.turn(places, patience).await.map_err(NotRead::PutOff)?;
        let pause = Duration::from_millis(limits::START_ASKS_AGAIN_MS);
        loop {
            match patience.wait(read()).await {
                Some(Ok(found)) => return Ok(found),
                Some(Err(StoreFault::Unavailable(_))) if patience.allows(pause) => {
                    self.again.increment(1);
                    sleep(pause).await;
                }
                Some(Err(fault)) => return Err(NotRead::Fault(fault)),
                None => return Err(NotRead::Late),
            }
        }
    }

    async fn turn<'a>(&self, places: &'a Semaphore, patience: Patience) -> Result<Turn<'a>, Refusal> {
        if let Ok(turn) = places.try_acquire() {
            return Ok(turn);
        }
        let turn = match InLine::behind(self) {
            Some(_in_line) => patience.wait(places.acquire()).await.and_then(Result::ok),
            None => None,
        };
        turn.ok_or_else(|| {
            self.put_off.increment(1);
            let refusal = Refusal::new(ErrorCode::Unavailable, "too many are starting; come back later");
            refusal.after_ms(limits::START_AGAIN_MS)
        })
    }
}

/// A place in line, given back when dropped: also when the client has gone.
struct InLine<'a> {
    starts: &'a Starts,
    _waiting: Waiting<'a>,
}

impl<'a> InLine<'a> {
    fn behind(starts: &'a Starts) -> Option<Self> {
        let room = |others: usize| (others < limits::START_LINE).then_some(others + 1);
        starts.line.fetch_update(Ordering::Relaxed, Ordering::Relaxed, room).ok()?;
        Some(Self { starts, _waiting: Waiting::new(&starts.waiting) })
    }
}

impl Drop for InLine<'_> {
    fn drop(&mut self) {
        self.starts.line.fetch_sub(1, Ordering::Relaxed);
    }
}

/// One who waits, counted until dropped.
pub struct Waiting<'a>(&'a Gauge);

impl<'a> Waiting<'a> {
    /// Counted in this gauge.
    #[must_use]
    pub fn new(gauge: &'a Gauge) -> Self {
        gauge.increment(1.0);
        Self(gauge)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::task::Poll;

    use futures_util::poll;

    use super::*;

    const TURN: Duration = Duration::from_millis(10);

    fn away() -> StoreFault {
        StoreFault::Unavailable("for the test".to_owned())
    }

    fn refusal(not: NotRead) -> Refusal {
        match not {
            NotRead::PutOff(refusal) => refusal,
            NotRead::Fault(_) | NotRead::Late => panic!("{not:?}"),
        }
    }

    async fn nothing(starts: &Starts) -> Result<(), NotRead> {
        starts.read(Patience::begins(), || async { Ok(()) }).await
    }

    #[tokio::test(start_paused = true)]
    async fn so_many_read_at_once_and_the_next_waits_so_long() {
        let starts = Starts::default();
        let mut turns = Vec::new();
        for _ in 0..limits::START_READS {
            turns.push(starts.turn(&starts.places, Patience::begins()).await.expect("there is room"));
        }
        let began = Instant::now();
        let refusal = refusal(nothing(&starts).await.expect_err("nobody gives a turn back"));
        assert_eq!((refusal.code, refusal.retry), (ErrorCode::Unavailable, true));
        assert_eq!(refusal.retry_after_ms, Some(limits::START_AGAIN_MS));
        assert_eq!(began.elapsed().as_millis(), u128::from(limits::START_PATIENCE_MS));
        assert_eq!(starts.line.load(Ordering::Relaxed), 0);
        turns.pop();
        assert!(nothing(&starts).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn p6_the_line_has_an_end_and_who_goes_makes_room() {
        let starts = Starts::default();
        let _turns = starts.places.try_acquire_many(u32::try_from(limits::START_READS).unwrap()).unwrap();
        let mut line: Vec<_> = (0..limits::START_LINE).map(|_| Box::pin(nothing(&starts))).collect();
        for one in &mut line {
            assert!(poll!(one).is_pending());
        }
        let began = Instant::now();
        refusal(nothing(&starts).await.expect_err("the line is full"));
        assert_eq!(began.elapsed(), Duration::ZERO, "who cannot stand in line does not wait");
        line.pop();
        assert!(poll!(Box::pin(nothing(&starts))).is_pending(), "there is room again");
        drop(line);
        assert_eq!(starts.line.load(Ordering::Relaxed), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn p10_while_the_database_is_away_a_few_ask_and_all_are_served_when_it_is_back() {
        let starts = Starts::default();
        let (back_at, asked) = (Instant::now() + Duration::from_millis(3_000), Cell::new(0));
        let one = async || {
            let read = async || {
                asked.set(asked.get() + 1);
                if Instant::now() < back_at {
                    return Err(away());
                }
                sleep(TURN).await;
                Ok(())
            };
            starts.read(Patience::begins(), read).await.expect("it is back in time");
            Instant::now()
        };
        let served = futures_util::future::join_all((0..60).map(|_| one())).await;
        let last = served.into_iter().max().unwrap() - back_at;
        let rounds = u32::try_from(60_usize.div_ceil(limits::START_READS)).unwrap();
        assert!(last <= Duration::from_millis(limits::START_ASKS_AGAIN_MS) + TURN * rounds, "{last:?}");
        let each = usize::try_from(3_000 / limits::START_ASKS_AGAIN_MS).unwrap() + 1;
        assert!(asked.get() <= limits::START_READS * each + 60, "asked {} times", asked.get());
    }

    #[tokio::test(start_paused = true)]
    async fn p6_a_database_that_stays_away_or_does_not_answer_is_given_up() {
        let starts = Starts::default();
        let began = Instant::now();
        let patience = Duration::from_millis(limits::START_PATIENCE_MS);
        let gone: Result<(), NotRead> = starts.read(Patience::begins(), || async { Err(away()) }).await;
        assert!(matches!(gone, Err(NotRead::Fault(StoreFault::Unavailable(_)))), "{gone:?}");
        assert!(began.elapsed() <= patience);
        let hangs: Result<(), NotRead> = starts.read(Patience::begins(), std::future::pending).await;
        assert!(matches!(hangs, Err(NotRead::Late)) && began.elapsed() <= 2 * patience, "{hangs:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_asking_again_cannot_mend_is_told_at_once() {
        let starts = Starts::default();
        let broken = || std::future::ready(Err(StoreFault::Broken("for the test".to_owned())));
        let mut read = Box::pin(starts.read::<(), _>(Patience::begins(), broken));
        assert!(matches!(poll!(&mut read), Poll::Ready(Err(NotRead::Fault(StoreFault::Broken(_))))));
    }
}
