//! Writing what is shown to a file: the drawing, or the table of tracked runs.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use crate::app::State;
use crate::app::screens::experiments::export;
use crate::app::tab::Tab;
use crate::dag::export::{Drawn, dot, mermaid};
use crate::text::{UserError, json};
use crate::ui::picture::screen_picture;

/// The supported file endings.
const FORMATS: &str = ".svg, .txt, .dot, .mmd, .json";
const FORMATS_OF_TABLES: &str = ".csv, .md";

fn drawing(state: &State) -> String {
    let plot = &state.pipeline.plot;
    let drawing = Drawn::of(&plot.view, |id| plot.view.label(id));
    json::line(&drawing.to_json(&plot.layout)).unwrap_or_default() + "\n"
}

/// Writes the whole drawing, or on the experiments screen the table, to a new file.
///
/// # Errors
/// If the ending is unknown, or the file exists or can't be written.
pub(super) fn export(root: &Path, state: &State, file: &str) -> Result<(), UserError> {
    let path = root.join(file);
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    let (screen, plot) = (&state.pipeline, &state.pipeline.plot);
    let source = state.experiments.source(&state.shared);
    let text = match (ending, source.filter(|_| state.tab == Tab::Experiments)) {
        ("csv", Some(source)) => export::csv(&source, &state.experiments.table),
        ("md", Some(source)) => export::markdown(&source, &state.experiments.table),
        ("svg", None) => screen_picture(state, |picture| picture.to_svg()),
        ("txt", None) => {
            screen_picture(state, |picture| picture.to_text(state.shared.settings.ascii))
        }
        ("dot", None) => dot(&plot.view, plot.layout.direction, |id| screen.state(id)),
        ("mmd", None) => mermaid(&plot.view, plot.layout.direction, |id| screen.state(id)),
        ("json", None) => drawing(state),
        _ => {
            let formats = if state.tab == Tab::Experiments { FORMATS_OF_TABLES } else { FORMATS };
            return Err(UserError::hinted(
                format!("{file} has no known ending"),
                format!("Use one of {formats}."),
            ));
        }
    };
    let written = File::create_new(&path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            UserError::hinted(format!("{file} exists already"), "Choose another name.")
        }
        _ => format!("{file} can't be written: {error}").into(),
    })
}
