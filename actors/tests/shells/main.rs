//! What the actors do around their machines: order, positions told, ends of sessions, and that they leave nothing behind.
//! The machines themselves are examined beside their code; sockets and databases in the conversations of the whole.

#![expect(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test that cannot go on stops right there; what it does not expect, it panics on"
)]

mod account;
mod company;
mod house;
mod memory;
mod sight;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::{Value, json};
use tidings_actors::command::{Act, Command};
use tidings_actors::entry::{Change, Verb};
use tidings_actors::limits::TAIL_RECALLS;
use tidings_actors::node::Settings;
use tidings_actors::ports::Submit;
use tidings_protocol::close::CloseCode;
use tidings_protocol::limits::{CATCH_UP_EVENTS, CONNECTIONS_PER_USER, FEEDS_PER_CONNECTION, REQUESTS_IN_FLIGHT};
use tidings_protocol::position::{Cursor, Epoch, Seq};
use uuid::Uuid;

use crate::house::{House, SETTINGS, cursor};
use crate::memory::{EPOCH, Memory, log_in, post_by, user};

fn closes(code: CloseCode) -> Value {
    json!({ "close": code.number() })
}

/// The feed and the `seq` of a push.
fn place(push: &Value) -> (&str, u64) {
    (push["feed"].as_str().unwrap_or_default(), push["seq"].as_u64().unwrap_or_default())
}

#[actix::test]
async fn p2_what_is_acknowledged_has_been_told_to_the_peers_a_log_out_too() {
    let house = House::open(SETTINGS).await;
    let told = || {
        let batches = house.memory.told.lock().unwrap();
        let entries: Vec<_> = batches.iter().flat_map(|batch| batch.entries.clone()).collect();
        entries.iter().map(|entry| (entry.seq, entry.change)).collect::<Vec<_>>()
    };
    let (ann, _) = house.greets(json!({ "token": "1/1" })).await;
    ann.asks("post.create", &json!({ "id": Uuid::now_v7(), "text": "one" }));
    let answer = ann.hears().await;
    assert_eq!(answer["result"]["seq"], 1, "{answer}");
    assert_eq!(told().last().map(|(seq, _)| *seq), Some(Seq(1)));
    let act = Act::SessionRevoke { session: Some(log_in(1)) };
    house.node.journal.submit(Command { actor: user(1), act }).await.unwrap();
    let ended = Change::SessionRevoked { user: user(1), session: Some(log_in(1)) };
    assert_eq!(told().last(), Some(&(Seq(2), ended)));
}

#[actix::test]
async fn what_one_sends_in_a_row_is_carried_out_in_that_order() {
    let house = House::open(SETTINGS).await;
    let (ann, _) = house.greets(json!({ "token": "1/1" })).await;
    for _ in 0..50 {
        let ids: Vec<Uuid> = (0..REQUESTS_IN_FLIGHT).map(|_| Uuid::now_v7()).collect();
        let before = house.memory.entries().len();
        let mut asked = Vec::new();
        for burst in ids.chunks(5) {
            asked.extend(burst.iter().map(|id| ann.asks("post.create", &json!({ "id": id, "text": "x" }))));
            // So that some are answered while others come in: that is when they could overtake each other.
            tokio::task::yield_now().await;
        }
        while !asked.is_empty() {
            // Answers tell by themselves which request they are for.
            let answered = ann.hears().await["id"].as_u64();
            let answered = asked.iter().position(|&id| Some(id) == answered).expect("one answer for each");
            asked.remove(answered);
        }
        let written = house.memory.entries().split_off(before);
        let written: Vec<Uuid> = written
            .iter()
            .filter_map(|entry| match entry.change {
                Change::Post { id, .. } => Some(id.0),
                _ => None,
            })
            .collect();
        assert_eq!(written, ids);
    }
}

#[actix::test]
async fn p3_who_resumes_hears_again_what_the_cursor_stands_at() {
    let house = House::open(SETTINGS).await;
    for _ in 0..5 {
        house.happens(&[post_by(2)]).await;
    }
    // Of the feeds that entry 3 belongs to, the line may have been lost after the first.
    let hello = json!({ "token": "1/1", "feeds": ["global", format!("user:{}", user(2))], "cursor": cursor(3) });
    let (ann, welcome) = house.greets(hello).await;
    let welcome = &welcome["result"];
    assert_eq!((&welcome["resumed"], &welcome["cursor"]), (&json!(true), &json!(cursor(3))));
    for seq in 3..=5 {
        for _ in 0..2 {
            let push = ann.hears().await;
            assert_eq!(place(&push).1, seq, "{push}");
        }
    }
    assert_eq!(ann.hears().await["cursor"], cursor(5), "a heartbeat marks the end");
}

