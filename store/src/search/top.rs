//! Ranked views: stretches of a ranking that the whole cluster shares. Must never sort anything again under a reader's eyes, and never make a
//! ranking for one reader.

use tidings_actors::ports::StoreFault;
use tidings_protocol::ids::UserId;
use tidings_protocol::listing::Span;
use tidings_protocol::position::{Cursor, Seq};
use tidings_protocol::reply::PostsPage;

use crate::shape::{self, Entity, entity_row};
use crate::store::Store;
use crate::{faults, line};

/// Rankings are made anew after this, when somebody asks.
const FRESH_MS: [i64; 2] = [60_000, 300_000];
/// And can be read on for so long.
const KEPT_MS: i64 = 900_000;
/// A place in a page cursor: the ranking, and how many of its posts have been passed.
const PLACES: u64 = 1_024;

impl Store {
    /// None if the ranking that `before` is of is not kept any more.
    pub(super) async fn read_top(
        &self,
        viewer: Option<UserId>,
        span: Span,
        before: Option<Seq>,
        limit: u16,
    ) -> Result<Option<PostsPage>, StoreFault> {
        let (days, fresh) = match span {
            Span::Day => (1, FRESH_MS[0]),
            Span::Week => (7, FRESH_MS[1]),
        };
        let (ranking, passed) = match before {
            Some(before) => (i64::try_from(before.0 / PLACES).unwrap_or(i64::MAX), before.0 % PLACES),
            None => (self.ranking_now(days, fresh).await?, 0),
        };
        let mut line = self.reads.line().await.map_err(faults::store)?;
        let question = sqlx::query!(
            r#"with ranking as materialized (select r.posts from rankings r where r.id = $2 and r.span = $3),
                    page as materialized (
                   select w.nth, p.id
                     from ranking r cross join lateral unnest(r.posts) with ordinality w (post, nth)
                     join posts p on p.id = w.post
                    where w.nth > $4 and not p.removed and p.audience = 0
                      and p.author <> all (hidden_from($1)) and sees($1, p.author, p.audience, p.mentioned)
                    order by w.nth limit $5
               )
               select h.seq as as_of, (select journal_epoch()) as "epoch!", (select count(*) from ranking) as "kept!",
                      s.nth as "nth?",
                      s.kind as "kind?", s.id as "id?", s.rev as "rev?", s.seq as "seq?", s.removed as "removed?", s.author as "author?",
                      s.author_rev as "author_rev?", s.handle as "handle?", s.name as "name?",
                      s.text as "text?", s.created_ms as "created_ms?", s.edited_ms as "edited_ms?", s.object as "object?",
                      s.parent as "parent?", s.depth as "depth?", s.bio as "bio?", s.role as "role?",
                      s.extra as "extra?", s.scope as "scope?"
                 from journal_head h
                 left join lateral (select page.nth, p.* from page join post_states p on p.id = page.id) s on true
                order by s.nth"#,
            viewer.map(|viewer| viewer.0),
            ranking,
            days,
            i64::try_from(passed).unwrap_or(i64::MAX),
            i64::from(limit) + 1
        );
        let answer = line::timed(self.reads.patience(), question.fetch_all(line.open())).await;
        let mut rows = line.settle(answer).map_err(faults::store)?;
        if rows.first().is_none_or(|row| row.kept == 0) {
            return Ok(None);
        }
        let more = rows.len() > usize::from(limit);
        rows.truncate(usize::from(limit));
        let last = rows.last().filter(|_| more).and_then(|row| Some((row.epoch, u64::try_from(row.nth?).ok()?)));
        let place = |nth| Seq(u64::try_from(ranking).unwrap_or(0) * PLACES + nth);
        let next = last.map(|(epoch, nth)| Cursor { epoch: shape::epoch(epoch), seq: place(nth) });
        let mut posts = Vec::with_capacity(rows.len());
        for row in rows {
            if let Some(Entity::Post { post, .. }) = entity_row!(row).legible() {
                posts.push(post);
            }
        }
        Ok(Some(PostsPage { posts, next }))
    }

    async fn ranking_now(&self, days: i16, fresh_ms: i64) -> Result<i64, StoreFault> {
        let mut line = self.reads.line().await.map_err(faults::store)?;
        let question = sqlx::query_scalar!(r#"select ranking_now($1, $2, $3) as "id!""#, days, fresh_ms, KEPT_MS);
        let answer = line::timed(self.reads.patience(), question.fetch_one(line.open())).await;
        line.settle(answer).map_err(faults::store)
    }
}
