//! The actor around a worker thread's feed table: takes batches from the tail, applies them, reports what it counted.
//! Events go up through here; it never waits and never asks. When its table is torn, it gives the whole worker up.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use actix::{Actor, ActorContext, ActorFutureExt, Addr, AsyncContext, Context, Handler, WrapFuture};
use metrics::Counter;
use tokio::sync::oneshot;
use tokio::task::yield_now;

use super::table::{FeedTable, Told};
use crate::bulkhead::Part;
use crate::entry::Batch;
use crate::node::Node;
use crate::ports::Head;
use crate::tail::actor::{Message as ToTail, Tail};
use crate::worker::Worker;

/// What the feed actor is told, by the tail alone.
#[derive(Clone, Debug, actix::Message)]
#[rtype(result = "()")]
pub enum Message {
    /// Where the journal stands; always first.
    Begin(Head),
    /// The next batch.
    Apply(Arc<Batch>),
    /// The journal began a new life.
    NewEpoch(Head),
    /// The node is leaving: connections come back elsewhere.
    GoingAway,
}

/// The tail's end of a worker: where batches go, and how many have not been taken yet.
#[derive(Clone, Debug)]
pub struct Outlet {
    feed: Addr<Feed>,
    /// Messages handed over and not yet seen to: our own bound, since a mailbox is none.
    pending: Arc<AtomicUsize>,
}

impl Outlet {
    pub(crate) fn hand(&self, message: Message) {
        self.pending.fetch_add(1, Ordering::Relaxed);
        self.feed.do_send(message);
    }

    pub(crate) fn is_gone(&self) -> bool {
        !self.feed.connected()
    }

    pub(crate) fn pending(&self) -> usize {
        self.pending.load(Ordering::Relaxed)
    }
}

enum State {
    /// Not yet told where the journal stands.
    New(oneshot::Sender<Rc<Worker>>),
    Running(Rc<Worker>),
}

/// The actor.
pub struct Feed {
    node: Arc<Node>,
    state: Option<State>,
    pending: Arc<AtomicUsize>,
    /// The next part of the sweep has been asked for.
    sweeping: bool,
    deliveries: Counter,
    overflows: Counter,
    encoded: Counter,
}

/// The tail has stopped, so no worker can start.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the tail has stopped")]
pub struct TailStopped;

impl Feed {
    /// Starts the calling thread's feed actor and gives the thread's worker.
    ///
    /// # Errors
    /// The tail has stopped.
    pub async fn start_worker(node: Arc<Node>, tail: &Addr<Tail>) -> Result<Rc<Worker>, TailStopped> {
        let (ready, worker) = oneshot::channel();
        let pending = Arc::new(AtomicUsize::new(0));
        let feed = Self {
            node,
            state: Some(State::New(ready)),
            pending: Arc::clone(&pending),
            sweeping: false,
            deliveries: metrics::counter!("tidings_deliveries_total"),
            overflows: metrics::counter!("tidings_outbox_overflows_total"),
            encoded: metrics::counter!("tidings_frames_encoded_total"),
        }
        .start();
        tail.do_send(ToTail::Register(Outlet { feed, pending }));
        worker.await.map_err(|_| TailStopped)
    }

    fn begin(&mut self, head: Head, ctx: &mut Context<Self>) {
        if let Some(State::New(ready)) = self.state.take() {
            let table = FeedTable::new(self.node.framing, head).sampled_above(self.node.settings.global_rate);
            let worker = Worker::new(Arc::clone(&self.node), table);
            self.state = Some(State::Running(Rc::clone(&worker)));
            let torn = Rc::clone(&worker);
            // A session may have torn it.
            ctx.spawn(async move { torn.torn().await }.into_actor(self).map(|(), feed, ctx| feed.give_up(ctx)));
            if ready.send(worker).is_err() {
                tracing::debug!("nobody waits for this worker any more");
            }
        }
    }

    /// The table cannot be trusted any more. Its connections are ended and come back to a new worker, which begins at the journal's head
    /// and reads the rest from Postgres.
    fn give_up(&mut self, ctx: &mut Context<Self>) {
        if let Some(State::Running(worker)) = self.state.take() {
            Part::Feed.has_failed();
            worker.tear();
            worker.give_up();
            ctx.stop();
        }
    }

    /// Does something with the table, or, without a message, goes on with the sweep; sees to it that lines left over have their turn. A
    /// panic ends the worker.
    fn take(&mut self, message: Option<Message>, ctx: &mut Context<Self>) {
        let Some(State::Running(worker)) = &self.state else {
            return;
        };
        let step = || match message {
            Some(message) => self.step(worker, message),
            None => worker.table_mut().sweep(),
        };
        match catch_unwind(AssertUnwindSafe(step)) {
            Err(_) => self.give_up(ctx),
            Ok(true) if !self.sweeping => {
                self.sweeping = true;
                // Not by a message to itself: everybody else on this thread has a turn in between, and what they read and what the tail
                // hands over meanwhile is what the rest of the sweep takes along.
                ctx.spawn(yield_now().into_actor(self).map(|(), feed, ctx| {
                    feed.sweeping = false;
                    feed.take(None, ctx);
                }));
            }
            Ok(_) => {}
        }
    }

    /// Whether lines are left.
    fn step(&self, worker: &Worker, message: Message) -> bool {
        match message {
            Message::Begin(_) => false,
            Message::Apply(batch) => {
                let mut table = worker.table_mut();
                table.passes(worker.node.now());
                let left = table.apply(&batch, || self.has_more());
                drop(table);
                worker.tally().applied(&batch, &worker.table());
                worker.moved();
                worker.ring_news();
                self.report(worker);
                left
            }
            Message::NewEpoch(head) => {
                worker.table_mut().begin_epoch(head);
                worker.tally().begin_afresh();
                worker.moved();
                false
            }
            Message::GoingAway => {
                worker.tell_all(Told::GoingAway);
                false
            }
        }
    }

    /// Whether another message waits, whose turn will be next.
    fn has_more(&self) -> bool {
        self.pending.load(Ordering::Relaxed) > 0
    }

    fn report(&self, worker: &Worker) {
        let counts = worker.table_mut().take_counts();
        self.deliveries.increment(counts.deliveries);
        self.overflows.increment(counts.overflows);
        self.encoded.increment(counts.encoded);
        worker.report();
    }
}

impl Actor for Feed {
    type Context = Context<Self>;
}

impl Handler<Message> for Feed {
    type Result = ();

    fn handle(&mut self, message: Message, ctx: &mut Context<Self>) {
        self.pending.fetch_sub(1, Ordering::Relaxed);
        if let Message::Begin(head) = message {
            return self.begin(head, ctx);
        }
        self.take(Some(message), ctx);
    }
}
