//! Bad input gets a clear answer and harms nobody else (P7, P8): after each, another user on the same node still hears a post.

use serde_json::{Value, json};
use tidings_protocol::close::CloseCode;
use tidings_protocol::error::{ErrorCode, Refusal};
use tidings_protocol::feed::FeedName::Global;
use tidings_protocol::ids::RequestId;
use tidings_protocol::limits;
use tidings_protocol::rest::Tokens;
use tokio_tungstenite::tungstenite::Message;
use uuid::Uuid;

use crate::line::{Dial, Line};
use crate::person::{PASSWORD, Person};
use crate::rest::rest;
use crate::world::{Plan, World};

/// A node, somebody who will misbehave, and two who must not notice.
struct Scene {
    world: World,
    eve: Person,
    ann: Person,
    bob: Person,
}

impl Scene {
    async fn set(plan: Plan) -> Self {
        let world = plan.one_node().await;
        let ann = Person::arrives(world.a(), "ann", &[]).await;
        let bob = Person::arrives(world.a(), "bob", &[Global]).await;
        let eve = Person::arrives(world.a(), "eve", &[Global]).await;
        Self { world, eve, ann, bob }
    }

    async fn usual() -> Self {
        Self::set(Plan::default()).await
    }

    async fn nobody_else_noticed(mut self) {
        self.ann.posts("life goes on").await;
        self.bob.hears_post("life goes on").await;
        assert!(!self.world.a().log().contains("panicked"), "{}", self.world.a().log());
        self.eve.loses_the_line();
        self.eve.connects(self.world.a(), &[Global]).await;
        assert!(self.eve.state.post("life goes on").is_some(), "eve may come back");
    }
}

#[tokio::test]
async fn not_json() {
    let mut scene = Scene::usual().await;
    for text in ["", "hello?", "{", "[]", "null", "7", "{\"id\":1}", "{\"id\":1,\"method\":7}", "\u{0}"] {
        scene.eve.sends(Message::text(text)).await;
        let (_, refusal) = scene.eve.hears_refusal().await;
        assert_eq!(refusal.code, ErrorCode::BadRequest, "{text:?}");
        assert!(!refusal.message.is_empty() && !refusal.retry);
    }
    scene.eve.posts("eve means well after all").await;
    scene.nobody_else_noticed().await;
}

