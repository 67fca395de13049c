//! A graph as a list: a row for each vertex, and the edges as lines to the left, as in `git log --graph`.
//!
//! Each vertex comes after its parents. One line per vertex runs down its column; in the row of each child a
//! branch turns off to the child. In a row, all horizontal lines lead to the row's vertex:
//!
//! ```text
//! ● companies
//! ├─● clean       a branch; the line continues
//! │ ● tidy
//! │ ├─● join
//! │ │ ● table
//! ●─│─╯ score     the line of `table` ends; that of `tidy` passes behind
//! ● │ result
//! ●─╯ report
//! ```
//!
//! The number of columns is limited. If too many lines would be open, the line that is needed again farthest
//! down is cut. Edges that lead upwards, as on a cycle, are cut too. Both ends of a cut edge name the other
//! end ([`Row::leads_to`], [`Row::comes_from`]).

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::ops::Range;

use super::layout::{DOWN, LEFT, RIGHT, UP};
use super::{Graph, Id};

/// The meaning of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mark {
    /// Empty, or a straight line.
    #[default]
    Plain,
    /// The vertex of the row.
    Vertex,
    /// A branch turns off to the row's vertex from the line above. With [`DOWN`] the line continues below,
    /// else it ends.
    Branch,
    /// The line from above crosses behind a horizontal line, without being connected to it.
    Crossing,
}

/// A cell of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cell {
    /// Meaning of the cell.
    pub mark: Mark,
    /// The directions in which lines leave the cell: [`UP`], [`DOWN`], [`LEFT`], [`RIGHT`].
    pub ways: u8,
    /// The vertex whose line runs down this column; at a vertex, that vertex.
    pub line: Option<Id>,
}

/// A row of the list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Row {
    /// Id of the row's vertex.
    pub id: Id,
    /// Column of the vertex.
    pub column: usize,
    /// Targets of cut edges from the vertex, in the order of the list.
    pub leads_to: Vec<Id>,
    /// Sources of cut edges to the vertex, in the order of the list.
    pub comes_from: Vec<Id>,
    cells: Range<usize>,
}

/// A graph as a list with lines.
#[derive(Debug, Clone, Default)]
pub struct Lanes {
    /// The rows from top to bottom.
    pub rows: Vec<Row>,
    /// The number of columns that are used.
    pub columns: usize,
    cells: Vec<Cell>,
    rows_of: Vec<usize>,
}

impl Lanes {
    /// The list of a graph with at most `most` columns, at least two. Without a limit a large graph has
    /// hundreds. The same graph gives the same list. Self-loops are left out.
    pub fn of(graph: &Graph, most: usize) -> Self {
        let order = order(graph);
        let mut rows_of = vec![0; order.len()];
        order.iter().enumerate().for_each(|(row, id)| rows_of[*id] = row);
        let lines = most.max(2) - 1;
        let reach = reach(graph, &order, &rows_of, lines);
        let mut lanes = Lanes { rows_of, ..Lanes::default() };
        lanes.rows = order.into_iter().map(|id| Row { id, ..Row::default() }).collect();
        lanes.cut(graph, &reach);
        lanes.draw(graph, &reach);
        lanes
    }

    /// The index of a vertex's row.
    pub fn row_of(&self, id: Id) -> usize {
        self.rows_of[id]
    }

    /// The cells of a row, one per column, without empty ones at the end.
    pub fn cells(&self, row: usize) -> &[Cell] {
        self.rows.get(row).map_or(&[], |row| &self.cells[row.cells.clone()])
    }

