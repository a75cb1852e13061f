//! Suspensions, bans and roles: whom they may be done to and by whom, what they take away, and that they end.

use tidings_actors::command::{Act, Command, Deed, Denied, ModeratedKind, Outcome};
use tidings_actors::entry::{Change, Verb};
use tidings_actors::ports::{Agenda, Asked, JournalStore, Marks, Moderation, Reads};
use tidings_protocol::entity::Role;
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::{ActionId, CaseId, PostId, UserId};
use tidings_protocol::moderation::{AccountStanding, Action, ActionKind};
use tidings_protocol::position::Millis;
use tidings_protocol::push::EventName;
use uuid::Uuid;

use super::{Office, about_post, about_user, act, settle_appeal};
use crate::world::{body, done, duplicate, refused};

#[tokio::test]
async fn p5_a_suspension_holds_at_once_ends_by_itself_and_a_ban_ends_all_log_ins() {
    let office = Office::new().await;
    let world = &office.world;
    let ann = world.sign_up("ann").await;
    let session = world.log_in(ann, 1).await;
    let now = world.database.psql("select clock_ms()").unwrap().trim().parse::<u64>().unwrap();
    let past = act(ModeratedKind::User, ann.0, ActionKind::Suspend, Some(Millis(now - 1))).1;
    assert_eq!(refused(world.does(office.mia, past).await), Denied::Misplaced);
    let until = Millis(now + 3_600_000);
    let (id, suspend) = act(ModeratedKind::User, ann.0, ActionKind::Suspend, Some(until));
    done(world.does(office.mia, suspend).await);
    let post = crate::world::post(PostId(Uuid::now_v7()), "more");
    assert_eq!(refused(world.does(ann, post.clone()).await), Denied::Suspended);
    let told = world.store.actions_page(ann, None, 10).await.unwrap();
    assert_eq!(
        (told.standing, told.until, told.actions[0].until),
        (AccountStanding::Suspended, Some(until), Some(until))
    );
    // Not yet.
    assert!(world.store.due(10).await.unwrap().is_empty());
    duplicate(world.does(ann, Act::Deed(Deed::EndSuspension { action: id })).await);
    assert_eq!(office.standing(ann).await, AccountStanding::Suspended);
    world.database.psql("update users set standing_until = 1 where standing = 1").unwrap();
    let due = world.store.due(10).await.unwrap();
    let [Command { actor, act: Act::Deed(Deed::EndSuspension { action }) }] = due.as_slice() else { panic!("{due:?}") };
    assert_eq!((*actor, *action), (ann, id));
    let over = done(world.commit(&due).await.remove(0));
    assert_eq!(over.change, Change::Own { event: EventName::ActionUpdated, user: ann, id: id.0 });
    assert!(body::<Action>(&over).ended);
    done(world.does(ann, post).await);
    assert!(world.store.due(10).await.unwrap().is_empty());
    // A ban.
    let before = world.head().await;
    let banned = done(world.does(office.mia, about_user(ann, ActionKind::Ban)).await);
    let batch = world.store.read(before.next(), banned.seq).await.unwrap();
    let ended = Change::SessionRevoked { user: ann, session: None };
    assert!(batch.entries.iter().any(|entry| entry.change == ended), "all nodes hear of it");
    assert!(!world.store.viewer(ann, session).await.unwrap().unwrap().session_live);
    assert_eq!(refused(world.does(office.max, about_user(ann, ActionKind::Ban)).await), Denied::AlreadySo);
    done(world.does(office.max, about_user(ann, ActionKind::Reinstate)).await);
    assert_eq!(office.standing(ann).await, AccountStanding::Good);
    let told = world.store.actions_page(ann, None, 10).await.unwrap();
    assert!(told.actions.iter().filter(|action| action.action == ActionKind::Ban).all(|action| action.ended));
}

