//! Where in the journal something stands: `seq`, `epoch` and the `cursor` made of both.
//! Must never compare by bare arithmetic at a call site: ask [`Seq::meet`].

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use ts_rs::TS;

use crate::limits::MAX_SAFE_INTEGER;

/// Number of a journal entry: contiguous from 1, in commit order, within one epoch (P1). 0 is "before the first".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, JsonSchema, TS)]
#[serde(transparent)]
#[ts(type = "number")]
pub struct Seq(#[schemars(range(max = MAX_SAFE_INTEGER))] pub u64);

impl<'de> Deserialize<'de> for Seq {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let number = u64::deserialize(from)?;
        if number > MAX_SAFE_INTEGER {
            return Err(serde::de::Error::custom("must be at most 2^53-1"));
        }
        Ok(Self(number))
    }
}

/// How an arriving range of entries relates to what has been applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meet {
    /// Starts exactly after what has been applied, or overlaps it and reaches further.
    Next,
    /// Everything in it has been applied already.
    Repeat,
    /// Entries `from..=to` are missing before it.
    Hole {
        /// First missing entry.
        from: Seq,
        /// Last missing entry.
        to: Seq,
    },
}

impl Seq {
    /// The entry after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// The entry before this one; 0 stays 0.
    #[must_use]
    pub const fn before(self) -> Self {
        Self(self.0.saturating_sub(1))
    }

    /// Relates entries `first..=last` to `self`, the last entry applied.
    #[must_use]
    pub fn meet(self, first: Self, last: Self) -> Meet {
        if last <= self {
            Meet::Repeat
        } else if first > self.next() {
            Meet::Hole { from: self.next(), to: first.before() }
        } else {
            Meet::Next
        }
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The life of one journal. Changes by itself when a backup is restored or a standby promoted,
/// so that a cursor from a lost future is recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Epoch(pub u64);

const BASE: u64 = 36;

/// One way to write each number: no leading zeros, so that equal positions are equal texts.
fn starts_like_a_number(digits: &str) -> bool {
    digits == "0" || !(digits.is_empty() || digits.starts_with('0'))
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut digits = [0u8; 13];
        let mut rest = self.0;
        let mut at = digits.len();
        loop {
            at -= 1;
            digits[at] = b"0123456789abcdefghijklmnopqrstuvwxyz"[usize::try_from(rest % BASE).unwrap_or(0)];
            rest /= BASE;
            if rest == 0 {
                break;
            }
        }
        f.write_str(std::str::from_utf8(&digits[at..]).unwrap_or("0"))
    }
}

impl FromStr for Epoch {
    type Err = BadCursor;
    fn from_str(text: &str) -> Result<Self, BadCursor> {
        let digits = text.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase());
        if !digits || !starts_like_a_number(text) {
            return Err(BadCursor);
        }
        u64::from_str_radix(text, 36).map(Self).map_err(|_| BadCursor)
    }
}

/// A client's position in everything it watches, or a place in a page: `epoch-seq`. Opaque to clients but for
/// the rule in PROTOCOL.md: after a push, replace the part behind the last `-` by the push's `seq`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cursor {
    /// The journal's life it belongs to.
    pub epoch: Epoch,
    /// The entry it stands at.
    pub seq: Seq,
}

/// Not of the form `epoch-seq`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor of this server")]
pub struct BadCursor;

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.epoch, self.seq)
    }
}

impl FromStr for Cursor {
    type Err = BadCursor;
    fn from_str(text: &str) -> Result<Self, BadCursor> {
        let (epoch, seq) = text.rsplit_once('-').ok_or(BadCursor)?;
        if !starts_like_a_number(seq) || !seq.bytes().all(|b| b.is_ascii_digit()) {
            return Err(BadCursor);
        }
        let seq = seq.parse().map_err(|_| BadCursor)?;
        if seq > MAX_SAFE_INTEGER {
            return Err(BadCursor);
        }
        Ok(Self { epoch: epoch.parse()?, seq: Seq(seq) })
    }
}

impl Serialize for Cursor {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Cursor {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

crate::text::string_on_the_wire!(Cursor, {
    "pattern": "^[0-9a-z]{1,13}-(0|[1-9][0-9]{0,15})$", "description": "Opaque position `epoch-seq`."
});

/// Milliseconds since 1970-01-01 UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, TS)]
#[serde(transparent)]
#[ts(type = "number")]
pub struct Millis(#[schemars(range(max = MAX_SAFE_INTEGER))] pub u64);
