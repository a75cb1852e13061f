//! An examination from its first request to its last: people, clients, load, faults told from outside, recovery, final state.
//! Must never judge, and must never end before every request that it made has an end or its time is over.

mod client;
mod hearing;
mod intent;
mod line;
mod load;
mod logins;
mod mischief;
mod stage;
mod steer;
mod survey;
mod visit;
mod world;

use std::collections::{BTreeSet, VecDeque};
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::UserId;
use tidings_protocol::position::Cursor;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use self::client::{Client, Order};
use self::intent::{Intent, Kind};
use self::load::Load;
use self::logins::{Logins, Trust};
use self::stage::Stage;
use self::steer::Steering;
use self::survey::Survey;
use self::world::World;
use super::ExamineArgs;
use super::history::{Record, Recorder, What};
use super::judge::Violation;
use crate::people::{self, Person};
use crate::{link, machine, prepare};

/// For everybody to be connected before the load.
const GATHERING: Duration = Duration::from_secs(60);
/// How often conditions are looked at.
const LOOK: Duration = Duration::from_millis(20);
/// For the last post of all, even if the time to recover is over.
const LAST_POST: Duration = Duration::from_secs(2);
/// The share of the server's budget that the load may use: the rest is for reads and for the final state.
const BUDGET_SHARE: f64 = 0.6;
/// Changes a second, if neither the operator nor the server's limits ask for fewer.
const RATE: f64 = 400.0;

/// What came of it.
pub struct Examined {
    /// The whole history.
    pub records: Vec<Record>,
    /// What the history has no words for.
    pub breaches: Vec<Violation>,
    /// Length of the load.
    pub load: Duration,
    /// Changes a second.
    pub rate: f64,
    /// Changes that were not asked because their client was too far behind.
    pub skipped: u64,
    /// How late we ourselves were, 99 of 100 times and at worst.
    pub lag_ms: (u64, u64),
}

/// Carries out an examination.
///
/// # Errors
/// It could not be carried out; that the server breaks a promise is not one.
pub async fn examine(args: &ExamineArgs, recorder: Recorder) -> Result<Examined> {
    let mut nodes = Vec::new();
    for url in &args.urls {
        nodes.push(link::resolve(url).await?);
    }
    let nodes: Rc<[SocketAddr]> = nodes.into();
    machine::make_room_for(args.clients + args.people)?;
    let rate = rate(args, &nodes).await?;
    let people = people::gather(&args.urls[0], args.people, args.accounts.as_deref()).await?;
    let ids: Vec<Uuid> = people.iter().map(|person| person.id().0).collect();
    let logins = Rc::new(Logins::of(&people, &args.urls)?);
    let survey = Survey { nodes: &nodes, logins: &logins, people: &ids };
    let before = survey.before().await.context("the people cannot be prepared")?;
    let position = before.iter().map(|baseline| baseline.position).max_by_key(|position| position.seq);
    let position = position.context("nobody to examine with")?;
    let base = position.seq.0;
    let stage = Rc::new(Stage::new(recorder, World::of(ids.clone(), base), args.clients));
    begin(args, &stage, &ids, position)?;
    let mut drive = Drive::start(args, stage.clone(), logins.clone(), &nodes).await?;
    let steering = if args.steered { Some(Steering::take(stage.clone())?) } else { None };
    say("ready")?;
    let end = Instant::now() + Duration::from_secs_f64(args.seconds);
    let mut load = Load::new(stage.clone(), drive.orders.clone(), args.seed, rate);
    let length = load.run(|| steering.as_ref().map_or(Some(end), Steering::end)).await?;
    let seq = drive.settle(args).await;
    drive.clients.shutdown().await;
    let last = survey.after(base, seq, &before).await?;
    stage.note(None, What::Final(last));
    if let Some(path) = &args.accounts {
        keep(path, logins.people().await, &ids)?;
    }
    if let Some(cause) = stage.take_broken() {
        return Err(cause);
    }
    let (records, breaches) = stage.finish()?;
    Ok(Examined { records, breaches, load: length, rate, skipped: load.skipped, lag_ms: stage.lag_ms() })
}

