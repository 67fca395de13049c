//! The table of tracked runs: its rows in their order, and the columns that are in view.

use std::collections::HashSet;

use super::columns::{Choices, Column, NARROWEST, Sort, Source, WIDEST_NAME, columns};

use crate::text::{sanitize, width};
use crate::tracking::entities::Run;
use crate::tracking::filter::{Expr, Matcher};
use crate::tracking::table::{Keys, Row, tree};
use crate::tracking::{Goal, Overview};

/// The table of tracked runs.
#[derive(Debug, Default)]
pub struct Table {
    /// The columns, the pinned ones first.
    pub columns: Vec<Column>,
    /// The rows in their order.
    pub rows: Vec<Row>,
    /// The runs that have nested runs in the table.
    pub parents: HashSet<usize>,
    /// The runs that match the filter, newest first; some may be below closed ones.
    pub matching: Vec<usize>,
    /// The column that column keys act on.
    pub cursor: usize,
    /// The first column in view that is not pinned.
    first: usize,
}

/// Rows whose names are measured.
const MEASURED_NAMES: usize = 1_000;
/// Cells before the first column, for the state of the run.
pub const SIGN: u16 = 2;
/// Cells between columns.
pub const GAP: u16 = 2;
/// Cells that a level of nesting takes in the column of names.
pub const LEVEL: u16 = 2;

/// A column in view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Index of the column.
    pub column: usize,
    /// Cells from the left edge of the table.
    pub x: u16,
    /// Its width in cells; the last column may be cut.
    pub width: u16,
}

impl Table {
    /// Arranges rows and columns anew. `closed` are ids of runs whose nested runs are hidden.
    pub fn arrange(&mut self, source: &Source<'_>, filter: &Expr, closed: &HashSet<String>) {
        self.matching = matching(source.overview, filter, source.choices, source.now);
        let kept = self.columns.get(self.cursor).map(|column| column.key.clone());
        self.columns = columns(source, &self.matching);
        let found = self.columns.iter().position(|column| Some(&column.key) == kept.as_ref());
        self.cursor = found.unwrap_or(self.cursor).min(self.columns.len().saturating_sub(1));
        self.arrange_rows(source, closed);
    }

    /// Arranges the rows anew, where runs, filter and columns are the same.
    pub fn arrange_rows(&mut self, source: &Source<'_>, closed: &HashSet<String>) {
        let Source { overview, choices, .. } = *source;
        let (runs, mut order) = (&overview.runs, self.matching.clone());
        let sorts: Vec<(Keys, bool)> = choices
            .sorts
            .iter()
            .filter_map(|sort| {
                let column = self.columns.iter().find(|column| column.key == sort.column)?;
                Some((column.what.keys(overview), sort.descending))
            })
            .collect();
        if !sorts.is_empty() {
            let ranks = |run: &usize| -> Vec<u64> {
                sorts.iter().map(|(keys, descending)| keys.rank_in(*run, *descending)).collect()
            };
            order.sort_by_cached_key(ranks);
        }
        self.rows = match choices.flat || source.groups.is_some() {
            true => order.into_iter().map(|run| Row { run, depth: 0 }).collect(),
            false => tree(runs, &order),
        };
        let pairs = self.rows.windows(2).filter(|two| two[1].depth > two[0].depth);
        self.parents = pairs.map(|two| two[0].run).collect();
        self.widen_names(source);
        let mut hidden_below = None;
        self.rows.retain(|row| {
            if hidden_below.is_some_and(|depth| row.depth > depth) {
                return false;
            }
            hidden_below = closed.contains(&runs[row.run].id).then_some(row.depth);
            true
        });
    }

    /// Gives the names of nested runs room for their indentation.
    fn widen_names(&mut self, source: &Source<'_>) {
        let names =
            self.columns.first().filter(|name| !source.choices.widths.contains_key(&name.key));
        let Some(names) = names else { return };
        let wanted = self.rows.iter().take(MEASURED_NAMES).map(|row| {
            let text = names.text(source, &source.overview.runs[row.run]);
            let sign = if self.parents.contains(&row.run) { usize::from(LEVEL) } else { 0 };
            width(&sanitize(&text)) + row.depth * usize::from(LEVEL) + sign
        });
        let wanted = u16::try_from(wanted.max().unwrap_or(0)).unwrap_or(WIDEST_NAME);
        let width = wanted.min(WIDEST_NAME).max(names.width);
        self.columns[0].width = width;
    }

