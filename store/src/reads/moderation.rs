//! What moderators look at, and what somebody hears of it: cases with their reports, actions, one's own reports, the log.
//! Must never answer who is no moderator; each statement looks for itself.

use std::fmt::Write as _;

use async_trait::async_trait;
use serde::de::DeserializeOwned;
use tidings_actors::ports::{Asked, Moderation, StoreFault};
use tidings_protocol::ids::{CaseId, UserId};
use tidings_protocol::limits::CASE_REPORTS;
use tidings_protocol::moderation::{
    AccountStanding, Action, ActionsPage, Case, CaseGot, CaseReport, CasesPage, Copied, LogLine, LogLines, Report,
    ReportsPage,
};
use tidings_protocol::position::{Cursor, Seq};
use uuid::Uuid;

use crate::shape::{self, millis, seq, stored, unexpected};
use crate::store::Store;
use crate::{faults, line};

/// A line of a list: where it stands, and the entity as clients see it. Without an entity it only tells where the journal stands.
pub(super) struct Listed {
    pub(super) as_of: i64,
    pub(super) epoch: i64,
    pub(super) id: Option<Uuid>,
    pub(super) place: Option<i64>,
    pub(super) body: Option<String>,
}

/// A part of a list.
pub(super) struct Part<E> {
    pub(super) as_of: Seq,
    pub(super) entities: Vec<E>,
    pub(super) next: Option<Cursor>,
}

impl<E: DeserializeOwned> Part<E> {
    /// Of rows of which there is one more than `limit` if there is more.
    pub(super) fn of(rows: Vec<Listed>, limit: u16) -> Result<Self, StoreFault> {
        let first = rows.first().ok_or_else(|| unexpected("silence"))?;
        let (as_of, epoch) = (seq(first.as_of)?, shape::epoch(first.epoch));
        let more = rows.len() > usize::from(limit);
        let (mut entities, mut last) = (Vec::with_capacity(rows.len()), None);
        for row in rows.into_iter().take(usize::from(limit)) {
            let (Some(body), Some(place)) = (row.body, row.place) else {
                continue;
            };
            last = Some(seq(place)?);
            match serde_json::from_str(&body) {
                Ok(entity) => entities.push(entity),
                // One that cannot be read must not take along the list it stands in.
                Err(_) => shape::illegible(&unexpected("entity"), None, row.id, Some(place)),
            }
        }
        Ok(Self { as_of, entities, next: last.filter(|_| more).map(|seq| Cursor { epoch, seq }) })
    }
}

fn read<E: DeserializeOwned>(body: &str) -> Result<E, StoreFault> {
    serde_json::from_str(body).map_err(|_| unexpected("body"))
}

impl Store {
    /// Cases for a moderator; none for anybody else.
    pub(super) async fn cases(
        &self,
        viewer: UserId,
        settled: bool,
        before: Option<Seq>,
        limit: u16,
    ) -> Result<Option<Part<Case>>, StoreFault> {
        let mut line = self.reads.line().await.map_err(faults::store)?;
        let question = sqlx::query_as!(
            Listed,
            r#"with page as materialized (
                   (select c.id from cases c where not $2 and c.state <> 'settled' and c.seq < $3 order by c.seq desc limit $4)
                   union all
                   (select c.id from cases c where $2 and c.state = 'settled' and c.seq < $3 order by c.seq desc limit $4)
               )
               select h.seq as as_of, (select journal_epoch()) as "epoch!",
                      s.id as "id?", s.seq as "place?", s.extra as body
                 from journal_head h
                 left join page on true
                 left join case_states s on s.id = page.id
                where is_moderator($1)
                order by s.seq desc"#,
            viewer.0,
            settled,
            before.map_or(i64::MAX, stored),
            i64::from(limit) + 1
        );
        let answer = line::timed(self.reads.patience(), question.fetch_all(line.open())).await;
        let rows = line.settle(answer).map_err(faults::store)?;
        if rows.is_empty() { Ok(None) } else { Part::of(rows, limit).map(Some) }
    }

    async fn case_reports(&self, viewer: UserId, case: CaseId) -> Result<Vec<CaseReport>, StoreFault> {
        let mut line = self.reads.line().await.map_err(faults::store)?;
        let question = sqlx::query_scalar!(
            r#"select json_strip_nulls(json_build_object('by', author_json(r.reporter), 'reason', r.reason, 'note', r.note,
                                                         'at', r.at_ms))::text as "body!"
                 from reports r join cases c on c.id = r.of_case
                where c.id = $1 and c.whose <> $2 and is_moderator($2) and author_json(r.reporter) is not null
                order by r.at_ms desc limit $3"#,
            case.0,
            viewer.0,
            i64::try_from(CASE_REPORTS).unwrap_or(i64::MAX)
        );
        let answer = line::timed(self.reads.patience(), question.fetch_all(line.open())).await;
        line.settle(answer).map_err(faults::store)?.iter().map(|body| read(body)).collect()
    }
}

#[async_trait]
impl Moderation for Store {
    async fn reports_page(&self, user: UserId, before: Option<Seq>, limit: u16) -> Result<ReportsPage, StoreFault> {
        let mut line = self.reads.line().await.map_err(faults::store)?;
        let question = sqlx::query_as!(
            Listed,
            r#"select h.seq as as_of, (select journal_epoch()) as "epoch!",
                      s.id as "id?", s.rev as "place?", s.extra as body
                 from journal_head h
                 left join lateral (select * from report_states o
                                     where o.author = $1 and o.rev < $2 order by o.rev desc limit $3) s on true
                order by s.rev desc"#,
            user.0,
            before.map_or(i64::MAX, stored),
            i64::from(limit) + 1
        );
        let answer = line::timed(self.reads.patience(), question.fetch_all(line.open())).await;
        let part = Part::<Report>::of(line.settle(answer).map_err(faults::store)?, limit)?;
        Ok(ReportsPage { reports: part.entities, next: part.next })
    }

