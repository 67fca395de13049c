//! What the pipeline screen takes from all else that is known: what is to be drawn, and how nodes stand. The latter is kept
//! as things happen, so that drawing a frame need not find out.

use std::collections::HashMap;

use super::Picture;
use crate::app::State;
use crate::app::run::NodeState;
use crate::dag::Kind;
use crate::dag::view::{self, RunState};

impl State {
    /// What of the shown pipeline is to be drawn.
    pub fn picture(&self) -> Option<Picture> {
        let screen = &self.pipeline;
        let states = match screen.filter.states.is_empty() {
            true => HashMap::new(),
            false => {
                let nodes = self.shown_pipeline()?.nodes.iter();
                nodes.map(|node| (node.name.clone(), self.node_status(&node.name))).collect()
            }
        };
        Some(Picture {
            snapshot: self.project.snapshot.clone()?,
            pipeline: self.shown_pipeline()?.name.clone(),
            choices: screen.choices.clone(),
            filter: screen.filter.clone(),
            states,
            zoom: screen.zoom,
            sideways: screen.sideways,
            layers: screen.layers,
            lanes: screen.lanes,
            rows: self.size.1,
            anew: screen.anew,
        })
    }

    /// How a node stands.
    pub fn node_status(&self, node: &str) -> view::State {
        let run = self.node_run(node).map(|(_, state)| match state {
            NodeState::Waiting => RunState::Waiting,
            NodeState::Running(_) => RunState::Running,
            NodeState::Done(_) => RunState::Done,
            NodeState::Failed(_) => RunState::Failed,
            NodeState::Stopped => RunState::Stopped,
        });
        view::State::of(run, self.project.staleness.get(node))
    }

    /// Finds out how all nodes of the drawing stand.
    pub(in crate::app) fn refresh_states(&mut self) {
        let vertices = self.pipeline.plot.whole.vertices.iter();
        let states = vertices
            .map(|it| (it.kind == Kind::Node).then(|| self.node_status(&it.name)))
            .collect();
        self.pipeline.states = states;
    }

    /// Finds out how one node stands.
    pub(in crate::app) fn refresh_state(&mut self, node: &str) {
        let status = self.node_status(node);
        let id = self.pipeline.plot.whole.find(Kind::Node, node);
        if let Some(state) = id.and_then(|id| self.pipeline.states.get_mut(id)) {
            *state = Some(status);
        }
    }
}
