//! Reactions, bookmarks and earlier versions; their numbers against something dumber are in [`counting`].

mod counting;

use std::collections::BTreeMap;

use tidings_actors::command::{Act, Command, Deed, Denied};
use tidings_actors::entry::{Change, Verb};
use tidings_actors::ports::{JournalStore, Marks, Reads};
use tidings_protocol::entity::{Post, Visibility};
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::{PostId, UserId};
use tidings_protocol::marks::{Bookmark, Emoji, MyMarks, Reaction};
use tidings_protocol::position::Seq;
use tidings_protocol::push::EventName;
use uuid::Uuid;

use crate::world::{World, block, body, done, duplicate, edit, edit_for, post_for, refused, unblock};

fn react(post: PostId, emoji: Emoji) -> Act {
    Act::Deed(Deed::React { post, emoji })
}

fn unreact(post: PostId) -> Act {
    Act::Deed(Deed::Unreact { post })
}

fn bookmark(post: PostId) -> Act {
    Act::Deed(Deed::Bookmark { post })
}

fn unbookmark(post: PostId) -> Act {
    Act::Deed(Deed::Unbookmark { post })
}

#[tokio::test]
async fn a_reaction_is_one_of_each_user_and_the_last_one_counts() {
    let world = World::new().await;
    let (ann, bob) = (world.sign_up("ann").await, world.sign_up("bob").await);
    let post = world.post(ann, "hello").await;
    let first = done(world.does(bob, react(post, Emoji::Like)).await);
    assert_eq!(first.change, Change::Own { event: EventName::ReactionUpdated, user: bob, id: post.0 });
    assert_eq!(body::<Reaction>(&first), Reaction { rev: first.seq, post, emoji: Some(Emoji::Like) });
    let again = duplicate(world.does(bob, react(post, Emoji::Like)).await);
    assert_eq!((again.seq, world.head().await > first.seq), (first.seq, true), "ann is notified of the first");
    done(world.does(bob, react(post, Emoji::Party)).await);
    done(world.does(ann, react(post, Emoji::Party)).await);
    let stats = world.store.stats(Some(bob), &[post]).await.unwrap().remove(0);
    assert_eq!(stats.counts.reactions, BTreeMap::from([(Emoji::Party, 2)]));
    assert_eq!(stats.counts.seq, world.head().await);
    assert_eq!(stats.mine, MyMarks { reaction: Some(Emoji::Party), ..MyMarks::default() });
    let gone = done(world.does(bob, unreact(post)).await);
    assert_eq!(gone.change, Change::Own { event: EventName::ReactionRemoved, user: bob, id: post.0 });
    assert_eq!(body::<Reaction>(&gone), Reaction { rev: gone.seq, post, emoji: None });
    assert_eq!(duplicate(world.does(bob, unreact(post)).await).seq, gone.seq);
    let never = duplicate(world.does(world.sign_up("cara").await, unreact(post)).await);
    assert_eq!(body::<Reaction>(&never), Reaction { rev: Seq(0), post, emoji: None });
    let counts = world.store.counts(&[post]).await.unwrap().remove(0);
    assert_eq!(counts.reactions, BTreeMap::from([(Emoji::Party, 1)]));
}

#[tokio::test]
async fn p5_what_one_may_not_see_cannot_be_marked_nor_counted() {
    let world = World::new().await;
    let (ann, bob, eve) = (world.sign_up("ann").await, world.sign_up("bob").await, world.sign_up("eve").await);
    let secret = PostId(Uuid::now_v7());
    done(world.does(ann, post_for(secret, "only for those who follow", Visibility::Followers)).await);
    let (open, gone) = (world.post(ann, "open").await, world.post(ann, "gone").await);
    done(world.does(bob, Act::Follow { whom: ann }).await);
    done(world.does(bob, react(gone, Emoji::Sad)).await);
    done(world.does(bob, bookmark(gone)).await);
    done(world.does(ann, Act::PostDelete { id: gone }).await);
    done(world.does(ann, block(eve)).await);
    let missing = PostId(Uuid::now_v7());
    for (who, post) in [(eve, secret), (eve, open), (bob, gone), (bob, missing)] {
        assert_eq!(refused(world.does(who, react(post, Emoji::Like)).await), Denied::NotFound);
        assert_eq!(refused(world.does(who, bookmark(post)).await), Denied::NotFound);
        assert!(world.store.stats(Some(who), &[post]).await.unwrap().is_empty());
        assert!(world.store.history(Some(who), post).await.unwrap().is_none());
    }
    assert!(world.store.stats(None, &[secret]).await.unwrap().is_empty());
    assert_eq!(world.store.stats(Some(bob), &[missing, secret, gone, open]).await.unwrap().len(), 2);
    for post in [secret, open] {
        done(world.does(bob, react(post, Emoji::Love)).await);
        done(world.does(bob, bookmark(post)).await);
    }
    let page = |user| world.store.bookmarks_page(user, None, 10);
    assert_eq!(page(bob).await.unwrap().bookmarks.len(), 2);
    done(world.does(ann, block(bob)).await);
    assert!(page(bob).await.unwrap().bookmarks.is_empty(), "not while they are apart");
    // One's own can always be taken back.
    done(world.does(bob, unreact(secret)).await);
    done(world.does(bob, unbookmark(secret)).await);
    done(world.does(bob, unreact(gone)).await);
    done(world.does(ann, unblock(bob)).await);
    let bookmarks = page(bob).await.unwrap().bookmarks;
    assert_eq!(bookmarks.iter().map(|kept| kept.post.id).collect::<Vec<_>>(), [open]);
}

