//! The faults: what is broken, how it is known to have been broken, and how it is put right again.
//!
//! A fault that cannot show that it took hold is no fault. Each puts back all that it broke, also when it did not take hold.

mod bus;
mod database;
mod kill;
mod links;
mod machine;
mod pause;

use std::{ops::Range, time::Duration};

use anyhow::Result;
use rand::{RngExt as _, rngs::StdRng};

use crate::world::World;

/// What a fault needs for itself: two faults at once must not want the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// A node, and the way of clients to it.
    Node(usize),
    /// The bus, and the nodes' way to it.
    Redis,
    /// The database, and the nodes' way to it.
    Postgres,
}

/// One way to break the world.
pub trait Fault {
    /// The row of the list of faults it stands for.
    fn row(&self) -> &'static str;

    /// What kind it is, for counting: `kill -9 node`.
    fn kind(&self) -> &'static str;

    /// Which one it is, and its particulars.
    fn name(&self) -> String {
        self.kind().to_owned()
    }

    /// What it needs for itself.
    fn claims(&self) -> Vec<Part>;

    /// How long it lasts once it has taken hold.
    fn length(&self) -> Duration;

    /// Breaks it.
    ///
    /// # Errors
    /// When it cannot be broken.
    fn order(&mut self, world: &mut World) -> Result<()>;

    /// What shows that it has taken hold, as soon as something does.
    ///
    /// # Errors
    /// When it cannot be found out.
    fn fired(&mut self, world: &mut World) -> Result<Option<String>>;

    /// Puts it right; comes back when what was broken accepts connections again.
    ///
    /// # Errors
    /// When it cannot be put right.
    fn heal(&mut self, world: &mut World) -> Result<()>;
}

/// Makes one of its kind, as luck has it.
pub type Maker = fn(&mut Luck) -> Box<dyn Fault>;

/// What decides the particulars of faults.
#[derive(Debug)]
pub struct Luck {
    /// All that is random comes from here.
    pub rng: StdRng,
    /// How many nodes there are.
    pub nodes: usize,
    /// Whether faults may last as long as the list of faults says, or must be short.
    pub long: bool,
}

impl Luck {
    /// So many milliseconds.
    fn millis(&mut self, range: Range<u64>) -> Duration {
        Duration::from_millis(self.rng.random_range(range))
    }

    /// One of the nodes.
    fn node(&mut self) -> usize {
        self.rng.random_range(0..self.nodes)
    }

    /// One of these.
    fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.rng.random_range(0..choices.len())]
    }
}

/// The kills that a campaign counts.
pub const KILLS: [Maker; 3] = [kill::busy_node, kill::redis, kill::postgres];

/// All faults that this machine allows, but the end of everything at once, which leaves nothing for others to break.
#[must_use]
pub fn combined(clocks: bool) -> Vec<Maker> {
    let mut all: Vec<Maker> = vec![kill::node, kill::redis, kill::postgres, kill::postgres_immediate];
    all.extend([machine::drain as Maker, pause::node, pause::redis, pause::postgres]);
    all.extend([bus::hold as Maker, bus::throw_out, bus::overflow, bus::noise]);
    all.extend([database::lock as Maker, database::idle, database::terminate]);
    all.extend([links::redis_partition as Maker, links::redis_late, links::redis_narrow]);
    all.extend([links::postgres_partition as Maker, links::postgres_late, links::inner_links_cut]);
    all.extend([links::clients_narrow as Maker, links::clients_cut, links::clients_shut_out, links::clients_half_open]);
    if clocks {
        all.push(machine::clock);
    }
    if machine::can_limit_memory() {
        all.push(machine::memory);
    }
    all
}

/// All faults that this machine allows.
#[must_use]
pub fn all(clocks: bool) -> Vec<Maker> {
    let mut all = combined(clocks);
    all.push(kill::everything);
    all
}
