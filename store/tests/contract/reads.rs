//! Snapshots, pages, profiles and catch-up, each against a small world one can hold in one's head.

use tidings_actors::command::{Act, Command};
use tidings_actors::entry::{Change, Verb};
use tidings_actors::ports::{Branch, JournalStore, Reads, Who};
use tidings_protocol::entity::{Comment, Removed};
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::{CommentId, PostId, SessionId, UserId};
use tidings_protocol::position::Seq;
use tidings_protocol::text::Handle;
use uuid::Uuid;

use crate::world::{World, body, done, edit, once, post, rename};

#[tokio::test]
async fn a_viewer_comes_with_whom_they_follow() {
    let world = World::new().await;
    let (ann, bob, carol) = (world.sign_up("ann").await, world.sign_up("bob").await, world.sign_up("carol").await);
    done(world.does(ann, Act::Follow { whom: bob }).await);
    done(world.does(ann, Act::Follow { whom: carol }).await);
    done(world.does(ann, Act::Unfollow { whom: carol }).await);
    let session = world.log_in(ann, 1).await;
    let viewer = world.store.viewer(ann, session).await.unwrap().unwrap();
    assert_eq!((viewer.seq, viewer.user.id), (world.head().await, ann));
    assert_eq!(viewer.follows, [bob]);
    assert!(viewer.session_live);
    let ghost = UserId(Uuid::now_v7());
    assert!(world.store.viewer(ghost, session).await.unwrap().is_none());
    let unknown = world.store.viewer(ann, SessionId(Uuid::nil())).await;
    assert!(!unknown.unwrap().unwrap().session_live);
}

#[tokio::test]
async fn home_is_what_one_and_those_one_follows_have_written_newest_first() {
    let world = World::new().await;
    let (ann, bob, carol) = (world.sign_up("ann").await, world.sign_up("bob").await, world.sign_up("carol").await);
    done(world.does(ann, Act::Follow { whom: bob }).await);
    let mut expected = Vec::new();
    for nth in 0..12 {
        let author = [ann, bob, carol][nth % 3];
        let id = world.post(author, &nth.to_string()).await;
        if author != carol {
            expected.insert(0, id);
        }
    }
    done(world.does(bob, Act::PostDelete { id: expected.remove(0) }).await);
    let mut seen = Vec::new();
    let first = world.store.snapshot(Some(ann), FeedName::Home, 3).await.unwrap().unwrap();
    assert_eq!(first.seq, world.head().await);
    seen.extend(first.posts.unwrap().into_iter().map(|post| post.id));
    let mut next = first.next;
    while let Some(cursor) = next {
        assert_eq!(cursor.epoch, world.store.head().await.unwrap().epoch);
        let page = world.store.posts_page(Some(ann), FeedName::Home, Some(cursor.seq), 3);
        let page = page.await.unwrap().unwrap();
        seen.extend(page.posts.into_iter().map(|post| post.id));
        next = page.next;
    }
    assert_eq!(seen, expected);
    assert!(world.store.snapshot(None, FeedName::Home, 3).await.unwrap().is_none());
    assert!(world.store.snapshot(None, FeedName::Me, 3).await.unwrap().is_none());
}

#[tokio::test]
async fn an_empty_feed_is_empty_and_a_missing_one_is_none() {
    let world = World::new().await;
    let empty = world.store.snapshot(None, FeedName::Global, 10).await.unwrap().unwrap();
    assert_eq!((empty.seq, empty.posts, empty.next), (Seq(0), Some(vec![]), None));
    let ann = world.sign_up("ann").await;
    let home = world.store.snapshot(Some(ann), FeedName::Home, 10).await.unwrap().unwrap();
    assert_eq!(home.posts, Some(vec![]));
    let hers = world.store.snapshot(None, FeedName::User(ann), 10).await.unwrap().unwrap();
    assert_eq!((hers.user.unwrap().id, hers.posts), (ann, Some(vec![])));
    let me = world.store.snapshot(Some(ann), FeedName::Me, 10).await.unwrap().unwrap();
    assert_eq!((me.user.unwrap().id, me.follows), (ann, Some(vec![])));
    let (nobody, nothing) = (UserId(Uuid::now_v7()), PostId(Uuid::now_v7()));
    for feed in [FeedName::User(nobody), FeedName::Post(nothing)] {
        assert!(world.store.snapshot(None, feed, 10).await.unwrap().is_none());
    }
    let page = world.store.posts_page(None, FeedName::User(nobody), None, 10).await;
    assert!(page.unwrap().is_none());
    let page = world.store.posts_page(Some(ann), FeedName::Me, None, 10).await;
    assert!(page.unwrap().is_none());
    assert!(world.store.comments_page(None, Branch { post: nothing, parent: None }, None, 10).await.unwrap().is_none());
    assert!(world.store.post(None, nothing).await.unwrap().is_none());
}

