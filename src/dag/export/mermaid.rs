//! Export to Mermaid.

use std::fmt::Write;

use super::{Step, edges, fill, steps};
use crate::dag::layout::Direction;
use crate::dag::view::{NodeStatus, View};
use crate::dag::{Id, VertexKind};
use crate::text::sanitize;

/// The graph as a Mermaid flowchart for Markdown pages; groups become subgraphs. Mermaid limits diagrams to
/// 500 edges and 50,000 characters by default, and only the page can raise the limits.
pub fn mermaid(
    view: &View,
    direction: Direction,
    state: impl Fn(Id) -> Option<NodeStatus>,
) -> String {
    let way = match direction {
        Direction::TopBottom => "TD",
        Direction::LeftRight => "LR",
    };
    let mut out = format!("flowchart {way}\n");
    let mut indent = 2;
    for step in steps(view) {
        match step {
            Step::Open(group) => {
                let label = escaped(view.groups[group].short_name());
                let _ = writeln!(out, "{:indent$}subgraph g{group}[\"{label}\"]", "");
                indent += 2;
            }
            Step::Close => {
                indent -= 2;
                let _ = writeln!(out, "{:indent$}end", "");
            }
            Step::Vertex(id) => {
                let (open, close) = match view.graph.vertices[id].kind {
                    VertexKind::Node => ("[", "]"),
                    VertexKind::Dataset => ("([", "])"),
                    VertexKind::Parameters => ("{{", "}}"),
                    VertexKind::Namespace => ("[[", "]]"),
                };
                let label = escaped(view.label(id));
                let _ = writeln!(out, "{:indent$}v{id}{open}\"{label}\"{close}", "");
            }
        }
    }
    for (source, target) in edges(&view.graph) {
        let _ = writeln!(out, "  v{source} --> v{target}");
    }
    let states: Vec<Option<NodeStatus>> = (0..view.graph.vertices.len()).map(state).collect();
    for one in NodeStatus::ALL {
        let ids = states.iter().enumerate().filter(|(_, state)| **state == Some(one));
        let ids: Vec<String> = ids.map(|(id, _)| format!("v{id}")).collect();
        if !ids.is_empty() {
            let (word, fill) = (one.as_str(), fill(one));
            let _ = writeln!(out, "  classDef {word} fill:{fill},color:#222222");
            let _ = writeln!(out, "  class {} {word}", ids.join(","));
        }
    }
    out
}

/// Escapes a text for double quotes. All characters that Mermaid could interpret as its own syntax, HTML or
/// Markdown become numeric entities, which Mermaid writes as `#35;`.
fn escaped(text: &str) -> String {
    let text = sanitize(text);
    let chars: Vec<char> = text.chars().collect();
    let is_word = |at: usize| chars.get(at).is_some_and(|c| c.is_alphanumeric());
    // At the beginning, `1. text` and `- text` would become lists.
    let digits = chars.iter().take_while(|c| c.is_ascii_digit()).count();
    let mut out = String::new();
    for (at, c) in chars.iter().copied().enumerate() {
        let plain = match c {
            '-' | '.' | ')' | '+' => at != 0 && at != digits,
            // An underscore at the edge of a word would be emphasis.
            '_' => at > 0 && is_word(at - 1) && is_word(at + 1),
            ' ' | ':' | ',' | '(' | '/' | '=' | '@' | '?' => true,
            c => !c.is_ascii() || c.is_ascii_alphanumeric(),
        };
        match plain {
            true => out.push(c),
            false => {
                let _ = write!(out, "#{};", u32::from(c));
            }
        }
    }
    // Mermaid rejects an empty label.
    if out.is_empty() { "#32;".to_owned() } else { out }
}
