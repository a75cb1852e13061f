//! A session that has fallen behind or has to start feeds afresh: catching up as the reader takes it, fresh starts one at a time.

use std::rc::Rc;
use std::time::Duration;

use actix::{ActorFutureExt, AsyncContext, Context, WrapFuture};
use tidings_protocol::close::CloseCode;

use super::actor::Session;
use super::refresh::{NotRefreshed, Reach, refresh};
use crate::feed::catch_up::CaughtUp;
use crate::limits;

impl Session {
    pub(super) fn caught_up(&mut self, caught_up: CaughtUp, ctx: &mut Context<Self>) {
        match caught_up {
            // Marks the end of what was missed, and tells the new position.
            CaughtUp::Live => self.heartbeat(),
            CaughtUp::Waiting => {}
            CaughtUp::Beyond => self.want(Reach::All, ctx),
        }
    }

    pub(super) fn drained(&mut self, ctx: &mut Context<Self>) {
        let Some(place) = self.place.clone() else { return };
        if self.worker.table().is_behind(place.slot()) {
            let caught_up = self.worker.table_mut().catch_up(place.slot());
            self.caught_up(caught_up, ctx);
        }
    }

    /// Wants a fresh start; several wishes become one.
    pub(super) fn want(&mut self, reach: Reach, ctx: &mut Context<Self>) {
        self.wanted = Some(match self.wanted.take() {
            Some(wanted) => wanted.max(reach),
            None => reach,
        });
        self.refresh(ctx);
    }

    pub(super) fn refresh(&mut self, ctx: &mut Context<Self>) {
        if self.refreshing {
            return;
        }
        // Without a place yet, the wish waits for the end of `hello`.
        let Some(place) = self.place.clone() else { return };
        let Some(reach) = self.wanted.take() else { return };
        self.refreshing = true;
        let who = self.seat.clone().zip(self.claims);
        let (worker, link, viewer) = (Rc::clone(&self.worker), Rc::clone(&self.link), self.viewer);
        let again = reach;
        let fresh = Box::pin(refresh(worker, link, viewer, who, place, reach));
        ctx.spawn(fresh.into_actor(self).map(move |refreshed, session, ctx| {
            session.refreshing = false;
            match refreshed {
                Ok((place, caught_up)) => {
                    session.place = Some(place);
                    session.hides_as_chosen();
                    session.failing_since = None;
                    session.caught_up(caught_up, ctx);
                    session.refresh(ctx);
                }
                Err(NotRefreshed::Overtaken) => session.refresh(ctx),
                Err(NotRefreshed::Turned(turned)) => session.end(turned.code, ctx),
                Err(NotRefreshed::Later) => session.refresh_later(again, ctx),
            }
        }));
    }

    pub(super) fn refresh_later(&mut self, reach: Reach, ctx: &mut Context<Self>) {
        let now = self.worker.node.now();
        let since = *self.failing_since.get_or_insert(now);
        if now.saturating_sub(since) > limits::SLOW_PATIENCE_MS {
            return self.end(CloseCode::Unavailable, ctx);
        }
        // Soon: whoever wants it stands in line for its reads, which spreads them out. Not at once: the line may be full.
        let wait = Duration::from_millis(limits::REFRESH_AGAIN_MS + self.share_of(limits::REFRESH_AGAIN_MS));
        ctx.run_later(wait, move |session, ctx| session.want(reach, ctx));
    }
}
