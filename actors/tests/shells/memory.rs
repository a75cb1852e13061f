//! All ports of a node in one: a list of entries, and what may be asked of it.
//! Must never answer what no test here asks: that is an error, not a guess.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use serde_json::value::RawValue;
use tidings_actors::command::{Act, Command, Committed, Deed, Outcome};
use tidings_actors::entry::{Batch, Change, Entry, Verb};
use tidings_actors::ports::{
    BadToken, BatchId, Branch, Bus, Claims, CommitFault, Desk, Head, Heard, JournalStore, Missed, Reads, StoreFault,
    Tokens, Viewer, Who,
};
use tidings_actors::presence::whisper::Whisper;
use tidings_protocol::account::{AccountExported, AccountGot};
use tidings_protocol::entity::{Author, Block, Follow, LogIn, Post, PostExtra, Role, User, UserExtra};
use tidings_protocol::error::{ErrorCode, Refusal};
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::{PostId, SessionId, UserId};
use tidings_protocol::notification::NotificationsPage;
use tidings_protocol::position::{Epoch, Millis, Seq};
use tidings_protocol::reply::{CommentsPage, PostsPage, Snapshot, UserResult};
use tokio::sync::{Semaphore, mpsc};
use uuid::Uuid;

/// So many may be answered at once.
pub const LOOK_UPS: u32 = 100;

pub const EPOCH: Epoch = Epoch(46_656);

pub fn user(n: u64) -> UserId {
    UserId(Uuid::from_u64_pair(1, n))
}

pub fn log_in(n: u64) -> SessionId {
    SessionId(Uuid::from_u64_pair(3, n))
}

/// A new post by user `n`.
pub fn post_by(n: u64) -> Change {
    Change::Post { verb: Verb::Created, id: PostId(Uuid::now_v7()), author: user(n) }
}

/// The journal, and what was told to the peers.
pub struct Memory {
    entries: Mutex<Vec<Entry>>,
    epoch: Mutex<Epoch>,
    pub told: Mutex<Vec<Arc<Batch>>>,
    ear: Mutex<Option<mpsc::Sender<Heard>>>,
    /// What the peers were told of who is here.
    pub whispered: Mutex<Vec<Arc<Whisper>>>,
    /// The next whisper panics.
    pub chokes: AtomicBool,
    /// Where a peer whispers.
    pub peer: Mutex<Option<mpsc::Sender<Whisper>>>,
    /// Answers to look-ups wait here, once they are known.
    pub look_ups: Semaphore,
    /// How many there were.
    pub looked_up: AtomicUsize,
    /// Posts that nobody may see.
    pub hidden: Mutex<Vec<PostId>>,
}

impl Default for Memory {
    fn default() -> Self {
        let look_ups = Semaphore::new(LOOK_UPS as usize);
        Self {
            entries: Mutex::default(),
            epoch: Mutex::new(EPOCH),
            told: Mutex::default(),
            ear: Mutex::default(),
            whispered: Mutex::default(),
            chokes: AtomicBool::new(false),
            peer: Mutex::default(),
            look_ups,
            looked_up: AtomicUsize::new(0),
            hidden: Mutex::default(),
        }
    }
}

impl Memory {
    /// A standby that has seen nothing of this is promoted, and carries out these changes.
    pub fn begins_a_new_life(&self, changes: &[Change]) -> Epoch {
        let epoch = {
            let mut epoch = self.epoch.lock().unwrap();
            epoch.0 += 1;
            *epoch
        };
        self.entries.lock().unwrap().clear();
        self.write(changes);
        epoch
    }

    fn epoch(&self) -> Epoch {
        *self.epoch.lock().unwrap()
    }

    /// Appends changes as one batch.
    pub fn write(&self, changes: &[Change]) -> Batch {
        let mut entries = self.entries.lock().unwrap();
        let first = Seq(entries.len() as u64 + 1);
        for change in changes {
            let seq = Seq(entries.len() as u64 + 1);
            entries.push(Entry { seq, change: *change, body: body(change, seq), scope: None });
        }
        let new = entries[entries.len() - changes.len()..].to_vec();
        Batch { epoch: self.epoch(), first, last: Seq(entries.len() as u64), entries: new }
    }