    /// The parents of the row's vertex whose edges cross a column or turn off in it: those whose lines lie at
    /// this column or beyond, seen from the vertex. Empty at the vertex itself. With `gap`, the edges in the
    /// gap right of the column.
    pub fn across(&self, row: usize, column: usize, gap: bool) -> impl Iterator<Item = Id> + '_ {
        let cells = self.cells(row);
        let at = self.rows.get(row).map_or(0, |row| row.column);
        let range = match (column < at, gap) {
            (true, _) => 0..(column + 1).min(cells.len()),
            (false, true) => (column + 1).min(cells.len())..cells.len(),
            (false, false) if column == at => 0..0,
            (false, false) => column.min(cells.len())..cells.len(),
        };
        let branches = cells[range].iter().filter(|cell| cell.mark == Mark::Branch);
        branches.filter_map(|cell| cell.line)
    }

    /// Records both ends of the edges that are not drawn.
    fn cut(&mut self, graph: &Graph, reach: &[Option<usize>]) {
        for (source, last) in reach.iter().enumerate() {
            let id = self.rows[source].id;
            for child in graph.children[id].iter().filter(|child| **child != id) {
                let target = self.rows_of[*child];
                if target < source || last.is_none_or(|last| last < target) {
                    self.rows[source].leads_to.push(*child);
                    self.rows[target].comes_from.push(id);
                }
            }
            self.rows[source].leads_to.sort_by_key(|id| self.rows_of[*id]);
        }
    }

    /// Assigns a column to each line and fills the cells.
    fn draw(&mut self, graph: &Graph, reach: &[Option<usize>]) {
        // For each column, the row whose line is open there.
        let mut open: Vec<Option<usize>> = Vec::new();
        let mut branches = Vec::new();
        for row in 0..self.rows.len() {
            let vertex = self.rows[row].id;
            branches.clear();
            let sources = graph.parents[vertex].iter().map(|parent| self.rows_of[*parent]);
            let reaching = sources.filter(|source| *source < row && reach[*source] >= Some(row));
            branches.extend(reaching.map(|source| (self.rows[source].column, source)));
            let ends = |source: usize| reach[source] == Some(row);
            let ended = branches.iter().filter(|(_, source)| ends(*source)).map(|branch| branch.0);
            let free = || open.iter().position(Option::is_none).unwrap_or(open.len());
            let column = ended.min().unwrap_or_else(free);
            if column == open.len() {
                open.push(None);
            }
            self.rows[row].column = column;
            let first = branches.iter().map(|branch| branch.0).fold(column, usize::min);
            let last = branches.iter().map(|branch| branch.0).fold(column, usize::max);
            let filled = open.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
            let start = self.cells.len();
            for (at, line) in open.iter().enumerate().take(filled.max(last + 1)) {
                let left = if first < at && at <= last { LEFT } else { 0 };
                let right = if first <= at && at < last { RIGHT } else { 0 };
                let mut cell = Cell { ways: left | right, ..Cell::default() };
                if let Some(source) = line {
                    cell.ways |= UP | DOWN;
                    cell.line = Some(self.rows[*source].id);
                    cell.mark =
                        if cell.ways & (LEFT | RIGHT) == 0 { Mark::Plain } else { Mark::Crossing };
                }
                self.cells.push(cell);
            }
            for (at, source) in &branches {
                let cell = &mut self.cells[start + at];
                cell.mark = Mark::Branch;
                if ends(*source) {
                    cell.ways &= !DOWN;
                    open[*at] = None;
                }
            }
            let cell = &mut self.cells[start + column];
            (cell.mark, cell.line) = (Mark::Vertex, Some(vertex));
            if reach[row].is_some() {
                cell.ways |= DOWN;
                open[column] = Some(row);
            }
            self.rows[row].cells = start..self.cells.len();
            self.columns = self.columns.max(self.cells.len() - start);
        }
    }
}

/// The vertices from top to bottom: a depth-first order from the sinks, so that parents are as close above a
/// vertex as possible. That leaves fewer lines open, and cuts fewer edges, than an order from the sources.
fn order(graph: &Graph) -> Vec<Id> {
    let all = 0..graph.vertices.len();
    let last = all.clone().filter(|id| graph.children[*id].is_empty());
    graph.order_from(last.chain(all))
}

/// For each row with a line, the last row that the line leads to. Where more than `lines` would be open, the
/// line that is needed again farthest down is cut.
fn reach(graph: &Graph, order: &[Id], rows_of: &[usize], lines: usize) -> Vec<Option<usize>> {
    let targets: Vec<Vec<usize>> = order
        .iter()
        .enumerate()
        .map(|(row, id)| {
            let rows = graph.children[*id].iter().map(|child| rows_of[*child]);
            let mut rows: Vec<usize> = rows.filter(|target| *target > row).collect();
            rows.sort_unstable();
            rows
        })
        .collect();
    // For each line, the number of targets reached so far.
    let mut reached = vec![0; order.len()];
    // Open lines, sorted by the row where they are needed next.
    let mut open: BTreeSet<(usize, usize)> = BTreeSet::new();
    for row in 0..order.len() {
        while let Some((_, source)) = open.first().copied().filter(|(next, _)| *next == row) {
            open.pop_first();
            reached[source] += 1;
            open.extend(targets[source].get(reached[source]).map(|next| (*next, source)));
        }
        open.extend(targets[row].first().map(|next| (*next, row)));
        if open.len() > lines {
            open.pop_last();
        }
    }
    let last = |(targets, reached): (&Vec<usize>, &usize)| Some(targets[reached.checked_sub(1)?]);
    targets.iter().zip(&reached).map(last).collect()
}
