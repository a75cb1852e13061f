//! Small journals for the tests of this crate.

use std::sync::Arc;

use serde_json::value::RawValue;
use tidings_protocol::ids::{PostId, UserId};
use tidings_protocol::position::{Epoch, Seq};
use uuid::Uuid;

use crate::entry::{Batch, Change, Entry, Verb};

pub(crate) const EPOCH: Epoch = Epoch(46_656);

pub(crate) fn user(n: u64) -> UserId {
    UserId(Uuid::from_u64_pair(1, n))
}

pub(crate) fn post(n: u64) -> PostId {
    PostId(Uuid::from_u64_pair(2, n))
}

pub(crate) fn body(json: &str) -> Arc<RawValue> {
    Arc::from(RawValue::from_string(json.to_owned()).expect("test JSON"))
}

pub(crate) fn entry(seq: u64, change: Change) -> Entry {
    Entry { seq: Seq(seq), change, body: body(&format!("{{\"rev\":{seq}}}")) }
}

/// A batch of any changes, numbered from `first`.
pub(crate) fn batch(first: u64, changes: impl IntoIterator<Item = Change>) -> Batch {
    let entries: Vec<Entry> = (first..).zip(changes).map(|(seq, change)| entry(seq, change)).collect();
    let last = Seq(first + entries.len() as u64 - 1);
    Batch { epoch: EPOCH, first: Seq(first), last, entries }
}

/// A batch of new posts by user 1, post ids being their `seq`.
pub(crate) fn post_batch(first: u64, last: u64) -> Batch {
    batch(first, (first..=last).map(|n| Change::Post { verb: Verb::Created, id: post(n), author: user(1) }))
}
