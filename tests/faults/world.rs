//! A world whose database is to suffer: a Postgres of its own behind a door, perhaps a Redis behind doors, and real nodes.
//! Must never be shared by two tests.

use std::path::PathBuf;

use tidings_testkit::{Node, NodeBuilder, PrivatePostgres, Redis};

use crate::door::{Behind, Door};

/// The same on every node, as an operator would set it.
const SECRET: &str = "a secret that every node of this world has been given";
/// The database in the cluster.
const NAME: &str = "tidings";

/// Nodes and what they stand on. Fields are dropped in this order: nodes end before what they use.
pub struct World {
    pub nodes: Vec<Node>,
    /// Between each node and the database.
    pub doors: Vec<Door>,
    /// Between each node and Redis.
    pub redis_doors: Vec<Door>,
    pub redis: Option<Redis>,
    pub postgres: PrivatePostgres,
}

/// How a world is to be.
#[derive(Debug, Default)]
pub struct Plan {
    settings: Vec<(String, String)>,
    postgres: Option<PrivatePostgres>,
}

impl Plan {
    /// One key of the configuration, as in its file.
    pub fn set(mut self, key: &str, value: &str) -> Self {
        self.settings.push((format!("TIDINGS_{}", key.to_uppercase()), value.to_owned()));
        self
    }

    /// On a Postgres that is there already.
    pub fn on(mut self, postgres: PrivatePostgres) -> Self {
        self.postgres = Some(postgres);
        self
    }

    /// Starts it all. More than one node have a Redis between them.
    pub async fn nodes(self, count: usize) -> World {
        // Starting takes blocking calls, hence a thread of its own.
        tokio::task::spawn_blocking(move || self.start(count)).await.expect("no panic").expect("a world")
    }

    fn start(self, count: usize) -> anyhow::Result<World> {
        let postgres = match self.postgres {
            Some(given) => given,
            None => PrivatePostgres::start()?,
        };
        postgres.cluster().ensure_database(NAME)?;
        let redis = (count > 1).then(Redis::start).transpose()?;
        let mut world = World { nodes: Vec::new(), doors: Vec::new(), redis_doors: Vec::new(), redis, postgres };
        for _ in 0..count {
            let door = Door::to(behind(&world.postgres))?;
            let url = format!("postgres://postgres@127.0.0.1:{}/{NAME}?sslmode=disable", door.port());
            let mut node = node().database(&url);
            if let Some(redis) = &world.redis {
                let door = Door::to(Behind::Port(redis.port()))?;
                node = node.redis(&format!("redis://127.0.0.1:{}", door.port()));
                world.redis_doors.push(door);
            }
            node = self.settings.iter().fold(node, |node, (name, value)| node.env(name, value));
            world.nodes.push(node.start()?);
            world.doors.push(door);
        }
        Ok(world)
    }
}

impl World {
    /// Runs SQL on the database, past all doors.
    pub fn psql(&self, sql: &str) -> String {
        self.postgres.cluster().psql(NAME, sql).expect("psql").trim().to_owned()
    }

    /// Another server takes over: all nodes reach it at the address they know. Gives back the one before.
    pub fn take_over(&mut self, by: PrivatePostgres) -> PrivatePostgres {
        for door in &self.doors {
            door.lead_to(behind(&by));
        }
        std::mem::replace(&mut self.postgres, by)
    }

    /// All of a node's metrics.
    pub async fn metrics(&self, node: usize) -> String {
        let url = format!("{}/metrics", self.nodes[node].url());
        reqwest::get(url).await.expect("metrics").text().await.expect("metrics")
    }

    /// The value of one of a node's metrics, 0 if it is not there yet; all of its labels together.
    pub async fn metric(&self, node: usize, name: &str) -> f64 {
        let said = self.metrics(node).await;
        let of_it = |line: &&str| line.split([' ', '{']).next() == Some(name);
        said.lines().filter(of_it).filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
    }

    /// What `/readyz` says: its status and its body.
    pub async fn ready(&self, node: usize) -> (u16, String) {
        let answer = reqwest::get(format!("{}/readyz", self.nodes[node].url())).await.expect("an answer");
        (answer.status().as_u16(), answer.text().await.expect("a body"))
    }
}

impl Drop for World {
    /// Shows what the nodes said, when a test fails.
    #[expect(clippy::print_stdout, reason = "the test runner shows it beside the failure")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            for (number, node) in self.nodes.iter().enumerate() {
                let log = node.log();
                let lines: Vec<&str> = log.lines().collect();
                let end = &lines[lines.len().saturating_sub(25)..];
                println!("the log of node {number} ends:\n{}", end.join("\n"));
            }
        }
    }
}

fn behind(postgres: &PrivatePostgres) -> Behind {
    let url = postgres.url("postgres");
    let (_, host) = url.split_once("host=").expect("a socket's folder");
    let folder = host.split('&').next().expect("a socket's folder");
    Behind::Socket(PathBuf::from(folder).join(".s.PGSQL.5432"))
}

/// Cheap passwords and no limits that a fast test would run into.
fn node() -> NodeBuilder {
    Node::of(env!("CARGO_BIN_EXE_tidings"))
        .env("TIDINGS_SECRET", SECRET)
        .env("TIDINGS_BCRYPT_COST", "4")
        .env("TIDINGS_POINTS_PER_MINUTE", "1000000")
        .env("TIDINGS_SIGNUPS_PER_MINUTE_PER_IP", "100000")
        .env("TIDINGS_LOGINS_PER_MINUTE_PER_IP", "100000")
        .env("TIDINGS_LOGINS_PER_MINUTE_PER_ACCOUNT", "100000")
        .env("TIDINGS_LOGINS_PER_MINUTE", "100000")
        .env("TIDINGS_REFRESHES_PER_MINUTE_PER_IP", "100000")
        .env("TIDINGS_WORKERS", "2")
}
