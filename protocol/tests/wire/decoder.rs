//! Whatever arrives is a request or a refusal, never a panic (P8), and no refusal repeats what was sent (P9).
//! Must never trust the decoder to describe itself: what the id should be is found by a second, slower way.

use proptest::prelude::*;
use serde::de::IgnoredAny;
use serde_json::Value;
use tidings_protocol::decode::object;
use tidings_protocol::error::ErrorCode;
use tidings_protocol::limits::{JSON_DEPTH, MAX_SAFE_INTEGER};
use tidings_protocol::request::Request;
use tidings_protocol::rest::{Login, SignUp};

use crate::files::golden;

/// The decoder's answer must agree with the id that the whole message, read as plain JSON, holds. Plain reading may fail where the
/// decoder skips what it does not need: numbers beyond f64, lone surrogates, depth beyond 128.
fn examine(message: &str) {
    let plain: Option<Value> = serde_json::from_str(message).ok();
    let id =
        plain.as_ref().and_then(|json| json.get("id")).and_then(Value::as_u64).filter(|id| *id <= MAX_SAFE_INTEGER);
    match Request::decode(message) {
        Ok(request) => assert!(plain.is_none() || Some(request.id.0) == id, "{message}"),
        Err(misread) => {
            assert!(matches!(
                misread.refusal.code,
                ErrorCode::BadRequest | ErrorCode::UnknownMethod | ErrorCode::Invalid
            ));
            assert!(!misread.refusal.retry && !misread.refusal.message.is_empty());
            match misread.id {
                Some(read) => assert!(plain.is_none() || Some(read.0) == id, "{message}"),
                // An `id` given twice is none; plain reading takes the last.
                None => assert!(id.is_none() || ids_on_top(message) > 1, "{message}"),
            }
        }
    }
}

/// How often the outermost object has an `id`.
fn ids_on_top(message: &str) -> usize {
    struct Keys(usize);
    struct Count;
    impl<'de> serde::de::Visitor<'de> for Count {
        type Value = usize;
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<usize, A::Error> {
            let mut ids = 0;
            while let Some((key, IgnoredAny)) = map.next_entry::<String, IgnoredAny>()? {
                ids += usize::from(key == "id");
            }
            Ok(ids)
        }
    }
    impl<'de> serde::Deserialize<'de> for Keys {
        fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
            from.deserialize_map(Count).map(Self)
        }
    }
    serde_json::from_str::<Keys>(message).map_or(0, |keys| keys.0)
}

fn golden_messages() -> impl Strategy<Value = String> {
    let messages: Vec<String> =
        golden::<Value>("requests.json").iter().map(|entry| entry["frame"].to_string()).collect();
    proptest::sample::select(messages)
}

/// Pieces that parsers stumble over.
fn shard() -> impl Strategy<Value = String> {
    const FIXED: &[&str] = &[
        "{",
        "}",
        "[",
        "]",
        "\"",
        ":",
        ",",
        "\\",
        "\\u0000",
        "\\ud800",
        "\\udfff\\ud800",
        "\u{0}",
        "\u{feff}",
        "\u{202e}",
        "null",
        "true",
        "1e400",
        "-0",
        "1E+999999999",
        "18446744073709551616",
        "9007199254740992",
        "\"id\":1,",
        "\"id\":null,",
        "\"method\":\"hello\",",
        "\"params\":[],",
        "/*",
        "NaN",
        "''",
        "\n",
        "\u{7f}",
        "🎉",
    ];
    prop_oneof![
        4 => proptest::sample::select(FIXED).prop_map(str::to_owned),
        1 => (1..200_usize).prop_map(|deep| "[".repeat(deep)),
        1 => (1..200_usize).prop_map(|deep| "{\"a\":".repeat(deep)),
        1 => (1..400_usize).prop_map(|long| "9".repeat(long)),
        1 => any::<String>(),
    ]
}

