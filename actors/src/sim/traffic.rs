//! What goes between nodes, Postgres and the bus: how long it takes, what is lost, repeated, late, and overtaken.

use std::sync::Arc;

use super::world::{Event, World};
use crate::entry::Batch;
use crate::ports::Heard;

impl World {
    /// What the nodes have asked and published since.
    pub(super) fn listen_to_nodes(&mut self) {
        for node in 0..self.places.len() {
            let Some(running) = &self.places[node].running else { continue };
            let said = running.ports.take();
            for batch in said.published {
                self.publishes(node, &batch);
            }
            let cut = self.places[node].cut_until.saturating_sub(self.now);
            for question in said.asked {
                let wait = self.latency();
                self.later(wait + cut, Event::Arrives(question));
            }
        }
    }

    /// From a node to Postgres, or back.
    pub(super) fn latency(&mut self) -> u64 {
        match self.faults {
            true if self.dice.percent(2) => self.dice.between(100, 3_000),
            true if self.dice.percent(10) => self.dice.between(3, 40),
            _ => self.dice.between(0, 3),
        }
    }

    fn publishes(&mut self, from: usize, batch: &Arc<Batch>) {
        if !self.places[from].on_bus {
            return;
        }
        for node in (0..self.places.len()).filter(|node| *node != from) {
            let place = &self.places[node];
            let lost = !place.on_bus || self.faults && self.dice.percent(10);
            let times = if lost { 0 } else { 1 + usize::from(self.faults && self.dice.percent(8)) };
            let life = self.places[node].life;
            let cut = self.places[node].cut_until.max(self.places[from].cut_until).saturating_sub(self.now);
            for _ in 0..times {
                let late = self.faults && self.dice.percent(8);
                let wait = if late { self.dice.between(5, 3_000) } else { self.dice.between(0, 6) };
                self.later(wait + cut, Event::Hears { node, life, heard: Heard::Rumour(Arc::clone(batch)) });
            }
        }
    }
}
