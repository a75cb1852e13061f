//! Method by method: what a device on another node was told by events is what is given when one asks (P4). A method of the table that changes something one
//! is told of has a row; any other says why it has none. Must never name a reason for what could be a row.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tidings_protocol::entity::Comment;
use tidings_protocol::error::Refusal;
use tidings_protocol::feed::FeedName::{self, Home, Me, Mod, Notifications, Post, User};
use tidings_protocol::ids::PostId;
use tidings_protocol::moderation::CaseState;
use tidings_protocol::reply::Snapshot;
use tidings_protocol::request::Method;
use uuid::Uuid;

use crate::line::PATIENCE;
use crate::person::Person;
use crate::state::Thing;
use crate::world::World;

const NAMES: [&str; 5] = ["ann", "bob", "mia", "ada", "eve"];
const ANN: usize = 0;
const BOB: usize = 1;
const MIA: usize = 2;
const ADA: usize = 3;
const EVE: usize = 4;

/// Somebody with a device that does and asks, on one node, and one that only listens, on the other.
struct Pair {
    hand: Person,
    ear: Person,
}

/// What the rows are about.
struct Scene {
    world: World,
    pairs: Vec<Pair>,
    /// Chosen beforehand: things are created under them.
    ids: Vec<Uuid>,
    /// The newest case that is not settled, and the newest notification of ann's.
    case: Value,
    note: Value,
    now: u64,
}

impl Scene {
    fn id(&self, nth: usize) -> Uuid {
        self.ids[nth]
    }

    fn of(&self, who: usize) -> Uuid {
        self.pairs[who].hand.id().0
    }
}

