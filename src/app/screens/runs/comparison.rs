//! The comparison of two runs as texts, which the screen draws and the command line prints.

use std::path::Path;

use serde_json::Value as Json;

use super::columns::distinct;
use crate::app::words::{Tone, number_text, seconds_text};
use crate::dag::staleness::{Fact, Reason, short};
use crate::project::highlight::highlight;
use crate::project::python::highlight::Highlighted;
use crate::runs::history::Comparison;
use crate::runs::history::code::{CodeChange, DefinitionChange, SettingChange};
use crate::runs::history::compare::{Change, DatasetChange, NodeChange};
use crate::runs::history::why::{Cause, Verdict};
use crate::store::{CodeVersion, Direction, NodeOutcome};
use crate::text::diff::{DiffRow, side_by_side, unified};
use crate::text::size_text;

/// Shown for a value that one of the runs does not have.
const NONE: &str = "–";

/// A section of a comparison. Sections without differences are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Section {
    /// The title.
    pub title: &'static str,
    /// What may have caused the different results.
    pub causes: Vec<CauseLine>,
    /// The differing values.
    pub pairs: Vec<Pair>,
    /// The differing definitions.
    pub definitions: Vec<DefinitionDiff>,
    /// Further remarks.
    pub texts: Vec<String>,
}

/// A difference that may have caused the different results.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CauseLine {
    /// `likely`, `possible` or `ruled out`.
    pub verdict: &'static str,
    /// The tone of the verdict.
    pub tone: Tone,
    /// What differs.
    pub what: String,
    /// The nodes that it concerns, and the reason for the verdict.
    pub because: String,
}

/// A definition that differs, with the difference of its text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DefinitionDiff {
    /// How it differs, and its name: `changed: nodes.train`.
    pub title: String,
    /// The nodes that use it.
    pub nodes: String,
    /// Its file and line.
    pub place: String,
    /// Its first line in each run.
    pub starts: (usize, usize),
    /// The text of each run.
    pub texts: (Highlighted, Highlighted),
    /// The rows in two columns.
    pub wide: Vec<DiffRow>,
    /// The rows in one column.
    pub narrow: Vec<DiffRow>,
    /// Why there are no rows.
    pub note: Option<&'static str>,
}

impl DefinitionDiff {
    /// The rows in two columns if the pane is `wide`, else in one.
    pub fn rows(&self, wide: bool) -> &[DiffRow] {
        if self.has_columns(wide) { &self.wide } else { &self.narrow }
    }

    /// Whether its rows have two columns in a pane that is `wide`. One that only one run has needs only one.
    pub fn has_columns(&self, wide: bool) -> bool {
        wide && !self.texts.0.lines.is_empty() && !self.texts.1.lines.is_empty()
    }
}

/// A value in both runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pair {
    /// Its name.
    pub name: String,
    /// The tone of the name.
    pub tone: Tone,
    /// The value in the first run.
    pub first: String,
    /// The value in the second run.
    pub second: String,
    /// A remark.
    pub note: String,
    /// Whether the values are settings, one old and one new, rather than measurements.
    pub changed: bool,
}

