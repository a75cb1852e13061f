//! Looking for people, posts and tags over the real server: found a moment after it was written, on any node, and never by those it is not for (P5).

use std::time::Instant;

use serde_json::json;
use tidings_protocol::entity::Visibility;
use tidings_protocol::error::{ErrorCode, Refusal};
use tidings_protocol::search::{MentionsSuggested, PeopleFound, PostsFound, TagsFound};

use crate::line::PATIENCE;
use crate::person::Person;
use crate::world::World;

impl Person {
    async fn finds(&mut self, query: &str) -> Vec<String> {
        let found: Result<PostsFound, Refusal> = self.request("search.posts", json!({ "query": query })).await;
        found.expect("found").posts.into_iter().map(|post| post.text).collect()
    }

    /// Asks until it is found.
    async fn finds_soon(&mut self, query: &str, texts: &[&str]) {
        let began = Instant::now();
        loop {
            let found = self.finds(query).await;
            if found == texts {
                return;
            }
            assert!(began.elapsed() < PATIENCE, "{query}: {found:?}");
        }
    }
}

#[tokio::test]
async fn what_is_written_on_one_node_is_found_on_the_other_and_lost_when_it_is_gone() {
    let world = World::two_nodes().await;
    let mut ann = Person::arrives(world.a(), "ann", &[]).await;
    let mut bob = Person::arrives(world.b(), "bob", &[]).await;
    let mut nobody = Person::anonymous();
    nobody.connects(world.a(), &[]).await;
    let owl = ann.posts("An Owl at night #birds").await;
    bob.finds_soon("owl -day", &["An Owl at night #birds"]).await;
    assert_eq!(nobody.finds("\"owl at\"").await.len(), 1);
    let tags: TagsFound = nobody.request("search.tags", json!({ "prefix": "bi" })).await.expect("found");
    assert_eq!(tags.tags.iter().map(|tag| (tag.tag.to_string(), tag.posts)).collect::<Vec<_>>(), [("birds".into(), 1)]);
    // A canary: what is for nobody else is in no answer, whoever asks for it.
    ann.posts_for(Visibility::Private, "owl canary").await;
    ann.finds_soon("canary", &["owl canary"]).await;
    for other in [&mut bob, &mut nobody] {
        assert_eq!(other.finds("canary").await, Vec::<String>::new());
        assert_eq!(other.finds("owl -canary").await.len(), 1);
    }
    ann.turns("user.block", bob.id()).await;
    assert_eq!(bob.finds("owl").await, Vec::<String>::new(), "at once");
    let people: PeopleFound = bob.request("search.people", json!({ "query": "ann" })).await.expect("found");
    assert!(people.people.is_empty());
    ann.turns("user.unblock", bob.id()).await;
    ann.deletes(owl.id).await;
    assert_eq!(nobody.finds("owl").await, Vec::<String>::new(), "at once");
}

#[tokio::test]
async fn people_are_suggested_as_one_types_and_unclear_questions_are_refused_by_field() {
    let world = World::one_node().await;
    let mut ann = Person::arrives(world.a(), "ann", &[]).await;
    let mut bob = Person::arrives(world.a(), "bob", &[]).await;
    bob.follows(ann.id()).await;
    let near: MentionsSuggested = bob.request("mention.suggest", json!({ "prefix": "" })).await.expect("near");
    assert_eq!(near.people.iter().map(|person| person.handle.as_str()).collect::<Vec<_>>(), ["ann"]);
    let post = ann.posts("hello").await;
    bob.comments(post.id, None, "hi").await;
    let params = json!({ "prefix": "", "post": post.id });
    let near: MentionsSuggested = ann.request("mention.suggest", params).await.expect("near");
    assert_eq!(near.people.iter().map(|person| person.id).collect::<Vec<_>>(), [bob.id()]);
    let found: PeopleFound = bob.request("search.people", json!({ "query": "ANN" })).await.expect("found");
    assert_eq!(found.people.iter().map(|one| (one.user.id, one.following)).collect::<Vec<_>>(), [(ann.id(), true)]);
    for (method, params, field) in [
        ("search.posts", json!({ "query": " " }), "query"),
        ("search.posts", json!({ "query": "-only" }), "query"),
        ("search.posts", json!({ "query": "x".repeat(201) }), "query"),
        ("search.posts", json!({ "query": "a ".repeat(33) }), "query"),
        ("search.people", json!({ "query": "!" }), "query"),
        ("search.people", json!({ "query": "ann", "limit": 101 }), "limit"),
        ("search.tags", json!({ "prefix": "x".repeat(63) }), "prefix"),
        ("mention.suggest", json!({ "prefix": "a\nb" }), "prefix"),
    ] {
        let refusal = bob.is_refused(ErrorCode::Invalid, method, params).await;
        assert_eq!(refusal.field.as_deref(), Some(field), "{method}");
    }
    bob.is_refused(ErrorCode::CursorExpired, "search.posts", json!({ "query": "a", "before": "zzzz-1" })).await;
}
