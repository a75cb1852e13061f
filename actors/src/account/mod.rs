//! What a session does for its user's own account: password, address, log-ins; and noting when a log-in was last connected.
//! Must never know how a password is checked: that is behind the port [`Desk`](crate::ports::Desk).

pub mod seen;

use bytes::Bytes;
use secrecy::SecretString;
use tidings_protocol::error::{ErrorCode, Refusal};
use tidings_protocol::ids::RequestId;
use tidings_protocol::reply::{AccountDeleted, EmailChanged, LogIns, OthersEnded};
use tidings_protocol::request::{AccountDelete, AccountEmail, AccountPassword};

use crate::command::{Act, Command, Outcome};
use crate::frame;
use crate::node::Node;
use crate::ports::{Claims, Submit};

/// What somebody does with their own account.
#[derive(Clone, Debug)]
pub enum AccountJob {
    /// Another password; the other log-ins end.
    Password {
        /// Until now.
        current: SecretString,
        /// From now on.
        new: SecretString,
    },
    /// Another address.
    Email {
        /// Shows who it is.
        password: SecretString,
        /// From now on.
        email: SecretString,
    },
    /// As its owner alone sees it.
    Get,
    /// Leave to fetch a copy of everything.
    Export,
    /// The end of it.
    Delete {
        /// Shows who it is.
        password: SecretString,
    },
    /// All log-ins.
    LogIns,
    /// Ends the others.
    EndOthers,
}

impl AccountJob {
    pub(crate) fn password(change: AccountPassword) -> Self {
        Self::Password { current: change.current.into(), new: change.new.into() }
    }

    pub(crate) fn delete(wish: AccountDelete) -> Self {
        Self::Delete { password: wish.password.into() }
    }

    pub(crate) fn email(change: AccountEmail) -> Self {
        Self::Email { password: change.password.into(), email: change.email.into() }
    }
}

/// Carries a job out and gives the answer's frame.
pub(crate) async fn answer(node: &Node, claims: Option<Claims>, id: RequestId, job: AccountJob) -> Bytes {
    let done = match claims {
        Some(who) => carry_out(node, who, id, job).await,
        None => Err(Refusal::new(ErrorCode::Unauthorized, "log in first")),
    };
    done.unwrap_or_else(|refusal| frame::error(node.framing, Some(id), refusal))
}

async fn carry_out(node: &Node, who: Claims, id: RequestId, job: AccountJob) -> Result<Bytes, Refusal> {
    use secrecy::ExposeSecret;
    let framing = node.framing;
    match job {
        AccountJob::Password { current, new } => {
            let ended = node.desk.change_password(who, current, new).await?;
            Ok(frame::result(framing, id, OthersEnded { ended }))
        }
        AccountJob::Email { password, email } => {
            let email = node.desk.change_email(who, password, email.expose_secret().to_owned()).await?;
            Ok(frame::result(framing, id, EmailChanged { email }))
        }
        AccountJob::Get => Ok(frame::result(framing, id, node.desk.account(who).await?)),
        AccountJob::Export => Ok(frame::result(framing, id, node.desk.export(who).await?)),
        AccountJob::Delete { password } => {
            let deed = node.desk.deletion(who, password).await?;
            match node.journal.submit(Command { actor: who.user, act: Act::Deed(deed) }).await? {
                Outcome::Done(entry) | Outcome::Duplicate(entry) => {
                    Ok(frame::result(framing, id, AccountDeleted { seq: entry.seq }))
                }
                Outcome::Refused(denied) => Err(denied.refusal()),
            }
        }
        AccountJob::LogIns => {
            let sessions = node.desk.log_ins(who).await?;
            Ok(frame::result(framing, id, LogIns { sessions }))
        }
        AccountJob::EndOthers => {
            let ended = node.desk.end_others(who).await?;
            Ok(frame::result(framing, id, OthersEnded { ended }))
        }
    }
}
