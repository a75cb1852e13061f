//! Who is here, who is typing, how many are reading: through the real actors of one node, over a bus of memory.
//! Must never take what is told in time for what is told at once: all of it comes within seconds.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tidings_actors::entry::{Change, Verb};
use tidings_actors::presence::Standing;
use tidings_actors::presence::visit::Visit;
use tidings_actors::presence::whisper::Whisper;
use tidings_protocol::close::CloseCode;
use tidings_protocol::ids::{PostId, UserId};
use tidings_protocol::limits::{PRESENCE_WATCHED, TYPISTS_TOLD};
use tidings_protocol::presence::Showing;
use uuid::Uuid;

use crate::house::{CHOKES, House, SETTINGS, Visitor};
use crate::memory::{log_in, user};

fn follows(follower: u64, followee: u64, verb: Verb) -> Change {
    Change::Follow { verb, follower: user(follower), followee: user(followee) }
}

fn token(n: u64) -> Value {
    json!({ "token": format!("{n}/{n}") })
}

/// The next notice of this name; others are passed over.
async fn notice(visitor: &Visitor, name: &str) -> Value {
    loop {
        let frame = visitor.hears().await;
        if frame["event"] == name {
            return frame;
        }
    }
}

/// What somebody's status is told to be, sooner or later.
async fn hears_of(visitor: &Visitor, who: u64, status: &str) -> Value {
    loop {
        let told = notice(visitor, "presence").await;
        let users = told["users"].as_array().unwrap().clone();
        if let Some(found) = users.into_iter().find(|told| told["id"] == json!(user(who)) && told["status"] == status) {
            return found;
        }
    }
}

/// The answer to a request, whatever is pushed before it.
async fn answer(visitor: &Visitor, id: u64) -> Value {
    loop {
        let frame = visitor.hears().await;
        if frame["id"] == id {
            return frame;
        }
    }
}

async fn watches(visitor: &Visitor, ids: impl IntoIterator<Item = u64>) -> Value {
    let ids: Vec<UserId> = ids.into_iter().map(user).collect();
    let id = visitor.asks("presence.watch", &json!({ "ids": ids }));
    answer(visitor, id).await["result"]["users"].clone()
}

async fn shows(visitor: &Visitor, status: &str) {
    let id = visitor.asks("presence.set", &json!({ "status": status }));
    assert_eq!(answer(visitor, id).await["result"]["status"], status);
}

async fn types(visitor: &Visitor, post: PostId) -> Value {
    let id = visitor.asks("typing.send", &json!({ "post": post }));
    answer(visitor, id).await
}

/// Waits until it is so.
async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(10), "not in time: {what}");
        tokio::task::yield_now().await;
    }
}

#[actix::test]
async fn p5_one_hears_of_those_one_follows_and_of_nobody_else() {
    let house = House::open(SETTINGS).await;
    house.happens(&[follows(1, 2, Verb::Created), follows(1, 3, Verb::Created)]).await;
    let (bob, _) = house.greets(token(2)).await;
    until("bob is here", || house.node.company.standing(&user(2)) == Some(Standing::Online)).await;
    let (ann, _) = house.greets(token(1)).await;
    let known = watches(&ann, [2, 3, 4]).await;
    assert_eq!(known, json!([{ "id": user(2), "status": "online" }, { "id": user(3), "status": "offline" }]));
    let (_dora, _) = house.greets(token(4)).await;
    shows(&bob, "idle").await;
    hears_of(&ann, 2, "idle").await;
    bob.goes();
    let gone = hears_of(&ann, 2, "offline").await;
    assert!(gone["last_seen"].as_u64().is_some_and(|seen| seen > 1_700_000_000_000), "{gone}");
    // Who is not followed is heard of as soon as they are, and not before.
    house.happens(&[follows(1, 4, Verb::Created)]).await;
    hears_of(&ann, 4, "online").await;
    // And is taken to be gone when they are followed no longer, as after a block.
    house.happens(&[follows(1, 4, Verb::Removed)]).await;
    let hidden = hears_of(&ann, 4, "offline").await;
    assert!(hidden.get("last_seen").is_none(), "{hidden}");
    assert_eq!(watches(&ann, []).await, json!([]));
}

