//! The page, the headers around it, and what operators ask.

use reqwest::Method;
use reqwest::header::{ACCEPT_ENCODING, IF_NONE_MATCH, ORIGIN};

use crate::house::{House, PASSWORD, send};

#[actix_rt::test]
async fn every_answer_tells_browsers_to_be_careful() {
    let house = House::open().await;
    for path in ["/", "/healthz", "/nothing", "/api/v1/users"] {
        let answer = house.get(path).await;
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"), "{path}");
        let policy = answer.header("content-security-policy").unwrap();
        for rule in [
            "default-src 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "object-src 'none'",
        ] {
            assert!(policy.contains(rule), "{path}: {policy}");
        }
        assert!(policy.contains(&format!("ws://{}", house.running.address)), "{policy}");
        assert!(!policy.contains('*') && !policy.contains("unsafe"), "{policy}");
    }
    house.close().await;
}

#[actix_rt::test]
async fn the_page_is_served_once_and_then_confirmed() {
    let house = House::open().await;
    let page = house.get("/").await;
    assert_eq!((page.status.as_u16(), page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    let tag = page.header("etag").unwrap().to_owned();
    let again = send(house.ask(Method::GET, "/").header(IF_NONE_MATCH, &tag)).await;
    assert_eq!((again.status.as_u16(), again.text.as_str(), again.header("etag")), (304, "", Some(tag.as_str())));
    let asked = |wish: &str| send(house.ask(Method::GET, "/style.css").header(ACCEPT_ENCODING, wish));
    let whole = house.get("/style.css").await;
    assert_eq!((whole.header("content-encoding"), whole.header("vary")), (None, Some("accept-encoding")));
    let length = |answer: &crate::house::Answer| answer.header("content-length").unwrap().parse::<usize>().unwrap();
    let small = asked("br;q=1, gzip;q=0.8").await;
    assert_eq!((small.header("content-encoding"), small.header("vary")), (Some("gzip"), Some("accept-encoding")));
    assert!(length(&small) * 2 < length(&whole), "{} of {}", length(&small), length(&whole));
    let tag = small.header("etag").unwrap().to_owned();
    assert!(tag.starts_with("W/"), "{tag}");
    assert_eq!(send(house.ask(Method::GET, "/style.css").header(IF_NONE_MATCH, &tag)).await.status.as_u16(), 304);
    assert_eq!(asked("gzip;q=0").await.header("content-encoding"), None);
    let head = send(house.ask(Method::HEAD, "/")).await;
    assert_eq!((head.status.as_u16(), head.text.as_str()), (200, ""));
    for path in [
        "/Cargo.toml",
        "/../Cargo.toml",
        "/%2e%2e/Cargo.toml",
        "/..%2fsrc%2fmain.rs",
        "/client/../../../Cargo.toml",
        "/client/package.json",
        "/.git/config",
    ] {
        house.get(path).await.refused(404, "not_found", None);
    }
    house.close().await;
}

#[actix_rt::test]
async fn only_listed_pages_elsewhere_may_read_answers() {
    let house = House::with(|config| config.allowed_origins = vec!["https://app.example".into()]).await;
    let preflight = |origin: &str| {
        let request = house.ask(Method::OPTIONS, "/api/v1/auth/login").header(ORIGIN, origin);
        send(request.header("access-control-request-method", "POST"))
    };
    let listed = preflight("https://app.example").await;
    assert_eq!(
        (listed.status.as_u16(), listed.header("access-control-allow-origin")),
        (204, Some("https://app.example"))
    );
    assert_eq!(listed.header("access-control-allow-headers"), Some("content-type"));
    let answer = send(house.ask(Method::GET, "/healthz").header(ORIGIN, "https://app.example")).await;
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://app.example"));
    assert_eq!(answer.header("vary"), Some("origin"));
    for origin in ["https://evil.example", "https://app.example.evil.example", "null"] {
        let answer = preflight(origin).await;
        assert_eq!((answer.status.as_u16(), answer.header("access-control-allow-origin")), (405, None), "{origin}");
    }
    assert_eq!(house.get("/healthz").await.header("access-control-allow-origin"), None);
    house.close().await;
}

#[actix_rt::test]
async fn operators_see_life_readiness_and_numbers() {
    let house = House::open().await;
    assert_eq!(house.get("/healthz").await.good()["status"], "ok");
    assert_eq!(house.get("/readyz").await.good()["status"], "ready");
    house.sign_up("ann", PASSWORD).await.good();
    let numbers = house.get("/metrics").await;
    assert!(numbers.text.contains("tidings_sign_ups_total"), "{}", numbers.text);
    assert!(numbers.text.contains(r#"route="/api/v1/users""#));
    let named = send(house.ask(Method::GET, "/healthz").header("x-request-id", "mine-1")).await;
    assert_eq!(named.header("x-request-id"), Some("mine-1"));
    let unnamed = send(house.ask(Method::GET, "/healthz").header("x-request-id", "not one id")).await;
    assert_eq!(unnamed.header("x-request-id"), None);
    house.close().await;
}
