//! When each post is due: decided before the run, so that a slow server cannot slow the questions down (open model).
//! Must never look at an answer. Latency counts from the time in this plan (no coordinated omission).

use std::sync::mpsc;
use std::time::{Duration, Instant};

use clap::ValueEnum;
use rand::RngExt;
use rand::rngs::StdRng;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::UnboundedSender;
use uuid::Uuid;

/// How arrivals are spaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arrivals {
    /// At random, like people.
    Poisson,
    /// Evenly.
    Constant,
}

/// A post or comment to come. Its text is made when it is needed: of millions it would be most of our memory.
#[derive(Clone, Debug)]
pub struct Planned {
    /// Since the beginning of the run.
    pub due: Duration,
    /// Which person writes it.
    pub author: usize,
    /// Its id.
    pub id: Uuid,
    /// On which thread it is a comment; none for a post.
    pub thread: Option<usize>,
    /// In which span of the run it is due.
    pub span: usize,
}

/// What a connection is told to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Send this post or comment.
    Post(usize),
    /// Lose the line, and come back after a while.
    Drop {
        /// How long to stay away.
        away: Duration,
        /// All at once in this span; none if alone.
        cut: Option<usize>,
    },
    /// Stop reading.
    Stall {
        /// For how long.
        length: Duration,
    },
}

/// An order with its time and its connection.
pub type Timed = (Duration, usize, Order);

/// Times of arrival within `length`, in order.
#[must_use]
pub fn arrivals(kind: Arrivals, per_second: f64, length: Duration, rng: &mut StdRng) -> Vec<Duration> {
    let mut at = 0.0;
    let mut times = Vec::new();
    if per_second <= 0.0 {
        return times;
    }
    loop {
        at += match kind {
            Arrivals::Constant => 1.0 / per_second,
            // Exponential gaps; 1 - x is never 0.
            Arrivals::Poisson => -(1.0 - rng.random::<f64>()).ln() / per_second,
        };
        if at >= length.as_secs_f64() {
            return times;
        }
        times.push(Duration::from_secs_f64(at));
    }
}

/// The text of a post, about `bytes` long.
#[must_use]
pub fn text(run: u64, number: usize, bytes: usize) -> String {
    const FILLER: &str = "the quick brown fox tells everybody at once what the lazy dog has posted ";
    let mut text = format!("tidings-load {run:016x} {number} ");
    while text.len() < bytes {
        let rest = bytes - text.len();
        text.push_str(&FILLER[..rest.min(FILLER.len())]);
    }
    text
}

/// Gives every order to its connection when it is due, from a thread of its own: the runtime's timers are a millisecond coarse.
/// Stops early when `stop` is dropped.
pub fn pace(
    orders: Vec<Timed>,
    began: Instant,
    to: Vec<UnboundedSender<Order>>,
    stop: mpsc::Receiver<()>,
) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        for (due, connection, order) in orders {
            let wait = (began + due).saturating_duration_since(Instant::now());
            // Long waits listen for the end; short ones are exact, and only look.
            let stopped = if wait > Duration::from_millis(100) {
                stop.recv_timeout(wait) != Err(mpsc::RecvTimeoutError::Timeout)
            } else {
                std::thread::sleep(wait);
                stop.try_recv() != Err(mpsc::TryRecvError::Empty)
            };
            if stopped {
                return;
            }
            if to[connection].send(order).is_err() {
                return;
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn constant_arrivals_are_even() {
        let times = arrivals(Arrivals::Constant, 10.0, Duration::from_secs(1), &mut StdRng::seed_from_u64(1));
        assert!((9..=10).contains(&times.len()));
        assert_eq!(times[1].as_millis() - times[0].as_millis(), 100);
    }

    #[test]
    fn poisson_arrivals_have_the_rate_and_the_spread() {
        let times = arrivals(Arrivals::Poisson, 100.0, Duration::from_secs(100), &mut StdRng::seed_from_u64(1));
        assert!((9_500..10_500).contains(&times.len()), "{}", times.len());
        let gaps: Vec<f64> = times.windows(2).map(|pair| (pair[1] - pair[0]).as_secs_f64()).collect();
        let long = gaps.iter().filter(|gap| **gap > 0.02).count();
        // e^-2 of exponential gaps are longer than twice their mean.
        assert!((0.115..0.155).contains(&(long as f64 / gaps.len() as f64)));
    }

    #[test]
    fn texts_have_their_length_and_their_marker() {
        let text = text(7, 42, 200);
        assert_eq!(text.len(), 200);
        assert!(text.starts_with("tidings-load 0000000000000007 42 "));
    }

    #[test]
    fn orders_come_in_time_and_end_with_the_run() {
        let (to, mut orders) = tokio::sync::mpsc::unbounded_channel();
        let (stop, stopped) = mpsc::channel();
        let far = Duration::from_secs(3600);
        let plan = vec![(Duration::ZERO, 0, Order::Post(0)), (far, 0, Order::Post(1))];
        let pacer = pace(plan, Instant::now(), vec![to], stopped);
        assert_eq!(orders.blocking_recv(), Some(Order::Post(0)));
        drop(stop);
        pacer.join().unwrap();
        assert_eq!(orders.blocking_recv(), None);
    }
}
