//! The whole run, decided before it begins: its spans, and what is due when on which connection.
//! Must never depend on anything but the settings: the same seed makes the same plan.

use std::time::Duration;

use anyhow::{Result, ensure};
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{RngExt, SeedableRng};
use uuid::Uuid;

use crate::schedule::{self, Arrivals, Order, Planned, Timed};
use crate::settings::{Phase, Settings};

/// Each is about 200 bytes in the harness.
const MOST_POSTS: f64 = 5e6;

/// A part of the run with rates of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// Of the phase or step.
    pub name: String,
    /// Since the beginning of the run.
    pub begins: Duration,
    /// Since the beginning of the run.
    pub ends: Duration,
    /// Without load, behind it.
    pub rest: Duration,
    /// Posts a second.
    pub rate: f64,
    /// Comments a second.
    pub comments: f64,
    /// Lost lines a second.
    pub reconnects: f64,
    /// Share of the connections that are cut when it begins.
    pub cut: f64,
    /// The warm-up is not.
    pub measured: bool,
}

impl Span {
    /// Posts and comments a second.
    #[must_use]
    pub fn work(&self) -> f64 {
        self.rate + self.comments
    }

    /// Its length, without the rest.
    #[must_use]
    pub fn length(&self) -> Duration {
        self.ends.saturating_sub(self.begins)
    }
}

/// The spans of a run, in order: the warm-up, then phases, steps or one measured part.
#[must_use]
pub fn spans(settings: &Settings) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    let mut add = |name: &str, seconds: f64, phase: &Phase, factor: f64, rest: f64| {
        let begins = spans.last().map_or(Duration::ZERO, |span| span.ends + span.rest);
        let scale = settings.scale * factor;
        spans.push(Span {
            name: name.to_owned(),
            begins,
            ends: begins + Duration::from_secs_f64(seconds),
            rest: Duration::from_secs_f64(rest),
            rate: scale * phase.rate.unwrap_or(settings.rate),
            comments: scale * phase.comments.unwrap_or(settings.comments),
            // Steps raise the load, not the trouble.
            reconnects: settings.scale * phase.reconnects.unwrap_or(settings.reconnects),
            cut: phase.cut,
            measured: true,
        });
    };
    let plain = Phase::default();
    let first = settings.phases.first().unwrap_or(&plain);
    if settings.warm_up > 0.0 {
        add("warm-up", settings.warm_up, &Phase { cut: 0.0, ..first.clone() }, 1.0, 0.0);
    }
    for phase in &settings.phases {
        add(&phase.name, phase.seconds, phase, 1.0, 0.0);
    }
    if let Some(steps) = &settings.steps {
        let mut factor = 1.0;
        for number in 1..=steps.most {
            add(&format!("step {number}"), settings.seconds, &plain, factor, steps.rest);
            factor *= steps.factor;
        }
    } else if settings.phases.is_empty() {
        add("measured", settings.seconds, &plain, 1.0, 0.0);
    }
    if settings.warm_up > 0.0 {
        spans[0].measured = false;
    }
    spans
}

/// When the last span and the rest behind it end.
#[must_use]
pub fn end(spans: &[Span]) -> Duration {
    spans.last().map_or(Duration::ZERO, |span| span.ends + span.rest)
}

/// Whether a plan would fit in memory.
///
/// # Errors
/// In words: how much it would be, and what to change.
pub fn check_size(spans: &[Span]) -> Result<()> {
    let all: f64 = spans.iter().map(|span| span.work() * span.length().as_secs_f64()).sum();
    ensure!(
        all <= MOST_POSTS,
        "the plan would be {all:.0} posts, at most {MOST_POSTS:.0} fit in memory: fewer steps, a smaller factor, or less time"
    );
    Ok(())
}

/// What is due: posts and comments, and the orders to connections.
#[must_use]
pub fn make(settings: &Settings, spans: &[Span]) -> (Vec<Planned>, Vec<Timed>) {
    let mut rng = StdRng::seed_from_u64(settings.seed ^ 0x706f_7374);
    let mut plan = Vec::new();
    let mut orders = Vec::new();
    for (number, span) in spans.iter().enumerate() {
        write(settings, number, span, &mut rng, &mut plan);
        lose(settings, number, span, &mut rng, &mut orders);
    }
    stall(settings, end(spans), &mut orders);
    plan.sort_by_key(|post| post.due);
    // Posts go out on the first connection of their author, whose number is the author's own.
    orders.extend(plan.iter().enumerate().map(|(number, post)| (post.due, post.author, Order::Post(number))));
    orders.sort_by_key(|(due, _, _)| *due);
    (plan, orders)
}

fn write(settings: &Settings, number: usize, span: &Span, rng: &mut StdRng, plan: &mut Vec<Planned>) {
    for (rate, comments) in [(span.rate, false), (span.comments, true)] {
        for due in schedule::arrivals(settings.arrivals, rate, span.length(), rng) {
            let thread = comments.then(|| rng.random_range(0..settings.threads));
            let author = rng.random_range(0..settings.authors());
            plan.push(Planned { due: span.begins + due, author, id: Uuid::now_v7(), thread, span: number });
        }
    }
}