/// Here Postgres cannot say what was missed: the hot log has it, or nobody.
#[actix::test]
async fn who_comes_back_to_a_node_just_started_is_resumed_from_memory() {
    let memory = Arc::new(Memory::default());
    memory.write(&(0..3_000).map(|_| post_by(7)).collect::<Vec<_>>());
    let mut house = House::open_on(memory, SETTINGS).await;
    for _ in 0..2 {
        for seen in [3_000, 2_990, 3_001 - TAIL_RECALLS] {
            let hello = json!({ "token": "1/1", "feeds": ["global"], "cursor": cursor(seen) });
            let (ann, welcome) = house.greets(hello).await;
            assert_eq!(welcome["result"]["resumed"], true, "from {seen}: {welcome}");
            for seq in seen..=3_000 {
                assert_eq!(place(&ann.hears().await), ("global", seq));
            }
        }
        // A worker that takes another's place begins with what the tail has handed on last.
        house.begins_another_worker().await;
    }
}

/// Somebody's other device has written through another node, was answered, and this node has not heard of it.
#[actix::test]
async fn a_home_from_memory_holds_what_was_answered_before_it_was_asked_for() {
    let house = House::open(SETTINGS).await;
    house.happens(&(0..60).map(|_| post_by(1)).collect::<Vec<_>>()).await;
    let (ann, _) = house.greets(json!({ "token": "1/1" })).await;
    for written in 61..64 {
        house.memory.write(&[post_by(1)]);
        ann.asks("feed.subscribe", &json!({ "feed": "home", "limit": 50 }));
        let home = ann.hears().await;
        assert_eq!(home["result"]["posts"][0]["seq"], written);
        ann.asks("feed.unsubscribe", &json!({ "feed": "home" }));
        ann.hears().await;
    }
}

#[actix::test]
async fn p3_a_cursor_of_another_life_of_the_journal_is_not_resumed() {
    let house = House::open(SETTINGS).await;
    house.happens(&[post_by(2)]).await;
    let other = Cursor { epoch: Epoch(EPOCH.0 + 1), seq: Seq(1) }.to_string();
    let (_ann, welcome) = house.greets(json!({ "feeds": ["global"], "cursor": other })).await;
    assert_eq!(welcome["result"]["resumed"], false, "{welcome}");
    assert_eq!(welcome["result"]["feeds"][0]["status"], "snapshot");
}

#[actix::test]
async fn p5_whom_one_followed_in_a_lost_life_of_the_journal_is_not_followed_in_the_next() {
    let house = House::open(SETTINGS).await;
    house.happens(&[Change::Follow { verb: Verb::Created, follower: user(1), followee: user(2) }]).await;
    let held = house.memory.look_ups.acquire_many(memory::LOOK_UPS).await.unwrap();
    let ann = house.visitor();
    ann.says(&json!({ "id": 1, "method": "hello", "params": { "token": "1/1", "feeds": ["home"] } }));
    while house.memory.looked_up.load(Ordering::Relaxed) == 0 {
        tokio::task::yield_now().await;
    }
    // The look-up has seen the follow, and is answered when the follow has never been.
    house.begins_a_new_life(&[post_by(3)]).await;
    drop(held);
    let welcome = ann.hears().await;
    assert_eq!(welcome["result"]["feeds"][0]["feed"], "home", "{welcome}");
    house.happens(&[post_by(2), post_by(1)]).await;
    assert_eq!(place(&ann.hears().await), ("home", 3), "one's own, and not the stranger's before it");
}

