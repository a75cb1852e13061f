//! A simulated cluster: machines, what is connected to each, a bus in any weather, and the plain list of who is connected where.
//! Must never decide what the machines decide.

use std::collections::{BTreeMap, BTreeSet};

use tidings_protocol::entity::Author;
use tidings_protocol::ids::{PostId, UserId};
use tidings_protocol::limits::READERS_EVERY_MS;
use tidings_protocol::position::{Millis, Seq};
use tidings_protocol::presence::Showing;
use uuid::Uuid;

use crate::limits::{PEER_SILENCE_MS, PRESENCE_PULSE_MS, TYPING_EVERY_MS, WALK_EVERY_MS};
use crate::presence::company::Report;
use crate::presence::machine::{Effect, Machine};
use crate::presence::whisper::Whisper;
use crate::presence::{Moment, Standing, Thread, shown};
use crate::testing::{Dice, post, user};

pub(super) const USERS: u64 = 12;
pub(super) const POSTS: u64 = 4;
/// Long enough for whoever is gone to be missed, and for two walks after that.
const QUIET_MS: u64 = PEER_SILENCE_MS + 3 * WALK_EVERY_MS;
/// Where the calendar begins.
pub(super) const EPOCH_MS: u64 = 1_700_000_000_000;

/// A node: its machine, what is connected to it, and what its threads have been told.
pub(super) struct Node {
    pub(super) machine: Machine,
    pub(super) connections: BTreeMap<(u64, u32), (UserId, Showing)>,
    readers: BTreeMap<(u64, PostId), u32>,
    pub(super) told: BTreeMap<UserId, Standing>,
    numbers: BTreeMap<PostId, (u64, u64)>,
    pub(super) typing: BTreeMap<Thread, (u64, Vec<UserId>)>,
    /// It does not run before then.
    held_until: u64,
    /// What has come meanwhile.
    heard: Vec<Whisper>,
}

/// How the bus is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weather {
    pub(super) lost_percent: u64,
    pub(super) repeated_percent: u64,
    pub(super) late_ms: u64,
}

pub(super) const CALM: Weather = Weather { lost_percent: 0, repeated_percent: 0, late_ms: 1 };

pub(super) struct World {
    pub(super) dice: Dice,
    now: u64,
    pub(super) nodes: Vec<Option<Node>>,
    pub(super) weather: Weather,
    on_the_way: Vec<(u64, usize, Whisper)>,
    /// Everything that was ever said.
    said: Vec<Whisper>,
    names: u128,
    /// Who has ever shown themselves.
    pub(super) ever_shown: BTreeSet<UserId>,
    /// When they were last connected and shown.
    pub(super) last_here: BTreeMap<UserId, u64>,
}

impl World {
    pub(super) fn of(seed: u64, nodes: usize) -> Self {
        let mut world = Self {
            dice: Dice::of(seed),
            now: 0,
            nodes: Vec::new(),
            weather: CALM,
            on_the_way: Vec::new(),
            said: Vec::new(),
            names: 0,
            ever_shown: BTreeSet::new(),
            last_here: BTreeMap::new(),
        };
        for _ in 0..nodes {
            let node = world.fresh();
            world.nodes.push(Some(node));
        }
        world
    }

    pub(super) fn fresh(&mut self) -> Node {
        Node {
            machine: self.machine(),
            connections: BTreeMap::new(),
            readers: BTreeMap::new(),
            told: BTreeMap::new(),
            numbers: BTreeMap::new(),
            typing: BTreeMap::new(),
            held_until: 0,
            heard: Vec::new(),
        }
    }

    fn machine(&mut self) -> Machine {
        self.names += 1;
        Machine::new(Uuid::from_u128(self.names))
    }

    fn at(&self) -> Moment {
        Moment { now: self.now, wall: Millis(EPOCH_MS + self.now) }
    }

    /// A node that runs.
    pub(super) fn some_node(&mut self) -> Option<usize> {
        let at = self.dice.index(self.nodes.len());
        self.nodes[at].as_ref().filter(|node| node.held_until <= self.now).map(|_| at)
    }

    /// Something happens to somebody, or to a node.
    pub(super) fn something_happens(&mut self) {
        let Some(at) = self.some_node() else {
            let at = self.dice.index(self.nodes.len());
            if self.nodes[at].is_none() && self.dice.percent(20) {
                self.nodes[at] = Some(self.fresh());
            }
            return;
        };
        match self.dice.below(100) {
            0..60 => self.somebody_comes_or_goes(at),
            60..80 => self.somebody_reads(at),
            80..94 => self.somebody_types(at),
            94..96 => self.a_thread_ends(at),
            96 => self.nodes[at] = None,
            97 => {
                let until = self.now + self.dice.below(3 * PEER_SILENCE_MS);
                self.node(at).held_until = until;
            }
            98 => self.a_crier_begins_anew(at),
            _ => {}
        }
    }

