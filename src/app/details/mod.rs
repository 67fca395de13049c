//! What the side pane tells of the selected thing, as lines; `ui` colours them.

mod data;
mod namespace;
mod node;
mod run;

pub use crate::text::size_text;
use std::sync::Arc;

use super::catalog::CatalogRow;
use super::state::{State, Tab};
use crate::dag::Kind;
use crate::project::Place;
use crate::project::python::highlight::Highlighted;
use crate::store::Outcome;
use data::{of_dataset, of_parameter, of_pattern};
use namespace::of_namespace;
use node::of_node_named;
pub use run::code_text;
use run::{of_engine, of_model, of_run, of_tracked_run};

/// How a text is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Tone {
    #[default]
    Plain,
    Dim,
    Name,
    Good,
    Bad,
    Warning,
    Busy,
}

/// A line of the side pane.
#[derive(Debug, Clone)]
pub enum Line {
    /// The name of the selected thing.
    Title(String),
    /// A label and what stands beside it.
    Field(&'static str, String, Tone),
    /// A line of text.
    Text(String, Tone),
    /// A line of configuration: indentation, key, value, origin.
    Config {
        /// Levels of indentation.
        depth: usize,
        /// Key, or `-`.
        key: String,
        /// Value on one line.
        value: String,
        /// File, line and environment.
        origin: String,
    },
    /// A line of code: its number and its index in the file.
    Code(u32, Arc<Highlighted>, usize),
    /// Nothing.
    Blank,
}

/// The lines of the side pane, and the place that `e` opens.
#[derive(Debug, Clone, Default)]
pub struct Details {
    /// The lines.
    pub lines: Vec<Line>,
    /// Where it is defined.
    pub place: Option<Place>,
    /// Its name, for copying.
    pub name: String,
}

/// What there is to tell of what is selected.
pub fn details(state: &State) -> Details {
    let Some(snapshot) = state.project.snapshot.as_deref() else { return Details::default() };
    match state.tab {
        Tab::Pipeline => match &state.pipeline.selected {
            Some((Kind::Node, name)) => of_node_named(state, name),
            Some((Kind::Dataset, name)) => of_dataset(state, snapshot, name),
            Some((Kind::Parameters, name)) => of_parameter(state, snapshot, name),
            Some((Kind::Namespace, name)) => of_namespace(state, name),
            None => Details::default(),
        },
        Tab::Catalog => match state.catalog.selected() {
            Some(CatalogRow::Dataset(name) | CatalogRow::Memory(name)) => {
                of_dataset(state, snapshot, name)
            }
            Some(CatalogRow::Pattern(index)) => of_pattern(snapshot, *index),
            _ => Details::default(),
        },
        Tab::Parameters => match state.parameters.selected() {
            Some(row) => of_parameter(state, snapshot, &format!("params:{}", row.path)),
            None => Details::default(),
        },
        Tab::Runs => of_run(state),
        Tab::Experiments => of_tracked_run(state),
        Tab::Models => of_model(state),
        Tab::Remote => of_engine(state),
    }
}

/// How a run stands, in a word.
pub fn outcome_text(outcome: Outcome) -> (&'static str, Tone) {
    match outcome {
        Outcome::Running => ("running", Tone::Busy),
        Outcome::Succeeded => ("succeeded", Tone::Good),
        Outcome::Failed => ("failed", Tone::Bad),
        Outcome::Cancelled => ("cancelled", Tone::Warning),
        Outcome::Lost => ("lost", Tone::Bad),
    }
}

/// A number with four significant digits.
pub fn number_text(value: f64) -> String {
    let size = value.abs();
    match size {
        _ if !value.is_finite() => value.to_string(),
        0.0 => "0".into(),
        s if !(1e-3..1e6).contains(&s) => format!("{value:.3e}"),
        s => {
            let digits = 3 - s.log10().floor() as i32;
            format!("{value:.*}", digits.max(0) as usize)
        }
    }
}

/// A time for people: `just now`, `5 min ago`, `3 h ago`, `2026-11-02`.
pub fn when(now: f64, at: f64) -> String {
    let age = now - at;
    match age {
        a if a < 60.0 => "just now".into(),
        a if a < 3600.0 => format!("{} min ago", (a / 60.0) as u64),
        a if a < 86_400.0 => format!("{} h ago", (a / 3600.0) as u64),
        a if a < 86_400.0 * 14.0 => format!("{} d ago", (a / 86_400.0) as u64),
        _ => jiff::Timestamp::from_second(at as i64)
            .map(|time| {
                time.to_zoned_datetime(jiff::tz::TimeZone::system())
                    .strftime("%Y-%m-%d")
                    .to_string()
            })
            .unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_times_read_well() {
        for (value, text) in [
            (0.0, "0"),
            (0.123_456, "0.1235"),
            (12.345_6, "12.35"),
            (123_456.7, "123457"),
            (1.5e-7, "1.500e-7"),
            (-3.0, "-3.000"),
        ] {
            assert_eq!(number_text(value), text);
        }
        assert_eq!(when(1000.0, 990.0), "just now");
        assert_eq!(when(10_000.0, 1000.0), "2 h ago");
    }
}