fn lose(settings: &Settings, number: usize, span: &Span, rng: &mut StdRng, orders: &mut Vec<Timed>) {
    let away = |rng: &mut StdRng| Duration::from_millis(rng.random_range(0..=settings.away_ms));
    for due in schedule::arrivals(Arrivals::Poisson, span.reconnects, span.length(), rng) {
        let away = away(rng);
        orders.push((span.begins + due, rng.random_range(0..settings.connections), Order::Drop { away, cut: None }));
    }
    if span.cut > 0.0 {
        let mut connections: Vec<usize> = (0..settings.connections).collect();
        connections.shuffle(rng);
        for connection in connections.into_iter().take(cut(settings, span)) {
            orders.push((span.begins, connection, Order::Drop { away: away(rng), cut: Some(number) }));
        }
    }
}

/// How many connections are cut when a span begins.
#[must_use]
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of them"
)]
pub fn cut(settings: &Settings, span: &Span) -> usize {
    (span.cut * settings.connections as f64).round() as usize
}

/// The last connections stop reading in turn, evenly spread.
fn stall(settings: &Settings, end: Duration, orders: &mut Vec<Timed>) {
    let length = Duration::from_millis(settings.stall_ms);
    for slow in 0..settings.slow_readers {
        let offset = settings.stall_every_ms * slow as u64 / settings.slow_readers as u64;
        let times = (0..).map(|time| Duration::from_millis(offset + time * settings.stall_every_ms));
        let connection = settings.connections - 1 - slow;
        orders.extend(times.take_while(|due| *due < end).map(|due| (due, connection, Order::Stall { length })));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Steps;

    #[test]
    fn the_warm_up_comes_first_and_is_not_measured() {
        let settings = Settings { warm_up: 2.0, seconds: 5.0, scale: 2.0, ..Settings::default() };
        let spans = spans(&settings);
        assert_eq!(
            spans.iter().map(|span| (span.name.as_str(), span.measured)).collect::<Vec<_>>(),
            [("warm-up", false), ("measured", true)]
        );
        assert_eq!((spans[1].begins, end(&spans)), (Duration::from_secs(2), Duration::from_secs(7)));
        assert!((spans[1].rate - 20.0).abs() < 1e-9);
    }

    #[test]
    fn a_plan_that_would_not_fit_is_refused_before_it_is_made() {
        let steps = |most| Settings { steps: Some(Steps { most, ..Steps::default() }), ..Settings::default() };
        check_size(&spans(&steps(12))).unwrap();
        assert!(check_size(&spans(&steps(40))).unwrap_err().to_string().contains("fewer steps"));
    }

    #[test]
    fn steps_rise_by_their_factor_with_a_rest_between_them() {
        let steps = Steps { factor: 2.0, most: 3, rest: 1.0, ..Steps::default() };
        let settings = Settings { warm_up: 0.0, seconds: 4.0, steps: Some(steps), ..Settings::default() };
        let spans = spans(&settings);
        assert_eq!(spans.iter().map(|span| span.rate).collect::<Vec<_>>(), [10.0, 20.0, 40.0]);
        assert_eq!(spans[2].begins, Duration::from_secs(10));
        let (plan, _) = make(&settings, &spans);
        assert!(plan.iter().all(|post| {
            let span = &spans[post.span];
            (span.begins..span.ends).contains(&post.due)
        }));
    }

    #[test]
    fn the_same_seed_makes_the_same_plan_and_all_are_cut_who_should_be() {
        let storm = Phase { name: "storm".to_owned(), seconds: 5.0, cut: 0.5, ..Phase::default() };
        let settings = Settings {
            phases: vec![storm],
            threads: 3,
            comments: 20.0,
            slow_readers: 2,
            people: Some(50),
            ..Settings::default()
        };
        let spans = spans(&settings);
        let times = |plan: &[Planned]| plan.iter().map(|post| (post.due, post.author, post.thread)).collect::<Vec<_>>();
        let ((plan, orders), (again, _)) = (make(&settings, &spans), make(&settings, &spans));
        assert_eq!(times(&plan), times(&again));
        assert!(plan.iter().any(|post| post.thread == Some(2)) && plan.iter().any(|post| post.thread.is_none()));
        assert!(orders.is_sorted_by_key(|(due, _, _)| *due));
        let cut = orders.iter().filter(|(_, _, order)| matches!(order, Order::Drop { cut: Some(1), .. })).count();
        assert_eq!(cut, 50);
        let stalled: std::collections::BTreeSet<usize> = orders
            .iter()
            .filter(|(_, _, order)| matches!(order, Order::Stall { .. }))
            .map(|(_, connection, _)| *connection)
            .collect();
        assert_eq!(stalled, [98, 99].into());
    }
}