    pub(super) fn node(&mut self, at: usize) -> &mut Node {
        self.nodes[at].as_mut().expect("it runs")
    }

    pub(super) fn report(&mut self, at: usize, worker: u64, report: Report) {
        let moment = self.at();
        self.node(at).machine.report(moment, worker, report);
    }

    pub(super) fn somebody_comes_or_goes(&mut self, at: usize) {
        let place = (self.dice.below(2), u32::try_from(self.dice.below(8)).expect("small"));
        let who = user(self.dice.below(USERS));
        let showing = self.dice.one_of(&[Showing::Online, Showing::Online, Showing::Idle, Showing::Invisible]);
        let shows = self.dice.percent(60).then_some((who, showing));
        match shows {
            Some(shows) => self.node(at).connections.insert(place, shows),
            None => self.node(at).connections.remove(&place),
        };
        if showing != Showing::Invisible && shows.is_some() {
            self.ever_shown.insert(who);
        }
        let visits = [(place.1, shows)].into_iter().collect();
        self.report(at, place.0, Report { visits, ..Report::default() });
    }

    fn somebody_reads(&mut self, at: usize) {
        let (worker, on) = (self.dice.below(2), post(self.dice.below(POSTS)));
        let number = u32::try_from(self.dice.below(4)).expect("small");
        self.node(at).readers.insert((worker, on), number);
        let readers = [(on, number)].into_iter().collect();
        self.report(at, worker, Report { readers, ..Report::default() });
    }

    fn somebody_types(&mut self, at: usize) {
        let (who, on) = (self.dice.below(USERS), post(self.dice.below(POSTS)));
        let thread = Thread { post: on, parent: None };
        let typed = [((user(who), thread), author(who))].into_iter().collect();
        self.report(at, 0, Report { typed, ..Report::default() });
    }

    /// Its connections end with it.
    fn a_thread_ends(&mut self, at: usize) {
        let (worker, moment) = (self.dice.below(2), self.at());
        let node = self.node(at);
        node.connections.retain(|(of, _), _| *of != worker);
        node.readers.retain(|(of, _), _| *of != worker);
        node.machine.leaves(moment, worker);
    }

    /// After a panic: another machine, to which all threads report afresh; what threads were told is void.
    fn a_crier_begins_anew(&mut self, at: usize) {
        let machine = self.machine();
        let node = self.node(at);
        node.machine = machine;
        node.told.clear();
        node.numbers.clear();
        node.typing.clear();
        for worker in 0..2 {
            let of = |(worker_of, _): &(u64, u32)| *worker_of == worker;
            let node = self.node(at);
            let visits =
                node.connections.iter().filter(|(place, _)| of(place)).map(|(place, shows)| (place.1, Some(*shows)));
            let visits = visits.collect();
            let readers =
                node.readers.iter().filter(|((of, _), _)| *of == worker).map(|((_, on), number)| (*on, *number));
            let readers = readers.collect();
            self.report(at, worker, Report { afresh: true, visits, readers, ..Report::default() });
        }
    }

    /// A tenth of a second passes.
    pub(super) fn pulse(&mut self) {
        self.now += PRESENCE_PULSE_MS;
        self.note_who_is_here();
        self.deliver();
        for at in 0..self.nodes.len() {
            let moment = self.at();
            let Some(node) = self.nodes[at].as_mut().filter(|node| node.held_until <= moment.now) else {
                continue;
            };
            for whisper in std::mem::take(&mut node.heard) {
                node.machine.heard(moment, &whisper);
            }
            node.forgets_numbers();
            let effects = node.machine.pulse(moment);
            let whispers: Vec<Whisper> =
                effects.into_iter().filter_map(|effect| node.takes(moment.now, effect)).collect();
            whispers.into_iter().for_each(|whisper| self.say(at, whisper));
        }
    }

    fn note_who_is_here(&mut self) {
        let connections = self.nodes.iter().flatten().flat_map(|node| node.connections.values());
        for (who, showing) in connections {
            if *showing != Showing::Invisible {
                self.last_here.insert(*who, self.now);
            }
        }
    }

    fn deliver(&mut self) {
        let now = self.now;
        let (due, later) = std::mem::take(&mut self.on_the_way).into_iter().partition(|(at, ..)| *at <= now);
        self.on_the_way = later;
        let due: Vec<(u64, usize, Whisper)> = due;
        for (_, to, whisper) in due {
            // As much as the bus keeps for one who does not listen.
            if let Some(node) = self.nodes[to].as_mut().filter(|node| node.heard.len() < 64) {
                node.heard.push(whisper);
            }
        }
    }

