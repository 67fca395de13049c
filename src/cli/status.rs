//! `mlops-tui status`: which nodes are out of date, and why.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use color_eyre::eyre::{Result, bail, eyre};
use serde_json::json;

use super::complete;
use super::output::{self, ErrorsArgument};
use super::project::ProjectArguments;
use crate::dag::staleness::Freshness;
use crate::dag::view::NodeStatus;
use crate::dag::view::filter::{KEYS, NodeFacts, passes};
use crate::dag::{Graph, VertexKind};
use crate::project::reader::runtime_params;
use crate::project::{Node, Options, Reader, Severity, undefined_param};
use crate::runs::interpreter;
use crate::runs::params::Params;
use crate::runs::request::parse_params;
use crate::runs::staleness::Staleness;
use crate::store::Store;
use crate::text::filter::{Filter, parse};
use crate::text::sanitize;

/// Show which nodes are out of date, and why.
///
/// A node is fresh when its code, its parameters, its datasets' definitions and contents, and the
/// packages it imports are as they were when it last ran. Nothing of the project is executed.
/// `mlops-tui run --stale` runs what is not fresh.
///
/// Example: mlops-tui status --pipeline training
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    project: ProjectArguments,
    /// Pipeline to look at [default: __default__]
    #[arg(short, long, value_name = "NAME", add = complete::pipelines())]
    pipeline: Option<String>,
    /// Only nodes that match, as & on the Pipeline screen: is:stale changed:code -tag:slow
    #[arg(short, long, value_name = "FILTER", value_parser = matching)]
    filter: Option<Filter>,
    /// Parameters that the next run would have: a=1,model.depth=3
    #[arg(long, value_name = "PARAMS", value_parser = parse_params, default_value = "", hide_default_value = true)]
    params: Params,
    /// Python interpreter [default: the project's own]
    #[arg(long, value_name = "FILE")]
    python: Option<PathBuf>,
    /// Print JSON: a list of objects with node, status, and reasons, through or because
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    errors: ErrorsArgument,
}

fn matching(text: &str) -> Result<Filter, String> {
    parse(text, KEYS).map_err(|error| error.pointed(text))
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let root = arguments.project.root()?;
    let options = Options {
        runtime_params: runtime_params(&arguments.params),
        ..arguments.project.options()
    };
    let snapshot = Reader::new(&root).read(&options);
    let undefined = snapshot.undefined_params.iter();
    undefined.for_each(|name| output::warn(&undefined_param(&snapshot, name)));
    let name = arguments.pipeline.as_deref().unwrap_or("__default__");
    let Some(pipeline) = snapshot.pipeline(name) else {
        bail!("There is no pipeline `{}`; `mlops-tui inspect` lists them.", sanitize(name));
    };
    // Without an interpreter, packages are not compared.
    let python = match interpreter::choose(&root, arguments.python.as_deref()) {
        Ok(python) => Some(python.path),
        Err(error) if arguments.python.is_some() => return Err(eyre!(error)),
        Err(_) => None,
    };
    let mut staleness = Staleness::default();
    let mut store = Store::new(&root);
    staleness.load(&mut store, &snapshot.env)?;
    let statuses = staleness.look(&snapshot, pipeline, python.as_deref());
    let of = |name: &str| statuses.get(name).cloned().unwrap_or_default();
    let shown: Vec<&Arc<Node>> = match &arguments.filter {
        None => pipeline.nodes.iter().collect(),
        Some(filter) => {
            let timings = store.timings(1)?;
            let facts = pipeline.nodes.iter().map(|node| {
                let (name, freshness) = (&node.name, statuses.get(&node.name));
                let took = timings.get(name).map(|timing| timing.last);
                let status = NodeStatus::of(None, freshness);
                (name.clone(), NodeFacts::new(status, freshness, took))
            });
            let graph = Graph::of(pipeline);
            let passes = passes(filter, &graph, &snapshot.datasets, &facts.collect());
            let matches = |node: &&Arc<Node>| {
                graph.find(VertexKind::Node, &node.name).is_some_and(|id| passes[id])
            };
            pipeline.nodes.iter().filter(matches).collect()
        }
    };
    if arguments.json {
        let nodes = shown.iter().map(|node| {
            let mut object = json!({"node": node.name});
            if let (Some(object), Ok(serde_json::Value::Object(status))) =
                (object.as_object_mut(), serde_json::to_value(of(&node.name)))
            {
                object.extend(status);
            }
            object
        });
        output::json(&nodes.collect::<serde_json::Value>())?;
        return Ok(arguments.errors.code_of(&snapshot.problems));
    }
    let mut text = String::new();
    for node in &shown {
        let status = of(&node.name);
        text += &format!("{}  {}\n", sanitize(&node.name), status.as_str());
        if !matches!(status, Freshness::StaleThrough { .. }) {
            status.why().iter().for_each(|why| text += &format!("    {}\n", sanitize(why)));
        }
    }
    let due = shown.iter().filter(|node| of(&node.name).is_due()).count();
    text += &match due {
        _ if shown.is_empty() && arguments.filter.is_some() => {
            "No node matches the filter.\n".to_owned()
        }
        0 if arguments.filter.is_some() => "All of these nodes are fresh.\n".to_owned(),
        due if arguments.filter.is_some() => {
            let (shown, all) = (shown.len(), pipeline.nodes.len());
            format!("{shown} of {all} nodes match, {due} of them are not fresh.\n")
        }
        0 => "Everything is fresh.\n".to_owned(),
        due => format!("{due} of {} nodes are not fresh.\n", pipeline.nodes.len()),
    };
    output::text(&text)?;
    let errors = snapshot.problems.iter().filter(|found| found.severity == Severity::Error).count();
    if errors > 0 {
        let s = if errors == 1 { "" } else { "s" };
        output::complain(&format!(
            "The project has {errors} error{s}; `mlops-tui inspect` lists them."
        ));
    }
    Ok(arguments.errors.code_of(&snapshot.problems))
}
