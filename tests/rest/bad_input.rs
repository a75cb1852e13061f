//! Whatever is sent: a clear answer in the one form, and nobody else is harmed (P8).

use reqwest::Method;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE};
use serde_json::json;

use crate::house::{House, PASSWORD, send};

#[actix_rt::test]
async fn taken_names_are_named() {
    let house = House::open().await;
    house.sign_up("ann", PASSWORD).await.good();
    let wish = |handle: &str, email: &str| json!({ "handle": handle, "email": email, "password": PASSWORD });
    let taken = house.post("/api/v1/users", &wish("ANN", "other@example.org")).await;
    taken.refused(409, "conflict", Some("handle"));
    let taken = house.post("/api/v1/users", &wish("bob", "Ann@EXAMPLE.org")).await;
    taken.refused(409, "conflict", Some("email"));
    house.post("/api/v1/users", &wish("bob", "bob@example.org")).await.good();
    house.close().await;
}

#[actix_rt::test]
async fn malformed_wishes_are_refused_by_field() {
    let house = House::open().await;
    let good = json!({ "handle": "ann", "name": "Ann", "email": "ann@example.org", "password": PASSWORD });
    let wrong = [
        ("handle", json!("a")),
        ("handle", json!("1ann")),
        ("handle", json!("ann bee")),
        ("handle", json!("ann\0")),
        ("handle", json!("x".repeat(31))),
        ("handle", json!(7)),
        ("name", json!("")),
        ("name", json!("two\nlines")),
        ("name", json!("x".repeat(51))),
        ("email", json!("")),
        ("email", json!("ann")),
        ("email", json!("ann@")),
        ("email", json!("@example.org")),
        ("email", json!("ann@@example.org")),
        ("email", json!("ann example@example.org")),
        ("email", json!("ann@exa\nmple.org")),
        ("email", json!(format!("{}@example.org", "x".repeat(300)))),
        ("password", json!("too short")),
        ("password", json!("x".repeat(1_025))),
        ("password", json!(["correct horse battery"])),
    ];
    for (field, value) in wrong {
        let mut wish = good.clone();
        wish[field] = value;
        house.post("/api/v1/users", &wish).await.refused(400, "invalid", Some(field));
    }
    for field in ["handle", "email", "password"] {
        let mut wish = good.clone();
        wish.as_object_mut().unwrap().remove(field);
        house.post("/api/v1/users", &wish).await.refused(400, "invalid", Some(field));
    }
    let mut more = good.clone();
    more["from_the_future"] = json!({ "ignored": true });
    house.post("/api/v1/users", &more).await.good();
    house.close().await;
}

#[actix_rt::test]
async fn what_is_not_json_is_refused() {
    let house = House::open().await;
    for path in ["/api/v1/users", "/api/v1/auth/login", "/api/v1/auth/refresh", "/api/v1/auth/logout"] {
        let post = |body: Vec<u8>| house.ask(Method::POST, path).header(CONTENT_TYPE, "application/json").body(body);
        for body in [&b""[..], b"{", b"[]", b"null", b"{} {}", b"\xff\xfe", b"{\"a\":\x00}"] {
            let answer = send(post(body.to_vec())).await;
            assert_eq!(answer.status, 400, "{path} {body:?} {answer:?}");
            assert!(answer.json()["error"]["code"].is_string());
        }
        send(post(b"[".repeat(10_000))).await.refused(400, "bad_request", None);
        send(post(vec![b' '; 16 * 1024 + 1])).await.refused(413, "bad_request", None);
        let bare = send(house.ask(Method::POST, path).body("{}")).await;
        bare.refused(415, "bad_request", None);
        let form = house.ask(Method::POST, path).header(CONTENT_TYPE, "text/plain").body("{}");
        send(form).await.refused(415, "bad_request", None);
        let packed = post(b"{}".to_vec()).header(CONTENT_ENCODING, "gzip");
        send(packed).await.refused(415, "bad_request", None);
        for method in [Method::GET, Method::PUT, Method::DELETE, Method::OPTIONS, Method::PATCH] {
            let answer = send(house.ask(method, path)).await;
            answer.refused(405, "bad_request", None);
            assert_eq!(answer.header("allow"), Some("POST"));
        }
    }
    house.get("/api/v1/nothing").await.refused(404, "not_found", None);
    send(house.ask(Method::POST, "/api/v1/nothing")).await.refused(404, "not_found", None);
    house.close().await;
}