    /// The columns in view, where the table has `room` cells. Columns are not cut, except for one that is wider than
    /// the room.
    pub fn places(&self, room: u16) -> Vec<Place> {
        let pinned = self.columns.iter().filter(|column| column.pinned).count();
        let shown = (0..pinned).chain(self.first.max(pinned)..self.columns.len());
        let mut places = Vec::new();
        let mut x = SIGN;
        for column in shown {
            let width = self.columns[column].width;
            let left = room.saturating_sub(x);
            if left < width && !places.is_empty() || left == 0 {
                break;
            }
            places.push(Place { column, x, width: width.min(left) });
            x += width + GAP;
        }
        places
    }

    /// The number of columns that are out of view at the left and at the right.
    pub fn beyond(&self, room: u16) -> (usize, usize) {
        let pinned = self.columns.iter().filter(|column| column.pinned).count();
        let last = self.places(room).last().map_or(0, |place| place.column + 1);
        let first = self.first.max(pinned);
        (first - pinned, self.columns.len() - last.max(first))
    }

    /// Moves the cursor by columns, and scrolls so that its column is in view.
    pub fn move_cursor(&mut self, by: isize, room: u16) {
        let last = self.columns.len().saturating_sub(1);
        self.cursor = self.cursor.saturating_add_signed(by).min(last);
        self.show_cursor(room);
    }

    /// Scrolls so that the column of the cursor is in view.
    pub fn show_cursor(&mut self, room: u16) {
        let pinned = self.columns.iter().filter(|column| column.pinned).count();
        if self.cursor >= pinned {
            self.first = self.first.clamp(pinned, self.cursor);
            while self.first < self.cursor
                && !self.places(room).iter().any(|place| place.column == self.cursor)
            {
                self.first += 1;
            }
        }
    }

    /// The column of the cursor.
    pub fn column(&self) -> Option<&Column> {
        self.columns.get(self.cursor)
    }

    /// The column at a cell, counted from the left edge of the table.
    pub fn column_at(&self, x: u16, room: u16) -> Option<usize> {
        let place = self
            .places(room)
            .into_iter()
            .find(|place| (place.x..place.x + place.width).contains(&x));
        place.map(|place| place.column)
    }
}

/// The runs of the chosen experiment that match a filter, by index.
pub fn matching(overview: &Overview, filter: &Expr, choices: &Choices, now: f64) -> Vec<usize> {
    let matcher = Matcher::new(filter, (now * 1000.0) as i64);
    let runs = &overview.runs;
    let experiment = choices.experiment.as_ref();
    let of = |run: &Run| experiment.is_none_or(|id| run.experiment_id == *id);
    (0..runs.len()).filter(|run| of(&runs[*run]) && matcher.accepts(&runs[*run])).collect()
}

/// The sorts after the key for a column: the best values first, then the worst, then the order of time. With `also`
/// the other sorts stay, and go before.
pub fn sorted(sorts: &[Sort], column: &Column, also: bool) -> Vec<Sort> {
    let first = column.goal == Some(Goal::Highest);
    let mut sorts = sorts.to_vec();
    let at = sorts.iter().position(|sort| sort.column == column.key);
    let next = match at.map(|at| sorts[at].descending) {
        None => Some(first),
        Some(now) if now == first => Some(!first),
        Some(_) => None,
    };
    let sort = next.map(|descending| Sort { column: column.key.clone(), descending });
    if !also {
        return sort.into_iter().collect();
    }
    match (at, sort) {
        (Some(at), Some(sort)) => sorts[at] = sort,
        (Some(at), None) => drop(sorts.remove(at)),
        (None, sort) => sorts.extend(sort),
    }
    sorts
}

