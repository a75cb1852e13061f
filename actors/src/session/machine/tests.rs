//! Conversations with a session's machine, and a seeded one against a plain list of what was asked.

mod rights;

use std::cell::Cell;
use std::collections::BTreeMap;

use tidings_protocol::bots::Scope;
use tidings_protocol::ids::SessionId;
use tidings_protocol::position::Millis;
use uuid::Uuid;

use super::*;
use crate::testing::{Dice, user};

/// Knows two tokens and has so many points.
struct Door {
    points: Cell<u32>,
    sure: bool,
}

impl Door {
    fn rich() -> Self {
        Self { points: Cell::new(u32::MAX), sure: true }
    }
}

impl Doorkeeper for Door {
    fn verify(&self, token: &str) -> Result<Claims, BadToken> {
        match token {
            "good" => {
                let session = SessionId(Uuid::from_u128(7));
                Ok(Claims { user: user(1), session, expires_at: Some(Millis(0)), scopes: None })
            }
            "narrow" => {
                let (session, scopes) = (SessionId(Uuid::from_u128(8)), Some([Scope::Read].into_iter().collect()));
                Ok(Claims { user: user(1), session, expires_at: None, scopes })
            }
            "old" => Err(BadToken::Expired),
            _ => Err(BadToken::Invalid),
        }
    }

    fn charge(&self, points: u32) -> Result<(), u64> {
        let left = self.points.get().checked_sub(points).ok_or(1_200_u64)?;
        self.points.set(left);
        Ok(())
    }

    fn turn(&self, whom: UserId, _: u32) -> Result<(), u64> {
        if whom == user(13) { Err(7_000) } else { Ok(()) }
    }

    fn is_sure(&self) -> bool {
        self.sure
    }
}

const HELLO: &str = r#"{"id":1,"method":"hello","params":{"token":"good"}}"#;

fn id() -> Uuid {
    Uuid::from_u128(9)
}

