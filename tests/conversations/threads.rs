//! Threads kept in order: what their authors and moderators say about them is told to everybody who watches, and holds on every node.

use serde_json::{Value, json};
use tidings_protocol::entity::Post;
use tidings_protocol::error::{ErrorCode, Refusal};
use tidings_protocol::feed::FeedName;
use tidings_protocol::reply::{CommentResult, CommentsPage, PostResult, Snapshot};
use tidings_protocol::threads::{Commenters, LockedBy};
use uuid::Uuid;

use crate::person::Person;
use crate::world::World;

fn a_word(post: &Post) -> Value {
    json!({ "id": Uuid::now_v7(), "post": post.id, "text": "a word" })
}

impl Person {
    async fn says_about(&mut self, method: &str, params: Value) -> Post {
        let told: PostResult = self.request(method, params).await.expect("hers");
        told.post
    }

    async fn hears_of(&mut self, feed: FeedName, post: &Post) {
        self.hears_until("the post as it is now", |person| person.state.posts(feed).contains(post)).await;
    }

    async fn is_shut_out(&mut self, post: &Post) {
        let answer: Result<Value, Refusal> = self.request("comment.create", a_word(post)).await;
        let refusal = answer.expect_err("not here");
        assert_eq!((refusal.code, refusal.field.as_deref()), (ErrorCode::Forbidden, Some("post")));
    }
}

#[tokio::test]
async fn p4_what_is_said_about_a_thread_is_told_on_every_node_and_fetched_alike() {
    let world = World::two_nodes().await;
    let mut ann = Person::arrives(world.a(), "ann", &[FeedName::Home]).await;
    let post = ann.posts("what do you think?").await;
    let feed = FeedName::Post(post.id);
    let mut bob = Person::arrives(world.b(), "bob", &[feed]).await;
    let mut cara = Person::arrives(world.a(), "cara", &[feed]).await;
    let id = json!({ "id": post.id });
    // Who comes back has missed nothing of it.
    cara.loses_the_line();
    let slow = ann.says_about("post.slow", json!({ "id": post.id, "seconds": 60 })).await;
    assert_eq!(slow.extra.slow, Some(60));
    bob.hears_of(feed, &slow).await;
    let among = ann.says_about("post.comments", json!({ "id": post.id, "comments": "followed" })).await;
    assert_eq!((among.extra.comments, among.extra.slow), (Some(Commenters::Followed), Some(60)));
    bob.hears_of(feed, &among).await;
    bob.is_shut_out(&post).await;
    let locked = ann.says_about("post.lock", id.clone()).await;
    assert_eq!(locked.extra.locked, Some(LockedBy::Author));
    bob.hears_of(feed, &locked).await;
    ann.hears_of(FeedName::Home, &locked).await;
    cara.resumes(world.b()).await;
    cara.hears_of(feed, &locked).await;
    let fetched: Snapshot = bob.request("feed.subscribe", json!({ "feed": feed })).await.expect("there");
    assert_eq!(fetched.post.as_ref(), Some(&locked));
    ann.is_shut_out(&post).await;
    let long = json!({ "id": post.id, "seconds": 3_601 });
    ann.is_refused(ErrorCode::Invalid, "post.slow", long).await;
    let open = ann.says_about("post.unlock", id).await;
    bob.hears_of(feed, &open).await;
    let all = json!({ "id": post.id, "text": "what do you all think?", "comments": "everyone" });
    let all = ann.says_about("post.update", all).await;
    assert_eq!((all.extra.comments, all.extra.slow), (Some(Commenters::Everyone), Some(60)));
    let _: CommentResult = bob.request("comment.create", a_word(&post)).await.expect("now he may");
}

