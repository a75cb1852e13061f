//! Forgetting, and what is left of what was deleted.

use tidings_actors::command::Act;
use tidings_actors::ports::{JournalStore, Reads};
use tidings_protocol::feed::FeedName;
use tidings_protocol::position::Seq;

use crate::world::{World, done, edit, new_token};

/// Every row of every table, as text.
fn everything(world: &World) -> String {
    ["users", "follows", "posts", "comments", "journal", "accounts", "sessions", "refresh_tokens", "writers"]
        .iter()
        .map(|table| world.database.psql(&format!("select * from {table}")).unwrap())
        .collect::<Vec<_>>()
        .join("\n")
}

#[tokio::test]
async fn p5_nothing_of_a_text_is_left_in_a_tombstone() {
    let world = World::new().await;
    let ann = world.sign_up("ann").await;
    let id = world.post(ann, "canary-one").await;
    done(world.does(ann, edit(id, "canary-two", None)).await);
    let other = world.post(ann, "kept").await;
    let on = world.comment(ann, id, None, "canary-three").await;
    let placed = world.comment(ann, other, None, "canary-four").await;
    world.comment(ann, other, Some(placed), "kept too").await;
    world.comment(ann, id, Some(on), "canary-five").await;
    done(world.does(ann, Act::CommentDelete { id: placed }).await);
    done(world.does(ann, Act::PostDelete { id }).await);
    let left = everything(&world);
    assert!(!left.contains("canary"), "{left}");
    assert!(left.contains("kept") && left.contains("kept too"));
    let digests = "select count(*) from posts where removed and first_digest is not null";
    assert_eq!(world.database.psql(digests).unwrap(), "0");
    assert_eq!(world.database.psql("select count(*) from comments").unwrap(), "2");
    for table in ["journal", "posts"] {
        let journal = world.database.psql(&format!("select * from {table}")).unwrap();
        assert!(!journal.contains("canary"));
    }
}

#[tokio::test]
async fn forgetting_raises_the_floor_over_what_is_old_and_never_past_the_head() {
    let world = World::new().await;
    let (ann, bob) = (world.sign_up("ann").await, world.sign_up("bob").await);
    let gone = world.post(ann, "gone").await;
    let post = world.post(ann, "stays").await;
    let held = world.comment(ann, post, None, "held").await;
    world.comment(ann, post, Some(held), "holds it").await;
    let loose = world.comment(ann, post, None, "loose").await;
    done(world.does(ann, Act::PostDelete { id: gone }).await);
    for id in [held, loose] {
        done(world.does(ann, Act::CommentDelete { id }).await);
    }
    done(world.does(ann, Act::Follow { whom: bob }).await);
    done(world.does(ann, Act::Unfollow { whom: bob }).await);
    let old = world.head().await.0;
    world.database.psql("update journal set at_ms = at_ms - 1000000").unwrap();
    world.post(ann, "new").await;

    assert_eq!(world.store.prune(500_000).await.unwrap(), old);
    let head = world.store.head().await.unwrap();
    assert_eq!((head.floor, head.seq), (Seq(old + 1), Seq(old + 1)));
    assert_eq!(world.database.psql("select count(*) from posts where removed").unwrap(), "0");
    assert_eq!(world.database.psql("select count(*) from follows").unwrap(), "0");
    let placeholders = world.database.psql("select id from comments where removed").unwrap();
    assert_eq!(placeholders, held.to_string(), "it still holds an answer");
    // Again: nothing left to do. All old: the head stays.
    assert_eq!(world.store.prune(500_000).await.unwrap(), 0);
    world.database.psql("update journal set at_ms = 0").unwrap();
    assert_eq!(world.store.prune(500_000).await.unwrap(), 0);
    assert_eq!(world.stored_seqs(), [old + 1]);
    // The journal goes on where it was.
    world.post(ann, "newer").await;
    assert_eq!(world.head().await, Seq(old + 2));
}

#[tokio::test]
async fn a_cursor_below_the_floor_is_too_much_and_one_at_it_is_not() {
    let world = World::new().await;
    let ann = world.sign_up("ann").await;
    for nth in 0..5 {
        world.post(ann, &nth.to_string()).await;
    }
    world.database.psql("update journal set at_ms = 0 where seq < 4").unwrap();
    assert_eq!(world.store.prune(1_000_000).await.unwrap(), 3);
    let missed = |since| world.store.missed(Some(ann), &[FeedName::Global], Seq(since), 100);
    let below = missed(3).await.unwrap();
    assert!(below.too_much && below.entries.is_empty());
    let at = missed(4).await.unwrap();
    assert!(!at.too_much);
    assert_eq!(at.entries.len(), 3);
}

#[tokio::test]
async fn forgetting_goes_on_in_chunks_while_others_write() {
    let world = World::new().await;
    let ann = world.sign_up("ann").await;
    world
        .database
        .psql(
            "insert into journal select g, 5, gen_random_uuid(), null, gen_random_uuid(), 0
               from generate_series(2, 12000) g;
             insert into posts (id, author, seq, rev, created_ms, removed)
             select gen_random_uuid(), gen_random_uuid(), g, g + 1, 0, true from generate_series(2, 11999) g;
             update journal_head set seq = 12000",
        )
        .unwrap();
    let (pruned, ()) = tokio::join!(world.store.prune(1_000_000), async {
        for nth in 0..50 {
            world.post(ann, &nth.to_string()).await;
        }
    });
    // The first entry is new: the floor stays before what is not old.
    assert_eq!(pruned.unwrap(), 0);
    world.database.psql("update journal set at_ms = 0 where seq = 1").unwrap();
    assert_eq!(world.store.prune(1_000_000).await.unwrap(), 12_000);
    assert_eq!(world.store.head().await.unwrap().floor, Seq(12_001));
    assert_eq!(world.database.psql("select count(*) from posts where removed").unwrap(), "0");
    assert_eq!(world.stored_seqs().len(), 50);
}

#[tokio::test]
async fn dead_tokens_and_log_ins_are_forgotten_and_living_ones_are_not() {
    let world = World::new().await;
    let ann = world.sign_up("ann").await;
    let dead = world.log_in(ann, 1).await;
    world.log_in(ann, 2).await;
    let expire = format!("update refresh_tokens set expires_ms = 0 where session = '{dead}'");
    world.database.psql(&expire).unwrap();
    world.database.psql("update sessions set opened_ms = 0").unwrap();
    world.store.prune(1_000_000).await.unwrap();
    assert_eq!(world.database.psql("select count(*) from sessions").unwrap(), "1");
    let hashes = world.database.psql("select encode(hash, 'hex') from refresh_tokens").unwrap();
    assert_eq!(hashes, "02".repeat(32));
    assert_eq!(new_token(2).hash, [2; 32]);
}

#[tokio::test]
async fn writers_that_have_long_ended_are_forgotten_and_living_ones_are_not() {
    let world = World::new().await;
    let ann = world.sign_up("ann").await;
    let writers = || world.database.psql("select count(*) from writers").unwrap();
    assert_eq!(writers(), "1");
    world.database.psql("update writers set at_ms = at_ms - 25 * 3600 * 1000").unwrap();
    world.post(ann, "by another").await;
    assert_eq!(writers(), "2");
    world.store.prune(1_000_000_000).await.unwrap();
    assert_eq!(writers(), "1", "batches are asked again for some seconds, not for a day");
}