fn reads(n: u64) -> String {
    format!(r#"{{"id":{n},"method":"post.get","params":{{"id":"{}"}}}}"#, id())
}

fn writes(n: u64) -> String {
    format!(r#"{{"id":{n},"method":"post.delete","params":{{"id":"{}"}}}}"#, id())
}

fn unsubscribes(n: u64) -> String {
    format!(r#"{{"id":{n},"method":"feed.unsubscribe","params":{{"feed":"global"}}}}"#)
}

/// Effects in short.
fn brief(effects: &[Effect]) -> String {
    let brief = |effect: &Effect| match effect {
        Effect::Refuse(None, refusal) => format!("refuse null {}", refusal.code.as_str()),
        Effect::Refuse(Some(id), refusal) => format!("refuse {} {}", id.0, refusal.code.as_str()),
        Effect::Greet(id, _, claims) => format!("greet {} {}", id.0, if claims.is_some() { "user" } else { "anybody" }),
        Effect::Run(_, id, job) => format!("run {} {:?}", id.0, job.class()),
        Effect::GoAway => "go away".to_owned(),
        Effect::Close(code) => format!("close {}", code.reason()),
    };
    effects.iter().map(brief).collect::<Vec<_>>().join(", ")
}

fn tickets(effects: &[Effect]) -> Vec<Ticket> {
    let ticket = |effect: &Effect| if let Effect::Run(ticket, ..) = effect { Some(*ticket) } else { None };
    effects.iter().filter_map(ticket).collect()
}

/// A session that has said hello, as user 1 or as nobody.
fn live(door: &Door, viewer: Option<UserId>) -> Machine {
    let mut machine = Machine::default();
    assert!(brief(&machine.text(HELLO, door)).starts_with("greet 1"));
    assert!(machine.greeted(viewer).is_empty());
    machine
}

#[test]
fn p8_only_hello_may_come_first() {
    let first = |text: &str| {
        let mut machine = Machine::default();
        let said = brief(&machine.text(text, &Door::rich()));
        let after = machine.text(HELLO, &Door::rich());
        assert!(after.is_empty() || said.starts_with("greet"), "the conversation is over after {said}");
        said
    };
    assert_eq!(first(HELLO), "greet 1 user");
    assert_eq!(first(r#"{"id":2,"method":"hello"}"#), "greet 2 anybody");
    assert_eq!(first(&reads(3)), "refuse 3 bad_request, close protocol_error");
    assert_eq!(first("nonsense"), "refuse null bad_request, close protocol_error");
    assert_eq!(first(r#"{"id":4,"method":"dance"}"#), "refuse 4 unknown_method, close protocol_error");
    assert_eq!(
        first(r#"{"id":5,"method":"hello","params":{"token":"old"}}"#),
        "refuse 5 token_expired, close token_expired"
    );
    assert_eq!(first(r#"{"id":6,"method":"hello","params":{"token":"bad"}}"#), "refuse 6 bad_token, close bad_token");
    let many = vec!["\"global\""; limits::FEEDS_PER_CONNECTION + 1].join(",");
    let many = format!(r#"{{"id":7,"method":"hello","params":{{"feeds":[{many}]}}}}"#);
    assert_eq!(first(&many), "refuse 7 limit_reached, close protocol_error");
}

#[test]
fn p7_who_turns_too_often_is_told_to_wait_and_costs_nobody_anything() {
    let door = Door::rich();
    let mut machine = live(&door, Some(user(1)));
    for (method, whom, told) in [
        ("user.block", 13, "refuse 2 rate_limited"),
        ("user.unblock", 13, "refuse 2 rate_limited"),
        ("user.follow", 13, "refuse 2 rate_limited"),
        ("user.unfollow", 13, "refuse 2 rate_limited"),
        ("user.mute", 13, "refuse 2 rate_limited"),
        ("user.unmute", 13, "refuse 2 rate_limited"),
        ("user.unmute", 12, "run 2 Write"),
    ] {
        let text = format!(r#"{{"id":2,"method":"{method}","params":{{"id":"{}"}}}}"#, user(whom));
        assert_eq!(brief(&machine.text(&text, &door)), told, "{method}");
    }
}

#[test]
fn p8_hello_comes_once_and_nothing_follows_the_end() {
    let door = Door::rich();
    let mut machine = live(&door, Some(user(1)));
    assert_eq!(brief(&machine.text(HELLO, &door)), "refuse 1 bad_request, close protocol_error");
    assert_eq!(brief(&machine.text(&reads(2), &door)), "");
    assert_eq!(brief(&machine.end(CloseCode::Silent)), "");
    assert_eq!(brief(&machine.leave()), "");
    let mut entering = Machine::default();
    entering.text(HELLO, &door);
    entering.text(&reads(2), &door);
    assert_eq!(brief(&entering.end(CloseCode::SessionRevoked)), "close session_revoked");
    assert_eq!(brief(&entering.greeted(Some(user(1)))), "", "a greeting that comes back late wakes nobody");
    assert!(!entering.is_live());
}

#[test]
fn requests_wait_for_hello_to_be_carried_out() {
    let door = Door::rich();
    let mut machine = Machine::default();
    machine.text(HELLO, &door);
    assert_eq!(brief(&machine.text(&reads(2), &door)), "");
    assert_eq!(brief(&machine.text(&reads(3), &door)), "");
    assert_eq!(brief(&machine.greeted(None)), "run 2 Read, run 3 Read");
}

#[test]
fn one_kind_of_job_runs_at_a_time_and_in_order() {
    let door = Door::rich();
    let mut machine = live(&door, Some(user(1)));
    let first = machine.text(&writes(2), &door);
    assert_eq!(brief(&first), "run 2 Write");
    let second = machine.text(&writes(3), &door);
    assert_eq!(brief(&second), "run 3 Write", "the journal keeps their order");
    for n in 4..4 + SESSION_READS as u64 + 1 {
        assert_eq!(brief(&machine.text(&reads(n), &door)), "", "reads see what was written before");
    }
    assert_eq!(brief(&machine.text(&unsubscribes(20), &door)), "");
    assert_eq!(brief(&machine.finished(tickets(&first)[0])), "");
    let reading = machine.finished(tickets(&second)[0]);
    assert_eq!(brief(&reading), "run 4 Read, run 5 Read, run 6 Read, run 7 Read");
    let last = machine.finished(tickets(&reading)[0]);
    assert_eq!(brief(&last), "run 8 Read");
    for ticket in &tickets(&reading)[1..] {
        assert_eq!(brief(&machine.finished(*ticket)), "");
    }
    assert_eq!(brief(&machine.finished(tickets(&last)[0])), "run 20 Sole");
}

#[test]
fn p7_who_is_too_fast_is_told_when_to_come_back() {
    let door = Door { points: Cell::new(points::READ), sure: true };
    let mut machine = live(&door, Some(user(1)));
    assert_eq!(brief(&machine.text(&reads(2), &door)), "run 2 Read");
    let refused = machine.text(&reads(3), &door);
    let [Effect::Refuse(Some(RequestId(3)), refusal)] = &refused[..] else { panic!("{refused:?}") };
    assert_eq!((refusal.code, refusal.retry, refusal.retry_after_ms), (ErrorCode::RateLimited, true, Some(1_200)));
}

#[test]
fn p7_what_cannot_be_read_costs_something_too() {
    let door = Door { points: Cell::new(points::READ), sure: true };
    let mut machine = live(&door, Some(user(1)));
    assert_eq!(brief(&machine.text("nonsense", &door)), "refuse null bad_request");
    assert_eq!(brief(&machine.text("nonsense", &door)), "refuse null rate_limited");
}

#[test]
fn p7_who_goes_on_after_so_many_refusals_is_closed() {
    let door = Door::rich();
    let mut machine = live(&door, Some(user(1)));
    for _ in 0..REFUSALS_IN_A_ROW {
        assert_eq!(brief(&machine.text("nonsense", &door)), "refuse null bad_request");
    }
    let taken = machine.text(&reads(2), &door);
    machine.finished(tickets(&taken)[0]);
    for _ in 0..REFUSALS_IN_A_ROW {
        assert_eq!(
            brief(&machine.text("nonsense", &door)),
            "refuse null bad_request",
            "one that is taken starts it anew"
        );
    }
    assert_eq!(brief(&machine.text("nonsense", &door)), "refuse null bad_request, close flood");
    assert_eq!(brief(&machine.text("nonsense", &door)), "");
}

#[test]
fn p10_a_node_that_leaves_finishes_what_was_asked_and_takes_nothing_more() {
    let door = Door::rich();
    let mut machine = live(&door, Some(user(1)));
    let running = machine.text(&writes(2), &door);
    machine.text(&reads(3), &door);
    assert_eq!(brief(&machine.leave()), "");
    assert_eq!(brief(&machine.text(&reads(4), &door)), "refuse 4 unavailable", "or it might never come to an end");
    let reading = machine.finished(tickets(&running)[0]);
    assert_eq!(brief(&reading), "run 3 Read");
    assert_eq!(brief(&machine.finished(tickets(&reading)[0])), "go away");
    assert_eq!(brief(&machine.text(&reads(5), &door)), "");
    assert_eq!(brief(&live(&door, None).leave()), "go away");
    assert_eq!(brief(&Machine::default().leave()), "close going_away");
}

/// A request of any kind, or something that only looks like one.
fn any_text(dice: &mut Dice, n: u64) -> String {
    let id = id();
    let request = |method: &str, params: &str| format!(r#"{{"id":{n},"method":"{method}","params":{params}}}"#);
    match dice.below(16) {
        0 => unsubscribes(n),
        1..4 => writes(n),
        4..8 => reads(n),
        8 => request("feed.subscribe", r#"{"feed":"home"}"#),
        9 => request("post.create", &format!(r#"{{"id":"{id}","text":"hello"}}"#)),
        10 => request("user.get", "{}"),
        11 => request("comment.page", &format!(r#"{{"post":"{id}","limit":5}}"#)),
        12 => request("auth.refresh", r#"{"token":"good"}"#),
        13 => request("feed.page", r#"{"feed":"global","limit":0}"#),
        14 => request("user.follow", "[]"),
        _ => request("dance", "{}"),
    }
}

#[test]
fn p8_every_request_is_answered_exactly_once_and_in_order() {
    let mut asked_in_all = 0;
    for seed in 0..200 {
        let mut dice = Dice::of(seed);
        let door = Door { points: Cell::new(400), sure: true };
        let viewer = dice.percent(80).then(|| user(1));
        let mut machine = live(&door, viewer);
        let mut answers = BTreeMap::<u64, u32>::new();
        let mut running: Vec<(Ticket, u64, Class)> = Vec::new();
        let (mut asked, mut started, mut left) = (10, 0, false);
        let leaves_at = if dice.percent(50) { dice.below(150) } else { 1_000 };
        for step in 0..300 {
            let effects = if step == leaves_at {
                machine.leave()
            } else if !running.is_empty() && (step > 150 || dice.percent(45)) {
                let (ticket, id, _) = running.swap_remove(dice.index(running.len()));
                *answers.entry(id).or_default() += 1;
                machine.finished(ticket)
            } else if step < 150 && !left {
                asked += 1;
                machine.text(&any_text(&mut dice, asked), &door)
            } else {
                continue;
            };
            assert!(effects.is_empty() || !left, "nothing follows the end: {effects:?}");
            for effect in effects {
                match effect {
                    Effect::Refuse(id, _) => *answers.entry(id.expect("all have one").0).or_default() += 1,
                    Effect::Run(ticket, id, job) => {
                        assert!(id.0 > started, "started out of order");
                        started = id.0;
                        running.push((ticket, id.0, job.class()));
                    }
                    Effect::GoAway => {
                        assert!(running.is_empty());
                        left = true;
                    }
                    Effect::Greet(..) | Effect::Close(_) => panic!("{effect:?}"),
                }
            }
            let count = |class| running.iter().filter(|(.., running)| *running == class).count();
            let counts = (count(Class::Write), count(Class::Read), count(Class::Sole));
            assert!(
                matches!(counts, (_, 0, 0) | (0, 1..=SESSION_READS, 0) | (0, 0, 1)),
                "writes, reads, others side by side: {counts:?}"
            );
        }
        let expected: BTreeMap<u64, u32> = (11..=asked).map(|id| (id, 1)).collect();
        assert_eq!(answers, expected);
        assert_eq!(left, leaves_at < 300);
        asked_in_all += asked - 10;
    }
    println!("{asked_in_all} requests");
}

proptest::proptest! {
    #[test]
    fn p8_whatever_comes_in_is_answered(
        greet in proptest::bool::ANY,
        texts in proptest::collection::vec(
            proptest::prop_oneof![
                proptest::prelude::any::<String>(),
                r#"\{"id":[0-9]{1,18},"method":"[a-z]{1,5}(\.(get|page|create))?"(,"params":[\[\{"a-z:\}\]]{0,9})?\}"#,
                r#"[\[\{\]\}":,a-z0-9\\]{0,60}"#,
                proptest::prelude::Just(HELLO.to_owned()),
                proptest::prelude::Just(reads(3)),
                proptest::prelude::Just("[".repeat(10_000)),
            ],
            1..20,
        ),
    ) {
        let door = Door::rich();
        let mut machine = if greet { live(&door, Some(user(1))) } else { Machine::default() };
        let mut over = false;
        for text in texts {
            let effects = machine.text(&text, &door);
            let waits = Request::decode(&text).is_ok();
            proptest::prop_assert_eq!(effects.is_empty(), over || effects.is_empty() && waits);
            over |= matches!(effects.last(), Some(Effect::Close(_)));
        }
    }
}
