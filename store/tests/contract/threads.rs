//! Threads that are kept in order: who may comment and how fast, locks, what is folded away, and branches.

use std::collections::BTreeMap;

use tidings_actors::command::{Act, Command, Deed, Denied, ExtraChange};
use tidings_actors::entry::{Change, Verb};
use tidings_actors::ports::{Branch, JournalStore, Reads};
use tidings_protocol::entity::{Comment, Post, PostExtra};
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::{CommentId, PostId, UserId};
use tidings_protocol::position::Seq;
use tidings_protocol::reply::CommentsPage;
use tidings_protocol::spans;
use tidings_protocol::text::PostText;
use tidings_protocol::threads::{Commenters, LockedBy};
use uuid::Uuid;

use crate::world::{World, block, body, comment, done, duplicate, edit, edit_comment, once, refused};

fn lock(post: PostId) -> Act {
    Act::Deed(Deed::Lock { post })
}

fn unlock(post: PostId) -> Act {
    Act::Deed(Deed::Unlock { post })
}

fn slow(post: PostId, seconds: u32) -> Act {
    Act::Deed(Deed::Slow { post, seconds })
}

fn hide(comment: CommentId) -> Act {
    Act::Deed(Deed::Hide { comment })
}

fn unhide(comment: CommentId) -> Act {
    Act::Deed(Deed::Unhide { comment })
}

fn says(on: PostId) -> Act {
    comment(CommentId(Uuid::now_v7()), on, None, "a word")
}

/// A post that says who may comment on it.
async fn post_among(world: &World, author: UserId, text: &str, comments: Option<Commenters>) -> PostId {
    let id = PostId(Uuid::now_v7());
    let found = spans::find(text);
    let extra = PostExtra { comments, mentions: found.mentions, ..PostExtra::default() };
    let extra = (extra != PostExtra::default()).then(|| Box::new(extra));
    let text = Some(PostText::parse(text).unwrap());
    let told = done(world.does(author, Act::PostCreate { id, text, extra, pictures: Vec::new() }).await);
    assert_eq!(body::<Post>(&told).extra.comments, comments);
    id
}

