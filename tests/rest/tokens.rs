//! Tokens: what they say, how they are traded, and how they end.

use serde_json::{Value, json};

use crate::house::{House, PASSWORD};

#[actix_rt::test]
async fn a_token_is_checked_by_the_published_key() {
    let house = House::open().await;
    let signed_up = house.sign_up("Ann", PASSWORD).await;
    assert_eq!(signed_up.status, 201);
    assert_eq!(signed_up.header("cache-control"), Some("no-store"));
    let told = signed_up.good();
    assert_eq!((told["user"]["handle"].as_str(), told["user"]["name"].as_str()), (Some("ann"), Some("ann")));
    assert!(!signed_up.text.contains("example.org"), "the address is private");
    let keys = house.get("/.well-known/jwks.json").await.good();
    let key = serde_json::from_value(keys["keys"][0].clone()).unwrap();
    let mut rules = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::RS256);
    rules.set_audience(&["tidings"]);
    rules.set_issuer(&["tidings"]);
    let key = jsonwebtoken::DecodingKey::from_jwk(&key).unwrap();
    let token = told["access_token"].as_str().unwrap();
    let claims = jsonwebtoken::decode::<Value>(token, &key, &rules).unwrap().claims;
    assert_eq!(claims["sub"], told["user"]["id"]);
    assert_eq!(claims["exp"].as_u64().unwrap() * 1_000, told["access_expires_at"].as_u64().unwrap());
    assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 24 * 3_600);
    assert!(claims["sid"].is_string());
    house.close().await;
}

#[actix_rt::test]
async fn one_logs_in_by_handle_or_address_in_any_case() {
    let house = House::open().await;
    let id = house.sign_up("ann", PASSWORD).await.good()["user"]["id"].clone();
    for login in ["ann", "ANN", "ann@example.org", "Ann@Example.ORG"] {
        assert_eq!(house.log_in(login, PASSWORD).await.good()["user"]["id"], id, "{login}");
    }
    house.close().await;
}

#[actix_rt::test]
async fn a_refresh_token_is_good_once_and_a_lost_answer_is_given_again() {
    let house = House::open().await;
    let first = house.sign_up("ann", PASSWORD).await.refresh_token();
    assert!(first.starts_with("tr1_"));
    let second = house.refresh(&first).await.refresh_token();
    assert_ne!(first, second);
    assert_eq!(house.refresh(&first).await.refresh_token(), second, "the answer was lost");
    let third = house.refresh(&second).await.refresh_token();
    // Now the second has been used, so whoever holds the first is somebody else.
    house.refresh(&first).await.refused(401, "bad_token", None);
    house.refresh(&third).await.refused(401, "bad_token", None);
    house.log_in("ann", PASSWORD).await.good();
    house.close().await;
}

#[actix_rt::test]
async fn one_stolen_log_in_does_not_end_the_others() {
    let house = House::open().await;
    let desk = house.sign_up("ann", PASSWORD).await.refresh_token();
    let phone = house.log_in("ann", PASSWORD).await.refresh_token();
    let next = house.refresh(&desk).await.refresh_token();
    let _newest = house.refresh(&next).await.refresh_token();
    house.refresh(&desk).await.refused(401, "bad_token", None);
    house.refresh(&phone).await.good();
    house.close().await;
}

#[actix_rt::test]
async fn many_refreshes_at_once_get_one_successor() {
    let house = House::open().await;
    let token = house.sign_up("ann", PASSWORD).await.refresh_token();
    let all = futures_util::future::join_all((0..20).map(|_| house.refresh(&token))).await;
    let successors: std::collections::HashSet<String> = all.iter().map(crate::house::Answer::refresh_token).collect();
    assert_eq!(successors.len(), 1);
    house.close().await;
}

#[actix_rt::test]
async fn a_log_out_ends_the_log_in_and_may_be_repeated() {
    let house = House::open().await;
    let token = house.sign_up("ann", PASSWORD).await.refresh_token();
    for _ in 0..2 {
        let answer = house.log_out(&token).await;
        assert_eq!((answer.status.as_u16(), answer.text.as_str()), (204, ""));
    }
    house.refresh(&token).await.refused(401, "bad_token", None);
    house.close().await;
}

#[actix_rt::test]
async fn a_refresh_token_runs_out() {
    let house = House::with(|config| config.refresh_token_ttl = std::time::Duration::from_millis(1)).await;
    let token = house.sign_up("ann", PASSWORD).await.refresh_token();
    // Its life is a millisecond, and the answer took longer.
    house.refresh(&token).await.refused(401, "bad_token", None);
    house.close().await;
}

#[actix_rt::test]
async fn what_is_no_refresh_token_is_refused() {
    let house = House::open().await;
    let told = house.sign_up("ann", PASSWORD).await.good();
    let access = told["access_token"].as_str().unwrap();
    let unknown = format!("tr1_{}", "A".repeat(43));
    for token in ["", "tr1_", "\0", access, unknown.as_str()] {
        house.refresh(token).await.refused(401, "bad_token", None);
    }
    house.post("/api/v1/auth/refresh", &json!({})).await.refused(400, "invalid", Some("refresh_token"));
    house.post("/api/v1/auth/logout", &json!({ "refresh_token": 7 })).await.refused(
        400,
        "invalid",
        Some("refresh_token"),
    );
    house.close().await;
}
