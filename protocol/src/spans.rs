//! Hashtags and mentions in what people write: found by the server, so that every client sees the same ones in the same places.
//! Owns: what a tag is ([`Tag`], the name behind `tag:<name>`) and where one begins and ends. Must never change a text, nor take longer
//! than one walk over it.
//!
//! A tag is a hashtag identifier of UAX #31 (R8): letters, marks, digits and underscores of any script. Two that differ only in case,
//! width or invisible characters are the same.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use ts_rs::TS;
use unicode_ident::{is_xid_continue, is_xid_start};
use unicode_normalization::UnicodeNormalization;

use crate::limits::{MENTIONS_PER_TEXT, TAG_BYTES, TAGS_PER_TEXT};
use crate::text::{Handle, string_on_the_wire};

/// The name of a tag: at most 62 bytes, folded (NFKC, lower case, nothing invisible), with at least one letter. Kept in place, so that it
/// can be part of a feed's name at no cost.
#[derive(Clone, Copy)]
pub struct Tag {
    len: u8,
    /// Zero behind `len`.
    bytes: [u8; TAG_BYTES],
}

/// Not the name of a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a tag: expected letters, digits and underscores, at least one letter, at most {TAG_BYTES} bytes")]
pub struct BadTag;

impl Tag {
    /// Folds and checks a name, without its `#`.
    ///
    /// # Errors
    /// It is empty, too long, has no letter or something that no tag has.
    pub fn parse(name: &str) -> Result<Self, BadTag> {
        let begins_well = name.starts_with(|c| is_xid_start(c) || c.is_numeric() || c == '_');
        if !begins_well || !name.chars().all(|c| goes_on(c) || is_joiner(c)) {
            return Err(BadTag);
        }
        let folded = fold(name);
        if folded.len() > TAG_BYTES || !folded.contains(char::is_alphabetic) {
            return Err(BadTag);
        }
        let mut bytes = [0; TAG_BYTES];
        bytes[..folded.len()].copy_from_slice(folded.as_bytes());
        Ok(Self { len: u8::try_from(folded.len()).map_err(|_| BadTag)?, bytes })
    }

    /// The folded name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..usize::from(self.len)]).expect("made from a whole text")
    }
}

/// One name for all ways to write it. What is folded stays as it is when folded again.
fn fold(name: &str) -> String {
    // What is composed once more becomes fewer characters, but never fewer than a quarter: beyond this it is too long in any case.
    const ENOUGH: usize = 4 * TAG_BYTES + 4;
    let composed: String = name.chars().filter(|&c| !is_invisible(c)).nfkc().take(ENOUGH).collect();
    composed.to_lowercase().nfkc().collect()
}

/// What a tag may hold behind its first character. `XID_Continue` is closed under NFKC: folding brings in nothing else.
fn goes_on(c: char) -> bool {
    is_xid_continue(c) && !is_joiner(c)
}

/// Joins or parts letters within words of several scripts (Persian, Sinhala); may be written, but makes no other tag.
const fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}')
}

/// Those of `Default_Ignorable_Code_Point` that a tag could hold: with them two tags that look the same would be two.
const fn is_invisible(c: char) -> bool {
    is_joiner(c)
        || matches!(c, '\u{34f}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}' | '\u{e0100}'..='\u{e01ef}')
}

impl PartialEq for Tag {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for Tag {}

impl Hash for Tag {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.bytes[..usize::from(self.len)].hash(state);
    }
}

impl Ord for Tag {
    fn cmp(&self, other: &Self) -> Ordering {
        self.bytes.cmp(&other.bytes)
    }
}

impl PartialOrd for Tag {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Shows the length only: a tag is part of what somebody wrote (P9).
impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tag({} bytes)", self.len)
    }
}

impl FromStr for Tag {
    type Err = BadTag;
    fn from_str(name: &str) -> Result<Self, BadTag> {
        Self::parse(name)
    }
}

impl Serialize for Tag {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Tag {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let name = std::borrow::Cow::<str>::deserialize(from)?;
        Self::parse(&name).map_err(serde::de::Error::custom)
    }
}

string_on_the_wire!(Tag, {
    "minLength": 1,
    "maxLength": TAG_BYTES,
    "description": "Name of a tag without its `#`: letters, digits and underscores of any script, in lower case, at most 62 bytes of UTF-8."
});

/// Where a hashtag stands in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct TagSpan {
    /// Of its `#`, counted in Unicode scalar values.
    pub start: u32,
    /// Behind its last character.
    pub end: u32,
    /// Which tag it is, however it is written there.
    pub tag: Tag,
}

/// Where somebody is mentioned in a text.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct MentionSpan {
    /// Of its `@`, counted in Unicode scalar values.
    pub start: u32,
    /// Behind its last character.
    pub end: u32,
    /// In lower case. Whether somebody bears it is not known here.
    pub handle: String,
}

