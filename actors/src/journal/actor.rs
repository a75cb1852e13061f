//! The actor around the journal's machine: sends batches to the store, announces what was committed, answers.
//! Announcing comes before answering, so that an author's own event is on its way when they hear "done". A step that panics takes the
//! commands in hand along: their authors hear `unavailable`, which says that they may have been done.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use actix::{Actor, ActorFutureExt, Addr, AsyncContext, Context, Handler, WrapFuture};
use async_trait::async_trait;
use metrics::{Counter, Gauge, Histogram};
use tidings_protocol::error::{ErrorCode, Refusal};
use tokio::sync::oneshot;
use tokio::time::timeout;
use uuid::Uuid;

use super::machine::{Effect, Journal as Machine, NoOutcome};
use crate::bulkhead::{self, Part};
use crate::clock;
use crate::command::{Command, Outcome};
use crate::entry::Batch;
use crate::limits;
use crate::ports::{BatchId, Bus, CommitFault, JournalStore, Submit};
use crate::tail::actor::{Message as ToTail, Tail};

type Answer = oneshot::Sender<Result<Outcome, NoOutcome>>;

/// What the journal is told.
#[derive(Debug, actix::Message)]
#[rtype(result = "()")]
pub enum Message {
    /// Carry this out and answer.
    Submit(Command, Answer),
    /// Answer when everything taken in has been answered.
    Idle(oneshot::Sender<()>),
}

struct Meters {
    batch: Histogram,
    depth: Gauge,
    overloaded: Counter,
    unavailable: Counter,
    broken: Counter,
}

/// The actor.
pub struct Journal {
    machine: Machine<Answer>,
    store: Arc<dyn JournalStore>,
    bus: Arc<dyn Bus>,
    tail: Addr<Tail>,
    started: Instant,
    idle: Vec<oneshot::Sender<()>>,
    /// Counts failures: what an earlier machine has sent off is none of the present one's business.
    life: u64,
    meters: Meters,
}

/// The way to the journal, from any thread. Bounded by itself: a mailbox is not.
#[derive(Clone, Debug)]
pub struct JournalAddr {
    addr: Addr<Journal>,
    waiting: Arc<AtomicUsize>,
}

impl Journal {
    /// Starts the actor on this thread.
    pub fn start_over(
        store: Arc<dyn JournalStore>,
        bus: Arc<dyn Bus>,
        tail: Addr<Tail>,
        started: Instant,
    ) -> JournalAddr {
        let meters = Meters {
            batch: metrics::histogram!("tidings_journal_batch_commands"),
            depth: metrics::gauge!("tidings_journal_waiting"),
            overloaded: metrics::counter!("tidings_journal_overloaded_total"),
            unavailable: metrics::counter!("tidings_journal_unavailable_total"),
            broken: metrics::counter!("tidings_journal_broken_total"),
        };
        let machine = Machine::new(Uuid::new_v4());
        let addr = Self { machine, store, bus, tail, started, idle: Vec::new(), life: 0, meters }.start();
        JournalAddr { addr, waiting: Arc::new(AtomicUsize::new(0)) }
    }

    fn now(&self) -> u64 {
        clock::since(self.started)
    }

    /// Moves on. After a panic the machine begins afresh: nobody is answered wrongly, and what was committed is found by the tail.
    fn step(&mut self, ctx: &mut Context<Self>, step: impl FnOnce(&mut Self, &mut Context<Self>)) {
        if bulkhead::step(Part::Journal, || step(self, ctx)).is_none() {
            self.machine = Machine::new(Uuid::new_v4());
            self.life += 1;
            self.tail.do_send(ToTail::Suspect);
        }
    }

    fn perform(&mut self, effects: Vec<Effect<Answer>>, sent_at: u64, ctx: &mut Context<Self>) {
        for effect in effects {
            match effect {
                Effect::Commit(batch, commands) => self.commit(batch, commands, ctx),
                Effect::Answer(to, answer) => self.answer(to, answer),
                Effect::Announce(batch) => self.announce(batch, sent_at),
                Effect::Suspect => self.tail.do_send(ToTail::Suspect),
                Effect::Wait(ms) => self.wait(ms, ctx),
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "a gauge of a bounded queue")]
        self.meters.depth.set(self.machine.depth() as f64);
        if self.machine.is_idle() {
            for waiter in self.idle.drain(..) {
                if waiter.send(()).is_err() {
                    tracing::debug!("nobody waits for the journal to be idle any more");
                }
            }
        }
    }

