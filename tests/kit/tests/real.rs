//! The kit itself, against the real things.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop right there")]

use std::{os::unix::fs::PermissionsExt, time::Duration};

use tidings_testkit::{Node, Postgres, PrivatePostgres, Redis, until};

#[test]
fn fresh_databases_are_empty_apart_and_gone_afterwards() {
    let postgres = Postgres::shared().unwrap();
    let (one, other) = (postgres.fresh_database().unwrap(), postgres.fresh_database().unwrap());
    one.psql("create table t (x int)").unwrap();
    other.psql("select * from t").unwrap_err();
    let name = one.name().to_owned();
    drop(one);
    let left = other.psql(&format!("select count(*) from pg_database where datname = '{name}'"));
    assert_eq!(left.unwrap(), "0");
}

#[test]
fn a_private_postgres_keeps_what_was_committed_through_a_kill() {
    let mut postgres = PrivatePostgres::start().unwrap();
    let database = postgres.fresh_database().unwrap();
    database.psql("create table t as select 5 as x").unwrap();
    postgres.kill9().unwrap();
    database.psql("select 1").unwrap_err();
    postgres.start_again().unwrap();
    assert_eq!(database.psql("select x from t").unwrap(), "5");
}

#[test]
fn redis_is_killed_and_comes_back_at_the_same_address() {
    let mut redis = Redis::start().unwrap();
    let url = redis.url();
    assert_eq!(redis.ask("SET a 1").unwrap(), "+OK\r\n");
    redis.kill9().unwrap();
    redis.ask("PING").unwrap_err();
    redis.restart().unwrap();
    assert_eq!(redis.url(), url);
    assert_eq!(redis.ask("EXISTS a").unwrap(), ":0\r\n");
    redis.pause().unwrap();
    redis.ask("PING").unwrap_err();
    redis.resume().unwrap();
    until("it answers", Duration::from_secs(5), || Ok(redis.ask("PING").ok().filter(|said| said.contains("PONG"))))
        .unwrap();
}

/// Something that behaves as a node does at its edges: writes its address, answers `/readyz`, ends with 0 on `SIGTERM`.
const IMPOSTOR: &str = r#"#!/usr/bin/env python3
import http.server, os, signal, sys
class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/readyz" else 404)
        self.end_headers()
host, port = os.environ["TIDINGS_LISTEN"].split(":")
server = http.server.HTTPServer((host, int(port)), Ready)
signal.signal(signal.SIGTERM, lambda *_: (print("drained", flush=True), os._exit(0)))
with open(os.environ["TIDINGS_ADDRESS_FILE"], "w") as file:
    file.write("%s:%d\n" % server.server_address)
print("up", os.environ["DATABASE_URL"], flush=True)
server.serve_forever()
"#;

fn program(text: &str) -> tempfile::TempPath {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
    let permissions = std::fs::Permissions::from_mode(0o755);
    file.as_file().set_permissions(permissions).unwrap();
    // Closed: a file open for writing cannot be run.
    file.into_temp_path()
}

#[test]
fn a_node_is_waited_for_terminated_killed_and_started_again_at_its_address() {
    let binary = program(IMPOSTOR);
    let mut node = Node::of(&*binary).database("postgres:///x").start().unwrap();
    let url = node.url();
    assert!(node.log().contains("up postgres:///x"), "{}", node.log());
    node.kill9().unwrap();
    node.restart().unwrap();
    assert_eq!(node.url(), url);
    assert_eq!(node.terminate(Duration::from_secs(5)).unwrap(), 0);
    assert!(node.log().ends_with("drained\n"), "{}", node.log());
}

#[test]
fn a_node_that_ends_at_once_is_told_with_its_log() {
    let binary = program("#!/bin/sh\necho 'no such setting' >&2\nexit 3\n");
    let fault = Node::of(&*binary).start().unwrap_err();
    assert!(format!("{fault:#}").contains("no such setting"), "{fault:#}");
}
