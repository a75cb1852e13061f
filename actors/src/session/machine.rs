//! A session's phases and the order of its requests. A pure machine: text and `now` in, effects out; no sockets, no waiting.
//! Every request gets exactly one answer (P8), in the order sent as far as one can depend on another.

use std::collections::VecDeque;

use tidings_protocol::bots::Scopes;
use tidings_protocol::close::CloseCode;
use tidings_protocol::delivery::DeliveryMode;
use tidings_protocol::error::{ErrorCode, Refusal};
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::{PostId, RequestId, UserId};
use tidings_protocol::limits::{self, points};
use tidings_protocol::position::Cursor;
use tidings_protocol::request::{Hello, Method, Request};

use super::bots::BotsJob;
use super::circle::CircleJob;
use super::company::CompanyJob;
use super::drafts::DraftsJob;
use super::marks::MarksJob;
use super::media::MediaJob;
use super::methods::{cost, job};
use super::moderation::ModerationJob;
use super::notes::NotesJob;
use super::scopes::permitted;
use super::search::SearchJob;
use crate::account::AccountJob;
use crate::command::Command;
use crate::feed::firehose::Filter;
use crate::limits::{REFUSALS_IN_A_ROW, SESSION_READS};
use crate::ports::{BadToken, Branch, Claims, Who};
use crate::user::turns::turned_to;

/// A request under way, in this session's own numbering (clients may repeat their ids).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ticket(u64);

/// What a request comes down to.
#[derive(Clone, Debug)]
pub enum Job {
    /// A change, through the journal.
    Write(Command),
    /// A profile.
    User(Who),
    /// A post.
    Post(PostId),
    /// Older posts of a feed.
    Posts(FeedName, Option<Cursor>, u16),
    /// Older comments of a post or of a branch.
    Comments(Branch, Option<Cursor>, u16),
    /// Watch a feed.
    Subscribe(FeedName, u16, DeliveryMode, Option<Box<Filter>>),
    /// Hear more or less of a feed.
    Mode(FeedName, u16, DeliveryMode),
    /// Stop watching a feed.
    Unsubscribe(FeedName),
    /// Take a newer token.
    Token(String),
    /// Something of one's own account.
    Account(AccountJob),
    /// Something about tokens and bots.
    Bots(BotsJob),
    /// Something about pictures.
    Media(MediaJob),
    /// Something about marks on posts.
    Marks(MarksJob),
    /// One's own drafts.
    Drafts(DraftsJob),
    /// Something one has chosen.
    Circle(CircleJob),
    /// Something about who is here.
    Company(CompanyJob),
    /// Older notifications.
    Notes(NotesJob),
    /// Something looked for by words.
    Search(SearchJob),
    /// Something about reports and cases, for whom.
    Moderation(UserId, ModerationJob),
}

/// Jobs of one class may run side by side; a job of another class waits until they are done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    /// Pipelined: the journal keeps their order.
    Write,
    /// Side by side, a few at a time: they do not depend on each other.
    Read,
    /// At once and alone.
    Sole,
}

impl Job {
    const fn class(&self) -> Class {
        match self {
            Self::Write(_) => Class::Write,
            Self::User(_)
            | Self::Post(_)
            | Self::Posts(..)
            | Self::Comments(..)
            | Self::Subscribe(..)
            | Self::Account(AccountJob::LogIns | AccountJob::Get)
            | Self::Bots(BotsJob::Tokens(_) | BotsJob::All)
            | Self::Marks(_)
            | Self::Drafts(_)
            | Self::Circle(_)
            | Self::Notes(_)
            | Self::Search(_)
            | Self::Moderation(..)
            | Self::Company(CompanyJob::Type(_))
            | Self::Media(MediaJob::Get(_)) => Class::Read,
            Self::Company(_)
            | Self::Mode(..)
            | Self::Unsubscribe(_)
            | Self::Token(_)
            | Self::Account(_)
            | Self::Bots(_)
            | Self::Media(_) => Class::Sole,
        }
    }
}

/// What the shell does for it.
#[derive(Debug)]
pub enum Effect {
    /// Answer now.
    Refuse(Option<RequestId>, Refusal),
    /// Begin the session; answer with [`Machine::greeted`].
    Greet(RequestId, Hello, Option<Claims>),
    /// Carry a job out; answer with [`Machine::finished`].
    Run(Ticket, RequestId, Job),
    /// Tell the client to come back elsewhere, and end.
    GoAway,
    /// End with this number.
    Close(CloseCode),
}

