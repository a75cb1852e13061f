//! What a session does about tokens and bots: making, listing, ending them. Must never see how a secret is made or checked: that is behind the
//! port [`BotDesk`](crate::ports::BotDesk).

use bytes::Bytes;
use tidings_protocol::bots::{BotsAll, TokenCreate, TokenRevoked, TokensAll};
use tidings_protocol::error::{ErrorCode, Refusal};
use tidings_protocol::ids::{RequestId, SessionId, UserId};

use super::feeds::unavailable;
use super::methods::log_in_first;
use crate::command::{Act, Command, Outcome};
use crate::frame;
use crate::limits::READ_PATIENCE_MS;
use crate::ports::{Claims, Submit};
use crate::worker::Worker;

/// What somebody does about tokens and bots.
#[derive(Clone, Debug)]
pub enum BotsJob {
    /// Make a token.
    Make(Box<TokenCreate>),
    /// Tokens, one's own or a bot's.
    Tokens(Option<UserId>),
    /// End a token.
    Revoke(SessionId),
    /// One's bots.
    All,
}

impl BotsJob {
    /// A token that is good for something.
    ///
    /// # Errors
    /// It is good for nothing.
    pub(super) fn make(wish: TokenCreate) -> Result<Self, Refusal> {
        if wish.scopes.is_empty() {
            return Err(Refusal::new(ErrorCode::Invalid, "name at least one").field("scopes"));
        }
        Ok(Self::Make(Box::new(wish)))
    }
}

/// Carries a job out and gives the answer's frame.
pub(super) async fn answer(worker: &Worker, claims: Option<Claims>, id: RequestId, job: BotsJob) -> Bytes {
    let done = match claims {
        Some(who) => carry_out(worker, who, id, job).await,
        None => Err(log_in_first()),
    };
    done.unwrap_or_else(|refusal| frame::error(worker.node.framing, Some(id), refusal))
}

async fn carry_out(worker: &Worker, who: Claims, id: RequestId, job: BotsJob) -> Result<Bytes, Refusal> {
    let (desk, framing) = (&worker.node.bots, worker.node.framing);
    match job {
        BotsJob::Make(wish) => Ok(frame::result(framing, id, bounded(desk.make(who, *wish)).await?)),
        BotsJob::Tokens(bot) => {
            let tokens = bounded(desk.tokens(who, bot)).await?;
            Ok(frame::result(framing, id, TokensAll { tokens }))
        }
        BotsJob::Revoke(token) => {
            let actor = bounded(desk.bearer(who, token)).await?;
            // The way of every log-in that ends: an entry of the journal, which all nodes hear of at once (P5).
            let act = Act::SessionRevoke { session: Some(token) };
            match worker.node.journal.submit(Command { actor, act }).await? {
                Outcome::Done(entry) | Outcome::Duplicate(entry) => {
                    Ok(frame::result(framing, id, TokenRevoked { id: token, seq: entry.seq }))
                }
                Outcome::Refused(denied) => Err(denied.refusal()),
            }
        }
        BotsJob::All => {
            let bots = bounded(desk.bots(who)).await?;
            Ok(frame::result(framing, id, BotsAll { bots }))
        }
    }
}

/// No session waits for ever.
async fn bounded<T>(work: impl Future<Output = Result<T, Refusal>>) -> Result<T, Refusal> {
    let patience = std::time::Duration::from_millis(READ_PATIENCE_MS);
    tokio::time::timeout(patience, work).await.unwrap_or_else(|_| Err(unavailable()))
}