    async fn actions_page(&self, user: UserId, before: Option<Seq>, limit: u16) -> Result<ActionsPage, StoreFault> {
        let mut line = self.reads.line().await.map_err(faults::store)?;
        let question = sqlx::query!(
            r#"select h.seq as as_of, (select journal_epoch()) as "epoch!", u.standing, u.standing_until,
                      s.id as "id?", s.rev as "place?", s.extra as body
                 from journal_head h
                 join users u on u.id = $1
                 left join lateral (select * from action_states o
                                     where o.author = $1 and o.rev < $2 order by o.rev desc limit $3) s on true
                order by s.rev desc"#,
            user.0,
            before.map_or(i64::MAX, stored),
            i64::from(limit) + 1
        );
        let answer = line::timed(self.reads.patience(), question.fetch_all(line.open())).await;
        let rows = line.settle(answer).map_err(faults::store)?;
        let place = rows.first().ok_or_else(|| unexpected("silence"))?;
        let (standing, until) = (standing(place.standing)?, place.standing_until.map(millis));
        let rows = rows.into_iter().map(|row| Listed {
            as_of: row.as_of,
            epoch: row.epoch,
            id: row.id,
            place: row.place,
            body: row.body,
        });
        let part = Part::<Action>::of(rows.collect(), limit)?;
        Ok(ActionsPage { standing, until, actions: part.entities, next: part.next })
    }

    async fn cases_page(
        &self,
        viewer: UserId,
        settled: bool,
        before: Option<Seq>,
        limit: u16,
    ) -> Result<Asked<CasesPage>, StoreFault> {
        let Some(part) = self.cases(viewer, settled, before, limit).await? else {
            return Ok(Asked::NotForThem);
        };
        Ok(Asked::Told(CasesPage { cases: part.entities, next: part.next }))
    }

    async fn case(&self, viewer: UserId, case: CaseId) -> Result<Asked<CaseGot>, StoreFault> {
        let mut line = self.reads.line().await.map_err(faults::store)?;
        let question = sqlx::query!(
            r#"select is_moderator($1) as "moderates!", s.extra as "body?", m.copy::text as now
                 from journal_head h
                 left join cases c on c.id = $2
                 left join case_states s on s.id = c.id
                 left join lateral moderated(c.kind, c.thing) m on c.id is not null"#,
            viewer.0,
            case.0
        );
        let answer = line::timed(self.reads.patience(), question.fetch_one(line.open())).await;
        let row = line.settle(answer).map_err(faults::store)?;
        drop(line);
        if !row.moderates {
            return Ok(Asked::NotForThem);
        }
        let Some(body) = row.body else {
            return Ok(Asked::NotThere);
        };
        let now = row.now.map(|now| read::<Copied>(&now)).transpose()?;
        let reports = self.case_reports(viewer, case).await?;
        Ok(Asked::Told(CaseGot { case: read(&body)?, now, reports }))
    }

    async fn log(&self, viewer: UserId, before: Option<u64>, limit: u16) -> Result<Asked<LogLines>, StoreFault> {
        let before = before.and_then(|before| i64::try_from(before).ok()).unwrap_or(i64::MAX);
        let mut line = self.reads.line().await.map_err(faults::store)?;
        let question = sqlx::query!(
            r#"select l.n as "n?", l.at_ms as "at_ms?", l.actor as "actor?", l.act as "act?", l.kind as "kind?",
                      l.subject as "subject?", l.reason, l.hash as "hash?"
                 from users u
                 left join lateral (select * from audit_log o where o.n < $2 order by o.n desc limit $3) l on true
                where u.id = $1 and u.role = 1 and u.standing = 0
                order by l.n desc"#,
            viewer.0,
            before,
            i64::from(limit) + 1
        );
        let answer = line::timed(self.reads.patience(), question.fetch_all(line.open())).await;
        let rows = line.settle(answer).map_err(faults::store)?;
        if rows.is_empty() {
            return Ok(Asked::NotForThem);
        }
        let more = rows.len() > usize::from(limit);
        let mut lines = Vec::with_capacity(rows.len());
        for row in rows.into_iter().take(usize::from(limit)) {
            let (Some(n), Some(at_ms), Some(act), Some(kind), Some(subject), Some(hash)) =
                (row.n, row.at_ms, row.act, row.kind, row.subject, row.hash)
            else {
                continue;
            };
            let reason = row.reason.map(|word| serde_json::from_value(word.into())).transpose();
            lines.push(LogLine {
                n: u64::try_from(n).map_err(|_| unexpected("number of a line"))?,
                at: millis(at_ms),
                actor: row.actor.map(UserId),
                act,
                kind,
                subject,
                reason: reason.map_err(|_| unexpected("reason"))?,
                hash: hex(&hash),
            });
        }
        let next = lines.last().filter(|_| more).map(|line| line.n);
        Ok(Asked::Told(LogLines { lines, next }))
    }
}

fn standing(stored: i16) -> Result<AccountStanding, StoreFault> {
    match stored {
        0 => Ok(AccountStanding::Good),
        1 => Ok(AccountStanding::Suspended),
        2 => Ok(AccountStanding::Banned),
        _ => Err(unexpected("standing")),
    }
}

/// Two digits for each byte.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a String cannot fail");
        text
    })
}
