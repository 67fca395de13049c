//! The part of the drawing that an area of the screen shows.

use ratatui::layout::Rect;
use unicode_segmentation::UnicodeSegmentation;

use super::super::super::paint::Paint;
use super::super::super::theme::Role;
use crate::dag::layout;
use crate::text::width;

/// An area of the screen, and the cell of the drawing that is its first.
pub(super) struct Canvas {
    pub area: Rect,
    pub scroll: (i32, i32),
}

impl Canvas {
    /// The screen cell of a cell of the drawing, if it is visible.
    pub fn cell(&self, x: i32, y: i32) -> Option<(u16, u16)> {
        let (x, y) = (x - self.scroll.0, y - self.scroll.1);
        let inside = (0..i32::from(self.area.width)).contains(&x)
            && (0..i32::from(self.area.height)).contains(&y);
        inside.then(|| (self.area.x + x as u16, self.area.y + y as u16))
    }

    /// The visible part of the drawing.
    pub fn shown(&self) -> layout::Rect {
        let (x, y) = self.scroll;
        let (width, height) = (i32::from(self.area.width), i32::from(self.area.height));
        layout::Rect { x, y, width, height }
    }

    /// The visible part of a box.
    pub fn rect(&self, place: &layout::Rect) -> Option<Rect> {
        let left = (place.x - self.scroll.0).max(0);
        let top = (place.y - self.scroll.1).max(0);
        let right = (place.x + place.width - self.scroll.0).min(i32::from(self.area.width));
        let bottom = (place.y + place.height - self.scroll.1).min(i32::from(self.area.height));
        (left < right && top < bottom).then(|| Rect {
            x: self.area.x + left as u16,
            y: self.area.y + top as u16,
            width: (right - left) as u16,
            height: (bottom - top) as u16,
        })
    }

    /// Writes text cell by cell and skips invisible cells. Returns the number of cells.
    pub fn put(&self, paint: &mut Paint<'_>, x: i32, y: i32, text: &str, role: Role) -> i32 {
        let mut at = x;
        for part in text.graphemes(true) {
            let cells = width(part) as i32;
            if let Some((column, row)) = self.cell(at, y)
                && (cells < 2 || self.cell(at + 1, y).is_some())
            {
                paint.text(column, row, part, role, cells.max(1) as u16);
            }
            at += cells;
        }
        at - x
    }

    /// A rectangle of lines: horizontal, vertical, and the corners upper left, upper right, lower left, lower right.
    pub fn outline(
        &self,
        paint: &mut Paint<'_>,
        place: &layout::Rect,
        signs: [&'static str; 6],
        role: Role,
    ) {
        let [across, down, upper_left, upper_right, lower_left, lower_right] = signs;
        let (right, bottom) = (place.x + place.width - 1, place.y + place.height - 1);
        let seen = self.shown();
        for x in (place.x + 1).max(seen.x)..right.min(seen.x + seen.width) {
            self.put(paint, x, place.y, across, role);
            self.put(paint, x, bottom, across, role);
        }
        for y in (place.y + 1).max(seen.y)..bottom.min(seen.y + seen.height) {
            self.put(paint, place.x, y, down, role);
            self.put(paint, right, y, down, role);
        }
        self.put(paint, place.x, place.y, upper_left, role);
        self.put(paint, right, place.y, upper_right, role);
        self.put(paint, place.x, bottom, lower_left, role);
        self.put(paint, right, bottom, lower_right, role);
    }
}
