//! What a client makes of what comes: every frame written down, cursor and feeds kept, refusals sorted into "again" and "never".
//! Must never write down anything else than what the frame says.

use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use rand::RngExt as _;
use serde::de::DeserializeOwned;
use tidings_protocol::entity::{Comment, Follow, Post, Removed, User};
use tidings_protocol::error::{ErrorCode, Refusal};
use tidings_protocol::feed::FeedName;
use tidings_protocol::position::Seq;
use tidings_protocol::push::EventName;
use tidings_protocol::reply::{
    CommentResult, FeedStart, FollowResult, PostGot, PostResult, RemovedResult, Snapshot, UserUpdated, Welcome,
};
use tidings_protocol::request::{AuthRefresh, Method};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::{self, Message};

use super::client::{Client, End, Waiting};
use super::intent::Task;
use super::line::Line;
use super::logins::{Pass, Trust, leaves_doubt};
use crate::examine::history::{Op, Seen, Thing, What};
use crate::examine::judge::Invariant;
use crate::frame::Frame;
use crate::link;

/// `auth.refresh` changes nothing that a history tells of; requests are numbered from 1.
const ASIDE: u64 = 0;
/// Before a request is sent again, in milliseconds, if the server does not say.
const AGAIN_MS: std::ops::Range<u64> = 100..400;

/// What the answer to a request says.
struct Answer {
    seq: Option<u64>,
    duplicate: bool,
    seen: Option<Seen>,
}

impl Client {
    /// Takes what came; an error is the end of the connection.
    pub async fn take(
        &mut self,
        line: &mut Line,
        message: Option<Result<Message, tungstenite::Error>>,
    ) -> Result<(), End> {
        line.heard = Instant::now();
        match message {
            Some(Ok(Message::Text(text))) => self.text(line, &text),
            Some(Ok(Message::Close(why))) => {
                line.say_goodbye().await;
                let code = why.as_ref().map(|why| u16::from(why.code));
                Err(End { code, ..End::lost(format!("closed: {}", link::close_words(why.as_ref()))) })
            }
            Some(Ok(Message::Binary(_))) => {
                self.stage.breach(Invariant::Phantom, format!("a binary frame over connection {}", line.number));
                Ok(())
            }
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => Ok(()),
            Some(Err(cause)) => Err(End::lost(format!("lost: {cause}"))),
            None => Err(End::lost("lost without a close")),
        }
    }

    fn text(&mut self, line: &mut Line, text: &str) -> Result<(), End> {
        let frame = match Frame::read(text) {
            Ok(frame) => frame,
            Err(cause) => {
                self.odd(line, &cause);
                return Ok(());
            }
        };
        if frame.feed.is_some() {
            if let Err(cause) = self.event(line, &frame) {
                self.odd(line, &cause);
            }
            return Ok(());
        }
        if frame.event.is_some() {
            self.notice(line, &frame);
            return Ok(());
        }
        match frame.id {
            Some(ASIDE) => Ok(()),
            Some(request) => self.reply(line, request, &frame),
            None => {
                self.odd(line, &anyhow!("a request of ours was not understood: {:?}", frame.error));
                Ok(())
            }
        }
    }

    /// Not of this protocol: told in the report, since a history has no words for it.
    fn odd(&self, line: &Line, cause: &anyhow::Error) {
        let says = format!("client {}, connection {}: {cause:#}", self.number, line.number);
        self.stage.breach(Invariant::Phantom, says);
    }

    fn event(&mut self, line: &Line, frame: &Frame<'_>) -> Result<()> {
        let name = frame.event.context("an event without a name")?;
        let seq = frame.seq.context("an event without a seq")?;
        if let Some(cursor) = &mut self.cursor {
            cursor.seq = Seq(seq);
        }
        // Events that we do not know are to be ignored.
        let Some(event) = EventName::ALL.iter().copied().find(|event| event.as_str() == name) else { return Ok(()) };
        let feed: FeedName = frame.feed.unwrap_or_default().parse()?;
        let body = frame.data.context("an event without data")?.get();
        let (connection, epoch) = (line.number, line.epoch);
        let what = if event == EventName::FeedResync {
            let snapshot: Snapshot = serde_json::from_str(body)?;
            self.shot(line, None, &snapshot)
        } else {
            // Of what the examiner has no words for, only the place counts.
            let Some(seen) = seen(event, body)? else { return Ok(()) };
            What::Event { connection, epoch, feed, seq, event, seen }
        };
        self.stage.note(Some(self.number), what);
        Ok(())
    }

