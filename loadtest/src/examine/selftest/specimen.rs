//! Good histories: a toy of the whole system, in which nothing ever goes wrong, so that every accusation is a false one.
//! Must never share a line with the judge: a mistake made twice would be invisible.

use std::collections::{BTreeMap, BTreeSet};

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tidings_protocol::error::ErrorCode;
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::{PostId, UserId};
use tidings_protocol::position::{Cursor, Epoch, Seq};
use tidings_protocol::push::EventName;
use uuid::Uuid;

use crate::examine::history::{Counts, Final, Op, Phase, Record, Seen, Thing, What};

const PEOPLE: u32 = 4;
/// The first ones write, one for each person; the others are second devices that only read.
const CLIENTS: u32 = 6;
const EPOCH: u64 = 77;
/// Posts in a snapshot.
const PAGE: usize = 30;

struct Client {
    owner: Uuid,
    login: u64,
    connection: Option<u64>,
    feeds: BTreeSet<FeedName>,
    position: u64,
    /// Never connected yet: no cursor.
    fresh: bool,
}

struct World {
    rng: StdRng,
    at: u64,
    seq: u64,
    records: Vec<Record>,
    people: Vec<Uuid>,
    clients: Vec<Client>,
    things: BTreeMap<Thing, Seen>,
    numbers: u64,
}

/// A good history.
#[must_use]
pub fn good(seed: u64) -> Vec<Record> {
    let mut world = World::new(seed);
    let steps = world.rng.random_range(60..160);
    for _ in 0..steps {
        world.step();
    }
    world.finish();
    world.records
}

