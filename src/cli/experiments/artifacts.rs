//! `mlops-tui experiments artifacts`.

use std::io::{self, ErrorKind, IsTerminal, Read, Write};
use std::process::ExitCode;

use color_eyre::eyre::{Result, bail};
use serde_json::{Value as Json, json};

use super::search::experiments;
use super::{Opened, PlaceArguments};
use crate::app::words::Tone;
use crate::cli::output;
use crate::cli::table::{Align, Cell, Reader, lines};
use crate::text::{sanitize, size_text};
use crate::tracking::artifacts::{self, Artifact, Named};
use crate::tracking::reference::find_run;

/// List the artifacts of a run, or print one.
///
/// The JSON is `{"schema": 1, "artifacts": [{"path", "is_dir", "file_size"}], "truncated": false}`, of one folder.
/// A file is printed unchanged; on a terminal, only if it is text.
///
/// Example: mlops-tui experiments artifacts latest model/MLmodel
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// First digits of an id, a name, `latest`, or `best:metrics.rmse`
    run: String,
    /// A path among the artifacts
    path: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// The largest file that is shown on a terminal, in bytes.
const MOST_TEXT: u64 = 1 << 20;

pub(super) fn run(
    place: &PlaceArguments,
    opened: &Opened,
    arguments: &Arguments,
) -> Result<ExitCode> {
    let active = experiments(opened, &[])?;
    let run = find_run(&opened.store, &arguments.run, Some(&active))?;
    let near = place.location()?.near();
    let path = arguments.path.as_deref().unwrap_or_default();
    match artifacts::named(&opened.store, &near, &run, path)? {
        Named::Folder(entries, truncated) => list(&entries, truncated, arguments.json),
        Named::File(_) if arguments.json => bail!("`{path}` is a file; --json lists folders."),
        Named::File(file) => print(file, path),
    }
}

fn list(entries: &[Artifact], truncated: bool, as_json: bool) -> Result<ExitCode> {
    if as_json {
        let entry = |artifact: &Artifact| -> Json {
            json!({"path": artifact.path, "is_dir": artifact.is_dir, "file_size": artifact.size})
        };
        let artifacts: Vec<Json> = entries.iter().map(entry).collect();
        return output::json(&json!({"schema": 1, "artifacts": artifacts, "truncated": truncated}));
    }
    if entries.is_empty() {
        return output::text("There are no artifacts here.\n");
    }
    let row = |artifact: &Artifact| -> Vec<Cell> {
        let path =
            if artifact.is_dir { format!("{}/", artifact.path) } else { artifact.path.clone() };
        let tone = if artifact.is_dir { Tone::Name } else { Tone::Plain };
        vec![(artifact.size.map(size_text).unwrap_or_default(), Tone::Dim), (path, tone)]
    };
    let rows: Vec<Vec<Cell>> = entries.iter().map(row).collect();
    let columns = [("", Align::Right), ("", Align::Name)];
    output::text(&lines(Reader::of_stdout(), &columns, &rows))
}

/// Prints a file piece by piece; on a terminal, only text.
fn print(mut file: Box<dyn Read>, path: &str) -> Result<ExitCode> {
    let mut out = io::stdout().lock();
    let written = if out.is_terminal() {
        let mut bytes = Vec::new();
        (&mut file).take(MOST_TEXT).read_to_end(&mut bytes)?;
        let Ok(text) = String::from_utf8(bytes) else {
            bail!("`{path}` is no text; redirect it into a file to have it.");
        };
        text.lines().try_for_each(|line| writeln!(out, "{}", sanitize(line)))
    } else {
        io::copy(&mut file, &mut out).map(|_| ())
    };
    match written.and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(ExitCode::SUCCESS),
    }
}
