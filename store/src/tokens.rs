//! The port to what is kept of tokens and bots, on the connections of log-ins. A token is a log-in whose id its secret leads to.
//! Must never be able to tell a secret: it is not here.

use async_trait::async_trait;
use tidings_actors::ports::{NewApiToken, NotMade, StoreFault, TokenRows};
use tidings_protocol::bots::{Scopes, Token};
use tidings_protocol::entity::User;
use tidings_protocol::ids::{SessionId, UserId};
use tidings_protocol::limits::API_TOKENS;
use tidings_protocol::position::Millis;

use crate::shape::{UserRow, millis, unexpected};
use crate::store::Store;
use crate::{faults, line};

#[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "a constant far below 2^31")]
const MOST: i32 = API_TOKENS as i32;

#[async_trait]
impl TokenRows for Store {
    async fn keep_token(&self, new: NewApiToken) -> Result<Result<Millis, NotMade>, StoreFault> {
        let mut line = self.accounts.line().await.map_err(faults::store)?;
        let question = sqlx::query!(
            r#"select verdict as "verdict!", created_ms as "created_ms!" from make_token($1, $2, $3, $4, $5, $6, $7, $8)"#,
            new.by.user.0,
            new.by.session.0,
            new.bearer.0,
            new.session.0,
            new.name,
            i16::from(new.scopes.bits()),
            new.expires_at.map(|at| i64::try_from(at.0).unwrap_or(i64::MAX)),
            MOST
        );
        let answer = line::timed(self.accounts.patience(), question.fetch_one(line.open())).await;
        let told = line.settle(answer).map_err(faults::store)?;
        match told.verdict {
            0 => Ok(Ok(millis(told.created_ms))),
            1 => Ok(Err(NotMade::Ended)),
            2 => Ok(Err(NotMade::NoSuchBot)),
            3 => Ok(Err(NotMade::TooMany)),
            4 => Ok(Err(NotMade::NoModerator)),
            5 => Ok(Err(NotMade::Suspended)),
            _ => Err(unexpected("verdict")),
        }
    }

    async fn tokens_of(&self, owner: UserId, bot: Option<UserId>) -> Result<Option<Vec<Token>>, StoreFault> {
        let mut line = self.accounts.line().await.map_err(faults::store)?;
        let bearer = bot.unwrap_or(owner);
        // One row without a token tells a bot that has none from one that is not theirs.
        let question = sqlx::query!(
            r#"select s.id as "id?", t.name as "name?", t.scopes as "scopes?", t.expires_ms as "expires_ms?",
                      s.opened_ms as "opened_ms?", s.seen_ms as "seen_ms?"
                 from (select 1) may
                 left join (api_tokens t join sessions s on s.id = t.session)
                   on s.user_id = $2 and s.revoked_ms is null and coalesce(t.expires_ms > clock_ms(), true)
                where $1::uuid = $2 or is_bot_of($1, $2)
                order by s.opened_ms desc, s.id"#,
            owner.0,
            bearer.0
        );
        let answer = line::timed(self.accounts.patience(), question.fetch_all(line.open())).await;
        let rows = line.settle(answer).map_err(faults::store)?;
        if rows.is_empty() {
            return Ok(None);
        }
        let mut tokens = Vec::new();
        for row in rows {
            let (Some(id), Some(name), Some(scopes), Some(opened)) = (row.id, row.name, row.scopes, row.opened_ms)
            else {
                continue;
            };
            tokens.push(Token {
                id: SessionId(id),
                user: bearer,
                name,
                scopes: of_column(scopes)?.list(),
                created_at: millis(opened),
                seen_at: row.seen_ms.map(millis),
                expires_at: row.expires_ms.map(millis),
            });
        }
        Ok(Some(tokens))
    }

    async fn bearer_of(&self, owner: UserId, token: SessionId) -> Result<Option<UserId>, StoreFault> {
        let mut line = self.accounts.line().await.map_err(faults::store)?;
        let question = sqlx::query_scalar!(
            r#"select s.user_id from api_tokens t join sessions s on s.id = t.session
                where t.session = $2 and (s.user_id = $1 or is_bot_of($1, s.user_id))"#,
            owner.0,
            token.0
        );
        let answer = line::timed(self.accounts.patience(), question.fetch_optional(line.open())).await;
        Ok(line.settle(answer).map_err(faults::store)?.map(UserId))
    }

    async fn bots_of(&self, owner: UserId) -> Result<Vec<User>, StoreFault> {
        let mut line = self.accounts.line().await.map_err(faults::store)?;
        let question = sqlx::query_as!(
            UserRow,
            r#"select u.id, u.rev, u.handle, u.name, u.bio, u.role, u.created_ms, u.extra::text
                 from bots_of($1) b join users u on u.id = b
                order by u.seq"#,
            owner.0
        );
        let answer = line::timed(self.accounts.patience(), question.fetch_all(line.open())).await;
        line.settle(answer).map_err(faults::store)?.into_iter().map(UserRow::user).collect()
    }
}

fn of_column(scopes: i16) -> Result<Scopes, StoreFault> {
    u8::try_from(scopes).ok().and_then(Scopes::of_bits).ok_or_else(|| unexpected("scopes"))
}
