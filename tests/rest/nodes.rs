//! Several nodes of one database, a database that is away, and a whole process.

use std::time::Duration;

use anyhow::Result;
use serde_json::json;
use tidings::app::{App, StartFault};
use tidings_testkit::{Halt, Node, Postgres, PrivatePostgres};

use crate::house::{House, PASSWORD, settings};

#[actix_rt::test]
async fn a_node_with_another_secret_is_told_so_and_does_not_start() {
    let database = Postgres::shared().unwrap().fresh_database().unwrap();
    let first = App::start(settings(database.url())).await.unwrap();
    let mut other = settings(database.url());
    other.secret = Some("another secret of tests, long enough".into());
    let fault = App::start(other).await.err().unwrap();
    assert!(matches!(fault, StartFault::Auth(_)));
    assert!(fault.to_string().contains("need the same `secret`"), "{fault}");
    first.stop().await;
}

#[actix_rt::test]
async fn nodes_of_one_database_know_each_others_keys_and_tokens() {
    let one = House::open().await;
    let mut config = settings("");
    one_database(&one, &mut config).await;
    one.close().await;
}

/// Starts a second node on the same database and uses what the first gave out.
async fn one_database(one: &House, config: &mut tidings::config::Config) {
    config.database_url = Some(one.database_url().into());
    let two = App::start(config.clone()).await.unwrap();
    let ask = |path: &str| format!("http://{}{path}", two.address);
    let told = one.sign_up("ann", PASSWORD).await.good();
    let keys = one.get("/.well-known/jwks.json").await.text;
    assert_eq!(one.client.get(ask("/.well-known/jwks.json")).send().await.unwrap().text().await.unwrap(), keys);
    let body = json!({ "refresh_token": told["refresh_token"] });
    let traded = one.client.post(ask("/api/v1/auth/refresh")).json(&body).send().await.unwrap();
    let traded: serde_json::Value = traded.json().await.unwrap();
    // The first answer is thought lost and asked for again, at the other node.
    let again = one.refresh(told["refresh_token"].as_str().unwrap()).await.refresh_token();
    assert_eq!(traded["refresh_token"], again);
    two.stop().await;
}

#[actix_rt::test]
async fn without_its_database_a_node_is_not_ready_and_says_unavailable() {
    let mut postgres = PrivatePostgres::fast().unwrap();
    let database = postgres.fresh_database().unwrap();
    let url = database.url().to_owned();
    let house = House::on(&url, |_| ()).await;
    house.sign_up("ann", PASSWORD).await.good();
    postgres.halt(Halt::Immediate).unwrap();
    let answer = house.get("/readyz").await;
    assert_eq!(answer.status, 503, "{answer:?}");
    assert!(answer.json()["reasons"].to_string().contains("database_unreachable"), "{answer:?}");
    assert_eq!(house.get("/healthz").await.status, 200);
    house.log_in("ann", PASSWORD).await.refused(503, "unavailable", None);
    house.sign_up("bob", PASSWORD).await.refused(503, "unavailable", None);
    postgres.start_again().unwrap();
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    while house.get("/readyz").await.status != 200 {
        assert!(std::time::Instant::now() < deadline, "it does not recover by itself");
    }
    house.log_in("ann", PASSWORD).await.good();
    house.close().await;
}

#[test]
fn a_process_starts_serves_stops_and_leaks_no_secret_into_its_log() -> Result<()> {
    let database = Postgres::shared()?.fresh_database()?;
    let mut node = Node::of(env!("CARGO_BIN_EXE_tidings"))
        .database(database.url())
        .env("TIDINGS_SECRET", "the-secret-of-this-test-is-long-enough")
        .env("TIDINGS_BCRYPT_COST", "4")
        .env("TIDINGS_LOG", "trace")
        .env("TIDINGS_DRAIN_MS", "1000")
        .start()?;
    let secrets = actix_rt::System::new().block_on(use_it(node.url()));
    assert_eq!(node.terminate(Duration::from_secs(20))?, 0);
    let log = node.log();
    assert!(log.contains("listening") && log.contains("stopped"));
    for secret in secrets.iter().map(String::as_str).chain(["the-secret-of-this-test"]) {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
    Ok(())
}

/// Uses the node and gives back everything that must not be in its log.
async fn use_it(url: String) -> Vec<String> {
    let client = reqwest::Client::new();
    let post = async |path: &str, body: serde_json::Value| -> serde_json::Value {
        let sent = client.post(format!("{url}{path}")).json(&body).send().await.unwrap();
        serde_json::from_str(&sent.text().await.unwrap()).unwrap_or_default()
    };
    let told = post(
        "/api/v1/users",
        json!({ "handle": "ann", "email": "planted@example.org", "password": "planted password" }),
    )
    .await;
    post("/api/v1/users", json!({ "handle": "ann", "email": "planted@example.org", "password": "planted password" }))
        .await;
    post("/api/v1/auth/login", json!({ "login": "planted@example.org", "password": "planted but wrong" })).await;
    post("/api/v1/auth/login", json!({ "login": "planted\u{0}name", "password": ["planted list"] })).await;
    let old = told["refresh_token"].clone();
    let new = post("/api/v1/auth/refresh", json!({ "refresh_token": old })).await;
    let newest = post("/api/v1/auth/refresh", json!({ "refresh_token": new["refresh_token"] })).await;
    // Reused: its session ends.
    post("/api/v1/auth/refresh", json!({ "refresh_token": old })).await;
    post("/api/v1/auth/logout", json!({ "refresh_token": newest["refresh_token"] })).await;
    let tokens = [&told, &new, &newest]
        .into_iter()
        .flat_map(|told| ["refresh_token", "access_token"].map(|token| told[token].as_str().unwrap().to_owned()));
    tokens.chain(["planted".to_owned()]).collect()
}
