//! Export to DOT, the language of Graphviz.

use std::fmt::Write;

use super::{Step, edges, fill, steps};
use crate::dag::layout::Direction;
use crate::dag::view::{NodeStatus, View};
use crate::dag::{Id, VertexKind};
use crate::text::sanitize;

/// The graph in DOT, for `dot -Tsvg`; groups become clusters. Edges on a cycle do not affect the ranks.
pub fn dot(view: &View, direction: Direction, state: impl Fn(Id) -> Option<NodeStatus>) -> String {
    let rankdir = match direction {
        Direction::TopBottom => "TB",
        Direction::LeftRight => "LR",
    };
    let mut out = format!(
        "digraph pipeline {{\n  rankdir={rankdir};\n  charset=\"UTF-8\";\n  \
         node [fontname=\"sans-serif\", style=filled, fillcolor=\"#ffffff\"];\n"
    );
    let mut indent = 2;
    for step in steps(view) {
        match step {
            Step::Open(group) => {
                let label = quoted(view.groups[group].short_name());
                let _ = writeln!(out, "{:indent$}subgraph cluster_{group} {{", "");
                indent += 2;
                let _ = writeln!(out, "{:indent$}label={label};", "");
            }
            Step::Close => {
                indent -= 2;
                let _ = writeln!(out, "{:indent$}}}", "");
            }
            Step::Vertex(id) => {
                let vertex = &view.graph.vertices[id];
                let shape = match vertex.kind {
                    VertexKind::Node => "box",
                    VertexKind::Dataset => "ellipse",
                    VertexKind::Parameters => "hexagon",
                    VertexKind::Namespace => "box3d",
                };
                let (label, name) = (quoted(view.label(id)), quoted(&vertex.name));
                let _ = write!(
                    out,
                    "{:indent$}v{id} [label={label}, tooltip={name}, shape={shape}",
                    ""
                );
                if let Some(state) = state(id) {
                    let (fill, word) = (fill(state), state.as_str());
                    let _ = write!(out, ", fillcolor=\"{fill}\", class=\"{word}\"");
                }
                out.push_str("];\n");
            }
        }
    }
    for (source, target) in edges(&view.graph) {
        let back = if view.on_cycle(source, target) { " [constraint=false]" } else { "" };
        let _ = writeln!(out, "  v{source} -> v{target}{back};");
    }
    out.push_str("}\n");
    out
}

/// A quoted DOT string. Inside a string Graphviz interprets a backslash as an escape, and `&` as the start of
/// a character entity.
fn quoted(text: &str) -> String {
    let text = sanitize(text).replace('&', "&amp;").replace('\\', r"\\").replace('"', "\\\"");
    format!("\"{text}\"")
}
