//! Who may do what, decided by the store from its own rows.

use tidings_actors::command::{Act, Denied, ProfileChange};
use tidings_protocol::entity::{Comment, Removed};
use tidings_protocol::ids::{CommentId, UserId};
use tidings_protocol::limits::COMMENT_DEPTH;
use tidings_protocol::position::Seq;
use uuid::Uuid;

use crate::world::{World, body, comment, done, duplicate, edit, edit_comment, refused, rename};

#[tokio::test]
async fn only_authors_change_and_only_authors_and_admins_delete() {
    let world = World::new().await;
    let (ann, bob, root) = (world.sign_up("ann").await, world.sign_up("bob").await, world.sign_up("root").await);
    let id = world.post(ann, "hers").await;
    let on = world.comment(ann, id, None, "hers").await;
    world.database.psql("select set_role('root', 'admin')").unwrap();
    for stranger in [bob, root] {
        assert_eq!(refused(world.does(stranger, edit(id, "x", None)).await), Denied::Forbidden);
        assert_eq!(refused(world.does(stranger, edit_comment(on, "x", None)).await), Denied::Forbidden);
    }
    assert_eq!(refused(world.does(bob, Act::PostDelete { id }).await), Denied::Forbidden);
    assert_eq!(refused(world.does(bob, Act::CommentDelete { id: on }).await), Denied::Forbidden);
    let gone = done(world.does(root, Act::CommentDelete { id: on }).await);
    assert_eq!(body::<Removed>(&gone).id, on.0);
    let gone = done(world.does(root, Act::PostDelete { id }).await);
    // Filters go by the author, not by whoever deleted it.
    assert!(matches!(gone.change, tidings_actors::entry::Change::Post { author, .. } if author == ann));
    duplicate(world.does(ann, Act::PostDelete { id }).await);
    assert_eq!(refused(world.does(bob, Act::PostDelete { id }).await), Denied::NotFound);
}

#[tokio::test]
async fn a_change_of_what_has_changed_is_stale_unless_it_is_the_same_change() {
    let world = World::new().await;
    let ann = world.sign_up("ann").await;
    let id = world.post(ann, "one").await;
    let seen = world.head().await;
    done(world.does(ann, edit(id, "two", Some(seen))).await);
    assert_eq!(refused(world.does(ann, edit(id, "three", Some(seen))).await), Denied::Stale);
    duplicate(world.does(ann, edit(id, "two", Some(seen))).await);
    let on = world.comment(ann, id, None, "one").await;
    assert_eq!(refused(world.does(ann, edit_comment(on, "two", Some(Seq(1)))).await), Denied::Stale);
    let act = Act::UserUpdate { name: None, bio: None, change: ProfileChange::default(), if_rev: Some(Seq(99)) };
    duplicate(world.does(ann, act).await);
    done(world.does(ann, rename("New")).await);
    let act = match rename("Newer") {
        Act::UserUpdate { name, bio, change, .. } => Act::UserUpdate { name, bio, change, if_rev: Some(Seq(1)) },
        other => other,
    };
    assert_eq!(refused(world.does(ann, act).await), Denied::Stale);
}

#[tokio::test]
async fn comments_stand_under_living_posts_and_parents_and_not_too_deep() {
    let world = World::new().await;
    let ann = world.sign_up("ann").await;
    let (id, other) = (world.post(ann, "a").await, world.post(ann, "b").await);
    let new = || CommentId(Uuid::now_v7());
    let mut parent = None;
    for depth in 0..=COMMENT_DEPTH {
        let entry = done(world.does(ann, comment(new(), id, parent, "deeper")).await);
        let state: Comment = body(&entry);
        assert_eq!((state.depth, state.parent), (depth, parent));
        parent = Some(state.id);
    }
    assert_eq!(refused(world.does(ann, comment(new(), id, parent, "x")).await), Denied::TooDeep);
    assert_eq!(refused(world.does(ann, comment(new(), other, parent, "x")).await), Denied::NotFound);
    done(world.does(ann, Act::CommentDelete { id: parent.unwrap() }).await);
    assert_eq!(refused(world.does(ann, comment(new(), id, parent, "x")).await), Denied::NotFound);
    done(world.does(ann, Act::PostDelete { id: other }).await);
    assert_eq!(refused(world.does(ann, comment(new(), other, None, "x")).await), Denied::NotFound);
}

#[tokio::test]
async fn who_has_no_account_does_nothing() {
    let world = World::new().await;
    let ann = world.sign_up("ann").await;
    let id = world.post(ann, "a").await;
    let on = world.comment(ann, id, None, "c").await;
    let ghost = UserId(Uuid::now_v7());
    for act in [
        rename("x"),
        Act::Follow { whom: ann },
        Act::Unfollow { whom: ann },
        edit(id, "x", None),
        Act::PostDelete { id },
        comment(CommentId(Uuid::now_v7()), id, None, "x"),
        edit_comment(on, "x", None),
        Act::CommentDelete { id: on },
        Act::SessionRevoke { session: None },
    ] {
        let why = refused(world.does(ghost, act.clone()).await);
        assert_eq!(why, Denied::NoAccount, "{act:?}");
    }
}
