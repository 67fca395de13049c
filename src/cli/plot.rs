//! A curve drawn with braille characters, which are two dots wide and four dots high.

use crate::app::words::number_text;
use crate::text::width;
use crate::tracking::curve::{Scale, Spot, column, decimate};

/// Lines of the drawing; an odd number has one in the middle.
const LINES: usize = 15;
/// The smallest width of a curve, in characters.
const NARROWEST: usize = 10;

/// The data of the drawing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plot<'a> {
    /// The curve, in order along the axis.
    pub spots: &'a [Spot],
    /// The scale of the heights.
    pub scale: Scale,
    /// Positions along the axis of values that can't be drawn; each gets a `×`.
    pub marks: &'a [f64],
    /// The labels below: of the first position, of the axis, and of the last position.
    pub labels: [&'a str; 3],
}

/// The first and the last position along the axis, of all drawn and marked values.
pub(super) fn range(spots: &[Spot], marks: &[f64]) -> (f64, f64) {
    let places = spots.iter().map(|spot| spot.x).chain(marks.iter().copied());
    places.fold((f64::INFINITY, f64::NEG_INFINITY), |(first, last), x| (first.min(x), last.max(x)))
}

/// The drawing for a terminal of this many columns; each line ends with a newline.
pub(super) fn draw(plot: Plot<'_>, columns: usize) -> String {
    let (first, last) = range(plot.spots, plot.marks);
    let heights = plot.spots.iter().map(|spot| spot.y);
    let (mut low, mut high) = heights
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), y| (low.min(y), high.max(y)));
    if low == high {
        let room = if low == 0.0 { 1.0 } else { low.abs() * 0.1 };
        (low, high) = ((low - room).max(f64::MIN), (high + room).min(f64::MAX));
    }
    let labels = labels(plot.scale, low, high);
    let margin = labels.iter().map(|label| width(label)).max().unwrap_or_default();
    let cells = columns.saturating_sub(margin + 2).max(NARROWEST);
    let mut dots = Dots::new(cells, LINES);
    let bottom = (LINES * 4 - 1) as f64;
    let mut previous = None;
    for spot in decimate(plot.spots, cells * 2) {
        // Halve first: the difference of two finite numbers may be infinite.
        let part = (high / 2.0 - spot.y / 2.0) / (high / 2.0 - low / 2.0);
        let dot = (column(spot.x, first, last, cells * 2), (part * bottom).round() as usize);
        dots.line(previous.unwrap_or(dot), dot);
        previous = Some(dot);
    }
    let mut text = String::new();
    for (line, cells) in dots.lines().enumerate() {
        let label = match line {
            0 => &labels[0],
            line if line == LINES / 2 => &labels[1],
            line if line == LINES - 1 => &labels[2],
            _ => "",
        };
        let tick = if label.is_empty() { '│' } else { '┤' };
        let blank = " ".repeat(margin - width(label));
        text += &format!("{blank}{label} {tick}{}\n", cells.trim_end());
    }
    let mut axis = vec!['─'; cells];
    plot.marks.iter().for_each(|x| axis[column(*x, first, last, cells)] = '×');
    text += &format!("{} └{}\n", " ".repeat(margin), axis.into_iter().collect::<String>());
    text += &format!("{}{}\n", " ".repeat(margin + 2), below(plot.labels, cells));
    text
}

/// Labels of the highest, the middle and the lowest line.
fn labels(scale: Scale, low: f64, high: f64) -> [String; 3] {
    let values = [high, low / 2.0 + high / 2.0, low].map(|height| scale.value(height));
    let short = values.map(number_text);
    if short[0] != short[1] && short[1] != short[2] {
        return short;
    }
    // The labels differ only in later digits.
    values.map(|value| format!("{value}"))
}

