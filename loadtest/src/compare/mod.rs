//! The command `tidings-load compare`: what got better or worse from one result to another, and whether that is noise.
//! Must never judge what does not compare: another load, or figures that are the harness' own.

mod figures;
mod noise;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, ensure};
use clap::Args;

use crate::report::Report;
use figures::{Figure, Good};
use noise::Finding;

/// Could not be compared.
const INCOMPARABLE: u8 = 2;
/// The chance of at least one false alarm in a whole comparison of runs that are alike.
const FALSE_ALARM: f64 = 0.05;
/// Keys of a scenario that do not change the load.
const IRRELEVANT: &[&str] = &["about", "urls", "accounts", "server_pid", "check", "patience"];

/// What to compare.
#[derive(Args)]
pub struct CompareArgs {
    /// The result to compare with (--json of `run`); several runs of it, parted by commas, show the noise between runs.
    before: String,
    /// The new result, or several.
    after: String,
    /// Smaller changes than this are not worth telling, however certain.
    #[arg(long, default_value_t = 10.0)]
    least_percent: f64,
    /// Compares also what was not the same load.
    #[arg(long)]
    anyway: bool,
}

/// Compares. The exit code is 0 if nothing got worse, 1 if something did, 2 if they cannot be compared.
///
/// # Errors
/// Standard output is gone.
pub fn compare(args: &CompareArgs) -> Result<ExitCode> {
    let judged = read(&args.before)
        .and_then(|before| Ok((before, read(&args.after)?)))
        .and_then(|(before, after)| Comparison::of(&before, &after, args.least_percent / 100.0, args.anyway));
    match judged {
        Ok(comparison) => {
            write!(std::io::stdout(), "{comparison}")?;
            Ok(if comparison.worse() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
        }
        Err(why) => {
            writeln!(std::io::stderr(), "cannot compare: {why:#}")?;
            Ok(ExitCode::from(INCOMPARABLE))
        }
    }
}

fn read(paths: &str) -> Result<Vec<Report>> {
    paths.split(',').map(|path| Report::read(Path::new(path.trim()))).collect()
}

/// What was found.
pub struct Comparison {
    lines: Vec<Line>,
    /// What makes it doubtful.
    doubts: Vec<String>,
    least: f64,
    threshold: f64,
}

/// One figure.
struct Line {
    span: String,
    name: &'static str,
    before: f64,
    after: f64,
    verdict: Verdict,
}

/// What a change means.
#[derive(Clone, Debug, PartialEq)]
enum Verdict {
    Better(f64),
    Worse(f64),
    /// Within the noise, or too small to matter.
    Same,
    /// Cannot be said, and why.
    Open(&'static str),
}

impl Comparison {
    /// Of runs before and runs after.
    ///
    /// # Errors
    /// They are not runs of the same load.
    pub fn of(before: &[Report], after: &[Report], least: f64, anyway: bool) -> Result<Self> {
        let (Some(first), Some(last)) = (before.first(), after.first()) else {
            anyhow::bail!("nothing to compare");
        };
        let mut doubts = Vec::new();
        for other in before.iter().chain(after) {
            let different = differences(first, other)?;
            let text = format!("not the same load: {} differ", different.join(", "));
            ensure!(different.is_empty() || anyway, "{text} (--anyway compares all the same)");
            if !different.is_empty() && !doubts.contains(&text) {
                doubts.push(text);
            }
        }
        if first.machine != last.machine {
            doubts.push("not the same machine".to_owned());
        }
        if before.len() < 2 && after.len() < 2 {
            doubts.push("one run each: the noise between runs is not seen; give several, parted by commas".to_owned());
        }
        let figures = figures::common(before, after);
        #[expect(clippy::cast_precision_loss, reason = "dozens of figures")]
        let threshold = FALSE_ALARM / figures.len().max(1) as f64;
        let mut lines: Vec<Line> = figures.into_iter().map(|figure| judge(figure, least, threshold)).collect();
        lines.extend(knee(before, after));
        lines.extend(checker(before, after));
        Ok(Self { lines, doubts, least, threshold })
    }

    /// Whether anything got worse beyond the noise.
    #[must_use]
    pub fn worse(&self) -> bool {
        self.lines.iter().any(|line| matches!(line.verdict, Verdict::Worse(_)))
    }
}

/// The keys in which two loads differ.
fn differences(one: &Report, other: &Report) -> Result<Vec<String>> {
    let keys = |report: &Report| -> Result<serde_json::Value> { Ok(serde_json::to_value(&report.settings)?) };
    let (one, other) = (keys(one)?, keys(other)?);
    let differs = |key: &&String| !IRRELEVANT.contains(&key.as_str()) && one.get(key) != other.get(key);
    Ok(one
        .as_object()
        .into_iter()
        .flat_map(serde_json::Map::keys)
        .filter(differs)
        .map(|key| format!("`{key}`"))
        .collect())
}

fn judge(figure: Figure, least: f64, threshold: f64) -> Line {
    let Figure { span, name, good, before, after, doubt } = figure;
    let Finding { from, to, chance, drift } = noise::find(&before, &after);
    let change = (to - from) / from.abs().max(f64::MIN_POSITIVE);
    let verdict = if let Some(doubt) = doubt {
        Verdict::Open(doubt)
    } else if chance.is_none() {
        Verdict::Open("too few intervals")
    } else if change.abs() < least || change.abs() <= drift || chance.is_some_and(|chance| chance > threshold) {
        Verdict::Same
    } else if (change > 0.0) == (good == Good::More) {
        Verdict::Better(chance.unwrap_or(1.0))
    } else {
        Verdict::Worse(chance.unwrap_or(1.0))
    };
    Line { span, name, before: from, after: to, verdict }
}

/// A knee stands on a ladder whose rungs are the steps: one rung is the noise.
fn knee(before: &[Report], after: &[Report]) -> Option<Line> {
    let held = |runs: &[Report]| {
        let rates: Vec<f64> =
            runs.iter().filter_map(|run| run.knee.as_ref()).map(|knee| knee.held.unwrap_or(0.0)).collect();
        (!rates.is_empty()).then(|| noise::median(&rates))
    };
    let (from, to) = (held(before)?, held(after)?);
    let rung = 1.01 * before.first()?.settings.steps.as_ref()?.factor;
    let bound = before.iter().chain(after).any(|run| run.knee.as_ref().is_some_and(|knee| knee.client_bound));
    let verdict = if bound {
        Verdict::Open("the harness was the bottleneck")
    } else if to > from * rung {
        Verdict::Better(0.0)
    } else if from > to * rung {
        Verdict::Worse(0.0)
    } else {
        Verdict::Same
    };
    Some(Line { span: "knee".to_owned(), name: "held, a second", before: from, after: to, verdict })
}

/// Violations are never noise.
fn checker(before: &[Report], after: &[Report]) -> Option<Line> {
    let count = |runs: &[Report]| runs.iter().flat_map(|run| run.violations.values()).sum::<usize>();
    let (from, to) = (count(before), count(after));
    let verdict = match (from, to) {
        (0, 0) => return None,
        (_, 0) => Verdict::Better(0.0),
        (_, _) => Verdict::Worse(0.0),
    };
    #[expect(clippy::cast_precision_loss, reason = "for show")]
    let (before, after) = (from as f64, to as f64);
    Some(Line { span: "checker".to_owned(), name: "violations", before, after, verdict })
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:14} {:26} {:>10} {:>10} {:>9}", "", "", "before", "after", "change")?;
        for line in &self.lines {
            let change = 100.0 * (line.after - line.before) / line.before.abs().max(f64::MIN_POSITIVE);
            let change = if line.before == 0.0 { "".to_owned() } else { format!("{change:+.1} %") };
            write!(f, "{:14} {:26} {:10.3} {:10.3} {change:>9}  ", line.span, line.name, line.before, line.after)?;
            match line.verdict {
                Verdict::Better(chance) => writeln!(f, "better ({})", likely(chance))?,
                Verdict::Worse(chance) => writeln!(f, "WORSE ({})", likely(chance))?,
                Verdict::Same => writeln!(f, "within the noise")?,
                Verdict::Open(why) => writeln!(f, "not judged: {why}")?,
            }
        }
        for doubt in &self.doubts {
            writeln!(f, "mind         {doubt}")?;
        }
        writeln!(
            f,
            "judged       each part of a run is cut into {} slices; a change counts if it is at least {:.0} %, larger than between \
             runs of the same side and between the thirds of a run, and the slices of both sides are ordered by chance with \
             p < {:.5} (Mann–Whitney; {FALSE_ALARM} over all figures); a knee if it moved by more than one step",
            noise::SLICES,
            100.0 * self.least,
            self.threshold
        )?;
        let count = |wanted: fn(&Verdict) -> bool| self.lines.iter().filter(|line| wanted(&line.verdict)).count();
        writeln!(
            f,
            "verdict      {} better, {} worse, {} within the noise, {} not judged",
            count(|verdict| matches!(verdict, Verdict::Better(_))),
            count(|verdict| matches!(verdict, Verdict::Worse(_))),
            count(|verdict| *verdict == Verdict::Same),
            count(|verdict| matches!(verdict, Verdict::Open(_)))
        )
    }
}

fn likely(chance: f64) -> String {
    if chance < 0.00005 { "p < 0.0001".to_owned() } else { format!("p {chance:.4}") }
}
