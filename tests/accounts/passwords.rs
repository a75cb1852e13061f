//! Another password, another address: who may, how often, and whose connections end.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tidings_protocol::close::CloseCode;
use tidings_protocol::error::{ErrorCode, Refusal};
use tidings_protocol::feed::FeedName::Global;
use tidings_protocol::reply::{EmailChanged, OthersEnded};
use tidings_protocol::rest::Tokens;
use tidings_testkit::Node;

use crate::person::{PASSWORD, Person};
use crate::rest::rest;
use crate::world::{Plan, World};

const NEW: &str = "a new password, nothing like the old";
/// The promise is one second, two without Redis (P5); a busy machine gets more before the test fails.
const SOON: Duration = Duration::from_secs(5);

async fn logs_in(node: &Node, login: &str, password: &str) -> Result<Tokens, ErrorCode> {
    let body = json!({ "login": login, "password": password });
    rest(node, "auth/login", &body).await.map_err(|(_, refusal)| refusal.code)
}

async fn changes_password(person: &mut Person, current: &str, new: &str) -> Result<OthersEnded, Refusal> {
    person.request("account.password", json!({ "current": current, "new": new })).await
}

#[tokio::test]
async fn p5_a_new_password_ends_every_other_log_in_on_both_nodes_and_none_of_this_one() {
    let mut world = World::two_nodes().await;
    for round in 0..2 {
        let handle = format!("ann{round}");
        let mut laptop = Person::arrives(world.a(), &handle, &[Global]).await;
        let mut others = Vec::new();
        for node in [world.a(), world.b()] {
            let mut other = Person::logs_in(node, &handle).await;
            other.connects(node, &[Global]).await;
            others.push(other);
        }
        let began = Instant::now();
        let changed = changes_password(&mut laptop, PASSWORD, NEW).await.unwrap();
        assert_eq!(changed.ended, 2);
        for other in &mut others {
            assert_eq!(other.hears_close().await, CloseCode::SessionRevoked.number());
        }
        println!("round {round}: all others ended after {:?}", began.elapsed());
        assert!(began.elapsed() < SOON);
        laptop.posts(&format!("still here {round}")).await;
        for other in &others {
            let token = &other.tokens.as_ref().unwrap().refresh_token;
            let refreshed: Result<Value, _> = rest(world.b(), "auth/refresh", &json!({ "refresh_token": token })).await;
            assert_eq!(refreshed.unwrap_err().1.code, ErrorCode::BadToken);
        }
        assert_eq!(logs_in(world.b(), &handle, PASSWORD).await.err(), Some(ErrorCode::BadCredentials));
        logs_in(world.b(), &handle, NEW).await.unwrap();
        // Once more without the rumours.
        world.redis().kill9().unwrap();
    }
}

#[tokio::test]
async fn whoever_did_not_hear_the_answer_asks_again_and_hears_that_it_is_so() {
    let world = World::one_node().await;
    let mut ann = Person::arrives(world.a(), "ann", &[]).await;
    assert_eq!(changes_password(&mut ann, PASSWORD, NEW).await.unwrap().ended, 0);
    let late = logs_in(world.a(), "ann", NEW).await.unwrap();
    assert_eq!(changes_password(&mut ann, PASSWORD, NEW).await.unwrap().ended, 1);
    let body = json!({ "refresh_token": late.refresh_token });
    let refreshed: Result<Value, _> = rest(world.a(), "auth/refresh", &body).await;
    assert_eq!(refreshed.unwrap_err().1.code, ErrorCode::BadToken);
}

