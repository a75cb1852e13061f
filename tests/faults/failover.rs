//! Another server takes the journal over: a promoted standby, a restored backup (F7, P1, P2, P3).

use std::collections::BTreeMap;

use tidings_protocol::feed::FeedName::Global;
use tidings_protocol::ids::PostId;
use tidings_protocol::position::{Epoch, Seq};
use tidings_testkit::PrivatePostgres;

use crate::deeds::{Draft, RECOVERY, until};
use crate::person::{Outcome, Person};
use crate::world::{Plan, World};

/// Fewer than a snapshot holds.
const POSTS: usize = 40;

fn numbered(what: &str, from: usize, to: usize) -> Vec<String> {
    (from..to).map(|number| format!("{what} {number}")).collect()
}

/// Which post had which place: no place may ever be given twice.
#[derive(Default)]
struct Places(BTreeMap<(Epoch, Seq), PostId>);

impl Places {
    fn note(&mut self, epoch: Epoch, posts: &[(PostId, Seq)]) {
        for &(id, seq) in posts {
            let before = self.0.insert((epoch, seq), id);
            assert!(before.is_none_or(|before| before == id), "{epoch}-{seq} is {before:?} and {id}");
        }
    }
}

impl World {
    /// The standby has replayed everything that is in the primary.
    async fn standby_has_all(&self, standby: &PrivatePostgres) {
        let wanted = self.psql("select pg_current_wal_lsn()");
        let sql = format!("select pg_last_wal_replay_lsn() >= '{wanted}'");
        until("the standby has caught up", RECOVERY, async || {
            standby.cluster().psql("postgres", &sql).is_ok_and(|said| said.trim() == "t")
        })
        .await;
    }
}

async fn hears_new_epoch(person: &mut Person, before: Epoch) -> Epoch {
    let is_new = |person: &Person| person.cursor.is_some_and(|cursor| cursor.epoch != before);
    person.hears_until("the journal's new life", is_new).await;
    person.hears_until("a fresh start", |person| person.snapshots(Global) > 1).await;
    person.cursor.expect("just seen").epoch
}

#[tokio::test]
async fn after_an_asynchronous_failover_everybody_starts_afresh_and_no_place_is_given_twice() {
    let mut world = Plan::default().nodes(2).await;
    let standby = world.postgres.standby().unwrap();
    let mut ann = Person::arrives(&world.nodes[0], "ann", &[Global]).await;
    let mut bob = Person::arrives(&world.nodes[1], "bob", &[Global]).await;
    let mut eve = Person::arrives(&world.nodes[1], "eve", &[Global]).await;
    let kept = ann.posts_all(numbered("kept", 0, 10)).await;
    world.standby_has_all(&standby).await;
    // From here on the standby hears nothing: what is acknowledged now is what an asynchronous standby may lose.
    standby.cluster().psql("postgres", "alter system set primary_conninfo = ''").unwrap();
    standby.cluster().psql("postgres", "select pg_reload_conf()").unwrap();
    until("streaming has ended", RECOVERY, async || world.psql("select count(*) from pg_stat_replication") == "0")
        .await;
    let lost = ann.posts_all(numbered("lost", 0, 10)).await;
    for person in [&mut ann, &mut bob, &mut eve] {
        person.hears_post("lost 9").await;
    }
    let old = eve.cursor.unwrap().epoch;
    let mut places = Places::default();
    places.note(old, &[kept.clone(), lost.clone()].concat());
    eve.loses_the_line();

    world.postgres.kill9().unwrap();
    standby.promote().unwrap();
    world.take_over(standby);
    let new = hears_new_epoch(&mut bob, old).await;
    assert_eq!(hears_new_epoch(&mut ann, old).await, new);
    assert_eq!(bob.state.texts(Global), numbered("kept", 0, 10), "what is lost is not shown any longer");

    let mut after = Vec::new();
    for text in numbered("after", 0, 10) {
        let created = ann.posts_at_last(&world.nodes[0], &Draft::of(text)).await.post;
        after.push((created.id, created.seq));
    }
    assert!(after[0].1 <= lost[9].1, "numbers are given out again, or this shows nothing");
    places.note(new, &[kept, after.clone()].concat());
    let expected = [numbered("kept", 0, 10), numbered("after", 0, 10)].concat();
    for person in [&mut ann, &mut bob] {
        person.hears_post("after 9").await;
        assert_eq!(person.state.texts(Global), expected);
    }
    // Her cursor is of a future that never was; its number exists again.
    assert!(after[9].1 >= eve.cursor.unwrap().seq);
    let welcome = eve.resumes(&world.nodes[0]).await;
    assert!(!welcome.resumed && welcome.cursor.epoch == new, "{welcome:?}");
    assert_eq!(eve.state.texts(Global), expected);
    let rows = world.psql("select count(*) from posts");
    assert_eq!(rows, "20", "everything acknowledged since is there");
}

