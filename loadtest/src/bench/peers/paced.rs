//! What a fixed rate of events came to: how late they were, and whether the server fell behind.
//! Must never hide a server that falls behind in a median over the whole run: the parts of a run are shown apart.

use std::fmt;

use anyhow::Result;
use hdrhistogram::Histogram;
use serde::Serialize;

use super::audience::Part;
use super::found::{Found, Sample, Spread};
use super::peer::Peer;

/// One round of one server.
#[derive(Clone, Debug, Serialize)]
pub struct Paced {
    /// Who.
    pub peer: Peer,
    /// How many were sent each event.
    pub subscribers: usize,
    /// Events in a second.
    pub events_per_second: f64,
    /// From when an event was due until a listener had it: half of the deliveries, ms.
    pub p50_ms: f64,
    /// All but one in a hundred, ms.
    pub p99_ms: f64,
    /// The last one, ms.
    pub most_ms: f64,
    /// The p99 of each part of the run, ms.
    pub parts_p99_ms: Vec<f64>,
    /// Events that had not reached everybody, at most, in each part of the run.
    pub parts_waiting: Vec<u64>,
    /// What it cost.
    pub sample: Sample,
}

impl Paced {
    /// From what was heard.
    ///
    /// # Errors
    /// None in practice: histograms that grow by themselves take any.
    pub fn of(
        (peer, subscribers, events_per_second): (Peer, usize, f64),
        parts: &[Part],
        sample: Sample,
    ) -> Result<Self> {
        let mut all = Histogram::new(3)?;
        for part in parts {
            all.add(&part.late)?;
        }
        Ok(Self {
            peer,
            subscribers,
            events_per_second,
            p50_ms: ms(all.value_at_quantile(0.5)),
            p99_ms: ms(all.value_at_quantile(0.99)),
            most_ms: ms(all.max()),
            parts_p99_ms: parts.iter().map(|part| ms(part.late.value_at_quantile(0.99))).collect(),
            parts_waiting: parts.iter().map(|part| part.most_waiting).collect(),
            sample,
        })
    }
}

/// All rounds, as a table.
pub struct Table<'a>(pub &'a Found);

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Found { cores, frame_bytes, seconds, paced, missing, .. } = self.0;
        let per_second = paced.first().map_or(0.0, |one| one.events_per_second);
        writeln!(
            f,
            "server on core {}, client and Postgres on core {}; frames of {frame_bytes} bytes; {per_second} events a second, each when it is due; interleaved rounds of {seconds} s\n",
            cores.server, cores.client
        )?;
        writeln!(
            f,
            "| server | subscribers | p50 | p99 | latest | p99 by quarters of the run | events on their way at most, by quarters | server, client's core, other cores used |"
        )?;
        writeln!(f, "|---|---|---|---|---|---|---|---|")?;
        for one in paced {
            let quarters: Vec<_> = one.parts_p99_ms.iter().map(|ms| format!("{ms:.1}")).collect();
            let waiting: Vec<_> = one.parts_waiting.iter().map(u64::to_string).collect();
            writeln!(
                f,
                "| {} | {} | {:.1} ms | {:.1} ms | {:.1} ms | {} | {} | {:.2}, {:.2}, {:.2} |",
                one.peer.name(),
                one.subscribers,
                one.p50_ms,
                one.p99_ms,
                one.most_ms,
                quarters.join(", "),
                waiting.join(", "),
                one.sample.server_cores,
                one.sample.client_core_busy,
                one.sample.foreign_cores
            )?;
        }
        let p99 = paced.iter().filter(|one| one.peer == Peer::Tidings).map(|one| one.p99_ms).collect();
        if let Some(Spread { median, lowest, highest }) = Spread::of(p99) {
            writeln!(f, "\nTidings' p99: {median:.1} ms ({lowest:.1}–{highest:.1})")?;
        }
        missing.iter().try_for_each(|gone| writeln!(f, "\nNOT MEASURED: {}: {}", gone.peer.name(), gone.why))
    }
}

#[expect(clippy::cast_precision_loss, reason = "microseconds of a run")]
fn ms(micros: u64) -> f64 {
    micros as f64 / 1e3
}
