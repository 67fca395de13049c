//! Export of a drawing's coordinates as JSON.

use serde::{Serialize, Serializer};
use serde_json::json;

use super::super::layout::{Direction, Layout, Route, Sketch};
use super::super::{Id, VertexKind, View};

/// A vertex as exported.
#[derive(Debug, Clone)]
pub struct Item {
    /// Unique id, such as `node:clean`.
    pub id: String,
    /// Kind of the vertex.
    pub kind: VertexKind,
    /// Text in its box.
    pub label: String,
}

/// A group as exported.
#[derive(Debug, Clone)]
pub struct Space {
    /// Unique id of the group.
    pub id: String,
    /// Title on the frame.
    pub label: String,
    /// Index of the group that contains it.
    pub parent: Option<usize>,
}

/// The vertices, edges and groups of a drawing.
#[derive(Debug, Clone, Default)]
pub struct Drawn {
    /// The vertices, in the order of the layout.
    pub items: Vec<Item>,
    /// Source and target of each edge, as indices of vertices.
    pub edges: Vec<(usize, usize)>,
    /// The groups, in the order of the layout.
    pub groups: Vec<Space>,
    /// For each vertex, the innermost group that contains it.
    pub group_of: Vec<Option<usize>>,
}

impl Drawn {
    /// The contents of a view; `label` gives the text in each vertex's box.
    pub fn of<'a>(view: &'a View, label: impl Fn(Id) -> &'a str) -> Self {
        let items = view.graph.vertices.iter().enumerate().map(|(id, vertex)| Item {
            id: format!("{}:{}", vertex.kind.as_str(), vertex.name),
            kind: vertex.kind,
            label: label(id).to_owned(),
        });
        let groups = view.groups.iter().map(|group| Space {
            id: group.name.clone(),
            label: group.short_name().to_owned(),
            parent: group.parent,
        });
        Drawn {
            items: items.collect(),
            edges: Sketch::of(&view.graph, Direction::default(), |_| (1, 1)).edges,
            groups: groups.collect(),
            group_of: view.group_of.clone(),
        }
    }

    /// The coordinates of a layout: `{"direction", "nodes": [{"id", "kind", "label", "x", "y", "width",
    /// "height"}], "edges": [{"source", "target", "cells": [[x, y], ...]}]}`, and `"groups"` if there are
    /// any. All lengths are in cells. The JSON is serialized piece by piece: all cells of a large drawing at
    /// once would fill the memory.
    pub fn to_json<'a>(&'a self, layout: &'a Layout) -> impl Serialize + 'a {
        Written {
            direction: match layout.direction {
                Direction::TopBottom => "tb",
                Direction::LeftRight => "lr",
            },
            nodes: Nodes(self, layout),
            edges: Edges(self, layout),
            groups: (!self.groups.is_empty()).then_some(Groups(self, layout)),
        }
    }
}

#[derive(Serialize)]
struct Written<'a> {
    direction: &'static str,
    nodes: Nodes<'a>,
    edges: Edges<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    groups: Option<Groups<'a>>,
}

struct Nodes<'a>(&'a Drawn, &'a Layout);

impl Serialize for Nodes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let nodes = std::iter::zip(&self.0.items, &self.1.boxes);
        serializer.collect_seq(nodes.map(|(item, area)| {
            json!({
                "id": item.id, "kind": item.kind.as_str(), "label": item.label,
                "x": area.x, "y": area.y, "width": area.width, "height": area.height,
            })
        }))
    }
}

struct Edges<'a>(&'a Drawn, &'a Layout);

impl Serialize for Edges<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.1.routes.iter().map(|route| Edge {
            source: &self.0.items[route.source].id,
            target: &self.0.items[route.target].id,
            cells: Cells(route),
        }))
    }
}

#[derive(Serialize)]
struct Edge<'a> {
    source: &'a str,
    target: &'a str,
    cells: Cells<'a>,
}

struct Cells<'a>(&'a Route);

impl Serialize for Cells<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.cells().map(|(x, y)| [x, y]))
    }
}

struct Groups<'a>(&'a Drawn, &'a Layout);

impl Serialize for Groups<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let frames = std::iter::zip(&self.0.groups, &self.1.frames);
        serializer.collect_seq(frames.filter_map(|(space, frame)| {
            let area = frame.as_ref()?.area;
            let parent = space.parent.map(|parent| self.0.groups[parent].id.as_str());
            Some(json!({
                "id": space.id, "label": space.label, "parent": parent,
                "x": area.x, "y": area.y, "width": area.width, "height": area.height,
            }))
        }))
    }
}
