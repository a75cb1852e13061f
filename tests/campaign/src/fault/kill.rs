//! Ends of processes without a word (`kill -9`): nodes, Redis, Postgres, and everything at once.

use std::{cmp::Reverse, net::TcpStream, thread, time::Duration};

use anyhow::{Result, ensure};
use rand::{RngExt as _, seq::SliceRandom as _};
use tidings_testkit::{Halt, Node};

use super::{Fault, Luck, Part};
use crate::world::World;

/// Some nodes, but never all.
struct Nodes {
    victims: Vec<usize>,
    /// Victims are places in the order of how many clients nodes have, the most first, and become nodes when the time comes:
    /// clients of a node that was killed gather elsewhere, and who kills by number soon kills nodes that nobody uses.
    by_clients: bool,
    down: Duration,
    /// Connections there were: a node that nobody needed proves nothing.
    hit: u64,
    clients: u64,
}

/// One node; now and then all but one.
pub(super) fn node(luck: &mut Luck) -> Box<dyn Fault> {
    nodes(luck, false)
}

/// The same, of those that have clients. It may be any of them, so nothing may happen to another meanwhile.
pub(super) fn busy_node(luck: &mut Luck) -> Box<dyn Fault> {
    nodes(luck, true)
}

fn nodes(luck: &mut Luck, by_clients: bool) -> Box<dyn Fault> {
    let mut all: Vec<usize> = (0..luck.nodes).collect();
    all.shuffle(&mut luck.rng);
    let several = luck.nodes > 2 && luck.rng.random_bool(0.15);
    if by_clients && luck.rng.random_bool(0.6) {
        all.sort_unstable();
    }
    all.truncate(if several { luck.nodes - 1 } else { 1 });
    Box::new(Nodes { victims: all, by_clients, down: luck.millis(0..400), hit: 0, clients: 0 })
}

impl Fault for Nodes {
    fn row(&self) -> &'static str {
        "F11"
    }

    fn kind(&self) -> &'static str {
        "kill -9 node"
    }

    fn name(&self) -> String {
        let which = if self.by_clients { "by clients" } else { "by number" };
        format!("kill -9 node {:?} {which} for {:?}", self.victims, self.down)
    }

    fn claims(&self) -> Vec<Part> {
        self.victims.iter().map(|victim| Part::Node(*victim)).collect()
    }

    fn length(&self) -> Duration {
        self.down
    }

    fn order(&mut self, world: &mut World) -> Result<()> {
        if self.by_clients {
            let mut nodes: Vec<usize> = (0..world.members.len()).collect();
            nodes.sort_by_key(|node| Reverse(world.members[*node].clients.counts().live));
            self.victims = self.victims.iter().map(|place| nodes[*place]).collect();
        }
        for victim in &self.victims {
            let member = &mut world.members[*victim];
            self.clients += member.clients.counts().live;
            self.hit += member.clients.counts().live + member.postgres.counts().live;
            member.node.kill9()?;
        }
        Ok(())
    }

    fn fired(&mut self, world: &mut World) -> Result<Option<String>> {
        // Its connections may live on at the far end: a Postgres that is paused does not hear that they have ended.
        let gone = self.victims.iter().all(|victim| TcpStream::connect(world.members[*victim].node.address()).is_err());
        Ok((gone && self.hit > 0).then(|| {
            format!("nodes {:?}: {} connections ended, {} of them of clients", self.victims, self.hit, self.clients)
        }))
    }

    fn heal(&mut self, world: &mut World) -> Result<()> {
        for victim in &self.victims {
            world.members[*victim].node.restart()?;
        }
        Ok(())
    }
}

struct Redis {
    down: Duration,
    hit: u64,
}

/// Redis, which forgets everything.
pub(super) fn redis(luck: &mut Luck) -> Box<dyn Fault> {
    let down = if luck.long && luck.rng.random_bool(0.1) { Duration::from_secs(5) } else { luck.millis(100..800) };
    Box::new(Redis { down, hit: 0 })
}

impl Fault for Redis {
    fn row(&self) -> &'static str {
        "F1"
    }

    fn kind(&self) -> &'static str {
        "kill -9 Redis"
    }

    fn name(&self) -> String {
        format!("kill -9 Redis for {:?}", self.down)
    }

    fn claims(&self) -> Vec<Part> {
        vec![Part::Redis]
    }

    fn length(&self) -> Duration {
        self.down
    }

    fn order(&mut self, world: &mut World) -> Result<()> {
        self.hit = world.members.iter().map(|member| member.redis.counts().live).sum();
        world.redis.kill9()
    }

    fn fired(&mut self, world: &mut World) -> Result<Option<String>> {
        let gone = world.redis.ask("PING").is_err();
        Ok((gone && self.hit > 0).then(|| format!("{} connections of nodes ended", self.hit)))
    }

    fn heal(&mut self, world: &mut World) -> Result<()> {
        world.redis.restart()
    }
}

