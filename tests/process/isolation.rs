//! F22: a panic harms only the part it happened in. Each part is made to panic in turn, over real sockets and a real Postgres, while others
//! go on; whoever was harmed is told a number to come back on, and misses nothing.

use serde_json::json;
use tidings_protocol::close::CloseCode;
use tidings_testkit::Node;
use uuid::Uuid;

use crate::client::{Client, number, signs_up, until};
use crate::house::{ENCODE, House, SECRET};

/// Readers of `global`, enough that both worker threads have some.
const READERS: usize = 8;

struct Scene {
    house: House,
    author: Client,
    token: String,
    readers: Vec<Client>,
    /// What the process had counted before.
    counted: Vec<(&'static str, f64)>,
}

async fn scene() -> Scene {
    let house = House::opens().await;
    let token = signs_up(house.address, "ann").await;
    let author = Client::arrives(house.address, Some(&token), &[]).await;
    let mut readers = Vec::new();
    for _ in 0..READERS {
        readers.push(Client::arrives(house.address, None, &["global"]).await);
    }
    let mut counted = Vec::new();
    for part in ["session", "user", "feed", "journal", "tail"] {
        counted.push((part, failures(&house, part).await));
    }
    Scene { house, author, token, readers, counted }
}

impl Scene {
    /// Everybody who is connected hears what is posted, once.
    async fn all_is_well(&mut self, text: &str) {
        let answer = self.author.posts(Uuid::now_v7(), text).await.expect("the author's connection lives");
        assert!(answer["result"].is_object(), "{answer}");
        for reader in &mut self.readers {
            reader.hears(text).await.expect("a neighbour's connection lives");
            assert_eq!(reader.times_heard(text), 1);
        }
    }

