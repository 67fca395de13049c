//! `mlops-tui layout`: where a pipeline, or any graph, is drawn.

mod file;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;

use color_eyre::eyre::{Result, bail};
use serde_json::{Value as Json, json};

use super::output;
use crate::dag::layout::{Direction, Group, Sketch};
use crate::dag::view::{Choices, Detail, Fold, Limits};
use crate::dag::{Graph, Kind, Layout, View};
use crate::project::{Options, Reader};
use crate::text::{sanitize, width};
use crate::ui::picture::{Label, Picture};

/// Vertices up to which nodes get boxes; beyond, everything takes one row.
const MOST_BOXES: usize = 60;

/// Show where a pipeline is drawn: boxes and lines in terminal cells.
///
/// `--graph` lays out any graph given as {"nodes": [{"id", "label"}], "edges": [{"source", "target"}]} instead of a
/// project, so that the drawing can be compared with other programs'. Nothing of the project is executed.
///
/// Examples: mlops-tui layout --format text
///           mlops-tui layout --expand data_processing --format svg > pipeline.svg
///           mlops-tui layout --direction lr --graph graph.json
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
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
    /// Namespaces to draw as frames around what they hold: all, none, or their names with commas between; the others
    /// are one box each [default: all, or none of a pipeline too large for that]
    #[arg(long, value_name = "NAMES", value_delimiter = ',', conflicts_with = "graph")]
    expand: Vec<String>,
    /// Which way edges point: tb, top to bottom; lr, left to right
    #[arg(long, value_name = "WAY", value_enum, default_value_t = Way::Tb)]
    direction: Way,
    /// A graph to lay out instead of a project, as JSON; - reads standard input
    #[arg(long, value_name = "FILE")]
    graph: Option<PathBuf>,
    /// How to print it: json, boxes and the cells of edges; text or svg, the drawing itself
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
    Text,
    Svg,
}

/// A vertex as it is printed.
struct Item {
    id: String,
    kind: Kind,
    label: String,
}

/// A group as it is printed.
struct Space {
    id: String,
    label: String,
    parent: Option<usize>,
}

/// What is to be drawn.
#[derive(Default)]
struct Drawn {
    items: Vec<Item>,
    edges: Vec<(usize, usize)>,
    groups: Vec<Space>,
    group_of: Vec<Option<usize>>,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let drawn = match &arguments.graph {
        Some(file) => file::read(file)?,
        None => pipeline(arguments)?,
    };
    let boxes = drawn.items.len() <= MOST_BOXES;
    let label = |item: &Item| {
        let boxed = boxes && matches!(item.kind, Kind::Node | Kind::Namespace);
        Label { kind: item.kind, text: sanitize(&item.label), boxed }
    };
    let labels: Vec<Label> = drawn.items.iter().map(label).collect();
    let titles: Vec<String> =
        drawn.groups.iter().map(|space| format!(" {} ", sanitize(&space.label))).collect();
    let groups = std::iter::zip(&drawn.groups, &titles);
    let groups =
        groups.map(|(space, title)| Group { parent: space.parent, title: width(title) as i32 });
    let sketch = Sketch {
        direction: match arguments.direction {
            Way::Tb => Direction::TopBottom,
            Way::Lr => Direction::LeftRight,
        },
        sizes: labels.iter().map(Label::size).collect(),
        edges: drawn.edges.clone(),
        group_of: drawn.group_of.clone(),
        groups: groups.collect(),
    };
    let layout = sketch.layout();
    match arguments.format {
        // In one line: each cell of each edge is in it.
        Format::Json => output::text(&format!("{}\n", to_json(&drawn, &layout))),
        Format::Text => output::text(&Picture::of(&layout, &labels, &titles).to_text(false)),
        Format::Svg => output::text(&Picture::of(&layout, &labels, &titles).to_svg()),
    }
}

