//! The chart as SVG: what the screen shows of the curves, with a stroke pattern for each series besides its colour, so
//! that it can be read in black and white. No script, no reference to anything outside.
//!
//! Coordinates of curves are tenths of a unit, which keeps them short whole numbers.

mod lines;
mod style;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt::{Display, Write as _};

use jiff::tz::TimeZone;
use ratatui::layout::Rect;

use super::curve::{Curve, Sign};
use super::plane::Plane;
use super::{Seen, Series, axes, how, legend, order, ticks};
use crate::app::chart::ChartView;
use crate::app::words::number_text;
use crate::text::markup::escaped;
use crate::text::{sanitize, truncate_middle, width};
use crate::tracking::curve::Axis;
pub(in crate::ui) use style::{dashes, line, style};

/// Tenths in a unit.
const TENTHS: u32 = 10;
/// The room around a plot, in units: left for labels of heights, right for markers, above for the title, below for labels of
/// positions.
const MARGIN: [u32; 4] = [72, 24, 30, 44];
/// Width of a character of the legend, in units.
const CHARACTER: u32 = 7;
/// The line, the marker and the gaps of an entry of the legend, in units.
const ENTRY: u32 = 66;
/// The height of a line of the legend, in units.
const LINE: u32 = 18;
/// Most cells of a name in the legend.
const NAME: usize = 48;
/// Cells of a title that it has in any case.
const LEAST: usize = 10;
/// The width of a sign, in tenths: signs that are nearer are one.
const SIGN: usize = 80;

/// The form of a chart.
#[derive(Debug, Clone, Copy)]
pub(in crate::ui) struct Form {
    /// Width of the plot, in units.
    pub width: u16,
    /// Height of the plot, in units.
    pub height: u16,
    /// How many columns of the plot keep their lowest and highest value.
    pub columns: u16,
    /// Whether the names of the series stand below.
    pub legend: bool,
}

impl Form {
    /// A chart that is alone in its file.
    pub(in crate::ui) const LARGE: Form =
        Form { width: 800, height: 400, columns: 800, legend: true };
    /// A chart among others.
    pub(in crate::ui) const SMALL: Form =
        Form { width: 420, height: 220, columns: 420, legend: true };
}

/// A chart as elements of SVG, with its size.
#[derive(Debug)]
pub(in crate::ui) struct Figure {
    /// The elements.
    pub elements: String,
    /// Width and height, in units.
    pub size: (u32, u32),
}