    fn notice(&mut self, line: &mut Line, frame: &Frame<'_>) {
        let name = frame.event.unwrap_or_default();
        if let Some(cursor) = frame.cursor {
            (self.cursor, line.epoch) = (Some(cursor), cursor.epoch.0);
            let (connection, notice) = (line.number, name.to_owned());
            self.stage.note(Some(self.number), What::Position { connection, notice, cursor });
        }
        if let Some(wait) = frame.reconnect_after_ms {
            Self::leave(line, Duration::from_millis(wait));
        }
        if name == "token_expiring" {
            self.renew(line);
        }
    }

    /// Gets a newer token for the live connection, beside everything else.
    fn renew(&self, line: &Line) {
        let (logins, fresh, person, login) = (self.logins.clone(), self.fresh.0.clone(), self.person, line.login);
        tokio::task::spawn_local(async move {
            if let Ok(pass) = logins.pass(person, Some(login), Trust::Stale, false).await {
                // The client may be gone by now.
                drop(fresh.send(pass));
            }
        });
    }

    /// Puts it on the connection; if the log-in has ended, so will the connection.
    pub async fn put_on(&self, line: &mut Line, pass: Pass) -> Result<(), End> {
        if pass.login != line.login {
            return Ok(());
        }
        line.send(ASIDE, Method::AuthRefresh(AuthRefresh { token: pass.token })).await
    }

    fn reply(&mut self, line: &mut Line, request: u64, frame: &Frame<'_>) -> Result<(), End> {
        let Some(task) = line.flight.remove(&request) else {
            let cause = anyhow!("an answer to {request}, which was not asked here or has been answered");
            self.stage.breach(Invariant::OneEvent, format!("connection {}: {cause}", line.number));
            return Ok(());
        };
        if let Some(refusal) = &frame.error {
            return self.refused(line, request, task, refusal);
        }
        let body = frame.result.map_or("null", |result| result.get());
        let told = match task.op {
            Op::Hello => self.welcome(line, request, body),
            Op::Watch(_) => self.watching(line, request, body),
            Op::Create(..)
            | Op::Change(..)
            | Op::Delete(_)
            | Op::Follow(..)
            | Op::Read(_)
            | Op::Unwatch(_)
            | Op::LogOut(_) => self.done(request, &task, body),
        };
        told.map_err(|cause| {
            self.odd(line, &cause.context(format!("the answer to {:?}", task.op)));
            End::ours("an answer that is none")
        })
    }

    fn welcome(&mut self, line: &mut Line, request: u64, body: &str) -> Result<()> {
        let welcome: Welcome = serde_json::from_str(body)?;
        let (mut live, mut refused, mut shots) = (Vec::new(), Vec::new(), Vec::new());
        line.epoch = welcome.cursor.epoch.0;
        for start in &welcome.feeds {
            match start {
                FeedStart::Live { feed } => live.push(*feed),
                FeedStart::Snapshot { snapshot } => shots.push(self.shot(line, Some(request), snapshot)),
                FeedStart::Refused { feed, .. } => refused.push(*feed),
            }
        }
        self.feeds.retain(|feed| !refused.contains(feed));
        let (position, resumed) = (welcome.cursor, welcome.resumed);
        let connected = What::Connected {
            connection: line.number,
            login: line.login,
            node: line.node,
            cursor: line.given,
            position,
            resumed,
            live,
            refused,
        };
        self.stage.note(Some(self.number), connected);
        self.ok(request, Answer { seq: None, duplicate: false, seen: None });
        for shot in shots {
            self.stage.note(Some(self.number), shot);
        }
        (self.cursor, line.greeted) = (Some(position), true);
        Ok(())
    }

