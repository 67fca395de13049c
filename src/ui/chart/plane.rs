//! Where positions and heights are on the screen.

use ratatui::layout::{Position, Rect};

use crate::tracking::curve::{Spot, column};

/// Ranges of heights below this are no range: their steps would not be numbers.
pub(super) const LEAST: f64 = 1e-300;

/// The cells of the plot, and the window of positions and heights that they show.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::ui) struct Plane {
    /// The cells.
    pub area: Rect,
    /// The first and the last position.
    pub window: (f64, f64),
    /// The lowest and the highest height.
    pub heights: (f64, f64),
}

impl Plane {
    /// The plane that shows these positions and heights.
    pub(in crate::ui) fn of(area: Rect, window: (f64, f64), extent: (f64, f64)) -> Self {
        Plane { area, window, heights: heights(extent.0, extent.1) }
    }

    /// The cell of a position and a height.
    pub(in crate::ui) fn at(&self, x: f64, y: f64) -> Position {
        self.cell(Spot { x, y })
    }

    /// The columns of dots.
    pub(super) fn columns(&self) -> usize {
        usize::from(self.area.width) * 2
    }

    /// The column of dots of a position. A single position is in the middle.
    pub(super) fn column(&self, x: f64) -> usize {
        match self.window {
            (from, to) if from == to => self.columns() / 2,
            (from, to) => column(x, from, to, self.columns()),
        }
    }

    /// The row of dots of a height.
    pub(super) fn row(&self, y: f64) -> usize {
        let (low, high) = self.heights;
        // Halve first: the difference of two finite numbers may be infinite.
        let part = (high / 2.0 - y / 2.0) / (high / 2.0 - low / 2.0);
        let bottom = usize::from(self.area.height) * 4 - 1;
        ((part * bottom as f64).round() as usize).min(bottom)
    }

    /// The column of cells of a position.
    pub(in crate::ui) fn x(&self, x: f64) -> u16 {
        self.area.x + (self.column(x) / 2) as u16
    }

    /// The row of cells of a height.
    pub(in crate::ui) fn y(&self, y: f64) -> u16 {
        self.area.y + (self.row(y) / 4) as u16
    }

    /// The cell of a spot.
    pub(super) fn cell(&self, spot: Spot) -> Position {
        Position { x: self.x(spot.x), y: self.y(spot.y) }
    }
}

/// The heights that the plot shows: those of the curves, with room around them if they are all equal.
pub(super) fn heights(low: f64, high: f64) -> (f64, f64) {
    if high / 2.0 - low / 2.0 > LEAST {
        return (low, high);
    }
    let room = match low.abs() {
        size if size <= LEAST => 1.0,
        // As much room on both sides, so that the curve is in the middle.
        size => (size * 0.1).max(2.0 * LEAST).min(f64::MAX - size),
    };
    (low - room, high + room)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_and_heights_have_their_dots() {
        let area = Rect { x: 3, y: 2, width: 10, height: 5 };
        let plane = Plane { area, window: (100.0, 200.0), heights: (-1.0, 3.0) };
        for (x, column, cell) in [(100.0, 0, 3), (149.9, 9, 7), (150.0, 10, 8), (200.0, 19, 12)] {
            assert_eq!((plane.column(x), plane.x(x)), (column, cell), "{x}");
        }
        for (y, row, cell) in [(3.0, 0, 2), (2.0, 5, 3), (0.0, 14, 5), (-1.0, 19, 6)] {
            assert_eq!((plane.row(y), plane.y(y)), (row, cell), "{y}");
        }
        assert_eq!(Plane { window: (7.0, 7.0), ..plane }.column(7.0), 10, "in the middle");
    }
}
