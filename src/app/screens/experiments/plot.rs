//! The page that shows many runs at once: a metric against any other value, parallel coordinates, or how strongly the params
//! go with the metric.

use std::collections::{BTreeMap, HashMap};

use super::about;
use super::columns::Choices;
use crate::app::areas::{Pane, ROOM_FOR_DETAILS};
use crate::app::command::Command;
use crate::app::effect::Effect;
use crate::app::list::Position;
use crate::app::screens::Screen;
use crate::app::shared::Shared;
use crate::app::words::{Details, Line, Tone};
use crate::text::short_names;
use crate::tracking::entities::Run;
use crate::tracking::filter::Field;
use crate::tracking::groups::varying;
use crate::tracking::relate::{Relation, Values, relation};
use crate::tracking::table::title;
use crate::tracking::{Goal, Overview};

/// The form of the page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Form {
    /// A metric against another value, a sign for each run.
    #[default]
    Scatter,
    /// An axis for each value, a line for each run.
    Parallel,
    /// The params by how strongly they go with a metric.
    Importance,
}

/// Most runs of the page.
pub const MOST: usize = 500;
/// The smallest part of an axis that a brush keeps.
const NARROWEST: f64 = 1.0 / 64.0;

/// What the list of rank correlations says, and what it does not.
const EXPLAINED: [&str; 9] = [
    "How the metric goes with a param, from",
    "0, not at all, to 1, always.",
    "",
    "+  it rises with the param.",
    "-  it falls with the param.",
    "",
    "Numbers: Spearman's correlation. Texts:",
    "the correlation ratio of the ranks.",
    "It tells what goes together, not why.",
];

/// The page of many runs.
#[derive(Debug, Default)]
pub struct PlotPage {
    /// Ids of the runs; empty while the page is not shown.
    pub runs: Vec<String>,
    /// What is drawn.
    pub form: Form,
    /// The params that differ between the runs, then the metrics.
    pub fields: Vec<Field>,
    /// The metric that all else is set against, by its index.
    pub metric: usize,
    /// The field of the horizontal axis, or the selected axis, by its index.
    pub field: usize,
    /// The id of the selected run.
    run: Option<String>,
    /// The parts of axes that runs must lie in to count, from 0 to 1, by the names of the fields.
    pub brushes: BTreeMap<String, (f64, f64)>,
    /// Which values of metrics are better.
    goals: HashMap<String, Option<Goal>>,
    /// Selection and scrolling of the list of params.
    pub position: Position,
}

/// The values that the page draws.
#[derive(Debug)]
pub struct Plotted<'a> {
    /// The runs.
    pub runs: Vec<&'a Run>,
    /// For each field its values.
    pub values: Vec<Values>,
    /// Whether a run lies in all brushed parts.
    pub kept: Vec<bool>,
    /// The best of the kept runs by the metric.
    pub best: Option<usize>,
    /// The index of the selected run.
    pub selected: Option<usize>,
}

impl PlotPage {
    /// The page of these runs. The first metric is `metric`, if they have it.
    pub fn of(
        overview: &Overview,
        runs: Vec<String>,
        metric: Option<&str>,
        choices: &Choices,
    ) -> Self {
        let mut page = PlotPage { runs, ..PlotPage::default() };
        page.refresh(overview, choices);
        let is_it =
            |field: &Field| matches!(field, Field::Metric(key) if Some(key.as_str()) == metric);
        if let Some(index) = page.fields.iter().position(is_it) {
            page.metric = index;
        }
        if let Some(plotted) = page.plotted(overview) {
            let first = plotted.best.unwrap_or(0);
            let run = plotted.runs.get(first).map(|run| run.id.clone());
            let field = page.relations(&plotted).first().map_or(0, |(index, _)| *index);
            (page.field, page.run) = (field, run);
        }
        page
    }

    /// Whether the page is shown.
    pub fn is_shown(&self) -> bool {
        !self.runs.is_empty()
    }

