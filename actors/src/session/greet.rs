//! Carrying out `hello`: who it is, what they have missed, where their feeds start.
//! It must leave nothing behind when it is dropped half-way: seat and place give themselves back.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use tidings_protocol::close::CloseCode;
use tidings_protocol::delivery::DeliveryMode;
use tidings_protocol::entity::User;
use tidings_protocol::error::{ErrorCode, Refusal};
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::{ConnectionId, PostId, RequestId, UserId};
use tidings_protocol::position::{Cursor, Seq};
use tidings_protocol::reply::{FeedStart, Welcome};
use tidings_protocol::request::Hello;
use tokio::time::sleep;

use super::ears::{Ear, no_room};
use super::feeds::{self, Started};
use super::methods::{allowed, entities};
use super::scopes::may_watch;
use crate::entry::Entry;
use crate::feed::catch_up::CaughtUp;
use crate::feed::join::NotJoined;
use crate::feed::table::Line;
use crate::frame;
use crate::limits;
use crate::link::Link;
use crate::ports::{Claims, Viewer};
use crate::starts::Patience;
use crate::user::{NotSeated, Seat};
use crate::worker::{Place, Worker};

/// A session that has been let in.
pub(super) struct Greeted {
    pub(super) viewer: Option<UserId>,
    pub(super) seat: Option<Rc<Seat>>,
    pub(super) place: Place,
    /// Its place at the firehose.
    pub(super) ear: Option<Ear>,
    /// How far the reader of a resumed session has been caught up.
    pub(super) caught_up: Option<CaughtUp>,
}

/// A session that has not.
pub(super) struct Turned {
    pub(super) refusal: Refusal,
    pub(super) code: CloseCode,
}

impl Turned {
    fn unavailable(refusal: Refusal) -> Self {
        Self { refusal, code: CloseCode::Unavailable }
    }
}

impl From<NotSeated> for Turned {
    fn from(not: NotSeated) -> Self {
        match not {
            NotSeated::TooMany => Self {
                refusal: Refusal::new(ErrorCode::LimitReached, "too many connections of this user"),
                code: CloseCode::TooManyConnections,
            },
            NotSeated::NoAccount => Self {
                refusal: Refusal::new(ErrorCode::BadToken, "there is no such account"),
                code: CloseCode::BadToken,
            },
            NotSeated::Revoked => Self {
                refusal: Refusal::new(ErrorCode::BadToken, "this log-in has ended"),
                code: CloseCode::SessionRevoked,
            },
            NotSeated::Unavailable => Self::unavailable(feeds::unavailable()),
        }
    }
}

/// Takes a seat. Of many who lose the line and come back at once, some are faster than the end of their former connection is noticed: they
/// must not be told never to come back.
async fn take_seat(worker: &Worker, user: UserId) -> Result<Seat, NotSeated> {
    let pause = Duration::from_millis(limits::SEAT_AGAIN_MS);
    for _ in 1..limits::SEAT_TRIES {
        match worker.node.users.sit(user) {
            Err(NotSeated::TooMany) => sleep(pause).await,
            seat => return seat,
        }
    }
    worker.node.users.sit(user)
}

/// Takes a seat and a place in the feed table; used by `hello` and when a new epoch makes sessions join again.
pub(super) async fn take_place(
    worker: &Rc<Worker>,
    patience: Patience,
    link: &Rc<Link>,
    who: Option<(&Seat, Claims)>,
) -> Result<(Place, Option<User>), Turned> {
    for _ in 0..limits::SNAPSHOT_TRIES {
        let epoch = worker.table().epoch();
        let mut viewer: Option<Viewer> = None;
        if let Some((seat, claims)) = who {
            let found = feeds::looked_up(worker, patience, || seat.look_up(claims.session)).await;
            let found = found.map_err(Turned::unavailable)?.map_err(Turned::from)?;
            feeds::reached(worker, patience, found.seq).await.map_err(Turned::unavailable)?;
            viewer = Some(found);
        }
        let user = viewer.as_ref().map(|viewer| viewer.user.clone());
        let joining = viewer.zip(who.map(|(_, claims)| claims.session));
        if worker.table().epoch() != epoch {
            // Looked up in the journal's life before: whom they followed then may be lost, whatever number it bears.
            continue;
        }
        match worker.table_mut().join(Rc::clone(link), joining) {
            Ok(slot) => return Ok((Place::new(Rc::clone(worker), slot), user)),
            Err(NotJoined::Revoked) => return Err(NotSeated::Revoked.into()),
            Err(NotJoined::TooOld) => {}
        }
    }
    Err(NotSeated::Unavailable.into())
}

