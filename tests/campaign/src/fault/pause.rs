//! Processes that stand still (`SIGSTOP`): connections stay open, nothing answers, and then all goes on as if nothing had been.

use std::time::Duration;

use anyhow::Result;
use rand::RngExt as _;
use tidings_testkit::until;

use super::{Fault, Luck, Part};
use crate::{resources::is_stopped, world::World};

/// After it goes on again, a part answers within this.
const PATIENCE: Duration = Duration::from_secs(10);

struct Pause {
    part: Part,
    length: Duration,
    pid: u32,
}

fn pause(part: Part, luck: &mut Luck) -> Box<dyn Fault> {
    let long = luck.long && luck.rng.random_bool(0.1);
    let length = if long { Duration::from_secs(10) } else { luck.millis(800..3_000) };
    Box::new(Pause { part, length, pid: 0 })
}

/// A node.
pub(super) fn node(luck: &mut Luck) -> Box<dyn Fault> {
    let one = luck.node();
    pause(Part::Node(one), luck)
}

/// Redis.
pub(super) fn redis(luck: &mut Luck) -> Box<dyn Fault> {
    pause(Part::Redis, luck)
}

/// All of Postgres' processes.
pub(super) fn postgres(luck: &mut Luck) -> Box<dyn Fault> {
    pause(Part::Postgres, luck)
}

impl Fault for Pause {
    fn row(&self) -> &'static str {
        "F13"
    }

    fn kind(&self) -> &'static str {
        match self.part {
            Part::Node(_) => "pause node",
            Part::Redis => "pause Redis",
            Part::Postgres => "pause Postgres",
        }
    }

    fn name(&self) -> String {
        let which = if let Part::Node(one) = self.part { format!(" {one}") } else { String::new() };
        format!("{}{which} for {:?}", self.kind(), self.length)
    }

    fn claims(&self) -> Vec<Part> {
        vec![self.part]
    }

    fn length(&self) -> Duration {
        self.length
    }

    fn order(&mut self, world: &mut World) -> Result<()> {
        match self.part {
            Part::Node(one) => {
                self.pid = world.members[one].node.pid();
                world.members[one].node.pause()
            }
            Part::Redis => {
                self.pid = world.redis_pid()?;
                world.redis.pause()
            }
            Part::Postgres => {
                self.pid = world.postgres_pid()?;
                world.postgres.pause()
            }
        }
    }

    fn fired(&mut self, _world: &mut World) -> Result<Option<String>> {
        Ok(is_stopped(self.pid)?.then(|| format!("the kernel says that {} is stopped", self.pid)))
    }

    fn heal(&mut self, world: &mut World) -> Result<()> {
        match self.part {
            Part::Node(one) => world.members[one].node.resume(),
            Part::Redis => {
                world.redis.resume()?;
                until("Redis answers", PATIENCE, || Ok(world.redis.ask("PING").is_ok().then_some(())))
            }
            Part::Postgres => {
                world.postgres.resume()?;
                until("Postgres answers", PATIENCE, || Ok(world.database.psql("select 1").is_ok().then_some(())))
            }
        }
    }
}
