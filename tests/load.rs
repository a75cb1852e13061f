//! The load harness against real servers: every acknowledged post reaches every follower once, in order, while lines are lost (P3, P10).
//! Must never assert a time: that is `docs/performance.md`'s.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tidings_testkit::{Database, Node, Postgres, Redis, harness, until};

/// A node as a load test needs it: cheap passwords, no limits on one user or address.
fn node(database: &Database, redis: Option<&Redis>) -> Result<Node> {
    let mut node = Node::of(env!("CARGO_BIN_EXE_tidings"))
        .database(database.url())
        .env("TIDINGS_SECRET", "a secret that both nodes of this test have been given")
        .env("TIDINGS_BCRYPT_COST", "4")
        .env("TIDINGS_POINTS_PER_MINUTE", "1000000")
        .env("TIDINGS_SIGNUPS_PER_MINUTE_PER_IP", "100000")
        .env("TIDINGS_LOGINS_PER_MINUTE", "100000");
    if let Some(redis) = redis {
        node = node.redis(&redis.url());
    }
    node.start()
}

/// Runs the harness over these nodes and reads its report; a run with violations fails here.
fn run(nodes: &[&str], args: &[&str]) -> Result<serde_json::Value> {
    let folder = tempfile::tempdir()?;
    let report = folder.path().join("report.json");
    let mut command = Command::new(harness(env!("CARGO_BIN_EXE_tidings"))?);
    command.arg("run").arg("--json").arg(&report);
    for node in nodes {
        command.args(["--url", node]);
    }
    let output = command.args(args).output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{said}{complained}");
    let text = std::fs::read(&report).with_context(|| format!("no report: {said}"))?;
    Ok(serde_json::from_slice(&text)?)
}

const LOAD: &[&str] = &[
    "--connections=50",
    "--people=25",
    "--rate=40",
    "--seconds=6",
    "--warm-up=1",
    "--followers=zipf",
    "--reconnects=10",
    "--seed=42",
];

/// What a good report must show for the run to have meant anything.
fn meant_something(report: &serde_json::Value) {
    assert!(report["posts"]["acknowledged"].as_u64().is_some_and(|posts| posts > 100), "{report:#}");
    assert_eq!(report["posts"]["acknowledged"], report["posts"]["planned"], "{report:#}");
    assert_eq!(report["deliveries"]["heard"], report["deliveries"]["expected"], "{report:#}");
    assert!(report["connections"]["resumed"].as_u64().is_some_and(|resumed| resumed > 20), "{report:#}");
    assert_eq!(report["violations"], serde_json::json!({}), "{report:#}");
}

#[test]
fn one_node_keeps_its_promises_while_lines_are_lost() {
    let database = Postgres::shared().unwrap().fresh_database().unwrap();
    let node = node(&database, None).unwrap();
    meant_something(&run(&[&node.url()], LOAD).unwrap());
}

#[test]
fn two_nodes_keep_their_promises_while_lines_are_lost() {
    let database = Postgres::shared().unwrap().fresh_database().unwrap();
    let redis = Redis::start().unwrap();
    let (a, b) = (node(&database, Some(&redis)).unwrap(), node(&database, Some(&redis)).unwrap());
    meant_something(&run(&[&a.url(), &b.url()], LOAD).unwrap());
}

#[test]
fn a_node_that_is_killed_loses_nothing_and_doubles_nothing() {
    let database = Postgres::shared().unwrap().fresh_database().unwrap();
    let mut node = node(&database, None).unwrap();
    let url = node.url();
    let report = std::thread::scope(|scope| {
        let run = scope.spawn(|| run(&[&url], LOAD));
        until("the run is under way", Duration::from_secs(120), || {
            let posts: u64 = database.psql("select count(*) from posts")?.trim().parse()?;
            Ok((posts > 60 || run.is_finished()).then_some(()))
        })
        .unwrap();
        node.restart().unwrap();
        run.join().unwrap().unwrap()
    });
    meant_something(&report);
    let closes = report["connections"]["closes"].as_object().unwrap();
    assert!(!closes.is_empty(), "the node was killed too late: {report:#}");
}