#[tokio::test]
async fn wrong_types() {
    let mut scene = Scene::usual().await;
    let id = Uuid::now_v7();
    for (method, params, field) in [
        ("post.create", json!({ "id": 5, "text": "x" }), "id"),
        ("post.create", json!({ "id": id, "text": ["x"] }), "text"),
        ("post.create", json!({ "id": id }), "text"),
        ("post.get", json!({ "id": "not an id" }), "id"),
        ("feed.subscribe", json!({ "feed": "nonsense" }), "feed"),
        ("feed.subscribe", json!({ "feed": "user:7" }), "feed"),
        ("feed.page", json!({ "feed": "global", "limit": -1 }), "limit"),
        ("user.update", json!({ "name": 7 }), "name"),
        ("user.follow", json!({ "id": null }), "id"),
    ] {
        let refusal = scene.eve.is_refused(ErrorCode::Invalid, method, &params).await;
        let named = refusal.field.as_deref() == Some(field) || refusal.message.contains(field);
        assert!(named, "{method} {params}: {refusal:?}");
    }
    for params in [json!([]), json!("x"), json!(7)] {
        scene.eve.is_refused(ErrorCode::Invalid, "post.get", &params).await;
    }
    scene.eve.sends(Message::text(r#"{"id":"x","method":"post.get"}"#)).await;
    let (id, refusal) = scene.eve.hears_refusal().await;
    assert_eq!((id, refusal.code), (None, ErrorCode::BadRequest));
    scene.nobody_else_noticed().await;
}

#[tokio::test]
async fn unknown_method() {
    let mut scene = Scene::usual().await;
    for method in ["post.explode", "", "POST.CREATE", "__proto__"] {
        scene.eve.is_refused(ErrorCode::UnknownMethod, method, json!({})).await;
    }
    scene.nobody_else_noticed().await;
}

#[tokio::test]
async fn unknown_fields_are_ignored() {
    let mut scene = Scene::usual().await;
    let params = json!({ "id": Uuid::now_v7(), "text": "from the future", "mood": "happy" });
    let created: Result<Value, Refusal> = scene.eve.request("post.create", params).await;
    created.expect("a newer client's fields do no harm");
    scene.nobody_else_noticed().await;
}

#[tokio::test]
async fn too_large() {
    let mut scene = Scene::usual().await;
    let text = "x".repeat(limits::MESSAGE_BYTES);
    let request = json!({ "id": 1, "method": "post.create", "params": { "id": Uuid::now_v7(), "text": text } });
    scene.eve.sends(Message::text(request.to_string())).await;
    assert_eq!(scene.eve.hears_close().await, 1009);
    scene.nobody_else_noticed().await;
}

#[tokio::test]
async fn too_large_before_hello() {
    let mut scene = Scene::usual().await;
    scene.eve.dials(scene.world.a()).await;
    let token = "x".repeat(limits::MESSAGE_BYTES_BEFORE_HELLO);
    let hello = json!({ "id": 1, "method": "hello", "params": { "token": token } });
    scene.eve.sends(Message::text(hello.to_string())).await;
    assert_eq!(scene.eve.hears_close().await, 1009);
    scene.nobody_else_noticed().await;
}

#[tokio::test]
async fn too_deep() {
    let mut scene = Scene::usual().await;
    for depth in [limits::JSON_DEPTH + 1, 20_000] {
        let deep = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let request = format!(r#"{{"id":1,"method":"post.get","params":{deep}}}"#);
        scene.eve.sends(Message::text(request)).await;
        let (id, refusal) = scene.eve.hears_refusal().await;
        assert_eq!((id, refusal.code), (Some(RequestId(1)), ErrorCode::BadRequest));
        assert!(refusal.message.contains("deep"), "{refusal:?}");
    }
    scene.nobody_else_noticed().await;
}

#[tokio::test]
async fn a_binary_frame() {
    let mut scene = Scene::usual().await;
    scene.eve.sends(Message::binary(vec![1, 2, 3])).await;
    assert_eq!(scene.eve.hears_close().await, CloseCode::ProtocolError.number());
    scene.nobody_else_noticed().await;
}

#[tokio::test]
async fn something_before_hello() {
    let mut scene = Scene::usual().await;
    for text in [r#"{"id":1,"method":"feed.page","params":{"feed":"global"}}"#, "hi"] {
        scene.eve.dials(scene.world.a()).await;
        scene.eve.sends(Message::text(text)).await;
        assert_eq!(scene.eve.hears_close().await, CloseCode::ProtocolError.number());
    }
    scene.nobody_else_noticed().await;
}

#[tokio::test]
async fn hello_twice() {
    let mut scene = Scene::usual().await;
    let hello = json!({ "token": scene.eve.token() });
    scene.eve.asks("hello", hello).await;
    assert_eq!(scene.eve.hears_close().await, CloseCode::ProtocolError.number());
    scene.nobody_else_noticed().await;
}

#[tokio::test]
async fn no_hello() {
    let mut scene = Scene::set(Plan::default().set("hello_timeout_ms", "300")).await;
    scene.eve.dials(scene.world.a()).await;
    assert_eq!(scene.eve.hears_close().await, CloseCode::HelloTimeout.number());
    scene.nobody_else_noticed().await;
}

#[tokio::test]
async fn a_token_that_is_none() {
    let mut scene = Scene::usual().await;
    let genuine = scene.eve.token().expect("signed up").to_owned();
    let mut bent = genuine.clone().into_bytes();
    let middle = bent.len() / 2;
    bent[middle] = if bent[middle] == b'A' { b'B' } else { b'A' };
    let bent = String::from_utf8(bent).expect("still text");
    let unsigned = {
        let claims = genuine.split('.').nth(1).expect("claims");
        // {"alg":"none","typ":"JWT"}
        format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{claims}.")
    };
    for token in [String::new(), "nonsense".to_owned(), bent, unsigned] {
        scene.eve.dials(scene.world.a()).await;
        let hello: Result<Value, Refusal> = scene.eve.request("hello", json!({ "token": token })).await;
        assert_eq!(hello.expect_err("refused").code, ErrorCode::BadToken);
        assert_eq!(scene.eve.hears_close().await, CloseCode::BadToken.number());
    }
    scene.nobody_else_noticed().await;
}

#[tokio::test]
async fn a_foreign_origin() {
    let plan = Plan::default().set("allowed_origins", "https://friend.example");
    let scene = Scene::set(plan).await;
    let address = scene.world.a().address();
    let port = address.port();
    let dial = |origin| async move {
        let dial = Dial { origin: Some(origin), ..Dial::default() };
        Line::dial(address, dial).await.err().map(|status| status.as_u16())
    };
    for origin in [
        "https://evil.example",
        "https://friend.example.evil.example",
        "http://friend.example",
        "https://friend.example:444",
        "https://sub.friend.example",
        "null",
        "http://127.0.0.1:1",
        "file://",
    ] {
        assert_eq!(dial(origin).await, Some(403), "{origin}");
    }
    let own = format!("http://127.0.0.1:{port}");
    for origin in ["https://friend.example", own.as_str()] {
        assert_eq!(dial(origin).await, None, "{origin}");
    }
    scene.nobody_else_noticed().await;
}

#[tokio::test]
async fn a_handle_that_is_taken() {
    let scene = Scene::usual().await;
    for handle in ["ann", "ANN"] {
        let body = json!({ "handle": handle, "email": "other@example.org", "password": PASSWORD });
        let answer = rest::<Tokens>(scene.world.a(), "users", &body).await;
        let (status, refusal) = answer.err().expect("refused");
        assert_eq!((status, refusal.code), (409, ErrorCode::Conflict));
        assert_eq!(refusal.field.as_deref(), Some("handle"));
    }
    scene.nobody_else_noticed().await;
}

#[tokio::test]
async fn a_sign_up_that_cannot_be() {
    let scene = Scene::usual().await;
    let good = json!({ "handle": "dora", "email": "dora@example.org", "password": PASSWORD });
    for (field, value) in [
        ("email", json!("not an address")),
        ("email", json!("")),
        ("email", json!("a@b@c")),
        ("email", json!(format!("{}@example.org", "x".repeat(300)))),
        ("handle", json!("x")),
        ("handle", json!("has blanks")),
        ("handle", json!("7up")),
        ("password", json!("short")),
        ("password", json!("x".repeat(2_000))),
        ("name", json!("")),
    ] {
        let mut body = good.clone();
        body[field] = value;
        let answer = rest::<Tokens>(scene.world.a(), "users", &body).await;
        let (status, refusal) = answer.err().expect("refused");
        assert_eq!((status, refusal.code), (400, ErrorCode::Invalid), "{body}");
        assert_eq!(refusal.field.as_deref(), Some(field), "{body}");
    }
    let tokens: Tokens = rest(scene.world.a(), "users", &good).await.expect("good");
    assert_eq!(tokens.user.handle, "dora");
    scene.nobody_else_noticed().await;
}

#[tokio::test]
async fn a_text_that_cannot_be() {
    let mut scene = Scene::usual().await;
    let most = "x".repeat(limits::POST_TEXT_CHARS);
    for text in ["", " \n\t", "bell \u{7}", &format!("{most}x")] {
        let params = json!({ "id": Uuid::now_v7(), "text": text });
        let refusal = scene.eve.is_refused(ErrorCode::Invalid, "post.create", params).await;
        assert_eq!(refusal.field.as_deref(), Some("text"));
    }
    scene.eve.posts(&most).await;
    // Characters, not bytes.
    scene.eve.posts(&"é".repeat(limits::POST_TEXT_CHARS)).await;
    scene.eve.posts("<script>alert(1)</script> ' \" \\ \u{202e} 🦀").await;
    scene.nobody_else_noticed().await;
}
