//! What somebody has chosen about others: who asks to follow them, their lists, their filters.
//! Must never read anybody's but the asker's own.

use async_trait::async_trait;
use serde::de::DeserializeOwned;
use tidings_actors::ports::{Circle, StoreFault};
use tidings_protocol::asking::{Asking, RequestsPage};
use tidings_protocol::entity::Author;
use tidings_protocol::filter::Filter;
use tidings_protocol::ids::{ListId, UserId};
use tidings_protocol::list::{List, ListMembers};
use tidings_protocol::position::{Cursor, Seq};

use crate::shape::{self, seq, stored, unexpected};
use crate::store::Store;
use crate::{faults, line};

#[async_trait]
impl Circle for Store {
    async fn requests_page(&self, user: UserId, before: Option<Seq>, limit: u16) -> Result<RequestsPage, StoreFault> {
        let before = before.map_or(i64::MAX, stored);
        let mut line = self.reads.line().await.map_err(faults::store)?;
        // One more tells whether there is more.
        let question = sqlx::query!(
            r#"select (select journal_epoch()) as "epoch!", q.rev as asked, u.id, u.rev, u.handle, u.name
                 from follow_requests q join users u on u.id = q.asker
                where q.asked = $1 and q.active and q.rev < $2
                order by q.rev desc limit $3"#,
            user.0,
            before,
            i64::from(limit) + 1
        );
        let answer = line::timed(self.reads.patience(), question.fetch_all(line.open())).await;
        let mut rows = line.settle(answer).map_err(faults::store)?;
        let more = rows.len() > usize::from(limit);
        rows.truncate(usize::from(limit));
        let last = rows.last().filter(|_| more).map(|last| (last.epoch, last.asked));
        let next = last.map(|(epoch, asked)| Ok(Cursor { epoch: shape::epoch(epoch), seq: seq(asked)? }));
        let requests = rows.into_iter().map(|row| {
            let user = Author { id: UserId(row.id), rev: seq(row.rev)?, handle: row.handle, name: row.name };
            Ok(Asking { rev: seq(row.asked)?, user })
        });
        Ok(RequestsPage { requests: requests.collect::<Result<_, StoreFault>>()?, next: next.transpose()? })
    }

    async fn lists(&self, user: UserId) -> Result<Vec<List>, StoreFault> {
        let mut line = self.reads.line().await.map_err(faults::store)?;
        let question = sqlx::query_scalar!(
            r#"select s.extra as "extra!" from list_states s where s.author = $1 and not s.removed order by s.seq"#,
            user.0
        );
        let answer = line::timed(self.reads.patience(), question.fetch_all(line.open())).await;
        bodies(&line.settle(answer).map_err(faults::store)?)
    }

    async fn list_members(&self, user: UserId, list: ListId) -> Result<Option<ListMembers>, StoreFault> {
        let mut line = self.reads.line().await.map_err(faults::store)?;
        let question = sqlx::query!(
            r#"select u.id as "id?", u.rev as "rev?", u.handle as "handle?", u.name as "name?"
                 from lists l
                 left join lateral (
                      select m.member, m.rev from list_members m
                       where m.list = l.id and m.active
                         and not exists(select from blocks k
                                         where k.blocker = m.member and k.blocked = $1 and k.active)) m on true
                 left join users u on u.id = m.member
                where l.id = $2 and l.owner = $1 and not l.removed
                order by m.rev desc"#,
            user.0,
            list.0
        );
        let answer = line::timed(self.reads.patience(), question.fetch_all(line.open())).await;
        let rows = line.settle(answer).map_err(faults::store)?;
        if rows.is_empty() {
            return Ok(None);
        }
        let members = rows.into_iter().filter_map(|row| Some((row.id?, row.rev?, row.handle?, row.name?)));
        let members =
            members.map(|(id, rev, handle, name)| Ok(Author { id: UserId(id), rev: seq(rev)?, handle, name }));
        Ok(Some(ListMembers { members: members.collect::<Result<_, StoreFault>>()? }))
    }

    async fn filters(&self, user: UserId) -> Result<Vec<Filter>, StoreFault> {
        let mut line = self.reads.line().await.map_err(faults::store)?;
        let question = sqlx::query_scalar!(
            r#"select s.extra as "extra!" from filter_states s where s.author = $1 and not s.removed order by s.seq"#,
            user.0
        );
        let answer = line::timed(self.reads.patience(), question.fetch_all(line.open())).await;
        bodies(&line.settle(answer).map_err(faults::store)?)
    }
}

fn bodies<E: DeserializeOwned>(stored: &[String]) -> Result<Vec<E>, StoreFault> {
    stored.iter().map(|json| serde_json::from_str(json).map_err(|_| unexpected("body"))).collect()
}
