//! A simulated node: the shipped actors on threads of their own that the world lets run, holds up, stops and kills.
//! A thread is a set of tasks; nothing in it runs unless the world says so, and killing it drops all there is.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};
use std::time::{Duration, Instant};

use actix::{Actor, Addr};
use tokio::sync::{mpsc, oneshot};
use tokio::task::LocalSet;
use tokio::time::sleep;

use super::line::{FRAMING, Pipe, serve};
use super::ports::Ports;
use crate::command::Command;
use crate::feed::actor::Feed;
use crate::journal::actor::Journal;
use crate::node::{Node, Settings};
use crate::ports::{
    Bus, Heard, JournalStore, NoBots, NoCircle, NoDrafts, NoMarks, NoModeration, NoPictures, NoSearch, Submit,
};
use crate::session::ears::Ears;
use crate::starts::Starts;
use crate::tail::actor::{Message as ToTail, Sight, Tail};
use crate::user::Users;
use crate::worker::Worker;

/// Rung when a thread has something to do.
struct Bell {
    rung: AtomicBool,
    world: Mutex<Option<Waker>>,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.rung.store(true, Ordering::Relaxed);
        if let Some(world) = self.world.lock().expect("one thread").take() {
            world.wake();
        }
    }
}

/// One thread of a node.
pub(super) struct Thread {
    tasks: LocalSet,
    bell: Arc<Bell>,
    /// It is not given the processor before then.
    pub(super) held_until: u64,
}

impl Thread {
    fn new() -> Self {
        let bell = Arc::new(Bell { rung: AtomicBool::new(true), world: Mutex::new(None) });
        Self { tasks: LocalSet::new(), bell, held_until: 0 }
    }

    /// Whether it would run now. If not, `waker` hears of it.
    pub(super) fn is_ready(&self, waker: Option<&Waker>) -> bool {
        if let Some(waker) = waker {
            *self.bell.world.lock().expect("one thread") = Some(waker.clone());
        }
        self.bell.rung.load(Ordering::Relaxed)
    }

    /// Lets it run for a while.
    pub(super) fn run(&mut self) {
        self.bell.rung.store(false, Ordering::Relaxed);
        let waker = Waker::from(Arc::clone(&self.bell));
        let ran = Pin::new(&mut self.tasks).poll(&mut Context::from_waker(&waker));
        assert!(ran.is_pending(), "a thread of a node has ended");
    }

    fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        drop(self.tasks.spawn_local(task));
        self.bell.rung.store(true, Ordering::Relaxed);
    }
}

type Slot<T> = Rc<RefCell<Option<T>>>;

/// A node that has been started.
pub(super) struct Running {
    pub(super) main: Thread,
    pub(super) threads: Vec<Thread>,
    parts: Slot<Parts>,
    pub(super) workers: Vec<Slot<Rc<Worker>>>,
    pub(super) ports: Ports,
    pub(super) bus: mpsc::Sender<Heard>,
}

/// What a node is started with.
#[derive(Clone, Copy)]
pub(super) struct Start {
    pub(super) workers: usize,
    /// Entries its hot logs keep.
    pub(super) remembers: usize,
    pub(super) heartbeat_ms: u64,
    pub(super) started: Instant,
}

impl Running {
    pub(super) fn start(start: Start) -> Self {
        let (bus, heard) = mpsc::channel(256);
        let ports = Ports::listening(heard);
        let opened: Slot<Parts> = Rc::default();
        let main = Thread::new();
        let (mut threads, mut workers, mut wanted) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..start.workers {
            let (thread, slot, (ready, parts)) = (Thread::new(), Slot::<Rc<Worker>>::default(), oneshot::channel());
            thread.spawn(work(parts, Rc::clone(&slot), start.remembers));
            threads.push(thread);
            workers.push(slot);
            wanted.push(ready);
        }
        main.spawn(open(start, ports.clone(), Rc::clone(&opened), wanted));
        Self { main, threads, parts: opened, workers, ports, bus }
    }

    /// A client connects to one of its threads.
    pub(super) fn accepts(&self, thread: usize, pipe: Rc<Pipe>) -> bool {
        let Some(worker) = self.workers[thread].borrow().clone() else {
            return false;
        };
        self.threads[thread].spawn(serve(pipe, worker));
        true
    }

    /// As the desk where one logs out does it: not over a socket.
    pub(super) fn submits(&self, command: Command) {
        if let Some((node, _)) = self.parts.borrow().clone() {
            self.main.spawn(async move { drop(node.journal.submit(command).await) });
        }
    }

    /// It is about to leave, and says so.
    pub(super) fn says_goodbye(&self) {
        if let Some((_, tail)) = &*self.parts.borrow() {
            tail.do_send(ToTail::Drain);
        }
    }

    pub(super) fn users(&self) -> usize {
        self.parts.borrow().as_ref().map_or(0, |(node, _)| node.users.count())
    }

    /// Whether all of it runs.
    pub(super) fn is_up(&self) -> bool {
        self.workers.iter().all(|worker| worker.borrow().is_some())
    }
}

type Parts = (Arc<Node>, Addr<Tail>);

/// The main thread.
async fn open(start: Start, ports: Ports, slot: Slot<Parts>, workers: Vec<oneshot::Sender<Parts>>) {
    let ports = Arc::new(ports);
    let head = loop {
        match tokio::time::timeout(Duration::from_secs(2), ports.head()).await {
            Ok(Ok(head)) => break head,
            Ok(Err(_)) | Err(_) => sleep(Duration::from_millis(200)).await,
        }
    };
    let sight = Arc::<Sight>::default();
    let tail = Tail::new(ports.clone(), head, ports.listen(), start.started, sight.clone()).start();
    let journal = Journal::start_over(ports.clone(), ports.clone(), tail.clone(), start.started);
    let node = Arc::new(Node {
        reads: ports.clone(),
        tokens: ports.clone(),
        desk: ports.clone(),
        firehose: Ears::of(100),
        bots: Arc::new(NoBots),
        pictures: Arc::new(NoPictures),
        marks: Arc::new(NoMarks),
        search: Arc::new(NoSearch),
        drafts: Arc::new(NoDrafts),
        moderation: Arc::new(NoModeration),
        circle: Arc::new(NoCircle),
        counters: Arc::default(),
        seen: Arc::default(),
        company: Arc::default(),
        journal,
        sight,
        starts: Starts::default(),
        users: Users::new(ports.clone(), u32::MAX),
        framing: FRAMING,
        settings: Settings {
            hello_timeout_ms: 10_000,
            points_per_minute: u32::MAX,
            global_rate: 0,
            heartbeat_ms: start.heartbeat_ms,
            outbox_bytes: 1 << 30,
            drain_ms: 1_000,
        },
        started: start.started,
    });
    for worker in workers {
        drop(worker.send((Arc::clone(&node), tail.clone())));
    }
    *slot.borrow_mut() = Some((node, tail));
    std::future::pending().await
}

/// A worker thread.
async fn work(parts: oneshot::Receiver<Parts>, slot: Slot<Rc<Worker>>, remembers: usize) {
    if let Ok((node, tail)) = parts.await
        && let Ok(worker) = Feed::start_worker(node, &tail).await
    {
        worker.table_mut().remember(remembers);
        *slot.borrow_mut() = Some(worker);
    }
    std::future::pending().await
}
