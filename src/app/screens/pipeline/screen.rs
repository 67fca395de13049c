//! The state of the pipeline screen.

use std::collections::BTreeSet;
use std::sync::Arc;

use ratatui::layout::Size;

use super::plot::Plot;
use super::zoom::{Sizing, Zoom};
use crate::dag::overview::Overview;
use crate::dag::view::{Choices, Detail, Limits, NodeStatus};
use crate::dag::{Id, VertexKind};
use crate::text::filter::Filter;

/// The length of the jump history.
const LONGEST_WAY_BACK: usize = 200;

/// The ends of a slice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Between {
    /// The first nodes.
    pub from: Vec<String>,
    /// The last nodes.
    pub to: Vec<String>,
}

/// A drag of the drawing by the mouse.
#[derive(Debug, Clone, Copy)]
pub struct Held {
    /// The cell of the screen where the drag began: column and row.
    pub cell: (u16, u16),
    /// The scroll when the drag began: columns and rows.
    pub scroll: (i32, i32),
}

/// A vertex by kind and name, which stay the same in a new drawing.
pub type Spot = (VertexKind, String);

/// The pipeline screen.
#[derive(Debug, Default)]
pub struct PipelineScreen {
    /// The drawing.
    pub plot: Arc<Plot>,
    /// The statuses of nodes, by vertex of the whole graph; `None` for other kinds of vertices.
    pub states: Vec<Option<NodeStatus>>,
    /// The selected vertex.
    pub selected: Option<Spot>,
    /// A vertex to select once it is displayed, and how many more drawings may be requested for it.
    pub sought: Option<(Spot, u8)>,
    /// The matches of the last search, the best one first.
    pub found: Vec<Spot>,
    /// Nodes marked for a run.
    pub marked: BTreeSet<String>,
    /// What of the graph is displayed: focus, folds, kinds of vertices.
    pub choices: Choices,
    /// The filter of the displayed vertices.
    pub filter: Filter,
    /// The filter as it was written.
    pub filter_text: String,
    /// The number of nodes in the drawing, those in collapsed namespaces included.
    pub shown_nodes: usize,
    /// The first and last nodes of the displayed slice.
    pub slice: Option<Between>,
    /// Whether edges point to the right instead of downwards; `None` leaves the choice to the drawing.
    pub sideways: Option<bool>,
    /// The size of the drawing; `None` before the first one.
    pub zoom: Option<Zoom>,
    /// Who decides how the graph is drawn.
    pub sizing: Sizing,
    /// The kinds of vertices that the user wants to see, if fewer are displayed so that the graph fits.
    pub wanted_detail: Option<Detail>,
    /// Whether the catalog's layers are shown as bands.
    pub layers: bool,
    /// Whether the graph is shown as a list with lanes instead of a drawing.
    pub lanes: bool,
    /// Whether the selection follows the run.
    pub follow: bool,
    /// Whether the next drawing is laid out from scratch.
    pub anew: bool,
    /// The first visible column and row of the drawing.
    pub scroll: (i32, i32),
    /// The first visible row of the list.
    pub lanes_offset: usize,
    /// While the drawing is dragged: the cell where the drag began, and the scroll then.
    pub held: Option<Held>,
    /// The jump history.
    pub jumps: Jumps,
}

impl PipelineScreen {
    /// The selected vertex of the drawing.
    pub fn selected_id(&self) -> Option<Id> {
        let (kind, name) = self.selected.as_ref()?;
        self.plot.view.graph.find(*kind, name)
    }

    /// The displayed parents of the selected vertex, or with `onward` its children.
    pub fn neighbours(&self, onward: bool) -> &[Id] {
        let graph = &self.plot.view.graph;
        let next = if onward { &graph.children } else { &graph.parents };
        self.selected_id().and_then(|id| next.get(id)).map_or(&[], Vec::as_slice)
    }

    /// The size of the drawing, or of the requested one.
    pub fn zoom(&self) -> Zoom {
        self.zoom.unwrap_or(self.plot.zoom)
    }