fn cursor(seq: u64) -> Cursor {
    Cursor { epoch: Epoch(EPOCH), seq: Seq(seq) }
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
            position: 0,
            fresh: true,
        };
        let clients = owners.iter().map(client).collect();
        let mut world = Self {
            rng: StdRng::seed_from_u64(seed),
            at: 0,
            seq: u64::from(PEOPLE),
            records: Vec::new(),
            clients,
            things: BTreeMap::new(),
            numbers: 100,
            people: people.clone(),
        };
        for (rev, id) in (1..).zip(&people) {
            let author = Some(*id);
            let user = Seen { thing: Thing::User(*id), rev, place: None, author, on: None, mark: rev, gone: false };
            world.things.insert(user.thing, user);
        }
        world.note(None, What::Began { seed, people, owners, position: cursor(world.seq) });
        world.note(None, What::Resources { pid: 1, warm: true, resident_bytes: 100 << 20, files: 100 });
        for client in 0..CLIENTS {
            world.clients[client as usize].login = world.number();
            world.connect(client);
        }
        world
    }

    fn note(&mut self, client: Option<u32>, what: What) {
        self.at += self.rng.random_range(10..4_000);
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
        match self.rng.random_range(0..100) {
            0..60 => self.write(client % PEOPLE),
            60..70 => self.hang_up(client),
            70..78 => self.watch(client),
            78..82 => self.unwatch(client),
            82..88 => self.read(client),
            88..93 => self.log_out(client),
            93..97 => {
                let (Some(connection), seq) = (self.clients[client as usize].connection, self.seq) else { return };
                self.clients[client as usize].position = seq;
                let notice = "heartbeat".to_owned();
                self.note(Some(client), What::Position { connection, notice, cursor: cursor(seq) });
            }
            _ => self.fault(),
        }
    }

    fn fault(&mut self) {
        let number = u32::try_from(self.number()).unwrap_or(0);
        for phase in [Phase::Ordered, Phase::Fired, Phase::Healed] {
            self.note(None, What::Fault { number, name: "a fault".to_owned(), phase });
        }
    }

    fn own(&mut self, owner: Uuid, wanted: fn(&Thing) -> bool) -> Option<Seen> {
        let mine = |seen: &&Seen| seen.author == Some(owner) && !seen.gone && wanted(&seen.thing);
        let mine: Vec<Seen> = self.things.values().filter(mine).copied().collect();
        if mine.is_empty() { None } else { Some(mine[self.rng.random_range(0..mine.len())]) }
    }

    /// Something to do that will succeed, with the state it leads to.
    fn plan(&mut self, owner: Uuid) -> (Op, Seen) {
        let (mark, id) = (self.number() << 20, Uuid::from_u128(u128::from(self.number())));
        let is_post = |thing: &Thing| matches!(thing, Thing::Post(_));
        let is_written = |thing: &Thing| matches!(thing, Thing::Post(_) | Thing::Comment(_));
        let bare = Seen { thing: Thing::Post(id), rev: 0, place: None, author: Some(owner), on: None, mark, gone: false };
        match self.rng.random_range(0..10) {
            0..2 => {
                let other = self.people[self.rng.random_range(0..self.people.len())];
                let pair = Thing::Follow(owner, other);
                if other != owner {
                    let active = self.things.get(&pair).is_none_or(|seen| seen.gone);
                    return (Op::Follow(pair, active), Seen { thing: pair, mark: 0, gone: !active, ..bare });
                }
            }
            2..4 => {
                if let Some(seen) = self.own(owner, is_written) {
                    return (Op::Change(seen.thing, mark), Seen { mark, ..seen });
                }
            }
            4 => {
                if let Some(seen) = self.own(owner, is_written) {
                    let gone = Seen { mark: 0, gone: true, place: None, author: None, ..seen };
                    return (Op::Delete(seen.thing), gone);
                }
            }
            5 => {
                let user = Thing::User(owner);
                return (Op::Change(user, mark), Seen { thing: user, ..bare });
            }
            6 => {
                let friend = self.people[self.rng.random_range(0..self.people.len())];
                if let Some(Thing::Post(post)) = self.own(friend, is_post).map(|seen| seen.thing) {
                    let comment = Thing::Comment(id);
                    return (Op::Create(comment, mark), Seen { thing: comment, on: Some(post), ..bare });
                }
            }
            _ => {}
        }
        (Op::Create(bare.thing, mark), bare)
    }

    fn write(&mut self, client: u32) {
        if self.clients[client as usize].connection.is_none() {
            return self.connect(client);
        }
        let owner = self.clients[client as usize].owner;
        let (op, after) = self.plan(owner);
        let request = self.invoke(client, op);
        match self.rng.random_range(0..20) {
            0 => self.note(Some(client), What::Fail { request, code: ErrorCode::RateLimited }),
            // Lost with the line: not done, or done and asked again.
            1 => {
                self.hang_up(client);
                self.note(Some(client), What::Unknown { request, why: "lost".to_owned() });
            }
            2 if matches!(op, Op::Create(..)) => {
                let done = self.commit(op, after);
                self.hang_up(client);
                self.note(Some(client), What::Unknown { request, why: "lost".to_owned() });
                self.connect(client);
                let request = self.invoke(client, op);
                self.note(Some(client), What::Ok { request, seq: Some(done.rev), duplicate: true, seen: Some(done) });
            }
            _ => {
                let done = self.commit(op, after);
                self.note(Some(client), What::Ok { request, seq: Some(done.rev), duplicate: false, seen: Some(done) });
            }
        }
    }

    /// One entry of the journal, and everybody hears of it.
    fn commit(&mut self, op: Op, after: Seen) -> Seen {
        self.seq += 1;
        let mut done = Seen { rev: self.seq, ..after };
        if matches!(op, Op::Create(..)) {
            done.place = Some(self.seq);
        }
        let before = self.things.insert(done.thing, done);
        if let (Thing::Post(post), true) = (done.thing, done.gone) {
            self.things.retain(|_, seen| seen.on != Some(post));
        }
        // A removal reaches those who could see what was there.
        let shown = before.filter(|_| done.gone).unwrap_or(done);
        for client in 0..CLIENTS {
            self.tell(client, &shown, done);
        }
        done
    }

    fn tell(&mut self, client: u32, shown: &Seen, seen: Seen) {
        let told = &self.clients[client as usize];
        let (Some(connection), owner) = (told.connection, told.owner) else { return };
        for feed in told.feeds.clone() {
            if matches!((feed, seen.thing), (FeedName::Home, Thing::Follow(follower, _)) if follower == owner) {
                self.snapshot(client, feed, None);
            } else if self.belongs(feed, owner, shown) {
                self.event(client, connection, feed, seen);
            }
        }
    }

    fn event(&mut self, client: u32, connection: u64, feed: FeedName, seen: Seen) {
        let event = EventName::PostUpdated;
        self.clients[client as usize].position = seen.rev;
        self.note(Some(client), What::Event { connection, epoch: EPOCH, feed, seq: seen.rev, event, seen });
    }

    fn belongs(&self, feed: FeedName, viewer: Uuid, seen: &Seen) -> bool {
        let Some(author) = seen.author else { return false };
        let follows = self.things.get(&Thing::Follow(viewer, author)).is_some_and(|pair| !pair.gone);
        match feed {
            FeedName::Global => matches!(seen.thing, Thing::Post(_)),
            FeedName::Home => matches!(seen.thing, Thing::Post(_) | Thing::User(_)) && (author == viewer || follows),
            FeedName::Me => matches!(seen.thing, Thing::User(_) | Thing::Follow(..)) && author == viewer,
            FeedName::User(id) => matches!(seen.thing, Thing::Post(_) | Thing::User(_)) && author == id.0,
            FeedName::Post(id) => seen.thing == Thing::Post(id.0) || seen.on == Some(id.0),
        }
    }

    fn snapshot(&mut self, client: u32, feed: FeedName, request: Option<u64>) {
        let told = &self.clients[client as usize];
        let (Some(connection), owner) = (told.connection, told.owner) else { return };
        let shown = |seen: &&Seen| !seen.gone && self.belongs(feed, owner, seen);
        let mut members: Vec<Seen> = self.things.values().filter(shown).copied().collect();
        members.retain(|seen| feed != FeedName::Home || seen.place.is_some());
        for seen in &mut members {
            if matches!(seen.thing, Thing::Follow(..)) {
                seen.rev = 0;
            }
        }
        members.sort_by_key(|seen| std::cmp::Reverse(seen.place.unwrap_or(u64::MAX)));
        let complete = members.len() <= PAGE || matches!(feed, FeedName::Post(_) | FeedName::Me);
        if !complete {
            members.truncate(PAGE);
        }
        let seq = self.seq;
        if request.is_none() {
            self.clients[client as usize].position = seq;
        }
        self.note(Some(client), What::Snapshot { connection, request, feed, seq, members, complete });
    }

    /// Comes back: what has changed since the cursor, and the entry at the cursor again.
    fn connect(&mut self, client: u32) {
        let connection = self.number();
        let told = &mut self.clients[client as usize];
        let (login, owner, since) = (told.login, told.owner, told.position);
        told.connection = Some(connection);
        let feeds = told.feeds.clone();
        let given = (!std::mem::replace(&mut told.fresh, false)).then(|| cursor(since));
        let changed = |seen: &&Seen| seen.rev >= since;
        let missed: BTreeMap<u64, Seen> =
            self.things.values().filter(changed).map(|seen| (seen.rev, *seen)).collect();
        let circle = missed.values().any(|seen| matches!(seen.thing, Thing::Follow(a, _) if a == owner));
        // A removal tells nobody's name: who cannot tell whether it matters starts afresh.
        let removal = missed.values().any(|seen| seen.gone);
        let afresh = |feed: &FeedName| given.is_none() || removal || (*feed == FeedName::Home && circle);
        let live: Vec<FeedName> = feeds.iter().filter(|feed| !afresh(feed)).copied().collect();
        let request = self.invoke(client, Op::Hello);
        let (resumed, position) = (live.len() == feeds.len(), if live.is_empty() { self.seq } else { since });
        let (cursor, position) = (given, cursor(position));
        let (node, refused) = (0, Vec::new());
        let connected = What::Connected { connection, login, node, cursor, position, resumed, live: live.clone(), refused };
        self.note(Some(client), connected);
        self.note(Some(client), What::Ok { request, seq: None, duplicate: false, seen: None });
        for feed in feeds.iter().filter(|feed| !live.contains(feed)) {
            self.snapshot(client, *feed, Some(request));
        }
        if !live.is_empty() {
            for (feed, seen) in missed.values().flat_map(|seen| live.iter().map(move |feed| (*feed, *seen))) {
                if self.belongs(feed, owner, &seen) {
                    self.event(client, connection, feed, seen);
                }
            }
        }
        let told = &mut self.clients[client as usize];
        told.position = self.seq;
        let (notice, cursor) = ("heartbeat".to_owned(), super::specimen::cursor(told.position));
        self.note(Some(client), What::Position { connection, notice, cursor });
    }

    fn hang_up(&mut self, client: u32) {
        if let Some(connection) = self.clients[client as usize].connection.take() {
            self.note(Some(client), What::Closed { connection, code: None, ours: true });
        }
    }

    fn watch(&mut self, client: u32) {
        let someone = self.people[self.rng.random_range(0..self.people.len())];
        let post = self.own(someone, |thing| matches!(thing, Thing::Post(_)));
        let feed = match post.map(|seen| seen.thing) {
            Some(Thing::Post(id)) if self.rng.random() => FeedName::Post(PostId(id)),
            _ => FeedName::User(UserId(someone)),
        };
        let request = self.invoke(client, Op::Watch(feed));
        self.clients[client as usize].feeds.insert(feed);
        self.note(Some(client), What::Ok { request, seq: None, duplicate: false, seen: None });
        self.snapshot(client, feed, Some(request));
    }

    fn unwatch(&mut self, client: u32) {
        let Some(feed) = self.clients[client as usize].feeds.last().copied().filter(|feed| *feed > FeedName::Me) else {
            return;
        };
        let request = self.invoke(client, Op::Unwatch(feed));
        self.clients[client as usize].feeds.remove(&feed);
        self.note(Some(client), What::Ok { request, seq: None, duplicate: false, seen: None });
    }

    fn read(&mut self, client: u32) {
        let owner = self.clients[client as usize].owner;
        if let Some(seen) = self.own(owner, |thing| matches!(thing, Thing::Post(_))) {
            let request = self.invoke(client, Op::Read(seen.thing));
            self.note(Some(client), What::Ok { request, seq: None, duplicate: false, seen: Some(seen) });
        }
    }

    fn log_out(&mut self, client: u32) {
        let login = self.clients[client as usize].login;
        let request = self.invoke(client, Op::LogOut(login));
        self.note(Some(client), What::Ok { request, seq: None, duplicate: false, seen: None });
        if let Some(connection) = self.clients[client as usize].connection.take() {
            self.note(Some(client), What::Closed { connection, code: Some(4402), ours: false });
        }
        self.clients[client as usize].login = self.number();
        self.connect(client);
    }

    fn finish(&mut self) {
        for client in 0..CLIENTS {
            if self.clients[client as usize].connection.is_none() {
                self.connect(client);
            }
        }
        self.fault();
        self.note(None, What::Healed);
        self.at += 3_000_000;
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
        let last = Final { seq: self.seq, things: things.clone(), counts };
        self.note(None, What::Final(last));
        self.note(None, What::Resources { pid: 1, warm: false, resident_bytes: 101 << 20, files: 100 });
    }
}
