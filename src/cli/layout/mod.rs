//! `mlops-tui layout`: where a pipeline, or any graph, is drawn.

mod file;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;

use color_eyre::eyre::{Result, bail};

use super::project::ProjectArguments;
use super::{complete, output};
use crate::dag::export::{self, Drawn, Item};
use crate::dag::layout::{Direction, Group, Sketch};
use crate::dag::view::{Choices, Detail, Fold, Limits};
use crate::dag::{Graph, VertexKind, View};
use crate::project::Reader;
use crate::text::{sanitize, width};
use crate::ui::picture::{Label, Picture};

/// Graphs with at most this many vertices are drawn with boxes, larger ones with single lines.
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
    #[command(flatten)]
    project: ProjectArguments,
    /// The pipeline [default: __default__]
    #[arg(long, value_name = "NAME", conflicts_with = "graph", add = complete::pipelines())]
    pipeline: Option<String>,
    /// Namespaces to draw as frames: all, none, or their names separated by commas; the others
    /// are one box each [default: all, or none of a pipeline too large for that]
    #[arg(long, value_name = "NAMES", value_delimiter = ',', conflicts_with = "graph", add = complete::namespaces())]
    expand: Vec<String>,
    /// Which way edges point: tb, top to bottom; lr, left to right
    #[arg(long, value_name = "WAY", value_enum, default_value_t = Way::Tb)]
    direction: Way,
    /// A graph to lay out instead of a project, as JSON; - reads standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["path", "project", "env"])]
    graph: Option<PathBuf>,
    /// The format: json, boxes and the cells of edges; text or svg, the drawing itself; dot or mermaid, the graph
    /// for Graphviz or Mermaid
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
    Dot,
    Mermaid,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let direction = match arguments.direction {
        Way::Tb => Direction::TopBottom,
        Way::Lr => Direction::LeftRight,
    };
    let drawn = match &arguments.graph {
        Some(_) if matches!(arguments.format, Format::Dot | Format::Mermaid) => {
            bail!(
                "A graph in a file is written as json, text or svg; dot and mermaid are for pipelines."
            )
        }
        Some(file) => file::read(file)?,
        None => {
            let view = pipeline(arguments)?;
            match arguments.format {
                Format::Dot => return output::text(&export::dot(&view, direction, |_| None)),
                Format::Mermaid => {
                    return output::text(&export::mermaid(&view, direction, |_| None));
                }
                Format::Json | Format::Text | Format::Svg => Drawn::of(&view, |id| view.label(id)),
            }
        }
    };
    let boxes = drawn.items.len() <= MOST_BOXES;
    let label = |item: &Item| {
        let boxed = boxes && matches!(item.kind, VertexKind::Node | VertexKind::Namespace);
        Label { kind: item.kind, text: sanitize(&item.label), boxed, state: None }
    };
    let labels: Vec<Label> = drawn.items.iter().map(label).collect();
    let titles: Vec<String> =
        drawn.groups.iter().map(|space| format!(" {} ", sanitize(&space.label))).collect();
    let groups = std::iter::zip(&drawn.groups, &titles);
    let groups =
        groups.map(|(space, title)| Group { parent: space.parent, title: width(title) as i32 });
    let sketch = Sketch {
        direction,
        sizes: labels.iter().map(Label::size).collect(),
        edges: drawn.edges.clone(),
        group_of: drawn.group_of.clone(),
        groups: groups.collect(),
        ..Sketch::default()
    };
    if let Some(excess) = sketch.too_large() {
        bail!("{excess}. {SMALLER}");
    }
    let layout = sketch.layout();
    let cells = layout.line_cells();
    if cells > MOST_CELLS {
        bail!(
            "The lines run through {cells} cells, more than are written ({MOST_CELLS}). {SMALLER}"
        );
    }
    match arguments.format {
        // On one line, because it contains each cell of each edge.
        Format::Json => output::json_line(&drawn.to_json(&layout)),
        Format::Text => output::text(&Picture::of(&layout, &labels, &titles).to_text(false)),
        // These formats were written above.
        Format::Svg | Format::Dot | Format::Mermaid => {
            output::text(&Picture::of(&layout, &labels, &titles).to_svg())
        }
    }
}

/// The largest number of cells of lines that is written; more would be hundreds of megabytes.
const MOST_CELLS: u64 = 20_000_000;
/// The hint for a drawing that is too large.
const SMALLER: &str =
    "Collapse namespaces (--expand none), or choose a smaller pipeline (--pipeline).";

/// The displayed part of a project's pipeline.
fn pipeline(arguments: &Arguments) -> Result<View> {
    let root = arguments.project.root()?;
    let snapshot = Reader::new(&root).read(&arguments.project.options());
    let name = arguments.pipeline.as_deref().unwrap_or("__default__");
    let Some(pipeline) = snapshot.pipeline(name) else {
        bail!("There is no pipeline `{}`; `mlops-tui inspect` lists them.", sanitize(name));
    };
    let whole = Graph::of(pipeline);
    Ok(View::of(&whole, &choices(&arguments.expand, &whole)?, |_| true))
}

/// The view of a whole graph in which the namespaces of `--expand`, and those around them, are expanded.
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
