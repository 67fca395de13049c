//! Finding a vertex by name, tag, function or file in the whole graph, including hidden vertices.

use super::go::jump_to;
use super::screen::{PipelineScreen, Spot};
use crate::app::dialog::{Choose, Dialog, picker_height};
use crate::app::picker::{Choice, Picker, text};
use crate::app::shared::Shared;
use crate::dag::{Vertex, VertexKind};

/// Opens the list of all vertices, in the order of the whole graph.
pub(in crate::app) fn begin(screen: &mut PipelineScreen, shared: &mut Shared) {
    let picker = Picker::new(choices(screen, shared), 0, picker_height(shared.size));
    shared.dialogs.push(Dialog::Choose(Choose::Vertex, picker));
}

fn choices(screen: &PipelineScreen, shared: &Shared) -> Vec<Choice> {
    let vertices = &screen.plot.whole.vertices;
    vertices.iter().map(|vertex| choice(shared, vertex)).collect()
}

/// Updates the open list after a drawing arrived, which may be of another graph.
pub(super) fn refresh(screen: &mut PipelineScreen, shared: &mut Shared) {
    let open = |dialog: &Dialog| matches!(dialog, Dialog::Choose(Choose::Vertex, _));
    if !shared.dialogs.last().is_some_and(open) {
        return;
    }
    let choices = choices(screen, shared);
    if let Some(Dialog::Choose(Choose::Vertex, picker)) = shared.dialogs.last_mut() {
        picker.choices = choices;
        picker.refresh();
    }
}

fn choice(shared: &Shared, vertex: &Vertex) -> Choice {
    let snapshot = shared.project.snapshot.as_deref();
    let (kind, detail) = match (vertex.kind, &vertex.node) {
        (VertexKind::Node | VertexKind::Namespace, None) => ("node", String::new()),
        (_, Some(node)) => {
            let mut parts = vec![format!("{}()", node.func_name)];
            parts.extend(node.tags.iter().map(|tag| format!("#{tag}")));
            parts.extend(node.source.iter().map(|range| range.filepath.clone()));
            ("node", parts.join(" "))
        }
        (VertexKind::Dataset, None) => {
            let dataset = snapshot.and_then(|snapshot| snapshot.datasets.get(&vertex.name));
            ("data", dataset.map(|dataset| dataset.type_name.clone()).unwrap_or_default())
        }
        (VertexKind::Parameters, None) => ("params", String::new()),
    };
    Choice { name: vertex.name.clone(), detail, keys: kind.into(), disabled: None }
}

/// Goes to the chosen vertex. The other matches are kept for `find-next`.
pub(in crate::app) fn found(screen: &mut PipelineScreen, shared: &mut Shared, picker: &Picker) {
    let vertices = &screen.plot.whole.vertices;
    let spot =
        |index: &usize| vertices.get(*index).map(|vertex| (vertex.kind, vertex.name.clone()));
    let query = text(&picker.query);
    let found = match query.trim().is_empty() {
        true => Vec::new(),
        false => picker.matches.iter().filter_map(spot).collect(),
    };
    let chosen = picker.chosen().as_ref().and_then(spot);
    shared.search = query;
    screen.found = found;
    if let Some(spot) = chosen {
        jump_to(screen, shared, spot);
    }
}

/// Goes to the next match of the last search, or with -1 to the previous one.
pub(in crate::app) fn next(screen: &mut PipelineScreen, shared: &mut Shared, by: i32) {
    let found = &screen.found;
    let same = |spot: &Spot| screen.selected.as_ref() == Some(spot);
    let next = match (found.iter().position(same), by) {
        (None, _) => 0,
        (Some(at), 1) => at + 1,
        (Some(at), _) => at + found.len() - 1,
    };
    match found.get(next.checked_rem(found.len()).unwrap_or(0)).cloned() {
        Some(spot) => jump_to(screen, shared, spot),
        None => shared.warn(format!("nothing matches `{}`", shared.search)),
    }
}
