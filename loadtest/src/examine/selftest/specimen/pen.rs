//! What the toy's people write, and how its server does it.
//! Must never leave a request without an outcome.

use rand::RngExt as _;
use tidings_protocol::error::ErrorCode;
use uuid::Uuid;

use super::{CLIENTS, Entry, World};
use crate::examine::history::{Op, Seen, Thing, What};

impl World {
    pub(super) fn own(&mut self, owner: Uuid, wanted: fn(&Thing) -> bool) -> Option<Seen> {
        let mine = |seen: &&Seen| seen.author == Some(owner) && !seen.gone && wanted(&seen.thing);
        let mine: Vec<Seen> = self.things.values().filter(mine).copied().collect();
        if mine.is_empty() { None } else { Some(mine[self.rng.random_range(0..mine.len())]) }
    }

    /// Something to do that will succeed, with the state it leads to.
    fn plan(&mut self, owner: Uuid) -> (Op, Seen) {
        let (mark, id) = (self.number() << 20, Uuid::from_u128(u128::from(self.number())));
        let is_post = |thing: &Thing| matches!(thing, Thing::Post(_));
        let is_written = |thing: &Thing| matches!(thing, Thing::Post(_) | Thing::Comment(_));
        let bare =
            Seen { thing: Thing::Post(id), rev: 0, place: None, author: Some(owner), on: None, mark, gone: false };
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

    pub(super) fn write(&mut self, client: u32) {
        if self.clients[client as usize].connection.is_none() {
            return self.connect(client);
        }
        let owner = self.clients[client as usize].owner;
        let (op, after) = self.plan(owner);
        let request = self.invoke(client, op);
        match self.rng.random_range(0..24) {
            0 => self.note(Some(client), What::Fail { request, code: ErrorCode::RateLimited }),
            // Lost with the line: not done, or done later, …
            1 => {
                self.hang_up(client);
                self.note(Some(client), What::Unknown { request, why: "lost".to_owned() });
                if self.rng.random() {
                    self.zombies.push((op, after));
                }
            }
            // … or done just now; then it may be asked again.
            2 | 3 => {
                let done = self.commit(op, after);
                self.hang_up(client);
                self.note(Some(client), What::Unknown { request, why: "lost".to_owned() });
                if matches!(op, Op::Create(..)) {
                    self.connect(client);
                    let request = self.invoke(client, op);
                    self.answer(client, request, done, true);
                }
            }
            4 => {
                if self.rng.random() {
                    self.commit(op, after);
                }
                self.note(Some(client), What::Fail { request, code: ErrorCode::Unavailable });
            }
            _ => {
                let done = self.commit(op, after);
                self.answer(client, request, done, false);
            }
        }
    }

    fn answer(&mut self, client: u32, request: u64, done: Seen, duplicate: bool) {
        self.note(Some(client), What::Ok { request, seq: Some(done.rev), duplicate, seen: Some(done) });
    }

    /// The same as before: a create on another device, a follow that is so already.
    pub(super) fn send_again(&mut self, client: u32) {
        let owner = self.clients[client as usize].owner;
        let is_written = |thing: &Thing| matches!(thing, Thing::Post(_) | Thing::Comment(_));
        if self.rng.random() {
            if let Some(seen) = self.own(owner, is_written)
                && let Some(mark) = self.made.get(&seen.thing).copied()
            {
                let request = self.invoke(client, Op::Create(seen.thing, mark));
                self.answer(client, request, seen, true);
            }
        } else if let Some(seen) = self.own(owner, |thing| matches!(thing, Thing::Follow(..))) {
            let request = self.invoke(client, Op::Follow(seen.thing, true));
            self.answer(client, request, seen, false);
        }
    }

    /// Something that nobody waits for is done nevertheless, if it still can be.
    pub(super) fn rise(&mut self) {
        let Some((op, after)) = self.zombies.pop() else { return };
        let now = self.things.get(&after.thing).filter(|seen| !seen.gone);
        let on = after.on.is_none_or(|post| self.things.get(&Thing::Post(post)).is_some_and(|seen| !seen.gone));
        let can_be = match op {
            Op::Create(..) => on && !self.made.contains_key(&after.thing),
            Op::Follow(_, active) => now.is_some() != active,
            Op::Change(..) | Op::Delete(_) => now.is_some() && on,
            Op::Hello | Op::Read(_) | Op::Watch(_) | Op::Unwatch(_) | Op::LogOut(_) => false,
        };
        if can_be {
            self.commit(op, after);
        }
    }

    /// One entry of the journal, and everybody hears of it.
    fn commit(&mut self, op: Op, after: Seen) -> Seen {
        self.seq += 1;
        let mut done = Seen { rev: self.seq, ..after };
        if let Op::Create(thing, mark) = op {
            done.place = Some(self.seq);
            self.made.insert(thing, mark);
        }
        let before = self.put(done);
        // A removal reaches those who could see what was there.
        let shown = before.filter(|_| done.gone).unwrap_or(done);
        let entry = Entry { done, shown };
        self.log.push(entry);
        for client in 0..CLIENTS {
            self.tell(client, entry);
        }
        done
    }

    /// As the tables have it.
    pub(super) fn put(&mut self, done: Seen) -> Option<Seen> {
        let before = self.things.insert(done.thing, done);
        if let (Thing::Post(post), true) = (done.thing, done.gone) {
            self.things.retain(|_, seen| seen.on != Some(post));
        }
        before
    }
}
