//! What the run costs, sample by sample: CPU time and memory of the server and of ourselves, and how busy the machine is.
//! Works on a thread of its own. Must never fail a run: a server that is gone simply has no figures any more.

use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::machine::{self, Cpu};

/// From one sample to the next; CPU time comes in steps of 10 ms.
const EVERY: Duration = Duration::from_millis(250);

/// One sample; CPU times are since the beginning of time.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// Since the beginning of the run.
    pub at: Duration,
    /// Ours.
    pub own: Cpu,
    /// Resident, in bytes.
    pub own_bytes: u64,
    /// The server's.
    pub server: Option<(Cpu, u64)>,
    /// All that all cores have done, in core-seconds.
    pub machine: Option<Duration>,
}

/// What the kernel says now.
///
/// # Errors
/// No `/proc`.
pub fn sample(server: Option<u32>, began: Instant) -> Result<Sample> {
    Ok(Sample {
        at: began.elapsed(),
        own: machine::own_cpu()?,
        own_bytes: machine::resident_bytes(std::process::id())?,
        server: server.and_then(|pid| Some((machine::cpu_of(pid).ok()?, machine::resident_bytes(pid).ok()?))),
        machine: machine::busy().ok(),
    })
}

/// Takes samples until it is stopped.
pub struct Recorder {
    samples: Arc<Mutex<Vec<Sample>>>,
    stop: mpsc::Sender<()>,
    thread: JoinHandle<()>,
}

impl Recorder {
    /// Begins.
    ///
    /// # Errors
    /// There is no such server, or no `/proc`.
    pub fn start(server: Option<u32>, began: Instant) -> Result<Self> {
        let first = sample(server, began)?;
        if let Some(pid) = server {
            first.server.with_context(|| format!("no process {pid} (--server-pid)"))?;
        }
        let samples = Arc::new(Mutex::new(vec![first]));
        let (stop, stopped) = mpsc::channel();
        let shared = Arc::clone(&samples);
        let thread = std::thread::spawn(move || {
            while stopped.recv_timeout(EVERY) == Err(mpsc::RecvTimeoutError::Timeout) {
                if let Ok(sample) = sample(server, began) {
                    shared.lock().unwrap_or_else(PoisonError::into_inner).push(sample);
                }
            }
        });
        Ok(Self { samples, stop, thread })
    }

    /// What was used between two times.
    #[must_use]
    pub fn between(&self, from: Duration, to: Duration) -> Cores {
        cores(&self.samples.lock().unwrap_or_else(PoisonError::into_inner), from, to)
    }

    /// Ends, with everything.
    #[must_use]
    pub fn stop(self) -> Usage {
        drop(self.stop);
        // A thread that failed has left its samples behind, and these count.
        drop(self.thread.join());
        Usage { samples: self.samples.lock().unwrap_or_else(PoisonError::into_inner).clone() }
    }
}

/// All samples of a run.
#[derive(Clone, Debug, Default)]
pub struct Usage {
    /// In order.
    pub samples: Vec<Sample>,
}

/// CPU in cores: 1.0 is one core fully used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cores {
    /// The harness.
    pub client: f64,
    /// The server, while it was there.
    pub server: Option<f64>,
    /// Everything that runs on the machine.
    pub machine: Option<f64>,
}

impl Usage {
    /// What was used between two times.
    #[must_use]
    pub fn between(&self, from: Duration, to: Duration) -> Cores {
        cores(&self.samples, from, to)
    }
}

/// From the last sample before `from` to the first after `to`.
fn cores(samples: &[Sample], from: Duration, to: Duration) -> Cores {
    let begin = samples.partition_point(|sample| sample.at <= from).saturating_sub(1);
    let end = samples.partition_point(|sample| sample.at < to).min(samples.len().saturating_sub(1));
    let (Some(first), Some(last)) = (samples.get(begin), samples.get(end)) else {
        return Cores::default();
    };
    let wall = last.at.saturating_sub(first.at).as_secs_f64();
    if wall <= 0.0 {
        return Cores::default();
    }
    let share = |time: Duration| time.as_secs_f64() / wall;
    // A server that was started anew begins again at nothing: then there is no figure.
    let server = first.server.zip(last.server).filter(|(from, to)| to.0.total() >= from.0.total());
    Cores {
        client: share(last.own.since(first.own).total()),
        server: server.map(|(from, to)| share(to.0.since(from.0).total())),
        machine: first.machine.zip(last.machine).map(|(from, to)| share(to.saturating_sub(from))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64, own_ms: u64, server_ms: Option<u64>) -> Sample {
        let cpu = |ms| Cpu { user: Duration::from_millis(ms), system: Duration::ZERO };
        Sample {
            at: Duration::from_millis(ms),
            own: cpu(own_ms),
            own_bytes: 1,
            server: server_ms.map(|ms| (cpu(ms), 1)),
            machine: None,
        }
    }

    #[test]
    fn cores_are_told_for_the_time_between_samples() {
        let usage = Usage { samples: vec![at(0, 0, Some(100)), at(1000, 500, Some(100)), at(2000, 600, Some(350))] };
        let told = |from, to| usage.between(Duration::from_millis(from), Duration::from_millis(to));
        assert_eq!(told(0, 1000), Cores { client: 0.5, server: Some(0.0), machine: None });
        assert_eq!(told(1000, 2000), Cores { client: 0.1, server: Some(0.25), machine: None });
        assert_eq!(told(0, 9000).server, Some(0.125));
        assert_eq!(Usage::default().between(Duration::ZERO, Duration::from_secs(1)), Cores::default());
    }

    #[test]
    fn a_server_that_is_gone_has_no_figure() {
        let usage = Usage { samples: vec![at(0, 0, Some(100)), at(1000, 500, None), at(2000, 600, Some(20))] };
        assert_eq!(usage.between(Duration::ZERO, Duration::from_secs(1)).server, None);
        assert_eq!(usage.between(Duration::ZERO, Duration::from_secs(2)).server, None);
    }

    #[test]
    fn a_recorder_samples_this_very_process_until_it_is_stopped() {
        let recorder = Recorder::start(Some(std::process::id()), Instant::now()).unwrap();
        let usage = recorder.stop();
        assert!(usage.samples[0].server.is_some() && usage.samples[0].machine.is_some());
        assert!(Recorder::start(Some(u32::MAX - 1), Instant::now()).is_err());
    }
}
