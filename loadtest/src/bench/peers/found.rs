//! What was measured, medians over the rounds, and the table of targets. Ratios are taken round by round, so that a change of
//! the machine's mood between two rounds falls out. Must never show a ratio of which one side is missing.

use std::fmt;

use serde::Serialize;

use super::cores::Cores;
use super::paced::{Paced, Table};
use super::peer::Peer;

/// Above this the client is as likely the bottleneck as the server.
const CLIENT_BOUND: f64 = 0.95;
/// Above this somebody else works on the server's core, and figures are not to be quoted.
const DISTURBED: f64 = 0.05;

/// One measurement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Sample {
    /// CPU time of the server for each delivery, µs.
    pub cpu_us: f64,
    /// The part of it outside the kernel.
    pub user_us: f64,
    /// Deliveries a second.
    pub per_second: f64,
    /// Deliveries for each second of the server's CPU time.
    pub per_cpu_second: f64,
    /// CPU of the server, in cores.
    pub server_cores: f64,
    /// CPU of the harness, in cores.
    pub client_cores: f64,
    /// How busy the client's core was, Postgres and all.
    pub client_core_busy: f64,
    /// What others did on the server's core, in cores.
    pub foreign_cores: f64,
}

/// All rounds of one server under one load.
#[derive(Clone, Debug, Serialize)]
pub struct Series {
    /// Who.
    pub peer: Peer,
    /// How many were sent each event.
    pub subscribers: usize,
    /// Events on their way at the same time.
    pub in_flight: u64,
    /// One for each round.
    pub rounds: Vec<Sample>,
}

/// One that could not be measured.
#[derive(Clone, Debug, Serialize)]
pub struct Missing {
    /// Who.
    pub peer: Peer,
    /// Why.
    pub why: String,
}

/// Everything.
#[derive(Clone, Debug, Serialize)]
pub struct Found {
    /// Who ran where.
    pub cores: Cores,
    /// Length of every frame, with its header.
    pub frame_bytes: usize,
    /// Seconds of each measurement.
    pub seconds: u64,
    /// The measurements.
    pub series: Vec<Series>,
    /// What a fixed rate of events came to, if that was asked for.
    pub paced: Vec<Paced>,
    /// What is not there.
    pub missing: Vec<Missing>,
    /// The targets, filled in by [`Self::judge`].
    pub rows: Vec<Row>,
}

/// A target and what came out.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// What is compared.
    pub measure: String,
    /// What a prototype of the design reached.
    pub prototype: &'static str,
    /// What should be reached.
    pub target: Target,
    /// For each number of subscribers; nothing where a side is missing.
    pub found: Vec<(usize, Option<Spread>)>,
}

/// A bound.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// Not above.
    AtMost(f64),
    /// Not below.
    AtLeast(f64),
}

/// A median with its range.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// In the middle.
    pub median: f64,
    /// The smallest.
    pub lowest: f64,
    /// The largest.
    pub highest: f64,
}

impl Spread {
    /// Of some values, if there are any.
    #[must_use]
    pub fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        let (&lowest, &highest) = (values.first()?, values.last()?);
        let middle = values.len() / 2;
        let median =
            if values.len() % 2 == 1 { values[middle] } else { f64::midpoint(values[middle - 1], values[middle]) };
        Some(Self { median, lowest, highest })
    }
}

impl Target {
    fn is_met(self, value: f64) -> bool {
        match self {
            Self::AtMost(bound) => value <= bound,
            Self::AtLeast(bound) => value >= bound,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtMost(bound) => write!(f, "≤ {}", short(*bound)),
            Self::AtLeast(bound) => write!(f, "≥ {}", short(*bound)),
        }
    }
}

/// A peer with, for one event in flight, the ratio of CPU per delivery that the prototype reached and the target; and for 16 the same
/// for deliveries a second.
type Against = (Peer, &'static str, f64, &'static str, f64);

const AGAINST: [Against; 5] = [
    (Peer::Ws, "0.70", 0.65, "17", 18.0),
    (Peer::SocketIo, "0.47", 0.45, "24", 24.0),
    (Peer::Axum, "0.71", 0.65, "14", 15.0),
    (Peer::ActixWebActors, "0.77", 0.75, "1.7", 1.8),
    (Peer::Nats, "0.48", 0.45, "3.4", 3.5),
];

