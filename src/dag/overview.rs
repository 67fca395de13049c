//! A drawing scaled down: braille dots, and the worst status in each cell.
//!
//! A braille character has two by four dots, so dots are evenly spaced if cells are twice as high as wide.
//! The picture keeps the proportions of the drawing unless that would make it too small to be useful.

use super::layout::Rect;

/// Dots of a cell: (across, down).
const DOTS: (f64, f64) = (2.0, 4.0);

/// Largest ratio between the two scales, for drawings that are much longer than high or the reverse.
const MOST_STRETCH: f64 = 6.0;

/// Lines are drawn only if they set at most one dot in this many; denser lines would hide the boxes.
const DOTS_TO_A_LINE: usize = 3;

/// The bit of each dot in U+2800 to U+28FF, by column and row.
pub const BITS: [[u8; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];

/// A cell of the scaled-down picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cell {
    /// The dots as an offset from U+2800.
    pub dots: u8,
    /// The highest rank of the boxes in the cell; 0 if there is none.
    pub rank: u8,
}

impl Cell {
    /// The braille character.
    pub fn sign(self) -> char {
        char::from_u32(0x2800 + u32::from(self.dots)).unwrap_or(' ')
    }
}

/// A drawing scaled down.
#[derive(Debug, Clone, Default)]
pub struct Overview {
    /// Width in cells; at most the available width.
    pub width: usize,
    /// Height in cells.
    pub height: usize,
    /// The cells row by row.
    pub cells: Vec<Cell>,
    /// Dots per cell of the drawing: (across, down).
    scale: (f64, f64),
    /// Size of the drawing in cells.
    size: (i32, i32),
}

impl Overview {
    /// Scales down boxes with their ranks, which start at 1 and are higher for a worse status. `size` is the
    /// size of the drawing and `room` the largest size of the picture (width, height), in cells. A drawing
    /// that fits is not scaled. A box has at least one dot; boxes outside of the drawing are left out.
    pub fn of(
        boxes: impl IntoIterator<Item = (Rect, u8)>,
        size: (i32, i32),
        room: (usize, usize),
    ) -> Self {
        let size = (size.0.max(0), size.1.max(0));
        if size.0 == 0 || size.1 == 0 || room.0 == 0 || room.1 == 0 {
            return Overview::default();
        }
        let fit = (room.0 as f64 / f64::from(size.0), room.1 as f64 / f64::from(size.1));
        let even = fit.0.min(fit.1);
        let scale = |fit: f64, dots: f64| fit.min(even * MOST_STRETCH).min(1.0) * dots;
        let scale = (scale(fit.0, DOTS.0), scale(fit.1, DOTS.1));
        let cells = |length: i32, scale: f64, dots: f64, most: usize| {
            let cells = (f64::from(length) * scale / dots).ceil() as usize;
            cells.clamp(1, most)
        };
        let width = cells(size.0, scale.0, DOTS.0, room.0);
        let height = cells(size.1, scale.1, DOTS.1, room.1);
        let mut overview =
            Overview { width, height, cells: vec![Cell::default(); width * height], scale, size };
        for (area, rank) in boxes {
            overview.set(&area, rank);
        }
        overview
    }

    fn set(&mut self, area: &Rect, rank: u8) {
        let dots = |start: i32, length: i32, end: i32, scale: f64, most: usize| {
            let (from, to) = (start.max(0), (start + length.max(1)).min(end));
            let first = ((f64::from(from) * scale) as usize).min(most - 1);
            let last = ((f64::from(to) * scale) as usize).clamp(first + 1, most);
            if from < to { first..last } else { 0..0 }
        };
        let across = dots(area.x, area.width, self.size.0, self.scale.0, self.width * 2);
        let down = dots(area.y, area.height, self.size.1, self.scale.1, self.height * 4);
        for y in down {
            for x in across.clone() {
                let cell = &mut self.cells[y / 4 * self.width + x / 2];
                cell.dots |= BITS[x % 2][y % 4];
                cell.rank = cell.rank.max(rank);
            }
        }
    }

