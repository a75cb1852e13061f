//! The actor around the machine, one on each node: goes round the stands of the worker threads several times a second, whispers with the
//! criers of the peers, and leaves what is news at each stand. Must never wait for anybody. A step that panics is forgotten: the machine begins
//! anew, under another name, and every stand reports afresh.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use actix::{Actor, ActorContext, Addr, AsyncContext, Context, Handler, StreamHandler};
use metrics::Gauge;
use rustc_hash::FxHashMap;
use tidings_protocol::entity::Author;
use tidings_protocol::ids::{PostId, UserId};
use tidings_protocol::position::Millis;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::company::{Company, Tray};
use super::machine::{Effect, Machine};
use super::whisper::Whisper;
use super::{Moment, Thread};
use crate::bulkhead::{self, Part};
use crate::clock;
use crate::limits::PRESENCE_PULSE_MS;
use crate::ports::Bus;

/// The node has left: nothing more is to be told.
#[derive(Clone, Copy, Debug, actix::Message)]
#[rtype(result = "()")]
pub struct Stop;

/// The actor.
pub struct Crier {
    machine: Machine,
    company: Arc<Company>,
    bus: Arc<dyn Bus>,
    overheard: Option<mpsc::Receiver<Whisper>>,
    started: Instant,
    people: Gauge,
    peers: Gauge,
}

/// What is news at every stand.
#[derive(Default)]
struct Tidings {
    people: Vec<UserId>,
    typing: FxHashMap<Thread, Arc<[Author]>>,
    readers: FxHashMap<PostId, u64>,
}

impl Crier {
    /// The crier of a node. `started` is where the node's clock began.
    pub fn begins(company: Arc<Company>, bus: Arc<dyn Bus>, started: Instant) -> Addr<Self> {
        let crier = Self {
            machine: Machine::new(Uuid::now_v7()),
            overheard: Some(bus.overhear()),
            company,
            bus,
            started,
            people: metrics::gauge!("tidings_presence_people"),
            peers: metrics::gauge!("tidings_presence_peers"),
        };
        crier.start()
    }

    fn at(&self) -> Moment {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let wall = Millis(u64::try_from(wall.as_millis()).unwrap_or(u64::MAX));
        Moment { now: clock::since(self.started), wall }
    }

    /// One step, or the machine begins anew.
    fn step(&mut self, step: impl FnOnce(&mut Self)) {
        if bulkhead::step(Part::Presence, || step(self)).is_none() {
            self.machine = Machine::new(Uuid::now_v7());
            let forgotten = self.company.clear();
            for (_, tray) in self.company.trays().0 {
                tray.leave(|news| {
                    news.again = true;
                    news.people.extend(&forgotten);
                });
            }
        }
    }

    fn pulse(&mut self) {
        let at = self.at();
        let (trays, gone) = self.company.trays();
        for worker in gone {
            self.machine.leaves(at, worker);
        }
        for (worker, tray) in &trays {
            if let Some(report) = tray.report() {
                self.machine.report(at, *worker, report);
            }
        }
        let mut tidings = Tidings::default();
        for effect in self.machine.pulse(at) {
            self.perform(effect, &mut tidings);
        }
        trays.iter().for_each(|(_, tray)| tidings.leave_at(tray));
        #[expect(clippy::cast_precision_loss, reason = "gauges of numbers far below 2^53")]
        {
            self.people.set(self.company.people() as f64);
            self.peers.set(self.machine.peers() as f64);
        }
    }

    fn perform(&self, effect: Effect, tidings: &mut Tidings) {
        match effect {
            Effect::Whisper(whisper) => self.bus.whisper(Arc::new(whisper)),
            Effect::People(people) => tidings.people.extend(self.company.stand(people)),
            Effect::Typing(thread, who) => {
                tidings.typing.insert(thread, who.into());
            }
            Effect::Readers(post, number) => {
                tidings.readers.insert(post, number);
            }
        }
    }
}

impl Tidings {
    fn leave_at(&self, tray: &Tray) {
        if self.people.is_empty() && self.typing.is_empty() && self.readers.is_empty() {
            return;
        }
        tray.leave(|news| {
            news.people.extend(&self.people);
            news.typing.extend(self.typing.iter().map(|(thread, who)| (*thread, Arc::clone(who))));
            news.readers.extend(&self.readers);
        });
    }
}

impl Actor for Crier {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        if let Some(mut overheard) = self.overheard.take() {
            ctx.add_stream(futures_util::stream::poll_fn(move |cx| overheard.poll_recv(cx)));
        }
        let pulse = Duration::from_millis(PRESENCE_PULSE_MS);
        ctx.run_interval(pulse, |crier, _| crier.step(Self::pulse));
    }
}

impl StreamHandler<Whisper> for Crier {
    fn handle(&mut self, whisper: Whisper, _: &mut Context<Self>) {
        self.step(|crier| {
            let at = crier.at();
            crier.machine.heard(at, &whisper);
        });
    }

    /// The bus is gone for good: this node's own people are still told.
    fn finished(&mut self, _: &mut Context<Self>) {}
}

impl Handler<Stop> for Crier {
    type Result = ();

    fn handle(&mut self, Stop: Stop, ctx: &mut Context<Self>) {
        ctx.stop();
    }
}
