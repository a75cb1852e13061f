//! What goes wrong in the simulated world, and how it is healed again.

use std::sync::Arc;

use tidings_protocol::ids::UserId;
use tidings_protocol::position::{Epoch, Seq};

use super::model::session_id;
use super::people::Person;
use super::world::{Event, USERS, World};
use crate::command::{Act, Command};
use crate::entry::{Batch, Change, Verb};
use crate::limits::ASLEEP_MS;
use crate::ports::Heard;
use crate::testing::{post, post_batch, user};

impl World {
    pub(super) fn something_odd(&mut self) {
        if !self.faults {
            return;
        }
        let wait = self.dice.between(50, 2_500);
        self.later(wait, Event::Odd);
        self.seen.faults += 1;
        let node = self.dice.index(self.places.len());
        let fault = self.dice.below(20);
        self.tell(|| format!("fault {fault} at node {node}, head {:?}", self.database.head()));
        match fault {
            0 => self.crashes(node),
            1 => self.leaves(node),
            2 | 3 => {
                let pause = self.dice.one_of(&[100, 1_000, 1_490, 1_550, 3_000, 4_500, 12_000, 40_000]);
                self.is_paused(node, pause);
                self.somebody_there_is_logged_out(node, pause);
            }
            4 | 5 => self.a_thread_is_held_up(node),
            6 | 19 => {
                let cut = self.dice.one_of(&[300, 3_000, 7_000, 12_000]);
                self.places[node].cut_until = self.now + cut;
                self.somebody_there_is_logged_out(node, cut);
            }
            7 => {
                self.database.down = true;
                self.database.deaths += 1;
                let wait = self.dice.one_of(&[50, 500, 3_000, 9_000]);
                self.later(wait, Event::DatabaseBack);
            }
            8 => self.database.deaths += 1,
            9 | 10 => self.database.stands_still_until = self.now + self.dice.one_of(&[50, 500, 2_500, 5_500, 8_000]),
            11 => self.loses_its_primary(),
            12 | 13 => {
                let all = self.dice.percent(40);
                let wait = self.dice.one_of(&[50, 500, 3_000, 20_000]);
                for node in if all { 0..self.places.len() } else { node..node + 1 } {
                    self.bus_turns(node, false);
                    self.later(wait, Event::BusBack(node));
                }
            }
            14 | 15 => self.somebody_forges(node),
            16 if self.dice.percent(60) => {
                let head = self.database.list.head();
                let kept = self.dice.one_of(&[0, 5, 60]);
                self.database.floor = self.database.floor.max(head.saturating_sub(kept));
            }
            17 | 18 => self.an_operator_writes(),
            _ => self.somebody_is_logged_out(),
        }
    }

    /// A standby will be promoted in a moment; what comes about just before, and whom it concerns, is lost with the primary.
    fn loses_its_primary(&mut self) {
        if self.dice.percent(60) && !self.database.down {
            for _ in 0..3 {
                let at = self.dice.index(self.people.len());
                let (Some(follower), followee) = (self.people[at].user_id(), user(self.dice.below(USERS))) else {
                    continue;
                };
                if follower != followee {
                    let on = self.database.list.present.follows.get(&(follower, followee)).is_some_and(|(_, on)| *on);
                    let verb = if on { Verb::Removed } else { Verb::Created };
                    self.database.writes(Change::Follow { verb, follower, followee });
                }
                self.hangs_up(at);
                let wait = self.dice.below(40);
                self.later(wait, Event::Connects(at));
            }
        }
        let wait = self.dice.one_of(&[0, 20, 60, 400]);
        self.later(wait, Event::Promotes);
    }

    pub(super) fn promotes(&mut self) {
        let lose = self.dice.one_of(&[0, 1, 3, 10, 40]);
        let in_flight = self.dice.percent(50);
        self.database.is_promoted(lose, in_flight);
        self.seen.promotions += 1;
    }

    /// While the node cannot know.
    fn somebody_there_is_logged_out(&mut self, node: usize, within: u64) {
        let looks = |person: &Person| person.node == node && person.user.is_some() && person.attentive && person.live;
        let there: Vec<usize> = (0..self.people.len()).filter(|at| looks(&self.people[*at])).collect();
        if !there.is_empty() && self.dice.percent(60) {
            let (person, wait) = (there[self.dice.index(there.len())], self.dice.below(within / 2 + 1));
            self.later(wait, Event::LogsOut(person));
        }
    }