#[actix::test]
async fn p3_a_fresh_home_does_not_overtake_what_other_feeds_are_owed() {
    let house = House::open(SETTINGS).await;
    let (ann, _) = house.greets(json!({ "token": "1/1", "feeds": ["home", "global"] })).await;
    let follow = Change::Follow { verb: Verb::Created, follower: user(1), followee: user(2) };
    house.happens(&[follow, post_by(3), post_by(3)]).await;
    let heard = [ann.hears().await, ann.hears().await, ann.hears().await];
    assert_eq!(heard.each_ref().map(place), [("home", 1), ("global", 2), ("global", 3)]);
    assert_eq!(heard[0]["event"], "feed.resync");
    // Whatever the line loses, the cursor never says more than has been heard.
    assert_eq!(ann.hears().await["cursor"], cursor(3));
}

#[actix::test]
async fn p3_everybody_of_a_crowd_hears_what_came_together_in_order() {
    let house = House::open(SETTINGS).await;
    let mut crowd = Vec::new();
    // More than one part of a sweep writes to.
    for _ in 0..400 {
        crowd.push(house.greets(json!({ "feeds": ["global"] })).await.0);
    }
    house.happens(&[post_by(1), post_by(2)]).await;
    house.happens(&[post_by(1)]).await;
    for reader in &crowd {
        let heard = [reader.hears().await, reader.hears().await, reader.hears().await];
        assert_eq!(heard.each_ref().map(place), [("global", 1), ("global", 2), ("global", 3)]);
    }
}

#[actix::test]
async fn p3_who_has_missed_too_much_gets_a_fresh_start_and_goes_on() {
    let house = House::open(SETTINGS).await;
    let (ann, _) = house.greets(json!({ "token": "1/1", "feeds": ["global"] })).await;
    ann.stops_reading();
    let missed = 2 * CATCH_UP_EVENTS as u64;
    for _ in 0..4 {
        let posts: Vec<Change> = (0..missed / 4).map(|_| post_by(2)).collect();
        house.happens(&posts).await;
    }
    ann.reads_on();
    let mut push = ann.hears().await;
    while push["event"] == "post.created" {
        push = ann.hears().await;
    }
    assert_eq!((&push["event"], &push["data"]["seq"]), (&json!("feed.resync"), &json!(missed)));
    assert_eq!(ann.hears().await["cursor"], cursor(missed));
    house.happens(&[post_by(2)]).await;
    assert_eq!(place(&ann.hears().await), ("global", missed + 1));
}

#[actix::test]
async fn p5_a_log_in_that_ends_is_closed_with_its_number_and_hears_nothing_more() {
    let house = House::open(SETTINGS).await;
    let hello = |which: u64| json!({ "token": format!("1/{which}"), "feeds": ["global"] });
    let ((gone, _), (stays, _)) = (house.greets(hello(7)).await, house.greets(hello(8)).await);
    let ended = Change::SessionRevoked { user: user(1), session: Some(log_in(7)) };
    house.happens(&[post_by(2), ended, post_by(2)]).await;
    assert_eq!(gone.hears().await, closes(CloseCode::SessionRevoked));
    assert_eq!([place(&stays.hears().await), place(&stays.hears().await)], [("global", 1), ("global", 3)]);
    let (late, refused) = house.greets(hello(7)).await;
    assert_eq!(refused["error"]["code"], "bad_token");
    assert_eq!(late.hears().await, closes(CloseCode::SessionRevoked));
    stays.goes();
    house.is_empty().await;
}

#[actix::test]
async fn p5_another_log_ins_token_is_not_taken() {
    let house = House::open(SETTINGS).await;
    let (ann, _) = house.greets(json!({ "token": "1/7" })).await;
    for (token, good) in [("1/7", true), ("2/7", false), ("1/8", false)] {
        ann.asks("auth.refresh", &json!({ "token": token }));
        let answer = ann.hears().await;
        let expected = if good { Value::Null } else { json!("forbidden") };
        assert_eq!(answer["error"]["code"], expected, "{token}");
    }
}

#[actix::test]
async fn p7_who_does_not_say_hello_in_time_is_closed() {
    let house = House::open(Settings { hello_timeout_ms: 20, ..SETTINGS }).await;
    let (greeted, _) = house.greets(json!({ "feeds": ["global"] })).await;
    assert_eq!(house.visitor().hears().await, closes(CloseCode::HelloTimeout));
    house.happens(&[post_by(2)]).await;
    assert_eq!(place(&greeted.hears().await), ("global", 1), "who has said it stays");
}