#[actix::test]
async fn who_is_invisible_is_not_there() {
    let house = House::open(SETTINGS).await;
    house.happens(&[follows(1, 2, Verb::Created), follows(1, 3, Verb::Created)]).await;
    let (ann, _) = house.greets(token(1)).await;
    watches(&ann, [2, 3]).await;
    let post = PostId(Uuid::now_v7());
    let (bob, _) =
        house.greets(json!({ "token": "2/2", "presence": "invisible", "feeds": [format!("post:{post}")] })).await;
    assert!(types(&bob, post).await["result"].is_object());
    let (_carl, _) = house.greets(token(3)).await;
    hears_of(&ann, 3, "online").await;
    assert_eq!(house.node.company.standing(&user(2)), None, "not for a moment");
    shows(&bob, "online").await;
    hears_of(&ann, 2, "online").await;
    shows(&bob, "invisible").await;
    let gone = hears_of(&ann, 2, "offline").await;
    assert!(gone["last_seen"].is_u64());
    let whispers = house.memory.whispered.lock().unwrap();
    assert!(whispers.iter().all(|whisper| whisper.typed.is_empty()), "what they type is told to nobody");
}

/// What a setting of the user will do: whatever a connection wishes, it shows nothing.
#[actix::test]
async fn who_has_opted_out_is_never_shown() {
    let house = House::open(SETTINGS).await;
    let visitor = house.visitor();
    let is_here = || house.node.company.standing(&user(7)).is_some_and(Standing::is_here);
    let mut visit = Visit::begins(house.worker.clone(), visitor.link(), user(7), Showing::Online);
    until("they are here", is_here).await;
    visit.opts_out(true);
    until("they are not", || !is_here()).await;
    visit.wishes(Showing::Idle);
    assert_eq!(visit.shows(), Showing::Invisible);
    visit.opts_out(false);
    until("they are again, as they wished", || house.node.company.standing(&user(7)) == Some(Standing::Idle)).await;
    drop(visit);
    until("they are gone", || !is_here()).await;
}

#[actix::test]
async fn a_user_is_here_until_their_last_connection_goes_and_a_log_out_ends_it_at_once() {
    let house = House::open(SETTINGS).await;
    house.happens(&[follows(1, 2, Verb::Created)]).await;
    let (ann, _) = house.greets(token(1)).await;
    watches(&ann, [2]).await;
    let (phone, _) = house.greets(token(2)).await;
    let (_laptop, _) = house.greets(token(2)).await;
    hears_of(&ann, 2, "online").await;
    phone.goes();
    until("one of them is left", || house.worker.connections() == 2).await;
    let ended = Change::SessionRevoked { user: user(2), session: Some(log_in(2)) };
    house.happens(&[ended]).await;
    let began = Instant::now();
    hears_of(&ann, 2, "offline").await;
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    ann.goes();
    house.is_empty().await;
    until("nothing is left of anybody", || house.worker.stand().kept() == (0, 0)).await;
}

