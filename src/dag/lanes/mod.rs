//! A graph as a list: a row for each vertex, and at its left the lines of the edges, as `git log --graph` has it.
//!
//! Each vertex stands after those that lead into it. What it leads to is told by one line down its column, from which a
//! branch turns off to the vertex of each row that it leads to; on a row, all that runs across leads to its vertex:
//!
//! ```text
//! ● companies
//! ├─● clean       a branch; the line goes on
//! │ ● tidy
//! │ ├─● join
//! │ │ ● table
//! ●─│─╯ score     the line of `table` ends; that of `tidy` passes behind
//! ● │ result
//! ●─╯ report
//! ```
//!
//! Columns are limited. Where more lines would be open, the one that is next needed farthest down is cut, and so are edges
//! that run upwards, as on a cycle: both ends of a cut edge name the other one ([`Row::leads_to`], [`Row::comes_from`]).

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::ops::Range;

use super::layout::{DOWN, LEFT, RIGHT, UP};
use super::{Graph, Id};

/// What a cell means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mark {
    /// Nothing, or a line that goes straight on.
    #[default]
    Plain,
    /// The vertex of the row.
    Vertex,
    /// The line from above has a branch to the row's vertex; with [`DOWN`] it goes on, else it ends.
    Branch,
    /// The line from above passes behind what runs across, and has nothing to do with it.
    Crossing,
}

/// A cell of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cell {
    /// What it means.
    pub mark: Mark,
    /// The ways that lines take out of it: [`UP`], [`DOWN`], [`LEFT`], [`RIGHT`].
    pub ways: u8,
    /// The vertex whose line runs down the column here; at a vertex, that vertex.
    pub line: Option<Id>,
}

/// A row of the list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Row {
    /// The vertex.
    pub id: Id,
    /// The column in which it stands.
    pub column: usize,
    /// Vertices that it leads to by edges that are cut, in the order of the list.
    pub leads_to: Vec<Id>,
    /// Vertices that lead to it by edges that are cut, in the order of the list.
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
    /// The list of a graph with at most so many columns, at least two. Without a limit a large graph has hundreds. The
    /// same graph gives the same list. An edge from a vertex to itself is not told.
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

    /// The row of a vertex.
    pub fn row_of(&self, id: Id) -> usize {
        self.rows_of[id]
    }

    /// The cells of a row, a column each, as far as there is something in them.
    pub fn cells(&self, row: usize) -> &[Cell] {
        self.rows.get(row).map_or(&[], |row| &self.cells[row.cells.clone()])
    }

    /// The vertices whose edges to the row's vertex run across a column or turn off in it, as seen on the side that is
    /// farther from the vertex; none at the vertex itself. With `gap`, those in the gap at its right.
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

    /// Names both ends of the edges that are not drawn.
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

    /// Gives each line its column, and draws.
    fn draw(&mut self, graph: &Graph, reach: &[Option<usize>]) {
        // The row whose line is open in each column.
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

/// The vertices from top to bottom. What leads into a vertex stands as near above it as can be, beginning with what leads
/// nowhere: that leaves fewer lines open, and fewer edges cut, than going down from the first vertices.
fn order(graph: &Graph) -> Vec<Id> {
    let all = 0..graph.vertices.len();
    let last = all.clone().filter(|id| graph.children[*id].is_empty());
    graph.order_from(last.chain(all))
}

/// For each row, the last row that its line leads to, where it has a line: the line that is next needed farthest down is
/// cut where more than `lines` would be open.
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
    // How many of its targets each line has reached.
    let mut reached = vec![0; order.len()];
    // Open lines by the row at which they are next needed.
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