/// What is displayed of a project's pipeline.
fn pipeline(arguments: &Arguments) -> Result<Drawn> {
    let root = super::project_root(arguments.path.as_deref())?;
    let options = Options { env: arguments.env.clone(), ..Options::default() };
    let snapshot = Reader::new(&root).read(&options);
    let name = arguments.pipeline.as_deref().unwrap_or("__default__");
    let Some(pipeline) = snapshot.pipeline(name) else {
        bail!("There is no pipeline `{}`; `mlops-tui inspect` lists them.", sanitize(name));
    };
    let whole = Graph::of(pipeline);
    let view = View::of(&whole, &choices(&arguments.expand, &whole)?, |_| true);
    let group_name = |group: Option<usize>| group.map(|group| view.groups[group].name.as_str());
    let items = std::iter::zip(&view.graph.vertices, &view.group_of).map(|(vertex, group)| {
        // The frame around it says where it lies.
        let short = group_name(*group).and_then(|group| vertex.name.strip_prefix(group));
        let short = short.and_then(|name| name.strip_prefix('.'));
        let label = short.unwrap_or(&vertex.name).to_owned();
        Item { id: format!("{}:{}", kind_name(vertex.kind), vertex.name), kind: vertex.kind, label }
    });
    let groups = view.groups.iter().map(|group| Space {
        id: group.name.clone(),
        label: group.short_name().to_owned(),
        parent: group.parent,
    });
    Ok(Drawn {
        items: items.collect(),
        edges: Sketch::of(&view.graph, Direction::default(), |_| (1, 1)).edges,
        groups: groups.collect(),
        group_of: view.group_of.clone(),
    })
}

/// Everything of a graph, with the namespaces that `--expand` names expanded, and those around them.
fn choices(expand: &[String], graph: &Graph) -> Result<Choices> {
    let mut choices = Choices { detail: Detail::All, ..Choices::default() };
    choices.limits.with_hubs = usize::MAX;
    let expanded = match expand {
        [] => return Ok(choices),
        [all] if all == "all" => usize::MAX,
        _ => 0,
    };
    choices.limits = Limits { expanded, ..choices.limits };
    if matches!(expand, [word] if word == "all" || word == "none") {
        return Ok(choices);
    }
    let around = |name: &str| {
        let ends: Vec<usize> =
            name.match_indices('.').map(|(at, _)| at).chain([name.len()]).collect();
        ends.into_iter().map(|end| name[..end].to_owned()).collect::<Vec<_>>()
    };
    let spaces: BTreeSet<String> =
        graph.vertices.iter().filter_map(|vertex| vertex.namespace()).flat_map(around).collect();
    for name in expand {
        if !spaces.contains(name) {
            let known: Vec<String> = spaces.iter().map(|name| sanitize(name)).collect();
            let hint = match known.as_slice() {
                [] => "This pipeline has none; leave --expand out.".to_owned(),
                _ => format!("There are: {}.", known.join(", ")),
            };
            bail!("There is no namespace `{}`. {hint}", sanitize(name));
        }
        choices.folds.extend(around(name).into_iter().map(|name| (name, Fold::Expanded)));
    }
    Ok(choices)
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Node => "node",
        Kind::Dataset => "dataset",
        Kind::Parameters => "parameters",
        Kind::Namespace => "namespace",
    }
}

fn to_json(drawn: &Drawn, layout: &Layout) -> Json {
    let nodes: Vec<Json> = std::iter::zip(&drawn.items, &layout.boxes)
        .map(|(item, area)| {
            json!({
                "id": item.id, "kind": kind_name(item.kind), "label": item.label,
                "x": area.x, "y": area.y, "width": area.width, "height": area.height,
            })
        })
        .collect();
    let edges: Vec<Json> = (layout.routes.iter())
        .map(|route| {
            let cells: Vec<[i32; 2]> = route.cells().map(|(x, y)| [x, y]).collect();
            let (source, target) = (&drawn.items[route.source].id, &drawn.items[route.target].id);
            json!({ "source": source, "target": target, "cells": cells })
        })
        .collect();
    let direction = match layout.direction {
        Direction::TopBottom => "tb",
        Direction::LeftRight => "lr",
    };
    let mut json = json!({ "direction": direction, "nodes": nodes, "edges": edges });
    if !drawn.groups.is_empty() {
        let frames = std::iter::zip(&drawn.groups, &layout.frames);
        let groups = frames.filter_map(|(space, frame)| {
            let area = frame.as_ref()?.area;
            let parent = space.parent.map(|parent| drawn.groups[parent].id.as_str());
            Some(json!({
                "id": space.id, "label": space.label, "parent": parent,
                "x": area.x, "y": area.y, "width": area.width, "height": area.height,
            }))
        });
        json["groups"] = groups.collect();
    }
    json
}
