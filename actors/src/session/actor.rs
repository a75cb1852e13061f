//! The actor of one connection: performs what its machine decides, on one worker thread.
//! It never touches the socket (the link does, without waiting) and never waits inside a handler. When it panics, only its own connection
//! ends, with a number to come back on.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, ActorContext, ActorFutureExt, Addr, AsyncContext, Context, Handler, SpawnHandle, WrapFuture};
use bytes::Bytes;
use futures_util::FutureExt;
use tidings_protocol::close::CloseCode;
use tidings_protocol::error::{ErrorCode, Refusal};
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::{ConnectionId, RequestId, UserId};
use tidings_protocol::presence::Showing;
use tidings_protocol::reply::{AuthRefreshed, Unsubscribed};
use tidings_protocol::request::Hello;
use uuid::Uuid;

use super::bots;
use super::ears::Ear;
use super::greet::{self, Greeted, Turned};
use super::jobs;
use super::machine::{Doorkeeper, Effect, Job, Machine, Ticket, bad_token};
use super::media;
use super::refresh::Reach;
use super::watching::Wanted;
use crate::account::{self, seen::Presence};
use crate::bulkhead::Part;
use crate::feed::table::{Line, Told};
use crate::frame;
use crate::link::{Link, Standing};
use crate::ports::{BadToken, Claims};
use crate::presence::visit::Visit;
use crate::user::{Budget, Seat};
use crate::worker::{Admitted, Place, Worker};

/// What a session is told.
#[derive(Debug, actix::Message)]
#[rtype(result = "()")]
pub enum Message {
    /// The client sent a text message.
    Text(String),
    /// The client sent a binary message, which this protocol has not.
    Binary,
    /// The socket has taken everything after it had been full.
    Drained,
    /// The reader has not taken anything for too long.
    Stuck,
    /// The connection is gone.
    Gone,
    /// From the feed table.
    Told(Told),
}

/// The actor.
pub struct Session {
    pub(super) worker: Rc<Worker>,
    pub(super) link: Rc<Link>,
    pub(super) machine: Machine,
    pub(super) connection: ConnectionId,
    pub(super) claims: Option<Claims>,
    pub(super) viewer: Option<UserId>,
    pub(super) budget: Arc<Budget>,
    pub(super) seat: Option<Rc<Seat>>,
    pub(super) place: Option<Rc<Place>>,
    /// A fresh start that is wanted, and whether one is under way.
    pub(super) wanted: Option<Reach>,
    pub(super) refreshing: bool,
    pub(super) failing_since: Option<u64>,
    pub(super) expiry: Option<SpawnHandle>,
    /// Of the log-in, once it has been let in.
    pub(super) presence: Option<Presence>,
    /// A place at the firehose.
    pub(super) ear: Option<Ear>,
    /// Of the connection, as far as others see that its user is here.
    pub(super) visit: Option<Box<Visit>>,
    _admitted: Admitted,
}

impl Session {
    /// Starts the session of a connection on this worker thread.
    #[must_use]
    pub fn start_on(worker: Rc<Worker>, link: Rc<Link>) -> Addr<Self> {
        Self::start_as(ConnectionId(Uuid::now_v7()), worker, link)
    }

    /// The same under a given name.
    pub(crate) fn start_as(connection: ConnectionId, worker: Rc<Worker>, link: Rc<Link>) -> Addr<Self> {
        let admitted = worker.admit(Rc::clone(&link));
        let budget = Arc::new(Budget::per_minute(worker.node.settings.points_per_minute));
        let session = Self {
            worker,
            link: Rc::clone(&link),
            machine: Machine::default(),
            connection,
            claims: None,
            viewer: None,
            budget,
            seat: None,
            place: None,
            wanted: None,
            refreshing: false,
            failing_since: None,
            expiry: None,
            presence: None,
            ear: None,
            visit: None,
            _admitted: admitted,
        };
        let addr = session.start();
        link.attach(addr.clone());
        addr
    }

    /// A share of `whole` that is this connection's own, evenly spread: so that many do not do the same thing at once.
    pub(super) fn share_of(&self, whole: u64) -> u64 {
        let bytes = self.connection.0.as_bytes();
        let lot = u16::from_be_bytes([bytes[14], bytes[15]]);
        u64::from(lot) * whole / u64::from(u16::MAX)
    }

    pub(super) fn perform(&mut self, effects: Vec<Effect>, ctx: &mut Context<Self>) {
        for effect in effects {
            match effect {
                Effect::Refuse(id, refusal) => {
                    metrics::counter!("tidings_refusals_total", "code" => refusal.code.as_str()).increment(1);
                    self.reply(frame::error(self.worker.node.framing, id, refusal));
                }
                Effect::Greet(id, hello, claims) => self.greet(id, hello, claims, ctx),
                Effect::Run(ticket, id, job) => self.run(ticket, id, job, ctx),
                Effect::GoAway => self.go_away(ctx),
                Effect::Close(code) => self.close(code, ctx),
            }
        }
        self.link.flush();
    }