impl Figure {
    /// Draws a chart.
    pub(in crate::ui) fn of(
        title: &str,
        series: &[Series<'_>],
        view: &ChartView,
        form: Form,
    ) -> Self {
        let [left, right, top, below] = MARGIN;
        let (wide, high) = (u32::from(form.width), u32::from(form.height));
        let mut size = (left + wide + right, top + high + below);
        let mut out = String::new();
        let how = how(view);
        let room = (wide / CHARACTER) as usize;
        let title = name(title, room.saturating_sub(width(&how) + 3).max(LEAST));
        text(&mut out, "title", (left, 18), "start", &escaped(&title));
        text(&mut out, "dim", (left + wide, 18), "end", &escaped(&how));
        let Some(Seen { window, crosshair, curves }) = Seen::of(series, view) else {
            text(&mut out, "dim", (left, top + 20), "start", "no values yet");
            return Figure { elements: out, size };
        };
        let range = axes::range(&curves);
        // The dots of a plane are the tenths of the plot.
        let area = Rect { width: form.width * 5, height: form.height * 5 / 2, ..Rect::ZERO };
        let plane = Plane { area, window, heights: range.unwrap_or((0.0, 1.0)) };
        let _ = writeln!(out, "<g transform=\"translate({left} {top})\">");
        heights(&mut out, &plane, view, range, wide);
        positions(&mut out, &plane, view.axis, (wide, high));
        let markers = legend::markers(series);
        let _ = writeln!(out, "<g transform=\"scale(.1)\">");
        if let Some(x) = crosshair {
            let x = plane.column(x);
            let _ = writeln!(out, "<path class=\"cross\" d=\"M{x} 0V{}\"/>", high * TENTHS);
        }
        for index in order(&curves, crosshair) {
            lines::write(&mut out, &curves[index], &plane, form.columns, index);
        }
        out.push_str("</g>\n");
        marks(&mut out, &plane, &curves, &markers, high);
        out.push_str("</g>\n");
        if form.legend {
            let place = crosshair.map(|x| legend::position(view.axis, x));
            let values: Vec<String> = curves
                .iter()
                .map(|curve| curve.value(crosshair).map_or("-".into(), number_text))
                .collect();
            size.1 += entries(&mut out, size, series, &values, &markers, place.as_deref());
        }
        Figure { elements: out, size }
    }

    /// The chart as an element of its own inside of HTML. `label` is read to people who don't see it.
    pub(in crate::ui) fn inline(&self, label: &str) -> String {
        let (wide, high) = self.size;
        format!(
            "<svg viewBox=\"0 0 {wide} {high}\" role=\"img\" aria-label=\"{}\">\n{}</svg>\n",
            escaped(&name(label, NAME)),
            self.elements
        )
    }
}

/// Charts of so many series beside and below each other as a document.
pub(in crate::ui) fn document(figures: &[Figure], across: usize, count: usize) -> String {
    let rows: Vec<&[Figure]> = figures.chunks(across.max(1)).collect();
    let row_height = |row: &[Figure]| row.iter().map(|one| one.size.1).max().unwrap_or(0);
    let row_width = |row: &[Figure]| row.iter().map(|one| one.size.0).sum::<u32>();
    let wide = rows.iter().map(|row| row_width(row)).max().unwrap_or(0);
    let high: u32 = rows.iter().map(|row| row_height(row)).sum();
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{wide}\" height=\"{high}\" \
         viewBox=\"0 0 {wide} {high}\">\n<style>\n{}{}</style>\n\
         <rect class=\"paper\" width=\"{wide}\" height=\"{high}\"/>\n",
        style("light"),
        dashes(count)
    );
    let mut y = 0;
    for row in rows {
        let mut x = 0;
        for figure in row {
            let _ = writeln!(svg, "<g transform=\"translate({x} {y})\">\n{}</g>", figure.elements);
            x += figure.size.0;
        }
        y += row_height(row);
    }
    svg + "</svg>\n"
}

/// Writes a text that is escaped already.
fn text(out: &mut String, class: &str, (x, y): (impl Display, u32), anchor: &str, escaped: &str) {
    let _ = writeln!(
        out,
        "<text class=\"{class}\" x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\">{escaped}</text>"
    );
}

/// Writes the labels at the left, with a line across the plot for each.
fn heights(
    out: &mut String,
    plane: &Plane,
    view: &ChartView,
    range: Option<(f64, f64)>,
    wide: u32,
) {
    const MOST: usize = 6;
    const ROOM: usize = 9;
    let ticks = range.map(|range| ticks::heights(view.scale, range, MOST, ROOM));
    for tick in ticks.unwrap_or_default() {
        let y = tenths(plane.row(tick.at));
        let _ = writeln!(out, "<path class=\"grid\" d=\"M0 {y}H{wide}\"/>");
        let _ = writeln!(
            out,
            "<text class=\"dim\" x=\"-6\" y=\"{y}\" dy=\".35em\" text-anchor=\"end\">{}</text>",
            escaped(&tick.label)
        );
    }
}

/// Writes the frame of the plot and the labels below.
fn positions(out: &mut String, plane: &Plane, axis: Axis, (wide, high): (u32, u32)) {
    /// The room of a label, in units.
    const LABEL: u32 = 100;
    let _ = writeln!(out, "<path class=\"axis\" d=\"M0 0V{high}H{wide}\"/>");
    let most = (wide / LABEL) as usize;
    for tick in axes::positions(axis, plane.window, most, &TimeZone::system()) {
        let x = tenths(plane.column(tick.at));
        let _ = writeln!(out, "<path class=\"axis\" d=\"M{x} {high}v5\"/>");
        text(out, "dim", (x, high + 19), "middle", &escaped(&tick.label));
    }
}

