//! What the pipeline screen shows, and where on it a person is.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::plot::Plot;
use super::zoom::Zoom;
use crate::dag::overview::Overview;
use crate::dag::view::{Choices, Filter, NodeStatus};
use crate::dag::{Id, VertexKind};

/// Most places that the way back leads through.
const LONGEST_WAY_BACK: usize = 200;

/// A vertex by what outlives a new drawing.
pub type Spot = (VertexKind, String);

/// The pipeline screen.
#[derive(Debug, Default)]
pub struct PipelineScreen {
    /// The drawing.
    pub plot: Arc<Plot>,
    /// How the nodes stand, by the vertices of the whole graph; other kinds have no state.
    pub states: Vec<Option<NodeStatus>>,
    /// The selected vertex, which is displayed.
    pub selected: Option<Spot>,
    /// A vertex that is to be selected once it is displayed, and how many more drawings that may take.
    pub sought: Option<(Spot, u8)>,
    /// The matches of the last search, the best one first.
    pub found: Vec<Spot>,
    /// Nodes marked for a run.
    pub marked: BTreeSet<String>,
    /// What of the graph is displayed.
    pub choices: Choices,
    /// What of that is displayed.
    pub filter: Filter,
    /// The filter as it was written.
    pub filter_text: String,
    /// First and last node of the slice that alone is displayed.
    pub slice: Option<(Vec<String>, Vec<String>)>,
    /// To the right instead of downwards; by the size of the graph when `None`.
    pub sideways: Option<bool>,
    /// How large; by the size of the graph when `None`.
    pub zoom: Option<Zoom>,
    /// With the catalog's layers as bands.
    pub layers: bool,
    /// As a list with lanes instead of a drawing.
    pub lanes: bool,
    /// Whether the selection goes with the run.
    pub follow: bool,
    /// Whether the next drawing is arranged anew.
    pub anew: bool,
    /// First row and column of the drawing that are seen.
    pub scroll: (i32, i32),
    /// First row of the list that is seen.
    pub lanes_offset: usize,
    /// Where the mouse holds the drawing: the cell of the screen, and the scroll then.
    pub held: Option<((u16, u16), (i32, i32))>,
    /// Where a person came from.
    pub jumps: Jumps,
}

impl PipelineScreen {
    /// The selected vertex of the drawing.
    pub fn selected_id(&self) -> Option<Id> {
        let (kind, name) = self.selected.as_ref()?;
        self.plot.view.graph.find(*kind, name)
    }

    /// The displayed vertices that lead into the selected one, or with `onward` those that it leads to.
    pub fn neighbours(&self, onward: bool) -> &[Id] {
        let graph = &self.plot.view.graph;
        let next = if onward { &graph.children } else { &graph.parents };
        self.selected_id().and_then(|id| next.get(id)).map_or(&[], Vec::as_slice)
    }

    /// How large the drawing is seen, or will be once it is there.
    pub fn zoom(&self) -> Zoom {
        self.zoom.unwrap_or(self.plot.zoom)
    }

    /// The whole drawing made small for that many columns and rows.
    pub fn overview(&self, room: (u16, u16)) -> Overview {
        let layout = &self.plot.layout;
        let boxes = layout.boxes.iter().enumerate();
        let ranked = boxes.map(|(id, area)| (*area, self.state(id).map_or(1, NodeStatus::rank)));
        let room = (usize::from(room.0), usize::from(room.1));
        let mut overview = Overview::of(ranked, (layout.width, layout.height), room);
        overview.add_lines(layout.routes.iter().map(|route| route.corners.iter().copied()));
        overview
    }

    /// How a displayed vertex stands: a node by itself, a namespace by the worst of its nodes.
    pub fn state(&self, id: Id) -> Option<NodeStatus> {
        let members = self.plot.view.members.get(id)?;
        members.iter().filter_map(|member| self.states.get(*member).copied().flatten()).max()
    }
}

/// The places that a person came from and can go back to, as a web browser has them.
#[derive(Debug, Default)]
pub struct Jumps {
    back: Vec<Spot>,
    forward: Vec<Spot>,
}

impl Jumps {
    /// A jump from a place to another one.
    pub fn leave(&mut self, from: Spot) {
        if self.back.last() != Some(&from) {
            self.back.push(from);
        }
        if self.back.len() > LONGEST_WAY_BACK {
            self.back.remove(0);
        }
        self.forward.clear();
    }

    /// The place before `here` that is still there, or with `onward` the one after.
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

    /// Whether there is a way back, or with `onward` a way on.
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