    pub(super) fn reply(&self, frame: Bytes) {
        self.link.keep(frame);
        self.link.request_answered();
    }

    fn greet(&mut self, id: RequestId, hello: Hello, claims: Option<Claims>, ctx: &mut Context<Self>) {
        self.claims = claims;
        let (worker, link) = (Rc::clone(&self.worker), Rc::clone(&self.link));
        let client = hello.client.as_deref().map(Arc::from);
        let showing = hello.presence.unwrap_or_default();
        let greet = Box::pin(greet::greet(worker, link, self.connection, id, hello, claims));
        ctx.spawn(greet.into_actor(self).map(move |greeted, session, ctx| match greeted {
            Ok(greeted) => {
                session.begins_presence(client);
                session.greeted(greeted, showing, ctx);
            }
            Err(turned) => session.turned(id, turned, ctx),
        }));
    }

    fn greeted(&mut self, greeted: Greeted, showing: Showing, ctx: &mut Context<Self>) {
        self.link.request_answered();
        self.viewer = greeted.viewer;
        if let Some(seat) = &greeted.seat {
            self.budget = Arc::clone(&seat.budget);
        }
        self.seat = greeted.seat;
        self.ear = greeted.ear;
        self.place = Some(Rc::new(greeted.place));
        self.begins_visit(showing);
        if let Some(caught_up) = greeted.caught_up {
            self.caught_up(caught_up, ctx);
        }
        self.refresh(ctx);
        self.watch_token(ctx);
        let effects = self.machine.greeted(self.viewer);
        self.perform(effects, ctx);
        self.link.rest();
    }

    fn turned(&mut self, id: RequestId, turned: Turned, ctx: &mut Context<Self>) {
        self.reply(frame::error(self.worker.node.framing, Some(id), turned.refusal));
        let effects = self.machine.end(turned.code);
        self.perform(effects, ctx);
    }

    fn run(&mut self, ticket: Ticket, id: RequestId, job: Job, ctx: &mut Context<Self>) {
        match job {
            Job::Subscribe(feed, limit, mode, filter) => {
                self.subscribe(ticket, id, Wanted { feed, limit, mode, is_change: false }, filter, ctx);
            }
            Job::Mode(feed, limit, mode) => {
                self.change_mode(ticket, id, Wanted { feed, limit, mode, is_change: true }, ctx);
            }
            Job::Unsubscribe(feed) => {
                let answer = self.unsubscribe(id, feed);
                self.finish(ticket, answer, ctx);
            }
            Job::Token(token) => {
                let answer = self.take_token(id, &token, ctx);
                self.finish(ticket, answer, ctx);
            }
            Job::Write(_)
            | Job::User(_)
            | Job::Post(_)
            | Job::Posts(..)
            | Job::Comments(..)
            | Job::Marks(_)
            | Job::Drafts(_)
            | Job::Circle(_)
            | Job::Notes(_)
            | Job::Search(_)
            | Job::Moderation(..) => {
                let (worker, viewer) = (Rc::clone(&self.worker), self.viewer);
                let mut answer = Box::pin(async move { jobs::answer(&worker, viewer, id, job).await });
                // Begun here: actix polls what is spawned in an order of its own, and writes must reach the journal as they were sent.
                if let Some(answer) = answer.as_mut().now_or_never() {
                    return self.finish(ticket, answer, ctx);
                }
                ctx.spawn(answer.into_actor(self).map(move |answer, session, ctx| session.finish(ticket, answer, ctx)));
            }
            Job::Company(job) => self.keep_company(ticket, id, job, ctx),
            Job::Bots(job) => {
                let (worker, claims) = (Rc::clone(&self.worker), self.claims);
                let answer = Box::pin(async move { bots::answer(&worker, claims, id, job).await });
                ctx.spawn(answer.into_actor(self).map(move |answer, session, ctx| session.finish(ticket, answer, ctx)));
            }
            Job::Media(job) => {
                let worker = Rc::clone(&self.worker);
                let answer = Box::pin(async move { media::answer(&worker.node, id, job).await });
                ctx.spawn(answer.into_actor(self).map(move |answer, session, ctx| session.finish(ticket, answer, ctx)));
            }
            Job::Account(job) => {
                let (worker, claims) = (Rc::clone(&self.worker), self.claims);
                let answer = Box::pin(async move { account::answer(&worker.node, claims, id, job).await });
                ctx.spawn(answer.into_actor(self).map(move |answer, session, ctx| session.finish(ticket, answer, ctx)));
            }
        }
    }

    pub(super) fn finish(&mut self, ticket: Ticket, answer: Bytes, ctx: &mut Context<Self>) {
        self.reply(answer);
        let effects = self.machine.finished(ticket);
        self.perform(effects, ctx);
    }

