//! How often anybody may try to sign up, log in or refresh, decided before any work is done (P7).
//! Must never grow without bounds, and never lock an account for good: buckets refill by the second.

use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_lc_rs::hmac;
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, DefaultKeyedRateLimiter, NotUntil, Quota, RateLimiter};
use tidings_protocol::error::{ErrorCode, Refusal};
use tidings_protocol::ids::UserId;

use super::secret::DerivedKey;
use crate::client::network;
use crate::config::Config;

/// Buckets kept at the same time of each kind. One is about 50 bytes; a million addresses cannot make it more than a few megabytes.
const BUCKETS: usize = 65_536;
/// Full tables are swept, at most this often.
const SWEEP_EVERY_MS: u64 = 1_000;

/// Passwords of one user that may be tried over their connections to this node a minute: people mistype a few times.
const TRIES_PER_MINUTE: u32 = 5;
/// The same of all users together: a quarter of what two hashers do, so that those who log in find the rest.
const TRIES_PER_MINUTE_OF_ALL: u32 = 120;

/// Buckets by key, of a bounded number.
struct Buckets<K: Hash + Eq + Clone> {
    limiter: DefaultKeyedRateLimiter<K>,
    clock: DefaultClock,
    started: std::time::Instant,
    swept_ms: AtomicU64,
}

impl<K: Hash + Eq + Clone> Buckets<K> {
    fn new(per_minute: u32) -> Self {
        Self {
            limiter: RateLimiter::keyed(quota(per_minute)),
            clock: DefaultClock::default(),
            started: std::time::Instant::now(),
            swept_ms: AtomicU64::new(0),
        }
    }

    fn take(&self, key: &K) -> Result<(), Refusal> {
        if self.limiter.len() >= BUCKETS {
            self.sweep();
            if self.limiter.len() >= 2 * BUCKETS {
                metrics::counter!("tidings_rate_limit_tables_full_total").increment(1);
                return Err(too_fast(Duration::from_millis(SWEEP_EVERY_MS)));
            }
        }
        let taken = self.limiter.check_key(key);
        taken.map_err(|not_until| wait(&not_until, &self.clock))
    }

    /// Forgets buckets that are full again.
    fn sweep(&self) {
        let now = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let last = self.swept_ms.load(Ordering::Relaxed);
        let due = now.saturating_sub(last) >= SWEEP_EVERY_MS;
        let ours = due && self.swept_ms.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if ours {
            self.limiter.retain_recent();
        }
    }
}

/// All limits in front of the REST part.
pub struct Limits {
    sign_ups: Buckets<u64>,
    log_ins: Buckets<u64>,
    refreshes: Buckets<u64>,
    accounts: Buckets<u64>,
    all: DefaultDirectRateLimiter,
    clock: DefaultClock,
    name_key: hmac::Key,
}

impl Limits {
    /// As configured. `names` keys the hash under which accounts are remembered.
    #[must_use]
    pub fn new(config: &Config, names: &DerivedKey) -> Self {
        Self {
            sign_ups: Buckets::new(config.signups_per_minute_per_ip),
            log_ins: Buckets::new(config.logins_per_minute_per_ip),
            refreshes: Buckets::new(config.refreshes_per_minute_per_ip),
            accounts: Buckets::new(config.logins_per_minute_per_account),
            all: RateLimiter::direct(quota(config.logins_per_minute)),
            clock: DefaultClock::default(),
            name_key: hmac::Key::new(hmac::HMAC_SHA256, names.as_slice()),
        }
    }

    /// Before a sign-up.
    ///
    /// # Errors
    /// `rate_limited` with the time to wait.
    pub fn sign_up(&self, from: IpAddr) -> Result<(), Refusal> {
        self.sign_ups.take(&network(from))?;
        self.any()
    }

    /// Before a log-in. The address comes first, so that one address cannot use up what others may try on an account.
    ///
    /// # Errors
    /// `rate_limited` with the time to wait.
    pub fn log_in(&self, from: IpAddr, login: &str) -> Result<(), Refusal> {
        self.log_ins.take(&network(from))?;
        self.any()?;
        let tag = hmac::sign(&self.name_key, login.as_bytes());
        let name = tag.as_ref().first_chunk().expect("HMAC-SHA-256 has 32 bytes");
        self.accounts.take(&u64::from_be_bytes(*name))
    }

