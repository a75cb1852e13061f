//! The scheduler: one clock, one list of what is to come, and nodes whose threads run when it says so.
//! It must never ask a real clock, a real thread, or a map without an order: the same seed is the same run, to the last byte.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::hash::Hasher;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Once;
use std::task::Poll;
use std::time::Duration;

use rustc_hash::FxHasher;
use tokio::time::{Instant, sleep_until};

use super::database::Database;
use super::node::{Running, Start};
use super::people::Person;
use super::ports::Question;
use super::seen::Seen;
use crate::ports::Heard;
use crate::testing::{Dice, user};

/// People with an account.
pub(super) const USERS: u64 = 5;

/// What is to come.
pub(super) enum Event {
    /// A question has reached Postgres.
    Arrives(Question),
    /// Its answer has reached the node: as it was, or lost.
    Answers { sent: Box<dyn FnOnce(bool)>, deaths: u64 },
    /// Something reaches a node over the bus.
    Hears { node: usize, life: u64, heard: Heard },
    /// A person does something.
    Acts(usize),
    /// A person looks at what has come.
    Reads(usize, u64),
    /// A person comes back.
    Connects(usize),
    /// A person's log-in is ended.
    LogsOut(usize),
    /// Something goes wrong.
    Odd,
    /// A node starts.
    Starts(usize),
    /// A node that has said goodbye is gone.
    Leaves(usize, u64),
    /// A standby takes over.
    Promotes,
    /// The database is there again.
    DatabaseBack,
    /// The bus is there again, for one node.
    BusBack(usize),
}

/// One node, running or not.
pub(super) struct Place {
    pub(super) running: Option<Running>,
    /// Counts its starts.
    pub(super) life: u64,
    pub(super) paused_until: u64,
    /// When it last woke after standing still for so long that it must notice.
    pub(super) woke_at: u64,
    pub(super) on_bus: bool,
    /// Neither Postgres nor the bus can be reached before then; what is sent meanwhile arrives after that.
    pub(super) cut_until: u64,
}

pub(super) struct World {
    seed: u64,
    /// It is the only one, and somebody wants to know why.
    pub(super) aloud: bool,
    pub(super) dice: Dice,
    pub(super) now: u64,
    pub(super) began: Instant,
    coming: BTreeMap<(u64, u64), Event>,
    numbers: u64,
    pub(super) database: Database,
    pub(super) places: Vec<Place>,
    pub(super) people: Vec<Person>,
    /// Connections with something for their client to look at.
    pub(super) stirred: Rc<RefCell<Vec<u64>>>,
    /// Whether things go wrong.
    pub(super) faults: bool,
    pub(super) seen: Seen,
    trace: FxHasher,
    /// Things run since the clock last moved.
    at_once: u64,
}

thread_local! {
    static PANICS: Cell<usize> = const { Cell::new(0) };
}

/// Parts of a node catch their panics; here every one of them counts.
fn watch_for_panics() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            PANICS.set(PANICS.get() + 1);
            usual(info);
        }));
    });
    PANICS.set(0);
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("trouble after {} steps, {} ms: {:?}", self.seen.steps, self.now, self.seen);
            println!("to see it again: TIDINGS_SIM_SEED={}", self.seed);
        }
    }
}

impl World {
    /// Must be called on a runtime whose time stands still.
    pub(super) fn of(seed: u64) -> Self {
        watch_for_panics();
        let mut dice = Dice::of(seed);
        let database = Database::of((0..USERS).map(user));
        let nodes = dice.between(2, 4);
        let place = |_| Place { running: None, life: 0, paused_until: 0, woke_at: 0, on_bus: true, cut_until: 0 };
        let mut world = Self {
            seed,
            aloud: false,
            dice,
            now: 0,
            began: Instant::now(),
            coming: BTreeMap::new(),
            numbers: 0,
            database,
            places: (0..nodes).map(place).collect(),
            people: Vec::new(),
            stirred: Rc::default(),
            faults: true,
            seen: Seen::default(),
            trace: FxHasher::default(),
            at_once: 0,
        };
        for node in 0..world.places.len() {
            world.starts(node);
        }
        world.people_come();
        world.later(1_000, Event::Odd);
        world
    }

    /// Tells the story of a single world.
    pub(super) fn tell(&self, what: impl FnOnce() -> String) {
        if self.aloud {
            println!("{:>8} ms: {}", self.now, what());
        }
    }

    pub(super) fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    pub(super) fn later(&mut self, wait: u64, event: Event) {
        let tie = self.number();
        self.coming.insert((self.now + wait, tie), event);
    }

    /// Into the trace, by which two runs are compared.
    pub(super) fn note(&mut self, kind: u8, what: &[u8]) {
        self.trace.write_u8(kind);
        self.trace.write_u64(self.now);
        self.trace.write(what);
    }

    pub(super) fn trace(&self) -> u64 {
        self.trace.finish()
    }

