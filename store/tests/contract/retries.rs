//! P10: every act, carried out twice, leaves what once leaves, and answers as the first time.

use tidings_actors::command::{Act, Command, Denied};
use tidings_actors::entry::{Change, Verb};
use tidings_protocol::entity::{Comment, Follow, Post, Removed, User};
use tidings_protocol::ids::{CommentId, PostId, SessionId, UserId};
use tidings_protocol::position::Seq;
use uuid::Uuid;

use crate::world::{World, body, comment, done, duplicate, edit, edit_comment, post, refused, rename, sign_up};

/// Does it twice: the second time nothing is written, and the state told is the same.
async fn twice(world: &World, actor: UserId, act: Act) {
    let first = done(world.does(actor, act.clone()).await);
    let head = world.head().await;
    let second = duplicate(world.does(actor, act.clone()).await);
    assert_eq!(world.head().await, head, "{act:?} wrote again");
    assert_eq!(second.seq, first.seq, "{act:?}");
    assert_eq!(second.change, first.change, "{act:?}");
    assert_eq!(second.body.get(), first.body.get(), "{act:?}");
}

#[tokio::test]
async fn every_act_may_be_done_again() {
    let world = World::new().await;
    let ann = UserId(Uuid::now_v7());
    twice(&world, ann, sign_up("ann")).await;
    let bob = world.sign_up("bob").await;
    twice(&world, ann, rename("Ann the First")).await;
    twice(&world, ann, Act::Follow { whom: bob }).await;
    twice(&world, ann, Act::Unfollow { whom: bob }).await;
    let id = PostId(Uuid::now_v7());
    twice(&world, ann, post(id, "text")).await;
    twice(&world, ann, edit(id, "other text", None)).await;
    let on = CommentId(Uuid::now_v7());
    twice(&world, bob, comment(on, id, None, "hm")).await;
    twice(&world, bob, edit_comment(on, "hmm", None)).await;
    let answer = CommentId(Uuid::now_v7());
    twice(&world, ann, comment(answer, id, Some(on), "?")).await;
    twice(&world, bob, Act::CommentDelete { id: on }).await;
    twice(&world, ann, Act::PostDelete { id }).await;
    let session = world.log_in(ann, 1).await;
    twice(&world, ann, Act::SessionRevoke { session: Some(session) }).await;
    world.log_in(ann, 2).await;
    twice(&world, ann, Act::SessionRevoke { session: None }).await;
}

#[tokio::test]
async fn a_create_asked_again_after_an_edit_is_still_known() {
    let world = World::new().await;
    let ann = world.sign_up("ann").await;
    let id = world.post(ann, "first").await;
    done(world.does(ann, edit(id, "second", None)).await);
    let third = done(world.does(ann, edit(id, "third", None)).await);
    let again = duplicate(world.does(ann, post(id, "first")).await);
    let state: Post = body(&again);
    assert_eq!((state.text.as_str(), again.seq), ("third", third.seq));
    assert_eq!(refused(world.does(ann, post(id, "second")).await), Denied::IdTaken);

    let on = world.comment(ann, id, None, "one").await;
    done(world.does(ann, edit_comment(on, "two", None)).await);
    let again = duplicate(world.does(ann, comment(on, id, None, "one")).await);
    assert_eq!(body::<Comment>(&again).text.as_deref(), Some("two"));
}

#[tokio::test]
async fn an_id_is_taken_by_other_content_and_by_other_people() {
    let world = World::new().await;
    let (ann, bob) = (world.sign_up("ann").await, world.sign_up("bob").await);
    let id = world.post(ann, "hers").await;
    assert_eq!(refused(world.does(ann, post(id, "other")).await), Denied::IdTaken);
    assert_eq!(refused(world.does(bob, post(id, "hers")).await), Denied::IdTaken);
    let other = world.post(ann, "another").await;
    let on = world.comment(bob, id, None, "hm").await;
    for act in [comment(on, id, None, "other"), comment(on, other, None, "hm")] {
        assert_eq!(refused(world.does(bob, act).await), Denied::IdTaken);
    }
    assert_eq!(refused(world.does(ann, comment(on, id, None, "hm")).await), Denied::IdTaken);
    let again = Command { actor: ann, act: sign_up("other") };
    assert_eq!(refused(world.commit(&[again]).await.remove(0)), Denied::IdTaken);
}

#[tokio::test]
async fn a_create_asked_again_after_the_deletion_does_not_bring_it_back() {
    let world = World::new().await;
    let ann = world.sign_up("ann").await;
    let id = world.post(ann, "gone").await;
    let on = world.comment(ann, id, None, "gone too").await;
    done(world.does(ann, Act::CommentDelete { id: on }).await);
    assert_eq!(refused(world.does(ann, comment(on, id, None, "gone too")).await), Denied::NotFound);
    done(world.does(ann, Act::PostDelete { id }).await);
    assert_eq!(refused(world.does(ann, post(id, "gone")).await), Denied::NotFound);
    assert_eq!(refused(world.does(ann, edit(id, "back", None)).await), Denied::NotFound);
}

