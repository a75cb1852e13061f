//! Looking for people, posts and tags by words. Must never show a viewer more than they may see now (P5), and never let a question make the
//! database look at more than the functions of migration 34 allow.

mod index;
mod top;
mod words;

use async_trait::async_trait;
use tidings_actors::ports::{NotSearched, Search, StoreFault};
use tidings_protocol::entity::Author;
use tidings_protocol::ids::{PostId, UserId};
use tidings_protocol::limits::{MENTIONS_SUGGESTED, PEOPLE_FOUND, TAGS_FOUND};
use tidings_protocol::listing::Span;
use tidings_protocol::position::{Cursor, Seq};
use tidings_protocol::reply::PostsPage;
use tidings_protocol::search::{FoundPerson, FoundTag, MentionsSuggested, PeopleFound, PostsFound, TagsFound};
use tidings_protocol::text::{Prefix, Query};

use crate::shape::{self, Entity, entity_row, seq, stored, unexpected};
use crate::store::Store;
use crate::{faults, line};

#[async_trait]
impl Search for Store {
    async fn people(
        &self,
        viewer: Option<UserId>,
        query: &Query,
        before: Option<Seq>,
        limit: u16,
    ) -> Result<PeopleFound, NotSearched> {
        let tokens = words::tokens(query.as_str()).map_err(NotSearched::Unclear)?;
        let exact = query.as_str().trim().trim_start_matches('@').to_ascii_lowercase();
        Ok(self.people_found(viewer, &tokens, &exact, before, limit).await?)
    }

    async fn posts(
        &self,
        viewer: Option<UserId>,
        query: &Query,
        before: Option<Seq>,
        limit: u16,
    ) -> Result<PostsFound, NotSearched> {
        let question = words::question(query.as_str()).map_err(NotSearched::Unclear)?;
        Ok(self.posts_found(viewer, &question, before, limit).await?)
    }

    async fn top(
        &self,
        viewer: Option<UserId>,
        span: Span,
        before: Option<Seq>,
        limit: u16,
    ) -> Result<Option<PostsPage>, StoreFault> {
        self.read_top(viewer, span, before, limit).await
    }

