//! Arbitrary requests to follow, lists and filters, as [`crate::samples`] for the rest.

use proptest::option::of;
use proptest::prelude::*;
use tidings_protocol::entity::{Filter, FollowRequest, List, ListMember, Removed};
use tidings_protocol::ids::{FilterId, ListId};
use tidings_protocol::push::Event;
use tidings_protocol::request::{self, Method};
use tidings_protocol::text::{FilterPhrase, ListName};

use crate::samples::{cursor, millis, seq, user_id, uuid};

pub fn list_id() -> impl Strategy<Value = ListId> {
    uuid().prop_map(ListId)
}

fn filter_id() -> impl Strategy<Value = FilterId> {
    uuid().prop_map(FilterId)
}

fn list_name() -> impl Strategy<Value = ListName> {
    "\\PC{1,50}".prop_filter_map("not a list's name", |text| ListName::parse(text).ok())
}

fn phrase() -> impl Strategy<Value = FilterPhrase> {
    "\\PC{1,100}".prop_filter_map("not a phrase", |text| FilterPhrase::parse(text).ok())
}

pub fn list() -> impl Strategy<Value = List> {
    (list_id(), seq(), any::<String>(), any::<u32>()).prop_map(|(id, rev, name, members)| List {
        id,
        rev,
        name,
        members,
    })
}

pub fn filter() -> impl Strategy<Value = Filter> {
    (filter_id(), seq(), any::<String>(), any::<bool>(), of(millis()))
        .prop_map(|(id, rev, phrase, whole_word, until)| Filter { id, rev, phrase, whole_word, until })
}

pub fn request() -> impl Strategy<Value = FollowRequest> {
    (seq(), user_id(), user_id()).prop_map(|(rev, asker, asked)| FollowRequest { rev, asker, asked })
}

pub fn event() -> BoxedStrategy<Event> {
    let member = || (seq(), list_id(), user_id()).prop_map(|(rev, list, user)| ListMember { rev, list, user });
    let removed = || (uuid(), seq()).prop_map(|(id, rev)| Removed { id, rev });
    prop_oneof![
        request().prop_map(Event::RequestCreated),
        request().prop_map(Event::RequestRemoved),
        list().prop_map(Event::ListUpdated),
        removed().prop_map(Event::ListRemoved),
        member().prop_map(Event::MemberCreated),
        member().prop_map(Event::MemberRemoved),
        filter().prop_map(Event::FilterUpdated),
        removed().prop_map(Event::FilterRemoved),
    ]
    .boxed()
}

pub fn method() -> impl Strategy<Value = Method> {
    let whom = || user_id().prop_map(|id| request::UserRef { id });
    let which = || list_id().prop_map(|id| request::ListRef { id });
    let person = || (list_id(), user_id()).prop_map(|(id, user)| request::ListPerson { id, user });
    prop_oneof![
        whom().prop_map(Method::UserRemoveFollower),
        (of(cursor()), of(1..=100_u16))
            .prop_map(|(before, limit)| Method::RequestPage(request::RequestPage { before, limit })),
        whom().prop_map(Method::RequestAccept),
        whom().prop_map(Method::RequestReject),
        (list_id(), list_name()).prop_map(|(id, name)| Method::ListCreate(request::ListCreate { id, name })),
        (list_id(), list_name(), of(seq())).prop_map(|(id, name, if_rev)| Method::ListUpdate(request::ListUpdate {
            id,
            name,
            if_rev
        })),
        which().prop_map(Method::ListDelete),
        person().prop_map(Method::ListAdd),
        person().prop_map(Method::ListRemove),
        Just(Method::ListAll(request::Nothing {})),
        which().prop_map(Method::ListMembers),
        (filter_id(), phrase(), any::<bool>(), of(millis())).prop_map(|(id, phrase, whole_word, until)| {
            Method::FilterPut(request::FilterPut { id, phrase, whole_word, until })
        }),
        filter_id().prop_map(|id| Method::FilterDelete(request::FilterRef { id })),
        Just(Method::FilterAll(request::Nothing {})),
    ]
}
