//! Synthetic results: what got worse is called so, what is noise is not, and what does not compare is refused.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::*;
use crate::knee::Knee;
use crate::report::tests::synthetic;
use crate::settings::Steps;

/// A run whose deliveries take about this long, with the noise of its seed.
fn run(ms: f64, seed: u64) -> Report {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut report = synthetic();
    for tick in &mut report.timeline {
        let few = tick.delivery_ms.as_mut().unwrap();
        few.p50 = ms * (1.0 + 0.3 * rng.random::<f64>());
        few.p99 = 4.0 * ms * (1.0 + rng.random::<f64>());
    }
    report
}

fn comparison(before: Vec<Report>, after: Vec<Report>) -> Comparison {
    Comparison::of(&before, &after, 0.1, false).unwrap()
}

fn verdict<'a>(comparison: &'a Comparison, name: &str) -> &'a Verdict {
    &comparison.lines.iter().find(|line| line.name == name).unwrap().verdict
}

#[test]
fn a_run_is_not_worse_than_its_like() {
    for seed in 0..50 {
        let found = comparison(vec![run(5.0, seed)], vec![run(5.0, seed + 100)]);
        assert!(!found.worse(), "{found}");
        assert_eq!(*verdict(&found, "acknowledged, a second"), Verdict::Same);
    }
}

#[test]
fn what_is_slower_is_worse_and_what_is_faster_is_better() {
    let found = comparison(vec![run(5.0, 1)], vec![run(8.0, 2)]);
    assert!(found.worse());
    assert!(matches!(verdict(&found, "delivered, median ms"), Verdict::Worse(_)), "{found}");
    assert!(matches!(verdict(&found, "delivered, p99 ms"), Verdict::Worse(_)), "{found}");
    assert_eq!(*verdict(&found, "server, cores"), Verdict::Same);
    let found = comparison(vec![run(8.0, 1)], vec![run(5.0, 2)]);
    assert!(!found.worse());
    assert!(matches!(verdict(&found, "delivered, median ms"), Verdict::Better(_)));
    assert!(found.to_string().contains("2 better, 0 worse"), "{found}");
}

#[test]
fn more_throughput_is_better_not_worse() {
    let mut faster = synthetic();
    faster.timeline.iter_mut().for_each(|tick| tick.acknowledged *= 2);
    let found = comparison(vec![synthetic()], vec![faster]);
    assert!(matches!(verdict(&found, "acknowledged, a second"), Verdict::Better(_)), "{found}");
}

#[test]
fn a_change_that_runs_of_one_side_show_among_themselves_is_noise() {
    let found = comparison(vec![run(5.0, 1), run(8.0, 2)], vec![run(9.5, 3)]);
    assert!(!found.worse(), "{found}");
    assert!(comparison(vec![run(5.0, 1), run(5.0, 2)], vec![run(9.5, 3)]).worse());
}

#[test]
fn a_harness_that_was_the_bottleneck_is_not_judged() {
    let mut busy = run(8.0, 2);
    busy.spans[1].client_bottleneck = Some("busy".to_owned());
    let found = comparison(vec![run(5.0, 1)], vec![busy]);
    assert!(!found.worse());
    assert!(matches!(verdict(&found, "delivered, median ms"), Verdict::Open(_)));
}

#[test]
fn on_a_full_machine_times_are_not_judged_but_costs_are() {
    let mut full = run(8.0, 2);
    full.spans[1].cores.machine = Some(1.95);
    full.usage.iter_mut().for_each(|point| point.cores.server = Some(0.4));
    let found = comparison(vec![run(5.0, 1)], vec![full]);
    assert_eq!(*verdict(&found, "delivered, median ms"), Verdict::Open("the machine was full"));
    assert!(matches!(verdict(&found, "server, cores"), Verdict::Worse(_)), "{found}");
}

#[test]
fn violations_are_never_noise() {
    let mut wrong = run(5.0, 2);
    wrong.violations.insert(crate::check::Anomaly::Lost, 1);
    assert!(comparison(vec![run(5.0, 1)], vec![wrong]).worse());
}

#[test]
fn a_knee_has_to_move_by_more_than_a_step() {
    let with = |held: Option<f64>| {
        let mut report = synthetic();
        report.settings.steps = Some(Steps::default());
        report.knee = Some(Knee { held, broke: None, why: String::new(), client_bound: false });
        report
    };
    let judged = |from, to| verdict(&comparison(vec![with(from)], vec![with(to)]), "held, a second").clone();
    assert_eq!(judged(Some(100.0), Some(150.0)), Verdict::Same);
    assert_eq!(judged(Some(150.0), Some(100.0)), Verdict::Same);
    assert!(matches!(judged(Some(225.0), Some(100.0)), Verdict::Worse(_)));
    assert!(matches!(judged(Some(100.0), None), Verdict::Worse(_)));
    assert!(matches!(judged(Some(100.0), Some(225.0)), Verdict::Better(_)));
}

#[test]
fn another_load_is_refused_with_the_keys_that_differ() {
    let mut other = synthetic();
    other.settings.rate = 99.0;
    other.settings.urls = vec!["http://elsewhere".to_owned()];
    let why = |anyway| Comparison::of(&[synthetic()], &[run(5.0, 1), other.clone_for_test()], 0.1, anyway);
    let said = why(false).err().unwrap().to_string();
    assert!(said.contains("`rate` differ") && !said.contains("urls"), "{said}");
    assert!(why(true).unwrap().to_string().contains("not the same load"));
}
