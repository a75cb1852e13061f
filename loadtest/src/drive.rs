//! One run from beginning to end: people, follows, connections, the plan, the wait for the last delivery, the verdict.
//! Must never measure while it prepares.

#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::sync::mpsc::unbounded_channel;
use uuid::Uuid;

use crate::connection::Connection;
use crate::crowd::Crowd;
use crate::graph::{self, Follows};
use crate::history::{History, Outcome, Posted, Reader, TextMark};
use crate::machine::{self, Cpu};
use crate::people::{self, Person};
use crate::prepare;
use crate::report::{Consumed, Report};
use crate::schedule::{self, Arrivals, Order, Planned, Timed};
use crate::settings::Settings;
use crate::stage::Stage;

/// Connections must all be open by then.
const CONNECT_PATIENCE: Duration = Duration::from_secs(120);
/// Silence after the last expected delivery, in which a doubled one would show.
const AFTERMATH: Duration = Duration::from_millis(300);

/// Runs and checks.
///
/// # Errors
/// The run could not be carried out; violations are not errors but part of the report.
pub async fn run(settings: &Settings) -> Result<Report> {
    settings.check()?;
    machine::make_room_for(settings.connections)?;
    let mut targets = Vec::new();
    for url in &settings.urls {
        targets.push(crate::link::resolve(url).await?);
    }
    let limits = prepare::limits(targets[0]).await?;
    #[expect(clippy::cast_precision_loss, reason = "few people")]
    let each = settings.rate / settings.authors() as f64;
    prepare::check_budget(&limits, each, settings.length(), "use more --authors, or a lower --rate")?;
    let graph = graph::make(settings.followers, settings.people(), settings.authors(), settings.follows, settings.seed);
    let file = settings.accounts.as_deref();
    let mut people = people::gather(&settings.urls[0], settings.people(), file).await?;
    prepare::arrange(targets[0], &mut people, &graph, file).await?;
    let targets = targets.into();
    let run = Run { settings, targets, people, graph };
    run.perform().await
}

struct Run<'a> {
    settings: &'a Settings,
    targets: Rc<[SocketAddr]>,
    people: Vec<Person>,
    graph: Follows,
}

