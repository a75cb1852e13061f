//! Watching feeds: fully, by ids, by number, or with the sound off; and changing from one to the other.
//! Must never leave a gap between what was told in one way and what comes in another (P3): whoever was told less gets a snapshot.

use std::rc::Rc;

use actix::{ActorFutureExt, AsyncContext, Context, WrapFuture};
use bytes::Bytes;
use tidings_protocol::delivery::{DeliveryMode, FeedModeSet};
use tidings_protocol::error::{ErrorCode, Refusal};
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::RequestId;
use tidings_protocol::limits::FEEDS_PER_CONNECTION;

use super::actor::Session;
use super::ears::no_room;
use super::feeds;
use super::machine::Ticket;
use crate::feed::firehose::Filter;
use crate::frame;
use crate::starts::Patience;
use crate::worker::Place;

/// What somebody wants to be told.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    pub(super) feed: FeedName,
    pub(super) limit: u16,
    pub(super) mode: DeliveryMode,
    /// They watch it already, and want to be told more or less of it.
    pub(super) is_change: bool,
}

impl Session {
    pub(super) fn subscribe(
        &mut self,
        ticket: Ticket,
        id: RequestId,
        wanted: Wanted,
        filter: Option<Box<Filter>>,
        ctx: &mut Context<Self>,
    ) {
        let Some(place) = self.place.clone() else {
            return;
        };
        let (worker, viewer) = (Rc::clone(&self.worker), self.viewer);
        let start = async move {
            let feeds = [wanted.feed];
            let mut started = feeds::start(&worker, Patience::begins(), &place, viewer, &feeds, wanted.limit).await;
            (place, started.pop())
        };
        // Nothing waits between the end of `start` and this closure: the snapshot is exact where the subscription begins.
        ctx.spawn(start.into_actor(self).map(move |(place, started), session, ctx| {
            let answer = session.subscribed(id, &place, (wanted, filter), started);
            session.finish(ticket, answer, ctx);
        }));
    }

    fn subscribed(
        &mut self,
        id: RequestId,
        place: &Rc<Place>,
        (wanted, filter): (Wanted, Option<Box<Filter>>),
        started: Option<feeds::Started>,
    ) -> Bytes {
        let framing = self.worker.node.framing;
        let same_place = self.place.as_ref().is_some_and(|now| Rc::ptr_eq(now, place))
            && self.worker.table().position(place.slot()).is_some();
        let (feed, result) = match started {
            Some(started) if same_place => started,
            // A new epoch came in between.
            Some(_) | None => return frame::error(framing, Some(id), feeds::unavailable()),
        };
        if feed == FeedName::Firehose && result.is_ok() && self.ear.is_none() {
            self.ear = self.worker.node.firehose.sit();
            if self.ear.is_none() {
                return frame::error(framing, Some(id), no_room());
            }
        }
        let mut table = self.worker.table_mut();
        if table.watched(place.slot()) >= FEEDS_PER_CONNECTION && table.mode(place.slot(), feed).is_none() {
            return frame::error(framing, Some(id), Refusal::new(ErrorCode::LimitReached, "too many feeds"));
        }
        let snapshot = match result {
            Ok(snapshot) => snapshot,
            Err(refusal) => {
                if wanted.is_change && !refusal.retry {
                    // It may not be watched any more.
                    table.unsubscribe(place.slot(), feed);
                }
                return frame::error(framing, Some(id), refusal);
            }
        };
        if feed == FeedName::Firehose {
            table.narrow(place.slot(), filter.map(|filter| *filter));
        }
        table.watch(place.slot(), feed, wanted.mode);
        drop(table);
        if wanted.mode.is_full() {
            self.reads(feed);
        }
        if !wanted.is_change {
            return frame::result(framing, id, snapshot);
        }
        let cursor = self.worker.cursor(snapshot.seq);
        let snapshot = Some(Box::new(snapshot));
        frame::result(framing, id, FeedModeSet { feed, mode: wanted.mode, cursor, snapshot })
    }

    pub(super) fn change_mode(&mut self, ticket: Ticket, id: RequestId, wanted: Wanted, ctx: &mut Context<Self>) {
        let Some(place) = self.place.clone() else {
            return;
        };
        let framing = self.worker.node.framing;
        let Wanted { feed, mode, .. } = wanted;
        let had = self.worker.table().mode(place.slot(), feed);
        let answer = match had {
            None => {
                let refusal = Refusal::new(ErrorCode::NotFound, "this feed is not watched").field("feed");
                frame::error(framing, Some(id), refusal)
            }
            // Whoever holds less than the feed needs all of it first.
            Some(had) if mode.is_told() && mode != had && !had.is_full() => {
                return self.subscribe(ticket, id, wanted, None, ctx);
            }
            Some(had) => {
                let mut table = self.worker.table_mut();
                let at = table.applied();
                if mode != had || mode == DeliveryMode::Count {
                    table.watch(place.slot(), feed, mode);
                }
                drop(table);
                let cursor = self.worker.cursor(at);
                frame::result(framing, id, FeedModeSet { feed, mode, cursor, snapshot: None })
            }
        };
        self.finish(ticket, answer, ctx);
    }
}
