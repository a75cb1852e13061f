//! Reports, cases, actions and appeals as people and moderators live through them, on two nodes (P4, P5).

use serde_json::{Value, json};
use tidings_protocol::entity::{Action, Case, Report, Role};
use tidings_protocol::error::{ErrorCode, Refusal};
use tidings_protocol::feed::FeedName::{Global, Me, Mod};
use tidings_protocol::moderation::{CaseState, SettledAs};
use tidings_protocol::reply::{FeedStart, Snapshot};
use tidings_testkit::Node;
use uuid::Uuid;

use crate::person::Person;
use crate::state::Thing;
use crate::world::World;

fn cases(person: &Person) -> Vec<Case> {
    let case = |thing: &Thing| if let Thing::Case(case) = thing { Some((**case).clone()) } else { None };
    person.state.things(Mod).filter_map(case).collect()
}

fn actions(person: &Person) -> Vec<Action> {
    let action = |thing: &Thing| if let Thing::Action(action) = thing { Some((**action).clone()) } else { None };
    person.state.things(Me).filter_map(action).collect()
}

fn reports(person: &Person) -> Vec<Report> {
    let report = |thing: &Thing| if let Thing::Report(report) = thing { Some(report.clone()) } else { None };
    person.state.things(Me).filter_map(report).collect()
}

/// Somebody with a role, who watches the moderators' feed.
async fn moderator(world: &World, node: &Node, handle: &str) -> Person {
    let mut person = Person::signs_up(node, handle).await;
    world.database.psql(&format!("select set_role('{handle}', 'moderator')")).expect("a role");
    person.connects(node, &[Mod, Me]).await;
    person
}

async fn does(person: &mut Person, method: &str, params: Value) -> Value {
    let answer: Result<Value, Refusal> = person.request(method, params).await;
    answer.unwrap_or_else(|refusal| panic!("{method}: {refusal:?}"))
}

/// P4: what a moderator was told is what another one is given when they ask.
async fn agrees(told: &mut Person, asks: &mut Person) {
    let fetched: Snapshot =
        asks.request("feed.subscribe", json!({ "feed": Mod, "limit": 100 })).await.expect("a moderator");
    told.hears_until("all that was fetched", |me| {
        let mut open: Vec<Case> = cases(me).into_iter().filter(|case| case.state != CaseState::Settled).collect();
        open.sort_by_key(|case| std::cmp::Reverse(case.seq));
        Some(open) == fetched.cases
    })
    .await;
}

#[tokio::test]
async fn a_report_reaches_moderators_everywhere_and_what_they_do_reaches_everybody_it_concerns() {
    let world = World::two_nodes().await;
    let mut mia = moderator(&world, world.a(), "mia").await;
    let mut max = moderator(&world, world.b(), "max").await;
    let mut ann = Person::arrives(world.b(), "ann", &[Me, Global]).await;
    let mut bob = Person::arrives(world.a(), "bob", &[Me, Global]).await;
    let post = ann.posts("buy now").await;
    bob.hears_post("buy now").await;
    let params = json!({ "id": Uuid::now_v7(), "post": post.id, "reason": "spam", "note": "again" });
    does(&mut bob, "report.create", params).await;
    for moderator in [&mut mia, &mut max] {
        moderator.hears_until("the case", |me| cases(me).iter().any(|case| case.about.post == Some(post.id))).await;
    }
    agrees(&mut mia, &mut max).await;
    let case = cases(&mia)[0].id;
    does(&mut mia, "mod.claim", json!({ "id": case })).await;
    max.hears_until("somebody sees to it", |me| cases(me).iter().any(|case| case.state == CaseState::Claimed)).await;
    max.is_refused(ErrorCode::Conflict, "mod.claim", json!({ "id": case })).await;
    let action = Uuid::now_v7();
    let hide = json!({ "id": action, "case": case, "action": "hide", "reason": "spam", "note": "no advertising" });
    does(&mut mia, "mod.act", hide.clone()).await;
    assert_eq!(does(&mut mia, "mod.act", hide).await["duplicate"], true, "an answer that was lost");
    // Gone for everybody else, at once; its author keeps it and hears why.
    bob.hears_removal(Global, &post).await;
    bob.hears_until("what came of it", |me| reports(me).iter().any(|one| one.outcome == Some(SettledAs::Acted))).await;
    ann.hears_until("why", |me| actions(me).iter().any(|one| one.note.as_deref() == Some("no advertising"))).await;
    assert!(does(&mut ann, "post.get", json!({ "id": post.id })).await["post"]["hidden"] == "spam");
    bob.is_refused(ErrorCode::NotFound, "post.get", json!({ "id": post.id })).await;
    agrees(&mut max, &mut mia).await;
    // She objects; the one who acted may not decide, another may.
    does(&mut ann, "appeal.create", json!({ "action": action, "text": "it was a present" })).await;
    max.hears_until("an appeal", |me| cases(me).iter().any(|case| case.state == CaseState::Open)).await;
    mia.is_refused(ErrorCode::Forbidden, "appeal.settle", json!({ "action": action, "accept": true })).await;
    does(&mut max, "appeal.settle", json!({ "action": action, "accept": true, "note": "we are sorry" })).await;
    bob.hears_post("buy now").await;
    ann.hears_until("it is over", |me| actions(me).iter().any(|one| one.ended)).await;
    agrees(&mut mia, &mut max).await;
}

