//! Real servers for these tests: each on a database of its own, with settings of its own.
//! Must never be shared by two tests.

use std::sync::Arc;

use tidings_testkit::{Database, Node, NodeBuilder, Postgres};

/// The same on all nodes of a test.
const SECRET: &str = "a secret that all nodes of this test have been given";

/// Nodes and their database.
pub struct World {
    // Before the database: it goes when nobody is connected.
    pub nodes: Vec<Node>,
    pub database: Arc<Database>,
}

impl World {
    /// So many nodes with these settings, named as in the configuration's file. Without a bus between them: what one writes, the
    /// others read from the journal.
    pub async fn of(nodes: usize, settings: &[(&str, &str)]) -> Self {
        Self::run_by(nodes, settings, || Node::of(env!("CARGO_BIN_EXE_tidings"))).await
    }

    /// One node that may have so many files open.
    pub async fn with_files(files: usize, settings: &[(&str, &str)]) -> Self {
        let script = format!("ulimit -n {files} && exec \"$0\"");
        let limited = move || Node::of("/bin/sh").arg("-c").arg(&script).arg(env!("CARGO_BIN_EXE_tidings"));
        Self::run_by(1, settings, limited).await
    }

    async fn run_by(nodes: usize, settings: &[(&str, &str)], node: impl Fn() -> NodeBuilder + Send + 'static) -> Self {
        let settings: Vec<(String, String)> = settings
            .iter()
            .map(|(key, value)| (format!("TIDINGS_{}", key.to_uppercase()), (*value).to_owned()))
            .collect();
        let start = move || -> anyhow::Result<Self> {
            let database = Arc::new(Postgres::shared()?.fresh_database()?);
            let begin = || {
                let node =
                    node().database(database.url()).env("TIDINGS_SECRET", SECRET).env("TIDINGS_BCRYPT_COST", "4");
                let node = node.env("TIDINGS_WORKERS", "2").env("TIDINGS_POINTS_PER_MINUTE", "1000000");
                settings.iter().fold(node, |node, (variable, value)| node.env(variable, value)).start()
            };
            let nodes = (0..nodes).map(|_| begin()).collect::<anyhow::Result<_>>()?;
            Ok(Self { nodes, database })
        };
        tokio::task::spawn_blocking(start).await.expect("no panic").expect("a world")
    }

    /// Behind the server's back.
    pub async fn sql(&self, sql: impl Into<String>) -> String {
        let (database, sql) = (Arc::clone(&self.database), sql.into());
        tokio::task::spawn_blocking(move || database.psql(&sql)).await.expect("no panic").expect("SQL")
    }
}

/// Open files of a process.
pub fn files_of(pid: u32) -> usize {
    std::fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count)
}
