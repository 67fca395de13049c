//! The legend: the marker, the name and a value of each series.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::super::paint::Paint;
use super::super::theme::Role;
use super::Series;
use super::curve::Curve;
use super::ticks::short;
use crate::app::words::{number_text, seconds_text};
use crate::text::{sanitize, truncate_middle, width};
use crate::tracking::curve::Axis;

/// Widths that names are cut to until the legend fits.
const NAMES: [usize; 8] = [usize::MAX, 40, 28, 20, 14, 10, 6, 0];
/// Cells between entries.
const GAP: usize = 3;
/// The legend may have one of this many lines of the chart.
const SHARE: u16 = 8;

/// A part of a line of the legend.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    /// The series, whose marker comes first; `None` for other texts.
    series: Option<usize>,
    text: String,
}

/// The characters that tell the series apart without colours: the first letters of their names if those differ, else
/// numbers and then letters.
pub(in crate::ui) fn markers(series: &[Series<'_>]) -> Vec<char> {
    let mut letters = Vec::with_capacity(series.len());
    for one in series {
        match one.name.chars().find(char::is_ascii_alphanumeric) {
            Some(letter) if !letters.contains(&letter) => letters.push(letter),
            _ => {
                let all = ('1'..='9').chain('a'..='z').chain('A'..='Z');
                return all.chain(std::iter::repeat('+')).take(series.len()).collect();
            }
        }
    }
    letters
}

/// The lines of the legend. The values are those at the crosshair, else the last ones in the window.
pub(super) fn lines(
    area: Rect,
    series: &[Series<'_>],
    curves: &[Curve],
    axis: Axis,
    crosshair: Option<f64>,
) -> Vec<Vec<Entry>> {
    let room = usize::from(area.width);
    let most = usize::from(area.height / SHARE).max(1);
    let place = crosshair.map(|x| Entry { series: None, text: position(axis, x) });
    let mut lines = Vec::new();
    for names in NAMES {
        let entry = |(index, (series, curve)): (usize, (&Series<'_>, &Curve))| {
            let value = curve.value(crosshair).map_or_else(|| "-".into(), number_text);
            let name = truncate_middle(&sanitize(series.name), names);
            let space = if name.is_empty() { "" } else { " " };
            Entry { series: Some(index), text: format!("{name}{space}{value}") }
        };
        let entries = series.iter().zip(curves).enumerate().map(entry);
        lines = wrapped(place.iter().cloned().chain(entries), room);
        if lines.len() <= most {
            return lines;
        }
    }
    let hidden: usize = lines.drain(most..).map(|line| line.len()).sum();
    let Some(last) = lines.last_mut() else { return lines };
    more(last, hidden, room);
    lines
}

/// Ends a line with the number of entries that have no room.
fn more(line: &mut Vec<Entry>, mut hidden: usize, room: usize) {
    loop {
        let entry = Entry { series: None, text: format!("+{hidden}") };
        if line.is_empty() || cells(line) + GAP + width(&entry.text) <= room {
            line.push(entry);
            return;
        }
        line.pop();
        hidden += 1;
    }
}

/// The cells of an entry, with its marker.
fn own(entry: &Entry) -> usize {
    width(&entry.text) + if entry.series.is_some() { 2 } else { 0 }
}

fn cells(line: &[Entry]) -> usize {
    line.iter().map(own).sum::<usize>() + GAP * line.len().saturating_sub(1)
}

fn wrapped(entries: impl Iterator<Item = Entry>, room: usize) -> Vec<Vec<Entry>> {
    let mut lines: Vec<Vec<Entry>> = Vec::new();
    for entry in entries {
        match lines.last_mut() {
            Some(line) if cells(line) + GAP + own(&entry) <= room => line.push(entry),
            _ => lines.push(vec![entry]),
        }
    }
    // A line that is too wide, with one entry, counts as two: a shorter name may help.
    if lines.iter().any(|line| cells(line) > room) {
        lines.push(Vec::new());
    }
    lines
}

/// A position on the axis in words.
pub(super) fn position(axis: Axis, x: f64) -> String {
    match axis {
        Axis::Step => format!("step {}", short(x as i128)),
        Axis::Relative => seconds_text(x),
        Axis::Time => Timestamp::from_millisecond((x * 1e3).round() as i64).map_or_else(
            |_| number_text(x),
            |time| {
                let local = time.to_zoned_datetime(TimeZone::system());
                local.strftime("%m-%d %H:%M:%S").to_string()
            },
        ),
    }
}

/// Draws the legend at the bottom of the chart.
pub(super) fn draw(
    paint: &mut Paint<'_>,
    area: Rect,
    lines: &[Vec<Entry>],
    markers: &[char],
    styles: &[Style],
) {
    let top = area.bottom() - lines.len() as u16;
    for (line, y) in lines.iter().zip(top..) {
        let mut x = area.x;
        for entry in line {
            let mut free = area.right().saturating_sub(x);
            let mut start = x;
            if let Some(series) = entry.series {
                let marker = markers[series].to_string();
                paint.styled(x, y, &marker, styles[series], free);
                (start, free) = (x + 2, free.saturating_sub(2));
            }
            let role = if entry.series.is_some() { Role::Text } else { Role::Dim };
            paint.text(start, y, &entry.text, role, free);
            x += (own(entry) + GAP) as u16;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named<'a>(names: &[&'a str]) -> Vec<Series<'a>> {
        names.iter().map(|name| Series { name, points: &[], best: None }).collect()
    }

    #[test]
    fn markers_are_first_letters_or_numbers() {
        for (names, expected) in [
            (&["loss", "accuracy"][..], "la"),
            (&["loss", "lr"], "12"),
            (&["_loss", "é1"], "l1"),
            (&["", "a"], "12"),
            (&["x"; 11], "123456789ab"),
        ] {
            assert_eq!(markers(&named(names)).iter().collect::<String>(), expected);
        }
        assert_eq!(markers(&named(&["x"; 70])).len(), 70);
    }

    fn text(width: u16, height: u16, names: &[&str], crosshair: Option<f64>) -> Vec<String> {
        let curve =
            || Curve { last: Some(0.5), nearest: Some((9.0, f64::NAN)), ..Curve::default() };
        let curves: Vec<Curve> = names.iter().map(|_| curve()).collect();
        let area = Rect { x: 0, y: 0, width, height };
        let lines = lines(area, &named(names), &curves, Axis::Step, crosshair);
        let words = |line: Vec<Entry>| line.into_iter().map(|entry| entry.text).collect::<Vec<_>>();
        lines.into_iter().map(|line| words(line).join("|")).collect()
    }

    #[test]
    fn names_give_way_to_values() {
        let names = ["training_loss", "validation_loss"];
        assert_eq!(text(60, 6, &names, None), ["training_loss 0.5000|validation_loss 0.5000"]);
        assert_eq!(text(42, 6, &names, None), ["train…loss 0.5000|valid…loss 0.5000"]);
        assert_eq!(text(20, 6, &names, None), ["0.5000|0.5000"]);
        assert_eq!(text(18, 6, &names, None), ["0.5000|+1"]);
        assert_eq!(text(30, 16, &names, None).len(), 2, "a high chart has more lines");
        assert_eq!(
            text(60, 6, &names, Some(9.0)),
            ["step 9|training_loss NaN|validation_loss NaN"]
        );
    }
}
