//! Who follows whom, by the journal, as far as it is known: some requests to follow have no answer.
//! Must never take what is in doubt for known, in either direction.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use super::clock::Clock;

/// All pairs of one life of the journal.
#[derive(Default)]
pub(super) struct Circles {
    pairs: HashMap<(Uuid, Uuid), Pair>,
    /// Whom somebody followed, each time that was told as a whole, by its `seq`.
    lists: HashMap<Uuid, Vec<(u64, HashSet<Uuid>)>>,
}

#[derive(Default)]
struct Pair {
    /// Ascending.
    turns: Vec<Turn>,
    doubts: Vec<Doubt>,
}

/// The journal says that it began or ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turn {
    /// The entry.
    pub seq: u64,
    /// It began.
    pub active: bool,
    /// The record of the request; 0 where none is known.
    pub asked: usize,
    /// The record of the answer.
    pub told: Option<usize>,
}

/// A request that may have been done, unseen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Doubt {
    /// Not before this entry…
    pub from: u64,
    /// … nor after this one.
    pub to: u64,
    /// The record of the request.
    pub asked: usize,
    /// It was to begin.
    pub active: bool,
}

/// Changes of one pair that may be under way at the same time.
const IN_FLIGHT: usize = 64;

/// A moment in the history.
#[derive(Clone, Copy)]
pub(super) struct Now<'a> {
    /// Where.
    pub record: usize,
    /// The highest entry that anybody had seen.
    pub reached: u64,
    /// Its clock.
    pub clock: &'a Clock,
    /// How long it may take until a change holds.
    pub patience: u64,
}

impl Circles {
    /// Notes a change; in any order.
    pub fn turn(&mut self, follower: Uuid, followee: Uuid, turn: Turn) {
        self.pairs.entry((follower, followee)).or_default().turns.push(turn);
    }

    /// Notes a request without an answer.
    pub fn doubt(&mut self, follower: Uuid, followee: Uuid, doubt: Doubt) {
        self.pairs.entry((follower, followee)).or_default().doubts.push(doubt);
    }

    /// Notes a list of all whom somebody follows.
    pub fn list(&mut self, follower: Uuid, seq: u64, followees: HashSet<Uuid>) {
        let lists = self.lists.entry(follower).or_default();
        // Told as it was before: only the latest time is of interest, and the first.
        if lists.len() > 1 && lists.last().is_some_and(|(last, list)| *last <= seq && *list == followees) {
            lists.pop();
        }
        lists.push((seq, followees));
    }

    /// Called once, when all has been noted.
    pub fn arrange(&mut self) {
        self.pairs.values_mut().for_each(|pair| pair.turns.sort_by_key(|turn| turn.seq));
        self.lists.values_mut().for_each(|lists| lists.sort_by_key(|(seq, _)| *seq));
    }

    /// Whether it is known, as of an entry, that one follows the other or does not. Oneself always.
    pub fn surely(&self, follower: Uuid, followee: Uuid, seq: u64) -> Option<bool> {
        if follower == followee {
            return Some(true);
        }
        let pair = self.pairs.get(&(follower, followee));
        let turn = pair.and_then(|pair| pair.last_turn(seq));
        let since = turn.map_or(0, |turn| turn.seq);
        if pair.is_some_and(|pair| pair.is_in_doubt(since, seq)) {
            let lists = self.lists.get(&follower)?;
            let place = lists.partition_point(|(told, _)| *told <= seq).checked_sub(1)?;
            let (told, list) = lists.get(place)?;
            let settled = *told > since && !pair.is_some_and(|pair| pair.is_in_doubt(*told, seq));
            return settled.then(|| list.contains(&followee));
        }
        if let Some(turn) = turn {
            return Some(turn.active);
        }
        self.at_first(follower, followee, seq)
    }

    /// Before the first change that is known; nothing is in doubt up to this entry.
    fn at_first(&self, follower: Uuid, followee: Uuid, seq: u64) -> Option<bool> {
        let pair = self.pairs.get(&(follower, followee));
        let is_quiet = |until: u64| !pair.is_some_and(|pair| pair.is_in_doubt(seq, until));
        let first = pair.and_then(|pair| pair.turns.first());
        // A turn is a change: before the first, it was the other way round.
        if let Some(first) = first.filter(|first| is_quiet(first.seq)) {
            return Some(!first.active);
        }
        let (told, list) = self.lists.get(&follower)?.first()?;
        let is_before = first.is_none_or(|first| *told < first.seq);
        (is_before && (*told <= seq || is_quiet(*told))).then(|| list.contains(&followee))
    }

    /// Whether one is known to have followed the other all the time, with no change in `from + 1 ..= to`.
    pub fn steady(&self, follower: Uuid, followee: Uuid, from: u64, to: u64) -> bool {
        let pair = self.pairs.get(&(follower, followee));
        let turned = pair.and_then(|pair| pair.last_turn(to)).is_some_and(|turn| turn.seq > from);
        !turned
            && !pair.is_some_and(|pair| pair.is_in_doubt(from, to))
            && self.surely(follower, followee, from) == Some(true)
    }

    /// Whether one may have followed the other at an entry or later, by what had been asked before a record.
    pub fn may(&self, follower: Uuid, followee: Uuid, seq: u64, record: usize) -> bool {
        if self.surely(follower, followee, seq) != Some(false) {
            return true;
        }
        let Some(pair) = self.pairs.get(&(follower, followee)) else { return false };
        let later = pair.turns.partition_point(|turn| turn.seq <= seq);
        pair.turns.iter().skip(later).any(|turn| turn.active && turn.asked < record)
            || pair.doubts.iter().any(|doubt| doubt.active && doubt.asked < record && doubt.to >= seq)
    }

    /// The answer to the newest request to end it, if that was long enough before a record and nothing began it again.
    pub fn over(&self, (follower, followee): (Uuid, Uuid), now: Now<'_>) -> Option<usize> {
        let pair = self.pairs.get(&(follower, followee))?;
        let Now { record, reached, clock, patience } = now;
        // What nobody has seen yet by this record can only be what was in flight just then.
        let known = pair.turns.partition_point(|turn| turn.seq <= reached).saturating_add(IN_FLIGHT);
        let known = pair.turns.get(..known).unwrap_or(&pair.turns);
        for turn in known.iter().rev().filter(|turn| turn.asked < record) {
            if turn.active {
                return None;
            }
            if let Some(told) = turn.told.filter(|told| *told < record && clock.is_late(*told, record, patience)) {
                let again = pair.doubts.iter().any(|doubt| doubt.active && doubt.asked < record && doubt.to > turn.seq);
                return (!again).then_some(told);
            }
        }
        None
    }

    /// The last change of a person's circle that is not newer than an entry.
    pub fn last_turn(&self, follower: Uuid, followees: impl IntoIterator<Item = Uuid>, seq: u64) -> Option<Turn> {
        let pairs = followees.into_iter().filter_map(|followee| self.pairs.get(&(follower, followee)));
        pairs.filter_map(|pair| pair.last_turn(seq)).max_by_key(|turn| turn.seq)
    }
}

impl Pair {
    fn last_turn(&self, seq: u64) -> Option<Turn> {
        let place = self.turns.partition_point(|turn| turn.seq <= seq).checked_sub(1)?;
        self.turns.get(place).copied()
    }

    /// Whether something unseen may have happened in `from + 1 ..= to`.
    fn is_in_doubt(&self, from: u64, to: u64) -> bool {
        self.doubts.iter().any(|doubt| doubt.from <= to && doubt.to > from)
    }
}
