//! How many connections there are, in all and from each client address.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use dashmap::DashMap;
use dashmap::mapref::entry::Entry;
use tokio::sync::Notify;

/// Why somebody was not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turned {
    /// Their network has as many as it may.
    Network,
    /// The node has.
    Full,
}

/// The counts.
#[derive(Debug, Default)]
pub(super) struct Crowd {
    by_network: DashMap<u64, usize>,
    all: AtomicUsize,
    left: Notify,
}

impl Crowd {
    /// Lets one more in from a network, if it has fewer than `most`, and all together fewer than `most_in_all`.
    pub(super) fn enter(self: &Arc<Self>, network: u64, most: usize, most_in_all: usize) -> Result<Present, Turned> {
        let room = |all: usize| (all < most_in_all).then_some(all + 1);
        if self.all.fetch_update(Ordering::Relaxed, Ordering::Relaxed, room).is_err() {
            metrics::counter!("tidings_connections_refused_total", "reason" => "full").increment(1);
            return Err(Turned::Full);
        }
        // From here on it is counted; dropping it takes it out again.
        metrics::gauge!("tidings_connections").increment(1.0);
        let mut count = self.by_network.entry(network).or_insert(0);
        *count += 1;
        let too_many = *count > most;
        drop(count);
        let present = Present { crowd: Arc::clone(self), network };
        if too_many {
            metrics::counter!("tidings_connections_refused_total", "reason" => "network").increment(1);
            return Err(Turned::Network);
        }
        Ok(present)
    }

    /// Waits until nobody is there.
    pub(super) async fn gone(&self) {
        loop {
            let left = self.left.notified();
            if self.all.load(Ordering::Relaxed) == 0 {
                return;
            }
            left.await;
        }
    }

    fn leave(&self, network: u64) {
        if let Entry::Occupied(mut count) = self.by_network.entry(network) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
        metrics::gauge!("tidings_connections").decrement(1.0);
        if self.all.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.left.notify_waiters();
        }
    }
}

/// One connection that is counted, until it is dropped.
#[derive(Debug)]
pub(super) struct Present {
    crowd: Arc<Crowd>,
    network: u64,
}

impl Drop for Present {
    fn drop(&mut self) {
        self.crowd.leave(self.network);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_network_has_its_own_bound_and_leaves_nothing_behind() {
        let crowd = Arc::new(Crowd::default());
        let first = crowd.enter(1, 1, 9).expect("nobody is there yet");
        assert_eq!(crowd.enter(1, 1, 9).err(), Some(Turned::Network));
        let other = crowd.enter(2, 1, 9).expect("another network");
        assert_eq!(crowd.enter(3, 1, 2).err(), Some(Turned::Full));
        drop(first);
        assert!(crowd.enter(1, 1, 2).is_ok(), "there is room again");
        drop(other);
        assert!(crowd.by_network.is_empty());
        assert_eq!(crowd.all.load(Ordering::Relaxed), 0);
    }
}
