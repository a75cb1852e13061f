//! What people leave on posts: numbers, one's own reactions and bookmarks, earlier versions.
//! Must never name who else left a mark, nor tell a number of a post that its asker may not see (P5).

use std::collections::BTreeMap;

use async_trait::async_trait;
use tidings_actors::ports::{Marks, StoreFault};
use tidings_protocol::entity::Post;
use tidings_protocol::ids::{PostId, UserId};
use tidings_protocol::limits::POST_VERSIONS;
use tidings_protocol::marks::{
    Bookmarked, BookmarksPage, Emoji, MyMarks, PostCounts, PostHistory, PostStats, PostVersion,
};
use tidings_protocol::position::{Cursor, Seq};
use uuid::Uuid;

use crate::shape::{self, Entity, entity_row, millis, seq, stored, unexpected};
use crate::store::Store;
use crate::{faults, line};

#[async_trait]
impl Marks for Store {
    async fn stats(&self, viewer: Option<UserId>, posts: &[PostId]) -> Result<Vec<PostStats>, StoreFault> {
        let posts: Vec<Uuid> = posts.iter().map(|post| post.0).collect();
        let mut line = self.reads.line().await.map_err(faults::store)?;
        let question = sqlx::query!(
            r#"select h.seq as as_of, p.id as post, k.comments as "comments?", k.reposts as "reposts?",
                      k.quotes as "quotes?", k.reactions as "reactions?",
                      (select r.emoji from reactions r where r.user_id = $2 and r.post = p.id) as reaction,
                      exists(select from bookmarks b
                              where b.user_id = $2 and b.post = p.id and b.active) as "bookmarked!",
                      (select q.id from posts q
                        where q.author = $2 and q.of_post = p.id and q.text = '' and not q.removed) as repost
                 from journal_head h
                cross join unnest($1::uuid[]) with ordinality w (post, nth)
                 join posts p on p.id = w.post
                 left join post_counts k on k.post = p.id
                where not p.removed and sees($2, p.author, p.audience, p.mentioned)
                order by w.nth"#,
            &posts,
            viewer.map(|viewer| viewer.0)
        );
        let answer = line::timed(self.reads.patience(), question.fetch_all(line.open())).await;
        let rows = line.settle(answer).map_err(faults::store)?;
        let stats = rows.into_iter().map(|row| {
            let numbers = Numbers::of(row.comments, row.reposts, row.quotes, row.reactions);
            Ok(PostStats {
                counts: numbers.counts(row.as_of, row.post)?,
                mine: MyMarks {
                    reaction: row.reaction.map(emoji).transpose()?,
                    bookmarked: row.bookmarked,
                    repost: row.repost.map(PostId),
                },
            })
        });
        stats.collect()
    }

    async fn counts(&self, posts: &[PostId]) -> Result<Vec<PostCounts>, StoreFault> {
        let posts: Vec<Uuid> = posts.iter().map(|post| post.0).collect();
        let mut line = self.reads.line().await.map_err(faults::store)?;
        let question = sqlx::query!(
            r#"select h.seq as as_of, p.id as post, k.comments as "comments?", k.reposts as "reposts?",
                      k.quotes as "quotes?", k.reactions as "reactions?"
                 from journal_head h
                cross join unnest($1::uuid[]) w (post)
                 join posts p on p.id = w.post
                 left join post_counts k on k.post = p.id
                where not p.removed"#,
            &posts
        );
        let answer = line::timed(self.reads.patience(), question.fetch_all(line.open())).await;
        let rows = line.settle(answer).map_err(faults::store)?;
        let counts = rows
            .into_iter()
            .map(|row| Numbers::of(row.comments, row.reposts, row.quotes, row.reactions).counts(row.as_of, row.post));
        counts.collect()
    }