#[tokio::test]
async fn bookmarks_come_newest_first_and_page_by_page() {
    let world = World::new().await;
    let (ann, bob) = (world.sign_up("ann").await, world.sign_up("bob").await);
    let mut expected = Vec::new();
    for nth in 0..7 {
        let post = world.post(ann, &nth.to_string()).await;
        let kept = done(world.does(bob, bookmark(post)).await);
        assert_eq!(body::<Bookmark>(&kept), Bookmark { rev: kept.seq, post });
        expected.insert(0, (kept.seq, post));
    }
    // Kept anew, the oldest is the newest.
    let (_, oldest) = expected.pop().unwrap();
    done(world.does(bob, unbookmark(oldest)).await);
    let kept = done(world.does(bob, bookmark(oldest)).await);
    assert_eq!(duplicate(world.does(bob, bookmark(oldest)).await).seq, kept.seq);
    expected.insert(0, (kept.seq, oldest));
    let (mut found, mut before) = (Vec::new(), None);
    loop {
        let page = world.store.bookmarks_page(bob, before, 3).await.unwrap();
        assert!(page.bookmarks.len() <= 3);
        found.extend(page.bookmarks.into_iter().map(|kept| (kept.rev, kept.post.id)));
        match page.next {
            Some(next) => before = Some(next.seq),
            None => break,
        }
    }
    assert_eq!(found, expected);
    assert!(world.store.bookmarks_page(ann, None, 3).await.unwrap().bookmarks.is_empty(), "they are bob's");
}

#[tokio::test]
async fn p4_me_catches_up_with_marks_by_their_rev() {
    let world = World::new().await;
    let (ann, bob) = (world.sign_up("ann").await, world.sign_up("bob").await);
    let (one, two) = (world.post(ann, "one").await, world.post(ann, "two").await);
    done(world.does(bob, react(one, Emoji::Like)).await);
    let since = world.head().await.next();
    done(world.does(bob, react(two, Emoji::Wow)).await);
    done(world.does(bob, bookmark(one)).await);
    done(world.does(bob, react(two, Emoji::Sad)).await);
    done(world.does(bob, unreact(one)).await);
    done(world.does(ann, react(one, Emoji::Like)).await);
    let missed = world.store.missed(Some(bob), &[FeedName::Me], since, 100).await.unwrap();
    let own = |entry: &tidings_actors::entry::Entry| match entry.change {
        Change::Own { event, user, id } if user == bob => Some((event, PostId(id))),
        _ => None,
    };
    let told: Vec<_> = missed.entries.iter().filter_map(own).collect();
    let expected =
        [(EventName::BookmarkCreated, one), (EventName::ReactionUpdated, two), (EventName::ReactionRemoved, one)];
    assert_eq!(told, expected, "each once, as it is now, in the order of their revs");
    let last = body::<Reaction>(&missed.entries[1]);
    assert_eq!((last.emoji, last.rev), (Some(Emoji::Sad), missed.entries[1].seq));
    // What a tail reads of the journal says the same, each entry where it is.
    let read = world.store.read(since, world.head().await).await.unwrap();
    let read: Vec<_> = read.entries.iter().filter_map(own).collect();
    assert_eq!(read, expected);
    let me = world.store.snapshot(Some(bob), FeedName::Me, 10).await.unwrap().unwrap();
    assert_eq!(me.follows, Some(vec![]), "a snapshot of `me` holds no marks, and can be read all the same");
    let too_much = world.store.missed(Some(bob), &[FeedName::Me], Seq(1), 2).await.unwrap();
    assert!(too_much.too_much, "the limit holds for marks as well");
}

