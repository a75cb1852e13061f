//! A community that has been there for long, written straight into the bench's own Postgres: people, posts, follows, with their journal.
//! Must never touch a database that serves people, and leaves none of the schema's rules broken: `seq` goes on without holes (P1).

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use tidings_protocol::ids::UserId;
use tidings_protocol::request::Hello;
use uuid::Uuid;

use crate::bench::pgbench::Postgres;
use crate::link;

/// For a node to have read what has been written behind its back.
const PATIENCE: Duration = Duration::from_secs(60);
/// Followers in one statement: what a command line takes.
const AT_ONCE: usize = 1_000;
/// Postgres' `PGSTAT_IDLE_INTERVAL`, and some.
const REPORTED: Duration = Duration::from_secs(11);
const LOOK: Duration = Duration::from_millis(100);

/// Whom somebody follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Circle {
    /// By their share of the posts: those who write much are followed much.
    Busy,
    /// Anybody: half of them have never written, and most of the others seldom.
    Mixed,
}

/// Adds so many people and posts. Every second of them all writes; the nth of these is the author of a post with a chance of 1/n (Zipf).
///
/// # Errors
/// Postgres refuses.
pub fn add(postgres: &Postgres, people: u64, posts: u64) -> Result<()> {
    let before: u64 = postgres.ask("select count(*) from users where handle like 'other%'")?.trim().parse()?;
    let all = before + people;
    let writers = (all / 2).max(2);
    postgres.ask(&format!(
        "begin;
         create temporary table head as select seq from journal_head for update;
         insert into users (id, handle, name, seq, rev, created_ms)
         select lpad(to_hex(i), 32, '0')::uuid, 'other' || i, 'Other ' || i, seq + i - {before}, seq + i - {before}, 1700000000000
           from head, generate_series({before}::bigint + 1, {all}) i;
         insert into journal (seq, kind, subject, actor, at_ms)
         select seq + i - {before}, 1, lpad(to_hex(i), 32, '0')::uuid, lpad(to_hex(i), 32, '0')::uuid, 1700000000000
           from head, generate_series({before}::bigint + 1, {all}) i;
         update head set seq = seq + {people};
         select setseed(0.5);
         with drawn as materialized (
             select i, gen_random_uuid() as id, lpad(to_hex(2 * floor(exp(random() * ln({writers})))::bigint), 32, '0')::uuid as author
               from generate_series(1::bigint, {posts}) i
         ), written as (
             insert into posts (id, author, text, seq, rev, created_ms)
             select id, author, repeat('x', 200), seq + i, seq + i, 1700000000000 from drawn, head
         )
         insert into journal (seq, kind, subject, actor, at_ms)
         select seq + i, 5, id, author, 1700000000000 from drawn, head;
         update journal_head set seq = (select seq from head) + {posts};
         commit"
    ))?;
    postgres.ask("vacuum analyze users, posts, journal")?;
    Ok(())
}

/// Lets somebody follow so many of those who were added.
///
/// # Errors
/// Postgres refuses, or there are not so many.
pub fn follow(postgres: &Postgres, followers: &[UserId], circle: Circle, size: usize) -> Result<()> {
    followers.chunks(AT_ONCE).try_for_each(|some| follow_some(postgres, some, circle, size))?;
    postgres.ask("vacuum analyze follows")?;
    Ok(())
}

fn follow_some(postgres: &Postgres, followers: &[UserId], circle: Circle, size: usize) -> Result<()> {
    let others: u64 = postgres.ask("select count(*) from users where handle like 'other%'")?.trim().parse()?;
    let draw = match circle {
        Circle::Busy => format!("2 * floor(exp(random() * ln({})))::bigint", others / 2),
        Circle::Mixed => format!("1 + floor(random() * {others})::bigint"),
    };
    let ids: Vec<String> = followers.iter().map(|id| format!("'{}'", id.0)).collect();
    postgres.ask(&format!(
        "begin;
         create temporary table wish as
         select row_number() over () as i, follower, followee from unnest(array[{ids}]::uuid[]) follower,
                lateral (select lpad(to_hex(nth), 32, '0')::uuid as followee
                           from (select distinct {draw} as nth from generate_series(1, 8 * {size} + 0 * length(follower::text)) d) drawn
                          where nth between 1 and {others} limit {size}) circle;
         create temporary table place as select seq from journal_head for update;
         insert into follows (follower, followee, active, rev) select follower, followee, true, seq + i from wish, place;
         insert into journal (seq, kind, subject, object, actor, at_ms)
         select seq + i, 3, follower, followee, follower, 1700000000000 from wish, place;
         update journal_head set seq = seq + (select count(*) from wish);
         commit;
         drop table wish; drop table place",
        ids = ids.join(",")
    ))?;
    let ids = ids.join(",");
    let all =
        postgres.ask(&format!("select count(*) from follows where follower = any(array[{ids}]::uuid[]) and active"))?;
    ensure!(all.trim().parse::<usize>()? >= followers.len() * size, "there are not {size} people to follow");
    Ok(())
}

/// The `number`th of those who were added, from 1.
#[must_use]
pub fn person(number: u64) -> UserId {
    UserId(Uuid::from_u128(u128::from(number)))
}

/// Waits until a node has reached the journal's head.
///
/// # Errors
/// It has not in time.
pub async fn settled(postgres: &Postgres, node: SocketAddr) -> Result<()> {
    let head: u64 = postgres.ask("select seq from journal_head")?.trim().parse()?;
    let end = Instant::now() + PATIENCE;
    loop {
        let mut socket = link::open(node, 0).await?;
        let welcome = link::greet(&mut socket, Hello::default()).await?;
        if welcome.cursor.seq.0 >= head {
            return Ok(());
        }
        ensure!(Instant::now() < end, "the node has reached {} of {head} in {PATIENCE:?}", welcome.cursor.seq.0);
        tokio::time::sleep(LOOK).await;
    }
}

/// Transactions of the database so far. Sessions that fall idle report the last of theirs after ten seconds, so this takes a while.
///
/// # Errors
/// Postgres does not say.
pub async fn transactions(postgres: &Postgres) -> Result<u64> {
    tokio::time::sleep(REPORTED).await;
    let sum = "select xact_commit + xact_rollback from pg_stat_database where datname = current_database()";
    Ok(postgres.ask(sum)?.trim().parse()?)
}
