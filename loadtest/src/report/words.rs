//! The report as text on a terminal.
//! Must never leave out what makes the rest doubtful: violations and a busy client stand at the end, where people look.

use std::fmt;

use super::{Quantiles, Report, SpanReport};

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (posts, deliveries, latency) = (&self.posts, &self.deliveries, &self.latency_ms);
        if !self.source.name.is_empty() {
            writeln!(f, "scenario     {}: {}", self.source.name, self.settings.about)?;
        }
        write!(
            f,
            "posts        {} planned, {} acknowledged ({} of them again after a loss), {} unanswered, refused {:?}",
            posts.planned, posts.acknowledged, posts.duplicates, posts.unanswered, posts.refused
        )?;
        let given_up =
            if posts.given_up > 0 { format!(", {} not asked any more", posts.given_up) } else { String::new() };
        writeln!(f, "{given_up}")?;
        writeln!(
            f,
            "deliveries   {} expected, {} heard, {} repeated at a resume; {:.0} a second",
            deliveries.expected, deliveries.heard, deliveries.repeats, deliveries.per_second
        )?;
        if let Some(left_out) = self.left_out() {
            writeln!(
                f,
                "             {left_out} of them were not told one by one: a feed told afresh shows only its newest"
            )?;
        }
        if deliveries.checked_connections < self.settings.connections {
            writeln!(
                f,
                "             of {} checked connections; of the other {} only the order was looked at",
                deliveries.checked_connections,
                self.settings.connections - deliveries.checked_connections
            )?;
        }
        writeln!(f, "acknowledged {}", latency.ack)?;
        writeln!(f, "delivered    {}", latency.delivery)?;
        writeln!(f, "caught up    {}", latency.caught_up)?;
        writeln!(f, "send lag     {}", latency.send_lag)?;
        let connections = &self.connections;
        writeln!(
            f,
            "connections  {} resumed, {} feeds afresh after a loss, {} on live connections; unexpected ends {:?}",
            connections.resumed, connections.snapshots, connections.resyncs, connections.closes
        )?;
        self.cost(f)?;
        self.table(f)?;
        if let Some(knee) = &self.knee {
            let rate = |rate: Option<f64>| rate.map_or_else(|| "none".to_owned(), |rate| format!("{rate:.0}/s"));
            writeln!(f, "KNEE         held {}, broke {}: {}", rate(knee.held), rate(knee.broke), knee.why)?;
        }
        if let Some(why) = &self.client_bottleneck {
            writeln!(f, "CLIENT-BOUND {why}")?;
        }
        if self.machine_was_full() {
            writeln!(f, "MACHINE FULL server, database, harness and whatever else ran here waited for each other")?;
        }
        if self.good() {
            return writeln!(f, "checker      every acknowledged post reached every follower once, in order");
        }
        writeln!(f, "VIOLATIONS   {:?}", self.violations)?;
        self.first_violations.iter().try_for_each(|violation| writeln!(f, "  {violation}"))
    }
}

impl Report {
    fn cost(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cpu          client {:.2} cores", self.cpu.client_cores)?;
        if let (Some(cores), Some(each)) = (self.cpu.server_cores, self.cpu.server_us_per_delivery) {
            write!(f, ", server {cores:.2} cores, {each:.2} µs per delivery")?;
        }
        if let Some(cores) = self.cpu.machine_cores {
            write!(f, "; the whole machine {cores:.2} of {}", self.machine.cores)?;
        }
        write!(f, "\nmemory       client {} MiB", self.memory.client_peak >> 20)?;
        if let Some(peak) = self.memory.server_peak {
            write!(f, ", server {} MiB at most", peak >> 20)?;
        }
        if let Some(each) = self.memory.server_bytes_per_connection {
            write!(f, "; opening added {each} bytes a connection")?;
        }
        writeln!(f)
    }

    /// The spans, if there are several.
    fn table(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.spans.iter().filter(|span| span.measured).count() < 2 {
            return Ok(());
        }
        writeln!(
            f,
            "{:14} {:>9} {:>9} {:>10} {:>8} {:>9} {:>9} {:>7} {:>7}",
            "", "asked/s", "acked/s", "heard/s", "waiting", "p50 ms", "p99 ms", "server", "client"
        )?;
        self.spans.iter().try_for_each(|span| row(f, span))
    }
}

fn row(f: &mut fmt::Formatter<'_>, span: &SpanReport) -> fmt::Result {
    let server = span.cores.server.map_or_else(|| "-".to_owned(), |cores| format!("{cores:.2}"));
    let bound = if span.client_bottleneck.is_some() { " CLIENT-BOUND" } else { "" };
    writeln!(
        f,
        "{:14} {:9.1} {:9.1} {:10.1} {:8} {:9.2} {:9.2} {server:>7} {:7.2}{bound}",
        span.name,
        span.rate,
        span.acknowledged_per_second,
        span.delivered_per_second,
        span.backlog,
        span.delivery.p50,
        span.delivery.p99,
        span.cores.client,
    )?;
    if let Some(back) = span.back {
        writeln!(
            f,
            "  {} cut: half back after {:.2} s, 99 of 100 after {:.2} s, {} after {:.2} s",
            back.cut, back.half_s, back.most_s, back.back, back.all_s
        )?;
    }
    Ok(())
}

impl fmt::Display for Quantiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.count == 0 {
            return f.write_str("nothing measured");
        }
        write!(
            f,
            "p50 {:8.2}  p90 {:8.2}  p99 {:8.2}  p99.9 {:8.2}  max {:8.2} ms  ({} measured)",
            self.p50, self.p90, self.p99, self.p999, self.max, self.count
        )
    }
}