#[tokio::test]
async fn whoever_holds_a_stolen_connection_may_not_guess_for_long() {
    let world = World::one_node().await;
    let mut stolen = Person::arrives(world.a(), "ann", &[]).await;
    let mut bob = Person::arrives(world.a(), "bob", &[]).await;
    for guess in 0..4 {
        let params = json!({ "current": format!("guess number {guess}"), "new": "mine from now on" });
        let refusal = stolen.is_refused(ErrorCode::BadCredentials, "account.password", params).await;
        assert_eq!(refusal.field.as_deref(), Some("current"));
    }
    let params = json!({ "password": "guess number 4", "email": "mine@example.org" });
    let refusal = stolen.is_refused(ErrorCode::BadCredentials, "account.email", params.clone()).await;
    assert_eq!(refusal.field.as_deref(), Some("password"));
    // Of both methods together; and not even the right one is looked at any more, on no other connection either.
    let refusal = stolen.is_refused(ErrorCode::RateLimited, "account.email", params).await;
    assert!((1..=12_000).contains(&refusal.retry_after_ms.unwrap()), "{refusal:?}");
    let mut second = Person::logs_in(world.a(), "ann").await;
    second.connects(world.a(), &[]).await;
    let right = json!({ "current": PASSWORD, "new": NEW });
    second.is_refused(ErrorCode::RateLimited, "account.password", right).await;
    assert_eq!(changes_password(&mut bob, PASSWORD, NEW).await.unwrap().ended, 0, "somebody else is not kept waiting");
    logs_in(world.a(), "ann", PASSWORD).await.expect("nothing was changed, and nobody is locked out");
}

#[tokio::test]
async fn a_password_that_is_too_short_or_long_costs_no_try() {
    let world = World::one_node().await;
    let mut ann = Person::arrives(world.a(), "ann", &[]).await;
    for new in ["", "123456789", &"x".repeat(1_025)] {
        for _ in 0..3 {
            let params = json!({ "current": PASSWORD, "new": new });
            let refusal = ann.is_refused(ErrorCode::Invalid, "account.password", params).await;
            assert_eq!(refusal.field.as_deref(), Some("new"));
        }
    }
    for email in ["", "ann", "ann@", "@example.org", "a b@example.org", &format!("{}@example.org", "x".repeat(300))] {
        let params = json!({ "password": PASSWORD, "email": email });
        let refusal = ann.is_refused(ErrorCode::Invalid, "account.email", params).await;
        assert_eq!(refusal.field.as_deref(), Some("email"));
    }
    assert_eq!(changes_password(&mut ann, PASSWORD, NEW).await.unwrap().ended, 0);
}

#[tokio::test]
async fn one_logs_in_with_the_new_address_and_no_longer_with_the_old_one() {
    let world = World::two_nodes().await;
    let mut ann = Person::arrives(world.a(), "ann", &[]).await;
    let mut phone = Person::logs_in(world.b(), "ann").await;
    phone.connects(world.b(), &[]).await;
    Person::signs_up(world.a(), "bob").await;
    let params = json!({ "password": PASSWORD, "email": "Bob@example.org" });
    let refusal = ann.is_refused(ErrorCode::Conflict, "account.email", params).await;
    assert_eq!(refusal.field.as_deref(), Some("email"));
    let params = json!({ "password": PASSWORD, "email": "Ann.New@Example.org" });
    let changed: EmailChanged = ann.request("account.email", params).await.unwrap();
    assert_eq!(changed.email, "ann.new@example.org");
    logs_in(world.b(), "ann.new@example.org", PASSWORD).await.unwrap();
    assert_eq!(logs_in(world.b(), "ann@example.org", PASSWORD).await.err(), Some(ErrorCode::BadCredentials));
    // An address opens nothing by itself: nobody is logged out.
    phone.posts("still here").await;
}

#[tokio::test]
async fn p9_neither_passwords_nor_addresses_reach_the_log() {
    let world = Plan::default().set("log", "trace").one_node().await;
    let mut ann = Person::arrives(world.a(), "ann", &[]).await;
    let wrong = json!({ "current": "planted guess", "new": "planted wish" });
    ann.is_refused(ErrorCode::BadCredentials, "account.password", wrong).await;
    changes_password(&mut ann, PASSWORD, "planted password").await.unwrap();
    let params = json!({ "password": "planted password", "email": "planted@example.org" });
    let _changed: EmailChanged = ann.request("account.email", params).await.unwrap();
    let odd = json!({ "current": ["planted list"], "new": 7 });
    ann.is_refused(ErrorCode::Invalid, "account.password", odd).await;
    let log = world.a().log();
    assert!(log.contains("a password was changed"), "the log is on");
    assert!(!log.contains("planted"), "{}", log.lines().find(|line| line.contains("planted")).unwrap_or_default());
}
