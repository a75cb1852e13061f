//! Charts of a report as SVG that stands inside a page: lines over time, and how often which time was measured.
//! Must never refer to anything outside: no fonts, no pictures, no name spaces to fetch.

use std::ops::Range;

use anyhow::{Result, anyhow};
use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint};
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;

const SIZE: (u32, u32) = (960, 260);
/// Told apart by people who do not see all colours (Okabe and Ito).
pub const COLOURS: [RGBColor; 5] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(170, 170, 170),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
];
const INK: RGBColor = RGBColor(70, 70, 70);
const GRID: RGBColor = RGBColor(226, 226, 226);
const SHADE: RGBColor = RGBColor(120, 140, 170);
/// Narrower spans have no room for their name, at so many pixels a letter.
const LETTER: i32 = 7;
/// Marks of an axis, about.
const MARKS: f64 = 12.0;

/// One line.
#[derive(Clone, Debug)]
pub struct Series {
    /// For the legend.
    pub name: &'static str,
    /// In order of x.
    pub points: Vec<(f64, f64)>,
}

/// A stretch of x with a name.
#[derive(Clone, Debug)]
pub struct Band {
    /// Where it begins.
    pub from: f64,
    /// Where it ends.
    pub to: f64,
    /// For those who read.
    pub name: String,
    /// The warm-up is shaded.
    pub measured: bool,
}

/// A chart to be drawn.
#[derive(Clone, Debug, Default)]
pub struct Chart {
    /// What is drawn; the first matters most.
    pub series: Vec<Series>,
    /// Behind it.
    pub bands: Vec<Band>,
    /// How far the foot goes at least.
    pub until: f64,
    /// Written at the foot.
    pub x: &'static str,
    /// Written at the side.
    pub y: &'static str,
    /// Of the foot.
    pub foot: Scale,
    /// Of the side.
    pub side: Scale,
}

/// How values become places.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scale {
    /// From 0, evenly.
    #[default]
    Plain,
    /// Ten times as much is one step further.
    Log,
    /// Shares: one nine more is one step further.
    Nines,
}

impl Scale {
    fn place(self, value: f64) -> f64 {
        match self {
            Self::Plain => value,
            Self::Log => value.max(0.001).log10(),
            Self::Nines => -(1.0 - value).max(1e-9).log10(),
        }
    }

    fn label(self, place: f64) -> String {
        match self {
            Self::Plain => number(place),
            Self::Log => number(10_f64.powf(place)),
            Self::Nines => {
                let share = 100.0 * (1.0 - 10_f64.powf(-place));
                format!("{} %", (share * 10_000.0).round() / 10_000.0)
            }
        }
    }

    /// From the least to the greatest of these values, with some room above.
    fn range(self, values: impl Iterator<Item = f64>, room: f64) -> Range<f64> {
        let places = values.map(|value| self.place(value)).filter(|place| place.is_finite());
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        places.for_each(|place| (low, high) = (low.min(place), high.max(place)));
        if self != Self::Log {
            low = 0.0;
        }
        if high <= low || !high.is_finite() || !low.is_finite() {
            return if high.is_finite() { high.min(low)..high.min(low) + 1.0 } else { 0.0..1.0 };
        }
        low..high + room * (high - low)
    }

    /// Where an axis is labelled.
    fn marks(self, range: &Range<f64>) -> Vec<f64> {
        let steps = |most: f64| -> Vec<f64> {
            let rough = (range.end - range.start).max(f64::MIN_POSITIVE) / most;
            let power = 10_f64.powf(rough.log10().floor());
            let step = [1.0, 2.0, 5.0, 10.0].map(|times| times * power).into_iter().find(|step| *step >= rough);
            (0..=40).map(|number| range.start + step.unwrap_or(rough) * f64::from(number)).collect()
        };
        let marks: Vec<f64> = match self {
            Self::Plain => steps(MARKS),
            Self::Log => {
                (-3..7).flat_map(|power| [1.0, 2.0, 5.0].map(|times: f64| f64::from(power) + times.log10())).collect()
            }
            Self::Nines => {
                [0.0, 0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999, 0.999_999].map(|share| self.place(share)).to_vec()
            }
        };
        marks.into_iter().filter(|mark| *mark >= range.start - 1e-9 && *mark <= range.end + 1e-9).collect()
    }
}

/// An axis with marks of our own.
struct Axis {
    inner: RangedCoordf64,
    marks: Vec<f64>,
}

impl Axis {
    /// With at most so many marks.
    fn of(scale: Scale, range: Range<f64>, most: usize) -> Self {
        let marks = scale.marks(&range);
        let every = marks.len().div_ceil(most.max(1)).max(1);
        Self { marks: marks.into_iter().step_by(every).collect(), inner: range.into() }
    }
}

impl Ranged for Axis {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        self.inner.map(value, limit)
    }

    fn key_points<Hint: KeyPointHint>(&self, _hint: Hint) -> Vec<f64> {
        self.marks.clone()
    }

    fn range(&self) -> Range<f64> {
        self.inner.range()
    }
}

