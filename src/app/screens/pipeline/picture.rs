//! The request for a drawing of a pipeline, and making the drawing.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use ratatui::layout::Size;

use super::fit;
use super::plot::{Band, Fitted, LONGEST_NAME, Plot};
use super::zoom::Zoom;
use crate::dag::lanes::Lanes;
use crate::dag::layer::Layers;
use crate::dag::layout::{
    Before, Direction, Effort, Group, Layout, Lines, Sketch, Stand, Stopped, layout,
};
use crate::dag::view::Choices;
use crate::dag::view::filter::{NodeFacts, passes};
use crate::dag::{Graph, Id, VertexKind, View};
use crate::project::{Pipeline, Snapshot};
use crate::text::filter::Filter;
use crate::text::{sanitize, truncate_middle, width};

/// The edges of graphs with at most this many vertices point downwards, by default. Those of larger ones point to the
/// right, which needs far less room.
const FEW: usize = 60;
/// Graphs with at least this many vertices get a quick first layout before the full one.
const QUICK_FIRST: usize = 300;
/// The largest number of lanes of the list; more would leave no room for names.
const MOST_LANES: usize = 12;

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
    /// What is known of nodes by name, if the filter needs it.
    pub facts: HashMap<String, NodeFacts>,
    /// The columns and rows of the window, if the drawing is to be chosen so that all of the graph fits them. The size
    /// and the direction below are then chosen, too, as are the expanded namespaces and, if need be, the kinds of
    /// vertices.
    pub fit: Option<Size>,
    /// The size; `None` is the overview.
    pub zoom: Option<Zoom>,
    /// Whether edges point to the right instead of downwards; `None` chooses by the number of vertices.
    pub sideways: Option<bool>,
    /// Whether the catalog's layers are shown as bands.
    pub layers: bool,
    /// Whether the list with lanes is wanted, too.
    pub lanes: bool,
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
            false => passes(&self.filter, whole, &self.snapshot.datasets, &self.facts),
        };
        if let Some(room) = self.fit
            && let Some(plot) = self.fitted(whole, &passes, room, cancel)?
        {
            shown(plot);
            return Ok(());
        }
        let draft = match (self.zoom, self.fit) {
            (Some(zoom), None) => self.draft(whole, &passes, &self.choices, zoom, self.sideways),
            _ => self.draft(whole, &passes, &self.choices, Zoom::Overview, None),
        };
        if let Some(too_large) = draft.sketch.too_large() {
            shown(Plot {
                pipeline: self.pipeline.clone(),
                whole: whole.clone(),
                view: View::of(whole, &self.choices, |_| false),
                zoom: draft.zoom,
                too_large: Some(too_large),
                refined: true,
                ..Plot::default()
            });
            return Ok(());
        }
        let alike = |before: &&Plot| {
            let same = before.pipeline == self.pipeline && before.boxes == draft.boxes();
            same && before.refined && !self.anew && before.sideways == draft.sideways
        };
        if let Some(before) = before.filter(alike) {
            let (vertices, groups) = stands(&draft.view, &before.view);
            let kept = Before { layout: &before.layout, vertices: &vertices, groups: &groups };
            let layout = layout(&draft.sketch, Effort::Full, Some(kept), cancel)?;
            shown(self.plot(whole, draft, layout, true));
            return Ok(());
        }
        if draft.count() >= QUICK_FIRST {
            let layout = layout(&draft.sketch, Effort::Quick, None, cancel)?;
            shown(self.plot(whole, draft.clone(), layout, false));
        }
        let layout = layout(&draft.sketch, Effort::Full, None, cancel)?;
        shown(self.plot(whole, draft, layout, true));
        Ok(())
    }

    /// The first drawing that fits `room` and uses its columns, else the first list, else a narrow drawing; `None` if only
    /// the overview fits.
    fn fitted(
        &self,
        whole: &Arc<Graph>,
        passes: &[bool],
        room: Size,
        cancel: &AtomicBool,
    ) -> Result<Option<Plot>, Stopped> {
        let nodes = whole.vertices.iter().filter(|vertex| vertex.kind == VertexKind::Node).count();
        let is_whole = self.filter.is_empty() && self.choices.focus.is_none();
        let hopeless = |choices: &Choices| {
            is_whole && choices.limits.expanded > 0 && nodes > fit::MOST_VERTICES
        };
        let mut poor = None;
        for (choices, zoom) in fit::candidates(&self.choices) {
            if hopeless(&choices) {
                continue;
            }
            let plain = self.draft(whole, passes, &choices, zoom, Some(false));
            let mut best: Option<(Draft, Layout)> = None;
            for sideways in [false, true] {
                if self.sideways.is_some_and(|chosen| chosen != sideways)
                    || !fit::may_fit(&plain.sketch, &plain.view.graph, sideways, room)
                {
                    continue;
                }
                let draft = plain.turned(sideways);
                let layout = layout(&draft.sketch, Effort::Full, None, cancel)?;
                let is_better = best.as_ref().is_none_or(|(_, best)| {
                    fit::is_narrow(best.width, room) && layout.width > best.width
                });
                if fit::fits((layout.width, layout.height), room) && is_better {
                    best = Some((draft, layout));
                }
            }
            let Some((draft, layout)) = best else { continue };
            // A few collapsed namespaces in a corner say less than a list of nodes, but more than an overview.
            let is_poor = choices.limits.expanded == 0 && fit::is_narrow(layout.width, room);
            let plot = self.plot(whole, draft, layout, true);
            let plot = Plot { fitted: Some(Fitted { choices, lanes: false }), ..plot };
            if !is_poor {
                return Ok(Some(plot));
            }
            poor.get_or_insert(plot);
        }
        for choices in fit::lists(&self.choices) {
            let is_worse = choices.limits.expanded == 0 && poor.is_some();
            if hopeless(&choices) || is_worse {
                continue;
            }
            let draft = self.draft(whole, passes, &choices, Zoom::Chips, self.sideways);
            if draft.count() <= usize::from(room.height) {
                let lanes = Some(Lanes::of(&draft.view.graph, MOST_LANES));
                let layout = layout(&draft.sketch, Effort::Full, None, cancel)?;
                let plot = self.plot(whole, draft, layout, true);
                let (names, fitted) = (names(&plot.view), Some(Fitted { choices, lanes: true }));
                return Ok(Some(Plot { lanes, names, fitted, ..plot }));
            }
        }
        Ok(poor)
    }

    /// All of a drawing but its layout. Edges point to the right if `sideways` says so, else if the graph is large.
    fn draft(
        &self,
        whole: &Graph,
        passes: &[bool],
        choices: &Choices,
        zoom: Zoom,
        sideways: Option<bool>,
    ) -> Draft {
        let mut view = View::of(whole, choices, |id| passes.get(id).copied().unwrap_or(true));
        let layers = self.layers.then(|| Layers::of(whole, &self.snapshot.datasets));
        if layers.is_some() {
            // Bands cross the whole drawing, so there are no frames around namespaces.
            view.groups.clear();
            view.group_of.fill(None);
        }
        let count = view.graph.vertices.len();
        let sideways = sideways.unwrap_or(count > FEW);
        let labels = labels(&view);
        let mut sketch = sketch(whole, &view, &labels, zoom == Zoom::Boxes, sideways);
        if let Some(layers) = &layers {
            sketch.bands = (0..count).map(|id| layers.shown(&view, id)).collect();
        }
        Draft { view, labels, sketch, layers, zoom, sideways }
    }

    fn plot(&self, whole: &Arc<Graph>, draft: Draft, layout: Layout, refined: bool) -> Plot {
        let boxes = draft.boxes();
        let Draft { view, labels, layers, zoom, sideways, .. } = draft;
        Plot {
            pipeline: self.pipeline.clone(),
            whole: whole.clone(),
            lines: Lines::of(&layout),
            circle: layers.as_ref().map(|layers| layers.cyclic.clone()).unwrap_or_default(),
            bands: layers.as_ref().map(|layers| bands(layers, &view, &layout)).unwrap_or_default(),
            lanes: self.lanes.then(|| Lanes::of(&view.graph, MOST_LANES)),
            names: if self.lanes { names(&view) } else { Vec::new() },
            view,
            labels,
            layout,
            zoom,
            boxes,
            sideways,
            too_large: None,
            fitted: None,
            refined,
        }
    }
}

