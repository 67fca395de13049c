//! A curve as one line of text.

use crate::tracking::curve::{Axis, Scale, Split, ordered, split};
use crate::tracking::entities::Point;

/// Characters of rising height.
const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const PLAIN: [char; 8] = ['_', '.', '-', ':', '=', '+', '*', '#'];

/// The values of a metric in order of their steps as characters of 8 heights: one for each value, or, if there are
/// more values than `cells`, one for as many values each. Such a character shows the lowest or the highest of
/// its values, whichever is farther from the mean of all, so that every spike shows. `?` stands for NaN, `↑`
/// and `↓` for infinities.
pub fn sparkline(points: &[Point], cells: usize, ascii: bool) -> String {
    let points = ordered(points, Axis::Step);
    let spots = split(&points, Axis::Step, Scale::Linear).spots;
    let (low, high) = spots.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), spot| {
        (low.min(spot.y), high.max(spot.y))
    });
    // Halve first: the difference of two finite numbers may be infinite.
    let part = |y: f64| match high / 2.0 - low / 2.0 {
        span if span > 0.0 => (y / 2.0 - low / 2.0) / span,
        _ => 0.5,
    };
    let mean = spots.iter().map(|spot| part(spot.y)).sum::<f64>() / spots.len().max(1) as f64;
    let levels = if ascii { PLAIN } else { BLOCKS };
    let cells = cells.min(points.len());
    let own = |cell: usize| {
        let bound = |cell: usize| (cell as u128 * points.len() as u128 / cells as u128) as usize;
        split(&points[bound(cell)..bound(cell + 1)], Axis::Step, Scale::Linear)
    };
    let sign = |split: Split| {
        let parts = split.spots.iter().map(|spot| part(spot.y));
        let farther = |a: &f64, b: &f64| (a - mean).abs().total_cmp(&(b - mean).abs());
        match parts.max_by(farther) {
            _ if !split.nan.is_empty() => '?',
            _ if !split.infinite.is_empty() => {
                if ascii {
                    '^'
                } else {
                    '↑'
                }
            }
            _ if !split.negative_infinite.is_empty() => {
                if ascii {
                    'v'
                } else {
                    '↓'
                }
            }
            Some(part) => levels[((part * 8.0) as usize).min(7)],
            None => ' ',
        }
    };
    (0..cells).map(|cell| sign(own(cell))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(values: &[f64], cells: usize, ascii: bool) -> String {
        let point =
            |(step, value): (usize, &f64)| Point { step: step as i64, timestamp: 0, value: *value };
        let mut points: Vec<Point> = values.iter().enumerate().map(point).collect();
        points.reverse();
        sparkline(&points, cells, ascii)
    }

    #[test]
    fn values_have_eight_heights_in_order_of_their_steps() {
        let values = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0];
        assert_eq!(line(&values, 8, false), "▁▂▃▄▅▆▇█");
        assert_eq!(line(&values, 99, true), "_.-:=+*#");
        assert_eq!(line(&values, 0, false), "");
        assert_eq!(line(&[], 9, false), "");
        assert_eq!(line(&[7.0; 3], 9, false), "▅▅▅");
        assert_eq!(line(&[f64::MIN / 2.0, 0.0, f64::MAX / 2.0], 9, false), "▁▅█");
    }

    #[test]
    fn spikes_and_values_that_are_no_numbers_show_in_their_cell() {
        let mut values = vec![1.0; 1000];
        (values[234], values[750]) = (9.0, -7.0);
        assert_eq!(line(&values, 10, false), "▅▅█▅▅▅▅▁▅▅");
        (values[0], values[199], values[999]) = (f64::NAN, f64::INFINITY, f64::NEG_INFINITY);
        assert_eq!(line(&values, 10, false), "?↑█▅▅▅▅▁▅↓");
        assert_eq!(line(&values, 10, true), "?^#====_=v");
    }
}
