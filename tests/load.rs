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

/// A scenario that comes with the program, with a server of its own: one command, and a report in every form.
#[test]
fn one_command_runs_a_scenario_and_reports() {
    let folder = tempfile::tempdir().unwrap();
    let (json, html) = (folder.path().join("result.json"), folder.path().join("report.html"));
    let binary = env!("CARGO_BIN_EXE_tidings");
    let mut command = Command::new(harness(binary).unwrap());
    command.args(["run", "mixed-day", "--serve", "--binary", binary, "--connections=60", "--people=30", "--follows=5"]);
    command.args(["--scale=0.5", "--seconds=8", "--warm-up=1", "--threads=3"]);
    command.arg("--json").arg(&json).arg("--html").arg(&html);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));

    let result: serde_json::Value = serde_json::from_slice(&std::fs::read(&json).unwrap()).unwrap();
    let (posts, deliveries) = (&result["posts"], &result["deliveries"]);
    assert!(posts["acknowledged"].as_u64().is_some_and(|posts| posts > 50), "{said}");
    assert_eq!(deliveries["heard"], deliveries["expected"], "{said}");
    let phases: Vec<&str> =
        result["spans"].as_array().unwrap().iter().filter_map(|span| span["name"].as_str()).collect();
    assert_eq!(phases, ["warm-up", "night", "morning", "noon", "event", "evening"]);
    assert_eq!(result["spans"][4]["back"]["back"], 6, "a tenth of sixty was cut: {said}");
    assert!(result["cpu"]["server_cores"].is_number() && result["memory"]["server_peak"].is_number(), "{said}");
    assert_eq!(result["source"]["name"], "mixed-day");

    let page = std::fs::read_to_string(&html).unwrap();
    assert!(page.contains("Nothing lost, doubled or out of order") && page.ends_with("</html>\n"));
    assert!(!page.contains("<script") && !page.contains("src=") && !page.contains("href="));

    // Compared with itself nothing is better or worse.
    let mut compare = Command::new(harness(binary).unwrap());
    let output = compare.arg("compare").arg(&json).arg(&json).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("0 better, 0 worse"), "{said}");
}

/// More and more until it is too much; what is not asked any more then is not missed.
#[test]
fn steps_end_at_a_knee() {
    let database = Postgres::shared().unwrap().fresh_database().unwrap();
    let node = node(&database, None).unwrap();
    let small = ["knee", "--connections=40", "--people=20", "--seconds=1", "--warm-up=1", "--steps-most=3"];
    // No server answers in a microsecond.
    let report = run(&[&node.url()], &[&small[..], &["--steps-p99-ms=0.001"]].concat()).unwrap();
    assert_eq!(report["knee"]["held"], serde_json::Value::Null, "{:#}", report["knee"]);
    assert_eq!(report["knee"]["broke"], 100.0);
    assert_eq!(report["deliveries"]["heard"], report["deliveries"]["expected"]);
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
