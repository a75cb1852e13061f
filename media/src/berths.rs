//! Places for uploads: how many may come in at once, on the node and of one user. What waits in memory is bounded by them (P6).
//! Must never let one user take the places of all (P7), nor keep a place whose upload has ended in any way.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};

use tidings_protocol::ids::UserId;

use crate::limits::{UPLOADS, UPLOADS_PER_USER};

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    by_user: HashMap<UserId, usize>,
}

/// The places of a node.
#[derive(Clone, Debug, Default)]
pub(crate) struct Berths(Arc<Mutex<Taken>>);

/// A place, given back when dropped.
#[derive(Debug)]
#[must_use = "the place is given back when this is dropped"]
pub struct Berth {
    berths: Berths,
    owner: UserId,
}

impl Berths {
    /// A place, if there is one.
    pub(crate) fn take(&self, owner: UserId) -> Option<Berth> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_user = taken.by_user.get(&owner).copied().unwrap_or(0);
        if taken.all >= UPLOADS || of_user >= UPLOADS_PER_USER {
            return None;
        }
        taken.all += 1;
        taken.by_user.insert(owner, of_user + 1);
        tell(taken.all);
        Some(Berth { berths: self.clone(), owner })
    }

    #[cfg(test)]
    fn is_empty(&self) -> bool {
        let taken = self.0.lock().unwrap();
        taken.all == 0 && taken.by_user.is_empty()
    }
}

/// So many uploads are under way.
fn tell(all: usize) {
    // Far below 2^32 by the limit.
    let all = u32::try_from(all).unwrap_or(u32::MAX);
    metrics::gauge!("tidings_media_uploads_under_way").set(f64::from(all));
}

impl Drop for Berth {
    fn drop(&mut self) {
        let mut taken = self.berths.0.lock().unwrap_or_else(PoisonError::into_inner);
        taken.all -= 1;
        tell(taken.all);
        if let Entry::Occupied(mut of_user) = taken.by_user.entry(self.owner) {
            *of_user.get_mut() -= 1;
            if *of_user.get() == 0 {
                of_user.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn p7_one_user_takes_only_their_own_places() {
        let berths = Berths::default();
        let user = |n: u128| UserId(Uuid::from_u128(n));
        let greedy: Vec<_> = (0..UPLOADS).filter_map(|_| berths.take(user(1))).collect();
        assert_eq!(greedy.len(), UPLOADS_PER_USER);
        let others: Vec<_> = (2..).map_while(|n| berths.take(user(n))).collect();
        assert_eq!(greedy.len() + others.len(), UPLOADS);
        drop(greedy);
        assert!(berths.take(user(1)).is_some());
        drop(others);
        assert!(berths.is_empty());
    }
}
