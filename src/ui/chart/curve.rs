//! The visible part of a series, and what the columns of dots show of it.

use super::canvas::Canvas;
use super::plane::Plane;
use crate::app::chart::{ChartView, Track};
use crate::tracking::Goal;
use crate::tracking::curve::{Split, Spot, smooth, split_since};
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
    /// The lowest and the highest height that is drawn.
    pub heights: Option<(f64, f64)>,
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
        let line = if smoothed.is_some() { extremes(&curve.line) } else { None };
        let ends = [enter, leave].into_iter().flatten().map(|spot| (spot, spot));
        let drawn = line.into_iter().chain(curve.extremes).chain(ends);
        curve.heights =
            drawn.map(|(low, high)| (low.y, high.y)).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
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

    /// Draws the dots: raw values alone, the line from point to point.
    pub(super) fn trace(&self, plane: &Plane, canvas: &mut Canvas, owner: usize) {
        for column in columns(&self.raw, |x| plane.column(x)) {
            for spot in column.kept() {
                canvas.faint(column.at, plane.row(spot.y));
            }
        }
        let mut previous: Option<(usize, Spot)> = None;
        for column in columns(&self.line, |x| plane.column(x)) {
            self.link(plane, canvas, previous, (column.at, column.first), owner);
            let rows = (plane.row(column.high.y), plane.row(column.low.y));
            canvas.upright(column.at, rows, owner);
            previous = Some((column.at, column.last));
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
            let joined = pieces.last_mut().filter(|piece| {
                piece.last().is_some_and(|from| !self.is_broken(*from, column.first))
            });
            match joined {
                Some(piece) => piece.extend(column.kept()),
                None => pieces.push(column.kept().collect()),
            }
        }
        pieces
    }
}

/// The values of one column of dots that show.
struct Column {
    at: usize,
    first: Spot,
    low: Spot,
    high: Spot,
    last: Spot,
}

impl Column {
    /// The values in order, each once.
    fn kept(&self) -> impl Iterator<Item = Spot> + use<> {
        let (one, other) = match self.low.x <= self.high.x {
            true => (self.low, self.high),
            false => (self.high, self.low),
        };
        let mut previous = None;
        let all = [self.first, one, other, self.last].into_iter();
        all.filter(move |spot| previous.replace(*spot) != Some(*spot))
    }
}

/// The values that the columns of dots show: the first, lowest, highest and last one of each column.
fn columns(spots: &[Spot], column: impl Fn(f64) -> usize) -> impl Iterator<Item = Column> {
    let mut spots = spots.iter().map(move |spot| (column(spot.x), *spot)).peekable();
    std::iter::from_fn(move || {
        let (at, first) = spots.next()?;
        let mut found = Column { at, first, low: first, high: first, last: first };
        while let Some((_, spot)) = spots.next_if(|(next, _)| *next <= at) {
            if spot.y < found.low.y {
                found.low = spot;
            }
            if spot.y > found.high.y {
                found.high = spot;
            }
            found.last = spot;
        }
        Some(found)
    })
}

/// The point of the line from `a` to `b` at a position between them.
fn between(a: Spot, b: Spot, x: f64) -> Spot {
    let part = if b.x > a.x { ((x - a.x) / (b.x - a.x)).clamp(0.0, 1.0) } else { 0.0 };
    Spot { x, y: a.y * (1.0 - part) + b.y * part }
}

/// The first of the lowest and the first of the highest.
fn extremes(spots: &[Spot]) -> Option<(Spot, Spot)> {
    let (mut low, mut high) = (*spots.first()?, *spots.first()?);
    for spot in spots {
        if spot.y < low.y {
            low = *spot;
        } else if spot.y > high.y {
            high = *spot;
        }
    }
    Some((low, high))
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
