//! The world that is broken: a Postgres, a Redis and nodes, real processes all, and a chaos proxy on every link between them.
//!
//! Never in the way of clients: they are given the addresses of the proxies and know of nothing else.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use tempfile::TempDir;
use tidings_private_postgres::Options;
use tidings_testkit::{Database, Node, PrivatePostgres, Proxy, Redis, free_port};

/// What all nodes of a world have been given.
const SECRET: &str = "a secret that all nodes of this campaign have been given";
/// Where Debian keeps the library that tells a program another time.
const FAKE_TIME: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";
/// A test must not wait long for a drain.
const DRAIN_MS: &str = "3000";

/// How a world is made.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The server.
    pub server: PathBuf,
    /// How many nodes.
    pub nodes: usize,
    /// Nodes whose clock can be set; it costs them some speed.
    pub clocks: bool,
}

/// A node and its links.
#[derive(Debug)]
pub struct Member {
    /// The server.
    pub node: Node,
    /// From clients to it.
    pub clients: Proxy,
    /// From it to Postgres.
    pub postgres: Proxy,
    /// From it to Redis.
    pub redis: Proxy,
    /// Where its clock is set, if it can be.
    clock: Option<PathBuf>,
}

impl Member {
    /// Sets its clock off by this many seconds.
    ///
    /// # Errors
    /// When it was not given a clock that can be set.
    pub fn set_clock(&self, seconds: i64) -> Result<()> {
        let clock = self.clock.as_ref().context("this node has a clock that cannot be set")?;
        Ok(fs::write(clock, format!("{seconds:+}"))?)
    }

    /// Whether its clock can be set.
    #[must_use]
    pub fn has_clock(&self) -> bool {
        self.clock.is_some()
    }
}

/// All of it; ends when it is dropped, nodes first.
#[derive(Debug)]
pub struct World {
    /// The nodes.
    pub members: Vec<Member>,
    /// Their database, reached without a proxy.
    pub database: Database,
    /// The server of that database.
    pub postgres: PrivatePostgres,
    /// What carries rumours between the nodes.
    pub redis: Redis,
    /// Files of this world.
    pub folder: TempDir,
}

impl World {
    /// Starts everything; comes back when every node is ready.
    ///
    /// # Errors
    /// When a part is not installed or does not start.
    pub fn start(plan: &Plan) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("tidings-campaign-").tempdir()?;
        // As safe as any Postgres when a process dies; one call instead of a sync of each file makes its restart ten times as fast.
        let sync = ("recovery_init_sync_method".to_owned(), "syncfs".to_owned());
        let postgres = PrivatePostgres::with(Options { settings: vec![sync], ..Options::default() })?;
        let database = postgres.fresh_database()?;
        let redis = Redis::start()?;
        let mut world = Self { members: Vec::new(), database, postgres, redis, folder };
        for number in 0..plan.nodes {
            let member = world.member(plan, number).with_context(|| format!("node {number}"))?;
            world.members.push(member);
        }
        Ok(world)
    }

    fn member(&self, plan: &Plan, number: usize) -> Result<Member> {
        let (database, bus) = (self.database.url(), self.redis.url());
        let (postgres, redis) = (Proxy::before(database)?, Proxy::before(&bus)?);
        let mut node = settings(&plan.server)
            .database(&postgres.url(database)?)
            .redis(&redis.url(&bus)?)
            .listen(&format!("127.0.0.1:{}", free_port()?));
        let clock = (plan.clocks && can_set_clocks()).then(|| self.folder.path().join(format!("clock-{number}")));
        if let Some(clock) = &clock {
            fs::write(clock, "+0")?;
            node = node
                .env("LD_PRELOAD", FAKE_TIME)
                .env("FAKETIME_TIMESTAMP_FILE", clock)
                .env("FAKETIME_CACHE_DURATION", "1")
                .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        }
        let node = node.start()?;
        let clients = Proxy::before(&node.url())?;
        Ok(Member { node, clients, postgres, redis, clock })
    }

    /// Where clients find the nodes: through the proxies.
    ///
    /// # Errors
    /// When a node has no address.
    pub fn urls(&self) -> Result<Vec<String>> {
        self.members.iter().map(|member| member.clients.url(&member.node.url())).collect()
    }

    /// The pid of Postgres' first process, from its own file.
    ///
    /// # Errors
    /// When it is not running.
    pub fn postgres_pid(&self) -> Result<u32> {
        let file = self.postgres.cluster().folder().join("pgdata/postmaster.pid");
        let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        Ok(text.lines().next().context("an empty pid file")?.trim().parse()?)
    }

    /// The pid of Redis, from its own mouth.
    ///
    /// # Errors
    /// When it is not running.
    pub fn redis_pid(&self) -> Result<u32> {
        let said = self.redis.ask("INFO server")?;
        let line = said.lines().find_map(|line| line.strip_prefix("process_id:"));
        Ok(line.context("Redis does not say its pid")?.trim().parse()?)
    }

    /// Keeps what tells the story of a failure: the logs of all parts.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep_logs(&self, folder: &Path) -> Result<()> {
        for (number, member) in self.members.iter().enumerate() {
            fs::write(folder.join(format!("node-{number}.log")), member.node.log())?;
        }
        fs::copy(self.postgres.cluster().log(), folder.join("postgres.log"))?;
        Ok(())
    }
}

/// Whether this machine has what sets a single program's clock.
#[must_use]
pub fn can_set_clocks() -> bool {
    Path::new(FAKE_TIME).is_file()
}

/// A node as a load test needs it: cheap passwords, no limits on one user or address.
fn settings(server: &Path) -> tidings_testkit::NodeBuilder {
    Node::of(server)
        .env("TIDINGS_SECRET", SECRET)
        .env("TIDINGS_BCRYPT_COST", "4")
        .env("TIDINGS_DRAIN_MS", DRAIN_MS)
        .env("TIDINGS_POINTS_PER_MINUTE", "10000000")
        .env("TIDINGS_CONNECTIONS_PER_IP", "100000")
        .env("TIDINGS_SIGNUPS_PER_MINUTE_PER_IP", "100000")
        .env("TIDINGS_LOGINS_PER_MINUTE", "100000")
        .env("TIDINGS_LOGINS_PER_MINUTE_PER_IP", "100000")
        .env("TIDINGS_LOGINS_PER_MINUTE_PER_ACCOUNT", "100000")
        .env("TIDINGS_REFRESHES_PER_MINUTE_PER_IP", "100000")
}