    fn watching(&mut self, line: &Line, request: u64, body: &str) -> Result<()> {
        let snapshot: Snapshot = serde_json::from_str(body)?;
        let shot = self.shot(line, Some(request), &snapshot);
        self.feeds.insert(snapshot.feed);
        self.ok(request, Answer { seq: None, duplicate: false, seen: None });
        self.stage.note(Some(self.number), shot);
        Ok(())
    }

    fn done(&mut self, request: u64, task: &Task, body: &str) -> Result<()> {
        let answer = answer(task.op, body)?;
        if let (Some(seq), false) = (answer.seq, answer.duplicate) {
            self.stage.acknowledge(seq);
        }
        let seen = answer.seen;
        self.ok(request, answer);
        if let Op::Unwatch(feed) = task.op {
            // A watch that was under way when this was asked has put it back.
            self.feeds.remove(&feed);
        }
        if let Some(seen) = seen {
            self.stage.world.borrow_mut().note(self.person, task.op, &seen);
        }
        Ok(())
    }

    fn ok(&self, request: u64, answer: Answer) {
        let Answer { seq, duplicate, seen } = answer;
        self.stage.note(Some(self.number), What::Ok { request, seq, duplicate, seen });
    }

    fn refused(&mut self, line: &Line, request: u64, task: Task, refusal: &Refusal) -> Result<(), End> {
        let code = refusal.code;
        // What changes nothing was not done: only of a change it may be that nobody knows.
        let what = if leaves_doubt(code) && task.op.changes().is_some() {
            What::Unknown { request, why: code.as_str().to_owned() }
        } else {
            What::Fail { request, code }
        };
        self.stage.note(Some(self.number), what);
        let (op, changes) = (task.op, task.op.changes());
        if op == Op::Hello {
            if matches!(code, ErrorCode::BadToken | ErrorCode::TokenExpired) {
                self.trust = Trust::Stale;
            }
            let away = refusal.retry_after_ms.map(Duration::from_millis);
            return Err(End { away, ..End::ours(format!("hello was refused: {}", code.as_str())) });
        }
        if let (ErrorCode::NotFound, Some(thing)) = (code, changes) {
            self.stage.world.borrow_mut().forget(thing);
        }
        if refusal.retry && changes.is_some() {
            let wait = refusal.retry_after_ms.unwrap_or_else(|| self.rng.random_range(AGAIN_MS));
            self.backlog.push_back(Waiting { task, due: Instant::now() + Duration::from_millis(wait) });
        }
        // It may be told by `hello` that one may no longer watch it, but not silently left out.
        if let Op::Unwatch(feed) = op {
            self.feeds.insert(feed);
        }
        debug_assert!(line.greeted, "nothing but hello is asked before");
        Ok(())
    }

    fn shot(&self, line: &Line, request: Option<u64>, snapshot: &Snapshot) -> What {
        What::Snapshot {
            connection: line.number,
            request,
            feed: snapshot.feed,
            seq: snapshot.seq.0,
            members: self.members(snapshot),
            complete: snapshot.next.is_none(),
        }
    }

    fn members(&self, snapshot: &Snapshot) -> Vec<Seen> {
        let me = self.stage.world.borrow().people[self.person];
        let follow = |id: &tidings_protocol::ids::UserId| Seen {
            thing: Thing::Follow(me, id.0),
            rev: 0,
            place: None,
            author: Some(me),
            on: None,
            mark: 0,
            gone: false,
        };
        let mut members: Vec<Seen> = snapshot.user.iter().map(Seen::user).collect();
        members.extend(snapshot.post.iter().chain(snapshot.posts.iter().flatten()).map(Seen::post));
        members.extend(snapshot.comments.iter().flatten().map(Seen::comment));
        members.extend(snapshot.follows.iter().flatten().map(follow));
        members
    }
}