#[derive(Debug)]
enum Phase {
    /// Nothing but `hello` is understood.
    Greeting,
    /// `hello` is being carried out; what follows it waits.
    Entering,
    /// In conversation as this user, or anonymously.
    Live(Option<UserId>),
    /// Nothing is understood any more.
    Over,
}

/// What `hello` and each request need to be decided at once.
pub trait Doorkeeper {
    /// What a token says.
    ///
    /// # Errors
    /// It is not good.
    fn verify(&self, token: &str) -> Result<Claims, BadToken>;
    /// Takes points out of the budget, or tells in how many milliseconds they would be there.
    fn charge(&self, points: u32) -> Result<(), u64>;
    /// The user changes how they stand to somebody; or in how many milliseconds they may.
    fn turn(&self, whom: UserId, weight: u32) -> Result<(), u64>;
    /// Whether a log-in that has ended would be known to have.
    fn is_sure(&self) -> bool;
}

/// The machine.
#[derive(Debug)]
pub struct Machine {
    phase: Phase,
    waiting: VecDeque<(RequestId, Method)>,
    running: Vec<(Ticket, Class)>,
    tickets: u64,
    refused_in_a_row: u32,
    /// Of the token that it came with; none for a log-in or an anonymous connection.
    scopes: Option<Scopes>,
    leaving: bool,
}

impl Default for Machine {
    fn default() -> Self {
        Self {
            phase: Phase::Greeting,
            waiting: VecDeque::new(),
            running: Vec::new(),
            tickets: 0,
            refused_in_a_row: 0,
            scopes: None,
            leaving: false,
        }
    }
}

impl Machine {
    /// Whether `hello` has not come yet.
    #[must_use]
    pub const fn is_greeting(&self) -> bool {
        matches!(self.phase, Phase::Greeting)
    }

    /// Whether the conversation goes on.
    #[must_use]
    pub const fn is_live(&self) -> bool {
        matches!(self.phase, Phase::Live(_))
    }

    /// The client sent a message.
    pub fn text(&mut self, message: &str, door: &dyn Doorkeeper) -> Vec<Effect> {
        if matches!(self.phase, Phase::Over) {
            return Vec::new();
        }
        match Request::decode(message) {
            Err(misread) if self.is_greeting() => {
                self.over([Effect::Refuse(misread.id, misread.refusal), Effect::Close(CloseCode::ProtocolError)])
            }
            // Reading it has cost us something too.
            Err(misread) => match door.charge(points::READ) {
                Ok(()) => self.refuse(misread.id, misread.refusal),
                Err(wait) => self.too_fast(misread.id, wait),
            },
            Ok(request) => match (&self.phase, request.method) {
                (Phase::Greeting, Method::Hello(hello)) => self.hello(request.id, hello, door),
                (Phase::Greeting, _) => self.protocol_error(request.id, "the first request must be hello"),
                (_, Method::Hello(_)) => self.protocol_error(request.id, "hello was said already"),
                (_, method) => self.request(request.id, method, door),
            },
        }
    }

    fn hello(&mut self, id: RequestId, hello: Hello, door: &dyn Doorkeeper) -> Vec<Effect> {
        if hello.feeds.len() > limits::FEEDS_PER_CONNECTION {
            let refusal = Refusal::new(ErrorCode::LimitReached, "too many feeds").field("feeds");
            return self.over([Effect::Refuse(Some(id), refusal), Effect::Close(CloseCode::ProtocolError)]);
        }
        let claims = match hello.token.as_deref().map(|token| door.verify(token)).transpose() {
            Ok(claims) => claims,
            Err(bad) => {
                let (refusal, code) = bad_token(bad);
                return self.over([Effect::Refuse(Some(id), refusal), Effect::Close(code)]);
            }
        };
        self.phase = Phase::Entering;
        self.scopes = claims.and_then(|claims| claims.scopes);
        vec![Effect::Greet(id, hello, claims)]
    }

    fn protocol_error(&mut self, id: RequestId, message: &str) -> Vec<Effect> {
        let refusal = Refusal::new(ErrorCode::BadRequest, message);
        self.over([Effect::Refuse(Some(id), refusal), Effect::Close(CloseCode::ProtocolError)])
    }

    fn over(&mut self, last: impl Into<Vec<Effect>>) -> Vec<Effect> {
        self.phase = Phase::Over;
        self.waiting.clear();
        last.into()
    }

    /// `hello` was carried out, as this user or anonymously.
    pub fn greeted(&mut self, viewer: Option<UserId>) -> Vec<Effect> {
        // It may have ended while `hello` was being carried out.
        if !matches!(self.phase, Phase::Entering) {
            return Vec::new();
        }
        self.phase = Phase::Live(viewer);
        self.go()
    }

