//! The signs of life of a session: ping and heartbeat, the token's end, the goodbye of a node that is leaving.

use std::sync::Arc;
use std::time::Duration;

use actix::{AsyncContext, Context};
use tidings_protocol::close::CloseCode;
use tidings_protocol::limits::{HEARTBEAT_MS, SILENCE_MS};
use tidings_protocol::push::Notice;

use super::actor::Session;
use crate::account::seen::Presence;
use crate::feed::table::Line;
use crate::frame;
use crate::limits;
use crate::ports::Claims;

impl Session {
    /// From here on the log-in is seen.
    pub(super) fn begins_presence(&mut self, client: Option<Arc<str>>) {
        let node = &self.worker.node;
        let begins = |claims: Claims| Presence::begins(Arc::clone(&node.seen), claims.session, client, node.now());
        self.presence = self.claims.map(begins);
    }

    /// Warns before the token runs out, and closes when it does.
    pub(super) fn watch_token(&mut self, ctx: &mut Context<Self>) {
        if let Some(old) = self.expiry.take() {
            ctx.cancel_future(old);
        }
        let Some(expires_at) = self.claims.and_then(|claims| claims.expires_at) else { return };
        let left = expires_at.0.saturating_sub(wall_clock());
        // Never at once: a client that answers each warning with a token as short-lived would go round in circles.
        let warning = Duration::from_millis(left - limits::TOKEN_WARNING_MS.min(left / 4));
        self.expiry = Some(ctx.run_later(warning, move |session, ctx| {
            let notice = Notice::TokenExpiring { expires_at };
            session.notice(&notice);
            let left = Duration::from_millis(expires_at.0.saturating_sub(wall_clock()));
            session.expiry = Some(ctx.run_later(left, |session, ctx| session.end(CloseCode::TokenExpired, ctx)));
        }));
    }

    pub(super) fn notice(&self, notice: &Notice) {
        self.link.keep(frame::message(self.worker.node.framing, notice));
        self.link.flush();
    }

    pub(super) fn heartbeat(&self) {
        let Some(place) = &self.place else { return };
        // Without a place in a new epoch there is no position to tell.
        let Some(position) = self.worker.table().position(place.slot()) else { return };
        self.notice(&Notice::Heartbeat { cursor: self.worker.cursor(position) });
    }

    pub(super) fn pulse(&mut self, ctx: &mut Context<Self>) {
        let silence = self.worker.node.settings.heartbeat_ms * SILENCE_MS / HEARTBEAT_MS;
        if self.worker.node.now().saturating_sub(self.link.heard_at()) > silence {
            return self.end(CloseCode::Silent, ctx);
        }
        if let Some(presence) = &mut self.presence {
            presence.goes_on(self.worker.node.now());
        }
        self.link.keep((self.worker.node.framing.ping)());
        if self.machine.is_live() {
            self.heartbeat();
        }
        self.link.flush();
        self.link.rest();
    }

    pub(super) fn go_away(&mut self, ctx: &mut Context<Self>) {
        let table = self.worker.table();
        let position = self.place.as_ref().map_or(Some(table.applied()), |place| table.position(place.slot()));
        drop(table);
        // Without a place in a new epoch there is no position to tell: the one the client has is of the old epoch, which the next node sees.
        if let Some(position) = position {
            // The last ones are on their way for a while: everybody is to be back within the whole of it.
            let within = self.worker.node.settings.drain_ms.max(1) * 4 / 5;
            self.notice(&Notice::GoingAway {
                reconnect_after_ms: self.share_of(within),
                cursor: self.worker.cursor(position),
            });
        }
        self.close(CloseCode::GoingAway, ctx);
    }
}

/// Milliseconds since 1970, for what tokens say; never for order or waiting.
fn wall_clock() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
