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
use tidings_protocol::ids::PostId;
use tokio::sync::mpsc::unbounded_channel;

use crate::connection::Connection;
use crate::crowd::Crowd;
use crate::graph::{self, Follows};
use crate::history::{Outcome, Reader};
use crate::people::{self, Person};
use crate::plan::{self, Span};
use crate::report::{Memory, Report, Run};
use crate::scenario::Source;
use crate::schedule::{self, Timed};
use crate::settings::Settings;
use crate::stage::Stage;
use crate::usage::{self, Recorder};
use crate::view::View;
use crate::watch::Watch;
use crate::{machine, prepare};

/// Connections must all be open by then; so many more for each thousand of them.
const CONNECT_PATIENCE: Duration = Duration::from_secs(120);
const CONNECT_PATIENCE_PER_THOUSAND: Duration = Duration::from_secs(10);

/// Runs and checks, with nothing on the terminal but bars.
///
/// # Errors
/// The run could not be carried out; violations are not errors but part of the report.
pub async fn run(settings: &Settings) -> Result<Report> {
    perform(settings, Source::default(), &mut View::Quiet).await
}

/// Runs and checks.
///
/// # Errors
/// As [`run`].
pub async fn perform(settings: &Settings, source: Source, view: &mut View) -> Result<Report> {
    settings.check()?;
    machine::make_room_for(settings.connections)?;
    let mut targets = Vec::new();
    for url in &settings.urls {
        targets.push(crate::link::resolve(url).await?);
    }
    let spans = plan::spans(settings);
    plan::check_size(&spans)?;
    let limits = prepare::limits(targets[0]).await?;
    // Steps go up to what is refused; only the first must be allowed.
    let certain = if settings.steps.is_some() { spans.len().min(2) } else { spans.len() };
    let most = prepare::fullest_minute(&spans[..certain], settings.authors());
    prepare::check_budget(&limits, most, "use more --authors, or a lower --rate or --scale")?;
    let graph = graph::make(settings.followers, settings.people(), settings.authors(), settings.follows, settings.seed);
    let file = settings.accounts.as_deref();
    let mut people = people::gather(&settings.urls[0], settings.people(), file).await?;
    prepare::arrange(targets[0], &mut people, &graph, file).await?;
    let threads = prepare::threads(targets[0], &people[0], settings.threads).await?;
    view.say(&format!("{} accounts, whom they follow, and {} threads are there", people.len(), threads.len()));
    let targets = targets.into();
    let drive = Drive { settings, targets, people, graph, threads, spans };
    drive.perform(source, view).await
}

struct Drive<'a> {
    settings: &'a Settings,
    targets: Rc<[SocketAddr]>,
    people: Vec<Person>,
    graph: Follows,
    threads: Vec<PostId>,
    spans: Vec<Span>,
}

impl Drive<'_> {
    async fn perform(self, source: Source, view: &mut View) -> Result<Report> {
        let before = usage::sample(self.settings.server_pid, Instant::now())?;
        let (plan, orders) = plan::make(self.settings, &self.spans);
        let planned = (plan, self.spans.clone());
        let stage = Stage::new(planned, self.readers(), self.threads.clone(), self.settings.text_bytes)?;
        let stage = Rc::new(stage);
        let mut crowd = self.gather_crowd(&stage).await?;
        view.say(&format!("{} connections are open", stage.open.get()));
        let outcome = self.play(&mut crowd, orders, view).await;
        view.finish();
        for task in &crowd.tasks {
            task.abort();
        }
        let (watch, usage, wall) = outcome?;
        let memory = Memory::of(before.server.map(|(_, bytes)| bytes), &usage, self.settings.connections);
        let run = Run { settings: self.settings, follows: self.graph, source, usage, watch, wall, memory };
        Ok(Report::of(run, &stage))
    }

    /// Carries out the plan, and waits for what comes of it.
    async fn play(
        &self,
        crowd: &mut Crowd,
        orders: Vec<Timed>,
        view: &mut View,
    ) -> Result<(Watch, usage::Usage, Duration)> {
        let (stop, stopped) = mpsc::channel();
        let began = Instant::now();
        let recorder = Recorder::start(self.settings.server_pid, began)?;
        crowd.stage.began.set(Some(began));
        let pacer = schedule::pace(orders, began, crowd.orders.clone(), stopped);
        let mut watch = Watch::begin(Rc::clone(&crowd.stage), self.settings, recorder, stop);
        view.begin(&self.spans);
        let watched = watch.follow(crowd, view, &|stage| self.all_heard(stage)).await;
        let wall = began.elapsed();
        let usage = watch.stop();
        ensure!(pacer.join().is_ok(), "the pacing thread failed");
        watched?;
        Ok((watch, usage, wall))
    }

    fn person_of(&self, connection: usize) -> usize {
        connection % self.people.len()
    }

    /// Everybody, with nothing heard yet.
    fn readers(&self) -> Vec<Reader> {
        let mut rng = StdRng::seed_from_u64(self.settings.seed ^ 0x6b65_7074);
        let threads = self.threads.len();
        (0..self.settings.connections)
            .map(|index| Reader {
                person: self.person_of(index),
                thread: (threads > 0).then(|| index % threads.max(1)),
                kept: rng.random_bool(self.settings.check),
                before: 0,
                lives: Vec::new(),
            })
            .collect()
    }

    /// Opens all connections and waits until each has its feeds.
    async fn gather_crowd(&self, stage: &Rc<Stage>) -> Result<Crowd> {
        let wanted = self.settings.connections;
        let bar = people::bar(wanted as u64, "connections");
        let mut crowd = Crowd { stage: Rc::clone(stage), tasks: Vec::new(), orders: Vec::new() };
        let thousands = u32::try_from(wanted / 1000).unwrap_or(u32::MAX);
        let patience = CONNECT_PATIENCE + CONNECT_PATIENCE_PER_THOUSAND.saturating_mul(thousands);
        let deadline = Instant::now() + patience;
        for index in 0..wanted {
            let (sender, orders) = unbounded_channel();
            let connection = Connection {
                index,
                targets: Rc::clone(&self.targets),
                token: self.people[self.person_of(index)].tokens.access_token.clone(),
                slow: index + self.settings.slow_readers >= wanted,
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

    /// Whether every connection is open and has got as far as the last thing it should hear.
    fn all_heard(&self, stage: &Stage) -> bool {
        let mut last = vec![0; self.people.len()];
        let mut comments = vec![0; self.threads.len()];
        for (post, outcome) in stage.plan.iter().zip(stage.outcomes.borrow().iter()) {
            if let Outcome::Acknowledged { seq } = outcome {
                let latest = post.thread.map_or(&mut last[post.author], |thread| &mut comments[thread]);
                *latest = u64::max(*latest, *seq);
            }
        }
        let due: Vec<u64> = (0..self.people.len())
            .map(|person| self.graph[person].iter().chain([&person]).map(|&author| last[author]).max().unwrap_or(0))
            .collect();
        let positions = stage.positions.borrow();
        let readers = stage.readers.borrow();
        let heard = readers.iter().zip(positions.iter()).all(|(reader, position)| {
            *position >= due[reader.person] && reader.thread.is_none_or(|thread| *position >= comments[thread])
        });
        heard && stage.open.get() == self.settings.connections
    }
}
