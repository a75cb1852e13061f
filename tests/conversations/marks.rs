//! Reactions, bookmarks, numbers under posts and earlier versions: in step on all devices and all nodes (P3, P4), for nobody who may not see
//! the post (P5).

use std::collections::BTreeMap;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tidings_protocol::entity::{Bookmark, Reaction};
use tidings_protocol::error::{ErrorCode, Refusal};
use tidings_protocol::feed::FeedName::{self, Home, Me};
use tidings_protocol::ids::PostId;
use tidings_protocol::marks::{
    BookmarkResult, BookmarksPage, Emoji, PostCounts, PostHistory, PostStats, PostsStats, ReactionResult,
};
use tidings_protocol::push::Notice;
use uuid::Uuid;

use crate::person::Person;
use crate::state::{Thing, reaction_key};
use crate::world::World;

impl Person {
    async fn reacts(&mut self, post: PostId, emoji: Emoji) -> Reaction {
        let params = json!({ "id": post, "emoji": emoji });
        let result: ReactionResult = self.request("post.react", params).await.expect("reacted");
        assert_eq!((result.reaction.rev, result.reaction.post), (result.seq, post));
        result.reaction
    }

    async fn stats(&mut self, post: PostId) -> Option<PostStats> {
        let result: PostsStats = self.request("post.stats", json!({ "ids": [post] })).await.expect("stats");
        assert!(result.stats.len() <= 1);
        result.stats.into_iter().next()
    }

    /// The last numbers of a post that this connection was told.
    fn counted(&self, post: PostId) -> Option<&PostCounts> {
        let counts = self
            .notices
            .iter()
            .filter_map(|notice| if let Notice::Counts(counts) = notice { Some(counts) } else { None });
        counts.filter(|counts| counts.post == post).max_by_key(|counts| counts.seq)
    }

    async fn hears_counts(&mut self, what: &str, post: PostId, is_so: impl Fn(&PostCounts) -> bool) -> PostCounts {
        self.hears_until(what, |me| me.counted(post).is_some_and(&is_so)).await;
        self.counted(post).expect("just heard").clone()
    }

    /// One's reaction to a post as `me` has told it.
    fn reaction(&self, post: PostId) -> Option<Emoji> {
        let thing = self.state.feeds.get(&Me)?.things.get(&reaction_key(post));
        if let Some((_, Thing::Reaction(reaction))) = thing { reaction.emoji } else { None }
    }

    fn bookmark(&self, post: PostId) -> Option<Bookmark> {
        let thing = self.state.feeds.get(&Me)?.things.get(&format!("bookmark {post}"));
        if let Some((_, Thing::Bookmark(kept))) = thing { Some(*kept) } else { None }
    }
}

fn without_seq(counts: &PostCounts) -> (u64, u64, u64, &BTreeMap<Emoji, u64>) {
    (counts.comments, counts.reposts, counts.quotes, &counts.reactions)
}