#[actix::test]
async fn who_comes_back_before_the_end_of_their_last_connection_is_noticed_gets_its_seat() {
    let house = House::open(SETTINGS).await;
    let hello = json!({ "token": "1/1", "feeds": ["home"] });
    let mut seated = Vec::new();
    for _ in 0..CONNECTIONS_PER_USER {
        seated.push(house.greets(hello.clone()).await.0);
    }
    let early = house.visitor();
    early.says(&json!({ "id": 1, "method": "hello", "params": hello }));
    // Each answer shows that the session has had its turn meanwhile.
    for _ in 0..10 {
        seated[1].asks("auth.refresh", &json!({ "token": "1/1" }));
        seated[1].hears().await;
    }
    seated.remove(0).goes();
    let welcome = early.hears().await;
    assert!(welcome["result"].is_object(), "{welcome}");
}

#[actix::test]
async fn p6_one_user_has_so_many_connections_and_each_that_goes_makes_room() {
    let house = House::open(SETTINGS).await;
    let hello = || json!({ "token": "1/1", "feeds": ["home"] });
    let mut seated = Vec::new();
    for _ in 0..CONNECTIONS_PER_USER {
        let (visitor, welcome) = house.greets(hello()).await;
        assert!(welcome["result"].is_object(), "{welcome}");
        seated.push(visitor);
    }
    let (turned, refused) = house.greets(hello()).await;
    assert_eq!(refused["error"]["code"], "limit_reached");
    assert_eq!(turned.hears().await, closes(CloseCode::TooManyConnections));
    let (_other, welcome) = house.greets(json!({ "token": "2/1" })).await;
    assert!(welcome["result"].is_object(), "another user has their own: {welcome}");
    seated.remove(0).goes();
    while house.worker.connections() > CONNECTIONS_PER_USER {
        tokio::task::yield_now().await;
    }
    let (_back, welcome) = house.greets(hello()).await;
    assert!(welcome["result"].is_object(), "{welcome}");
}

#[actix::test]
async fn p6_one_connection_watches_so_many_feeds() {
    let house = House::open(SETTINGS).await;
    let feeds: Vec<String> = (0..FEEDS_PER_CONNECTION as u64).map(|n| format!("user:{}", user(n))).collect();
    let (ann, welcome) = house.greets(json!({ "token": "1/1", "feeds": feeds })).await;
    assert_eq!(welcome["result"]["feeds"].as_array().map(Vec::len), Some(FEEDS_PER_CONNECTION));
    ann.asks("feed.subscribe", &json!({ "feed": "global" }));
    assert_eq!(ann.hears().await["error"]["code"], "limit_reached");
    ann.asks("feed.subscribe", &json!({ "feed": feeds[0] }));
    assert!(ann.hears().await["result"].is_object(), "what is watched already may begin afresh");
}

/// What somebody was changing when they panicked must never be told to anybody.
#[actix::test]
async fn p8_a_panic_amid_the_feed_table_ends_its_worker() {
    let house = House::open(SETTINGS).await;
    let (ann, _) = house.greets(json!({ "token": "1/1", "feeds": ["global"] })).await;
    let panics = || {
        let _table = house.worker.table_mut();
        panic!("for the test");
    };
    assert!(catch_unwind(AssertUnwindSafe(panics)).is_err() && house.worker.is_torn());
    assert_eq!(ann.hears().await, closes(CloseCode::Internal));
}

#[actix::test]
async fn p6_nothing_is_left_of_those_who_go_on_whatever_way() {
    let house = House::open(SETTINGS).await;
    let feeds = json!(["home", "global", "me", format!("user:{}", user(2))]);
    let mut all = Vec::new();
    for n in 1..=6 {
        let (visitor, _) = house.greets(json!({ "token": format!("{n}/{n}"), "feeds": feeds })).await;
        all.push(visitor);
    }
    let (nobody, _) = house.greets(json!({ "feeds": ["global"] })).await;
    let silent = house.visitor();
    for visitor in [&all[0], &all[1], &nobody, &silent] {
        visitor.goes();
    }
    // Logged out, breaking the protocol, and in the middle of a fresh start.
    house
        .happens(&[
            Change::SessionRevoked { user: user(3), session: None },
            Change::Follow { verb: Verb::Created, follower: user(5), followee: user(2) },
            post_by(2),
        ])
        .await;
    all[3].says(&json!({ "id": 9, "method": "hello" }));
    all[4].goes();
    all[5].goes();
    house.is_empty().await;
}
