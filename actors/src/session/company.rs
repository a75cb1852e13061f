//! What a session does about who is here: what it shows, whom it watches, what it types, which posts it reads. All of it is for the moment.
//! Must never wait for it but for the name of whoever types, and must never let somebody type where they may not read.

use std::rc::Rc;

use actix::{ActorFutureExt, AsyncContext, Context, WrapFuture};
use bytes::Bytes;
use tidings_protocol::entity::{Author, User};
use tidings_protocol::error::{ErrorCode, Refusal};
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::{RequestId, UserId};
use tidings_protocol::limits::{PRESENCE_WATCHED, TYPING_AGAIN_MS};
use tidings_protocol::presence::{
    PresenceSet, PresenceShown, PresenceWatch, PresenceWatched, Showing, TypingSend, TypingSent,
};

use super::actor::Session;
use super::feeds;
use super::machine::Ticket;
use crate::frame;
use crate::ports::Claims;
use crate::presence::Thread;
use crate::presence::visit::Visit;
use crate::user::Seat;

/// What is asked about who is here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CompanyJob {
    /// Hear of these people from now on, instead of those before.
    Watch(Vec<UserId>),
    /// Show this from now on.
    Show(Showing),
    /// One types here.
    Type(Thread),
}

impl CompanyJob {
    /// Of `presence.watch`.
    ///
    /// # Errors
    /// Too many people.
    pub fn watch(watch: PresenceWatch) -> Result<Self, Refusal> {
        if watch.ids.len() > PRESENCE_WATCHED {
            let message = format!("at most {PRESENCE_WATCHED} people can be watched");
            return Err(Refusal::new(ErrorCode::LimitReached, message).field("ids"));
        }
        Ok(Self::Watch(watch.ids))
    }

    /// Of `presence.set`.
    #[must_use]
    pub const fn show(set: PresenceSet) -> Self {
        Self::Show(set.status)
    }

    /// Of `typing.send`.
    #[must_use]
    pub const fn typing(typing: TypingSend) -> Self {
        Self::Type(Thread { post: typing.post, parent: typing.parent })
    }
}

impl Session {
    /// The session begins, as its user's if it has one.
    pub(super) fn begins_visit(&mut self, showing: Showing) {
        let visit = |user| Visit::begins(Rc::clone(&self.worker), Rc::clone(&self.link), user, showing);
        self.visit = self.viewer.map(visit).map(Box::new);
        self.hides_as_chosen();
        if let Some(place) = &self.place {
            let feeds = self.worker.table().feeds(place.slot()).to_vec();
            feeds.into_iter().for_each(|feed| self.reads(feed));
        }
    }

    /// Whether its user is never to be shown to be here, whatever the connection wishes.
    pub(super) fn hides(&mut self, hides: bool) {
        if let Some(visit) = self.visit.as_mut() {
            visit.opts_out(hides);
        }
    }

    /// The same, as it is now: where somebody has been looked up.
    pub(super) fn hides_as_chosen(&mut self) {
        let place = self.place.clone();
        if let Some(place) = place {
            let hides = self.worker.table().hides(place.slot());
            self.hides(hides);
        }
    }

    /// A feed is watched from now on.
    pub(super) fn reads(&self, feed: FeedName) {
        self.worker.reads(feed, &self.link);
    }

    /// Carries a job out and answers.
    pub(super) fn keep_company(&mut self, ticket: Ticket, id: RequestId, job: CompanyJob, ctx: &mut Context<Self>) {
        let framing = self.worker.node.framing;
        let Some(visit) = self.visit.as_mut() else {
            let answer = frame::error(framing, Some(id), Refusal::new(ErrorCode::Unauthorized, "log in first"));
            return self.finish(ticket, answer, ctx);
        };
        let answer = match job {
            CompanyJob::Watch(ids) => frame::result(framing, id, PresenceWatched { users: visit.watches(ids) }),
            CompanyJob::Show(status) => {
                visit.wishes(status);
                frame::result(framing, id, PresenceShown { status })
            }
            CompanyJob::Type(thread) => return self.begins_typing(ticket, id, thread, ctx),
        };
        self.finish(ticket, answer, ctx);
    }

    /// Looks up first who they are to others, if that was not done lately.
    fn begins_typing(&mut self, ticket: Ticket, id: RequestId, thread: Thread, ctx: &mut Context<Self>) {
        let card = self.visit.as_ref().and_then(|visit| visit.card());
        let (Some(seat), Some(claims), None) = (self.seat.clone(), self.claims, &card) else {
            let answer = self.types(id, thread, card.ok_or_else(feeds::unavailable));
            return self.finish(ticket, answer, ctx);
        };
        let card = Box::pin(async move { look_up(&seat, claims).await });
        ctx.spawn(card.into_actor(self).map(move |card, session, ctx| {
            if let (Ok(who), Some(visit)) = (&card, session.visit.as_mut()) {
                visit.keeps_card(who.clone());
            }
            let answer = session.types(id, thread, card);
            session.finish(ticket, answer, ctx);
        }));
    }

    fn types(&self, id: RequestId, thread: Thread, who: Result<Author, Refusal>) -> Bytes {
        let framing = self.worker.node.framing;
        let reads = self.place.as_ref().is_some_and(|place| self.worker.table().is_reader(place.slot(), thread.post));
        if !reads {
            // The same whether there is such a post or not.
            let refusal = Refusal::new(ErrorCode::Forbidden, "watch the post's feed first").field("post");
            return frame::error(framing, Some(id), refusal);
        }
        match (who, &self.visit) {
            (Ok(who), Some(visit)) => {
                visit.types(thread, who);
                frame::result(framing, id, TypingSent { again_after_ms: TYPING_AGAIN_MS })
            }
            (Err(refusal), _) => frame::error(framing, Some(id), refusal),
            (Ok(_), None) => frame::error(framing, Some(id), feeds::unavailable()),
        }
    }
}

async fn look_up(seat: &Seat, claims: Claims) -> Result<Author, Refusal> {
    match feeds::bounded(seat.look_up(claims.session)).await? {
        Ok(viewer) => Ok(author(viewer.user)),
        // The log-in has just ended; the session is about to.
        Err(_) => Err(feeds::unavailable()),
    }
}

fn author(user: User) -> Author {
    let User { id, rev, handle, name, .. } = user;
    Author { id, rev, handle, name }
}