#[actix::test]
async fn who_types_is_told_to_the_readers_but_not_to_themselves_nor_to_those_who_hide_them() {
    let house = House::open(SETTINGS).await;
    let post = PostId(Uuid::now_v7());
    house.happens(&[Change::Block { verb: Verb::Created, blocker: user(3), blocked: user(2) }]).await;
    let reads = |n: u64| json!({ "token": format!("{n}/{n}"), "feeds": [format!("post:{post}")] });
    let (ann, _) = house.greets(reads(1)).await;
    let (bob, _) = house.greets(reads(2)).await;
    let (carl, _) = house.greets(reads(3)).await;
    let (nobody, _) = house.greets(json!({ "feeds": [format!("post:{post}")] })).await;
    let sent = types(&bob, post).await;
    assert_eq!(sent["result"]["again_after_ms"], 3_000);
    for reader in [&ann, &nobody] {
        let told = notice(reader, "typing").await;
        let bob = json!({ "id": user(2), "rev": 0, "handle": "u2", "name": "u2" });
        assert_eq!(told, json!({ "event": "typing", "post": post, "users": [bob] }));
    }
    // Ann answers. Both are told of now, to each of them without what they may not hear.
    types(&ann, post).await;
    let names =
        |told: Value| told["users"].as_array().unwrap().iter().map(|who| who["handle"].clone()).collect::<Vec<_>>();
    assert_eq!(names(notice(&nobody, "typing").await), ["u1", "u2"]);
    assert_eq!(names(notice(&carl, "typing").await), ["u1"], "the first that carl hears: nothing came of bob");
    assert_eq!(names(notice(&bob, "typing").await), ["u1"]);
    assert_eq!(house.memory.looked_up.load(Ordering::Relaxed), 5, "three to come in, and once for each of two names");
    types(&ann, post).await;
    assert_eq!(house.memory.looked_up.load(Ordering::Relaxed), 5, "a name is looked up once a minute");
}

#[actix::test]
async fn one_may_type_only_where_one_may_read() {
    let house = House::open(SETTINGS).await;
    let post = PostId(Uuid::now_v7());
    let (ann, _) = house.greets(token(1)).await;
    let refused = types(&ann, post).await;
    assert_eq!((&refused["error"]["code"], &refused["error"]["field"]), (&json!("forbidden"), &json!("post")));
    let id = ann.asks("feed.subscribe", &json!({ "feed": format!("post:{post}") }));
    answer(&ann, id).await;
    assert!(types(&ann, post).await["result"].is_object());
    let (nobody, _) = house.greets(json!({ "feeds": [format!("post:{post}")] })).await;
    assert_eq!(types(&nobody, post).await["error"]["code"], "unauthorized");
    let id = nobody.asks("presence.watch", &json!({ "ids": [] }));
    assert_eq!(answer(&nobody, id).await["error"]["code"], "unauthorized");
    let many: Vec<UserId> = (0..=PRESENCE_WATCHED as u64).map(user).collect();
    let id = ann.asks("presence.watch", &json!({ "ids": many }));
    let refused = answer(&ann, id).await;
    assert_eq!((&refused["error"]["code"], &refused["error"]["field"]), (&json!("limit_reached"), &json!("ids")));
    let id = ann.asks("presence.watch", &json!({ "ids": &many[1..] }));
    assert_eq!(answer(&ann, id).await["result"]["users"], json!([]));
}

#[actix::test]
async fn readers_hear_how_many_they_are_those_who_come_later_too() {
    let house = House::open(SETTINGS).await;
    let post = PostId(Uuid::now_v7());
    let reads = json!({ "feeds": [format!("post:{post}")] });
    let (one, _) = house.greets(reads.clone()).await;
    assert_eq!(notice(&one, "readers").await, json!({ "event": "readers", "post": post, "count": 1 }));
    let (two, _) = house.greets(reads.clone()).await;
    let (three, _) = house.greets(reads).await;
    for reader in [&one, &two, &three] {
        while notice(reader, "readers").await["count"] != 3 {}
    }
    // One comes as another goes: nothing has changed, and still whoever came hears the number.
    three.goes();
    let id = two.asks("feed.unsubscribe", &json!({ "feed": format!("post:{post}") }));
    answer(&two, id).await;
    let id = two.asks("feed.subscribe", &json!({ "feed": format!("post:{post}") }));
    answer(&two, id).await;
    while notice(&two, "readers").await["count"] != 2 {}
}