/// Never shows whom (P9).
impl fmt::Debug for MentionSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MentionSpan({}..{})", self.start, self.end)
    }
}

/// What was found in a text, in its order; no two overlap.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Spans {
    /// Hashtags: the first 20.
    pub tags: Vec<TagSpan>,
    /// Mentions: the first 20.
    pub mentions: Vec<MentionSpan>,
}

/// Finds hashtags and mentions. Those within words and addresses (`a#b`, `x@y.org`, `http://x/#part`) are none.
#[must_use]
pub fn find(text: &str) -> Spans {
    let mut spans = Spans::default();
    // Most texts have neither.
    if !text.contains(|c| is_hash(c) || is_at(c)) {
        return spans;
    }
    let mut reader = Reader { rest: text, at: 0, last: None };
    while spans.tags.len() < TAGS_PER_TEXT || spans.mentions.len() < MENTIONS_PER_TEXT {
        let (start, before) = (reader.at, reader.last);
        let Some(c) = reader.next() else { break };
        if is_hash(c) && !before.is_some_and(|c| goes_on(c) || binds(c)) {
            if let Some(tag) = reader.tag().filter(|_| spans.tags.len() < TAGS_PER_TEXT) {
                spans.tags.push(TagSpan { start, end: reader.at, tag });
            }
        } else if is_at(c) && !before.is_some_and(|c| is_word(c) || binds(c)) {
            if let Some(handle) = reader.handle().filter(|_| spans.mentions.len() < MENTIONS_PER_TEXT) {
                spans.mentions.push(MentionSpan { start, end: reader.at, handle: handle.into() });
            }
        } else if reader.is_in_address(before, c) {
            reader.skip_address();
        }
    }
    spans
}

/// The hash sign and its wide and small forms (UAX #31, R8).
const fn is_hash(c: char) -> bool {
    matches!(c, '#' | '＃' | '﹟')
}

const fn is_at(c: char) -> bool {
    matches!(c, '@' | '＠')
}

/// Whether `c` before a `#` or `@` makes that a part of something else: of an address, an entity (`&#39;`), a price (`$#1`), or `##`.
const fn binds(c: char) -> bool {
    is_hash(c) || is_at(c) || matches!(c, '&' | '/' | '\\' | '=' | '+' | '%' | '$')
}

/// Whether `c` beside a mention makes it a part of a word. Not so in scripts that put no space between words: there one writes on at once.
const fn is_word_beside(c: char) -> bool {
    !matches!(c,
        '\u{e00}'..='\u{eff}' | '\u{1100}'..='\u{11ff}' | '\u{3005}'..='\u{3007}' | '\u{3040}'..='\u{30ff}'
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}')
}

fn is_word(c: char) -> bool {
    goes_on(c) && is_word_beside(c)
}

/// A walk over a text, once.
struct Reader<'a> {
    rest: &'a str,
    /// Scalar values behind it.
    at: u32,
    /// The one just behind it.
    last: Option<char>,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = &self.rest[c.len_utf8()..];
        self.at = self.at.saturating_add(1);
        self.last = Some(c);
        Some(c)
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let from = self.rest;
        while self.rest.starts_with(&wanted) {
            self.next();
        }
        &from[..from.len() - self.rest.len()]
    }

    /// The tag that stands here, `#` having been read.
    fn tag(&mut self) -> Option<Tag> {
        let run = self.rest;
        let mut name = self.take_while(goes_on).len();
        // A joiner belongs to it only between two of its characters.
        while self.rest.starts_with(is_joiner) && self.rest.chars().nth(1).is_some_and(goes_on) {
            self.next();
            self.take_while(goes_on);
            name = run.len() - self.rest.len();
        }
        if self.rest.starts_with("://") {
            return None;
        }
        Tag::parse(&run[..name]).ok()
    }

    /// The handle that stands here, `@` having been read.
    fn handle(&mut self) -> Option<Handle> {
        let name = self.take_while(|c| c.is_ascii_alphanumeric() || c == '_');
        if self.rest.starts_with(|c| is_word(c) || is_at(c)) || self.rest.starts_with("://") {
            return None;
        }
        Handle::parse(name).ok()
    }

    /// Whether `c`, just read behind `before`, is where an address with a scheme or `www.` shows.
    fn is_in_address(&self, before: Option<char>, c: char) -> bool {
        match c {
            ':' => before.is_some_and(|c| c.is_ascii_alphanumeric()) && self.rest.starts_with("//"),
            'w' | 'W' => {
                let next = self.rest.as_bytes().first_chunk::<3>();
                !before.is_some_and(goes_on) && next.is_some_and(|next| next.eq_ignore_ascii_case(b"ww."))
            }
            _ => false,
        }
    }

    fn skip_address(&mut self) {
        self.take_while(|c| {
            !c.is_whitespace() && !matches!(c, '<' | '>' | '"' | '。' | '、' | '」' | '』' | '）' | '】' | '》')
        });
    }
}

#[cfg(test)]
mod tests;
