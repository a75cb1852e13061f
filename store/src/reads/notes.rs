//! Somebody's notifications, newest first, and how far they have looked through them. The same statement serves snapshots and pages.
//! Must never show who is hidden from them: the database keeps their groups without these.

use tidings_actors::ports::StoreFault;
use tidings_protocol::ids::UserId;
use tidings_protocol::notification::{Notification, NotificationReading};
use tidings_protocol::position::{Cursor, Seq};
use uuid::Uuid;

use crate::shape::{self, stored, unexpected};
use crate::store::Store;
use crate::{faults, line};

/// Part of the notifications, as of `as_of`.
pub(super) struct Notes {
    pub(super) as_of: Seq,
    pub(super) notifications: Vec<Notification>,
    pub(super) reading: NotificationReading,
    pub(super) next: Option<Cursor>,
}

struct NoteRow {
    as_of: i64,
    epoch: i64,
    reading: Option<String>,
    id: Option<Uuid>,
    rev: Option<i64>,
    body: Option<String>,
}

impl Store {
    pub(super) async fn notes(&self, user: UserId, before: Option<Seq>, limit: u16) -> Result<Notes, StoreFault> {
        let rows = self.note_rows(user, before.map_or(i64::MAX, stored), i64::from(limit) + 1).await?;
        let place = rows.first().ok_or_else(|| unexpected("silence"))?;
        let epoch = shape::epoch(place.epoch);
        let reading = match &place.reading {
            Some(json) => serde_json::from_str(json).map_err(|_| unexpected("reading"))?,
            None => NotificationReading::default(),
        };
        let as_of = shape::seq(place.as_of)?;
        let mut more = rows.len() > usize::from(limit);
        let mut notifications: Vec<Notification> = Vec::with_capacity(rows.len());
        let mut last = None;
        for row in rows.into_iter().take(usize::from(limit)) {
            let Some(body) = row.body else {
                more = false;
                break;
            };
            match serde_json::from_str::<Notification>(&body) {
                Ok(notification) => {
                    last = Some(notification.seq);
                    notifications.push(notification);
                }
                Err(_) => shape::illegible(&unexpected("notification"), None, row.id, row.rev),
            }
        }
        let next = last.filter(|_| more).map(|seq| Cursor { epoch, seq });
        Ok(Notes { as_of, notifications, reading, next })
    }

    async fn note_rows(&self, user: UserId, before: i64, most: i64) -> Result<Vec<NoteRow>, StoreFault> {
        let mut line = self.reads.line().await.map_err(faults::store)?;
        let question = sqlx::query_as!(
            NoteRow,
            r#"with page as materialized (
                   select n.id from notifications n
                    where n.user_id = $1 and n.count > 0 and n.seq < $2
                    order by n.seq desc limit $3
               )
               select h.seq as as_of, (select journal_epoch()) as "epoch!",
                      (select notification_reading_body(r) from notification_reading r where r.user_id = $1) as reading,
                      s.id as "id?", s.rev as "rev?", s.extra as body
                 from journal_head h
                 left join page on true
                 left join notification_states s on s.id = page.id
                order by s.seq desc"#,
            user.0,
            before,
            most
        );
        let answer = line::timed(self.reads.patience(), question.fetch_all(line.open())).await;
        line.settle(answer).map_err(faults::store)
    }
}
