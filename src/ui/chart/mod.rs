//! The chart of metrics: curves of several series in braille dots, between two axes.
//!
//! [`draw`] is the way in. What is visible is in [`ChartView`].
//!
//! - `curve`: the visible part of a series, reduced to what the columns of dots can show.
//! - `plane`: where positions and heights are on the screen.
//! - `canvas`: the dots, and the series that each cell belongs to.
//! - `ticks`, `clock`: round numbers and times on the axes, and their labels.
//! - `axes`: draws both axes.
//! - `marks`: the signs and values that lie on the plot.
//! - `legend`: the names and values of the series.
//! - `spark`: the form of one line.
//! - [`svg`]: the same chart as SVG.

mod axes;
mod canvas;
mod clock;
mod curve;
mod legend;
mod marks;
mod plane;
mod spark;
pub(in crate::ui) mod svg;
#[cfg(test)]
mod tests;
mod ticks;

use ratatui::layout::Rect;
use ratatui::style::{Color, Style};

use super::paint::Paint;
use super::theme::{Role, Theme};
use crate::app::chart::{ChartView, Track, extent};
use crate::text::width;
use crate::tracking::Goal;
use crate::tracking::curve::{Axis, Scale};
use crate::tracking::entities::Point;
pub(in crate::ui) use canvas::Canvas;
use curve::Curve;
pub(in crate::ui) use legend::markers;
pub(in crate::ui) use plane::Plane;
pub(in crate::ui) use ticks::Tick;

/// The smallest area with axes, in cells; smaller ones have a sparkline.
const SMALLEST: (u16, u16) = (12, 4);
/// Areas of at least this height have a legend.
const WITH_LEGEND: u16 = 6;
/// Areas of at least this height have a line between the plot and the labels below.
const WITH_RULE: u16 = 8;
/// The roles whose colours tell series apart, the most different ones first.
const ROLES: [Role; 12] = [
    Role::Accent,
    Role::Warning,
    Role::Good,
    Role::Keyword,
    Role::Bad,
    Role::Operator,
    Role::Dataset,
    Role::Parameters,
    Role::String,
    Role::Number,
    Role::Text,
    Role::Dim,
];

/// A metric of a run.
#[derive(Debug, Clone, Copy)]
pub(in crate::ui) struct Series<'a> {
    /// The name in the legend.
    pub name: &'a str,
    /// The points, in any order.
    pub points: &'a [Point],
    /// Which values are best, if that is known.
    pub best: Option<Goal>,
}

/// What a chart shows of its series.
struct Seen {
    /// The first and the last position.
    window: (f64, f64),
    /// The position of the crosshair, if it is in the window.
    crosshair: Option<f64>,
    /// The visible part of each series.
    curves: Vec<Curve>,
}

impl Seen {
    /// The visible part of some series; `None` without values.
    fn of(series: &[Series<'_>], view: &ChartView) -> Option<Seen> {
        let tracks: Vec<Track<'_>> =
            series.iter().map(|series| Track::of(series.points, view.axis)).collect();
        let window = view.visible(extent(&tracks)?);
        let crosshair = view.crosshair.filter(|x| (window.0..=window.1).contains(x));
        let curves = series
            .iter()
            .zip(&tracks)
            .map(|(series, track)| Curve::of(track, series.best, view, window, crosshair))
            .collect();
        Some(Seen { window, crosshair, curves })
    }
}

/// Draws the curves of some series with axes and a legend, or a sparkline where there is no room.
pub(in crate::ui) fn draw(
    paint: &mut Paint<'_>,
    area: Rect,
    title: &str,
    series: &[Series<'_>],
    view: &ChartView,
) {
    let area = area.intersection(paint.buffer.area);
    if area.is_empty() {
        return;
    }
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        spark::draw(paint, area, series);
        return;
    }
    heading(paint, area, title, view);
    let Some(Seen { window, crosshair, curves }) = Seen::of(series, view) else {
        let rest = Rect { y: area.y + 1, height: area.height - 1, ..area };
        paint.note(rest, &["no values yet"]);
        return;
    };
    let markers = legend::markers(series);
    let lines = match area.height < WITH_LEGEND {
        true => Vec::new(),
        false => legend::lines(area, series, &curves, view.axis, crosshair),
    };
    let below = if area.height < WITH_RULE { 1 } else { 2 };
    let height = area.height - 1 - below - lines.len() as u16;
    let body = Rect { y: area.y + 1, height, ..area };
    let plane = axes::draw(paint, body, &curves, view, window, below == 2);
    let styles = colours(paint.theme, series.len());
    let mut canvas = Canvas::new(plane.area);
    for index in order(&curves, crosshair) {
        curves[index].trace(&plane, &mut canvas, index);
    }
    canvas.draw(paint, &styles);
    if let Some(x) = crosshair {
        marks::crosshair(paint, &plane, x);
    }
    marks::draw(paint, &plane, view.scale, &curves, &markers, &styles);
    legend::draw(paint, area, &lines, &markers, &styles);
}

/// Round numbers between two, at most `most`, with labels of at most `room` cells.
pub(in crate::ui) fn numbers(extent: (f64, f64), most: usize, room: usize) -> Vec<Tick> {
    let (low, high) = plane::heights(extent.0, extent.1);
    ticks::heights(Scale::Linear, (low, high), most, room)
}

/// The title, and at its right how the curves are shown.
fn heading(paint: &mut Paint<'_>, area: Rect, title: &str, view: &ChartView) {
    let how = how(view);
    let room = usize::from(area.width);
    let cells = width(title).min(room / 2) + width(&how) + 2;
    let mut free = area.width;
    if cells <= room {
        free = paint.right(area.right(), area.y, &how, Role::Dim, area.width) - area.x - 2;
    }
    paint.name(area.x, area.y, title, Role::Title, free);
}

/// How the curves are shown, in words.
fn how(view: &ChartView) -> String {
    let axis = match view.axis {
        Axis::Step => "step",
        Axis::Time => "time",
        Axis::Relative => "since the start",
    };
    let mut how = axis.to_owned();
    if view.scale == Scale::Logarithmic {
        how += " · logarithmic";
    }
    if view.smoothing > 0.0 {
        how += &format!(" · smoothed {}", view.smoothing);
    }
    if view.window.is_some() {
        how += " · zoomed";
    }
    how
}

/// The order in which curves are drawn: as given, but the series with a point nearest to the crosshair comes last, so
/// that it is on top.
fn order(curves: &[Curve], crosshair: Option<f64>) -> Vec<usize> {
    let mut order: Vec<usize> = (0..curves.len()).collect();
    let distance = |curve: &Curve| {
        let far = curve.nearest.zip(crosshair).map(|((near, _), x)| (near - x).abs());
        far.unwrap_or(f64::INFINITY)
    };
    let all = curves.iter().enumerate();
    let top = all.min_by(|(_, a), (_, b)| distance(a).total_cmp(&distance(b)));
    if let (Some((top, _)), Some(_)) = (top, crosshair) {
        order.remove(top);
        order.push(top);
    }
    order
}

/// The colours of so many series: different ones as long as the theme has some.
fn colours(theme: &Theme, count: usize) -> Vec<Style> {
    let mut found: Vec<Color> = Vec::new();
    for role in ROLES {
        let colour = theme.style(role).fg.unwrap_or(Color::Reset);
        if !found.contains(&colour) {
            found.push(colour);
        }
    }
    found.iter().cycle().take(count).map(|colour| Style::new().fg(*colour)).collect()
}
