//! The experiments screen: the tracked runs of the project's store.

use super::Screen;
use crate::app::list::Position;
use crate::app::shared::Shared;
use crate::app::words::{Details, Line, Tone, pairs, seconds_text, when};

/// The experiments screen.
#[derive(Debug, Default)]
pub struct ExperimentsScreen {
    /// Selection and scrolling of the list of tracked runs.
    pub position: Position,
}

impl Screen for ExperimentsScreen {
    fn title(&self, _shared: &Shared) -> String {
        "Experiments".into()
    }

    fn side_title(&self) -> &'static str {
        "Tracked run"
    }

    fn details(&self, shared: &Shared) -> Details {
        let run = shared.tracked().and_then(|overview| overview.runs.get(self.position.selected));
        let Some(run) = run else { return Details::default() };
        let mut lines = vec![Line::Title(run.name.clone())];
        let tone = match run.status.as_str() {
            "FINISHED" => Tone::Good,
            "RUNNING" => Tone::Busy,
            "FAILED" => Tone::Bad,
            _ => Tone::Warning,
        };
        lines.push(Line::Field("state", run.status.to_lowercase(), tone));
        lines.push(Line::Field("in", run.experiment.clone(), Tone::Plain));
        lines.push(Line::Field("when", when(shared.now, run.started_at), Tone::Plain));
        if let Some(end) = run.ended_at {
            lines.push(Line::Field("time", seconds_text(end - run.started_at), Tone::Plain));
        }
        lines.push(Line::Field("id", run.id.clone(), Tone::Dim));
        let metrics = run.metrics.iter().map(|(key, value)| (key, value.to_string()));
        pairs(&mut lines, "Metrics", metrics.collect());
        let params = run.params.iter().map(|(key, value)| (key, value.clone()));
        pairs(&mut lines, "Params", params.collect());
        Details { lines, place: None, name: run.id.clone() }
    }

    fn len(&self, shared: &Shared) -> usize {
        shared.tracked().map_or(0, |overview| overview.runs.len())
    }

    fn position(&mut self) -> Option<&mut Position> {
        Some(&mut self.position)
    }

    fn head_rows(&self) -> u16 {
        1
    }

    fn filter_text(&self) -> Result<&str, &'static str> {
        Err("experiments are filtered in MLflow's language: mlops-tui experiments search FILTER")
    }

    fn names(&self, shared: &Shared) -> Vec<String> {
        let runs = shared.tracked().into_iter().flat_map(|overview| &overview.runs);
        runs.map(|run| format!("{} {}", run.name, run.experiment)).collect()
    }
}
