//! A post with its comments: the newest live ones, and after them the older ones that these answer, removed ones and those of people
//! hidden from the viewer as placeholders.
//! Must never show an author or a text of what is removed.

use std::collections::BTreeMap;

use tidings_actors::ports::StoreFault;
use tidings_protocol::entity::{Comment, Post};
use tidings_protocol::ids::{CommentId, PostId, UserId};
use tidings_protocol::limits::ANSWERS_COUNTED;
use tidings_protocol::position::{Cursor, Seq};

use crate::shape::{self, Entity, EntityRow, entity_row, stored, unexpected};
use crate::store::Store;
use crate::{faults, line};

/// Part of a thread, as of `as_of`.
pub(super) struct Thread {
    pub(super) as_of: Seq,
    pub(super) post: Post,
    pub(super) comments: Vec<Comment>,
    /// How many direct answers they have that have any.
    pub(super) answers: BTreeMap<CommentId, u32>,
    pub(super) next: Option<Cursor>,
}

/// How a row came into the answer; the order of the answer.
const OF_PAGE: i16 = 1;
const ANCESTOR: i16 = 2;

impl Store {
    /// None if there is no such post (any more).
    pub(super) async fn thread(
        &self,
        viewer: Option<UserId>,
        post: PostId,
        before: Option<Seq>,
        limit: u16,
    ) -> Result<Option<Thread>, StoreFault> {
        let before = before.map_or(i64::MAX, stored);
        let mut line = self.reads.line().await.map_err(faults::store)?;
        // One more than `limit` tells whether there is more; its ancestors are not asked for.
        let question = sqlx::query!(
            r#"with hidden as materialized (
                   select hidden_from($4) as authors
               ), page as materialized (
                   select m.id, m.seq, m.path, row_number() over (order by m.seq desc) as nth
                     from (select * from comments c
                            where c.post = $1 and not c.removed and c.seq < $2
                            order by c.seq desc limit $3::bigint + 1) m
               ), ancestors as (
                   select distinct unnest(page.path) as id from page where page.nth <= $3
               ), shown as (
                   select page.id, 1::smallint as part from page
                   union all
                   select a.id, 2::smallint from ancestors a
                    where a.id not in (select page.id from page where page.nth <= $3)
               )
               select h.seq as as_of, (select journal_epoch()) as "epoch!", s.part as "part!",
                      s.kind, s.id, s.rev, s.seq,
                      (s.removed or s.part > 0 and s.author = any((select authors from hidden)::uuid[])) as removed, s.author, s.author_rev, s.handle, s.name,
                      s.text, s.created_ms, s.edited_ms, s.object, s.parent, s.depth, s.bio, s.role,
                      s.extra, s.scope,
                      case when s.part > 0 then answers_of(s.id, $5) end as answers
                 from journal_head h
                 join lateral (
                      select 0::smallint as part, p.* from post_states p join posts o on o.id = p.id
                       where p.id = $1 and not p.removed and sees($4, o.author, o.audience, o.mentioned)
                      union all
                      select shown.part, m.* from shown join comment_states m on m.id = shown.id
                      ) s on true
                order by s.part, s.seq desc"#,
            post.0,
            before,
            i64::from(limit),
            viewer.map(|viewer| viewer.0),
            i64::from(ANSWERS_COUNTED)
        );
        let answer = line::timed(self.reads.patience(), question.fetch_all(line.open())).await;
        let rows = line.settle(answer).map_err(faults::store)?;
        let rows = rows.into_iter().map(|row| (row.part, row.answers, entity_row!(row)));
        assemble(rows, limit)
    }

    /// The direct answers to a comment. None if there is no such post, or no such comment on it (any more).
    pub(super) async fn branch(
        &self,
        viewer: Option<UserId>,
        post: PostId,
        parent: CommentId,
        before: Option<Seq>,
        limit: u16,
    ) -> Result<Option<Thread>, StoreFault> {
        let before = before.map_or(i64::MAX, stored);
        let mut line = self.reads.line().await.map_err(faults::store)?;
        // One more than `limit` tells whether there is more. What was removed and answered has its place, as in the whole thread.
        let question = sqlx::query!(
            r#"with hidden as materialized (
                   select hidden_from($4) as authors
               ), page as materialized (
                   select m.id from comments m
                    where m.parent = $6 and m.seq < $2
                      and (not m.removed or exists (select from comments d where d.parent = m.id))
                    order by m.seq desc limit $3::bigint + 1
               )
               select h.seq as as_of, (select journal_epoch()) as "epoch!", s.part as "part!",
                      s.kind, s.id, s.rev, s.seq,
                      (s.removed or s.part > 0 and s.author = any((select authors from hidden)::uuid[])) as removed, s.author, s.author_rev, s.handle, s.name,
                      s.text, s.created_ms, s.edited_ms, s.object, s.parent, s.depth, s.bio, s.role,
                      s.extra, s.scope, case when s.part > 0 then answers_of(s.id, $5) end as answers
                 from journal_head h
                 join lateral (
                      select 0::smallint as part, p.* from post_states p join posts o on o.id = p.id
                       where p.id = $1 and not p.removed and sees($4, o.author, o.audience, o.mentioned)
                         and exists (select from comments m where m.id = $6 and m.post = $1)
                      union all
                      select 1::smallint, m.* from page join comment_states m on m.id = page.id
                      ) s on true
                order by s.part, s.seq desc"#,
            post.0,
            before,
            i64::from(limit),
            viewer.map(|viewer| viewer.0),
            i64::from(ANSWERS_COUNTED),
            parent.0
        );
        let answer = line::timed(self.reads.patience(), question.fetch_all(line.open())).await;
        let rows = line.settle(answer).map_err(faults::store)?;
        let rows = rows.into_iter().map(|row| (row.part, row.answers, entity_row!(row)));
        assemble(rows, limit)
    }

    pub(super) async fn read_post(&self, viewer: Option<UserId>, id: PostId) -> Result<Option<Post>, StoreFault> {
        let mut line = self.reads.line().await.map_err(faults::store)?;
        let question = sqlx::query_as!(
            EntityRow,
            r#"select 0::bigint as "as_of!", 0::bigint as "epoch!",
                      s.kind, s.id, s.rev, s.seq, s.removed, s.author, s.author_rev, s.handle, s.name,
                      s.text, s.created_ms, s.edited_ms, s.object, s.parent, s.depth, s.bio, s.role,
                      s.extra, s.scope
                 from post_states s join posts o on o.id = s.id
                where s.id = $1 and sees($2, o.author, o.audience, o.mentioned)"#,
            id.0,
            viewer.map(|viewer| viewer.0)
        );
        let answer = line::timed(self.reads.patience(), question.fetch_optional(line.open())).await;
        let Some(row) = line.settle(answer).map_err(faults::store)? else {
            return Ok(None);
        };
        match row.entity()? {
            Some(Entity::Post { post, .. }) => Ok(Some(post)),
            Some(Entity::PostGone { .. }) => Ok(None),
            _ => Err(unexpected("entity")),
        }
    }
}

