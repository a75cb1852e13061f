//! A node within the test: the real program over real sockets and a real Postgres, but for parts that panic when they are told to.
//! Must never be used for anything that the binary itself can show.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;

use async_trait::async_trait;
use bytes::Bytes;
use tempfile::TempDir;
use tidings::app::App;
use tidings::config::Config;
use tidings::gate::{FRAMING, Parts};
use tidings_actors::command::{Command, Committed};
use tidings_actors::entry::Batch;
use tidings_actors::ports::{
    BadToken, BatchId, Branch, Bus, Claims, CommitFault, Head, Heard, JournalStore, Missed, Reads, StoreFault, Tokens,
    Viewer, Who,
};
use tidings_actors::presence::whisper::Whisper;
use tidings_protocol::entity::Post;
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::{PostId, SessionId, UserId};
use tidings_protocol::position::Seq;
use tidings_protocol::reply::{CommentsPage, NotificationsPage, PostsPage, Snapshot, UserResult};
use tidings_testkit::{Database, Postgres};
use tokio::sync::{Mutex, MutexGuard, mpsc, oneshot};

/// How often a part is to panic yet.
#[derive(Debug, Default)]
pub struct Fuse(AtomicUsize);

impl Fuse {
    pub const fn new() -> Self {
        Self(AtomicUsize::new(0))
    }

    /// The next `times` it is used, it panics.
    pub fn light(&self, times: usize) {
        self.0.store(times, Ordering::SeqCst);
    }

    /// Whether all of that has happened.
    pub fn is_burnt(&self) -> bool {
        self.0.load(Ordering::SeqCst) == 0
    }

    fn burn(&self, what: &'static str) {
        if self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
            panic!("{what} panics, as the test wants it");
        }
    }
}

/// Encoding an event for the feeds: the only part that must be a plain function.
pub static ENCODE: Fuse = Fuse::new();

fn encode(payload: &[u8]) -> Bytes {
    if payload.starts_with(b"{\"feed\":") {
        ENCODE.burn("encoding an event");
    }
    (FRAMING.text)(payload)
}

/// Every part that can be made to panic.
#[derive(Debug, Default)]
pub struct Fuses {
    pub verify: Fuse,
    pub viewer: Fuse,
    pub snapshot: Fuse,
    pub commit: Fuse,
    pub read: Fuse,
    pub publish: Fuse,
}

struct Faulty<T: ?Sized>(Arc<T>, Arc<Fuses>);

impl Tokens for Faulty<dyn Tokens> {
    fn verify(&self, token: &str) -> Result<Claims, BadToken> {
        self.1.verify.burn("checking a token");
        self.0.verify(token)
    }
}

impl Bus for Faulty<dyn Bus> {
    fn publish(&self, batch: Arc<Batch>) {
        self.1.publish.burn("telling the peers");
        self.0.publish(batch);
    }

    fn listen(&self) -> mpsc::Receiver<Heard> {
        self.0.listen()
    }

    fn whisper(&self, whisper: Arc<Whisper>) {
        self.0.whisper(whisper);
    }

    fn overhear(&self) -> mpsc::Receiver<Whisper> {
        self.0.overhear()
    }
}

#[async_trait]
impl JournalStore for Faulty<dyn JournalStore> {
    async fn head(&self) -> Result<Head, StoreFault> {
        self.0.head().await
    }

    async fn commit(&self, batch: BatchId, commands: &[Command]) -> Result<Committed, CommitFault> {
        self.1.commit.burn("committing");
        self.0.commit(batch, commands).await
    }

    async fn read(&self, from: Seq, to: Seq) -> Result<Batch, StoreFault> {
        self.1.read.burn("reading the journal");
        self.0.read(from, to).await
    }

    async fn prune(&self, keep_ms: u64) -> Result<u64, StoreFault> {
        self.0.prune(keep_ms).await
    }
}

#[async_trait]
impl Reads for Faulty<dyn Reads> {
    async fn viewer(&self, user: UserId, session: SessionId) -> Result<Option<Viewer>, StoreFault> {
        self.1.viewer.burn("looking a user up");
        self.0.viewer(user, session).await
    }

    async fn newest(&self) -> Result<Seq, StoreFault> {
        self.0.newest().await
    }

