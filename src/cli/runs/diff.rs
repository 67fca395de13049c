//! `mlops-tui runs diff`.

use std::path::Path;
use std::process::ExitCode;

use color_eyre::eyre::{Result, bail};
use serde_json::json;

use super::reference::RunName;
use crate::app::screens::runs::comparison::{DefinitionDiff, Pair, sections};
use crate::app::words::Tone;
use crate::cli::output;
use crate::cli::table::{Align, Cell, Reader, lines};
use crate::project::python::highlight::Highlighted;
use crate::project::{Options, Reader as Project};
use crate::runs::history::{Comparison, Whole, compare, whole};
use crate::store::{RunPair, Store};
use crate::text::diff::DiffRow;

/// Compare two runs: what may have caused their results, parameters, metrics, code, catalog, packages, nodes, datasets.
///
/// The contents of the datasets show where the runs part: a cause is likely where a node made something else of the same
/// inputs, and ruled out where the outputs of its nodes are the same.
///
/// Code is compared by definition, with the nodes that use each and the difference of its text.
/// Equal values are left out, except the times of nodes. The exit code is 0 whether the runs
/// differ or not.
///
/// Example: mlops-tui runs diff 12 last
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The run to compare with
    first: RunName,
    /// The run to compare
    #[arg(default_value = "last")]
    second: RunName,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(root: &Path, store: &mut Store, arguments: &Arguments) -> Result<ExitCode> {
    let mut read = |name: RunName| -> Result<Whole> {
        let id = name.find(store)?.0;
        match whole(store, id)? {
            Some(whole) => Ok(whole),
            None => bail!("There is no run {id}."),
        }
    };
    let (first, second) = (read(arguments.first)?, read(arguments.second)?);
    let options = Options { env: second.run.new.env.clone(), ..Options::default() };
    let snapshot = Project::new(root).read(&options);
    let compare = async { Ok(compare(root, Some(&snapshot), &first, &second).await) };
    let compared = crate::cli::block_on(compare)?;
    if arguments.json {
        return output::json(&json!(compared));
    }
    output::text(&describe(&compared, Reader::of_stdout()))
}

fn describe(compared: &Comparison, reader: Reader) -> String {
    let RunPair { first, second } = compared.runs;
    let mut out = format!("Run {first} and run {second}\n");
    let sections = sections(compared);
    if sections.is_empty() {
        return out + "\nNothing differs.\n";
    }
    for section in sections {
        out += &format!("\n{}\n", reader.paint(section.title, Tone::Name));
        for cause in &section.causes {
            let verdict = reader.paint(&format!("{:<9}", cause.verdict), cause.tone);
            out += &format!("  {verdict}  {}\n", reader.line(&cause.what));
            if !cause.because.is_empty() {
                let because = reader.line(&format!("{:13}{}", "", cause.because));
                out += &format!("{}\n", reader.paint(&because, Tone::Dim));
            }
        }
        let rows: Vec<Vec<Cell>> = section.pairs.iter().map(row).collect();
        let left = ("", Align::Left);
        // Measurements are aligned at their last digit.
        let measured = section.pairs.iter().all(|pair| !pair.changed);
        let values = ("", if measured { Align::Right } else { Align::Left });
        out += &lines(reader, &[("", Align::Name), values, left, values, left], &rows);
        for one in &section.definitions {
            out += &definition(one, reader);
        }
        for text in &section.texts {
            out += &reader.line(&format!("  {text}"));
            out.push('\n');
        }
    }
    out
}

/// A definition, the nodes that use it, and the difference of its text.
fn definition(one: &DefinitionDiff, reader: Reader) -> String {
    let mut out = String::new();
    let mut line = |text: &str, tone: Tone| {
        out += &reader.paint(&reader.line(text), tone);
        out.push('\n');
    };
    line(&format!("  {}  used by {}  {}", one.title, one.nodes, one.place), Tone::Name);
    let code = |of: &Highlighted, line: usize| -> String {
        let parts = of.lines.get(line).map_or(&[] as &[_], Vec::as_slice);
        parts.iter().map(|(_, text)| text.as_str()).collect()
    };
    let (old, new) = &one.texts;
    for row in one.rows(false) {
        match *row {
            DiffRow::Skipped(_) => line("    ...", Tone::Dim),
            DiffRow::Same(_, at) => line(&format!("      {}", code(new, at)), Tone::Plain),
            DiffRow::Changed(Some(at), _) => line(&format!("    - {}", code(old, at)), Tone::Bad),
            DiffRow::Changed(_, Some(at)) => line(&format!("    + {}", code(new, at)), Tone::Good),
            DiffRow::Changed(None, None) => {}
        }
    }
    if let Some(note) = one.note {
        line(&format!("    {note}"), Tone::Dim);
    }
    out
}

fn row(pair: &Pair) -> Vec<Cell> {
    let (first, second) = match pair.changed {
        true => (Tone::Bad, Tone::Good),
        false => (Tone::Plain, Tone::Plain),
    };
    vec![
        (format!("  {}", pair.name), pair.tone),
        (pair.first.clone(), first),
        ("→".to_owned(), Tone::Dim),
        (pair.second.clone(), second),
        (pair.note.clone(), Tone::Dim),
    ]
}
