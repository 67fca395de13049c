//! The drawn lines cell by cell, found by position: the cost depends on the size of the visible part.

use super::{Direction, Layout, Rect};

/// A line leaves a cell upwards.
pub const UP: u8 = 1;
/// A line leaves a cell downwards.
pub const DOWN: u8 = 2;
/// A line leaves a cell to the left.
pub const LEFT: u8 = 4;
/// A line leaves a cell to the right.
pub const RIGHT: u8 = 8;
/// A line ends here at the target's box: an arrow head.
pub const HEAD: u8 = 16;

/// A cell that lines run through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineCell {
    /// Column of the cell.
    pub x: i32,
    /// Row of the cell.
    pub y: i32,
    /// The directions in which the line leaves the cell ([`UP`] and so on). Edges join here only if they have
    /// the same source.
    pub ways: u8,
    /// The source of all edges of this line.
    pub owner: usize,
    /// Directions and source of another line that crosses under this one without joining it. The line of
    /// `owner` is vertical then, and the other one is horizontal.
    pub under: Option<(u8, usize)>,
}

impl LineCell {
    /// The directions of the line that starts from `owner`; 0 if it does not run through the cell.
    pub fn ways_of(&self, owner: usize) -> u8 {
        match self.under {
            _ if self.owner == owner => self.ways,
            Some((ways, other)) if other == owner => ways,
            _ => 0,
        }
    }
}

/// A straight segment of the lines of one source.
#[derive(Debug, Clone, Copy)]
struct Run {
    from: i32,
    to: i32,
    owner: usize,
}

/// Segments by row or column, sorted by their first cell.
#[derive(Debug, Clone, Default)]
struct Runs {
    starts: Vec<usize>,
    runs: Vec<Run>,
}

impl Runs {
    fn of(mut all: Vec<(i32, Run)>, count: i32) -> Self {
        all.sort_unstable_by_key(|(at, run)| (*at, run.owner, run.from, run.to));
        // Merge segments of one source that share a cell.
        let mut merged: Vec<(i32, Run)> = Vec::with_capacity(all.len());
        for (at, run) in all {
            match merged.last_mut() {
                Some((before, last))
                    if (*before, last.owner) == (at, run.owner) && run.from <= last.to =>
                {
                    last.to = last.to.max(run.to);
                }
                _ => merged.push((at, run)),
            }
        }
        merged.sort_unstable_by_key(|(at, run)| (*at, run.from));
        let mut starts = vec![0; count.max(0) as usize + 1];
        for (at, _) in &merged {
            if let Some(start) = starts.get_mut(*at as usize + 1) {
                *start += 1;
            }
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        Runs { starts, runs: merged.into_iter().map(|(_, run)| run).collect() }
    }

    /// The segments of a row or column that overlap a range.
    fn within(&self, at: i32, from: i32, to: i32) -> impl Iterator<Item = &Run> {
        let at = at.max(0) as usize;
        let range = match (self.starts.get(at), self.starts.get(at + 1)) {
            (Some(start), Some(end)) => *start..*end,
            _ => 0..0,
        };
        let runs = &self.runs[range];
        let first = runs.partition_point(|run| run.to < from);
        runs[first..].iter().take_while(move |run| run.from < to)
    }
}

/// Spatial index of the lines and boxes of a layout.
#[derive(Debug, Clone, Default)]
pub struct Lines {
    rows: Runs,
    columns: Runs,
    /// The cells where lines touch boxes: row, column, and the direction to the box, combined with [`HEAD`]
    /// for an arrow.
    ends: Vec<(i32, i32, u8)>,
    tiles: Tiles,
}

impl Lines {
    /// The lines of a layout.
    pub fn of(layout: &Layout) -> Self {
        let (mut rows, mut columns) = (Vec::new(), Vec::new());
        let mut ends = Vec::new();
        for route in &layout.routes {
            let owner = route.source;
            for pair in route.corners.windows(2) {
                let (one, other) = (pair[0], pair[1]);
                if one.1 == other.1 {
                    let (from, to) = (one.0.min(other.0), one.0.max(other.0));
                    rows.push((one.1, Run { from, to, owner }));
                } else {
                    let (from, to) = (one.1.min(other.1), one.1.max(other.1));
                    columns.push((one.0, Run { from, to, owner }));
                }
            }
            let (Some(first), Some(last)) = (route.corners.first(), route.corners.last()) else {
                continue;
            };
            if route.corners.len() == 1 {
                match layout.direction {
                    Direction::TopBottom => {
                        columns.push((first.0, Run { from: first.1, to: first.1, owner }));
                    }
                    Direction::LeftRight => {
                        rows.push((first.1, Run { from: first.0, to: first.0, owner }));
                    }
                }
            }
            ends.push((first.1, first.0, layout.boxes[route.source].way_from(*first)));
            ends.push((last.1, last.0, layout.boxes[route.target].way_from(*last) | HEAD));
        }
        ends.sort_unstable();
        ends.dedup();
        Lines {
            rows: Runs::of(rows, layout.height),
            columns: Runs::of(columns, layout.width),
            ends,
            tiles: Tiles::of(layout),
        }
    }

