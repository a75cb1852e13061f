//! P1 and P2: numbers without holes, whoever writes; nothing of what was refused; reading the journal back.

use std::collections::BTreeSet;

use tidings_actors::command::{Act, Command, Denied, Outcome};
use tidings_actors::entry::{Change, Verb};
use tidings_actors::limits::TAIL_READ_ENTRIES;
use tidings_actors::ports::{JournalStore, StoreFault};
use tidings_protocol::entity::{Follow, Post};
use tidings_protocol::ids::{PostId, UserId};
use tidings_protocol::position::Seq;
use tidings_testkit::PrivatePostgres;
use uuid::Uuid;

use crate::world::{World, body, connect, done, edit, once, post, refused, sign_up};

#[tokio::test]
async fn p1_seq_is_contiguous_under_several_nodes() {
    let world = World::new().await;
    let author = world.sign_up("ann").await;
    let mut nodes = Vec::new();
    for node in 0..4 {
        let store = world.another_node();
        nodes.push(tokio::spawn(async move {
            let mut acked = Vec::new();
            for batch in 0..25 {
                // Every third command is refused: its number must not be skipped.
                let commands: Vec<Command> = (0..12)
                    .map(|nth| Command {
                        actor: if nth % 3 == 2 { UserId(Uuid::nil()) } else { author },
                        act: post(PostId(Uuid::now_v7()), &format!("{node} {batch} {nth}")),
                    })
                    .collect();
                let committed = store.commit(once(), &commands).await.unwrap();
                let mut within = Vec::new();
                for (nth, outcome) in committed.outcomes.into_iter().enumerate() {
                    match outcome {
                        Outcome::Done(entry) => {
                            let post: Post = body(&entry);
                            assert_eq!(post.text, format!("{node} {batch} {nth}"));
                            assert_eq!((post.seq, post.rev), (entry.seq, entry.seq));
                            within.push(entry.seq.0);
                        }
                        Outcome::Refused(why) => assert_eq!(why, Denied::NoAccount),
                        Outcome::Duplicate(entry) => panic!("no duplicate: {entry:?}"),
                    }
                }
                assert!(
                    within.windows(2).all(|two| two[0] + 1 == two[1]),
                    "one batch, one stretch, in the order of the commands"
                );
                acked.extend(within);
            }
            acked
        }));
    }
    let mut acked = Vec::new();
    for node in nodes {
        acked.extend(node.await.unwrap());
    }
    acked.sort_unstable();
    let expected: Vec<u64> = (2..=801).collect();
    assert_eq!(acked, expected, "each number given out once, none skipped");
    assert_eq!(world.stored_seqs(), (1..=801).collect::<Vec<u64>>());
    assert_eq!(world.head().await, Seq(801));
}

#[tokio::test]
async fn p2_what_is_refused_leaves_nothing_behind() {
    let world = World::new().await;
    let ann = world.sign_up("ann").await;
    let before = world.head().await;
    let id = PostId(Uuid::now_v7());
    let why = refused(world.does(UserId(Uuid::now_v7()), post(id, "x")).await);
    assert_eq!(why, Denied::NoAccount);
    let why = refused(world.does(ann, edit(id, "x", None)).await);
    assert_eq!(why, Denied::NotFound);
    assert_eq!(world.head().await, before);
    assert_eq!(world.database.psql("select * from posts").unwrap(), "");
    // The id is as free as before.
    done(world.does(ann, post(id, "y")).await);
}

#[tokio::test]
async fn a_batch_of_every_kind_keeps_the_order_of_its_commands() {
    let world = World::new().await;
    let (ann, bob) = (world.sign_up("ann").await, world.sign_up("bob").await);
    let old = world.post(bob, "old").await;
    let carol = UserId(Uuid::now_v7());
    let head = world.head().await.0;
    let commands = [
        Command { actor: ann, act: post(PostId(Uuid::now_v7()), "new") },
        Command { actor: ann, act: Act::Follow { whom: bob } },
        Command { actor: carol, act: sign_up("carol") },
        Command { actor: ann, act: edit(old, "not hers", None) },
        Command { actor: bob, act: edit(old, "newer", None) },
        Command { actor: bob, act: Act::SessionRevoke { session: None } },
        Command { actor: bob, act: Act::Follow { whom: ann } },
    ];
    let outcomes = world.commit(&commands).await;
    let seqs: Vec<Option<u64>> = outcomes
        .iter()
        .map(|outcome| match outcome {
            Outcome::Done(entry) => Some(entry.seq.0 - head),
            Outcome::Duplicate(_) | Outcome::Refused(_) => None,
        })
        .collect();
    assert_eq!(seqs, [Some(1), Some(2), Some(3), None, Some(4), None, Some(5)]);
    let follow: Follow = body(&done(outcomes[6].clone()));
    assert_eq!((follow.follower, follow.followee), (bob, ann));
}

