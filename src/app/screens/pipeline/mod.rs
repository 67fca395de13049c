//! The pipeline screen: which part of the graph is drawn, the drawing, and moving on it.
//!
//! [`PipelineScreen::picture`] describes the wanted drawing; a service makes it off the event loop, and the answer
//! is a [`Plot`]. A plot contains no statuses, so these change without a new drawing.
//!
//! `view` changes which part of the graph is displayed, `go` moves on it, `drawing` requests
//! drawings and scrolls, `arrive` shows a new drawing.

mod arrive;
mod drawing;
mod find;
mod fit;
mod go;
mod list;
mod mouse;
mod namespace;
mod node;
pub mod picture;
pub mod plot;
pub mod screen;
mod status;
mod view;
pub mod zoom;

use std::sync::Arc;

use ratatui::layout::Position as Cell;

use super::Screen;
use super::entry::{of_dataset, of_parameter};
use crate::app::areas::{Pane, ROOM_FOR_DETAILS};
use crate::app::command::Command;
use crate::app::effect::Effect;
use crate::app::picker::Picker;
use crate::app::prompt::PromptKind;
use crate::app::shared::{Shared, Source};
use crate::app::undo::Before;
use crate::app::words::Details;
use crate::dag::VertexKind;
use crate::dag::view::{Detail, Focus, filter};
use crate::runs::RunRequest;
use crate::text::filter::{FilterError, Key};
pub use picture::Picture;
pub use plot::{Plot, Way};
pub use screen::{PipelineScreen, Spot};
pub use zoom::{Sizing, Zoom};

impl PipelineScreen {
    /// Requests a new drawing. With `anew` the layout starts from scratch instead of keeping positions.
    pub fn redraw(&mut self, shared: &mut Shared, anew: bool) {
        drawing::redraw(self, shared, anew);
    }

    /// Requests a new drawing if the filter depends on statuses, which have changed.
    pub fn redraw_by_status(&mut self, shared: &mut Shared) {
        drawing::redraw_by_status(self, shared);
    }

    /// Shows another pipeline.
    pub fn show_pipeline(&mut self, shared: &mut Shared, name: String) {
        drawing::show_pipeline(self, shared, name);
    }

    /// A drawing arrived.
    pub fn drawn(&mut self, shared: &mut Shared, plot: Arc<Plot>) {
        arrive::drawn(self, shared, plot);
    }

    /// The window has another size: a drawing that was chosen to fit is chosen again.
    pub fn resized(&mut self, shared: &mut Shared) {
        if self.sizing != Sizing::Chosen {
            self.refit();
            drawing::redraw(self, shared, true);
        }
        drawing::keep_in_view(self, shared);
    }

    /// Scrolls so that the selected vertex is visible.
    pub fn keep_in_view(&mut self, shared: &Shared) {
        drawing::keep_in_view(self, shared);
    }

    /// The mouse moved to a cell of the screen.
    pub fn drag(&mut self, shared: &Shared, at: Cell) {
        mouse::drag(self, shared, at.x, at.y);
    }

    /// A node of a run has begun: the selection goes there if it follows the run.
    pub fn follow(&mut self, shared: &mut Shared, node: &str) {
        go::follow(self, shared, node);
    }

    /// Goes to the vertex that was chosen in the list of all vertices.
    pub fn found(&mut self, shared: &mut Shared, picker: &Picker) {
        find::found(self, shared, picker);
    }

    /// Follows the edge with this number, from 0.
    pub fn follow_edge(&mut self, shared: &mut Shared, onward: bool, number: usize) {
        go::follow_edge(self, shared, onward, number);
    }

    /// Why commands for the selected or marked nodes can't act.
    fn no_node(&self) -> Option<String> {
        match &self.selected {
            Some((VertexKind::Node, _)) => None,
            _ if !self.marked.is_empty() => None,
            Some(_) => Some("a dataset is selected; select a node".into()),
            None => Some("no node is selected".into()),
        }
    }

    fn selected_node(&self) -> Option<&String> {
        match &self.selected {
            Some((VertexKind::Node, name)) => Some(name),
            _ => None,
        }
    }
}