    fn say(&mut self, from: usize, whisper: Whisper) {
        assert!(whisper.is_sound());
        let told = whisper.people.changed.iter().map(|(who, _)| who);
        let again = whisper.people.stretch.iter().flat_map(|stretch| stretch.items.iter().map(|(who, _)| who));
        assert!(told.chain(again).all(|who| self.ever_shown.contains(who)), "who never showed themselves is told of");
        let json = serde_json::to_string(&whisper).expect("it is JSON");
        let whisper: Whisper = serde_json::from_str(&json).expect("and is read again");
        self.said.push(whisper.clone());
        for to in (0..self.nodes.len()).filter(|&to| to != from) {
            let times = 1 + u64::from(self.dice.percent(self.weather.repeated_percent));
            for _ in 0..times {
                if !self.dice.percent(self.weather.lost_percent) {
                    let at = self.now + self.dice.below(self.weather.late_ms);
                    self.on_the_way.push((at, to, whisper.clone()));
                }
            }
        }
    }

    /// Somebody who holds the bus plays something again.
    pub(super) fn something_is_played_again(&mut self) {
        if !self.said.is_empty() {
            let (which, to) = (self.dice.index(self.said.len()), self.dice.index(self.nodes.len()));
            self.on_the_way.push((self.now, to, self.said[which].clone()));
        }
    }

    pub(super) fn grows_quiet(&mut self) {
        self.weather = CALM;
        self.on_the_way.clear();
        for node in self.nodes.iter_mut().flatten() {
            node.held_until = 0;
        }
        for _ in 0..QUIET_MS / PRESENCE_PULSE_MS {
            self.pulse();
        }
    }

    /// How somebody really stands.
    pub(super) fn truth(&self, who: UserId) -> Option<Standing> {
        let connections = self.nodes.iter().flatten().flat_map(|node| node.connections.values());
        connections.filter(|(of, _)| *of == who).filter_map(|(_, showing)| shown(*showing)).reduce(Standing::or)
    }

    pub(super) fn every_node_knows_the_truth(&self) {
        for (at, node) in self.nodes.iter().enumerate() {
            let Some(node) = node else { continue };
            for who in (0..USERS).map(user) {
                let (truth, told) = (self.truth(who), node.told.get(&who).copied());
                assert_eq!(truth, told.filter(|told| told.is_here()), "node {at}, {who}: {told:?}");
                assert!(truth.is_some() || told.is_none() || self.ever_shown.contains(&who));
            }
            for on in (0..POSTS).map(post) {
                if node.readers_of(on) > 0 {
                    let all: u64 = self.nodes.iter().flatten().map(|node| node.readers_of(on)).sum();
                    assert_eq!(node.numbers.get(&on).map(|(number, _)| *number), Some(all), "node {at}, {on}");
                }
            }
        }
    }
}

impl Node {
    /// What the threads are told; a whisper is given back.
    fn takes(&mut self, now: u64, effect: Effect) -> Option<Whisper> {
        match effect {
            Effect::Whisper(whisper) => return Some(whisper),
            Effect::People(people) => {
                for (who, standing) in people {
                    match standing {
                        Some(standing) => self.told.insert(who, standing),
                        None => self.told.remove(&who),
                    };
                }
            }
            Effect::Readers(on, number) => {
                if let Some((_, at)) = self.numbers.insert(on, (number, now)) {
                    assert!(now >= at + READERS_EVERY_MS, "{on} is told too often");
                }
            }
            Effect::Typing(thread, who) => {
                let names = who.into_iter().map(|who| who.id).collect();
                if let Some((at, _)) = self.typing.insert(thread, (now, names)) {
                    assert!(now >= at + TYPING_EVERY_MS, "{thread:?} is told too often");
                }
            }
        }
        None
    }

    fn readers_of(&self, on: PostId) -> u64 {
        self.readers.iter().filter(|((_, of), _)| *of == on).map(|(_, number)| u64::from(*number)).sum()
    }

    /// Nobody is left to remember the number of a post that nobody here watches.
    fn forgets_numbers(&mut self) {
        let unwatched: Vec<PostId> = self.numbers.keys().copied().filter(|on| self.readers_of(*on) == 0).collect();
        self.numbers.retain(|on, _| !unwatched.contains(on));
    }
}

pub(super) fn author(n: u64) -> Author {
    Author { id: user(n), rev: Seq(1), handle: format!("u{n}"), name: format!("U {n}") }
}
