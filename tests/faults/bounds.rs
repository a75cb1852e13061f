//! A database that hangs, whole or in one place: every question is answered within its bound, and what does not need that place goes
//! on (F8, F10, P6).

use std::process::Stdio;
use std::time::{Duration, Instant};

use futures_util::future::{join, join_all};
use serde_json::{Value, json};
use tidings_protocol::error::ErrorCode;
use tidings_protocol::feed::FeedName::Global;
use tidings_protocol::rest::Tokens;
use tidings_testkit::{Node, Options, PrivatePostgres};

use crate::deeds::{Draft, RECOVERY, until};
use crate::person::{Outcome, PASSWORD, Person};
use crate::rest::rest;
use crate::world::{Plan, World};

/// A write waits for the journal at most five seconds, and its last try may take as long again. Everything else is quicker.
const BOUND: Duration = Duration::from_secs(12);
/// For what is not touched by the fault, on a busy machine.
const AT_ONCE: Duration = Duration::from_secs(2);
/// The sizes of all pools together: no more connections than that, whatever is asked.
const CONNECTIONS: u32 = 2 + 2 + 8 + 4;

/// "Later", over REST.
const BUSY: [u16; 2] = [429, 503];

async fn logs_in(node: &Node, handle: &str) -> u16 {
    let body = json!({ "login": handle, "password": PASSWORD });
    rest::<Tokens>(node, "auth/login", &body).await.map_or_else(|(status, _)| status, |_| 200)
}

fn descriptors(node: &Node) -> usize {
    std::fs::read_dir(format!("/proc/{}/fd", node.pid())).expect("a running node").count()
}

/// A lock somebody forgot, held until it is let go.
struct Lock<'a> {
    world: &'a World,
    holding: std::thread::JoinHandle<()>,
}

impl<'a> Lock<'a> {
    async fn on(world: &'a World, table: &str) -> Self {
        let url = world.postgres.url("tidings");
        let psql = world.postgres.cluster().binaries().program("psql");
        let sql = format!("begin; lock table {table} in access exclusive mode; select pg_sleep(60)");
        let holding = std::thread::spawn(move || {
            // It is ended from outside.
            let _ended = std::process::Command::new(psql).args(["-X", "-q", "-d", &url, "-c", &sql]).output();
        });
        until("the table is locked", RECOVERY, async || {
            world.psql(&format!(
                "select count(*) from pg_locks where relation = '{table}'::regclass and mode = 'AccessExclusiveLock' and granted"
            )) == "1"
        })
        .await;
        Self { world, holding }
    }

    fn let_go(self) {
        self.world.psql("select pg_terminate_backend(pid) from pg_stat_activity where query like '%in access exclusive mode; select pg_sleep%' and pid <> pg_backend_pid()");
        self.holding.join().expect("no panic");
    }
}