    async fn tags(&self, prefix: &Prefix) -> Result<TagsFound, StoreFault> {
        let prefix = words::tag_prefix(prefix.as_str());
        let most = i32::try_from(TAGS_FOUND).unwrap_or(i32::MAX);
        let mut line = self.reads.line().await.map_err(faults::store)?;
        let question =
            sqlx::query!(r#"select k.tag as "tag!", k.posts as "posts!" from search_tags($1, $2) k"#, prefix, most);
        let answer = line::timed(self.reads.patience(), question.fetch_all(line.open())).await;
        let rows = line.settle(answer).map_err(faults::store)?;
        let tag = |(tag, posts): (String, i64)| {
            let tag = tag.parse().map_err(|_| unexpected("tag"))?;
            Ok(FoundTag { tag, posts: u64::try_from(posts).map_err(|_| unexpected("negative count"))? })
        };
        let tags = rows.into_iter().map(|row| tag((row.tag, row.posts)));
        Ok(TagsFound { tags: tags.collect::<Result<_, StoreFault>>()? })
    }

    async fn mentions(
        &self,
        viewer: UserId,
        prefix: &Prefix,
        post: Option<PostId>,
    ) -> Result<Option<MentionsSuggested>, StoreFault> {
        // Of several words the first one is the one that is looked for: a mention is one.
        let token = words::tokens(prefix.as_str()).ok().and_then(|tokens| tokens.into_iter().next());
        let most = i32::try_from(MENTIONS_SUGGESTED).unwrap_or(i32::MAX);
        let mut line = self.reads.line().await.map_err(faults::store)?;
        let question = sqlx::query!(
            r#"select a.may as "may!", u.id as "id?", u.rev as "rev?", u.handle as "handle?", u.name as "name?"
                 from (select $3::uuid is null or sees_post($1, $3) as may) a
                 left join lateral (select * from suggest_mentions($1, $2, $3, $4)) m on a.may
                 left join users u on u.id = m.id
                order by m.tier, m.nth desc, m.id"#,
            viewer.0,
            token.unwrap_or_default(),
            post.map(|post| post.0),
            most
        );
        let answer = line::timed(self.reads.patience(), question.fetch_all(line.open())).await;
        let rows = line.settle(answer).map_err(faults::store)?;
        if rows.iter().any(|row| !row.may) {
            return Ok(None);
        }
        let mut people = Vec::new();
        for row in rows {
            if let (Some(id), Some(rev), Some(handle), Some(name)) = (row.id, row.rev, row.handle, row.name) {
                people.push(Author { id: UserId(id), rev: seq(rev)?, handle, name });
            }
        }
        Ok(Some(MentionsSuggested { people }))
    }
}

impl Store {
    async fn people_found(
        &self,
        viewer: Option<UserId>,
        tokens: &[String],
        exact: &str,
        before: Option<Seq>,
        limit: u16,
    ) -> Result<PeopleFound, StoreFault> {
        // A place among the people found: they have none in the journal.
        let passed = before.map_or(0, |before| usize::try_from(before.0).unwrap_or(PEOPLE_FOUND)).min(PEOPLE_FOUND);
        let most = usize::from(limit).min(PEOPLE_FOUND - passed);
        let mut line = self.reads.line().await.map_err(faults::store)?;
        let question = sqlx::query!(
            r#"select h.seq as as_of, (select journal_epoch()) as "epoch!", f.following as "following!",
                      s.kind, s.id, s.rev, s.seq, s.removed, s.author, s.author_rev, s.handle, s.name,
                      s.text, s.created_ms, s.edited_ms, s.object, s.parent, s.depth, s.bio, s.role,
                      s.extra, s.scope
                 from journal_head h
                cross join lateral (
                      select * from search_people($1, $2, $3) p
                       order by p.tier, p.begins desc, p.followers desc, p.id offset $4 limit $5) f
                 join user_states s on s.id = f.id
                order by f.tier, f.begins desc, f.followers desc, f.id"#,
            viewer.map(|viewer| viewer.0),
            tokens,
            exact,
            i64::try_from(passed).unwrap_or(i64::MAX),
            i64::try_from(most).unwrap_or(i64::MAX).saturating_add(1)
        );
        let answer = line::timed(self.reads.patience(), question.fetch_all(line.open())).await;
        let mut rows = line.settle(answer).map_err(faults::store)?;
        let more = rows.len() > most && passed + most < PEOPLE_FOUND;
        rows.truncate(most);
        let place = Seq(u64::try_from(passed + most).unwrap_or(u64::MAX));
        let next = rows.first().filter(|_| more).map(|row| Cursor { epoch: shape::epoch(row.epoch), seq: place });
        let mut people = Vec::with_capacity(rows.len());
        for row in rows {
            let following = row.following;
            if let Some(Entity::User(user)) = entity_row!(row).legible() {
                people.push(FoundPerson { user, following });
            }
        }
        Ok(PeopleFound { people, next })
    }

    async fn posts_found(
        &self,
        viewer: Option<UserId>,
        question: &str,
        before: Option<Seq>,
        limit: u16,
    ) -> Result<PostsFound, StoreFault> {
        let mut line = self.reads.line().await.map_err(faults::store)?;
        // One more tells whether there is more.
        let asked = sqlx::query!(
            r#"select h.seq as as_of, (select journal_epoch()) as "epoch!", f.place as "place!",
                      s.kind as "kind?", s.id as "id?", s.rev as "rev?", s.seq as "seq?", s.removed as "removed?", s.author as "author?",
                      s.author_rev as "author_rev?", s.handle as "handle?", s.name as "name?",
                      s.text as "text?", s.created_ms as "created_ms?", s.edited_ms as "edited_ms?", s.object as "object?",
                      s.parent as "parent?", s.depth as "depth?", s.bio as "bio?", s.role as "role?",
                      s.extra as "extra?", s.scope as "scope?"
                 from journal_head h
                cross join lateral search_posts($1, websearch_to_tsquery('simple', $2), $3, $4) f
                 left join post_states s on s.id = f.post
                order by f.place desc"#,
            viewer.map(|viewer| viewer.0),
            question,
            before.map_or(i64::MAX, stored),
            i32::from(limit) + 1
        );
        let answer = line::timed(self.reads.patience(), asked.fetch_all(line.open())).await;
        let rows = line.settle(answer).map_err(faults::store)?;
        let (mut posts, mut shown, mut next) = (Vec::with_capacity(rows.len()), 0, None);
        let mut last = None;
        for row in rows {
            let place = Cursor { epoch: shape::epoch(row.epoch), seq: seq(row.place)? };
            if row.kind.is_none() {
                // So far was looked.
                next = Some(place);
            } else if shown == limit {
                next = last;
                break;
            } else {
                shown += 1;
                last = Some(place);
                if let Some(Entity::Post { post, .. }) = entity_row!(row).legible() {
                    posts.push(post);
                }
            }
        }
        Ok(PostsFound { posts, next })
    }
}
