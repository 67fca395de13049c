//! What a chart of metrics shows: its axes, smoothing, the visible window and the crosshair.
//!
//! The drawing is in `ui`. All methods keep the window inside of the data and never make it empty.

use std::borrow::Cow;
use std::ops::Range;

use crate::tracking::curve::{Axis, Scale, ordered};
use crate::tracking::entities::Point;

/// The weights that smoothing steps through.
pub const SMOOTHING: [f64; 5] = [0.0, 0.5, 0.8, 0.9, 0.95];

/// The points of one series in order along an axis, with their positions.
#[derive(Debug, Clone)]
pub struct Track<'a> {
    /// The points, in order.
    pub points: Cow<'a, [Point]>,
    /// The time of the first point.
    pub start: i64,
    axis: Axis,
}

impl<'a> Track<'a> {
    /// Puts the points of a series in order.
    pub fn of(points: &'a [Point], axis: Axis) -> Self {
        let points = ordered(points, axis);
        // Only relative positions need the start, and their points are in order of time.
        let start = points.first().map_or(0, |point| point.timestamp);
        Track { points, start, axis }
    }

    /// The position of a point along the axis.
    pub fn position(&self, point: &Point) -> f64 {
        self.axis.position(point, self.start)
    }

    /// The first and the last position.
    pub fn extent(&self) -> Option<(f64, f64)> {
        let (first, last) = (self.points.first()?, self.points.last()?);
        Some((self.position(first), self.position(last)))
    }

    /// The points inside of a window, including those at its ends.
    pub fn within(&self, (from, to): (f64, f64)) -> Range<usize> {
        let begin = self.points.partition_point(|point| self.position(point) < from);
        let end = self.points.partition_point(|point| self.position(point) <= to);
        begin..end.max(begin)
    }

    /// The point nearest to a position; the last one of several at the same position.
    pub fn nearest(&self, x: f64) -> Option<&Point> {
        let after = self.points.partition_point(|point| self.position(point) <= x);
        let before = after.checked_sub(1).map(|index| &self.points[index]);
        let Some(next) = self.points.get(after).map(|point| self.position(point)) else {
            return before;
        };
        match before {
            Some(point) if x - self.position(point) <= next - x => Some(point),
            _ => {
                let same = self.points.partition_point(|point| self.position(point) <= next);
                same.checked_sub(1).map(|index| &self.points[index])
            }
        }
    }
}

/// The first and the last position of several series.
pub fn extent<'t, 'p: 't>(tracks: impl IntoIterator<Item = &'t Track<'p>>) -> Option<(f64, f64)> {
    let extents = tracks.into_iter().filter_map(Track::extent);
    extents.reduce(|all, own| (all.0.min(own.0), all.1.max(own.1)))
}

/// What a chart shows. Positions are those of the axis.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ChartView {
    /// The horizontal axis.
    pub axis: Axis,
    /// The scale of the heights.
    pub scale: Scale,
    /// The weight of the past in smoothed curves; 0 smooths nothing.
    pub smoothing: f64,
    /// The visible part of the axis; `None` shows all.
    pub window: Option<(f64, f64)>,
    /// The position of the crosshair.
    pub crosshair: Option<f64>,
}

impl ChartView {
    /// The part of the axis that is shown, of data with this first and last position.
    pub fn visible(&self, data: (f64, f64)) -> (f64, f64) {
        let inside = |(from, to): (f64, f64)| (from.max(data.0), to.min(data.1));
        self.window.map(inside).filter(|(from, to)| from < to).unwrap_or(data)
    }

    /// Shows half of the window, around the crosshair if it is visible, else around the middle.
    pub fn zoom_in(&mut self, data: (f64, f64)) {
        self.zoom(data, 0.5);
    }

    /// Shows twice the window.
    pub fn zoom_out(&mut self, data: (f64, f64)) {
        self.zoom(data, 2.0);
    }

    fn zoom(&mut self, data: (f64, f64), factor: f64) {
        let (from, to) = self.visible(data);
        let old = to - from;
        let span = (old * factor).max(self.narrowest(data).min(old));
        let seen = self.crosshair.filter(|x| (from..=to).contains(x));
        let fixed = seen.unwrap_or(from / 2.0 + to / 2.0);
        self.show(fixed - (fixed - from) / old * span, span, data);
    }

