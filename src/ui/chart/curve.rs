//! The visible part of a series, and what the columns of dots show of it.

use super::canvas::Canvas;
use super::plane::Plane;
use crate::app::chart::{ChartView, Track};
use crate::tracking::Goal;
use crate::tracking::curve::{Split, Spot, decimate, smooth, split_since};
use crate::tracking::entities::Point;

/// A value that is not drawn as a dot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// Not a number.
    Nan,
    /// Infinity.
    Above,
    /// Negative infinity, or a value that has no logarithm.
    Below,
}

/// The visible part of a series.
#[derive(Debug, Default)]
pub(super) struct Curve {
    /// The line, with points at the ends of the window where it goes on outside.
    pub line: Vec<Spot>,
    /// The raw values, if the line is smoothed.
    pub raw: Vec<Spot>,
    /// Positions of what is not drawn as a dot, in order. The line is interrupted there.
    pub signs: Vec<(f64, Sign)>,
    /// The lowest and the highest raw value in the window.
    pub extremes: Option<(Spot, Spot)>,
    /// The number of raw values in the window that are drawn.
    pub count: usize,
    /// The best raw value in the window.
    pub best: Option<Spot>,
    /// The end of the line.
    pub end: Option<Spot>,
    /// The value of the last point in the window.
    pub last: Option<f64>,
    /// Position and value of the point nearest to the crosshair.
    pub nearest: Option<(f64, f64)>,
}

impl Curve {
    pub(super) fn of(
        track: &Track<'_>,
        goal: Option<Goal>,
        view: &ChartView,
        window: (f64, f64),
        crosshair: Option<f64>,
    ) -> Self {
        let range = track.within(window);
        let part = |points: &[Point]| split_since(track.start, points, view.axis, view.scale);
        let raw = part(&track.points[range.clone()]);
        let mut curve = Curve {
            signs: signs(&raw),
            extremes: extremes(&raw.spots),
            count: raw.spots.len(),
            best: goal.and_then(|goal| best(&raw.spots, goal)),
            last: track.points[range.clone()].last().map(|point| point.value),
            nearest: crosshair
                .and_then(|x| track.nearest(x).map(|point| (track.position(point), point.value))),
            ..Curve::default()
        };
        let smoothed = (view.smoothing > 0.0).then(|| smooth(&track.points, view.smoothing));
        let points = smoothed.as_deref().unwrap_or(&track.points);
        match smoothed {
            Some(_) => (curve.line, curve.raw) = (part(&points[range.clone()]).spots, raw.spots),
            None => curve.line = raw.spots,
        }
        let spot = |index: usize| part(points.get(index..=index)?).spots.first().copied();
        let before = range.start.checked_sub(1).and_then(spot);
        let inside = (!range.is_empty()).then(|| (spot(range.start), spot(range.end - 1)));
        let after = (range.end < points.len()).then(|| spot(range.end)).flatten();
        let (first, last) = inside.unwrap_or((after, before));
        let enter = before.zip(first).map(|(a, b)| between(a, b, window.0));
        let leave = last.zip(after).map(|(a, b)| between(a, b, window.1));
        if let Some(enter) = enter {
            curve.line.insert(0, enter);
        }
        curve.line.extend(leave);
        curve.end = curve.line.last().copied();
        curve
    }

    /// The value at the crosshair, else the last one in the window.
    pub(super) fn value(&self, crosshair: Option<f64>) -> Option<f64> {
        if crosshair.is_some() { self.nearest.map(|at| at.1) } else { self.last }
    }

    /// The lowest and the highest height that is drawn.
    pub(super) fn heights(&self) -> Option<(f64, f64)> {
        let line = extremes(&self.line);
        let both = line.into_iter().chain(self.extremes);
        both.map(|(low, high)| (low.y, high.y)).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
    }

