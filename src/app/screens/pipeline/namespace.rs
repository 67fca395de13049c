//! The details of a collapsed namespace: the statuses of its nodes, and its inputs and outputs.

use super::plot::Plot;
use super::screen::PipelineScreen;
use crate::app::words::{Details, Line, Tone};
use crate::dag::view::{self, Sum};
use crate::dag::{Id, VertexKind};

pub(super) fn of_namespace(screen: &PipelineScreen, name: &str) -> Details {
    let plot = &screen.plot;
    let Some(id) = plot.view.graph.find(VertexKind::Namespace, name) else {
        return Details::default();
    };
    let mut lines = vec![Line::Title(name.to_owned())];
    let count = Plot::nodes(&plot.whole, &plot.view, id);
    let s = if count == 1 { "" } else { "s" };
    lines.push(Line::Field("has", format!("{count} node{s}"), Tone::Plain));
    let nodes: Vec<Id> = plot.view.members[id]
        .iter()
        .copied()
        .filter(|member| plot.whole.vertices[*member].kind == VertexKind::Node)
        .collect();
    let state_of = |id: Id| screen.states.get(id).copied().flatten();
    let sum: Sum = nodes.iter().filter_map(|id| state_of(*id)).collect();
    for (index, (state, count)) in sum.counts().enumerate() {
        let label = if index == 0 { "are" } else { "" };
        lines.push(Line::Field(label, format!("{count} {}", state.as_str()), tone(state)));
    }
    let graph = &plot.view.graph;
    for (label, ids) in [("in", &graph.parents[id]), ("out", &graph.children[id])] {
        for (index, id) in ids.iter().enumerate() {
            let label = if index == 0 { label } else { "" };
            lines.push(Line::Field(label, graph.vertices[*id].name.clone(), Tone::Plain));
        }
    }
    lines.push(Line::Blank);
    for node in nodes {
        let node_state = state_of(node);
        let tone = node_state.map_or(Tone::Plain, tone);
        let vertex = &plot.whole.vertices[node].name;
        let inner = vertex.strip_prefix(name).and_then(|rest| rest.strip_prefix('.'));
        let word = node_state.map_or("", view::NodeStatus::as_str);
        lines.push(Line::Text(format!("{}  {word}", inner.unwrap_or(vertex)), tone));
    }
    Details { lines, place: None, name: name.to_owned() }
}

fn tone(state: view::NodeStatus) -> Tone {
    match state {
        view::NodeStatus::Fresh | view::NodeStatus::Done => Tone::Good,
        view::NodeStatus::Stale | view::NodeStatus::Stopped => Tone::Warning,
        view::NodeStatus::Running => Tone::Busy,
        view::NodeStatus::Failed => Tone::Bad,
        view::NodeStatus::NeverRun
        | view::NodeStatus::Unknown
        | view::NodeStatus::StaleThrough
        | view::NodeStatus::Waiting => Tone::Dim,
    }
}
