//! Keyword filters: phrases that somebody does not want to read. Kept and told in step by the server, applied by clients, who have to agree on
//! what matches: [`matches`] is the rule, `protocol/wire/filters.json` are its examples (PROTOCOL.md, section 5).
//! Must never decide what is sent: a reader may want to look all the same.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use unicode_ident::is_xid_continue;
use unicode_normalization::UnicodeNormalization;

use crate::ids::FilterId;
use crate::position::{Millis, Seq};
use crate::text::FilterPhrase;

/// A filter of one's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Filter {
    /// Which.
    pub id: FilterId,
    /// Last change.
    pub rev: Seq,
    /// What is not to be read.
    pub phrase: String,
    /// Whether it counts only where it is no part of a longer word.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[ts(optional, as = "Option<bool>")]
    pub whole_word: bool,
    /// From when on it matches nothing; it stays until it is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub until: Option<Millis>,
}

/// `filter.put`: makes a filter, or replaces all of one. May be repeated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct FilterPut {
    /// Chosen by the client (UUIDv7 recommended).
    pub id: FilterId,
    /// What is not to be read.
    pub phrase: FilterPhrase,
    /// Whether it counts only where it is no part of a longer word.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[ts(optional, as = "Option<bool>")]
    pub whole_word: bool,
    /// From when on it matches nothing; for good if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub until: Option<Millis>,
}

/// `filter.delete`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct FilterRef {
    /// Which.
    pub id: FilterId,
}

/// Result of `filter.put`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(concrete(F = Filter))]
pub struct FilterResult<F = Filter> {
    /// As it is now.
    pub filter: F,
    /// The change.
    pub seq: Seq,
    /// It was so already; nothing was done now.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[ts(optional, as = "Option<bool>")]
    pub duplicate: bool,
}

/// Result of `filter.all`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Filters {
    /// All of one's own, in the order of their making.
    pub filters: Vec<Filter>,
}

/// Whether a phrase stands in a text. Both are folded first; `whole_word` asks that no letter, mark, digit or underscore continues the phrase where it begins
/// or ends with one itself.
#[must_use]
pub fn matches(phrase: &str, whole_word: bool, text: &str) -> bool {
    let (phrase, text) = (fold(phrase), fold(text));
    let phrase = phrase.trim_matches(' ');
    let (Some(first), Some(last)) = (phrase.chars().next(), phrase.chars().next_back()) else {
        return false;
    };
    // Also where two places overlap.
    let mut places = text.char_indices().filter(|&(at, _)| text[at..].starts_with(phrase)).map(|(at, _)| at);
    places.any(|at| {
        let before = text[..at].chars().next_back();
        let after = text[at + phrase.len()..].chars().next();
        let goes_on =
            |inside: char, beside: Option<char>| is_xid_continue(inside) && beside.is_some_and(is_xid_continue);
        !whole_word || !goes_on(first, before) && !goes_on(last, after)
    })
}

/// One form for all ways to write the same: nothing invisible, NFKC, each character by itself in upper and then in lower case (as case folding
/// does it, and every language can), NFKC once more, and each run of white space as one space.
fn fold(text: &str) -> String {
    let visible = text.chars().filter(|&c| !is_invisible(c));
    let caseless = visible.nfkc().flat_map(char::to_uppercase).flat_map(char::to_lowercase);
    let mut folded = String::with_capacity(text.len());
    for c in caseless.nfkc() {
        if !c.is_whitespace() {
            folded.push(c);
        } else if !folded.ends_with(' ') {
            folded.push(' ');
        }
    }
    folded
}

/// What is put between letters so that nobody finds the word.
const fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2064}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{e0100}'..='\u{e01ef}')
}

/// Whether there is anything in a phrase that could match.
pub(crate) fn says_something(phrase: &str) -> bool {
    !fold(phrase).trim_matches(' ').is_empty()
}