impl Found {
    /// Adds a round's measurement.
    pub fn add(&mut self, peer: Peer, subscribers: usize, in_flight: u64, sample: Sample) {
        let same = |series: &&mut Series| {
            (series.peer, series.subscribers, series.in_flight) == (peer, subscribers, in_flight)
        };
        match self.series.iter_mut().find(same) {
            Some(series) => series.rounds.push(sample),
            None => self.series.push(Series { peer, subscribers, in_flight, rounds: vec![sample] }),
        }
    }

    /// Puts the measurements in the order in which they are read.
    pub fn sort(&mut self) {
        self.series.sort_by_key(|series| {
            let place = Peer::ALL.iter().position(|&peer| peer == series.peer);
            (series.in_flight, series.subscribers, place)
        });
    }

    /// Fills in the table.
    pub fn judge(&mut self, subscribers: &[usize]) {
        type Value = fn(&Sample) -> f64;
        let row = |measure: String, prototype, target, against: Option<Peer>, in_flight, value: Value| {
            let found = subscribers.iter().map(|&number| {
                let ours = self.values(Peer::Tidings, number, in_flight, value);
                let values = match against {
                    None => ours,
                    Some(peer) => {
                        let theirs = self.values(peer, number, in_flight, value);
                        ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs).collect()
                    }
                };
                (number, Spread::of(values))
            });
            Row { measure, prototype, target, found: found.collect() }
        };
        let cpu: Value = |sample| sample.cpu_us;
        let speed: Value = |sample| sample.per_second;
        let mut rows = vec![
            row("1: CPU per delivery / bare loop".into(), "1.05, 1.00", Target::AtMost(1.1), Some(Peer::Bare), 1, cpu),
            row("2: user-space CPU per delivery, µs".into(), "0.37", Target::AtMost(0.4), None, 1, |one| one.user_us),
            row(
                "3: deliveries/s, 16 in flight / gathering loop".into(),
                "0.79",
                Target::AtLeast(0.8),
                Some(Peer::Bare),
                16,
                speed,
            ),
            row("3: deliveries/s on one core, 16 in flight".into(), "", Target::AtLeast(2e6), None, 16, speed),
        ];
        for (peer, prototype, target, _, _) in AGAINST {
            let measure = format!("4: CPU per delivery / {}", peer.name());
            rows.push(row(measure, prototype, Target::AtMost(target), Some(peer), 1, cpu));
        }
        for (peer, _, _, prototype, target) in AGAINST {
            let measure = format!("5: deliveries/s, 16 in flight / {}", peer.name());
            rows.push(row(measure, prototype, Target::AtLeast(target), Some(peer), 16, speed));
        }
        self.rows = rows;
    }

    fn values(&self, peer: Peer, subscribers: usize, in_flight: u64, value: fn(&Sample) -> f64) -> Vec<f64> {
        let of =
            |series: &&Series| (series.peer, series.subscribers, series.in_flight) == (peer, subscribers, in_flight);
        self.series.iter().filter(of).flat_map(|series| &series.rounds).map(value).collect()
    }
}

impl Series {
    fn median(&self, value: fn(&Sample) -> f64) -> f64 {
        Spread::of(self.rounds.iter().map(value).collect()).map_or(f64::NAN, |spread| spread.median)
    }

