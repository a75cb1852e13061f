//! Lists of posts, newest first: `home`, `global`, `tag:<name>`, `list:<id>`, `user:<id>`. The same statement serves snapshots and pages.
//! Must never use offsets: a page goes on from the `seq` of its last post, whatever happened in between.

use tidings_actors::ports::StoreFault;
use tidings_protocol::entity::{Post, User};
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::{ListId, UserId};
use tidings_protocol::position::{Cursor, Seq};
use tidings_protocol::spans::Tag;

use crate::shape::{self, Entity, EntityRow, stored, unexpected};
use crate::store::Store;
use crate::{faults, line};

/// Part of a list, as of `as_of`.
pub(super) struct List {
    pub(super) as_of: Seq,
    /// The profile, for `user:<id>`.
    pub(super) user: Option<User>,
    pub(super) posts: Vec<Post>,
    /// Pinned ones among these and older ones, for `user:<id>` from its newest post on.
    pub(super) pinned: Vec<Post>,
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
            (FeedName::Global, _) => self.global_rows(viewer, before, most).await?,
            (FeedName::Tag(tag), _) => self.tag_rows(viewer, tag, before, most).await?,
            (FeedName::User(user), _) => self.user_rows(viewer, user, before, most).await?,
            (FeedName::List(list), Some(viewer)) => self.chosen_rows(viewer, list, before, most).await?,
            (
                FeedName::Home
                | FeedName::List(_)
                | FeedName::Notifications
                | FeedName::Me
                | FeedName::Mod
                | FeedName::Firehose
                | FeedName::Post(_),
                _,
            ) => {
                return Ok(None);
            }
        };
        list(rows, limit)
    }

    async fn home_rows(&self, viewer: UserId, before: i64, most: i64) -> Result<Vec<EntityRow>, StoreFault> {
        let mut line = self.reads.line().await.map_err(faults::store)?;
        let question = sqlx::query_file_as!(EntityRow, "src/reads/home.sql", viewer.0, before, most);
        let answer = line::timed(self.reads.patience(), question.fetch_all(line.open())).await;
        line.settle(answer).map_err(faults::store)
    }

    /// The newest of each who is in it, merged: some entries of an index for each.
    async fn chosen_rows(
        &self,
        viewer: UserId,
        list: ListId,
        before: i64,
        most: i64,
    ) -> Result<Vec<EntityRow>, StoreFault> {
        let mut line = self.reads.line().await.map_err(faults::store)?;
        let question = sqlx::query_as!(
            EntityRow,
            r#"with page as materialized (
                   select n.id
                     from (select m.member as author,
                                  exists(select from follows f
                                          where f.follower = $1 and f.followee = m.member and f.active) as followed
                             from lists l join list_members m on m.list = l.id and m.active
                            where l.id = $4 and l.owner = $1 and not (m.member = any(array(select unnest(hidden_from($1)))))) a
                    cross join lateral (
                          select p.id, p.seq from posts p
                           where p.author = a.author and not p.removed and p.seq < $2
                             and (p.audience = 0 or p.author = $1 or p.audience = 1 and a.followed
                                  or p.audience < 3 and $1 = any(p.mentioned))
                           order by p.seq desc limit $3) n
                    order by n.seq desc limit $3
               )
               select h.seq as as_of, (select journal_epoch()) as "epoch!",
                      s.kind, s.id, s.rev, s.seq, s.removed, s.author, s.author_rev, s.handle, s.name,
                      s.text, s.created_ms, s.edited_ms, s.object, s.parent, s.depth, s.bio, s.role,
                      s.extra, s.scope
                 from journal_head h
                 join lists l on l.id = $4 and l.owner = $1 and not l.removed
                 left join lateral (select p.* from page join post_states p on p.id = page.id) s on true
                order by s.seq desc"#,
            viewer.0,
            before,
            most,
            list.0
        );
        let answer = line::timed(self.reads.patience(), question.fetch_all(line.open())).await;
        line.settle(answer).map_err(faults::store)
    }

    async fn global_rows(&self, viewer: Option<UserId>, before: i64, most: i64) -> Result<Vec<EntityRow>, StoreFault> {
        let mut line = self.reads.line().await.map_err(faults::store)?;
        let question = sqlx::query_as!(
            EntityRow,
            r#"with page as materialized (
                   select p.id from posts p
                    where not p.removed and p.audience = 0 and p.seq < $2
                      and not (p.author = any(array(select unnest(hidden_from($1)))))
                    order by p.seq desc limit $3
               )
               select h.seq as as_of, (select journal_epoch()) as "epoch!",
                      s.kind, s.id, s.rev, s.seq, s.removed, s.author, s.author_rev, s.handle, s.name,
                      s.text, s.created_ms, s.edited_ms, s.object, s.parent, s.depth, s.bio, s.role,
                      s.extra, s.scope
                 from journal_head h
                 left join lateral (select p.* from page join post_states p on p.id = page.id) s on true
                order by s.seq desc"#,
            viewer.map(|viewer| viewer.0),
            before,
            most
        );
        let answer = line::timed(self.reads.patience(), question.fetch_all(line.open())).await;
        line.settle(answer).map_err(faults::store)
    }

    async fn tag_rows(
        &self,
        viewer: Option<UserId>,
        tag: Tag,
        before: i64,
        most: i64,
    ) -> Result<Vec<EntityRow>, StoreFault> {
        let mut line = self.reads.line().await.map_err(faults::store)?;
        let question = sqlx::query_as!(
            EntityRow,
            r#"with page as materialized (
                   select p.id from post_tags t join posts p on p.id = t.post
                    where t.tag = $4 and t.seq < $2
                      and not p.removed and p.audience = 0 and $4 = any(p.tags)
                      and not (p.author = any(array(select unnest(hidden_from($1)))))
                    order by t.seq desc limit $3
               )
               select h.seq as as_of, (select journal_epoch()) as "epoch!",
                      s.kind, s.id, s.rev, s.seq, s.removed, s.author, s.author_rev, s.handle, s.name,
                      s.text, s.created_ms, s.edited_ms, s.object, s.parent, s.depth, s.bio, s.role,
                      s.extra, s.scope
                 from journal_head h
                 left join lateral (select p.* from page join post_states p on p.id = page.id) s on true
                order by s.seq desc"#,
            viewer.map(|viewer| viewer.0),
            before,
            most,
            tag.as_str()
        );
        let answer = line::timed(self.reads.patience(), question.fetch_all(line.open())).await;
        line.settle(answer).map_err(faults::store)
    }

    async fn user_rows(
        &self,
        viewer: Option<UserId>,
        user: UserId,
        before: i64,
        most: i64,
    ) -> Result<Vec<EntityRow>, StoreFault> {
        let mut line = self.reads.line().await.map_err(faults::store)?;
        let question = sqlx::query_as!(
            EntityRow,
            r#"with page as materialized (
                   select p.id from posts p
                    where p.author = $1 and not p.removed and p.seq < $2
                      and (p.audience = 0 or p.author = $4 or p.audience < 3 and $4 = any(p.mentioned)
                           or p.audience = 1 and exists(select from follows f
                                                         where f.follower = $4 and f.followee = $1 and f.active))
                    order by p.seq desc limit $3
               ), pinned as materialized (
                   select p.id from posts p
                    where $5 and p.author = $1 and p.extra ? 'pinned'
                      and sees($4, p.author, p.audience, p.mentioned)
               )
               select h.seq as as_of, (select journal_epoch()) as "epoch!",
                      s.kind, s.id, s.rev, s.seq, s.removed, s.author, s.author_rev, s.handle, s.name,
                      s.text, s.created_ms, s.edited_ms, s.object, s.parent, s.depth, s.bio, s.role,
                      s.extra, s.scope
                 from journal_head h
                 join lateral (
                      select * from user_states u where u.id = $1
                      union all
                      select p.* from (select id from page union select id from pinned) w
                        join post_states p on p.id = w.id
                      ) s on true
                where ($1 = $4 or not blocks_between($1, $4))
                  and not exists(select from users d where d.id = $1 and d.deleted_ms is not null)
                order by s.kind, s.seq desc"#,
            user.0,
            before,
            most,
            viewer.map(|viewer| viewer.0),
            before == i64::MAX
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
            Some(Entity::Post { post, .. }) => posts.push(post),
            Some(Entity::User(profile)) => user = Some(profile),
            None => illegible += usize::from(is_entity),
            Some(_) => return Err(unexpected("entity in a list of posts")),
        }
    }
    let more = posts.len() + illegible > usize::from(limit);
    let pinned = posts.iter().filter(|post| post.extra.pinned).cloned().collect();
    // What is older than the page is there only if the page is full.
    posts.truncate(usize::from(limit));
    let next = posts.last().filter(|_| more).map(|last| Cursor { epoch, seq: last.seq });
    Ok(Some(List { as_of, user, posts, pinned, next }))
}
