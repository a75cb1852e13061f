//! Plots of recoveries: for each kind of fault, which share of its recoveries had taken no longer than so many milliseconds.

use std::{collections::BTreeMap, path::Path};

use anyhow::{Result, anyhow};
use plotters::prelude::*;

use crate::account::Recovery;

const SIZE: (u32, u32) = (900, 480);
/// Told apart by people who do not see all colours (Okabe and Ito); more kinds than this begin again with other strokes.
const COLOURS: [RGBColor; 8] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(230, 159, 0),
    RGBColor(0, 0, 0),
    RGBColor(150, 150, 150),
];
/// Kinds in one plot; those with the most recoveries.
const KINDS: usize = 8;

/// Draws how recoveries are spread, by kind of fault, over a logarithmic scale of time.
///
/// # Errors
/// When the file cannot be written.
pub fn recoveries(samples: &[Recovery], what: &str, of: fn(&Recovery) -> Option<f64>, path: &Path) -> Result<()> {
    let kinds = by_kind(samples, of);
    let most = kinds.iter().flat_map(|(_, times)| times).copied().fold(1_000.0, f64::max);
    draw(&kinds, what, most * 1.3, path).map_err(|why| anyhow!("{}: {why}", path.display()))
}

/// The times of each kind, sorted; the kinds with the most first.
fn by_kind(samples: &[Recovery], of: fn(&Recovery) -> Option<f64>) -> Vec<(&str, Vec<f64>)> {
    let mut kinds: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for sample in samples {
        kinds.entry(&sample.kind).or_default().extend(of(sample));
    }
    let mut kinds: Vec<_> = kinds.into_iter().filter(|(_, times)| !times.is_empty()).collect();
    kinds.sort_by_key(|(_, times)| std::cmp::Reverse(times.len()));
    kinds.truncate(KINDS);
    for (_, times) in &mut kinds {
        times.sort_by(f64::total_cmp);
    }
    kinds
}

fn draw(kinds: &[(&str, Vec<f64>)], what: &str, most: f64, path: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let page = SVGBackend::new(path, SIZE).into_drawing_area();
    page.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&page)
        .caption(format!("Share of recoveries that were {what} within"), ("sans-serif", 20))
        .margin(12)
        .x_label_area_size(42)
        .y_label_area_size(56)
        .build_cartesian_2d((1.0..most).log_scale(), 0.0..1.0)?;
    chart
        .configure_mesh()
        .x_desc("milliseconds after the part accepts connections again")
        .y_label_formatter(&|share| format!("{:.0} %", share * 100.0))
        .x_label_formatter(&|ms| format!("{ms:.0}"))
        .light_line_style(TRANSPARENT)
        .draw()?;
    for (number, (kind, times)) in kinds.iter().enumerate() {
        let style = COLOURS[number % COLOURS.len()].stroke_width(2);
        let label = format!("{kind} ({})", times.len());
        let line = chart.draw_series(LineSeries::new(steps(times, most), style))?;
        line.label(label).legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], style));
    }
    let second = DashedLineSeries::new([(1_000.0, 0.0), (1_000.0, 1.0)], 4, 4, BLACK.mix(0.5).into());
    chart.draw_series(second)?;
    if !kinds.is_empty() {
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .background_style(WHITE.mix(0.8))
            .draw()?;
    }
    Ok(page.present()?)
}

/// A staircase that rises at each time.
fn steps(times: &[f64], most: f64) -> Vec<(f64, f64)> {
    let share = |count: usize| count as f64 / times.len() as f64;
    let rises = times.iter().enumerate().flat_map(|(place, time)| {
        let time = time.max(1.0);
        [(time, share(place)), (time, share(place + 1))]
    });
    std::iter::once((1.0, 0.0)).chain(rises).chain([(most, 1.0)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plot_names_its_kinds_and_their_numbers() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plot.svg");
        let sample = |kind: &str, ms: f64| Recovery { kind: kind.to_owned(), ack_ms: Some(ms), delivered_ms: None };
        let samples = [sample("kill -9 node", 3.0), sample("kill -9 node", 40.0), sample("pause Redis", 0.2)];
        recoveries(&samples, "acknowledged again", |one| one.ack_ms, &path).unwrap();
        let drawn = std::fs::read_to_string(&path).unwrap();
        assert!(drawn.contains("kill -9 node (2)") && drawn.contains("pause Redis (1)"), "{drawn}");
        recoveries(&samples, "delivered again", |one| one.delivered_ms, &path).unwrap();
        assert!(!std::fs::read_to_string(&path).unwrap().contains("kill -9 node"));
    }

    #[test]
    fn a_staircase_begins_at_nothing_and_ends_at_all() {
        let steps = steps(&[2.0, 8.0], 100.0);
        assert_eq!(steps, [(1.0, 0.0), (2.0, 0.0), (2.0, 0.5), (8.0, 0.5), (8.0, 1.0), (100.0, 1.0)]);
    }
}