    async fn bookmarks_page(&self, user: UserId, before: Option<Seq>, limit: u16) -> Result<BookmarksPage, StoreFault> {
        let before = before.map_or(i64::MAX, stored);
        let mut line = self.reads.line().await.map_err(faults::store)?;
        // One more tells whether there is more.
        let question = sqlx::query!(
            r#"with page as materialized (
                   select b.post, b.rev from bookmarks b join posts p on p.id = b.post
                    where b.user_id = $1 and b.active and b.rev < $2
                      and not p.removed and sees($1, p.author, p.audience, p.mentioned)
                    order by b.rev desc limit $3
               )
               select h.seq as as_of, (select journal_epoch()) as "epoch!", page.rev as "marked!",
                      s.kind, s.id, s.rev, s.seq, s.removed, s.author, s.author_rev, s.handle, s.name,
                      s.text, s.created_ms, s.edited_ms, s.object, s.parent, s.depth, s.bio, s.role,
                      s.extra, s.scope
                 from journal_head h
                cross join page join post_states s on s.id = page.post
                order by page.rev desc"#,
            user.0,
            before,
            i64::from(limit) + 1
        );
        let answer = line::timed(self.reads.patience(), question.fetch_all(line.open())).await;
        let mut rows = line.settle(answer).map_err(faults::store)?;
        let more = rows.len() > usize::from(limit);
        rows.truncate(usize::from(limit));
        let last = rows.last().filter(|_| more).map(|last| (last.epoch, last.marked));
        let next = last.map(|(epoch, marked)| Ok(Cursor { epoch: shape::epoch(epoch), seq: seq(marked)? }));
        let mut bookmarks = Vec::with_capacity(rows.len());
        for row in rows {
            let rev = seq(row.marked)?;
            bookmarks.extend(post(entity_row!(row).legible())?.map(|post| Bookmarked { rev, post }));
        }
        Ok(BookmarksPage { bookmarks, next: next.transpose()? })
    }

    async fn history(&self, viewer: Option<UserId>, post: PostId) -> Result<Option<PostHistory>, StoreFault> {
        let most = i64::try_from(POST_VERSIONS).unwrap_or(i64::MAX);
        let mut line = self.reads.line().await.map_err(faults::store)?;
        let question = sqlx::query!(
            r#"select v.rev as "rev?", v.text as "text?", v.at_ms as "at_ms?"
                 from posts p
                 left join lateral (
                      select v.* from post_versions v
                       where v.post = p.id and sees($2, p.author, greatest(v.audience, p.audience), p.mentioned)
                       order by v.rev desc limit $3) v on true
                where p.id = $1 and not p.removed and sees($2, p.author, p.audience, p.mentioned)
                order by v.rev desc"#,
            post.0,
            viewer.map(|viewer| viewer.0),
            most
        );
        let answer = line::timed(self.reads.patience(), question.fetch_all(line.open())).await;
        let rows = line.settle(answer).map_err(faults::store)?;
        if rows.is_empty() {
            return Ok(None);
        }
        let version = |(rev, text, at): (i64, String, i64)| Ok(PostVersion { rev: seq(rev)?, text, at: millis(at) });
        let versions = rows.into_iter().filter_map(|row| Some((row.rev?, row.text?, row.at_ms?))).map(version);
        Ok(Some(PostHistory { versions: versions.collect::<Result<_, StoreFault>>()? }))
    }
}

/// A row of `post_counts`, which posts have to which something was added.
struct Numbers {
    comments: i64,
    reposts: i64,
    quotes: i64,
    reactions: Vec<i64>,
}

impl Numbers {
    fn of(comments: Option<i64>, reposts: Option<i64>, quotes: Option<i64>, reactions: Option<Vec<i64>>) -> Self {
        Self {
            comments: comments.unwrap_or_default(),
            reposts: reposts.unwrap_or_default(),
            quotes: quotes.unwrap_or_default(),
            reactions: reactions.unwrap_or_default(),
        }
    }

    fn counts(self, as_of: i64, post: Uuid) -> Result<PostCounts, StoreFault> {
        let mut reactions = BTreeMap::new();
        for (emoji, number) in Emoji::ALL.into_iter().zip(self.reactions) {
            if number > 0 {
                reactions.insert(emoji, count(number)?);
            }
        }
        Ok(PostCounts {
            post: PostId(post),
            seq: seq(as_of)?,
            comments: count(self.comments)?,
            reposts: count(self.reposts)?,
            quotes: count(self.quotes)?,
            reactions,
        })
    }
}

fn count(stored: i64) -> Result<u64, StoreFault> {
    u64::try_from(stored).map_err(|_| unexpected("negative count"))
}

/// By its number, from 1.
fn emoji(number: i16) -> Result<Emoji, StoreFault> {
    let at = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
    at.and_then(|at| Emoji::ALL.get(at)).copied().ok_or_else(|| unexpected("reaction"))
}

fn post(entity: Option<Entity>) -> Result<Option<Post>, StoreFault> {
    match entity {
        None => Ok(None),
        Some(Entity::Post { post, .. }) => Ok(Some(post)),
        Some(_) => Err(unexpected("entity among bookmarks")),
    }
}