/// The labels at the left, in the middle and at the right of a line; the middle one only if it fits.
fn below([left, middle, right]: [&str; 3], cells: usize) -> String {
    let free = cells.saturating_sub(width(left) + width(right));
    let blank = |count: usize| " ".repeat(count);
    if free < width(middle) + 2 {
        return format!("{left}{}{right}", blank(free.max(1)));
    }
    let start = ((cells - width(middle)) / 2)
        .clamp(width(left) + 1, free - width(middle) - 1 + width(left));
    let before = start - width(left);
    format!("{left}{}{middle}{}{right}", blank(before), blank(free - width(middle) - before))
}

/// The dots of braille characters.
struct Dots {
    /// The number of characters of a line.
    width: usize,
    /// The dots of each character as bits, line by line.
    cells: Vec<u8>,
}

impl Dots {
    fn new(width: usize, height: usize) -> Self {
        Dots { width, cells: vec![0; width * height] }
    }

    fn set(&mut self, x: usize, y: usize) {
        // Unicode numbers the dots by columns, with the lowest two last.
        const BITS: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];
        if let Some(cell) = self.cells.get_mut(y / 4 * self.width + x / 2) {
            *cell |= BITS[y % 4][x % 2];
        }
    }

    /// Draws a straight line, including both ends.
    fn line(&mut self, from: (usize, usize), to: (usize, usize)) {
        let steps = from.0.abs_diff(to.0).max(from.1.abs_diff(to.1)).max(1);
        let between = |from: usize, to: usize, step: usize| {
            let part = step as f64 / steps as f64;
            (from as f64 + (to as f64 - from as f64) * part).round() as usize
        };
        for step in 0..=steps {
            self.set(between(from.0, to.0, step), between(from.1, to.1, step));
        }
    }

    fn lines(&self) -> impl Iterator<Item = String> {
        let sign = |bits: &u8| match bits {
            0 => ' ',
            bits => char::from_u32(0x2800 + u32::from(*bits)).unwrap_or(' '),
        };
        self.cells.chunks(self.width).map(move |line| line.iter().map(sign).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn drawn(values: &[(f64, f64)], columns: usize) -> String {
        let spots: Vec<Spot> = values.iter().map(|(x, y)| Spot { x: *x, y: *y }).collect();
        let plot =
            Plot { spots: &spots, scale: Scale::Linear, marks: &[], labels: ["0", "step", "100"] };
        draw(plot, columns)
    }

    #[test]
    fn a_spike_is_drawn_and_a_flat_curve_is_in_the_middle() {
        let mut values: Vec<(f64, f64)> = (0..10_000).map(|x| (f64::from(x), 0.0)).collect();
        values[5_000].1 = 8.0;
        let text = drawn(&values, 30);
        let top = text.lines().next().unwrap();
        assert!(top.starts_with("8.000 ┤ ") && !top.ends_with('┤'), "{text}");
        assert!(text.lines().all(|line| width(line) <= 30), "{text}");
        let flat = drawn(&[(0.0, 2.0), (9.0, 2.0)], 20);
        assert_eq!(flat.lines().nth(LINES / 2).unwrap(), "2.000 ┤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤", "{flat}");
        assert_eq!(flat.lines().last().unwrap(), "       0   step  100");
    }

    #[test]
    fn labels_are_told_apart() {
        assert_eq!(labels(Scale::Linear, 1000.001, 1000.003)[0], "1000.003");
        assert_eq!(labels(Scale::Logarithmic, -1.0, 3.0), ["1000", "10.00", "0.1000"]);
        assert_eq!(below(["0", "step", "9"], 6), "0    9");
    }

    proptest! {
        #[test]
        fn any_curve_is_drawn(mut values in proptest::collection::vec((any::<i32>(), any::<f64>()), 1..30), columns in 0_usize..120) {
            values.sort_by_key(|(x, _)| *x);
            values.retain(|(_, y)| y.is_finite());
            if !values.is_empty() {
                let values: Vec<(f64, f64)> = values.iter().map(|(x, y)| (f64::from(*x), *y)).collect();
                prop_assert_eq!(drawn(&values, columns).lines().count(), LINES + 2);
            }
        }
    }
}
