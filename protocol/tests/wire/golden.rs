//! The golden frames in `protocol/wire/`: each is read, written again and must be the same; none of the protocol's words may be missing.
//! Must never be loosened to let a frame pass: other clients read the same files.

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tidings_protocol::close::{AfterClose, CloseCode, after_close};
use tidings_protocol::error::ErrorCode;
use tidings_protocol::push::{EventName, FeedPush, Notice, ServerFrame};
use tidings_protocol::reply::Reply;
use tidings_protocol::request::{Method, Request};
use tidings_protocol::text::FilterPhrase;
use tidings_protocol::{filter, reply, request, rest};

use crate::calls::for_each_method;
use crate::files::golden;

#[derive(Deserialize)]
struct Golden {
    name: String,
    of: String,
    frame: Value,
}

#[derive(Deserialize)]
struct Lenient {
    name: String,
    message: String,
    frame: Value,
}

#[derive(Deserialize)]
struct Misread {
    name: String,
    message: String,
    expect: Expect,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Expect {
    id: Option<u64>,
    code: ErrorCode,
    field: Option<String>,
}

#[derive(Deserialize)]
struct Body {
    name: String,
    of: String,
    body: Value,
}

#[derive(Deserialize)]
struct Close {
    number: u16,
    reason: Option<String>,
    after: AfterClose,
}

fn to_json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).expect("wire types encode")
}

/// Reads `json` from text, as it would arrive, and writes it again.
fn there_and_back<T: Serialize + DeserializeOwned>(json: &Value) -> Value {
    let read: Result<T, _> = serde_json::from_str(&json.to_string());
    to_json(&read.unwrap_or_else(|error| panic!("{error}: {json}")))
}

fn all_of(frames: &[Golden]) -> BTreeSet<&str> {
    frames.iter().map(|golden| golden.of.as_str()).collect()
}