    /// The line cells in a part of the drawing, row by row.
    pub fn visible(&self, area: Rect) -> Vec<LineCell> {
        let (width, height) = (area.width.max(0) as usize, area.height.max(0) as usize);
        let mut cells: Vec<Option<LineCell>> = vec![None; width * height];
        let (right, bottom) = (area.x + area.width, area.y + area.height);
        let index = |x: i32, y: i32| (y - area.y) as usize * width + (x - area.x) as usize;
        for x in area.x.max(0)..right {
            for run in self.columns.within(x, area.y, bottom) {
                for y in run.from.max(area.y)..=run.to.min(bottom - 1) {
                    let ways = ways(run, y, UP, DOWN);
                    let cell = LineCell { x, y, ways, owner: run.owner, under: None };
                    cells[index(x, y)] = Some(cell);
                }
            }
        }
        for y in area.y.max(0)..bottom {
            for run in self.rows.within(y, area.x, right) {
                for x in run.from.max(area.x)..=run.to.min(right - 1) {
                    let ways = ways(run, x, LEFT, RIGHT);
                    match &mut cells[index(x, y)] {
                        Some(cell) if cell.owner == run.owner => cell.ways |= ways,
                        Some(cell) => cell.under = Some((ways, run.owner)),
                        none => {
                            let owner = run.owner;
                            *none = Some(LineCell { x, y, ways, owner, under: None });
                        }
                    }
                }
            }
            let first = self.ends.partition_point(|end| (end.0, end.1) < (y, area.x));
            for (_, x, ways) in
                self.ends[first..].iter().take_while(|end| end.0 == y && end.1 < right)
            {
                if let Some(cell) = &mut cells[index(*x, y)] {
                    cell.ways |= ways;
                }
            }
        }
        cells.into_iter().flatten().collect()
    }

    /// The lines in one cell.
    pub fn at(&self, x: i32, y: i32) -> Option<LineCell> {
        self.visible(Rect { x, y, width: 1, height: 1 }).pop()
    }

    /// The vertices whose boxes overlap a part of the drawing, in increasing order.
    pub fn boxes(&self, layout: &Layout, area: Rect) -> Vec<usize> {
        let mut found = self.tiles.near(&area);
        found.retain(|id| layout.boxes[*id].meets(&area));
        found
    }
}

fn ways(run: &Run, at: i32, back: u8, on: u8) -> u8 {
    (if at > run.from { back } else { 0 }) | (if at < run.to { on } else { 0 })
}

/// Boxes by the tiles of the drawing that they overlap.
#[derive(Debug, Clone, Default)]
struct Tiles {
    width: i32,
    height: i32,
    across: i32,
    tiles: Vec<Vec<usize>>,
}

impl Tiles {
    fn of(layout: &Layout) -> Self {
        let (mut width, mut height) = (64, 16);
        let count = |width: i32, height: i32| {
            i64::from(layout.width / width + 1) * i64::from(layout.height / height + 1)
        };
        while count(width, height) > 4 * layout.boxes.len() as i64 + 64 {
            width *= 2;
            height *= 2;
        }
        let across = layout.width / width + 1;
        let tiles = vec![Vec::new(); count(width, height) as usize];
        let mut tiles = Tiles { width, height, across, tiles };
        for (id, area) in layout.boxes.iter().enumerate() {
            for tile in tiles.touched(area) {
                tiles.tiles[tile].push(id);
            }
        }
        tiles
    }

    fn touched(&self, area: &Rect) -> impl Iterator<Item = usize> + use<> {
        let across = self.across;
        let clip = |at: i32, size: i32, count: i32| (at.max(0) / size).min(count - 1);
        let down = (self.tiles.len() as i32).checked_div(across).unwrap_or(0);
        let columns =
            clip(area.x, self.width, across)..=clip(area.x + area.width - 1, self.width, across);
        let rows =
            clip(area.y, self.height, down)..=clip(area.y + area.height - 1, self.height, down);
        rows.flat_map(move |row| {
            columns.clone().map(move |column| (row * across + column) as usize)
        })
    }

    fn near(&self, area: &Rect) -> Vec<usize> {
        if self.tiles.is_empty() {
            return Vec::new();
        }
        let mut found: Vec<usize> =
            self.touched(area).flat_map(|tile| self.tiles[tile].iter().copied()).collect();
        found.sort_unstable();
        found.dedup();
        found
    }
}
