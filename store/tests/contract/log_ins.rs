//! Log-ins as their owner sees and ends them, passwords and addresses changed, and what an operator does: all of it under the journal's lock.

use std::sync::Arc;

use tidings_actors::entry::Change;
use tidings_actors::ports::{Accounts, JournalStore, NotChanged, Opening, Reads, Shown};
use tidings_protocol::entity::Role;
use tidings_protocol::ids::{SessionId, UserId};
use tidings_protocol::limits::LOG_INS_PER_USER;
use tidings_protocol::position::Seq;
use tidings_store::NotDone;
use uuid::Uuid;

use crate::world::{PASSWORD_HASH, World, opening};

fn shown(user: UserId, session: SessionId) -> Shown {
    Shown { user, session, checked: PASSWORD_HASH.into() }
}

async fn is_live(world: &World, user: UserId, session: SessionId) -> bool {
    world.store.viewer(user, session).await.unwrap().unwrap().session_live
}

/// The log-ins that the journal says have ended, from `from` on.
async fn ended(world: &World, from: Seq) -> Vec<(UserId, Option<SessionId>)> {
    let read = world.store.read(from, world.head().await).await.unwrap();
    let ended = read.entries.iter().filter_map(|entry| match entry.change {
        Change::SessionRevoked { user, session } => Some((user, session)),
        _ => None,
    });
    ended.collect()
}

#[tokio::test]
async fn a_changed_password_ends_all_other_log_ins_and_no_one_elses() {
    let world = World::new().await;
    let (ann, bob) = (world.sign_up("ann").await, world.sign_up("bob").await);
    let (here, one, two) = (world.log_in(ann, 1).await, world.log_in(ann, 2).await, world.log_in(ann, 3).await);
    let his = world.log_in(bob, 4).await;
    let before = world.head().await;
    let changed = world.store.change_password(shown(ann, here), "$new".into()).await.unwrap();
    assert_eq!(changed, Ok(2));
    for (user, session, live) in [(ann, here, true), (ann, one, false), (ann, two, false), (bob, his, true)] {
        assert_eq!(is_live(&world, user, session).await, live);
    }
    let mut told = ended(&world, before.next()).await;
    told.sort();
    let mut wanted = [(ann, Some(one)), (ann, Some(two))];
    wanted.sort();
    assert_eq!(told, wanted, "each is an entry of the journal: that is how the nodes hear of it");
    // What was checked against the old one is no longer good, whoever asks.
    let again = world.store.change_password(shown(ann, here), "$other".into()).await.unwrap();
    assert_eq!(again, Err(NotChanged::OtherPassword));
    let address = world.store.change_email(shown(ann, here), "x@example.org").await.unwrap();
    assert_eq!(address, Err(NotChanged::OtherPassword));
    assert_eq!(world.head().await.0, before.0 + 2, "what was refused left nothing behind (P2)");
}

#[tokio::test]
async fn a_log_in_checked_against_the_old_password_does_not_slip_in_after_the_change() {
    let world = World::new().await;
    let ann = world.sign_up("ann").await;
    let here = world.log_in(ann, 1).await;
    let late = opening(ann, 2);
    assert_eq!(world.store.change_password(shown(ann, here), "$new".into()).await.unwrap(), Ok(0));
    assert!(!world.store.open_session(late).await.unwrap());
    let good = Opening { checked: Some("$new".into()), ..opening(ann, 3) };
    assert!(world.store.open_session(good).await.unwrap());
    assert!(!world.store.open_session(opening(UserId(Uuid::now_v7()), 4)).await.unwrap(), "nobody");
    assert_eq!(world.store.log_ins(ann, here).await.unwrap().len(), 2);
}

#[tokio::test]
async fn of_a_log_in_and_a_change_at_the_same_time_none_is_left_with_the_old_password() {
    let world = World::new().await;
    let ann = world.sign_up("ann").await;
    let mut here = world.log_in(ann, 0).await;
    for round in 1..=20_u8 {
        let old = if round == 1 { PASSWORD_HASH.to_owned() } else { format!("${}", round - 1) };
        let (late, store) =
            (Opening { checked: Some(old.clone().into()), ..opening(ann, round) }, world.another_node());
        let session = late.session;
        let entering = tokio::spawn(async move { store.open_session(late).await.unwrap() });
        let by = Shown { checked: old.into(), ..shown(ann, here) };
        world.store.change_password(by, format!("${round}").into()).await.unwrap().unwrap();
        let entered = entering.await.unwrap();
        assert!(!is_live(&world, ann, session).await, "round {round}: it {entered} slipped in");
        // The next round is asked for by a log-in of the password that is good now.
        let fresh = Opening { checked: Some(format!("${round}").into()), ..opening(ann, 100 + round) };
        here = fresh.session;
        assert!(world.store.open_session(fresh).await.unwrap());
    }
}

#[tokio::test]
async fn who_has_been_logged_out_changes_nothing_more() {
    let world = World::new().await;
    let (ann, bob) = (world.sign_up("ann").await, world.sign_up("bob").await);
    let (gone, here, his) = (world.log_in(ann, 1).await, world.log_in(ann, 2).await, world.log_in(bob, 3).await);
    assert_eq!(world.store.end_other_sessions(ann, here).await.unwrap(), Some(1));
    let password = world.store.change_password(shown(ann, gone), "$new".into()).await.unwrap();
    assert_eq!(password, Err(NotChanged::Ended));
    let address = world.store.change_email(shown(ann, gone), "new@example.org").await.unwrap();
    assert_eq!(address, Err(NotChanged::Ended));
    assert_eq!(world.store.end_other_sessions(ann, gone).await.unwrap(), None);
    // Somebody else's log-in is none of one's own.
    assert_eq!(world.store.end_other_sessions(ann, his).await.unwrap(), None);
    let others = world.store.change_password(shown(ann, his), "$new".into()).await.unwrap();
    assert_eq!(others, Err(NotChanged::Ended));
    assert!(is_live(&world, ann, here).await && is_live(&world, bob, his).await);
}

