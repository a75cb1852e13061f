//! The demo: a made-up community moves in to an empty server, answers whoever comes, knows itself again, and leaves others alone.

use std::process::Stdio;
use std::time::Duration;

use serde_json::json;
use tidings_protocol::feed::FeedName;
use tidings_protocol::reply::UserResult;
use tidings_testkit::{Node, harness};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::person::Person;
use crate::world::{Plan, World};

/// Of a line of the demo on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// The demo at work. Ends with the test.
struct Demo {
    child: Child,
    said: Lines<BufReader<ChildStdout>>,
}

impl Demo {
    /// Moves in, ten times as fast as for people.
    async fn of(node: &Node, args: &[&str]) -> Self {
        let program = tokio::task::spawn_blocking(|| harness(env!("CARGO_BIN_EXE_tidings")))
            .await
            .expect("no panic")
            .expect("it builds");
        let mut child = Command::new(program)
            .args(["demo", "--pace", "10", "--url", &node.url()])
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the demo runs");
        let said = BufReader::new(child.stdout.take().expect("piped")).lines();
        Self { child, said }
    }

    /// Reads on until it has said this.
    async fn says(&mut self, words: &str) {
        let reading = async {
            while let Some(line) = self.said.next_line().await.expect("what it says") {
                if line.contains(words) {
                    return;
                }
            }
            panic!("the demo ended without saying: {words}");
        };
        tokio::time::timeout(PATIENCE, reading).await.unwrap_or_else(|_| panic!("not said: {words}"));
    }

    /// Waits for its end, which must be a good one.
    async fn ends(mut self) {
        let ended = tokio::time::timeout(PATIENCE, self.child.wait()).await.expect("it ends");
        assert!(ended.expect("its state").success());
    }
}

/// A server as people run it: the limits that the demo must keep are the default ones.
async fn empty_server() -> World {
    Plan::default()
        .set("signups_per_minute_per_ip", "10")
        .set("logins_per_minute_per_ip", "20")
        .set("points_per_minute", "600")
        .one_node()
        .await
}

/// How many comments there are.
fn comments(world: &World) -> u64 {
    world.database.psql("select count(*) from comments").expect("psql").trim().parse().expect("a number")
}

#[tokio::test]
async fn the_demo_fills_an_empty_server_and_answers_a_newcomer() {
    let world = empty_server().await;
    let mut demo = Demo::of(world.a(), &[]).await;
    demo.says("log in as mira").await;
    let mut ann = Person::arrives(world.a(), "ann", &[FeedName::Global]).await;
    let found = ann.state.posts(FeedName::Global).len();
    assert!(found > 20, "{found} posts");
    assert!(comments(&world) > 80, "{} comments", comments(&world));
    // Nobody has to write for the talk to go on.
    ann.hears_until("a bot posts", |ann| ann.state.posts(FeedName::Global).len() > found).await;
    let post = ann.posts("Hello, I am new here").await;
    let feed = FeedName::Post(post.id);
    let snapshot = ann.request("feed.subscribe", json!({ "feed": feed })).await;
    ann.state.starts_afresh(snapshot.expect("one's own post"));
    ann.hears_until("an answer", |ann| !ann.state.comments(feed).is_empty()).await;
    let answer = ann.state.comments(feed).remove(0);
    // And an answer to the answer, by whoever was addressed.
    let id = uuid::Uuid::now_v7();
    let thanks = json!({ "id": id, "post": post.id, "parent": answer.id, "text": "Thank you!" });
    ann.request::<serde_json::Value>("comment.create", thanks).await.expect("a comment");
    let answers = |ann: &Person| ann.state.comments(feed).into_iter().find(|c| c.parent.is_some_and(|p| p.0 == id));
    ann.hears_until("an answer to the answer", |ann| answers(ann).is_some()).await;
    assert_eq!(answers(&ann).unwrap().author.unwrap().id, answer.author.unwrap().id);
    let mut followers = 0;
    while followers < 3 {
        ann.hears().await.expect("a live line");
        let me: UserResult = ann.request("user.get", json!({})).await.expect("oneself");
        followers = me.followers;
    }
}

#[tokio::test]
async fn the_demo_knows_its_community_again_and_survives_a_restart_of_the_server() {
    let mut world = empty_server().await;
    let first = Demo::of(world.a(), &["--fill-only"]).await;
    first.ends().await;
    let filled = comments(&world);
    let mut demo = Demo::of(world.a(), &[]).await;
    demo.says("live here already").await;
    let mut ann = Person::arrives(world.a(), "ann", &[FeedName::Global]).await;
    world.nodes[0].restart().expect("the node comes back");
    ann.connects(world.a(), &[FeedName::Global]).await;
    let before = ann.state.posts(FeedName::Global).len();
    ann.hears_until("the talk goes on", |ann| ann.state.posts(FeedName::Global).len() > before).await;
    assert!(comments(&world) >= filled);
    let people = world.database.psql("select count(*) from users").expect("psql");
    assert_eq!(people.trim(), "9", "eight of the demo, and Ann");
    world.nodes[0].kill9().expect("killed");
    demo.says("the server is gone").await;
    demo.ends().await;
}

#[tokio::test]
async fn the_demo_leaves_other_peoples_databases_alone() {
    let world = empty_server().await;
    let mut ann = Person::arrives(world.a(), "ann", &[FeedName::Global]).await;
    let mut demo = Demo::of(world.a(), &[]).await;
    demo.says("leaves it alone").await;
    demo.ends().await;
    ann.hears_nothing_more().await;
    assert_eq!(world.database.psql("select count(*) from users").expect("psql").trim(), "1");
}
