//! What clients do besides changes: watch and leave feeds, lose the line, stop reading, log out. The seed decides.
//! Must never disturb the moments after a fault in which recovery is measured.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::{PostId, UserId};
use tokio::time::Instant;

use super::client::Order;
use super::stage::Stage;

/// Log-ins cost the server a password hash, and it limits them.
const BETWEEN_LOG_OUTS: Duration = Duration::from_secs(4);
/// How long a client reads nothing, in milliseconds.
const STALL_MS: std::ops::Range<u64> = 100..2_500;

/// The stream of it.
pub struct Mischief {
    rng: StdRng,
    clients: u32,
    logged_out: Option<Instant>,
}

impl Mischief {
    /// Of a seed.
    #[must_use]
    pub fn of(seed: u64, clients: u32) -> Self {
        Self { rng: StdRng::seed_from_u64(seed ^ 0x6d69_7363), clients, logged_out: None }
    }

    /// Who does what next; nothing if it would disturb.
    pub fn next(&mut self, stage: &Stage) -> (u32, Option<Order>) {
        let client = self.rng.random_range(0..self.clients);
        let (kind, pick) = (self.rng.random_range(0..100), self.rng.random());
        let stall = Duration::from_millis(self.rng.random_range(STALL_MS));
        let order = match kind {
            0..40 => Some(Order::Watch(feed(pick, stage))),
            40..70 => Some(Order::Unwatch(pick)),
            // From here on it would look like a slow recovery.
            _ if stage.is_calm() => None,
            70..90 => Some(Order::Cut),
            90..94 => Some(Order::Stall(stall)),
            _ if self.logged_out.is_none_or(|before| before.elapsed() >= BETWEEN_LOG_OUTS) => {
                self.logged_out = Some(Instant::now());
                Some(Order::LogOut)
            }
            _ => None,
        };
        (client, order)
    }
}

fn feed(pick: u32, stage: &Stage) -> FeedName {
    let world = stage.world.borrow();
    match (pick % 8, world.post(None, pick / 8)) {
        (0, _) => FeedName::Me,
        (1, _) => FeedName::Home,
        (2, _) => FeedName::Global,
        (3..6, Some(post)) => FeedName::Post(PostId(post.id)),
        _ => FeedName::User(UserId(world.people[pick as usize / 8 % world.people.len()])),
    }
}