    /// The id of the selected run, where runs are drawn.
    pub fn selected_run(&self) -> Option<&str> {
        self.run.as_deref().filter(|_| self.form != Form::Importance)
    }

    /// Looks which fields there are; those that are shown stay, if they can.
    pub fn refresh(&mut self, overview: &Overview, choices: &Choices) {
        let kept = [self.metric, self.field].map(|index| self.fields.get(index).cloned());
        let runs: Vec<Run> = overview.of_ids(&self.runs).into_iter().cloned().collect();
        let mut metrics: Vec<&String> =
            runs.iter().flat_map(|run| run.metrics.iter().map(|(key, _)| key)).collect();
        metrics.sort_by_key(|key| (key.starts_with(super::columns::SYSTEM), (*key).clone()));
        metrics.dedup();
        self.goals = metrics.iter().map(|key| ((*key).clone(), choices.goal(key))).collect();
        let metrics = metrics.into_iter().map(|key| Field::Metric(key.clone()));
        self.fields = varying(&runs).into_iter().map(Field::Param).chain(metrics).collect();
        let find = |field: &Option<Field>| {
            self.fields.iter().position(|other| Some(other) == field.as_ref())
        };
        let first = self.fields.iter().position(|field| matches!(field, Field::Metric(_)));
        let [metric, field] = [find(&kept[0]), find(&kept[1])];
        (self.metric, self.field) = (metric.or(first).unwrap_or(0), field.unwrap_or(0));
    }

    /// The metric; `None` if the runs have none.
    pub fn metric_key(&self) -> Option<&str> {
        match self.fields.get(self.metric)? {
            Field::Metric(key) => Some(key),
            _ => None,
        }
    }

    /// Which values of the metric are better.
    pub fn goal(&self) -> Option<Goal> {
        self.goals.get(self.metric_key()?).copied().flatten()
    }

    /// Short titles of the fields.
    pub fn titles(&self) -> Vec<String> {
        let keys: Vec<String> = self.fields.iter().map(key).collect();
        let short = short_names(keys.iter());
        keys.iter().map(|key| short.get(key).cloned().unwrap_or_else(|| key.clone())).collect()
    }

