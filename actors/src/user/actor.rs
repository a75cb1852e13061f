//! The actor of one user online on this node; it lives as long as one of their connections does.
//! What it answers is versioned by `seq`: each worker's feed table brings it forward and keeps it in step with the journal.

use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, ActorFutureExt, AsyncContext, Context, Handler, WrapFuture};
use tidings_protocol::ids::{SessionId, UserId};
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::machine::LookUps;
use crate::bulkhead::Part;
use crate::ports::{Reads, StoreFault, Viewer};

/// What was found, if the database could say.
pub type Found = Result<Option<Viewer>, StoreFault>;

/// What the user actor is asked.
#[derive(Debug, actix::Message)]
#[rtype(result = "()")]
pub enum Message {
    /// Who they are, whom they follow, and whether this log-in lives.
    LookUp {
        /// The log-in.
        session: SessionId,
        /// Where to answer.
        to: oneshot::Sender<Found>,
    },
}

/// The actor.
pub struct User {
    id: UserId,
    reads: Arc<dyn Reads>,
    look_ups: LookUps<oneshot::Sender<Found>>,
}

/// Longest wait for the database; the client is then told to come back.
const PATIENCE: Duration = Duration::from_secs(5);

impl User {
    pub(super) fn new(id: UserId, reads: Arc<dyn Reads>) -> Self {
        Self { id, reads, look_ups: LookUps::default() }
    }

    fn read(&self, session: SessionId, ctx: &mut Context<Self>) {
        let reads = Arc::clone(&self.reads);
        let user = self.id;
        let read = async move { timeout(PATIENCE, reads.viewer(user, session)).await };
        ctx.spawn(read.into_actor(self).map(move |found, user, ctx| {
            let (served, again) = user.look_ups.found(session);
            let found = found.unwrap_or_else(|_| Err(StoreFault::Unavailable("no answer in time".to_owned())));
            for to in served {
                drop(to.send(found.clone()));
            }
            if again {
                user.read(session, ctx);
            }
        }));
    }
}

impl Actor for User {
    type Context = Context<Self>;
}

impl Drop for User {
    fn drop(&mut self) {
        // Those who wait hear `unavailable` as their senders go; the next one to ask finds a new actor.
        if std::thread::panicking() {
            Part::User.has_failed();
        }
    }
}

impl Handler<Message> for User {
    type Result = ();

    fn handle(&mut self, Message::LookUp { session, to }: Message, ctx: &mut Context<Self>) {
        if self.look_ups.ask(session, to) {
            self.read(session, ctx);
        }
    }
}
