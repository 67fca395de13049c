//! A picture as text.

use unicode_segmentation::UnicodeSegmentation;

use super::Picture;
use crate::dag::layout::{DOWN, LEFT, RIGHT, Rect, UP};
use crate::text::width;
use crate::ui::glyphs::Glyphs;

impl Picture<'_> {
    /// The drawing as lines of text, with no spaces at their ends.
    pub fn to_text(&self, ascii: bool) -> String {
        let glyphs = Glyphs::of(ascii);
        let mut text = String::new();
        for area in self.bands() {
            let cells = vec![" "; area.width as usize * area.height as usize];
            let mut band = Band { area, cells };
            for (frame, title, place) in self.frames(area) {
                band.outline(&frame, glyphs.frame);
                band.put(place, title);
            }
            for cell in self.lines.visible(area) {
                let glyph = match cell.under {
                    Some(_) => glyphs.crossing,
                    None => glyphs.join(cell.ways),
                };
                band.put((cell.x, cell.y), glyph);
            }
            for (place, way) in self.heads(area) {
                band.put(place, glyphs.head(way));
            }
            for (label, place, (x, y)) in self.boxes(area) {
                if label.boxed {
                    band.outline(&place, glyphs.lines);
                } else if place.height > 1 {
                    band.bracket(&place, glyphs.lines);
                }
                band.put((x, y), label.look(glyphs).0);
                band.put((x + 2, y), &label.text);
            }
            for (place, way) in self.exits(area) {
                let along = if way & (UP | DOWN) != 0 { LEFT | RIGHT } else { UP | DOWN };
                band.put(place, glyphs.join(along | way));
            }
            for row in band.cells.chunks(area.width.max(1) as usize) {
                text.push_str(row.concat().trim_end());
                text.push('\n');
            }
        }
        text
    }
}

/// Rows of cells; the second cell of a wide character is empty.
struct Band<'a> {
    area: Rect,
    cells: Vec<&'a str>,
}

impl<'a> Band<'a> {
    fn put(&mut self, (x, y): (i32, i32), text: &'a str) {
        let inside = |x: i32| (self.area.x..self.area.x + self.area.width).contains(&x);
        if !(self.area.y..self.area.y + self.area.height).contains(&y) {
            return;
        }
        let row = (y - self.area.y) as usize * self.area.width as usize;
        let mut at = x;
        for sign in text.graphemes(true) {
            let cells = width(sign) as i32;
            if cells == 0 || !inside(at) || !inside(at + cells - 1) {
                continue;
            }
            let start = row + (at - self.area.x) as usize;
            self.cells[start] = sign;
            for cell in &mut self.cells[start + 1..start + cells as usize] {
                *cell = "";
            }
            at += cells;
        }
    }

    /// The sides of a single-line vertex that was made taller to have room for its lines.
    fn bracket(&mut self, area: &Rect, signs: [&'static str; 6]) {
        let (right, bottom) = (area.x + area.width - 1, area.y + area.height - 1);
        for y in area.y..=bottom {
            let (left_sign, right_sign) = match y {
                _ if y == area.y => (signs[2], signs[3]),
                _ if y == bottom => (signs[4], signs[5]),
                _ => (signs[1], signs[1]),
            };
            self.put((area.x, y), left_sign);
            self.put((right, y), right_sign);
        }
    }

    /// `signs` are horizontal, vertical, and the corners: upper left, upper right, lower left, lower right.
    fn outline(&mut self, area: &Rect, signs: [&'static str; 6]) {
        let (right, bottom) = (area.x + area.width - 1, area.y + area.height - 1);
        for y in area.y.max(self.area.y)..=bottom.min(self.area.y + self.area.height - 1) {
            let (first, middle, last) = match y {
                _ if y == area.y => (signs[2], signs[0], signs[3]),
                _ if y == bottom => (signs[4], signs[0], signs[5]),
                _ => (signs[1], "", signs[1]),
            };
            self.put((area.x, y), first);
            self.put((right, y), last);
            if !middle.is_empty() {
                for x in area.x + 1..right {
                    self.put((x, y), middle);
                }
            }
        }
    }
}
