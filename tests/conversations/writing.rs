//! What writing promises: an answer means it is done, once, and nobody else's things change (P2).

use std::collections::VecDeque;

use serde_json::{Value, json};
use tidings_protocol::error::{ErrorCode, Refusal};
use tidings_protocol::feed::FeedName::{Global, Home, User};
use tidings_protocol::position::Seq;
use tidings_protocol::reply::{PostGot, PostResult, RemovedResult, UserResult};
use uuid::Uuid;

use crate::person::{Outcome, Person};
use crate::world::World;

#[tokio::test]
async fn the_same_post_again_is_answered_again_and_not_created_again() {
    let world = World::one_node().await;
    let mut ann = Person::arrives(world.a(), "ann", &[Home]).await;
    let params = json!({ "id": Uuid::now_v7(), "text": "once" });
    let first: PostResult = ann.request("post.create", &params).await.unwrap();
    ann.hears_post("once").await;
    for _ in 0..3 {
        let again: PostResult = ann.request("post.create", &params).await.unwrap();
        assert!(again.duplicate);
        assert_eq!((&again.post, again.seq), (&first.post, first.seq));
    }
    ann.hears_nothing_more().await;
    assert_eq!(ann.state.texts(Home), ["once"]);
}

#[tokio::test]
async fn the_same_id_with_another_text_is_a_conflict() {
    let world = World::one_node().await;
    let mut ann = Person::arrives(world.a(), "ann", &[]).await;
    let mut bob = Person::arrives(world.a(), "bob", &[]).await;
    let id = Uuid::now_v7();
    let first = json!({ "id": id, "text": "mine" });
    ann.request::<PostResult>("post.create", &first).await.unwrap();
    let other = json!({ "id": id, "text": "another" });
    ann.is_refused(ErrorCode::Conflict, "post.create", &other).await;
    // Somebody else's id is a conflict even with the same text: the answer must not be taken for one's own post.
    bob.is_refused(ErrorCode::Conflict, "post.create", &first).await;
    let got: PostGot = bob.request("post.get", json!({ "id": id })).await.unwrap();
    assert_eq!(got.post.text, "mine");
}

#[tokio::test]
async fn an_edit_reaches_those_who_watch_and_one_of_an_old_state_is_refused() {
    let world = World::one_node().await;
    let mut ann = Person::arrives(world.a(), "ann", &[]).await;
    let mut bob = Person::arrives(world.a(), "bob", &[Global]).await;
    let post = ann.posts("first words").await;
    bob.hears_post("first words").await;
    let edit = json!({ "id": post.id, "text": "second thoughts", "if_rev": post.rev });
    let edited: PostResult = ann.request("post.update", &edit).await.unwrap();
    assert!(edited.post.rev > post.rev && edited.post.edited_at.is_some());
    assert_eq!(edited.post.seq, post.seq, "its place in feeds stays");
    assert_eq!(bob.hears_post("second thoughts").await, edited.post);
    let late = json!({ "id": post.id, "text": "too late", "if_rev": post.rev });
    ann.is_refused(ErrorCode::Stale, "post.update", &late).await;
    bob.hears_nothing_more().await;
    assert_eq!(bob.state.texts(Global), ["second thoughts"]);
}

#[tokio::test]
async fn nobody_changes_what_another_wrote() {
    let world = World::one_node().await;
    let mut ann = Person::arrives(world.a(), "ann", &[]).await;
    let mut bob = Person::arrives(world.a(), "bob", &[]).await;
    let post = ann.posts("mine").await;
    let edit = json!({ "id": post.id, "text": "yours" });
    bob.is_refused(ErrorCode::Forbidden, "post.update", &edit).await;
    bob.is_refused(ErrorCode::Forbidden, "post.delete", json!({ "id": post.id })).await;
    let comment = ann.comments(post.id, None, "mine too").await;
    let edit = json!({ "id": comment.id, "text": "yours" });
    bob.is_refused(ErrorCode::Forbidden, "comment.update", &edit).await;
    bob.is_refused(ErrorCode::Forbidden, "comment.delete", json!({ "id": comment.id })).await;
    let got: PostGot = bob.request("post.get", json!({ "id": post.id })).await.unwrap();
    assert_eq!(got.post, post);
}

#[tokio::test]
async fn a_deleted_post_goes_live_and_in_catch_up_without_its_text() {
    let world = World::one_node().await;
    let mut ann = Person::arrives(world.a(), "ann", &[]).await;
    let mut here = Person::arrives(world.a(), "bob", &[Global]).await;
    let mut away = Person::arrives(world.a(), "cara", &[Global]).await;
    let post = ann.posts("regretted").await;
    here.hears_post("regretted").await;
    away.hears_post("regretted").await;
    away.loses_the_line();
    let removed: RemovedResult = ann.request("post.delete", json!({ "id": post.id })).await.unwrap();
    assert!(removed.removed.rev > post.rev && !removed.duplicate);
    let fleeting = ann.posts("never to be read by cara").await;
    ann.deletes(fleeting.id).await;
    here.hears_removal(Global, &post).await;
    assert!(away.resumes(world.a()).await.resumed);
    away.hears_removal(Global, &post).await;
    away.is_answered().await;
    for person in [&here, &away] {
        assert!(person.state.texts(Global).is_empty() || person.handle == "bob");
    }
    assert!(away.state.post("never to be read by cara").is_none());
    let gone = away.is_refused(ErrorCode::NotFound, "post.get", json!({ "id": post.id }));
    gone.await;
    // Deleted is deleted: again is a duplicate, and the id does not come back to life.
    let again: RemovedResult = ann.request("post.delete", json!({ "id": post.id })).await.unwrap();
    assert!(again.duplicate);
    assert_eq!(again.removed, removed.removed);
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let world = World::one_node().await;
    let mut ann = Person::arrives(world.a(), "ann", &[]).await;
    let nothing = json!({ "id": Uuid::now_v7() });
    for method in ["post.get", "post.delete", "comment.delete", "user.follow", "user.get"] {
        ann.is_refused(ErrorCode::NotFound, method, &nothing).await;
    }
    let text = json!({ "id": Uuid::now_v7(), "text": "x" });
    ann.is_refused(ErrorCode::NotFound, "post.update", &text).await;
    ann.is_refused(ErrorCode::NotFound, "comment.update", &text).await;
    let comment = json!({ "id": Uuid::now_v7(), "post": Uuid::now_v7(), "text": "x" });
    ann.is_refused(ErrorCode::NotFound, "comment.create", &comment).await;
    let page = json!({ "post": Uuid::now_v7() });
    ann.is_refused(ErrorCode::NotFound, "comment.page", &page).await;
    let watch = json!({ "feed": User(tidings_protocol::ids::UserId(Uuid::now_v7())) });
    ann.is_refused(ErrorCode::NotFound, "feed.subscribe", &watch).await;
}