impl Screen for PipelineScreen {
    fn title(&self, shared: &Shared) -> String {
        let Some(pipeline) = shared.shown_pipeline() else { return "Pipeline".into() };
        let count = pipeline.nodes.len();
        let nodes = if count == 1 { "node" } else { "nodes" };
        let shown = match self.filter_text.is_empty() {
            true => String::new(),
            false => format!("{} of ", self.shown_nodes),
        };
        let mut title = format!("{} · {shown}{count} {nodes}", pipeline.name);
        if !self.marked.is_empty() {
            title.push_str(&format!(" · {} marked", self.marked.len()));
        }
        if !pipeline.complete {
            title.push_str(" · only partly known");
        }
        match self.choices.detail {
            Detail::NoParameters => {}
            Detail::All => title.push_str(" · with parameters"),
            Detail::NodesAlone => title.push_str(" · only nodes"),
        }
        match &self.choices.focus {
            Some(Focus::Around { name, .. }) => title.push_str(&format!(" · around {name}")),
            Some(Focus::Nodes(nodes)) => title.push_str(&format!(" · slice of {}", nodes.len())),
            None => {}
        }
        if !self.filter_text.is_empty() {
            title.push_str(&format!(" · {}", self.filter_text));
        }
        if let Some(run) = &shared.project.on_engine {
            title.push_str(&format!(" · states on {}", run.name));
        }
        title
    }

    fn details(&self, shared: &Shared) -> Details {
        let Some(snapshot) = shared.snapshot() else { return Details::default() };
        match &self.selected {
            Some((VertexKind::Node, name)) => node::of_node_named(shared, name),
            Some((VertexKind::Dataset, name)) => of_dataset(shared, snapshot, name),
            Some((VertexKind::Parameters, name)) => of_parameter(shared, snapshot, name),
            Some((VertexKind::Namespace, name)) => namespace::of_namespace(self, name),
            None => Details::default(),
        }
    }

    fn log_shown(&self, shared: &Shared) -> bool {
        shared.run.is_some() && shared.log.unwrap_or(true)
    }

    fn debugged(&self, shared: &Shared) -> Option<(String, RunRequest)> {
        let failed = || shared.run.as_ref().and_then(|run| run.failed_node.as_ref());
        let node = self.selected_node().or_else(failed);
        Some((node?.clone(), shared.request()))
    }

    fn go(&mut self, shared: &mut Shared, command: Command, page: isize) -> bool {
        go::go(self, shared, command, page);
        true
    }

    fn scroll(&mut self, shared: &mut Shared, by: isize, sideways: bool) -> bool {
        let by = i32::try_from(by).unwrap_or(0);
        let (columns, rows) = if sideways { (by * 2, 0) } else { (0, by) };
        drawing::scroll(self, shared, columns, rows);
        true
    }

    /// A narrow terminal shows the details only while they have the focus.
    fn is_full_width(&self, shared: &Shared) -> bool {
        shared.size.width < ROOM_FOR_DETAILS && shared.focus != Pane::Side
    }

    fn press(&mut self, shared: &mut Shared, at: Cell) -> bool {
        mouse::press(self, shared, at.x, at.y);
        true
    }

    /// Leaves the overview, or expands the selected namespace.
    fn open(&mut self, shared: &mut Shared) -> bool {
        if self.zoom() == Zoom::Overview && !self.lanes {
            view::set_zoom(self, shared, Zoom::Chips);
            return true;
        }
        view::toggle_fold(self, shared)
    }

    fn back(&mut self, shared: &mut Shared) -> Option<Vec<Effect>> {
        if shared.project.on_engine.take().is_some() {
            self.refresh_states(shared);
            self.redraw_by_status(shared);
        } else if self.slice.is_some() || self.marked.is_empty() {
            view::leave(self, shared);
        } else {
            self.marked.clear();
        }
        Some(Vec::new())
    }

    fn find(&mut self, shared: &mut Shared) -> bool {
        find::begin(self, shared);
        true
    }

    fn find_next(&mut self, shared: &mut Shared, by: i32) -> bool {
        find::next(self, shared, by);
        true
    }