fn seen(event: EventName, body: &str) -> Result<Option<Seen>> {
    Ok(Some(match event {
        EventName::PostCreated | EventName::PostUpdated => Seen::post(&read::<Post>(body)?),
        EventName::PostRemoved => Seen::removed(Thing::Post, &read::<Removed>(body)?),
        EventName::CommentCreated | EventName::CommentUpdated => Seen::comment(&read::<Comment>(body)?),
        EventName::CommentRemoved => Seen::removed(Thing::Comment, &read::<Removed>(body)?),
        EventName::UserUpdated => Seen::user(&read::<User>(body)?),
        EventName::FollowCreated => Seen::follow(&read::<Follow>(body)?, true),
        EventName::FollowRemoved => Seen::follow(&read::<Follow>(body)?, false),
        EventName::BlockCreated
        | EventName::BlockRemoved
        | EventName::MuteCreated
        | EventName::MuteRemoved
        | EventName::ReactionUpdated
        | EventName::ReactionRemoved
        | EventName::BookmarkCreated
        | EventName::BookmarkRemoved
        | EventName::NotificationUpdated
        | EventName::NotificationRemoved
        | EventName::NotificationRead
        | EventName::MarkerUpdated
        | EventName::MarkerRemoved
        | EventName::PreferencesUpdated
        | EventName::SettingsUpdated
        | EventName::DraftUpdated
        | EventName::DraftRemoved
        | EventName::CaseUpdated
        | EventName::ReportUpdated
        | EventName::ActionUpdated
        | EventName::FeedChanged
        | EventName::RequestCreated
        | EventName::RequestRemoved
        | EventName::ListUpdated
        | EventName::ListRemoved
        | EventName::MemberCreated
        | EventName::MemberRemoved
        | EventName::FilterUpdated
        | EventName::FilterRemoved => return Ok(None),
        EventName::FeedResync => return Err(anyhow!("a snapshot is not a state of one thing")),
    }))
}

/// What the answer to a change or a read shows.
fn answer(op: Op, body: &str) -> Result<Answer> {
    let answer = |seq: Seq, duplicate, seen| Answer { seq: Some(seq.0), duplicate, seen: Some(seen) };
    Ok(match op {
        Op::Create(Thing::Post(_), _) | Op::Change(Thing::Post(_), _) => {
            let done: PostResult = read(body)?;
            answer(done.seq, done.duplicate, Seen::post(&done.post))
        }
        Op::Create(Thing::Comment(_), _) | Op::Change(Thing::Comment(_), _) => {
            let done: CommentResult = read(body)?;
            answer(done.seq, done.duplicate, Seen::comment(&done.comment))
        }
        Op::Change(Thing::User(_), _) => {
            let done: UserUpdated = read(body)?;
            answer(done.seq, false, Seen::user(&done.user))
        }
        Op::Delete(Thing::Post(_)) => {
            let done: RemovedResult = read(body)?;
            answer(done.seq, done.duplicate, Seen::removed(Thing::Post, &done.removed))
        }
        Op::Delete(Thing::Comment(_)) => {
            let done: RemovedResult = read(body)?;
            answer(done.seq, done.duplicate, Seen::removed(Thing::Comment, &done.removed))
        }
        Op::Follow(..) => {
            let done: FollowResult = read(body)?;
            answer(done.seq, false, Seen::follow(&done.follow, done.following))
        }
        Op::Read(_) => Answer { seq: None, duplicate: false, seen: Some(Seen::post(&read::<PostGot>(body)?.post)) },
        Op::Unwatch(_) => Answer { seq: None, duplicate: false, seen: None },
        Op::Hello | Op::Watch(_) | Op::LogOut(_) | Op::Create(..) | Op::Change(..) | Op::Delete(_) => {
            return Err(anyhow!("nobody asks for {op:?} like this"));
        }
    })
}

fn read<T: DeserializeOwned>(body: &str) -> Result<T> {
    Ok(serde_json::from_str(body)?)
}
