//! Lists of posts, newest first: `home`, `global`, `user:<id>`. The same statement serves snapshots and pages.
//! Must never use offsets: a page goes on from the `seq` of its last post, whatever happened in between.

use tidings_actors::ports::StoreFault;
use tidings_protocol::entity::{Post, User};
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::UserId;
use tidings_protocol::position::{Cursor, Seq};

use crate::shape::{self, Entity, EntityRow, stored, unexpected};
use crate::store::Store;
use crate::{faults, line};

/// Part of a list, as of `as_of`.
pub(super) struct List {
    pub(super) as_of: Seq,
    /// The profile, for `user:<id>`.
    pub(super) user: Option<User>,
    pub(super) posts: Vec<Post>,
    pub(super) next: Option<Cursor>,
}

impl Store {
    /// None if the feed has no posts to list or its user does not exist.
    pub(super) async fn list(
        &self,
        viewer: Option<UserId>,
        feed: FeedName,
        before: Option<Seq>,
        limit: u16,
    ) -> Result<Option<List>, StoreFault> {
        let before = before.map_or(i64::MAX, stored);
        // One more tells whether there is more.
        let most = i64::from(limit) + 1;
        let rows = match (feed, viewer) {
            (FeedName::Home, Some(viewer)) => self.home_rows(viewer, before, most).await?,
            (FeedName::Global, _) => self.global_rows(before, most).await?,
            (FeedName::User(user), _) => self.user_rows(user, before, most).await?,
            (FeedName::Home | FeedName::Me | FeedName::Post(_), _) => return Ok(None),
        };
        list(rows, limit)
    }

    async fn home_rows(&self, viewer: UserId, before: i64, most: i64) -> Result<Vec<EntityRow>, StoreFault> {
        let mut line = self.reads.line().await.map_err(faults::store)?;
        let question = sqlx::query_file_as!(EntityRow, "src/reads/home.sql", viewer.0, before, most);
        let answer = line::timed(self.reads.patience(), question.fetch_all(line.open())).await;
        line.settle(answer).map_err(faults::store)
    }

    async fn global_rows(&self, before: i64, most: i64) -> Result<Vec<EntityRow>, StoreFault> {
        let mut line = self.reads.line().await.map_err(faults::store)?;
        let question = sqlx::query_as!(
            EntityRow,
            r#"select h.seq as as_of, (select journal_epoch()) as "epoch!",
                      s.kind, s.id, s.rev, s.seq, s.removed, s.author, s.author_rev, s.handle, s.name,
                      s.text, s.created_ms, s.edited_ms, s.object, s.parent, s.depth, s.bio, s.role
                 from journal_head h
                 left join lateral (
                      select * from post_states p
                       where not p.removed and p.seq < $1 order by p.seq desc limit $2) s on true
                order by s.seq desc"#,
            before,
            most
        );
        let answer = line::timed(self.reads.patience(), question.fetch_all(line.open())).await;
        line.settle(answer).map_err(faults::store)
    }

    async fn user_rows(&self, user: UserId, before: i64, most: i64) -> Result<Vec<EntityRow>, StoreFault> {
        let mut line = self.reads.line().await.map_err(faults::store)?;
        let question = sqlx::query_as!(
            EntityRow,
            r#"select h.seq as as_of, (select journal_epoch()) as "epoch!",
                      s.kind, s.id, s.rev, s.seq, s.removed, s.author, s.author_rev, s.handle, s.name,
                      s.text, s.created_ms, s.edited_ms, s.object, s.parent, s.depth, s.bio, s.role
                 from journal_head h
                 join lateral (
                      select * from user_states u where u.id = $1
                      union all
                      (select * from post_states p
                        where p.author = $1 and not p.removed and p.seq < $2 order by p.seq desc limit $3)
                      ) s on true
                order by s.kind, s.seq desc"#,
            user.0,
            before,
            most
        );
        let answer = line::timed(self.reads.patience(), question.fetch_all(line.open())).await;
        line.settle(answer).map_err(faults::store)
    }
}

fn list(rows: Vec<EntityRow>, limit: u16) -> Result<Option<List>, StoreFault> {
    let Some(place) = rows.first() else {
        return Ok(None);
    };
    let as_of = shape::seq(place.as_of)?;
    let epoch = shape::epoch(place.epoch);
    let mut user = None;
    let mut posts = Vec::with_capacity(rows.len());
    // Takes a place in the page, so that the next one begins where it would have.
    let mut illegible = 0;
    for row in rows {
        let is_entity = row.kind.is_some();
        match row.legible() {
            Some(Entity::Post(post)) => posts.push(post),
            Some(Entity::User(profile)) => user = Some(profile),
            None => illegible += usize::from(is_entity),
            Some(_) => return Err(unexpected("entity in a list of posts")),
        }
    }
    let more = posts.len() + illegible > usize::from(limit);
    posts.truncate(usize::from(limit));
    let next = posts.last().filter(|_| more).map(|last| Cursor { epoch, seq: last.seq });
    Ok(Some(List { as_of, user, posts, next }))
}
