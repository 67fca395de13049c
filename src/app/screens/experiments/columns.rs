//! The columns of the table of tracked runs: which ones there are, how wide they are, and what their cells say.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::curves::TREND;
use super::followed::Followed;
use super::groups::Groups;
pub use super::run::{name, seconds, took};
use crate::app::words::{difference_text, number_text, seconds_text, when};
use crate::text::{sanitize, short_names, width};
use crate::tracking::entities::Run;
use crate::tracking::filter::{Attribute, Cell, Field, Searched};
use crate::tracking::table::{Keys, title};
use crate::tracking::{Goal, Overview};

/// What the user has chosen for the table. Columns are named as in filters: `metrics.rmse`, `params.lr`, `name`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Choices {
    /// Whether columns are shown whose values are all equal, and tags.
    pub all: bool,
    /// Columns that were moved, and those before them, in their order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub order: Vec<String>,
    /// Whether only the columns in `order` are shown.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub only: bool,
    /// Columns that are hidden.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub hidden: BTreeSet<String>,
    /// Columns that stay in view when the others scroll.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub pinned: BTreeSet<String>,
    /// Widths in cells.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub widths: BTreeMap<String, u16>,
    /// Which values of a metric are better, where that is not what its name suggests.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub goals: BTreeMap<String, Option<Goal>>,
    /// The columns by which the rows are sorted, the most important one first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sorts: Vec<Sort>,
    /// Whether nested runs are beside their parents, not below them.
    pub flat: bool,
    /// The id of the experiment whose runs are shown alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub experiment: Option<String>,
    /// Metrics whose columns show the curve beside the last value.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub trends: BTreeSet<String>,
    /// The metric that is followed on every tab.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub followed: Option<Followed>,
    /// How runs are grouped, if they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grouped: Option<Grouping>,
}

impl Choices {
    /// Which values of a metric are better: what the user has chosen, else what its name suggests.
    pub fn goal(&self, metric: &str) -> Option<Goal> {
        let chosen = self.goals.get(&title(&Field::Metric(metric.to_owned())));
        chosen.copied().unwrap_or_else(|| Goal::of(metric))
    }
}

/// A view of the table: what the user has chosen, and the filter.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct View {
    /// The filter.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub filter: String,
    /// Columns, order, grouping and experiment.
    pub table: Choices,
}

/// How runs are grouped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grouping {
    /// Runs that differ only in their seed.
    Seed,
    /// Runs with the same value of a param.
    Param(String),
}

/// A column by which the rows are sorted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sort {
    /// The column.
    pub column: String,
    /// Whether the largest values come first.
    #[serde(default)]
    pub descending: bool,
}

/// What the table shows: the store, and what the user has chosen.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// The store.
    pub overview: &'a Overview,
    /// What the user has chosen.
    pub choices: &'a Choices,
    /// The groups, if the runs of the store are groups.
    pub groups: Option<&'a Groups>,
    /// The run that the others are compared with.
    pub baseline: Option<&'a Run>,
    /// Seconds since the Unix epoch.
    pub now: f64,
}

/// What a column shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// The name of the run.
    Name,
    /// When it began.
    Started,
    /// How long it took.
    Took,
    /// Its experiment.
    Experiment,
    /// A metric, a param or a tag.
    Field(Field),
}

/// A column of the table.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// What it shows.
    pub what: What,
    /// Its name as in filters.
    pub key: String,
    /// Its title: the last parts of the name that tell it apart.
    pub title: String,
    /// Whether all values are numbers.
    pub numbers: bool,
    /// Whether numbers need all their digits to be told apart.
    exact: bool,
    /// Its width in cells.
    pub width: u16,
    /// Whether it stays in view when the others scroll.
    pub pinned: bool,
    /// Whether cells show the curve of the metric beside its last value.
    pub trend: bool,
    /// Which values are better.
    pub goal: Option<Goal>,
    /// The runs with the best value.
    pub best: HashSet<usize>,
}

/// The beginning of the names of metrics that MLflow measures by itself.
pub const SYSTEM: &str = "system/";
/// The largest width that a column takes by itself.
const WIDEST: u16 = 24;
/// The largest width of the column of names.
pub const WIDEST_NAME: u16 = 32;
/// What a title takes at least of a column that is narrower.
const TITLE: usize = 14;
/// The smallest width that a column takes by itself.
const LEAST: u16 = 4;
/// The smallest width that a column can be given: that of a coarse number, such as `-1e-10`.
pub const NARROWEST: u16 = 6;
/// Most rows whose cells are looked at for the form of a column: its width, its digits, whether it holds numbers. The
/// first rows stand for the others.
const SAMPLE: usize = 300;
/// Params and tags with more characters are cut before they are measured.
const LONGEST: usize = 200;

