//! P10: what is told when the database refuses, hangs, dies and comes back. Nothing acknowledged is lost, nothing is doubled.

use std::time::Duration;

use sqlx::Connection as _;
use tidings_actors::command::{Act, Command, Denied, Outcome};
use tidings_actors::ports::{Accounts, CommitFault, JournalStore, Reads, Rotation, StoreFault};
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::{PostId, UserId};
use tidings_protocol::position::Seq;
use tidings_store::{Store, StoreOptions};
use tidings_testkit::{Halt, PrivatePostgres};
use uuid::Uuid;

use crate::world::{World, connect, done, new_token, once, post, refused, sign_up};

fn posting(author: UserId, text: &str) -> Command {
    Command { actor: author, act: post(PostId(Uuid::now_v7()), text) }
}

/// A command Postgres itself refuses: a text it cannot hold.
fn poison(handle: &str) -> Command {
    let act = match sign_up(handle) {
        Act::UserCreate { handle, name, password_hash, .. } => {
            Act::UserCreate { handle, name, email: "a\0b@example.org".to_owned().into(), password_hash }
        }
        other => other,
    };
    Command { actor: UserId(Uuid::now_v7()), act }
}

#[tokio::test]
async fn p2_a_poisoned_command_is_rejected_with_its_batch_and_found_alone() {
    let world = World::new().await;
    let ann = world.sign_up("ann").await;
    let batch = [posting(ann, "one"), poison("bob"), posting(ann, "two")];
    let fault = world.store.commit(once(), &batch).await.unwrap_err();
    assert!(matches!(fault, CommitFault::Rejected(_)), "{fault}");
    assert!(!fault.to_string().contains("example.org"), "{fault}");
    assert_eq!(world.head().await, Seq(1));
    assert_eq!(world.database.psql("select count(*) from posts").unwrap(), "0");
    done(world.commit(&batch[..1]).await.remove(0));
    let alone = world.store.commit(once(), &batch[1..2]).await.unwrap_err();
    assert!(matches!(alone, CommitFault::Rejected(_)));
    done(world.commit(&batch[2..]).await.remove(0));
    assert_eq!(world.stored_seqs(), [1, 2, 3], "what was rolled back used no number");
}

#[tokio::test]
async fn a_read_only_database_does_nothing_and_says_so() {
    let world = World::new().await;
    let ann = world.sign_up("ann").await;
    let name = world.database.name();
    let read_only = format!("alter database {name} set default_transaction_read_only = on");
    world.database.psql(&read_only).unwrap();
    let node = world.another_node();
    let fault = node.commit(once(), &[posting(ann, "x")]).await.unwrap_err();
    assert!(matches!(fault, CommitFault::NotDone(_)), "{fault}");
    let feed = node.snapshot(None, FeedName::Global, 10).await.unwrap().unwrap();
    assert_eq!(feed.posts, Some(vec![]), "reads go on");
}

#[tokio::test]
async fn a_held_lock_is_waited_for_a_bounded_time_and_then_nothing_is_done() {
    let world = World::new().await;
    let ann = world.sign_up("ann").await;
    let mut holder = sqlx::PgConnection::connect(world.database.url()).await.unwrap();
    let mut held = holder.begin().await.unwrap();
    sqlx::query("select from journal_head for update").execute(&mut *held).await.unwrap();
    let fault = world.store.commit(once(), &[posting(ann, "x")]).await.unwrap_err();
    assert!(matches!(fault, CommitFault::NotDone(_)), "{fault}");
    // Reads and heads do not wait for writers.
    assert_eq!(world.head().await, Seq(1));
    held.rollback().await.unwrap();
    done(world.commit(&[posting(ann, "y")]).await.remove(0));
    assert_eq!(world.stored_seqs(), [1, 2]);
}

/// Postgres ends the session with FATAL while the batch is under way. Here it has done nothing, but the same words come when it had
/// committed just before.
#[tokio::test]
async fn p10_a_batch_whose_session_is_ended_is_of_unknown_outcome() {
    let world = World::new().await;
    let ann = world.sign_up("ann").await;
    let mut holder = sqlx::PgConnection::connect(world.database.url()).await.unwrap();
    let mut held = holder.begin().await.unwrap();
    sqlx::query("select from journal_head for update").execute(&mut *held).await.unwrap();
    let end = "select count(pg_terminate_backend(pid)) from pg_stat_activity
                where wait_event_type = 'Lock' and query like '%commit_batch%' and datname = current_database()";
    let ended = async { while sqlx::query_scalar::<_, i64>(end).fetch_one(&mut *held).await.unwrap() == 0 {} };
    let commands = [posting(ann, "x")];
    let (result, ()) = tokio::join!(world.store.commit(once(), &commands), ended);
    let fault = result.unwrap_err();
    assert!(matches!(fault, CommitFault::Unknown(_)), "{fault}");
    held.rollback().await.unwrap();
    done(world.commit(&commands).await.remove(0));
}

