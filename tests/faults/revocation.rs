//! Who has logged out hears nothing more, on any node, whatever is broken or stood still meanwhile (F13, S5, S6, P5).

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tidings_protocol::close::CloseCode;
use tidings_protocol::error::ErrorCode;
use tidings_protocol::feed::FeedName::Global;
use tidings_protocol::reply::Reply;
use tidings_testkit::Node;

use crate::deeds::{Draft, RECOVERY, until};
use crate::person::Person;
use crate::rest::rest;
use crate::world::{Plan, World};

/// The promise is one second, two with Redis dead; a busy machine gets more before the test fails. What was measured is printed.
const BOUND: Duration = Duration::from_secs(5);
const ROUNDS: usize = 20;
/// For so long a node believes what it knows of log-ins without confirming it.
const LEASE: Duration = Duration::from_secs(5);

async fn logs_out(node: &Node, person: &Person) {
    let token = &person.tokens.as_ref().expect("signed up").refresh_token;
    let _: Value = rest(node, "auth/logout", &json!({ "refresh_token": token })).await.expect("logged out");
}

/// One log-in with a socket on each node; its parts share the tokens.
async fn logs_in_everywhere(world: &World, handle: &str) -> Vec<Person> {
    let first = Person::logs_in(&world.nodes[0], handle).await;
    let mut sockets = Vec::new();
    for node in &world.nodes {
        let mut socket = Person::anonymous();
        socket.handle = handle.to_owned();
        socket.tokens = first.tokens.clone();
        socket.connects(node, &[Global]).await;
        sockets.push(socket);
    }
    sockets
}

/// The session of an access token, as the database knows it.
fn newest_session(world: &World, person: &Person) -> String {
    world.psql(&format!(
        "select id from sessions where user_id = '{}' order by opened_ms desc, id desc limit 1",
        person.id()
    ))
}

/// How a log-in is ended in a round.
#[derive(Clone, Copy, Debug)]
enum End {
    LogOut,
    /// By an operator's hand, past every node.
    Update,
    Delete,
}

#[tokio::test]
async fn a_log_in_ends_on_all_nodes_with_redis_dead_and_by_plain_sql_too() {
    let mut world = Plan::default().nodes(3).await;
    let mut staying = Person::arrives(&world.nodes[2], "ann", &[Global]).await;
    let mut slowest = Duration::ZERO;
    for round in 0..ROUNDS {
        if round == ROUNDS / 2 {
            world.redis.as_mut().unwrap().kill9().unwrap();
        }
        let mut leaving = logs_in_everywhere(&world, "ann").await;
        let session = newest_session(&world, &staying);
        let how = [End::LogOut, End::Update, End::LogOut, End::Delete][round % 4];
        let began = Instant::now();
        match how {
            End::LogOut => logs_out(&world.nodes[round % 3], &leaving[0]).await,
            End::Update => {
                let sql = format!("update sessions set revoked_ms = clock_ms() where id = '{session}'");
                world.psql(&sql);
            }
            End::Delete => drop(world.psql(&format!("delete from sessions where id = '{session}'"))),
        }
        for socket in &mut leaving {
            assert_eq!(socket.hears_close().await, CloseCode::SessionRevoked.number(), "{how:?}");
        }
        let took = began.elapsed();
        assert!(took < BOUND, "{how:?} took {took:?}");
        slowest = slowest.max(took);
        // The access token has not run out, and is of no use on any node.
        for (node, socket) in world.nodes.iter().zip(&mut leaving) {
            socket.dials(node).await;
            assert_eq!(socket.says_hello().await.expect_err("logged out").code, ErrorCode::BadToken);
        }
        let text = format!("still here {round}");
        staying.posts(&text).await;
        staying.hears_post(&text).await;
    }
    println!("{ROUNDS} log-ins of three sockets ended, half of them with Redis dead; the slowest took {slowest:?}");
}

#[tokio::test]
async fn all_log_ins_of_a_user_end_by_one_statement() {
    let world = Plan::default().nodes(2).await;
    let mut bob = Person::arrives(&world.nodes[0], "bob", &[Global]).await;
    Person::signs_up(&world.nodes[0], "ann").await;
    let mut leaving = Vec::new();
    for _ in 0..3 {
        leaving.extend(logs_in_everywhere(&world, "ann").await);
    }
    let ann = leaving[0].id();
    world.psql(&format!("update sessions set revoked_ms = clock_ms() where user_id = '{ann}'"));
    for socket in &mut leaving {
        assert_eq!(socket.hears_close().await, CloseCode::SessionRevoked.number());
    }
    bob.posts("life goes on").await;
    bob.hears_post("life goes on").await;
    let said = world.psql("select (select seq from journal_head) = (select count(*) from journal)");
    assert_eq!(said, "t", "what was done by hand stands in the journal too, without a hole");
}