    fn filter_text(&self) -> Result<&str, &'static str> {
        Ok(&self.filter_text)
    }

    fn filter_keys(&self) -> &'static [Key] {
        filter::KEYS
    }

    fn known_values(&self, shared: &Shared, key: &str) -> Vec<String> {
        let Some(snapshot) = shared.snapshot() else { return Vec::new() };
        filter::known(key, &self.plot.whole, &snapshot.datasets)
    }

    fn set_filter(&mut self, shared: &mut Shared, text: &str) -> Result<Vec<Effect>, FilterError> {
        view::set_filter(self, shared, text)?;
        Ok(Vec::new())
    }

    fn filter_edit(&self, before: String) -> Option<(&'static str, Before)> {
        Some(("filter of the graph", Before::GraphFilter(before)))
    }

    fn act(&mut self, shared: &mut Shared, command: Command) -> Vec<Effect> {
        match command {
            Command::Mark => {
                if let Some(name) = self.selected_node().cloned()
                    && !self.marked.remove(&name)
                {
                    self.marked.insert(name);
                }
            }
            Command::Log => {
                let shown = shared.log.unwrap_or(true);
                shared.log = Some(!shown);
                if shown {
                    shared.focus = crate::app::areas::Pane::Main;
                }
                drawing::keep_in_view(self, shared);
            }
            Command::Export => {
                shared.begin(PromptKind::Export, &format!("{}.svg", shared.pipeline));
            }
            _ => view::act(self, shared, command),
        }
        Vec::new()
    }

    fn disabled(&self, shared: &Shared, command: Command) -> Option<String> {
        let no_pipeline =
            || shared.shown_pipeline().is_none().then(|| "there is no pipeline".to_owned());
        match command {
            Command::RunSelected => shared.no_run_now().or_else(|| self.no_node()),
            Command::RunFromHere | Command::RunToHere => shared.no_run_now().or_else(|| {
                self.selected_node().is_none().then(|| "no node is selected".to_owned())
            }),
            Command::Watch if shared.watch.is_some() => None,
            Command::RunPipeline
            | Command::RunOptions
            | Command::RunStale
            | Command::RunGrid
            | Command::Watch => shared.no_run_now(),
            Command::CopyCommand => self.no_node(),
            Command::Mark => {
                self.selected_node().is_none().then(|| "no node is selected".to_owned())
            }
            Command::Log => shared.run.is_none().then(|| "there was no run yet".into()),
            Command::Fold => {
                let view = &self.plot.view;
                let in_space = self.selected_id().is_some_and(|id| {
                    let namespace = view.graph.vertices[id].kind == VertexKind::Namespace;
                    namespace || view.group_of[id].is_some()
                });
                (!in_space).then(|| "the selection is in no namespace".into())
            }
            Command::FoldAll => {
                let mut vertices = self.plot.whole.vertices.iter();
                let any = vertices.any(|vertex| vertex.namespace().is_some());
                (!any).then(|| "the pipeline has no namespaces".into())
            }
            Command::Focus => self.selected.is_none().then(|| "nothing is selected".into()),
            Command::FocusLess | Command::FocusMore => {
                let focus = matches!(self.choices.focus, Some(Focus::Around { .. }));
                (!focus).then(|| "no focus is set; i focuses on the selection".into())
            }
            Command::Slice => match self.selected_node() {
                None => Some("no node is selected".into()),
                Some(to) if self.marked.iter().all(|from| from == to) => {
                    Some("mark a node with space, then select another one".into())
                }
                Some(_) => None,
            },
            Command::Parents | Command::Children => {
                let onward = command == Command::Children;
                self.neighbours(onward).is_empty().then(|| match onward {
                    true => "the selection has no displayed children".into(),
                    false => "the selection has no displayed parents".into(),
                })
            }
            Command::JumpBack | Command::JumpForward => {
                let onward = command == Command::JumpForward;
                (!self.jumps.any(onward)).then(|| match onward {
                    true => "there is no later jump".into(),
                    false => "there is no earlier jump".into(),
                })
            }
            Command::Layers => {
                let datasets =
                    shared.snapshot().into_iter().flat_map(|snapshot| snapshot.datasets.values());
                let any = datasets.into_iter().any(|dataset| dataset.layer.is_some());
                (!any).then(|| {
                    "no dataset of the catalog has a layer (metadata: kedro-viz: layer)".into()
                })
            }
            Command::RunDetached
            | Command::View
            | Command::Direction
            | Command::Zoom
            | Command::ZoomIn
            | Command::ZoomOut
            | Command::Fit
            | Command::Lanes
            | Command::Filter
            | Command::Tidy
            | Command::Export => no_pipeline(),
            _ => None,
        }
    }

    /// The source of the selected node.
    fn wanted(&mut self, shared: &mut Shared) -> Vec<Effect> {
        let node = self.selected_node().and_then(|name| shared.node(name));
        let Some(range) = node.and_then(|node| node.source.clone()) else { return Vec::new() };
        if shared.project.sources.contains_key(&range.filepath) {
            return Vec::new();
        }
        shared.project.sources.insert(range.filepath.clone(), Source::Loading);
        vec![Effect::ReadSource { file: range.filepath }]
    }
}