#[tokio::test]
async fn after_a_synchronous_failover_nothing_acknowledged_is_lost() {
    let mut world = Plan::default().nodes(2).await;
    let standby = world.postgres.standby().unwrap();
    world.psql("alter system set synchronous_standby_names = '*'");
    world.psql("select pg_reload_conf()");
    until("commits wait for the standby", RECOVERY, async || {
        world.psql("select sync_state from pg_stat_replication") == "sync"
    })
    .await;
    let mut ann = Person::arrives(&world.nodes[0], "ann", &[]).await;
    let mut bob = Person::arrives(&world.nodes[1], "bob", &[Global]).await;
    let old = bob.cursor.unwrap().epoch;
    let drafts: Vec<Draft> = numbered("post", 0, POSTS).into_iter().map(Draft::of).collect();
    // A part acknowledged, a part on its way when the server dies.
    for draft in &drafts[..10] {
        ann.posts_at_last(&world.nodes[0], draft).await;
    }
    // With the standby hanging nothing is acknowledged, nor told to others; reading goes on. It is, once the standby has it.
    standby.pause().unwrap();
    let waits = ann.asks("post.create", drafts[10].params()).await;
    let waiting = "select count(*) from pg_stat_activity where wait_event = 'SyncRep'";
    until("a commit waits for the standby", RECOVERY, async || world.psql(waiting) == "1").await;
    bob.is_answered().await;
    assert!(bob.state.post(&drafts[10].text).is_none(), "told before the standby has it");
    standby.resume().unwrap();
    let answer = ann.hears_answer(waits).await;
    assert!(matches!(answer, Outcome::Done(_)), "{answer:?}");

    let mut asked = Vec::new();
    for draft in &drafts[11..20] {
        asked.push(ann.asks("post.create", draft.params()).await);
    }
    world.postgres.kill9().unwrap();
    for draft in &drafts[20..30] {
        asked.push(ann.asks("post.create", draft.params()).await);
    }
    standby.promote().unwrap();
    world.take_over(standby);
    let mut acknowledged = 11;
    for id in asked {
        acknowledged += usize::from(matches!(ann.hears_answer(id).await, Outcome::Done(_)));
    }
    let kept: usize = world.psql("select count(*) from posts").parse().unwrap();
    println!("{acknowledged} acknowledged, {kept} there");
    assert!(kept >= acknowledged, "{acknowledged} acknowledged, {kept} there");
    hears_new_epoch(&mut bob, old).await;
    // Whatever was not answered is asked again by its id, and so is the rest for good measure.
    for draft in &drafts {
        ann.posts_at_last(&world.nodes[0], draft).await;
    }
    bob.hears_until("all of it", |bob| bob.state.texts(Global).len() == POSTS).await;
    let mut heard = bob.state.texts(Global);
    heard.sort_by_key(|text| text.split_once(' ').and_then(|(_, number)| number.parse::<usize>().ok()));
    assert_eq!(heard, numbered("post", 0, POSTS), "each once");
    assert_eq!(world.psql("select count(*), count(distinct text) from posts"), format!("{POSTS}|{POSTS}"));
}

