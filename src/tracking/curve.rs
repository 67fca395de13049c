//! Curves of a metric: points sorted along an axis, smoothed, split into drawable and other points, and
//! decimated to the columns of a drawing. All are pure functions over slices that take linear time, except
//! for sorting unsorted points.
//!
//! MLflow's databases store infinities as the largest finite numbers, so those count as infinite here.

use std::borrow::Cow;

use super::entities::Point;

/// The quantity on the horizontal axis.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Axis {
    /// The training step.
    #[default]
    Step,
    /// Seconds since the Unix epoch.
    Time,
    /// Seconds since the first point.
    Relative,
}

impl Axis {
    /// The position of a point. `start` is the time of the first point, from which relative times count.
    pub fn position(self, point: &Point, start: i64) -> f64 {
        match self {
            // Steps beyond 2^53 lose their last digits, which is invisible in a drawing.
            Axis::Step => point.step as f64,
            Axis::Time => point.timestamp as f64 / 1e3,
            Axis::Relative => (point.timestamp as f64 - start as f64) / 1e3,
        }
    }
}

/// The mapping from values to heights.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Scale {
    /// The height is the value.
    #[default]
    Linear,
    /// The height is the decimal logarithm of the value.
    Logarithmic,
}

impl Scale {
    /// The value at a height (the inverse mapping).
    pub fn value(self, height: f64) -> f64 {
        match self {
            Scale::Linear => height,
            Scale::Logarithmic => 10_f64.powf(height),
        }
    }
}

/// A point that can be drawn: both coordinates are finite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spot {
    /// Position along the axis.
    pub x: f64,
    /// Height on the scale.
    pub y: f64,
}

/// Drawable points, and the positions along the axis of points that can't be drawn.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Split {
    /// Drawable points, in the order of the input.
    pub spots: Vec<Spot>,
    /// Positions of NaN.
    pub nan: Vec<f64>,
    /// Positions of infinity.
    pub infinite: Vec<f64>,
    /// Positions of negative infinity.
    pub negative_infinite: Vec<f64>,
    /// Positions of zero and negative values on a logarithmic scale; empty on a linear scale.
    pub not_positive: Vec<f64>,
}

/// Sorts the points along the axis; points at the same position keep their order.
pub fn ordered(points: &[Point], axis: Axis) -> Cow<'_, [Point]> {
    let key = |point: &Point| match axis {
        Axis::Step => point.step,
        Axis::Time | Axis::Relative => point.timestamp,
    };
    if points.is_sorted_by_key(key) {
        return Cow::Borrowed(points);
    }
    let mut points = points.to_vec();
    points.sort_by_key(key);
    Cow::Owned(points)
}

/// Smooths the points as TensorBoard does: an exponential moving average with bias correction. `weight` is
/// the weight of the past, from 0 (no smoothing) to just below 1. NaN and infinities are unchanged and
/// skipped in the average. If all values are equal, nothing is smoothed.
pub fn smooth(points: &[Point], weight: f64) -> Vec<Point> {
    let weight = weight.clamp(0.0, 0.999_999);
    let is_constant = points.windows(2).all(|pair| pair[0].value == pair[1].value);
    if is_constant || weight == 0.0 {
        return points.to_vec();
    }
    let (mut average, mut past) = (0.0, 1.0);
    let smoothed = points.iter().map(|point| {
        if !is_finite(point.value) {
            return *point;
        }
        average = average * weight + (1.0 - weight) * point.value;
        past *= weight;
        Point { value: average / (1.0 - past), ..*point }
    });
    smoothed.collect()
}

fn is_finite(value: f64) -> bool {
    value.abs() < f64::MAX
}

/// Splits points into drawable ones and others: NaN, infinities and, on a logarithmic scale, values that are
/// not positive.
pub fn split(points: &[Point], axis: Axis, scale: Scale) -> Split {
    let start = points.iter().map(|point| point.timestamp).min().unwrap_or_default();
    split_since(start, points, axis, scale)
}