/// How a session goes on from its cursor.
struct Resumed {
    missed: Missed,
    /// Feeds that have to start afresh all the same.
    restart: Vec<FeedName>,
    /// Feeds that the viewer may not read: whoever claims a cursor need not have watched them before.
    refused: Vec<FeedName>,
}

/// What a resumed session has missed, as far as memory cannot tell.
enum Missed {
    /// All of it is in the hot log from the cursor on.
    InMemory,
    /// As read from Postgres; the hot log takes over after `seq`.
    Read { entries: Vec<Entry>, seq: Seq },
}

/// How much is to be told of feeds, where that is not everything.
type Modes = BTreeMap<FeedName, DeliveryMode>;

fn mode_of(modes: &Modes, feed: FeedName) -> DeliveryMode {
    modes.get(&feed).copied().unwrap_or_default()
}

/// Modes that can be had.
fn modes(wanted: Modes) -> Result<Modes, Turned> {
    if wanted.iter().all(|(feed, mode)| mode.fits(*feed)) {
        return Ok(wanted);
    }
    let refusal =
        Refusal::new(ErrorCode::Invalid, "me and notifications are told in full, or not at all").field("modes");
    Err(Turned { refusal, code: CloseCode::ProtocolError })
}

/// Carries out `hello`. When it returns a session, its welcome is queued and its feeds are running.
pub(super) async fn greet(
    worker: Rc<Worker>,
    link: Rc<Link>,
    connection: ConnectionId,
    id: RequestId,
    hello: Hello,
    claims: Option<Claims>,
) -> Result<Greeted, Turned> {
    let limit = entities(hello.limit).map_err(|refusal| Turned { refusal, code: CloseCode::ProtocolError })?;
    let patience = Patience::begins();
    let seat = match claims {
        Some(claims) => Some(Rc::new(take_seat(&worker, claims.user).await?)),
        None => None,
    };
    let who = seat.as_deref().zip(claims);
    let (place, user) = take_place(&worker, patience, &link, who).await?;
    let viewer = claims.map(|claims| claims.user);

    let modes = modes(hello.modes)?;
    let mut wanted = hello.feeds;
    let mut met = rustc_hash::FxHashSet::default();
    wanted.retain(|feed| met.insert(*feed));
    let scopes = claims.and_then(|claims| claims.scopes);
    let listens = wanted.contains(&FeedName::Firehose) && may_watch(scopes, FeedName::Firehose).is_ok();
    let ear = if listens { worker.node.firehose.sit() } else { None };
    if ear.is_some() {
        worker.table_mut().narrow(place.slot(), hello.filter.map(Into::into));
    }
    let shuts = |feed: FeedName| match allowed(viewer, feed).and_then(|()| may_watch(scopes, feed)) {
        Ok(()) if feed == FeedName::Firehose && ear.is_none() => Some(no_room()),
        allowed => allowed.err(),
    };
    let (open, shut): (Vec<FeedName>, Vec<FeedName>) = wanted.iter().partition(|&&feed| shuts(feed).is_none());
    // What is not told needs not be caught up with; but whether a post or a profile may be watched still has to be asked.
    let is_heard =
        |feed: &FeedName| mode_of(&modes, *feed).is_told() || matches!(feed, FeedName::Post(_) | FeedName::User(_));
    let heard: Vec<FeedName> = open.iter().copied().filter(is_heard).collect();
    let mut resumed = resumable(&worker, patience, &place, viewer, &heard, hello.cursor).await?;
    let started = loop {
        let fresh: &[FeedName] = match &resumed {
            None => &open,
            Some(resumed) => &resumed.restart,
        };
        let mut started = feeds::start(&worker, patience, &place, viewer, fresh, limit).await;
        // What was read before the snapshots must still join onto the hot log now.
        if still_resumable(&worker, &place, &heard, hello.cursor, resumed.as_ref()) {
            let refused = resumed.iter().flat_map(|resumed| &resumed.refused);
            started.extend(refused.map(|&feed| (feed, Err(feeds::kept_from(feed)))));
            break started;
        }
        resumed = None;
    };
    // From here to the end nothing waits: the table stands still.
    if worker.table().position(place.slot()).is_none() {
        // The journal began a new life meanwhile. Who this is was looked up in the one before; their log-in may have ended in this (P5).
        return Err(NotSeated::Unavailable.into());
    }
    let cursor = match (&resumed, hello.cursor) {
        (Some(_), Some(cursor)) => cursor,
        _ => worker.cursor(worker.table().applied()),
    };
    let whole = resumed.as_ref().is_some_and(|resumed| resumed.restart.is_empty());
    let welcome = Welcome {
        session: connection,
        user,
        expires_at: claims.and_then(|claims| claims.expires_at),
        cursor,
        resumed: whole,
        limits: worker.node.limits(),
        heartbeat_ms: worker.node.settings.heartbeat_ms,
        feeds: starts(&wanted, started, &shut, shuts),
    };
    let going_on = resumed.is_some();
    let caught_up = run(&worker, &link, &place, id, (&welcome, &modes), resumed.map(|resumed| resumed.missed));
    let caught_up = going_on.then_some(caught_up);
    Ok(Greeted { viewer, seat, place, ear, caught_up })
}

