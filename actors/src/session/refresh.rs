//! Fresh starts of feeds that run already: after a change of the viewer's circle, for a reader too far behind, in a new epoch.

use std::rc::Rc;

use tidings_protocol::error::ErrorCode;
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::UserId;
use tidings_protocol::limits::PAGE_DEFAULT;
use tidings_protocol::position::Seq;
use tidings_protocol::push::Notice;
use tidings_protocol::reply::Snapshot;

use super::feeds;
use super::greet::{Turned, take_place};
use crate::feed::table::Line;
use crate::frame;
use crate::link::Link;
use crate::ports::Claims;
use crate::user::Seat;
use crate::worker::{Place, Worker};

/// How far a fresh start reaches.
#[derive(Clone, Debug)]
pub(super) enum Reach {
    /// These feeds; the others go on undisturbed.
    Some(Vec<FeedName>),
    /// All feeds; whatever the reader was behind is void.
    All,
    /// All feeds, and the session joins again: the journal began a new life.
    Epoch,
}

impl Reach {
    /// What serves both wishes.
    pub(super) fn max(self, other: Self) -> Self {
        match (self, other) {
            (Self::Epoch, _) | (_, Self::Epoch) => Self::Epoch,
            (Self::All, _) | (_, Self::All) => Self::All,
            (Self::Some(mut feeds), Self::Some(others)) => {
                feeds.extend(others.into_iter().filter(|feed| !feeds.contains(feed)).collect::<Vec<_>>());
                Self::Some(feeds)
            }
        }
    }
}

/// Why a fresh start did not come about.
pub(super) enum NotRefreshed {
    /// The database cannot be reached: try again later.
    Later,
    /// The session has to end.
    Turned(Turned),
}

/// Starts feeds afresh; gives the place the session has afterwards.
pub(super) async fn refresh(
    worker: Rc<Worker>,
    link: Rc<Link>,
    viewer: Option<UserId>,
    who: Option<(Rc<Seat>, Claims)>,
    place: Rc<Place>,
    reach: Reach,
) -> Result<Rc<Place>, NotRefreshed> {
    let watched = worker.table().feeds(place.slot()).to_vec();
    let behind = worker.table().is_behind(place.slot());
    let reach = if behind { reach.max(Reach::All) } else { reach };
    let (feeds, place) = match &reach {
        Reach::Some(feeds) => (watched.iter().copied().filter(|feed| feeds.contains(feed)).collect(), place),
        Reach::All => (watched, place),
        Reach::Epoch => {
            let who = who.as_ref().map(|(seat, claims)| (&**seat, *claims));
            let joined = take_place(&worker, &link, who).await;
            let (place, _) = joined.map_err(|turned| {
                let later = turned.refusal.code == ErrorCode::Unavailable;
                if later { NotRefreshed::Later } else { NotRefreshed::Turned(turned) }
            })?;
            (watched, Rc::new(place))
        }
    };
    let started = feeds::start(&worker, &place, viewer, &feeds, PAGE_DEFAULT).await;
    if started.iter().any(|(_, result)| matches!(result, Err(refusal) if refusal.retry)) {
        return Err(NotRefreshed::Later);
    }
    // From here to the end nothing waits: the table stands still.
    let framing = worker.node.framing;
    let applied = worker.table().applied();
    let behind = worker.table().is_behind(place.slot());
    if behind && matches!(reach, Reach::Some(_)) {
        // What the reader is behind would follow the newer snapshot: next time all feeds start afresh.
        return Err(NotRefreshed::Later);
    }
    // Where to come back to while not all feeds have been told; the heartbeat behind the last one moves it on.
    let at = match &reach {
        Reach::Epoch => Seq(0),
        Reach::All if behind => worker.table().position(place.slot()).next(),
        Reach::All | Reach::Some(_) => applied,
    };
    if let Reach::Epoch = reach {
        link.keep(frame::message(framing, &Notice::Resync { cursor: worker.cursor(at) }));
    }
    for (feed, result) in started {
        // What is not there any more is told as an empty feed.
        let snapshot = result.unwrap_or_else(|_| Snapshot::empty(feed, applied));
        link.keep(frame::resync(framing, &snapshot, at));
    }
    let mut table = worker.table_mut();
    match reach {
        Reach::Some(_) => {}
        Reach::All => table.skip_to_now(place.slot()),
        Reach::Epoch => {
            for feed in feeds {
                table.subscribe(place.slot(), feed);
            }
        }
    }
    drop(table);
    link.keep(frame::message(framing, &Notice::Heartbeat { cursor: worker.cursor(applied) }));
    link.flush();
    Ok(place)
}