impl What {
    /// The name of the column as in filters.
    pub fn key(&self) -> String {
        match self {
            What::Name => "name".into(),
            What::Started => "started".into(),
            What::Took => "took".into(),
            What::Experiment => "experiment".into(),
            What::Field(field) => title(field),
        }
    }

    /// The keys to sort runs by.
    pub fn keys(&self, overview: &Overview) -> Keys {
        let runs = &overview.runs;
        match self {
            What::Name => Keys::of(runs, &Field::Attribute(Attribute::Name)),
            What::Started => Keys::of(runs, &Field::Attribute(Attribute::Created)),
            What::Experiment => Keys::of(runs, &Field::Attribute(Attribute::ExperimentId)),
            What::Took => Keys::numbers(runs.iter().map(|run| took(run, f64::INFINITY))),
            What::Field(field) => Keys::of(runs, field),
        }
    }
}

impl Column {
    /// The text of a cell: the value, or its difference to that of the baseline.
    pub fn shown(&self, source: &Source<'_>, run: &Run) -> String {
        let base = source.baseline.filter(|baseline| baseline.id != run.id);
        let differing = self.metric().and_then(|key| Some((run.metric(key)?, base?.metric(key)?)));
        match differing {
            Some((value, base)) => difference_text(value, base),
            None => self.text(source, run),
        }
    }

    /// The text of a value.
    pub fn text(&self, source: &Source<'_>, run: &Run) -> String {
        let Source { overview, now, .. } = *source;
        match &self.what {
            What::Name => name(run),
            What::Started => run.start_time.map(|at| when(now, seconds(at))).unwrap_or_default(),
            What::Took => took(run, now).map(seconds_text).unwrap_or_default(),
            What::Experiment => overview.experiment(run).to_owned(),
            What::Field(field) => match run.cell(field) {
                Some(Cell::Number(number)) => {
                    let metric = self.metric();
                    let spread = metric.and_then(|metric| source.groups?.text(&run.id, metric));
                    spread.unwrap_or_else(|| self.number(number))
                }
                Some(Cell::Text(text)) => text.chars().take(LONGEST).collect(),
                None => String::new(),
            },
        }
    }

    /// A number of this column.
    pub fn number(&self, number: f64) -> String {
        if self.exact { number.to_string() } else { number_text(number) }
    }

    /// The metric that the column shows.
    pub fn metric(&self) -> Option<&str> {
        match &self.what {
            What::Field(Field::Metric(key)) => Some(key),
            _ => None,
        }
    }

    /// The param that the column shows.
    pub fn param(&self) -> Option<&str> {
        match &self.what {
            What::Field(Field::Param(key)) => Some(key),
            _ => None,
        }
    }
}

/// The columns for some of the runs: the run and its time, then params and metrics that differ between them.
pub fn columns(source: &Source<'_>, runs: &[usize]) -> Vec<Column> {
    let Source { overview, choices, .. } = *source;
    let all = |index: &usize| &overview.runs[*index];
    let mut whats = vec![What::Name, What::Started];
    let several = runs
        .iter()
        .map(all)
        .any(|run| runs.first().is_some_and(|first| run.experiment_id != all(first).experiment_id));
    let mut fields = Fields::of(runs.iter().map(all));
    let every = choices.all || choices.only;
    if !every {
        fields.keep_telling(overview, runs);
    }
    fields.sort_by_use(runs.iter().map(all));
    let [params, metrics, tags] = &fields.0;
    let shown_tags = tags.iter().filter(|_| every);
    for field in params.iter().chain(metrics).chain(shown_tags) {
        whats.push(What::Field(field.clone()));
    }
    whats.push(What::Took);
    if several || every {
        whats.push(What::Experiment);
    }
    let titles = Titles::of(&fields);
    let shown = |key: &String| {
        !choices.hidden.contains(key) && (!choices.only || choices.order.contains(key))
    };
    let mut columns: Vec<Column> = whats
        .into_iter()
        .filter(|what| *what == What::Name || shown(&what.key()))
        .map(|what| column(source, runs, what, &titles))
        .collect();
    let place = |key: &String| choices.order.iter().position(|other| other == key);
    columns.sort_by_key(|column| (!column.pinned, place(&column.key).unwrap_or(usize::MAX)));
    columns
}

