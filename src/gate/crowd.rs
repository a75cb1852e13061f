//! How many connections there are, in all and from each client address.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use dashmap::DashMap;
use dashmap::mapref::entry::Entry;
use tokio::sync::Notify;

/// The counts.
#[derive(Debug, Default)]
pub(super) struct Crowd {
    by_network: DashMap<u64, usize>,
    all: AtomicUsize,
    left: Notify,
}

impl Crowd {
    /// Lets one more in from a network, if it has fewer than `most`.
    pub(super) fn enter(self: &Arc<Self>, network: u64, most: usize) -> Option<Present> {
        let mut count = self.by_network.entry(network).or_insert(0);
        if *count >= most {
            return None;
        }
        *count += 1;
        drop(count);
        self.all.fetch_add(1, Ordering::Relaxed);
        metrics::gauge!("tidings_connections").increment(1.0);
        Some(Present { crowd: Arc::clone(self), network })
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
        let first = crowd.enter(1, 1).expect("nobody is there yet");
        assert!(crowd.enter(1, 1).is_none());
        let other = crowd.enter(2, 1).expect("another network");
        drop(first);
        assert!(crowd.enter(1, 1).is_some(), "there is room again");
        drop(other);
        assert!(crowd.by_network.is_empty());
        assert_eq!(crowd.all.load(Ordering::Relaxed), 0);
    }
}