    fn commit(&self, batch: BatchId, commands: Arc<[Command]>, ctx: &mut Context<Self>) {
        #[expect(clippy::cast_precision_loss, reason = "at most BATCH_COMMANDS")]
        self.meters.batch.record(commands.len() as f64);
        let store = Arc::clone(&self.store);
        let sent_at = self.now();
        let patience = Duration::from_millis(limits::COMMIT_PATIENCE_MS);
        let commit = async move {
            let late = |_| Err(CommitFault::Unknown("no answer in time".to_owned()));
            timeout(patience, store.commit(batch, &commands)).await.unwrap_or_else(late)
        };
        let life = self.life;
        ctx.spawn(bulkhead::wait(Part::Journal, commit).into_actor(self).map(move |result, journal, ctx| {
            let result = result.unwrap_or_else(|| Err(CommitFault::Unknown("a panic on the way".to_owned())));
            if let Err(fault) = &result {
                tracing::warn!(%fault, "a batch was not committed");
            }
            if journal.life != life {
                return journal.tail.do_send(ToTail::Suspect);
            }
            journal.step(ctx, |journal, ctx| {
                let effects = journal.machine.committed(result);
                journal.perform(effects, sent_at, ctx);
            });
        }));
    }

    fn wait(&self, ms: u64, ctx: &mut Context<Self>) {
        let life = self.life;
        ctx.run_later(Duration::from_millis(ms), move |journal, ctx| {
            if journal.life == life {
                journal.step(ctx, |journal, ctx| {
                    let now = journal.now();
                    let effects = journal.machine.again(now);
                    journal.perform(effects, now, ctx);
                });
            }
        });
    }

    fn announce(&self, batch: Arc<Batch>, sent_at: u64) {
        self.tail.do_send(ToTail::Committed(Arc::clone(&batch), sent_at));
        self.bus.publish(batch);
    }

    fn answer(&self, to: Answer, answer: Result<Outcome, NoOutcome>) {
        match answer {
            Ok(_) => {}
            Err(NoOutcome::Overloaded) => self.meters.overloaded.increment(1),
            Err(NoOutcome::Unavailable) => self.meters.unavailable.increment(1),
            Err(NoOutcome::Broken) => {
                tracing::error!("the store rejected a command it should have decided");
                self.meters.broken.increment(1);
            }
        }
        if to.send(answer).is_err() {
            tracing::debug!("the one who asked has gone; what was done stays done");
        }
    }
}

impl Actor for Journal {
    type Context = Context<Self>;
}

impl Handler<Message> for Journal {
    type Result = ();

    fn handle(&mut self, message: Message, ctx: &mut Context<Self>) {
        self.step(ctx, |journal, ctx| {
            let now = journal.now();
            match message {
                Message::Submit(command, to) => {
                    let effects = journal.machine.submit(now, command, to);
                    journal.perform(effects, now, ctx);
                }
                Message::Idle(waiter) => {
                    journal.idle.push(waiter);
                    journal.perform(Vec::new(), now, ctx);
                }
            }
        });
    }
}

impl JournalAddr {
    /// Waits until everything submitted so far has been answered; for a node that is leaving.
    pub async fn idle(&self) {
        let (waiter, idle) = oneshot::channel();
        self.addr.do_send(Message::Idle(waiter));
        drop(idle.await);
    }

    async fn outcome(&self, command: Command) -> Result<Outcome, NoOutcome> {
        let _place = Place::take(&self.waiting).ok_or(NoOutcome::Overloaded)?;
        let (to, answer) = oneshot::channel();
        self.addr.do_send(Message::Submit(command, to));
        answer.await.unwrap_or(Err(NoOutcome::Unavailable))
    }
}

/// One of a bounded number of places in line, given back when dropped.
struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    fn take(waiting: &'a AtomicUsize) -> Option<Self> {
        let place = Self(waiting);
        let before = waiting.fetch_add(1, Ordering::Relaxed);
        (before < limits::JOURNAL_QUEUE + limits::BATCH_COMMANDS).then_some(place)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[async_trait]
impl Submit for JournalAddr {
    async fn submit(&self, command: Command) -> Result<Outcome, Refusal> {
        self.outcome(command).await.map_err(|none| match none {
            NoOutcome::Overloaded => {
                Refusal::new(ErrorCode::Overloaded, "too much is waiting to be written").after_ms(500)
            }
            NoOutcome::Unavailable => Refusal::new(
                ErrorCode::Unavailable,
                "the journal cannot be reached; it may have been done: send the same again",
            )
            .after_ms(1_000),
            NoOutcome::Broken => Refusal::new(ErrorCode::Internal, "a fault in the server; nothing was done"),
        })
    }
}
