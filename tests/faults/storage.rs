//! A database that cannot keep anything: its disk is full, it is read-only, or it has been told not to care (F9, F23, P2).

use std::fs;
use std::io::Write as _;

use serde_json::json;
use tidings_protocol::error::ErrorCode;
use tidings_protocol::feed::FeedName::Global;
use tidings_protocol::rest::Tokens;
use tidings_testkit::{PrivatePostgres, SmallDisk};

use crate::deeds::Draft;
use crate::person::{Outcome, PASSWORD, Person};
use crate::rest::rest;
use crate::world::{Plan, World};

/// What one sees while nothing can be written: a clear word for writes; sockets, reading and coming back go on.
async fn only_writing_is_refused(world: &World, writer: &mut Person, reader: &mut Person) {
    let node = &world.nodes[0];
    let refusal = writer.is_refused(ErrorCode::Unavailable, "post.create", Draft::of(noise(4_000)).params()).await;
    assert!(refusal.retry);
    reader.is_answered().await;
    let cursor = reader.cursor;
    reader.loses_the_line();
    assert!(reader.resumes(node).await.resumed, "from {cursor:?}");
    assert_eq!(world.ready(0).await.0, 200, "it can serve readers");
    let body = json!({ "login": reader.handle, "password": PASSWORD });
    let log_in = rest::<Tokens>(node, "auth/login", &body).await;
    // On a full disk there may be room for so little.
    assert!(log_in.is_ok() || log_in.is_err_and(|(status, _)| status == 503));
}

/// Posts until the server says that it cannot keep them; gives what it kept.
async fn writes_until_refused(writer: &mut Person) -> Vec<Draft> {
    let mut accepted = Vec::new();
    for _ in 0..200 {
        let draft = Draft::of(noise(4_000));
        match writer.tries("post.create", draft.params()).await {
            Outcome::Done(_) => accepted.push(draft),
            Outcome::Refused(refusal) => {
                assert_eq!(refusal.code, ErrorCode::Unavailable);
                return accepted;
            }
            Outcome::Lost(number) => panic!("closed with {number}: sockets stay"),
        }
    }
    panic!("nothing was ever refused: this shows nothing");
}

/// Nothing that Postgres could press together.
fn noise(chars: usize) -> String {
    let mut noise = String::new();
    while noise.len() < chars {
        noise += &uuid::Uuid::new_v4().simple().to_string();
    }
    noise
}

#[tokio::test]
async fn a_read_only_database_refuses_writes_clearly_and_comes_back_by_itself() {
    let world = Plan::default().nodes(1).await;
    let mut ann = Person::arrives(&world.nodes[0], "ann", &[]).await;
    let mut bob = Person::arrives(&world.nodes[0], "bob", &[Global]).await;
    ann.posts("before").await;
    bob.hears_post("before").await;
    world.psql("alter system set default_transaction_read_only = on");
    world.psql("select pg_reload_conf()");
    // Each server process reads the new setting in its own time.
    let in_time = writes_until_refused(&mut ann).await;
    only_writing_is_refused(&world, &mut ann, &mut bob).await;
    world.psql("alter system reset default_transaction_read_only");
    world.psql("select pg_reload_conf()");
    ann.posts_at_last(&world.nodes[0], &Draft::of("after")).await;
    bob.hears_post("after").await;
    let texts = in_time.iter().map(|draft| draft.text.as_str());
    let texts = ["before"].into_iter().chain(texts).chain(["after"]).collect::<Vec<_>>();
    assert_eq!(bob.state.texts(Global), texts);
    assert_eq!(bob.snapshots(Global), 1);
}

#[tokio::test]
async fn a_full_disk_refuses_writes_clearly_and_comes_back_by_itself() {
    let disk = match SmallDisk::of_mebibytes(160) {
        Ok(disk) => disk,
        Err(why) => {
            println!("skipped: a disk to be filled cannot be mounted here: {why:#}");
            return;
        }
    };
    let postgres = PrivatePostgres::start_on(&disk).unwrap();
    let mut world = Plan::default().on(postgres).nodes(1).await;
    let mut ann = Person::arrives(&world.nodes[0], "ann", &[]).await;
    let mut bob = Person::arrives(&world.nodes[0], "bob", &[Global]).await;
    let mut acknowledged = vec![ann.posts("before").await.id];
    // Room in the log, so that it is the tables that find none.
    world.psql("select pg_switch_wal()");
    world.psql("checkpoint");
    let filler = disk.path().join("filler");
    fill(&filler);
    let accepted = writes_until_refused(&mut ann).await;
    acknowledged.extend(accepted.iter().map(|draft| draft.id));
    println!("{} acknowledged before the disk was full", acknowledged.len());
    only_writing_is_refused(&world, &mut ann, &mut bob).await;
    fs::remove_file(filler).unwrap();
    // If it was the log after all that found no room, the server has ended itself.
    world.postgres.start_again().unwrap();
    let after = ann.posts_at_last(&world.nodes[0], &Draft::of("after")).await;
    acknowledged.push(after.post.id);
    bob.hears_post("after").await;
    for id in acknowledged {
        let there = world.psql(&format!("select count(*) from posts where id = '{id}'"));
        assert_eq!(there, "1", "acknowledged and gone: {id}");
    }
}

/// Leaves nothing of the disk.
fn fill(path: &std::path::Path) {
    let mut filler = fs::File::create(path).expect("a file on the small disk");
    let mut piece: &[u8] = &[1; 64 * 1024];
    loop {
        match filler.write(piece) {
            Ok(1..) => {}
            Ok(0) | Err(_) if piece.len() > 512 => piece = &piece[..512],
            Ok(0) | Err(_) => return,
        }
    }
}

#[tokio::test]
async fn a_database_that_may_forget_is_said_so_loudly() {
    let careless = PrivatePostgres::fast().unwrap();
    let world = Plan::default().on(careless).nodes(1).await;
    let warned = |world: &World, setting: &str| {
        let named = format!("\"setting\":\"{setting}\"");
        world.nodes[0].log().lines().any(|line| line.contains("WARN") && line.contains(&named))
    };
    assert!(warned(&world, "fsync") && warned(&world, "full_page_writes") && !warned(&world, "synchronous_commit"));
    let said = world.metrics(0).await;
    for (setting, value) in [("fsync", 1), ("full_page_writes", 1), ("synchronous_commit", 0)] {
        let line = format!("tidings_database_unsafe{{setting=\"{setting}\"}} {value}");
        assert!(said.contains(&line), "{line}");
    }
    let careful = Plan::default().nodes(1).await;
    assert_eq!(careful.metric(0, "tidings_database_unsafe").await, 0.0);
    assert!(!warned(&careful, "fsync"));
}
