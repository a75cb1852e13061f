//! One's account as nobody else sees it: its address, a copy of everything, its end. What is deleted is gone for everybody, on every node, live and
//! fetched, and its end goes on whoever dies.

use serde_json::{Value, json};
use tidings_protocol::account::{AccountExported, AccountGot};
use tidings_protocol::error::{ErrorCode, Refusal};
use tidings_protocol::feed::FeedName::{Home, Me, Post, User};
use tidings_protocol::rest::Tokens;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use uuid::Uuid;

use crate::person::{Outcome, PASSWORD, Person};
use crate::rest::rest;
use crate::state::{comment_key, post_key};
use crate::world::World;

/// Fetches an address: status line and headers, and what follows them, with its chunks put together.
async fn fetched(node: &tidings_testkit::Node, path: &str) -> (String, String) {
    let mut line = TcpStream::connect(node.address()).await.expect("a line");
    let request = format!("GET {path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n");
    line.write_all(request.as_bytes()).await.expect("asked");
    let mut bytes = Vec::new();
    line.read_to_end(&mut bytes).await.expect("answered");
    let text = String::from_utf8(bytes).expect("a text");
    let (head, body) = text.split_once("\r\n\r\n").expect("headers");
    if !head.to_lowercase().contains("transfer-encoding: chunked") {
        return (head.to_owned(), body.to_owned());
    }
    let (mut whole, mut rest) = (String::new(), body);
    while let Some((length, more)) = rest.split_once("\r\n") {
        let length = usize::from_str_radix(length, 16).expect("a length");
        whole.push_str(&more[..length]);
        rest = more[length..].trim_start_matches("\r\n");
    }
    (head.to_owned(), whole)
}

#[tokio::test]
async fn p9_a_copy_of_everything_is_ones_own_and_ends_with_the_log_in() {
    let world = World::two_nodes().await;
    let mut ann = Person::arrives(world.a(), "ann", &[Me]).await;
    let mut bob = Person::arrives(world.a(), "bob", &[]).await;
    bob.follows(ann.id()).await;
    ann.follows(bob.id()).await;
    for number in 0..250 {
        ann.posts(&format!("number {number}")).await;
    }
    let edited = ann.posts("before").await;
    let update: Result<Value, Refusal> = ann.request("post.update", json!({ "id": edited.id, "text": "after" })).await;
    update.expect("edited");
    ann.comments(edited.id, None, "a comment").await;
    let draft: Result<Value, Refusal> =
        ann.request("draft.put", json!({ "id": Uuid::now_v7(), "text": "a draft" })).await;
    draft.expect("kept");
    let account: AccountGot = ann.request("account.get", json!({})).await.expect("hers");
    assert_eq!((account.email.as_str(), account.sessions), ("ann@example.org", 1));

    let leave: AccountExported = ann.request("account.export", json!({})).await.expect("leave");
    let (head, body) = fetched(world.b(), &leave.url).await;
    assert!(head.starts_with("HTTP/1.1 200") && head.contains("attachment") && head.contains("no-store"), "{head}");
    let copy: Value = serde_json::from_str(&body).expect("a whole file");
    let texts: Vec<&str> =
        copy["posts"].as_array().expect("posts").iter().filter_map(|post| post["text"].as_str()).collect();
    assert_eq!(texts.len(), 251, "page after page");
    assert_eq!((texts[0], texts[250]), ("number 0", "after"));
    assert_eq!(copy["posts"][250]["versions"][0]["text"], "before");
    assert_eq!(copy["account"][0]["email"], "ann@example.org");
    assert_eq!((&copy["follows"][0]["handle"], &copy["followers"][0]["handle"]), (&json!("bob"), &json!("bob")));
    assert_eq!((&copy["comments"][0]["text"], &copy["drafts"][0]["text"]), (&json!("a comment"), &json!("a draft")));
    assert!(!body.contains("bob@example.org") && !body.contains("$2b$"), "nothing of others, and no hash");

    let (head, _) = fetched(world.b(), &format!("{}x", leave.url)).await;
    assert!(head.starts_with("HTTP/1.1 403"), "{head}");
    for _ in 0..2 {
        let again: AccountExported = ann.request("account.export", json!({})).await.expect("leave");
        assert_ne!(again.url, "");
    }
    ann.is_refused(ErrorCode::LimitReached, "account.export", json!({})).await;
    let mut phone = Person::logs_in(world.b(), "ann").await;
    phone.connects(world.b(), &[]).await;
    let ended: Result<Value, Refusal> = phone.request("session.revoke_others", json!({})).await;
    ended.expect("ended");
    let (head, _) = fetched(world.a(), &leave.url).await;
    assert!(head.starts_with("HTTP/1.1 403"), "the log-in that asked for it has ended: {head}");
}

