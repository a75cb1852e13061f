//! Threads: answers in place, removed comments as placeholders, limits of depth, and that only those who watch are told.

use serde_json::json;
use tidings_protocol::entity::{Comment, Post};
use tidings_protocol::error::ErrorCode;
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::CommentId;
use tidings_protocol::limits::COMMENT_DEPTH;
use tidings_protocol::position::Cursor;
use tidings_protocol::reply::{CommentResult, CommentsPage, RemovedResult, Snapshot};
use uuid::Uuid;

use crate::person::Person;
use crate::state::comment_key;
use crate::world::World;

/// Ann's post, Ann, and Bob who watches it.
async fn a_post_and_who_watches_it(world: &World) -> (Post, Person, Person) {
    let mut ann = Person::arrives(world.a(), "ann", &[]).await;
    let post = ann.posts("what do you think?").await;
    let feed = FeedName::Post(post.id);
    let bob = Person::arrives(world.a(), "bob", &[feed]).await;
    assert_eq!(bob.state.post("what do you think?"), Some(post.clone()));
    (post, ann, bob)
}

async fn hears_comment(person: &mut Person, feed: FeedName, id: CommentId) -> Comment {
    let find = |person: &Person| {
        let mut comments = person.state.comments(feed).into_iter();
        comments.find(|comment| comment.id == id)
    };
    person.hears_until("a comment", |person| find(person).is_some()).await;
    find(person).expect("just heard")
}

async fn snapshot(person: &mut Person, feed: FeedName) -> Snapshot {
    person.request("feed.subscribe", json!({ "feed": feed })).await.expect("a snapshot")
}

#[tokio::test]
async fn answers_come_to_those_who_watch_the_post_in_their_place() {
    let world = World::two_nodes().await;
    let (post, mut ann, mut bob) = a_post_and_who_watches_it(&world).await;
    let feed = FeedName::Post(post.id);
    let mut cara = Person::arrives(world.b(), "cara", &[FeedName::Global]).await;
    let first = cara.comments(post.id, None, "splendid").await;
    assert_eq!((first.depth, first.parent, first.post), (0, None, post.id));
    let answer = ann.comments(post.id, Some(first.id), "thank you").await;
    assert_eq!((answer.depth, answer.parent), (1, Some(first.id)));
    assert_eq!(hears_comment(&mut bob, feed, first.id).await, first);
    assert_eq!(hears_comment(&mut bob, feed, answer.id).await, answer);
    assert_eq!(first.author.as_ref().map(|author| author.id), Some(cara.id()));
    // Cara watches global, which has posts only.
    cara.posts("the fence").await;
    cara.hears_post("the fence").await;
    assert!(cara.state.comments(FeedName::Global).is_empty());
}

#[tokio::test]
async fn a_comment_is_created_once_and_edited_by_its_author() {
    let world = World::one_node().await;
    let (post, mut ann, mut bob) = a_post_and_who_watches_it(&world).await;
    let params = json!({ "id": Uuid::now_v7(), "post": post.id, "text": "frist" });
    let first: CommentResult = ann.request("comment.create", &params).await.unwrap();
    let again: CommentResult = ann.request("comment.create", &params).await.unwrap();
    assert!(!first.duplicate && again.duplicate);
    assert_eq!((&first.comment, first.seq), (&again.comment, again.seq));
    let mut other = params.clone();
    other["text"] = "second".into();
    ann.is_refused(ErrorCode::Conflict, "comment.create", &other).await;
    let edit = json!({ "id": first.comment.id, "text": "first", "if_rev": first.comment.rev });
    let edited: CommentResult = ann.request("comment.update", &edit).await.unwrap();
    assert_eq!(edited.comment.text.as_deref(), Some("first"));
    let again: CommentResult = ann.request("comment.update", &edit).await.unwrap();
    assert!(again.duplicate, "a repeated edit finds itself done");
    let late = json!({ "id": first.comment.id, "text": "too late", "if_rev": first.comment.rev });
    ann.is_refused(ErrorCode::Stale, "comment.update", &late).await;
    bob.hears_until("the edit", |bob| bob.state.comments(FeedName::Post(post.id)) == [edited.comment.clone()]).await;
    assert!(bob.state.repeats().is_empty());
}

