//! What an operator does to somebody's account from the server's machine. Each change is an entry of the journal: the nodes hear of it.
//! Must never decide who an operator is: whoever reaches the database may.

use secrecy::{ExposeSecret, SecretString};
use tidings_actors::ports::{Accounts, StoreFault};
use tidings_protocol::entity::{LogIn, Role};
use tidings_protocol::ids::{SessionId, UserId};
use uuid::Uuid;

use crate::accounts::number;
use crate::store::Store;
use crate::{faults, line};

/// What somebody may do at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Whatever anybody may.
    Good,
    /// Read, and take back what they did.
    Suspended,
    /// Nothing, not even log in.
    Banned,
}

/// Why it was not done.
#[derive(Debug, thiserror::Error)]
pub enum NotDone {
    /// Nobody has that handle.
    #[error("there is no such user")]
    NoSuchUser,
    /// The schema is of an older version of the program, or there is none yet.
    #[error("the database's schema is older than this program: start this version of the server first")]
    OldSchema,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreFault),
}

/// What Postgres says when a function or a table is not there.
const NOT_THERE: [&str; 3] = ["42883", "42P01", "42703"];
/// What `user_called` raises.
const NO_DATA_FOUND: &str = "P0002";

pub(crate) fn not_done(error: sqlx::Error) -> NotDone {
    match faults::postgres(&error).map(|said| said.code()) {
        Some(NO_DATA_FOUND) => NotDone::NoSuchUser,
        Some(code) if NOT_THERE.contains(&code) => NotDone::OldSchema,
        _ => NotDone::Store(faults::store(error)),
    }
}

impl Store {
    /// Gives somebody a role. False if they had it.
    ///
    /// # Errors
    /// As [`NotDone`].
    pub async fn set_role(&self, handle: &str, role: Role) -> Result<bool, NotDone> {
        let name = match role {
            Role::User => "user",
            Role::Moderator => "moderator",
            Role::Admin => "admin",
        };
        let mut line = self.accounts.line().await.map_err(not_done)?;
        let question = sqlx::query_scalar!("select set_role($1, $2)", handle.to_lowercase(), name);
        let answer = line::timed(self.accounts.patience(), question.fetch_one(line.open())).await;
        Ok(line.settle(answer).map_err(not_done)?.is_some())
    }

    /// Suspends somebody, bans them, or neither any more. None if it was so already; otherwise how many log-ins ended with it.
    ///
    /// # Errors
    /// As [`NotDone`].
    pub async fn set_standing(&self, handle: &str, standing: Standing) -> Result<Option<u32>, NotDone> {
        let number_of = match standing {
            Standing::Good => 0_i16,
            Standing::Suspended => 1,
            Standing::Banned => 2,
        };
        let mut line = self.accounts.line().await.map_err(not_done)?;
        let question = sqlx::query!(
            r#"select changed as "changed!", ended as "ended!" from set_standing($1, $2)"#,
            handle,
            number_of
        );
        let answer = line::timed(self.accounts.patience(), question.fetch_one(line.open())).await;
        let told = line.settle(answer).map_err(not_done)?;
        Ok(told.changed.then(|| number(told.ended.into())))
    }

    /// Gives somebody a new password and ends all their log-ins. Tells how many there were.
    ///
    /// # Errors
    /// As [`NotDone`].
    pub async fn reset_password(&self, handle: &str, hash: &SecretString) -> Result<u32, NotDone> {
        let mut line = self.accounts.line().await.map_err(not_done)?;
        let question =
            sqlx::query_scalar!(r#"select reset_password($1, $2) as "ended!""#, handle, hash.expose_secret());
        let answer = line::timed(self.accounts.patience(), question.fetch_one(line.open())).await;
        Ok(number(line.settle(answer).map_err(not_done)?))
    }

    /// Ends all log-ins of somebody. Tells how many there were.
    ///
    /// # Errors
    /// As [`NotDone`].
    pub async fn log_out_everywhere(&self, handle: &str) -> Result<u32, NotDone> {
        let mut line = self.accounts.line().await.map_err(not_done)?;
        let question = sqlx::query_scalar!(r#"select log_out_by_operator($1) as "ended!""#, handle);
        let answer = line::timed(self.accounts.patience(), question.fetch_one(line.open())).await;
        Ok(number(line.settle(answer).map_err(not_done)?))
    }

    /// Ends somebody's account for good; nobody can take the handle for so many days.
    ///
    /// # Errors
    /// As [`NotDone`].
    pub async fn delete_account(&self, handle: &str, rest_days: u32) -> Result<(), NotDone> {
        const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
        let mut line = self.accounts.line().await.map_err(not_done)?;
        let question = sqlx::query_scalar!(
            r#"select delete_account_by_operator($1, $2) as "entry!""#,
            handle,
            i64::from(rest_days) * DAY_MS
        );
        let answer = line::timed(self.accounts.patience(), question.fetch_one(line.open())).await;
        line.settle(answer).map_err(not_done)?;
        Ok(())
    }

    /// The log-ins of somebody that are good, the last seen first.
    ///
    /// # Errors
    /// As [`NotDone`].
    pub async fn log_ins_of(&self, handle: &str) -> Result<Vec<LogIn>, NotDone> {
        let mut line = self.accounts.line().await.map_err(not_done)?;
        let question = sqlx::query_scalar!(r#"select user_called($1) as "id!""#, handle);
        let answer = line::timed(self.accounts.patience(), question.fetch_one(line.open())).await;
        let user = UserId(line.settle(answer).map_err(not_done)?);
        drop(line);
        // None of them asks.
        Ok(self.log_ins(user, SessionId(Uuid::nil())).await?)
    }
}