impl Run<'_> {
    async fn perform(self) -> Result<Report> {
        let (plan, orders) = self.plan();
        let warm_up = Duration::from_secs_f64(self.settings.warm_up);
        let reader = |index| Reader { person: self.person_of(index), before: 0, lives: Vec::new() };
        let readers = (0..self.settings.connections).map(reader).collect();
        let stage = Rc::new(Stage::new(plan, warm_up, readers)?);
        let mut crowd = self.gather_crowd(&stage).await?;
        let consumed = Meter::start(self.settings.server_pid)?;
        let (stop, stopped) = mpsc::channel();
        let began = Instant::now();
        stage.began.set(Some(began));
        let pacer = schedule::pace(orders, began, crowd.orders.clone(), stopped);
        let watched = self.watch(&mut crowd, began).await;
        let consumed = consumed.stop(began.elapsed());
        drop(stop);
        for task in &crowd.tasks {
            task.abort();
        }
        ensure!(pacer.join().is_ok(), "the pacing thread failed");
        watched?;
        Ok(self.report(&stage, &consumed?))
    }

    fn person_of(&self, connection: usize) -> usize {
        connection % self.people.len()
    }

    /// Posts go out on the first connection of their author, whose number is the author's own.
    fn plan(&self) -> (Vec<Planned>, Vec<Timed>) {
        let settings = self.settings;
        let mut rng = StdRng::seed_from_u64(settings.seed ^ 0x706f_7374);
        let run = Uuid::new_v4().as_u64_pair().0;
        let times = schedule::arrivals(settings.arrivals, settings.rate, settings.length(), &mut rng);
        let mut orders: Vec<Timed> = Vec::new();
        let mut plan = Vec::new();
        for (number, due) in times.into_iter().enumerate() {
            let author = rng.random_range(0..settings.authors());
            orders.push((due, author, Order::Post(number)));
            let text = schedule::text(run, number, settings.text_bytes);
            plan.push(Planned { due, author, id: Uuid::now_v7(), text });
        }
        let losses = schedule::arrivals(Arrivals::Poisson, settings.reconnects, settings.length(), &mut rng);
        for due in losses {
            let away = Duration::from_millis(rng.random_range(0..=settings.away_ms));
            orders.push((due, rng.random_range(0..settings.connections), Order::Drop { away }));
        }
        orders.sort_by_key(|(due, _, _)| *due);
        (plan, orders)
    }

    /// Opens all connections and waits until each has its feed.
    async fn gather_crowd(&self, stage: &Rc<Stage>) -> Result<Crowd> {
        let wanted = self.settings.connections;
        let bar = people::bar(wanted as u64, "connections");
        let mut crowd = Crowd { stage: Rc::clone(stage), tasks: Vec::new(), orders: Vec::new() };
        let deadline = Instant::now() + CONNECT_PATIENCE;
        for index in 0..wanted {
            let (sender, orders) = unbounded_channel();
            let connection = Connection {
                index,
                targets: Rc::clone(&self.targets),
                token: self.people[self.person_of(index)].tokens.access_token.clone(),
                orders,
                stage: Rc::clone(stage),
            };
            crowd.orders.push(sender);
            crowd.tasks.push(tokio::task::spawn_local(connection.live()));
            // At most so many handshakes at the same time: this is not the test of a reconnect storm.
            while index + 1 - stage.open.get() > 64 {
                crowd.wait(deadline, &bar).await?;
            }
        }
        while stage.open.get() < wanted {
            crowd.wait(deadline, &bar).await?;
        }
        bar.finish_and_clear();
        Ok(crowd)
    }

    /// Waits for the end of the plan, then for what is still on its way.
    async fn watch(&self, crowd: &mut Crowd, began: Instant) -> Result<()> {
        let stage = Rc::clone(&crowd.stage);
        let length = self.settings.length();
        let bar = people::bar(stage.plan.len() as u64, "posts");
        let end = began + length;
        while Instant::now() < end {
            crowd.look(&bar).await?;
        }
        bar.set_message("(waiting for the last)");
        let deadline = end + Duration::from_secs_f64(self.settings.patience);
        while Instant::now() < deadline && !(crowd.all_answered() && self.all_heard(&stage)) {
            crowd.look(&bar).await?;
        }
        tokio::time::sleep(AFTERMATH).await;
        bar.finish_and_clear();
        Ok(())
    }

    /// Whether every connection is open and has got as far as the last post it should hear.
    fn all_heard(&self, stage: &Stage) -> bool {
        let mut last = vec![0; self.people.len()];
        for (post, outcome) in stage.plan.iter().zip(stage.outcomes.borrow().iter()) {
            if let Outcome::Acknowledged { seq } = outcome {
                last[post.author] = u64::max(last[post.author], *seq);
            }
        }
        let due: Vec<u64> = (0..self.people.len())
            .map(|person| self.graph[person].iter().chain([&person]).map(|&author| last[author]).max().unwrap_or(0))
            .collect();
        let positions = stage.positions.borrow();
        let heard = positions.iter().enumerate().all(|(index, position)| *position >= due[self.person_of(index)]);
        heard && stage.open.get() == self.settings.connections
    }

    fn report(&self, stage: &Stage, consumed: &Consumed) -> Report {
        let outcomes = stage.outcomes.take();
        let posts = stage.plan.iter().zip(&outcomes);
        let posted = |(post, outcome): (&Planned, &Outcome)| Posted {
            id: post.id,
            author: post.author,
            text: TextMark::of(&post.text),
            outcome: *outcome,
        };
        let history =
            History { follows: self.graph.clone(), posts: posts.map(posted).collect(), readers: stage.readers.take() };
        Report::of(self.settings, &history, &stage.meters.borrow(), consumed)
    }
}

/// CPU time before and after.
struct Meter {
    own: Cpu,
    server: Option<(u32, Cpu)>,
}

impl Meter {
    fn start(server_pid: Option<u32>) -> Result<Self> {
        let server = server_pid.map(|pid| machine::cpu_of(pid).map(|cpu| (pid, cpu))).transpose()?;
        Ok(Self { own: machine::own_cpu()?, server })
    }

    fn stop(self, wall: Duration) -> Result<Consumed> {
        let server = self.server.map(|(pid, before)| machine::cpu_of(pid).map(|now| now.since(before)));
        Ok(Consumed { wall, own: machine::own_cpu()?.since(self.own), server: server.transpose()? })
    }
}