/// A golden request with some bytes cut out and shards put in.
fn mutated() -> impl Strategy<Value = String> {
    let wound = (any::<prop::sample::Index>(), 0..12_usize, proptest::option::of(shard()));
    (golden_messages(), proptest::collection::vec(wound, 1..5)).prop_map(|(message, wounds)| {
        let mut chars: Vec<char> = message.chars().collect();
        for (at, cut, shard) in wounds {
            let at = at.index(chars.len() + 1);
            let end = chars.len().min(at + cut);
            chars.splice(at..end, shard.unwrap_or_default().chars());
        }
        chars.into_iter().collect()
    })
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 48, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::vec(
                (prop_oneof!["id|method|params|token|feeds|text|limit", any::<String>()], inner),
                0..6
            )
            .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_text(message in any::<String>()) { examine(&message); }

    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..400)) { examine(&String::from_utf8_lossy(&bytes)); }

    #[test]
    fn shards(pieces in proptest::collection::vec(shard(), 0..20)) { examine(&pieces.concat()); }

    #[test]
    fn mutated_golden_requests(message in mutated()) { examine(&message); }

    #[test]
    fn any_json_as_message(json in any_json()) { examine(&json.to_string()); }

    /// A good envelope is answered with its id, whatever the parameters are.
    #[test]
    fn any_params_keep_the_id(id in 0..=MAX_SAFE_INTEGER, of in golden_messages(), params in any_json()) {
        let method: Value = serde_json::from_str::<Value>(&of).expect("golden")["method"].clone();
        let message = serde_json::json!({ "id": id, "method": method, "params": params }).to_string();
        let answered = match Request::decode(&message) {
            Ok(request) => Some(request.id),
            Err(misread) => misread.id,
        };
        prop_assert_eq!(answered.map(|id| id.0), Some(id));
    }

    /// Wherever a secret is put by mistake, no refusal repeats it, nor does the debug form of what was understood.
    #[test]
    fn secrets_are_not_repeated(of in golden_messages(), at in any::<prop::sample::Index>(), as_number in any::<bool>()) {
        let mut json: Value = serde_json::from_str(&of).expect("golden");
        let secret = if as_number { Value::from(7_313_371_337_u64) } else { Value::from("s3cr3t\", expected `s3cr3t`") };
        let params = json["params"].as_object_mut().expect("golden params are objects");
        let names: Vec<String> = params.keys().cloned().chain(["token".to_owned(), "limit".to_owned()]).collect();
        params.insert(names[at.index(names.len())].clone(), secret);
        if let Err(misread) = Request::decode(&json.to_string()) {
            let shown = format!("{misread:?}");
            prop_assert!(!shown.contains("s3cr3t") && !shown.contains("7313371337"), "{}", shown);
        }
    }
}

#[test]
fn depth_is_counted_exactly() {
    let nested = |deep: usize| {
        format!(
            "{{\"id\":1,\"method\":\"hello\",\"params\":{{\"x\":{}{}}}}}",
            "[".repeat(deep - 2),
            "]".repeat(deep - 2)
        )
    };
    assert!(Request::decode(&nested(JSON_DEPTH)).is_ok());
    for deep in [JSON_DEPTH + 1, 127, 128, 129, 100_000] {
        let misread = Request::decode(&nested(deep)).expect_err("too deep");
        assert_eq!(misread.refusal.code, ErrorCode::BadRequest);
        assert_eq!(misread.id.map(|id| id.0), Some(1), "the id is read without recursion at depth {deep}");
    }
}

#[test]
fn a_million_fields_are_skipped() {
    let fields: String = (0..100_000).map(|at| format!("\"f{at}\":{at},")).collect();
    let message = format!("{{{fields}\"id\":1,\"method\":\"hello\",\"params\":{{{fields}\"limit\":5}}}}");
    assert!(Request::decode(&message).is_ok());
}

#[test]
fn refusals_say_what_was_expected_and_where() {
    let refusal = |params: &str| {
        let message = format!("{{\"id\":1,\"method\":\"hello\",\"params\":{params}}}");
        let refusal = Request::decode(&message).expect_err("wrong").refusal;
        (refusal.field.unwrap_or_default(), refusal.message)
    };
    let expect = |field: &str, message: &str| (field.to_owned(), message.to_owned());
    assert_eq!(refusal("{\"token\":5}"), expect("token", "expected a string"));
    assert_eq!(refusal("{\"limit\":\"eyJ\"}"), expect("limit", "expected u16"));
    assert_eq!(refusal("{\"limit\":0}"), expect("limit", "must be 1 to 100"));
    assert_eq!(
        refusal("{\"feeds\":[\"home\",\"x\"]}"),
        expect(
            "feeds[1]",
            "not a feed: expected home, global, notifications, me, mod, firehose, user:<id>, post:<id>, tag:<name> or list:<id>"
        )
    );
    assert_eq!(refusal("[]"), expect("params", "expected an object"));
    let message = "{\"id\":1,\"method\":\"post.get\"}";
    let refusal = Request::decode(message).expect_err("no id").refusal;
    assert_eq!(refusal.field.as_deref(), Some("id"));
    assert_eq!(refusal.message, "missing field `id`");
}

#[test]
fn rest_bodies_do_not_repeat_passwords() {
    let wrong = [
        "{\"handle\":\"ann\",\"email\":\"a@b.c\",\"password\":7313371337}",
        "{\"handle\":\"ann\",\"email\":{\"s3cr3t\":1},\"password\":[\"s3cr3t\"]}",
        "[\"s3cr3t\"]",
        "{\"handle\":\"s3cr3t\"",
        "{\"login\":true,\"password\":\"s3cr3t\"} s3cr3t",
    ];
    for body in wrong {
        for refusal in [object::<SignUp>(body).err(), object::<Login>(body).err()] {
            let shown = format!("{:?}", refusal.expect("it is wrong"));
            assert!(!shown.contains("s3cr3t") && !shown.contains("7313371337"), "{shown}");
        }
    }
}
