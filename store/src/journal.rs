//! The port to the journal: where it stands, what it says, and the way into [`crate::commit`] and [`crate::forget`].
//! Must never answer from a standby: the head of a copy is behind, and a node must not mistake that for truth.

use async_trait::async_trait;
use tidings_actors::command::{Command, Committed, Outcome};
use tidings_actors::entry::{Batch, Change, Entry, Verb};
use tidings_actors::limits::TAIL_READ_ENTRIES;
use tidings_actors::ports::{BatchId, CommitFault, Head, JournalStore, StoreFault};
use tidings_protocol::ids::{SessionId, UserId};
use tidings_protocol::position::{Epoch, Seq};
use uuid::Uuid;

use crate::deeds;
use crate::shape::{self, EntityRow, entity_row, seq, stored, unexpected};
use crate::store::Store;
use crate::{faults, line};

#[async_trait]
impl JournalStore for Store {
    async fn head(&self) -> Result<Head, StoreFault> {
        let before = self.furthest.so_far();
        let head = self.read_head().await?;
        let head = match before {
            Some(before) if before.is_lost_at(head.epoch, head.seq) => {
                self.begin_new_life(head.epoch).await?;
                self.read_head().await?
            }
            Some(_) | None => head,
        };
        self.furthest.reached(head.epoch, head.seq);
        Ok(head)
    }

    async fn commit(&self, batch: BatchId, commands: &[Command]) -> Result<Committed, CommitFault> {
        let committed = self.commit_batch(batch, commands).await?;
        let done = committed.outcomes.iter().rev().find_map(|outcome| match outcome {
            Outcome::Done(entry) => Some(entry.seq),
            Outcome::Duplicate(_) | Outcome::Refused(_) => None,
        });
        if let Some(last) = done {
            self.furthest.reached(committed.epoch, last);
        }
        Ok(committed)
    }

    async fn read(&self, from: Seq, to: Seq) -> Result<Batch, StoreFault> {
        // Number 0 is before the first.
        let first = Seq(from.0.max(1));
        let to = to.min(Seq(first.0.saturating_add(TAIL_READ_ENTRIES - 1)));
        let rows = self.read_rows(first, to).await?;
        let place = rows.first().ok_or_else(|| unexpected("silence"))?;
        if first < seq(place.floor)? {
            // What is missing there cannot be told from what never was: the reader has slept longer than the journal is kept.
            return Err(StoreFault::Broken(format!(
                "the journal is kept from {} on; {first} is forgotten",
                place.floor
            )));
        }
        let epoch = shape::epoch(place.entity.epoch);
        let last = to.min(seq(place.entity.as_of)?);
        let entries = rows.into_iter().filter_map(|row| row.entry(first).transpose()).collect::<Result<_, _>>()?;
        Ok(Batch { epoch, first: from, last, entries })
    }

    async fn prune(&self, keep_ms: u64) -> Result<u64, StoreFault> {
        self.forget(keep_ms).await
    }
}

/// An entry with the present state of its entity.
struct JournalRow {
    floor: i64,
    journal_seq: Option<i64>,
    act: Option<i16>,
    subject: Option<Uuid>,
    log_in: Option<Uuid>,
    entity: EntityRow,
}

impl JournalRow {
    /// For somebody who knows the journal up to `first`. None where the entity has changed again since.
    fn entry(self, first: Seq) -> Result<Option<Entry>, StoreFault> {
        let (Some(at), Some(act)) = (self.journal_seq, self.act) else {
            return Ok(None);
        };
        let at = seq(at)?;
        if act == 11 {
            let user = self.subject.ok_or_else(|| unexpected("null"))?;
            return Ok(Some(Entry {
                seq: at,
                change: Change::SessionRevoked { user: UserId(user), session: self.log_in.map(SessionId) },
                body: shape::body(&serde_json::Map::new())?,
                scope: None,
            }));
        }
        let verb = match act {
            1 | 3 | 5 | 8 => Verb::Created,
            2 | 6 | 9 => Verb::Updated,
            4 | 7 | 10 => Verb::Removed,
            // Tells itself whether it is gone.
            act if act >= deeds::FIRST => Verb::Updated,
            // A newer node's: what it is about cannot be told by this one.
            other => {
                shape::illegible(&unexpected("kind of entry"), Some(other), self.subject, Some(stored(at)));
                return Ok(None);
            }
        };
        self.entity.legible().map(|entity| shape::entry(at, verb, &entity, first)).transpose()
    }
}

impl Store {
    async fn read_head(&self) -> Result<Head, StoreFault> {
        let mut line = self.tail.line().await.map_err(faults::store)?;
        // journal_epoch() fails in recovery, which keeps standbys out.
        let question = sqlx::query!(r#"select seq, floor, (select journal_epoch()) as "epoch!" from journal_head"#);
        let answer = line::timed(self.tail.patience(), question.fetch_one(line.open())).await;
        let head = line.settle(answer).map_err(faults::store)?;
        Ok(Head { epoch: shape::epoch(head.epoch), seq: seq(head.seq)?, floor: seq(head.floor)? })
    }

    /// What was committed is gone, and the database does not know: a snapshot of its disk was put back. Its numbers must not be given
    /// out again under the same epoch.
    async fn begin_new_life(&self, epoch: Epoch) -> Result<(), StoreFault> {
        let mut line = self.tail.line().await.map_err(faults::store)?;
        let question = sqlx::query_scalar!("select begin_new_life($1)", epoch.0.cast_signed());
        let answer = line::timed(self.tail.patience(), question.fetch_one(line.open())).await;
        line.settle(answer).map_err(faults::store)?;
        tracing::error!(%epoch, "the journal has gone back behind what was committed: it begins a new life");
        Ok(())
    }

    async fn read_rows(&self, first: Seq, to: Seq) -> Result<Vec<JournalRow>, StoreFault> {
        let mut line = self.tail.line().await.map_err(faults::store)?;
        let question = sqlx::query!(
            r#"select h.seq as as_of, h.floor, (select journal_epoch()) as "epoch!",
                      j.seq as "journal_seq?", j.kind as "act?", j.subject as "subject?", j.object as log_in,
                      s.kind, s.id, s.rev, s.seq, s.removed, s.author, s.author_rev, s.handle, s.name,
                      s.text, s.created_ms, s.edited_ms, s.object, s.parent, s.depth, s.bio, s.role,
                      s.extra, s.scope
                 from journal_head h
                 left join journal j on j.seq between $1 and $2
                 left join lateral (
                      select * from user_states u where j.kind in (1, 2) and u.id = j.subject and u.rev = j.seq
                      union all
                      select * from follow_states f
                       where j.kind in (3, 4) and f.id = j.subject and f.object = j.object and f.rev = j.seq
                      union all
                      select * from post_states p where j.kind in (5, 6, 7) and p.id = j.subject and p.rev = j.seq
                      union all
                      select * from comment_states m
                       where j.kind in (8, 9, 10) and m.id = j.subject and m.rev = j.seq
                      union all
                      select d.* from own_state(j.kind, j.actor, j.subject) d
                       where j.kind >= 20 and d.rev = j.seq
                      ) s on true
                order by j.seq"#,
            stored(first),
            stored(to),
        );
        let answer = line::timed(self.tail.patience(), question.fetch_all(line.open())).await;
        let rows = line.settle(answer).map_err(faults::store)?;
        Ok(rows
            .into_iter()
            .map(|row| JournalRow {
                floor: row.floor,
                journal_seq: row.journal_seq,
                act: row.act,
                subject: row.subject,
                log_in: row.log_in,
                entity: entity_row!(row),
            })
            .collect())
    }
}
