//! Arbitrary notifications, read markers and preferences, as [`crate::samples`] for the rest.

use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;
use tidings_protocol::ids::NotificationId;
use tidings_protocol::notification::{
    HeardFrom, Notification, NotificationKind, NotificationReading, NotificationRemoved, NotificationTold,
    NotifyPreferences, Preferences, ReadMarker,
};
use tidings_protocol::push::Event;
use tidings_protocol::request::{self, Method};

use crate::samples::{author, comment_id, cursor, feed, millis, post_id, seq, uuid};

fn id() -> impl Strategy<Value = NotificationId> {
    uuid().prop_map(NotificationId)
}

fn heard_from() -> impl Strategy<Value = HeardFrom> {
    select(&[HeardFrom::Everyone, HeardFrom::Followed, HeardFrom::Nobody])
}

fn choices() -> impl Strategy<Value = NotifyPreferences> {
    let four = || (of(heard_from()), of(heard_from()), of(heard_from()), of(heard_from()));
    (four(), four()).prop_map(|((follow, request, mention, comment), (reply, reaction, repost, quote))| {
        NotifyPreferences { follow, request, mention, comment, reply, reaction, repost, quote }
    })
}

pub fn preferences() -> impl Strategy<Value = Preferences> {
    (seq(), choices()).prop_map(|(rev, notify)| Preferences { rev, notify })
}

pub fn marker() -> impl Strategy<Value = ReadMarker> {
    (seq(), feed(), seq()).prop_map(|(rev, feed, seq)| ReadMarker { rev, feed, seq })
}

pub fn reading() -> impl Strategy<Value = NotificationReading> {
    (seq(), seq(), seq(), any::<u32>()).prop_map(|(rev, seen, read, unread)| NotificationReading {
        rev,
        seen,
        read,
        unread,
    })
}

pub fn notification() -> impl Strategy<Value = Notification> {
    let place = (id(), seq(), seq(), millis());
    let about = (select(&NotificationKind::ALL), of(post_id()), of(comment_id()), of(uuid()));
    (place, about, vec(author(), 1..=3), any::<u32>(), any::<bool>()).prop_map(
        |((id, rev, seq, at), (kind, post, comment, last), actors, count, read)| Notification {
            id,
            rev,
            seq,
            kind,
            post,
            comment,
            last,
            actors,
            count,
            at,
            read,
        },
    )
}

pub fn method() -> impl Strategy<Value = Method> {
    prop_oneof![
        (of(cursor()), of(1..=100_u16))
            .prop_map(|(before, limit)| Method::NotificationPage(request::NotificationPage { before, limit })),
        seq().prop_map(|up_to| Method::NotificationSeen(request::NotificationSeen { up_to })),
        (of(vec(id(), 0..3)), of(seq()))
            .prop_map(|(ids, up_to)| Method::NotificationRead(request::NotificationRead { ids, up_to })),
        (feed(), seq()).prop_map(|(feed, seq)| Method::MarkerSet(request::MarkerSet { feed, seq })),
        choices().prop_map(Method::NotifyPreferences),
    ]
}

pub fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        (notification(), any::<u32>()).prop_map(|(notification, unread)| {
            Event::NotificationUpdated(NotificationTold { notification, unread })
        }),
        (id(), seq(), any::<u32>()).prop_map(|(id, rev, unread)| Event::NotificationRemoved(NotificationRemoved {
            id,
            rev,
            unread
        })),
        reading().prop_map(Event::NotificationRead),
        marker().prop_map(Event::MarkerUpdated),
        marker().prop_map(Event::MarkerRemoved),
        preferences().prop_map(Event::PreferencesUpdated),
    ]
}

#[test]
fn the_kinds_stay_what_they_are() {
    let words = serde_json::to_value(NotificationKind::ALL).expect("encodes");
    // As `notification_kind` of the migrations has them: their places are kept in the database.
    let kept = ["follow", "request", "mention", "comment", "reply", "reaction", "repost", "quote"];
    assert_eq!(words, serde_json::json!(kept));
}