/// The params, metrics and tags of all runs, each sorted by name. Tags of MLflow itself are left out.
pub fn fields(overview: &Overview) -> [Vec<Field>; 3] {
    Fields::of(overview.runs.iter()).0
}

/// Params, metrics and tags, each sorted by name until [`Fields::sort_by_use`].
struct Fields([Vec<Field>; 3]);

impl Fields {
    fn of<'r>(runs: impl Iterator<Item = &'r Run>) -> Self {
        // Most runs have the keys of the run before, so few are looked up in a set.
        let mut found: [BTreeSet<&str>; 3] = Default::default();
        let mut before: [Vec<&str>; 3] = Default::default();
        for run in runs {
            let params: Vec<&str> = run.params.iter().map(|(key, _)| key.as_str()).collect();
            let metrics: Vec<&str> = run.metrics.iter().map(|(key, _)| key.as_str()).collect();
            let own = |key: &&str| key.starts_with("mlflow.");
            let tags: Vec<&str> =
                run.tags.iter().map(|(key, _)| key.as_str()).filter(|key| !own(key)).collect();
            for (kind, keys) in [params, metrics, tags].into_iter().enumerate() {
                if before[kind] != keys {
                    found[kind].extend(&keys);
                    before[kind] = keys;
                }
            }
        }
        let [params, metrics, tags] =
            found.map(|keys| keys.into_iter().map(str::to_owned).collect::<Vec<String>>());
        Fields([
            params.into_iter().map(Field::Param).collect(),
            metrics.into_iter().map(Field::Metric).collect(),
            tags.into_iter().map(Field::Tag).collect(),
        ])
    }

    /// Puts the fields first that most runs have: those of a small experiment would push the others out of view.
    fn sort_by_use<'r>(&mut self, runs: impl Iterator<Item = &'r Run>) {
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for run in runs {
            let keys = run.params.iter().map(|(key, _)| key.as_str());
            let keys = keys.chain(run.metrics.iter().map(|(key, _)| key.as_str()));
            keys.chain(run.tags.iter().map(|(key, _)| key.as_str()))
                .for_each(|key| *counts.entry(key).or_default() += 1);
        }
        let count = |field: &Field| key(field).and_then(|key| counts.get(key.as_str()));
        for fields in &mut self.0 {
            fields.sort_by_key(|field| std::cmp::Reverse(count(field).copied()));
        }
    }

    /// Keeps the fields in which runs of one experiment differ; if there are none, those in which any runs differ. What
    /// MLflow measures of the system is left out.
    fn keep_telling(&mut self, overview: &Overview, runs: &[usize]) {
        let system = |field: &Field| key(field).is_some_and(|key| key.starts_with(SYSTEM));
        self.0.iter_mut().for_each(|fields| fields.retain(|field| !system(field)));
        if runs.len() < 2 {
            return;
        }
        let all: Vec<&Run> = runs.iter().map(|run| &overview.runs[*run]).collect();
        let mut experiments: HashMap<&str, Vec<&Run>> = HashMap::new();
        for run in &all {
            experiments.entry(&run.experiment_id).or_default().push(run);
        }
        experiments.retain(|_, runs| runs.len() > 1);
        let within = |field: &Field| experiments.values().any(|runs| differs(runs, field));
        let kept = self.0.each_ref().map(|fields| {
            fields.iter().filter(|field| within(field)).cloned().collect::<Vec<Field>>()
        });
        if kept.iter().any(|fields| !fields.is_empty()) {
            self.0 = kept;
        } else {
            self.0.iter_mut().for_each(|fields| fields.retain(|field| differs(&all, field)));
        }
    }
}

/// Short titles of params, metrics and tags.
struct Titles([HashMap<String, String>; 3]);

impl Titles {
    fn of(fields: &Fields) -> Self {
        let names = |fields: &Vec<Field>| {
            let keys: Vec<String> = fields.iter().filter_map(|field| key(field).cloned()).collect();
            short_names(keys.iter())
        };
        Titles(fields.0.each_ref().map(names))
    }

    fn get(&self, what: &What) -> String {
        let What::Field(field) = what else { return what.key() };
        let key = key(field).map_or("", String::as_str);
        let names = self.0.iter().find_map(|names| names.get(key));
        sanitize(names.map_or(key, String::as_str))
    }
}

