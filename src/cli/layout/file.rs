//! A graph in a file of JSON: `{"nodes": [{"id", "label"}], "edges": [{"source", "target"}]}`.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::{fs, io};

use color_eyre::eyre::{Report, Result, eyre};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::dag::VertexKind;
use crate::dag::export::{Drawn, Item};
use crate::system::say;
use crate::text::sanitize;

const SHAPE: &str = "{\"nodes\": [{\"id\": \"a\", \"label\": \"A\"}, ...], \"edges\": [{\"source\": \"a\", \"target\": \"b\"}, ...]}";

#[derive(Deserialize)]
struct File<'a> {
    #[serde(borrow)]
    nodes: Vec<&'a RawValue>,
    #[serde(borrow)]
    edges: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    label: Option<String>,
}

#[derive(Deserialize)]
struct Edge {
    source: String,
    target: String,
}

/// The text of a file, and its name in messages.
struct Text<'a> {
    name: &'a str,
    text: &'a str,
}

/// Reads the graph of a file, or of standard input for `-`. Prints on standard error which edges are not drawn.
pub(super) fn read(file: &Path) -> Result<Drawn> {
    let stdin = file.as_os_str() == "-";
    let name =
        if stdin { "standard input".to_owned() } else { sanitize(&file.display().to_string()) };
    let text = if stdin { io::read_to_string(io::stdin()) } else { fs::read_to_string(file) };
    let text = text.map_err(|error| {
        eyre!("{name} can't be read: {error}. Give a file of JSON, or - for standard input.")
    })?;
    let (drawn, notes) = Text { name: &name, text: &text }.graph()?;
    for note in notes {
        say::complain(&note.to_string());
    }
    Ok(drawn)
}

impl Text<'_> {
    fn graph(&self) -> Result<(Drawn, Vec<String>)> {
        let Text { name, text } = *self;
        let file: File = serde_json::from_str(text).map_err(|error| self.unfit(&error, None))?;
        let mut notes = Vec::new();
        if file.nodes.is_empty() {
            notes.push(format!("{name}: the graph has no nodes, so there is nothing to draw."));
        }
        let mut drawn = Drawn::default();
        let mut index: HashMap<String, (usize, usize)> = HashMap::new();
        for raw in file.nodes {
            let node: Node =
                serde_json::from_str(raw.get()).map_err(|error| self.unfit(&error, Some(raw)))?;
            let (line, _) = self.place(raw);
            if let Some((_, first)) = index.get(&node.id) {
                return Err(eyre!(
                    "{name}:{line}: two nodes have the id `{}`, the first in line {first}. \
                     Give each node an id of its own.",
                    sanitize(&node.id)
                ));
            }
            index.insert(node.id.clone(), (drawn.items.len(), line));
            let label = node.label.unwrap_or_else(|| node.id.clone());
            drawn.items.push(Item { id: node.id, kind: VertexKind::Node, label });
        }
        let (mut loops, mut again) = (Vec::new(), Vec::new());
        let mut seen = HashSet::new();
        for raw in file.edges {
            let edge: Edge =
                serde_json::from_str(raw.get()).map_err(|error| self.unfit(&error, Some(raw)))?;
            let (line, _) = self.place(raw);
            let end = |id: &str| {
                index.get(id).map(|(at, _)| *at).ok_or_else(|| {
                    eyre!(
                        "{name}:{line}: the edge from `{}` to `{}` names `{}`, which is no node. \
                         Add it to \"nodes\", or correct the edge.",
                        sanitize(&edge.source),
                        sanitize(&edge.target),
                        sanitize(id)
                    )
                })
            };
            let ends = (end(&edge.source)?, end(&edge.target)?);
            if ends.0 == ends.1 {
                loops.push(line);
            } else if !seen.insert(ends) {
                again.push(line);
            } else {
                drawn.edges.push(ends);
            }
        }
        for (lines, what) in [
            (loops, "leads from a node to itself and is not drawn"),
            (again, "is there twice and is drawn once"),
        ] {
            match lines.as_slice() {
                [] => {}
                [line] => notes.push(format!("{name}:{line}: this edge {what}.")),
                [line, more @ ..] => {
                    let more = more.len();
                    notes.push(format!("{name}:{line}: this edge {what}, as are {more} more."));
                }
            }
        }
        Ok((drawn, notes))
    }

    /// Line and column of a part of the text, from 1.
    fn place(&self, part: &RawValue) -> (usize, usize) {
        // A part is a slice of the text.
        let offset = part.get().as_ptr() as usize - self.text.as_ptr() as usize;
        let before = &self.text[..offset];
        let column = before.len() - before.rfind('\n').map_or(0, |at| at + 1) + 1;
        (1 + before.matches('\n').count(), column)
    }

    /// The error of the text, or of a part of it.
    fn unfit(&self, error: &serde_json::Error, part: Option<&RawValue>) -> Report {
        let (line, column) = match part.map(|part| self.place(part)) {
            None => (error.line(), error.column()),
            Some((line, column)) if error.line() == 1 => (line, column + error.column() - 1),
            Some((line, _)) => (line + error.line() - 1, error.column()),
        };
        let reason = sanitize(&error.to_string());
        let reason = reason.split(" at line ").next().unwrap_or_default();
        eyre!("{}:{line}:{column}: {reason}. Write {SHAPE}.", self.name)
    }
}
