//! What the pipeline screen derives from the shared state: the description of the drawing, and the statuses of
//! nodes. Statuses are updated by events, so that drawing a frame does not compute them.

use std::collections::HashMap;

use ratatui::layout::Size;

use super::picture::Picture;
use super::screen::PipelineScreen;
use super::zoom::Sizing;
use crate::app::areas::{Areas, ROOM_FOR_DETAILS};
use crate::app::screens::Screen;
use crate::app::shared::Shared;
use crate::dag::VertexKind;
use crate::dag::view::Choices;
use crate::dag::view::filter::follows_runs;

impl PipelineScreen {
    /// The description of the wanted drawing.
    pub fn picture(&self, shared: &Shared) -> Option<Picture> {
        let facts = match follows_runs(&self.filter) {
            false => HashMap::new(),
            true => {
                let nodes = shared.shown_pipeline()?.nodes.iter();
                nodes.map(|node| (node.name.clone(), shared.node_facts(&node.name))).collect()
            }
        };
        let to_fit = self.sizing == Sizing::ToFit;
        let choices = match self.wanted_detail {
            Some(detail) if to_fit => Choices { detail, ..self.choices.clone() },
            _ => self.choices.clone(),
        };
        Some(Picture {
            snapshot: shared.project.snapshot.clone()?,
            pipeline: shared.shown_pipeline()?.name.clone(),
            choices,
            filter: self.filter.clone(),
            facts,
            fit: to_fit.then(|| self.room(shared)),
            zoom: self.zoom,
            sideways: self.sideways.or((!to_fit).then_some(self.plot.sideways)),
            layers: self.layers,
            lanes: self.lanes,
            anew: self.anew,
        })
    }

    /// The size that a drawing has to fit: that of the main pane while it has the focus.
    fn room(&self, shared: &Shared) -> Size {
        let full_width = shared.size.width < ROOM_FOR_DETAILS;
        let areas = Areas::of(shared.size, &shared.panes, self.log_shown(shared), full_width);
        areas.main.as_size()
    }

    /// Updates the statuses of all nodes of the drawing.
    pub(in crate::app) fn refresh_states(&mut self, shared: &Shared) {
        let vertices = self.plot.whole.vertices.iter();
        let states = vertices
            .map(|vertex| {
                (vertex.kind == VertexKind::Node).then(|| shared.node_status(&vertex.name))
            })
            .collect();
        self.states = states;
    }

    /// Updates the status of one node.
    pub(in crate::app) fn refresh_state(&mut self, shared: &Shared, node: &str) {
        let status = shared.node_status(node);
        let id = self.plot.whole.find(VertexKind::Node, node);
        if let Some(state) = id.and_then(|id| self.states.get_mut(id)) {
            *state = Some(status);
        }
    }
}