#[tokio::test]
async fn what_a_post_said_before_is_for_those_for_whom_it_was() {
    let world = World::new().await;
    let (ann, bob, eve) = (world.sign_up("ann").await, world.sign_up("bob").await, world.sign_up("eve").await);
    let id = PostId(Uuid::now_v7());
    done(world.does(bob, Act::Follow { whom: ann }).await);
    done(world.does(ann, post_for(id, "a draft", Visibility::Private)).await);
    done(world.does(ann, edit_for(id, "for friends", Some(Visibility::Followers), None)).await);
    done(world.does(ann, edit_for(id, "for all", Some(Visibility::Public), None)).await);
    let now = done(world.does(ann, edit(id, "for all, again", None)).await);
    done(world.does(ann, edit_for(id, "for all, again", Some(Visibility::Followers), None)).await);
    done(world.does(ann, edit_for(id, "for all, again", Some(Visibility::Public), None)).await);
    let texts = async |who: Option<UserId>| -> Vec<String> {
        let history = world.store.history(who, id).await.unwrap().unwrap();
        let revs: Vec<Seq> = history.versions.iter().map(|version| version.rev).collect();
        assert!(revs.is_sorted_by(|newer, older| newer > older) && revs.iter().all(|rev| *rev < now.seq));
        history.versions.into_iter().map(|version| version.text).collect()
    };
    assert_eq!(texts(Some(ann)).await, ["for all", "for friends", "a draft"]);
    assert_eq!(texts(Some(bob)).await, ["for all", "for friends"]);
    assert_eq!(texts(Some(eve)).await, ["for all"]);
    assert_eq!(texts(None).await, ["for all"]);
    done(world.does(ann, Act::PostDelete { id }).await);
    assert!(world.store.history(Some(ann), id).await.unwrap().is_none());
    assert_eq!(world.database.psql("select count(*) from post_versions").unwrap(), "0");
}

#[tokio::test]
async fn marks_that_were_taken_back_and_marks_on_removed_posts_are_forgotten() {
    let world = World::new().await;
    let (ann, bob) = (world.sign_up("ann").await, world.sign_up("bob").await);
    let (gone, stays) = (world.post(ann, "gone").await, world.post(ann, "stays").await);
    for post in [gone, stays] {
        done(world.does(bob, react(post, Emoji::Like)).await);
        done(world.does(bob, bookmark(post)).await);
        done(world.does(ann, react(post, Emoji::Like)).await);
        done(world.does(ann, bookmark(post)).await);
    }
    done(world.does(ann, unreact(stays)).await);
    done(world.does(ann, unbookmark(stays)).await);
    done(world.does(ann, Act::PostDelete { id: gone }).await);
    let rows = || world.database.psql("select (select count(*) from reactions), (select count(*) from bookmarks)");
    assert_eq!(rows().unwrap(), "4|4", "kept for who was away");
    world.database.psql("update journal set at_ms = at_ms - 1000000").unwrap();
    world.store.prune(1_000).await.unwrap();
    // The floor is at the head: the last entry stays, and with it what it is about.
    world.post(ann, "one more").await;
    world.database.psql("update journal set at_ms = at_ms - 1000000").unwrap();
    world.store.prune(1_000).await.unwrap();
    assert_eq!(rows().unwrap(), "1|1");
    let stats = world.store.stats(Some(bob), &[stays]).await.unwrap().remove(0);
    assert_eq!(stats.mine, MyMarks { reaction: Some(Emoji::Like), bookmarked: true, repost: None });
    assert_eq!(stats.counts.reactions, BTreeMap::from([(Emoji::Like, 1)]));
}