    pub fn entries(&self) -> Vec<Entry> {
        self.entries.lock().unwrap().clone()
    }

    fn place(&self) -> Seq {
        Seq(self.entries.lock().unwrap().len() as u64)
    }
}

fn profile(id: UserId) -> User {
    let handle = format!("u{}", id.0.as_u64_pair().1);
    User {
        id,
        rev: Seq(0),
        name: handle.clone(),
        handle,
        bio: String::new(),
        role: Role::User,
        created_at: Millis(0),
        extra: UserExtra::default(),
    }
}

/// The wire form of what a change is about.
fn body(change: &Change, rev: Seq) -> Arc<RawValue> {
    let body = match *change {
        Change::Post { id, author, .. } => {
            let User { id: of, rev: at, handle, name, .. } = profile(author);
            let author = Author { id: of, rev: at, handle, name };
            let (text, extra) = ("x".into(), PostExtra::default());
            json!(Post { id, rev, seq: rev, author, text, created_at: Millis(0), edited_at: None, extra })
        }
        Change::Follow { follower, followee, .. } => json!(Follow { rev, follower, followee }),
        Change::Block { blocker, blocked, .. } => json!(Block { rev, blocker, blocked }),
        Change::Case { .. } | Change::Rights { .. } | Change::SessionRevoked { .. } => json!({}),
        _ => panic!("not in these tests"),
    };
    RawValue::from_string(body.to_string()).unwrap().into()
}

fn not_here<T>() -> Result<T, StoreFault> {
    Err(StoreFault::Broken("not in these tests".into()))
}

#[async_trait]
impl JournalStore for Memory {
    async fn head(&self) -> Result<Head, StoreFault> {
        Ok(Head { epoch: self.epoch(), seq: self.place(), floor: Seq(0) })
    }

    async fn commit(&self, _: BatchId, commands: &[Command]) -> Result<Committed, CommitFault> {
        let changes: Vec<Change> = commands
            .iter()
            .map(|Command { actor, act }| match act {
                Act::PostCreate { id, .. } => Change::Post { verb: Verb::Created, id: *id, author: *actor },
                Act::SessionRevoke { session } => Change::SessionRevoked { user: *actor, session: *session },
                other => panic!("not in these tests: {other:?}"),
            })
            .collect();
        let outcomes = self.write(&changes).entries.into_iter().map(Outcome::Done).collect();
        Ok(Committed { epoch: self.epoch(), outcomes, brought: Vec::new() })
    }

    async fn read(&self, from: Seq, to: Seq) -> Result<Batch, StoreFault> {
        let entries = self.entries().into_iter().filter(|entry| (from..=to).contains(&entry.seq)).collect();
        Ok(Batch { epoch: self.epoch(), first: from, last: to.min(self.place()), entries })
    }

    async fn prune(&self, _: u64) -> Result<u64, StoreFault> {
        not_here()
    }
}

impl Bus for Memory {
    fn publish(&self, batch: Arc<Batch>) {
        self.told.lock().unwrap().push(batch);
    }

    fn listen(&self) -> mpsc::Receiver<Heard> {
        let (ear, heard) = mpsc::channel(1);
        *self.ear.lock().unwrap() = Some(ear);
        heard
    }

    fn whisper(&self, whisper: Arc<Whisper>) {
        assert!(!self.chokes.swap(false, Ordering::Relaxed), "for the test");
        self.whispered.lock().unwrap().push(whisper);
    }

    fn overhear(&self) -> mpsc::Receiver<Whisper> {
        let (peer, overheard) = mpsc::channel(16);
        *self.peer.lock().unwrap() = Some(peer);
        overheard
    }
}

impl Tokens for Memory {
    /// A token is the numbers of a user and a log-in, such as `1/7`.
    fn verify(&self, token: &str) -> Result<Claims, BadToken> {
        let (whose, which) = token.split_once('/').ok_or(BadToken::Invalid)?;
        let number = |text: &str| text.parse().map_err(|_| BadToken::Invalid);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
        let expires_at = Millis(u64::try_from(now).unwrap() + 3_600_000);
        Ok(Claims {
            user: user(number(whose)?),
            session: log_in(number(which)?),
            expires_at: Some(expires_at),
            scopes: None,
        })
    }
}

