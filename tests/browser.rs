//! The page in real browser windows, and the JavaScript client, against a real node.
//! Owns only their start: what is tested stands in `tests/browser` and `clients/js/test`.

use std::env;
use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;
use tidings_testkit::{Database, Node, Postgres, Redis};

/// Names the browser; `cargo xtask test` finds one or installs it.
const TEST_CHROMIUM: &str = "TIDINGS_TEST_CHROMIUM";

/// Names the Node.js, where the system's is too old.
const TEST_NODE: &str = "TIDINGS_TEST_NODE";

fn node() -> OsString {
    env::var_os(TEST_NODE).unwrap_or_else(|| "node".into())
}

/// Nodes on a database of their own. Fields are dropped in this order.
struct Servers {
    nodes: Vec<Node>,
    _redis: Redis,
    _pictures: TempDir,
    database: Database,
}

impl Servers {
    fn start(count: usize) -> Self {
        let database = Postgres::shared().and_then(Postgres::fresh_database).expect("a database");
        let redis = Redis::start().expect("a Redis");
        let pictures = TempDir::new().expect("a folder");
        let start = |_| {
            let node = Node::of(env!("CARGO_BIN_EXE_tidings")).database(database.url()).redis(&redis.url());
            let node = node
                .env("TIDINGS_SECRET", "a secret that each of these nodes has been given")
                .env("TIDINGS_MEDIA_STORE", pictures.path())
                .env("TIDINGS_BCRYPT_COST", "4");
            node.start().expect("a node")
        };
        Self { nodes: (0..count).map(start).collect(), _redis: redis, _pictures: pictures, database }
    }

    /// Their addresses, with commas between them.
    fn urls(&self) -> String {
        self.nodes.iter().map(Node::url).collect::<Vec<_>>().join(",")
    }
}

/// Runs a Node program of this repository and gives back what it printed; fails with it if the program does.
fn runs(folder: &str, program: &mut Command) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    assert!(
        root.join("tests/browser/node_modules/playwright-core").exists(),
        "the packages of tests/browser are not installed: run `cargo xtask test`"
    );
    let ended = program.current_dir(root.join(folder)).output();
    let ended = ended.expect("no Node.js here: run `cargo xtask test`");
    let printed = String::from_utf8_lossy(&ended.stdout);
    let complained = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{printed}\n{complained}");
    printed.into_owned()
}

/// Walks through one of the programs of `tests/browser` with two nodes of its own, at which its people sit down in turn; gives back what was
/// checked.
fn walks_through(program: &str) -> String {
    let chromium = env::var_os(TEST_CHROMIUM).unwrap_or_else(|| "/usr/bin/chromium".into());
    assert!(Path::new(&chromium).exists(), "no Chromium at {}: run `cargo xtask test`", chromium.display());
    let servers = Servers::start(2);
    let mut walk = Command::new(node());
    walk.args([program, &servers.urls()]).env(TEST_CHROMIUM, chromium);
    // Moderators are made on the server's machine.
    let make = serde_json::json!([env!("CARGO_BIN_EXE_tidings"), "admin", "set-role", "{}", "moderator"]);
    walk.env("TIDINGS_MAKE_MODERATOR", make.to_string()).env("DATABASE_URL", servers.database.url());
    runs("tests/browser", &mut walk)
}

#[test]
fn two_people_in_two_windows_see_the_same_at_once() {
    println!("{}", walks_through("two_windows.mjs"));
}

#[test]
fn what_is_social_works_in_windows_side_by_side() {
    println!("{}", walks_through("social.mjs"));
}

#[test]
fn what_belongs_to_writing_works_in_windows() {
    println!("{}", walks_through("writing.mjs"));
}

#[test]
fn who_follows_and_who_is_heard_is_chosen_in_windows() {
    println!("{}", walks_through("people.mjs"));
}

#[test]
fn what_is_looked_for_is_found_in_windows() {
    println!("{}", walks_through("finding.mjs"));
}

#[test]
fn a_thread_is_kept_in_order_in_windows() {
    println!("{}", walks_through("threads.mjs"));
}

#[test]
fn programs_are_let_in_and_shut_out_in_windows() {
    println!("{}", walks_through("programs.mjs"));
}

#[test]
fn settings_are_in_step_in_windows() {
    println!("{}", walks_through("settings.mjs"));
}

#[test]
fn moderators_and_those_they_moderate_meet_in_windows() {
    println!("{}", walks_through("moderation.mjs"));
}

#[test]
fn the_javascript_client_talks_with_a_real_node() {
    let servers = Servers::start(1);
    let mut program = Command::new(node());
    program.arg("--test").env("TIDINGS_URL", servers.urls());
    println!("{}", runs("clients/js", &mut program));
}