#[tokio::test]
async fn while_the_database_hangs_everything_is_answered_and_nothing_piles_up() {
    let world = Plan::default().nodes(1).await;
    let node = &world.nodes[0];
    let mut ann = Person::arrives(node, "ann", &[Global]).await;
    let mut writers = Vec::new();
    for number in 0..10 {
        writers.push(Person::arrives(node, &format!("writer{number}"), &[]).await);
    }
    let mut reader = Person::arrives(node, "reader", &[Global]).await;
    let mut comer = Person::signs_up(node, "comer").await;
    let refresh = json!({ "refresh_token": comer.tokens.as_ref().unwrap().refresh_token });
    ann.posts("before").await;
    let before = descriptors(node);
    // Connections used just now are trusted: it is the question itself that hangs.
    join_all((0..8).map(|_| logs_in(node, "ann"))).await;
    reader.is_answered().await;
    world.postgres.pause().unwrap();
    let began = Instant::now();

    let writing = join_all(writers.iter_mut().map(async |writer| {
        let refusal = writer.is_refused(ErrorCode::Unavailable, "post.create", Draft::of("lost?").params()).await;
        assert!(refusal.retry);
        began.elapsed()
    }));
    let reading = async {
        reader.is_refused(ErrorCode::Unavailable, "feed.page", json!({ "feed": "global" })).await;
        reader.is_refused(ErrorCode::Unavailable, "feed.subscribe", json!({ "feed": "home" })).await;
        began.elapsed()
    };
    let coming = async {
        comer.feeds = vec![Global];
        comer.dials(node).await;
        let refusal = comer.says_hello().await.expect_err("nobody can be looked up");
        assert_eq!(refusal.code, ErrorCode::Unavailable);
        began.elapsed()
    };
    // More of them than any pool has places.
    let logging_in = join_all((0..30).map(async |_| {
        let status = logs_in(node, "ann").await;
        assert!(BUSY.contains(&status), "{status}");
        began.elapsed()
    }));
    let refreshing = async {
        let (status, _) = rest::<Value>(node, "auth/refresh", &refresh).await.expect_err("the database hangs");
        assert!(BUSY.contains(&status), "{status}");
        let (status, _) = rest::<Value>(node, "auth/logout", &refresh).await.expect_err("the database hangs");
        assert!(BUSY.contains(&status), "{status}");
        began.elapsed()
    };
    let (writing, reading, coming, logging_in, refreshing) =
        tokio::join!(writing, reading, coming, logging_in, refreshing);
    let (writing, logging_in) = (writing.into_iter().max().unwrap(), logging_in.into_iter().max().unwrap());
    println!(
        "post.create {writing:?}, two reads {reading:?}, hello {coming:?}, log-in {logging_in:?}, refresh and log-out {refreshing:?}"
    );
    for took in [writing, reading, coming, logging_in, refreshing] {
        assert!(took < BOUND, "{took:?}");
    }
    assert_eq!(world.ready(0).await.0, 503);

    world.postgres.resume().unwrap();
    until("log-ins are back", RECOVERY, async || logs_in(node, "ann").await == 200).await;
    ann.posts_at_last(node, &Draft::of("after")).await;
    ann.hears_post("after").await;
    let count = "select count(*) from pg_stat_activity where application_name like 'tidings %' and backend_type = 'client backend'";
    until("the server has noticed who has gone", RECOVERY, async || {
        world.psql(count).parse::<u32>().expect("a number") <= CONNECTIONS
    })
    .await;
    until("descriptors are given back", RECOVERY, async || descriptors(node) <= before + 8).await;
}

/// The pools are apart: what hangs in one does not hold up another.
#[tokio::test]
async fn a_lock_on_accounts_does_not_hold_up_the_feed_and_a_lock_on_posts_not_the_log_in() {
    let world = Plan::default().nodes(1).await;
    let node = &world.nodes[0];
    let mut ann = Person::arrives(node, "ann", &[Global]).await;
    let mut bob = Person::arrives(node, "bob", &[Global]).await;

    let lock = Lock::on(&world, "accounts").await;
    let flood = join_all((0..60).map(async |_| {
        let status = logs_in(node, "bob").await;
        assert!(BUSY.contains(&status), "{status}");
    }));
    let feed = async {
        let mut slowest = Duration::ZERO;
        for number in 0..60 {
            let began = Instant::now();
            let text = format!("post {number}");
            ann.posts(&text).await;
            bob.hears_post(&text).await;
            bob.is_answered().await;
            slowest = slowest.max(began.elapsed());
        }
        slowest
    };
    let (_, slowest) = join(flood, feed).await;
    println!("while log-ins hang: a post written, heard and a page read within {slowest:?}");
    assert!(slowest < AT_ONCE, "{slowest:?}");
    lock.let_go();
    until("log-ins are back", RECOVERY, async || logs_in(node, "bob").await == 200).await;

    let lock = Lock::on(&world, "posts").await;
    let asked = ann.asks("post.create", Draft::of("waits").params()).await;
    let pages: Vec<u64> = bob.asks_together("feed.page", (0..4).map(|_| json!({ "feed": "global" }))).await;
    let began = Instant::now();
    for _ in 0..10 {
        assert_eq!(logs_in(node, "bob").await, 200);
    }
    println!("while posts are locked: ten log-ins took {:?}", began.elapsed());
    assert!(began.elapsed() < 10 * AT_ONCE);
    for page in pages {
        match bob.hears_answer(page).await {
            Outcome::Refused(refusal) => assert_eq!(refusal.code, ErrorCode::Unavailable),
            other @ (Outcome::Done(_) | Outcome::Lost(_)) => panic!("{other:?} of a table that is locked"),
        }
        assert!(began.elapsed() < BOUND);
    }
    match ann.hears_answer(asked).await {
        Outcome::Refused(refusal) => assert_eq!(refusal.code, ErrorCode::Unavailable),
        other @ (Outcome::Done(_) | Outcome::Lost(_)) => panic!("{other:?} of a table that is locked"),
    }
    lock.let_go();
    ann.posts_at_last(node, &Draft::of("goes on")).await;
    bob.hears_post("goes on").await;
}

