//! A reconnect storm: everybody is cut at once and comes back with their cursor, while healthy clients go on beside them.
//! Must never spread the storm itself: what spreads it is the clients' own jitter and the server's admission.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::Result;
use serde::Serialize;

use crate::bench::flock::Flock;
use crate::bench::pgbench::Postgres;
use crate::bench::server::Server;
use crate::bench::vigil::{Delivered, Vigil};
use crate::machine;
use crate::people::Person;

/// For everybody to be back.
const PATIENCE: Duration = Duration::from_secs(60);
/// Before the storm and between two, for the server to come to rest.
const REST: Duration = Duration::from_secs(2);
const SAMPLE_EVERY: Duration = Duration::from_millis(100);
/// A stretch of the course of a storm: its first ones hold the cut and the dialling, the later ones those who come in.
const STRETCH: Duration = Duration::from_millis(500);

/// What was found.
#[derive(Debug, Serialize)]
pub struct Storms {
    /// Cut at the same time.
    pub connections: usize,
    /// Healthy clients before the first.
    pub before: Delivered,
    /// Answers to their author before the first.
    pub acknowledged_before: Delivered,
    /// One after another.
    pub storms: Vec<Storm>,
}

/// One storm.
#[derive(Debug, Serialize)]
pub struct Storm {
    /// From the cut until half were back, in seconds.
    pub half_back_s: f64,
    /// Until 99 of 100 were.
    pub most_back_s: f64,
    /// Until all were.
    pub all_back_s: f64,
    /// Went on from their cursor, without a snapshot.
    pub resumed: usize,
    /// Tries that came to nothing, by what was said.
    pub failures: std::collections::BTreeMap<String, usize>,
    /// Healthy clients meanwhile.
    pub meanwhile: Delivered,
    /// Answers to their author meanwhile: what of a delivery is the commit.
    pub acknowledged: Delivered,
    /// The same as `meanwhile` by half-seconds from the cut: what is felt, and when.
    pub course: Vec<Delivered>,
    /// The highest of the samples, in bytes.
    pub resident_bytes: u64,
    /// The most connections to Postgres that were seen.
    pub database_connections: u64,
    /// CPU of the server, in cores.
    pub server_cores: f64,
    /// CPU of the harness, in cores.
    pub client_cores: f64,
}

/// Gathers everybody, and cuts them so many times.
///
/// # Errors
/// They do not come back, or a healthy client fails.
pub async fn measure(
    server: &Server,
    people: &[Person],
    connections: usize,
    storms: usize,
    seconds: u64,
) -> Result<Storms> {
    let flock = Flock::gather(server.address(), &people[1..], connections).await?;
    let vigil = Vigil::begin(server.address(), &people[0]).await?;
    // Those who come back would be on other machines: on this one they take only what nobody else wants.
    machine::give_way()?;
    tokio::time::sleep(REST).await;
    let began = Instant::now();
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    let end = Instant::now();
    let before = vigil.between(began, end).await?;
    let acknowledged_before = vigil.acknowledged(began, end)?;
    let mut found = Storms { connections, before, acknowledged_before, storms: Vec::new() };
    for _ in 0..storms {
        found.storms.push(storm(server, &flock, &vigil).await?);
        tokio::time::sleep(REST).await;
    }
    Ok(found)
}

async fn storm(server: &Server, flock: &Flock, vigil: &Vigil) -> Result<Storm> {
    let postgres = Postgres::of(server.postgres_socket()?)?;
    let (own, theirs, began) = (machine::own_cpu()?, machine::cpu_of(server.pid())?, Instant::now());
    flock.scatter();
    let (mut resident_bytes, mut asked) = (0, None);
    let back = flock.all_back(PATIENCE);
    tokio::pin!(back);
    loop {
        tokio::select! {
            back = &mut back => break back?,
            () = tokio::time::sleep(SAMPLE_EVERY) => {
                resident_bytes = machine::resident_bytes(server.pid())?.max(resident_bytes);
                // Once, in the thick of it: asking costs a process.
                if asked.is_none() && began.elapsed() > Duration::from_secs(1) {
                    asked = Some(connections(&postgres)?);
                }
            }
        }
    }
    let wall = began.elapsed();
    let cores = |cpu: Duration| cpu.as_secs_f64() / wall.as_secs_f64();
    let (server_cpu, own_cpu) = (machine::cpu_of(server.pid())?.since(theirs), machine::own_cpu()?.since(own));
    let tally = flock.tally();
    let after = |share: usize| tally.back[(tally.back.len() - 1) * share / 100].duration_since(began).as_secs_f64();
    let meanwhile = vigil.between(began, began + wall).await?;
    let mut course = Vec::new();
    let mut from = began;
    while from < began + wall {
        course.push(vigil.settled(from, from + STRETCH)?);
        from += STRETCH;
    }
    Ok(Storm {
        half_back_s: after(50),
        most_back_s: after(99),
        all_back_s: after(100),
        resumed: tally.resumed,
        failures: tally.failures.clone(),
        meanwhile,
        acknowledged: vigil.acknowledged(began, began + wall)?,
        course,
        resident_bytes,
        database_connections: asked.map_or_else(|| connections(&postgres), Ok)?.max(connections(&postgres)?),
        server_cores: cores(server_cpu.total()),
        client_cores: cores(own_cpu.total()),
    })
}

fn connections(postgres: &Postgres) -> Result<u64> {
    let count = "select count(*) from pg_stat_activity where application_name like 'tidings %'";
    Ok(postgres.ask(count)?.trim().parse()?)
}

impl fmt::Display for Storms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n{} connections cut at once", self.connections)?;
        writeln!(f, "  healthy clients before: {}", self.before)?;
        writeln!(f, "    their author is answered after {}", self.acknowledged_before)?;
        for storm in &self.storms {
            writeln!(
                f,
                "  back: half after {:.2} s, 99 of 100 after {:.2} s, all after {:.2} s; {} resumed; came to nothing {:?}",
                storm.half_back_s, storm.most_back_s, storm.all_back_s, storm.resumed, storm.failures
            )?;
            writeln!(
                f,
                "    healthy clients meanwhile: {} ({:.1} times p99)",
                storm.meanwhile,
                storm.meanwhile.p99_ms / self.before.p99_ms
            )?;
            writeln!(f, "    their author is answered after {}", storm.acknowledged)?;
            let course: Vec<String> = storm.course.iter().map(|stretch| format!("{:.0}", stretch.p99_ms)).collect();
            writeln!(f, "    their p99 by half-seconds from the cut: {} ms", course.join(" "))?;
            writeln!(
                f,
                "    server {:.2} cores, client {:.2} cores; {} MiB resident, {} database connections",
                storm.server_cores,
                storm.client_cores,
                storm.resident_bytes >> 20,
                storm.database_connections
            )?;
        }
        Ok(())
    }
}
