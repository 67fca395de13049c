//! The server's `/snapshot`: its project, pipelines and nodes.

use std::collections::HashSet;

use serde_json::{Map, Value as Json};

use super::exception;
use super::request::names;
use crate::dag::{Graph, Slice, VertexKind};
use crate::project::{Pipeline, Snapshot, json};
use crate::remote::RemoteError;
use crate::text::did_you_mean;

const ODD: &str = "its answer is not that of a Kedro server";

/// Name and package of the project.
///
/// # Errors
/// When the server could not read its project, or the answer is another service's.
pub(super) fn project(answer: &Json) -> Result<(String, String), String> {
    succeeded(answer)?;
    let text = |key: &str| answer["metadata"][key].as_str().map(str::to_owned);
    match (text("project_name"), text("package_name")) {
        (Some(name), Some(package)) => Ok((name, package)),
        _ => Err(format!("{ODD}: it has no `metadata` of a project")),
    }
}

/// The registered pipelines.
///
/// # Errors
/// As with [`project`].
pub(super) fn pipelines(answer: &Json) -> Result<Vec<Pipeline>, String> {
    succeeded(answer)?;
    let snapshot = json::from_exact(answer, &Snapshot::default());
    snapshot.map(|snapshot| snapshot.pipelines).map_err(|error| format!("{ODD}: {error}"))
}

fn succeeded(answer: &Json) -> Result<(), String> {
    match (answer["status"].as_str(), exception(&answer["error"])) {
        (Some("success"), _) => Ok(()),
        (Some("failure"), Some(error)) => {
            Err(format!("the server can't read its project: {error}"))
        }
        _ => Err(format!("{ODD}: it has no `status`")),
    }
}

/// The names of the nodes that `/run` chooses with this body, in the order in which they can run.
///
/// # Errors
/// When a pipeline, node, dataset, tag or namespace is not there, or no node is chosen.
pub(super) fn nodes(
    pipelines: &[Pipeline],
    body: &Map<String, Json>,
) -> Result<Vec<String>, RemoteError> {
    let of = |key: &str| names(body, key);
    let asked = of("pipeline_names");
    let mut parts = Vec::new();
    for name in &asked {
        let part = pipelines.iter().find(|pipeline| pipeline.name == *name).ok_or_else(|| {
            let hint = did_you_mean(name, pipelines.iter().map(|pipeline| pipeline.name.as_str()));
            RemoteError::Missing(format!("The server's project has no pipeline `{name}`.{hint}"))
        })?;
        parts.push(part);
    }
    let slice = Slice {
        from_nodes: of("from_nodes"),
        to_nodes: of("to_nodes"),
        nodes: of("node_names"),
        from_inputs: of("from_inputs"),
        to_outputs: of("to_outputs"),
        tags: of("tags"),
        namespaces: of("namespaces"),
    };
    let chosen = slice.apply(&sum(asked.join(" + "), &parts));
    chosen.map_err(|error| RemoteError::Refused(format!("{error}.")))
}

/// The sum of pipelines, as Kedro adds them: each node once, in an order in which they can run.
fn sum(name: String, parts: &[&Pipeline]) -> Pipeline {
    let mut seen = HashSet::new();
    let all = parts.iter().flat_map(|part| &part.nodes);
    let nodes = all.filter(|node| seen.insert(&node.name)).cloned().collect();
    let mut sum = Pipeline { name, nodes, ..Pipeline::default() };
    if parts.len() > 1 {
        let graph = Graph::of(&sum);
        let order = graph.order().into_iter().map(|id| &graph.vertices[id]);
        let nodes = order.filter(|vertex| vertex.kind == VertexKind::Node);
        sum.nodes = nodes.filter_map(|vertex| vertex.node.clone()).collect();
    }
    sum
}