    /// The values of the runs; `None` without runs or metrics.
    pub fn plotted<'s>(&self, overview: &'s Overview) -> Option<Plotted<'s>> {
        let runs = overview.of_ids(&self.runs);
        self.metric_key().filter(|_| !runs.is_empty())?;
        let values: Vec<Values> =
            self.fields.iter().map(|field| Values::of(&runs, field)).collect();
        let brushes: Vec<Option<(f64, f64)>> =
            self.fields.iter().map(|field| self.brushes.get(&title(field)).copied()).collect();
        let inside = |run: usize| {
            values.iter().zip(&brushes).all(|(values, brush)| match brush {
                None => true,
                Some((from, to)) => {
                    part(values, run).is_some_and(|part| (*from..=*to).contains(&part))
                }
            })
        };
        let kept: Vec<bool> = (0..runs.len()).map(inside).collect();
        let number = |run: usize| values[self.metric].position(run);
        let best = self.goal().and_then(|goal| {
            let known = (0..runs.len()).filter(|run| kept[*run] && number(*run).is_some());
            known.reduce(|best, run| match (number(run), number(best)) {
                (Some(value), Some(top)) if goal.prefers(value, top) => run,
                _ => best,
            })
        });
        let selected = runs.iter().position(|run| Some(&run.id) == self.run.as_ref());
        Some(Plotted { runs, values, kept, best, selected })
    }

    /// The params that say something of the metric, the strongest relation first, by their index.
    pub fn relations(&self, plotted: &Plotted<'_>) -> Vec<(usize, Relation)> {
        let metric = &plotted.values[self.metric];
        let params = self.fields.iter().enumerate().zip(&plotted.values);
        let mut found: Vec<(usize, Relation)> = params
            .filter(|((_, field), _)| matches!(field, Field::Param(_)))
            .filter_map(|((index, _), values)| Some((index, relation(values, metric)?)))
            .collect();
        found.sort_by(|(_, a), (_, b)| b.strength.total_cmp(&a.strength));
        found
    }

    /// Goes to the next field in a direction, of all or of the metrics alone.
    fn step(&self, from: usize, by: isize, metrics: bool) -> usize {
        let mut at = from;
        loop {
            let next = at.saturating_add_signed(by).min(self.fields.len().saturating_sub(1));
            if next == at {
                return from;
            }
            at = next;
            if !metrics || matches!(self.fields[at], Field::Metric(_)) {
                return at;
            }
        }
    }

    /// Selects the next run along the horizontal axis, among those that count.
    fn select_run(&mut self, overview: &Overview, by: isize) {
        let Some(plotted) = self.plotted(overview) else { return };
        let along = if self.form == Form::Scatter { self.field } else { self.metric };
        let place =
            |run: &usize| plotted.values.get(along).and_then(|values| values.position(*run));
        let mut order: Vec<usize> = (0..plotted.runs.len())
            .filter(|run| plotted.kept[*run] && place(run).is_some())
            .collect();
        order.sort_by(|a, b| place(a).partial_cmp(&place(b)).unwrap_or(std::cmp::Ordering::Equal));
        let now = order.iter().position(|run| Some(*run) == plotted.selected);
        let next = match now {
            Some(at) => at.saturating_add_signed(by).min(order.len().saturating_sub(1)),
            None => 0,
        };
        if let Some(run) = order.get(next) {
            self.run = Some(plotted.runs[*run].id.clone());
        }
    }

    /// Changes the brushed part of the selected axis.
    fn brush(&mut self, command: Command) {
        let Some(field) = self.fields.get(self.field) else { return };
        let (from, to) = self.brushes.get(&title(field)).copied().unwrap_or((0.0, 1.0));
        let size = to - from;
        let goal = match field {
            Field::Metric(key) => self.goals.get(key).copied().flatten(),
            _ => None,
        };
        let part = match command {
            // The better end is kept.
            Command::ZoomIn if size / 2.0 < NARROWEST => (from, to),
            Command::ZoomIn if goal == Some(Goal::Lowest) => (from, from + size / 2.0),
            Command::ZoomIn => (to - size / 2.0, to),
            Command::ZoomOut => {
                let size = (size * 2.0).min(1.0);
                let from = from.min(1.0 - size);
                (from, from + size)
            }
            Command::ColumnLeft => {
                let from = (from - size / 2.0).max(0.0);
                (from, from + size)
            }
            Command::ColumnRight => {
                let to = (to + size / 2.0).min(1.0);
                (to - size, to)
            }
            _ => return,
        };
        match part {
            (from, to) if from <= 0.0 && to >= 1.0 => drop(self.brushes.remove(&title(field))),
            part => drop(self.brushes.insert(title(field), part)),
        }
    }
}

/// Where a run's value lies between the lowest and the highest, from 0 to 1; in the middle if they are equal.
pub fn part(values: &Values, run: usize) -> Option<f64> {
    let (at, (low, high)) = (values.position(run)?, values.extent()?);
    // Halve first: the difference of two finite numbers may be infinite.
    let span = high / 2.0 - low / 2.0;
    Some(if span > 0.0 { (at / 2.0 - low / 2.0) / span } else { 0.5 })
}

fn key(field: &Field) -> String {
    match field {
        Field::Param(key) | Field::Metric(key) => key.clone(),
        other => title(other),
    }
}

impl Screen for PlotPage {
    fn title(&self, shared: &Shared) -> String {
        let titles = self.titles();
        let name = |index: usize| titles.get(index).map_or("", String::as_str);
        let runs = self.runs.len();
        let (title, next) = match self.form {
            Form::Scatter => {
                (format!("{} over {}", name(self.metric), name(self.field)), "parallel axes")
            }
            Form::Parallel => ("Parallel coordinates".into(), "correlations"),
            Form::Importance => {
                (format!("Rank correlation with {}", name(self.metric)), "a metric over a value")
            }
        };
        let key = shared.keymap.keys(Command::Zoom).into_iter().next();
        let next = key.map(|key| format!(" · {key} {next}")).unwrap_or_default();
        format!("{title} · {runs} runs{next}")
    }

