//! The campaign as a report: Markdown for people, JSON for whoever wants to count again, and plots of how long recoveries took.

use std::{fmt::Write as _, fs, path::Path};

use anyhow::{Context as _, Result};

use crate::{
    plot,
    resources::Census,
    summary::{Quantiles, Summary},
};

/// Writes `README.md`, `campaign.json` and the plots into this folder.
///
/// # Errors
/// When they cannot be written.
pub fn write(summary: &Summary, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    fs::write(folder.join("README.md"), markdown(summary))?;
    fs::write(folder.join("campaign.json"), serde_json::to_vec_pretty(summary)?)?;
    plot::recoveries(&summary.samples, "acknowledged again", |one| one.ack_ms, &folder.join("recovery-ack.svg"))?;
    plot::recoveries(
        &summary.samples,
        "delivered again",
        |one| one.delivered_ms,
        &folder.join("recovery-delivered.svg"),
    )
}

/// The report in Markdown.
#[must_use]
pub fn markdown(summary: &Summary) -> String {
    let parts =
        [head(summary), faults(summary), recoveries(summary), latencies(summary), resources(summary), wrong(summary)];
    parts.join("\n")
}

fn head(summary: &Summary) -> String {
    let kills: u64 = summary
        .fired
        .iter()
        .filter(|(kind, _)| kind.starts_with("kill -9"))
        .map(|(_, fired)| fired.alone + fired.combined)
        .sum();
    let mut text = format!(
        "# A campaign of faults\n\n\
         | | |\n|---|---|\n\
         | verdict | {} |\n\
         | acknowledged changes, each followed to the end | {} |\n\
         | events heard by clients | {} |\n\
         | violations | {} |\n\
         | kills (`kill -9`) | {kills} |\n\
         | combinations of faults at once | {} |\n\
         | faults that did not take hold | {} |\n\
         | rounds | {} |\n\
         | load | {} |\n\
         | command | `{}` |\n\
         | first seed | {} |\n\
         | machine | {} |\n\
         | date | {} |\n\n",
        if summary.is_good() { "good" } else { "NOT GOOD" },
        thousands(summary.acknowledged),
        thousands(summary.delivered),
        summary.violations,
        summary.combinations,
        summary.unfired.len(),
        summary.rounds,
        summary.load,
        summary.command,
        summary.seed,
        summary.machine,
        summary.date,
    );
    if !summary.tally.is_empty() {
        let counts: Vec<String> = summary
            .tally
            .iter()
            .map(|(name, count)| format!("{} {}", name.replace('_', " "), thousands(*count)))
            .collect();
        add(&mut text, &format!("The examiner counted: {}.\n", counts.join(", ")));
    }
    text
}

fn faults(summary: &Summary) -> String {
    let mut text =
        "## Faults that took hold\n\n| row | fault | alone | with others |\n|---|---|---:|---:|\n".to_owned();
    let mut rows: Vec<_> = summary.fired.iter().collect();
    rows.sort_by_key(|(kind, fired)| (fired.row.trim_start_matches('F').parse::<u32>().unwrap_or(u32::MAX), *kind));
    for (kind, fired) in rows {
        add(&mut text, &format!("| {} | {kind} | {} | {} |\n", fired.row, fired.alone, fired.combined));
    }
    text
}

fn recoveries(summary: &Summary) -> String {
    let mut text = "## Recoveries\n\n\
        From the moment the broken part accepts connections again until the first change that was asked for afterwards is acknowledged, \
        and until such a change has reached every client that watched. Milliseconds.\n\n\
        ![acknowledged again](recovery-ack.svg)\n\n![delivered again](recovery-delivered.svg)\n\n\
        | after | count | ack p50 | p90 | p99 | max | delivered p50 | p90 | p99 | max |\n\
        |---|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n"
        .to_owned();
    for (kind, spread) in summary.recoveries.iter().chain([(&"all".to_owned(), &summary.all_recoveries)]) {
        add(
            &mut text,
            &format!("| {kind} | {} | {} | {} |\n", spread.ack.count, cells(&spread.ack), cells(&spread.delivered)),
        );
    }
    text
}

fn cells(quantiles: &Quantiles) -> String {
    let all = [quantiles.p50, quantiles.p90, quantiles.p99, quantiles.max];
    all.map(|ms| if quantiles.count == 0 { "–".to_owned() } else { format!("{ms:.0}") }).join(" | ")
}

fn latencies(summary: &Summary) -> String {
    let mut text = "## Latencies\n\nOf all changes of a round, those that met faults included. Milliseconds; the median round and the worst.\n\n\
        | | p50 | p99 | max |\n|---|---:|---:|---:|\n"
        .to_owned();
    for what in ["ack", "delivered"] {
        for (which, percent) in [("median round", 50), ("worst round", 100)] {
            let of = |name: &str| {
                let mut all: Vec<f64> =
                    summary.latencies.iter().filter_map(|round| round[what][name].as_f64()).collect();
                all.sort_by(f64::total_cmp);
                let rank = (all.len() * percent).div_ceil(100).max(1);
                all.get(rank - 1).map_or_else(|| "–".to_owned(), |ms| format!("{ms:.0}"))
            };
            add(&mut text, &format!("| {what}, {which} | {} | {} | {} |\n", of("p50"), of("p99"), of("max")));
        }
    }
    text
}

fn resources(summary: &Summary) -> String {
    let mut text = "## Resources\n\nOf all nodes together, under load before the first fault of a round and after its last. A node that \
        was killed begins again with less memory; a node that was not has filled its hot log meanwhile.\n\n\
        | round | memory, MiB | descriptors | threads | to Postgres | to Redis | clients |\n|---:|---:|---:|---:|---:|---:|---:|\n"
        .to_owned();
    for (number, (warm, end)) in summary.resources.iter().enumerate() {
        let pair = |of: fn(&Census) -> u64| format!("{} → {}", of(warm), of(end));
        add(
            &mut text,
            &format!(
                "| {} | {} | {} | {} | {} | {} | {} |\n",
                number + 1,
                pair(|census| census.resident_bytes() >> 20),
                pair(Census::files),
                pair(Census::threads),
                pair(|census| census.postgres_connections),
                pair(|census| census.redis_connections),
                pair(|census| census.client_connections),
            ),
        );
    }
    text
}

fn wrong(summary: &Summary) -> String {
    if summary.is_good() {
        return String::new();
    }
    let mut text = format!("## What was wrong\n\nRounds {:?}.\n\n", summary.bad_rounds);
    for name in &summary.unfired {
        add(&mut text, &format!("- did not take hold: {name}\n"));
    }
    for complaint in &summary.complaints {
        add(&mut text, &format!("- {complaint}\n"));
    }
    text
}

fn add(text: &mut String, more: &str) {
    text.write_str(more).expect("writing to a string cannot fail");
}

/// `1234567` as `1,234,567`.
fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(thousands), ["0", "999", "1,000", "1,234,567"]);
    }
}
