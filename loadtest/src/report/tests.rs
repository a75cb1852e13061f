//! Reports as they are told: in words, as JSON that is read again, as a page that fetches nothing.

use super::html;
use super::spans::Back;
use super::*;
use crate::check::Anomaly;
use crate::machine::Facts;
use crate::timeline::{Few, Tick};
use crate::usage::Cores;

fn span(quantiles: &dyn Fn() -> Quantiles, name: &str, begins_s: f64, seconds: f64, measured: bool) -> SpanReport {
    SpanReport {
        name: name.to_owned(),
        measured,
        begins_s,
        seconds,
        rate: 100.0,
        planned: 1000,
        acknowledged_per_second: 100.0,
        delivered_per_second: 1000.0,
        backlog: 3,
        ack: quantiles(),
        delivery: quantiles(),
        send_lag: quantiles(),
        cores: Cores { client: 0.1, server: Some(0.2), machine: Some(0.5) },
        server_us_per_delivery: Some(20.0),
        client_bottleneck: None,
        back: Back::of(10, &[0.5, 1.0, 1.5]),
    }
}

/// A good run of ten seconds after two of warm-up.
pub fn synthetic() -> Report {
    let mut histogram = Histogram::new(3).unwrap();
    (1..=1000).for_each(|micros| histogram.record(micros * 10).unwrap());
    let quantiles = || Quantiles::of(&histogram);
    let cores = Cores { client: 0.1, server: Some(0.2), machine: Some(0.5) };
    let span = |name, begins_s, seconds, measured| span(&quantiles, name, begins_s, seconds, measured);
    let posts = Posts {
        planned: 1000,
        acknowledged: 1000,
        duplicates: 0,
        refused: BTreeMap::new(),
        unanswered: 0,
        given_up: 0,
    };
    let few = |scale: f64| Some(Few { count: 25, p50: scale, p99: 3.0 * scale, max: 9.0 * scale });
    let tick = |number: u32| Tick {
        at_s: 0.125 * f64::from(number),
        seconds: 0.125,
        span: usize::from(number > 16),
        due: 10,
        sent: 10,
        acknowledged: 10,
        delivered: 100,
        backlog: 2,
        open: 50,
        ack_ms: few(2.0),
        delivery_ms: few(5.0),
    };
    let sample = |number: u32| UsagePoint {
        at_s: 0.25 * f64::from(number),
        cores,
        server_bytes: Some(50 << 20),
        client_bytes: 30 << 20,
    };
    Report {
        format: FORMAT,
        version: "0.1.0".to_owned(),
        ended_at: 1,
        machine: Facts { cores: 2, kernel: "k<1>".to_owned(), ..Facts::default() },
        source: Source {
            name: "mine & <yours>".to_owned(),
            text: "# see http://example.org <script src=x>\nrate = 1".to_owned(),
            overrides: vec!["rate = 100.0".to_owned()],
        },
        settings: Settings { about: "tries \"<b>everything</b>\"".to_owned(), ..Settings::default() },
        posts,
        deliveries: Deliveries {
            checked_connections: 50,
            expected: 10_000,
            heard: 10_000,
            repeats: 2,
            events: 10_000,
            bytes: 1 << 20,
            per_second: 1000.0,
        },
        latency_ms: Latency { ack: quantiles(), delivery: quantiles(), caught_up: quantiles(), send_lag: quantiles() },
        connections: Connections { resumed: 3, snapshots: 0, resyncs: 0, closes: BTreeMap::new() },
        cpu: Load { client_cores: 0.1, server_cores: None, machine_cores: Some(0.5), server_us_per_delivery: None },
        memory: Memory { server_bytes_per_connection: Some(4100), ..Memory::default() },
        client_bottleneck: None,
        knee: None,
        spans: vec![span("warm-up", 0.0, 2.0, false), span("<measured>", 2.0, 10.0, true)],
        timeline: (1..=96).map(tick).collect(),
        usage: (1..=48).map(sample).collect(),
        distribution: Distribution { ack: bars(&histogram), delivery: bars(&histogram) },
        violations: BTreeMap::new(),
        first_violations: Vec::new(),
    }
}

impl Report {
    /// As it would be read again.
    pub fn clone_for_test(&self) -> Self {
        serde_json::from_str(&serde_json::to_string(self).unwrap()).unwrap()
    }
}

#[test]
fn a_busy_or_late_harness_says_so() {
    assert_eq!(bottleneck(0.5, 1.0), None);
    assert!(bottleneck(0.95, 1.0).unwrap().contains("0.95 cores"));
    assert!(bottleneck(0.5, 50.0).unwrap().contains("50.0 ms late"));
}

