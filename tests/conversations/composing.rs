//! Settings and drafts: the same on all devices, nobody else's business, and what is to be published at its time is, once, whoever dies.

use serde_json::{Value, json};
use tidings_protocol::drafts::{Draft, DraftResult, DraftsPage};
use tidings_protocol::error::{ErrorCode, Refusal};
use tidings_protocol::feed::FeedName::{Home, Me};
use tidings_protocol::ids::PostId;
use tidings_protocol::reply::Snapshot;
use tidings_protocol::settings::{Settings, SettingsResult};
use tidings_protocol::threads::Commenters;
use tidings_testkit::Node;
use uuid::Uuid;

use crate::person::Person;
use crate::state::{Thing, draft_key, post_key};
use crate::world::{Plan, World};

/// The database's clock, in so many milliseconds from now.
fn in_ms(world: &World, ms: i64) -> i64 {
    let now: i64 = world.database.psql("select clock_ms()").expect("a clock").trim().parse().expect("a number");
    now + ms
}

fn settings_of(person: &Person) -> Option<Settings> {
    let chosen = |thing: &Thing| if let Thing::Settings(settings) = thing { Some(*settings) } else { None };
    person.state.things(Me).find_map(chosen)
}

fn draft_of(person: &Person, id: Uuid) -> Option<Draft> {
    let draft = |thing: &Thing| if let Thing::Draft(draft) = thing { Some(draft.clone()) } else { None };
    person.state.things(Me).filter_map(draft).find(|draft| draft.id.0 == id)
}

impl Person {
    async fn puts(&mut self, id: Uuid, text: &str, publish_at: Option<i64>) -> DraftResult {
        let params = json!({ "id": id, "text": text, "publish_at": publish_at });
        self.request("draft.put", params).await.expect("kept")
    }

    async fn drafts(&mut self) -> Vec<Draft> {
        let page: DraftsPage = self.request("draft.page", json!({})).await.expect("a page");
        page.drafts
    }

    async fn hears_draft_go(&mut self, id: Uuid) {
        let key = draft_key(&id.to_string());
        self.hears_until("the draft goes", |me| me.state.is_gone(Me, &key)).await;
    }
}

#[tokio::test]
async fn p4_settings_are_the_same_on_every_device_and_after_a_while_away() {
    let world = World::two_nodes().await;
    let mut ann = Person::arrives(world.a(), "ann", &[Me]).await;
    let mut phone = Person::logs_in(world.b(), "ann").await;
    phone.connects(world.b(), &[Me]).await;
    assert_eq!(settings_of(&phone), None, "nothing has been chosen");
    let chosen: SettingsResult =
        ann.request("settings.update", json!({ "theme": "dark", "comments": "followed" })).await.expect("chosen");
    phone.hears_until("the other device knows", |me| settings_of(me) == Some(chosen.settings)).await;
    phone.loses_the_line();
    let more: SettingsResult = ann
        .request("settings.update", json!({ "comments": "nobody", "visibility": "followers" }))
        .await
        .expect("chosen");
    assert_eq!(more.settings.chosen.comments, Some(Commenters::Nobody));
    assert_eq!(more.settings.chosen.theme, chosen.settings.chosen.theme, "what is not named stays");
    let again: SettingsResult =
        ann.request("settings.update", json!({ "comments": "nobody" })).await.expect("so already");
    assert!(again.duplicate && again.settings == more.settings);
    phone.resumes(world.a()).await;
    phone.hears_until("what was missed comes", |me| settings_of(me) == Some(more.settings)).await;
    let fetched: Snapshot = ann.request("feed.subscribe", json!({ "feed": "me" })).await.expect("me");
    assert_eq!(fetched.settings, Some(more.settings));
    let kept = world.database.psql("select comments from users where handle = 'ann'").expect("a row");
    assert_eq!(kept.trim(), "3", "where comments are decided it is known, too");
    ann.is_refused(ErrorCode::Invalid, "settings.update", json!({})).await;
    ann.is_refused(ErrorCode::Invalid, "settings.update", json!({ "theme": "pink" })).await;
}

