//! F22 by data: a stored row that nobody can read harms only what shows it. The rows are damaged by SQL, behind the server's back; the servers
//! are the real ones.

use serde_json::json;
use uuid::Uuid;

use crate::client::{Client, number, signs_up, until};
use crate::nodes::World;

/// A post without a text and without being a tombstone.
async fn damage(world: &World, post: Uuid) {
    world
        .sql(format!(
            "alter table posts drop constraint posts_tombstone_has_no_text;
             update posts set text = null where id = '{post}'"
        ))
        .await;
}

#[tokio::test]
async fn a_post_that_cannot_be_read_is_left_out_of_its_feeds_and_the_journal_goes_on() {
    let mut world = World::of(2, &[]).await;
    let (writing, reading) = (world.nodes[0].address(), world.nodes[1].address());
    let token = signs_up(writing, "ann").await;
    let mut ann = Client::arrives(writing, Some(&token), &[]).await;
    let mut bob = Client::arrives(reading, None, &["global"]).await;
    ann.posts(Uuid::now_v7(), "before").await.unwrap();
    bob.hears("before").await.unwrap();

    world.nodes[1].pause().unwrap();
    let poison = Uuid::now_v7();
    ann.posts(poison, "poison").await.unwrap();
    damage(&world, poison).await;
    ann.posts(Uuid::now_v7(), "behind it").await.unwrap();
    world.nodes[1].resume().unwrap();
    bob.hears("behind it").await.unwrap();
    assert!(!bob.has_heard("poison"));
    assert!(number(reading, "tidings_illegible_rows_total", "").await > 0.5, "it is counted");
    assert!(world.nodes[1].log().contains("a stored row cannot be read and is left out"), "and told");

    // Fresh starts and pages show the rest.
    let mut carl = Client::dial(reading).await.unwrap();
    let author = ann.ask("user.get", json!({})).await.unwrap()["result"]["user"]["id"].as_str().unwrap().to_owned();
    let of_ann = format!("user:{author}");
    let welcome = carl.says_hello(None, &["global", &of_ann], None).await.unwrap();
    for feed in welcome["result"]["feeds"].as_array().unwrap() {
        let texts: Vec<_> = feed["posts"].as_array().unwrap_or_else(|| panic!("{feed}")).iter().collect();
        let texts: Vec<_> = texts.iter().map(|post| post["text"].as_str().unwrap()).collect();
        assert_eq!(texts, ["behind it", "before"], "{feed}");
    }
    // A page's end is where it would have been: the damaged row takes a place.
    let page = carl.ask("feed.page", json!({ "feed": "global", "limit": 1 })).await.unwrap();
    assert_eq!(page["result"]["posts"][0]["text"], "behind it", "{page}");
    let next = json!({ "feed": "global", "limit": 1, "before": page["result"]["next"] });
    let older = carl.ask("feed.page", next).await.unwrap();
    assert_eq!(older["result"]["posts"][0]["text"], "before", "{older}");
    // Catching up from before it.
    let (mut dora, _) = Client::comes_back(reading, None, &["global"], &bob.cursor.unwrap()).await;
    ann.posts(Uuid::now_v7(), "and on").await.unwrap();
    dora.hears("and on").await.unwrap();
    let alone = carl.ask("post.get", json!({ "id": poison })).await.unwrap();
    assert_eq!(alone["error"]["code"], "internal", "only whoever asks for it by name is refused: {alone}");
}

#[tokio::test]
async fn an_account_that_cannot_be_read_harms_only_itself() {
    let world = World::of(1, &[]).await;
    let node = world.nodes[0].address();
    let (eve_token, ann_token) = (signs_up(node, "eve").await, signs_up(node, "ann").await);
    let mut eve = Client::arrives(node, Some(&eve_token), &[]).await;
    let mut ann = Client::arrives(node, Some(&ann_token), &["global"]).await;
    world.sql("alter table users drop constraint users_role; update users set role = 7 where handle = 'eve'").await;

    // What eve changes is committed and cannot be answered; whoever writes beside her is not kept waiting for her.
    let mut asked = Vec::new();
    for turn in 0..20 {
        eve.sends("user.update", json!({ "name": format!("Eve {turn}") })).await;
        asked.push(ann.sends("post.create", json!({ "id": Uuid::now_v7(), "text": format!("post {turn}") })).await);
    }
    for id in asked {
        let answer = ann.answer(id).await.unwrap();
        assert!(answer["result"].is_object(), "{answer}");
    }
    ann.hears("post 19").await.unwrap();
    for turn in 0..20 {
        assert_eq!(ann.times_heard(&format!("post {turn}")), 1);
    }
    let answer = eve.ask("user.update", json!({ "name": "Eve again" })).await.unwrap();
    assert_eq!(answer["error"]["code"], "unavailable", "{answer}");

    // Once it is repaired, everything is as it should be, without a restart.
    world.sql("update users set role = 0 where handle = 'eve'").await;
    until("eve is served again", async || {
        eve.ask("user.update", json!({ "name": "Eve" })).await.unwrap()["result"]["user"]["name"] == "Eve"
    })
    .await;
    ann.posts(Uuid::now_v7(), "after").await.unwrap();
    ann.hears("after").await.unwrap();
}
