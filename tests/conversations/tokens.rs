//! Tokens for programs: what they are good for, and how they end (P5). What each method asks of them is in the matrix.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tidings_protocol::bots::{TokenMade, TokenRevoked, TokensAll};
use tidings_protocol::close::CloseCode;
use tidings_protocol::error::{ErrorCode, Refusal};
use tidings_protocol::feed::FeedName::{Home, Me};
use tidings_protocol::limits::API_TOKENS;
use tidings_protocol::rest::Tokens;

use crate::person::{PASSWORD, Person};
use crate::world::World;

impl Person {
    /// Makes a token for a program of theirs.
    pub async fn makes_token(&mut self, scopes: &[&str]) -> TokenMade {
        let made = self.request("token.create", json!({ "name": "a program", "scopes": scopes })).await;
        made.expect("made")
    }

    /// A program that comes as this person with a token and nothing else.
    pub fn sends_program(&self, secret: &str) -> Self {
        let user = self.tokens.as_ref().expect("signed up").user.clone();
        let none = tidings_protocol::position::Millis(0);
        let tokens = Tokens {
            user,
            access_token: secret.to_owned(),
            access_expires_at: none,
            refresh_token: String::new(),
            refresh_expires_at: none,
        };
        let mut program = Self::anonymous();
        (program.handle, program.tokens) = (self.handle.clone(), Some(tokens));
        program
    }

    async fn lists_tokens(&mut self) -> TokensAll {
        self.request("token.all", json!({})).await.expect("a list")
    }
}

fn soon(ms: u64) -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis();
    u64::try_from(now).expect("before the year 500000000") + ms
}

#[tokio::test]
async fn a_program_does_what_its_token_is_good_for_and_no_more() {
    let world = World::one_node().await;
    let mut ann = Person::arrives(world.a(), "ann", &[Home]).await;
    let made = ann.makes_token(&["read"]).await;
    assert!(made.secret.starts_with("tid_"), "scanners for leaked secrets find it");
    let mut archive = ann.sends_program(&made.secret);
    let welcome = archive.connects(world.a(), &[Home]).await;
    assert_eq!((welcome.user.expect("ann").id, welcome.expires_at), (ann.id(), None), "it lasts");
    ann.posts("for the archive").await;
    archive.hears_post("for the archive").await;
    let written: Result<Value, Refusal> =
        archive.request("post.create", json!({ "id": uuid::Uuid::now_v7(), "text": "not mine to say" })).await;
    let refusal = written.expect_err("it only reads");
    assert_eq!(refusal.code, ErrorCode::Forbidden);
    assert!(refusal.message.contains("write"), "{}", refusal.message);

    let listed = ann.lists_tokens().await.tokens;
    assert_eq!(listed.len(), 1);
    assert_eq!((&listed[0].id, listed[0].name.as_str()), (&made.token.id, "a program"));

    // One that only writes hears nothing.
    let made = ann.makes_token(&["write"]).await;
    let mut crier = ann.sends_program(&made.secret);
    crier.dials(world.a()).await;
    crier.feeds = vec![Home, Me];
    let welcome = crier.says_hello().await.expect("welcome");
    let refused = |start: &tidings_protocol::reply::FeedStart| matches!(start, tidings_protocol::reply::FeedStart::Refused { error, .. } if error.code == ErrorCode::Forbidden);
    assert!(welcome.feeds.iter().all(refused), "{:?}", welcome.feeds);
    let post: Result<Value, Refusal> =
        crier.request("post.create", json!({ "id": uuid::Uuid::now_v7(), "text": "hear, hear" })).await;
    post.expect("it writes");
    ann.hears_post("hear, hear").await;
}