#[tokio::test]
async fn a_removed_comment_holds_its_answers_in_place_without_its_text() {
    let world = World::one_node().await;
    let (post, mut ann, mut bob) = a_post_and_who_watches_it(&world).await;
    let feed = FeedName::Post(post.id);
    let regretted = ann.comments(post.id, None, "regretted").await;
    let answer = bob.comments(post.id, Some(regretted.id), "why?").await;
    let alone = ann.comments(post.id, None, "nobody answers").await;
    for id in [regretted.id, answer.id, alone.id] {
        hears_comment(&mut bob, feed, id).await;
    }
    for id in [regretted.id, alone.id] {
        let removed: RemovedResult = ann.request("comment.delete", json!({ "id": id })).await.unwrap();
        assert_eq!(removed.removed.id, id.0);
        let key = comment_key(&id.to_string());
        bob.hears_until("the removal", |bob| bob.state.is_gone(feed, &key)).await;
    }
    let mut cara = Person::arrives(world.a(), "cara", &[]).await;
    let fresh = snapshot(&mut cara, feed).await;
    let comments = fresh.comments.expect("comments of a post");
    let placeholder = comments.iter().find(|comment| comment.id == regretted.id).expect("it holds an answer");
    assert!(placeholder.removed && placeholder.text.is_none() && placeholder.author.is_none());
    assert!(comments.iter().any(|comment| comment.id == answer.id && !comment.removed));
    assert!(comments.iter().all(|comment| comment.id != alone.id));
    // Nothing can be said to what is gone.
    let late = json!({ "id": Uuid::now_v7(), "post": post.id, "parent": alone.id, "text": "hm" });
    cara.is_refused(ErrorCode::NotFound, "comment.create", late).await;
}

#[tokio::test]
async fn answers_go_as_deep_as_allowed_and_no_deeper() {
    let world = World::one_node().await;
    let (post, mut ann, _bob) = a_post_and_who_watches_it(&world).await;
    let mut parent = None;
    for depth in 0..=COMMENT_DEPTH {
        let comment = ann.comments(post.id, parent, "deeper").await;
        assert_eq!(comment.depth, depth);
        parent = Some(comment.id);
    }
    let params = json!({ "id": Uuid::now_v7(), "post": post.id, "parent": parent, "text": "no" });
    ann.is_refused(ErrorCode::LimitReached, "comment.create", params).await;
}

#[tokio::test]
async fn comment_pages_hold_everything_once_with_the_parents_of_what_they_show() {
    let world = World::one_node().await;
    let (post, mut ann, _bob) = a_post_and_who_watches_it(&world).await;
    let mut ids = Vec::new();
    for number in 0..30_usize {
        let parent = (number % 3 != 0).then(|| ids[number - 1]);
        ids.push(ann.comments(post.id, parent, &format!("comment {number}")).await.id);
    }
    let (mut seen, mut before) = (Vec::new(), None::<Cursor>);
    loop {
        let params = json!({ "post": post.id, "before": before, "limit": 7 });
        let page: CommentsPage = ann.request("comment.page", params).await.unwrap();
        for comment in &page.comments {
            let parent_is_there =
                comment.parent.is_none_or(|parent| page.comments.iter().any(|other| other.id == parent));
            assert!(parent_is_there, "an answer without what it answers");
        }
        seen.extend(page.comments.iter().map(|comment| comment.id));
        match page.next {
            Some(next) => before = Some(next),
            None => break,
        }
    }
    ids.sort();
    seen.sort();
    seen.dedup();
    assert_eq!(seen, ids);
}

#[tokio::test]
async fn with_its_post_a_thread_is_gone() {
    let world = World::one_node().await;
    let (post, mut ann, mut bob) = a_post_and_who_watches_it(&world).await;
    bob.comments(post.id, None, "splendid").await;
    ann.deletes(post.id).await;
    bob.hears_removal(FeedName::Post(post.id), &post).await;
    let late = json!({ "id": Uuid::now_v7(), "post": post.id, "text": "too late" });
    bob.is_refused(ErrorCode::NotFound, "comment.create", late).await;
    let page = json!({ "post": post.id });
    bob.is_refused(ErrorCode::NotFound, "comment.page", page).await;
}