/// A drawing without its layout.
#[derive(Clone)]
struct Draft {
    view: View,
    labels: Vec<String>,
    sketch: Sketch,
    layers: Option<Layers>,
    zoom: Zoom,
    sideways: bool,
}

impl Draft {
    /// The number of displayed vertices.
    fn count(&self) -> usize {
        self.view.graph.vertices.len()
    }

    fn boxes(&self) -> bool {
        self.zoom == Zoom::Boxes
    }

    /// The same with edges to the right, or downwards.
    fn turned(&self, sideways: bool) -> Draft {
        let mut draft = self.clone();
        draft.sideways = sideways;
        draft.sketch.direction = direction(sideways);
        draft
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

/// The label of each vertex: its name without the namespace whose frame surrounds it, and without the hash of a node that
/// Kedro named.
fn labels(view: &View) -> Vec<String> {
    let names = short_names(view, |id| view.label(id));
    names.iter().map(|name| truncate_middle(name, LONGEST_NAME)).collect()
}

/// The name of each vertex in the list, where no frame shows its namespace.
fn names(view: &View) -> Vec<String> {
    short_names(view, |id| &view.graph.vertices[id].name)
}

/// The name of each vertex as `name` gives it, without the hash of a node that Kedro named.
fn short_names<'a>(view: &'a View, name: impl Fn(usize) -> &'a str) -> Vec<String> {
    let names = view.graph.vertices.iter().enumerate().map(|(id, vertex)| {
        let is_node = vertex.kind == VertexKind::Node;
        (sanitize(name(id)), is_node)
    });
    without_hashes(names.collect())
}

/// The names without the hash at the end of those that are marked, unless another name would be equal then. Kedro 1.0 and
/// later append `__` and eight digits of a hash to the name of a node that has none (`Node._set_unique_name`).
fn without_hashes(names: Vec<(String, bool)>) -> Vec<String> {
    let short: Vec<&str> = names
        .iter()
        .map(|(name, marked)| match name.rsplit_once("__") {
            Some((start, hash))
                if *marked
                    && !start.is_empty()
                    && hash.len() == 8
                    && hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) =>
            {
                start
            }
            _ => name,
        })
        .collect();
    let mut counts: HashMap<&str, usize> = HashMap::new();
    short.iter().for_each(|name| *counts.entry(*name).or_default() += 1);
    let distinct = short.iter().map(|name| counts[name] == 1);
    let chosen = names.iter().zip(&short).zip(distinct);
    chosen
        .map(
            |(((name, _), short), distinct)| {
                if distinct { (*short).to_owned() } else { name.clone() }
            },
        )
        .collect()
}

fn direction(sideways: bool) -> Direction {
    if sideways { Direction::LeftRight } else { Direction::TopBottom }
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
    let group = |group: &crate::dag::view::Group| Group {
        parent: group.parent,
        title: width(&sanitize(group.short_name())) as i32 + 4,
    };
    Sketch {
        group_of: view.group_of.clone(),
        groups: view.groups.iter().map(group).collect(),
        ..Sketch::of(&view.graph, direction(sideways), size)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_left_out_where_the_names_stay_different() {
        let names = [
            ("clean__d773746e", true, "clean"),
            ("split__00000000", true, "split__00000000"),
            ("split__11111111", true, "split__11111111"),
            ("fit", false, "fit"),
            ("fit__abcdef01", true, "fit__abcdef01"),
            ("data__d773746e", false, "data__d773746e"),
            ("__d773746e", true, "__d773746e"),
            ("load__d773746", true, "load__d773746"),
            ("plot__dashboard", true, "plot__dashboard"),
        ];
        let given = names.map(|(name, marked, _)| (name.to_owned(), marked));
        assert_eq!(without_hashes(given.into()), names.map(|(.., label)| label));
    }
}
