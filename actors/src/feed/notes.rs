//! Notifications, read markers, preferences and filters put into a snapshot that is brought forward, as a client would.
//! Must never count: how many are unread is what the last event says.

use tidings_protocol::entity::Removed;
use tidings_protocol::feed::FeedName;
use tidings_protocol::filter::Filter;
use tidings_protocol::notification::{
    Notification, NotificationReading, NotificationRemoved, NotificationTold, Preferences, ReadMarker,
};
use tidings_protocol::push::EventName;
use tidings_protocol::reply::Snapshot;

use super::forward::read;
use crate::entry::Entry;

/// Applies something of the viewer's own.
///
/// # Errors
/// Its body is not what its event says.
pub(super) fn put_in(snapshot: &mut Snapshot, event: EventName, entry: &Entry) -> Result<(), serde_json::Error> {
    if snapshot.feed == FeedName::Notifications {
        of_notifications(snapshot, event, entry)
    } else {
        of_me(snapshot, event, entry)
    }
}

fn of_notifications(snapshot: &mut Snapshot, event: EventName, entry: &Entry) -> Result<(), serde_json::Error> {
    let page_from = snapshot.next.map_or(0, |next| next.seq.0);
    let (list, reading) = (snapshot.notifications.get_or_insert_default(), snapshot.reading.get_or_insert_default());
    if event == EventName::NotificationUpdated {
        let told: NotificationTold = read(entry)?;
        list.retain(|one| one.id != told.notification.id);
        // What is older than the page is on the next one.
        if told.notification.seq.0 >= page_from {
            place(list, told.notification);
        }
        reading.unread = told.unread;
    } else if event == EventName::NotificationRemoved {
        let gone: NotificationRemoved = read(entry)?;
        list.retain(|one| one.id != gone.id);
        reading.unread = gone.unread;
    } else if event == EventName::NotificationRead {
        *reading = read::<NotificationReading>(entry)?;
    }
    Ok(())
}

/// Unlike a post, a group changes its place when somebody comes into it.
fn place(list: &mut Vec<Notification>, new: Notification) {
    let at = list.partition_point(|one| one.seq > new.seq);
    list.insert(at, new);
}

fn of_me(snapshot: &mut Snapshot, event: EventName, entry: &Entry) -> Result<(), serde_json::Error> {
    if event == EventName::MarkerUpdated || event == EventName::MarkerRemoved {
        let marker: ReadMarker = read(entry)?;
        let markers = snapshot.markers.get_or_insert_default();
        markers.retain(|had| had.feed != marker.feed);
        if event == EventName::MarkerUpdated {
            markers.push(marker);
        }
    } else if event == EventName::PreferencesUpdated {
        snapshot.preferences = Some(read::<Preferences>(entry)?);
    } else if event == EventName::SettingsUpdated {
        snapshot.settings = Some(read(entry)?);
    } else if event == EventName::FilterUpdated {
        let filter: Filter = read(entry)?;
        let filters = snapshot.filters.get_or_insert_default();
        match filters.iter().position(|had| had.id == filter.id) {
            Some(at) => filters[at] = filter,
            None => filters.push(filter),
        }
    } else if event == EventName::FilterRemoved {
        let gone: Removed = read(entry)?;
        snapshot.filters.get_or_insert_default().retain(|filter| filter.id.0 != gone.id);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde::Serialize;
    use tidings_protocol::entity::Author;
    use tidings_protocol::ids::{NotificationId, UserId};
    use tidings_protocol::notification::NotificationKind;
    use tidings_protocol::position::{Cursor, Epoch, Millis, Seq};
    use uuid::Uuid;

    use super::*;
    use crate::entry::Change;

    const ANN: UserId = UserId(Uuid::from_u128(1));

    fn group(id: u128, seq: u64, rev: u64) -> Notification {
        let bob = Author { id: UserId(Uuid::from_u128(2)), rev: Seq(2), handle: "bob".into(), name: "Bob".into() };
        Notification {
            id: NotificationId(Uuid::from_u128(id)),
            rev: Seq(rev),
            seq: Seq(seq),
            kind: NotificationKind::Follow,
            post: None,
            comment: None,
            last: None,
            actors: vec![bob],
            count: 1,
            at: Millis(1),
            read: false,
        }
    }

    fn own(seq: u64, event: EventName, body: &impl Serialize) -> Entry {
        let body = serde_json::value::to_raw_value(body).unwrap();
        Entry {
            seq: Seq(seq),
            change: Change::Own { event, user: ANN, id: Uuid::nil() },
            body: Arc::from(body),
            scope: None,
        }
    }

    fn hear(snapshot: &mut Snapshot, seq: u64, event: EventName, body: &impl Serialize) {
        put_in(snapshot, event, &own(seq, event, body)).unwrap();
    }

    fn shown(snapshot: &Snapshot) -> Vec<(u128, u64)> {
        let list = snapshot.notifications.as_ref().unwrap();
        list.iter().map(|one| (one.id.0.as_u128(), one.rev.0)).collect()
    }

    #[test]
    fn p4_a_group_that_grows_moves_up_and_one_below_the_page_stays_there() {
        let mut snapshot = Snapshot::empty(FeedName::Notifications, Seq(20));
        snapshot.notifications = Some(vec![group(3, 18, 18), group(2, 15, 15)]);
        snapshot.reading = Some(NotificationReading { unread: 2, ..NotificationReading::default() });
        snapshot.next = Some(Cursor { epoch: Epoch(1), seq: Seq(15) });
        let told = |notification, unread| NotificationTold { notification, unread };
        hear(&mut snapshot, 21, EventName::NotificationUpdated, &told(group(2, 21, 21), 3));
        assert_eq!(shown(&snapshot), [(2, 21), (3, 18)]);
        // Somebody left a group that is on the next page.
        hear(&mut snapshot, 22, EventName::NotificationUpdated, &told(group(1, 9, 22), 3));
        assert_eq!(shown(&snapshot), [(2, 21), (3, 18)]);
        let gone = NotificationRemoved { id: group(3, 0, 0).id, rev: Seq(23), unread: 2 };
        hear(&mut snapshot, 23, EventName::NotificationRemoved, &gone);
        assert_eq!(shown(&snapshot), [(2, 21)]);
        assert_eq!(snapshot.reading.unwrap().unread, 2);
        let reading = NotificationReading { rev: Seq(24), seen: Seq(23), read: Seq(23), unread: 0 };
        hear(&mut snapshot, 24, EventName::NotificationRead, &reading);
        assert_eq!(snapshot.reading, Some(reading));
    }

    #[test]
    fn p4_markers_and_preferences_are_put_into_me() {
        let mut snapshot = Snapshot::empty(FeedName::Me, Seq(20));
        let marker = |feed, seq, rev| ReadMarker { rev: Seq(rev), feed, seq: Seq(seq) };
        snapshot.markers = Some(vec![marker(FeedName::Home, 5, 6), marker(FeedName::Global, 5, 7)]);
        hear(&mut snapshot, 21, EventName::MarkerUpdated, &marker(FeedName::Home, 9, 21));
        hear(&mut snapshot, 22, EventName::MarkerRemoved, &marker(FeedName::Global, 5, 22));
        assert_eq!(snapshot.markers, Some(vec![marker(FeedName::Home, 9, 21)]));
        let chosen = Preferences { rev: Seq(23), notify: Default::default() };
        hear(&mut snapshot, 23, EventName::PreferencesUpdated, &chosen);
        assert_eq!(snapshot.preferences, Some(chosen));
    }
}
