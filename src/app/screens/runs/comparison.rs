//! The comparison of two runs as texts, which the screen draws and the command line prints.

use serde_json::Value as Json;

use crate::app::words::{Tone, number_text, seconds_text};
use crate::runs::history::Comparison;
use crate::runs::history::compare::{Change, CodeChange, DatasetChange, NodeChange};
use crate::store::{CodeVersion, Direction, NodeOutcome};
use crate::text::size_text;

/// Shown for a value that one of the runs does not have.
const NONE: &str = "–";

/// A section of a comparison. Sections without differences are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Section {
    /// The title.
    pub title: &'static str,
    /// The differing values.
    pub pairs: Vec<Pair>,
    /// Further remarks.
    pub texts: Vec<String>,
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
    /// A value in both runs, with its section.
    Pair(&'a Section, &'a Pair),
    /// Further remarks.
    Text(&'a str),
    /// An empty line.
    Blank,
}

/// The lines of all sections.
pub fn rows(sections: &[Section]) -> impl Iterator<Item = Row<'_>> {
    sections.iter().enumerate().flat_map(|(index, section)| {
        let blank = (index > 0).then_some(Row::Blank);
        let pairs = section.pairs.iter().map(move |pair| Row::Pair(section, pair));
        let texts = section.texts.iter().map(|text| Row::Text(text));
        blank.into_iter().chain([Row::Title(section.title)]).chain(pairs).chain(texts)
    })
}

/// The sections of a comparison.
pub fn sections(compared: &Comparison) -> Vec<Section> {
    let parameters = match &compared.parameters {
        Some(changes) => of_changes("Parameters", changes),
        None => Section {
            title: "Parameters",
            texts: vec!["At least one of the runs has no stored parameters.".into()],
            ..Section::default()
        },
    };
    let mut sections = vec![
        of_changes("Asked for", &compared.facts),
        of_changes("Overrides", &compared.overrides),
        parameters,
        code(&compared.code),
        Section {
            title: "Nodes",
            pairs: compared.nodes.iter().map(node).collect(),
            ..Section::default()
        },
        Section {
            title: "Datasets",
            pairs: compared.datasets.iter().flat_map(dataset).collect(),
            ..Section::default()
        },
    ];
    sections.retain(|section| !section.pairs.is_empty() || !section.texts.is_empty());
    sections
}

fn of_changes(title: &'static str, changes: &[Change]) -> Section {
    let pairs = changes
        .iter()
        .map(|change| pair(&change.name, value(&change.first), value(&change.second)));
    Section { title, pairs: pairs.collect(), texts: Vec::new() }
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

fn code(code: &CodeChange) -> Section {
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
    Section {
        title: "Code",
        pairs: commits.into_iter().collect(),
        texts: code.files.iter().cloned().chain(incomplete).collect(),
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
    let code = node.file.as_ref().map(|file| format!("code: {file}"));
    let notes: Vec<String> = slower(node.seconds).into_iter().chain(code).collect();
    Pair {
        name: node.node.clone(),
        tone,
        first: side(node.outcomes.0, node.seconds.0),
        second: side(node.outcomes.1, node.seconds.1),
        note: notes.join("  "),
        changed: false,
    }
}

/// The relative difference of two durations, such as `+12 %`; `None` if the difference may be noise.
fn slower(seconds: (Option<f64>, Option<f64>)) -> Option<String> {
    let (first, second) = (seconds.0?, seconds.1?);
    let real = (second - first).abs() > 0.1_f64.max(0.05 * first);
    real.then(|| format!("{:+.0} %", (second / first.max(1e-3) - 1.0) * 100.0))
}

/// A dataset and its metrics, if its content or size is not the same.
fn dataset(dataset: &DatasetChange) -> Vec<Pair> {
    let sizes = (dataset.bytes.0.map(size_text), dataset.bytes.1.map(size_text));
    let known = sizes.0.is_some() || sizes.1.is_some();
    if dataset.same == Some(true) || !known {
        return Vec::new();
    }
    let verb = if dataset.direction == Direction::Save { "saved" } else { "loaded" };
    let side = |size: Option<String>| size.unwrap_or_else(|| NONE.to_owned());
    let name = format!("{} {verb}", dataset.dataset);
    let metrics = dataset.metrics.iter();
    std::iter::once(pair(&name, side(sizes.0), side(sizes.1)))
        .chain(metrics.map(|metric| {
            let (first, second) = numbers(&metric.first, &metric.second);
            pair(&format!("  {}", metric.name), first, second)
        }))
        .collect()
}

/// Two numbers with four digits each, or with all digits if four do not tell them apart.
fn numbers(first: &Json, second: &Json) -> (String, String) {
    let short = |json: &Json| match json.as_f64() {
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
        assert_eq!(told(1.666_654, 1.666_655), ("1.666654".into(), "1.666655".into()));
    }
}