    /// Leaves the choice of the next drawing to its fit, unless the user has chosen.
    pub(super) fn refit(&mut self) {
        if self.sizing == Sizing::Fitted {
            self.sizing = Sizing::ToFit;
        }
    }

    /// Takes over the choices of a drawing that was chosen to fit.
    pub(super) fn adopt_fit(&mut self) {
        let wanted = self.wanted_detail.take().unwrap_or(self.choices.detail);
        match &self.plot.fitted {
            Some(fitted) => {
                self.choices.detail = fitted.choices.detail;
                self.choices.limits = fitted.choices.limits;
                self.lanes = fitted.lanes;
            }
            None => {
                self.lanes = false;
                self.choices.detail = wanted;
                self.choices.limits = Limits::default();
            }
        }
        self.wanted_detail = Some(wanted).filter(|wanted| *wanted != self.choices.detail);
        self.zoom = Some(self.plot.zoom);
        self.sizing = Sizing::Fitted;
    }

    /// The overview of the drawing for this many columns and rows.
    pub fn overview(&self, room: Size) -> Overview {
        let layout = &self.plot.layout;
        let boxes = layout.boxes.iter().enumerate();
        let ranked = boxes.map(|(id, area)| (*area, self.state(id).map_or(1, NodeStatus::rank)));
        let room = (usize::from(room.width), usize::from(room.height));
        let mut overview = Overview::of(ranked, (layout.width, layout.height), room);
        overview.add_lines(layout.routes.iter().map(|route| route.corners.iter().copied()));
        overview
    }

    /// The status of a displayed vertex: a node's own, a namespace's worst.
    pub fn state(&self, id: Id) -> Option<NodeStatus> {
        let members = self.plot.view.members.get(id)?;
        members.iter().filter_map(|member| self.states.get(*member).copied().flatten()).max()
    }
}

/// The jump history, back and forward, as in a web browser.
#[derive(Debug, Default)]
pub struct Jumps {
    back: Vec<Spot>,
    forward: Vec<Spot>,
}

impl Jumps {
    /// Adds the place that a jump leaves.
    pub fn leave(&mut self, from: Spot) {
        if self.back.last() != Some(&from) {
            self.back.push(from);
        }
        if self.back.len() > LONGEST_WAY_BACK {
            self.back.remove(0);
        }
        self.forward.clear();
    }

    /// The previous place that still exists, or with `onward` the next one.
    pub fn go(&mut self, here: Spot, onward: bool, there: impl Fn(&Spot) -> bool) -> Option<Spot> {
        let (from, to) = match onward {
            false => (&mut self.back, &mut self.forward),
            true => (&mut self.forward, &mut self.back),
        };
        while let Some(spot) = from.pop() {
            if spot != here && there(&spot) {
                to.push(here);
                return Some(spot);
            }
        }
        None
    }

    /// Whether there is a previous place, or with `onward` a next one.
    pub fn any(&self, onward: bool) -> bool {
        !if onward { &self.forward } else { &self.back }.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_leads_through_what_is_still_there() {
        let spot = |name: &str| (VertexKind::Node, name.to_owned());
        let mut jumps = Jumps::default();
        jumps.leave(spot("a"));
        jumps.leave(spot("gone"));
        jumps.leave(spot("b"));
        let there = |spot: &Spot| spot.1 != "gone";
        assert_eq!(jumps.go(spot("c"), false, there), Some(spot("b")));
        assert_eq!(jumps.go(spot("b"), false, there), Some(spot("a")));
        assert_eq!(jumps.go(spot("a"), false, there), None);
        assert_eq!(jumps.go(spot("a"), true, there), Some(spot("b")));
        assert_eq!(jumps.go(spot("b"), true, there), Some(spot("c")));
        assert!(!jumps.any(true) && jumps.any(false));
        jumps.go(spot("c"), false, there);
        jumps.leave(spot("b"));
        assert!(!jumps.any(true));
    }
}
