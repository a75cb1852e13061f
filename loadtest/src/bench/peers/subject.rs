//! One server under measurement: its listeners gathered, its deliveries checked, its CPU time read.
//! Must never begin while the server before still works, nor count what was not delivered.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use tidings_protocol::limits::CONNECTIONS_PER_USER;

use super::audience::Audience;
use super::cores::{self, Cores};
use super::found::{Found, Sample};
use super::paced::Paced;
use super::peer::{Peer, Running};
use crate::bench::server::Server;
use crate::graph::{self, Shape};
use crate::{link, machine, people, prepare};

/// Events on their way at the same time, in turn.
const IN_FLIGHT: [u64; 2] = [1, 16];
const WARM_UP: Duration = Duration::from_secs(1);
/// A server is still when its CPU time stands for so long; one that never is does not hold the run up for ever.
const STILL: Duration = Duration::from_millis(250);
const STILL_PATIENCE: Duration = Duration::from_secs(10);

/// A server and what is needed to speak to it.
pub struct Subject {
    /// Which.
    pub peer: Peer,
    running: Kept,
}

enum Kept {
    Tidings { server: Box<Server>, accounts: usize },
    Other(Box<Running>),
}

impl Subject {
    /// Starts the product, its Postgres on the client's core, and has everybody follow one author.
    ///
    /// # Errors
    /// It does not start.
    pub async fn tidings(binary: &Path, cores: Cores, subscribers: usize) -> Result<Self> {
        ensure!(binary.is_file(), "no server at {}: build it, or name it with --binary", binary.display());
        let server = cores.on_server(Server::start(binary)).await?;
        cores.move_postgres(server.folder())?;
        let accounts = subscribers.div_ceil(CONNECTIONS_PER_USER) + 1;
        let file = server.folder().join("accounts.json");
        let mut people = people::gather(&server.url(), accounts, Some(&file)).await?;
        let follows = graph::make(Shape::Celebrity, people.len(), 1, 1, 1);
        let target = link::resolve(&server.url()).await?;
        prepare::arrange(target, &mut people, &follows, Some(&file)).await?;
        Ok(Self { peer: Peer::Tidings, running: Kept::Tidings { server: Box::new(server), accounts } })
    }

    /// Any other, already running.
    #[must_use]
    pub fn other(peer: Peer, running: Running) -> Self {
        Self { peer, running: Kept::Other(Box::new(running)) }
    }

    /// Lets it end.
    ///
    /// # Errors
    /// The product does not end well.
    pub async fn stop(self) -> Result<()> {
        match self.running {
            Kept::Tidings { server, .. } => server.stop().await,
            Kept::Other(_) => Ok(()),
        }
    }

    fn pid(&self) -> u32 {
        match &self.running {
            Kept::Tidings { server, .. } => server.pid(),
            Kept::Other(running) => running.pid,
        }
    }

    fn address(&self) -> SocketAddr {
        match &self.running {
            Kept::Tidings { server, .. } => server.address(),
            Kept::Other(running) => running.address,
        }
    }

    /// Of the author and those who listen, good for longer than a measurement; nobody but Tidings asks for one.
    async fn tokens(&self) -> Result<Vec<String>> {
        let Kept::Tidings { server, accounts } = &self.running else {
            return Ok(Vec::new());
        };
        let file = server.folder().join("accounts.json");
        let people = people::gather(&server.url(), *accounts, Some(&file)).await?;
        Ok(people.into_iter().map(|person| person.tokens.access_token).collect())
    }

    /// Connects, checks every byte of the first events, then measures; waits until the server has come to rest again.
    ///
    /// # Errors
    /// A delivery is lost, doubled or wrong.
    pub async fn measure(&self, seconds: u64, subscribers: usize, found: &mut Found) -> Result<()> {
        let mut audience = self.audience(subscribers, found).await?;
        for in_flight in IN_FLIGHT {
            audience.press(in_flight, WARM_UP)?;
            let time = Duration::from_secs(seconds);
            let ((), sample) = self.sample(&mut audience, found.cores, |all| all.press(in_flight, time))?;
            found.add(self.peer, subscribers, in_flight, sample);
        }
        drop(audience);
        self.come_to_rest().await
    }

    /// The same at a fixed rate of events.
    ///
    /// # Errors
    /// A delivery is lost, doubled or wrong.
    pub async fn pace(&self, per_second: f64, seconds: u64, subscribers: usize, found: &mut Found) -> Result<()> {
        let mut audience = self.audience(subscribers, found).await?;
        audience.pace(per_second, WARM_UP)?;
        let time = Duration::from_secs(seconds);
        let (parts, sample) = self.sample(&mut audience, found.cores, |all| all.pace(per_second, time))?;
        found.paced.push(Paced::of((self.peer, subscribers, per_second), &parts, sample)?);
        drop(audience);
        self.come_to_rest().await
    }

    /// Connected and checked.
    async fn audience(&self, subscribers: usize, found: &mut Found) -> Result<Audience> {
        let tokens = self.tokens().await?;
        let mut audience = Audience::gather(self.peer.dialect(), self.address(), subscribers, &tokens).await?;
        found.frame_bytes = audience.check(found.frame_bytes)?;
        cores::ensure_on(found.cores.server, self.pid())?;
        Ok(audience)
    }

    /// What some work costs, and what comes of it.
    fn sample<T>(
        &self,
        audience: &mut Audience,
        cores: Cores,
        work: impl FnOnce(&mut Audience) -> Result<T>,
    ) -> Result<(T, Sample)> {
        let read = || -> Result<_> {
            let cpu = (machine::cpu_of(self.pid())?, machine::own_cpu()?);
            Ok((cpu, cores::ticks(cores.server)?, cores::ticks(cores.client)?))
        };
        let ((theirs, own), server_core, client_core) = read()?;
        let (before, began) = (audience.heard, Instant::now());
        let outcome = work(audience)?;
        let wall = began.elapsed().as_secs_f64();
        let ((theirs_after, own_after), server_core_after, client_core_after) = read()?;
        let deliveries = float(audience.heard - before);
        let used = theirs_after.since(theirs);
        let total = used.total().as_secs_f64();
        let sample = Sample {
            cpu_us: total * 1e6 / deliveries,
            user_us: used.user.as_secs_f64() * 1e6 / deliveries,
            per_second: deliveries / wall,
            per_cpu_second: deliveries / total,
            server_cores: total / wall,
            client_cores: own_after.since(own).total().as_secs_f64() / wall,
            client_core_busy: client_core_after.busy_since(client_core),
            foreign_cores: (server_core_after.busy_since(server_core) - total / wall).max(0.0),
        };
        Ok((outcome, sample))
    }

    /// Until it has noticed that everybody has gone.
    async fn come_to_rest(&self) -> Result<()> {
        let deadline = Instant::now() + STILL_PATIENCE;
        let mut last = machine::cpu_of(self.pid())?;
        while Instant::now() < deadline {
            tokio::time::sleep(STILL).await;
            let now = machine::cpu_of(self.pid())?;
            if now == last {
                break;
            }
            last = now;
        }
        Ok(())
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of a run are far below 2^52")]
fn float(count: u64) -> f64 {
    count as f64
}