/// Pauses a node, does something, lets it go on.
async fn while_paused(world: &mut World, node: usize, pause: Duration, meanwhile: impl AsyncFnOnce(&World)) {
    world.nodes[node].pause().expect("a running node");
    let began = Instant::now();
    meanwhile(world).await;
    // The fault is that time passes.
    tokio::time::sleep(pause.saturating_sub(began.elapsed())).await;
    world.nodes[node].resume().expect("a paused node");
}

/// On waking up the node holds rumours of posts from before the log-out, and the sockets are open: whoever was logged out meanwhile
/// must hear none of it.
#[tokio::test]
async fn a_node_that_stood_still_tells_the_logged_out_nothing() {
    // Before it would count as blind, after that, and without anybody who brings rumours.
    let rounds = [
        (Duration::from_millis(1_700), true),
        (Duration::from_millis(5_500), true),
        (Duration::from_millis(1_700), false),
    ];
    let mut world = Plan::default().nodes(2).await;
    let mut ann = Person::arrives(&world.nodes[0], "ann", &[]).await;
    let mut bob = Person::arrives(&world.nodes[1], "bob", &[Global]).await;
    Person::signs_up(&world.nodes[0], "eve").await;
    for (round, (pause, redis_lives)) in rounds.into_iter().enumerate() {
        let mut eve = Person::logs_in(&world.nodes[0], "eve").await;
        eve.connects(&world.nodes[1], &[Global]).await;
        let before = format!("{round} before");
        ann.posts(&before).await;
        bob.hears_post(&before).await;
        eve.hears_post(&before).await;
        if !redis_lives {
            world.redis.as_mut().unwrap().kill9().unwrap();
        }
        let heard = eve.state.told.len();
        let after = format!("{round} after");
        while_paused(&mut world, 1, pause, async |world| {
            for number in 0..10 {
                ann.posts(&format!("{round} meanwhile {number}")).await;
            }
            logs_out(&world.nodes[0], &eve).await;
            ann.posts(&after).await;
            if pause > LEASE {
                // Waits in the socket until the node wakes up, which then cannot know at once that she may not.
                eve.asks("post.create", Draft::of("not hers to say").params()).await;
            }
        })
        .await;
        let woken = Instant::now();
        let number = loop {
            match eve.hears().await {
                Ok(reply) => assert!(!matches!(reply, Some(Reply::Result { .. })), "{reply:?}"),
                Err(number) => break number,
            }
        };
        assert_eq!(number, CloseCode::SessionRevoked.number());
        println!("paused for {pause:?}, Redis alive: {redis_lives}; closed {:?} after waking up", woken.elapsed());
        assert!(woken.elapsed() < BOUND);
        let told = &eve.state.told[heard..];
        assert!(told.is_empty(), "told after the log-out: {told:?}");
        bob.hears_post(&after).await;
        assert_eq!(bob.state.texts(Global).len(), (round + 1) * 12, "who may hear it hears all of it");
    }
    assert_eq!(bob.snapshots(Global), 1);
    assert_eq!(world.psql("select count(*) from posts where text like 'not hers%'"), "0");
}

/// S6: the node hears rumours but cannot confirm them. After five seconds it pushes nothing, and says so; nothing is lost by it.
#[tokio::test]
async fn a_node_that_cannot_confirm_the_journal_stops_pushing_until_it_can() {
    let world = Plan::default().nodes(2).await;
    let mut ann = Person::arrives(&world.nodes[0], "ann", &[Global]).await;
    let mut bob = Person::arrives(&world.nodes[1], "bob", &[Global]).await;
    let mut eve = Person::arrives(&world.nodes[1], "eve", &[Global]).await;
    world.doors[1].hold();
    until("the node says that it is blind", RECOVERY, async || {
        world.ready(1).await.1.contains("journal_not_confirmed")
    })
    .await;
    let heard = (bob.state.told.len(), eve.state.told.len());
    // Redis brings each of these to the node at once.
    let told: BTreeSet<String> = (0..10).map(|number| format!("unseen {number}")).collect();
    for text in &told {
        ann.posts(text).await;
        ann.hears_post(text).await;
    }
    logs_out(&world.nodes[0], &eve).await;
    // What is answered from memory comes after what was pushed before it.
    bob.is_refused(ErrorCode::UnknownMethod, "are.you.there", json!({})).await;
    assert_eq!(bob.state.told.len(), heard.0, "pushed while blind");
    world.doors[1].open();
    assert_eq!(eve.hears_close().await, CloseCode::SessionRevoked.number());
    assert_eq!(eve.state.told.len(), heard.1, "told after the log-out");
    bob.hears_until("all of it", |bob| bob.state.texts(Global).len() == 10).await;
    assert_eq!(bob.state.texts(Global).into_iter().collect::<BTreeSet<_>>(), told);
}