    /// Adds lines, given by their corners or by all of their cells. Lines have no rank: a cell with nothing
    /// else keeps rank 0. If the lines would fill the picture, none is added. Points outside of the drawing
    /// are moved to its border. Returns whether the lines were added.
    pub fn add_lines<L>(&mut self, lines: impl IntoIterator<Item = L>) -> bool
    where
        L: IntoIterator<Item = (i32, i32)>,
    {
        if self.cells.is_empty() {
            return false;
        }
        let dot = |at: i32, size: i32, scale: f64, most: usize| {
            ((f64::from(at.clamp(0, size - 1)) * scale) as usize).min(most - 1)
        };
        let (across, down) = (self.width * 2, self.height * 4);
        let mut set = vec![0_u8; self.cells.len()];
        for line in lines {
            let mut before = None;
            for (x, y) in line {
                let x = dot(x, self.size.0, self.scale.0, across);
                let y = dot(y, self.size.1, self.scale.1, down);
                let (from_x, from_y) = before.replace((x, y)).unwrap_or((x, y));
                let mut mark = |x: usize, y: usize| {
                    set[y / 4 * self.width + x / 2] |= BITS[x % 2][y % 4];
                };
                // Lines are orthogonal; a diagonal would be drawn with one turn.
                (from_x.min(x)..=from_x.max(x)).for_each(|x| mark(x, from_y));
                (from_y.min(y)..=from_y.max(y)).for_each(|y| mark(x, y));
            }
        }
        let dots: usize = set.iter().map(|dots| dots.count_ones() as usize).sum();
        let few = dots * DOTS_TO_A_LINE <= across * down;
        if few {
            std::iter::zip(&mut self.cells, set).for_each(|(cell, dots)| cell.dots |= dots);
        }
        few
    }

    /// The cells that show a part of the drawing, such as the viewport: at least one, if the part overlaps
    /// the drawing.
    pub fn area(&self, part: &Rect) -> Option<Rect> {
        let cells = |start: i32, length: i32, end: i32, scale: f64, most: usize| {
            let (from, to) = (start.max(0), start.saturating_add(length).min(end));
            let first = ((f64::from(from) * scale) as usize).min(most.saturating_sub(1));
            let last = ((f64::from(to) * scale).ceil() as usize).min(most).max(first + 1);
            (from < to).then_some((first as i32, (last - first) as i32))
        };
        let (across, down) = (self.scale.0 / DOTS.0, self.scale.1 / DOTS.1);
        let (x, width) = cells(part.x, part.width, self.size.0, across, self.width)?;
        let (y, height) = cells(part.y, part.height, self.size.1, down, self.height)?;
        Some(Rect { x, y, width, height })
    }

    /// The cell of the drawing in the middle of a cell of the picture; `None` outside of the picture.
    pub fn place(&self, column: usize, row: usize) -> Option<(i32, i32)> {
        let middle = |cell: usize, scale: f64, dots: f64, end: i32| {
            (((cell as f64 + 0.5) * dots / scale) as i32).min(end - 1)
        };
        (column < self.width && row < self.height).then(|| {
            let x = middle(column, self.scale.0, DOTS.0, self.size.0);
            (x, middle(row, self.scale.1, DOTS.1, self.size.1))
        })
    }

