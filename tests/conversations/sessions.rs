//! Who may connect and for how long: tokens, refreshes, log-out on every node (P5).

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tidings_protocol::close::CloseCode;
use tidings_protocol::error::{ErrorCode, Refusal};
use tidings_protocol::feed::FeedName::{Global, Home};
use tidings_protocol::reply::AuthRefreshed;
use tidings_protocol::rest::Tokens;
use tidings_testkit::Node;

use crate::line::PATIENCE;
use crate::person::Person;
use crate::rest::rest;
use crate::world::{Plan, World};

async fn refreshes(node: &Node, person: &Person) -> Result<Tokens, (u16, Refusal)> {
    let token = &person.tokens.as_ref().expect("signed up").refresh_token;
    rest(node, "auth/refresh", &json!({ "refresh_token": token })).await
}

async fn logs_out(node: &Node, person: &Person) {
    let token = &person.tokens.as_ref().expect("signed up").refresh_token;
    let body = json!({ "refresh_token": token });
    rest::<Value>(node, "auth/logout", &body).await.expect("logged out");
}

#[tokio::test]
async fn a_log_out_closes_the_socket_on_the_other_node_and_no_other() {
    let world = World::two_nodes().await;
    let mut leaving = Person::arrives(world.b(), "ann", &[Home]).await;
    let mut staying = Person::logs_in(world.b(), "ann").await;
    staying.connects(world.b(), &[Home]).await;
    let began = Instant::now();
    logs_out(world.a(), &leaving).await;
    assert_eq!(leaving.hears_close().await, CloseCode::SessionRevoked.number());
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    staying.posts("still here").await;
    staying.hears_post("still here").await;

    // The access token has not run out, but it is of no use any more, on either node.
    for node in &world.nodes {
        leaving.dials(node).await;
        let refusal = leaving.says_hello().await.expect_err("logged out");
        assert_eq!(refusal.code, ErrorCode::BadToken);
        let number = leaving.hears_close().await;
        let expected = [CloseCode::BadToken.number(), CloseCode::SessionRevoked.number()];
        assert!(expected.contains(&number), "{number}");
    }
    let refreshed = refreshes(world.a(), &leaving).await;
    assert_eq!(refreshed.err().map(|(status, _)| status), Some(401));
}

