//! The ports of a simulated node: every question goes to the world, which answers when and how it likes, or never.
//! Nothing is decided here.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use secrecy::SecretString;
use tidings_protocol::account::{AccountExported, AccountGot};
use tidings_protocol::entity::{LogIn, Post};
use tidings_protocol::error::{ErrorCode, Refusal};
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::{PostId, SessionId, UserId};
use tidings_protocol::notification::NotificationsPage;
use tidings_protocol::position::{Millis, Seq};
use tidings_protocol::reply::{CommentsPage, PostsPage, Snapshot, UserResult};
use tokio::sync::{mpsc, oneshot};

use super::model::session_id;
use crate::command::{Command, Committed, Deed};
use crate::entry::Batch;
use crate::ports::{
    BadToken, BatchId, Branch, Bus, Claims, CommitFault, Desk, Head, Heard, JournalStore, Missed, Reads, StoreFault,
    Tokens, Viewer, Who,
};
use crate::presence::whisper::Whisper;
use crate::testing::user;

type To<T> = oneshot::Sender<Result<T, StoreFault>>;

/// What a node asks of Postgres.
pub(super) enum Question {
    Head(To<Head>),
    Commit(BatchId, Vec<Command>, oneshot::Sender<Result<Committed, CommitFault>>),
    Read(Seq, Seq, To<Batch>),
    Viewer(UserId, SessionId, To<Option<Viewer>>),
    Snapshot(Option<UserId>, FeedName, u16, To<Option<Snapshot>>),
    Missed(Option<UserId>, Vec<FeedName>, Seq, usize, To<Missed>),
    Hidden(Option<UserId>, Vec<PostId>, To<Vec<PostId>>),
}

/// What a node has said and the world has not yet seen.
#[derive(Default)]
pub(super) struct Said {
    pub(super) asked: Vec<Question>,
    pub(super) published: Vec<Arc<Batch>>,
}

/// A node's ports, all in one.
#[derive(Clone, Default)]
pub(super) struct Ports {
    pub(super) said: Arc<Mutex<Said>>,
    heard: Arc<Mutex<Option<mpsc::Receiver<Heard>>>>,
}

impl Ports {
    pub(super) fn listening(heard: mpsc::Receiver<Heard>) -> Self {
        Self { said: Arc::default(), heard: Arc::new(Mutex::new(Some(heard))) }
    }

    pub(super) fn take(&self) -> Said {
        std::mem::take(&mut *self.said.lock().expect("one thread"))
    }

    async fn ask<T>(&self, question: impl FnOnce(To<T>) -> Question) -> Result<T, StoreFault> {
        let (to, answer) = oneshot::channel();
        self.said.lock().expect("one thread").asked.push(question(to));
        answer.await.unwrap_or_else(|_| Err(StoreFault::Unavailable("no answer".to_owned())))
    }
}

#[async_trait]
impl JournalStore for Ports {
    async fn head(&self) -> Result<Head, StoreFault> {
        self.ask(Question::Head).await
    }

    async fn commit(&self, batch: BatchId, commands: &[Command]) -> Result<Committed, CommitFault> {
        let (to, answer) = oneshot::channel();
        self.said.lock().expect("one thread").asked.push(Question::Commit(batch, commands.to_vec(), to));
        answer.await.unwrap_or_else(|_| Err(CommitFault::Unknown("no answer".to_owned())))
    }

    async fn read(&self, from: Seq, to: Seq) -> Result<Batch, StoreFault> {
        self.ask(|answer| Question::Read(from, to, answer)).await
    }

    async fn prune(&self, _: u64) -> Result<u64, StoreFault> {
        Ok(0)
    }
}

#[async_trait]
impl Reads for Ports {
    async fn viewer(&self, user: UserId, session: SessionId) -> Result<Option<Viewer>, StoreFault> {
        self.ask(|to| Question::Viewer(user, session, to)).await
    }

    async fn newest(&self) -> Result<Seq, StoreFault> {
        self.ask(Question::Head).await.map(|head| head.seq)
    }

    async fn snapshot(
        &self,
        viewer: Option<UserId>,
        feed: FeedName,
        limit: u16,
    ) -> Result<Option<Snapshot>, StoreFault> {
        self.ask(|to| Question::Snapshot(viewer, feed, limit, to)).await
    }

