//! What one node knows of all this, and what it tells: its own threads at once, the peers by whispers. A pure machine: reports and whispers
//! in, effects out at each pulse; no clock, no bus. Must never trust that a whisper arrives: a peer that is not heard is forgotten, and
//! whoever is met anew is asked, and tells, everything.

use std::collections::{BTreeMap, VecDeque};

use rustc_hash::FxHashSet;
use tidings_protocol::entity::Author;
use tidings_protocol::ids::{PostId, UserId};
use uuid::Uuid;

use super::company::{Report, VisitId};
use super::ledger::Theirs;
use super::people::People;
use super::readers::Readers;
use super::typing::Typing;
use super::whisper::{Typed, Whisper};
use super::{Moment, Standing, Thread, dropped};
use crate::limits::{
    FORGOTTEN_PEERS, LIFE_SIGN_MS, PEER_PEOPLE, PEER_SILENCE_MS, PEERS, READERS_POSTS, STOOD_STILL_MS, WALK_AGAIN_MS,
    WALK_EVERY_MS,
};

/// What the shell does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Tell the peers.
    Whisper(Whisper),
    /// People stand like this now; none: nothing is known of them any more.
    People(Vec<(UserId, Option<Standing>)>),
    /// These type in a thread now, the latest first.
    Typing(Thread, Vec<Author>),
    /// So many connections of the whole cluster watch a post.
    Readers(PostId, u64),
}

/// Another node's crier.
#[derive(Debug)]
struct Peer {
    /// Its last message.
    number: u64,
    heard: Moment,
    people: Theirs<UserId, Standing>,
    readers: Theirs<PostId, u32>,
}

/// The machine.
#[derive(Debug)]
pub struct Machine {
    node: Uuid,
    number: u64,
    people: People,
    readers: Readers,
    typing: Typing,
    peers: BTreeMap<Uuid, Peer>,
    /// Peers that are no longer heard, with their last message: what comes of them late, or is played again, is not believed.
    forgotten: VecDeque<(Uuid, u64)>,
    /// Somebody new was met: they are to tell everything.
    asks: bool,
    /// Somebody new wants to hear everything.
    asked: bool,
    walked_at: Option<u64>,
    whispered_at: Option<u64>,
    pulsed_at: Option<u64>,
}

impl Machine {
    /// One that knows nothing yet, under a name that no other has.
    #[must_use]
    pub fn new(node: Uuid) -> Self {
        Self {
            node,
            number: 0,
            people: People::default(),
            readers: Readers::default(),
            typing: Typing::default(),
            peers: BTreeMap::new(),
            forgotten: VecDeque::new(),
            asks: true,
            asked: false,
            walked_at: None,
            whispered_at: None,
            pulsed_at: None,
        }
    }

    /// What a worker thread has to say.
    pub fn report(&mut self, at: Moment, worker: u64, report: Report) {
        if report.afresh {
            self.leaves(at, worker);
        }
        for (number, shows) in report.visits {
            self.people.shows(at.wall, VisitId { worker, number }, shows);
        }
        for (post, number) in report.readers {
            self.readers.counts(worker, post, number);
        }
        for ((_, thread), who) in report.typed {
            self.typing.here(at.now, Typed { thread, who });
        }
    }

    /// A worker thread is no longer there.
    pub fn leaves(&mut self, at: Moment, worker: u64) {
        self.people.without(at.wall, |visit| visit.worker == worker);
        self.readers.without(worker);
    }

    /// A peer whispers.
    pub fn heard(&mut self, at: Moment, whisper: &Whisper) {
        if whisper.node == self.node || !self.meet(at, whisper) {
            return;
        }
        let Some(peer) = self.peers.get_mut(&whisper.node) else {
            return;
        };
        peer.number = whisper.number;
        peer.heard = at;
        let people = &mut self.people;
        let beyond = peer.people.take(&whisper.people, PEER_PEOPLE, |user| people.touch(user));
        dropped("peer_people", beyond);
        let readers = &mut self.readers;
        let beyond = peer.readers.take(&whisper.readers, READERS_POSTS, |post| readers.touch(post));
        dropped("peer_posts", beyond);
        for typed in &whisper.typed {
            // Those who have just begun to watch a post are not counted yet: the last half of the room is for posts of which it is known.
            if self.typing.has_room_to_spare() || self.readers.is_watched(&typed.thread.post) {
                self.typing.elsewhere(at.now, typed);
            }
        }
        self.asked |= whisper.asks;
    }