    /// Moves the window by a part of its width, to the left if `part` is negative.
    pub fn pan(&mut self, data: (f64, f64), part: f64) {
        let (from, to) = self.visible(data);
        self.show(from + (to - from) * part, to - from, data);
    }

    /// Shows all, without a crosshair. The axis, the scale and the smoothing stay.
    pub fn reset(&mut self) {
        (self.window, self.crosshair) = (None, None);
    }

    /// Changes to the next axis. Windows and crosshairs are positions of one axis, so they are reset.
    pub fn cycle_axis(&mut self) {
        self.axis = match self.axis {
            Axis::Step => Axis::Time,
            Axis::Time => Axis::Relative,
            Axis::Relative => Axis::Step,
        };
        self.reset();
    }

    /// Changes between the linear and the logarithmic scale.
    pub fn toggle_scale(&mut self) {
        self.scale = match self.scale {
            Scale::Linear => Scale::Logarithmic,
            Scale::Logarithmic => Scale::Linear,
        };
    }

    /// Smooths by the next larger weight of [`SMOOTHING`].
    pub fn smooth_more(&mut self) {
        let more = SMOOTHING.into_iter().find(|weight| *weight > self.smoothing);
        self.smoothing = more.unwrap_or(SMOOTHING[SMOOTHING.len() - 1]);
    }

    /// Smooths by the next smaller weight of [`SMOOTHING`].
    pub fn smooth_less(&mut self) {
        let less = SMOOTHING.into_iter().rev().find(|weight| *weight < self.smoothing);
        self.smoothing = less.unwrap_or(SMOOTHING[0]);
    }

    /// Moves the crosshair by a number of points of a series, to the left if `by` is negative; the points at one
    /// position count once. A new crosshair starts at the first or the last visible point. The window follows.
    pub fn move_crosshair(&mut self, track: &Track<'_>, data: (f64, f64), by: isize) {
        let window = self.visible(data);
        let at = |index: usize| track.points.get(index).map(|point| track.position(point));
        for _ in 0..by.unsigned_abs() {
            // A position outside of the data counts as its nearest end.
            let now = self.crosshair.filter(|x| x.is_finite());
            let next = match (now, by > 0) {
                (None, true) => at(track.within((window.0, f64::INFINITY)).start),
                (Some(x), true) => at(track.within((f64::NEG_INFINITY, x)).end),
                (None, false) => {
                    track.within((f64::NEG_INFINITY, window.1)).end.checked_sub(1).and_then(at)
                }
                (Some(x), false) => {
                    track.within((x, f64::INFINITY)).start.checked_sub(1).and_then(at)
                }
            };
            // At its end the series has no next point; the crosshair stays on it.
            let Some(next) = next.or_else(|| self.clamped(track)) else { return };
            if self.crosshair == Some(next) {
                break;
            }
            self.crosshair = Some(next);
        }
        let span = window.1 - window.0;
        if let Some(x) = self.crosshair
            && !(window.0..=window.1).contains(&x)
        {
            self.show(x - span / 2.0, span, data);
        }
    }

    /// The position of the crosshair, inside of the series.
    fn clamped(&self, track: &Track<'_>) -> Option<f64> {
        let (first, last) = track.extent()?;
        Some(self.crosshair.filter(|x| x.is_finite()).unwrap_or(first).clamp(first, last))
    }

    /// The least width of a window: what the axis can tell apart, and what floating-point numbers can.
    fn narrowest(&self, data: (f64, f64)) -> f64 {
        let least: f64 = match self.axis {
            Axis::Step => 1.0,
            Axis::Time | Axis::Relative => 1e-3,
        };
        least.max(data.0.abs().max(data.1.abs()) * f64::EPSILON * 16.0)
    }

