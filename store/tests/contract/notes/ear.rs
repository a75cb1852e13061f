//! A client that keeps to PROTOCOL.md: what it has on the screen after what it heard (P4).

use std::collections::BTreeMap;

use tidings_actors::entry::{Change, Entry};
use tidings_protocol::ids::NotificationId;
use tidings_protocol::notification::{Notification, NotificationReading, NotificationRemoved, NotificationTold};
use tidings_protocol::position::Seq;
use tidings_protocol::push::EventName;
use tidings_protocol::reply::Snapshot;

use crate::world::body;

/// Somebody who hears what is brought to them, and never asks but where they have to start afresh.
#[derive(Default)]
pub struct Ear {
    groups: BTreeMap<NotificationId, Notification>,
    /// Last words, gone ones included.
    revs: BTreeMap<NotificationId, Seq>,
    reading: NotificationReading,
    /// The event whose number of unread ones counts.
    unread_at: Seq,
}

impl Ear {
    pub fn of(snapshot: Snapshot) -> Self {
        let mut ear = Self { unread_at: snapshot.seq, ..Self::default() };
        ear.reading = snapshot.reading.unwrap();
        for one in snapshot.notifications.unwrap() {
            ear.revs.insert(one.id, one.rev);
            ear.groups.insert(one.id, one);
        }
        ear
    }

    pub fn hear(&mut self, entry: &Entry) {
        let Change::Own { event, .. } = entry.change else { return };
        let unread = match event {
            EventName::NotificationUpdated => {
                let told: NotificationTold = body(entry);
                let one = told.notification;
                if self.revs.get(&one.id).is_none_or(|had| *had < one.rev) {
                    self.revs.insert(one.id, one.rev);
                    self.groups.insert(one.id, one);
                }
                told.unread
            }
            EventName::NotificationRemoved => {
                let gone: NotificationRemoved = body(entry);
                if self.revs.get(&gone.id).is_none_or(|had| *had < gone.rev) {
                    self.revs.insert(gone.id, gone.rev);
                    self.groups.remove(&gone.id);
                }
                gone.unread
            }
            EventName::NotificationRead => {
                let reading: NotificationReading = body(entry);
                if reading.rev > self.reading.rev {
                    self.reading = reading;
                }
                reading.unread
            }
            _ => return,
        };
        if entry.seq >= self.unread_at {
            (self.unread_at, self.reading.unread) = (entry.seq, unread);
        }
    }

    pub fn shown(&self) -> (Vec<(Seq, &Notification)>, NotificationReading) {
        let mut all: Vec<_> = self.groups.values().map(|one| (one.seq, one)).collect();
        all.sort_by_key(|(seq, _)| std::cmp::Reverse(*seq));
        (all, self.reading)
    }
}
