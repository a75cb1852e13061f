//! Who on one worker thread watches whom, and what they have been told. A pure machine: changes and `now` in, messages out.
//! Must never tell a viewer of somebody they do not follow at that moment (P5), nor anybody more often than once a second.

use std::hash::{Hash, Hasher};

use rustc_hash::{FxHashMap, FxHashSet, FxHasher};
use slab::Slab;
use tidings_protocol::ids::UserId;
use tidings_protocol::limits::PRESENCE_EVERY_MS;
use tidings_protocol::presence::Presence;

use super::Standing;
use crate::limits::CIRCLE_LOOK_MS;

/// What the board has to know of the world around it.
pub trait Scene {
    /// Whom a viewer follows, sorted.
    fn follows(&self, viewer: UserId) -> &[UserId];
    /// How somebody stands.
    fn standing(&self, who: UserId) -> Option<Standing>;
    /// Whether a watcher's connection can be told anything now.
    fn is_ready(&self, watch: usize, viewer: UserId) -> bool;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Nothing,
    This(Option<Standing>),
}

#[derive(Debug)]
struct Watched {
    id: UserId,
    told: Told,
    has_changed: bool,
}

/// One connection's.
#[derive(Debug)]
struct Watch {
    viewer: UserId,
    /// Sorted.
    people: Vec<Watched>,
    told_at: u64,
    /// Whom the viewer followed when it was last looked, in short.
    circle: u64,
    looked_at: u64,
}

/// The watches.
#[derive(Debug, Default)]
pub struct Board {
    watches: Slab<Watch>,
    watchers: FxHashMap<UserId, Vec<usize>>,
    due: FxHashSet<usize>,
}

impl Board {
    /// Somebody watches these people from now on; how those stand whom they follow.
    pub fn begin(
        &mut self,
        now: u64,
        viewer: UserId,
        mut ids: Vec<UserId>,
        scene: &impl Scene,
    ) -> (usize, Vec<Presence>) {
        ids.sort_unstable();
        ids.dedup();
        let people = ids.iter().map(|id| Watched { id: *id, told: Told::Nothing, has_changed: true }).collect();
        let circle = in_short(scene.follows(viewer));
        let watch = self.watches.insert(Watch { viewer, people, told_at: now, circle, looked_at: now });
        for id in ids {
            self.watchers.entry(id).or_default().push(watch);
        }
        let told = self.watches[watch].tell(scene);
        (watch, told)
    }

    /// A watch is over.
    pub fn end(&mut self, watch: usize) {
        let Some(ended) = self.watches.try_remove(watch) else {
            return;
        };
        self.due.remove(&watch);
        for Watched { id, .. } in ended.people {
            if let Some(watchers) = self.watchers.get_mut(&id) {
                watchers.retain(|&other| other != watch);
                if watchers.is_empty() {
                    self.watchers.remove(&id);
                }
            }
        }
    }

    /// Somebody's standing has changed.
    pub fn changed(&mut self, who: UserId) {
        for &watch in self.watchers.get(&who).into_iter().flatten() {
            let people = &mut self.watches[watch].people;
            if let Ok(at) = people.binary_search_by_key(&who, |watched| watched.id) {
                people[at].has_changed = true;
                self.due.insert(watch);
            }
        }
    }

    /// The messages to send now.
    pub fn due(&mut self, now: u64, scene: &impl Scene) -> Vec<(usize, Vec<Presence>)> {
        for (id, watch) in &mut self.watches {
            if now >= watch.looked_at + CIRCLE_LOOK_MS {
                watch.looked_at = now;
                let circle = in_short(scene.follows(watch.viewer));
                if std::mem::replace(&mut watch.circle, circle) != circle {
                    watch.people.iter_mut().for_each(|watched| watched.has_changed = true);
                    self.due.insert(id);
                }
            }
        }
        let watches = &mut self.watches;
        let mut messages = Vec::new();
        self.due.retain(|&id| {
            let watch = &mut watches[id];
            if now < watch.told_at + PRESENCE_EVERY_MS || !scene.is_ready(id, watch.viewer) {
                return true;
            }
            let told = watch.tell(scene);
            if !told.is_empty() {
                watch.told_at = now;
                messages.push((id, told));
            }
            false
        });
        messages
    }

    /// Watches there are.
    pub fn len(&self) -> usize {
        self.watches.len()
    }