fn set<'a>(names: &'a [&'a str]) -> BTreeSet<&'a str> {
    names.iter().copied().collect()
}

#[test]
fn requests() {
    let frames: Vec<Golden> = golden("requests.json");
    for Golden { name, of, frame } in &frames {
        let request = Request::decode(&frame.to_string()).unwrap_or_else(|misread| panic!("{of}, {name}: {misread:?}"));
        assert_eq!(request.method.name(), of, "{name}");
        assert_eq!(&to_json(&request), frame, "{of}, {name}");
        assert_eq!(params_there_and_back(of, &frame["params"]), frame["params"], "{of}, {name}");
    }
    assert_eq!(all_of(&frames), set(Method::NAMES), "a method without a golden request");
}

fn params_there_and_back(method: &str, params: &Value) -> Value {
    macro_rules! read {
        ($($name:literal: $params:path => $_result:path,)*) => {
            match method { $($name => there_and_back::<$params>(params),)* other => panic!("{other}") }
        };
    }
    for_each_method!(read)
}

#[test]
fn replies() {
    let frames: Vec<Golden> = golden("replies.json");
    for Golden { name, of, frame } in &frames {
        assert_eq!(&there_and_back::<ServerFrame>(frame), frame, "{of}, {name}, untyped");
        assert_eq!(&reply_there_and_back(of, frame), frame, "{of}, {name}");
    }
    assert_eq!(all_of(&frames), set(Method::NAMES), "a method without a golden reply");
}

fn reply_there_and_back(method: &str, frame: &Value) -> Value {
    macro_rules! read {
        ($($name:literal: $_params:path => $result:path,)*) => {
            match method { $($name => there_and_back::<Reply<$result>>(frame),)* other => panic!("{other}") }
        };
    }
    for_each_method!(read)
}

#[test]
fn errors() {
    let frames: Vec<Golden> = golden("errors.json");
    for Golden { name, of, frame } in &frames {
        let read: ServerFrame = serde_json::from_value(frame.clone()).expect(name);
        let ServerFrame::Reply(Reply::Error { error, .. }) = &read else { panic!("{name} was read as {read:?}") };
        assert_eq!(to_json(&error.code), json!(of));
        assert_eq!(error.code.as_str(), of);
        assert_eq!(error.retry, error.code.retry(), "{name}");
        assert_eq!(&to_json(&read), frame, "{name}");
    }
    let codes: Vec<Value> = ErrorCode::ALL.iter().map(to_json).collect();
    let codes: Vec<&str> = codes.iter().filter_map(Value::as_str).collect();
    assert_eq!(all_of(&frames), set(&codes), "an error code without a golden frame");
}

#[test]
fn events() {
    let frames: Vec<Golden> = golden("events.json");
    for Golden { name, of, frame } in &frames {
        let read: ServerFrame = serde_json::from_value(frame.clone()).expect(name);
        assert!(matches!(read, ServerFrame::Feed(_)), "{of}, {name}: {read:?}");
        assert_eq!(&to_json(&read), frame, "{of}, {name}");
        assert_eq!(&there_and_back::<FeedPush>(frame), frame, "{of}, {name}, typed");
        let event: EventName = serde_json::from_value(frame["event"].clone()).expect(name);
        assert_eq!(event.as_str(), of);
    }
    let names: Vec<&str> = EventName::ALL.iter().map(|event| event.as_str()).collect();
    assert_eq!(all_of(&frames), set(&names), "an event without a golden frame");
}

#[test]
fn notices() {
    let frames: Vec<Golden> = golden("notices.json");
    for Golden { name, of, frame } in &frames {
        let read: ServerFrame = serde_json::from_value(frame.clone()).expect(name);
        let ServerFrame::Notice(notice) = &read else { panic!("{name} was read as {read:?}") };
        assert_eq!(notice.name(), of);
        assert_eq!(&to_json(&read), frame, "{name}");
        assert_eq!(&there_and_back::<Notice>(frame), frame, "{name}, typed");
    }
    assert_eq!(all_of(&frames), set(Notice::NAMES), "a notice without a golden frame");
}

#[test]
fn unusual_but_accepted_requests() {
    for Lenient { name, message, frame } in golden("lenient.json") {
        let request = Request::decode(&message).unwrap_or_else(|misread| panic!("{name}: {misread:?}"));
        assert_eq!(to_json(&request), frame, "{name}");
    }
}

#[test]
fn misread_requests() {
    for Misread { name, message, expect } in golden("misreads.json") {
        let misread = match Request::decode(&message) {
            Ok(request) => panic!("{name} was accepted: {request:?}"),
            Err(misread) => misread,
        };
        let got =
            Expect { id: misread.id.map(|id| id.0), code: misread.refusal.code, field: misread.refusal.field.clone() };
        assert_eq!(got, expect, "{name}: {misread:?}");
        assert!(!misread.refusal.message.is_empty(), "{name}");
        assert!(!misread.refusal.message.contains("eyJ"), "{name}: {misread:?}");
    }
}

#[test]
fn rest_bodies() {
    let mut seen = BTreeSet::new();
    for Body { name, of, body } in golden("rest.json") {
        let again = match of.as_str() {
            "SignUp" => there_and_back::<rest::SignUp>(&body),
            "Login" => there_and_back::<rest::Login>(&body),
            "RefreshToken" => there_and_back::<rest::RefreshToken>(&body),
            "Tokens" => there_and_back::<rest::Tokens>(&body),
            "RestError" => there_and_back::<rest::RestError>(&body),
            other => panic!("{other}"),
        };
        assert_eq!(again, body, "{name}");
        seen.insert(of);
    }
    assert_eq!(seen.len(), 5);
}

#[derive(Deserialize)]
struct Filtered {
    name: String,
    phrase: String,
    #[serde(default)]
    whole_word: bool,
    text: String,
    matches: bool,
}

#[test]
fn filters() {
    for Filtered { name, phrase, whole_word, text, matches } in golden("filters.json") {
        FilterPhrase::parse(phrase.clone()).unwrap_or_else(|bad| panic!("{name}: {bad}"));
        assert_eq!(filter::matches(&phrase, whole_word, &text), matches, "{name}");
    }
    assert!(FilterPhrase::parse(" \u{200b} ").is_err(), "nothing of it could match");
}

#[test]
fn closes() {
    let closes: Vec<Close> = golden("closes.json");
    for close in &closes {
        assert_eq!(after_close(close.number), close.after, "{}", close.number);
    }
    let known: Vec<(u16, &str)> =
        closes.iter().filter_map(|close| Some((close.number, close.reason.as_deref()?))).collect();
    let all: Vec<(u16, &str)> = CloseCode::ALL.iter().map(|code| (code.number(), code.reason())).collect();
    assert_eq!(known, all);
}