/// What of `open` can go on from the cursor, and which feeds of it have to start afresh all the same. None: all have to.
async fn resumable(
    worker: &Worker,
    patience: Patience,
    place: &Place,
    viewer: Option<UserId>,
    open: &[FeedName],
    cursor: Option<Cursor>,
) -> Result<Option<Resumed>, Turned> {
    let Some(cursor) = cursor else {
        return Ok(None);
    };
    if cursor.epoch != worker.table().epoch() || !comes(worker, cursor.seq).await {
        return Ok(None);
    }
    if worker.table().reaches(place.slot(), open, cursor.seq) {
        let refused = refused(worker, patience, place, viewer, open).await.map_err(Turned::unavailable)?;
        return Ok(Some(Resumed { missed: Missed::InMemory, restart: Vec::new(), refused }));
    }
    let events = tidings_protocol::limits::CATCH_UP_EVENTS;
    let missed = feeds::in_turn(worker, patience, || worker.node.reads.missed(viewer, open, cursor.seq, events));
    let missed = missed.await.map_err(Turned::unavailable)?;
    if missed.too_much {
        return Ok(None);
    }
    feeds::reached(worker, patience, missed.seq).await.map_err(Turned::unavailable)?;
    let (restart, seq) = (missed.restart, missed.seq);
    Ok(Some(Resumed { missed: Missed::Read { entries: missed.entries, seq }, restart, refused: Vec::new() }))
}

/// Those of `open` that the viewer may not read. What happens after this was asked is in the hot log, and ends a feed from there.
async fn refused(
    worker: &Worker,
    patience: Patience,
    place: &Place,
    viewer: Option<UserId>,
    open: &[FeedName],
) -> Result<Vec<FeedName>, Refusal> {
    let post = |&feed: &FeedName| if let FeedName::Post(post) = feed { Some(post) } else { None };
    let posts: Vec<PostId> = open.iter().filter_map(post).collect();
    let hidden = match posts.as_slice() {
        [] => Vec::new(),
        posts => feeds::in_turn(worker, patience, || worker.node.reads.hidden(viewer, posts)).await?,
    };
    // A list that the viewer does not have now, at the cursor's position or later, is not theirs or is gone.
    let is_foreign =
        |feed: &FeedName| matches!(*feed, FeedName::List(list) if !worker.table().has_list(place.slot(), list));
    let kept = |feed: &FeedName| post(feed).is_some_and(|post| hidden.contains(&post)) || is_foreign(feed);
    Ok(open.iter().copied().filter(|feed| kept(feed) || feeds::is_kept_from(worker, place, *feed)).collect())
}