#[tokio::test]
async fn three_public_posts_of_ones_own_can_be_pinned_and_profiles_begin_with_them() {
    let world = World::new().await;
    let (ann, bob) = (world.sign_up("ann").await, world.sign_up("bob").await);
    let pin = |post| Act::Deed(Deed::Pin { post });
    let unpin = |post| Act::Deed(Deed::Unpin { post });
    let mut posts = Vec::new();
    for nth in 0..8 {
        posts.push(world.post(ann, &nth.to_string()).await);
    }
    let first = done(world.does(ann, pin(posts[0])).await);
    assert!(
        matches!(first.change, Change::Post { verb: Verb::Updated, id, author } if id == posts[0] && author == ann)
    );
    let post: Post = body(&first);
    assert!(post.extra.pinned && post.rev == first.seq && post.text == "0");
    assert_eq!(duplicate(world.does(ann, pin(posts[0])).await).seq, first.seq);
    // As ever, a create asked again is known for what it is.
    assert!(body::<Post>(&duplicate(world.does(ann, crate::world::post(posts[0], "0")).await)).extra.pinned);
    done(world.does(ann, pin(posts[1])).await);
    done(world.does(ann, pin(posts[7])).await);
    assert_eq!(refused(world.does(ann, pin(posts[2])).await), Denied::TooManyPinned);
    assert_eq!(refused(world.does(bob, pin(posts[2])).await), Denied::Forbidden);
    done(world.does(ann, edit(posts[0], "0, edited", None)).await);
    let read = world.store.read(Seq(1), world.head().await).await.unwrap();
    let pinned = |entry: &&tidings_actors::entry::Entry| entry.body.get().contains("\"pinned\":true");
    assert_eq!(read.entries.iter().filter(pinned).count(), 3, "a tail reads what the writer was told");
    let profile = world.store.snapshot(Some(bob), FeedName::User(ann), 3).await.unwrap().unwrap();
    let shown: Vec<PostId> = profile.posts.unwrap().into_iter().map(|post| post.id).collect();
    assert_eq!(shown, [posts[7], posts[6], posts[5]]);
    let pinned: Vec<PostId> = profile.pinned.unwrap().into_iter().map(|post| post.id).collect();
    assert_eq!(pinned, [posts[7], posts[1], posts[0]], "wherever they stand");
    let page = world.store.posts_page(Some(bob), FeedName::User(ann), Some(profile.next.unwrap().seq), 3);
    let page: Vec<PostId> = page.await.unwrap().unwrap().posts.into_iter().map(|post| post.id).collect();
    assert_eq!(page, [posts[4], posts[3], posts[2]]);
    done(world.does(ann, unpin(posts[1])).await);
    duplicate(world.does(ann, unpin(posts[1])).await);
    done(world.does(ann, edit_for(posts[0], "0", Some(Visibility::Private), None)).await);
    let profile = world.store.snapshot(Some(bob), FeedName::User(ann), 3).await.unwrap().unwrap();
    assert_eq!(profile.pinned.unwrap().len(), 1, "not the one that is for her alone");
    let home = world.store.snapshot(Some(ann), FeedName::Home, 3).await.unwrap().unwrap();
    assert_eq!((home.posts.unwrap().len(), home.pinned), (3, None));
    assert_eq!(refused(world.does(bob, unpin(posts[0])).await), Denied::NotFound);
    let secret = PostId(Uuid::now_v7());
    done(world.does(ann, post_for(secret, "mine", Visibility::Private)).await);
    assert_eq!(refused(world.does(ann, pin(secret)).await), Denied::NotPublic);
}

/// Deeds come after all else of their batch, and each entry has the number it was written under.
#[tokio::test]
async fn p1_an_edit_and_a_pin_of_one_post_in_one_batch_are_two_entries() {
    let world = World::new().await;
    let ann = world.sign_up("ann").await;
    let (id, new) = (world.post(ann, "one").await, PostId(Uuid::now_v7()));
    let acts = [
        edit(id, "two #x", None),
        post_for(new, "new #y", Visibility::Public),
        Act::Deed(Deed::Pin { post: id }),
        Act::Deed(Deed::Pin { post: new }),
        Act::Deed(Deed::Unpin { post: id }),
    ];
    let before = world.head().await;
    let commands = acts.map(|act| Command { actor: ann, act });
    let seqs: Vec<u64> = world.commit(&commands).await.into_iter().map(|outcome| done(outcome).seq.0).collect();
    assert_eq!(seqs, (before.0 + 1..=before.0 + 5).collect::<Vec<_>>());
    assert_eq!(world.stored_seqs(), (1..=before.0 + 5).collect::<Vec<_>>());
    let post = world.store.post(None, id).await.unwrap().unwrap();
    assert_eq!((post.text.as_str(), post.extra.pinned, post.rev.0), ("two #x", false, before.0 + 5));
}