#[tokio::test]
async fn a_thread_page_brings_what_its_comments_answer() {
    let world = World::new().await;
    let ann = world.sign_up("ann").await;
    let on = world.post(ann, "post").await;
    let root = world.comment(ann, on, None, "root").await;
    let middle = world.comment(ann, on, Some(root), "middle").await;
    let mut flat = Vec::new();
    for nth in 0..5 {
        flat.insert(0, world.comment(ann, on, None, &nth.to_string()).await);
    }
    let leaf = world.comment(ann, on, Some(middle), "leaf").await;
    done(world.does(ann, Act::CommentDelete { id: middle }).await);
    let first = world.store.snapshot(None, FeedName::Post(on), 3).await.unwrap().unwrap();
    assert_eq!(first.post.as_ref().unwrap().id, on);
    let comments = first.comments.unwrap();
    let ids: Vec<CommentId> = comments.iter().map(|comment| comment.id).collect();
    assert_eq!(ids, [leaf, flat[0], flat[1], middle, root]);
    let placeholder = &comments[3];
    assert!(placeholder.removed && placeholder.author.is_none() && placeholder.text.is_none());
    assert_eq!((placeholder.parent, placeholder.depth), (Some(root), 1));
    let next = first.next.unwrap();
    assert_eq!(next.seq, comments[2].seq, "the page goes on behind itself, not behind the ancestors");
    let second =
        world.store.comments_page(None, Branch { post: on, parent: None }, Some(next.seq), 3).await.unwrap().unwrap();
    let ids: Vec<CommentId> = second.comments.iter().map(|comment| comment.id).collect();
    assert_eq!(ids, flat[2..5]);
    let third =
        world.store.comments_page(None, Branch { post: on, parent: None }, Some(second.next.unwrap().seq), 3).await;
    let third = third.unwrap().unwrap();
    assert_eq!((third.comments.len(), third.comments[0].id, third.next), (1, root, None));
}

#[tokio::test]
async fn a_profile_tells_how_one_stands_to_it() {
    let world = World::new().await;
    let (ann, bob) = (world.sign_up("ann").await, world.sign_up("bob").await);
    done(world.does(ann, Act::Follow { whom: bob }).await);
    world.post(bob, "a").await;
    let gone = world.post(bob, "b").await;
    done(world.does(bob, Act::PostDelete { id: gone }).await);
    let who = Who::Handle(Handle::parse("bob").unwrap());
    let told = world.store.user(Some(ann), &who).await.unwrap().unwrap();
    assert_eq!(told.user.id, bob);
    assert!(told.following && !told.followed_by);
    assert_eq!((told.followers, told.follows, told.posts), (1, 0, 1));
    let told = world.store.user(Some(bob), &Who::Id(ann)).await.unwrap().unwrap();
    assert!(!told.following && told.followed_by);
    assert_eq!((told.followers, told.follows, told.posts), (0, 1, 0));
    let told = world.store.user(None, &Who::Id(ann)).await.unwrap().unwrap();
    assert!(!told.following && !told.followed_by);
    done(world.does(ann, Act::Unfollow { whom: bob }).await);
    let told = world.store.user(Some(ann), &who).await.unwrap().unwrap();
    assert_eq!((told.following, told.followers), (false, 0));
    let nobody = Who::Id(UserId(Uuid::now_v7()));
    assert!(world.store.user(None, &nobody).await.unwrap().is_none());
}

