//! The actor around the tail's machine: keeps its clock, asks Postgres, listens to the bus, and hands batches to the workers.
//! It never waits inside a handler: what it asks for comes back as a message. A step that panics is forgotten, and the machine begins again at
//! what was last handed on.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use actix::{
    Actor, ActorContext, ActorFutureExt, AsyncContext, Context, Handler, SpawnHandle, StreamHandler, WrapFuture,
};
use metrics::{Counter, Gauge};
use tidings_protocol::position::Seq;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::machine::{self, Effect, Input, Now};
use crate::bulkhead::{self, Part};
use crate::clock;
use crate::entry::Batch;
use crate::feed::actor::{Message as ToFeed, Outlet};
use crate::limits;
use crate::ports::{Head, Heard, JournalStore};

/// What the tail is told.
#[derive(Debug, actix::Message)]
#[rtype(result = "()")]
pub enum Message {
    /// A worker wants every batch from now on.
    Register(Outlet),
    /// This node committed a batch; the statement was sent at the given time.
    Committed(Arc<Batch>, Now),
    /// A commit's outcome was unknown.
    Suspect,
    /// Tell all connections to come back elsewhere.
    Drain,
    /// The node has left: nothing more will come.
    Stop,
}

/// How the tail stands, for health checks; shared, written by the tail alone.
#[derive(Debug, Default)]
pub struct Sight {
    blind: AtomicBool,
    applied: AtomicU64,
    sure_at: AtomicU64,
}

impl Sight {
    /// Whether the journal's head could be confirmed within the last five seconds.
    #[must_use]
    pub fn is_clear(&self) -> bool {
        !self.blind.load(Ordering::Relaxed)
    }

    /// Whether a session may still be taken for what it was: judged by the clock, so that it holds on every thread at once when the
    /// process wakes up after standing still.
    #[must_use]
    pub fn is_sure(&self, now: Now) -> bool {
        now < self.sure_at.load(Ordering::Relaxed) + limits::BLIND_AFTER_MS
    }

    /// The last entry applied.
    #[must_use]
    pub fn applied(&self) -> u64 {
        self.applied.load(Ordering::Relaxed)
    }
}

struct Meters {
    applied: Gauge,
    behind: Gauge,
    blind: Gauge,
    stretches: Counter,
    crowded: Counter,
    epochs: Counter,
}

/// The actor.
pub struct Tail {
    machine: machine::Tail,
    journal: Arc<dyn JournalStore>,
    outlets: Vec<Outlet>,
    sight: Arc<Sight>,
    started: std::time::Instant,
    head: Head,
    recent: Recent,
    tick: Option<SpawnHandle>,
    heard: Option<mpsc::Receiver<Heard>>,
    meters: Meters,
}

impl Tail {
    /// A tail for a journal whose `head` was just read. It begins a little before it, so that whoever comes back to a node just started finds
    /// what they missed in its hot log: the rest is read like any hole. `started` is where the node's clock began; `heard` is what the bus brings.
    #[must_use]
    pub fn new(
        journal: Arc<dyn JournalStore>,
        head: Head,
        heard: mpsc::Receiver<Heard>,
        started: std::time::Instant,
        sight: Arc<Sight>,
    ) -> Self {
        let meters = Meters {
            applied: metrics::gauge!("tidings_tail_applied_seq"),
            behind: metrics::gauge!("tidings_tail_behind"),
            blind: metrics::gauge!("tidings_tail_blind"),
            stretches: metrics::counter!("tidings_tail_stretches_read_total"),
            crowded: metrics::counter!("tidings_tail_crowded_total"),
            epochs: metrics::counter!("tidings_tail_new_epochs_total"),
        };
        let begin = head.seq.0.saturating_sub(limits::TAIL_RECALLS).max(head.floor.0);
        let head = Head { seq: Seq(begin), ..head };
        let machine = machine::Tail::new(head, clock::since(started));
        sight.applied.store(head.seq.0, Ordering::Relaxed);
        let (outlets, recent) = (Vec::new(), Recent::default());
        Self { machine, journal, outlets, sight, started, head, recent, tick: None, heard: Some(heard), meters }
    }

    fn take(&mut self, input: Input, ctx: &mut Context<Self>) {
        if bulkhead::step(Part::Tail, || self.step(input, ctx)).is_none() {
            let now = clock::since(self.started);
            // `head` says what was handed on, whatever the machine believed; what lies beyond is read from Postgres.
            self.machine = self.machine.begun_again(self.head, now);
            self.set_tick(now, ctx);
        }
    }

    fn step(&mut self, input: Input, ctx: &mut Context<Self>) {
        let now = clock::since(self.started);
        // Worker threads end one by one when the node is stopped.
        self.outlets.retain(|outlet| !outlet.is_gone());
        let crowded = self.outlets.iter().any(|outlet| outlet.pending() >= limits::WORKER_PENDING);
        if crowded {
            self.meters.crowded.increment(1);
        }
        for effect in self.machine.on(now, input, crowded) {
            self.perform(effect, now, ctx);
        }
        self.sight.applied.store(self.machine.applied().0, Ordering::Relaxed);
        if let Some(sure_at) = self.machine.sure_at() {
            self.sight.sure_at.store(sure_at, Ordering::Relaxed);
        }
        #[expect(clippy::cast_precision_loss, reason = "a gauge; exact below 2^53, as seq is")]
        self.meters.behind.set(self.machine.behind() as f64);
        self.set_tick(now, ctx);
    }