    /// Shows a window of a width, moved into the data.
    fn show(&mut self, from: f64, span: f64, data: (f64, f64)) {
        let (first, last) = data;
        // The sum and the difference are rounded, so a window at the end is told by both.
        let (from, to) = match from + span >= last || from >= last - span {
            true => ((last - span).max(first), last),
            false => (from.max(first), (from.max(first) + span).min(last)),
        };
        let is_part = from < to && (first < from || to < last);
        self.window = is_part.then_some((from, to));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn points(steps: &[i64]) -> Vec<Point> {
        let point = |step: &i64| Point { step: *step, timestamp: step * 1000, value: 1.0 };
        steps.iter().map(point).collect()
    }

    #[test]
    fn zooming_is_around_the_crosshair_or_the_middle() {
        let data = (0.0, 100.0);
        let mut view = ChartView::default();
        view.zoom_in(data);
        assert_eq!(view.window, Some((25.0, 75.0)));
        view.crosshair = Some(35.0);
        view.zoom_in(data);
        assert_eq!(view.window, Some((30.0, 55.0)), "the crosshair keeps its place");
        view.zoom_out(data);
        assert_eq!(view.window, Some((25.0, 75.0)));
        view.crosshair = Some(99.0);
        view.zoom_in(data);
        assert_eq!(view.window, Some((37.5, 62.5)), "an invisible crosshair does not count");
        (0..5).for_each(|_| view.zoom_out(data));
        assert_eq!(view.window, None);
    }

    #[test]
    fn zooming_ends_at_one_step_and_at_one_millisecond() {
        for (axis, least) in [(Axis::Step, 1.0), (Axis::Time, 1e-3), (Axis::Relative, 1e-3)] {
            let mut view = ChartView { axis, ..ChartView::default() };
            (0..100).for_each(|_| view.zoom_in((0.0, 1000.0)));
            let (from, to) = view.window.unwrap();
            assert!((to - from - least).abs() < 1e-9, "{axis:?}: {from} to {to}");
        }
    }

    #[test]
    fn panning_stops_at_the_ends() {
        let data = (0.0, 100.0);
        let mut view = ChartView { window: Some((40.0, 60.0)), ..ChartView::default() };
        view.pan(data, 0.5);
        assert_eq!(view.window, Some((50.0, 70.0)));
        view.pan(data, -0.25);
        assert_eq!(view.window, Some((45.0, 65.0)));
        (0..9).for_each(|_| view.pan(data, 0.5));
        assert_eq!(view.window, Some((80.0, 100.0)));
        (0..9).for_each(|_| view.pan(data, -1.0));
        assert_eq!(view.window, Some((0.0, 20.0)));
        view.reset();
        view.pan(data, 0.5);
        assert_eq!(view, ChartView::default(), "nothing is hidden");
    }

    #[test]
    fn axes_scales_and_smoothing_go_round_or_stop() {
        let mut view =
            ChartView { window: Some((1.0, 2.0)), crosshair: Some(1.0), ..ChartView::default() };
        view.cycle_axis();
        assert_eq!((view.axis, view.window, view.crosshair), (Axis::Time, None, None));
        view.cycle_axis();
        assert_eq!(view.axis, Axis::Relative);
        view.cycle_axis();
        view.toggle_scale();
        assert_eq!((view.axis, view.scale), (Axis::Step, Scale::Logarithmic));
        view.toggle_scale();
        assert_eq!(view.scale, Scale::Linear);
        let mut seen = Vec::new();
        for _ in 0..6 {
            seen.push(view.smoothing);
            view.smooth_more();
        }
        assert_eq!(seen, [0.0, 0.5, 0.8, 0.9, 0.95, 0.95]);
        view.smoothing = 0.85;
        view.smooth_less();
        assert_eq!(view.smoothing, 0.8);
        (0..5).for_each(|_| view.smooth_less());
        assert_eq!(view.smoothing, 0.0);
    }

    #[test]
    fn the_crosshair_steps_from_point_to_point() {
        let list = points(&[0, 10, 10, 20, 30]);
        let track = Track::of(&list, Axis::Step);
        let data = track.extent().unwrap();
        let mut view = ChartView::default();
        let go = |view: &mut ChartView, by, x| {
            view.move_crosshair(&track, data, by);
            assert_eq!(view.crosshair, Some(x), "by {by}");
        };
        go(&mut view, 1, 0.0);
        go(&mut view, 1, 10.0);
        go(&mut view, 1, 20.0);
        go(&mut view, -2, 0.0);
        go(&mut view, -1, 0.0);
        go(&mut view, isize::MAX, 30.0);
        go(&mut view, isize::MIN, 0.0);
        view.crosshair = Some(14.0);
        go(&mut view, 1, 20.0);
        view.crosshair = Some(14.0);
        go(&mut view, -1, 10.0);
        view.crosshair = None;
        view.window = Some((5.0, 15.0));
        go(&mut view, -1, 10.0);
        go(&mut view, 2, 30.0);
        assert_eq!(view.window, Some((20.0, 30.0)), "the window follows");
        let none = Track::of(&[], Axis::Step);
        view.move_crosshair(&none, data, 1);
        assert_eq!(view.crosshair, Some(30.0));
    }

    #[test]
    fn the_nearest_point_is_the_last_one_at_its_position() {
        let mut list = points(&[0, 10, 10, 20]);
        list[2].value = 2.0;
        let track = Track::of(&list, Axis::Step);
        let found = |x| track.nearest(x).map(|point| (point.step, point.value));
        for (x, point) in [(-5.0, (0, 1.0)), (5.0, (0, 1.0)), (5.1, (10, 2.0)), (10.0, (10, 2.0))] {
            assert_eq!(found(x), Some(point), "{x}");
        }
        assert_eq!(found(99.0), Some((20, 1.0)));
        assert_eq!(track.within((10.0, 20.0)), 1..4);
        assert_eq!(track.within((11.0, 12.0)), 3..3);
        assert!(Track::of(&[], Axis::Step).nearest(1.0).is_none());
    }

    #[test]
    fn relative_positions_count_from_the_first_point() {
        let list = [5_000, 4_000].map(|timestamp| Point { step: 0, timestamp, value: 1.0 });
        let (relative, time) = (Track::of(&list, Axis::Relative), Track::of(&list, Axis::Time));
        assert_eq!(relative.extent(), Some((0.0, 1.0)));
        assert_eq!(time.extent(), Some((4.0, 5.0)));
        assert_eq!(extent([&relative, &time]), Some((0.0, 5.0)));
        assert_eq!(extent([&Track::of(&[], Axis::Time)]), None);
    }

    #[test]
    fn a_window_that_is_as_wide_as_the_data_shows_its_end_also_where_steps_are_rounded() {
        let data = (-2_305_843_009_213_695_232.0, 1.0);
        let mut view = ChartView::default();
        view.pan(data, 0.0);
        assert_eq!(view.visible(data), data);
    }

    #[derive(Debug, Clone)]
    enum Act {
        In,
        Out,
        Pan(f64),
        Crosshair(i8),
        Axis,
    }

    fn acts() -> impl Strategy<Value = Vec<Act>> {
        let act = prop_oneof![
            4 => Just(Act::In),
            2 => Just(Act::Out),
            2 => any::<f64>().prop_map(Act::Pan),
            2 => (-2.0..2.0).prop_map(Act::Pan),
            2 => any::<i8>().prop_map(Act::Crosshair),
            1 => Just(Act::Axis),
        ];
        proptest::collection::vec(act, 0..80)
    }

    proptest! {
        #[test]
        fn windows_and_crosshairs_stay_inside_of_the_data(
            steps in proptest::collection::vec(prop_oneof![-99_i64..99, any::<i64>()], 1..20),
            acts in acts(),
        ) {
            let point = |step: &i64| Point { step: *step, timestamp: *step, value: f64::NAN };
            let list: Vec<Point> = steps.iter().map(point).collect();
            let mut view = ChartView::default();
            for act in acts {
                let track = Track::of(&list, view.axis);
                let data = track.extent().unwrap();
                match act {
                    Act::In => view.zoom_in(data),
                    Act::Out => view.zoom_out(data),
                    Act::Pan(part) => view.pan(data, part),
                    Act::Crosshair(by) => view.move_crosshair(&track, data, by.into()),
                    Act::Axis => view.cycle_axis(),
                }
                let data = Track::of(&list, view.axis).extent().unwrap();
                if let Some((from, to)) = view.window {
                    prop_assert!(data.0 <= from && from < to && to <= data.1, "{:?} of {data:?}", view);
                }
                let (from, to) = view.visible(data);
                if let Some(x) = view.crosshair {
                    prop_assert!(data.0 <= x && x <= data.1);
                    if let Act::Crosshair(1..) = act {
                        prop_assert!(from <= x && x <= to, "the crosshair is visible");
                    }
                }
            }
        }

        #[test]
        fn any_window_shows_some_of_the_data(window in any::<(f64, f64)>(), data in any::<(i64, i64)>()) {
            let data = (data.0.min(data.1) as f64, data.0.max(data.1) as f64);
            let view = ChartView { window: Some(window), ..ChartView::default() };
            let (from, to) = view.visible(data);
            prop_assert!(data.0 <= from && to <= data.1 && (from < to || data.0 == data.1));
        }
    }
}
