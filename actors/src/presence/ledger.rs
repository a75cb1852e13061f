//! What a node knows of its own and tells the peers, by key, and what it has heard of a peer's. A change is told once and may be lost; walking
//! over all keys, stretch by stretch, tells everything again, so that each stretch by itself puts right what was lost in it.
//! Must never depend on two messages arriving together or in order.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use serde::{Deserialize, Serialize};

use crate::limits::{WHISPER_CHANGES, WHISPER_STRETCH};

/// All that there is between two keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stretch<K, V> {
    /// After this key; from the first if absent.
    pub after: Option<K>,
    /// Up to this key, inclusive; to the last if absent.
    pub until: Option<K>,
    /// Everything in between, ascending.
    pub items: Vec<(K, V)>,
}

/// What one message says of a ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part<K, V> {
    /// What has changed; none: it is no longer there.
    pub changed: Vec<(K, Option<V>)>,
    /// The walk goes on.
    pub stretch: Option<Stretch<K, V>>,
}

impl<K, V> Default for Part<K, V> {
    fn default() -> Self {
        Self { changed: Vec::new(), stretch: None }
    }
}

impl<K: Ord, V> Part<K, V> {
    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        self.changed.is_empty() && self.stretch.is_none()
    }

    /// Whether a node of ours can have said it: within bounds, and each stretch in order.
    pub fn is_sound(&self) -> bool {
        let in_order = self.stretch.as_ref().is_none_or(|stretch| {
            let after =
                stretch.items.first().is_none_or(|(key, _)| stretch.after.as_ref().is_none_or(|after| after < key));
            let until =
                stretch.items.last().is_none_or(|(key, _)| stretch.until.as_ref().is_none_or(|until| key <= until));
            let ends = stretch.after.is_none() || stretch.until.is_none() || stretch.after < stretch.until;
            let ascending = stretch.items.is_sorted_by(|(one, _), (next, _)| one < next);
            stretch.items.len() <= WHISPER_STRETCH && after && until && ends && ascending
        });
        self.changed.len() <= WHISPER_CHANGES && in_order
    }
}

/// How far the walk over all keys has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Walk<K> {
    Rests,
    /// Goes on after this key; at the first, if absent.
    Goes(Option<K>),
}

/// One's own.
#[derive(Debug)]
pub(super) struct Own<K, V> {
    items: BTreeMap<K, V>,
    /// Keys of which the peers have not been told yet.
    changed: BTreeSet<K>,
    walk: Walk<K>,
}

impl<K, V> Default for Own<K, V> {
    fn default() -> Self {
        Self { items: BTreeMap::new(), changed: BTreeSet::new(), walk: Walk::Rests }
    }
}

impl<K: Copy + Ord, V: Copy + PartialEq> Own<K, V> {
    pub fn get(&self, key: &K) -> Option<V> {
        self.items.get(key).copied()
    }

    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Puts in, replaces or takes away.
    pub fn set(&mut self, key: K, value: Option<V>) {
        let was = match value {
            Some(value) => self.items.insert(key, value),
            None => self.items.remove(&key),
        };
        if was != value {
            self.changed.insert(key);
        }
    }

    /// Whether the last walk is over.
    pub fn rests(&self) -> bool {
        self.walk == Walk::Rests
    }

    /// Begins to tell everything again.
    pub fn walk(&mut self) {
        self.walk = Walk::Goes(None);
    }

    /// What the next message says.
    pub fn part(&mut self) -> Part<K, V> {
        let mut changed = Vec::new();
        while changed.len() < WHISPER_CHANGES
            && let Some(key) = self.changed.pop_first()
        {
            changed.push((key, self.get(&key)));
        }
        Part { changed, stretch: self.stretch() }
    }

    fn stretch(&mut self) -> Option<Stretch<K, V>> {
        let Walk::Goes(after) = self.walk else {
            return None;
        };
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut ahead = self.items.range((from, Bound::Unbounded));
        let items: Vec<(K, V)> = ahead.by_ref().take(WHISPER_STRETCH).map(|(key, value)| (*key, *value)).collect();
        let more = ahead.next().is_some();
        let until = items.last().map(|(key, _)| *key).filter(|_| more);
        self.walk = until.map_or(Walk::Rests, |key| Walk::Goes(Some(key)));
        Some(Stretch { after, until, items })
    }
}

/// A peer's, as far as it has been heard.
#[derive(Debug)]
pub(super) struct Theirs<K, V> {
    items: BTreeMap<K, V>,
}

impl<K, V> Default for Theirs<K, V> {
    fn default() -> Self {
        Self { items: BTreeMap::new() }
    }
}

impl<K: Copy + Ord, V: Copy + PartialEq> Theirs<K, V> {
    pub fn get(&self, key: &K) -> Option<V> {
        self.items.get(key).copied()
    }

    pub fn iter(&self) -> impl Iterator<Item = (K, V)> {
        self.items.iter().map(|(key, value)| (*key, *value))
    }

    /// Takes in what the peer says, holding at most so many keys; calls `touched` with each key that has changed. Says how many had no room.
    pub fn take(&mut self, part: &Part<K, V>, most: usize, mut touched: impl FnMut(K)) -> usize {
        let mut without_room = 0;
        if let Some(stretch) = &part.stretch {
            let from = stretch.after.map_or(Bound::Unbounded, Bound::Excluded);
            let until = stretch.until.map_or(Bound::Unbounded, Bound::Included);
            let there = |key: &K| stretch.items.binary_search_by(|(item, _)| item.cmp(key)).is_ok();
            let gone: Vec<K> = self.items.range((from, until)).map(|(key, _)| *key).filter(|key| !there(key)).collect();
            for key in gone {
                self.items.remove(&key);
                touched(key);
            }
            for (key, value) in &stretch.items {
                without_room += self.set(*key, Some(*value), most, &mut touched);
            }
        }
        // After the stretch: a change that is told in the same message is in the stretch as well, or gone from it.
        for (key, value) in &part.changed {
            without_room += self.set(*key, *value, most, &mut touched);
        }
        without_room
    }