    /// Sees to it that the peer is known. False if its message is of no use: late, repeated, or of one too many.
    fn meet(&mut self, at: Moment, whisper: &Whisper) -> bool {
        if let Some(peer) = self.peers.get(&whisper.node) {
            return whisper.number > peer.number;
        }
        if self.forgotten.iter().any(|&(node, number)| node == whisper.node && whisper.number <= number) {
            return false;
        }
        if self.peers.len() >= PEERS {
            dropped("peers", 1);
            return false;
        }
        self.forgotten.retain(|(node, _)| *node != whisper.node);
        let peer = Peer { number: 0, heard: at, people: Theirs::default(), readers: Theirs::default() };
        self.peers.insert(whisper.node, peer);
        self.asks = true;
        true
    }

    /// Time has passed.
    pub fn pulse(&mut self, at: Moment) -> Vec<Effect> {
        self.excuse(at.now);
        self.forget_peers(at.now);
        self.people.forget(at.wall);
        let mut effects = Vec::new();
        let touched = self.people.touched();
        if !touched.is_empty() {
            effects.push(Effect::People(self.standings(touched)));
        }
        effects.extend(self.typing.due(at.now).into_iter().map(|(thread, who)| Effect::Typing(thread, who)));
        let peers = &self.peers;
        let elsewhere = |post: &PostId| peers.values().filter_map(|peer| peer.readers.get(post)).map(u64::from).sum();
        let numbers = self.readers.due(at.now, elsewhere);
        effects.extend(numbers.into_iter().map(|(post, number)| Effect::Readers(post, number)));
        effects.extend(self.whisper(at.now).map(Effect::Whisper));
        effects
    }

    /// Whoever stood still itself cannot say that the others were silent.
    fn excuse(&mut self, now: u64) {
        let gap = self.pulsed_at.replace(now).map_or(0, |pulsed_at| now.saturating_sub(pulsed_at));
        if gap >= STOOD_STILL_MS {
            self.peers.values_mut().for_each(|peer| peer.heard.now += gap);
        }
    }

    fn forget_peers(&mut self, now: u64) {
        let people = &mut self.people;
        let readers = &mut self.readers;
        let forgotten = &mut self.forgotten;
        self.peers.retain(|node, peer| {
            if now < peer.heard.now + PEER_SILENCE_MS {
                return true;
            }
            people.lose(peer.heard.wall, &peer.people);
            peer.readers.iter().for_each(|(post, _)| readers.touch(post));
            forgotten.push_back((*node, peer.number));
            false
        });
        while self.forgotten.len() > FORGOTTEN_PEERS {
            self.forgotten.pop_front();
        }
    }

    fn standings(&self, users: FxHashSet<UserId>) -> Vec<(UserId, Option<Standing>)> {
        users.into_iter().map(|user| (user, self.standing(&user))).collect()
    }

    /// How somebody stands in the whole cluster, as far as this node knows.
    #[must_use]
    pub fn standing(&self, user: &UserId) -> Option<Standing> {
        let theirs = self.peers.values().filter_map(|peer| peer.people.get(user));
        self.people.known(user).into_iter().chain(theirs).reduce(Standing::or)
    }

    /// Peers that are heard.
    #[must_use]
    pub fn peers(&self) -> usize {
        self.peers.len()
    }

    /// What the peers are told now, if it is time to tell them anything.
    fn whisper(&mut self, now: u64) -> Option<Whisper> {
        let since = |then: Option<u64>, wait: u64| then.is_none_or(|then| now >= then + wait);
        let walks_again = since(self.walked_at, WALK_EVERY_MS) || self.asked && since(self.walked_at, WALK_AGAIN_MS);
        if walks_again && self.people.own.rests() && self.readers.own.rests() {
            self.walked_at = Some(now);
            self.asked = false;
            self.people.own.walk();
            self.readers.own.walk();
        }
        let (people, readers) = (self.people.own.part(), self.readers.own.part());
        let typed = self.typing.unsaid();
        let has_news = !people.is_empty() || !readers.is_empty() || !typed.is_empty() || self.asks;
        if !has_news && !since(self.whispered_at, LIFE_SIGN_MS) {
            return None;
        }
        self.whispered_at = Some(now);
        self.number += 1;
        let asks = std::mem::take(&mut self.asks);
        Some(Whisper { node: self.node, number: self.number, asks, people, readers, typed })
    }
}