#[tokio::test]
async fn in_a_slow_thread_it_is_told_when_to_come_again_and_then_one_may() {
    let world = World::two_nodes().await;
    let mut ann = Person::arrives(world.a(), "ann", &[]).await;
    let post = ann.posts("slowly").await;
    let mut here = Person::arrives(world.a(), "bob", &[]).await;
    let mut there = Person::logs_in(world.b(), "bob").await;
    there.connects(world.b(), &[]).await;
    ann.says_about("post.slow", json!({ "id": post.id, "seconds": 60 })).await;
    let params = a_word(&post);
    let first: CommentResult = here.request("comment.create", &params).await.expect("the first");
    // On another node he is no faster; the first, asked again, is answered.
    let soon: Result<Value, Refusal> = there.request("comment.create", a_word(&post)).await;
    let refusal = soon.expect_err("too soon");
    let wait = refusal.retry_after_ms.expect("how long");
    assert_eq!((refusal.code, refusal.retry, refusal.field.as_deref()), (ErrorCode::RateLimited, true, Some("post")));
    assert!((1..=60_000).contains(&wait), "{wait}");
    let again: CommentResult = there.request("comment.create", &params).await.expect("the same");
    assert!(again.duplicate && again.comment == first.comment);
    // What was told is exact: after as much time (his clock is put back instead of waiting) he is let in.
    let later = format!("update slow_comments set at_ms = at_ms - {wait}");
    world.database.psql(&later).expect("his last comment");
    let _: CommentResult = there.request("comment.create", a_word(&post)).await.expect("in time");
    let _: CommentResult = ann.request("comment.create", a_word(&post)).await.expect("the author");
    let _: CommentResult = ann.request("comment.create", a_word(&post)).await.expect("the author again");
}

#[tokio::test]
async fn p4_a_comment_folded_away_is_so_for_everybody_live_in_snapshots_and_after_an_absence() {
    let world = World::two_nodes().await;
    let mut ann = Person::arrives(world.a(), "ann", &[]).await;
    let post = ann.posts("what do you think?").await;
    let feed = FeedName::Post(post.id);
    let mut bob = Person::arrives(world.b(), "bob", &[feed, FeedName::Notifications]).await;
    let mut cara = Person::arrives(world.a(), "cara", &[feed]).await;
    let nasty = bob.comments(post.id, None, "nasty").await;
    let answer = cara.comments(post.id, Some(nasty.id), "indeed").await;
    cara.hears_until("both", |cara| cara.state.comments(feed).len() == 2).await;
    cara.loses_the_line();
    let hidden: CommentResult = ann.request("comment.hide", json!({ "id": nasty.id })).await.expect("on her post");
    assert!(hidden.comment.extra.hidden && hidden.comment.text.as_deref() == Some("nasty"));
    let all = [hidden.comment.clone(), answer];
    bob.hears_until("the fold", |bob| bob.state.comments(feed) == all).await;
    cara.resumes(world.b()).await;
    cara.hears_until("the fold", |cara| cara.state.comments(feed) == all).await;
    let fetched: Snapshot = cara.request("feed.subscribe", json!({ "feed": feed })).await.expect("there");
    assert!(fetched.comments.is_some_and(|comments| comments.contains(&hidden.comment)));
    bob.is_refused(ErrorCode::Forbidden, "comment.unhide", json!({ "id": nasty.id })).await;
    let shown: CommentResult = ann.request("comment.unhide", json!({ "id": nasty.id })).await.expect("on her post");
    bob.hears_until("the unfolding", |bob| bob.state.comments(feed).contains(&shown.comment)).await;
    assert!(bob.state.repeats().is_empty());
}

#[tokio::test]
async fn a_deep_thread_is_read_branch_by_branch() {
    let world = World::one_node().await;
    let mut ann = Person::arrives(world.a(), "ann", &[]).await;
    let post = ann.posts("what do you think?").await;
    let root = ann.comments(post.id, None, "root").await;
    let mut answers = Vec::new();
    for nth in 0..5 {
        answers.insert(0, ann.comments(post.id, Some(root.id), &nth.to_string()).await);
    }
    ann.comments(post.id, Some(answers[0].id), "below").await;
    let whole: CommentsPage = ann.request("comment.page", json!({ "post": post.id, "limit": 1 })).await.expect("there");
    assert_eq!(whole.answers.get(&root.id), Some(&5), "how many are in the branch");
    let feed: Snapshot = ann
        .request("feed.subscribe", json!({ "feed": format!("post:{}", post.id), "limit": 1 }))
        .await
        .expect("it is there");
    assert_eq!(feed.answers, Some(whole.answers.clone()), "the feed tells the same as the page");
    let (mut found, mut before) = (Vec::new(), None);
    loop {
        let params = json!({ "post": post.id, "parent": root.id, "before": before, "limit": 2 });
        let page: CommentsPage = ann.request("comment.page", params).await.expect("a branch");
        assert_eq!(page.answers.get(&answers[0].id), found.is_empty().then_some(&1));
        found.extend(page.comments);
        let Some(next) = page.next else { break };
        before = Some(next);
    }
    assert_eq!(found, answers);
    let nowhere = json!({ "post": post.id, "parent": Uuid::now_v7() });
    ann.is_refused(ErrorCode::NotFound, "comment.page", nowhere).await;
}