fn key(field: &Field) -> Option<&String> {
    match field {
        Field::Param(key) | Field::Metric(key) | Field::Tag(key) => Some(key),
        Field::Attribute(_) | Field::Dataset(_) => None,
    }
}

/// Whether runs differ in a field; a missing value is a value of its own. NaN equals NaN. Runs that have no params, or
/// no metrics, at all say nothing of them: the parents of nested runs often have none. The only run that says something
/// differs from the others.
fn differs(runs: &[&Run], field: &Field) -> bool {
    let near = Default::default();
    let says = |run: &&&Run| match field {
        Field::Param(_) => !run.params.is_empty(),
        Field::Metric(_) => !run.metrics.is_empty(),
        _ => true,
    };
    let mut cells = runs.iter().filter(says).map(|run| run.cell_near(field, &near)).peekable();
    let Some(first) = cells.next() else { return false };
    if cells.peek().is_none() {
        return first.is_some();
    }
    !cells.all(|cell| match (&first, &cell) {
        (Some(Cell::Number(a)), Some(Cell::Number(b))) => a == b || (a.is_nan() && b.is_nan()),
        (a, b) => a == b,
    })
}

fn column(source: &Source<'_>, runs: &[usize], what: What, titles: &Titles) -> Column {
    let Source { overview, choices, .. } = *source;
    let key = what.key();
    let mut column = Column {
        title: titles.get(&what),
        pinned: what == What::Name || choices.pinned.contains(&key),
        numbers: matches!(what, What::Took),
        exact: false,
        width: 0,
        trend: source.groups.is_none() && choices.trends.contains(&key),
        goal: None,
        best: HashSet::new(),
        what,
        key,
    };
    let near = Default::default();
    if let What::Field(field) = &column.what {
        let cells = || runs.iter().filter_map(|run| overview.runs[*run].cell_near(field, &near));
        column.numbers = cells().take(SAMPLE).all(|cell| match cell {
            Cell::Number(_) => true,
            Cell::Text(text) => text.trim().parse::<f64>().is_ok(),
        });
        if let Field::Metric(name) = field {
            column.goal = choices.goal(name);
            let numbers = || {
                cells().take(SAMPLE).filter_map(|cell| match cell {
                    Cell::Number(number) => Some(number),
                    Cell::Text(_) => None,
                })
            };
            column.exact = needs_digits(numbers);
            column.best = best(overview, runs, field, column.goal);
        }
    }
    column.width = choices.widths.get(&column.key).copied().unwrap_or_else(|| {
        let texts = runs
            .iter()
            .take(SAMPLE)
            .map(|run| width(&sanitize(&column.shown(source, &overview.runs[*run]))));
        let most = if column.what == What::Name { WIDEST_NAME } else { WIDEST };
        // The best value has a sign, and so has the title of a column by which the rows are sorted.
        let sign = if column.goal.is_some() { 2 } else { 0 };
        let trend = if column.trend { usize::from(TREND) + 1 } else { 0 };
        let cells = texts.max().unwrap_or(0) + sign + trend;
        let title = width(&column.title) + 2;
        let wanted = cells.max(title.min(TITLE));
        let most = if column.trend { most + TREND + 1 } else { most };
        u16::try_from(wanted).unwrap_or(most).clamp(LEAST, most)
    });
    column
}

/// Whether four digits do not tell all numbers apart.
fn needs_digits<I: Iterator<Item = f64>>(numbers: impl Fn() -> I) -> bool {
    if numbers().all(|number| number.fract() == 0.0 && number.abs() < 1e9) {
        return true;
    }
    let mut short: HashMap<String, u64> = HashMap::new();
    numbers().any(|number| {
        let bits = (number + 0.0).to_bits();
        *short.entry(number_text(number)).or_insert(bits) != bits
    })
}

/// The runs with the best value of a metric, if their values differ.
fn best(overview: &Overview, runs: &[usize], field: &Field, goal: Option<Goal>) -> HashSet<usize> {
    let Some(goal) = goal else { return HashSet::new() };
    let near = Default::default();
    let (mut found, mut top, mut several) = (HashSet::new(), f64::NAN, false);
    for run in runs {
        let Some(Cell::Number(value)) = overview.runs[*run].cell_near(field, &near) else {
            continue;
        };
        if value.is_nan() {
            continue;
        }
        several |= !top.is_nan() && value != top;
        if top.is_nan() || goal.prefers(value, top) {
            top = value;
            found.clear();
        }
        if value == top {
            found.insert(*run);
        }
    }
    if several { found } else { HashSet::new() }
}