#[tokio::test]
async fn moderators_act_neither_on_themselves_nor_on_those_above_them_and_others_not_at_all() {
    let office = Office::new().await;
    let world = &office.world;
    let ann = world.sign_up("ann").await;
    let post = world.post(office.mia, "mine").await;
    let before = world.head().await;
    for (who, whom) in [(office.mia, office.mia), (office.mia, office.max), (office.mia, office.adam)] {
        assert_eq!(refused(world.does(who, about_user(whom, ActionKind::Warn)).await), Denied::Protected);
    }
    assert_eq!(refused(world.does(office.mia, about_post(post, ActionKind::Hide)).await), Denied::Protected);
    assert_eq!(refused(world.does(ann, about_user(office.mia, ActionKind::Warn)).await), Denied::NotModerator);
    let hide = about_user(ann, ActionKind::Hide);
    assert_eq!(refused(world.does(office.mia, hide).await), Denied::Misplaced);
    let nobody = about_user(UserId(Uuid::now_v7()), ActionKind::Warn);
    assert_eq!(refused(world.does(office.mia, nobody).await), Denied::NotFound);
    // P2: what was refused left nothing behind.
    assert_eq!(world.head().await, before);
    assert!(office.cases(false).await.is_empty() && office.cases(true).await.is_empty());
    for act in [
        Act::Deed(Deed::SettleCase { case: CaseId(Uuid::now_v7()) }),
        Act::Deed(Deed::ClaimCase { case: CaseId(Uuid::now_v7()), release: false }),
        settle_appeal(ActionId(Uuid::now_v7()), true),
        Act::Deed(Deed::SetRole { whom: office.max, role: Role::Admin }),
    ] {
        assert_eq!(refused(world.does(ann, act).await), Denied::NotModerator);
    }
    assert!(matches!(world.store.cases_page(ann, false, None, 9).await.unwrap(), Asked::NotForThem));
    assert!(matches!(world.store.case(ann, CaseId(Uuid::now_v7())).await.unwrap(), Asked::NotForThem));
    assert!(matches!(world.store.case(office.mia, CaseId(Uuid::now_v7())).await.unwrap(), Asked::NotThere));
    assert!(matches!(world.store.log(office.mia, None, 9).await.unwrap(), Asked::NotForThem));
    assert!(world.store.snapshot(Some(ann), FeedName::Mod, 9).await.unwrap().is_none());
    // An admin may; suspended, a moderator is none.
    done(world.does(office.adam, about_post(post, ActionKind::Hide)).await);
    let before = world.head().await;
    let suspended = done(world.does(office.adam, about_user(office.mia, ActionKind::Suspend)).await);
    let batch = world.store.read(before.next(), suspended.seq).await.unwrap();
    let lost = Change::Rights { user: office.mia, moderates: false };
    assert!(batch.entries.iter().any(|entry| entry.change == lost), "their `mod` ends");
    assert!(matches!(world.store.cases_page(office.mia, false, None, 9).await.unwrap(), Asked::NotForThem));
    assert_eq!(refused(world.does(office.mia, about_user(ann, ActionKind::Warn)).await), Denied::Suspended);
    // Of admins none acts on another.
    done(world.does(office.adam, Act::Deed(Deed::SetRole { whom: office.max, role: Role::Admin })).await);
    assert_eq!(refused(world.does(office.adam, about_user(office.max, ActionKind::Warn)).await), Denied::Protected);
}

#[tokio::test]
async fn admins_give_roles_but_neither_to_themselves_nor_to_other_admins() {
    let office = Office::new().await;
    let world = &office.world;
    let ann = world.sign_up("ann").await;
    let give = |whom, role| Act::Deed(Deed::SetRole { whom, role });
    let before = world.head().await;
    let given = done(world.does(office.adam, give(ann, Role::Moderator)).await);
    assert_eq!(given.change, Change::User { verb: Verb::Updated, id: ann });
    assert_eq!(body::<tidings_protocol::entity::User>(&given).role, Role::Moderator);
    let batch = world.store.read(before.next(), given.seq).await.unwrap();
    assert!(batch.entries.iter().any(|entry| entry.change == Change::Rights { user: ann, moderates: true }));
    duplicate(world.does(office.adam, give(ann, Role::Moderator)).await);
    done(world.does(office.adam, give(ann, Role::Admin)).await);
    assert_eq!(refused(world.does(office.adam, give(ann, Role::User)).await), Denied::Protected);
    assert_eq!(refused(world.does(office.adam, give(office.adam, Role::User)).await), Denied::Protected);
    assert_eq!(refused(world.does(office.mia, give(office.max, Role::User)).await), Denied::NotModerator);
}

/// Who is suspended looks after nothing but their own, by whatever method.
#[tokio::test]
async fn p5_a_suspended_moderator_deletes_nothing_of_others() {
    let office = Office::new().await;
    let world = &office.world;
    let ann = world.sign_up("ann").await;
    let (post, own) = (world.post(ann, "hers").await, world.post(office.mia, "mine").await);
    let under = world.comment(ann, post, None, "hers, too").await;
    done(world.does(office.adam, about_user(office.mia, ActionKind::Suspend)).await);
    let lock = Act::Deed(Deed::Lock { post });
    for act in [Act::PostDelete { id: post }, Act::CommentDelete { id: under }, lock] {
        assert!(matches!(world.does(office.mia, act).await, Outcome::Refused(_)));
    }
    assert!(world.store.post(None, post).await.unwrap().is_some());
    assert_eq!(world.store.counts(&[post]).await.unwrap().remove(0).comments, 1);
    done(world.does(office.mia, Act::PostDelete { id: own }).await);
    done(world.does(office.adam, about_user(office.mia, ActionKind::Reinstate)).await);
    done(world.does(office.mia, Act::CommentDelete { id: under }).await);
}
