//! A world for one conversation: a fresh database, a Redis where there are several nodes, and real server processes.
//! Must never be shared by two conversations.

use tidings_testkit::{Database, Node, Postgres, PrivatePostgres, Redis};

/// The same on every node, as an operator would set it.
const SECRET: &str = "a secret that every node of this world has been given";

/// Nodes and what they stand on. Fields are dropped in this order: nodes end before what they use.
pub struct World {
    pub nodes: Vec<Node>,
    pub redis: Option<Redis>,
    pub database: Database,
    /// A Postgres of this world alone, where the conversation kills it.
    pub postgres: Option<PrivatePostgres>,
}

/// How a world is to be.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    settings: Vec<(String, String)>,
    own_postgres: bool,
}

impl World {
    /// One node, no Redis.
    pub async fn one_node() -> Self {
        Plan::default().one_node().await
    }

    /// Two nodes on one database and one Redis.
    pub async fn two_nodes() -> Self {
        Plan::default().two_nodes().await
    }

    /// The first node.
    pub fn a(&self) -> &Node {
        &self.nodes[0]
    }

    /// The second node.
    pub fn b(&self) -> &Node {
        &self.nodes[1]
    }

    /// The Redis between the nodes.
    pub fn redis(&mut self) -> &mut Redis {
        self.redis.as_mut().expect("a world with a Redis")
    }

    /// The Postgres of a world that may kill it.
    pub fn postgres(&mut self) -> &mut PrivatePostgres {
        self.postgres.as_mut().expect("a world with its own Postgres")
    }
}

impl Plan {
    /// One key of the configuration, as in its file.
    pub fn set(mut self, key: &str, value: &str) -> Self {
        let variable = format!("TIDINGS_{}", key.to_uppercase());
        self.settings.push((variable, value.to_owned()));
        self
    }

    /// A Postgres that the conversation may kill.
    pub fn own_postgres(mut self) -> Self {
        self.own_postgres = true;
        self
    }

    pub async fn one_node(self) -> World {
        self.build(1).await
    }

    pub async fn two_nodes(self) -> World {
        self.build(2).await
    }

    /// Starting takes blocking calls, hence a thread of its own.
    async fn build(self, nodes: usize) -> World {
        let building = tokio::task::spawn_blocking(move || self.start(nodes));
        building.await.expect("no panic").expect("a world")
    }

    fn start(&self, count: usize) -> anyhow::Result<World> {
        let postgres = self.own_postgres.then(PrivatePostgres::start).transpose()?;
        let database = match &postgres {
            Some(own) => own.fresh_database()?,
            None => Postgres::shared()?.fresh_database()?,
        };
        let redis = (count > 1).then(Redis::start).transpose()?;
        let url = redis.as_ref().map(Redis::url);
        let node = || self.node(&database, url.as_deref()).start();
        let nodes = (0..count).map(|_| node()).collect::<Result<_, _>>()?;
        Ok(World { nodes, redis, database, postgres })
    }

    /// Cheap passwords and no limits that a fast test would run into; conversations about those set their own.
    fn node(&self, database: &Database, redis: Option<&str>) -> tidings_testkit::NodeBuilder {
        let mut node = Node::of(env!("CARGO_BIN_EXE_tidings"))
            .database(database.url())
            .env("TIDINGS_SECRET", SECRET)
            .env("TIDINGS_BCRYPT_COST", "4")
            .env("TIDINGS_POINTS_PER_MINUTE", "1000000")
            .env("TIDINGS_SIGNUPS_PER_MINUTE_PER_IP", "100000")
            .env("TIDINGS_LOGINS_PER_MINUTE_PER_IP", "100000")
            .env("TIDINGS_LOGINS_PER_MINUTE", "100000")
            .env("TIDINGS_WORKERS", "2");
        if let Some(url) = redis {
            node = node.redis(url);
        }
        for (variable, value) in &self.settings {
            node = node.env(variable, value);
        }
        node
    }
}
