//! The request for a drawing of a pipeline, and making the drawing.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::plot::{Band, LONGEST_NAME, Plot};
use super::zoom::Zoom;
use crate::dag::lanes::Lanes;
use crate::dag::layer::Layers;
use crate::dag::layout::{
    Before, Direction, Effort, Group, Layout, Lines, Sketch, Stand, Stopped, layout,
};
use crate::dag::view::{Choices, Filter, NodeStatus};
use crate::dag::{Graph, Id, VertexKind, View};
use crate::project::{Pipeline, Snapshot};
use crate::text::{sanitize, truncate, width};

/// Graphs with at most this many vertices are drawn as boxes with edges downwards, by default. Larger ones are
/// drawn as single lines with edges to the right, which need far less room.
const MOST_BOXES: usize = 60;
/// Graphs with more vertices than this open as an overview.
const MOST_CHIPS: usize = 1_500;
/// Graphs with at least this many vertices get a quick first layout before the full one.
const QUICK_FIRST: usize = 300;
/// The largest number of lanes of the list; more would leave no room for names.
const MOST_LANES: usize = 12;
/// Terminal rows from which boxes fit.
pub const ROWS_FOR_BOXES: u16 = 30;

/// The description of a drawing.
#[derive(Debug, Clone)]
pub struct Picture {
    /// The project.
    pub snapshot: Arc<Snapshot>,
    /// Name of the pipeline.
    pub pipeline: String,
    /// What of the pipeline is displayed: focus, folds, kinds of vertices.
    pub choices: Choices,
    /// The filter of the displayed vertices.
    pub filter: Filter,
    /// The statuses of nodes by name, if the filter needs them.
    pub states: HashMap<String, NodeStatus>,
    /// The size; `None` chooses by the number of vertices.
    pub zoom: Option<Zoom>,
    /// Whether edges point to the right instead of downwards; `None` chooses by the number of vertices.
    pub sideways: Option<bool>,
    /// Whether the catalog's layers are shown as bands.
    pub layers: bool,
    /// Whether the list with lanes is wanted, too.
    pub lanes: bool,
    /// Rows of the terminal.
    pub rows: u16,
    /// Whether to lay the graph out from scratch instead of keeping the positions of the previous drawing.
    pub anew: bool,
}

impl Picture {
    /// The pipeline.
    pub fn pipeline(&self) -> Option<&Pipeline> {
        self.snapshot.pipeline(&self.pipeline)
    }

    /// Makes the drawing, and passes it to `shown`; a quick first drawing of a large graph is passed before.
    /// `whole` is the graph of the pipeline, `before` the drawing on the screen.
    ///
    /// # Errors
    /// [`Stopped`] soon after `cancel` is set.
    pub fn draw(
        &self,
        whole: &Arc<Graph>,
        before: Option<&Plot>,
        cancel: &AtomicBool,
        mut shown: impl FnMut(Plot),
    ) -> Result<(), Stopped> {
        let passes = match self.filter.is_empty() {
            true => Vec::new(),
            false => {
                let state =
                    |name: &str| self.states.get(name).copied().unwrap_or(NodeStatus::NeverRun);
                self.filter.passes(whole, &self.snapshot.datasets, state)
            }
        };
        let mut view = View::of(whole, &self.choices, |id| passes.get(id).copied().unwrap_or(true));
        let layers = self.layers.then(|| Layers::of(whole, &self.snapshot.datasets));
        if layers.is_some() {
            // Bands cross the whole drawing, so there are no frames around namespaces.
            view.groups.clear();
            view.group_of.fill(None);
        }
        let count = view.graph.vertices.len();
        let zoom = self.zoom.unwrap_or(match count {
            ..=MOST_BOXES if self.rows >= ROWS_FOR_BOXES => Zoom::Boxes,
            ..=MOST_CHIPS => Zoom::Chips,
            _ => Zoom::Overview,
        });
        let boxes = zoom == Zoom::Boxes;
        let sideways = self.sideways.unwrap_or(count > MOST_BOXES);
        let labels = labels(&view);
        let mut sketch = sketch(whole, &view, &labels, boxes, sideways);
        if let Some(layers) = &layers {
            sketch.bands = (0..count).map(|id| layers.shown(&view, id)).collect();
        }
        if let Some(too_large) = sketch.too_large() {
            shown(Plot {
                pipeline: self.pipeline.clone(),
                whole: whole.clone(),
                view: View::of(whole, &self.choices, |_| false),
                zoom,
                too_large: Some(too_large),
                refined: true,
                ..Plot::default()
            });
            return Ok(());
        }
        let plot = |layout: Layout, refined: bool, view: View, labels: Vec<String>| Plot {
            pipeline: self.pipeline.clone(),
            whole: whole.clone(),
            lines: Lines::of(&layout),
            circle: layers.as_ref().map(|layers| layers.cyclic.clone()).unwrap_or_default(),
            bands: layers.as_ref().map(|layers| bands(layers, &view, &layout)).unwrap_or_default(),
            lanes: self.lanes.then(|| Lanes::of(&view.graph, MOST_LANES)),
            view,
            labels,
            layout,
            zoom,
            boxes,
            sideways,
            too_large: None,
            refined,
        };
        let alike = |before: &&Plot| {
            let same = before.pipeline == self.pipeline && before.boxes == boxes;
            same && before.refined && !self.anew
        };
        if let Some(before) = before.filter(alike).filter(|before| before.sideways == sideways) {
            let (vertices, groups) = stands(&view, &before.view);
            let kept = Before { layout: &before.layout, vertices: &vertices, groups: &groups };
            let layout = layout(&sketch, Effort::Full, Some(kept), cancel)?;
            shown(plot(layout, true, view, labels));
            return Ok(());
        }
        if count >= QUICK_FIRST {
            let layout = layout(&sketch, Effort::Quick, None, cancel)?;
            shown(plot(layout, false, view.clone(), labels.clone()));
        }
        let layout = layout(&sketch, Effort::Full, None, cancel)?;
        shown(plot(layout, true, view, labels));
        Ok(())
    }
}

