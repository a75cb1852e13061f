//! Profiles with how one stands to them.
//! Must never read private account data; that is the accounts' port.

use tidings_actors::ports::{StoreFault, Who};
use tidings_protocol::ids::UserId;
use tidings_protocol::reply::UserResult;

use crate::shape::{UserRow, unexpected};
use crate::store::Store;
use crate::{faults, line};

fn count(stored: i64) -> Result<u64, StoreFault> {
    u64::try_from(stored).map_err(|_| unexpected("negative count"))
}

impl Store {
    pub(super) async fn read_user(&self, viewer: Option<UserId>, who: &Who) -> Result<Option<UserResult>, StoreFault> {
        let (id, handle) = match who {
            Who::Id(id) => (Some(id.0), None),
            Who::Handle(handle) => (None, Some(handle.as_str())),
        };
        let mut line = self.reads.line().await.map_err(faults::store)?;
        let question = sqlx::query!(
            r#"select u.id, u.rev, u.handle, u.name, u.bio, u.role, u.created_ms, u.extra::text,
                      exists(select from follows f
                              where f.follower = $3 and f.followee = u.id and f.active) as "following!",
                      exists(select from follows f
                              where f.follower = u.id and f.followee = $3 and f.active) as "followed_by!",
                      has_asked($3, u.id) as "requested!", has_asked(u.id, $3) as "requested_by!",
                      coalesce((select c.followers from follow_counts c where c.user_id = u.id), 0) as "followers!",
                      (select count(*) from follows f where f.follower = u.id and f.active) as "follows!",
                      exists(select from blocks k
                              where k.blocker = $3 and k.blocked = u.id and k.active) as "blocking!",
                      exists(select from mutes m where m.muter = $3 and m.muted = u.id and m.active) as "muting!",
                      (select count(*) from posts p
                        where p.author = u.id and not p.removed and (p.audience = 0 or u.id = $3)) as "posts!"
                 from users u
                where u.deleted_ms is null and u.id = coalesce($1, (select n.id from users n where n.handle = $2))
                  and not exists(select from blocks k where k.blocker = u.id and k.blocked = $3 and k.active)"#,
            id,
            handle,
            viewer.map(|viewer| viewer.0)
        );
        let answer = line::timed(self.reads.patience(), question.fetch_optional(line.open())).await;
        let Some(row) = line.settle(answer).map_err(faults::store)? else {
            return Ok(None);
        };
        let user = UserRow {
            id: row.id,
            rev: row.rev,
            handle: row.handle,
            name: row.name,
            bio: row.bio,
            role: row.role,
            created_ms: row.created_ms,
            extra: row.extra,
        };
        Ok(Some(UserResult {
            user: user.user()?,
            following: row.following,
            followed_by: row.followed_by,
            requested: row.requested,
            requested_by: row.requested_by,
            blocking: row.blocking,
            muting: row.muting,
            followers: count(row.followers)?,
            follows: count(row.follows)?,
            posts: count(row.posts)?,
        }))
    }
}
