//! Quiet points: everything is healed, nobody begins anything new, and within a bounded time everybody has to have exactly what they should.

use super::model::session_id;
use super::seen::Seen;
use super::world::{Event, World};

/// Virtual time after the last fault in which everything has to be well: the longest back-off (20 s), the longest silence after which a
/// client or a node gives a line up (60 s), and the waits in between.
const PATIENCE_MS: u64 = 150_000;

impl World {
    /// Lives through some rounds of trouble, each ending in a quiet point, and ends.
    pub(super) async fn live(&mut self, rounds: u64) -> Seen {
        for _ in 0..rounds {
            let trouble = self.dice.between(2_000, 15_000);
            self.pass(trouble).await;
            self.heal();
            self.settle().await;
            self.faults = true;
            self.later(500, Event::Odd);
        }
        self.heal();
        self.everybody_leaves().await;
        self.seen.entries = self.database.list.head();
        self.seen.lived_ms = self.now;
        self.seen
    }

    fn heal(&mut self) {
        self.faults = false;
        self.database.down = false;
        self.database.stands_still_until = 0;
        for node in 0..self.places.len() {
            let place = &mut self.places[node];
            place.woke_at = place.woke_at.min(self.now);
            (place.paused_until, place.cut_until) = (0, 0);
            if let Some(running) = &mut place.running {
                running.main.held_until = 0;
                running.threads.iter_mut().for_each(|thread| thread.held_until = 0);
            } else {
                self.starts(node);
            }
            self.bus_turns(node, true);
        }
        for at in 0..self.people.len() {
            let person = &mut self.people[at];
            person.stalled_until = 0;
            if let Some(line) = &person.line {
                // They look again.
                let number = line.number;
                self.later(0, Event::Reads(at, number));
            }
        }
    }

    async fn settle(&mut self) {
        let healed_at = self.now;
        loop {
            self.pass(250).await;
            let Err(wrong) = self.is_well() else { break };
            assert!(self.now < healed_at + PATIENCE_MS, "{PATIENCE_MS} ms after the last fault: {wrong}");
        }
        self.seen.quiet += 1;
        self.seen.slowest_heal_ms = self.seen.slowest_heal_ms.max(self.now - healed_at);
    }

    /// Whether everybody has exactly what they should.
    fn is_well(&self) -> Result<(), String> {
        let head = self.database.head();
        for (node, place) in self.places.iter().enumerate() {
            let running = place.running.as_ref().ok_or("a node is not there")?;
            for worker in &running.workers {
                let worker = worker.borrow();
                let worker = worker.as_ref().ok_or_else(|| format!("a thread of node {node} is not there"))?;
                let table = worker.table();
                if (table.epoch(), table.applied()) != (head.epoch, head.seq) {
                    return Err(format!("node {node} is at {}-{}, not {head:?}", table.epoch(), table.applied()));
                }
            }
        }
        for (at, person) in self.people.iter().enumerate() {
            if !person.live || !person.asked.is_empty() || !person.wishes.is_empty() {
                return Err(format!("person {at}: live {}, waits for {:?}", person.live, person.asked));
            }
            if self.database.ended_at(session_id(person.log_in)).is_some() {
                return Err(format!("person {at} is there on a log-in that has ended (P5)"));
            }
        }
        for (at, person) in self.people.iter().enumerate() {
            let viewer = person.user_id();
            for feed in person.client.feeds.keys() {
                let compared = person.client.compare(*feed, viewer, &self.database.list.present, u64::MAX);
                compared.map_err(|wrong| format!("person {at}, at {:?}: {wrong}", person.client.cursor))?;
            }
        }
        Ok(())
    }

    /// Nothing stays behind: no slot, no seat, no index.
    async fn everybody_leaves(&mut self) {
        for at in 0..self.people.len() {
            if let Some(line) = self.people[at].line.take() {
                line.close();
            }
        }
        self.people.clear();
        self.forget_people();
        let left_at = self.now;
        // Lines that were given up without a word are found by their silence.
        while let Err(left) = self.is_bare() {
            assert!(self.now < left_at + PATIENCE_MS, "long after everybody has left, {left}");
            self.pass(1_000).await;
        }
    }

    /// Whether nothing is left of anybody.
    fn is_bare(&self) -> Result<(), String> {
        for (node, place) in self.places.iter().enumerate() {
            let running = place.running.as_ref().ok_or("a node is not there")?;
            if running.users() > 0 {
                return Err(format!("somebody is still seated on node {node}"));
            }
            for worker in &running.workers {
                let worker = worker.borrow();
                let worker = worker.as_ref().ok_or("a thread is not there")?;
                let (connections, table) = (worker.connections(), worker.table());
                if connections > 0 || table.sessions() > 0 {
                    return Err(format!("node {node} has {connections} connections, {} sessions", table.sessions()));
                }
                if !table.is_bare() {
                    return Err(format!("an index of node {node} still knows somebody"));
                }
            }
        }
        Ok(())
    }
}