/// P7: whoever does not read is sent nothing of this, and hears the truth once they read on.
#[actix::test]
async fn p7_a_reader_that_has_stalled_costs_nothing_and_hears_the_truth_when_it_reads_on() {
    let house = House::open(SETTINGS).await;
    house.happens(&[follows(1, 2, Verb::Created)]).await;
    let post = PostId(Uuid::now_v7());
    let (ann, _) = house.greets(json!({ "token": "1/1", "feeds": [format!("post:{post}")] })).await;
    let (eve, _) = house.greets(json!({ "token": "4/4", "feeds": [format!("post:{post}")] })).await;
    watches(&ann, [2]).await;
    while notice(&ann, "readers").await["count"] != 2 {}
    ann.stops_reading();
    let asked = ann.asks("presence.set", &json!({ "status": "online" }));
    let mut others = Vec::new();
    for n in 10..14 {
        others.push(house.greets(json!({ "token": format!("{n}/{n}"), "feeds": [format!("post:{post}")] })).await);
        types(&others.last().unwrap().0, post).await;
    }
    let (_bob, _) = house.greets(token(2)).await;
    while notice(&eve, "readers").await["count"] != 6 {}
    until("bob is here", || house.node.company.standing(&user(2)).is_some()).await;
    ann.reads_on();
    let first = ann.hears().await;
    assert_eq!(first["id"], asked, "only what may not be dropped was queued");
    let (mut count, mut bob) = (Value::Null, Value::Null);
    while count != 6 || bob != "online" {
        let told = ann.hears().await;
        match told["event"].as_str() {
            Some("readers") => count = told["count"].clone(),
            Some("presence") => bob = told["users"][0]["status"].clone(),
            Some("typing") => panic!("what was typed is over: {told}"),
            _ => {}
        }
    }
}

/// P6, P7: however many type however often, one thread is told once a second, and ten of them by name.
#[actix::test]
async fn p6_a_flood_of_typing_is_one_message_a_second() {
    let house = House::open(SETTINGS).await;
    let post = PostId(Uuid::now_v7());
    let reads = |n: u64| json!({ "token": format!("{n}/{n}"), "feeds": [format!("post:{post}")] });
    let (reader, _) = house.greets(json!({ "feeds": [format!("post:{post}")] })).await;
    let mut typists = Vec::new();
    for n in 1..=20 {
        typists.push(house.greets(reads(n)).await.0);
    }
    let began = Instant::now();
    let mut sent = 0_u64;
    while began.elapsed() < Duration::from_millis(3_500) {
        for typist in &typists {
            types(typist, post).await;
            sent += 1;
        }
    }
    let most = 2 + began.elapsed().as_secs();
    let mut told = Vec::new();
    while let Some(frame) = reader.heard() {
        told.extend((frame["event"] == "typing").then_some(frame));
    }
    assert!(sent > 400, "a flood of {sent}");
    assert!((1..=most).contains(&(told.len() as u64)), "{} messages in {:?}", told.len(), began.elapsed());
    let most = told.iter().map(|frame| frame["users"].as_array().unwrap().len()).max();
    assert_eq!(most, Some(TYPISTS_TOLD));
    let whispers = house.memory.whispered.lock().unwrap();
    let typed: usize = whispers.iter().map(|whisper| whisper.typed.len()).sum();
    let rounds = 1 + usize::try_from(began.elapsed().as_secs() / 3).unwrap();
    assert!((20..=20 * rounds).contains(&typed), "{typed} in {:?}", began.elapsed());
}

/// P8: whoever watched somebody is ended and comes back; nobody else notices.
#[actix::test]
async fn p8_a_stand_that_panics_ends_those_who_watch_and_goes_on() {
    let house = House::open(SETTINGS).await;
    house.happens(&[follows(1, 2, Verb::Created)]).await;
    let post = PostId(Uuid::now_v7());
    let (ann, _) = house.greets(token(1)).await;
    let (bob, _) = house.greets(json!({ "token": "2/2", "feeds": [format!("post:{post}")] })).await;
    watches(&ann, [2]).await;
    hears_of(&ann, 2, "online").await;
    CHOKES.set(true);
    shows(&bob, "idle").await;
    while ann.hears().await != json!({ "close": CloseCode::Internal.number() }) {}
    let (ann, _) = house.greets(json!({ "token": "1/1", "feeds": [format!("post:{post}")] })).await;
    while notice(&bob, "readers").await["count"] != 2 {}
    if watches(&ann, [2]).await[0]["status"] != "idle" {
        hears_of(&ann, 2, "idle").await;
    }
    shows(&bob, "online").await;
    hears_of(&ann, 2, "online").await;
}

