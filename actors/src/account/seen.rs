//! When log-ins were last connected: gathered in memory, written down now and then, all of a node's together.
//! Must never wait or write on the way of a request, nor hold more than its bound: what is lost is some minutes of "last seen".

use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};

use rustc_hash::FxHashMap;
use tidings_protocol::ids::SessionId;

use crate::limits::{SEEN_AGAIN_MS, SEEN_WAITING};

/// A log-in that was connected, and what its connection called itself, if it said.
pub type Sighting = (SessionId, Option<Arc<str>>);

/// Log-ins that were connected since the last time this was written down.
#[derive(Debug, Default)]
pub struct Seen {
    waiting: Mutex<FxHashMap<SessionId, Option<Arc<str>>>>,
}

impl Seen {
    /// A log-in is connected.
    fn note(&self, session: SessionId, client: Option<Arc<str>>) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let full = waiting.len() >= SEEN_WAITING;
        match waiting.entry(session) {
            Entry::Occupied(mut noted) => {
                if client.is_some() {
                    noted.insert(client);
                }
            }
            Entry::Vacant(_) if full => metrics::counter!("tidings_seen_dropped_total").increment(1),
            Entry::Vacant(place) => {
                place.insert(client);
            }
        }
    }

    /// All that is to be written down; it is forgotten here.
    #[must_use]
    pub fn take_all(&self) -> Vec<Sighting> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *waiting).into_iter().collect()
    }

    /// What is to be written down of one log-in.
    #[must_use]
    pub fn take(&self, session: SessionId) -> Option<Sighting> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.remove_entry(&session)
    }
}

/// The connection of a log-in: noted when it comes, once in a while as long as it is there, and when it goes.
#[derive(Debug)]
pub struct Presence {
    seen: Arc<Seen>,
    session: SessionId,
    noted_at: u64,
}

impl Presence {
    /// A connection has come, at `now` on the node's clock.
    #[must_use]
    pub fn begins(seen: Arc<Seen>, session: SessionId, client: Option<Arc<str>>, now: u64) -> Self {
        seen.note(session, client);
        Self { seen, session, noted_at: now }
    }

    /// It is still there.
    pub fn goes_on(&mut self, now: u64) {
        if now.saturating_sub(self.noted_at) >= SEEN_AGAIN_MS {
            self.noted_at = now;
            self.seen.note(self.session, None);
        }
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.seen.note(self.session, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(number: u128) -> SessionId {
        SessionId(uuid::Uuid::from_u128(number))
    }

    #[test]
    fn a_connection_is_noted_when_it_comes_now_and_then_and_when_it_goes() {
        let seen = Arc::new(Seen::default());
        let mut presence = Presence::begins(Arc::clone(&seen), session(1), Some("web/1".into()), 1_000);
        assert_eq!(seen.take_all(), [(session(1), Some("web/1".into()))]);
        presence.goes_on(1_000 + SEEN_AGAIN_MS - 1);
        assert_eq!(seen.take_all(), [], "not on every heartbeat");
        presence.goes_on(1_000 + SEEN_AGAIN_MS);
        presence.goes_on(1_001 + SEEN_AGAIN_MS);
        assert_eq!(seen.take_all(), [(session(1), None)]);
        drop(presence);
        assert_eq!(seen.take(session(1)), Some((session(1), None)));
        assert_eq!(seen.take_all(), []);
    }

    #[test]
    fn a_name_is_not_forgotten_because_its_connection_goes_on() {
        let seen = Arc::new(Seen::default());
        drop(Presence::begins(Arc::clone(&seen), session(1), Some("web/1".into()), 0));
        assert_eq!(seen.take_all(), [(session(1), Some("web/1".into()))]);
    }

    #[test]
    fn more_than_the_bound_is_dropped() {
        let seen = Arc::new(Seen::default());
        for number in 0..=SEEN_WAITING {
            seen.note(session(u128::try_from(number).unwrap()), None);
        }
        seen.note(session(0), Some("known already".into()));
        let mut noted = seen.take_all();
        assert_eq!(noted.len(), SEEN_WAITING);
        noted.retain(|(_, client)| client.is_some());
        assert_eq!(noted.len(), 1, "who is in may still be told about");
    }
}
