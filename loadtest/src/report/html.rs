//! The report as a page: one file that fetches nothing, for a browser, a mail or a ticket.
//! Must never show a text unescaped, and never refer to anything outside itself.

use std::fmt::Write as _;

use anyhow::Result;

use super::chart::{Band, COLOURS, Chart, Scale, Series, number};
use super::{Quantiles, Report};
use crate::timeline::{Few, Tick};

const STYLE: &str = "
:root{color-scheme:light;font:15px/1.5 system-ui,sans-serif;color:#222;background:#f4f5f7}
body{max-width:1080px;margin:0 auto;padding:24px 16px 64px}
h1{font-size:26px;margin:0 0 4px}h2{font-size:18px;margin:32px 0 8px}p{margin:4px 0}
.quiet{color:#666}.card{background:#fff;border:1px solid #e2e4e8;border-radius:8px;padding:12px 16px;margin:12px 0;overflow-x:auto}
.verdict{border-left:6px solid;padding:8px 16px;border-radius:6px;margin:12px 0;background:#fff}
.good{border-color:#009e73}.bad{border-color:#d00}.warn{border-color:#e69f00}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(132px,1fr));gap:12px}
.fact{background:#fff;border:1px solid #e2e4e8;border-radius:8px;padding:10px 14px}
.fact b{display:block;font-size:22px;font-weight:600}.fact span{color:#666;font-size:13px}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{text-align:right;padding:4px 10px;border-bottom:1px solid #eceef1;white-space:nowrap}th{color:#666;font-weight:500}
th:first-child,td:first-child{text-align:left}tr.off td{color:#888}
svg{width:100%;height:auto;display:block}.legend span{margin-right:16px;font-size:13px}
.chip{display:inline-block;width:14px;height:4px;border-radius:2px;vertical-align:middle;margin-right:6px}
pre{margin:0;white-space:pre-wrap;font-size:13px}";

/// The whole page.
///
/// # Errors
/// A chart cannot be drawn.
pub fn page(report: &Report) -> Result<String> {
    let name = if report.source.name.is_empty() { "a run without a scenario" } else { &report.source.name };
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>tidings-load: {name}</title><style>{STYLE}</style></head><body>\n\
         <h1>{name}</h1><p class=\"quiet\">{about}</p>\n",
        name = escaped(name),
        about = escaped(&report.settings.about),
    );
    verdicts(report, &mut page)?;
    facts(report, &mut page)?;
    spans(report, &mut page)?;
    charts(report, &mut page)?;
    times(report, &mut page)?;
    appendix(report, &mut page)?;
    page.push_str("</body></html>\n");
    Ok(page)
}

/// Text inside HTML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// What must be known before any figure is read.
fn verdicts(report: &Report, page: &mut String) -> Result<()> {
    let mut say = |class: &str, title: &str, text: &str| {
        writeln!(page, "<div class=\"verdict {class}\"><b>{title}</b> {}</div>", escaped(text))
    };
    let deliveries = &report.deliveries;
    if report.good() {
        let left_out = report.left_out().map_or_else(String::new, |count| {
            format!(" {count} were not told one by one: a feed that is told afresh shows only its newest.")
        });
        let checked = format!(
            "{} of {} deliveries checked on {} connections: every acknowledged post reached every follower once, in order.{left_out}",
            deliveries.heard, deliveries.expected, deliveries.checked_connections
        );
        say("good", "Nothing lost, doubled or out of order.", &checked)?;
    } else {
        let mut text = format!("{:?}", report.violations);
        for violation in report.first_violations.iter().take(10) {
            write!(text, "; {violation}")?;
        }
        say("bad", "Violations: the figures below are worth nothing.", &text)?;
    }
    if let Some(why) = &report.client_bottleneck {
        let text = format!("{why}. The figures say more about the harness than about the server.");
        say("warn", "The harness was the bottleneck.", &text)?;
    }
    if let Some(cores) = report.cpu.machine_cores.filter(|_| report.machine_was_full()) {
        let text = format!(
            "{cores:.2} of {} cores were busy: server, harness and whatever else ran here waited for each other.",
            report.machine.cores
        );
        say("warn", "The machine was full.", &text)?;
    }
    if let Some(knee) = &report.knee {
        let rate = |rate: Option<f64>| rate.map_or_else(|| "no step".to_owned(), |rate| format!("{rate:.0}/s"));
        let text = format!("{} kept the limits, {} did not: {}.", rate(knee.held), rate(knee.broke), knee.why);
        say(if knee.client_bound { "warn" } else { "good" }, "The knee.", &text)?;
    }
    Ok(())
}

fn facts(report: &Report, page: &mut String) -> Result<()> {
    page.push_str("<div class=\"facts\">");
    let mut fact =
        |value: String, what: &str| write!(page, "<div class=\"fact\"><b>{value}</b><span>{what}</span></div>");
    let ms = |quantiles: &Quantiles, value: f64| {
        if quantiles.count > 0 { format!("{} ms", number(value)) } else { "–".into() }
    };
    let (ack, delivery) = (&report.latency_ms.ack, &report.latency_ms.delivery);
    fact(ms(delivery, delivery.p50), "delivered, median")?;
    fact(ms(delivery, delivery.p99), "delivered, 99 of 100")?;
    fact(ms(ack, ack.p99), "acknowledged, 99 of 100")?;
    fact(number(report.deliveries.per_second), "deliveries a second")?;
    fact(report.settings.connections.to_string(), "connections")?;
    if let Some(each) = report.cpu.server_us_per_delivery {
        fact(format!("{} µs", number(each)), "server CPU for each delivery")?;
    }
    if let Some(each) = report.memory.server_bytes_per_connection {
        fact(format!("{} B", number(float(each))), "server memory that each connection added")?;
    }
    page.push_str("</div>\n");
    Ok(())
}

fn spans(report: &Report, page: &mut String) -> Result<()> {
    page.push_str("<h2>Part by part</h2><div class=\"card\"><table><tr><th>");
    let heads =
        ["asked/s", "acked/s", "heard/s", "waiting", "p50 ms", "p99 ms", "max ms", "server cores", "harness cores"];
    write!(page, "</th><th>{}</th></tr>", heads.join("</th><th>"))?;
    for span in &report.spans {
        let server = span.cores.server.map_or_else(|| "–".to_owned(), |cores| format!("{cores:.2}"));
        let bound = span.client_bottleneck.as_ref().map_or("", |_| " (harness-bound)");
        let cells = [
            number(span.rate),
            number(span.acknowledged_per_second),
            number(span.delivered_per_second),
            span.backlog.to_string(),
            number(span.delivery.p50),
            number(span.delivery.p99),
            number(span.delivery.max),
            server,
            format!("{:.2}", span.cores.client),
        ];
        let class = if span.measured { "" } else { " class=\"off\"" };
        write!(page, "<tr{class}><td>{}{bound}</td><td>{}</td></tr>", escaped(&span.name), cells.join("</td><td>"))?;
    }
    page.push_str("</table>");
    for (span, back) in report.spans.iter().filter_map(|span| Some((span, span.back?))) {
        write!(
            page,
            "<p>{}: {} connections cut at once; half back after {:.2} s, 99 of 100 after {:.2} s, {} after {:.2} s.</p>",
            escaped(&span.name),
            back.cut,
            back.half_s,
            back.most_s,
            back.back,
            back.all_s
        )?;
    }
    page.push_str("<p class=\"quiet\">Times are deliveries, from when a post was due to when it was received, for what was due in \
         that part. “waiting”: due and without an answer when the part ended.</p></div>\n");
    Ok(())
}

fn charts(report: &Report, page: &mut String) -> Result<()> {
    let ticks = &report.timeline;
    let few = |name, of: fn(&Tick) -> Option<Few>, value: fn(Few) -> f64| Series {
        name,
        points: ticks.iter().filter_map(|tick| Some((tick.at_s, value(of(tick)?)))).collect(),
    };
    let each = |name, count: fn(&Tick) -> f64| Series {
        name,
        points: ticks.iter().map(|tick| (tick.at_s, count(tick))).collect(),
    };
    let last = ticks.last().map_or(0.0, |tick| tick.at_s);
    let band = |span: &super::SpanReport| Band {
        from: span.begins_s.min(last),
        to: (span.begins_s + span.seconds).min(last),
        name: span.name.clone(),
        measured: span.measured,
    };
    let over_time = |series, y, log| Chart {
        series,
        bands: report.spans.iter().map(band).collect(),
        until: last,
        x: "seconds",
        y,
        foot: Scale::Plain,
        side: if log { Scale::Log } else { Scale::Plain },
    };
    let delivered = vec![
        few("median", |tick| tick.delivery_ms, |few| few.p50),
        few("99 of 100", |tick| tick.delivery_ms, |few| few.p99),
        few("the worst", |tick| tick.delivery_ms, |few| few.max),
    ];
    show(page, "Delivered, from when it was due", &over_time(delivered, "ms", true))?;
    let acknowledged = vec![
        few("median", |tick| tick.ack_ms, |few| few.p50),
        few("99 of 100", |tick| tick.ack_ms, |few| few.p99),
        few("the worst", |tick| tick.ack_ms, |few| few.max),
    ];
    show(page, "Acknowledged, from when it was due", &over_time(acknowledged, "ms", true))?;
    distributions(report, page)?;
    let posts = vec![
        each("due", |tick| float(tick.due) / tick.seconds),
        each("sent", |tick| float(tick.sent) / tick.seconds),
        each("acknowledged", |tick| float(tick.acknowledged) / tick.seconds),
    ];
    show(page, "Posts and comments", &over_time(posts, "a second", false))?;
    let deliveries = vec![each("received", |tick| float(tick.delivered) / tick.seconds)];
    show(page, "Deliveries", &over_time(deliveries, "a second", false))?;
    let waiting = vec![each("due and without an answer", |tick| float(tick.backlog))];
    show(page, "Backlog", &over_time(waiting, "posts", false))?;
    let open = vec![each("open", |tick| float(tick.open as u64))];
    show(page, "Connections", &over_time(open, "connections", false))?;
    let usage = &report.usage;
    let used = |name, value: fn(&super::UsagePoint) -> Option<f64>| Series {
        name,
        points: usage.iter().filter_map(|point| Some((point.at_s.min(last), value(point)?))).collect(),
    };
    let cores = vec![
        used("server", |point| point.cores.server),
        used("harness", |point| Some(point.cores.client)),
        used("whole machine", |point| point.cores.machine),
    ];
    show(page, "CPU", &over_time(cores, "cores", false))?;
    let memory = vec![
        used("server", |point| point.server_bytes.map(mebibytes)),
        used("harness", |point| Some(mebibytes(point.client_bytes))),
    ];
    show(page, "Memory", &over_time(memory, "MiB", false))
}

/// How often which time was measured, and which share had taken no longer.
fn distributions(report: &Report, page: &mut String) -> Result<()> {
    let both = [("acknowledged", &report.distribution.ack), ("delivered", &report.distribution.delivery)];
    let all = |bars: &[(f64, u64)]| float(bars.iter().map(|bar| bar.1).sum::<u64>().max(1));
    let shares = both.map(|(name, bars)| {
        let points = bars.iter().map(|(ms, count)| (*ms, 100.0 * float(*count) / all(bars)));
        Series { name, points: points.collect() }
    });
    let chart = Chart { series: shares.to_vec(), x: "ms", y: "% of all", foot: Scale::Log, ..Chart::default() };
    show(page, "How often it took how long", &chart)?;
    let rising = both.map(|(name, bars)| {
        let mut so_far = 0;
        let points = bars.iter().map(|(ms, count)| {
            so_far += count;
            // The last measurement of a thousand stands at 99.9 %, not at infinity.
            ((float(so_far) / all(bars)).min(1.0 - 0.5 / all(bars)), *ms)
        });
        Series { name, points: points.collect() }
    });
    let chart = Chart {
        series: rising.to_vec(),
        x: "share that took no longer",
        y: "ms",
        side: Scale::Log,
        foot: Scale::Nines,
        ..Chart::default()
    };
    show(page, "The slow end", &chart)
}

fn show(page: &mut String, title: &str, chart: &Chart) -> Result<()> {
    if chart.series.iter().all(|series| series.points.len() < 2) {
        return Ok(());
    }
    write!(page, "<h2>{title}</h2><div class=\"card\"><p class=\"legend\">")?;
    for (series, colour) in chart.series.iter().zip(COLOURS).filter(|(series, _)| !series.points.is_empty()) {
        let (red, green, blue) = (colour.0, colour.1, colour.2);
        let chip = format!("<i class=\"chip\" style=\"background:rgb({red},{green},{blue})\"></i>");
        write!(page, "<span>{chip}{}</span>", series.name)?;
    }
    writeln!(page, "</p>{}</div>", chart.svg()?)?;
    Ok(())
}

fn times(report: &Report, page: &mut String) -> Result<()> {
    page.push_str("<h2>All times</h2><div class=\"card\"><table><tr><th>");
    let heads = ["measured", "p50 ms", "p90 ms", "p99 ms", "p99.9 ms", "max ms"];
    write!(page, "</th><th>{}</th></tr>", heads.join("</th><th>"))?;
    let latency = &report.latency_ms;
    let rows = [
        ("due → acknowledged", &latency.ack),
        ("due → delivered", &latency.delivery),
        ("caught up after being away", &latency.caught_up),
        ("due → sent (the harness’ own part)", &latency.send_lag),
    ];
    for (name, Quantiles { count, p50, p90, p99, p999, max }) in rows {
        let cells =
            [*p50, *p90, *p99, *p999, *max].map(|ms| if *count > 0 { format!("{ms:.2}") } else { "–".to_owned() });
        write!(page, "<tr><td>{name}</td><td>{count}</td><td>{}</td></tr>", cells.join("</td><td>"))?;
    }
    page.push_str("</table></div>\n");
    Ok(())
}

fn appendix(report: &Report, page: &mut String) -> Result<()> {
    writeln!(page, "<h2>In words</h2><div class=\"card\"><pre>{}</pre></div>", escaped(&report.to_string()))?;
    let machine = &report.machine;
    writeln!(
        page,
        "<h2>Where</h2><div class=\"card\"><p>tidings-load {}, {} cores ({}), {} GiB, kernel {}; {}. Seed {}. The CPU of the \
         machine and of the harness are of the machine that the harness ran on.</p></div>",
        escaped(&report.version),
        machine.cores,
        escaped(&machine.processor),
        machine.memory_bytes >> 30,
        escaped(&machine.kernel),
        escaped(&report.settings.urls.join(", ")),
        report.settings.seed
    )?;
    if !report.source.text.is_empty() || !report.source.overrides.is_empty() {
        let mut text = report.source.text.clone();
        for change in &report.source.overrides {
            write!(text, "\n# by a flag: {change}")?;
        }
        writeln!(page, "<h2>The scenario</h2><div class=\"card\"><pre>{}</pre></div>", escaped(text.trim()))?;
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "counts and sizes of one run are far below 2^52")]
fn float(count: u64) -> f64 {
    count as f64
}

fn mebibytes(bytes: u64) -> f64 {
    float(bytes) / f64::from(1 << 20)
}