fn assemble(
    rows: impl Iterator<Item = (i16, Option<i64>, EntityRow)>,
    limit: u16,
) -> Result<Option<Thread>, StoreFault> {
    let (mut post, mut place) = (None, None);
    let mut counted = BTreeMap::new();
    let (mut page, mut ancestors) = (Vec::new(), Vec::new());
    // Takes a place in the page, so that the next one begins where it would have.
    let mut illegible = 0;
    for (part, answers, row) in rows {
        if let (Some(id), Some(answers @ 1..)) = (row.id, answers) {
            counted.insert(CommentId(id), u32::try_from(answers).map_err(|_| unexpected("count"))?);
        }
        place = Some((shape::seq(row.as_of)?, shape::epoch(row.epoch)));
        match (part, row.legible()) {
            (_, Some(Entity::Post { post: found, .. })) => post = Some(found),
            (OF_PAGE, Some(Entity::Comment { comment, .. })) => page.push(comment),
            (ANCESTOR, Some(Entity::Comment { comment, .. })) => ancestors.push(comment),
            (part, None) => illegible += usize::from(part == OF_PAGE),
            _ => return Err(unexpected("entity in a thread")),
        }
    }
    let (Some(post), Some((as_of, epoch))) = (post, place) else {
        return Ok(None);
    };
    let more = page.len() + illegible > usize::from(limit);
    page.truncate(usize::from(limit));
    // The first one cut off may itself be an ancestor of what is shown; it then comes as one.
    let next = page.last().filter(|_| more).map(|last| Cursor { epoch, seq: last.seq });
    page.append(&mut ancestors);
    let answers = page.iter().filter_map(|comment| Some((comment.id, *counted.get(&comment.id)?))).collect();
    Ok(Some(Thread { as_of, post, comments: page, answers, next }))
}