/// Splits a part of a series, whose first point was logged at `start`.
pub fn split_since(start: i64, points: &[Point], axis: Axis, scale: Scale) -> Split {
    let mut split = Split { spots: Vec::with_capacity(points.len()), ..Split::default() };
    for point in points {
        let x = axis.position(point, start);
        match (point.value, scale) {
            (value, _) if value.is_nan() => split.nan.push(x),
            (value, _) if !is_finite(value) && value > 0.0 => split.infinite.push(x),
            (value, _) if !is_finite(value) => split.negative_infinite.push(x),
            (value, Scale::Linear) => split.spots.push(Spot { x, y: value }),
            (value, Scale::Logarithmic) if value > 0.0 => {
                split.spots.push(Spot { x, y: value.log10() });
            }
            _ => split.not_positive.push(x),
        }
    }
    split
}

/// The column of a position, among columns of equal width between the first and the last position.
pub fn column(x: f64, first: f64, last: f64, columns: usize) -> usize {
    // Halve first: the difference of two finite numbers may overflow to infinity.
    let span = last / 2.0 - first / 2.0;
    if span <= 0.0 {
        return 0;
    }
    let part = (x / 2.0 - first / 2.0) / span;
    ((part * columns as f64) as usize).min(columns.saturating_sub(1))
}