/// The choices with a column moved by one place among the columns of its kind, pinned or not.
pub fn moved(choices: &Choices, columns: &[Column], at: usize, onward: bool) -> Option<Choices> {
    let to = if onward { at + 1 } else { at.checked_sub(1)? };
    let (column, other) = (columns.get(at)?, columns.get(to)?);
    if column.pinned != other.pinned {
        return None;
    }
    let mut order: Vec<String> = columns.iter().map(|column| column.key.clone()).collect();
    order.swap(at, to);
    Some(Choices { order, ..choices.clone() })
}

/// The width of a column after the key that changes it.
pub fn resized(width: u16, wider: bool) -> u16 {
    if wider { width.saturating_add(2) } else { width.saturating_sub(2).max(NARROWEST.min(width)) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn run(id: &str, params: &[(&str, &str)], metrics: &[(&str, f64)]) -> Run {
        Run {
            id: id.into(),
            name: format!("run {id}"),
            status: "FINISHED".into(),
            params: params.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect(),
            metrics: metrics.iter().map(|(key, value)| ((*key).into(), *value)).collect(),
            ..Run::default()
        }
    }

    fn overview() -> Overview {
        let runs = vec![
            run("a", &[("model.lr", "0.1"), ("seed", "7")], &[("acc", 0.75), ("loss", 2.0)]),
            run("b", &[("model.lr", "0.2"), ("seed", "7")], &[("acc", 0.5), ("loss", f64::NAN)]),
            run("c", &[("model.lr", "0.3"), ("seed", "7")], &[("acc", 0.75), ("loss", 1.0)]),
        ];
        Overview { runs, ..Overview::default() }
    }

    fn source<'a>(overview: &'a Overview, choices: &'a Choices) -> Source<'a> {
        Source { overview, choices, groups: None, baseline: None, now: 0.0 }
    }

    fn table(overview: &Overview, choices: &Choices) -> Table {
        let mut table = Table::default();
        table.arrange(&source(overview, choices), &Expr::default(), &HashSet::new());
        table
    }

    fn keys(table: &Table) -> Vec<&str> {
        table.columns.iter().map(|column| column.key.as_str()).collect()
    }

    fn ids(table: &Table, overview: &Overview) -> String {
        table.rows.iter().map(|row| overview.runs[row.run].id.as_str()).collect()
    }

    #[test]
    fn columns_differ_between_the_runs_unless_all_are_wanted() {
        let overview = overview();
        let shown = table(&overview, &Choices::default());
        let differing = ["params.model.lr", "metrics.acc", "metrics.loss"];
        assert_eq!(keys(&shown), [&["name", "started"], &differing[..], &["took"]].concat());
        assert_eq!(shown.columns[2].title, "lr");
        let all = table(&overview, &Choices { all: true, ..Choices::default() });
        assert!(keys(&all).contains(&"params.seed") && keys(&all).contains(&"experiment"));
        let one = Overview { runs: overview.runs[..1].to_vec(), ..Overview::default() };
        assert!(keys(&table(&one, &Choices::default())).contains(&"params.seed"), "a single run");
        let hidden = Choices {
            hidden: ["took".to_owned(), "name".to_owned()].into(),
            pinned: ["metrics.acc".to_owned()].into(),
            ..Choices::default()
        };
        assert_eq!(keys(&table(&overview, &hidden))[..2], ["name", "metrics.acc"]);
    }

    #[test]
    fn what_differs_within_an_experiment_counts_and_what_most_runs_have_comes_first() {
        let mut runs = overview().runs;
        runs.push(run("d", &[("alpha", "1"), ("kind", "x")], &[("a_score", 0.5)]));
        runs.push(run("e", &[("alpha", "2"), ("kind", "x")], &[("a_score", 0.25)]));
        runs[3..].iter_mut().for_each(|run| run.experiment_id = "other".into());
        let overview = Overview { runs, ..Overview::default() };
        let shown = table(&overview, &Choices::default());
        assert_eq!(
            keys(&shown)[2..],
            [
                "params.model.lr",
                "params.alpha",
                "metrics.acc",
                "metrics.loss",
                "metrics.a_score",
                "took",
                "experiment"
            ],
            "seed and kind are the same in each experiment"
        );
    }

    #[test]
    fn the_best_values_are_marked_and_sorted_first() {
        let overview = overview();
        let mut choices = Choices::default();
        let first = table(&overview, &choices);
        assert_eq!(first.columns[3].best, HashSet::from([0, 2]));
        assert_eq!(first.columns[4].best, HashSet::from([2]));
        let column = first.columns[3].clone();
        for (order, descending) in [("acb", Some(true)), ("bac", Some(false)), ("abc", None)] {
            choices.sorts = sorted(&choices.sorts, &column, false);
            assert_eq!(choices.sorts.first().map(|sort| sort.descending), descending);
            assert_eq!(ids(&table(&overview, &choices), &overview), order);
        }
        choices.sorts = sorted(&[], &column, true);
        choices.sorts = sorted(&choices.sorts, &first.columns[4], true);
        assert_eq!(ids(&table(&overview, &choices), &overview), "cab");
        choices.sorts = sorted(&choices.sorts, &first.columns[4], true);
        assert_eq!(ids(&table(&overview, &choices), &overview), "acb");
        choices.goals.insert("metrics.acc".into(), Some(Goal::Lowest));
        assert_eq!(table(&overview, &choices).columns[3].best, HashSet::from([1]));
    }

    #[test]
    fn nested_runs_are_below_their_parents_and_can_be_hidden() {
        let mut overview = overview();
        for (child, parent) in [(0, "c"), (1, "a")] {
            overview.runs[child].tags = vec![("mlflow.parentRunId".into(), parent.into())];
        }
        let mut nested = table(&overview, &Choices::default());
        assert_eq!(ids(&nested, &overview), "cab");
        assert_eq!(nested.rows.iter().map(|row| row.depth).collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!(nested.parents, HashSet::from([0, 2]));
        let closed = HashSet::from(["a".to_owned()]);
        nested.arrange(&source(&overview, &Choices::default()), &Expr::default(), &closed);
        assert_eq!((ids(&nested, &overview).as_str(), nested.matching.len()), ("ca", 3));
        let flat = Choices { flat: true, ..Choices::default() };
        assert_eq!(ids(&table(&overview, &flat), &overview), "abc");
    }

    #[test]
    fn a_column_moves_among_its_kind() {
        let overview = overview();
        let choices = Choices::default();
        let shown = table(&overview, &choices);
        assert_eq!(moved(&choices, &shown.columns, 1, false), None, "the name is pinned");
        let choices = moved(&choices, &shown.columns, 3, false).unwrap();
        assert_eq!(keys(&table(&overview, &choices))[2..4], ["metrics.acc", "params.model.lr"]);
        assert_eq!((resized(NARROWEST, false), resized(4, false)), (NARROWEST, 4));
        assert_eq!((resized(8, true), resized(8, false)), (10, 6));
    }

    proptest! {
        #[test]
        fn the_column_of_the_cursor_is_always_in_view(
            moves in prop::collection::vec((-4isize..5, 10u16..90), 1..30),
            pinned in prop::collection::btree_set("metrics.m[0-9]", 0..3),
        ) {
            let metrics: Vec<(String, f64)> = (0..10).map(|m| (format!("m{m}"), 1.5)).collect();
            let metrics: Vec<(&str, f64)> = metrics.iter().map(|(key, value)| (key.as_str(), *value)).collect();
            let overview = Overview { runs: vec![run("a", &[], &metrics)], ..Overview::default() };
            let mut table = table(&overview, &Choices { pinned, ..Choices::default() });
            for (by, room) in moves {
                table.move_cursor(by, room);
                let places = table.places(room);
                let pinned = table.columns.iter().filter(|column| column.pinned).count();
                let room_of_pinned = places.iter().take(pinned).map(|place| place.width + GAP).sum::<u16>();
                let fits = SIGN + room_of_pinned + table.columns[table.cursor].width <= room;
                prop_assert!(!fits || places.iter().any(|place| place.column == table.cursor));
                for two in places.windows(2) {
                    prop_assert_eq!(two[1].x, two[0].x + two[0].width + GAP);
                }
                prop_assert!(places.last().is_none_or(|place| place.x + place.width <= room));
                let (before, after) = table.beyond(room);
                prop_assert!(before + after + places.len() <= table.columns.len().max(places.len()));
            }
        }
    }
}