    async fn snapshot(
        &self,
        viewer: Option<UserId>,
        feed: FeedName,
        limit: u16,
    ) -> Result<Option<Snapshot>, StoreFault> {
        self.1.snapshot.burn("reading a snapshot");
        self.0.snapshot(viewer, feed, limit).await
    }

    async fn missed(
        &self,
        viewer: Option<UserId>,
        feeds: &[FeedName],
        since: Seq,
        limit: usize,
    ) -> Result<Missed, StoreFault> {
        self.0.missed(viewer, feeds, since, limit).await
    }

    async fn posts_page(
        &self,
        viewer: Option<UserId>,
        feed: FeedName,
        before: Option<Seq>,
        limit: u16,
    ) -> Result<Option<PostsPage>, StoreFault> {
        self.0.posts_page(viewer, feed, before, limit).await
    }

    async fn comments_page(
        &self,
        viewer: Option<UserId>,
        branch: Branch,
        before: Option<Seq>,
        limit: u16,
    ) -> Result<Option<CommentsPage>, StoreFault> {
        self.0.comments_page(viewer, branch, before, limit).await
    }

    async fn user(&self, viewer: Option<UserId>, who: &Who) -> Result<Option<UserResult>, StoreFault> {
        self.0.user(viewer, who).await
    }

    async fn notifications_page(
        &self,
        user: UserId,
        before: Option<Seq>,
        limit: u16,
    ) -> Result<NotificationsPage, StoreFault> {
        self.0.notifications_page(user, before, limit).await
    }

    async fn hidden(&self, viewer: Option<UserId>, posts: &[PostId]) -> Result<Vec<PostId>, StoreFault> {
        self.0.hidden(viewer, posts).await
    }

    async fn post(&self, viewer: Option<UserId>, id: PostId) -> Result<Option<Post>, StoreFault> {
        self.0.post(viewer, id).await
    }
}

/// The secret of the node, for others beside it.
pub const SECRET: &str = "a secret that nobody but this test has";

/// Houses of one process share its numbers and the fuse of [`ENCODE`]: one at a time.
static ONE: Mutex<()> = Mutex::const_new(());

/// The node. It stops when the value is dropped.
pub struct House {
    pub address: SocketAddr,
    pub fuses: Arc<Fuses>,
    pub database: Database,
    stop: Option<oneshot::Sender<()>>,
    running: Option<JoinHandle<()>>,
    _folder: TempDir,
    _only: MutexGuard<'static, ()>,
}

impl House {
    /// Starts it, with two worker threads.
    pub async fn opens() -> Self {
        let only = ONE.lock().await;
        let fuses = Arc::new(Fuses::default());
        let (folder, database) = tokio::task::spawn_blocking(|| {
            let database = Postgres::shared().expect("a Postgres").fresh_database().expect("a database");
            (tempfile::tempdir().expect("a folder"), database)
        })
        .await
        .expect("no panic");
        let config = Config {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            database_url: Some(database.url().into()),
            data_dir: Some(folder.path().to_owned()),
            secret: Some(SECRET.into()),
            bcrypt_cost: 4,
            workers: 2,
            signups_per_minute_per_ip: 100_000,
            ..Config::default()
        };
        let (stop, stopped) = oneshot::channel();
        let (ready, address) = oneshot::channel();
        let with = Arc::clone(&fuses);
        let running = std::thread::spawn(move || {
            actix_rt::System::new().block_on(async {
                let running = App::start_with(config, |parts| faulty(parts, &with)).await.expect("it starts");
                ready.send(running.address).expect("the test waits");
                drop(stopped.await);
                running.stop().await;
            });
        });
        let address = address.await.expect("it has started");
        Self { address, fuses, database, stop: Some(stop), running: Some(running), _folder: folder, _only: only }
    }
}

impl Drop for House {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(running) = self.running.take()
            && running.join().is_err()
            && !std::thread::panicking()
        {
            panic!("the node itself panicked");
        }
    }
}

fn faulty(parts: Parts, fuses: &Arc<Fuses>) -> Parts {
    Parts {
        journal: Arc::new(Faulty(parts.journal, Arc::clone(fuses))),
        reads: Arc::new(Faulty(parts.reads, Arc::clone(fuses))),
        tokens: Arc::new(Faulty(parts.tokens, Arc::clone(fuses))),
        bus: Arc::new(Faulty(parts.bus, Arc::clone(fuses))),
        framing: tidings_actors::frame::Framing { text: encode, ..FRAMING },
        ..parts
    }
}