    /// `hello` could not be carried out, or the session has to end for another reason.
    pub fn end(&mut self, code: CloseCode) -> Vec<Effect> {
        if matches!(self.phase, Phase::Over) {
            return Vec::new();
        }
        self.over([Effect::Close(code)])
    }

    /// The node is leaving: what was asked is still done, nothing more is taken.
    pub fn leave(&mut self) -> Vec<Effect> {
        self.leaving = true;
        match self.phase {
            Phase::Greeting => self.end(CloseCode::GoingAway),
            Phase::Entering | Phase::Live(_) => self.go(),
            Phase::Over => Vec::new(),
        }
    }

    fn request(&mut self, id: RequestId, method: Method, door: &dyn Doorkeeper) -> Vec<Effect> {
        if self.leaving {
            let refusal =
                Refusal::new(ErrorCode::Unavailable, "this node is leaving: send it again on the next connection");
            return self.refuse(Some(id), refusal);
        }
        let cost = cost(&method);
        if let Err(wait) = door.charge(cost) {
            return self.too_fast(Some(id), wait);
        }
        if permitted(self.scopes, &method).is_ok()
            && let Some((whom, weight)) = turned_to(&method)
            && let Err(wait) = door.turn(whom, weight)
        {
            return self.too_fast(Some(id), wait);
        }
        if cost > 0 {
            self.refused_in_a_row = 0;
        }
        // It may be of one who has been logged out while this node could not hear of it (P5).
        if matches!(self.phase, Phase::Live(Some(_))) && !door.is_sure() {
            let refusal = Refusal::new(ErrorCode::Unavailable, "this node cannot confirm log-ins now");
            return vec![Effect::Refuse(Some(id), refusal.after_ms(1_000))];
        }
        self.waiting.push_back((id, method));
        self.go()
    }

    fn too_fast(&mut self, id: Option<RequestId>, wait: u64) -> Vec<Effect> {
        self.refuse(id, Refusal::new(ErrorCode::RateLimited, "too fast").after_ms(wait))
    }

    fn refuse(&mut self, id: Option<RequestId>, refusal: Refusal) -> Vec<Effect> {
        self.refused_in_a_row += 1;
        if self.refused_in_a_row > REFUSALS_IN_A_ROW {
            return self.over([Effect::Refuse(id, refusal), Effect::Close(CloseCode::Flood)]);
        }
        vec![Effect::Refuse(id, refusal)]
    }

    /// A job has been answered.
    pub fn finished(&mut self, ticket: Ticket) -> Vec<Effect> {
        self.running.retain(|(running, _)| *running != ticket);
        self.go()
    }

    /// Starts what may run now.
    fn go(&mut self) -> Vec<Effect> {
        let mut effects = Vec::new();
        let Phase::Live(viewer) = self.phase else {
            return effects;
        };
        while let Some((id, method)) = self.waiting.pop_front() {
            match job(viewer, method.clone()).and_then(|job| permitted(self.scopes, &method).map(|()| job)) {
                Err(refusal) if self.running.is_empty() => effects.push(Effect::Refuse(Some(id), refusal)),
                Ok(job) if self.may_run(job.class()) => {
                    self.tickets += 1;
                    let ticket = Ticket(self.tickets);
                    self.running.push((ticket, job.class()));
                    effects.push(Effect::Run(ticket, id, job));
                }
                Ok(_) | Err(_) => {
                    self.waiting.push_front((id, method));
                    break;
                }
            }
        }
        if self.leaving && self.running.is_empty() && self.waiting.is_empty() {
            effects.extend(self.over([Effect::GoAway]));
        }
        effects
    }

    fn may_run(&self, class: Class) -> bool {
        match class {
            Class::Sole => self.running.is_empty(),
            Class::Write => self.running.iter().all(|(_, running)| *running == Class::Write),
            Class::Read => {
                self.running.len() < SESSION_READS && self.running.iter().all(|(_, running)| *running == Class::Read)
            }
        }
    }
}

/// How a bad token is answered and closed.
#[must_use]
pub fn bad_token(bad: BadToken) -> (Refusal, CloseCode) {
    match bad {
        BadToken::Expired => {
            (Refusal::new(ErrorCode::TokenExpired, "the token has run out").field("token"), CloseCode::TokenExpired)
        }
        BadToken::Invalid => {
            (Refusal::new(ErrorCode::BadToken, "the token is not valid").field("token"), CloseCode::BadToken)
        }
    }
}

#[cfg(test)]
mod tests;
