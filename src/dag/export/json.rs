//! The displayed graph as data.

use serde_json::{Map, Value as Json, json};

use super::edges;
use crate::dag::Id;
use crate::dag::view::{State, View};

/// The graph as `{"nodes": [{"id", "kind", "name", "label", "group", "members", "hidden_inputs", "state"}], "edges":
/// [{"source", "target", "cycle"}], "groups": [{"id", "label", "parent"}]}`. A vertex's `id` is its kind and name, a
/// group's the namespace; `members` counts what a vertex stands for, `hidden_inputs` what it reads that is not displayed.
/// `state` is there where it is known, `cycle` where it is true.
pub fn json(view: &View, state: impl Fn(Id) -> Option<State>) -> Json {
    let vertices = &view.graph.vertices;
    let id_of = |id: Id| format!("{}:{}", vertices[id].kind.as_str(), vertices[id].name);
    let group = |group: Option<usize>| group.map(|group| view.groups[group].name.as_str());
    let node = |id: Id| {
        let mut node = json!({
            "id": id_of(id),
            "kind": vertices[id].kind.as_str(),
            "name": vertices[id].name,
            "label": view.label(id),
            "group": group(view.group_of[id]),
            "members": view.members[id].len(),
            "hidden_inputs": view.hidden_inputs[id].len(),
        });
        if let Some(state) = state(id) {
            node["state"] = state.as_str().into();
        }
        node
    };
    let edge = |(source, target)| {
        let ends = [("source", id_of(source).into()), ("target", id_of(target).into())];
        let cycle = view.on_cycle(source, target).then(|| ("cycle", Json::from(true)));
        let pairs = ends.into_iter().chain(cycle).map(|(key, value)| (key.to_owned(), value));
        Json::Object(pairs.collect::<Map<_, _>>())
    };
    let space = |it: &crate::dag::view::Group| json!({ "id": it.name, "label": it.short_name(), "parent": group(it.parent) });
    json!({
        "nodes": (0..vertices.len()).map(node).collect::<Vec<_>>(),
        "edges": edges(&view.graph).map(edge).collect::<Vec<_>>(),
        "groups": view.groups.iter().map(space).collect::<Vec<_>>(),
    })
}