#[tokio::test]
async fn p5_who_loses_the_role_loses_the_feed_at_once_and_is_not_let_in_again() {
    let world = World::two_nodes().await;
    let mut mia = moderator(&world, world.b(), "mia").await;
    let mut bob = Person::arrives(world.a(), "bob", &[]).await;
    let mut ann = Person::arrives(world.a(), "ann", &[Mod, Me]).await;
    let post = ann.posts("hello").await;
    world.database.psql("select set_role('mia', 'user')").expect("no role");
    mia.hears_resync(Mod).await;
    let is_none = |thing: &Thing| matches!(thing, Thing::User(user) if user.role == Role::User);
    mia.hears_until("her profile says so", |me| me.state.things(Me).any(is_none)).await;
    assert!(cases(&mia).is_empty());
    let params = json!({ "id": Uuid::now_v7(), "post": post.id, "reason": "other" });
    does(&mut bob, "report.create", params).await;
    mia.hears_nothing_more().await;
    mia.is_refused(ErrorCode::Forbidden, "feed.subscribe", json!({ "feed": Mod })).await;
    mia.is_refused(ErrorCode::Forbidden, "mod.page", json!({})).await;
    mia.loses_the_line();
    let refused = |welcome: &tidings_protocol::reply::Welcome| {
        welcome.feeds.iter().any(|start| matches!(start, FeedStart::Refused { feed: Mod, .. }))
    };
    assert!(refused(&mia.resumes(world.a()).await), "nor with a cursor");
    // And who is given it is let in.
    world.database.psql("select set_role('ann', 'moderator')").expect("a role");
    let mut tries = 0;
    while ann.request::<Snapshot>("feed.subscribe", json!({ "feed": Mod })).await.is_err() {
        tries += 1;
        assert!(tries < 10_000, "let in within some time");
    }
}

#[tokio::test]
async fn a_suspension_holds_on_all_devices_and_ends_by_itself() {
    let world = World::two_nodes().await;
    let mut mia = moderator(&world, world.a(), "mia").await;
    let mut ann = Person::arrives(world.a(), "ann", &[Me]).await;
    let mut phone = Person::logs_in(world.b(), "ann").await;
    phone.connects(world.b(), &[Me]).await;
    let now: u64 = world.database.psql("select clock_ms()").expect("a time").trim().parse().expect("a number");
    let act = json!({ "id": Uuid::now_v7(), "user": ann.id(), "action": "suspend", "reason": "harassment", "until": now + 3_000 });
    does(&mut mia, "mod.act", act).await;
    for device in [&mut ann, &mut phone] {
        let words = json!({ "id": Uuid::now_v7(), "text": "more" });
        device.is_refused(ErrorCode::Forbidden, "post.create", words).await;
        device.hears_until("why", |me| actions(me).iter().any(|one| one.until.is_some())).await;
    }
    assert_eq!(does(&mut ann, "account.actions", json!({})).await["standing"], "suspended");
    for device in [&mut ann, &mut phone] {
        device.hears_until("it is over", |me| actions(me).iter().all(|one| one.ended)).await;
    }
    phone.posts("back again").await;
    assert_eq!(does(&mut ann, "account.actions", json!({})).await["standing"], "good");
}
