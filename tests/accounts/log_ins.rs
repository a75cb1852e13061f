//! One's log-ins: what is told of them, and how they are ended from another device and another node.

use serde_json::{Value, json};
use tidings_protocol::close::CloseCode;
use tidings_protocol::entity::LogIn;
use tidings_protocol::error::ErrorCode;
use tidings_protocol::feed::FeedName::Global;
use tidings_protocol::ids::SessionId;
use tidings_protocol::reply::{LogIns, OthersEnded, SessionEnded};
use tidings_protocol::rest::Tokens;
use tidings_testkit::Node;
use uuid::Uuid;

use crate::person::{PASSWORD, Person};
use crate::world::World;

/// Logs in with a program that calls itself something, and connects.
async fn arrives_with(node: &Node, handle: &str, device: &str) -> Person {
    let body = json!({ "login": handle, "password": PASSWORD });
    let url = format!("{}/api/v1/auth/login", node.url());
    let answer =
        reqwest::Client::new().post(url).header("user-agent", device).json(&body).send().await.expect("an answer");
    let tokens: Tokens = answer.json().await.expect("tokens");
    let mut person = Person::anonymous();
    person.handle = handle.to_owned();
    person.tokens = Some(tokens);
    person.connects(node, &[Global]).await;
    person
}

async fn lists(person: &mut Person) -> Vec<LogIn> {
    let list: LogIns = person.request("session.list", json!({})).await.expect("a list");
    list.sessions
}

async fn own(person: &mut Person) -> SessionId {
    lists(person).await.into_iter().find(|log_in| log_in.current).expect("the one that asks").id
}

#[tokio::test]
async fn one_sees_from_which_devices_one_is_logged_in() {
    let world = World::two_nodes().await;
    let mut ann = Person::signs_up(world.a(), "ann").await;
    let mut phone = arrives_with(world.b(), "ann", "Phone/9\t(of Ann)").await;
    arrives_with(world.b(), "ann", &"long ".repeat(100)).await;
    Person::arrives(world.b(), "bob", &[]).await;
    ann.connects(world.a(), &[]).await;
    // What the phone's client calls itself is written down once in a while, and when it asks itself.
    assert_eq!(lists(&mut phone).await.len(), 3);
    let list = lists(&mut ann).await;
    let current: Vec<bool> = list.iter().map(|log_in| log_in.current).collect();
    assert_eq!(current, [true, false, false], "the last seen first");
    let phone_is = list.iter().find(|log_in| log_in.device.as_deref() == Some("Phone/9(of Ann)")).expect("the phone");
    assert_eq!(phone_is.client.as_deref(), Some("conversations/1"));
    assert_eq!(phone_is.id, own(&mut phone).await);
    assert!(phone_is.seen_at >= phone_is.created_at && phone_is.created_at.0 > 1_700_000_000_000);
    let long = list.iter().filter_map(|log_in| log_in.device.as_deref()).map(str::len).max();
    assert_eq!(long, Some(199), "cut, and no blank at its end");
}

#[tokio::test]
async fn a_log_in_is_ended_from_another_device_and_node_and_only_ones_own() {
    let world = World::two_nodes().await;
    let mut ann = Person::arrives(world.a(), "ann", &[Global]).await;
    let mut phone = arrives_with(world.b(), "ann", "phone").await;
    let mut bob = Person::arrives(world.b(), "bob", &[Global]).await;
    let (phones, bobs) = (own(&mut phone).await, own(&mut bob).await);
    for not_hers in [bobs, SessionId(Uuid::now_v7())] {
        ann.is_refused(ErrorCode::NotFound, "session.revoke", json!({ "id": not_hers })).await;
    }
    ann.is_refused(ErrorCode::Invalid, "session.revoke", json!({ "id": "all" })).await;
    for _again in 0..2 {
        let ended: SessionEnded = ann.request("session.revoke", json!({ "id": phones })).await.unwrap();
        assert_eq!(ended.id, phones);
    }
    assert_eq!(phone.hears_close().await, CloseCode::SessionRevoked.number());
    assert_eq!(lists(&mut ann).await.len(), 1);
    bob.posts("bob is still here").await;
    ann.hears_post("bob is still here").await;
}

#[tokio::test]
async fn all_others_end_at_one_word() {
    let world = World::two_nodes().await;
    let mut ann = Person::arrives(world.a(), "ann", &[Global]).await;
    let mut bob = Person::arrives(world.b(), "bob", &[Global]).await;
    let mut others = vec![arrives_with(world.a(), "ann", "one").await, arrives_with(world.b(), "ann", "two").await];
    let ended: OthersEnded = ann.request("session.revoke_others", json!({})).await.unwrap();
    assert_eq!(ended.ended, 2);
    for other in &mut others {
        assert_eq!(other.hears_close().await, CloseCode::SessionRevoked.number());
    }
    let ended: OthersEnded = ann.request("session.revoke_others", json!({})).await.unwrap();
    assert_eq!(ended.ended, 0);
    ann.posts("ann is still here").await;
    bob.hears_post("ann is still here").await;
}

#[tokio::test]
async fn ending_the_log_in_that_asks_is_a_log_out() {
    let world = World::one_node().await;
    let mut ann = Person::arrives(world.a(), "ann", &[]).await;
    let id = own(&mut ann).await;
    ann.asks("session.revoke", json!({ "id": id })).await;
    assert_eq!(ann.hears_the_end().await, CloseCode::SessionRevoked.number());
    Person::logs_in(world.a(), "ann").await.connects(world.a(), &[]).await;
}

#[tokio::test]
async fn whoever_is_not_logged_in_has_no_account() {
    let world = World::one_node().await;
    let mut nobody = Person::anonymous();
    nobody.connects(world.a(), &[]).await;
    let all: [(&str, Value); 5] = [
        ("account.password", json!({ "current": PASSWORD, "new": PASSWORD })),
        ("account.email", json!({ "password": PASSWORD, "email": "x@example.org" })),
        ("session.list", json!({})),
        ("session.revoke", json!({ "id": Uuid::now_v7() })),
        ("session.revoke_others", json!({})),
    ];
    for (method, params) in all {
        nobody.is_refused(ErrorCode::Unauthorized, method, params).await;
    }
}