    pub(super) fn starts(&mut self, node: usize) {
        let start = Start {
            workers: self.dice.index(2) + 1,
            remembers: self.dice.one_of(&[20, 300, 65_536]),
            heartbeat_ms: self.dice.one_of(&[500, 1_000, 25_000]),
            started: self.began.into_std(),
        };
        let place = &mut self.places[node];
        place.life += 1;
        place.running = Some(Running::start(start));
        let (life, heard) = (place.life, if place.on_bus { Heard::Back } else { Heard::Away });
        self.later(0, Event::Hears { node, life, heard });
    }

    /// Lets time pass, and whatever happens in it.
    pub(super) async fn pass(&mut self, span: u64) {
        let until = self.now + span;
        loop {
            self.look_at_the_clock();
            let mut moved = false;
            while let Some(entry) = self.coming.first_entry()
                && entry.key().0 <= self.now
            {
                let event = entry.remove();
                self.seen.steps += 1;
                self.carry_out(event);
                moved = true;
            }
            moved |= self.run_threads();
            self.listen_to_nodes();
            self.wake_readers();
            if moved {
                continue;
            }
            if self.now >= until {
                return;
            }
            self.wait(until).await;
        }
    }

    /// Nobody does anything any more.
    pub(super) fn forget_people(&mut self) {
        let of_nobody = |event: &Event| {
            !matches!(event, Event::Acts(_) | Event::Reads(..) | Event::Connects(_) | Event::LogsOut(_))
        };
        self.coming.retain(|_, event| of_nobody(event));
    }

    fn look_at_the_clock(&mut self) {
        let now = u64::try_from(self.began.elapsed().as_millis()).expect("short");
        self.at_once = if now > self.now { 0 } else { self.at_once + 1 };
        assert!(self.at_once < 50_000, "busy without end");
        self.now = now;
        self.database.now = now;
    }

    fn run_threads(&mut self) -> bool {
        let mut ran = false;
        for at in 0..self.places.len() {
            let place = &mut self.places[at];
            if place.paused_until > self.now {
                continue;
            }
            let Some(running) = &mut place.running else { continue };
            for (number, thread) in [&mut running.main].into_iter().chain(&mut running.threads).enumerate() {
                if thread.held_until > self.now || !thread.is_ready(None) {
                    continue;
                }
                // The others may come first.
                if self.faults && self.dice.percent(5) {
                    thread.held_until = self.now + self.dice.one_of(&[1, 2, 5, 30]);
                    continue;
                }
                self.seen.steps += 1;
                self.trace.write_u64(self.now << 8 | (at << 4 | number) as u64);
                thread.run();
                assert_eq!(PANICS.get(), 0, "node {at} panicked at {}", self.now);
                ran = true;
            }
        }
        ran
    }

    /// Until something is to be done, at most `until`.
    async fn wait(&self, until: u64) {
        let running = || self.places.iter().filter_map(|place| place.running.as_ref().zip(Some(place.paused_until)));
        let threads = || {
            running().flat_map(|(running, paused)| {
                let threads = [&running.main].into_iter().chain(&running.threads);
                threads.map(move |thread| (thread, thread.held_until.max(paused)))
            })
        };
        let held = threads().map(|(_, held)| held).filter(|held| *held > self.now);
        let first = self.coming.first_key_value().map(|((at, _), _)| *at);
        let next = held.chain(first).chain([until]).min().unwrap_or(until);
        let mut sleep = pin!(sleep_until(self.began + Duration::from_millis(next)));
        std::future::poll_fn(|cx| {
            let mut ready = false;
            for (thread, _) in threads().filter(|(_, held)| *held <= self.now) {
                ready |= thread.is_ready(Some(cx.waker()));
            }
            if ready { Poll::Ready(()) } else { sleep.as_mut().poll(cx) }
        })
        .await;
    }

    fn carry_out(&mut self, event: Event) {
        match event {
            Event::Arrives(question) => self.arrives(question),
            Event::Answers { sent, deaths } => {
                let lost = self.faults && self.dice.percent(1);
                sent(lost || deaths != self.database.deaths);
            }
            Event::Hears { node, life, heard } => {
                let place = &self.places[node];
                if place.life == life
                    && let Some(running) = &place.running
                {
                    // What does not fit is lost, as with any bus.
                    drop(running.bus.try_send(heard));
                }
            }
            Event::Acts(person) => self.acts(person),
            Event::Reads(person, line) => self.reads(person, line),
            Event::Connects(person) => self.connects(person),
            Event::LogsOut(person) => self.logs_out(person),
            Event::Odd => self.something_odd(),
            Event::Starts(node) => {
                if self.places[node].running.is_none() {
                    self.starts(node);
                }
            }
            Event::Leaves(node, life) => {
                if self.places[node].life == life && self.places[node].running.is_some() {
                    self.crashes(node);
                }
            }
            Event::Promotes => self.promotes(),
            Event::DatabaseBack => self.database.down = false,
            Event::BusBack(node) => self.bus_turns(node, true),
        }
    }
}
