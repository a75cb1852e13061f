//! Every wire type, written and read again, is the same.
//! Must never compare texts: the order of fields is not part of the wire.

use std::fmt::Debug;

use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::{CommentId, RequestId, UserId};
use tidings_protocol::limits::MESSAGE_BYTES;
use tidings_protocol::push::ServerFrame;
use tidings_protocol::reply::Reply;
use tidings_protocol::request::Request;
use tidings_protocol::text::{Bio, CommentText, DisplayName, Handle, PostText};

use crate::samples;

fn same<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) {
    let json = serde_json::to_string(value).expect("wire types encode");
    let read: T = serde_json::from_str(&json).unwrap_or_else(|error| panic!("{error}: {json}"));
    assert_eq!(&read, value, "{json}");
}

proptest! {
    #[test]
    fn requests(request in samples::request()) {
        let json = serde_json::to_string(&request).expect("requests encode");
        prop_assert_eq!(Request::decode(&json), Ok(request));
    }

    #[test]
    fn pushes(push in samples::push()) {
        same(&push);
        same(&ServerFrame::Feed(Box::new(push)));
    }

    #[test]
    fn notices(notice in samples::notice()) {
        same(&notice);
        same(&ServerFrame::Notice(notice));
    }

    #[test]
    fn replies(id in 0..1_u64 << 53, welcome in samples::welcome(), refusal in samples::refusal(), anonymous in any::<bool>()) {
        let id = RequestId(id);
        same(&Reply::Result { id, result: welcome });
        same(&ServerFrame::Reply(Reply::Error { id: (!anonymous).then_some(id), error: refusal }));
    }

    #[test]
    fn snapshots(snapshot in samples::snapshot()) { same(&snapshot); }

    #[test]
    fn entities(user in samples::user(), post in samples::post(), comment in samples::comment()) {
        same(&user);
        same(&post);
        same(&comment);
    }

    #[test]
    fn feed_names(feed in samples::feed()) {
        same(&feed);
        prop_assert_eq!(feed.to_string().parse(), Ok(feed));
    }

    #[test]
    fn any_text_is_no_feed_or_that_feed(text in "(user|post|home|me|:|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[\\PC]{0,3}){0,3}") {
        if let Ok(feed) = text.parse::<FeedName>() {
            prop_assert_eq!(feed.to_string(), text);
        }
    }

    #[test]
    fn ids(uuid in samples::uuid()) {
        same(&UserId(uuid));
        same(&CommentId(uuid));
        prop_assert_eq!(UserId(uuid).to_string().parse::<UserId>(), Ok(UserId(uuid)));
        let debug = format!("{:?}", UserId(uuid));
        prop_assert_eq!(debug, format!("UserId({uuid})"));
    }

    #[test]
    fn what_people_write_is_kept_and_not_shown(text in samples::post_text(), handle in samples::handle()) {
        same(&text);
        same(&handle);
        prop_assert_eq!(format!("{text:?}"), format!("PostText({} bytes)", text.as_str().len()));
    }

    /// The rules said again, plainly.
    #[test]
    fn texts_follow_their_rules(text in prop_oneof![any::<String>(), "[ a\n\t\u{0}\u{7f}\u{85}é]{0,60}", ".{40,60}"]) {
        let blank = text.trim().is_empty();
        let long = |most: usize| text.chars().count() > most;
        let controls = |allowed: &[char]| text.chars().any(|c| c.is_control() && !allowed.contains(&c));
        let line_ends = ['\n', '\r', '\t'];
        prop_assert_eq!(PostText::parse(&*text).is_ok(), !(blank || long(5_000) || controls(&line_ends)));
        prop_assert_eq!(CommentText::parse(&*text).is_ok(), !(blank || long(2_000) || controls(&line_ends)));
        prop_assert_eq!(DisplayName::parse(&*text).is_ok(), !(blank || long(50) || controls(&[])));
        prop_assert_eq!(Bio::parse(&*text).is_ok(), text.is_empty() || !(blank || long(500) || controls(&line_ends)));
    }

    #[test]
    fn handles_follow_their_rule(text in "[A-Za-z0-9_]{1,32}|[a-z\u{e9} \u{212a}-]{2,5}") {
        let rule = (3..=30).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_alphabetic())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        let parsed = Handle::parse(&*text);
        prop_assert_eq!(parsed.is_ok(), rule, "{}", text);
        if let Ok(handle) = parsed {
            prop_assert_eq!(handle.as_str(), text.to_ascii_lowercase());
        }
    }
}

#[test]
fn lengths_are_counted_in_characters() {
    assert!(PostText::parse("🎉".repeat(5_000)).is_ok());
    assert!(PostText::parse("🎉".repeat(5_001)).is_err());
    assert!(CommentText::parse("é".repeat(2_000)).is_ok());
    assert!(CommentText::parse("é".repeat(2_001)).is_err());
    assert!(DisplayName::parse("é".repeat(51)).is_err());
    assert!(Bio::parse("é".repeat(501)).is_err());
}

/// The longest post fits a message however its author's library escapes it.
#[test]
fn the_longest_post_fits_a_message() {
    let escaped = "\\ud83c\\udf89".repeat(5_000);
    let message = format!(
        "{{\"id\":9007199254740991,\"method\":\"post.create\",\"params\":{{\"id\":\"{}\",\"text\":\"{escaped}\"}}}}",
        uuid::Uuid::nil()
    );
    assert!(message.len() <= MESSAGE_BYTES, "{}", message.len());
    assert!(Request::decode(&message).is_ok());
}