    /// The whole process stands still.
    fn is_paused(&mut self, node: usize, pause: u64) {
        let place = &mut self.places[node];
        place.paused_until = place.paused_until.max(self.now + pause);
        if pause > ASLEEP_MS {
            place.woke_at = place.paused_until;
        }
    }

    fn leaves(&mut self, node: usize) {
        let place = &self.places[node];
        if let Some(running) = &place.running {
            running.says_goodbye();
            let (life, wait) = (place.life, self.dice.between(500, 3_000));
            self.later(wait, Event::Leaves(node, life));
        }
    }

    pub(super) fn crashes(&mut self, node: usize) {
        self.places[node].running = None;
        self.places[node].paused_until = 0;
        self.seen.crashes += 1;
        let wait = self.dice.one_of(&[10, 500, 5_000]);
        self.later(wait, Event::Starts(node));
    }

    fn a_thread_is_held_up(&mut self, node: usize) {
        let until = self.now + self.dice.one_of(&[20, 200, 1_000, 3_000]);
        if let Some(running) = &mut self.places[node].running {
            let mut threads: Vec<_> = [&mut running.main].into_iter().chain(&mut running.threads).collect();
            let at = self.dice.index(threads.len());
            threads[at].held_until = until;
        }
    }

    pub(super) fn bus_turns(&mut self, node: usize, on: bool) {
        let place = &mut self.places[node];
        if place.on_bus != on {
            place.on_bus = on;
            let life = place.life;
            let heard = if on { Heard::Back } else { Heard::Away };
            self.later(0, Event::Hears { node, life, heard });
        }
    }

    /// As far as a bus may: of another life, empty, old, cut.
    fn somebody_forges(&mut self, node: usize) {
        let head = self.database.list.head();
        let first = self.dice.between(1, head + 3);
        let epoch = self.database.epoch();
        let batch = match self.dice.below(4) {
            0 => Batch { epoch: Epoch(epoch.0 - 1), ..post_batch(first, first + 2) },
            1 => Batch { epoch: Epoch(99), ..post_batch(first, first + 2) },
            2 => Batch { epoch, first: Seq(head + 1), last: Seq(head), entries: Vec::new() },
            _ => {
                let last = self.dice.between(first.min(head), head);
                self.database.list.batch(first.min(last), last, false)
            }
        };
        let life = self.places[node].life;
        self.later(0, Event::Hears { node, life, heard: Heard::Rumour(Arc::new(batch)) });
    }

    /// By SQL: nobody announces it.
    fn an_operator_writes(&mut self) {
        if self.database.down {
            return;
        }
        let many = match self.dice.below(100) {
            // More than an outbox holds, while nobody looks; and once in a while more than is caught up one by one.
            burst @ 0..16 => {
                self.nobody_looks();
                if burst == 0 { 1_100 } else { self.dice.between(520, 600) }
            }
            _ => self.dice.between(1, 12),
        };
        for _ in 0..many {
            let number = self.number();
            let author = user(self.dice.below(USERS));
            self.database.writes(Change::Post { verb: Verb::Created, id: post(number), author });
        }
    }

    fn nobody_looks(&mut self) {
        for at in 0..self.people.len() {
            if self.dice.percent(70) {
                let wait = self.dice.one_of(&[300, 2_000, 8_000]);
                // Some of a frame may be on its way already.
                let room = self.dice.one_of(&[0, 77, 777]);
                self.people[at].stalls(self.now + wait, room);
            }
        }
    }

    /// At a desk of some node, or by another program at the same database.
    pub(super) fn logs_out(&mut self, at: usize) {
        let person = &self.people[at];
        let Some(id) = person.user_id() else { return };
        let session = self.dice.percent(70).then(|| session_id(person.log_in));
        self.revokes(id, session);
    }

    fn somebody_is_logged_out(&mut self) {
        let at = self.dice.index(self.people.len());
        self.logs_out(at);
    }

    fn revokes(&mut self, actor: UserId, session: Option<tidings_protocol::ids::SessionId>) {
        self.seen.turned_out += 1;
        if self.dice.percent(50) && !self.database.down {
            return self.database.writes(Change::SessionRevoked { user: actor, session });
        }
        let node = self.dice.index(self.places.len());
        if let Some(running) = &self.places[node].running {
            running.submits(Command { actor, act: Act::SessionRevoke { session } });
        }
    }
}
