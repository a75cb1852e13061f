//! Pages: everything once, newest first, to the end, whatever is written meanwhile; and what resumes do with odd cursors.

use serde_json::json;
use tidings_protocol::error::ErrorCode;
use tidings_protocol::feed::FeedName::{self, Global, Home, User};
use tidings_protocol::position::{Cursor, Epoch, Seq};
use tidings_protocol::reply::{FeedStart, PostsPage};

use crate::person::Person;
use crate::world::World;

/// Texts of all pages of a feed, and how many pages there were.
async fn reads_all(reader: &mut Person, feed: FeedName, limit: u16) -> (Vec<String>, usize) {
    let (mut texts, mut pages, mut before) = (Vec::new(), 0, None::<Cursor>);
    loop {
        let params = json!({ "feed": feed, "before": before, "limit": limit });
        let page: PostsPage = reader.request("feed.page", params).await.expect("a page");
        assert!(page.posts.len() <= usize::from(limit));
        assert!(page.posts.is_sorted_by(|a, b| a.seq > b.seq), "newest first");
        texts.extend(page.posts.into_iter().map(|post| post.text));
        pages += 1;
        match page.next {
            Some(next) => before = Some(next),
            None => return (texts, pages),
        }
    }
}

#[tokio::test]
async fn pages_hold_everything_once_to_the_end() {
    let world = World::one_node().await;
    let mut ann = Person::arrives(world.a(), "ann", &[]).await;
    let mut bob = Person::arrives(world.a(), "bob", &[]).await;
    for number in 0..45 {
        ann.posts(&format!("post {number}")).await;
    }
    let all: Vec<String> = (0..45).rev().map(|number| format!("post {number}")).collect();
    for feed in [Global, User(ann.id())] {
        assert_eq!(reads_all(&mut bob, feed, 20).await.0, all);
        assert_eq!(reads_all(&mut bob, feed, 45).await.0, all);
        assert_eq!(reads_all(&mut bob, feed, 1).await.0.len(), 45);
    }
    assert!(reads_all(&mut bob, Home, 20).await.0.is_empty());
    bob.follows(ann.id()).await;
    assert_eq!(reads_all(&mut bob, Home, 20).await, (all, 3));
}

#[tokio::test]
async fn pages_go_on_behind_the_snapshot_though_more_is_written() {
    let world = World::one_node().await;
    let mut ann = Person::arrives(world.a(), "ann", &[]).await;
    for number in 0..120 {
        ann.posts(&format!("post {number}")).await;
    }
    let mut bob = Person::signs_up(world.a(), "bob").await;
    let welcome = bob.connects(world.a(), &[Global]).await;
    let Some(FeedStart::Snapshot { snapshot }) = welcome.feeds.first() else {
        panic!("no snapshot: {welcome:?}");
    };
    assert_eq!(bob.state.texts(Global).len(), 50, "a page is 50 unless asked otherwise");
    let mut before = snapshot.next;
    let mut older = Vec::new();
    while let Some(cursor) = before {
        ann.posts("meanwhile").await;
        let params = json!({ "feed": Global, "before": cursor });
        let page: PostsPage = bob.request("feed.page", params).await.unwrap();
        older.extend(page.posts.into_iter().map(|post| post.text));
        before = page.next;
    }
    let expected: Vec<String> = (0..70).rev().map(|number| format!("post {number}")).collect();
    assert_eq!(older, expected);
}

#[tokio::test]
async fn a_page_limit_out_of_bounds_is_refused_or_bounded() {
    let world = World::one_node().await;
    let mut ann = Person::arrives(world.a(), "ann", &[]).await;
    for limit in [0, 101, 65_535] {
        let params = json!({ "feed": Global, "limit": limit });
        let refusal = ann.is_refused(ErrorCode::Invalid, "feed.page", params).await;
        assert_eq!(refusal.field.as_deref(), Some("limit"));
    }
}

#[tokio::test]
async fn a_page_cursor_of_another_epoch_is_expired() {
    let world = World::one_node().await;
    let mut ann = Person::arrives(world.a(), "ann", &[Global]).await;
    let mut bob = Person::arrives(world.a(), "bob", &[Global]).await;
    let post = ann.posts("one").await;
    let foreign = Cursor { epoch: Epoch(12_345), seq: Seq(1) };
    let params = json!({ "feed": Global, "before": foreign });
    ann.is_refused(ErrorCode::CursorExpired, "feed.page", params).await;
    let params = json!({ "post": post.id, "before": foreign });
    ann.is_refused(ErrorCode::CursorExpired, "comment.page", params).await;
    let params = json!({ "feed": Global, "before": "not a cursor" });
    let refusal = ann.is_refused(ErrorCode::Invalid, "feed.page", params).await;
    assert_eq!(refusal.field.as_deref(), Some("before"));
    ann.posts("still here").await;
    bob.hears_post("still here").await;
}

#[tokio::test]
async fn a_cursor_of_another_epoch_gets_a_snapshot() {
    let world = World::one_node().await;
    let mut ann = Person::arrives(world.a(), "ann", &[Global]).await;
    ann.posts("one").await;
    ann.hears_post("one").await;
    let own = ann.cursor.expect("a cursor");
    ann.loses_the_line();
    ann.cursor = Some(Cursor { epoch: Epoch(own.epoch.0 ^ 1), ..own });
    let welcome = ann.resumes(world.a()).await;
    assert!(!welcome.resumed);
    assert!(matches!(welcome.feeds[0], FeedStart::Snapshot { .. }));
    assert_eq!(welcome.cursor, own);
    assert_eq!(ann.state.texts(Global), ["one"]);
    ann.posts("two").await;
    ann.hears_post("two").await;
}

/// No honest client has one; whoever does is not left in silence.
#[tokio::test]
async fn a_cursor_of_the_future_does_not_silence_the_present() {
    let world = World::one_node().await;
    let mut ann = Person::arrives(world.a(), "ann", &[Global]).await;
    let own = ann.cursor.expect("a cursor");
    ann.loses_the_line();
    ann.cursor = Some(Cursor { seq: Seq(own.seq.0 + 1_000), ..own });
    ann.resumes(world.a()).await;
    ann.state.goes_on(Global, own.seq);
    ann.posts("one").await;
    ann.hears_post("one").await;
    assert_eq!(ann.cursor.map(|cursor| cursor.seq), Some(own.seq.next()));
}

#[tokio::test]
async fn who_was_away_for_too_much_gets_a_snapshot() {
    let world = World::one_node().await;
    let mut ann = Person::arrives(world.a(), "ann", &[]).await;
    let mut bob = Person::arrives(world.a(), "bob", &[Global]).await;
    bob.loses_the_line();
    for round in 0..21 {
        let mut asked = Vec::new();
        for number in 0..50 {
            let text = format!("post {}", round * 50 + number);
            let params = json!({ "id": uuid::Uuid::now_v7(), "text": text });
            asked.push(ann.asks("post.create", params).await);
        }
        for id in asked {
            ann.hears_answer(id).await;
        }
    }
    let welcome = bob.resumes(world.a()).await;
    assert!(!welcome.resumed);
    assert!(matches!(welcome.feeds[0], FeedStart::Snapshot { .. }));
    let texts = bob.state.texts(Global);
    assert_eq!(texts.last().map(String::as_str), Some("post 1049"));
}
