//! Bots: whose they are, what they may, and how they end.

use serde_json::{Value, json};
use tidings_protocol::bots::{BotsAll, TokenMade};
use tidings_protocol::close::CloseCode;
use tidings_protocol::entity::User;
use tidings_protocol::error::{ErrorCode, Refusal};
use tidings_protocol::feed::FeedName::{self, Home};
use tidings_protocol::ids::UserId;
use tidings_protocol::limits::BOTS_PER_USER;
use tidings_protocol::reply::{UserResult, UserUpdated};
use uuid::Uuid;

use crate::person::Person;
use crate::state::Thing;
use crate::world::World;

impl Person {
    /// Makes a bot.
    pub async fn makes_bot(&mut self, handle: &str) -> User {
        let wish = json!({ "id": Uuid::now_v7(), "handle": handle, "name": "A bot" });
        let made: UserUpdated = self.request("bot.create", wish).await.expect("a bot");
        made.user
    }

    /// Makes a token for a bot of theirs, and sends it out.
    pub async fn sends_bot(&mut self, bot: &User, scopes: &[&str]) -> Self {
        let wish = json!({ "bot": bot.id, "name": "on a server", "scopes": scopes });
        let made: TokenMade = self.request("token.create", wish).await.expect("a token");
        let mut sent = self.sends_program(&made.secret);
        sent.handle.clone_from(&bot.handle);
        sent.tokens.as_mut().expect("just made").user = bot.clone();
        sent
    }

    async fn looks_at(&mut self, id: UserId) -> User {
        let found: UserResult = self.request("user.get", json!({ "id": id })).await.expect("a profile");
        found.user
    }
}

#[tokio::test]
async fn a_bot_lives_like_anybody_and_says_whose_it_is() {
    let world = World::two_nodes().await;
    let mut ann = Person::arrives(world.a(), "ann", &[Home]).await;
    let wish = json!({ "id": Uuid::now_v7(), "handle": "Weather_Bot", "name": "Weather" });
    let made: UserUpdated = ann.request("bot.create", wish.clone()).await.expect("a bot");
    let again: UserUpdated = ann.request("bot.create", wish.clone()).await.expect("the same bot");
    assert_eq!(again.user, made.user);
    assert_eq!(made.user.handle, "weather_bot");
    assert_eq!(made.user.extra.bot.expect("a bot").owner, ann.id());

    let mut bot = ann.sends_bot(&made.user, &["read", "write"]).await;
    let welcome = bot.connects(world.b(), &[Home]).await;
    assert_eq!(welcome.user.expect("the bot").id, made.user.id);
    ann.follows(made.user.id).await;
    bot.posts("rain at four").await;
    let heard = ann.hears_post("rain at four").await;
    assert_eq!(heard.author.id, made.user.id);
    bot.follows(ann.id()).await;
    ann.posts("thank you").await;
    bot.hears_post("thank you").await;
    // It dresses itself.
    let dressed: UserUpdated = bot.request("user.update", json!({ "bio": "rain or shine" })).await.expect("its own");
    assert_eq!((dressed.user.bio.as_str(), dressed.user.extra.bot), ("rain or shine", made.user.extra.bot));
    assert_eq!(ann.looks_at(made.user.id).await, dressed.user);

    // But makes nobody else, and nobody else makes it do anything.
    let more: Result<Value, Refusal> = bot.request("bot.create", wish).await;
    assert_eq!(more.expect_err("a bot").code, ErrorCode::Forbidden);
    let mut bob = Person::arrives(world.b(), "bob", &[]).await;
    for (method, params) in [
        ("token.create", json!({ "bot": made.user.id, "name": "mine now", "scopes": ["write"] })),
        ("token.all", json!({ "bot": made.user.id })),
        ("bot.delete", json!({ "id": made.user.id })),
    ] {
        let refused: Result<Value, Refusal> = bob.request(method, params).await;
        assert_eq!(refused.expect_err("not his").code, ErrorCode::NotFound, "{method}");
    }
}