    fn set(&mut self, key: K, value: Option<V>, most: usize, touched: &mut impl FnMut(K)) -> usize {
        let Some(value) = value else {
            if self.items.remove(&key).is_some() {
                touched(key);
            }
            return 0;
        };
        if self.items.len() >= most && !self.items.contains_key(&key) {
            return 1;
        }
        if self.items.insert(key, value) != Some(value) {
            touched(key);
        }
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Dice;

    fn all(theirs: &Theirs<u64, u64>) -> Vec<(u64, u64)> {
        theirs.iter().collect()
    }

    #[test]
    fn p6_a_part_holds_only_so_much_and_the_rest_follows() {
        let mut own = Own::default();
        let many = 3 * WHISPER_CHANGES as u64;
        (0..many).for_each(|key| own.set(key, Some(key)));
        let mut theirs = Theirs::default();
        for _ in 0..3 {
            let part = own.part();
            assert!(part.is_sound() && part.changed.len() == WHISPER_CHANGES, "{}", part.changed.len());
            assert_eq!(theirs.take(&part, usize::MAX, |_| {}), 0);
        }
        assert!(own.part().is_empty());
        assert_eq!(all(&theirs).len(), 3 * WHISPER_CHANGES);
        own.walk();
        let mut stretches = 0;
        while !own.rests() {
            let part = own.part();
            assert!(part.is_sound() && part.changed.is_empty());
            stretches += 1;
        }
        assert_eq!(stretches, (3 * WHISPER_CHANGES).div_ceil(WHISPER_STRETCH));
    }

    #[test]
    fn p6_a_peer_that_tells_too_much_is_heard_only_in_part() {
        let mut theirs = Theirs::default();
        let changed = (0..10_u64).map(|key| (key, Some(key))).collect();
        assert_eq!(theirs.take(&Part { changed, stretch: None }, 4, |_| {}), 6);
        assert_eq!(all(&theirs).len(), 4);
        let known = Part { changed: vec![(0, Some(7)), (1, None), (9, Some(9))], stretch: None };
        assert_eq!(theirs.take(&known, 4, |_| {}), 0, "what is known may change, and what goes makes room");
    }

    #[test]
    fn what_no_node_of_ours_says_is_not_sound() {
        let stretch = |after, until, keys: &[u64]| Part::<u64, u64> {
            changed: Vec::new(),
            stretch: Some(Stretch { after, until, items: keys.iter().map(|key| (*key, 0)).collect() }),
        };
        assert!(stretch(None, None, &[]).is_sound() && stretch(Some(1), Some(3), &[2, 3]).is_sound());
        assert!(!stretch(None, None, &[2, 1]).is_sound() && !stretch(None, None, &[1, 1]).is_sound());
        assert!(!stretch(Some(2), None, &[2]).is_sound() && !stretch(None, Some(2), &[3]).is_sound());
        assert!(!stretch(Some(5), Some(2), &[]).is_sound() && !stretch(Some(5), Some(5), &[]).is_sound());
        let many: Vec<u64> = (0..=WHISPER_STRETCH as u64).collect();
        assert!(!stretch(None, None, &many).is_sound());
        let changed = vec![(0, None); WHISPER_CHANGES + 1];
        assert!(!Part::<u64, u64> { changed, stretch: None }.is_sound());
    }

    /// Whatever is lost: one whole walk tells the peer everything, and what it was told to have changed is what has.
    #[test]
    fn one_walk_puts_right_whatever_was_lost() {
        for seed in 0..300 {
            let mut dice = Dice::of(seed);
            let (mut own, mut theirs) = (Own::default(), Theirs::<u64, u64>::default());
            let mut heard = BTreeMap::new();
            let keys = dice.one_of(&[5, 50, 3 * WHISPER_STRETCH as u64]);
            for step in 0..dice.between(1, 200) {
                for _ in 0..dice.below(20) {
                    own.set(dice.below(keys), (!dice.percent(30)).then_some(step));
                }
                if own.rests() && dice.percent(20) {
                    own.walk();
                }
                let part = own.part();
                assert!(part.is_sound());
                if dice.percent(60) {
                    take(&mut theirs, &part, &mut heard);
                }
            }
            own.walk();
            while !own.rests() {
                take(&mut theirs, &own.part(), &mut heard);
            }
            assert_eq!(all(&theirs), own.items.iter().map(|(key, value)| (*key, *value)).collect::<Vec<_>>());
            assert_eq!(all(&theirs), heard.into_iter().collect::<Vec<_>>(), "a change that was not told");
        }
    }

    fn take(theirs: &mut Theirs<u64, u64>, part: &Part<u64, u64>, heard: &mut BTreeMap<u64, u64>) {
        let mut touched = Vec::new();
        assert_eq!(theirs.take(part, usize::MAX, |key| touched.push(key)), 0);
        for key in touched {
            match theirs.get(&key) {
                Some(value) => heard.insert(key, value),
                None => heard.remove(&key),
            };
        }
    }
}
