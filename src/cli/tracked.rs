//! Values of tracking stores for printing: without secrets; NaN and infinities as texts, because JSON lacks them.

use std::process::ExitCode;

use color_eyre::eyre::Result;
use serde_json::{Map, Value as Json, json};

use super::{csv, output};
use crate::text::secrets::{HIDDEN, names_secret, redact};
use crate::tracking::entities::{Results, Run};

/// A value for printing: hidden if its key names a secret, and without secrets inside.
pub(super) fn shown(key: &str, value: &str) -> String {
    let last = key.rsplit(['.', '/']).next().unwrap_or_default();
    if names_secret(last) { HIDDEN.to_owned() } else { redact(value) }
}

/// A number; NaN and infinities are texts, as in MLflow's REST interface.
pub(super) fn number(value: f64) -> Json {
    match value {
        _ if value.is_nan() => "NaN".into(),
        f64::INFINITY => "Infinity".into(),
        f64::NEG_INFINITY => "-Infinity".into(),
        _ => value.into(),
    }
}

/// A time in the local time zone; empty if there is none.
pub(super) fn when(milliseconds: Option<i64>) -> String {
    let time = milliseconds.and_then(|at| jiff::Timestamp::from_millisecond(at).ok());
    time.map(|time| {
        time.to_zoned_datetime(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string()
    })
    .unwrap_or_default()
}

/// Keys and values as an object.
pub(super) fn object(pairs: &[(String, String)]) -> Json {
    let shown = |(key, value): &(String, String)| (key.clone(), shown(key, value).into());
    Json::Object(pairs.iter().map(shown).collect())
}

/// Prints a list as JSON under a name, or as CSV with these columns, if one of them is requested.
pub(super) fn print_list<T>(
    (as_json, as_csv): (bool, bool),
    name: &str,
    columns: &[&str],
    found: &Results<T>,
    to_json: impl Fn(&T) -> Json,
) -> Option<Result<ExitCode>> {
    if !as_json && !as_csv {
        return None;
    }
    let items: Vec<Json> = found.items.iter().map(to_json).collect();
    Some(match as_csv {
        true => output::text(&csv::of_objects(columns, &items)),
        false => output::json(&json!({"schema": 1, name: items, "truncated": found.truncated})),
    })
}

/// A run as JSON, with MLflow's key names.
pub(super) fn run(run: &Run) -> Json {
    let metrics: Map<String, Json> =
        run.metrics.iter().map(|(key, value)| (key.clone(), number(*value))).collect();
    json!({
        "run_id": run.id,
        "run_name": run.name,
        "experiment_id": run.experiment_id,
        "status": run.status,
        "lifecycle_stage": run.lifecycle_stage,
        "start_time": run.start_time,
        "end_time": run.end_time,
        "user_id": run.user_id,
        "artifact_uri": shown("", &run.artifact_uri),
        "params": object(&run.params),
        "metrics": metrics,
        "tags": object(&run.tags),
    })
}
