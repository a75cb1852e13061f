//! P2, P10: a batch whose answer was lost is asked again, and hears what was decided then, whatever others have done since.

use tidings_actors::command::{Act, Command, Denied, Outcome};
use tidings_actors::ports::{BatchId, CommitFault, JournalStore};
use tidings_protocol::entity::{Comment, Follow, Post, Removed, User};
use tidings_protocol::ids::{CommentId, PostId, UserId};
use uuid::Uuid;

use crate::world::{World, body, comment, done, duplicate, edit, edit_comment, post, refused, rename, sign_up};

/// A node's journal.
struct Writer {
    id: Uuid,
    number: u64,
}

impl Writer {
    fn new() -> Self {
        Self { id: Uuid::new_v4(), number: 0 }
    }

    async fn next(&mut self, world: &World, commands: &[Command]) -> Vec<Outcome> {
        self.number += 1;
        self.again(world, commands).await
    }

    async fn again(&self, world: &World, commands: &[Command]) -> Vec<Outcome> {
        let batch = BatchId { writer: self.id, number: self.number };
        world.store.commit(batch, commands).await.unwrap().outcomes
    }
}

fn by(actor: UserId, act: Act) -> Command {
    Command { actor, act }
}

#[tokio::test]
async fn what_was_changed_by_others_since_is_not_changed_again() {
    let world = World::new().await;
    let (ann, bob) = (world.sign_up("ann").await, world.sign_up("bob").await);
    let id = world.post(ann, "first").await;
    let on = world.comment(ann, id, None, "first").await;
    let mut writer = Writer::new();
    let batch = [
        by(ann, rename("Ann")),
        by(bob, Act::Follow { whom: ann }),
        by(ann, edit(id, "second", None)),
        by(ann, edit_comment(on, "second", None)),
    ];
    let then: Vec<_> = writer.next(&world, &batch).await.into_iter().map(done).collect();
    // The answer is lost, and they go on elsewhere.
    let renamed = done(world.does(ann, rename("Ann the First")).await);
    done(world.does(bob, Act::Unfollow { whom: ann }).await);
    let third = done(world.does(ann, edit(id, "third", None)).await);
    done(world.does(ann, edit_comment(on, "third", None)).await);

    let head = world.head().await;
    let again: Vec<_> = writer.again(&world, &batch).await.into_iter().map(duplicate).collect();
    assert_eq!(world.head().await, head, "nothing is written");
    for (then, again) in then.iter().zip(&again) {
        assert_eq!(then.change, again.change);
    }
    let user: User = body(&again[0]);
    assert_eq!((user.name.as_str(), user.rev), ("Ann the First", renamed.seq), "the present state");
    assert_eq!(body::<Follow>(&again[1]).rev, then[1].seq);
    let state: Post = body(&again[2]);
    assert_eq!((state.text.as_str(), state.rev), ("third", third.seq));
    assert_eq!(body::<Comment>(&again[3]).text.as_deref(), Some("third"));
}

#[tokio::test]
async fn what_was_removed_by_others_since_is_told_as_it_was_left() {
    let world = World::new().await;
    let ann = world.sign_up("ann").await;
    let (old, other) = (world.post(ann, "first").await, world.post(ann, "gone").await);
    let (new, on) = (PostId(Uuid::now_v7()), CommentId(Uuid::now_v7()));
    let mut writer = Writer::new();
    let batch = [
        by(ann, edit(old, "second", None)),
        by(ann, post(new, "new")),
        by(ann, comment(on, old, None, "hm")),
        by(ann, Act::PostDelete { id: other }),
    ];
    // A comment may not be in a batch with its post's change: that is its caller's business.
    let (first, second) = batch.split_at(2);
    writer.next(&world, second).await.into_iter().map(done).for_each(drop);
    let then: Vec<_> = writer.next(&world, first).await.into_iter().map(done).collect();
    for id in [old, new] {
        done(world.does(ann, Act::PostDelete { id }).await);
    }
    let again: Vec<_> = writer.again(&world, first).await.into_iter().map(duplicate).collect();
    for ((then, again), text) in then.iter().zip(&again).zip(["second", "new"]) {
        let state: Post = body(again);
        assert_eq!((state.text.as_str(), state.rev, again.seq), (text, then.seq, then.seq));
    }

    let mut writer = Writer::new();
    let (on, of) = (CommentId(Uuid::now_v7()), world.post(ann, "post").await);
    let batch = [by(ann, comment(on, of, None, "hm"))];
    let then = done(writer.next(&world, &batch).await.remove(0));
    done(world.does(ann, Act::CommentDelete { id: on }).await);
    let again = duplicate(writer.again(&world, &batch).await.remove(0));
    let state: Comment = body(&again);
    assert_eq!((state.text.as_deref(), state.rev), (Some("hm"), then.seq));
    assert_eq!(again.change, then.change);

    let batch = [by(ann, Act::PostDelete { id: of })];
    let then = done(writer.next(&world, &batch).await.remove(0));
    let again = duplicate(writer.again(&world, &batch).await.remove(0));
    assert_eq!(body::<Removed>(&again), body::<Removed>(&then));
}