#[tokio::test]
async fn following_again_changes_nothing_and_oneself_cannot_be_followed() {
    let world = World::one_node().await;
    let mut ann = Person::arrives(world.a(), "ann", &[]).await;
    let mut bob = Person::arrives(world.a(), "bob", &[]).await;
    let mut seqs = Vec::new();
    for _ in 0..2 {
        let followed: Value = bob.request("user.follow", json!({ "id": ann.id() })).await.unwrap();
        seqs.push(followed["seq"].clone());
    }
    assert_eq!(seqs[0], seqs[1], "the second was no change");
    let myself: Result<Value, Refusal> = bob.request("user.follow", json!({ "id": bob.id() })).await;
    assert!(matches!(myself.unwrap_err().code, ErrorCode::Invalid | ErrorCode::Forbidden));
    let seen: UserResult = bob.request("user.get", json!({ "handle": "ann" })).await.unwrap();
    assert!(seen.following && !seen.followed_by);
    assert_eq!((seen.followers, seen.follows, seen.posts), (1, 0, 0));
    let seen: UserResult = ann.request("user.get", json!({ "id": bob.id() })).await.unwrap();
    assert!(!seen.following && seen.followed_by);
    assert_eq!((seen.followers, seen.follows), (0, 1));
}

/// P1: what many write at once is one contiguous sequence.
#[tokio::test]
async fn answers_of_many_writers_are_one_sequence_without_holes() {
    let world = World::two_nodes().await;
    let mut seqs: Vec<Seq> = Vec::new();
    let writers = (0..6).map(|number| {
        let node = &world.nodes[number % 2];
        async move {
            let mut writer = Person::arrives(node, &format!("writer_{number}"), &[]).await;
            let mut seqs = vec![writer.tokens.as_ref().expect("signed up").user.rev];
            for count in 0..20 {
                seqs.push(writer.posts(&format!("{number} {count}")).await.rev);
            }
            seqs
        }
    });
    for mine in futures_util::future::join_all(writers).await {
        assert!(mine.is_sorted());
        seqs.extend(mine);
    }
    seqs.sort();
    let expected: Vec<Seq> = (1..=seqs.len() as u64).map(Seq).collect();
    assert_eq!(seqs, expected);
}

async fn is_done(person: &mut Person, asked: Option<u64>) {
    let answer = person.hears_answer(asked.expect("something was asked")).await;
    assert!(matches!(answer, Outcome::Done(_)), "{answer:?}");
}

/// Many at once, without waiting for answers: done one after the other, as sent.
#[tokio::test]
async fn what_one_person_sends_is_carried_out_in_the_order_sent() {
    let world = World::one_node().await;
    let mut ann = Person::arrives(world.a(), "ann", &[Home]).await;
    let expected: Vec<String> = (0..600).map(|number| format!("post {number}")).collect();
    let mut asked = VecDeque::new();
    for texts in expected.chunks(20) {
        // Up to sixty on their way: some are being answered while others are being taken in.
        while asked.len() > 40 {
            is_done(&mut ann, asked.pop_front()).await;
        }
        let posts = texts.iter().map(|text| json!({ "id": Uuid::now_v7(), "text": text }));
        asked.extend(ann.asks_together("post.create", posts).await);
    }
    while !asked.is_empty() {
        is_done(&mut ann, asked.pop_front()).await;
    }
    ann.hears_post("post 599").await;
    let texts = ann.state.texts(Home);
    let at = texts.iter().zip(&expected).position(|(is, should)| is != should);
    assert_eq!(at.map(|at| (&texts[at], &expected[at])), None, "out of order");
    assert_eq!(texts.len(), expected.len());

    // What is written is read by what is asked after it, also without waiting.
    let id = Uuid::now_v7();
    let created = ann.asks("post.create", json!({ "id": id, "text": "read me" })).await;
    let read = ann.asks("post.get", json!({ "id": id })).await;
    let deleted = ann.asks("post.delete", json!({ "id": id })).await;
    let gone = ann.asks("post.get", json!({ "id": id })).await;
    for done in [created, read, deleted] {
        is_done(&mut ann, Some(done)).await;
    }
    let answer = ann.hears_answer(gone).await;
    assert!(matches!(&answer, Outcome::Refused(refusal) if refusal.code == ErrorCode::NotFound), "{answer:?}");
}