/// Who does what.
type Row = (&'static str, usize, fn(&Scene) -> Value);

const POST: usize = 0;
const SECOND: usize = 1;
const THIRD: usize = 2;
const COMMENT: usize = 3;
const LIST: usize = 4;
const OTHER_LIST: usize = 5;
const FILTER: usize = 6;
const DRAFT: usize = 7;
const PLANNED: usize = 8;
const REPORT: usize = 9;
const ACTION: usize = 10;
const OTHER_REPORT: usize = 11;

/// The order is a story: each finds what those before it have left.
const ROWS: &[Row] = &[
    ("user.update", ANN, |_| json!({ "name": "Ann A.", "bio": "here and there" })),
    ("settings.update", ANN, |_| json!({ "theme": "dark", "comments": "everyone" })),
    ("notify.preferences", ANN, |_| json!({ "quote": "nobody" })),
    ("user.follow", BOB, |scene| json!({ "id": scene.of(ANN) })),
    ("post.create", ANN, |scene| json!({ "id": scene.id(SECOND), "text": "a word to @bob" })),
    ("post.create", ANN, |scene| json!({ "id": scene.id(THIRD), "text": "a rude one" })),
    ("post.update", ANN, |scene| json!({ "id": scene.id(SECOND), "text": "another word to @bob", "warning": "words" })),
    ("post.react", BOB, |scene| json!({ "id": scene.id(POST), "emoji": "like" })),
    ("post.unreact", BOB, |scene| json!({ "id": scene.id(POST) })),
    ("post.react", BOB, |scene| json!({ "id": scene.id(SECOND), "emoji": "love" })),
    ("post.bookmark", BOB, |scene| json!({ "id": scene.id(POST) })),
    ("post.bookmark", BOB, |scene| json!({ "id": scene.id(SECOND) })),
    ("post.unbookmark", BOB, |scene| json!({ "id": scene.id(POST) })),
    ("post.pin", ANN, |scene| json!({ "id": scene.id(SECOND) })),
    ("post.unpin", ANN, |scene| json!({ "id": scene.id(SECOND) })),
    ("comment.create", BOB, |scene| json!({ "id": scene.id(COMMENT), "post": scene.id(POST), "text": "well" })),
    ("comment.update", BOB, |scene| json!({ "id": scene.id(COMMENT), "text": "well, well" })),
    ("comment.hide", ANN, |scene| json!({ "id": scene.id(COMMENT) })),
    ("comment.unhide", ANN, |scene| json!({ "id": scene.id(COMMENT) })),
    ("post.slow", ANN, |scene| json!({ "id": scene.id(POST), "seconds": 60 })),
    ("post.comments", ANN, |scene| json!({ "id": scene.id(POST), "comments": "followers" })),
    ("post.lock", ANN, |scene| json!({ "id": scene.id(POST) })),
    ("post.unlock", ANN, |scene| json!({ "id": scene.id(POST) })),
    ("notification.seen", ANN, |scene| json!({ "up_to": scene.note["seq"] })),
    ("notification.read", ANN, |scene| json!({ "ids": [scene.note["id"]] })),
    ("notification.read", ANN, |scene| json!({ "up_to": scene.note["seq"] })),
    ("marker.set", ANN, |_| json!({ "feed": "home", "seq": 1 })),
    ("marker.set", ANN, |_| json!({ "feed": "home", "seq": 3 })),
    ("draft.put", ANN, |scene| json!({ "id": scene.id(DRAFT), "text": "perhaps" })),
    (
        "draft.put",
        ANN,
        |scene| json!({ "id": scene.id(DRAFT), "text": "perhaps later", "publish_at": scene.now + 3_600_000 }),
    ),
    ("draft.delete", ANN, |scene| json!({ "id": scene.id(DRAFT) })),
    (
        "draft.put",
        ANN,
        |scene| json!({ "id": scene.id(PLANNED), "text": "at its time", "publish_at": scene.now + 2_000 }),
    ),
    ("list.create", ANN, |scene| json!({ "id": scene.id(LIST), "name": "close" })),
    ("list.create", ANN, |scene| json!({ "id": scene.id(OTHER_LIST), "name": "far" })),
    ("list.update", ANN, |scene| json!({ "id": scene.id(LIST), "name": "closest" })),
    ("list.add", ANN, |scene| json!({ "id": scene.id(LIST), "user": scene.of(BOB) })),
    ("list.add", ANN, |scene| json!({ "id": scene.id(LIST), "user": scene.of(EVE) })),
    ("list.remove", ANN, |scene| json!({ "id": scene.id(LIST), "user": scene.of(BOB) })),
    ("list.delete", ANN, |scene| json!({ "id": scene.id(OTHER_LIST) })),
    ("filter.put", ANN, |scene| json!({ "id": scene.id(FILTER), "phrase": "weather" })),
    ("filter.put", ANN, |scene| json!({ "id": scene.id(FILTER), "phrase": "weather", "whole_word": true })),
    ("filter.delete", ANN, |scene| json!({ "id": scene.id(FILTER) })),
    ("user.mute", ANN, |scene| json!({ "id": scene.of(EVE) })),
    ("user.unmute", ANN, |scene| json!({ "id": scene.of(EVE) })),
    ("user.block", ANN, |scene| json!({ "id": scene.of(EVE) })),
    ("user.unblock", ANN, |scene| json!({ "id": scene.of(EVE) })),
    ("user.update", EVE, |_| json!({ "asks": true })),
    ("user.follow", BOB, |scene| json!({ "id": scene.of(EVE) })),
    ("request.accept", EVE, |scene| json!({ "id": scene.of(BOB) })),
    ("user.follow", ANN, |scene| json!({ "id": scene.of(EVE) })),
    ("request.reject", EVE, |scene| json!({ "id": scene.of(ANN) })),
    ("user.remove_follower", EVE, |scene| json!({ "id": scene.of(BOB) })),
    ("report.create", BOB, |scene| json!({ "id": scene.id(REPORT), "post": scene.id(THIRD), "reason": "hate" })),
    ("mod.claim", MIA, |scene| json!({ "id": scene.case["id"] })),
    (
        "mod.act",
        MIA,
        |scene| json!({ "id": scene.id(ACTION), "case": scene.case["id"], "action": "hide", "reason": "hate", "note": "no" }),
    ),
    ("appeal.create", ANN, |scene| json!({ "action": scene.id(ACTION), "text": "it was a joke" })),
    ("appeal.settle", ADA, |scene| json!({ "action": scene.id(ACTION), "accept": true, "note": "sorry" })),
    ("report.create", BOB, |scene| json!({ "id": scene.id(OTHER_REPORT), "user": scene.of(EVE), "reason": "spam" })),
    ("mod.settle", MIA, |scene| json!({ "id": scene.case["id"] })),
    ("mod.role", ADA, |scene| json!({ "id": scene.of(EVE), "role": "moderator" })),
    ("comment.delete", BOB, |scene| json!({ "id": scene.id(COMMENT) })),
    ("post.delete", ANN, |scene| json!({ "id": scene.id(THIRD) })),
    ("user.unfollow", BOB, |scene| json!({ "id": scene.of(ANN) })),
];

/// Why a method has no row.
const WITHOUT: &[(&str, &[&str])] = &[
    (
        "it changes nothing",
        &[
            "account.get",
            "account.export",
            "account.actions",
            "session.list",
            "bot.all",
            "token.all",
            "user.get",
            "request.page",
            "list.all",
            "list.members",
            "filter.all",
            "post.get",
            "post.history",
            "post.stats",
            "bookmark.page",
            "draft.page",
            "comment.page",
            "feed.page",
            "search.people",
            "search.posts",
            "search.tags",
            "mention.suggest",
            "notification.page",
            "media.get",
            "report.page",
            "mod.page",
            "mod.get",
            "mod.log",
        ],
    ),
    ("it is about one connection", &["hello", "auth.refresh", "feed.subscribe", "feed.unsubscribe", "feed.mode"]),
    ("it is of the moment, and told to nobody later", &["presence.watch", "presence.set", "typing.send"]),
    (
        "no feed tells of log-ins, addresses, tokens and the bots one has: whoever wants to know asks",
        &[
            "account.password",
            "account.email",
            "session.revoke",
            "session.revoke_others",
            "token.create",
            "token.revoke",
            "bot.create",
            "bot.delete",
        ],
    ),
    ("a picture is told of as part of the post or profile that shows it", &["media.ticket", "media.delete"]),
    ("nobody is left to ask: see `leaving_for_good`", &["account.delete"]),
];

#[test]
fn no_method_is_without_a_row_or_a_reason() {
    let rows: BTreeSet<&str> = ROWS.iter().map(|(method, ..)| *method).collect();
    let reasons: Vec<&str> = WITHOUT.iter().flat_map(|(_, methods)| methods.iter().copied()).collect();
    let missing: Vec<_> =
        Method::NAMES.iter().filter(|name| !rows.contains(*name) && !reasons.contains(name)).collect();
    assert!(missing.is_empty(), "neither a row nor a reason: {missing:?}");
    let known: Vec<_> = reasons.iter().filter(|name| rows.contains(*name) || !Method::NAMES.contains(name)).collect();
    assert!(known.is_empty(), "a reason for what has a row, or is no method: {known:?}");
}

#[tokio::test]
async fn p4_after_each_method_another_device_on_another_node_holds_what_is_given_when_one_asks() {
    let mut scene = sets_out().await;
    let mut seen = BTreeSet::new();
    for (method, who, params) in ROWS {
        looks_around(&mut scene).await;
        let params = params(&scene);
        let done: Result<Value, Refusal> = scene.pairs[*who].hand.request(method, &params).await;
        let done = done.unwrap_or_else(|refusal| panic!("{method} {params}: {refusal:?}"));
        assert!(done["duplicate"] != true, "{method} {params} changes nothing");
        for pair in &mut scene.pairs {
            agree(&format!("{method} {params} by {}", NAMES[*who]), pair, &mut seen).await;
        }
    }
    // The cluster does something, too.
    let planned = PostId(scene.id(PLANNED));
    let is_it = |thing: &Thing| matches!(thing, Thing::Post(post) if post.id == planned);
    scene.pairs[ANN].ear.hears_until("what was planned", |me| me.state.things(User(me.id())).any(is_it)).await;
    for pair in &mut scene.pairs {
        agree("a draft at its time", pair, &mut seen).await;
    }
    let kinds: BTreeSet<&str> = seen.iter().filter_map(|line: &String| line.split(' ').next()).collect();
    for kind in [
        "action",
        "blocks",
        "bookmark",
        "case",
        "comment",
        "draft",
        "filter",
        "follows",
        "list",
        "marker",
        "member",
        "mutes",
        "note",
        "post",
        "preferences",
        "reaction",
        "reading",
        "report",
        "asks",
        "settings",
        "user",
    ] {
        assert!(kinds.contains(kind), "nothing of the kind was ever told: {kind}");
    }
}

async fn sets_out() -> Scene {
    let world = World::two_nodes().await;
    let mut pairs = Vec::new();
    for name in NAMES {
        let hand = Person::signs_up(world.a(), name).await;
        let ear = Person::logs_in(world.b(), name).await;
        pairs.push(Pair { hand, ear });
    }
    for (name, role) in [("mia", "moderator"), ("ada", "admin")] {
        world.database.psql(&format!("select set_role('{name}', '{role}')")).expect("a role");
    }
    pairs[ANN].hand.connects(world.a(), &[]).await;
    let post = pairs[ANN].hand.posts("hello").await;
    let ann = pairs[ANN].hand.id();
    for (nth, pair) in pairs.iter_mut().enumerate() {
        let mut feeds = vec![Home, Me, Notifications];
        // Whom ann blocks, her feeds end for.
        feeds.extend((nth != EVE).then_some([User(ann), Post(post.id)]).into_iter().flatten());
        feeds.extend((nth == MIA || nth == ADA).then_some(Mod));
        pair.hand.connects(world.a(), &feeds).await;
        pair.ear.connects(world.b(), &feeds).await;
    }
    let mut ids: Vec<Uuid> = (0..12).map(|_| Uuid::now_v7()).collect();
    ids[POST] = post.id.0;
    Scene { world, pairs, ids, case: Value::Null, note: Value::Null, now: 0 }
}

/// What a row may be about that was not there before.
async fn looks_around(scene: &mut Scene) {
    let cases: Value = scene.pairs[MIA].hand.request("mod.page", json!({ "limit": 1 })).await.expect("a moderator");
    scene.case = cases["cases"][0].clone();
    let notes: Value = scene.pairs[ANN].hand.request("notification.page", json!({ "limit": 1 })).await.expect("hers");
    scene.note = notes["notifications"][0].clone();
    scene.now = scene.world.database.psql("select clock_ms()").expect("a time").trim().parse().expect("a number");
}

/// What the one that listens holds is what the other is given, sooner or later.
async fn agree(after: &str, pair: &mut Pair, seen: &mut BTreeSet<String>) {
    let began = std::time::Instant::now();
    loop {
        let given = given(&mut pair.hand).await;
        // Whatever its node had to tell by then is told before the answer.
        pair.ear.is_answered().await;
        let told = told(&pair.ear);
        if told == given {
            seen.extend(told);
            return;
        }
        let apart: Vec<_> = told.symmetric_difference(&given).collect();
        assert!(began.elapsed() < PATIENCE, "after {after}, {} holds something else: {apart:#?}", pair.ear.handle);
    }
}

fn told(ear: &Person) -> BTreeSet<String> {
    let me = ear.id();
    let mut lines: BTreeSet<String> = BTreeSet::new();
    for feed in &ear.feeds {
        lines.extend(ear.state.things(*feed).filter_map(|thing| line(*feed, thing, ear)));
    }
    let follow = |thing: &Thing| if let Thing::Follow(follow) = thing { Some(*follow) } else { None };
    let follows = ear.state.things(Me).filter_map(follow).filter(|follow| follow.follower == me);
    lines.extend(follows.map(|follow| format!("follows {}", follow.followee)));
    lines
}

/// A thing in one line, so that it can be compared; none of what is told apart from here.
fn line(feed: FeedName, thing: &Thing, ear: &Person) -> Option<String> {
    let me = ear.id();
    match thing {
        Thing::Post(post) => Some(format!("post {feed} {} {} {} {:?}", post.id, post.rev, post.text, post.extra)),
        Thing::Comment(comment) => comment_line(comment),
        // A name is told wherever it is shown; a profile stands in the snapshots of these two alone.
        Thing::User(user) => matches!(feed, Me | User(_))
            .then(|| format!("user {feed} {} {} {} {:?}", user.id, user.rev, user.bio, user.role)),
        Thing::Block(block) => Some(format!("blocks {} {}", block.blocked, block.rev)),
        Thing::Mute(mute) => Some(format!("mutes {} {}", mute.muted, mute.rev)),
        Thing::Notification(told) => {
            let one = &told.notification;
            Some(format!("note {} {} {} {:?} {}", one.id, one.rev, one.count, one.kind, one.read))
        }
        Thing::Reading(reading) => {
            Some(format!("reading {} {} {} {}", reading.rev, reading.seen, reading.read, ear.state.unread))
        }
        Thing::Marker(marker) => Some(format!("marker {} {} {}", marker.feed, marker.seq, marker.rev)),
        Thing::Preferences(chosen) => Some(format!("preferences {chosen:?}")),
        Thing::Settings(chosen) => Some(format!("settings {chosen:?}")),
        Thing::Reaction(reaction) => Some(format!("reaction {} {:?}", reaction.post, reaction.emoji)),
        Thing::Bookmark(kept) => Some(format!("bookmark {} {}", kept.post, kept.rev)),
        Thing::Draft(draft) => Some(format!("draft {draft:?}")),
        Thing::Case(case) => (case.state != CaseState::Settled).then(|| format!("case {case:?}")),
        Thing::Report(report) => Some(format!("report {report:?}")),
        Thing::Action(action) => Some(format!("action {action:?}")),
        Thing::Request(request) => (request.asker == me).then(|| format!("asks {} {}", request.asked, request.rev)),
        Thing::List(list) => Some(format!("list {} {} {} {}", list.id, list.rev, list.name, list.members)),
        Thing::Member(member) => Some(format!("member {} {}", member.list, member.user)),
        Thing::Filter(filter) => Some(format!("filter {filter:?}")),
        Thing::Follow(_) | Thing::Changed(_) | Thing::Gone => None,
    }
}

fn comment_line(comment: &Comment) -> Option<String> {
    let told = format!("comment {} {} {:?} {}", comment.id, comment.rev, comment.text, comment.extra.hidden);
    (!comment.removed).then_some(told)
}

/// The same, asked for.
async fn given(hand: &mut Person) -> BTreeSet<String> {
    let mut fresh = Person::anonymous();
    fresh.tokens.clone_from(&hand.tokens);
    let mut lines = BTreeSet::new();
    for feed in hand.feeds.clone() {
        let snapshot: Result<Snapshot, Refusal> =
            hand.request("feed.subscribe", json!({ "feed": feed, "limit": 100 })).await;
        let snapshot = snapshot.unwrap_or_else(|refusal| panic!("{feed} of {}: {refusal:?}", hand.handle));
        lines.extend(snapshot.follows.iter().flatten().map(|id| format!("follows {id}")));
        lines.extend(snapshot.blocks.iter().flatten().map(|block| format!("blocks {} {}", block.blocked, block.rev)));
        lines.extend(snapshot.mutes.iter().flatten().map(|mute| format!("mutes {} {}", mute.muted, mute.rev)));
        fresh.state.starts_afresh(snapshot);
    }
    for feed in &hand.feeds {
        lines.extend(fresh.state.things(*feed).filter_map(|thing| line(*feed, thing, &fresh)));
    }
    for thing in asked_for(hand).await {
        lines.extend(line(Me, &thing, &fresh));
    }
    lines
}

/// What stands in no snapshot.
async fn asked_for(hand: &mut Person) -> Vec<Thing> {
    let mut things = Vec::new();
    for (method, field) in [
        ("draft.page", "drafts"),
        ("report.page", "reports"),
        ("account.actions", "actions"),
        ("bookmark.page", "bookmarks"),
    ] {
        let page: Value = hand.request(method, json!({ "limit": 100 })).await.expect("one's own");
        for one in page[field].as_array().into_iter().flatten().cloned() {
            things.push(match field {
                "drafts" => Thing::Draft(serde_json::from_value(one).expect("a draft")),
                "reports" => Thing::Report(serde_json::from_value(one).expect("a report")),
                "actions" => Thing::Action(Box::new(serde_json::from_value(one).expect("an action"))),
                _ => {
                    let kept = json!({ "rev": one["rev"], "post": one["post"]["id"] });
                    Thing::Bookmark(serde_json::from_value(kept).expect("a bookmark"))
                }
            });
        }
    }
    let lists: Value = hand.request("list.all", json!({})).await.expect("one's own");
    for list in lists["lists"].as_array().into_iter().flatten() {
        let members: Value = hand.request("list.members", json!({ "id": list["id"] })).await.expect("one's own");
        for member in members["members"].as_array().into_iter().flatten() {
            let member = json!({ "rev": list["rev"], "list": list["id"], "user": member["id"] });
            things.push(Thing::Member(serde_json::from_value(member).expect("a member")));
        }
    }
    things.extend(reactions(hand).await);
    things
}

/// One's own to all posts of everybody's.
async fn reactions(hand: &mut Person) -> Vec<Thing> {
    let page: Value = hand.request("feed.page", json!({ "feed": "global", "limit": 100 })).await.expect("a page");
    let ids: Vec<Value> = page["posts"].as_array().into_iter().flatten().map(|post| post["id"].clone()).collect();
    if ids.is_empty() {
        return Vec::new();
    }
    let stats: Value = hand.request("post.stats", json!({ "ids": ids })).await.expect("numbers");
    let told = stats["stats"].as_array().into_iter().flatten().filter(|one| !one["mine"]["reaction"].is_null());
    let reaction = |one: &Value| json!({ "rev": 1, "post": one["post"], "emoji": one["mine"]["reaction"] });
    told.map(|one| Thing::Reaction(serde_json::from_value(reaction(one)).expect("a reaction"))).collect()
}
