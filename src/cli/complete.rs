//! Completion in the shell: the words of the command line, and the names of the project.
//!
//! The script that `mlops-tui completions SHELL` prints calls the program itself with [`VARIABLE`] set. The names are those
//! of the static reading, so that nothing of the project is executed.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap::Command;
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use clap_complete::env::Shells;
use clap_complete::{CompleteEnv, Shell};
use color_eyre::eyre::{Result, eyre};

use crate::project::{Node, Options, Reader, Snapshot, discovery, is_parameter};
use crate::text::sanitize;

/// The environment variable by which the script asks for completions.
const VARIABLE: &str = "MLOPS_TUI_COMPLETE";

/// Prints the completions that the shell's script asks for, and ends the program; does nothing otherwise.
pub(super) fn answer(command: fn() -> Command) {
    CompleteEnv::with_factory(command).var(VARIABLE).complete();
}

/// The script that makes a shell ask for completions.
pub(super) fn script(shell: Shell) -> Result<Vec<u8>> {
    let mut script = Vec::new();
    let shells = Shells::builtins();
    let name = shell.to_string();
    let completer =
        shells.completer(&name).ok_or_else(|| eyre!("There is no completion for {name}."))?;
    completer.write_registration(VARIABLE, "mlops-tui", "mlops-tui", "mlops-tui", &mut script)?;
    Ok(script)
}

/// Completes names of pipelines.
pub(super) fn pipelines() -> ArgValueCompleter {
    names(|snapshot| snapshot.pipelines.iter().map(|pipeline| pipeline.name.clone()).collect())
}

/// Completes names of nodes.
pub(super) fn nodes() -> ArgValueCompleter {
    names(|snapshot| of_nodes(snapshot, |node| vec![node.name.clone()]))
}

/// Completes names of datasets.
pub(super) fn datasets() -> ArgValueCompleter {
    names(|snapshot| {
        let used = of_nodes(snapshot, |node| [&*node.inputs, &*node.outputs].concat());
        let entries = snapshot.datasets.keys().cloned();
        entries.chain(used.into_iter().filter(|name| !is_parameter(name))).collect()
    })
}

/// Completes tags.
pub(super) fn tags() -> ArgValueCompleter {
    names(|snapshot| of_nodes(snapshot, |node| node.tags.iter().cloned().collect()))
}

/// Completes namespaces.
pub(super) fn namespaces() -> ArgValueCompleter {
    names(|snapshot| of_nodes(snapshot, |node| node.namespace.iter().cloned().collect()))
}

/// Completes run environments.
pub(super) fn environments() -> ArgValueCompleter {
    names(|snapshot| snapshot.environments.clone())
}

/// Completes themes.
pub(super) fn themes() -> ArgValueCompleter {
    ArgValueCompleter::new(|written: &OsStr| matching(written, crate::tui::themes()))
}

/// Completes keymaps.
pub(super) fn keymaps() -> ArgValueCompleter {
    ArgValueCompleter::new(|written: &OsStr| matching(written, crate::tui::keymaps()))
}

fn names(of: fn(&Snapshot) -> Vec<String>) -> ArgValueCompleter {
    ArgValueCompleter::new(move |written: &OsStr| match snapshot() {
        Some(snapshot) => matching(written, of(&snapshot)),
        None => Vec::new(),
    })
}

fn of_nodes(snapshot: &Snapshot, of: impl Fn(&Node) -> Vec<String>) -> Vec<String> {
    snapshot.nodes().flat_map(of).collect()
}

/// The project that the line names, else that of the current folder.
fn snapshot() -> Option<Snapshot> {
    let words: Vec<OsString> = std::env::args_os().collect();
    let named = words.iter().position(|word| word == "-C" || word == "--project");
    let folder = named.and_then(|at| words.get(at + 1)).map_or(PathBuf::from("."), PathBuf::from);
    let root = discovery::find(&folder).ok()?;
    Some(Reader::new(root).read(&Options::default()))
}

/// The names that begin as the last item of a list does; items are separated by commas.
fn matching(written: &OsStr, mut names: Vec<String>) -> Vec<CompletionCandidate> {
    let Some(written) = written.to_str() else { return Vec::new() };
    let (before, begun) = written.split_at(written.rfind(',').map_or(0, |at| at + 1));
    names.sort_unstable();
    names.dedup();
    // A name that a shell or terminal would misread is left out.
    names.retain(|name| name.starts_with(begun) && sanitize(name) == *name);
    names.into_iter().map(|name| CompletionCandidate::new(format!("{before}{name}"))).collect()
}
