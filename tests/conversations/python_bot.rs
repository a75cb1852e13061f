//! A stock Python library is enough for a bot: the example of `clients/python` answers what it is told.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tidings_protocol::bots::{TokenMade, TokenRevoked};
use tidings_protocol::error::Refusal;
use tidings_protocol::feed::FeedName;

use crate::person::Person;
use crate::world::World;

/// The Python that has `websockets`; `cargo xtask test` makes one and names it.
const PYTHON: &str = "TIDINGS_TEST_PYTHON";

#[tokio::test]
async fn the_example_bot_answers_a_post_that_calls_it() {
    let world = World::one_node().await;
    let mut ann = Person::arrives(world.a(), "ann", &[]).await;
    let made = ann.makes_bot("echo_bot").await;
    let wish = serde_json::json!({ "bot": made.id, "name": "in a test", "scopes": ["read", "write"] });
    let token: TokenMade = ann.request("token.create", wish).await.expect("a token");
    let bot = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/python/examples/bot.py");
    let python = std::env::var(PYTHON).unwrap_or_else(|_| "python3".to_owned());
    let mut running = tokio::process::Command::new(python)
        .arg(bot)
        .arg(world.a().url())
        .env("TIDINGS_TOKEN", &token.secret)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("python runs");
    // The bot answers what it hears, not what was there before it: it is called until it comes.
    let mut heard = None;
    for _ in 0..60 {
        let post = ann.posts("is anybody there? !echo").await;
        let feed = FeedName::Post(post.id);
        let snapshot = ann.request("feed.subscribe", serde_json::json!({ "feed": feed }));
        let snapshot = snapshot.await.expect("one's own post");
        ann.state.starts_afresh(snapshot);
        let answered = ann.hears_until("an answer", |ann| !ann.state.comments(feed).is_empty());
        if tokio::time::timeout(Duration::from_millis(500), answered).await.is_ok() {
            heard = ann.state.comments(feed).pop();
            break;
        }
        let ended = running.try_wait().expect("its state");
        assert!(ended.is_none(), "the bot ended: {ended:?}");
    }
    let comment = heard.expect("the bot's answer");
    assert_eq!(comment.author.expect("an author").id, made.id);
    // When its token is taken back it ends by itself, and does not knock for ever.
    let gone: Result<TokenRevoked, Refusal> =
        ann.request("token.revoke", serde_json::json!({ "id": token.token.id })).await;
    gone.expect("taken back");
    let ended = tokio::time::timeout(crate::line::PATIENCE, running.wait()).await.expect("it ends").expect("its state");
    assert!(!ended.success(), "{ended:?}");
}