#[tokio::test]
async fn the_journal_reads_back_what_commits_told() {
    let world = World::new().await;
    let (ann, bob) = (world.sign_up("ann").await, world.sign_up("bob").await);
    let first = world.post(ann, "first").await;
    let on = world.comment(bob, first, None, "hm").await;
    let told = [
        done(world.does(ann, Act::Follow { whom: bob }).await),
        done(world.does(bob, Act::CommentDelete { id: on }).await),
        done(world.does(ann, edit(first, "better", None)).await),
    ];
    let all = world.store.read(Seq(1), Seq(1_000_000)).await.unwrap();
    assert_eq!((all.first, all.last), (Seq(1), world.head().await));
    let seqs: Vec<u64> = all.entries.iter().map(|entry| entry.seq.0).collect();
    // 3 and 4 were superseded by 10 and 8. 7 tells bob of the follow; 9 tells ann that nobody has commented any more, which supersedes 5.
    assert_eq!(seqs, [1, 2, 6, 7, 8, 9, 10]);
    // For somebody who knows the comment; who does not hears of a placeholder, see reads.rs.
    let batch = world.store.read(Seq(6), Seq(10)).await.unwrap();
    for told in &told {
        let read = batch.entries.iter().find(|read| read.seq == told.seq).unwrap();
        assert_eq!(told.change, read.change);
        assert_eq!(told.body.get(), read.body.get(), "the same bytes on every node");
    }
    assert_eq!(batch.entries.len(), told.len() + 2);
    assert_eq!(batch.epoch, world.store.head().await.unwrap().epoch);
}

#[tokio::test]
async fn a_hole_is_read_exactly() {
    let world = World::new().await;
    let ann = world.sign_up("ann").await;
    let commands: Vec<Command> =
        (0..1_100).map(|nth| Command { actor: ann, act: post(PostId(Uuid::now_v7()), &nth.to_string()) }).collect();
    for batch in commands.chunks(400) {
        world.commit(batch).await;
    }
    let hole = world.store.read(Seq(10), Seq(12)).await.unwrap();
    assert_eq!((hole.first, hole.last, hole.entries.len()), (Seq(10), Seq(12), 3));
    let long = world.store.read(Seq(2), Seq(u64::MAX)).await.unwrap();
    assert_eq!(long.last, Seq(1 + TAIL_READ_ENTRIES), "cut at the most, from the start");
    assert_eq!(long.entries.len() as u64, TAIL_READ_ENTRIES);
    let beyond = world.store.read(Seq(1_102), Seq(1_200)).await.unwrap();
    assert!(beyond.entries.is_empty() && beyond.last < beyond.first);
}

#[tokio::test]
async fn ended_log_ins_are_in_the_journal_with_the_user_they_concern() {
    let world = World::new().await;
    let ann = world.sign_up("ann").await;
    let session = world.log_in(ann, 1).await;
    let told = done(world.does(ann, Act::SessionRevoke { session: Some(session) }).await);
    let read = world.store.read(told.seq, told.seq).await.unwrap();
    let expected = Change::SessionRevoked { user: ann, session: Some(session) };
    assert_eq!((told.change, read.entries[0].change), (expected, expected));
    assert_eq!(read.entries[0].body.get(), "{}");
}

#[tokio::test]
async fn the_epoch_stays_while_the_journal_does_and_changes_when_it_is_restored() {
    let world = World::new().await;
    world.sign_up("ann").await;
    let epoch = world.store.head().await.unwrap().epoch;
    assert_eq!(world.another_node().head().await.unwrap().epoch, epoch);
    // A dump restored into another database of the same cluster, or again into the same one.
    let copy = World::new().await;
    let word = "select encode(life_word, 'hex') from journal_head";
    let word = world.database.psql(word).unwrap();
    let set = format!("update journal_head set life_word = '\\x{word}'");
    copy.database.psql(&set).unwrap();
    assert_ne!(copy.store.head().await.unwrap().epoch, epoch);
    let again = "begin; create table h2 (like journal_head including all); insert into h2 select * from journal_head;
                 drop table journal_head; alter table h2 rename to journal_head; commit";
    world.database.psql(again).unwrap();
    assert_ne!(world.store.head().await.unwrap().epoch, epoch);
}

