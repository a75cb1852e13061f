//! Arbitrary searches, as [`crate::samples`] for the rest.

use proptest::option::of;
use proptest::prelude::*;
use tidings_protocol::request::{self, Method};
use tidings_protocol::text::{Prefix, Query};

use crate::samples::{cursor, post_id};

fn query() -> impl Strategy<Value = Query> {
    "\\PC{1,40}".prop_filter_map("not a query", |text| Query::parse(text).ok())
}

fn prefix() -> impl Strategy<Value = Prefix> {
    "\\PC{0,20}".prop_filter_map("not a prefix", |text| Prefix::parse(text).ok())
}

pub fn method() -> impl Strategy<Value = Method> {
    let limit = || of(1..=100_u16);
    prop_oneof![
        (query(), of(cursor()), limit())
            .prop_map(|(query, before, limit)| Method::SearchPeople(request::SearchPeople { query, before, limit })),
        (query(), of(cursor()), limit()).prop_map(|(query, before, limit)| Method::SearchPosts(request::SearchPosts {
            query,
            before,
            limit
        })),
        prefix().prop_map(|prefix| Method::SearchTags(request::SearchTags { prefix })),
        (prefix(), of(post_id()))
            .prop_map(|(prefix, post)| Method::MentionSuggest(request::MentionSuggest { prefix, post })),
    ]
}