/// P4: eight people react at the same moment and change their minds, on two nodes; every device ends up with what is fetched.
#[tokio::test]
async fn eight_who_react_at_once_are_counted_alike_on_two_devices_and_two_nodes() {
    let world = World::two_nodes().await;
    let mut ann = Person::arrives(world.a(), "ann", &[Me]).await;
    let post = ann.posts("what do you think?").await.id;
    let feed = FeedName::Post(post);
    let mut elsewhere = Person::logs_in(world.b(), "ann").await;
    elsewhere.connects(world.b(), &[Me, feed]).await;
    let mut watcher = Person::arrives(world.a(), "walt", &[feed]).await;
    let mut people = Vec::new();
    for nth in 0..8 {
        let node = if nth % 2 == 0 { world.a() } else { world.b() };
        people.push(Person::arrives(node, &format!("person{nth}"), &[]).await);
    }
    let all = people.iter_mut().zip(Emoji::ALL).map(|(person, last)| async move {
        for emoji in [Emoji::Like, Emoji::Party, Emoji::Like, last] {
            person.reacts(post, emoji).await;
        }
    });
    join_all(all).await;
    ann.reacts(post, Emoji::Love).await;
    let all: BTreeMap<Emoji, u64> =
        Emoji::ALL.into_iter().map(|emoji| (emoji, if emoji == Emoji::Love { 2 } else { 1 })).collect();
    for device in [&mut elsewhere, &mut watcher] {
        device.hears_counts("all nine are counted", post, |counts| counts.reactions == all).await;
    }
    let fetched = watcher.stats(post).await.expect("public");
    assert_eq!(fetched.counts.reactions, all);
    assert_eq!(fetched.mine, Default::default());
    elsewhere.hears_until("her own reaction, on the other device", |me| me.reaction(post) == Some(Emoji::Love)).await;
    ann.hears_until("and on this one", |me| me.reaction(post) == Some(Emoji::Love)).await;
    let mine = elsewhere.stats(post).await.expect("public").mine;
    assert_eq!(mine.reaction, Some(Emoji::Love));
    // Taken back on one device, gone on the other.
    let gone: ReactionResult = ann.request("post.unreact", json!({ "id": post })).await.expect("taken back");
    assert_eq!(gone.reaction, Reaction { rev: gone.seq, post, emoji: None });
    elsewhere.hears_until("it is taken back", |me| me.state.is_gone(Me, &reaction_key(post))).await;
    watcher.hears_counts("eight are left", post, |counts| counts.reactions.get(&Emoji::Love) == Some(&1)).await;
    let again: ReactionResult = ann.request("post.unreact", json!({ "id": post })).await.expect("no harm");
    assert!(again.duplicate && again.seq == gone.seq);
}

/// Everything that is counted, told as it happens, and the same to whoever comes later or comes back.
#[tokio::test]
async fn numbers_follow_comments_reposts_and_quotes_and_reach_whoever_comes_later() {
    let world = World::two_nodes().await;
    let mut ann = Person::arrives(world.a(), "ann", &[]).await;
    let post = ann.posts("hello").await.id;
    let feed = FeedName::Post(post);
    let mut bob = Person::arrives(world.b(), "bob", &[feed]).await;
    bob.hears_counts("nothing yet, and told so", post, |counts| without_seq(counts) == (0, 0, 0, &BTreeMap::new()))
        .await;
    let comment = ann.comments(post, None, "one").await;
    ann.comments(post, Some(comment.id), "two").await;
    bob.hears_counts("two comments", post, |counts| counts.comments == 2).await;
    let (repost, quote) = (Uuid::now_v7(), Uuid::now_v7());
    let created: Result<Value, Refusal> = ann.request("post.create", json!({ "id": repost, "of": post })).await;
    created.expect("handed on");
    let words = json!({ "id": quote, "of": post, "text": "look at this" });
    let created: Result<Value, Refusal> = bob.request("post.create", words).await;
    created.expect("quoted");
    bob.hears_counts("handed on twice", post, |counts| (counts.reposts, counts.quotes) == (1, 1)).await;
    assert_eq!(ann.stats(post).await.expect("hers").mine.repost, Some(PostId(repost)));
    let narrowed = json!({ "id": quote, "text": "look at this", "visibility": "private" });
    let narrowed: Result<Value, Refusal> = bob.request("post.update", narrowed).await;
    narrowed.expect("narrowed");
    bob.hears_counts("a quote for nobody is no quote", post, |counts| (counts.reposts, counts.quotes) == (1, 0)).await;
    ann.deletes(PostId(repost)).await;
    let removed: Result<Value, Refusal> = ann.request("comment.delete", json!({ "id": comment.id })).await;
    removed.expect("removed");
    let last =
        bob.hears_counts("all but one comment gone", post, |counts| without_seq(counts).0 == 1 && counts.reposts == 0);
    let last = last.await;
    // Whoever comes to watch is told, on either node; and whoever comes back with a cursor.
    let mut cara = Person::arrives(world.a(), "cara", &[feed]).await;
    let told = cara.hears_counts("the same", post, |_| true).await;
    assert_eq!(without_seq(&told), without_seq(&last));
    bob.loses_the_line();
    cara.reacts(post, Emoji::Wow).await;
    let welcome = bob.resumes(world.a()).await;
    assert!(welcome.resumed);
    bob.hears_counts("what happened meanwhile", post, |counts| counts.reactions.contains_key(&Emoji::Wow)).await;
    let mut dan = Person::arrives(world.b(), "dan", &[]).await;
    let subscribed: Result<Value, Refusal> = dan.request("feed.subscribe", json!({ "feed": feed })).await;
    dan.feeds.push(feed);
    let snapshot = serde_json::from_value(subscribed.expect("subscribed")).expect("a snapshot");
    dan.state.starts_afresh(snapshot);
    let told = dan.hears_counts("told after a subscription", post, |_| true).await;
    assert_eq!(told.reactions, BTreeMap::from([(Emoji::Wow, 1)]));
}