#[tokio::test]
async fn a_flood_of_log_ins_does_not_stop_the_feed() {
    let world = World::new().await;
    let ann = world.sign_up("ann").await;
    world.log_in(ann, 1).await;
    let mut holder = sqlx::PgConnection::connect(world.database.url()).await.unwrap();
    let mut held = holder.begin().await.unwrap();
    sqlx::query("select from refresh_tokens for update").execute(&mut *held).await.unwrap();
    let flood: Vec<_> = (0..40)
        .map(|_| {
            let store = world.store.clone();
            tokio::spawn(async move { store.rotate([1; 32], new_token(2), 10_000).await })
        })
        .collect();
    let busy = "select count(*) from pg_stat_activity
                 where datname = current_database() and application_name = 'tidings accounts' and wait_event_type = 'Lock'";
    while world.database.psql(busy).unwrap() != "4" {
        tokio::task::yield_now().await;
    }
    // Everything that is not log-in answers as if nothing were the matter.
    done(world.commit(&[posting(ann, "x")]).await.remove(0));
    assert_eq!(world.head().await, Seq(2));
    let feed = world.store.snapshot(None, FeedName::Global, 10).await.unwrap().unwrap();
    assert_eq!(feed.posts.unwrap().len(), 1);
    held.rollback().await.unwrap();
    let mut gave_up = 0;
    for one in flood {
        match one.await.unwrap() {
            Ok(Rotation::Rotated { .. } | Rotation::Repeated { .. }) => {}
            Ok(other) => panic!("{other:?}"),
            Err(StoreFault::Unavailable(_)) => gave_up += 1,
            Err(fault @ StoreFault::Broken(_)) => panic!("{fault}"),
        }
    }
    assert!(gave_up < 40, "who waited long enough was served");
}

/// As when Postgres is killed and back within the second for which an idle connection is trusted.
#[tokio::test]
async fn once_a_connection_is_lost_the_others_are_not_taken_for_sound() {
    let world = World::new().await;
    let ann = world.sign_up("ann").await;
    let reads = async || {
        let all = (0..8).map(|_| world.store.snapshot(None, FeedName::Global, 10));
        futures_util::future::join_all(all).await
    };
    assert!(reads().await.iter().all(Result::is_ok), "each on a connection of its own");
    let end = "select count(pg_terminate_backend(pid, 5000)) from pg_stat_activity
                where pid <> pg_backend_pid() and datname = current_database()";
    let mut killer = sqlx::PgConnection::connect(world.database.url()).await.unwrap();
    assert!(sqlx::query_scalar::<_, i64>(end).fetch_one(&mut killer).await.unwrap() >= 8);
    // Fails, if it was quick enough to be trusted; if not, the others are as old.
    drop(world.store.snapshot(None, FeedName::Global, 10).await);
    for read in reads().await {
        read.expect("asked before it is used");
    }
    done(world.commit(&[posting(ann, "y")]).await.remove(0));
}

#[tokio::test]
async fn a_connection_that_is_ended_leaves_an_unknown_outcome_or_none_and_asking_again_is_safe() {
    let world = World::new().await;
    let ann = world.sign_up("ann").await;
    let node = world.another_node();
    let mut acked = 0;
    let end = format!(
        "select pg_terminate_backend(pid) from pg_stat_activity
          where application_name = 'tidings journal' and datname = '{}'",
        world.database.name()
    );
    for nth in 0..60 {
        let commands: Vec<Command> = (0..20).map(|_| posting(ann, &nth.to_string())).collect();
        if nth % 4 == 0 {
            world.database.psql(&end).unwrap();
        }
        let mut tries = 0;
        loop {
            tries += 1;
            assert!(tries < 10, "it comes back by itself");
            match node.commit(once(), &commands).await {
                Ok(committed) => {
                    for outcome in committed.outcomes {
                        assert!(matches!(outcome, Outcome::Done(_) | Outcome::Duplicate(_)));
                        acked += 1;
                    }
                    break;
                }
                Err(CommitFault::Unknown(_) | CommitFault::NotDone(_)) => {}
                Err(fault @ (CommitFault::Rejected(_) | CommitFault::Unreadable(_))) => panic!("{fault}"),
            }
        }
    }
    let posts = world.database.psql("select count(*) from posts").unwrap();
    assert_eq!(posts, acked.to_string());
    assert_eq!(world.stored_seqs(), (1..=1 + acked).collect::<Vec<u64>>());
}