/// A number of tenths in units.
fn tenths(count: usize) -> String {
    match (count / TENTHS as usize, count % TENTHS as usize) {
        (units, 0) => units.to_string(),
        (units, rest) => format!("{units}.{rest}"),
    }
}

/// Writes signs at the edges where values are no points, stars at the best values, and markers at the ends of curves.
fn marks(out: &mut String, plane: &Plane, curves: &[Curve], markers: &[char], high: u32) {
    let mut signs = BTreeMap::new();
    for (index, curve) in curves.iter().enumerate() {
        for (x, sign) in &curve.signs {
            signs.insert((plane.column(*x) / SIGN, *sign as usize), (*x, *sign, index));
        }
    }
    for (x, sign, index) in signs.into_values() {
        let (sign, y) = match sign {
            Sign::Above => ("↑", 12),
            Sign::Below => ("↓", high - 3),
            Sign::Nan => ("?", high - 16),
        };
        let class = format!("sign {}", style::class(index));
        text(out, &class, (tenths(plane.column(x)), y), "middle", sign);
    }
    for (index, curve) in curves.iter().enumerate() {
        if let Some(best) = curve.best.filter(|_| curve.count > 1) {
            let (x, y) = (tenths(plane.column(best.x)), tenths(plane.row(best.y)));
            let _ = writeln!(
                out,
                "<text class=\"best\" x=\"{x}\" y=\"{y}\" dy=\".35em\" text-anchor=\"middle\">★</text>"
            );
        }
        if let (Some(end), Some(marker)) = (curve.end, markers.get(index)) {
            let (x, y) = (tenths(plane.column(end.x)), tenths(plane.row(end.y)));
            let class = style::class(index);
            let _ = writeln!(
                out,
                "<text class=\"sign {class}\" x=\"{x}\" y=\"{y}\" dx=\"4\" dy=\".35em\">{marker}</text>"
            );
        }
    }
}

/// Writes the legend below a chart of this size: for each series its line, its marker, its name and a value. Returns its
/// height.
fn entries(
    out: &mut String,
    (wide, top): (u32, u32),
    series: &[Series<'_>],
    values: &[String],
    markers: &[char],
    place: Option<&str>,
) -> u32 {
    let texts: Vec<String> = series
        .iter()
        .zip(values)
        .map(|(series, value)| format!("{}  {value}", name(series.name, NAME)))
        .collect();
    let [left, ..] = MARGIN;
    let cells = texts.iter().map(|text| width(text)).max().unwrap_or(0) as u32;
    let column = cells * CHARACTER + ENTRY;
    let across = ((wide - left) / column).max(1) as usize;
    let mut below = top;
    if let Some(place) = place {
        text(out, "dim", (left, below + 12), "start", &escaped(place));
        below += LINE;
    }
    for (index, entry) in texts.iter().enumerate() {
        let x = left + (index % across) as u32 * column;
        let y = below + (index / across) as u32 * LINE + 8;
        let _ = writeln!(
            out,
            "<path class=\"{}\" transform=\"translate({x} {y}) scale(.1)\" d=\"M0 0h360\"/>",
            style::line(index)
        );
        let class = format!("sign {}", style::class(index));
        text(out, &class, (x + 42, y + 4), "start", &markers[index].to_string());
        text(out, "", (x + 54, y + 4), "start", &escaped(entry));
    }
    below - top + texts.len().div_ceil(across) as u32 * LINE + LINE / 2
}

/// A name in so many cells. What they can't show is cut before the name is measured.
fn name(name: &str, cells: usize) -> String {
    const LOOKED_AT: usize = 1_000;
    let short: String = name.chars().take(LOOKED_AT).collect();
    truncate_middle(&sanitize(&short), cells)
}
