//! Schedule, retries and the like of an Airflow DAG, from `airflow.yml` with the keys of kedro-airflow.
//!
//! The file has a mapping for each pipeline, and one named `default` for all.

use std::fmt::Write as _;

use indexmap::IndexMap;

use crate::project::python::{float_repr, str_repr};
use crate::project::{Located, Options, Reader, Severity, Value};
use crate::text::UserError;

/// The kind of configuration, and the mapping for all pipelines.
const KIND: &str = "airflow";
const ALL: &str = "default";

/// What a setting must be, and how it is written in Python.
#[derive(Debug, Clone, Copy)]
enum Form {
    Bool,
    Count,
    Text,
    /// A text, or null.
    Schedule,
    /// A text, or a list of texts.
    Texts,
    /// A date as a text, or the numbers of one.
    Date,
    /// A number of minutes.
    Minutes,
}

/// Settings of the DAG itself: key, form, and what is written if it is not set; nothing if that is empty.
const OF_DAG: [(&str, Form, &str); 5] = [
    ("schedule", Form::Schedule, "None"),
    ("start_date", Form::Date, "datetime(2023, 1, 1)"),
    ("catchup", Form::Bool, "False"),
    ("max_active_runs", Form::Count, "3"),
    ("tags", Form::Texts, ""),
];

/// Settings of its tasks.
const OF_TASKS: [(&str, Form, &str); 7] = [
    ("owner", Form::Text, "'airflow'"),
    ("depends_on_past", Form::Bool, "False"),
    ("email", Form::Texts, ""),
    ("email_on_failure", Form::Bool, ""),
    ("email_on_retry", Form::Bool, ""),
    ("retries", Form::Count, "1"),
    ("retry_delay", Form::Minutes, "timedelta(minutes=5)"),
];

/// The settings of one pipeline's DAG.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DagSettings {
    /// What the configuration says, by key.
    pub given: IndexMap<String, Located>,
}

impl DagSettings {
    /// Reads the settings of a pipeline.
    ///
    /// # Errors
    /// When the configuration can't be read.
    pub fn read(reader: &mut Reader, env: Option<&str>, pipeline: &str) -> Result<Self, UserError> {
        let patterns = ["airflow*", "airflow/**"].map(str::to_owned).to_vec();
        let read = reader.configuration(&Options {
            env: env.map(str::to_owned),
            further_patterns: IndexMap::from([(KIND.to_owned(), patterns)]),
            kinds: vec![KIND.to_owned()],
            ..Options::default()
        });
        if let Some(problem) = read.problems.iter().find(|one| one.severity == Severity::Error) {
            return Err(problem.into());
        }
        let root = read.config.kinds.get(KIND);
        let mut given = IndexMap::new();
        for part in [ALL, pipeline] {
            let Some(part) = root.and_then(|root| root.value.get(part)) else { continue };
            let Some(map) = part.value.as_map() else {
                return Err(wrong(part, "it", "a mapping of settings"));
            };
            given.extend(map.clone());
        }
        // The older name of `schedule`.
        if let Some(schedule) = given.shift_remove("schedule_interval") {
            given.entry("schedule".to_owned()).or_insert(schedule);
        }
        Ok(DagSettings { given })
    }

    /// Keys that only a template of the project's own can use.
    pub fn unused(&self) -> Vec<&str> {
        let known = |key: &&str| OF_DAG.iter().chain(&OF_TASKS).any(|(known, ..)| known == key);
        self.given.keys().map(String::as_str).filter(|key| !known(key)).collect()
    }

    /// The arguments of `@dag(...)`, a line each.
    pub(super) fn arguments(&self) -> Result<String, UserError> {
        let mut text = String::new();
        for (key, value) in self.written(&OF_DAG)? {
            let _ = writeln!(text, "    {key}={value},");
        }
        text.push_str("    default_args={\n");
        for (key, value) in self.written(&OF_TASKS)? {
            let _ = writeln!(text, "        {}: {value},", str_repr(key));
        }
        text.push_str("    },\n");
        Ok(text)
    }

    fn written(
        &self,
        table: &[(&'static str, Form, &str)],
    ) -> Result<Vec<(&'static str, String)>, UserError> {
        let mut written = Vec::new();
        for &(key, form, default) in table {
            match self.given.get(key) {
                Some(located) => match form.python(&located.value) {
                    Some(text) => written.push((key, text)),
                    None => return Err(wrong(located, &format!("`{key}`"), form.wanted())),
                },
                None if default.is_empty() => {}
                None => written.push((key, default.to_owned())),
            }
        }
        Ok(written)
    }
}

impl Form {
    fn wanted(self) -> &'static str {
        match self {
            Form::Bool => "`true` or `false`",
            Form::Count => "a whole number from 0 on",
            Form::Text => "a text",
            Form::Schedule => "a text such as `@daily` or `0 6 * * *`, or `null`",
            Form::Texts => "a text or a list of texts",
            Form::Date => "a date: `\"2026-01-31\"` or `[2026, 1, 31]`",
            Form::Minutes => "a number of minutes from 0 on",
        }
    }

    /// The value in Python; `None` if it has another form.
    fn python(self, value: &Value) -> Option<String> {
        Some(match (self, value) {
            (Form::Bool, Value::Bool(on)) => if *on { "True" } else { "False" }.to_owned(),
            (Form::Count, Value::Int(count @ 0..)) => count.to_string(),
            (Form::Text, Value::Str(text)) | (Form::Schedule, Value::Str(text)) => str_repr(text),
            (Form::Schedule, Value::Null) => "None".to_owned(),
            (Form::Texts, Value::Str(text)) => format!("[{}]", str_repr(text)),
            (Form::Texts, Value::List(items)) => {
                let items: Option<Vec<_>> =
                    items.iter().map(|item| item.value.as_str().map(str_repr)).collect();
                format!("[{}]", items?.join(", "))
            }
            (Form::Date, Value::List(items)) if (3..=6).contains(&items.len()) => {
                let numbers = items.iter().map(|item| Form::Count.python(&item.value));
                format!("datetime({})", numbers.collect::<Option<Vec<_>>>()?.join(", "))
            }
            (Form::Date, Value::Str(text)) if text.parse::<jiff::civil::Date>().is_ok() => {
                format!("datetime.fromisoformat({})", str_repr(text))
            }
            (Form::Minutes, Value::Int(count @ 0..)) => format!("timedelta(minutes={count})"),
            (Form::Minutes, Value::Float(count)) if count.is_finite() && *count >= 0.0 => {
                format!("timedelta(minutes={})", float_repr(*count))
            }
            _ => return None,
        })
    }
}

fn wrong(located: &Located, what: &str, wanted: &str) -> UserError {
    let place = match &located.origin {
        Some(origin) => format!("{}: ", origin.place),
        None => String::new(),
    };
    format!("{place}{what} must be {wanted}.").into()
}

#[cfg(test)]
mod tests;
