//! What a run shows while it runs: a live view on a terminal, plain lines elsewhere, nothing if it is to be quiet.
//! Must never write to standard output, which is the report's.

use std::collections::VecDeque;
use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::plan::{self, Span};
use crate::timeline::{Few, Tick};
use crate::usage::Cores;

/// From one plain line to the next, in seconds.
const PLAIN_EVERY_S: f64 = 2.0;
/// Columns of the small curve of p99s.
const CURVE: usize = 48;

/// Where to show it.
pub enum View {
    /// Lines that are written over.
    Terminal(Box<Screen>),
    /// One line after another, on standard error.
    Plain {
        /// When the last one was written, in seconds of the run.
        last_s: f64,
    },
    /// Nowhere.
    Quiet,
}

/// The lines of the live view.
pub struct Screen {
    all: MultiProgress,
    bar: ProgressBar,
    lines: [ProgressBar; 4],
    p99s: VecDeque<f64>,
    /// The length of the plan, in seconds.
    whole_s: f64,
}

impl View {
    /// As it fits where standard error goes.
    #[must_use]
    pub fn open(quiet: bool) -> Self {
        if quiet {
            Self::Quiet
        } else if std::io::stderr().is_terminal() {
            let all = MultiProgress::new();
            let line = || all.add(ProgressBar::no_length().with_style(style("{msg}")));
            let bar = all.add(ProgressBar::no_length());
            let lines = [line(), line(), line(), line()];
            Self::Terminal(Box::new(Screen { all, bar, lines, p99s: VecDeque::new(), whole_s: 0.0 }))
        } else {
            Self::Plain { last_s: 0.0 }
        }
    }

    /// Something has been reached.
    pub fn say(&self, what: &str) {
        match self {
            Self::Terminal(screen) => drop(screen.all.println(what)),
            Self::Plain { .. } => complain(what),
            Self::Quiet => {}
        }
    }

    /// The plan begins.
    pub fn begin(&mut self, spans: &[Span]) {
        if let Self::Terminal(screen) = self {
            screen.bar.set_length(u64::try_from(plan::end(spans).as_millis()).unwrap_or(u64::MAX));
            screen.bar.set_style(style("{bar:40.cyan/dim} {msg}"));
            screen.whole_s = plan::end(spans).as_secs_f64();
        }
    }

    /// An interval is over.
    pub fn tick(&mut self, tick: &Tick, span: &Span, cores: Cores) {
        match self {
            Self::Quiet => {}
            Self::Plain { last_s } => {
                if tick.at_s - *last_s >= PLAIN_EVERY_S {
                    *last_s = tick.at_s;
                    complain(&format!("{:6.1} s  {}  {}", tick.at_s, rates(tick, span), times(tick)));
                }
            }
            Self::Terminal(screen) => screen.show(tick, span, cores),
        }
    }

    /// It is over; what was written over goes.
    pub fn finish(&mut self) {
        if let Self::Terminal(screen) = self {
            screen.lines.iter().for_each(ProgressBar::finish_and_clear);
            screen.bar.finish_and_clear();
        }
    }
}

impl Screen {
    fn show(&mut self, tick: &Tick, span: &Span, cores: Cores) {
        let position = Duration::from_secs_f64(tick.at_s).as_millis();
        self.bar.set_position(u64::try_from(position).unwrap_or(u64::MAX));
        self.bar.set_message(format!("{:.0} of {:.0} s  {}", tick.at_s.min(self.whole_s), self.whole_s, span.name));
        if let Some(few) = tick.delivery_ms.or(tick.ack_ms) {
            self.p99s.push_back(few.p99);
            if self.p99s.len() > CURVE {
                self.p99s.pop_front();
            }
        }
        let server = cores.server.map_or_else(String::new, |cores| format!("server {cores:.2}, "));
        let machine = cores.machine.map_or_else(String::new, |cores| format!(", machine {cores:.2}"));
        let cost = format!("cores     {server}harness {:.2}{machine}", cores.client);
        let curve = format!("p99       {}", curve(self.p99s.make_contiguous()));
        for (line, text) in self.lines.iter().zip([rates(tick, span), times(tick), cost, curve]) {
            line.set_message(text);
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

fn complain(line: &str) {
    // Without a standard error there is nobody to tell.
    drop(writeln!(std::io::stderr(), "{line}"));
}

#[expect(clippy::cast_precision_loss, reason = "counts of one interval")]
fn rates(tick: &Tick, span: &Span) -> String {
    let each = |count: u64| count as f64 / tick.seconds;
    format!(
        "{}: {:.0}/s asked, {:.0}/s acknowledged, {:.0}/s delivered, {} waiting, {} open",
        span.name,
        span.work(),
        each(tick.acknowledged),
        each(tick.delivered),
        tick.backlog,
        tick.open
    )
}

fn times(tick: &Tick) -> String {
    let both = [("acknowledged", tick.ack_ms), ("delivered", tick.delivery_ms)];
    let known = both.into_iter().filter_map(|(name, few)| Some((name, few?)));
    known.map(|(name, Few { p50, p99, .. })| format!("{name} p50 {p50:.1} p99 {p99:.1} ms  ")).collect()
}

/// Small bars, over a logarithmic scale from the least to the greatest.
fn curve(values: &[f64]) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let logs: Vec<f64> = values.iter().map(|value| value.max(0.01).ln()).collect();
    let least = logs.iter().copied().fold(f64::INFINITY, f64::min);
    let range = (logs.iter().copied().fold(f64::NEG_INFINITY, f64::max) - least).max(0.1);
    let most = values.iter().copied().fold(0.0, f64::max);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 7")]
    let bar = |log: &f64| BARS[(((log - least) / range * 7.0).round() as usize).min(7)];
    let bars: String = logs.iter().map(bar).collect();
    format!("{bars}  at most {most:.1} ms")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_rises_with_its_values() {
        assert_eq!(curve(&[1.0, 10.0, 100.0]), "▁▅█  at most 100.0 ms");
        assert_eq!(curve(&[]), "  at most 0.0 ms");
    }
}