#[tokio::test]
async fn p5_p10_a_deleted_account_is_gone_for_everybody_whoever_dies_meanwhile() {
    let mut world = World::two_nodes().await;
    let mut ann = Person::arrives(world.a(), "ann", &[Me]).await;
    let mut phone = Person::logs_in(world.b(), "ann").await;
    phone.connects(world.b(), &[Me]).await;
    let mut bob = Person::arrives(world.b(), "bob", &[Me, Home]).await;
    bob.follows(ann.id()).await;
    ann.follows(bob.id()).await;
    bob.hears_resync(Home).await;
    let asks: Result<Value, Refusal> = bob.request("user.update", json!({ "asks": true })).await;
    asks.expect("from now on he approves followers");
    ann.unfollows(bob.id()).await;
    let asked: Result<Value, Refusal> = ann.request("user.follow", json!({ "id": bob.id() })).await;
    asked.expect("asked");
    let hers = ann.posts("hers").await;
    for number in 0..300 {
        ann.posts(&format!("of many {number}")).await;
    }
    let his = bob.posts("his").await;
    let comment = ann.comments(his.id, None, "hers, below his").await;
    let answer = bob.comments(his.id, Some(comment.id), "an answer").await;
    for feed in [User(ann.id()), Post(his.id)] {
        let watched: tidings_protocol::reply::Snapshot =
            bob.request("feed.subscribe", json!({ "feed": feed })).await.expect("watched");
        bob.state.starts_afresh(watched);
    }
    ann.is_refused(ErrorCode::BadCredentials, "account.delete", json!({ "password": "not hers at all" })).await;
    let done = ann.tries("account.delete", json!({ "password": PASSWORD })).await;
    assert!(matches!(done, Outcome::Done(_) | Outcome::Lost(4402)), "{done:?}");
    assert_eq!(phone.hears_close().await, 4402);
    // The node that was asked dies at once: the other goes on.
    drop(world.nodes.remove(0));
    bob.hears_removal(Home, &hers).await;
    let post = post_key(&hers.id.to_string());
    bob.hears_until("her profile's feed holds nothing any more", |me| {
        me.state.is_gone(User(ann.id()), &post) && me.state.posts(User(ann.id())).is_empty()
    })
    .await;
    bob.hears_until("her comment goes", |me| me.state.is_gone(Post(his.id), &comment_key(&comment.id.to_string())))
        .await;
    bob.hears_until("nobody is followed any more", |me| {
        !me.state.things(Me).any(|thing| matches!(thing, crate::state::Thing::Follow(_)))
    })
    .await;
    assert!(bob.state.comments(Post(his.id)).iter().any(|one| one.id == answer.id), "answers stay");
    bob.is_refused(ErrorCode::NotFound, "user.get", json!({ "id": ann.id() })).await;
    bob.is_refused(ErrorCode::NotFound, "user.follow", json!({ "id": ann.id() })).await;
    bob.is_refused(ErrorCode::NotFound, "user.get", json!({ "handle": "ann" })).await;
    bob.is_refused(ErrorCode::NotFound, "feed.subscribe", json!({ "feed": User(ann.id()) })).await;
    // Nothing of it is left, but that there was somebody.
    let left = "select (select count(*) from departures) + (select count(*) from posts where text like '%hers%' or text like 'of many%')
                     + (select count(*) from comments where text like 'hers%') + (select count(*) from accounts where email like 'ann@%')
                     + (select count(*) from follows where active) + (select count(*) from follow_requests where active) + (select count(*) from users where handle = 'ann')";
    let node = &world.nodes[0];
    let deadline = std::time::Instant::now() + crate::line::PATIENCE;
    while world.database.psql(left).expect("counted").trim() != "0" {
        assert!(std::time::Instant::now() < deadline, "something is left");
        bob.is_answered().await;
    }
    // Her address is free at once, her handle only after a while.
    let sign_up = |handle: &str| json!({ "handle": handle, "email": "ann@example.org", "password": PASSWORD });
    let taken: Result<Tokens, (u16, Refusal)> = rest(node, "users", &sign_up("ann")).await;
    assert_eq!(taken.err().expect("it rests").1.field.as_deref(), Some("handle"));
    let log_in: Result<Tokens, (u16, Refusal)> =
        rest(node, "auth/login", &json!({ "login": "ann", "password": PASSWORD })).await;
    assert_eq!(log_in.err().expect("gone").1.code, ErrorCode::BadCredentials);
    world.database.psql("update left_handles set free_ms = clock_ms()").expect("rested");
    let free: Result<Tokens, (u16, Refusal)> = rest(node, "users", &sign_up("ann")).await;
    assert_ne!(free.expect("free").user.id, ann.id());
}