#[test]
fn quantiles_are_in_milliseconds() {
    let mut histogram = Histogram::new(3).unwrap();
    (1..=100).for_each(|ms| histogram.record(ms * 1000).unwrap());
    let quantiles = Quantiles::of(&histogram);
    assert!((49.0..51.1).contains(&quantiles.p50), "{}", quantiles.p50);
    assert!((98.0..100.1).contains(&quantiles.p99));
}

#[test]
fn the_distribution_leaves_nothing_out() {
    let mut histogram = Histogram::new(3).unwrap();
    for micros in [0, 1, 5, 1_000, 1_001, 1_200, 90_000, 90_000, 7_000_000] {
        histogram.record(micros).unwrap();
    }
    let bars = bars(&histogram);
    assert_eq!(bars.iter().map(|bar| bar.1).sum::<u64>(), 9);
    assert!(bars.is_sorted_by(|a, b| a.0 < b.0), "{bars:?}");
    assert!(bars.last().is_some_and(|(ms, count)| *count == 1 && (7_000.0..8_000.0).contains(ms)), "{bars:?}");
}

#[test]
fn a_result_is_read_again_and_a_newer_one_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("result.json");
    let mut report = synthetic();
    report.violations.insert(Anomaly::Lost, 2);
    std::fs::write(&path, serde_json::to_string(&report).unwrap()).unwrap();
    let again = Report::read(&path).unwrap();
    assert_eq!(again.to_string(), report.to_string());
    assert!(again.timeline == report.timeline && again.settings == report.settings);
    let newer = std::fs::read_to_string(&path).unwrap().replacen("\"format\":1", "\"format\":2", 1);
    std::fs::write(&path, newer).unwrap();
    assert!(Report::read(&path).unwrap_err().to_string().contains("format 2"));
    std::fs::write(&path, "{}").unwrap();
    assert!(Report::read(&path).unwrap_err().to_string().contains("not a result"));
}

#[test]
fn the_page_refers_to_nothing_outside_and_shows_texts_as_texts() {
    let page = html::page(&synthetic()).unwrap();
    // What is between tags is text; what makes a browser fetch something is in tags and styles.
    let tags: String = page.split('<').skip(1).filter_map(|rest| rest.split('>').next()).collect::<Vec<_>>().join("\n");
    for outside in ["http", "src=", "href=", "<link", "<script", "@import", "url(", "//"] {
        assert!(!tags.contains(outside), "a tag holds {outside}");
    }
    let style = page.split("<style>").nth(1).unwrap().split("</style>").next().unwrap();
    assert!(!style.contains("url(") && !style.contains("@import"), "{style}");
    assert!(!page.contains("<script") && page.contains("&lt;script src=x&gt;"));
    assert!(page.contains("mine &amp; &lt;yours&gt;") && page.contains("&lt;measured&gt;"));
    assert!(page.matches("<svg").count() >= 8, "{}", page.matches("<svg").count());
}

#[test]
fn the_page_says_first_what_makes_its_figures_doubtful() {
    let mut report = synthetic();
    assert!(html::page(&report).unwrap().contains("Nothing lost, doubled or out of order"));
    report.violations.insert(Anomaly::Lost, 2);
    report.client_bottleneck = Some("0.99 cores".to_owned());
    report.cpu.machine_cores = Some(1.95);
    let page = html::page(&report).unwrap();
    let first = page.find("<h2>").unwrap();
    for doubt in ["worth nothing", "harness was the bottleneck", "machine was full"] {
        assert!(page[..first].contains(doubt), "{doubt}");
    }
}

#[test]
fn a_run_in_which_nothing_happened_has_a_page_too() {
    let mut report = synthetic();
    (report.timeline, report.usage, report.distribution) = (Vec::new(), Vec::new(), Distribution::default());
    assert!(html::page(&report).unwrap().contains("</html>"));
}

#[test]
fn those_who_were_cut_are_counted_when_they_are_back() {
    let times: Vec<f64> = (1..=100).map(f64::from).collect();
    let back = Back::of(100, &times).unwrap();
    assert_eq!((back.half_s, back.most_s, back.all_s, back.back), (50.0, 99.0, 100.0, 100));
    assert_eq!(Back::of(3, &[2.0]).map(|back| (back.half_s, back.all_s)), Some((2.0, 2.0)));
    assert_eq!(Back::of(3, &[]), None);
}
