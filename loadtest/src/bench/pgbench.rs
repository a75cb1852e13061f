//! The yardstick: pgbench inserts the same rows one transaction at a time, on the same Postgres, in the same run.
//! Must never touch Tidings' own tables but to count them; its own are copies in a schema of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde::Serialize;

/// As many as pgbench needs to let Postgres group its commits.
const CLIENTS: &str = "16";

/// Same columns, same indexes, and one number per pair of rows, taken from a sequence: no order is kept.
const SCHEMA: &str = "
    drop schema if exists yardstick cascade;
    create schema yardstick;
    create table yardstick.posts (like public.posts including all);
    create table yardstick.journal (like public.journal including all);
    create sequence yardstick.numbers;";

/// Begin, two inserts, commit: four round trips, as a plain client writes it.
const TRANSACTION: &str = "
begin;
insert into yardstick.posts (id, author, text, seq, rev, created_ms)
values (gen_random_uuid(), '01900000-0000-7000-8000-000000000001', repeat('x', 200),
        nextval('yardstick.numbers'), currval('yardstick.numbers'), 1700000000000);
insert into yardstick.journal (seq, kind, subject, actor, at_ms)
values (currval('yardstick.numbers'), 5, gen_random_uuid(), '01900000-0000-7000-8000-000000000001', 1700000000000);
commit;
";

/// The same in one statement: one round trip, the best that single-row inserts can do.
const STATEMENT: &str = "
with number as (select nextval('yardstick.numbers') as seq),
     post as (insert into yardstick.posts (id, author, text, seq, rev, created_ms)
              select gen_random_uuid(), '01900000-0000-7000-8000-000000000001', repeat('x', 200), seq, seq, 1700000000000
                from number returning id, seq, author)
insert into yardstick.journal (seq, kind, subject, actor, at_ms) select seq, 5, id, author, 1700000000000 from post;
";

/// Transactions a second of single-row inserts.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Yardstick {
    /// As begin, insert, insert, commit.
    pub transaction_per_second: f64,
    /// As one statement.
    pub statement_per_second: f64,
}

impl Yardstick {
    /// The faster of both.
    #[must_use]
    pub fn best(self) -> f64 {
        self.transaction_per_second.max(self.statement_per_second)
    }
}

/// Postgres' own client programs, on one database.
pub struct Postgres {
    socket: PathBuf,
    database: String,
}

impl Postgres {
    /// The one database of a private cluster.
    ///
    /// # Errors
    /// psql is missing or cannot get in.
    pub fn of(socket: PathBuf) -> Result<Self> {
        let mut postgres = Self { socket, database: "postgres".to_owned() };
        let names =
            postgres.ask("select datname from pg_database where not datistemplate and datname <> 'postgres'")?;
        postgres.database = names.lines().next().context("the private Postgres has no database yet")?.to_owned();
        Ok(postgres)
    }

    /// For a server.
    ///
    /// # Errors
    /// The folder has no plain name.
    pub fn url(&self) -> Result<String> {
        let folder = self.socket.to_str().context("a temporary folder with a plain name")?.replace('/', "%2F");
        Ok(format!("postgres://postgres@localhost/{}?host={folder}", self.database))
    }

    /// One statement's result, as text.
    ///
    /// # Errors
    /// The statement fails.
    pub fn ask(&self, sql: &str) -> Result<String> {
        self.run("psql", &["-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-c", sql])
    }

    /// How many posts there are.
    ///
    /// # Errors
    /// They cannot be counted.
    pub fn posts(&self) -> Result<u64> {
        Ok(self.ask("select count(*) from posts")?.trim().parse()?)
    }

    /// Runs pgbench both ways.
    ///
    /// # Errors
    /// pgbench is missing or fails.
    pub fn yardstick(&self, seconds: u64, folder: &Path) -> Result<Yardstick> {
        self.ask(SCHEMA)?;
        Ok(Yardstick {
            transaction_per_second: self.pgbench(TRANSACTION, seconds, folder)?,
            statement_per_second: self.pgbench(STATEMENT, seconds, folder)?,
        })
    }

    fn pgbench(&self, script: &str, seconds: u64, folder: &Path) -> Result<f64> {
        let file = folder.join("pgbench.sql");
        std::fs::write(&file, script)?;
        let file = file.to_str().context("a temporary folder with a plain name")?;
        let seconds = seconds.max(1).to_string();
        let args = ["-n", "-M", "prepared", "-c", CLIENTS, "-j", "2", "-T", &seconds, "-f", file];
        let said = self.run("pgbench", &args)?;
        tps(&said).with_context(|| format!("pgbench said nothing of tps:\n{said}"))
    }

    fn run(&self, program: &str, args: &[&str]) -> Result<String> {
        let output = Command::new(find(program))
            .args(["-h".as_ref(), self.socket.as_os_str()])
            .args(["-U", "postgres"])
            .args(args)
            .env("PGDATABASE", &self.database)
            .output()
            .with_context(|| format!("cannot run {program}: it comes with the Postgres packages"))?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        ensure!(output.status.success(), "{program} failed: {}", String::from_utf8_lossy(&output.stderr));
        Ok(said)
    }
}

/// In `PATH`, or where Debian puts the versions.
fn find(program: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let debian = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|version| version.path().join("bin"));
    std::env::split_paths(&path)
        .chain(debian)
        .map(|folder| folder.join(program))
        .find(|candidate| candidate.is_file())
        .unwrap_or_else(|| program.into())
}

/// "tps = 6323.4 (without initial connection time)".
fn tps(said: &str) -> Option<f64> {
    let line = said.lines().find(|line| line.starts_with("tps = "))?;
    line.split_whitespace().nth(2)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_read_from_what_pgbench_says() {
        let said = "latency average = 2.5 ms\ninitial connection time = 3 ms\ntps = 6323.4 (without initial connection time)\n";
        assert_eq!(tps(said), Some(6323.4));
        assert_eq!(tps("nothing"), None);
    }
}
