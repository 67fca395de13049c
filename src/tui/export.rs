//! Writing what is shown to a file: the drawing, the table of tracked runs, or their curves.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use crate::app::State;
use crate::app::screens::experiments::export;
use crate::app::tab::Tab;
use crate::dag::export::{Drawn, dot, mermaid};
use crate::text::{UserError, json};
use crate::ui::curves;
use crate::ui::picture::screen_picture;

/// The supported file endings.
const FORMATS: &str = ".svg, .txt, .dot, .mmd, .json";
const FORMATS_OF_TABLES: &str = ".csv, .md, .html";
const FORMATS_OF_CURVES: &str = ".svg, .txt, .csv, .html";

/// Writes what is shown to a new file.
///
/// # Errors
/// If the ending is unknown, or the file exists or can't be written.
pub(super) fn export(root: &Path, state: &State, file: &str) -> Result<(), UserError> {
    let path = root.join(file);
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    let found = match state.tab {
        Tab::Experiments => of_experiments(state, ending)?,
        _ => drawing(state, ending).ok_or(FORMATS),
    };
    let text = found.map_err(|formats| {
        UserError::hinted(format!("{file} has no known ending"), format!("Use one of {formats}."))
    })?;
    write(&path, file, &text)
}

/// Writes a new file. `name` is its name in messages.
///
/// # Errors
/// If the file exists or can't be written.
pub(super) fn write(path: &Path, name: &str, text: &str) -> Result<(), UserError> {
    let written = File::create_new(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            UserError::hinted(format!("{name} exists already"), "Choose another name.")
        }
        _ => format!("{name} can't be written: {error}").into(),
    })
}

/// The drawing of the pipeline in the format of an ending.
fn drawing(state: &State, ending: &str) -> Option<String> {
    let (screen, plot) = (&state.pipeline, &state.pipeline.plot);
    Some(match ending {
        "svg" => screen_picture(state, |picture| picture.to_svg()),
        "txt" => screen_picture(state, |picture| picture.to_text(state.shared.settings.ascii)),
        "dot" => dot(&plot.view, plot.layout.direction, |id| screen.state(id)),
        "mmd" => mermaid(&plot.view, plot.layout.direction, |id| screen.state(id)),
        "json" => {
            let drawing = Drawn::of(&plot.view, |id| plot.view.label(id));
            json::line(&drawing.to_json(&plot.layout)).unwrap_or_default() + "\n"
        }
        _ => return None,
    })
}

/// The curves or the table in the format of an ending, else the known endings.
fn of_experiments(state: &State, ending: &str) -> Result<Result<String, &'static str>, UserError> {
    let (screen, shared) = (&state.experiments, &state.shared);
    if let Some(page) = screen.written_page(shared) {
        let (page, room) = page?;
        return Ok(match ending {
            "svg" => Ok(curves::to_svg(state, page, room)),
            "txt" => Ok(curves::to_text(state, room)),
            "csv" => Ok(screen.page_csv(shared, page, room)),
            _ => Err(FORMATS_OF_CURVES),
        });
    }
    let source = screen.source(shared).ok_or("There is no tracked run.")?;
    Ok(match ending {
        "csv" => Ok(export::csv(&source, &screen.table)),
        "md" => Ok(export::markdown(&source, &screen.table)),
        _ => Err(FORMATS_OF_TABLES),
    })
}
