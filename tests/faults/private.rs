//! A node without a database of its operator's: it has its own, and keeps it running (F6).

use std::fs;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tidings_protocol::feed::FeedName::Global;
use tidings_testkit::Node;

use crate::deeds::{Draft, RECOVERY, until};
use crate::person::Person;

#[tokio::test]
async fn a_private_postgres_that_was_killed_is_started_again() {
    let folder = tempfile::tempdir().unwrap();
    let building = Node::of(env!("CARGO_BIN_EXE_tidings"))
        .data_dir(folder.path())
        .env("TIDINGS_BCRYPT_COST", "4")
        .env("TIDINGS_DRAIN_MS", "500")
        .env("TIDINGS_WORKERS", "1");
    let mut node = tokio::task::spawn_blocking(|| building.start()).await.unwrap().unwrap();
    let mut ann = Person::arrives(&node, "ann", &[Global]).await;
    ann.posts("before").await;
    let pid_file = folder.path().join("postgres/pgdata/postmaster.pid");
    let postmaster = || fs::read_to_string(&pid_file).ok()?.lines().next()?.trim().parse::<i32>().ok();
    let before = postmaster().expect("a server");
    kill(Pid::from_raw(before), Signal::SIGKILL).unwrap();
    until("another server", RECOVERY, async || postmaster().is_some_and(|now| now != before)).await;
    ann.posts_at_last(&node, &Draft::of("after")).await;
    ann.hears_post("after").await;
    assert_eq!(ann.state.texts(Global), ["before", "after"]);
    assert_eq!(ann.snapshots(Global), 1, "the same life of the journal");
    let ended = tokio::task::spawn_blocking(move || node.terminate(RECOVERY)).await.unwrap();
    assert_eq!(ended.unwrap(), 0);
    assert!(!pid_file.exists(), "it ends with its node");
}