/// F10: somebody's transaction stays open, here and in another database. Numbers are given out by a row, not by snapshots: nothing waits for it.
#[tokio::test]
async fn a_transaction_left_open_elsewhere_holds_up_nothing() {
    let world = Plan::default().nodes(1).await;
    let mut ann = Person::arrives(&world.nodes[0], "ann", &[]).await;
    let mut bob = Person::arrives(&world.nodes[0], "bob", &[Global]).await;
    let open = "begin isolation level repeatable read; select pg_current_xact_id(); select pg_sleep(60)";
    let mut idlers = Vec::new();
    for database in ["postgres", "tidings"] {
        let psql = world.postgres.cluster().binaries().program("psql");
        let url = world.postgres.url(database);
        let mut idler = std::process::Command::new(psql);
        idler.args(["-X", "-q", "-d", &url, "-c", open]).stdout(Stdio::null()).stderr(Stdio::null());
        idlers.push(idler.spawn().unwrap());
    }
    let count = "select count(*) from pg_stat_activity where query like 'begin isolation%' and backend_xid is not null";
    until("both are open", RECOVERY, async || world.psql(count) == "2").await;
    let began = Instant::now();
    for number in 0..100 {
        let text = format!("post {number}");
        ann.posts(&text).await;
        bob.hears_post(&text).await;
    }
    println!("a hundred posts, each heard before the next, beside two open transactions: {:?}", began.elapsed());
    assert!(began.elapsed() < 100 * AT_ONCE / 10);
    assert!(world.metrics(0).await.contains("tidings_tail_behind "), "the alarm's number is there");
    until("the tail is not behind", RECOVERY, async || world.metric(0, "tidings_tail_behind").await == 0.0).await;
    world.psql("select pg_terminate_backend(pid) from pg_stat_activity where query like 'begin isolation%'");
    for mut idler in idlers {
        idler.wait().unwrap();
    }
    // Our own are never left open: the server would end them.
    let ours = "select count(*) from pg_stat_activity where application_name like 'tidings %' and state like 'idle in transaction%'";
    assert_eq!(world.psql(ours), "0");
}

/// Somebody else has taken all the connections that Postgres has.
#[tokio::test]
async fn without_a_free_connection_everything_is_answered_and_comes_back_by_itself() {
    // Few enough to be used up quickly; a node takes 16 at most. Whoever has gone is noticed.
    let few = [
        ("max_connections", "24"),
        ("superuser_reserved_connections", "0"),
        ("max_wal_senders", "0"),
        ("client_connection_check_interval", "100"),
    ];
    let settings = few.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let postgres = PrivatePostgres::with(Options { settings, ..Options::default() }).unwrap();
    let world = Plan::default().on(postgres).nodes(1).await;
    let node = &world.nodes[0];
    let mut ann = Person::arrives(node, "ann", &[Global]).await;
    ann.posts("before").await;
    let psql = world.postgres.cluster().binaries().program("psql");
    let url = world.postgres.url("tidings");
    let squatter = || {
        let mut squatter = std::process::Command::new(&psql);
        squatter.args(["-X", "-q", "-d", &url, "-c", "select pg_sleep(60)"]);
        squatter.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    };
    let mut squatters = Vec::new();
    let mut none_left = async || {
        squatters.push(squatter());
        let another = std::process::Command::new(&psql).args(["-X", "-q", "-d", &url, "-c", "select 1"]).output();
        String::from_utf8_lossy(&another.unwrap().stderr).contains("too many clients")
    };
    until("Postgres has no place left", RECOVERY, &mut none_left).await;

    // What has its connections goes on; what needs another one is answered, and nobody waits for long.
    ann.posts("during").await;
    ann.hears_post("during").await;
    let began = Instant::now();
    let answers = join_all((0..30).map(|_| logs_in(node, "ann"))).await;
    assert!(answers.iter().all(|status| *status == 200 || BUSY.contains(status)), "{answers:?}");
    assert!(none_left().await, "there was a place after all: {answers:?}");
    let pages = ann.asks_together("feed.page", (0..20).map(|_| json!({ "feed": "global" }))).await;
    for page in pages {
        match ann.hears_answer(page).await {
            Outcome::Done(_) => {}
            Outcome::Refused(refusal) => assert_eq!(refusal.code, ErrorCode::Unavailable),
            Outcome::Lost(number) => panic!("the line was ended with {number}"),
        }
    }
    assert!(began.elapsed() < BOUND, "{:?}", began.elapsed());

    for squatter in &mut squatters {
        squatter.kill().unwrap();
        squatter.wait().unwrap();
    }
    ann.posts_at_last(node, &Draft::of("after")).await;
    ann.hears_post("after").await;
    until("log-ins are back", RECOVERY, async || logs_in(node, "ann").await == 200).await;
}
