//! Tells the clients what to do and when, whether or not the server keeps up: an open loop.
//! Must never wait for a client, and must never pile up more for one than is asked of it in a few seconds.

use std::rc::Rc;
use std::time::Duration;

use anyhow::Result;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::{Instant, sleep_until};

use super::client::Order;
use super::intent::Intents;
use super::mischief::Mischief;
use super::stage::Stage;

/// How often to look whether it is over.
const LOOK: Duration = Duration::from_millis(20);
/// Orders and requests that one client may be behind; what would be more is not asked.
const BEHIND: usize = 256;
/// Watching, leaving, cuts and the like: so many a second for each client.
const MISCHIEF_PER_CLIENT: f64 = 0.25;

/// The load.
pub struct Load {
    /// Changes that were not asked because their client was too far behind.
    pub skipped: u64,
    stage: Rc<Stage>,
    orders: Vec<UnboundedSender<Order>>,
    intents: Intents,
    mischief: Mischief,
    pace: StdRng,
    rate: f64,
}

impl Load {
    /// Of a seed, with so many changes a second.
    #[must_use]
    pub fn new(stage: Rc<Stage>, orders: Vec<UnboundedSender<Order>>, seed: u64, rate: f64) -> Self {
        let clients = u32::try_from(orders.len()).unwrap_or(u32::MAX);
        Self {
            skipped: 0,
            stage,
            orders,
            intents: Intents::of(seed, clients),
            mischief: Mischief::of(seed, clients),
            pace: StdRng::seed_from_u64(seed ^ 0x7061_6365),
            rate,
        }
    }

    /// Goes on until the end, once that is known; says how long it was.
    ///
    /// # Errors
    /// The examination cannot go on.
    pub async fn run(&mut self, end: impl Fn() -> Option<Instant>) -> Result<Duration> {
        let began = Instant::now();
        let (mut change, mut mischief) = (began, began);
        let clients = u32::try_from(self.orders.len()).map_or(f64::MAX, f64::from);
        loop {
            if let Some(cause) = self.stage.take_broken() {
                return Err(cause);
            }
            let now = Instant::now();
            let end = end();
            if end.is_some_and(|end| now >= end) {
                return Ok(began.elapsed());
            }
            while change <= now {
                self.change();
                change += self.pause(self.rate);
            }
            while mischief <= now {
                self.make_mischief();
                mischief += self.pause(MISCHIEF_PER_CLIENT * clients);
            }
            let wake = change.min(mischief).min(now + LOOK);
            sleep_until(wake).await;
            self.stage.lag(wake.elapsed());
        }
    }

    /// Poisson: what people do is not evenly spaced.
    fn pause(&mut self, per_second: f64) -> Duration {
        let lot: f64 = self.pace.random_range(f64::EPSILON..1.0);
        Duration::try_from_secs_f64(-lot.ln() / per_second).unwrap_or(Duration::MAX)
    }

    fn change(&mut self) {
        if let Some(intent) = self.intents.next() {
            self.tell(intent.client, Order::Do(intent));
        }
    }

    fn make_mischief(&mut self) {
        let (client, order) = self.mischief.next(&self.stage);
        if let Some(order) = order {
            self.tell(client, order);
        }
    }

    fn tell(&mut self, client: u32, order: Order) {
        let (mut behind, mut away) = (0, false);
        self.stage.seat(client, |seat| (behind, away) = (seat.queued + seat.waiting, !seat.connected));
        // Who is away has no line to lose.
        if away && matches!(order, Order::Cut | Order::Stall(_) | Order::LogOut) {
            return;
        }
        if behind >= BEHIND {
            self.skipped += 1;
            return;
        }
        if let Some(told) = self.orders.get(client as usize)
            && told.send(order).is_ok()
        {
            self.stage.seat(client, |seat| seat.queued += 1);
        }
    }
}