#[tokio::test]
async fn what_was_refused_stays_refused_though_it_would_be_done_now() {
    let world = World::new().await;
    let (ann, bob) = (world.sign_up("ann").await, world.sign_up("bob").await);
    let id = PostId(Uuid::now_v7());
    let mut writer = Writer::new();
    let batch = [
        by(ann, comment(CommentId(Uuid::now_v7()), id, None, "too early")),
        by(UserId(Uuid::now_v7()), sign_up("carl")),
        by(UserId(Uuid::now_v7()), sign_up("bob")),
    ];
    let then = writer.next(&world, &batch).await;
    done(then[1].clone());
    done(world.does(bob, post(id, "there now")).await);
    let again = writer.again(&world, &batch).await;
    for (then, again) in [(&then[0], &again[0]), (&then[2], &again[2])] {
        assert_eq!(refused(then.clone()), refused(again.clone()));
    }
    assert_eq!(refused(again[0].clone()), Denied::NotFound);
    assert_eq!(body::<User>(&duplicate(again[1].clone())).handle, "carl");
    // Refused altogether, and still remembered.
    let late = [by(bob, comment(CommentId(Uuid::now_v7()), PostId(Uuid::now_v7()), None, "hm"))];
    let then = refused(writer.next(&world, &late).await.remove(0));
    let head = world.head().await;
    assert_eq!(refused(writer.again(&world, &late).await.remove(0)), then);
    assert_eq!(world.head().await, head);
}

#[tokio::test]
async fn a_statement_lost_on_its_way_does_nothing_once_its_writer_has_gone_on() {
    let world = World::new().await;
    let ann = world.sign_up("ann").await;
    let id = world.post(ann, "first").await;
    let writer = Uuid::new_v4();
    let ask =
        async |number, text| world.store.commit(BatchId { writer, number }, &[by(ann, edit(id, text, None))]).await;
    done(ask(2, "second").await.unwrap().outcomes.remove(0));
    let head = world.head().await;
    let fault = ask(1, "late").await.unwrap_err();
    assert!(matches!(fault, CommitFault::Rejected(_)), "{fault}");
    assert_eq!(world.head().await, head);
    // Another node's numbers are another's.
    let other = BatchId { writer: Uuid::new_v4(), number: 1 };
    done(world.store.commit(other, &[by(ann, edit(id, "third", None))]).await.unwrap().outcomes.remove(0));
    done(ask(3, "fourth").await.unwrap().outcomes.remove(0));
}

#[tokio::test]
async fn another_batch_under_the_same_number_is_rejected() {
    let world = World::new().await;
    let ann = world.sign_up("ann").await;
    let batch = BatchId { writer: Uuid::new_v4(), number: 1 };
    let one = [by(ann, post(PostId(Uuid::now_v7()), "one"))];
    world.store.commit(batch, &one).await.unwrap();
    let two = [one[0].clone(), by(ann, post(PostId(Uuid::now_v7()), "two"))];
    let fault = world.store.commit(batch, &two).await.unwrap_err();
    assert!(matches!(fault, CommitFault::Rejected(_)), "{fault}");
}