/// Decimates to the lowest and the highest point of each column, plus the first and the last point overall: a
/// drawing with that many columns still shows every spike. `spots` must be sorted along the axis. The result
/// has at most two points per column, plus two.
pub fn decimate(spots: &[Spot], columns: usize) -> Vec<Spot> {
    let (Some(first), Some(last)) = (spots.first(), spots.last()) else { return Vec::new() };
    let columns = columns.max(1);
    let mut kept = Vec::with_capacity(spots.len().min(2 * columns + 2));
    let end = spots.len() - 1;
    let mut begin = 0;
    while begin <= end {
        let own = column(spots[begin].x, first.x, last.x, columns);
        let (mut low, mut high, mut next) = (begin, begin, begin + 1);
        while next <= end && column(spots[next].x, first.x, last.x, columns) == own {
            if spots[next].y < spots[low].y {
                low = next;
            }
            if spots[next].y > spots[high].y {
                high = next;
            }
            next += 1;
        }
        let mut indices = [0, low.min(high), low.max(high), end];
        let from = usize::from(begin != 0);
        let to = if next > end { 4 } else { 3 };
        indices[0] = begin;
        let mut previous = None;
        for index in &indices[from..to] {
            if previous != Some(index) {
                kept.push(spots[*index]);
            }
            previous = Some(index);
        }
        begin = next;
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn points(values: &[f64]) -> Vec<Point> {
        let point = |(step, value): (usize, &f64)| Point {
            step: step as i64,
            timestamp: 5_000 + step as i64 * 250,
            value: *value,
        };
        values.iter().enumerate().map(point).collect()
    }

    fn values(points: &[Point]) -> Vec<f64> {
        points.iter().map(|point| point.value).collect()
    }

    #[test]
    fn an_axis_orders_points_and_keeps_ties() {
        let point = |step, timestamp, value| Point { step, timestamp, value };
        let list = [point(2, 10, 1.0), point(1, 20, 2.0), point(1, 30, 3.0)];
        assert_eq!(values(&ordered(&list, Axis::Step)), [2.0, 3.0, 1.0]);
        assert!(matches!(ordered(&list, Axis::Time), Cow::Borrowed(_)));
        let x = |axis| -> Vec<f64> {
            split(&list, axis, Scale::Linear).spots.iter().map(|spot| spot.x).collect()
        };
        assert_eq!(x(Axis::Step), [2.0, 1.0, 1.0]);
        assert_eq!(x(Axis::Time), [0.01, 0.02, 0.03]);
        assert_eq!(x(Axis::Relative), [0.0, 0.01, 0.02]);
    }

    #[test]
    fn undrawable_points_are_separated() {
        let list = points(&[1.0, f64::NAN, f64::INFINITY, 100.0, f64::MIN, 0.0, -1.0, f64::NAN]);
        let split = super::split(&list, Axis::Step, Scale::Logarithmic);
        assert_eq!(split.spots, [Spot { x: 0.0, y: 0.0 }, Spot { x: 3.0, y: 2.0 }]);
        assert_eq!(split.nan, [1.0, 7.0]);
        assert_eq!((split.infinite, split.negative_infinite), (vec![2.0], vec![4.0]));
        assert_eq!(split.not_positive, [5.0, 6.0]);
        let split = super::split(&list, Axis::Step, Scale::Linear);
        assert_eq!((split.spots.len(), split.not_positive.len()), (4, 0));
        assert_eq!(Scale::Logarithmic.value(2.0), 100.0);
    }

    #[test]
    fn smoothing_follows_tensorboards_formula() {
        let list = points(&[1.0, 2.0, f64::NAN, 4.0, f64::INFINITY, 0.0]);
        let smoothed = values(&smooth(&list, 0.6));
        // The mean of the values so far; each weighs 0.6 times as much as the next.
        let mean = |values: &[f64]| {
            let weight = |index: usize| 0.6_f64.powi((values.len() - 1 - index) as i32);
            let sum: f64 = values.iter().enumerate().map(|(i, value)| weight(i) * value).sum();
            sum / (0..values.len()).map(weight).sum::<f64>()
        };
        let expected =
            [1.0, mean(&[1.0, 2.0]), mean(&[1.0, 2.0, 4.0]), mean(&[1.0, 2.0, 4.0, 0.0])];
        for (found, expected) in [0, 1, 3, 5].map(|index| smoothed[index]).iter().zip(expected) {
            assert!((found - expected).abs() < 1e-12, "{found} is not {expected}");
        }
        assert!(smoothed[2].is_nan());
        assert_eq!(smoothed[4], f64::INFINITY);
        assert_eq!(values(&smooth(&points(&[3.0, 1.0]), 0.0)), [3.0, 1.0]);
        assert_eq!(values(&smooth(&points(&[0.1; 5]), 0.9)), [0.1; 5]);
    }

    fn spots() -> impl Strategy<Value = Vec<Spot>> {
        let x = prop_oneof![-50_i32..50, any::<i32>()];
        let y = prop_oneof![-5.0..5.0, Just(f64::MAX), Just(f64::MIN), Just(0.0)];
        let sorted = |mut list: Vec<(i32, f64)>| -> Vec<Spot> {
            list.sort_by_key(|(x, _)| *x);
            list.into_iter().map(|(x, y)| Spot { x: x.into(), y }).collect()
        };
        proptest::collection::vec((x, y), 0..200).prop_map(sorted)
    }

    proptest! {
        #[test]
        fn decimation_keeps_spikes_and_ends(spots in spots(), columns in 1_usize..30) {
            let kept = decimate(&spots, columns);
            prop_assert!(kept.len() <= 2 * columns + 2);
            prop_assert_eq!(kept.first(), spots.first());
            prop_assert_eq!(kept.last(), spots.last());
            prop_assert!(kept.is_sorted_by(|a, b| a.x <= b.x));
            let extremes = |list: &[Spot]| {
                let mut found = vec![None; columns];
                for spot in list {
                    let at = column(spot.x, spots[0].x, spots[spots.len() - 1].x, columns);
                    let (low, high) = found[at].unwrap_or((spot.y, spot.y));
                    found[at] = Some((spot.y.min(low), spot.y.max(high)));
                }
                found
            };
            prop_assert_eq!(extremes(&kept), extremes(&spots));
            prop_assert_eq!(decimate(&kept, columns), kept);
        }

        #[test]
        fn any_number_has_a_column(x in any::<[i64; 3]>(), columns in 1_usize..100) {
            let mut x = x.map(|x| x as f64);
            x.sort_by(f64::total_cmp);
            let found = x.map(|value| column(value, x[0], x[2], columns));
            prop_assert!(found.is_sorted() && found[0] == 0 && found[2] < columns);
            prop_assert!(x[0] == x[2] || found[2] == columns - 1);
        }
    }
}