#[tokio::test]
async fn a_restored_backup_is_a_new_life_also_when_its_head_has_overtaken_the_lost_future() {
    let mut world = Plan::default().nodes(1).await;
    let mut ann = Person::arrives(&world.nodes[0], "ann", &[Global]).await;
    let mut eve = Person::arrives(&world.nodes[0], "eve", &[Global]).await;
    let kept = ann.posts_all(numbered("kept", 0, 5)).await;
    let (backup, same_again) = (world.postgres.back_up().unwrap(), world.postgres.back_up().unwrap());
    let lost = ann.posts_all(numbered("lost", 0, 5)).await;
    eve.hears_post("lost 4").await;
    let old = eve.cursor.unwrap().epoch;
    let mut places = Places::default();
    places.note(old, &[kept.clone(), lost].concat());
    eve.loses_the_line();
    // The node is not there while it happens: nobody but the database can tell.
    world.nodes[0].kill9().unwrap();
    ann.hears_the_end().await;
    world.postgres.kill9().unwrap();
    world.take_over(backup.restore().unwrap());
    world.nodes[0].restart().unwrap();
    let welcome = ann.resumes(&world.nodes[0]).await;
    let new = welcome.cursor.epoch;
    assert!(!welcome.resumed && new != old, "{welcome:?}");
    let after = ann.posts_all(numbered("after", 0, 8)).await;
    places.note(new, &[kept.clone(), after.clone()].concat());
    assert!(after[7].1 > eve.cursor.unwrap().seq, "the head has overtaken her cursor");
    let welcome = eve.resumes(&world.nodes[0]).await;
    assert!(!welcome.resumed && welcome.cursor.epoch == new, "{welcome:?}");
    assert_eq!(eve.state.texts(Global), [numbered("kept", 0, 5), numbered("after", 0, 8)].concat());

    // Restored once more, this time under a living node and its connections.
    // A file's change time, by which Postgres can see it, counts in seconds.
    let restored_at = world.psql("select ceil(extract(epoch from clock_timestamp()))");
    until("the second is over", RECOVERY, async || {
        world.psql(&format!("select extract(epoch from clock_timestamp()) > {restored_at}")) == "t"
    })
    .await;
    world.postgres.kill9().unwrap();
    world.take_over(same_again.restore().unwrap());
    let third = hears_new_epoch(&mut eve, new).await;
    assert!(third != old && third != new);
    let last = ann.posts_at_last(&world.nodes[0], &Draft::of("at last")).await.post;
    places.note(third, &[kept, vec![(last.id, last.seq)]].concat());
    eve.hears_post("at last").await;
    let expected = [numbered("kept", 0, 5), vec!["at last".to_owned()]].concat();
    assert_eq!(eve.state.texts(Global), expected);
}

/// What everybody does every day: the server is stopped and started. Nobody starts afresh for that.
#[tokio::test]
async fn a_mere_restart_is_the_same_life() {
    let mut world = Plan::default().nodes(1).await;
    let mut ann = Person::arrives(&world.nodes[0], "ann", &[Global]).await;
    ann.posts("before").await;
    ann.hears_post("before").await;
    let before = ann.cursor.unwrap();
    for how in [tidings_testkit::Halt::Fast, tidings_testkit::Halt::Immediate, tidings_testkit::Halt::Kill] {
        world.postgres.halt(how).unwrap();
        world.postgres.start_again().unwrap();
        let text = format!("after {how:?}");
        ann.posts_at_last(&world.nodes[0], &Draft::of(&text)).await;
        ann.hears_post(&text).await;
    }
    assert_eq!(ann.cursor.unwrap().epoch, before.epoch);
    assert_eq!(ann.snapshots(Global), 1);
}

/// A snapshot of the whole disk cannot be told from the disk itself: here only the node knows that something is gone.
#[tokio::test]
async fn a_journal_that_has_gone_back_begins_a_new_life() {
    let world = Plan::default().nodes(1).await;
    let mut ann = Person::arrives(&world.nodes[0], "ann", &[Global]).await;
    let mut bob = Person::arrives(&world.nodes[0], "bob", &[Global]).await;
    ann.posts_all(numbered("kept", 0, 3)).await;
    let kept_to = world.psql("select seq from journal_head");
    ann.posts_all(numbered("lost", 0, 5)).await;
    bob.hears_post("lost 4").await;
    let old = bob.cursor.unwrap().epoch;
    world.psql(&format!(
        "begin; delete from posts where seq > {kept_to}; delete from journal where seq > {kept_to};
         update journal_head set seq = {kept_to}; commit"
    ));
    hears_new_epoch(&mut bob, old).await;
    assert_eq!(bob.state.texts(Global), numbered("kept", 0, 3));
    ann.posts_at_last(&world.nodes[0], &Draft::of("after")).await;
    bob.hears_post("after").await;
}
