//! `mlops-tui layout`: where a pipeline, or any graph, is drawn.

use std::collections::HashMap;
use std::fs;
use std::io::Read as _;
use std::path::PathBuf;
use std::process::ExitCode;

use color_eyre::eyre::{Result, bail, eyre};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::output;
use crate::dag::layout::{Direction, Sketch};
use crate::dag::{Graph, Kind, Layout};
use crate::project::{Options, Reader};
use crate::text::{sanitize, width};

/// Vertices up to which nodes get boxes; beyond, everything takes one row.
const MOST_BOXES: usize = 60;

/// Show where a pipeline is drawn: boxes and lines in terminal cells.
///
/// `--graph` lays out any graph given as {"nodes": [{"id", "label"}], "edges": [{"source", "target"}]} instead of a
/// project, so that the drawing can be compared with other programs'. Nothing of the project is executed.
///
/// Example: mlops-tui layout --direction lr --graph graph.json
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The project: its folder or anything in it [default: the current folder]
    #[arg(conflicts_with = "graph")]
    path: Option<PathBuf>,
    /// The pipeline [default: __default__]
    #[arg(long, value_name = "NAME", conflicts_with = "graph")]
    pipeline: Option<String>,
    /// Run environment
    #[arg(long, value_name = "ENV", conflicts_with = "graph")]
    env: Option<String>,
    /// Which way edges point: tb, top to bottom; lr, left to right
    #[arg(long, value_name = "WAY", value_enum, default_value_t = Way::Tb)]
    direction: Way,
    /// A graph to lay out instead of a project, as JSON; - reads standard input
    #[arg(long, value_name = "FILE")]
    graph: Option<PathBuf>,
    /// How to print it
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Format::Json)]
    format: Format,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Way {
    Tb,
    Lr,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Format {
    Json,
}

/// A vertex as it is printed.
struct Item {
    id: String,
    kind: &'static str,
    label: String,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let (items, edges) = match &arguments.graph {
        Some(file) => read(file)?,
        None => pipeline(arguments)?,
    };
    let boxes = items.len() <= MOST_BOXES;
    let size = |item: &Item| {
        let text = width(&item.label) as i32;
        if boxes && item.kind == "node" { (text + 6, 3) } else { (text + 4, 1) }
    };
    let direction = match arguments.direction {
        Way::Tb => Direction::TopBottom,
        Way::Lr => Direction::LeftRight,
    };
    let sizes = items.iter().map(size).collect();
    let layout = Sketch { direction, sizes, edges, ..Sketch::default() }.layout();
    match arguments.format {
        // In one line: each cell of each edge is in it.
        Format::Json => output::text(&format!("{}\n", to_json(&items, &layout))),
    }
}

type Graphed = (Vec<Item>, Vec<(usize, usize)>);

/// The graph of a project's pipeline.
fn pipeline(arguments: &Arguments) -> Result<Graphed> {
    let root = super::project_root(arguments.path.as_deref())?;
    let options = Options { env: arguments.env.clone(), ..Options::default() };
    let snapshot = Reader::new(&root).read(&options);
    let name = arguments.pipeline.as_deref().unwrap_or("__default__");
    let Some(pipeline) = snapshot.pipeline(name) else {
        bail!("There is no pipeline `{}`; `mlops-tui inspect` lists them.", sanitize(name));
    };
    let graph = Graph::of(pipeline);
    let items = graph.vertices.iter().map(|vertex| {
        let kind = match vertex.kind {
            Kind::Node => "node",
            Kind::Dataset => "dataset",
            Kind::Parameters => "parameters",
            Kind::Namespace => "namespace",
        };
        Item { id: format!("{kind}:{}", vertex.name), kind, label: vertex.name.clone() }
    });
    let items = items.collect();
    Ok((items, Sketch::of(&graph, Direction::default(), |_| (1, 1)).edges))
}

#[derive(Deserialize)]
struct GraphFile {
    nodes: Vec<GraphNode>,
    edges: Vec<GraphEdge>,
}

#[derive(Deserialize)]
struct GraphNode {
    id: String,
    label: Option<String>,
}

#[derive(Deserialize)]
struct GraphEdge {
    source: String,
    target: String,
}

/// The graph of a file.
fn read(file: &PathBuf) -> Result<Graphed> {
    let stdin = file.as_os_str() == "-";
    let name =
        if stdin { "standard input".to_owned() } else { sanitize(&file.display().to_string()) };
    let text = if stdin {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        fs::read_to_string(file)
    };
    let text = text.map_err(|error| {
        eyre!("{name} can't be read: {error}. Give a file of JSON, or - for standard input.")
    })?;
    let graph: GraphFile = serde_json::from_str(&text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let reason = sanitize(&error.to_string());
        let reason = reason.split(" at line ").next().unwrap_or_default().to_owned();
        eyre!(
            "{name}:{line}:{column}: {reason}. \
             Write {{\"nodes\": [{{\"id\": \"a\", \"label\": \"A\"}}, ...], \"edges\": [{{\"source\": \"a\", \"target\": \"b\"}}, ...]}}."
        )
    })?;
    let mut index = HashMap::new();
    for (number, node) in graph.nodes.iter().enumerate() {
        if index.insert(node.id.as_str(), number).is_some() {
            bail!(
                "{name}: two nodes have the id `{}`. Give each node an id of its own.",
                sanitize(&node.id)
            );
        }
    }
    let end = |id: &str, edge: &GraphEdge| {
        index.get(id).copied().ok_or_else(|| {
            eyre!(
                "{name}: the edge from `{}` to `{}` names `{}`, which is no node. Add it to \"nodes\", or correct the edge.",
                sanitize(&edge.source),
                sanitize(&edge.target),
                sanitize(id)
            )
        })
    };
    let edges: Result<Vec<(usize, usize)>> = graph
        .edges
        .iter()
        .map(|edge| Ok((end(&edge.source, edge)?, end(&edge.target, edge)?)))
        .collect();
    let edges = edges?;
    let items = graph.nodes.into_iter().map(|node| {
        let label = node.label.unwrap_or_else(|| node.id.clone());
        Item { id: node.id, kind: "node", label }
    });
    Ok((items.collect(), edges))
}

fn to_json(items: &[Item], layout: &Layout) -> Json {
    let nodes: Vec<Json> = std::iter::zip(items, &layout.boxes)
        .map(|(item, area)| {
            json!({
                "id": item.id, "kind": item.kind, "label": item.label,
                "x": area.x, "y": area.y, "width": area.width, "height": area.height,
            })
        })
        .collect();
    let edges: Vec<Json> = (layout.routes.iter())
        .map(|route| {
            let cells: Vec<[i32; 2]> = route.cells().map(|(x, y)| [x, y]).collect();
            json!({
                "source": items[route.source].id, "target": items[route.target].id, "cells": cells,
            })
        })
        .collect();
    let direction = match layout.direction {
        Direction::TopBottom => "tb",
        Direction::LeftRight => "lr",
    };
    json!({ "direction": direction, "nodes": nodes, "edges": edges })
}