    /// Whether nothing is left of anybody.
    #[cfg(test)]
    pub fn is_bare(&self) -> bool {
        self.watches.is_empty() && self.watchers.is_empty() && self.due.is_empty()
    }
}

impl Watch {
    /// What the viewer has to hear of those who have changed. Somebody they no longer follow is told to be gone, as anybody looks of whom
    /// one may not know.
    fn tell(&mut self, scene: &impl Scene) -> Vec<Presence> {
        let follows = scene.follows(self.viewer);
        let mut told = Vec::new();
        for watched in self.people.iter_mut().filter(|watched| watched.has_changed) {
            watched.has_changed = false;
            let is = match follows.binary_search(&watched.id) {
                Ok(_) => Told::This(scene.standing(watched.id)),
                Err(_) => Told::Nothing,
            };
            match (std::mem::replace(&mut watched.told, is), is) {
                (was, is) if was == is => {}
                (_, Told::This(standing)) => told.push(Standing::told(watched.id, standing)),
                (Told::This(Some(was)), Told::Nothing) if was.is_here() => told.push(Standing::told(watched.id, None)),
                (_, Told::Nothing) => {}
            }
        }
        told
    }
}

/// Differs when the circle does: a few nanoseconds for each of whom somebody follows, instead of remembering them all once more.
fn in_short(follows: &[UserId]) -> u64 {
    let mut hasher = FxHasher::default();
    follows.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::collections::BTreeMap;

    use tidings_protocol::position::Millis;
    use tidings_protocol::presence::Status;

    use super::*;
    use crate::testing::{Dice, user};

    struct World {
        follows: BTreeMap<UserId, Vec<UserId>>,
        standings: BTreeMap<UserId, Standing>,
        ready: Cell<bool>,
    }

    impl Scene for World {
        fn follows(&self, viewer: UserId) -> &[UserId] {
            self.follows.get(&viewer).map_or(&[], Vec::as_slice)
        }

        fn standing(&self, who: UserId) -> Option<Standing> {
            self.standings.get(&who).copied()
        }

        fn is_ready(&self, _: usize, _: UserId) -> bool {
            self.ready.get()
        }
    }

    fn world(viewer: u64, follows: &[u64]) -> World {
        let follows = [(user(viewer), follows.iter().map(|&n| user(n)).collect())].into();
        World { follows, standings: BTreeMap::new(), ready: Cell::new(true) }
    }

    fn told(n: u64, status: Status, last_seen: Option<u64>) -> Presence {
        Presence { id: user(n), status, last_seen: last_seen.map(Millis) }
    }

    #[test]
    fn p5_one_is_told_only_of_those_one_follows_at_that_moment() {
        let mut world = world(1, &[2, 3]);
        world.standings = [(user(2), Standing::Online), (user(4), Standing::Online)].into();
        let mut board = Board::default();
        let (watch, first) = board.begin(0, user(1), vec![user(4), user(3), user(2), user(2)], &world);
        assert_eq!(first, [told(2, Status::Online, None), told(3, Status::Offline, None)]);
        board.changed(user(4));
        assert!(board.due(10_000, &world).is_empty());
        // A block takes effect with the table; the board may learn of it only when there is something to tell.
        world.follows.insert(user(1), vec![user(4)]);
        world.standings.insert(user(2), Standing::Gone(Millis(5)));
        board.changed(user(2));
        let after = board.due(10_001, &world);
        assert_eq!(after, [(watch, vec![told(2, Status::Offline, None)])], "gone, but not since when");
        let looked = board.due(20_000, &world);
        assert_eq!(
            looked,
            [(watch, vec![told(4, Status::Online, None)])],
            "whom one follows now is told without asking again"
        );
        assert!(board.due(40_000, &world).is_empty());
    }

    #[test]
    fn what_changes_within_a_second_is_told_together_and_what_changed_back_not_at_all() {
        let mut world = world(1, &[2, 3, 4]);
        let mut board = Board::default();
        let (watch, _) = board.begin(0, user(1), vec![user(2), user(3), user(4)], &world);
        let stand = |board: &mut Board, world: &mut World, n: u64, standing| {
            world.standings.insert(user(n), standing);
            board.changed(user(n));
        };
        stand(&mut board, &mut world, 2, Standing::Online);
        assert!(board.due(999, &world).is_empty());
        stand(&mut board, &mut world, 3, Standing::Idle);
        let both = vec![told(2, Status::Online, None), told(3, Status::Idle, None)];
        assert_eq!(board.due(1_000, &world), [(watch, both)]);
        stand(&mut board, &mut world, 2, Standing::Gone(Millis(7)));
        assert!(board.due(1_999, &world).is_empty());
        stand(&mut board, &mut world, 2, Standing::Online);
        assert!(board.due(2_000, &world).is_empty(), "as it was told");
        stand(&mut board, &mut world, 2, Standing::Gone(Millis(9)));
        assert_eq!(board.due(2_001, &world), [(watch, vec![told(2, Status::Offline, Some(9))])]);
    }

    #[test]
    fn p7_a_reader_that_is_not_ready_hears_later_what_is_true_then() {
        let mut world = world(1, &[2]);
        let mut board = Board::default();
        let (watch, _) = board.begin(0, user(1), vec![user(2)], &world);
        world.ready.set(false);
        for now in 1..50 {
            let standing = if now % 2 == 0 { Standing::Online } else { Standing::Idle };
            world.standings.insert(user(2), standing);
            board.changed(user(2));
            assert!(board.due(now * 1_000, &world).is_empty());
        }
        world.ready.set(true);
        assert_eq!(board.due(60_000, &world), [(watch, vec![told(2, Status::Idle, None)])]);
    }

    /// However people come, go, are followed and watched: in the end each watcher has been told the truth of those they follow, and of the
    /// others that they are gone or nothing.
    #[test]
    fn every_watcher_knows_the_truth_in_the_end() {
        for seed in 0..200 {
            let mut dice = Dice::of(seed);
            let mut world = World { follows: BTreeMap::new(), standings: BTreeMap::new(), ready: Cell::new(true) };
            let mut board = Board::default();
            let mut open = Open::new();
            let mut now = 0;
            let someone = |dice: &mut Dice| user(dice.below(12));
            for _ in 0..dice.between(50, 400) {
                match dice.below(10) {
                    0 => {
                        let (viewer, ids) =
                            (someone(&mut dice), (0..dice.below(12)).map(|_| someone(&mut dice)).collect::<Vec<_>>());
                        let (watch, first) = board.begin(now, viewer, ids.clone(), &world);
                        let known = first.into_iter().map(|presence| (presence.id, presence)).collect();
                        assert!(open.insert(watch, (viewer, ids, known, now)).is_none());
                    }
                    1 if dice.percent(30) => {
                        if let Some((watch, _)) = open.pop_first() {
                            board.end(watch);
                        }
                    }
                    2 => {
                        let mut follows: Vec<UserId> = (0..12).filter(|_| dice.percent(40)).map(user).collect();
                        follows.sort_unstable();
                        world.follows.insert(someone(&mut dice), follows);
                    }
                    3 => world.ready.set(dice.percent(70)),
                    4..=6 => {
                        let who = someone(&mut dice);
                        let gone = Standing::Gone(Millis(now));
                        world.standings.insert(who, dice.one_of(&[Standing::Online, Standing::Idle, gone]));
                        board.changed(who);
                    }
                    _ => now += dice.below(700),
                }
                hear(&mut open, board.due(now, &world), now);
            }
            world.ready.set(true);
            for _ in 0..2 {
                now += CIRCLE_LOOK_MS.max(PRESENCE_EVERY_MS);
                hear(&mut open, board.due(now, &world), now);
            }
            for (viewer, ids, known, _) in open.values() {
                for id in ids {
                    let follows = world.follows(*viewer).binary_search(id).is_ok();
                    match known.get(id) {
                        Some(presence) if follows => assert_eq!(*presence, Standing::told(*id, world.standing(*id))),
                        Some(presence) => assert_eq!(presence.status, Status::Offline),
                        None => assert!(!follows),
                    }
                }
            }
            open.into_keys().for_each(|watch| board.end(watch));
            assert!(board.is_bare());
        }
    }

    /// Open watches: whose, of whom, what they have been told, and when last.
    type Open = BTreeMap<usize, (UserId, Vec<UserId>, BTreeMap<UserId, Presence>, u64)>;

    fn hear(open: &mut Open, messages: Vec<(usize, Vec<Presence>)>, now: u64) {
        for (watch, told) in messages {
            let (_, _, known, told_at) = open.get_mut(&watch).expect("an open watch");
            assert!(now >= *told_at + PRESENCE_EVERY_MS, "more than one message a second");
            *told_at = now;
            for presence in told {
                known.insert(presence.id, presence);
            }
        }
    }
}
