//! One real node with a database of its own, and what it uses of memory.

use std::fs;

use tidings_testkit::{Database, Node, Postgres};

/// A node. Fields are dropped in this order.
pub struct World {
    pub node: Node,
    _database: Database,
}

impl World {
    /// A node as people run it.
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// A node with some settings.
    pub fn with(settings: &[(&str, &str)]) -> Self {
        let database = Postgres::shared().and_then(Postgres::fresh_database).unwrap();
        let node = Node::of(env!("CARGO_BIN_EXE_tidings")).database(database.url()).env("TIDINGS_BCRYPT_COST", "4");
        let node = settings.iter().fold(node, |node, (name, value)| node.env(name, value));
        Self { node: node.start().unwrap(), _database: database }
    }

    /// Memory of the node that is really there, in bytes.
    pub fn resident_bytes(&self) -> usize {
        let status = fs::read_to_string(format!("/proc/{}/status", self.node.pid())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        let kib: usize = line.trim().trim_end_matches(" kB").parse().unwrap();
        kib * 1024
    }
}
