//! Texts for users: the lines of the details pane with their tones, and numbers, sizes and
//! times in words. The screens and the command line share them.

use std::sync::Arc;

use crate::project::python::highlight::{Highlighted, Token};
use crate::project::{Origin, Place};
use crate::store::{CodeVersion, Outcome, Remote, RunRecord};
pub use crate::text::size_text;
use crate::tracking::picture::Picture;

/// The tone of a text, which `ui` maps to a colour.
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
    /// A label with its value.
    Field(&'static str, String, Tone),
    /// A label with a place, and the file or page that it leads to.
    Link(&'static str, String, String, Tone),
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
        /// The kind of the value, which decides its colour.
        token: Token,
        /// File, line and environment.
        origin: Option<Origin>,
    },
    /// A line of code: its number and its index in the file.
    Code(u32, Arc<Highlighted>, usize),
    /// A row of a picture: two rows of its pixels.
    Picture(Arc<Picture>, usize),
    /// An empty line.
    Blank,
}

/// The content of the details pane.
#[derive(Debug, Clone, Default)]
pub struct Details {
    /// The lines.
    pub lines: Vec<Line>,
    /// Where the selection is defined, which the editor opens.
    pub place: Option<Place>,
    /// The name of the selection, for copying.
    pub name: String,
}

/// Adds a titled group of keys and values; adds nothing if there are none.
pub fn pairs(lines: &mut Vec<Line>, title: &str, pairs: Vec<(&String, String)>) {
    if pairs.is_empty() {
        return;
    }
    lines.push(Line::Blank);
    lines.push(Line::Text(title.into(), Tone::Dim));
    lines.extend(pairs.into_iter().map(|(key, value)| Line::Config {
        depth: 0,
        key: key.clone(),
        value,
        token: Token::Plain,
        origin: None,
    }));
}

/// Which run on which engine it is: `prod (airflow), bikes, manual__2026`.
pub fn remote_text(remote: &Remote) -> String {
    format!("{} ({}), {}, {}", remote.profile, remote.engine, remote.pipeline, remote.run)
}

/// Where a run was, for the list of runs: `on prod`; `None` for a run of this project's own worker.
pub fn on_engine(run: &RunRecord) -> Option<String> {
    run.new.remote.as_ref().map(|remote| format!("on {}", remote.profile))
}

/// The word for an outcome, with its tone.
pub fn outcome_text(outcome: Outcome) -> (&'static str, Tone) {
    match outcome {
        Outcome::Running => ("running", Tone::Busy),
        Outcome::Succeeded => ("succeeded", Tone::Good),
        Outcome::Failed => ("failed", Tone::Bad),
        Outcome::Cancelled => ("cancelled", Tone::Warning),
        Outcome::Lost => ("lost", Tone::Bad),
    }
}

/// The version of the code: its commit, branch, and how many files differ from it.
pub fn code_text(code: &CodeVersion, diff: Option<&str>) -> String {
    let commit =
        code.commit.as_deref().map_or("no commit", |commit| commit.get(..10).unwrap_or(commit));
    let mut text = match &code.branch {
        Some(branch) => format!("{commit} on {branch}"),
        None => commit.to_owned(),
    };
    let changed =
        diff.unwrap_or_default().lines().filter(|line| line.starts_with("diff --git")).count();
    let count = |count: usize, what: &str| match count {
        0 => None,
        1 => Some(format!("1 {what} file")),
        _ => Some(format!("{count} {what} files")),
    };
    let parts = [count(changed, "changed"), count(code.untracked.len(), "untracked")];
    for part in parts.into_iter().flatten() {
        text.push_str(" · ");
        text.push_str(&part);
    }
    text
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

/// The difference of a number to another, with its sign, and in percent where that has a meaning: `-0.0200 (-4.1%)`.
pub fn difference_text(value: f64, base: f64) -> String {
    let difference = value - base;
    if difference == 0.0 {
        return "=".into();
    }
    let sign = if difference > 0.0 { "+" } else { "" };
    let text = format!("{sign}{}", number_text(difference));
    let percent = difference / base.abs() * 100.0;
    match percent.is_finite() && percent.abs() < 1e4 {
        true => format!("{text} ({sign}{percent:.1}%)"),
        false => text,
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

/// The local time of an event: `2026-11-02 15:04:05`.
pub fn clock_text(at: f64) -> String {
    let local = |time: jiff::Timestamp| time.to_zoned_datetime(jiff::tz::TimeZone::system());
    let time = jiff::Timestamp::from_second(at as i64).map(local);
    time.map(|time| time.strftime("%Y-%m-%d %H:%M:%S").to_string()).unwrap_or_default()
}

/// A duration for people: `0.21 s`, `12.4 s`, `3 min 20 s`, `2 h 5 min`.
pub fn seconds_text(seconds: f64) -> String {
    let whole = seconds.max(0.0) as u64;
    match seconds {
        s if s < 9.995 => format!("{:.2} s", s.max(0.0)),
        s if s < 59.95 => format!("{s:.1} s"),
        s if s < 3600.0 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
    }
}

/// An estimated time until something ends: `~12.4 s left`.
pub fn left_text(seconds: f64) -> String {
    format!("~{} left", seconds_text(seconds))
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

    #[test]
    fn durations_read_well() {
        for (seconds, text) in [
            (0.0, "0.00 s"),
            (0.214, "0.21 s"),
            (9.996, "10.0 s"),
            (75.0, "1 min 15 s"),
            (7500.0, "2 h 5 min"),
        ] {
            assert_eq!(seconds_text(seconds), text);
        }
    }
}
