//! Texts that people type, checked once where they enter. Inside the server nobody re-checks (style: a type once, at the edge).
//! Must never trim or change what a person wrote, but for the case of handles.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{filter, limits};

/// Why a text was refused, in words for a person.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadText(String);

/// Gives a type that is a plain string on the wire its JSON Schema and TypeScript form.
macro_rules! string_on_the_wire {
    ($name:ident, { $($schema:tt)* }) => {
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", $($schema)* })
            }
        }
        impl ts_rs::TS for $name {
            type WithoutGenerics = Self;
            type OptionInnerType = Self;
            fn name(_: &ts_rs::Config) -> String {
                "string".to_owned()
            }
            fn inline(_: &ts_rs::Config) -> String {
                "string".to_owned()
            }
        }
    };
}
pub(crate) use string_on_the_wire;

macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $schema:tt, $parse:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Checks the text.
            ///
            /// # Errors
            /// The reason, in words for a person.
            pub fn parse(text: impl Into<String>) -> Result<Self, BadText> {
                let parse: fn(String) -> Result<String, BadText> = $parse;
                parse(text.into()).map(Self)
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = BadText;
            fn try_from(text: String) -> Result<Self, BadText> {
                Self::parse(text)
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> Self {
                text.0
            }
        }

        /// Shows the length only: what people write never reaches logs (P9).
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({} bytes)"), self.0.len())
            }
        }

        string_on_the_wire!($name, $schema);
    };
}

text! {
    /// Text of a post: 1–5,000 characters, not blank, no control characters but line ends and tab.
    PostText,
    { "minLength": 1, "maxLength": limits::POST_TEXT_CHARS, "description": "Text of a post: not blank, no control characters but line ends and tab." },
    |text| prose(text, limits::POST_TEXT_CHARS)
}
text! {
    /// Text of a post that is still being written: 0–5,000 characters, otherwise like [`PostText`].
    DraftText,
    { "maxLength": limits::POST_TEXT_CHARS, "description": "Text of a post that is still being written: no control characters but line ends and tab." },
    |text| if text.trim().is_empty() && text.len() <= limits::POST_TEXT_CHARS { Ok(text) } else { prose(text, limits::POST_TEXT_CHARS) }
}
text! {
    /// Text of a comment: 1–2,000 characters, otherwise like [`PostText`].
    CommentText,
    { "minLength": 1, "maxLength": limits::COMMENT_TEXT_CHARS, "description": "Text of a comment: not blank, no control characters but line ends and tab." },
    |text| prose(text, limits::COMMENT_TEXT_CHARS)
}
text! {
    /// What a person is called on the page: 1–50 characters on one line, not blank.
    DisplayName,
    { "minLength": 1, "maxLength": limits::NAME_CHARS, "description": "What a person is called: one line, not blank, no control characters." },
    |text| one_line(text, limits::NAME_CHARS)
}
text! {
    /// Profile text: 0–500 characters.
    Bio,
    { "maxLength": limits::BIO_CHARS, "description": "Profile text: empty or not blank, no control characters but line ends and tab." },
    |text| if text.is_empty() { Ok(text) } else { prose(text, limits::BIO_CHARS) }
}
text! {
    /// What a post is about, shown instead of it: 0–200 characters on one line; empty for none.
    Warning,
    { "maxLength": limits::WARNING_CHARS, "description": "What a post is about: empty or one line, not blank, no control characters." },
    |text| if text.is_empty() { Ok(text) } else { one_line(text, limits::WARNING_CHARS) }
}
text! {
    /// What somebody looks for: 1–200 characters on one line, not blank.
    Query,
    { "minLength": 1, "maxLength": limits::QUERY_CHARS, "description": "What is looked for: one line, not blank, no control characters." },
    |text| one_line(text, limits::QUERY_CHARS)
}
text! {
    /// The beginning of a name that somebody is typing: 0–62 characters on one line.
    Prefix,
    { "maxLength": limits::PREFIX_CHARS, "description": "The beginning of a name: empty or one line, not blank, no control characters." },
    |text| if text.is_empty() { Ok(text) } else { one_line(text, limits::PREFIX_CHARS) }
}
text! {
    /// What a picture shows, for who does not see it: 0–1,500 characters; empty where its author says nothing.
    AltText,
    { "maxLength": limits::ALT_CHARS, "description": "What a picture shows: empty or not blank, no control characters but line ends and tab." },
    |text| if text.is_empty() { Ok(text) } else { prose(text, limits::ALT_CHARS) }
}
text! {
    /// What somebody writes to moderators, or they to somebody: 1–1,000 characters, otherwise like [`PostText`].
    Note,
    { "minLength": 1, "maxLength": limits::NOTE_CHARS, "description": "A note: not blank, no control characters but line ends and tab." },
    |text| prose(text, limits::NOTE_CHARS)
}
text! {
    /// What somebody calls a list: 1–50 characters on one line, not blank.
    ListName,
    { "minLength": 1, "maxLength": limits::LIST_NAME_CHARS, "description": "What a list is called: one line, not blank, no control characters." },
    |text| one_line(text, limits::LIST_NAME_CHARS)
}
text! {
    /// What somebody does not want to read: 1–100 characters on one line, of which one can be seen.
    FilterPhrase,
    { "minLength": 1, "maxLength": limits::FILTER_PHRASE_CHARS, "description": "What is not to be read: one line, not blank, no control characters." },
    |text| phrase(text)
}
text! {
    /// Unique name: 3–30 of `a–z 0–9 _`, starting with a letter; upper case is folded.
    Handle,
    { "pattern": "^[A-Za-z][A-Za-z0-9_]{2,29}$", "description": "Unique name; upper case is folded to lower." },
    handle
}

fn prose(text: String, most: usize) -> Result<String, BadText> {
    length(&text, most)?;
    if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t' && c != '\r') {
        return Err(BadText("must not contain control characters".into()));
    }
    Ok(text)
}

fn one_line(text: String, most: usize) -> Result<String, BadText> {
    length(&text, most)?;
    if text.chars().any(char::is_control) {
        return Err(BadText("must be on one line, without control characters".into()));
    }
    Ok(text)
}

fn phrase(text: String) -> Result<String, BadText> {
    let text = one_line(text, limits::FILTER_PHRASE_CHARS)?;
    if !filter::says_something(&text) {
        return Err(BadText("must not be empty".into()));
    }
    Ok(text)
}

fn length(text: &str, most: usize) -> Result<(), BadText> {
    if text.trim().is_empty() {
        return Err(BadText("must not be empty".into()));
    }
    // Bytes bound characters from above, so short texts are not counted.
    if text.len() > most && text.chars().count() > most {
        return Err(BadText(format!("must be at most {most} characters")));
    }
    Ok(())
}

fn handle(text: String) -> Result<String, BadText> {
    let folded = text.to_ascii_lowercase();
    if !limits::HANDLE_CHARS.contains(&folded.len()) {
        return Err(BadText(format!(
            "must be {} to {} characters",
            limits::HANDLE_CHARS.start(),
            limits::HANDLE_CHARS.end()
        )));
    }
    let starts_well = folded.starts_with(|c: char| c.is_ascii_lowercase());
    let all_well = folded.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if !starts_well || !all_well {
        return Err(BadText("must be letters a-z, digits and _, starting with a letter".into()));
    }
    Ok(folded)
}
