//! The values that a filter of runs or of a log is completed with.

use std::collections::BTreeSet;

use crate::app::shared::Shared;
use crate::runs::RunRequest;
use crate::runs::history::Timeline;
use crate::store::{LogLine, RunRecord};

/// The values of a key that occur in the listed runs or in the project.
pub(super) fn known(runs: &[RunRecord], shared: &Shared, key: &str) -> Vec<String> {
    let of_runs = |of: fn(&RunRecord) -> Option<&String>| -> BTreeSet<String> {
        runs.iter().filter_map(of).cloned().collect()
    };
    let found: BTreeSet<String> = match key {
        "node" | "failed" => {
            let nodes = shared.snapshot().into_iter().flat_map(|snapshot| &snapshot.pipelines);
            let nodes = nodes.flat_map(|pipeline| &pipeline.nodes);
            let known = nodes.map(|node| node.name.clone());
            known.chain(of_runs(|run| run.failed_node.as_ref())).collect()
        }
        "pipeline" => of_runs(|run| Some(&run.new.pipeline)),
        "env" => of_runs(|run| run.new.env.as_ref()),
        "user" => of_runs(|run| run.new.user.as_ref()),
        "mlflow" => of_runs(|run| run.mlflow_run.as_ref()),
        "param" => {
            let requests = runs
                .iter()
                .filter_map(|run| serde_json::from_str::<RunRequest>(&run.new.request).ok());
            requests.flat_map(|request| request.params.into_keys()).collect()
        }
        _ => BTreeSet::new(),
    };
    found.into_iter().collect()
}

/// The values of a key that occur in the loaded lines of a log or among the nodes of its run.
pub(super) fn known_in_log(
    lines: &[LogLine],
    timeline: Option<&Timeline>,
    key: &str,
) -> Vec<String> {
    let found: BTreeSet<String> = match key {
        "node" => {
            let bars = timeline.into_iter().flat_map(|timeline| &timeline.bars);
            bars.map(|bar| bar.node.clone())
                .chain(lines.iter().filter_map(|line| line.node.clone()))
                .collect()
        }
        "logger" => lines.iter().filter_map(|line| line.logger.clone()).collect(),
        _ => BTreeSet::new(),
    };
    found.into_iter().collect()
}
