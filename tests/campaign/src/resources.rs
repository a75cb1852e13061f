//! What the nodes use: memory, descriptors, threads, connections of Postgres. Reads `/proc`, so it knows Linux alone.

use std::fs;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use crate::world::World;

/// What one process uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Which.
    pub pid: u32,
    /// Resident memory.
    pub resident_bytes: u64,
    /// Open descriptors.
    pub files: u64,
    /// Threads.
    pub threads: u64,
}

/// What all nodes use.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Census {
    /// By node.
    pub nodes: Vec<Usage>,
    /// Connections of the nodes to Postgres.
    pub postgres_connections: u64,
    /// Connections of the nodes to Redis.
    pub redis_connections: u64,
    /// Connections of clients.
    pub client_connections: u64,
    /// Connections of the nodes to Postgres, as the proxies count them.
    pub postgres_links: u64,
    /// Connections whose clients are gone without a word, and which their node has not given up yet.
    pub half_open: u64,
}

impl Census {
    /// Counts all that is there now.
    ///
    /// # Errors
    /// When a node is not running, or Postgres does not answer.
    pub fn take(world: &World) -> Result<Self> {
        let nodes = world.members.iter().map(|member| usage(member.node.pid())).collect::<Result<_>>()?;
        let mine =
            "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()";
        Ok(Self {
            nodes,
            postgres_connections: world.database.psql(mine)?.trim().parse()?,
            redis_connections: world.members.iter().map(|member| member.redis.counts().live).sum(),
            client_connections: world.members.iter().map(|member| member.clients.counts().live).sum(),
            postgres_links: world.members.iter().map(|member| member.postgres.counts().live).sum(),
            half_open: world.members.iter().map(|member| member.clients.counts().half_open).sum(),
        })
    }

    /// Memory of all nodes.
    #[must_use]
    pub fn resident_bytes(&self) -> u64 {
        self.nodes.iter().map(|usage| usage.resident_bytes).sum()
    }

    /// Descriptors of all nodes.
    #[must_use]
    pub fn files(&self) -> u64 {
        self.nodes.iter().map(|usage| usage.files).sum()
    }

    /// Threads of all nodes.
    #[must_use]
    pub fn threads(&self) -> u64 {
        self.nodes.iter().map(|usage| usage.threads).sum()
    }
}

/// Descriptors that a node may have more or fewer of by chance: a log-in under way, a file that is just being read.
const CHANCE: u64 = 4;
/// Sessions of Postgres that may be on their way, in or out.
const ON_THEIR_WAY: u64 = 4;

impl Census {
    /// Descriptors that no connection accounts for.
    #[must_use]
    pub fn own_files(&self) -> u64 {
        let connections = self.client_connections + self.half_open + self.postgres_links + self.redis_connections;
        self.files().saturating_sub(connections)
    }

    /// What has not gone back to where it was in `warm`. Memory is not judged here: a node that was not killed has filled its
    /// hot log meanwhile.
    #[must_use]
    pub fn leaks_since(&self, warm: &Self) -> Vec<String> {
        let nodes = self.nodes.len() as u64;
        let mut leaks = Vec::new();
        let mut judge = |what: &str, before: u64, after: u64, chance: u64| {
            if after > before + chance {
                leaks.push(format!("{what}: {before} before the faults, {after} after them"));
            }
        };
        judge("descriptors of nodes that are no connections", warm.own_files(), self.own_files(), CHANCE * nodes);
        judge("threads of nodes", warm.threads(), self.threads(), nodes);
        judge(
            "sessions of Postgres, beside connections of nodes",
            self.postgres_links,
            self.postgres_connections,
            ON_THEIR_WAY,
        );
        // Some clients may have been on their way when they were first counted, and log-ins keep their connections for a while.
        judge("connections of clients", warm.client_connections, self.client_connections, 2 * CHANCE);
        leaks
    }
}

/// What this process uses.
///
/// # Errors
/// When it is gone, or this is not Linux.
pub fn usage(pid: u32) -> Result<Usage> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).with_context(|| format!("no process {pid}"))?;
    let field = |name: &str| {
        let value =
            status.lines().find_map(|line| line.strip_prefix(name)).and_then(|rest| rest.split_whitespace().next());
        value.and_then(|value| value.parse::<u64>().ok()).with_context(|| format!("{name} of process {pid}"))
    };
    Ok(Usage {
        pid,
        resident_bytes: field("VmRSS:")? * 1024,
        files: fs::read_dir(format!("/proc/{pid}/fd"))?.count() as u64,
        threads: field("Threads:")?,
    })
}

/// Whether this process is stopped where it is.
///
/// # Errors
/// When it is gone, or this is not Linux.
pub fn is_stopped(pid: u32) -> Result<bool> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).with_context(|| format!("no process {pid}"))?;
    Ok(status.lines().any(|line| line.starts_with("State:") && line.contains('T')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_still_open_is_a_leak_and_a_client_elsewhere_is_none() {
        let node = |files| Usage { pid: 1, resident_bytes: 1 << 20, files, threads: 7 };
        let links = Census { postgres_connections: 6, postgres_links: 6, redis_connections: 4, ..Census::default() };
        let warm = Census { nodes: vec![node(40), node(40)], client_connections: 24, ..links.clone() };
        let moved = Census { nodes: vec![node(60), node(20)], ..warm.clone() };
        assert_eq!(moved.leaks_since(&warm), Vec::<String>::new());
        let leaking = Census { nodes: vec![node(49), node(40)], ..warm.clone() };
        assert_eq!(
            leaking.leaks_since(&warm),
            ["descriptors of nodes that are no connections: 46 before the faults, 55 after them"]
        );
        let orphans = Census { postgres_connections: 20, ..warm.clone() };
        assert_eq!(orphans.leaks_since(&warm).len(), 1);
    }

    #[test]
    fn a_process_that_opens_files_uses_more() {
        let mine = std::process::id();
        let before = usage(mine).unwrap();
        let _open: Vec<_> = (0..50).map(|_| fs::File::open("/proc/self/status").unwrap()).collect();
        let after = usage(mine).unwrap();
        // Other tests open and close theirs meanwhile.
        assert!(after.files > before.files + 25 && after.resident_bytes > 0 && after.threads > 0);
        assert!(!is_stopped(mine).unwrap());
        usage(u32::MAX).unwrap_err();
    }
}