#[tokio::test]
async fn p4_drafts_are_the_same_on_every_device_and_nobody_elses() {
    let world = World::two_nodes().await;
    let mut ann = Person::arrives(world.a(), "ann", &[Me]).await;
    let mut phone = Person::logs_in(world.b(), "ann").await;
    phone.connects(world.b(), &[Me]).await;
    let mut bob = Person::arrives(world.b(), "bob", &[Me, Home]).await;
    bob.follows(ann.id()).await;
    let (one, other) = (Uuid::now_v7(), Uuid::now_v7());
    let first = ann.puts(one, "half a sen", None).await;
    ann.puts(other, "", None).await;
    phone.hears_until("the phone has it", |me| draft_of(me, one).is_some_and(|draft| draft == first.draft)).await;
    let second = ann.puts(one, "half a sentence", None).await;
    assert!(ann.puts(one, "half a sentence", None).await.duplicate, "said again, nothing is done");
    // The other device has not seen that yet, and says so.
    let stale = json!({ "id": one, "text": "something else", "if_rev": first.draft.rev });
    phone.is_refused(ErrorCode::Stale, "draft.put", stale).await;
    phone.hears_until("the phone has it anew", |me| draft_of(me, one).is_some_and(|draft| draft == second.draft)).await;
    assert_eq!(phone.drafts().await.iter().map(|draft| draft.id.0).collect::<Vec<_>>(), [one, other]);
    let page: DraftsPage = phone.request("draft.page", json!({ "limit": 1 })).await.expect("a page");
    let rest: DraftsPage = phone.request("draft.page", json!({ "before": page.next })).await.expect("a page");
    assert_eq!((page.drafts[0].id.0, rest.drafts[0].id.0, rest.next), (one, other, None));

    phone.loses_the_line();
    let gone: Result<Value, Refusal> = ann.request("draft.delete", json!({ "id": one })).await;
    gone.expect("deleted");
    let again: Result<Value, Refusal> = ann.request("draft.delete", json!({ "id": one })).await;
    assert_eq!(again.expect("deleted before")["duplicate"], true);
    phone.resumes(world.a()).await;
    phone.hears_draft_go(one).await;
    assert_eq!(phone.drafts().await.len(), 1);
    // Somebody else's with the same id is their own, and nobody hears of the other.
    bob.puts(other, "bob's", None).await;
    assert_eq!(bob.drafts().await.len(), 1);
    assert_eq!(phone.drafts().await[0].content.text.as_ref().map(|text| text.as_str()), Some(""));
    assert!(bob.state.told.iter().all(|told| !told.key.contains(&one.to_string())));
    // A hundred are enough.
    for _ in 1..100 {
        ann.puts(Uuid::now_v7(), "another", None).await;
    }
    ann.is_refused(ErrorCode::LimitReached, "draft.put", json!({ "id": Uuid::now_v7(), "text": "too many" })).await;
    ann.puts(other, "one that is there may still be changed", None).await;
}

#[tokio::test]
async fn what_can_never_be_published_is_said_at_once() {
    let world = World::one_node().await;
    let mut ann = Person::arrives(world.a(), "ann", &[Me]).await;
    let (past, far) = (in_ms(&world, -1_000), in_ms(&world, 367 * 24 * 3_600_000));
    let put = |text: &str, at: i64| json!({ "id": Uuid::now_v7(), "text": text, "publish_at": at });
    let soon = in_ms(&world, 3_600_000);
    for (params, field) in [
        (put("words", past), "publish_at"),
        (put("words", far), "publish_at"),
        (put("  ", soon), "text"),
        (put("", soon), "text"),
    ] {
        let refusal = ann.is_refused(ErrorCode::Invalid, "draft.put", params).await;
        assert_eq!(refusal.field.as_deref(), Some(field));
    }
    let post = ann.posts("there already").await;
    ann.is_refused(ErrorCode::Conflict, "draft.put", json!({ "id": post.id, "text": "in its place" })).await;
}

