//! `mlops-tui commands`: the table of commands.

use std::fmt::Write as _;
use std::process::ExitCode;

use color_eyre::eyre::Result;

use super::output;
use crate::app::command::COMMANDS;
use crate::app::control::CONTROLS;
use crate::app::keymap::Keymap;
use crate::text::pad;
use serde_json::json;

/// List the commands of the screen with their keys.
///
/// `--keymap` prints them as a keymap file to start your own from:
/// mlops-tui commands --keymap > ~/.config/mlops-tui/keymaps/own.yaml
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Print a table in Markdown
    #[arg(long, conflicts_with_all = ["keymap", "json"])]
    markdown: bool,
    /// Print a keymap file
    #[arg(long, conflicts_with = "json")]
    keymap: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode> {
    if arguments.keymap {
        return output::text(&Keymap::default().to_yaml());
    }
    if arguments.json {
        let rows = COMMANDS.iter().map(|spec| {
            json!({"name": spec.name, "help": spec.help, "keys": spec.keys, "tabs": spec.scope()})
        });
        let controls = CONTROLS.iter().map(|spec| {
            let name = format!("{}.{}", spec.scope.name(), spec.name);
            json!({"name": name, "help": spec.help, "keys": spec.keys, "tabs": "dialogs"})
        });
        return output::json(&rows.chain(controls).collect::<serde_json::Value>());
    }
    let mut out = String::new();
    if arguments.markdown {
        out.push_str("| Command | Keys | Where | What it does |\n|---|---|---|---|\n");
    }
    for spec in COMMANDS {
        let _ = if arguments.markdown {
            let keys: Vec<String> = spec.keys.iter().map(|key| format!("`{key}`")).collect();
            let keys = keys.join(" ");
            writeln!(out, "| `{}` | {keys} | {} | {}. |", spec.name, spec.scope(), spec.help)
        } else {
            let keys = spec.keys.join(", ");
            let (name, keys) = (pad(spec.name, 20), pad(&keys, 18));
            writeln!(out, "{name} {keys} {} ({})", spec.help, spec.scope())
        };
    }
    if arguments.markdown {
        out.push_str("\n## Keys inside dialogs and lines\n\n");
        out.push_str("| Section | Name | Keys | What it does |\n|---|---|---|---|\n");
    }
    for spec in CONTROLS {
        let _ = if arguments.markdown {
            let keys: Vec<String> = spec.keys.iter().map(|key| format!("`{key}`")).collect();
            let (scope, keys) = (spec.scope.name(), keys.join(" "));
            writeln!(out, "| `{scope}` | `{}` | {keys} | {}. |", spec.name, spec.help)
        } else {
            let name = format!("{}: {}", spec.scope.name(), spec.name);
            let keys = spec.keys.join(", ");
            writeln!(out, "{name:<20} {keys:<18} {} (dialogs)", spec.help)
        };
    }
    output::text(&out)
}