    fn set_tick(&mut self, now: Now, ctx: &mut Context<Self>) {
        if let Some(tick) = self.tick.take() {
            ctx.cancel_future(tick);
        }
        let wait = Duration::from_millis(self.machine.next_tick(now).saturating_sub(now));
        self.tick = Some(ctx.run_later(wait, |tail, ctx| {
            tail.tick = None;
            tail.take(Input::Tick, ctx);
        }));
    }

    fn perform(&mut self, effect: Effect, now: Now, ctx: &mut Context<Self>) {
        match effect {
            Effect::Apply(batch) => {
                #[expect(clippy::cast_precision_loss, reason = "a gauge; exact below 2^53, as seq is")]
                self.meters.applied.set(batch.last.0 as f64);
                self.head.seq = batch.last;
                self.recent.add(&batch);
                self.hand(&ToFeed::Apply(batch));
            }
            Effect::NewEpoch(head) => {
                tracing::warn!(epoch = %head.epoch, seq = head.seq.0, "the journal began a new life");
                self.meters.epochs.increment(1);
                self.head = head;
                self.recent = Recent::default();
                self.hand(&ToFeed::NewEpoch(head));
            }
            Effect::Blind => {
                tracing::error!("the journal's head cannot be confirmed: pushing nothing until it can");
                self.see(false);
            }
            Effect::Sighted => {
                tracing::info!("the journal's head is confirmed again");
                self.see(true);
            }
            Effect::AskHead => self.ask_head(now, ctx),
            Effect::AskStretch(from, to) => {
                self.meters.stretches.increment(1);
                let journal = Arc::clone(&self.journal);
                let read = async move { timeout(PATIENCE, journal.read(from, to)).await };
                ctx.spawn(bulkhead::wait(Part::Tail, read).into_actor(self).map(|read, tail, ctx| {
                    let stretch =
                        read.and_then(Result::ok).and_then(|read| logged("read the journal", read)).map(Arc::new);
                    tail.take(Input::Stretch(stretch), ctx);
                }));
            }
        }
    }

    fn ask_head(&self, asked_at: Now, ctx: &mut Context<Self>) {
        let journal = Arc::clone(&self.journal);
        let ask = async move { timeout(PATIENCE, journal.head()).await };
        ctx.spawn(bulkhead::wait(Part::Tail, ask).into_actor(self).map(move |head, tail, ctx| {
            let head = head.and_then(Result::ok).and_then(|head| logged("read the journal's head", head));
            tail.take(Input::Head(head, asked_at), ctx);
        }));
    }

    fn hand(&self, message: &ToFeed) {
        for outlet in &self.outlets {
            outlet.hand(message.clone());
        }
    }

    fn see(&self, clear: bool) {
        self.sight.blind.store(!clear, Ordering::Relaxed);
        self.meters.blind.set(if clear { 0.0 } else { 1.0 });
    }
}

/// What was handed on last, for workers that begin: at the node's start, or again after a panic. Shared with the hot logs.
#[derive(Default)]
struct Recent {
    batches: VecDeque<Arc<Batch>>,
}

impl Recent {
    fn add(&mut self, batch: &Arc<Batch>) {
        self.batches.push_back(Arc::clone(batch));
        let last = batch.last.0;
        while self.batches.len() > RECENT_BATCHES
            || self.batches.front().is_some_and(|first| first.first.0 + limits::TAIL_RECALLS <= last)
        {
            self.batches.pop_front();
        }
    }

    fn before(&self) -> Option<Seq> {
        self.batches.front().map(|batch| batch.first.before())
    }
}

/// A worker that begins is not at once behind by more than the tail lets it be.
const RECENT_BATCHES: usize = limits::WORKER_PENDING / 2;

/// Longest wait for one answer about the journal; below the time after which the node counts as blind.
const PATIENCE: Duration = Duration::from_millis(2_000);

fn logged<T>(what: &str, result: Result<T, crate::ports::StoreFault>) -> Option<T> {
    result.inspect_err(|error| tracing::warn!(%error, "could not {what}")).ok()
}

impl Actor for Tail {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        if let Some(mut heard) = self.heard.take() {
            ctx.add_stream(futures_util::stream::poll_fn(move |cx| heard.poll_recv(cx)));
        }
        self.set_tick(clock::since(self.started), ctx);
    }
}

impl StreamHandler<Heard> for Tail {
    fn handle(&mut self, heard: Heard, ctx: &mut Context<Self>) {
        let input = match heard {
            Heard::Rumour(batch) => Input::Rumour(batch),
            Heard::Away => Input::Away,
            Heard::Back => Input::Back,
        };
        self.take(input, ctx);
    }

    /// The bus is gone for good (the node is stopping, or it broke): the head checks go on alone.
    fn finished(&mut self, ctx: &mut Context<Self>) {
        self.take(Input::Away, ctx);
    }
}

impl Handler<Message> for Tail {
    type Result = ();

    fn handle(&mut self, message: Message, ctx: &mut Context<Self>) {
        match message {
            Message::Register(outlet) => {
                let before = self.recent.before().unwrap_or(self.head.seq);
                outlet.hand(ToFeed::Begin(Head { seq: before, ..self.head }));
                self.recent.batches.iter().for_each(|batch| outlet.hand(ToFeed::Apply(Arc::clone(batch))));
                self.outlets.push(outlet);
            }
            Message::Committed(batch, asked_at) => self.take(Input::Committed(batch, asked_at), ctx),
            Message::Suspect => self.take(Input::Suspect, ctx),
            Message::Drain => self.hand(&ToFeed::GoingAway),
            Message::Stop => ctx.stop(),
        }
    }
}