    /// How often a part has failed since the beginning.
    async fn failed(&self, part: &str) -> f64 {
        let before = self.counted.iter().find(|(name, _)| *name == part).expect("a part").1;
        failures(&self.house, part).await - before
    }
}

async fn failures(house: &House, part: &str) -> f64 {
    number(house.address, "tidings_parts_failed_total", &format!("\"{part}\"")).await
}

#[tokio::test]
async fn a_session_that_panics_is_closed_and_comes_back() {
    let mut scene = scene().await;
    scene.all_is_well("before").await;
    let open = number(scene.house.address, "tidings_connections", "").await;
    scene.house.fuses.verify.light(1);
    let mut bob = Client::dial(scene.house.address).await.unwrap();
    let end = bob.says_hello(Some(&scene.token), &["global"], None).await.unwrap_err();
    assert_eq!(end, CloseCode::Internal.number(), "told, and told to come back");
    assert!((scene.failed("session").await - 1.0).abs() < 0.1);
    until("nothing of it is left", async || number(scene.house.address, "tidings_connections", "").await <= open).await;

    // The same in the middle of a conversation.
    let mut bob = Client::arrives(scene.house.address, Some(&scene.token), &["global"]).await;
    scene.house.fuses.verify.light(1);
    let asked = bob.ask("auth.refresh", json!({ "token": scene.token })).await;
    assert_eq!(asked.unwrap_err(), CloseCode::Internal.number());

    scene.all_is_well("meanwhile").await;
    let (mut bob, welcome) =
        Client::comes_back(scene.house.address, Some(&scene.token), &["global"], &bob.cursor.unwrap()).await;
    assert_eq!(welcome["result"]["resumed"], true, "{welcome}");
    bob.hears("meanwhile").await.unwrap();
    assert!(scene.house.fuses.verify.is_burnt());
}

#[tokio::test]
async fn a_panic_while_a_request_waits_for_the_database_ends_that_session_alone() {
    let mut scene = scene().await;
    let mut bob = Client::arrives(scene.house.address, Some(&scene.token), &[]).await;
    scene.house.fuses.snapshot.light(1);
    let asked = bob.ask("feed.subscribe", json!({ "feed": "global" })).await;
    assert_eq!(asked.unwrap_err(), CloseCode::Internal.number());
    scene.all_is_well("after").await;
}

#[tokio::test]
async fn a_user_actor_that_panics_is_replaced_while_its_user_stays_online() {
    let mut scene = scene().await;
    // The author has a seat, so that the actor is the same for all who come.
    scene.house.fuses.viewer.light(1);
    // Whoever was being looked up is looked up again, by the actor that takes its place.
    let mut second = Client::arrives(scene.house.address, Some(&scene.token), &["home"]).await;
    assert!(scene.house.fuses.viewer.is_burnt());
    assert!((scene.failed("user").await - 1.0).abs() < 0.1);
    let mut third = Client::arrives(scene.house.address, Some(&scene.token), &["home"]).await;
    scene.all_is_well("after").await;
    second.hears("after").await.unwrap();
    third.hears("after").await.unwrap();
}

/// The table was being changed: nothing it says can be trusted, so its connections come back to a new one, which reads from Postgres.
#[tokio::test]
async fn a_torn_feed_table_is_replaced_and_its_readers_resume() {
    let mut scene = scene().await;
    scene.all_is_well("before").await;
    let cursors: Vec<String> = scene.readers.iter().map(|reader| reader.cursor.clone().unwrap()).collect();
    let id = Uuid::now_v7();
    ENCODE.light(1);
    let asked = scene.author.posts(id, "the one that tears").await;
    until("it has torn", async || ENCODE.is_burnt()).await;
    let (mut ended, mut living) = (Vec::new(), Vec::new());
    for (mut reader, cursor) in scene.readers.drain(..).zip(cursors) {
        match reader.hears("the one that tears").await {
            Ok(()) => living.push(reader),
            Err(number) => {
                assert_eq!(number, CloseCode::Internal.number());
                ended.push(cursor);
            }
        }
    }
    assert!(!ended.is_empty(), "one table is torn");
    assert!(!living.is_empty(), "the other thread's is not");
    assert!((scene.failed("feed").await - 1.0).abs() < 0.1);
    assert!(scene.failed("session").await < 0.1, "no session had to panic for it");
    // The author may sit on the thread that fails, and be answered before or not.
    if asked.is_err() || scene.author.ask("user.get", json!({})).await.is_err() {
        let cursor = scene.author.cursor.clone().unwrap();
        (scene.author, _) = Client::comes_back(scene.house.address, Some(&scene.token), &[], &cursor).await;
        let again = scene.author.posts(id, "the one that tears").await.unwrap();
        assert_eq!(again["result"]["duplicate"], true, "{again}");
    }
    scene.readers = living;
    for cursor in ended {
        let (mut reader, welcome) = Client::comes_back(scene.house.address, None, &["global"], &cursor).await;
        assert_eq!(welcome["result"]["resumed"], true, "{welcome}");
        reader.hears("the one that tears").await.unwrap();
        scene.readers.push(reader);
    }
    scene.all_is_well("after").await;
    until("nobody is left behind", async || {
        let open = number(scene.house.address, "tidings_connections", "").await;
        open < READERS as f64 + 1.5
    })
    .await;
}

/// The commit itself: nobody knows whether it was done, so it is asked again.
#[tokio::test]
async fn a_panic_on_the_way_to_the_database_is_an_unknown_outcome() {
    let mut scene = scene().await;
    scene.house.fuses.commit.light(2);
    scene.all_is_well("asked three times").await;
    assert!(scene.house.fuses.commit.is_burnt());
    assert!((scene.failed("journal").await - 2.0).abs() < 0.1);
}

/// After the commit: the author cannot be told, the event still reaches everybody, once.
#[tokio::test]
async fn a_journal_that_panics_answers_unavailable_and_begins_afresh() {
    let mut scene = scene().await;
    let id = Uuid::now_v7();
    scene.house.fuses.publish.light(1);
    // The tail has been told before the bus: what it has to read itself is made to fail as well.
    let answer = scene.author.posts(id, "committed").await.unwrap();
    assert_eq!(answer["error"]["code"], "unavailable", "{answer}");
    assert_eq!(answer["error"]["retry"], true);
    let again = scene.author.posts(id, "committed").await.unwrap();
    assert_eq!(again["result"]["duplicate"], true, "{again}");
    for reader in &mut scene.readers {
        reader.hears("committed").await.unwrap();
    }
    scene.all_is_well("after").await;
    assert!(scene.readers.iter().all(|reader| reader.times_heard("committed") == 1));
    assert!((scene.failed("journal").await - 1.0).abs() < 0.1);
}

/// Written by another program: only reading the journal finds it.
#[tokio::test]
async fn a_tail_that_panics_reads_again_what_it_had_not_handed_on() {
    let mut scene = scene().await;
    scene.all_is_well("before").await;
    scene.house.fuses.read.light(3);
    let url = scene.house.database.url().to_owned();
    let beside = tokio::task::spawn_blocking(move || {
        let node = Node::of(env!("CARGO_BIN_EXE_tidings")).database(&url).env("TIDINGS_SECRET", SECRET);
        node.start().expect("a node beside it")
    });
    let beside = beside.await.unwrap();
    let mut author = Client::arrives(beside.address(), Some(&scene.token), &[]).await;
    author.posts(Uuid::now_v7(), "from the other node").await.unwrap();
    for reader in &mut scene.readers {
        reader.hears("from the other node").await.unwrap();
    }
    assert!(scene.house.fuses.read.is_burnt());
    assert!((scene.failed("tail").await - 3.0).abs() < 0.1);
    scene.all_is_well("after").await;
}