    fn unsubscribe(&mut self, id: RequestId, feed: FeedName) -> Bytes {
        let framing = self.worker.node.framing;
        if feed == FeedName::Firehose {
            self.ear = None;
        }
        if let Some(place) = &self.place {
            self.worker.table_mut().unsubscribe(place.slot(), feed);
        }
        frame::result(framing, id, Unsubscribed { feed })
    }

    fn take_token(&mut self, id: RequestId, token: &str, ctx: &mut Context<Self>) -> Bytes {
        let framing = self.worker.node.framing;
        let refused = |refusal| frame::error(framing, Some(id), refusal);
        let claims = match self.worker.node.tokens.verify(token) {
            Ok(claims) => claims,
            Err(bad) => return refused(bad_token(bad).0),
        };
        match self.claims {
            Some(had) if had.user == claims.user && had.session == claims.session => {}
            Some(_) => {
                return refused(Refusal::new(ErrorCode::Forbidden, "the token is of another log-in"));
            }
            None => {
                return refused(Refusal::new(ErrorCode::Forbidden, "an anonymous connection stays so"));
            }
        }
        let Some(expires_at) = claims.expires_at else {
            return refused(bad_token(BadToken::Invalid).0);
        };
        self.claims = Some(claims);
        self.watch_token(ctx);
        frame::result(framing, id, AuthRefreshed { expires_at })
    }

    fn told(&mut self, told: Told, ctx: &mut Context<Self>) {
        match told {
            Told::ContextChanged(afresh) => self.want(Reach::Context(afresh), ctx),
            Told::Hides(hides) => self.hides(hides),
            Told::Beyond => self.want(Reach::All, ctx),
            Told::NewEpoch => self.want(Reach::Epoch, ctx),
            Told::Revoked => self.end(CloseCode::SessionRevoked, ctx),
            Told::GoingAway => {
                let effects = self.machine.leave();
                self.perform(effects, ctx);
            }
        }
    }

    pub(super) fn end(&mut self, code: CloseCode, ctx: &mut Context<Self>) {
        let effects = self.machine.end(code);
        self.perform(effects, ctx);
    }

    pub(super) fn close(&mut self, code: CloseCode, ctx: &mut Context<Self>) {
        metrics::counter!("tidings_closes_total", "reason" => code.reason()).increment(1);
        self.link.close((self.worker.node.framing.close)(code));
        self.link.flush();
        ctx.stop();
    }
}

struct Door<'a> {
    worker: &'a Worker,
    budget: &'a Budget,
    seat: Option<&'a Seat>,
}

impl Doorkeeper for Door<'_> {
    fn verify(&self, token: &str) -> Result<Claims, BadToken> {
        self.worker.node.tokens.verify(token)
    }

    fn charge(&self, points: u32) -> Result<(), u64> {
        self.budget.charge(points)
    }

    fn turn(&self, whom: UserId, weight: u32) -> Result<(), u64> {
        self.seat.map_or(Ok(()), |seat| seat.turn(whom, weight))
    }

    fn is_sure(&self) -> bool {
        self.worker.node.sight.is_sure(self.worker.node.now())
    }
}

impl Actor for Session {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        let settings = self.worker.node.settings;
        ctx.run_later(Duration::from_millis(settings.hello_timeout_ms), |session, ctx| {
            if session.machine.is_greeting() {
                session.end(CloseCode::HelloTimeout, ctx);
            }
        });
        ctx.run_interval(Duration::from_millis(settings.heartbeat_ms), Self::pulse);
    }

    fn stopped(&mut self, _: &mut Context<Self>) {
        self.link.detach();
    }
}

impl Drop for Session {
    /// A connection never outlives its session: half-dead, it would take requests that nobody answers.
    fn drop(&mut self) {
        if self.link.standing() != Standing::Open {
            return;
        }
        let code = if std::thread::panicking() {
            Part::Session.has_failed();
            CloseCode::Internal
        } else {
            // The thread ends before the node could say goodbye.
            CloseCode::GoingAway
        };
        metrics::counter!("tidings_closes_total", "reason" => code.reason()).increment(1);
        self.link.detach();
        // Whoever waits on the socket writes it: a destructor must do nothing that could panic again.
        self.link.close((self.worker.node.framing.close)(code));
    }
}

impl Handler<Message> for Session {
    type Result = ();

    fn handle(&mut self, message: Message, ctx: &mut Context<Self>) {
        match message {
            Message::Text(text) => {
                let door = Door { worker: &self.worker, budget: &self.budget, seat: self.seat.as_deref() };
                let effects = self.machine.text(&text, &door);
                self.perform(effects, ctx);
            }
            Message::Binary => self.end(CloseCode::ProtocolError, ctx),
            Message::Drained => self.drained(ctx),
            Message::Stuck => self.end(CloseCode::Slow, ctx),
            Message::Gone => ctx.stop(),
            Message::Told(told) => self.told(told, ctx),
        }
    }
}