#[tokio::test]
async fn with_redis_dead_a_log_out_still_closes_the_socket_on_the_other_node() {
    let mut world = World::two_nodes().await;
    let mut ann = Person::arrives(world.b(), "ann", &[Home]).await;
    world.redis().kill9().unwrap();
    let began = Instant::now();
    logs_out(world.a(), &ann).await;
    assert_eq!(ann.hears_close().await, CloseCode::SessionRevoked.number());
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_token_that_has_run_out_is_refused_in_hello() {
    let world = Plan::default().set("access_token_ttl", "1s").one_node().await;
    let mut ann = Person::signs_up(world.a(), "ann").await;
    let began = Instant::now();
    let refusal = loop {
        ann.dials(world.a()).await;
        if let Err(refusal) = ann.says_hello().await {
            break refusal;
        }
        ann.loses_the_line();
        assert!(began.elapsed() < PATIENCE, "the token never runs out");
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert_eq!(refusal.code, ErrorCode::TokenExpired);
    let number = ann.hears_close().await;
    let expected = [CloseCode::BadToken.number(), CloseCode::TokenExpired.number()];
    assert!(expected.contains(&number), "{number}");
    // The refresh token gets her back in.
    ann.tokens = Some(refreshes(world.a(), &ann).await.expect("refreshed"));
    ann.connects(world.a(), &[Home]).await;
}

#[tokio::test]
async fn a_token_can_be_renewed_on_the_open_socket_and_who_does_not_is_closed() {
    let plan = Plan::default().set("access_token_ttl", "3s");
    let plan = plan.set("refreshes_per_minute_per_ip", "100000");
    let world = plan.one_node().await;
    let mut ann = Person::arrives(world.a(), "ann", &[Global]).await;
    let mut bob = Person::arrives(world.a(), "bob", &[Global]).await;
    let closing = tokio::spawn(async move { bob.hears_close().await });
    let mut pace = tokio::time::interval(Duration::from_millis(300));
    while !closing.is_finished() {
        pace.tick().await;
        let tokens = refreshes(world.a(), &ann).await.expect("refreshed");
        let params = json!({ "token": tokens.access_token });
        let renewed: AuthRefreshed = ann.request("auth.refresh", params).await.expect("renewed");
        assert_eq!(renewed.expires_at, tokens.access_expires_at);
        ann.tokens = Some(tokens);
    }
    assert_eq!(closing.await.unwrap(), CloseCode::TokenExpired.number());
    let mut cara = Person::arrives(world.a(), "cara", &[]).await;
    cara.posts("she is still there").await;
    ann.hears_post("she is still there").await;
    assert_eq!(ann.snapshots(Global), 1, "her feeds went on");
}

#[tokio::test]
async fn another_users_token_does_not_take_over_the_socket() {
    let world = World::one_node().await;
    let mut ann = Person::arrives(world.a(), "ann", &[]).await;
    let bob = Person::signs_up(world.a(), "bob").await;
    let params = json!({ "token": bob.token() });
    let switched: Result<Value, Refusal> = ann.request("auth.refresh", params).await;
    let refusal = switched.expect_err("refused");
    assert!(matches!(refusal.code, ErrorCode::BadToken | ErrorCode::Forbidden), "{refusal:?}");
    let post = ann.posts("as myself").await;
    assert_eq!(post.author.handle, "ann");
}

#[tokio::test]
async fn a_lost_answer_may_be_asked_for_again_and_a_stolen_token_ends_the_log_in() {
    let world = World::two_nodes().await;
    let mut ann = Person::arrives(world.b(), "ann", &[]).await;
    let second = refreshes(world.a(), &ann).await.expect("refreshed");
    let again = refreshes(world.b(), &ann).await.expect("the answer was lost");
    assert_eq!(again.refresh_token, second.refresh_token);
    let body = json!({ "refresh_token": second.refresh_token });
    let third: Tokens = rest(world.b(), "auth/refresh", &body).await.expect("refreshed");
    assert_ne!(third.refresh_token, second.refresh_token);
    ann.is_answered().await;

    // The first one once more, although its successor has been used: somebody else has it.
    let theft = refreshes(world.a(), &ann).await;
    assert_eq!(theft.err().map(|(status, _)| status), Some(401));
    assert_eq!(ann.hears_close().await, CloseCode::SessionRevoked.number());
    let body = json!({ "refresh_token": third.refresh_token });
    let late = rest::<Tokens>(world.b(), "auth/refresh", &body).await;
    assert_eq!(late.err().map(|(status, _)| status), Some(401), "the whole family is revoked");
    Person::logs_in(world.a(), "ann").await.connects(world.a(), &[]).await;
}

#[tokio::test]
async fn wrong_password_and_unknown_user_are_answered_alike() {
    let world = World::one_node().await;
    Person::signs_up(world.a(), "ann").await;
    let mut answers = Vec::new();
    for login in ["ann", "ann@example.org", "nobody_here"] {
        let body = json!({ "login": login, "password": "not the password" });
        let answer = rest::<Tokens>(world.a(), "auth/login", &body).await;
        answers.push(answer.err().expect("refused"));
    }
    assert_eq!(answers[0].0, 401);
    assert_eq!(answers[0].1.code, ErrorCode::BadCredentials);
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    let body = json!({ "login": "ann@example.org", "password": crate::person::PASSWORD });
    let tokens: Tokens = rest(world.a(), "auth/login", &body).await.expect("by e-mail");
    assert_eq!(tokens.user.handle, "ann");
}
