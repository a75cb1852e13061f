//! The life of a private cluster against the real server: first start, crash of the owner, second owner, hard ends.
//!
//! Never uses a cluster it did not make; every one of these lies in a temporary folder.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop right there")]

use std::{
    env,
    io::{BufRead, BufReader, Lines},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;
use tidings_private_postgres::{Cluster, Fault, Halt, Options};

/// Names the folder for the owner that gets killed.
const FOLDER: &str = "TIDINGS_TEST_FOLDER";
/// Whether that owner holds its cluster on a leash.
const LEASHED: &str = "TIDINGS_TEST_LEASHED";

fn folder() -> TempDir {
    tempfile::Builder::new().prefix("tidings-life-").tempdir().unwrap()
}

/// As in real life, but nothing remains when the test is killed.
fn durable() -> Options {
    Options { leashed: true, ..Options::default() }
}

fn fast() -> Options {
    Options { unsafe_but_fast: true, ..durable() }
}

/// Polls; panics with `what` after half a minute.
fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < deadline, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Another program that owns a cluster.
struct Owner {
    child: Child,
    /// Kept open: it prints when it ends.
    _printed: Lines<BufReader<ChildStdout>>,
}

/// Starts this test program again as an owner of `folder`, and waits until its server is up.
fn owner_elsewhere(folder: &Path, leashed: bool) -> Owner {
    let mut owner = Command::new(env::current_exe().unwrap())
        .args(["--exact", "an_owner_that_gets_killed", "--ignored", "--nocapture"])
        .env(FOLDER, folder)
        .env(LEASHED, leashed.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(owner.stdout.take().unwrap()).lines();
    let up = lines.by_ref().map_while(Result::ok).any(|line| line.contains("up:"));
    assert!(up, "the other owner could not start");
    Owner { child: owner, _printed: lines }
}

#[test]
#[ignore = "not a test by itself: run by those that kill it"]
fn an_owner_that_gets_killed() {
    let folder = env::var_os(FOLDER).unwrap();
    let leashed = env::var(LEASHED).unwrap() == "true";
    let cluster = Cluster::start(Path::new(&folder), Options { leashed, ..Options::default() }).unwrap();
    cluster.ensure_database("tidings").unwrap();
    cluster.psql("tidings", "create table if not exists t (x int); insert into t values (1)").unwrap();
    println!("up: {}", cluster.url("tidings"));
    // Until the pipe ends: this owner is killed before that.
    std::io::stdin().read_line(&mut String::new()).unwrap();
}

#[test]
fn starts_keeps_what_was_written_and_starts_again_quickly() {
    let folder = folder();
    let cluster = Cluster::start(folder.path(), durable()).unwrap();
    assert!(cluster.ensure_database("tidings").unwrap());
    assert!(!cluster.ensure_database("tidings").unwrap());
    cluster.psql("tidings", "create table t (x int); insert into t values (7)").unwrap();
    let shown = |name: &str| cluster.psql("tidings", &format!("show {name}")).unwrap().trim().to_owned();
    assert_eq!(shown("fsync"), "on");
    assert_eq!(shown("data_checksums"), "on");
    assert_eq!(shown("server_encoding"), "UTF8");
    assert_eq!(shown("listen_addresses"), "");
    assert_eq!(shown("log_parameter_max_length"), "0");
    assert_eq!(cluster.psql("tidings", "select lower('ÄÖ'), 'Z' < 'a'").unwrap().trim(), "äö|t");
    cluster.stop().unwrap();

    let began = Instant::now();
    let cluster = Cluster::start(folder.path(), durable()).unwrap();
    println!("second start: {:?}", began.elapsed());
    assert_eq!(cluster.psql("tidings", "select x from t").unwrap().trim(), "7");
}

#[test]
fn a_stray_server_of_a_killed_owner_is_ended_and_nothing_committed_is_lost() {
    let folder = folder();
    let mut owner = owner_elsewhere(folder.path(), false);
    owner.child.kill().unwrap();
    owner.child.wait().unwrap();

    let cluster = Cluster::start(folder.path(), durable()).unwrap();
    let count = cluster.psql("tidings", "select count(*) from t").unwrap();
    assert_eq!(count.trim(), "1");
}

#[test]
fn a_second_owner_is_refused_in_clear_words_and_the_first_is_unharmed() {
    let folder = folder();
    let mut owner = owner_elsewhere(folder.path(), false);
    let refusal = Cluster::start(folder.path(), durable()).unwrap_err();
    assert!(matches!(&refusal, Fault::InUse { owner: pid, .. } if *pid == owner.child.id().to_string()));
    assert!(refusal.to_string().contains("in use by another Tidings"), "{refusal}");

    // The first one goes on until it is told to end, and then ends by itself.
    drop(owner.child.stdin.take());
    assert!(owner.child.wait().unwrap().success());
    Cluster::start(folder.path(), fast()).unwrap();
}

#[test]
fn a_leashed_cluster_and_its_folder_are_gone_after_a_kill_of_the_owner() {
    let root = folder();
    // Below the temporary folder, for the one who removes it is the leash.
    let inner = root.path().join("cluster");
    let mut owner = owner_elsewhere(&inner, true);
    owner.child.kill().unwrap();
    owner.child.wait().unwrap();
    eventually("the folder is removed", || !inner.exists());
}

#[test]
fn every_hard_end_is_survived() {
    let folder = folder();
    let mut cluster = Cluster::start(folder.path(), durable()).unwrap();
    cluster.psql("postgres", "create table t (x int)").unwrap();
    for (round, how) in [Halt::Kill, Halt::Immediate, Halt::Fast, Halt::Kill].into_iter().enumerate() {
        cluster.psql("postgres", &format!("insert into t values ({round})")).unwrap();
        cluster.halt(how).unwrap();
        assert!(!cluster.is_running());
        cluster.psql("postgres", "select 1").unwrap_err();
        cluster.start_again().unwrap();
        let count = cluster.psql("postgres", "select count(*) from t").unwrap();
        assert_eq!(count.trim(), (round + 1).to_string(), "after {how:?}");
    }
}

#[test]
fn a_paused_server_answers_again_when_resumed() {
    let folder = folder();
    let cluster = Cluster::start(folder.path(), fast()).unwrap();
    cluster.pause().unwrap();
    let url = cluster.url("postgres");
    let psql = cluster.binaries().program("psql");
    let mut asked =
        Command::new(psql).args(["-X", "-d", &url, "-c", "select 1"]).stdout(Stdio::null()).spawn().unwrap();
    assert!(asked.try_wait().unwrap().is_none(), "answered while it was stopped");
    cluster.resume().unwrap();
    assert!(asked.wait().unwrap().success());
}

#[test]
fn a_busy_child_of_a_killed_server_does_not_block_the_next_start() {
    let folder = folder();
    let mut cluster = Cluster::start(folder.path(), durable()).unwrap();
    // It looks up from its work neither for its client nor for its server.
    let busy = "select count(*) from generate_series(1, 100000000000)";
    let mut asking = Command::new(cluster.binaries().program("psql"))
        .args(["-X", "-d", &cluster.url("postgres"), "-c", busy])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let working =
        "select count(*) from pg_stat_activity where query like '%generate_series(1, 1%' and pid <> pg_backend_pid()";
    eventually("it is busy", || cluster.psql("postgres", working).unwrap().trim() == "1");
    let pidfile = std::fs::read_to_string(folder.path().join("pgdata/postmaster.pid")).unwrap();
    let postmaster = pidfile.lines().next().unwrap();
    let killed = Command::new("kill").args(["-9", postmaster]).status();
    assert!(killed.unwrap().success());
    eventually("the server is gone", || !cluster.is_running());

    cluster.start_again().unwrap();
    assert_eq!(cluster.psql("postgres", "select 1").unwrap().trim(), "1");
    assert!(!asking.wait().unwrap().success());
}

#[test]
fn a_birth_cut_short_is_begun_anew() {
    let folder = folder();
    std::fs::create_dir(folder.path().join("pgdata.new")).unwrap();
    std::fs::write(folder.path().join("pgdata.new/PG_VERSION"), "99").unwrap();
    let cluster = Cluster::start(folder.path(), fast()).unwrap();
    assert_eq!(cluster.psql("postgres", "select 1").unwrap().trim(), "1");
}

#[test]
fn files_of_another_version_are_left_alone() {
    let folder = folder();
    std::fs::create_dir(folder.path().join("pgdata")).unwrap();
    std::fs::write(folder.path().join("pgdata/PG_VERSION"), "9.6\n").unwrap();
    let fault = Cluster::start(folder.path(), fast()).unwrap_err();
    assert!(matches!(&fault, Fault::OtherVersion { made_by, .. } if made_by == "9.6"));
}

#[test]
fn a_bad_setting_is_told_in_the_words_of_postgres() {
    let folder = folder();
    let options = Options { settings: vec![("max_connections".to_owned(), "many".to_owned())], ..fast() };
    let fault = Cluster::start(folder.path(), options).unwrap_err();
    assert!(fault.to_string().contains("max_connections"), "{fault}");
}

#[test]
fn a_deep_folder_and_odd_names_work_too() {
    let folder = folder();
    let deep = folder.path().join("a folder, \"quoted\"").join("d".repeat(100));
    let cluster = Cluster::start(&deep, fast()).unwrap();
    assert_eq!(cluster.psql("postgres", "select 1").unwrap().trim(), "1");
    for name in ["", "no spaces", "quote\"", "Capital"] {
        assert!(
            matches!(
                cluster.ensure_database(name),
                Err(Fault::DatabaseName(refused)) if refused == name
            ),
            "{name:?}"
        );
    }
}
