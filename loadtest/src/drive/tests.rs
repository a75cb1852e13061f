//! The harness against a toy server: a right one passes, also with lost lines, and each wrong one is found out.

use tokio::task::LocalSet;

use super::*;
use crate::check::Anomaly;
use crate::fake::{Fake, Flaw};
use crate::graph::Shape;

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
        arrivals: Arrivals::Poisson,
        seed: 7,
        text_bytes: 200,
        reconnects: 0.0,
        away_ms: 50,
        patience: 1.0,
        accounts: None,
        server_pid: None,
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