#[tokio::test]
async fn an_address_is_taken_once() {
    let world = World::new().await;
    let ann = world.sign_up("ann").await;
    world.sign_up("bob").await;
    let here = world.log_in(ann, 1).await;
    let change = async |to: &str| world.store.change_email(shown(ann, here), to).await.unwrap();
    assert_eq!(change("bob@example.org").await, Err(NotChanged::EmailTaken));
    assert_eq!(change("new@example.org").await, Ok(()));
    assert_eq!(change("new@example.org").await, Ok(()), "again is no harm");
    assert_eq!(world.store.credentials("new@example.org").await.unwrap().unwrap().user, ann);
    assert!(world.store.credentials("ann@example.org").await.unwrap().is_none());
    // The old address is free again.
    world.sign_up_with_address("carol", "ann@example.org").await;
}

#[tokio::test]
async fn log_ins_are_listed_with_what_is_known_of_them() {
    let world = World::new().await;
    let (ann, bob) = (world.sign_up("ann").await, world.sign_up("bob").await);
    let phone = Opening { device: Some("Phone 9".into()), ..opening(ann, 1) };
    let phone_is = phone.session;
    assert!(world.store.open_session(phone).await.unwrap());
    let laptop = world.log_in(ann, 2).await;
    let old = world.log_in(ann, 3).await;
    world.log_in(bob, 4).await;
    world.database.psql(&format!("update refresh_tokens set expires_ms = 0 where session = '{old}'")).unwrap();
    world.database.psql("update sessions set opened_ms = opened_ms - 3600000").unwrap();
    let unknown = SessionId(Uuid::now_v7());
    let seen = [(phone_is, Some(Arc::from("app/2"))), (unknown, None), (old, None)];
    world.store.note_seen(&seen).await.unwrap();
    world.store.note_seen(&[(phone_is, None)]).await.unwrap();
    let list = world.store.log_ins(ann, laptop).await.unwrap();
    let told: Vec<_> = list.iter().map(|of| (of.id, of.device.as_deref(), of.client.as_deref(), of.current)).collect();
    assert_eq!(told, [(phone_is, Some("Phone 9"), Some("app/2"), false), (laptop, None, None, true)]);
    assert!(list[0].seen_at.0 >= list[0].created_at.0 + 3_600_000);
    assert_eq!(list[1].seen_at, list[1].created_at);
}

#[tokio::test]
async fn an_account_has_a_bounded_number_of_log_ins_and_loses_those_not_seen_longest() {
    let world = World::new().await;
    let ann = world.sign_up("ann").await;
    let (oldest, seen) = (world.log_in(ann, 1).await, world.log_in(ann, 2).await);
    let many = format!(
        "insert into sessions (id, user_id, opened_ms) select gen_random_uuid(), '{ann}', clock_ms() - 1000 + n \
         from generate_series(1, {}) n",
        LOG_INS_PER_USER - 2
    );
    world.database.psql("update sessions set opened_ms = opened_ms - 3600000").unwrap();
    world.database.psql(&many).unwrap();
    world.store.note_seen(&[(seen, None)]).await.unwrap();
    let before = world.head().await;
    let newest = world.log_in(ann, 3).await;
    assert_eq!(ended(&world, before.next()).await, [(ann, Some(oldest))]);
    assert!(is_live(&world, ann, seen).await && is_live(&world, ann, newest).await);
    let live = world.database.psql("select count(*) from sessions where revoked_ms is null").unwrap();
    assert_eq!(live, LOG_INS_PER_USER.to_string());
}

#[tokio::test]
async fn an_operator_gives_roles_and_passwords_and_logs_out_by_entries_of_the_journal() {
    let world = World::new().await;
    let ann = world.sign_up("ann").await;
    let (one, two) = (world.log_in(ann, 1).await, world.log_in(ann, 2).await);
    let before = world.head().await;
    assert!(world.store.set_role("Ann", Role::Moderator).await.unwrap());
    assert!(!world.store.set_role("ann", Role::Moderator).await.unwrap(), "it was so already");
    assert_eq!(world.store.viewer(ann, one).await.unwrap().unwrap().user.role, Role::Moderator);
    assert_eq!(world.store.log_ins_of("ann").await.unwrap().len(), 2);
    assert_eq!(world.store.log_out_everywhere("ann").await.unwrap(), 2);
    assert_eq!(world.store.log_out_everywhere("ann").await.unwrap(), 0);
    assert_eq!(ended(&world, before.next()).await, [(ann, None)], "one entry for all of them");
    assert!(!is_live(&world, ann, one).await && !is_live(&world, ann, two).await);
    world.log_in(ann, 3).await;
    assert_eq!(world.store.reset_password("ann", &"$reset".into()).await.unwrap(), 1);
    assert!(!world.store.open_session(opening(ann, 4)).await.unwrap(), "the old password is no longer good");
    // Whoever comes to moderate is one entry more.
    assert_eq!(world.head().await.0, before.0 + 4);
    for nobody in [
        world.store.set_role("nobody", Role::Admin).await.map(drop),
        world.store.reset_password("nobody", &"$reset".into()).await.map(drop),
        world.store.log_out_everywhere("nobody").await.map(drop),
        world.store.log_ins_of("nobody").await.map(drop),
    ] {
        assert!(matches!(nobody, Err(NotDone::NoSuchUser)), "{nobody:?}");
    }
}
