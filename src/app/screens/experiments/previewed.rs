//! Artifacts in words: what the details say of a folder, and the preview of a file.

use std::sync::Arc;

use ratatui::layout::Size;

use super::tree::{Kind, Row, file_name};
use crate::app::words::{Details, Line, Tone, size_text};
use crate::tracking::artifacts::Artifact;
use crate::tracking::picture::Picture;
use crate::tracking::preview::{self, Preview};
use crate::tracking::signature::{Described, Part, Signature};

/// Lines above a preview: name, size, and an empty one.
const HEAD: u16 = 3;
/// Columns beside a preview.
const MARGINS: u16 = 2;

/// The cells that a picture has in a side pane of this size.
pub(super) fn room_of_picture(side: Size) -> Size {
    Size::new(side.width.saturating_sub(MARGINS), side.height.saturating_sub(HEAD))
}

/// The details of the selected row, with the preview of its file.
pub(super) fn details(row: Option<&Row>, preview: Option<&Preview>) -> Details {
    let Some(row) = row else { return Details::default() };
    match &row.kind {
        Kind::Folder { artifact, open } => {
            let text = if *open { "h closes the folder" } else { "l opens the folder" };
            let lines = vec![head(artifact), Line::Text(text.into(), Tone::Dim)];
            Details { lines, place: None, name: artifact.path.clone() }
        }
        Kind::File(file) => {
            let lines = of_file(file, preview);
            Details { lines, place: None, name: file.path.clone() }
        }
        Kind::Note(text) => {
            Details { lines: vec![Line::Text(text.clone(), Tone::Dim)], ..Details::default() }
        }
    }
}

fn head(artifact: &Artifact) -> Line {
    Line::Title(file_name(&artifact.path).to_owned())
}

fn of_file(file: &Artifact, preview: Option<&Preview>) -> Vec<Line> {
    let size = file.size.map_or_else(|| "size not known".into(), size_text);
    let mut lines = vec![head(file)];
    if let Some(what) = preview::closed(&file.path) {
        lines.push(Line::Text(format!("{what}, {size}: never opened"), Tone::Plain));
        return lines;
    }
    let told = |text: &str| Line::Text(text.to_owned(), Tone::Dim);
    match preview {
        None => lines.extend([told(&size), Line::Blank, told("Reading ...")]),
        Some(Preview::Closed(what)) => {
            lines.push(Line::Text(format!("{what}, {size}: not shown"), Tone::Plain));
        }
        Some(Preview::Unreadable(why)) => {
            lines.extend([told(&size), Line::Blank, Line::Text(why.clone(), Tone::Warning)]);
        }
        Some(Preview::Text { text, cut }) => {
            lines.extend([told(&begins(&size, *cut)), Line::Blank]);
            let line = |index| Line::Code(index as u32 + 1, text.clone(), index);
            lines.extend((0..text.lines.len()).map(line));
        }
        Some(Preview::Table { lines: rows, cut }) => {
            lines.extend([told(&begins(&size, *cut)), Line::Blank]);
            let tone = |index| if index == 0 { Tone::Dim } else { Tone::Plain };
            let line = |(index, row): (usize, &String)| Line::Text(row.clone(), tone(index));
            lines.extend(rows.iter().enumerate().map(line));
        }
        Some(Preview::Picture(picture)) => {
            let (width, height) = picture.full;
            lines.extend([told(&format!("{size} · {width} x {height} pixels")), Line::Blank]);
            lines.extend(rows_of(picture));
        }
        Some(Preview::Model(model)) => of_model(&mut lines, model),
    }
    lines
}

/// The size of a file, and whether the preview is its beginning alone.
fn begins(size: &str, cut: bool) -> String {
    if cut { format!("{size} · its beginning") } else { size.to_owned() }
}

fn rows_of(picture: &Arc<Picture>) -> impl Iterator<Item = Line> {
    let height = picture.pixels.len() / picture.width.max(1);
    (0..height.div_ceil(2)).map(|row| Line::Picture(picture.clone(), row))
}

fn of_model(lines: &mut Vec<Line>, model: &Described) {
    lines.push(Line::Field("flavors", model.flavors.join(", "), Tone::Plain));
    let Some(signature) = &model.signature else {
        lines.push(Line::Text("It has no signature.".into(), Tone::Dim));
        return;
    };
    for (part, title) in
        [(Part::Inputs, "Inputs"), (Part::Outputs, "Outputs"), (Part::Params, "Params")]
    {
        let rows = rows_of_part(signature, part);
        if !rows.is_empty() {
            lines.extend([Line::Blank, Line::Text(title.into(), Tone::Dim)]);
            lines.extend(rows.into_iter().map(|row| Line::Text(row, Tone::Plain)));
        }
    }
}

fn rows_of_part(signature: &Signature, part: Part) -> Vec<String> {
    let columns = signature.columns().into_iter().filter(|column| column.part == part);
    let rows: Vec<Vec<String>> = columns
        .map(|column| {
            let name = if column.name.is_empty() { "(no name)".into() } else { column.name };
            vec![name, column.kind]
        })
        .collect();
    preview::aligned(&rows)
}