    fn side_title(&self) -> &'static str {
        "Tracked run"
    }

    fn details(&self, shared: &Shared) -> Details {
        let Some(overview) = shared.tracked() else { return Details::default() };
        if self.form == Form::Importance {
            let mut lines = vec![Line::Title("Rank correlation".into())];
            let text = |line: &&str| Line::Text((*line).to_owned(), Tone::Plain);
            lines.extend(EXPLAINED.iter().map(text));
            return Details { lines, ..Details::default() };
        }
        let run =
            overview.of_ids(&self.runs).into_iter().find(|run| Some(&run.id) == self.run.as_ref());
        run.map(|run| about::run(overview, run, None, shared.now)).unwrap_or_default()
    }

    fn len(&self, shared: &Shared) -> usize {
        match (self.form, shared.tracked()) {
            (Form::Importance, Some(overview)) => {
                self.plotted(overview).map_or(0, |plotted| self.relations(&plotted).len())
            }
            _ => 0,
        }
    }

    fn position(&mut self) -> Option<&mut Position> {
        (self.form == Form::Importance).then_some(&mut self.position)
    }

    fn head_rows(&self) -> u16 {
        if self.form == Form::Importance { 1 } else { 0 }
    }

    fn is_full_width(&self, shared: &Shared) -> bool {
        shared.size.width < ROOM_FOR_DETAILS && shared.focus != Pane::Side
    }

    fn go(&mut self, shared: &mut Shared, command: Command, _page: isize) -> bool {
        let by = match command {
            Command::Left | Command::Up => -1,
            Command::Right | Command::Down => 1,
            _ => return false,
        };
        let sideways = matches!(command, Command::Left | Command::Right);
        match (self.form, sideways) {
            (Form::Importance, true) => self.metric = self.step(self.metric, by, true),
            (Form::Importance, false) => return false,
            (Form::Scatter, true) | (Form::Parallel, true) => {
                self.field = self.step(self.field, by, false);
            }
            (Form::Scatter, false) => self.metric = self.step(self.metric, by, true),
            (Form::Parallel, false) => {
                if let Some(overview) = shared.tracked() {
                    // The highest line is that with the largest value.
                    self.select_run(overview, -by);
                }
            }
        }
        true
    }

    fn open(&mut self, shared: &mut Shared) -> bool {
        let (Form::Importance, Some(overview)) = (self.form, shared.tracked()) else {
            return false;
        };
        let relations = self.plotted(overview).map(|plotted| self.relations(&plotted));
        let selected = relations.and_then(|all| all.get(self.position.selected).copied());
        let Some((index, _)) = selected else { return true };
        (self.field, self.form) = (index, Form::Scatter);
        true
    }

    fn back(&mut self, shared: &mut Shared) -> Option<Vec<Effect>> {
        if self.brushes.is_empty() {
            *self = PlotPage::default();
            shared.side_offset = 0;
        } else {
            self.brushes.clear();
        }
        Some(Vec::new())
    }

    fn filter_text(&self) -> Result<&str, &'static str> {
        Err("this is for the table; esc goes back to it")
    }

    fn act(&mut self, shared: &mut Shared, command: Command) -> Vec<Effect> {
        let Some(overview) = shared.tracked() else { return Vec::new() };
        match command {
            Command::Zoom => {
                self.form = match self.form {
                    Form::Scatter => Form::Parallel,
                    Form::Parallel => Form::Importance,
                    Form::Importance => Form::Scatter,
                };
            }
            Command::CrosshairLeft => self.select_run(overview, -1),
            Command::CrosshairRight => self.select_run(overview, 1),
            Command::Fit => self.brushes.clear(),
            command => self.brush(command),
        }
        Vec::new()
    }

    fn disabled(&self, _shared: &Shared, command: Command) -> Option<String> {
        match command {
            Command::Zoom => None,
            Command::CrosshairLeft | Command::CrosshairRight if self.form != Form::Importance => {
                None
            }
            Command::ZoomIn
            | Command::ZoomOut
            | Command::ColumnLeft
            | Command::ColumnRight
            | Command::Fit => match self.form {
                Form::Importance => Some("this is for the drawings; z goes to them".into()),
                _ => None,
            },
            _ => Some("this is for the table; esc goes back to it".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overview() -> Overview {
        let run = |number: usize| Run {
            id: format!("run {number}"),
            params: vec![
                ("kind".into(), ["tree", "line"][number % 2].into()),
                ("lr".into(), number.to_string()),
                ("same".into(), "1".into()),
            ],
            metrics: vec![("acc".into(), number as f64), ("mae".into(), -(number as f64))],
            ..Run::default()
        };
        Overview { runs: (0..8).map(run).collect(), ..Overview::default() }
    }

    fn page() -> PlotPage {
        let runs = overview().runs.iter().map(|run| run.id.clone()).collect();
        PlotPage::of(&overview(), runs, Some("mae"), &Choices::default())
    }

    #[test]
    fn the_param_that_goes_with_the_metric_comes_first() {
        let page = page();
        assert_eq!(page.titles(), ["kind", "lr", "acc", "mae"]);
        assert_eq!((page.metric_key(), page.goal()), (Some("mae"), Some(Goal::Lowest)));
        let all = overview();
        let relations = page.relations(&page.plotted(&all).unwrap());
        let titles = page.titles();
        let names: Vec<&str> = relations.iter().map(|(index, _)| titles[*index].as_str()).collect();
        assert_eq!(names, ["lr", "kind"]);
        assert_eq!((relations[0].1.strength, relations[0].1.rises), (1.0, Some(false)));
        assert_eq!(page.field, 1, "the scatter begins with it");
        assert_eq!(page.run.as_deref(), Some("run 7"), "and with the best run");
    }

    #[test]
    fn a_brush_keeps_the_better_half_of_its_axis() {
        let mut page = page();
        let kept = |page: &PlotPage| -> Vec<usize> {
            let all = overview();
            let plotted = page.plotted(&all).unwrap();
            (0..8).filter(|run| plotted.kept[*run]).collect()
        };
        assert_eq!(kept(&page).len(), 8);
        page.field = 3;
        page.brush(Command::ZoomIn);
        assert_eq!(kept(&page), [4, 5, 6, 7], "low errors are better");
        page.brush(Command::ColumnRight);
        assert_eq!(kept(&page), [2, 3, 4, 5]);
        page.field = 2;
        page.brush(Command::ZoomIn);
        assert_eq!(kept(&page), [4, 5], "both must hold");
        page.brush(Command::ZoomOut);
        assert_eq!(kept(&page), [2, 3, 4, 5]);
        page.field = 0;
        page.brush(Command::ZoomIn);
        assert_eq!(kept(&page), [2, 4], "the second of two texts: tree");
        (0..20).for_each(|_| page.brush(Command::ZoomIn));
        assert!(page.brushes.values().all(|(from, to)| to - from >= NARROWEST));
    }

    #[test]
    fn the_selection_goes_along_the_axis_among_the_runs_that_count() {
        let (mut page, all) = (page(), overview());
        page.select_run(&all, -1);
        assert_eq!(page.run.as_deref(), Some("run 6"));
        page.field = 3;
        page.brush(Command::ZoomIn);
        page.select_run(&all, 1);
        assert_eq!(page.run.as_deref(), Some("run 5"), "the metric falls with the number");
        (0..9).for_each(|_| page.select_run(&all, 1));
        assert_eq!(page.run.as_deref(), Some("run 4"));
    }
}