impl Chart {
    /// As SVG, without the declarations that only files need.
    ///
    /// # Errors
    /// The chart cannot be drawn.
    pub fn svg(&self) -> Result<String> {
        let mut drawn = String::new();
        self.draw(&mut drawn).map_err(|why| anyhow!("cannot draw: {why}"))?;
        let at = drawn.find("<svg").unwrap_or(0);
        Ok(drawn[at..].replace(" xmlns=\"http://www.w3.org/2000/svg\"", "").replace("<svg ", "<svg role=\"img\" "))
    }

    fn draw<'a>(&'a self, to: &'a mut String) -> Result<(), Box<dyn std::error::Error + 'a>> {
        let page = SVGBackend::with_string(to, SIZE).into_drawing_area();
        page.fill(&WHITE)?;
        let points = || self.series.iter().flat_map(|series| &series.points);
        let bands = self.bands.iter().map(|band| band.to);
        let least = (self.foot == Scale::Plain).then_some(self.until);
        let x = self.foot.range(points().map(|point| point.0).chain(bands).chain(least), 0.0);
        let y = self.side.range(points().map(|point| point.1), 0.12);
        let (low, high) = (y.start, y.end);
        let (foot, side) = (self.foot, self.side);
        let mut chart = ChartBuilder::on(&page)
            .margin(8)
            .margin_right(20)
            .x_label_area_size(38)
            .y_label_area_size(64)
            .build_cartesian_2d(Axis::of(foot, x, 20), Axis::of(side, y, 8))?;
        chart
            .configure_mesh()
            .x_desc(self.x)
            .y_desc(self.y)
            .x_label_formatter(&move |place| foot.label(*place))
            .y_label_formatter(&move |place| side.label(*place))
            .axis_desc_style(("sans-serif", 13, &INK))
            .label_style(("sans-serif", 12, &INK))
            .bold_line_style(GRID)
            .light_line_style(TRANSPARENT)
            .axis_style(INK)
            .draw()?;
        for (number, band) in self.bands.iter().enumerate() {
            let strength = if band.measured { 0.05 * f64::from(u8::from(number % 2 == 1)) } else { 0.18 };
            let area = [(band.from, low), (band.to, high)];
            chart.draw_series([Rectangle::new(area, SHADE.mix(strength).filled())])?;
            let width = chart.backend_coord(&(band.to, high)).0 - chart.backend_coord(&(band.from, high)).0;
            if usize::try_from(width / LETTER).is_ok_and(|room| band.name.chars().count() < room) {
                let text = Text::new(band.name.clone(), (4, 3), ("sans-serif", 12).into_font().color(&INK));
                chart.draw_series([EmptyElement::at((band.from, high)) + text])?;
            }
        }
        // The first one matters most and lies on top.
        for (number, series) in self.series.iter().enumerate().rev() {
            let colour = COLOURS[number % COLOURS.len()];
            let points = series.points.iter().map(|&(x, y)| (foot.place(x), side.place(y)));
            chart.draw_series(LineSeries::new(points, colour.stroke_width(2)))?;
        }
        page.present()?;
        Ok(())
    }
}

/// With as many digits as one reads.
#[must_use]
pub fn number(value: f64) -> String {
    let size = value.abs();
    if size >= 1e6 {
        format!("{}M", trimmed(value / 1e6))
    } else if size >= 10_000.0 {
        format!("{}k", trimmed(value / 1e3))
    } else if size >= 100.0 {
        format!("{value:.0}")
    } else {
        trimmed(value)
    }
}

fn trimmed(value: f64) -> String {
    let text = if value.abs() >= 10.0 { format!("{value:.1}") } else { format!("{value:.2}") };
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_are_marked_at_numbers_that_people_use() {
        let told = |scale: Scale, range: Range<f64>| -> Vec<String> {
            scale.marks(&range).into_iter().map(|mark| scale.label(mark)).collect()
        };
        assert_eq!(told(Scale::Plain, 0.0..26.0).join(" "), "0 5 10 15 20 25");
        assert_eq!(told(Scale::Log, -0.1..2.4).join(" "), "1 2 5 10 20 50 100 200");
        assert_eq!(told(Scale::Nines, 0.0..4.2).join(" "), "0 % 50 % 90 % 99 % 99.9 % 99.99 %");
    }

    #[test]
    fn numbers_are_short() {
        let told = [0.0, 0.25, 3.0, 14.17, 99.96, 123.4, 9_999.0, 12_345.0, 2e6].map(number);
        assert_eq!(told, ["0", "0.25", "3", "14.2", "100", "123", "9999", "12.3k", "2M"]);
    }

    #[test]
    fn nothing_and_one_point_can_be_drawn() {
        let chart = |points| Chart { series: vec![Series { name: "x", points }], side: Scale::Log, ..Chart::default() };
        for points in
            [vec![], vec![(1.0, 0.0)], vec![(0.0, 5.0), (0.0, 5.0)], vec![(f64::NAN, 5.0), (1.0, f64::INFINITY)]]
        {
            assert!(chart(points).svg().unwrap().ends_with("</svg>\n"));
        }
    }
}