/// P10: killing Redis costs latency, never the last numbers.
#[tokio::test]
async fn with_redis_killed_the_numbers_still_come() {
    let mut world = World::two_nodes().await;
    let mut ann = Person::arrives(world.a(), "ann", &[]).await;
    let post = ann.posts("hello").await.id;
    let mut bob = Person::arrives(world.b(), "bob", &[FeedName::Post(post)]).await;
    bob.hears_counts("nothing yet", post, |_| true).await;
    world.redis().kill9().unwrap();
    ann.reacts(post, Emoji::Sad).await;
    bob.hears_counts("a reaction on the other node", post, |counts| !counts.reactions.is_empty()).await;
}

/// P5.
#[tokio::test]
async fn posts_that_one_may_not_see_can_be_neither_marked_nor_counted_nor_looked_up() {
    let world = World::one_node().await;
    let mut ann = Person::arrives(world.a(), "ann", &[]).await;
    let mut bob = Person::arrives(world.a(), "bob", &[Me]).await;
    let secret = Uuid::now_v7();
    let created = json!({ "id": secret, "text": "for those who follow", "visibility": "followers" });
    let created: Result<Value, Refusal> = ann.request("post.create", created).await;
    created.expect("posted");
    let open = ann.posts("open").await.id;
    let blocked: Result<Value, Refusal> = ann.request("user.block", json!({ "id": bob.id() })).await;
    blocked.expect("blocked");
    let mut nobody = Person::anonymous();
    nobody.connects(world.a(), &[]).await;
    for post in [PostId(secret), open, PostId(Uuid::now_v7())] {
        for method in ["post.bookmark", "post.history"] {
            bob.is_refused(ErrorCode::NotFound, method, json!({ "id": post })).await;
        }
        bob.is_refused(ErrorCode::NotFound, "post.react", json!({ "id": post, "emoji": "like" })).await;
        assert_eq!(bob.stats(post).await, None);
    }
    assert_eq!(nobody.stats(PostId(secret)).await, None);
    assert!(nobody.stats(open).await.is_some(), "a public post's numbers are for everybody");
    for (method, params) in [
        ("post.react", json!({ "id": open, "emoji": "like" })),
        ("post.unreact", json!({ "id": open })),
        ("post.bookmark", json!({ "id": open })),
        ("post.unbookmark", json!({ "id": open })),
        ("bookmark.page", json!({})),
    ] {
        nobody.is_refused(ErrorCode::Unauthorized, method, params).await;
    }
    let counts = ann.stats(open).await.expect("hers").counts;
    assert_eq!(without_seq(&counts), (0, 0, 0, &BTreeMap::new()));
}

