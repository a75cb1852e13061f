//! What one sees when parts of the server fail or a reader does not keep up (P2, P3, P7, P10).

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::json;
use tidings_protocol::close::CloseCode;
use tidings_protocol::error::ErrorCode;
use tidings_protocol::feed::FeedName::{Global, Home};
use tidings_protocol::push::Notice;
use tidings_protocol::reply::PostResult;
use tidings_testkit::Node;
use uuid::Uuid;

use crate::line::{Arrival, Dial, PATIENCE};
use crate::person::{Outcome, Person};
use crate::world::{Plan, World};

/// Posts of the longest text: more bytes than the outbox and all socket buffers hold together.
const FLOOD: usize = 900;

#[tokio::test]
async fn while_postgres_is_dead_writes_say_try_again_and_sockets_stay_open() {
    let mut world = Plan::default().own_postgres().one_node().await;
    let mut ann = Person::arrives(world.a(), "ann", &[Global]).await;
    let mut bob = Person::arrives(world.a(), "bob", &[Global]).await;
    ann.posts("before").await;
    bob.hears_post("before").await;

    world.postgres().kill9().unwrap();
    let params = json!({ "id": Uuid::now_v7(), "text": "in the dark" });
    let refusal = ann.request::<PostResult>("post.create", &params).await.expect_err("nothing can be written");
    assert_eq!(refusal.code, ErrorCode::Unavailable, "{refusal:?}");
    assert!(refusal.retry);
    ann.is_refused(ErrorCode::UnknownMethod, "still.there", json!({})).await;
    bob.is_refused(ErrorCode::UnknownMethod, "still.there", json!({})).await;

    world.postgres().start_again().unwrap();
    let began = Instant::now();
    let created = loop {
        match ann.tries("post.create", &params).await {
            Outcome::Done(result) => break result,
            Outcome::Refused(refusal) => assert!(refusal.retry, "{refusal:?}"),
            Outcome::Lost(number) => panic!("closed with {number}"),
        }
        assert!(began.elapsed() < PATIENCE, "writes do not come back");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!(created["post"]["text"], "in the dark");
    bob.hears_post("in the dark").await;
    ann.posts("after").await;
    bob.hears_post("after").await;
    assert_eq!(bob.state.texts(Global), ["before", "in the dark", "after"]);
    assert_eq!(bob.snapshots(Global), 1, "nothing had to start afresh");
    assert!(bob.state.repeats().is_empty());
}

/// How often a read was asked again because the database was away.
async fn asked_again(node: &Node) -> f64 {
    let answer = reqwest::get(format!("{}/metrics", node.url())).await.expect("the node lives");
    let numbers = answer.text().await.expect("numbers");
    let again = numbers.lines().find_map(|line| line.strip_prefix("tidings_starts_again_total "));
    again.map_or(0.0, |number| number.parse().expect("a number"))
}

/// They stand in line, within bounds, instead of being sent away: a line lost together with Postgres costs no more than Postgres does.
#[tokio::test]
async fn p10_who_comes_while_postgres_is_dead_is_served_as_soon_as_it_is_back() {
    let mut world = Plan::default().own_postgres().one_node().await;
    let mut ann = Person::arrives(world.a(), "ann", &[]).await;
    let mut bob = Person::arrives(world.a(), "bob", &[Home]).await;
    bob.follows(ann.id()).await;
    bob.hears_resync(Home).await;
    // By now the cursor stands behind the change of the circle.
    ann.posts("heard").await;
    bob.hears_post("heard").await;
    bob.loses_the_line();
    ann.posts("missed").await;

    world.postgres().kill9().unwrap();
    let asked = ann.asks("feed.subscribe", json!({ "feed": "global" })).await;
    let (node, mut postgres) = (&world.nodes[0], world.postgres.take().unwrap());
    let comes_back = async {
        // Not before both have asked in vain.
        let began = Instant::now();
        while asked_again(node).await < 2.0 {
            assert!(began.elapsed() < PATIENCE, "nobody asks again");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        tokio::task::spawn_blocking(move || postgres.start_again().map(|()| postgres)).await.unwrap().unwrap()
    };
    // Only a Postgres that needs longer to start than anybody may wait in line is a reason to send them away.
    let (asked_at, in_line) = (Instant::now(), Duration::from_secs(4));
    let resumes = async {
        loop {
            bob.dials(node).await;
            match bob.says_hello().await {
                Ok(welcome) => break welcome,
                Err(refusal) => assert!(asked_at.elapsed() > in_line, "{refusal:?}"),
            }
        }
    };
    let (welcome, _postgres) = tokio::join!(resumes, comes_back);
    assert!(welcome.resumed);
    bob.hears_post("missed").await;
    let answer = ann.hears_answer(asked).await;
    assert!(matches!(answer, Outcome::Done(_)) || asked_at.elapsed() > in_line, "{answer:?}");
    ann.posts("after").await;
    bob.hears_post("after").await;
}

/// P7, and the promise of the design that a slow reader costs a cursor, not memory.
#[tokio::test]
async fn a_reader_who_stops_reading_catches_up_and_harms_nobody() {
    let world = World::one_node().await;
    let mut ann = Person::arrives(world.a(), "ann", &[]).await;
    let mut quick = Person::arrives(world.a(), "quick", &[Global]).await;
    let mut slow = Person::signs_up(world.a(), "slow").await;
    slow.feeds = vec![Global];
    let small = Dial { receive_bytes: Some(4096), ..Dial::default() };
    slow.dials_like(world.a().address(), small).await;
    slow.says_hello().await.unwrap();
    let filler = "x".repeat(4_900);
    for round in 0..FLOOD / 30 {
        let mut asked = Vec::new();
        for number in 0..30 {
            let text = format!("{} {filler}", round * 30 + number);
            let params = json!({ "id": Uuid::now_v7(), "text": text });
            asked.push(ann.asks("post.create", params).await);
        }
        for id in asked {
            let answer = ann.hears_answer(id).await;
            assert!(matches!(answer, Outcome::Done(_)), "{answer:?}");
        }
        let last = format!("{} {filler}", round * 30 + 29);
        quick.hears_post(&last).await;
    }
    let last = format!("{} {filler}", FLOOD - 1);
    slow.hears_post(&last).await;
    for reader in [&slow, &quick] {
        let name = &reader.handle;
        assert!(reader.state.repeats().is_empty(), "{name} was told twice");
        let texts = reader.state.texts(Global);
        let number = |text: &String| text.split_once(' ').and_then(|(number, _)| number.parse().ok());
        let heard: BTreeSet<usize> = texts.iter().filter_map(number).collect();
        let missed: Vec<usize> = (0..FLOOD).filter(|number| !heard.contains(number)).collect();
        assert!(missed.is_empty() && texts.len() == FLOOD, "{name} missed {missed:?}");
    }
    assert_eq!(slow.snapshots(Global), 1, "caught up by events");
    ann.posts("and live again").await;
    slow.hears_post("and live again").await;
}

#[tokio::test]
async fn a_node_that_is_stopped_says_goodbye_and_ends_well() {
    let mut world = Plan::default().set("drain_ms", "3000").two_nodes().await;
    let mut ann = Person::arrives(world.b(), "ann", &[]).await;
    let mut bob = Person::arrives(world.a(), "bob", &[Home]).await;
    bob.follows(ann.id()).await;
    bob.hears_resync(Home).await;
    ann.posts("before").await;
    bob.hears_post("before").await;
    let mut stopping = world.nodes.remove(0);
    let ending = tokio::task::spawn_blocking(move || stopping.terminate(Duration::from_secs(15)));
    assert_eq!(bob.hears_close().await, CloseCode::GoingAway.number());
    let goodbye = bob
        .notices
        .iter()
        .find_map(|notice| if let Notice::GoingAway { cursor, .. } = notice { Some(*cursor) } else { None });
    assert_eq!(goodbye, bob.cursor, "goodbye comes with the cursor to go on from");
    assert_eq!(ending.await.unwrap().unwrap(), 0);
    ann.posts("after").await;
    assert!(bob.resumes(&world.nodes[0]).await.resumed);
    bob.hears_post("after").await;
    assert!(bob.state.repeats().is_empty());
}

#[tokio::test]
async fn what_was_asked_before_the_goodbye_is_answered() {
    let mut world = World::one_node().await;
    let mut ann = Person::arrives(world.a(), "ann", &[]).await;
    let mut asked = Vec::new();
    for number in 0..20 {
        let params = json!({ "id": Uuid::now_v7(), "text": format!("post {number}") });
        asked.push(ann.asks("post.create", params).await);
    }
    let first = ann.hears_answer(asked[0]).await;
    assert!(matches!(first, Outcome::Done(_)), "{first:?}");
    let mut stopping = world.nodes.remove(0);
    let ending = tokio::task::spawn_blocking(move || stopping.terminate(Duration::from_secs(20)));
    let mut answered = 1;
    for id in &asked[1..] {
        match ann.hears_answer(*id).await {
            Outcome::Done(_) => answered += 1,
            Outcome::Refused(refusal) => assert!(refusal.retry, "{refusal:?}"),
            Outcome::Lost(number) => panic!("closed with {number} before the answer"),
        }
    }
    assert_eq!(ann.hears_close().await, CloseCode::GoingAway.number());
    assert_eq!(ending.await.unwrap().unwrap(), 0);
    let rows = world.database.psql("select count(*) from posts").unwrap();
    assert_eq!(rows, answered.to_string(), "acknowledged is committed, refused is not");
}

/// A browser cannot see pings; an idle cursor moves on with the heartbeat.
#[tokio::test]
async fn an_idle_connection_hears_that_it_lives() {
    let world = World::one_node().await;
    let mut bob = Person::signs_up(world.a(), "bob").await;
    let welcome = bob.connects(world.a(), &[Home]).await;
    let within = Duration::from_millis(welcome.heartbeat_ms + 5_000);
    let mut ann = Person::arrives(world.a(), "ann", &[]).await;
    let unseen = ann.posts("not in bob's home").await;
    let beats = async {
        while bob.cursor.is_none_or(|cursor| cursor.seq < unseen.seq) {
            let arrival = bob.hears_whenever().await;
            assert!(matches!(arrival, Arrival::Frame(_)), "{arrival:?}");
        }
    };
    tokio::time::timeout(within, beats).await.expect("a heartbeat");
    assert!(bob.notices.iter().all(|notice| matches!(notice, Notice::Heartbeat { .. })));
    assert!(bob.state.told.is_empty());
}
