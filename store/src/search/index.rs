//! Takes what was written into what is searched, a moment later: walks behind the journal by `rev`, some hundred texts at a time.
//! Must never be in the way of whoever writes: it locks nothing that the journal needs.

use tidings_actors::ports::StoreFault;
use uuid::Uuid;

use super::words::{folded, of_person};
use crate::store::Store;
use crate::{faults, line};

/// Texts taken in at once: some 30 ms of work.
const AT_ONCE: i64 = 400;

impl Store {
    /// Takes some of what has changed into the index for searching. Says whether there may be more. All nodes may: of two who do the same at
    /// once the second changes nothing.
    ///
    /// # Errors
    /// As every read.
    pub async fn index_some(&self) -> Result<bool, StoreFault> {
        let posts = self.index_posts().await?;
        Ok(self.index_people().await? || posts)
    }

    async fn index_posts(&self) -> Result<bool, StoreFault> {
        let mut line = self.accounts.line().await.map_err(faults::store)?;
        let question = sqlx::query!(
            r#"with place as materialized (select s.posts_rev as rev from search_progress s)
               select w.rev as "from!", h.seq as "head!", n.id as "id?", n.rev as "rev?", n.text as "text?"
                 from place w cross join journal_head h
                 left join lateral (
                      select c.id, c.rev,
                             case when c.removed then ''
                                  else concat_ws(' ', c.text, c.extra ->> 'warning',
                                                 (select string_agg(m ->> 'alt', ' ')
                                                    from jsonb_array_elements(c.extra -> 'media') m)) end as text
                        from ((select p.id, p.rev, p.removed, p.text, p.extra from posts p
                                where not p.removed and p.seq > w.rev and p.rev = p.seq order by p.seq limit $1)
                              union all
                              (select p.id, p.rev, p.removed, p.text, p.extra from posts p
                                where p.rev <> p.seq and p.rev > w.rev order by p.rev limit $1)) c
                       order by c.rev limit $1) n on true
                order by n.rev"#,
            AT_ONCE
        );
        let answer = line::timed(self.accounts.patience(), question.fetch_all(line.open())).await;
        let rows = line.settle(answer).map_err(faults::store)?;
        let Some((from, head)) = rows.first().map(|row| (row.from, row.head)) else { return Ok(false) };
        let is_full = rows.len() as i64 == AT_ONCE;
        let Some(to) = goes_to(from, head, rows.last().and_then(|row| row.rev).filter(|_| is_full)) else {
            return Ok(false);
        };
        let (mut ids, mut texts) = (Vec::<Uuid>::new(), Vec::<String>::new());
        for row in rows {
            if let (Some(id), Some(text)) = (row.id, row.text) {
                ids.push(id);
                texts.push(folded(&text));
            }
        }
        let question = sqlx::query_scalar!("select index_posts($1, $2, $3, $4)", from, to, &ids, &texts);
        let answer = line::timed(self.accounts.patience(), question.fetch_one(line.open())).await;
        line.settle(answer).map_err(faults::store)?;
        Ok(is_full)
    }

    async fn index_people(&self) -> Result<bool, StoreFault> {
        let mut line = self.accounts.line().await.map_err(faults::store)?;
        let question = sqlx::query!(
            r#"with place as materialized (select s.people_rev as rev from search_progress s)
               select w.rev as "from!", h.seq as "head!", n.id as "id?", n.rev as "rev?", n.handle as "handle?", n.name as "name?"
                 from place w cross join journal_head h
                 left join lateral (select u.id, u.rev, u.handle, u.name from users u
                                     where u.rev > w.rev order by u.rev limit $1) n on true
                order by n.rev"#,
            AT_ONCE
        );
        let answer = line::timed(self.accounts.patience(), question.fetch_all(line.open())).await;
        let rows = line.settle(answer).map_err(faults::store)?;
        let Some((from, head)) = rows.first().map(|row| (row.from, row.head)) else { return Ok(false) };
        let is_full = rows.len() as i64 == AT_ONCE;
        let Some(to) = goes_to(from, head, rows.last().and_then(|row| row.rev).filter(|_| is_full)) else {
            return Ok(false);
        };
        let mut found = Found::default();
        for row in rows {
            if let (Some(id), Some(handle), Some(name)) = (row.id, row.handle, row.name) {
                found.takes(id, &handle, &name);
            }
        }
        let Found { ids, of_users, words, handles } = found;
        let question = sqlx::query_scalar!(
            "select index_people($1, $2, $3, $4, $5, $6)",
            from,
            to,
            &ids,
            &of_users,
            &words,
            &handles
        );
        let answer = line::timed(self.accounts.patience(), question.fetch_one(line.open())).await;
        line.settle(answer).map_err(faults::store)?;
        Ok(is_full)
    }
}

/// How far a step goes: to the head, or to the `last` of as many changes as it takes at once. None if that is no further than `from`.
fn goes_to(from: i64, head: i64, last: Option<i64>) -> Option<i64> {
    Some(last.unwrap_or(head)).filter(|&to| to > from)
}

/// Words of people, in columns.
#[derive(Default)]
struct Found {
    ids: Vec<Uuid>,
    of_users: Vec<Uuid>,
    words: Vec<String>,
    handles: Vec<bool>,
}

impl Found {
    fn takes(&mut self, id: Uuid, handle: &str, name: &str) {
        self.ids.push(id);
        for (word, is_handle) in of_person(handle, name) {
            self.of_users.push(id);
            self.words.push(word);
            self.handles.push(is_handle);
        }
    }
}
