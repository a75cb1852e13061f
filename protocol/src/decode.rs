//! How bytes from outside become a request or a refusal.
//! Must never panic, whatever the bytes (P8), and must never repeat what was sent: a refusal may be logged, a token may not (P9).

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::error::{ErrorCode, Refusal};
use crate::ids::RequestId;
use crate::limits;
use crate::request::{Method, Misread, Request};

#[derive(Deserialize)]
struct Envelope<'a> {
    id: RequestId,
    #[serde(borrow)]
    method: Cow<'a, str>,
    // JSON's `null`, which many libraries send for "no parameters", reads as absent.
    #[serde(borrow, default)]
    params: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct IdOnly {
    id: RequestId,
}

impl Request {
    /// Reads one text message.
    ///
    /// # Errors
    /// The refusal to answer with; never panics (P8).
    pub fn decode(message: &str) -> Result<Self, Misread> {
        let misread = |refusal| Misread { id: id_of(message), refusal };
        if depth(message) > limits::JSON_DEPTH {
            let text = format!("nested deeper than {}", limits::JSON_DEPTH);
            return Err(misread(Refusal::new(ErrorCode::BadRequest, text)));
        }
        let envelope: Envelope<'_> = if is_object(message) {
            serde_json::from_str(message)
                .map_err(|error| misread(Refusal::new(ErrorCode::BadRequest, not_a_request(&error))))?
        } else {
            let text = serde_json::from_str::<serde::de::IgnoredAny>(message)
                .map_or_else(|error| not_a_request(&error), |_| shape("not an object"));
            return Err(misread(Refusal::new(ErrorCode::BadRequest, text)));
        };
        let params = envelope.params.map_or("{}", RawValue::get);
        let method = Method::read(&envelope.method, params).map_err(|refusal| Misread {
            id: Some(envelope.id),
            refusal: if refusal.code == ErrorCode::Invalid && !is_object(params) {
                refusal.field("params")
            } else {
                refusal
            },
        })?;
        Ok(Self { id: envelope.id, method })
    }
}

/// The id of a message that is an object with a good `id`, whatever else is wrong with it.
fn id_of(message: &str) -> Option<RequestId> {
    if !is_object(message) {
        return None;
    }
    // What is not the id is skipped without recursion, so depth does no harm here.
    serde_json::from_str::<IdOnly>(message).ok().map(|only| only.id)
}

/// Serde would also read a struct from an array, by position; on this wire everything is named.
fn is_object(json: &str) -> bool {
    json.trim_start_matches([' ', '\t', '\n', '\r']).starts_with('{')
}

fn not_a_request(error: &serde_json::Error) -> String {
    use serde_json::error::Category;
    match error.classify() {
        Category::Data => shape(&reason(&error.to_string()).0),
        Category::Io | Category::Syntax | Category::Eof => {
            format!("not JSON (line {}, column {})", error.line(), error.column())
        }
    }
}

fn shape(wrong: &str) -> String {
    format!(
        "a request is {{\"id\": 0 to {}, \"method\": string, \"params\": object}}: {wrong}",
        limits::MAX_SAFE_INTEGER
    )
}

/// Reads an object of named fields: the parameters of a method, or the body of a REST request.
///
/// # Errors
/// `invalid`, with the path of the wrong field where there is one. Neither `message` nor `field` repeats a value that was sent.
pub fn object<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T, Refusal> {
    if !is_object(json) {
        return Err(Refusal::new(ErrorCode::Invalid, "expected an object"));
    }
    // Only when that fails is it read again to find the path: keeping track of it costs time.
    serde_json::from_str(json).map_err(|_| wrong_field::<T>(json))
}

fn wrong_field<'a, T: Deserialize<'a>>(json: &'a str) -> Refusal {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    match serde_path_to_error::deserialize::<_, T>(&mut deserializer) {
        Ok(_) => Refusal::new(ErrorCode::Invalid, "more than one JSON value"),
        Err(error) => {
            let path = error.path().to_string();
            let (reason, named) = reason(&error.into_inner().to_string());
            let refusal = Refusal::new(ErrorCode::Invalid, reason);
            match (path.as_str(), named) {
                (".", None) => refusal,
                (".", Some(name)) => refusal.field(name),
                _ => refusal.field(path),
            }
        }
    }
}

/// Serde's words without what was sent ("invalid type: string \"secret\", expected u16"), and the field they name, if they do.
fn reason(message: &str) -> (String, Option<String>) {
    // Serde appends " at line 1 column 9", counted inside the part that was read: it would mislead.
    let message = message.rfind(" at line ").map_or(message, |at| &message[..at]);
    let named = ["missing field `", "duplicate field `"]
        .iter()
        .find_map(|start| message.strip_prefix(start)?.strip_suffix('`'));
    if let Some(name) = named {
        return (message.to_owned(), Some(name.to_owned()));
    }
    if message.starts_with("UUID parsing failed") {
        return ("expected a UUID".to_owned(), None);
    }
    // What is expected stands last and is never the sender's, so it is looked for from the end.
    let about_a_value = ["invalid type: ", "invalid value: ", "invalid length ", "unknown variant "];
    if about_a_value.iter().any(|start| message.starts_with(start)) {
        let expected = message.rfind(", expected ").map_or("not what is expected here", |at| &message[at + 2..]);
        return (expected.to_owned(), None);
    }
    (message.to_owned(), None)
}

/// Deepest nesting of arrays and objects, found in one pass without parsing; quotes are respected.
fn depth(json: &str) -> usize {
    let (mut now, mut most) = (0_usize, 0_usize);
    let (mut quoted, mut escaped) = (false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'[' | b'{' if !quoted => {
                now += 1;
                most = most.max(now);
            }
            b']' | b'}' if !quoted => now = now.saturating_sub(1),
            _ => {}
        }
    }
    most
}

/// `limit` of pages and snapshots.
pub(crate) fn page_limit<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u16>, D::Error> {
    let limit = Option::<u16>::deserialize(from)?;
    match limit {
        Some(limit) if limit == 0 || limit > limits::PAGE_MAX => {
            Err(serde::de::Error::custom(format_args!("must be 1 to {}", limits::PAGE_MAX)))
        }
        Some(_) | None => Ok(limit),
    }
}

/// A list that somebody filters by.
pub(crate) fn few<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Vec<T>, D::Error> {
    let list = Vec::deserialize(from)?;
    if list.len() > limits::FILTERED_BY {
        return Err(serde::de::Error::custom(format_args!("must be at most {}", limits::FILTERED_BY)));
    }
    Ok(list)
}

/// `client` of `hello`, which goes into logs: short and on one line.
pub(crate) fn client_name<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let name = Option::<String>::deserialize(from)?;
    match &name {
        Some(text) if text.len() > limits::CLIENT_NAME_BYTES => {
            Err(serde::de::Error::custom(format_args!("must be at most {} bytes", limits::CLIENT_NAME_BYTES)))
        }
        Some(text) if text.chars().any(char::is_control) => {
            Err(serde::de::Error::custom("must not contain control characters"))
        }
        Some(_) | None => Ok(name),
    }
}

/// A field whose `null` says something, told apart from its absence.
pub(crate) fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(from).map(Some)
}
