//! Fresh starts of feeds that run already: after a change of what the viewer may see, for a reader too far behind, in a new epoch.

use std::rc::Rc;

use tidings_protocol::error::ErrorCode;
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::UserId;
use tidings_protocol::limits::PAGE_DEFAULT;
use tidings_protocol::position::{Cursor, Seq};
use tidings_protocol::push::Notice;
use tidings_protocol::reply::Snapshot;

use super::feeds::{self, Started};
use super::greet::{Turned, take_place};
use crate::feed::catch_up::CaughtUp;
use crate::feed::context::Afresh;
use crate::feed::table::Line;
use crate::frame;
use crate::limits;
use crate::link::Link;
use crate::ports::Claims;
use crate::starts::Patience;
use crate::user::Seat;
use crate::worker::{Place, Worker};

/// How far a fresh start reaches.
#[derive(Clone, Copy, Debug)]
pub(super) enum Reach {
    /// Those that a change of the viewer's context touches; the others go on where they were held.
    Context(Afresh),
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
            (Self::Context(one), Self::Context(other)) => Self::Context(one.max(other)),
        }
    }
}

/// Why a fresh start did not come about.
pub(super) enum NotRefreshed {
    /// The database cannot be reached: try again later.
    Later,
    /// The journal began a new life meanwhile: what was to be told is void, and the wish to join that life is on its way.
    Overtaken,
    /// The session has to end.
    Turned(Turned),
}

/// Starts feeds afresh; gives the place the session has afterwards, and how far its reader has been caught up.
pub(super) async fn refresh(
    worker: Rc<Worker>,
    link: Rc<Link>,
    viewer: Option<UserId>,
    who: Option<(Rc<Seat>, Claims)>,
    had: Rc<Place>,
    reach: Reach,
) -> Result<(Rc<Place>, CaughtUp), NotRefreshed> {
    let patience = Patience::begins();
    let place = match reach {
        Reach::Context(_) | Reach::All => Rc::clone(&had),
        Reach::Epoch => Rc::new(place_again(&worker, patience, &link, who).await?),
    };
    for _ in 0..limits::SNAPSHOT_TRIES {
        let watched = worker.table().feeds(had.slot()).to_vec();
        let feeds: Vec<FeedName> = match reach {
            Reach::Context(afresh) => watched.iter().copied().filter(|&feed| afresh.touches(feed)).collect(),
            Reach::All | Reach::Epoch => watched.clone(),
        };
        let started = feeds::start(&worker, patience, &place, viewer, &feeds, PAGE_DEFAULT).await;
        if started.iter().any(|(_, result)| matches!(result, Err(refusal) if refusal.retry)) {
            return Err(NotRefreshed::Later);
        }
        // From here on nothing waits: the table stands still.
        if worker.table().position(place.slot()).is_none() {
            return Err(NotRefreshed::Overtaken);
        }
        // Feeds that came or went meanwhile would be forgotten: once more, then.
        if worker.table().feeds(had.slot()) == watched {
            let caught_up = tell(&worker, &link, (&had, &place), reach, started);
            return Ok((place, caught_up));
        }
    }
    Err(NotRefreshed::Later)
}

async fn place_again(
    worker: &Rc<Worker>,
    patience: Patience,
    link: &Rc<Link>,
    who: Option<(Rc<Seat>, Claims)>,
) -> Result<Place, NotRefreshed> {
    let who = who.as_ref().map(|(seat, claims)| (&**seat, *claims));
    match take_place(worker, patience, link, who).await {
        Ok((place, _)) => Ok(place),
        Err(turned) if turned.refusal.code == ErrorCode::Unavailable => Err(NotRefreshed::Later),
        Err(turned) => Err(NotRefreshed::Turned(turned)),
    }
}

/// Queues the fresh starts, exact at the table's position, and lets the session go on.
fn tell(
    worker: &Worker,
    link: &Rc<Link>,
    (had, place): (&Place, &Place),
    reach: Reach,
    started: Vec<Started>,
) -> CaughtUp {
    let framing = worker.node.framing;
    let mut table = worker.table_mut();
    let applied = table.applied();
    // Where the reader stands, so that `seq` does not go back on what it hears next, and a line lost before the last of these
    // comes back to before the first.
    let at = match reach {
        Reach::Context(_) | Reach::All => table.position(place.slot()).unwrap_or_default().next().min(applied),
        Reach::Epoch => Seq(0),
    };
    if let Reach::Epoch = reach {
        let cursor = Cursor { epoch: table.epoch(), seq: at };
        link.keep(frame::message(framing, &Notice::Resync { cursor }));
    }
    for (feed, result) in started {
        let snapshot = if let Ok(snapshot) = result {
            let mode = table.mode(had.slot(), feed).unwrap_or_default();
            table.watch(place.slot(), feed, mode);
            worker.reads(feed, link);
            snapshot
        } else {
            // What is not there any more, or not for this viewer, is told as an empty feed, and is over: nothing more may come of it (P5).
            table.unsubscribe(place.slot(), feed);
            Snapshot::empty(feed, applied)
        };
        link.keep(frame::resync(framing, &snapshot, at));
    }
    if let Reach::Epoch = reach {
        table.carry_asides(had.slot(), place.slot());
    }
    match reach {
        // The other feeds go on where they were held; what comes of these again is harmless by the rev rule.
        Reach::Context(told) => table.release(place.slot(), told),
        Reach::All | Reach::Epoch => table.skip_to_now(place.slot()),
    }
    let caught_up = table.catch_up(place.slot());
    link.flush();
    caught_up
}