/// The timeline alone has to tell: this owner may not look at the server's files.
#[tokio::test]
async fn the_epoch_of_an_owner_without_rights_changes_when_a_standby_is_promoted() {
    let primary = PrivatePostgres::start().unwrap();
    primary.cluster().psql("postgres", "create role plain login").unwrap();
    primary.cluster().psql("postgres", "create database plains owner plain").unwrap();
    let url = |of: &PrivatePostgres| of.url("plains").replace("user=postgres", "user=plain");
    let store = connect(&url(&primary));
    store.migrate().await.unwrap();
    assert_eq!(primary.cluster().psql("plains", "select files_born()").unwrap().trim(), "");
    let before = store.head().await.unwrap();
    let standby = primary.standby().unwrap();
    standby.promote().unwrap();
    let after = connect(&url(&standby)).head().await.unwrap();
    assert_eq!((after.seq, after.floor), (before.seq, before.floor));
    assert_ne!(after.epoch, before.epoch);
}

#[tokio::test]
async fn all_nodes_share_one_secret_and_databases_do_not() {
    let world = World::new().await;
    let secret = world.store.node_secret().await.unwrap();
    assert_eq!(world.another_node().node_secret().await.unwrap(), secret);
    assert!(secret.iter().collect::<BTreeSet<_>>().len() > 8);
    let other = World::new().await;
    assert_ne!(other.store.node_secret().await.unwrap(), secret);
    // Migrating again changes nothing.
    world.store.migrate().await.unwrap();
    assert_eq!(world.store.node_secret().await.unwrap(), secret);
}

#[tokio::test]
async fn nodes_that_start_together_migrate_once() {
    let database = tidings_testkit::Postgres::shared().unwrap().fresh_database().unwrap();
    let starts: Vec<_> = (0..4)
        .map(|_| {
            let store = crate::world::connect(database.url());
            tokio::spawn(async move { store.migrate().await })
        })
        .collect();
    for start in starts {
        start.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_role_given_by_the_operator_is_an_entry_like_any_other() {
    let world = World::new().await;
    let ann = world.sign_up("ann").await;
    let told = world.database.psql("select set_role('ann', 'admin')").unwrap();
    assert_eq!(told, "3", "that she moderates from now on, and the profile");
    assert_eq!(world.database.psql("select set_role('ann', 'admin')").unwrap(), "");
    let read = world.store.read(Seq(2), Seq(3)).await.unwrap();
    assert_eq!(read.entries[0].change, Change::Rights { user: ann, moderates: true });
    assert_eq!(read.entries[1].change, Change::User { verb: Verb::Updated, id: ann });
    let user: tidings_protocol::entity::User = body(&read.entries[1]);
    assert_eq!(user.role, tidings_protocol::entity::Role::Admin);
}

#[tokio::test]
async fn what_is_forgotten_is_not_read_as_if_it_had_never_been() {
    let world = World::new().await;
    let ann = world.sign_up("ann").await;
    world.post(ann, "a").await;
    world.database.psql("update journal set at_ms = 0").unwrap();
    world.store.prune(1_000).await.unwrap();
    let fault = world.store.read(Seq(1), Seq(2)).await.unwrap_err();
    assert!(matches!(fault, StoreFault::Broken(_)), "{fault}");
}

/// A connection makes its plans once, perhaps when the tables have just been analysed and are empty. They must be good for full ones.
#[tokio::test]
async fn plans_made_while_the_tables_are_empty_stay_good_when_they_are_full() {
    let world = World::new().await;
    let ann = world.sign_up("ann").await;
    let batch = |number: u32, posts: u32| {
        format!(
            "select count(*) from commit_batch(array_fill(5::smallint, array[{posts}]), array_fill('{ann}'::uuid, array[{posts}]),
                 array(select gen_random_uuid() from generate_series(1, {posts})), array_fill('hm'::text, array[{posts}]),
                 '{{}}', '{{}}', '{{}}', '{{}}', '{{}}', '{{}}', '{{}}', 8::smallint, '{ann}', {number}, '{{}}');"
        )
    };
    let (first, many, last) = (batch(1, 1), batch(2, 20_000), batch(3, 100));
    let looked_at =
        "select sum(seq_tup_read + idx_tup_fetch) from pg_stat_xact_user_tables where relname in ('posts', 'users');";
    // One connection and one transaction: what counts is what the last batch adds.
    let said = world.database.psql(&format!("analyze; {first} {many} {looked_at} {last} {looked_at}")).unwrap();
    let counts: Vec<u32> = said.lines().map(|line| line.parse().unwrap()).collect();
    let rows = counts[4] - counts[2];
    assert!(rows < 1_000, "{rows} rows looked at for a hundred posts");
}