    /// The cells of a row.
    pub fn row(&self, row: usize) -> &[Cell] {
        self.cells.get(row * self.width..(row + 1) * self.width).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rect(x: i32, y: i32, width: i32, height: i32) -> Rect {
        Rect { x, y, width, height }
    }

    fn signs(overview: &Overview) -> Vec<String> {
        (0..overview.height)
            .map(|row| overview.row(row).iter().map(|cell| cell.sign()).collect())
            .collect()
    }

    #[test]
    fn a_drawing_is_scaled_down() {
        // 8 by 4 cells in 4 by 2: a dot is one cell wide and half a cell high.
        let boxes = [(rect(0, 0, 3, 1), 1), (rect(6, 2, 2, 2), 2), (rect(1, 3, 1, 1), 3)];
        let overview = Overview::of(boxes, (8, 4), (4, 2));
        assert_eq!((overview.width, overview.height), (4, 2));
        assert_eq!(signs(&overview), ["⠛⠃⠀⠀", "⢠⠀⠀⣿"].map(str::to_owned));
        let ranks: Vec<u8> = overview.cells.iter().map(|cell| cell.rank).collect();
        assert_eq!(ranks, [1, 1, 0, 0, 3, 0, 0, 2]);
    }

    #[test]
    fn a_long_drawing_is_stretched() {
        let size_of = |size, room| {
            let overview = Overview::of([], size, room);
            (overview.width, overview.height)
        };
        assert_eq!(size_of((2_000, 41), (100, 50)), (100, 13));
        assert_eq!(size_of((2_000, 1_000), (100, 50)), (100, 50));
        assert_eq!(size_of((2_000, 4), (100, 50)), (100, 2));
    }

    #[test]
    fn the_worst_state_wins_in_a_cell() {
        let boxes = [(rect(0, 0, 10, 1), 4), (rect(0, 2, 10, 1), 9), (rect(3, 4, 10, 1), 2)];
        let overview = Overview::of(boxes, (100, 20), (2, 1));
        assert_eq!(overview.row(0)[0].rank, 9);
    }

    #[test]
    fn lines_are_drawn_beneath_boxes_unless_they_are_too_dense() {
        let mut overview = Overview::of([(rect(0, 0, 4, 1), 5)], (40, 20), (20, 5));
        assert!(overview.add_lines([[(4, 0), (20, 0), (20, 19), (39, 19)]]));
        assert_eq!(
            signs(&overview),
            [
                "⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⡇⠀⠀⠀⠀⠀⠀⠀⠀⠀",
                "⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⡇⠀⠀⠀⠀⠀⠀⠀⠀⠀",
                "⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⡇⠀⠀⠀⠀⠀⠀⠀⠀⠀",
                "⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⡇⠀⠀⠀⠀⠀⠀⠀⠀⠀",
                "⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⣇⣀⣀⣀⣀⣀⣀⣀⣀⣀",
            ]
        );
        let ranks: Vec<u8> = overview.row(0)[..4].iter().map(|cell| cell.rank).collect();
        assert_eq!(ranks, [5, 5, 0, 0]);
        let before = overview.cells.clone();
        assert!(!overview.add_lines((0..20).map(|y| [(0, y), (39, y)])), "too many");
        assert_eq!(overview.cells, before);
        assert!(overview.add_lines([[(-5, 3), (400, 3)]]), "what lies outside is at the border");
        assert!(!Overview::default().add_lines([[(0, 0), (1, 0)]]));
    }

    #[test]
    fn an_empty_drawing_has_an_empty_overview() {
        for (size, room) in [((0, 0), (10, 10)), ((10, 10), (0, 3)), ((-3, 2), (4, 4))] {
            let overview = Overview::of([(rect(0, 0, 3, 3), 1)], size, room);
            assert_eq!((overview.width, overview.cells.len()), (0, 0));
            assert_eq!(overview.area(&rect(0, 0, 5, 5)), None);
            assert_eq!(overview.place(0, 0), None);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_box_is_seen_where_a_click_leads_back_to_it(
            size in (1..3000_i32, 1..600_i32),
            room in (1..80_usize, 1..40_usize),
            boxes in proptest::collection::vec((-10..3000_i32, -10..600_i32, 1..40_i32, 1..4_i32, 1..9_u8), 1..20),
        ) {
            let boxes: Vec<(Rect, u8)> = boxes.into_iter().map(|(x, y, w, h, rank)| (rect(x, y, w, h), rank)).collect();
            let overview = Overview::of(boxes.iter().copied(), size, room);
            prop_assert!(overview.width <= room.0 && overview.height <= room.1);
            prop_assert!(overview.width == room.0 || overview.height == room.1 || (overview.width, overview.height) == (size.0 as usize, size.1 as usize));
            for (area, rank) in &boxes {
                let seen = overview.area(area);
                let inside = area.meets_drawing(size);
                prop_assert_eq!(seen.is_some(), inside);
                let Some(seen) = seen else { continue };
                prop_assert!(seen.x >= 0 && seen.x + seen.width <= overview.width as i32);
                prop_assert!(seen.y >= 0 && seen.y + seen.height <= overview.height as i32);
                let cells = (seen.y..seen.y + seen.height).flat_map(|y| (seen.x..seen.x + seen.width).map(move |x| (x, y)));
                let found = cells.filter(|(x, y)| overview.row(*y as usize)[*x as usize].rank >= *rank);
                prop_assert!(found.count() > 0);
            }
            for row in 0..overview.height {
                for column in 0..overview.width {
                    let (x, y) = overview.place(column, row).unwrap();
                    prop_assert!((0..size.0).contains(&x) && (0..size.1).contains(&y));
                    let back = overview.area(&rect(x, y, 1, 1)).unwrap();
                    prop_assert!((back.x..back.x + back.width).contains(&(column as i32)), "{column} {x} {back:?}");
                    prop_assert!((back.y..back.y + back.height).contains(&(row as i32)), "{row} {y} {back:?}");
                }
            }
        }
    }

    impl Rect {
        fn meets_drawing(&self, size: (i32, i32)) -> bool {
            self.x < size.0
                && self.y < size.1
                && self.x + self.width > 0
                && self.y + self.height > 0
        }
    }
}
