//! The database dies and comes back, again and again, under writing (F6, P2, P10).

use std::time::{Duration, Instant};

use serde_json::json;
use tidings_protocol::error::ErrorCode;
use tidings_protocol::feed::FeedName::Global;
use tidings_protocol::reply::PostResult;
use tidings_testkit::Halt;

use crate::deeds::{Draft, RECOVERY, until};
use crate::person::{Outcome, Person};
use crate::world::Plan;

/// Longer than any request may wait for its answer.
const BOUND: Duration = Duration::from_secs(8);
const CRASHES: usize = 6;
/// On their way at each crash; all together fewer than a snapshot holds.
const IN_FLIGHT: usize = 7;

#[tokio::test]
async fn through_many_crashes_nothing_acknowledged_is_lost_and_nothing_is_doubled() {
    let mut world = Plan::default().nodes(1).await;
    let mut ann = Person::arrives(&world.nodes[0], "ann", &[]).await;
    let mut bob = Person::arrives(&world.nodes[0], "bob", &[Global]).await;
    let (mut texts, mut waits) = (Vec::new(), Vec::new());
    for crash in 0..CRASHES {
        let drafts: Vec<Draft> = (0..IN_FLIGHT).map(|number| Draft::of(format!("{crash} {number}"))).collect();
        let mut asked = Vec::new();
        for draft in &drafts[..5] {
            asked.push(ann.asks("post.create", draft.params()).await);
        }
        world.postgres.halt(if crash % 2 == 0 { Halt::Kill } else { Halt::Immediate }).unwrap();
        for draft in &drafts[5..] {
            asked.push(ann.asks("post.create", draft.params()).await);
        }
        // While it is away, reading says so instead of hanging.
        let began = Instant::now();
        bob.is_refused(ErrorCode::Unavailable, "feed.page", json!({ "feed": "global" })).await;
        assert!(began.elapsed() < BOUND, "an answer after {:?}", began.elapsed());
        world.postgres.start_again().unwrap();
        let back = Instant::now();
        for (draft, id) in drafts.iter().zip(asked) {
            match ann.hears_answer(id).await {
                Outcome::Done(_) => {}
                Outcome::Refused(refusal) => {
                    assert_eq!(refusal.code, ErrorCode::Unavailable);
                    ann.posts_at_last(&world.nodes[0], draft).await;
                }
                Outcome::Lost(number) => panic!("closed with {number}: sockets stay"),
            }
        }
        waits.push(back.elapsed());
        texts.extend(drafts.into_iter().map(|draft| draft.text));
    }
    bob.hears_until("all of it", |bob| bob.state.texts(Global).len() == texts.len()).await;
    assert_eq!(bob.state.texts(Global), texts, "each once, in order");
    assert_eq!(bob.snapshots(Global), 1, "nothing had to start afresh");
    assert!(bob.state.repeats().is_empty());
    let rows = format!("{0}|{0}", texts.len());
    assert_eq!(world.psql("select count(*), count(distinct text) from posts"), rows);
    println!("{CRASHES} crashes; all answered {waits:?} after the server was back");
}

/// The hardest of them: it was committed, and the answer was lost with the server. Nobody may guess.
#[tokio::test]
async fn an_unknown_outcome_is_settled_by_asking_again() {
    let mut world = Plan::default().nodes(1).await;
    let mut ann = Person::arrives(&world.nodes[0], "ann", &[]).await;
    let mut bob = Person::arrives(&world.nodes[0], "bob", &[Global]).await;
    world.doors[0].hold_answers();
    let draft = Draft::of("once");
    let asked = ann.asks("post.create", draft.params()).await;
    until("it is committed", RECOVERY, async || world.psql("select count(*) from posts") == "1").await;
    world.postgres.kill9().unwrap();
    world.postgres.start_again().unwrap();
    world.doors[0].cut();
    world.doors[0].open();
    let created: PostResult = match ann.hears_answer(asked).await {
        Outcome::Done(result) => serde_json::from_value(result).unwrap(),
        Outcome::Refused(_) | Outcome::Lost(_) => ann.posts_at_last(&world.nodes[0], &draft).await,
    };
    assert!(created.duplicate, "it was there when the node asked again");
    // Nobody announced it: the tail found it.
    bob.hears_post("once").await;
    ann.posts("and on").await;
    bob.hears_post("and on").await;
    assert_eq!(bob.state.texts(Global), ["once", "and on"]);
    assert!(bob.state.repeats().is_empty());
}
