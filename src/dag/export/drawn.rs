//! Where everything is drawn, as JSON.

use serde_json::{Value as Json, json};

use super::super::layout::{Direction, Layout, Sketch};
use super::super::{Id, Kind, View};

/// A vertex as it is written.
#[derive(Debug, Clone)]
pub struct Item {
    /// What it is told by; no two have the same.
    pub id: String,
    /// What it stands for.
    pub kind: Kind,
    /// What stands on it.
    pub label: String,
}

/// A group as it is written.
#[derive(Debug, Clone)]
pub struct Space {
    /// What it is told by.
    pub id: String,
    /// Its title.
    pub label: String,
    /// Index of the group that it lies in.
    pub parent: Option<usize>,
}

/// What is drawn.
#[derive(Debug, Clone, Default)]
pub struct Drawn {
    /// The vertices.
    pub items: Vec<Item>,
    /// Source and target of each edge.
    pub edges: Vec<(usize, usize)>,
    /// The groups.
    pub groups: Vec<Space>,
    /// The innermost group of each vertex.
    pub group_of: Vec<Option<usize>>,
}

impl Drawn {
    /// A view with what stands on each vertex.
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

    /// Where a layout of it draws everything: `{"direction", "nodes": [{"id", "kind", "label", "x", "y", "width", "height"}],
    /// "edges": [{"source", "target", "cells": [[x, y], ...]}]}`, and where there are groups, `"groups"`. All in cells.
    pub fn to_json(&self, layout: &Layout) -> Json {
        let nodes: Vec<Json> = std::iter::zip(&self.items, &layout.boxes)
            .map(|(item, area)| {
                json!({
                    "id": item.id, "kind": item.kind.as_str(), "label": item.label,
                    "x": area.x, "y": area.y, "width": area.width, "height": area.height,
                })
            })
            .collect();
        let edges: Vec<Json> = (layout.routes.iter())
            .map(|route| {
                let cells: Vec<[i32; 2]> = route.cells().map(|(x, y)| [x, y]).collect();
                let (source, target) = (&self.items[route.source].id, &self.items[route.target].id);
                json!({ "source": source, "target": target, "cells": cells })
            })
            .collect();
        let direction = match layout.direction {
            Direction::TopBottom => "tb",
            Direction::LeftRight => "lr",
        };
        let mut json = json!({ "direction": direction, "nodes": nodes, "edges": edges });
        if !self.groups.is_empty() {
            let frames = std::iter::zip(&self.groups, &layout.frames);
            let groups = frames.filter_map(|(space, frame)| {
                let area = frame.as_ref()?.area;
                let parent = space.parent.map(|parent| self.groups[parent].id.as_str());
                Some(json!({
                    "id": space.id, "label": space.label, "parent": parent,
                    "x": area.x, "y": area.y, "width": area.width, "height": area.height,
                }))
            });
            json["groups"] = groups.collect();
        }
        json
    }
}
