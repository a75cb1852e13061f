//! One's own account: who is asked, for whom, and in which order with the rest; and that connections are noted.

use serde_json::json;
use tidings_actors::command::{Act, Command};
use tidings_actors::ports::Submit;
use uuid::Uuid;

use crate::house::{House, SETTINGS};
use crate::memory::{PASSWORD, log_in, user};

#[actix::test]
async fn what_one_does_with_ones_account_is_asked_for_ones_own_log_in() {
    let house = House::open(SETTINGS).await;
    let (ann, _) = house.greets(json!({ "token": "1/7" })).await;
    ann.asks("session.list", &json!({}));
    let answer = ann.hears().await;
    assert_eq!(answer["result"]["sessions"][0]["id"], log_in(7).to_string(), "{answer}");
    ann.asks("account.password", &json!({ "current": PASSWORD, "new": "anything at all" }));
    assert_eq!(ann.hears().await["result"], json!({ "ended": 3 }));
    ann.asks("account.password", &json!({ "current": "a guess", "new": "anything at all" }));
    let answer = ann.hears().await;
    assert_eq!((&answer["error"]["code"], &answer["error"]["field"]), (&json!("bad_credentials"), &json!("current")));
    ann.asks("account.email", &json!({ "password": PASSWORD, "email": "Ann@example.org" }));
    assert_eq!(ann.hears().await["result"], json!({ "email": "ann@example.org" }));
    ann.asks("session.revoke_others", &json!({}));
    assert_eq!(ann.hears().await["result"], json!({ "ended": 3 }));
}

#[actix::test]
async fn a_change_of_the_account_waits_for_what_was_sent_before_and_holds_what_comes_after() {
    let house = House::open(SETTINGS).await;
    let (ann, _) = house.greets(json!({ "token": "1/7" })).await;
    let post = |text: &str| json!({ "id": Uuid::now_v7(), "text": text });
    let sent = [
        ann.asks("post.create", &post("before")),
        ann.asks("session.revoke_others", &json!({})),
        ann.asks("post.create", &post("after")),
        ann.asks("session.list", &json!({})),
    ];
    for id in sent {
        assert_eq!(ann.hears().await["id"], id);
    }
}

#[actix::test]
async fn the_connections_of_a_log_in_are_noted_when_they_come_and_go_and_nobody_elses() {
    let house = House::open(SETTINGS).await;
    let (nobody, _) = house.greets(json!({ "client": "anonymous/1" })).await;
    assert!(house.node.seen.take_all().is_empty());
    let (ann, _) = house.greets(json!({ "token": "1/7", "client": "web/1" })).await;
    assert_eq!(house.node.seen.take_all(), [(log_in(7), Some("web/1".into()))]);
    ann.goes();
    nobody.goes();
    house.is_empty().await;
    assert_eq!(house.node.seen.take_all(), [(log_in(7), None)]);
    // Whoever is turned away was never there.
    let act = Act::SessionRevoke { session: Some(log_in(7)) };
    house.node.journal.submit(Command { actor: user(1), act }).await.unwrap();
    let (_late, answer) = house.greets(json!({ "token": "1/7", "client": "web/1" })).await;
    assert_eq!(answer["error"]["code"], "bad_token", "{answer}");
    assert!(house.node.seen.take_all().is_empty());
}