/// P8: the machine begins anew under another name, and knows everybody again from what the stands and the peers say.
#[actix::test]
async fn p8_a_crier_that_panics_begins_anew_and_forgets_nobody() {
    let house = House::open(SETTINGS).await;
    house.happens(&[follows(1, 2, Verb::Created)]).await;
    let post = PostId(Uuid::now_v7());
    let (ann, _) = house.greets(token(1)).await;
    let (bob, _) = house.greets(json!({ "token": "2/2", "feeds": [format!("post:{post}")] })).await;
    watches(&ann, [2]).await;
    hears_of(&ann, 2, "online").await;
    while notice(&bob, "readers").await["count"] != 1 {}
    let name = || house.memory.whispered.lock().unwrap().last().map(|whisper| whisper.node);
    let before = name();
    house.memory.chokes.store(true, Ordering::Relaxed);
    until("it whispers again", || name() != before).await;
    until("bob is known again", || house.node.company.standing(&user(2)) == Some(Standing::Online)).await;
    shows(&bob, "idle").await;
    hears_of(&ann, 2, "idle").await;
    let (_third, _) = house.greets(json!({ "feeds": [format!("post:{post}")] })).await;
    while notice(&bob, "readers").await["count"] != 2 {}
}

/// P5: a node that cannot be sure who follows whom, and who is still logged in, tells nothing.
#[actix::test]
async fn p5_a_blind_node_tells_nobody_who_is_here() {
    let house = House::open(SETTINGS).await;
    house.happens(&[follows(1, 2, Verb::Created)]).await;
    let post = PostId(Uuid::now_v7());
    let (ann, _) = house.greets(json!({ "token": "1/1", "feeds": [format!("post:{post}")] })).await;
    let (bob, _) = house.greets(json!({ "token": "2/2", "feeds": [format!("post:{post}")] })).await;
    watches(&ann, [2]).await;
    while notice(&ann, "readers").await["count"] != 2 {}
    house.goes_blind();
    until("the node is not sure any more", || !house.node.sight.is_sure(house.node.now())).await;
    while ann.heard().is_some() {}
    bob.goes();
    until("his end is known", || house.node.company.standing(&user(2)).is_some_and(|bob| !bob.is_here())).await;
    let whispers = || house.memory.whispered.lock().unwrap().len();
    let before = whispers();
    until("two seconds and more have passed", || whispers() > before + 3).await;
    assert_eq!(ann.heard(), None);
}

/// What a peer whispers is known here, and forgotten when the peer falls silent.
#[actix::test]
async fn p10_a_peers_people_are_here_until_it_falls_silent() {
    let house = House::open(SETTINGS).await;
    house.happens(&[follows(1, 2, Verb::Created)]).await;
    let (ann, _) = house.greets(token(1)).await;
    watches(&ann, [2]).await;
    let (people, readers) = Default::default();
    let mut whisper = Whisper { node: Uuid::now_v7(), number: 1, asks: true, people, readers, typed: Vec::new() };
    whisper.people.changed = vec![(user(2), Some(Standing::Online))];
    let peer = house.memory.peer.lock().unwrap().clone().unwrap();
    peer.try_send(whisper).unwrap();
    hears_of(&ann, 2, "online").await;
    until("the peer is answered with everything", || {
        let whispers: Vec<Arc<Whisper>> = house.memory.whispered.lock().unwrap().clone();
        whispers
            .iter()
            .filter_map(|whisper| whisper.people.stretch.as_ref())
            .any(|all| all.after.is_none() && all.until.is_none() && all.items.iter().any(|(who, _)| *who == user(1)))
    })
    .await;
    let gone = hears_of(&ann, 2, "offline").await;
    assert!(gone["last_seen"].is_u64());
}
