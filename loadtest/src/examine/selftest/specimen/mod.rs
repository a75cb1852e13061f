//! Good histories: a toy of the whole system, in which nothing ever goes wrong, so that every accusation is a false one.
//! Must never share a line with the judge: a mistake made twice would be invisible.

mod ear;
mod pen;

use std::collections::{BTreeMap, BTreeSet};

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tidings_protocol::feed::FeedName;
use tidings_protocol::position::{Cursor, Epoch, Seq};
use uuid::Uuid;

use crate::examine::history::{Counts, Final, Op, Phase, Record, Seen, Thing, What};

const PEOPLE: u32 = 4;
/// The first ones write, one for each person; the others are second devices that only read.
const CLIENTS: u32 = 6;
/// Posts in a snapshot.
const PAGE: usize = 30;

/// One who listens.
struct Client {
    owner: Uuid,
    login: u64,
    connection: Option<u64>,
    feeds: BTreeSet<FeedName>,
    position: Cursor,
    /// Never connected yet: no cursor.
    fresh: bool,
    /// Does not read, or waits for its `home`: hears nothing until it wakes.
    asleep: bool,
}

/// One entry of the journal.
#[derive(Clone, Copy)]
struct Entry {
    /// The state it leads to.
    done: Seen,
    /// What was there before, if it is gone now: who could see that is told.
    shown: Seen,
}

struct World {
    rng: StdRng,
    at: u64,
    epoch: u64,
    seq: u64,
    records: Vec<Record>,
    people: Vec<Uuid>,
    clients: Vec<Client>,
    things: BTreeMap<Thing, Seen>,
    log: Vec<Entry>,
    /// What each thing was created with.
    made: BTreeMap<Thing, u64>,
    /// Done some time, though nobody waits for them any more.
    zombies: Vec<(Op, Seen)>,
    numbers: u64,
}

/// A good history.
#[must_use]
pub fn good(seed: u64) -> Vec<Record> {
    let mut world = World::new(seed);
    let steps = world.rng.random_range(60..160);
    // In every fourth the journal begins a new life.
    let promotion = if seed % 4 == 3 { world.rng.random_range(steps / 4..steps) } else { steps };
    for step in 0..steps {
        if step == promotion {
            world.promote();
        }
        world.step();
    }
    world.finish();
    world.records
}

impl World {
    fn new(seed: u64) -> Self {
        let people: Vec<Uuid> = (1..=u128::from(PEOPLE)).map(|n| Uuid::from_u128(n << 64)).collect();
        let owners: Vec<u32> = (0..CLIENTS).map(|client| client % PEOPLE).collect();
        let client = |owner: &u32| Client {
            owner: people[*owner as usize],
            login: 0,
            connection: None,
            feeds: BTreeSet::from([FeedName::Home, FeedName::Global, FeedName::Me]),
            position: Cursor { epoch: Epoch(77), seq: Seq(0) },
            fresh: true,
            asleep: false,
        };
        let clients = owners.iter().map(client).collect();
        let mut world = Self {
            rng: StdRng::seed_from_u64(seed),
            at: 0,
            epoch: 77,
            seq: u64::from(PEOPLE),
            records: Vec::new(),
            clients,
            things: BTreeMap::new(),
            log: Vec::new(),
            made: BTreeMap::new(),
            zombies: Vec::new(),
            numbers: 100,
            people: people.clone(),
        };
        for (rev, id) in (1..).zip(&people) {
            let author = Some(*id);
            let user = Seen { thing: Thing::User(*id), rev, place: None, author, on: None, mark: rev, gone: false };
            world.things.insert(user.thing, user);
            world.log.push(Entry { done: user, shown: user });
        }
        world.note(None, What::Began { seed, people, owners, position: world.head() });
        world.note(None, What::Resources { pid: 1, warm: true, resident_bytes: 100 << 20, files: 100 });
        for client in 0..CLIENTS {
            world.clients[client as usize].login = world.number();
            world.connect(client);
        }
        world
    }

    fn head(&self) -> Cursor {
        Cursor { epoch: Epoch(self.epoch), seq: Seq(self.seq) }
    }

    fn note(&mut self, client: Option<u32>, what: What) {
        self.at += self.rng.random_range(100..20_000);
        self.records.push(Record { at: self.at, client, what });
    }

    fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    fn invoke(&mut self, client: u32, op: Op) -> u64 {
        let request = self.number();
        let connection = if matches!(op, Op::LogOut(_)) { None } else { self.clients[client as usize].connection };
        self.note(Some(client), What::Invoke { request, connection, op });
        request
    }

    fn step(&mut self) {
        let client = self.rng.random_range(0..CLIENTS);
        if self.clients[client as usize].connection.is_none() {
            return self.connect(client);
        }
        if self.clients[client as usize].asleep && self.rng.random_ratio(1, 3) {
            return self.wake(client);
        }
        match self.rng.random_range(0..100) {
            0..55 => self.write(client % PEOPLE),
            55..58 => self.send_again(client),
            58..60 => self.rise(),
            60..68 => self.hang_up(client),
            68..76 => self.watch(client),
            76..80 => self.unwatch(client),
            80..86 => self.read(client),
            86..90 => self.log_out(client),
            90..93 => self.heartbeat(client),
            93..96 => self.stall(client),
            96 => self.fault(),
            _ => {}
        }
    }

    fn fault(&mut self) {
        let number = u32::try_from(self.number()).unwrap_or(0);
        for phase in [Phase::Ordered, Phase::Fired, Phase::Healed] {
            self.note(None, What::Fault { number, name: "a fault".to_owned(), phase });
        }
    }

    /// A standby that is a little behind takes over: the last entries are lost, and their numbers are given out again.
    fn promote(&mut self) {
        let number = u32::try_from(self.number()).unwrap_or(0);
        let name = "promotion".to_owned();
        self.note(None, What::Fault { number, name: name.clone(), phase: Phase::Ordered });
        let began = PEOPLE as usize;
        let lost = self.rng.random_range(0..4).min(self.log.len() - began);
        self.log.truncate(self.log.len() - lost);
        self.epoch += 1;
        self.seq = self.log.len() as u64;
        self.things.clear();
        for Entry { done, .. } in self.log.clone() {
            self.put(done);
        }
        self.note(None, What::Fault { number, name: name.clone(), phase: Phase::Fired });
        for client in 0..CLIENTS {
            let Some(connection) = self.clients[client as usize].connection else { continue };
            let cursor = Cursor { seq: Seq(0), ..self.head() };
            self.note(Some(client), What::Position { connection, notice: "resync".to_owned(), cursor });
            (self.clients[client as usize].asleep, self.clients[client as usize].position) = (false, self.head());
            for feed in self.clients[client as usize].feeds.clone() {
                self.snapshot(client, feed, None);
            }
        }
        self.note(None, What::Fault { number, name, phase: Phase::Healed });
    }

    fn finish(&mut self) {
        for client in 0..CLIENTS {
            match self.clients[client as usize].connection {
                None => self.connect(client),
                Some(_) => self.wake(client),
            }
        }
        self.fault();
        self.note(None, What::Healed);
        for _ in 0..25 {
            self.at += 190_000;
            self.heartbeat(0);
        }
        self.note(None, What::Settled);
        let things: Vec<Seen> = self.things.values().filter(|seen| !seen.gone).copied().collect();
        let count = |wanted: &dyn Fn(&Thing) -> bool| things.iter().filter(|seen| wanted(&seen.thing)).count() as u64;
        let by = |user: Uuid| things.iter().filter(move |seen| seen.author == Some(user));
        let counts = |user: &Uuid| Counts {
            user: *user,
            followers: count(&|thing| matches!(thing, Thing::Follow(_, whom) if whom == user)),
            follows: count(&|thing| matches!(thing, Thing::Follow(who, _) if who == user)),
            posts: by(*user).filter(|seen| matches!(seen.thing, Thing::Post(_))).count() as u64,
        };
        let counts = self.people.iter().map(counts).collect();
        let listed = |seen: &Seen| if let Thing::Follow(..) = seen.thing { Seen { rev: 0, ..*seen } } else { *seen };
        let last = Final { seq: self.seq, things: things.iter().map(listed).collect(), counts };
        self.note(None, What::Final(last));
        self.note(None, What::Resources { pid: 1, warm: false, resident_bytes: 101 << 20, files: 100 });
    }
}