#[tokio::test]
async fn names_are_given_once_and_bots_are_few() {
    let world = World::one_node().await;
    let mut ann = Person::arrives(world.a(), "ann", &[]).await;
    let id = Uuid::now_v7();
    let taken: Result<Value, Refusal> =
        ann.request("bot.create", json!({ "id": id, "handle": "ann", "name": "Ann" })).await;
    assert_eq!(taken.expect_err("hers").field.as_deref(), Some("handle"));
    for nth in 0..BOTS_PER_USER {
        ann.makes_bot(&format!("bot_{nth}")).await;
    }
    let all: BotsAll = ann.request("bot.all", json!({})).await.expect("hers");
    let names: Vec<&str> = all.bots.iter().map(|bot| bot.handle.as_str()).collect();
    assert_eq!(names, ["bot_0", "bot_1", "bot_2", "bot_3", "bot_4"]);
    let wish = json!({ "id": id, "handle": "one_more", "name": "One more" });
    let more: Result<Value, Refusal> = ann.request("bot.create", wish.clone()).await;
    assert_eq!(more.expect_err("enough").code, ErrorCode::LimitReached);
    let other: Result<Value, Refusal> =
        ann.request("bot.create", json!({ "id": all.bots[0].id, "handle": "another", "name": "A" })).await;
    assert_eq!(other.expect_err("another name").field.as_deref(), Some("id"));
    let stopped: Result<Value, Refusal> = ann.request("bot.delete", json!({ "id": all.bots[0].id })).await;
    stopped.expect("stopped");
    let room: Result<Value, Refusal> = ann.request("bot.create", wish).await;
    room.expect("there is room again");
}

#[tokio::test]
async fn p5_a_bot_that_is_stopped_is_gone_at_once_everywhere_and_its_profile_says_so() {
    let world = World::two_nodes().await;
    let mut ann = Person::arrives(world.a(), "ann", &[]).await;
    let made = ann.makes_bot("weather_bot").await;
    let mut bot = ann.sends_bot(&made, &["read", "write"]).await;
    bot.connects(world.b(), &[Home]).await;
    bot.posts("rain at four").await;
    let profile = FeedName::User(made.id);
    let mut bob = Person::arrives(world.b(), "bob", &[profile]).await;
    let gone: UserUpdated = ann.request("bot.delete", json!({ "id": made.id })).await.expect("hers");
    assert!(gone.user.extra.bot.expect("still one").stopped);
    assert_eq!(bot.hears_close().await, CloseCode::SessionRevoked.number());
    let shows =
        |bob: &Person| bob.state.things(profile).any(|thing| matches!(thing, Thing::User(user) if *user == gone.user));
    bob.hears_until("its profile says so", shows).await;
    assert_eq!(bob.looks_at(made.id).await, gone.user, "told = fetched");
    let again: UserUpdated = ann.request("bot.delete", json!({ "id": made.id })).await.expect("so it is");
    assert_eq!(again.seq, gone.seq);
    bot.dials(world.a()).await;
    assert_eq!(bot.says_hello().await.expect_err("stopped").code, ErrorCode::BadToken);
    let another: Result<Value, Refusal> =
        ann.request("token.create", json!({ "bot": made.id, "name": "again", "scopes": ["read"] })).await;
    assert_eq!(another.expect_err("stopped").field.as_deref(), Some("bot"));
}

#[tokio::test]
async fn p5_a_bot_stands_as_its_owner_does() {
    let world = World::two_nodes().await;
    let mut ann = Person::arrives(world.a(), "ann", &[]).await;
    let made = ann.makes_bot("weather_bot").await;
    let mut bot = ann.sends_bot(&made, &["read", "write"]).await;
    bot.connects(world.b(), &[Home]).await;
    let stands = |standing: u8| {
        world.database.psql(&format!("select changed from set_standing('ann', {standing}::smallint)")).expect("changed")
    };
    stands(1);
    let rain = json!({ "id": Uuid::now_v7(), "text": "rain at four" });
    bot.is_refused(ErrorCode::Forbidden, "post.create", rain).await;
    stands(0);
    bot.posts("sun at five").await;
    stands(2);
    assert_eq!(bot.hears_close().await, CloseCode::SessionRevoked.number());
    assert_eq!(ann.hears_close().await, CloseCode::SessionRevoked.number());
    bot.dials(world.a()).await;
    assert_eq!(bot.says_hello().await.expect_err("banned").code, ErrorCode::BadToken);
}