    /// Draws the dots: raw values alone, the line from point to point.
    pub(super) fn trace(&self, plane: &Plane, canvas: &mut Canvas, owner: usize) {
        for column in columns(&self.raw, |x| plane.column(x)) {
            for spot in &column.kept {
                canvas.faint(column.at, plane.row(spot.y));
            }
        }
        let mut previous: Option<(usize, Spot)> = None;
        for column in columns(&self.line, |x| plane.column(x)) {
            let [first, .., last] = *column.kept else {
                // One value alone, which is its own first and last.
                let Some(only) = column.kept.first().copied() else { continue };
                self.link(plane, canvas, previous, (column.at, only), owner);
                canvas.upright(column.at, (plane.row(only.y), plane.row(only.y)), owner);
                previous = Some((column.at, only));
                continue;
            };
            self.link(plane, canvas, previous, (column.at, first), owner);
            let rows = column.kept.iter().map(|spot| plane.row(spot.y));
            let (top, bottom) =
                rows.fold((usize::MAX, 0), |(top, bottom), row| (top.min(row), bottom.max(row)));
            canvas.upright(column.at, (top, bottom), owner);
            previous = Some((column.at, last));
        }
    }

    /// Draws the line to a point from the one before, unless something between them is no number.
    fn link(
        &self,
        plane: &Plane,
        canvas: &mut Canvas,
        from: Option<(usize, Spot)>,
        to: (usize, Spot),
        owner: usize,
    ) {
        let Some((column, spot)) = from else { return };
        if !self.is_broken(spot, to.1) {
            canvas.line((column, plane.row(spot.y)), (to.0, plane.row(to.1.y)), owner);
        }
    }

    /// Whether something between two points is no number.
    fn is_broken(&self, from: Spot, to: Spot) -> bool {
        let next = self.signs.partition_point(|(x, _)| *x < from.x);
        self.signs.get(next).is_some_and(|(x, _)| *x <= to.x)
    }

    /// The unbroken pieces of the line, or of the raw values, reduced to what columns of positions can show.
    pub(super) fn pieces(&self, spots: &[Spot], column: impl Fn(f64) -> usize) -> Vec<Vec<Spot>> {
        let mut pieces: Vec<Vec<Spot>> = Vec::new();
        for column in columns(spots, column) {
            let first = column.kept.first().copied();
            let joined = pieces.last_mut().filter(|piece| {
                let ends = piece.last().copied().zip(first);
                ends.is_some_and(|(from, to)| !self.is_broken(from, to))
            });
            match joined {
                Some(piece) => piece.extend(column.kept),
                None => pieces.push(column.kept),
            }
        }
        pieces
    }
}

/// The values of one column of dots: first, lowest, highest and last.
struct Column {
    at: usize,
    kept: Vec<Spot>,
}

/// The values that the columns of dots show. Each column is decimated alone, because a series may begin and end
/// elsewhere than the window.
fn columns(spots: &[Spot], column: impl Fn(f64) -> usize) -> impl Iterator<Item = Column> {
    let mut rest = spots;
    std::iter::from_fn(move || {
        let at = column(rest.first()?.x);
        let end = rest.partition_point(|spot| column(spot.x) <= at);
        let (own, others) = rest.split_at(end);
        rest = others;
        Some(Column { at, kept: decimate(own, 1) })
    })
}

/// The point of the line from `a` to `b` at a position between them.
fn between(a: Spot, b: Spot, x: f64) -> Spot {
    let part = if b.x > a.x { ((x - a.x) / (b.x - a.x)).clamp(0.0, 1.0) } else { 0.0 };
    Spot { x, y: a.y * (1.0 - part) + b.y * part }
}

fn extremes(spots: &[Spot]) -> Option<(Spot, Spot)> {
    let first = *spots.first()?;
    let wider = |(low, high): (Spot, Spot), spot: &Spot| {
        (if spot.y < low.y { *spot } else { low }, if spot.y > high.y { *spot } else { high })
    };
    Some(spots.iter().fold((first, first), wider))
}

fn best(spots: &[Spot], goal: Goal) -> Option<Spot> {
    spots.iter().copied().reduce(|best, spot| match goal.prefers(spot.y, best.y) {
        true => spot,
        false => best,
    })
}

fn signs(split: &Split) -> Vec<(f64, Sign)> {
    let kinds = [
        (&split.nan, Sign::Nan),
        (&split.infinite, Sign::Above),
        (&split.negative_infinite, Sign::Below),
        (&split.not_positive, Sign::Below),
    ];
    let mut signs: Vec<(f64, Sign)> =
        kinds.into_iter().flat_map(|(list, sign)| list.iter().map(move |x| (*x, sign))).collect();
    signs.sort_by(|a, b| a.0.total_cmp(&b.0));
    signs
}
