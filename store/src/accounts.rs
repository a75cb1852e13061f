//! The port to private account data, on connections of its own: a flood of log-ins waits here and nowhere else.
//! Must never put a hash or an address into a type that can be printed.

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use tidings_actors::account::seen::Sighting;
use tidings_actors::ports::{
    Accounts, Credentials, NewToken, NotChanged, Opening, Rotation, Shown, StoreFault, TokenHash,
};
use tidings_protocol::account::{AccountGot, AccountStanding};
use tidings_protocol::entity::{LogIn, User};
use tidings_protocol::ids::{SessionId, UserId};
use tidings_protocol::limits::LOG_INS_PER_USER;
use uuid::Uuid;

use crate::shape::{Entity, EntityRow, millis, role, unexpected};
use crate::store::Store;
use crate::{faults, line};

#[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "a constant far below 2^31")]
const MOST_LOG_INS: i32 = LOG_INS_PER_USER as i32;

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
            r#"select a.user_id, a.password_hash, u.standing = 2 as "banned!"
                 from accounts a join users u on u.id = a.user_id
                where a.user_id = coalesce((select n.id from users n where n.handle = lower($1)),
                                           (select o.user_id from accounts o where o.email = $1))"#,
            login
        );
        let answer = line::timed(self.accounts.patience(), question.fetch_optional(line.open())).await;
        let found = line.settle(answer).map_err(faults::store)?;
        Ok(found.map(|account| Credentials {
            user: UserId(account.user_id),
            password_hash: account.password_hash.into(),
            banned: account.banned,
        }))
    }

    async fn profile(&self, user: UserId) -> Result<Option<User>, StoreFault> {
        let mut line = self.accounts.line().await.map_err(faults::store)?;
        let question = sqlx::query_as!(
            EntityRow,
            r#"select h.seq as as_of, 0::bigint as "epoch!",
                      s.kind, s.id, s.rev, s.seq, s.removed, s.author, s.author_rev, s.handle, s.name,
                      s.text, s.created_ms, s.edited_ms, s.object, s.parent, s.depth, s.bio, s.role,
                      s.extra, s.scope
                 from journal_head h join user_states s on s.id = $1"#,
            user.0
        );
        let answer = line::timed(self.accounts.patience(), question.fetch_optional(line.open())).await;
        line.settle(answer).map_err(faults::store)?.map(the_user).transpose()
    }

    async fn account(&self, user: UserId) -> Result<Option<AccountGot>, StoreFault> {
        let mut line = self.accounts.line().await.map_err(faults::store)?;
        let question = sqlx::query!(
            r#"select a.email, u.created_ms, u.role, u.standing,
                      (select count(*) from sessions s
                        where s.user_id = a.user_id and s.revoked_ms is null
                          and exists (select from refresh_tokens t
                                       where t.session = s.id and t.expires_ms > clock_ms())) as "sessions!"
                 from accounts a join users u on u.id = a.user_id
                where a.user_id = $1"#,
            user.0
        );
        let answer = line::timed(self.accounts.patience(), question.fetch_optional(line.open())).await;
        let found = line.settle(answer).map_err(faults::store)?;
        found
            .map(|row| {
                let standing = match row.standing {
                    0 => AccountStanding::Good,
                    1 => AccountStanding::Suspended,
                    2 => AccountStanding::Banned,
                    _ => return Err(unexpected("standing")),
                };
                let (email, created_at, sessions) = (row.email, millis(row.created_ms), number(row.sessions));
                Ok(AccountGot { email, created_at, sessions, role: role(row.role)?, standing })
            })
            .transpose()
    }

    async fn password_hash(&self, user: UserId) -> Result<Option<SecretString>, StoreFault> {
        let mut line = self.accounts.line().await.map_err(faults::store)?;
        let question = sqlx::query_scalar!("select password_hash from accounts where user_id = $1", user.0);
        let answer = line::timed(self.accounts.patience(), question.fetch_optional(line.open())).await;
        Ok(line.settle(answer).map_err(faults::store)?.map(SecretString::from))
    }

    async fn open_session(&self, opening: Opening) -> Result<bool, StoreFault> {
        let mut line = self.accounts.line().await.map_err(faults::store)?;
        let question = sqlx::query_scalar!(
            r#"select open_session($1, $2, $3, $4, $5, $6, $7) as "opened!""#,
            opening.user.0,
            opening.session.0,
            &opening.token.hash[..],
            signed_ms(opening.token.life_ms),
            opening.device,
            opening.checked.as_ref().map(ExposeSecret::expose_secret),
            MOST_LOG_INS
        );
        let answer = line::timed(self.accounts.patience(), question.fetch_one(line.open())).await;
        line.settle(answer).map_err(faults::store)
    }

    async fn change_password(&self, by: Shown, hash: SecretString) -> Result<Result<u32, NotChanged>, StoreFault> {
        let mut line = self.accounts.line().await.map_err(faults::store)?;
        let question = sqlx::query!(
            r#"select verdict as "verdict!", ended as "ended!" from change_password($1, $2, $3, $4)"#,
            by.user.0,
            by.session.0,
            by.checked.expose_secret(),
            hash.expose_secret()
        );
        let answer = line::timed(self.accounts.patience(), question.fetch_one(line.open())).await;
        let told = line.settle(answer).map_err(faults::store)?;
        Ok(verdict(told.verdict)?.map(|()| number(told.ended)))
    }

    async fn change_email(&self, by: Shown, email: &str) -> Result<Result<(), NotChanged>, StoreFault> {
        let mut line = self.accounts.line().await.map_err(faults::store)?;
        let question = sqlx::query_scalar!(
            r#"select change_email($1, $2, $3, $4) as "verdict!""#,
            by.user.0,
            by.session.0,
            by.checked.expose_secret(),
            email
        );
        let answer = line::timed(self.accounts.patience(), question.fetch_one(line.open())).await;
        verdict(line.settle(answer).map_err(faults::store)?)
    }

    async fn log_ins(&self, user: UserId, current: SessionId) -> Result<Vec<LogIn>, StoreFault> {
        let mut line = self.accounts.line().await.map_err(faults::store)?;
        let question = sqlx::query!(
            r#"select s.id, s.device, s.client, s.opened_ms, coalesce(s.seen_ms, s.opened_ms) as "seen_ms!"
                 from sessions s
                where s.user_id = $1 and s.revoked_ms is null
                  and (s.id = $2
                       or exists (select from refresh_tokens t where t.session = s.id and t.expires_ms > clock_ms()))
                order by 5 desc, s.opened_ms desc
                limit $3"#,
            user.0,
            current.0,
            i64::from(MOST_LOG_INS)
        );
        let answer = line::timed(self.accounts.patience(), question.fetch_all(line.open())).await;
        let rows = line.settle(answer).map_err(faults::store)?;
        let log_ins = rows.into_iter().map(|row| LogIn {
            id: SessionId(row.id),
            device: row.device,
            client: row.client,
            created_at: millis(row.opened_ms),
            seen_at: millis(row.seen_ms),
            current: row.id == current.0,
        });
        Ok(log_ins.collect())
    }

    async fn end_other_sessions(&self, user: UserId, but: SessionId) -> Result<Option<u32>, StoreFault> {
        let mut line = self.accounts.line().await.map_err(faults::store)?;
        let question = sqlx::query_scalar!("select revoke_others($1, $2)", user.0, but.0);
        let answer = line::timed(self.accounts.patience(), question.fetch_one(line.open())).await;
        Ok(line.settle(answer).map_err(faults::store)?.map(number))
    }

    async fn note_seen(&self, seen: &[Sighting]) -> Result<(), StoreFault> {
        let mut line = self.accounts.line().await.map_err(faults::store)?;
        let ids: Vec<Uuid> = seen.iter().map(|(session, _)| session.0).collect();
        let clients: Vec<Option<&str>> = seen.iter().map(|(_, client)| client.as_deref()).collect();
        let question = sqlx::query!("select note_seen($1, $2)", &ids, &clients as _);
        let answer = line::timed(self.accounts.patience(), question.fetch_one(line.open())).await;
        line.settle(answer).map_err(faults::store).map(|_| ())
    }

    async fn rotate(&self, old: TokenHash, new: NewToken, grace_ms: u64) -> Result<Rotation, StoreFault> {
        let mut line = self.accounts.line().await.map_err(faults::store)?;
        let question = sqlx::query!(
            r#"select r.verdict as "verdict!", r.user_id, r.session,
                      s.rev, s.seq, s.handle, s.name, s.created_ms, s.bio, s.role, s.extra
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
            extra: row.extra,
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

/// What a changing function of the migration answers.
fn verdict(told: i16) -> Result<Result<(), NotChanged>, StoreFault> {
    match told {
        0 => Ok(Ok(())),
        1 => Ok(Err(NotChanged::Ended)),
        2 => Ok(Err(NotChanged::OtherPassword)),
        3 => Ok(Err(NotChanged::EmailTaken)),
        _ => Err(unexpected("verdict")),
    }
}

/// A count from the database.
pub(crate) fn number(told: i64) -> u32 {
    u32::try_from(told.max(0)).unwrap_or(u32::MAX)
}

fn the_user(row: EntityRow) -> Result<User, StoreFault> {
    match row.entity()? {
        Some(Entity::User(user)) => Ok(user),
        _ => Err(unexpected("entity")),
    }
}