#[tokio::test]
async fn p5_a_token_that_is_taken_back_ends_its_program_on_the_other_node_and_nothing_else() {
    for bus_dead in [false, true] {
        let mut world = World::two_nodes().await;
        let mut ann = Person::arrives(world.a(), "ann", &[Home]).await;
        let (taken, kept) = (ann.makes_token(&["read"]).await, ann.makes_token(&["read"]).await);
        let (mut ends, mut stays) = (ann.sends_program(&taken.secret), ann.sends_program(&kept.secret));
        ends.connects(world.b(), &[Home]).await;
        stays.connects(world.b(), &[Home]).await;
        let mut bob = Person::arrives(world.b(), "bob", &[]).await;
        let theirs: Result<Value, Refusal> = bob.request("token.revoke", json!({ "id": taken.token.id })).await;
        assert_eq!(theirs.expect_err("not his").code, ErrorCode::NotFound);
        if bus_dead {
            world.redis().kill9().unwrap();
        }
        let began = Instant::now();
        let gone: TokenRevoked = ann.request("token.revoke", json!({ "id": taken.token.id })).await.expect("ended");
        assert_eq!(ends.hears_close().await, CloseCode::SessionRevoked.number());
        assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
        let again: TokenRevoked = ann.request("token.revoke", json!({ "id": taken.token.id })).await.expect("so it is");
        assert_eq!(again.seq, gone.seq);
        for node in &world.nodes {
            ends.dials(node).await;
            assert_eq!(ends.says_hello().await.expect_err("taken back").code, ErrorCode::BadToken);
        }
        ann.posts("who is there?").await;
        stays.hears_post("who is there?").await;
        let ids: Vec<_> = ann.lists_tokens().await.tokens.into_iter().map(|token| token.id).collect();
        assert_eq!(ids, [kept.token.id]);
    }
}

#[tokio::test]
async fn a_new_password_ends_the_programs_one_has_let_in_too() {
    let world = World::one_node().await;
    let mut ann = Person::arrives(world.a(), "ann", &[]).await;
    let made = ann.makes_token(&["read", "write"]).await;
    let mut program = ann.sends_program(&made.secret);
    program.connects(world.a(), &[]).await;
    let change = json!({ "current": PASSWORD, "new": "another one altogether" });
    let changed: Result<Value, Refusal> = ann.request("account.password", change).await;
    changed.expect("changed");
    assert_eq!(program.hears_close().await, CloseCode::SessionRevoked.number());
}

#[tokio::test]
async fn a_token_with_an_end_ends_there() {
    let world = World::one_node().await;
    let mut ann = Person::arrives(world.a(), "ann", &[]).await;
    let past: Result<Value, Refusal> =
        ann.request("token.create", json!({ "name": "late", "scopes": ["read"], "expires": 1 })).await;
    assert_eq!(past.expect_err("past").field.as_deref(), Some("expires"));
    let wish = json!({ "name": "short", "scopes": ["read"], "expires": soon(1_500) });
    let made: TokenMade = ann.request("token.create", wish).await.expect("made");
    let mut program = ann.sends_program(&made.secret);
    program.connects(world.a(), &[]).await;
    assert_eq!(program.hears_close().await, CloseCode::TokenExpired.number());
    program.dials(world.a()).await;
    assert_eq!(program.says_hello().await.expect_err("over").code, ErrorCode::TokenExpired);
    assert_eq!(ann.lists_tokens().await.tokens, []);
}

#[tokio::test]
async fn made_up_tokens_are_refused_and_there_is_an_end_to_making_them() {
    let world = World::one_node().await;
    let mut ann = Person::arrives(world.a(), "ann", &[]).await;
    let made = ann.makes_token(&["read"]).await;
    let mut forged = made.secret.clone();
    // Another scope in the same token.
    forged.replace_range(5..7, if &forged[5..7] == "Q8" { "QE" } else { "Q8" });
    for secret in [forged.as_str(), "tid_", "tid_AAAA"] {
        let mut program = ann.sends_program(secret);
        program.dials(world.a()).await;
        assert_eq!(program.says_hello().await.expect_err("made up").code, ErrorCode::BadToken);
        assert_eq!(program.hears_close().await, CloseCode::BadToken.number());
    }
    let idle: Result<Value, Refusal> = ann.request("token.create", json!({ "name": "idle", "scopes": [] })).await;
    assert_eq!(idle.expect_err("good for nothing").field.as_deref(), Some("scopes"));
    let moderates: Result<Value, Refusal> =
        ann.request("token.create", json!({ "name": "judge", "scopes": ["mod"] })).await;
    let refusal = moderates.expect_err("she does not moderate");
    assert_eq!((refusal.code, refusal.field.as_deref()), (ErrorCode::Forbidden, Some("scopes")));
    for _ in 1..API_TOKENS {
        ann.makes_token(&["read"]).await;
    }
    let wish = json!({ "name": "one more", "scopes": ["read"] });
    let more: Result<Value, Refusal> = ann.request("token.create", wish.clone()).await;
    assert_eq!(more.expect_err("enough").code, ErrorCode::LimitReached);
    let gone: Result<Value, Refusal> = ann.request("token.revoke", json!({ "id": made.token.id })).await;
    gone.expect("ended");
    let again: Result<Value, Refusal> = ann.request("token.create", wish).await;
    again.expect("there is room again");
}