/// The bands of the layers: name, first and last cell in the direction of the edges.
fn bands(layers: &Layers, view: &View, layout: &Layout) -> Vec<Band> {
    let sideways = layout.direction == Direction::LeftRight;
    let extent = |layer: usize| {
        let ids =
            (0..view.graph.vertices.len()).filter(|id| layers.shown(view, *id) == Some(layer));
        let spans = ids.map(|id| {
            let area = layout.boxes[id];
            if sideways { (area.x, area.x + area.width) } else { (area.y, area.y + area.height) }
        });
        spans.reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)))
    };
    let named = layers.names.iter().enumerate();
    named
        .filter_map(|(layer, name)| {
            let (from, to) = extent(layer)?;
            Some(Band { name: name.clone(), from, to })
        })
        .collect()
}

/// The label of each vertex: its name without the namespace whose frame surrounds it.
fn labels(view: &View) -> Vec<String> {
    let ids = 0..view.graph.vertices.len();
    ids.map(|id| truncate(&sanitize(view.label(id)), LONGEST_NAME)).collect()
}

fn sketch(whole: &Graph, view: &View, labels: &[String], boxes: bool, sideways: bool) -> Sketch {
    let size = |id: Id| {
        let label = width(&labels[id]) as i32;
        let hidden = match view.hidden_inputs[id].len() {
            0 => 0,
            count => width(&count.to_string()) as i32 + 2,
        };
        let vertex = &view.graph.vertices[id];
        match vertex.kind {
            VertexKind::Node if boxes => ((label + 6).max(hidden + 6), 3),
            VertexKind::Namespace => {
                let count = width(&Plot::nodes(whole, view, id).to_string()) as i32 + 1;
                if boxes { (label + count + 7, 3) } else { (label + count + 5 + hidden, 1) }
            }
            _ => (label + 4 + hidden, 1),
        }
    };
    let direction = if sideways { Direction::LeftRight } else { Direction::TopBottom };
    let group = |group: &crate::dag::view::Group| Group {
        parent: group.parent,
        title: width(&sanitize(group.short_name())) as i32 + 4,
    };
    Sketch {
        group_of: view.group_of.clone(),
        groups: view.groups.iter().map(group).collect(),
        ..Sketch::of(&view.graph, direction, size)
    }
}

/// For each vertex and group, its counterpart in an earlier view.
fn stands(view: &View, before: &View) -> (Vec<Option<Id>>, Vec<Option<Stand>>) {
    let vertices = view.graph.vertices.iter();
    let vertices = vertices.map(|vertex| before.graph.find(vertex.kind, &vertex.name));
    let groups = view.groups.iter().map(|group| {
        let same = before.groups.iter().position(|other| other.name == group.name);
        let collapsed = || before.graph.find(VertexKind::Namespace, &group.name).map(Stand::Vertex);
        same.map(Stand::Group).or_else(collapsed)
    });
    (vertices.collect(), groups.collect())
}