#[tokio::test]
async fn what_was_missed_is_told_as_it_is_now_from_the_cursor_on() {
    let world = World::new().await;
    let ann = world.sign_up("ann").await;
    let (kept, gone) = (world.post(ann, "kept").await, world.post(ann, "gone").await);
    let seen = world.head().await;
    done(world.does(ann, edit(kept, "edited", None)).await);
    done(world.does(ann, Act::PostDelete { id: gone }).await);
    let new = world.post(ann, "new").await;
    let missed = world.store.missed(None, &[FeedName::Global], seen, 100).await.unwrap();
    assert_eq!(missed.seq, world.head().await);
    let told: Vec<(Verb, PostId)> = missed
        .entries
        .iter()
        .map(|entry| match entry.change {
            Change::Post { verb, id, .. } => (verb, id),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(told, [(Verb::Updated, kept), (Verb::Removed, gone), (Verb::Created, new)]);
    let removed: Removed = body(&missed.entries[1]);
    assert_eq!((removed.id, removed.rev), (gone.0, missed.entries[1].seq));
    // The entry at the cursor comes again.
    let again = world.store.missed(None, &[FeedName::Global], missed.seq, 100).await.unwrap();
    assert_eq!(again.entries.len(), 1);
    let beyond = world.store.missed(None, &[FeedName::Global], missed.seq.next(), 100).await;
    assert!(beyond.unwrap().entries.is_empty());
}

#[tokio::test]
async fn too_much_is_told_as_such_and_not_in_part() {
    let world = World::new().await;
    let ann = world.sign_up("ann").await;
    for nth in 0..10 {
        world.post(ann, &nth.to_string()).await;
    }
    let feeds = [FeedName::Home, FeedName::Global, FeedName::Me];
    let all = world.store.missed(Some(ann), &feeds, Seq(1), 11).await.unwrap();
    assert_eq!((all.entries.len(), all.too_much), (11, false), "ten posts and the profile, once");
    let most = world.store.missed(Some(ann), &feeds, Seq(1), 10).await.unwrap();
    assert!(most.too_much && most.entries.is_empty());
}

#[tokio::test]
async fn home_starts_afresh_after_a_follow_and_other_feeds_go_on() {
    let world = World::new().await;
    let (ann, bob) = (world.sign_up("ann").await, world.sign_up("bob").await);
    world.post(bob, "before").await;
    let seen = world.head().await;
    done(world.does(ann, Act::Follow { whom: bob }).await);
    done(world.does(bob, rename("Robert")).await);
    let feeds = [FeedName::Home, FeedName::Me, FeedName::User(bob)];
    let missed = world.store.missed(Some(ann), &feeds, seen.next(), 100).await.unwrap();
    assert_eq!(missed.restart, [FeedName::Home, FeedName::User(bob)]);
    let changes: Vec<Change> = missed.entries.iter().map(|entry| entry.change).collect();
    assert_eq!(
        changes,
        [
            Change::Follow { verb: Verb::Created, follower: ann, followee: bob },
            Change::User { verb: Verb::Updated, id: bob },
        ]
    );
    // His follows are none of her business, nor are hers his.
    let his = world.store.missed(Some(bob), &[FeedName::Home, FeedName::Me], seen, 100).await;
    let his = his.unwrap();
    assert!(his.restart.is_empty());
    assert_eq!(his.entries.len(), 2, "his last post, which is at the cursor, and his profile");
}

#[tokio::test]
async fn a_comment_that_came_and_went_unseen_still_holds_its_answers() {
    let world = World::new().await;
    let ann = world.sign_up("ann").await;
    let on = world.post(ann, "post").await;
    let seen = world.head().await;
    let parent = world.comment(ann, on, None, "came").await;
    let answer = world.comment(ann, on, Some(parent), "stays").await;
    done(world.does(ann, Act::CommentDelete { id: parent }).await);
    let missed = world.store.missed(None, &[FeedName::Post(on)], seen.next(), 100).await.unwrap();
    let read = world.store.read(seen.next(), Seq(1_000)).await.unwrap();
    for entries in [missed.entries, read.entries] {
        let told: Vec<Comment> = entries.iter().map(body).collect();
        assert_eq!((told[0].id, told[1].id), (answer, parent));
        assert!(told[1].removed && told[1].text.is_none() && told[1].author.is_none());
    }
    // Whoever has seen it hears of the removal alone.
    let later = world.head().await;
    let missed = world.store.missed(None, &[FeedName::Post(on)], later, 100).await.unwrap();
    assert_eq!(body::<Removed>(&missed.entries[0]).id, parent.0);
}

#[tokio::test]
async fn a_removed_post_takes_its_comments_along_in_one_event() {
    let world = World::new().await;
    let ann = world.sign_up("ann").await;
    let on = world.post(ann, "post").await;
    let seen = world.head().await;
    world.comment(ann, on, None, "one").await;
    done(world.does(ann, Act::PostDelete { id: on }).await);
    let missed = world.store.missed(None, &[FeedName::Post(on)], seen, 100).await.unwrap();
    assert_eq!(missed.entries.len(), 1);
    assert_eq!(body::<Removed>(&missed.entries[0]).id, on.0);
    assert!(world.store.snapshot(None, FeedName::Post(on), 10).await.unwrap().is_none());
    assert!(world.store.post(None, on).await.unwrap().is_none());
    let read = world.store.read(seen, Seq(1_000)).await.unwrap();
    let seqs: Vec<Seq> = read.entries.iter().map(|entry| entry.seq).collect();
    assert_eq!(seqs, [world.head().await]);
}

#[tokio::test]
async fn snapshots_under_load_are_of_one_moment() {
    let world = World::new().await;
    let ann = world.sign_up("ann").await;
    let node = world.another_node();
    let writer = tokio::spawn(async move {
        for _ in 0..60 {
            let commands: Vec<Command> =
                (0..5).map(|_| Command { actor: ann, act: post(PostId(Uuid::now_v7()), "x") }).collect();
            node.commit(once(), &commands).await.unwrap();
        }
    });
    while !writer.is_finished() {
        let snapshot = world.store.snapshot(None, FeedName::Global, 1_000).await.unwrap().unwrap();
        let newest = snapshot.posts.as_ref().unwrap().first().map_or(1, |post| post.seq.0);
        assert_eq!(newest, snapshot.seq.0, "the newest post is the head it was read at");
        assert_eq!(snapshot.posts.unwrap().len() as u64, snapshot.seq.0 - 1);
    }
    writer.await.unwrap();
}
