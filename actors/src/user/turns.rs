//! How often somebody may change how they stand to somebody else. A block starts the other's feeds afresh, whatever it is worth to them: done
//! over and over it would keep them from reading, and the database busy (P7).
//! Must never grow without bounds.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use tidings_protocol::ids::UserId;
use tidings_protocol::request::Method;

use crate::clock::{since, whole_since};
use crate::limits::{TURN_AWAY, TURNS_KEPT, TURNS_PER_MINUTE, TURNS_SWEEP_MS};

/// Whom a request turns to or from, and what it weighs: how the asker stands to them changes by it.
#[must_use]
pub const fn turned_to(method: &Method) -> Option<(UserId, u32)> {
    if let Method::UserFollow(user) | Method::UserUnfollow(user) = method {
        Some((user.id, 1))
    } else if let Method::UserBlock(user) | Method::UserUnblock(user) | Method::UserUnmute(user) = method {
        Some((user.id, TURN_AWAY))
    } else if let Method::UserMute(mute) = method {
        Some((mute.id, TURN_AWAY))
    } else {
        None
    }
}

/// The node's clock, as the limiter reads it.
#[derive(Clone, Debug)]
struct Since(Instant);

impl Clock for Since {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        Nanos::from(whole_since(self.0))
    }
}

type Pair = (UserId, UserId);

/// Turns of everybody here, by who turns and to whom.
pub struct Turns {
    limiter: RateLimiter<Pair, DashMapStateStore<Pair>, Since, NoOpMiddleware<Nanos>>,
    started: Instant,
    swept_ms: AtomicU64,
}

impl Default for Turns {
    fn default() -> Self {
        let quota = Quota::per_minute(NonZeroU32::new(TURNS_PER_MINUTE).unwrap_or(NonZeroU32::MIN));
        let started = tokio::time::Instant::now().into_std();
        Self { limiter: RateLimiter::dashmap_with_clock(quota, Since(started)), started, swept_ms: AtomicU64::new(0) }
    }
}

impl Turns {
    /// One more, of this weight.
    ///
    /// # Errors
    /// In how many milliseconds it may be.
    pub fn take(&self, who: UserId, whom: UserId, weight: u32) -> Result<(), u64> {
        let weight = NonZeroU32::new(weight).unwrap_or(NonZeroU32::MIN);
        if self.limiter.len() >= TURNS_KEPT {
            self.sweep();
            if self.limiter.len() >= 2 * TURNS_KEPT {
                metrics::counter!("tidings_rate_limit_tables_full_total").increment(1);
                return Err(TURNS_SWEEP_MS);
            }
        }
        match self.limiter.check_key_n(&(who, whom), weight) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(not_until)) => {
                let wait = not_until.wait_time_from(self.limiter.clock().now());
                Err(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).max(1))
            }
            // More than a minute's: there is no such weight, by the assertion of the limits.
            Err(_) => Err(60_000),
        }
    }

    /// Forgets those who have not turned lately.
    fn sweep(&self) {
        let (now, last) = (since(self.started), self.swept_ms.load(Ordering::Relaxed));
        let due = now.saturating_sub(last) >= TURNS_SWEEP_MS;
        if due && self.swept_ms.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            self.limiter.retain_recent();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::user;

    #[test]
    fn p7_nobody_is_turned_to_and_from_over_and_over_and_others_are_not_kept_from_it() {
        let turns = Turns::default();
        for _ in 0..TURNS_PER_MINUTE / TURN_AWAY {
            assert_eq!(turns.take(user(1), user(2), TURN_AWAY), Ok(()));
        }
        let wait = turns.take(user(1), user(2), TURN_AWAY).unwrap_err();
        assert!((1..=10_000).contains(&wait), "{wait}");
        assert!(turns.take(user(1), user(2), 1).is_err(), "nor by a lighter way");
        assert_eq!(turns.take(user(1), user(3), TURN_AWAY), Ok(()), "somebody else");
        assert_eq!(turns.take(user(2), user(1), TURN_AWAY), Ok(()), "the other way");
    }

    #[test]
    fn p6_what_is_remembered_is_bounded() {
        let turns = Turns::default();
        let most = u64::try_from(2 * TURNS_KEPT).unwrap();
        let taken = (0..most + 1_000).filter(|other| turns.take(user(1), user(*other), 1).is_ok()).count();
        assert_eq!(taken, 2 * TURNS_KEPT);
    }
}
