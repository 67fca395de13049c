//! Writing the drawing to a file.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use crate::app::State;
use crate::dag::export::{Drawn, dot, mermaid};
use crate::text::{UserError, json};
use crate::ui::picture::screen_picture;

/// The supported file endings.
const FORMATS: &str = ".svg, .txt, .dot, .mmd, .json";

fn drawing(state: &State) -> String {
    let plot = &state.pipeline.plot;
    let drawing = Drawn::of(&plot.view, |id| plot.view.label(id));
    json::line(&drawing.to_json(&plot.layout)).unwrap_or_default() + "\n"
}

/// Writes the whole drawing to a new file.
///
/// # Errors
/// If the ending is unknown, or the file exists or can't be written.
pub(super) fn export(root: &Path, state: &State, file: &str) -> Result<(), UserError> {
    let path = root.join(file);
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    let (screen, plot) = (&state.pipeline, &state.pipeline.plot);
    let text = match ending {
        "svg" => screen_picture(state, |picture| picture.to_svg()),
        "txt" => screen_picture(state, |picture| picture.to_text(state.shared.settings.ascii)),
        "dot" => dot(&plot.view, plot.layout.direction, |id| screen.state(id)),
        "mmd" => mermaid(&plot.view, plot.layout.direction, |id| screen.state(id)),
        "json" => drawing(state),
        _ => {
            return Err(UserError::hinted(
                format!("{file} has no known ending"),
                format!("Use one of {FORMATS}."),
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
