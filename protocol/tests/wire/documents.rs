//! PROTOCOL.md names every word of the protocol.
//! Must never check more than names: whether a sentence is true is for its readers.

use serde_json::Value;
use tidings_protocol::close::CloseCode;
use tidings_protocol::error::ErrorCode;
use tidings_protocol::push::{EventName, Notice};
use tidings_protocol::request::Method;
use tidings_protocol::{SUBPROTOCOL, WEBSOCKET_PATH, limits};

use crate::files::{golden, text};

fn must_name(document: &str, word: &str) {
    assert!(document.contains(&format!("`{word}`")), "PROTOCOL.md does not name `{word}`");
}

#[test]
fn protocol_md_names_every_word() {
    let document = text("PROTOCOL.md");
    for word in Method::NAMES.iter().chain(Notice::NAMES) {
        must_name(&document, word);
    }
    for event in EventName::ALL {
        must_name(&document, event.as_str());
    }
    for code in ErrorCode::ALL {
        let code = serde_json::to_value(code).expect("codes encode");
        must_name(&document, code.as_str().expect("codes are strings"));
    }
    for close in CloseCode::ALL {
        must_name(&document, close.reason());
        must_name(&document, &close.number().to_string());
    }
    must_name(&document, SUBPROTOCOL);
    must_name(&document, WEBSOCKET_PATH);
}

/// The figures in the table of limits are those of the code.
#[test]
fn protocol_md_tells_the_limits() {
    let document = text("PROTOCOL.md");
    let rows = [
        ("Message", limits::MESSAGE_BYTES),
        ("Message before `hello`", limits::MESSAGE_BYTES_BEFORE_HELLO),
        ("Nesting of JSON", limits::JSON_DEPTH),
        ("Requests in flight", limits::REQUESTS_IN_FLIGHT),
        ("Feeds per connection", limits::FEEDS_PER_CONNECTION),
        ("Connections per user and node", limits::CONNECTIONS_PER_USER),
        ("Events of one catch-up", limits::CATCH_UP_EVENTS),
        ("Post", limits::POST_TEXT_CHARS),
        ("Comment", limits::COMMENT_TEXT_CHARS),
        ("Depth of answers", usize::from(limits::COMMENT_DEPTH)),
        ("Display name", limits::NAME_CHARS),
        ("Profile text", limits::BIO_CHARS),
        ("`client` in `hello`", limits::CLIENT_NAME_BYTES),
        ("Page or snapshot", usize::from(limits::PAGE_MAX)),
        ("People watched by one connection", limits::PRESENCE_WATCHED),
        ("People named in a `typing` notice", limits::TYPISTS_TOLD),
    ];
    for (what, limit) in rows {
        let row = document
            .lines()
            .find(|line| line.starts_with(&format!("| {what} |")))
            .unwrap_or_else(|| panic!("PROTOCOL.md has no limit for {what}"));
        let figures = row.replace(',', "");
        let told = figures.split(|c: char| !c.is_ascii_digit()).any(|word| word == limit.to_string());
        assert!(told, "{what} is {limit}: {row}");
    }
}

/// The lines of the transcript that are frames are JSON, and the client's are understood.
#[test]
fn the_transcript_is_understood() {
    let document = text("PROTOCOL.md");
    let mut requests = 0;
    for line in document.lines() {
        if let Some(frame) = line.strip_prefix("→ ") {
            let read = tidings_protocol::request::Request::decode(frame);
            assert!(read.is_ok(), "{frame}: {read:?}");
            requests += 1;
        } else if let Some(frame) = line.strip_prefix("← ") {
            let read = serde_json::from_str::<tidings_protocol::push::ServerFrame>(frame);
            assert!(read.is_ok(), "{frame}: {read:?}");
        }
    }
    assert!(requests > 3, "the transcript is gone");
    assert!(golden::<Value>("requests.json").len() > requests);
}