    async fn missed(
        &self,
        viewer: Option<UserId>,
        feeds: &[FeedName],
        since: Seq,
        limit: usize,
    ) -> Result<Missed, StoreFault> {
        self.ask(|to| Question::Missed(viewer, feeds.to_vec(), since, limit, to)).await
    }

    async fn hidden(&self, viewer: Option<UserId>, posts: &[PostId]) -> Result<Vec<PostId>, StoreFault> {
        self.ask(|to| Question::Hidden(viewer, posts.to_vec(), to)).await
    }

    // Nobody in this world turns pages: they change nothing of what is live.
    async fn posts_page(
        &self,
        _: Option<UserId>,
        _: FeedName,
        _: Option<Seq>,
        _: u16,
    ) -> Result<Option<PostsPage>, StoreFault> {
        Ok(None)
    }

    async fn comments_page(
        &self,
        _: Option<UserId>,
        _: Branch,
        _: Option<Seq>,
        _: u16,
    ) -> Result<Option<CommentsPage>, StoreFault> {
        Ok(None)
    }

    async fn notifications_page(&self, _: UserId, _: Option<Seq>, _: u16) -> Result<NotificationsPage, StoreFault> {
        Err(StoreFault::Broken("nobody here turns pages".to_owned()))
    }

    async fn user(&self, _: Option<UserId>, _: &Who) -> Result<Option<UserResult>, StoreFault> {
        Ok(None)
    }

    async fn post(&self, _: Option<UserId>, _: PostId) -> Result<Option<Post>, StoreFault> {
        Ok(None)
    }
}

impl Bus for Ports {
    fn publish(&self, batch: Arc<Batch>) {
        self.said.lock().expect("one thread").published.push(batch);
    }

    fn listen(&self) -> mpsc::Receiver<Heard> {
        self.heard.lock().expect("one thread").take().expect("called once")
    }

    /// Nobody here watches who is here: that has a simulation of its own.
    fn whisper(&self, _: Arc<Whisper>) {}

    fn overhear(&self) -> mpsc::Receiver<Whisper> {
        mpsc::channel(1).1
    }
}

/// Of a token that never runs out: the year 3000.
const FOREVER: Millis = Millis(32_503_680_000_000);

pub(super) fn token(user: u64, session: u64) -> String {
    format!("{user} {session}")
}

impl Tokens for Ports {
    fn verify(&self, token: &str) -> Result<Claims, BadToken> {
        let (of, session) = token.split_once(' ').ok_or(BadToken::Invalid)?;
        let number = |text: &str| text.parse::<u64>().map_err(|_| BadToken::Invalid);
        Ok(Claims {
            user: user(number(of)?),
            session: session_id(number(session)?),
            expires_at: Some(FOREVER),
            scopes: None,
        })
    }
}

/// Nobody in a simulated world changes their account.
#[async_trait]
impl Desk for Ports {
    async fn change_password(&self, _: Claims, _: SecretString, _: SecretString) -> Result<u32, Refusal> {
        Err(Refusal::new(ErrorCode::Internal, "not asked here"))
    }

    async fn change_email(&self, _: Claims, _: SecretString, _: String) -> Result<String, Refusal> {
        Err(Refusal::new(ErrorCode::Internal, "not asked here"))
    }

    async fn account(&self, _: Claims) -> Result<AccountGot, Refusal> {
        Err(Refusal::new(ErrorCode::Internal, "not asked here"))
    }

    async fn export(&self, _: Claims) -> Result<AccountExported, Refusal> {
        Err(Refusal::new(ErrorCode::Internal, "not asked here"))
    }

    async fn deletion(&self, _: Claims, _: SecretString) -> Result<Deed, Refusal> {
        Err(Refusal::new(ErrorCode::Internal, "not asked here"))
    }

    async fn log_ins(&self, _: Claims) -> Result<Vec<LogIn>, Refusal> {
        Err(Refusal::new(ErrorCode::Internal, "not asked here"))
    }

    async fn end_others(&self, _: Claims) -> Result<u32, Refusal> {
        Err(Refusal::new(ErrorCode::Internal, "not asked here"))
    }
}