#[tokio::test]
async fn a_killed_database_comes_back_with_all_that_was_acknowledged() {
    let mut postgres = PrivatePostgres::start().unwrap();
    let database = postgres.fresh_database().unwrap();
    let store = connect(database.url());
    store.migrate().await.unwrap();
    let ann = UserId(Uuid::now_v7());
    let hello = Command { actor: ann, act: sign_up("ann") };
    store.commit(once(), &[hello]).await.unwrap();
    let epoch = store.head().await.unwrap().epoch;
    let writer = {
        let store = store.clone();
        tokio::spawn(async move {
            let mut acked = Vec::new();
            let mut faults = 0;
            while faults == 0 || acked.len() < 400 {
                let batch: Vec<Command> = (0..20).map(|_| posting(ann, "x")).collect();
                loop {
                    match store.commit(once(), &batch).await {
                        Ok(_) => break,
                        Err(CommitFault::Rejected(why) | CommitFault::Unreadable(why)) => panic!("{why}"),
                        Err(_) => faults += 1,
                    }
                }
                acked.extend(batch.into_iter().map(|command| match command.act {
                    Act::PostCreate { id, .. } => id,
                    _ => unreachable!("only posts were asked for"),
                }));
            }
            acked
        })
    };
    // The writer goes on meanwhile.
    let mut postgres = tokio::task::spawn_blocking(move || {
        postgres.kill9().unwrap();
        postgres
    })
    .await
    .unwrap();
    let fault = store.head().await.unwrap_err();
    assert!(matches!(fault, StoreFault::Unavailable(_)), "{fault}");
    let mut postgres = tokio::task::spawn_blocking(move || {
        postgres.start_again().unwrap();
        postgres
    })
    .await
    .unwrap();
    let acked = writer.await.unwrap();
    let head = store.head().await.unwrap();
    assert_eq!(head.seq, Seq(1 + acked.len() as u64), "each once, and nothing else");
    assert_eq!(head.epoch, epoch, "the same life goes on");
    for id in acked {
        assert!(store.post(None, id).await.unwrap().is_some());
    }
    postgres.halt(Halt::Immediate).unwrap();
}

#[tokio::test]
async fn a_database_that_hangs_is_given_up_in_time_and_taken_up_again() {
    let postgres = PrivatePostgres::fast().unwrap();
    let database = postgres.fresh_database().unwrap();
    let store = connect(database.url());
    store.migrate().await.unwrap();
    let ann = UserId(Uuid::now_v7());
    store.commit(once(), &[Command { actor: ann, act: sign_up("ann") }]).await.unwrap();
    store.head().await.unwrap();
    postgres.pause().unwrap();
    let batch = [posting(ann, "x")];
    let patience = Duration::from_millis(tidings_actors::limits::COMMIT_PATIENCE_MS);
    let (commit, head) =
        tokio::time::timeout(patience, async { tokio::join!(store.commit(once(), &batch), store.head()) })
            .await
            .unwrap();
    let fault = commit.unwrap_err();
    assert!(matches!(fault, CommitFault::Unknown(_)), "{fault}");
    assert!(matches!(head.unwrap_err(), StoreFault::Unavailable(_)));
    postgres.resume().unwrap();
    let outcome = loop {
        match store.commit(once(), &batch).await {
            Ok(committed) => break committed.outcomes[0].clone(),
            Err(CommitFault::Rejected(why) | CommitFault::Unreadable(why)) => panic!("{why}"),
            Err(_) => {}
        }
    };
    assert!(matches!(outcome, Outcome::Done(_) | Outcome::Duplicate(_)));
    assert_eq!(store.head().await.unwrap().seq, Seq(2));
}

#[tokio::test]
async fn no_database_is_not_done_and_unavailable_and_a_bad_address_is_broken() {
    let nowhere = "postgres://nobody@localhost/none?host=/nowhere/at/all";
    let store = connect(nowhere);
    let fault = store.commit(once(), &[posting(UserId(Uuid::nil()), "x")]).await.unwrap_err();
    assert!(matches!(fault, CommitFault::NotDone(_)), "{fault}");
    for fault in [store.head().await.unwrap_err(), store.migrate().await.unwrap_err()] {
        assert!(matches!(fault, StoreFault::Unavailable(_)), "{fault}");
    }
    let secret = Store::connect("postgres://u:hunter2@[bad", &StoreOptions::default());
    let fault = secret.unwrap_err();
    assert!(matches!(fault, StoreFault::Broken(_)));
    assert!(!fault.to_string().contains("hunter2"));
}

#[tokio::test]
async fn an_empty_batch_is_done_at_once() {
    let world = World::new().await;
    let committed = world.store.commit(once(), &[]).await.unwrap();
    assert!(committed.outcomes.is_empty());
    assert_eq!(committed.epoch, world.store.head().await.unwrap().epoch);
    let ghost = posting(UserId(Uuid::nil()), "x");
    assert_eq!(refused(world.commit(&[ghost]).await.remove(0)), Denied::NoAccount);
}

#[test]
fn a_store_may_outlive_its_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let world = runtime.block_on(async {
        let world = World::new().await;
        world.sign_up("ann").await;
        world
    });
    drop(runtime);
    drop(world);
}
