//! The dots of the plot. Each cell has two by four dots and the colour of one series.

use ratatui::layout::Rect;
use ratatui::style::Style;

use super::super::paint::Paint;
use super::super::theme::Role;
use crate::dag::overview::{BITS, Cell};

/// The dots of one cell of the screen.
#[derive(Debug, Clone, Copy, Default)]
struct Dots {
    /// Dots of lines.
    line: u8,
    /// Dots of raw values behind smoothed lines.
    faint: u8,
    /// The series that drew a line here last.
    owner: usize,
}

/// The cells of the plot.
#[derive(Debug)]
pub(in crate::ui) struct Canvas {
    area: Rect,
    cells: Vec<Dots>,
}

impl Canvas {
    pub(in crate::ui) fn new(area: Rect) -> Self {
        let count = usize::from(area.width) * usize::from(area.height);
        Canvas { area, cells: vec![Dots::default(); count] }
    }

    fn cell(&mut self, column: usize, row: usize) -> Option<(&mut Dots, u8)> {
        let index = row / 4 * usize::from(self.area.width) + column / 2;
        Some((self.cells.get_mut(index)?, BITS[column % 2][row % 4]))
    }

    /// Sets a dot of a raw value.
    pub(super) fn faint(&mut self, column: usize, row: usize) {
        if let Some((cell, bit)) = self.cell(column, row) {
            cell.faint |= bit;
        }
    }

    /// Sets the dots of a column from one row to another.
    pub(super) fn upright(&mut self, column: usize, rows: (usize, usize), owner: usize) {
        for row in rows.0.min(rows.1)..=rows.0.max(rows.1) {
            if let Some((cell, bit)) = self.cell(column, row) {
                cell.line |= bit;
                cell.owner = owner;
            }
        }
    }

    /// Draws a line from one column to a later one. Each column gets the rows that the line passes in it.
    pub(in crate::ui) fn line(&mut self, from: (usize, usize), to: (usize, usize), owner: usize) {
        let columns = to.0.saturating_sub(from.0).max(1) as f64;
        let row = |column: f64| {
            let part = ((column - from.0 as f64) / columns).clamp(0.0, 1.0);
            (from.1 as f64 + (to.1 as f64 - from.1 as f64) * part).round() as usize
        };
        for column in from.0..=to.0 {
            let middle = column as f64;
            self.upright(column, (row(middle - 0.5), row(middle + 0.5)), owner);
        }
    }

    /// Writes the cells.
    pub(in crate::ui) fn draw(&self, paint: &mut Paint<'_>, styles: &[Style]) {
        let dim = paint.style(Role::Dim);
        let ascii = paint.glyphs.ascii();
        for (cell, at) in self.cells.iter().zip(self.area.positions()) {
            // A cell has one colour, so dots of raw values are left out beside those of a line.
            let (dots, style) = match cell.line {
                0 => (cell.faint, dim),
                line => (line, styles[cell.owner]),
            };
            let mut bytes = [0; 4];
            let sign = match (dots, ascii) {
                (0, _) => continue,
                (_, true) => plain(dots),
                (_, false) => &*Cell { dots, rank: 0 }.sign().encode_utf8(&mut bytes),
            };
            paint.styled(at.x, at.y, sign, style, 1);
        }
    }
}

/// The ASCII character that looks most like the dots. The star is left for the best value.
fn plain(dots: u8) -> &'static str {
    let (left, right) = (dots & 0x47, dots & 0xb8);
    let upper = (dots & 0x1b).count_ones();
    let lower = (dots & 0xe4).count_ones();
    match (left, right) {
        (0, side) | (side, 0) if side.count_ones() > 2 => "|",
        (0, _) | (_, 0) if upper > 0 && lower > 0 => ":",
        (0, _) | (_, 0) if upper > 0 => "-",
        (0, _) | (_, 0) => ".",
        _ if upper == 0 && lower > 0 && dots & 0x24 == 0 => ".",
        _ if dots.count_ones() <= 3 => "-",
        _ => "+",
    }
}