#[tokio::test]
async fn p10_a_draft_is_published_once_at_its_time_whichever_node_dies() {
    let mut world = Plan::default().two_nodes().await;
    let mut ann = Person::arrives(world.a(), "ann", &[Me, Home]).await;
    let mut bob = Person::arrives(world.b(), "bob", &[Home]).await;
    bob.follows(ann.id()).await;
    bob.hears_resync(Home).await;
    // One now, a dozen more at the moment at which a node is killed.
    let ids: Vec<Uuid> = (0..13).map(|_| Uuid::now_v7()).collect();
    let soon = in_ms(&world, 1_500);
    for (nth, id) in ids.iter().enumerate() {
        ann.puts(*id, &format!("on time {nth} #punctual"), Some(soon)).await;
    }
    ann.hears_until("the first is claimed or gone", |me| draft_of(me, ids[0]).is_none_or(|draft| draft.publishing))
        .await;
    let gone: Node = world.nodes.remove(0);
    drop(gone);
    for (nth, id) in ids.iter().enumerate() {
        let post = bob.hears_post(&format!("on time {nth} #punctual")).await;
        assert_eq!(post.id, PostId(*id));
        assert_eq!(post.extra.tags.len(), 1, "hashtags are found in it as in any other");
    }
    let late = world
        .database
        .psql(&format!("select max(created_ms) - {soon} from posts where text like 'on time%'"))
        .expect("the posts");
    let late: i64 = late.trim().parse().expect("a number");
    assert!((0..2_500).contains(&late), "published {late} ms after their time");
    assert!(bob.state.repeats().is_empty(), "nobody hears it twice");
    ann.loses_the_line();
    ann.resumes(&world.nodes[0]).await;
    for id in &ids {
        ann.hears_draft_go(*id).await;
    }
    assert_eq!(ann.drafts().await, []);
    let entries = world.database.psql("select count(*) from journal where kind = 5").expect("the journal");
    assert_eq!(entries.trim(), ids.len().to_string(), "each is one entry");
}

#[tokio::test]
async fn p10_what_somebody_began_to_publish_and_left_is_gone_on_with() {
    let world = World::one_node().await;
    let mut ann = Person::arrives(world.a(), "ann", &[Me, Home]).await;
    let (claimed, posted) = (Uuid::now_v7(), Uuid::now_v7());
    let later = in_ms(&world, 3_600_000);
    ann.puts(claimed, "claimed and left", Some(later)).await;
    ann.puts(posted, "posted and left", Some(later)).await;
    // As a node leaves them that dies after each step: nobody can have either back.
    let posts: Result<Value, Refusal> =
        ann.request("post.create", json!({ "id": posted, "text": "posted and left" })).await;
    posts.expect("posted");
    world.database.psql("update drafts set state = 1").expect("claimed");
    ann.is_refused(ErrorCode::Conflict, "draft.put", json!({ "id": claimed, "text": "too late" })).await;
    ann.is_refused(ErrorCode::Conflict, "draft.delete", json!({ "id": claimed })).await;
    world.database.psql("update drafts set publish_ms = clock_ms()").expect("their time");
    ann.hears_draft_go(claimed).await;
    ann.hears_draft_go(posted).await;
    ann.hears_post("claimed and left").await;
    assert_eq!(ann.state.texts(Home).iter().filter(|text| *text == "posted and left").count(), 1);
}

#[tokio::test]
async fn what_is_refused_at_its_time_is_told_on_the_draft_and_not_tried_again() {
    let world = World::one_node().await;
    let mut ann = Person::arrives(world.a(), "ann", &[Me, Home]).await;
    let mut bob = Person::arrives(world.a(), "bob", &[]).await;
    let post = bob.posts("to be quoted").await;
    let quote = Uuid::now_v7();
    let at = in_ms(&world, 1_000);
    let params = json!({ "id": quote, "text": "look at this", "of": post.id, "publish_at": at });
    let kept: DraftResult = ann.request("draft.put", params).await.expect("kept");
    bob.deletes(post.id).await;
    ann.hears_until("it could not be published", |me| draft_of(me, quote).is_some_and(|draft| draft.failed.is_some()))
        .await;
    let failed = draft_of(&ann, quote).expect("still there");
    assert_eq!(failed.failed, Some(ErrorCode::NotFound));
    assert_eq!((failed.content.clone(), failed.publishing), (kept.draft.content, false), "nothing of it is lost");
    // Without the reference it can be.
    let again = ann.puts(quote, "look at that", Some(in_ms(&world, 500))).await;
    assert_eq!(again.draft.failed, None);
    ann.hears_post("look at that").await;
    ann.hears_draft_go(quote).await;
    assert!(!ann.state.is_gone(Home, &post_key(&quote.to_string())));
}
