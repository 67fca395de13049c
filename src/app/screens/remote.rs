//! The remote screen: the engines that the project is set up for.

use super::Screen;
use crate::app::list::Position;
use crate::app::shared::Shared;
use crate::app::words::{Details, Line, Tone};
use crate::project::Place;

/// The remote screen.
#[derive(Debug, Default)]
pub struct RemoteScreen {
    /// Selection and scrolling of the list of engines.
    pub position: Position,
}

impl Screen for RemoteScreen {
    fn title(&self, _shared: &Shared) -> String {
        "Remote".into()
    }

    fn side_title(&self) -> &'static str {
        "Engine"
    }

    fn details(&self, shared: &Shared) -> Details {
        let backend = shared.project.backends.get(self.position.selected);
        let Some(backend) = backend else { return Details::default() };
        let required = match backend.required {
            true => ("named in the project's requirements", Tone::Good),
            false => ("not in the project's requirements", Tone::Warning),
        };
        let mut lines = vec![
            Line::Title(backend.name.into()),
            Line::Field("plug-in", backend.plugin.into(), Tone::Plain),
            Line::Field("", required.0.into(), required.1),
        ];
        for (index, file) in backend.config.iter().enumerate() {
            let label = if index == 0 { "file" } else { "" };
            lines.push(Line::Link(label, file.clone(), file.clone(), Tone::Plain));
        }
        lines.push(Line::Blank);
        let text = match backend.name {
            "Airflow" => "`mlops-tui remote` submits and follows runs.",
            _ => "Runs on this engine can't be submitted yet.",
        };
        lines.push(Line::Text(text.into(), Tone::Dim));
        let place = backend.config.first().map(|file| Place::line(std::path::Path::new(file), 1));
        Details { lines, place, name: backend.name.into() }
    }

    fn len(&self, shared: &Shared) -> usize {
        shared.project.backends.len()
    }

    fn position(&mut self) -> Option<&mut Position> {
        Some(&mut self.position)
    }

    fn head_rows(&self) -> u16 {
        1
    }

    fn names(&self, shared: &Shared) -> Vec<String> {
        shared.project.backends.iter().map(|backend| backend.name.to_owned()).collect()
    }
}