/// Whether an entry is there or about to be: another node may be ahead by a moment. A cursor beyond that is nobody's.
async fn comes(worker: &Worker, seq: Seq) -> bool {
    let patience = Duration::from_millis(limits::AHEAD_PATIENCE_MS);
    tokio::time::timeout(patience, worker.reached(seq)).await.is_ok()
}

fn still_resumable(
    worker: &Worker,
    place: &Place,
    open: &[FeedName],
    cursor: Option<Cursor>,
    resumed: Option<&Resumed>,
) -> bool {
    let (Some(Resumed { missed, restart, refused }), Some(cursor)) = (resumed, cursor) else {
        return true;
    };
    let goes_on = |feed: &FeedName| !restart.contains(feed) && !refused.contains(feed);
    let going_on: Vec<FeedName> = open.iter().copied().filter(goes_on).collect();
    let from = match missed {
        Missed::InMemory => cursor.seq,
        Missed::Read { seq, .. } => seq.next(),
    };
    let table = worker.table();
    cursor.epoch == table.epoch() && table.reaches(place.slot(), &going_on, from)
}

/// The answer's entry for each feed, in the order they were asked for.
fn starts(
    wanted: &[FeedName],
    mut started: Vec<Started>,
    shut: &[FeedName],
    shuts: impl Fn(FeedName) -> Option<Refusal>,
) -> Vec<FeedStart> {
    let start = |&feed: &FeedName| {
        if shut.contains(&feed) {
            let error = shuts(feed).unwrap_or_else(feeds::unavailable);
            return FeedStart::Refused { feed, error };
        }
        match started.iter().position(|(name, _)| *name == feed).map(|at| started.swap_remove(at)) {
            None => FeedStart::Live { feed },
            Some((_, Ok(snapshot))) => FeedStart::Snapshot { snapshot: Box::new(snapshot) },
            Some((feed, Err(error))) => FeedStart::Refused { feed, error },
        }
    };
    wanted.iter().map(start).collect()
}

/// Queues the welcome, subscribes, and sends what was missed.
fn run(
    worker: &Worker,
    link: &Rc<Link>,
    place: &Place,
    id: RequestId,
    (welcome, modes): (&Welcome, &Modes),
    missed: Option<Missed>,
) -> CaughtUp {
    let framing = worker.node.framing;
    let frame: Bytes = frame::result(framing, id, welcome);
    link.keep(frame);
    let mut table = worker.table_mut();
    for start in &welcome.feeds {
        match start {
            FeedStart::Live { feed } => {
                let mode = mode_of(modes, *feed);
                table.watch(place.slot(), *feed, mode);
                if mode == DeliveryMode::Count {
                    table.count_since(place.slot(), *feed, welcome.cursor.seq);
                }
            }
            FeedStart::Snapshot { snapshot } => {
                table.watch(place.slot(), snapshot.feed, mode_of(modes, snapshot.feed));
            }
            FeedStart::Refused { .. } => {}
        }
    }
    match missed {
        None => {}
        Some(Missed::InMemory) => table.fall_back(place.slot(), Vec::new(), welcome.cursor.seq),
        Some(Missed::Read { entries, seq }) => table.fall_back(place.slot(), entries, seq.next()),
    }
    let caught_up = table.catch_up(place.slot());
    drop(table);
    // What was counted since the cursor is told without another entry to ring for it.
    worker.ring_news();
    link.flush();
    caught_up
}
