//! Users online on this node: who is here, on how many connections, and with what budget.

pub mod actor;
pub mod machine;
pub mod turns;

use std::num::NonZeroU32;
use std::sync::Arc;

use actix::{Actor, Addr};
use dashmap::DashMap;
use dashmap::mapref::entry::Entry;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use tidings_protocol::ids::{SessionId, UserId};
use tidings_protocol::limits::CONNECTIONS_PER_USER;
use tokio::sync::oneshot;

use crate::ports::{Reads, StoreFault, Viewer};
use actor::{Message, User};
use turns::Turns;

/// What requests are charged to.
#[derive(Debug)]
pub struct Budget(DefaultDirectRateLimiter);

impl Budget {
    /// A full budget of so many points a minute.
    #[must_use]
    pub fn per_minute(points: u32) -> Self {
        Self(RateLimiter::direct(Quota::per_minute(NonZeroU32::new(points).unwrap_or(NonZeroU32::MIN))))
    }

    /// Takes points.
    ///
    /// # Errors
    /// In how many milliseconds they would be there.
    pub fn charge(&self, points: u32) -> Result<(), u64> {
        use governor::clock::{Clock, DefaultClock};
        let Some(points) = NonZeroU32::new(points) else {
            return Ok(());
        };
        match self.0.check_n(points) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(not_until)) => {
                let wait = not_until.wait_time_from(DefaultClock::default().now());
                Err(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).max(1))
            }
            // More than the whole budget at once: a server configured so small that it never fits.
            Err(_) => Err(60_000),
        }
    }
}

struct Online {
    user: Addr<User>,
    budget: Arc<Budget>,
    connections: usize,
}

impl Online {
    /// An actor that has failed is replaced; it holds nothing that would be missed.
    fn revive(&mut self, user: UserId, reads: &Arc<dyn Reads>) {
        if !self.user.connected() {
            self.user = User::new(user, Arc::clone(reads)).start();
        }
    }
}

/// Everybody online on this node.
pub struct Users {
    online: DashMap<UserId, Online>,
    reads: Arc<dyn Reads>,
    points_per_minute: u32,
    turns: Turns,
}

/// Why somebody could not take a seat.
#[derive(Debug)]
pub enum NotSeated {
    /// They hold as many connections as allowed.
    TooMany,
    /// There is no such account.
    NoAccount,
    /// The log-in has ended.
    Revoked,
    /// It could not be found out.
    Unavailable,
}

impl Users {
    /// Nobody yet.
    #[must_use]
    pub fn new(reads: Arc<dyn Reads>, points_per_minute: u32) -> Arc<Self> {
        Arc::new(Self { online: DashMap::new(), reads, points_per_minute, turns: Turns::default() })
    }

    /// Users online.
    #[must_use]
    pub fn count(&self) -> usize {
        self.online.len()
    }

    /// Gives a connection of `user` a seat.
    ///
    /// # Errors
    /// They hold too many.
    pub fn sit(self: &Arc<Self>, user: UserId) -> Result<Seat, NotSeated> {
        let budget = match self.online.entry(user) {
            Entry::Occupied(mut here) => {
                let online = here.get_mut();
                online.revive(user, &self.reads);
                if online.connections >= CONNECTIONS_PER_USER {
                    return Err(NotSeated::TooMany);
                }
                online.connections += 1;
                Arc::clone(&online.budget)
            }
            Entry::Vacant(place) => {
                let addr = User::new(user, Arc::clone(&self.reads)).start();
                let budget = Arc::new(Budget::per_minute(self.points_per_minute));
                place.insert(Online { user: addr, budget: Arc::clone(&budget), connections: 1 });
                budget
            }
        };
        Ok(Seat { users: Arc::clone(self), user, budget })
    }

    /// The actor of somebody who has a seat.
    fn actor_of(&self, user: UserId) -> Option<Addr<User>> {
        let mut online = self.online.get_mut(&user)?;
        online.revive(user, &self.reads);
        Some(online.user.clone())
    }

    fn stand_up(&self, user: UserId) {
        if let Entry::Occupied(mut here) = self.online.entry(user) {
            here.get_mut().connections -= 1;
            if here.get().connections == 0 {
                // The actor ends with its last address.
                here.remove();
            }
        }
    }
}

/// One connection's seat at its user; given back when dropped.
pub struct Seat {
    users: Arc<Users>,
    user: UserId,
    /// Shared by all connections of the user on this node.
    pub budget: Arc<Budget>,
}

impl Seat {
    /// The user changes how they stand to somebody.
    ///
    /// # Errors
    /// In how many milliseconds they may.
    pub fn turn(&self, whom: UserId, weight: u32) -> Result<(), u64> {
        self.users.turns.take(self.user, whom, weight)
    }

    /// Looks the user up, as of some `seq`.
    ///
    /// # Errors
    /// The database cannot say. Inside: no such account, or the log-in has ended.
    pub async fn look_up(&self, session: SessionId) -> Result<Result<Viewer, NotSeated>, StoreFault> {
        let (to, answer) = oneshot::channel();
        let gone = || StoreFault::Unavailable("whoever looks this user up has failed".to_owned());
        let actor = self.users.actor_of(self.user).ok_or_else(gone)?;
        actor.do_send(Message::LookUp { session, to });
        Ok(match answer.await.map_err(|_| gone())?? {
            Some(viewer) if viewer.session_live => Ok(viewer),
            Some(_) => Err(NotSeated::Revoked),
            None => Err(NotSeated::NoAccount),
        })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.users.stand_up(self.user);
    }
}