async fn page(world: &World, viewer: Option<UserId>, branch: Branch, before: Option<Seq>) -> CommentsPage {
    world.store.comments_page(viewer, branch, before, 3).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_locked_thread_takes_no_more_comments_and_lets_those_there_be_changed() {
    let world = World::new().await;
    let (ann, bob, mod_) = (world.sign_up("ann").await, world.sign_up("bob").await, world.sign_up("moderator").await);
    world.database.psql("select set_role('moderator', 'moderator')").unwrap();
    let on = world.post(ann, "hello").await;
    let (kept, gone) = (world.comment(bob, on, None, "first").await, world.comment(bob, on, None, "second").await);
    assert_eq!(refused(world.does(bob, lock(on)).await), Denied::Forbidden);
    let locked = done(world.does(ann, lock(on)).await);
    assert_eq!(locked.change, Change::Post { verb: Verb::Updated, id: on, author: ann });
    assert_eq!(body::<Post>(&locked).extra.locked, Some(LockedBy::Author));
    assert_eq!(body::<Post>(&locked).text, "hello");
    assert_eq!(duplicate(world.does(ann, lock(on)).await).seq, locked.seq);
    for who in [ann, bob, mod_] {
        assert_eq!(refused(world.does(who, says(on)).await), Denied::Closed);
    }
    done(world.does(bob, edit_comment(kept, "first, and last", None)).await);
    done(world.does(bob, Act::CommentDelete { id: gone }).await);
    done(world.does(ann, edit(on, "hello again", None)).await);
    assert_eq!(refused(world.does(ann, says(on)).await), Denied::Closed, "an edit unlocks nothing");
    // What was said before the lock is answered as it was, also when it is asked again.
    assert_eq!(body::<Comment>(&duplicate(world.does(bob, comment(kept, on, None, "first")).await)).id, kept);
    // A moderator's lock is stronger: its author does not undo it.
    let stronger = done(world.does(mod_, lock(on)).await);
    assert_eq!(body::<Post>(&stronger).extra.locked, Some(LockedBy::Moderator));
    assert_eq!(body::<Post>(&stronger).author.id, ann);
    assert_eq!(duplicate(world.does(ann, lock(on)).await).seq, stronger.seq);
    assert_eq!(refused(world.does(ann, unlock(on)).await), Denied::Forbidden);
    let open = done(world.does(mod_, unlock(on)).await);
    assert_eq!(body::<Post>(&open).extra.locked, None);
    assert_eq!(duplicate(world.does(ann, unlock(on)).await).seq, open.seq);
    done(world.does(bob, says(on)).await);
    done(world.does(ann, Act::PostDelete { id: on }).await);
    assert_eq!(refused(world.does(ann, lock(on)).await), Denied::NotFound);
}

#[tokio::test]
async fn whom_a_post_or_its_authors_settings_let_comment_may() {
    let world = World::new().await;
    let (ann, bob, cara) = (world.sign_up("ann").await, world.sign_up("bob").await, world.sign_up("cara").await);
    let (dan, eve) = (world.sign_up("dan").await, world.sign_up("eve").await);
    done(world.does(bob, Act::Follow { whom: ann }).await);
    done(world.does(ann, Act::Follow { whom: cara }).await);
    // bob follows ann, ann follows cara, the post mentions dan, eve is none of these.
    let circle = [("ann", ann), ("bob", bob), ("cara", cara), ("dan", dan), ("eve", eve)];
    let allowed = async |on: PostId| {
        let mut who = Vec::new();
        for (name, id) in circle {
            match world.does(id, says(on)).await {
                tidings_actors::command::Outcome::Done(_) => who.push(name),
                other => assert_eq!(refused(other), Denied::Closed),
            }
        }
        who
    };
    let mut posts = Vec::new();
    for comments in [None, Some(Commenters::Everyone), Some(Commenters::Followers), Some(Commenters::Followed)] {
        posts.push(post_among(&world, ann, "what does @dan think?", comments).await);
    }
    let nobody = post_among(&world, ann, "what does @dan think?", Some(Commenters::Nobody)).await;
    assert_eq!(allowed(posts[0]).await, ["ann", "bob", "cara", "dan", "eve"]);
    assert_eq!(allowed(posts[1]).await, ["ann", "bob", "cara", "dan", "eve"]);
    assert_eq!(allowed(posts[2]).await, ["ann", "bob", "dan"]);
    assert_eq!(allowed(posts[3]).await, ["ann", "cara", "dan"]);
    assert_eq!(allowed(nobody).await, ["ann"]);
    // Settings count where a post does not say, as they are now.
    world.database.psql("update users set comments = 1 where handle = 'ann'").unwrap();
    assert_eq!(allowed(posts[0]).await, ["ann", "bob", "dan"]);
    assert_eq!(allowed(posts[1]).await, ["ann", "bob", "cara", "dan", "eve"]);
    // It may be said later, by the author alone; and an edit of the text leaves it.
    let to = |comments| Act::Deed(Deed::Comments { post: posts[1], comments });
    assert_eq!(refused(world.does(bob, to(Commenters::Nobody)).await), Denied::Forbidden);
    let told = done(world.does(ann, to(Commenters::Followed)).await);
    assert_eq!(body::<Post>(&told).extra.comments, Some(Commenters::Followed));
    assert_eq!(duplicate(world.does(ann, to(Commenters::Followed)).await).seq, told.seq);
    done(world.does(ann, edit(posts[1], "nobody is mentioned any more", None)).await);
    assert_eq!(allowed(posts[1]).await, ["ann", "cara"]);
    let change = ExtraChange { comments: Some(Commenters::Nobody), ..ExtraChange::default() };
    let text = PostText::parse("nobody is mentioned any more").unwrap();
    let told = done(world.does(ann, Act::PostUpdate { id: posts[1], text, change, if_rev: None }).await);
    assert_eq!(body::<Post>(&told).extra.comments, Some(Commenters::Nobody));
    assert!(body::<Post>(&told).edited_at.is_some(), "of the edit before");
    assert_eq!(allowed(posts[1]).await, ["ann"]);
}

#[tokio::test]
async fn in_a_slow_thread_each_person_waits_and_is_told_how_long() {
    let world = World::new().await;
    let (ann, bob, cara) = (world.sign_up("ann").await, world.sign_up("bob").await, world.sign_up("cara").await);
    let mod_ = world.sign_up("moderator").await;
    world.database.psql("select set_role('moderator', 'moderator')").unwrap();
    let (on, other) = (world.post(ann, "slowly").await, world.post(ann, "fast").await);
    assert_eq!(refused(world.does(bob, slow(on, 60)).await), Denied::Forbidden);
    let told = done(world.does(mod_, slow(on, 600)).await);
    assert_eq!(body::<Post>(&told).extra.slow, Some(600));
    let told = done(world.does(ann, slow(on, 60)).await);
    assert_eq!(duplicate(world.does(ann, slow(on, 60)).await).seq, told.seq);
    let waits = async |who| match refused(world.does(who, says(on)).await) {
        Denied::TooSoon { after_ms } => after_ms,
        denied => panic!("{denied:?}"),
    };
    // Of two at once the second waits; others, the author, moderators and other threads do not.
    let write = |actor, act| Command { actor, act };
    let first = CommentId(Uuid::now_v7());
    let outcomes = world
        .commit(&[
            write(bob, comment(first, on, None, "first")),
            write(bob, says(on)),
            write(cara, says(on)),
            write(ann, says(on)),
            write(ann, says(on)),
            write(bob, says(other)),
            write(bob, says(other)),
            write(mod_, says(on)),
            write(mod_, says(on)),
        ])
        .await;
    let did: Vec<bool> =
        outcomes.iter().map(|outcome| matches!(outcome, tidings_actors::command::Outcome::Done(_))).collect();
    assert_eq!(did, [true, false, true, true, true, true, true, true, true]);
    assert_eq!(refused(outcomes[1].clone()), Denied::TooSoon { after_ms: 60_000 });
    let left = waits(bob).await;
    assert!((50_000..=60_000).contains(&left), "{left}");
    // Who asks the first again hears of the first; deleting it hurries nothing.
    duplicate(world.does(bob, comment(first, on, None, "first")).await);
    done(world.does(bob, Act::CommentDelete { id: first }).await);
    assert!(waits(bob).await <= left);
    // The pause is as long as the author wants it now.
    done(world.does(ann, slow(on, 3_600)).await);
    assert!(waits(bob).await > 3_500_000);
    world.database.psql("update slow_comments set at_ms = at_ms - 3600000").unwrap();
    done(world.does(bob, says(on)).await);
    done(world.does(ann, slow(on, 0)).await);
    done(world.does(bob, says(on)).await);
    assert_eq!(world.database.psql("select count(*) from slow_comments").unwrap().trim(), "0");
}

#[tokio::test]
async fn p10_a_refusal_for_haste_that_is_asked_again_stays_one() {
    let world = World::new().await;
    let (ann, bob) = (world.sign_up("ann").await, world.sign_up("bob").await);
    let on = world.post(ann, "slowly").await;
    done(world.does(ann, slow(on, 60)).await);
    let commands = [Command { actor: bob, act: says(on) }, Command { actor: bob, act: says(on) }];
    let batch = once();
    world.store.commit(batch, &commands).await.unwrap();
    done(world.does(ann, slow(on, 0)).await);
    let again = world.store.commit(batch, &commands).await.unwrap().outcomes;
    duplicate(again[0].clone());
    assert_eq!(refused(again[1].clone()), Denied::TooSoon { after_ms: 1 }, "it may come now");
}

#[tokio::test]
async fn a_comment_is_folded_away_by_the_author_of_the_post_and_stays_readable() {
    let world = World::new().await;
    let (ann, bob) = (world.sign_up("ann").await, world.sign_up("bob").await);
    let on = world.post(ann, "hello").await;
    let nasty = world.comment(bob, on, None, "nasty").await;
    assert_eq!(refused(world.does(bob, hide(nasty)).await), Denied::Forbidden);
    let head = world.head().await;
    let hidden = done(world.does(ann, hide(nasty)).await);
    assert_eq!(hidden.change, Change::Comment { verb: Verb::Updated, id: nasty, post: on, author: bob });
    let told: Comment = body(&hidden);
    assert_eq!((told.extra.hidden, told.text.as_deref(), told.rev), (true, Some("nasty"), hidden.seq));
    assert_eq!(told.author.map(|author| author.id), Some(bob));
    assert_eq!(duplicate(world.does(ann, hide(nasty)).await).seq, hidden.seq);
    assert_eq!(world.head().await.0, head.0 + 1, "nobody is notified of it");
    // An edit by its author does not unfold it.
    let edited: Comment = body(&done(world.does(bob, edit_comment(nasty, "nastier", None)).await));
    assert!(edited.extra.hidden);
    // Events, snapshot, catch-up and the journal itself tell the same.
    let snapshot = world.store.snapshot(Some(bob), FeedName::Post(on), 10).await.unwrap().unwrap();
    assert_eq!(snapshot.comments.unwrap(), std::slice::from_ref(&edited));
    let missed = world.store.missed(Some(bob), &[FeedName::Post(on)], hidden.seq, 10).await.unwrap();
    assert_eq!(missed.entries.iter().map(body::<Comment>).collect::<Vec<_>>(), std::slice::from_ref(&edited));
    let shown = done(world.does(ann, unhide(nasty)).await);
    let read = world.store.read(shown.seq, shown.seq).await.unwrap();
    assert_eq!(read.entries.len(), 1);
    assert_eq!(read.entries[0].change, shown.change);
    assert_eq!(body::<Comment>(&read.entries[0]), body::<Comment>(&shown));
    assert!(!body::<Comment>(&shown).extra.hidden);
    done(world.does(ann, hide(nasty)).await);
    done(world.does(bob, Act::CommentDelete { id: nasty }).await);
    assert_eq!(refused(world.does(ann, unhide(nasty)).await), Denied::NotFound);
    assert_eq!(world.database.psql("select count(*) from comments where extra is not null").unwrap().trim(), "0");
}

#[tokio::test]
async fn a_branch_holds_the_direct_answers_and_says_how_many_each_of_them_has() {
    let world = World::new().await;
    let (ann, bob, eve) = (world.sign_up("ann").await, world.sign_up("bob").await, world.sign_up("eve").await);
    let (on, elsewhere) = (world.post(ann, "hello").await, world.post(ann, "elsewhere").await);
    let root = world.comment(bob, on, None, "root").await;
    world.comment(bob, on, None, "beside").await;
    let mut answers = Vec::new();
    for nth in 0..7 {
        answers.push(world.comment(bob, on, Some(root), &nth.to_string()).await);
    }
    let below = world.comment(ann, on, Some(answers[5]), "below").await;
    world.comment(ann, on, Some(below), "further below").await;
    // One removed that is answered keeps its place, one that is not does not.
    for id in [answers[5], answers[6]] {
        done(world.does(bob, Act::CommentDelete { id }).await);
    }
    let branch = Branch { post: on, parent: Some(root) };
    let (mut found, mut before) = (Vec::new(), None);
    loop {
        let page = page(&world, Some(ann), branch, before).await;
        assert!(page.comments.iter().all(|comment| comment.parent == Some(root)));
        found.extend(page.comments.iter().map(|comment| (comment.id, comment.removed)));
        let counted = page.comments.iter().any(|comment| comment.id == answers[5]);
        assert_eq!(page.answers, if counted { BTreeMap::from([(answers[5], 1)]) } else { BTreeMap::new() });
        let Some(next) = page.next else { break };
        before = Some(next.seq);
    }
    let expected: Vec<_> = [5, 4, 3, 2, 1, 0].map(|nth| (answers[nth], nth == 5)).into();
    assert_eq!(found, expected);
    let whole = page(&world, None, Branch { post: on, parent: None }, None).await;
    assert_eq!(whole.answers.get(&root), Some(&6), "as many as its pages hold");
    assert_eq!(whole.answers.get(&below), Some(&1));
    // Not another post's, and nothing of a post that one may not see; who is hidden comes as a placeholder.
    let not_there = Branch { post: elsewhere, parent: Some(root) };
    assert!(world.store.comments_page(None, not_there, None, 3).await.unwrap().is_none());
    done(world.does(ann, block(eve)).await);
    assert!(world.store.comments_page(Some(eve), branch, None, 3).await.unwrap().is_none());
    done(world.does(eve, block(bob)).await);
    let muter = world.sign_up("fay").await;
    done(world.does(muter, Act::Deed(Deed::Mute { whom: bob, until: None })).await);
    let hidden = page(&world, Some(muter), branch, None).await;
    assert!(hidden.comments.iter().all(|comment| comment.removed && comment.text.is_none()));
}