    fn remark(&self) -> String {
        let mut remark = String::new();
        if self.median(|one| one.client_cores) > CLIENT_BOUND || self.median(|one| one.client_core_busy) > CLIENT_BOUND
        {
            remark.push_str(" CLIENT-BOUND");
        }
        if self.median(|one| one.foreign_cores) > DISTURBED {
            remark.push_str(" DISTURBED");
        }
        remark
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.paced.is_empty() {
            return write!(f, "{}", Table(self));
        }
        let rounds = self.series.iter().map(|series| series.rounds.len()).max().unwrap_or(0);
        writeln!(
            f,
            "server on core {}, client and Postgres on core {}; frames of {} bytes; medians of {rounds} interleaved rounds of {} s\n",
            self.cores.server, self.cores.client, self.frame_bytes, self.seconds
        )?;
        writeln!(
            f,
            "| server | subscribers | in flight | CPU per delivery | of it user | deliveries/s | per second of CPU | server, client, other cores used | |"
        )?;
        writeln!(f, "|---|---|---|---|---|---|---|---|---|")?;
        for series in &self.series {
            writeln!(
                f,
                "| {} | {} | {} | {:.2} µs | {:.2} µs | {:.0} | {:.0} | {:.2}, {:.2}, {:.2} |{} |",
                series.peer.name(),
                series.subscribers,
                series.in_flight,
                series.median(|one| one.cpu_us),
                series.median(|one| one.user_us),
                series.median(|one| one.per_second),
                series.median(|one| one.per_cpu_second),
                series.median(|one| one.server_cores),
                series.median(|one| one.client_cores),
                series.median(|one| one.foreign_cores),
                series.remark(),
            )?;
        }
        if let Some(row) = self.rows.first() {
            let columns: Vec<_> = row.found.iter().map(|(number, _)| format!(" {number} subscribers |")).collect();
            let columns = columns.concat();
            writeln!(
                f,
                "\n| row of the issue: Tidings' value, or its ratio to another | prototype | target |{columns} met |"
            )?;
            writeln!(f, "|---|---|---|{}---|", "---|".repeat(row.found.len()))?;
        }
        self.rows.iter().try_for_each(|row| writeln!(f, "{row}"))?;
        self.missing.iter().try_for_each(|gone| writeln!(f, "\nNOT MEASURED: {}: {}", gone.peer.name(), gone.why))
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "| {} | {} | {} |", self.measure, self.prototype, self.target)?;
        for (_, spread) in &self.found {
            match spread {
                Some(Spread { median, lowest, highest }) => {
                    write!(f, " **{}** ({}–{}) |", short(*median), short(*lowest), short(*highest))?;
                }
                None => write!(f, " not measured |")?,
            }
        }
        let medians: Option<Vec<f64>> =
            self.found.iter().map(|(_, spread)| spread.map(|spread| spread.median)).collect();
        let met = match medians {
            None => "?",
            Some(medians) if medians.iter().all(|&median| self.target.is_met(median)) => "yes",
            Some(_) => "**no**",
        };
        write!(f, " {met} |")
    }
}

/// Three digits are all such a figure is worth.
fn short(value: f64) -> String {
    match value.abs() {
        1e6.. => format!("{:.2} M", value / 1e6),
        1e4.. => format!("{:.0} k", value / 1e3),
        10.0.. => format!("{value:.0}"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(tidings: &[f64], bare: &[f64]) -> Found {
        let cores = Cores { server: 1, client: 0 };
        let mut found = Found {
            cores,
            frame_bytes: 287,
            seconds: 1,
            series: Vec::new(),
            paced: Vec::new(),
            missing: Vec::new(),
            rows: Vec::new(),
        };
        for (peer, values) in [(Peer::Tidings, tidings), (Peer::Bare, bare)] {
            for &cpu_us in values {
                found.add(peer, 1_000, 1, Sample { cpu_us, ..Sample::default() });
            }
        }
        found
    }

    #[test]
    fn ratios_are_taken_round_by_round() {
        let mut found = found(&[1.0, 20.0, 3.3], &[1.0, 10.0, 3.0]);
        found.judge(&[1_000]);
        let spread = found.rows[0].found[0].1.unwrap();
        assert!((spread.median - 1.1).abs() < 1e-9, "{spread:?}");
        assert!((spread.highest - 2.0).abs() < 1e-9, "{spread:?}");
        assert!(found.rows[0].to_string().ends_with("| yes |"), "{}", found.rows[0]);
    }

    #[test]
    fn a_missed_target_and_a_missing_peer_are_seen() {
        let mut found = found(&[1.2], &[1.0]);
        found.missing.push(Missing { peer: Peer::Nats, why: "no `nats-server` in PATH".into() });
        found.judge(&[1_000]);
        let text = found.to_string();
        assert!(found.rows[0].to_string().ends_with("| **no** |"), "{text}");
        assert!(text.contains("NOT MEASURED: NATS WebSocket: no `nats-server` in PATH"), "{text}");
        let nats = found.rows.iter().find(|row| row.measure.contains("NATS")).unwrap();
        assert!(nats.to_string().contains("not measured | ? |"), "{nats}");
    }

    #[test]
    fn a_median_lies_in_the_middle() {
        assert_eq!(Spread::of(Vec::new()), None);
        assert!((Spread::of(vec![4.0, 1.0, 2.0, 9.0]).unwrap().median - 3.0).abs() < 1e-9);
    }

    #[test]
    fn who_disturbs_is_told() {
        let loud = Sample { client_cores: 0.99, foreign_cores: 0.2, ..Sample::default() };
        let series = Series { peer: Peer::Ws, subscribers: 1, in_flight: 1, rounds: vec![loud] };
        assert_eq!(series.remark(), " CLIENT-BOUND DISTURBED");
        assert_eq!(Series { rounds: vec![Sample::default()], ..series }.remark(), "");
    }
}
