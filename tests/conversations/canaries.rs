//! Canaries: words planted where only one person or nobody may read them, looked for wherever they must not sing: on others' wires, between the nodes,
//! in the logs (P5, P9).

use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tidings_protocol::entity::Visibility;
use tidings_protocol::error::Refusal;
use tidings_protocol::feed::FeedName::{Global, Home, Me, User};
use tidings_protocol::rest::Tokens;
use uuid::Uuid;

use crate::person::Person;
use crate::rest::rest;
use crate::world::{Plan, World};

/// What nobody else ever hears, nor the nodes tell each other, nor a log.
const MAIL: &str = "canary-mail@example.org";
const NEW_MAIL: &str = "canary-moved@example.org";
const PASSWORD: &str = "canary in the first mine";
const NEW_PASSWORD: &str = "canary in the second mine";
/// What others do not hear and no log holds; peers are told, since their own may be.
const POST: &str = "a canary in a private post";
const WARNING: &str = "a canary in a warning";
const REPORT: &str = "a canary in a report";
const DRAFT: &str = "a canary in a draft";
const COMMENT: &str = "a canary under a private post";
const LIST: &str = "a canary in a list's name";
const PHRASE: &str = "a canary in a filter";

/// Everything that goes over a Redis, as it goes.
struct Tap {
    listening: Child,
    file: tempfile::NamedTempFile,
}

impl Tap {
    fn on(world: &mut World) -> Self {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let port = world.redis().port().to_string();
        let listening = Command::new("redis-cli")
            .args(["-p", &port, "psubscribe", "*"])
            .stdout(Stdio::from(file.reopen().expect("the file")))
            .spawn()
            .expect("redis-cli comes with Redis");
        Self { listening, file }
    }

    fn heard(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.file.path()).expect("the file")).into_owned()
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        drop(self.listening.kill());
        drop(self.listening.wait());
    }
}

#[tokio::test]
async fn p9_no_canary_sings_on_anothers_wire_nor_between_the_nodes_nor_in_a_log() {
    let mut world = Plan::default().set("log", "debug").two_nodes().await;
    let tap = Tap::on(&mut world);
    let body = json!({ "handle": "ann", "email": MAIL, "password": PASSWORD });
    let tokens: Tokens = rest(world.a(), "users", &body).await.expect("signed up");
    let (token, refresh) = (tokens.access_token.clone(), tokens.refresh_token.clone());
    let mut ann = Person::anonymous();
    ann.tokens = Some(tokens);
    ann.connects(world.a(), &[Home, Me, Global]).await;
    let mut bob = Person::arrives(world.b(), "bob", &[Home, Global, User(ann.id())]).await;
    bob.follows(ann.id()).await;
    bob.records();

    let wrong = json!({ "login": MAIL, "password": NEW_PASSWORD });
    let (status, _) = rest::<Value>(world.b(), "auth/login", &wrong).await.expect_err("not her password yet");
    assert_eq!(status, 401);
    let wrong: Result<Value, Refusal> =
        ann.request("account.password", json!({ "current": "a canary that is not it", "new": NEW_PASSWORD })).await;
    wrong.expect_err("not her password");
    let changed: Result<Value, Refusal> =
        ann.request("account.password", json!({ "current": PASSWORD, "new": NEW_PASSWORD })).await;
    changed.expect("changed");
    let moved: Result<Value, Refusal> =
        ann.request("account.email", json!({ "password": NEW_PASSWORD, "email": NEW_MAIL })).await;
    moved.expect("moved");
    let secret = ann.posts_for(Visibility::Private, POST).await;
    let warned = json!({ "id": Uuid::now_v7(), "text": POST, "warning": WARNING, "visibility": "mentioned" });
    let warned: Result<Value, Refusal> = ann.request("post.create", warned).await;
    warned.expect("posted");
    let kept: Result<Value, Refusal> =
        ann.request("draft.put", json!({ "id": Uuid::now_v7(), "text": DRAFT, "warning": WARNING })).await;
    kept.expect("kept");
    let account: Result<Value, Refusal> = ann.request("account.get", json!({})).await;
    account.expect("hers");
    ann.comments(secret.id, None, COMMENT).await;
    for (method, params) in [
        ("list.create", json!({ "id": Uuid::now_v7(), "name": LIST })),
        ("filter.put", json!({ "id": Uuid::now_v7(), "phrase": PHRASE })),
    ] {
        ann.request::<Value>(method, params).await.expect("hers alone");
    }
    // A request that cannot be understood repeats nothing of it either.
    let odd: Result<Value, Refusal> =
        ann.request("post.create", json!({ "id": "a canary in an id", "text": POST })).await;
    let refused = odd.expect_err("no id");
    assert!(!format!("{refused:?}").contains("canary"));
    // Whom a report is about does not hear of it.
    let post = bob.posts("reported").await;
    let report = json!({ "id": Uuid::now_v7(), "post": post.id, "reason": "other", "note": REPORT });
    let reported: Result<Value, Refusal> = ann.request("report.create", report).await;
    reported.expect("reported");
    ann.posts("the fence").await;
    bob.hears_post("the fence").await;
    let page: Result<Value, Refusal> = bob.request("feed.page", json!({ "feed": User(ann.id()) })).await;
    page.expect("her page");
    let profile: Result<Value, Refusal> = bob.request("user.get", json!({ "id": ann.id() })).await;
    profile.expect("her profile");

    let wire = bob.records();
    assert!(wire.contains("the fence"), "the record is of this conversation");
    let between = tap.heard();
    assert!(between.contains("the fence"), "the tap hears what the nodes tell each other");
    let logs: String = world.nodes.iter().map(tidings_testkit::Node::log).collect();
    assert!(logs.contains("listening"), "the logs are these nodes'");
    for canary in [MAIL, NEW_MAIL, PASSWORD, NEW_PASSWORD, "not it", &token, &refresh, "$2b$"] {
        for (place, text) in [("another's wire", &wire), ("between the nodes", &between), ("a log", &logs)] {
            assert!(!text.contains(canary), "{canary:?} sings: {place}");
        }
    }
    for canary in [POST, WARNING, DRAFT, COMMENT, REPORT, LIST, PHRASE] {
        for (place, text) in [("another's wire", &wire), ("a log", &logs)] {
            assert!(!text.contains(canary), "{canary:?} sings: {place}");
        }
    }
}
