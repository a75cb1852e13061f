//! The harness against a toy server: a right one passes, also with lost lines, and each wrong one is found out.

use tokio::task::LocalSet;

use super::*;
use crate::check::Anomaly;
use crate::fake::{Fake, Flaw};
use crate::graph::Shape;
use crate::settings::{Phase, Steps};

fn settings(url: String) -> Settings {
    Settings {
        urls: vec![url],
        connections: 30,
        rate: 300.0,
        seconds: 0.8,
        warm_up: 0.1,
        followers: Shape::Zipf,
        follows: 3,
        people: Some(15),
        authors: Some(10),
        seed: 7,
        away_ms: 50,
        patience: 1.0,
        ..Settings::default()
    }
}

fn run_on(flaw: Flaw, change: impl FnOnce(&mut Settings)) -> Report {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let job = async {
        let mut settings = settings(Fake::start(flaw).await);
        change(&mut settings);
        run(&settings).await.unwrap()
    };
    LocalSet::new().block_on(&runtime, job)
}

#[test]
fn a_right_server_passes() {
    let report = run_on(Flaw::None, |_| {});
    assert!(report.good(), "{report}");
    assert!(report.posts.acknowledged > 100 && report.posts.acknowledged == report.posts.planned);
    assert_eq!(report.deliveries.expected, report.deliveries.heard);
    assert_eq!(report.connections.resumed, 0);
    assert!(report.latency_ms.delivery.count > report.latency_ms.ack.count);
}

#[test]
fn a_right_server_passes_while_lines_are_lost() {
    let report = run_on(Flaw::None, |settings| settings.reconnects = 60.0);
    assert!(report.good(), "{report}");
    assert!(report.connections.resumed > 20, "{report}");
    assert!(report.latency_ms.caught_up.count > 0, "{report}");
}

#[test]
fn comments_reach_those_who_watch_their_thread_and_a_wrong_server_is_found_out() {
    let talk = |settings: &mut Settings| (settings.threads, settings.comments, settings.reconnects) = (2, 200.0, 30.0);
    let report = run_on(Flaw::None, talk);
    assert!(report.good(), "{report}");
    assert_eq!(report.deliveries.expected, report.deliveries.heard);
    let posts_alone = run_on(Flaw::None, |_| {});
    assert!(report.posts.acknowledged > posts_alone.posts.acknowledged + 80, "{report}");
    for (flaw, anomaly) in [(Flaw::Loses, Anomaly::Lost), (Flaw::Misdelivers, Anomaly::Misdelivered)] {
        let report = run_on(flaw, |settings| {
            talk(settings);
            settings.rate = 0.0;
        });
        assert!(report.violations.contains_key(&anomaly), "{flaw:?}: {report}");
    }
}

#[test]
fn everybody_who_is_cut_at_once_comes_back_and_misses_nothing() {
    let phase = |name: &str, cut| Phase { name: name.to_owned(), seconds: 0.6, cut, ..Phase::default() };
    let report = run_on(Flaw::None, |settings| settings.phases = vec![phase("calm", 0.0), phase("storm", 1.0)]);
    assert!(report.good(), "{report}");
    let names: Vec<&str> = report.spans.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(names, ["warm-up", "calm", "storm"]);
    let back = report.spans[2].back.unwrap();
    assert_eq!((back.cut, back.back), (30, 30), "{report}");
    assert_eq!((report.connections.resumed, report.spans[1].back), (30, None));
}

#[test]
fn slow_readers_are_late_and_lose_nothing() {
    let report = run_on(Flaw::None, |settings| {
        (settings.slow_readers, settings.stall_ms, settings.stall_every_ms) = (5, 200, 300);
    });
    assert!(report.good(), "{report}");
    assert_eq!(report.deliveries.expected, report.deliveries.heard);
    assert!(report.latency_ms.caught_up.max > 100.0, "{report}");
}

#[test]
fn a_step_that_passes_its_limit_ends_the_run_with_a_knee() {
    let steps = |p99_ms, most| Some(Steps { factor: 2.0, most, rest: 0.2, p99_ms, ..Steps::default() });
    let report = run_on(Flaw::None, |settings| {
        (settings.rate, settings.seconds, settings.steps) = (20.0, 1.0, steps(0.001, 10));
    });
    // Nothing is that fast; what ten steps would have asked for is not asked, and is no violation.
    assert!(report.good(), "{report}");
    let knee = report.knee.as_ref().unwrap();
    assert_eq!((knee.held, knee.broke), (None, Some(20.0)), "{report}");
    assert_eq!(report.spans.len(), 2, "the warm-up and the step that broke: {report}");
    assert!(report.posts.acknowledged < 60, "{report}");
    let report = run_on(Flaw::None, |settings| {
        (settings.rate, settings.seconds, settings.steps) = (20.0, 1.0, steps(60_000.0, 2));
    });
    assert_eq!(report.knee.as_ref().unwrap().held, Some(40.0), "{report}");
}

#[test]
fn of_connections_that_are_not_kept_the_order_is_looked_at() {
    let report = run_on(Flaw::None, |settings| settings.check = 0.5);
    assert!(report.good(), "{report}");
    assert!((1..30).contains(&report.deliveries.checked_connections), "{report}");
    assert_eq!(report.deliveries.expected, report.deliveries.heard);
    let report = run_on(Flaw::Reorders, |settings| settings.check = 0.0);
    assert_eq!(report.deliveries.checked_connections, 0);
    assert!(report.violations.contains_key(&Anomaly::Reordered), "{report}");
}

#[test]
fn every_wrong_server_is_found_out() {
    let flaws = [
        (Flaw::Loses, Anomaly::Lost),
        (Flaw::Doubles, Anomaly::Doubled),
        (Flaw::Reorders, Anomaly::Reordered),
        (Flaw::Alters, Anomaly::Altered),
        (Flaw::Misdelivers, Anomaly::Misdelivered),
        (Flaw::Haunts, Anomaly::Phantom),
    ];
    for (flaw, anomaly) in flaws {
        let report = run_on(flaw, |_| {});
        assert!(report.violations.contains_key(&anomaly), "{flaw:?}: {report}");
    }
    let report = run_on(Flaw::Forgets, |settings| settings.reconnects = 60.0);
    assert!(report.violations.contains_key(&Anomaly::Lost), "{report}");
}

#[test]
fn settings_that_cannot_work_are_refused_in_words() {
    let mut wrong = settings("http://127.0.0.1:1".to_owned());
    wrong.people = Some(1);
    assert!(wrong.check().unwrap_err().to_string().contains("at least 2 --people"));
    wrong.people = Some(31);
    assert!(wrong.check().unwrap_err().to_string().contains("more than connections"));
}