/// As asked, or as much as the server's limits allow.
async fn rate(args: &ExamineArgs, nodes: &[SocketAddr]) -> Result<f64> {
    let limits = prepare::limits(nodes[0]).await?;
    let points = f64::from(limits.points_per_minute);
    // A burst of a whole minute's budget, and then the budget. One second is nobody's examination.
    let seconds = if args.steered { 60.0 } else { args.seconds.max(1.0) };
    let people = u32::try_from(args.people).map_or(f64::MAX, f64::from);
    let allowed = BUDGET_SHARE * people * points * (1.0 + seconds / 60.0) / seconds / intent::mean_cost();
    let Some(wanted) = args.rate else { return Ok(RATE.min(allowed)) };
    ensure!(
        wanted <= allowed,
        "--rate {wanted}: the server allows each user {points} points a minute, which is about {allowed:.0} changes a \
         second of {} people. Use more --people or a lower --rate, or start the server with a larger \
         TIDINGS_POINTS_PER_MINUTE",
        args.people
    );
    Ok(wanted)
}

/// The first record. What the journal holds by now is older than the examination.
fn begin(args: &ExamineArgs, stage: &Stage, ids: &[Uuid], position: Cursor) -> Result<()> {
    let owners = (0..args.clients).map(|client| u32::try_from(client % args.people));
    let owners = owners.collect::<Result<_, _>>()?;
    stage.note(None, What::Began { seed: args.seed, people: ids.to_vec(), owners, position });
    Ok(())
}

/// For the next time: the newest tokens, and that everybody may follow everybody.
fn keep(path: &Path, mut people: Vec<Person>, ids: &[Uuid]) -> Result<()> {
    for person in &mut people {
        let own = person.id();
        let all = ids.iter().copied().map(UserId).filter(|id| *id != own);
        person.follows = person.follows.iter().copied().chain(all).collect::<BTreeSet<_>>().into_iter().collect();
    }
    let spare = if path.exists() { people::load(path)? } else { Vec::new() };
    people.extend(spare.into_iter().skip(ids.len()));
    people::save(path, &people)
}

fn say(words: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{words}")?;
    Ok(out.flush()?)
}

/// The clients, and how to tell them what to do.
struct Drive {
    stage: Rc<Stage>,
    clients: JoinSet<()>,
    orders: Vec<UnboundedSender<Order>>,
}

impl Drive {
    /// Connects everybody.
    async fn start(args: &ExamineArgs, stage: Rc<Stage>, logins: Rc<Logins>, nodes: &Rc<[SocketAddr]>) -> Result<Self> {
        let mut drive = Self { stage, clients: JoinSet::new(), orders: Vec::new() };
        for number in 0..u32::try_from(args.clients)? {
            let (order, orders) = unbounded_channel();
            drive.orders.push(order);
            let mut feeds = BTreeSet::from([FeedName::Home, FeedName::Global]);
            // Every second client of each person.
            if (number as usize / args.people).is_multiple_of(2) {
                feeds.insert(FeedName::Me);
            }
            let client = Client {
                number,
                person: number as usize % args.people,
                stage: drive.stage.clone(),
                logins: logins.clone(),
                nodes: nodes.clone(),
                orders,
                fresh: unbounded_channel(),
                rng: StdRng::seed_from_u64(args.seed ^ u64::from(number) << 32),
                feeds,
                cursor: None,
                backlog: VecDeque::new(),
                login: None,
                trust: Trust::Good,
                dialled: number as usize,
            };
            drive.clients.spawn_local(client.live());
        }
        let stage = drive.stage.clone();
        if !wait_until(Instant::now() + GATHERING, || stage.all_connected()).await {
            bail!("not everybody could connect: {}", stage.missing());
        }
        Ok(drive)
    }

    /// Asks for nothing new, lets everything come to its end, and gives everybody the time to have everything.
    async fn settle(&self, args: &ExamineArgs) -> u64 {
        let stage = &self.stage;
        stage.stop();
        stage.note(None, What::Healed);
        let deadline = Instant::now() + Duration::from_secs_f64(args.recover);
        wait_until(deadline, || stage.is_quiet()).await;
        // One more post, after everything else: whoever has it has all.
        let before = stage.acknowledged();
        let writer = stage.seats.borrow().iter().position(|seat| seat.connected);
        let last = Intent { number: u64::MAX, client: 0, kind: Kind::Post, pick: 1 };
        let order = writer.and_then(|writer| self.orders.get(writer));
        if order.is_some_and(|order| order.send(Order::Last(last)).is_ok()) {
            let patience = deadline.max(Instant::now() + LAST_POST);
            wait_until(patience, || stage.acknowledged() > before).await;
        }
        let seq = stage.acknowledged();
        wait_until(deadline, || stage.all_have(seq)).await;
        stage.note(None, What::Settled);
        seq
    }
}

/// Looks until it is so or the time is over; says whether it is.
async fn wait_until(deadline: Instant, so: impl Fn() -> bool) -> bool {
    while !so() {
        if Instant::now() >= deadline {
            return false;
        }
        sleep(LOOK).await;
    }
    true
}