#[async_trait]
impl Reads for Memory {
    async fn viewer(&self, id: UserId, which: SessionId) -> Result<Option<Viewer>, StoreFault> {
        let entries = self.entries();
        let ended = Change::SessionRevoked { user: id, session: Some(which) };
        let session_live = entries.iter().all(|entry| entry.change != ended);
        let mut found = Viewer {
            seq: Seq(entries.len() as u64),
            user: profile(id),
            follows: Vec::new(),
            blocks: Vec::new(),
            blocked_by: Vec::new(),
            hides: false,
            muted: Vec::new(),
            moderates: false,
            lists: Vec::new(),
            session_live,
        };
        for entry in &entries {
            match entry.change {
                Change::Follow { verb: Verb::Created, follower, followee } if follower == id => {
                    found.follows.push(followee);
                }
                Change::Block { verb: Verb::Created, blocker, blocked } if blocker == id => found.blocks.push(blocked),
                Change::Block { verb: Verb::Created, blocker, blocked } if blocked == id => {
                    found.blocked_by.push(blocker);
                }
                _ => {}
            }
        }
        self.looked_up.fetch_add(1, Ordering::Relaxed);
        drop(self.look_ups.acquire().await);
        Ok(Some(found))
    }

    async fn newest(&self) -> Result<Seq, StoreFault> {
        Ok(self.place())
    }

    async fn snapshot(&self, _: Option<UserId>, feed: FeedName, _: u16) -> Result<Option<Snapshot>, StoreFault> {
        Ok(Some(Snapshot::empty(feed, self.place())))
    }

    async fn missed(&self, _: Option<UserId>, _: &[FeedName], _: Seq, _: usize) -> Result<Missed, StoreFault> {
        not_here()
    }

    async fn posts_page(
        &self,
        _: Option<UserId>,
        _: FeedName,
        _: Option<Seq>,
        _: u16,
    ) -> Result<Option<PostsPage>, StoreFault> {
        not_here()
    }

    async fn comments_page(
        &self,
        _: Option<UserId>,
        _: Branch,
        _: Option<Seq>,
        _: u16,
    ) -> Result<Option<CommentsPage>, StoreFault> {
        not_here()
    }

    async fn notifications_page(&self, _: UserId, _: Option<Seq>, _: u16) -> Result<NotificationsPage, StoreFault> {
        not_here()
    }

    async fn user(&self, _: Option<UserId>, _: &Who) -> Result<Option<UserResult>, StoreFault> {
        not_here()
    }

    async fn hidden(&self, _: Option<UserId>, posts: &[PostId]) -> Result<Vec<PostId>, StoreFault> {
        let hidden = self.hidden.lock().unwrap();
        Ok(posts.iter().copied().filter(|post| hidden.contains(post)).collect())
    }

    async fn post(&self, _: Option<UserId>, _: PostId) -> Result<Option<Post>, StoreFault> {
        not_here()
    }
}

/// The password of everybody.
pub const PASSWORD: &str = "open sesame";

#[async_trait]
impl Desk for Memory {
    async fn change_password(&self, who: Claims, current: SecretString, _: SecretString) -> Result<u32, Refusal> {
        match current.expose_secret() {
            PASSWORD => self.end_others(who).await,
            _ => Err(Refusal::new(ErrorCode::BadCredentials, "this is not the password").field("current")),
        }
    }

    async fn change_email(&self, _: Claims, _: SecretString, email: String) -> Result<String, Refusal> {
        Ok(email.to_lowercase())
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

    async fn log_ins(&self, who: Claims) -> Result<Vec<LogIn>, Refusal> {
        let (id, at) = (who.session, Millis(1));
        Ok(vec![LogIn { id, device: None, client: None, created_at: at, seen_at: at, current: true }])
    }

    async fn end_others(&self, _: Claims) -> Result<u32, Refusal> {
        Ok(3)
    }
}
