//! A Postgres that lives and does not serve: locks held, sessions ended, transactions left open.

use std::{
    io::Write as _,
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result};
use rand::RngExt as _;

use super::{Fault, Luck, Part};
use crate::world::World;

/// A `psql` that has begun something and does not go on. When it goes, all that it began is undone.
struct Sitter(Child);

impl Sitter {
    fn sit(world: &World, url: &str, sql: &str) -> Result<Self> {
        let mut command = Command::new(world.postgres.cluster().binaries().program("psql"));
        command.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", url]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        let stdin = child.stdin.as_mut().context("a pipe was asked for")?;
        writeln!(stdin, "{sql}")?;
        stdin.flush()?;
        Ok(Self(child))
    }
}

impl Drop for Sitter {
    fn drop(&mut self) {
        // It has nothing to say any more.
        let _gone = self.0.kill();
        let _gone = self.0.wait();
    }
}

/// A lock that everybody needs.
struct Lock {
    kind: &'static str,
    sql: &'static str,
    length: Duration,
    sitter: Option<Sitter>,
}

/// On the head of the journal, which every commit needs, or on a whole table, which reads need as well.
pub(super) fn lock(luck: &mut Luck) -> Box<dyn Fault> {
    let (kind, sql) = luck.one_of(&[
        ("lock on the journal's head", "begin; select 1 from journal_head for update;"),
        ("lock on all posts", "begin; lock table posts in access exclusive mode;"),
    ]);
    let longest = if luck.long { 4_000 } else { 2_000 };
    Box::new(Lock { kind, sql, length: luck.millis(300..longest), sitter: None })
}

impl Fault for Lock {
    fn row(&self) -> &'static str {
        "F8"
    }

    fn kind(&self) -> &'static str {
        self.kind
    }

    fn name(&self) -> String {
        format!("{} for {:?}", self.kind, self.length)
    }

    fn claims(&self) -> Vec<Part> {
        vec![Part::Postgres]
    }

    fn length(&self) -> Duration {
        self.length
    }

    fn order(&mut self, world: &mut World) -> Result<()> {
        self.sitter = Some(Sitter::sit(world, world.database.url(), self.sql)?);
        Ok(())
    }

    fn fired(&mut self, world: &mut World) -> Result<Option<String>> {
        let sql =
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
        let waiting: u64 = world.database.psql(sql)?.trim().parse()?;
        Ok((waiting > 0).then(|| format!("{waiting} sessions wait for it")))
    }

    fn heal(&mut self, _world: &mut World) -> Result<()> {
        self.sitter = None;
        Ok(())
    }
}

/// Write transactions left open, which hold back what others may see and clean up.
struct Idle {
    length: Duration,
    sitters: Vec<Sitter>,
}

/// In the nodes' database and in another one.
pub(super) fn idle(luck: &mut Luck) -> Box<dyn Fault> {
    let length = if luck.long && luck.rng.random_bool(0.2) { Duration::from_secs(15) } else { luck.millis(500..3_000) };
    Box::new(Idle { length, sitters: Vec::new() })
}

impl Fault for Idle {
    fn row(&self) -> &'static str {
        "F10"
    }

    fn kind(&self) -> &'static str {
        "idle write transactions"
    }

    fn name(&self) -> String {
        format!("{} for {:?}", self.kind(), self.length)
    }

    fn claims(&self) -> Vec<Part> {
        vec![Part::Postgres]
    }

    fn length(&self) -> Duration {
        self.length
    }

    fn order(&mut self, world: &mut World) -> Result<()> {
        let other = world.postgres.url("postgres");
        for url in [world.database.url(), &other] {
            self.sitters.push(Sitter::sit(world, url, "begin; select pg_current_xact_id();")?);
        }
        Ok(())
    }

    fn fired(&mut self, world: &mut World) -> Result<Option<String>> {
        let sql =
            "select count(*) from pg_stat_activity where state = 'idle in transaction' and backend_xid is not null";
        let idle: usize = world.database.psql(sql)?.trim().parse()?;
        Ok((idle >= self.sitters.len()).then(|| format!("{idle} open transactions have a number and do nothing")))
    }

    fn heal(&mut self, _world: &mut World) -> Result<()> {
        self.sitters.clear();
        Ok(())
    }
}

/// Every session of the nodes is ended from outside.
struct Terminate;

pub(super) fn terminate(_luck: &mut Luck) -> Box<dyn Fault> {
    Box::new(Terminate)
}

impl Fault for Terminate {
    fn row(&self) -> &'static str {
        "F8"
    }

    fn kind(&self) -> &'static str {
        "pg_terminate_backend of all"
    }

    fn claims(&self) -> Vec<Part> {
        vec![Part::Postgres]
    }

    fn length(&self) -> Duration {
        Duration::ZERO
    }

    fn order(&mut self, _world: &mut World) -> Result<()> {
        Ok(())
    }

    fn fired(&mut self, world: &mut World) -> Result<Option<String>> {
        let sql = "select count(*) filter (where pg_terminate_backend(pid)) from pg_stat_activity \
                   where datname = current_database() and pid <> pg_backend_pid()";
        let ended: u64 = world.database.psql(sql)?.trim().parse()?;
        Ok((ended > 0).then(|| format!("{ended} sessions were ended")))
    }

    fn heal(&mut self, _world: &mut World) -> Result<()> {
        Ok(())
    }
}
