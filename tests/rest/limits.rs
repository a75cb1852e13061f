//! Floods are answered before they cost anything, and tell when to come back (P6, P7).

use serde_json::json;

use crate::house::{House, PASSWORD, send};

#[actix_rt::test]
async fn log_ins_of_one_address_run_dry() {
    let house = House::with(|config| config.logins_per_minute_per_ip = 3).await;
    for _ in 0..3 {
        house.log_in("nobody", "not the password").await.refused(401, "bad_credentials", None);
    }
    let flood = house.log_in("nobody", "not the password").await;
    flood.refused(429, "rate_limited", None);
    let seconds: u64 = flood.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds));
    let body = json!({ "login": "nobody", "password": "not the password" });
    let spoofed =
        house.ask(reqwest::Method::POST, "/api/v1/auth/login").header("x-forwarded-for", "198.51.100.7").json(&body);
    send(spoofed).await.refused(429, "rate_limited", None);
    house.close().await;
}

#[actix_rt::test]
async fn a_trusted_proxy_tells_clients_apart() {
    let house = House::with(|config| {
        config.logins_per_minute_per_ip = 1;
        config.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
    })
    .await;
    let body = json!({ "login": "nobody", "password": "not the password" });
    let from = |address: &str| {
        let request = house.ask(reqwest::Method::POST, "/api/v1/auth/login");
        send(request.header("x-forwarded-for", address).json(&body))
    };
    from("198.51.100.7").await.refused(401, "bad_credentials", None);
    from("198.51.100.7").await.refused(429, "rate_limited", None);
    from("1.2.3.4, 198.51.100.7").await.refused(429, "rate_limited", None);
    from("198.51.100.8").await.refused(401, "bad_credentials", None);
    house.close().await;
}

#[actix_rt::test]
async fn sign_ups_and_refreshes_run_dry_too() {
    let house = House::with(|config| {
        config.signups_per_minute_per_ip = 1;
        config.refreshes_per_minute_per_ip = 1;
    })
    .await;
    let token = house.sign_up("ann", PASSWORD).await.refresh_token();
    house.sign_up("bob", PASSWORD).await.refused(429, "rate_limited", None);
    house.refresh(&token).await.good();
    house.refresh(&token).await.refused(429, "rate_limited", None);
    house.close().await;
}

#[actix_rt::test]
async fn when_too_many_passwords_wait_the_rest_is_turned_away() {
    let house = House::with(|config| {
        // About a tenth of a second each, so that ten at once do not fit.
        config.bcrypt_cost = 10;
        config.password_hashers = 1;
        config.password_queue = 1;
    })
    .await;
    let flood = futures_util::future::join_all((0..10).map(|_| house.log_in("nobody", "not the password"))).await;
    let (turned_away, checked): (Vec<_>, Vec<_>) = flood.iter().partition(|answer| answer.status == 429);
    assert!(!turned_away.is_empty() && !checked.is_empty());
    for answer in turned_away {
        answer.refused(429, "overloaded", None);
        assert!(answer.header("retry-after").is_some());
    }
    for answer in checked {
        answer.refused(401, "bad_credentials", None);
    }
    house.close().await;
}
