//! The port to private account data, on connections of its own: a flood of log-ins waits here and nowhere else.
//! Must never put a hash or an address into a type that can be printed.

use async_trait::async_trait;
use tidings_actors::ports::{Accounts, Credentials, NewToken, Rotation, StoreFault, TokenHash};
use tidings_protocol::entity::User;
use tidings_protocol::ids::{SessionId, UserId};

use crate::shape::{Entity, EntityRow, unexpected};
use crate::store::Store;
use crate::{faults, line};

/// A length of time for the database, which counts in signed milliseconds.
fn signed_ms(ms: u64) -> i64 {
    // Halved so that adding it to a clock cannot overflow.
    i64::try_from(ms).unwrap_or(i64::MAX / 2).min(i64::MAX / 2)
}

#[async_trait]
impl Accounts for Store {
    async fn credentials(&self, login: &str) -> Result<Option<Credentials>, StoreFault> {
        let mut line = self.accounts.line().await.map_err(faults::store)?;
        // A handle has no `@`, an address has one: at most one of the two is found.
        let question = sqlx::query!(
            "select user_id, password_hash from accounts
              where user_id = coalesce((select id from users where handle = lower($1)),
                                       (select user_id from accounts where email = $1))",
            login
        );
        let answer = line::timed(self.accounts.patience(), question.fetch_optional(line.open())).await;
        let found = line.settle(answer).map_err(faults::store)?;
        Ok(found
            .map(|account| Credentials { user: UserId(account.user_id), password_hash: account.password_hash.into() }))
    }

    async fn profile(&self, user: UserId) -> Result<Option<User>, StoreFault> {
        let mut line = self.accounts.line().await.map_err(faults::store)?;
        let question = sqlx::query_as!(
            EntityRow,
            r#"select h.seq as as_of, 0::bigint as "epoch!",
                      s.kind, s.id, s.rev, s.seq, s.removed, s.author, s.author_rev, s.handle, s.name,
                      s.text, s.created_ms, s.edited_ms, s.object, s.parent, s.depth, s.bio, s.role
                 from journal_head h join user_states s on s.id = $1"#,
            user.0
        );
        let answer = line::timed(self.accounts.patience(), question.fetch_optional(line.open())).await;
        line.settle(answer).map_err(faults::store)?.map(the_user).transpose()
    }

    async fn open_session(&self, user: UserId, session: SessionId, token: NewToken) -> Result<(), StoreFault> {
        let mut line = self.accounts.line().await.map_err(faults::store)?;
        let question = sqlx::query!(
            "with opened as (
                 insert into sessions (id, user_id, opened_ms) values ($1, $2, clock_ms()) returning id
             )
             insert into refresh_tokens (hash, session, expires_ms)
             select $3, opened.id, clock_ms() + $4 from opened",
            session.0,
            user.0,
            &token.hash[..],
            signed_ms(token.life_ms)
        );
        let answer = line::timed(self.accounts.patience(), question.execute(line.open())).await;
        line.settle(answer).map_err(faults::store).map(|_| ())
    }

    async fn rotate(&self, old: TokenHash, new: NewToken, grace_ms: u64) -> Result<Rotation, StoreFault> {
        let mut line = self.accounts.line().await.map_err(faults::store)?;
        let question = sqlx::query!(
            r#"select r.verdict as "verdict!", r.user_id, r.session,
                      s.rev, s.seq, s.handle, s.name, s.created_ms, s.bio, s.role
                 from rotate_token($1, $2, $3, $4) r
                 left join user_states s on s.id = r.user_id"#,
            &old[..],
            &new.hash[..],
            signed_ms(new.life_ms),
            signed_ms(grace_ms)
        );
        let answer = line::timed(self.accounts.patience(), question.fetch_one(line.open())).await;
        let row = line.settle(answer).map_err(faults::store)?;
        let (Some(user), Some(session)) = (row.user_id, row.session) else {
            return Ok(Rotation::Refused);
        };
        let session = SessionId(session);
        if row.verdict == 2 {
            return Ok(Rotation::Reused { user: UserId(user), session });
        }
        let user = the_user(EntityRow {
            kind: Some(1),
            id: Some(user),
            rev: row.rev,
            handle: row.handle,
            name: row.name,
            created_ms: row.created_ms,
            bio: row.bio,
            role: row.role,
            ..EntityRow::default()
        })?;
        match row.verdict {
            0 => Ok(Rotation::Rotated { user, session }),
            1 => Ok(Rotation::Repeated { user, session }),
            _ => Err(unexpected("verdict")),
        }
    }

    async fn session_of(&self, token: TokenHash) -> Result<Option<(UserId, SessionId)>, StoreFault> {
        let mut line = self.accounts.line().await.map_err(faults::store)?;
        let question = sqlx::query!(
            "select s.user_id, s.id
               from refresh_tokens t join sessions s on s.id = t.session
              where t.hash = $1 and t.expires_ms > clock_ms() and s.revoked_ms is null",
            &token[..]
        );
        let answer = line::timed(self.accounts.patience(), question.fetch_optional(line.open())).await;
        let found = line.settle(answer).map_err(faults::store)?;
        Ok(found.map(|row| (UserId(row.user_id), SessionId(row.id))))
    }
}

fn the_user(row: EntityRow) -> Result<User, StoreFault> {
    match row.entity()? {
        Some(Entity::User(user)) => Ok(user),
        _ => Err(unexpected("entity")),
    }
}