/// A line of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Row<'a> {
    /// The title of a section.
    Title(&'static str),
    /// What may have caused the different results.
    Cause(&'a CauseLine),
    /// Why it may have.
    Because(&'a CauseLine),
    /// A value in both runs, with its section.
    Pair(&'a Section, &'a Pair),
    /// A differing definition.
    Definition(&'a DefinitionDiff),
    /// A row of the difference of a definition.
    Diff(&'a DefinitionDiff, DiffRow),
    /// Further remarks.
    Text(&'a str),
    /// An empty line.
    Blank,
}

/// The smallest width of a pane that shows the two texts of a definition side by side, in cells.
pub const WIDE: u16 = 100;

/// The lines of all sections; `wide` if there is room for two columns of code.
pub fn rows(sections: &[Section], wide: bool) -> impl Iterator<Item = Row<'_>> {
    sections.iter().enumerate().flat_map(move |(index, section)| {
        let blank = (index > 0).then_some(Row::Blank);
        let causes = section.causes.iter().flat_map(|cause| {
            let because = (!cause.because.is_empty()).then_some(Row::Because(cause));
            [Row::Cause(cause)].into_iter().chain(because)
        });
        let pairs = section.pairs.iter().map(move |pair| Row::Pair(section, pair));
        let definitions = section.definitions.iter().flat_map(move |one| {
            let rows = one.rows(wide).iter().map(move |row| Row::Diff(one, *row));
            let note = one.note.map(Row::Text);
            [Row::Definition(one)].into_iter().chain(rows).chain(note)
        });
        let texts = section.texts.iter().map(|text| Row::Text(text));
        let head = blank.into_iter().chain([Row::Title(section.title)]);
        head.chain(causes).chain(pairs).chain(definitions).chain(texts)
    })
}

/// The sections of a comparison.
pub fn sections(compared: &Comparison) -> Vec<Section> {
    let told = compared.parameters.as_deref().unwrap_or_default();
    let overrides: Vec<Change> = (compared.overrides.iter())
        .filter(|change| !told.iter().any(|told| told.name == change.name))
        .cloned()
        .collect();
    let parameters = match &compared.parameters {
        Some(changes) => parameters(changes, compared),
        None => Section {
            title: "Parameters",
            texts: vec!["At least one of the runs has no stored parameters.".into()],
            ..Section::default()
        },
    };
    let settings = compared.settings.as_deref().unwrap_or_default();
    let mut sections = vec![
        why(&compared.causes),
        of_changes("Asked for", &compared.facts),
        of_changes("Overrides", &overrides),
        parameters,
        metrics(&compared.metrics),
        code(&compared.code, compared.parameters.is_some()),
        of_settings("Node definitions", settings, |fact| match fact {
            Fact::Function => Some("function".into()),
            Fact::Bound(name) => Some(format!("{name} of the function")),
            Fact::Takes => Some("inputs".into()),
            Fact::Gives => Some("outputs".into()),
            _ => None,
        }),
        of_settings("Catalog", settings, |fact| match fact {
            Fact::Dataset(name, key) => Some(format!("{name} {key}")),
            _ => None,
        }),
        of_settings("Packages", settings, |fact| match fact {
            Fact::Package(name) => Some(name.clone()),
            _ => None,
        }),
        Section {
            title: "Nodes",
            pairs: compared.nodes.iter().map(node).collect(),
            ..Section::default()
        },
        Section {
            title: "Datasets",
            pairs: compared.datasets.iter().filter_map(dataset).collect(),
            ..Section::default()
        },
    ];
    sections.retain(|section| {
        let Section { causes, pairs, definitions, texts, .. } = section;
        !(causes.is_empty() && pairs.is_empty() && definitions.is_empty() && texts.is_empty())
    });
    sections
}

/// Most causes that are listed of those that may explain the results, and of those that are ruled out.
const CAUSES: (usize, usize) = (8, 4);

/// What may have caused the different results.
fn why(causes: &[Cause]) -> Section {
    let (ruled_out, open): (Vec<&Cause>, Vec<&Cause>) =
        causes.iter().partition(|cause| cause.verdict == Verdict::RuledOut);
    let line = |cause: &&Cause| {
        let (verdict, tone) = match cause.verdict {
            Verdict::Likely => ("likely", Tone::Good),
            Verdict::Possible => ("possible", Tone::Warning),
            Verdict::RuledOut => ("ruled out", Tone::Dim),
        };
        let nodes = match cause.nodes.as_slice() {
            [] => String::new(),
            [one] => format!("node {one}"),
            [one, two] => format!("nodes {one}, {two}"),
            [one, two, rest @ ..] => format!("nodes {one}, {two} and {} more", rest.len()),
        };
        let parts = [nodes, cause.because.clone()];
        let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        CauseLine { verdict, tone, what: cause.text.clone(), because: parts.join(": ") }
    };
    let more = |all: &[&Cause], most: usize, what: &str| {
        let rest = all.len().saturating_sub(most);
        (rest > 0).then(|| format!("{rest} more {what}"))
    };
    let shown = open.iter().take(CAUSES.0).chain(ruled_out.iter().take(CAUSES.1));
    let mut lines: Vec<CauseLine> = shown.map(line).collect();
    // What is true of several causes is said once, below the last of them.
    for at in 1..lines.len() {
        if lines[at].because == lines[at - 1].because {
            lines[at - 1].because.clear();
        }
    }
    let texts = [
        more(&open, CAUSES.0, "may have contributed; they are listed below."),
        more(&ruled_out, CAUSES.1, "are ruled out."),
    ];
    Section {
        title: "Why the results differ",
        causes: lines,
        texts: texts.into_iter().flatten().collect(),
        ..Section::default()
    }
}

/// The settings that `name` gives a name, with the nodes that they concern.
fn of_settings(
    title: &'static str,
    settings: &[SettingChange],
    name: impl Fn(&Fact) -> Option<String>,
) -> Section {
    let pairs = settings.iter().filter_map(|setting| {
        let Reason::Changed { what, from, to } = &setting.reason else { return None };
        let text = |side: &Option<String>| side.clone().unwrap_or_else(|| NONE.to_owned());
        Some(Pair { note: setting.nodes.join(", "), ..pair(&name(what)?, text(from), text(to)) })
    });
    Section { title, pairs: pairs.collect(), ..Section::default() }
}

fn of_changes(title: &'static str, changes: &[Change]) -> Section {
    let pairs = changes
        .iter()
        .map(|change| pair(&change.name, value(&change.first), value(&change.second)));
    Section { title, pairs: pairs.collect(), ..Section::default() }
}

/// The parameters that differ; a note says which of them were overrides.
fn parameters(changes: &[Change], compared: &Comparison) -> Section {
    let mut section = of_changes("Parameters", changes);
    for (pair, change) in section.pairs.iter_mut().zip(changes) {
        let found = compared.overrides.iter().find(|other| other.name == change.name);
        pair.note = match found.map(|found| (found.first.is_null(), found.second.is_null())) {
            None | Some((true, true)) => String::new(),
            Some((false, false)) => "overridden".into(),
            Some((false, true)) => format!("overridden in run {}", compared.runs.first),
            Some((true, false)) => format!("overridden in run {}", compared.runs.second),
        };
    }
    section
}

fn metrics(changes: &[Change]) -> Section {
    let values =
        |change: &Change| (change.name.clone(), (change.first.clone(), change.second.clone()));
    let pairs = distinct(changes.iter().map(values).collect()).into_iter().map(|(name, both)| {
        let (first, second) = numbers(&both.0, &both.1);
        pair(&name, first, second)
    });
    Section { title: "Metrics", pairs: pairs.collect(), ..Section::default() }
}

fn pair(name: &str, first: String, second: String) -> Pair {
    Pair { name: name.to_owned(), first, second, changed: true, ..Pair::default() }
}

fn value(json: &Json) -> String {
    match json {
        Json::Null => NONE.to_owned(),
        Json::String(text) => text.clone(),
        Json::Array(items) if items.iter().all(Json::is_string) && !items.is_empty() => {
            items.iter().filter_map(Json::as_str).collect::<Vec<_>>().join(",")
        }
        other => other.to_string(),
    }
}

/// The code; `told` if the section of parameters tells what their files would.
fn code(code: &CodeChange, told: bool) -> Section {
    let version = |version: &Option<CodeVersion>| match version {
        None => NONE.to_owned(),
        Some(version) => {
            let commit = version.commit.as_deref().unwrap_or("no commit");
            let commit = commit.get(..10).unwrap_or(commit);
            let branch = version.branch.as_ref().map(|branch| format!(" on {branch}"));
            let changed = if version.dirty { ", changed" } else { "" };
            format!("{commit}{}{changed}", branch.unwrap_or_default())
        }
    };
    let (first, second) = (version(&code.first), version(&code.second));
    let commits = (first != second).then(|| pair("commit", first, second));
    let incomplete = code.incomplete.iter().map(|why| format!("Not all is known: {why}."));
    let mut texts: Vec<String> = Vec::new();
    match &code.definitions {
        Some(definitions) => {
            let shown = |file: &&String| {
                let name = file.rsplit('/').next().unwrap_or(file);
                let of_parameters = told && name.starts_with("parameters");
                !of_parameters && !definitions.iter().any(|one| one.file == **file)
            };
            texts.extend(
                code.files.iter().filter(shown).map(|file| format!("also changed: {file}")),
            );
        }
        None => {
            texts.extend(code.files.iter().cloned());
            if code.files.iter().any(|file| file.ends_with(".py")) {
                texts.push("Which functions differ is known only of newer runs.".into());
            }
        }
    }
    let mut definitions: Vec<_> = code.definitions.iter().flatten().collect();
    definitions.sort_by_key(|one| one.how);
    Section {
        title: "Code",
        pairs: commits.into_iter().collect(),
        definitions: definitions.into_iter().map(definition).collect(),
        texts: texts.into_iter().chain(incomplete).collect(),
        ..Section::default()
    }
}

fn definition(change: &DefinitionChange) -> DefinitionDiff {
    let (first, second) = (&change.first, &change.second);
    // A text that was not kept must not look like a definition that was added or removed.
    let (old, new) = change.lines;
    let known = old.is_some() == first.is_some() && new.is_some() == second.is_some();
    let text = |text: &Option<String>| text.clone().filter(|_| known).unwrap_or_default();
    let (first, second) = (text(first), text(second));
    let wide = side_by_side(&first, &second);
    let start = |line: Option<u32>| line.unwrap_or(1) as usize;
    let file = Path::new(&change.file);
    DefinitionDiff {
        title: format!("{}: {}", change.how.as_str(), short(&change.name)),
        nodes: change.nodes.join(", "),
        place: format!("{}:{}", change.file, start(new.or(old))),
        starts: (start(old), start(new)),
        note: match wide.is_empty() {
            true if !known => Some("Its text was not kept."),
            true => Some("The texts are equal; what it refers to differs."),
            false => None,
        },
        narrow: unified(&wide),
        wide,
        texts: (highlight(file, &first), highlight(file, &second)),
    }
}

fn node(node: &NodeChange) -> Pair {
    let side = |outcome: Option<NodeOutcome>, seconds: Option<f64>| {
        let time = seconds.map(seconds_text);
        match (outcome, time) {
            (None, _) => NONE.to_owned(),
            (Some(NodeOutcome::Succeeded), Some(time)) => time,
            (Some(outcome), Some(time)) => format!("{}, {time}", outcome.as_str()),
            (Some(outcome), None) => outcome.as_str().to_owned(),
        }
    };
    let tone = match node.outcomes {
        (Some(first), Some(second)) if first == second => Tone::Plain,
        (_, Some(NodeOutcome::Failed)) => Tone::Bad,
        _ => Tone::Warning,
    };
    Pair {
        name: node.node.clone(),
        tone,
        first: side(node.outcomes.0, node.seconds.0),
        second: side(node.outcomes.1, node.seconds.1),
        note: slower(node.seconds).unwrap_or_default(),
        changed: false,
    }
}

/// The relative difference of two durations, such as `+12 %`; `None` if the difference may be noise.
fn slower(seconds: (Option<f64>, Option<f64>)) -> Option<String> {
    let (first, second) = (seconds.0?, seconds.1?);
    let real = (second - first).abs() > 0.1_f64.max(0.05 * first);
    real.then(|| format!("{:+.0} %", (second / first.max(1e-3) - 1.0) * 100.0))
}

/// A dataset, if its content or size is not the same.
fn dataset(dataset: &DatasetChange) -> Option<Pair> {
    let sizes = (dataset.bytes.0.map(size_text), dataset.bytes.1.map(size_text));
    let known = sizes.0.is_some() || sizes.1.is_some();
    if dataset.same == Some(true) || !known {
        return None;
    }
    let verb = if dataset.direction == Direction::Save { "saved" } else { "loaded" };
    let side = |size: Option<String>| size.unwrap_or_else(|| NONE.to_owned());
    let name = format!("{} {verb}", dataset.dataset);
    let note = if sizes.0 == sizes.1 { "other content" } else { "" };
    Some(Pair { note: note.into(), ..pair(&name, side(sizes.0), side(sizes.1)) })
}

/// Two numbers with four digits each, or with all digits if four do not tell them apart.
fn numbers(first: &Json, second: &Json) -> (String, String) {
    let short = |json: &Json| match json.as_f64() {
        Some(number) if number.fract() == 0.0 && number.abs() < 1e9 => format!("{number:.0}"),
        Some(number) if json.is_f64() => number_text(number),
        _ => value(json),
    };
    match (short(first), short(second)) {
        (one, two) if one == two => (value(first), value(second)),
        both => both,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_real_differences_of_time_are_told() {
        assert_eq!(slower((Some(0.04), Some(0.05))), None);
        assert_eq!(slower((Some(10.0), Some(10.3))), None);
        assert_eq!(slower((Some(2.0), Some(3.0))).as_deref(), Some("+50 %"));
        assert_eq!(slower((Some(2.0), None)), None);
    }

    #[test]
    fn numbers_are_as_short_as_their_difference_allows() {
        let told = |first: f64, second: f64| numbers(&first.into(), &second.into());
        assert_eq!(told(1.666_654, 1.5), ("1.667".into(), "1.500".into()));
        assert_eq!(told(7.0, 3.5), ("7".into(), "3.500".into()));
        assert_eq!(told(1.666_654, 1.666_655), ("1.666654".into(), "1.666655".into()));
    }
}