    /// Before a refresh or log-out.
    ///
    /// # Errors
    /// `rate_limited` with the time to wait.
    pub fn refresh(&self, from: IpAddr) -> Result<(), Refusal> {
        self.refreshes.take(&network(from))
    }

    fn any(&self) -> Result<(), Refusal> {
        self.all.check().map_err(|not_until| wait(&not_until, &self.clock))
    }
}

/// Limits in front of passwords that come over the socket. Who asks is known: each user has their own, whatever their address.
pub struct PasswordLimits {
    users: Buckets<UserId>,
    all: DefaultDirectRateLimiter,
    clock: DefaultClock,
}

impl Default for PasswordLimits {
    fn default() -> Self {
        let all = RateLimiter::direct(quota(TRIES_PER_MINUTE_OF_ALL));
        Self { users: Buckets::new(TRIES_PER_MINUTE), all, clock: DefaultClock::default() }
    }
}

impl PasswordLimits {
    /// Before a password of `user` is looked at.
    ///
    /// # Errors
    /// `rate_limited` with the time to wait.
    pub fn try_one(&self, user: UserId) -> Result<(), Refusal> {
        self.users.take(&user)?;
        self.all.check().map_err(|not_until| wait(&not_until, &self.clock))
    }
}

fn quota(per_minute: u32) -> Quota {
    Quota::per_minute(NonZeroU32::new(per_minute).unwrap_or(NonZeroU32::MIN))
}

fn wait(not_until: &NotUntil<<DefaultClock as Clock>::Instant>, clock: &DefaultClock) -> Refusal {
    metrics::counter!("tidings_rate_limited_total").increment(1);
    too_fast(not_until.wait_time_from(clock.now()))
}

fn too_fast(wait: Duration) -> Refusal {
    let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).max(1);
    Refusal::new(ErrorCode::RateLimited, "too many attempts").after_ms(wait_ms)
}

#[cfg(test)]
mod tests {
    use super::*;
    use zeroize::Zeroizing;

    fn limits() -> Limits {
        let config = Config { logins_per_minute_per_ip: 3, logins_per_minute_per_account: 5, ..Config::default() };
        Limits::new(&config, &Zeroizing::new([0; 32]))
    }

    fn address(last: u8) -> IpAddr {
        [192, 0, 2, last].into()
    }

    #[test]
    fn one_address_runs_dry_and_is_told_when_to_come_back() {
        let limits = limits();
        for n in 0..3 {
            assert_eq!(limits.log_in(address(1), &format!("user{n}")), Ok(()));
        }
        let refusal = limits.log_in(address(1), "user4").unwrap_err();
        assert_eq!(refusal.code, ErrorCode::RateLimited);
        assert!((1..=20_000).contains(&refusal.retry_after_ms.unwrap()));
        assert_eq!(limits.log_in(address(2), "user4"), Ok(()));
    }

    #[test]
    fn one_account_runs_dry_whoever_tries_but_not_by_one_address_alone() {
        let limits = limits();
        for _ in 0..9 {
            // Refused or not is the point of the other test.
            let _either = limits.log_in(address(1), "victim");
        }
        assert_eq!(limits.log_in(address(2), "victim"), Ok(()));
        assert_eq!(limits.log_in(address(3), "victim"), Ok(()));
        assert!(limits.log_in(address(4), "victim").is_err());
        assert_eq!(limits.log_in(address(4), "somebody_else"), Ok(()));
    }

    #[test]
    fn whoever_holds_a_connection_guesses_five_times_a_minute_and_nobody_else_is_kept_waiting() {
        let limits = PasswordLimits::default();
        let (ann, bob) = (UserId(uuid::Uuid::from_u128(1)), UserId(uuid::Uuid::from_u128(2)));
        for _ in 0..TRIES_PER_MINUTE {
            assert_eq!(limits.try_one(ann), Ok(()));
        }
        assert_eq!(limits.try_one(ann).unwrap_err().code, ErrorCode::RateLimited);
        assert_eq!(limits.try_one(bob), Ok(()));
    }

    #[test]
    fn many_who_guess_together_leave_the_hashers_to_those_who_log_in() {
        let limits = PasswordLimits::default();
        let tried =
            (0..10_000_u128).filter(|user| limits.try_one(UserId(uuid::Uuid::from_u128(*user))).is_ok()).count();
        let most = usize::try_from(TRIES_PER_MINUTE_OF_ALL).unwrap();
        assert!((most..most + 10).contains(&tried), "{tried}");
    }
}
