//! Metrics datasets on disk that no run of the history has saved: from `kedro run`, or from another machine.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::{EXPERIMENT, Measured, milliseconds};
use crate::datasets;
use crate::project::{Options, Reader, makers, strip_transcoding};
use crate::tracking::entities::Run;

/// Tolerance between the clocks of a run's record and of files, in milliseconds.
const SLACK: i64 = 50;

/// A run for each version that was saved outside of the known runs. Datasets with the same version belong to
/// the same run.
pub(super) fn load(root: &Path, env: Option<&str>, known: &[Measured]) -> Vec<Measured> {
    let options = Options { env: env.map(str::to_owned), ..Options::default() };
    let snapshot = Reader::new(root).read(&options);
    let mut found: BTreeMap<String, (Measured, Vec<String>)> = BTreeMap::new();
    let nodes =
        || snapshot.pipelines.iter().flat_map(|pipeline| pipeline.nodes.iter().map(|node| &**node));
    let read: HashSet<&str> =
        nodes().flat_map(|node| &node.inputs).map(|input| strip_transcoding(input)).collect();
    let made: HashSet<&str> = makers(nodes()).map(|(dataset, _)| dataset).collect();
    for (name, dataset) in &snapshot.datasets {
        // Numbers that nodes only read are data, not results of a run.
        if read.contains(strip_transcoding(name)) && !made.contains(strip_transcoding(name)) {
            continue;
        }
        for file in datasets::measured(root, dataset) {
            let modified = milliseconds(file.modified);
            let began = file.version.as_deref().and_then(time).unwrap_or(modified);
            let is_known = known.iter().any(|run| has_saved(run, name, began, modified));
            if is_known {
                continue;
            }
            let id = file.version.unwrap_or_else(|| version(modified));
            let (measured, names) = found.entry(id.clone()).or_insert_with(|| {
                let run = Run {
                    id,
                    experiment_id: EXPERIMENT.to_owned(),
                    status: "FINISHED".to_owned(),
                    start_time: Some(began),
                    lifecycle_stage: "active".to_owned(),
                    ..Run::default()
                };
                (Measured { run, saved: BTreeMap::new() }, Vec::new())
            });
            names.push(name.clone());
            measured.run.end_time = measured.run.end_time.max(Some(modified.max(began)));
            for (key, value) in file.numbers {
                let key = format!("{name}.{key}");
                measured.saved.insert(key.clone(), modified);
                measured.run.metrics.push((key, value.as_f64().unwrap_or(f64::NAN)));
            }
        }
    }
    let run = |(mut measured, names): (Measured, Vec<String>)| {
        measured.run.name = names.join(", ");
        measured.run.metrics.sort_by(|(a, _), (b, _)| a.cmp(b));
        measured
    };
    found.into_values().map(run).collect()
}

/// Whether a run has saved a version of a metrics dataset: the version is the time when the run's session
/// began, and the files are written during the run.
fn has_saved(measured: &Measured, dataset: &str, began: i64, modified: i64) -> bool {
    let start = measured.run.start_time.unwrap_or(i64::MAX).saturating_sub(SLACK);
    let end = measured.run.end_time.unwrap_or(i64::MAX).saturating_add(SLACK);
    let metric = |key: &String| key.strip_prefix(dataset).is_some_and(|key| key.starts_with('.'));
    (start..=end).contains(&began)
        && (start..=end).contains(&modified)
        && measured.saved.keys().any(metric)
}

/// Kedro's format of versions (`kedro.io.core.VERSION_FORMAT`), in UTC.
const FORMAT: &str = "%Y-%m-%dT%H.%M.%S.%3fZ";

/// Parses a version as a time, in milliseconds since the Unix epoch; `None` if it is not a time.
fn time(version: &str) -> Option<i64> {
    let time = DateTime::strptime("%Y-%m-%dT%H.%M.%S.%fZ", version).ok()?;
    Some(TimeZone::UTC.to_timestamp(time).ok()?.as_millisecond())
}

fn version(milliseconds: i64) -> String {
    let time = jiff::Timestamp::from_millisecond(milliseconds).unwrap_or_default();
    time.strftime(FORMAT).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_times() {
        assert_eq!(time("1970-01-01T00.00.01.234Z"), Some(1_234));
        assert_eq!(version(1_234), "1970-01-01T00.00.01.234Z");
        assert_eq!(time("best"), None);
    }
}