#[tokio::test]
async fn an_unfollow_of_nobody_is_done_already() {
    let world = World::new().await;
    let (ann, bob) = (world.sign_up("ann").await, world.sign_up("bob").await);
    let never = duplicate(world.does(ann, Act::Unfollow { whom: bob }).await);
    assert_eq!(body::<Follow>(&never).rev, Seq(0));
    let nobody = UserId(Uuid::now_v7());
    duplicate(world.does(ann, Act::Unfollow { whom: nobody }).await);
    assert_eq!(refused(world.does(ann, Act::Follow { whom: nobody }).await), Denied::NotFound);
    assert_eq!(refused(world.does(ann, Act::Follow { whom: ann }).await), Denied::Oneself);
}

#[tokio::test]
async fn in_one_batch_the_first_to_want_a_name_gets_it() {
    let world = World::new().await;
    world.sign_up("taken").await;
    let ids: Vec<UserId> = (0..5).map(|_| UserId(Uuid::now_v7())).collect();
    let act = |handle: &str, email: &str| match sign_up(handle) {
        Act::UserCreate { handle, name, password_hash, .. } => {
            Act::UserCreate { handle, name, email: email.to_owned().into(), password_hash }
        }
        other => other,
    };
    let commands: Vec<Command> = [
        act("taken", "e1@x"),
        act("fresh", "e1@x"), // the first was refused: its address is free
        act("fresh", "e2@x"),
        act("other", "e1@x"),
        act("third", "e2@x"), // nor did the third of them take this one
    ]
    .into_iter()
    .zip(&ids)
    .map(|(act, id)| Command { actor: *id, act })
    .collect();
    let outcomes = world.commit(&commands).await;
    assert_eq!(refused(outcomes[0].clone()), Denied::HandleTaken);
    assert_eq!(body::<User>(&done(outcomes[1].clone())).handle, "fresh");
    assert_eq!(refused(outcomes[2].clone()), Denied::HandleTaken);
    assert_eq!(refused(outcomes[3].clone()), Denied::EmailTaken);
    done(outcomes[4].clone());
    // The same again: the same answers.
    let again = world.commit(&commands).await;
    assert_eq!(refused(again[0].clone()), Denied::HandleTaken);
    duplicate(again[1].clone());
    assert_eq!(refused(again[2].clone()), Denied::HandleTaken);
    assert_eq!(refused(again[3].clone()), Denied::EmailTaken);
    duplicate(again[4].clone());
}

#[tokio::test]
async fn in_one_batch_a_pair_is_decided_in_order() {
    let world = World::new().await;
    let (ann, bob) = (world.sign_up("ann").await, world.sign_up("bob").await);
    let follow = Command { actor: ann, act: Act::Follow { whom: bob } };
    let unfollow = Command { actor: ann, act: Act::Unfollow { whom: bob } };
    let outcomes = world.commit(&[follow.clone(), follow.clone(), unfollow.clone(), unfollow, follow]).await;
    let verbs: Vec<bool> =
        outcomes.iter().map(|outcome| matches!(outcome, tidings_actors::command::Outcome::Done(_))).collect();
    assert_eq!(verbs, [true, false, true, false, true]);
    let last = done(outcomes[4].clone());
    let pair = Change::Follow { verb: Verb::Created, follower: ann, followee: bob };
    // Behind it stands what it brings bob.
    assert_eq!((last.change, last.seq.next()), (pair, world.head().await));
    assert_eq!(world.database.psql("select active, rev from follows").unwrap(), "t|5");
    assert_eq!(world.database.psql("select followers from follow_counts").unwrap(), "1");
}

#[tokio::test]
async fn a_deletion_asked_again_tells_the_same_tombstone() {
    let world = World::new().await;
    let ann = world.sign_up("ann").await;
    let id = world.post(ann, "x").await;
    let first: Removed = body(&done(world.does(ann, Act::PostDelete { id }).await));
    let again: Removed = body(&duplicate(world.does(ann, Act::PostDelete { id }).await));
    assert_eq!((first.id, first.rev), (id.0, again.rev));
}

#[tokio::test]
async fn ending_what_is_not_ones_own_log_in_is_refused() {
    let world = World::new().await;
    let (ann, bob) = (world.sign_up("ann").await, world.sign_up("bob").await);
    let session = world.log_in(ann, 1).await;
    for session in [session, SessionId(Uuid::now_v7())] {
        let act = Act::SessionRevoke { session: Some(session) };
        assert_eq!(refused(world.does(bob, act).await), Denied::NotFound);
    }
}