#[tokio::test]
async fn bookmarks_are_in_step_on_all_devices_and_come_page_by_page() {
    let world = World::two_nodes().await;
    let mut ann = Person::arrives(world.a(), "ann", &[]).await;
    let mut bob = Person::arrives(world.a(), "bob", &[Me, Home]).await;
    let mut elsewhere = Person::logs_in(world.b(), "bob").await;
    elsewhere.connects(world.b(), &[Me]).await;
    let mut posts = Vec::new();
    for nth in 0..5 {
        let post = ann.posts(&format!("post {nth}")).await.id;
        let kept: BookmarkResult = bob.request("post.bookmark", json!({ "id": post })).await.expect("kept");
        assert!(kept.bookmarked && !kept.duplicate);
        posts.insert(0, post);
    }
    let newest = posts[0];
    elsewhere.hears_until("the newest is kept there too", |me| me.bookmark(newest).is_some()).await;
    // Away while one goes and one is kept anew.
    elsewhere.loses_the_line();
    let gone: BookmarkResult = bob.request("post.unbookmark", json!({ "id": posts[1] })).await.expect("gone");
    assert!(!gone.bookmarked);
    ann.deletes(posts[2]).await;
    elsewhere.resumes(world.a()).await;
    let key = format!("bookmark {}", posts[1]);
    elsewhere.hears_until("it is kept no longer", |me| me.state.is_gone(Me, &key)).await;
    let (mut found, mut before) = (Vec::new(), Value::Null);
    loop {
        let params = json!({ "before": before, "limit": 2 });
        let page: BookmarksPage = elsewhere.request("bookmark.page", params).await.expect("a page");
        for kept in page.bookmarks {
            assert_eq!(elsewhere.bookmark(kept.post.id).map(|known| known.rev), Some(kept.rev), "as `me` has told it");
            found.push(kept.post.id);
        }
        match page.next {
            Some(next) => before = json!(next),
            None => break,
        }
    }
    assert_eq!(found, [posts[0], posts[3], posts[4]], "without what was taken away and what is removed");
    let mine = bob.stats(posts[0]).await.expect("public").mine;
    assert!(mine.bookmarked);
    assert!(ann.stats(posts[0]).await.is_some_and(|stats| !stats.mine.bookmarked), "nobody else's business");
}

#[tokio::test]
async fn what_a_post_said_before_can_be_read_by_those_for_whom_it_was() {
    let world = World::one_node().await;
    let mut ann = Person::arrives(world.a(), "ann", &[]).await;
    let mut bob = Person::arrives(world.a(), "bob", &[]).await;
    let id = Uuid::now_v7();
    let draft = json!({ "id": id, "text": "a draft", "visibility": "private" });
    let created: Result<Value, Refusal> = ann.request("post.create", draft).await;
    created.expect("posted");
    for text in ["first words", "better words"] {
        let edit = json!({ "id": id, "text": text, "visibility": "public" });
        let edited: Result<Value, Refusal> = ann.request("post.update", edit).await;
        edited.expect("edited");
    }
    let texts = |history: PostHistory| history.versions.into_iter().map(|version| version.text).collect::<Vec<_>>();
    let all: PostHistory = ann.request("post.history", json!({ "id": id })).await.expect("her own");
    assert_eq!(texts(all), ["first words", "a draft"]);
    let public: PostHistory = bob.request("post.history", json!({ "id": id })).await.expect("what was public");
    assert_eq!(texts(public), ["first words"]);
    ann.deletes(PostId(id)).await;
    ann.is_refused(ErrorCode::NotFound, "post.history", json!({ "id": id })).await;
}

#[tokio::test]
async fn stats_are_asked_for_one_to_a_hundred_posts_at_once() {
    let world = World::one_node().await;
    let mut ann = Person::arrives(world.a(), "ann", &[]).await;
    let (one, two) = (ann.posts("one").await.id, ann.posts("two").await.id);
    let missing: Vec<Uuid> = (0..97).map(|_| Uuid::now_v7()).collect();
    let ids: Vec<Value> = [two.0, one.0, two.0].iter().chain(&missing).map(|id| json!(id)).collect();
    let found: PostsStats = ann.request("post.stats", json!({ "ids": ids })).await.expect("stats");
    assert_eq!(found.stats.iter().map(|stats| stats.counts.post).collect::<Vec<_>>(), [two, one]);
    for ids in [json!([]), json!(vec![Uuid::nil(); 101])] {
        let refusal = ann.is_refused(ErrorCode::Invalid, "post.stats", json!({ "ids": ids })).await;
        assert_eq!(refusal.field.as_deref(), Some("ids"));
    }
    let refusal = ann.is_refused(ErrorCode::Invalid, "post.react", json!({ "id": one, "emoji": "meh" })).await;
    assert_eq!(refusal.field.as_deref(), Some("emoji"));
}
