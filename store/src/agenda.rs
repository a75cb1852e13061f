//! What is due. Must never do it: that is the journal's, which decides whether it is still to be done.

use async_trait::async_trait;
use tidings_actors::command::{Act, Command, Deed};
use tidings_actors::ports::{Agenda, StoreFault};
use tidings_actors::publishing::Timed;
use tidings_protocol::ids::{ActionId, CommentId, PostId, UserId};
use uuid::Uuid;

use crate::shape::unexpected;
use crate::store::Store;
use crate::{faults, line};

/// Rows of each kind that a deleted account's forgetting takes at a time: some 10 ms of work.
const FORGOTTEN: i32 = 1_000;

#[async_trait]
impl Agenda for Store {
    async fn due(&self, most: u16) -> Result<Vec<Command>, StoreFault> {
        let mut line = self.accounts.line().await.map_err(faults::store)?;
        let question = sqlx::query!(
            r#"select w.actor as "actor!", w.act as "act!", w.thing as "thing!"
                 from ((select m.muter as actor, 23::smallint as act, m.muted as thing from mutes m
                         where m.active and m.until_ms <= clock_ms()
                         order by m.until_ms limit $1::integer)
                       union all
                       (select u.id, 77::smallint, u.standing_action from users u
                         where u.standing = 1 and u.standing_until <= clock_ms() and u.standing_action is not null
                         order by u.standing_until limit $1::integer)
                       union all
                       select d.actor, d.act, d.thing from departing($1::integer) d) w
                limit $1::integer"#,
            i32::from(most)
        );
        let answer = line::timed(self.accounts.patience(), question.fetch_all(line.open())).await;
        let rows = line.settle(answer).map_err(faults::store)?;
        rows.into_iter().map(|row| command(UserId(row.actor), row.act, row.thing)).collect()
    }

    async fn due_drafts(&self, most: u16) -> Result<Vec<Timed>, StoreFault> {
        let mut line = self.accounts.line().await.map_err(faults::store)?;
        let question = sqlx::query!(
            "select d.user_id, d.id from drafts d
              where d.publish_ms <= clock_ms() and d.state < 2
              order by d.publish_ms limit $1",
            i64::from(most)
        );
        let answer = line::timed(self.accounts.patience(), question.fetch_all(line.open())).await;
        let rows = line.settle(answer).map_err(faults::store)?;
        Ok(rows.into_iter().map(|row| Timed { author: UserId(row.user_id), id: PostId(row.id) }).collect())
    }

    async fn forget_departed(&self) -> Result<bool, StoreFault> {
        let mut line = self.accounts.line().await.map_err(faults::store)?;
        let question = sqlx::query_scalar!(r#"select forget_departed($1) as "more!""#, FORGOTTEN);
        let answer = line::timed(self.accounts.patience(), question.fetch_one(line.open())).await;
        line.settle(answer).map_err(faults::store)
    }
}

/// What is to be done, by the number of the act that takes something back.
fn command(actor: UserId, act: i16, thing: Uuid) -> Result<Command, StoreFault> {
    let act = match act {
        4 => Act::Unfollow { whom: UserId(thing) },
        7 => Act::PostDelete { id: PostId(thing) },
        10 => Act::CommentDelete { id: CommentId(thing) },
        21 => Act::Deed(Deed::Unblock { whom: UserId(thing) }),
        23 => Act::Deed(Deed::Unmute { whom: UserId(thing) }),
        77 => Act::Deed(Deed::EndSuspension { action: ActionId(thing) }),
        25 => Act::Deed(Deed::Unreact { post: PostId(thing) }),
        _ => return Err(unexpected("act in the agenda")),
    };
    Ok(Command { actor, act })
}
