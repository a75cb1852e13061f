//! New lives of the journal, and log-ins that an operator ends by hand.

use tidings_actors::command::Act;
use tidings_actors::entry::Change;
use tidings_actors::ports::{JournalStore, Reads};
use tidings_protocol::position::Seq;

use crate::world::World;

#[tokio::test]
async fn p3_a_journal_found_shorter_than_it_was_begins_one_new_life_whoever_finds_it() {
    let world = World::new().await;
    let ann = world.sign_up("ann").await;
    let kept = world.head().await;
    world.post(ann, "lost").await;
    let before = world.store.head().await.unwrap();
    let other = world.another_node();
    assert_eq!(other.head().await.unwrap(), before, "a mere look changes nothing");
    world.database.psql(&format!("delete from posts; delete from journal where seq > {kept}")).unwrap();
    world.database.psql(&format!("update journal_head set seq = {kept}")).unwrap();
    let (mine, others) = tokio::join!(world.store.head(), other.head());
    assert_eq!(mine.unwrap(), others.unwrap());
    let after = world.store.head().await.unwrap();
    assert!(after.epoch != before.epoch && after.seq == kept, "{before:?} {after:?}");
    assert_eq!(world.another_node().head().await.unwrap(), after, "who has not seen the loss finds nothing odd");
}

#[tokio::test]
async fn p5_log_ins_ended_by_hand_stand_in_the_journal_like_all_others() {
    let world = World::new().await;
    let (ann, bob) = (world.sign_up("ann").await, world.sign_up("bob").await);
    let [first, second, third] = [world.log_in(ann, 1).await, world.log_in(ann, 2).await, world.log_in(ann, 3).await];
    let staying = world.log_in(bob, 4).await;
    let before = world.head().await;
    world
        .database
        .psql(&format!("update sessions set revoked_ms = clock_ms() where id in ('{first}', '{second}')"))
        .unwrap();
    world.database.psql(&format!("delete from sessions where id = '{third}'")).unwrap();
    // Ended already: nothing more happens.
    world.database.psql(&format!("update sessions set revoked_ms = clock_ms() where id = '{first}'")).unwrap();
    let head = world.head().await;
    assert_eq!(head, Seq(before.0 + 3));
    let batch = world.store.read(before.next(), head).await.unwrap();
    let ended: Vec<_> = batch.entries.iter().map(|entry| entry.change).collect();
    for session in [first, second, third] {
        assert!(ended.contains(&Change::SessionRevoked { user: ann, session: Some(session) }), "{ended:?}");
        assert!(!world.store.viewer(ann, session).await.unwrap().unwrap().session_live);
    }
    assert!(world.store.viewer(bob, staying).await.unwrap().unwrap().session_live);
    crate::world::done(world.does(bob, Act::SessionRevoke { session: Some(staying) }).await);
    let seqs = world.stored_seqs();
    assert_eq!(seqs, (1..=head.0 + 1).collect::<Vec<_>>(), "one entry for each, without a hole");
}

#[tokio::test]
async fn whether_restores_can_be_seen_hangs_on_one_grant() {
    let world = World::new().await;
    let epoch = world.store.head().await.unwrap().epoch;
    assert!(world.store.sees_restores().await.unwrap());
    let role = format!("owner_{}", world.database.name());
    let sql = format!("create role {role}; alter function files_born() owner to {role}");
    world.database.psql(&sql).unwrap();
    assert!(!world.store.sees_restores().await.unwrap());
    assert_ne!(world.store.head().await.unwrap().epoch, epoch);
    world.database.psql(&format!("grant execute on function pg_stat_file(text, boolean) to {role}")).unwrap();
    assert!(world.store.sees_restores().await.unwrap());
    assert_eq!(world.store.head().await.unwrap().epoch, epoch);
    let gone = format!("alter function files_born() owner to current_user; drop owned by {role}; drop role {role}");
    world.database.psql(&gone).unwrap();
}