struct Postgres {
    how: Halt,
    down: Duration,
    hit: u64,
}

/// All of Postgres' processes.
pub(super) fn postgres(luck: &mut Luck) -> Box<dyn Fault> {
    Box::new(Postgres { how: Halt::Kill, down: luck.millis(0..300), hit: 0 })
}

/// Postgres' own way of ending without a checkpoint.
pub(super) fn postgres_immediate(luck: &mut Luck) -> Box<dyn Fault> {
    Box::new(Postgres { how: Halt::Immediate, down: luck.millis(0..300), hit: 0 })
}

impl Fault for Postgres {
    fn row(&self) -> &'static str {
        "F6"
    }

    fn kind(&self) -> &'static str {
        if self.how == Halt::Kill { "kill -9 Postgres" } else { "immediate stop of Postgres" }
    }

    fn name(&self) -> String {
        format!("{} for {:?}", self.kind(), self.down)
    }

    fn claims(&self) -> Vec<Part> {
        vec![Part::Postgres]
    }

    fn length(&self) -> Duration {
        self.down
    }

    fn order(&mut self, world: &mut World) -> Result<()> {
        self.hit = world.members.iter().map(|member| member.postgres.counts().live).sum();
        world.postgres.halt(self.how)
    }

    fn fired(&mut self, world: &mut World) -> Result<Option<String>> {
        let gone = world.database.psql("select 1").is_err();
        Ok((gone && self.hit > 0).then(|| format!("{} connections of nodes ended", self.hit)))
    }

    fn heal(&mut self, world: &mut World) -> Result<()> {
        world.postgres.start_again()
    }
}

/// Everything, and back in any order.
struct Everything {
    /// How long each part is late: the nodes, then Redis, then Postgres.
    late: Vec<Duration>,
}

/// A power cut for all parts; each comes back when it likes.
pub(super) fn everything(luck: &mut Luck) -> Box<dyn Fault> {
    let late = (0..luck.nodes + 2).map(|_| luck.millis(0..600)).collect();
    Box::new(Everything { late })
}

impl Fault for Everything {
    fn row(&self) -> &'static str {
        "F24"
    }

    fn kind(&self) -> &'static str {
        "kill -9 everything"
    }

    fn claims(&self) -> Vec<Part> {
        let nodes = 0..self.late.len().saturating_sub(2);
        nodes.map(Part::Node).chain([Part::Redis, Part::Postgres]).collect()
    }

    fn length(&self) -> Duration {
        Duration::ZERO
    }

    fn order(&mut self, world: &mut World) -> Result<()> {
        for member in &mut world.members {
            member.node.kill9()?;
        }
        world.redis.kill9()?;
        world.postgres.kill9()
    }

    fn fired(&mut self, world: &mut World) -> Result<Option<String>> {
        let gone = world.database.psql("select 1").is_err() && world.redis.ask("PING").is_err();
        Ok(gone.then(|| "nothing answers".to_owned()))
    }

    fn heal(&mut self, world: &mut World) -> Result<()> {
        let World { members, redis, postgres, .. } = world;
        let nodes = members.len();
        ensure!(self.late.len() == nodes + 2, "made for another world");
        let late = &self.late;
        thread::scope(|scope| {
            let mut starts: Vec<_> = members
                .iter_mut()
                .zip(late)
                .map(|(member, late)| {
                    scope.spawn(move || {
                        thread::sleep(*late);
                        come_up(&mut member.node)
                    })
                })
                .collect();
            starts.push(scope.spawn(move || {
                thread::sleep(late[nodes]);
                redis.restart()
            }));
            starts.push(scope.spawn(move || {
                thread::sleep(late[nodes + 1]);
                postgres.start_again()
            }));
            starts.into_iter().try_for_each(|start| start.join().expect("a start does not panic"))
        })
    }
}

/// A node that finds no database may give up; whoever runs it starts it again.
fn come_up(node: &mut Node) -> Result<()> {
    const TRIES: u32 = 50;
    let mut outcome = node.restart();
    for _ in 1..TRIES {
        if outcome.is_ok() {
            break;
        }
        outcome = node.restart();
    }
    outcome
}
