//! The command line: the interactive program, and the headless verbs, one file each.
//!
//! Every verb calls the same module functions as the screens. Each returns an [`ExitCode`]: 0 when
//! it succeeded, 1 when not, 130 when it was interrupted, 2 for a wrong command line.

mod commands;
mod complete;
mod config;
mod csv;
mod debug;
mod detach;
mod doctor;
mod env;
mod experiments;
mod grid;
mod inspect;
mod invocation;
mod layout;
mod manual;
mod models;
mod output;
mod plot;
mod project;
mod remote;
mod run;
mod runs;
mod schema;
mod status;
mod table;
mod tracked;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use color_eyre::eyre::{Result, bail};

use self::project::ProjectArguments;
use crate::system::say;
use crate::text::{UserError, closest, sanitize};

/// A terminal workbench for Kedro: pipeline, catalog, parameters, runs and experiments at once.
#[derive(Debug, Parser)]
#[command(name = "mlops-tui", version, args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    screen: ScreenArguments,
}

/// The arguments of the interactive program.
#[derive(Debug, clap::Args)]
struct ScreenArguments {
    #[command(flatten)]
    project: ProjectArguments,
    /// Python interpreter of the project
    #[arg(long, value_name = "FILE")]
    python: Option<PathBuf>,
    /// Colour theme
    #[arg(long, value_name = "NAME", add = complete::themes())]
    theme: Option<String>,
    /// Keymap: default, vim, emacs, or one of your own
    #[arg(long, value_name = "NAME", add = complete::keymaps())]
    keymap: Option<String>,
    /// Draw with plain ASCII characters
    #[arg(long)]
    ascii: bool,
}

impl ScreenArguments {
    fn start(self) -> Result<crate::tui::Start> {
        if let Some(word) = self.project.absent_word() {
            let command = Arguments::command();
            let verbs = command.get_subcommands().map(clap::Command::get_name);
            if let Some(verb) = closest(&word, verbs) {
                bail!("There is no verb and no folder `{word}`. Did you mean `mlops-tui {verb}`?");
            }
        }
        Ok(crate::tui::Start {
            root: self.project.root()?,
            env: self.project.env(),
            python: self.python.map(|path| std::path::absolute(&path).unwrap_or(path)),
            theme: self.theme,
            keymap: self.keymap,
            ascii: self.ascii,
        })
    }
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Show what a project is: pipelines, datasets, parameters, problems
    Inspect(inspect::Arguments),
    /// Show where a pipeline, or any graph, is drawn: boxes and lines in cells
    Layout(layout::Arguments),
    /// Show resolved configuration with the origin of each value
    Config(config::Arguments),
    /// List the commands of the screen with their keys
    Commands(commands::Arguments),
    /// Print the JSON schema of settings, themes or keymaps
    ConfigSchema(schema::Arguments),
    /// Run nodes as `kedro run` does, and record the run
    Run(Box<run::Arguments>),
    /// Show which nodes are out of date, and why
    Status(status::Arguments),
    /// Open a Python prompt with a node's inputs, or the debugger where it fails
    Debug(debug::Arguments),
    /// Look at the run history: list, show, logs, diff, pin, note, delete, prune
    Runs(runs::Arguments),
    /// Look at tracked runs: where, list, search, show, compare, history, datasets, artifacts, follow
    Experiments(experiments::Arguments),
    /// Look at registered models: list, search, show
    Models(models::Arguments),
    /// Run pipelines on engines: list, check, plan, deploy, submit, runs, show, logs, cancel, retry
    Remote(remote::Arguments),
    /// Make the project's Python environment
    Env(env::Arguments),
    /// Check what the project needs: interpreter, Kedro, store, terminal
    Doctor(doctor::Arguments),
    /// Print the shell completion script
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print a manual page (roff): mlops-tui man run | man -l -
    Man(manual::Arguments),
}

/// Runs the command line and returns the process's exit code.
pub fn main() -> ExitCode {
    complete::answer(Arguments::command);
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return refuse(&error),
    };
    match dispatch(arguments) {
        Ok(code) => code,
        Err(report) => {
            output::complain(&causes(&report));
            report.chain().for_each(hint);
            ExitCode::FAILURE
        }
    }
}

/// An error with its causes. A cause that the text already contains is left out.
fn causes(report: &color_eyre::Report) -> String {
    let mut text = report.to_string();
    for cause in report.chain().skip(1).map(ToString::to_string) {
        if !text.contains(cause.trim_end_matches('.')) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

/// Prints the hint of an error, if it has one.
fn hint(error: &(dyn std::error::Error + 'static)) {
    if let Some(hint) = error.downcast_ref::<UserError>().and_then(|error| error.hint.as_ref()) {
        say::complain(&format!("Hint: {}", sanitize(hint)));
    }
}

/// Prints clap's error or help. Control characters of quoted arguments are replaced.
fn refuse(error: &clap::Error) -> ExitCode {
    let hostile =
        |word: std::ffi::OsString| sanitize(&word.to_string_lossy()) != word.to_string_lossy();
    if std::env::args_os().any(hostile) {
        let text = error.render().to_string();
        text.lines().for_each(|line| say::complain(&sanitize(line)));
    } else {
        // Without such characters clap prints in colour.
        let _ = error.print();
    }
    std::error::Error::source(error).into_iter().for_each(hint);
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

fn dispatch(arguments: Arguments) -> Result<ExitCode> {
    match arguments.verb {
        None => crate::tui::run(arguments.screen.start()?),
        Some(Verb::Inspect(arguments)) => inspect::run(&arguments),
        Some(Verb::Layout(arguments)) => layout::run(&arguments),
        Some(Verb::Config(arguments)) => config::run(&arguments),
        Some(Verb::Commands(arguments)) => commands::run(&arguments),
        Some(Verb::ConfigSchema(arguments)) => schema::run(&arguments),
        Some(Verb::Run(arguments)) => run::run(&arguments),
        Some(Verb::Status(arguments)) => status::run(&arguments),
        Some(Verb::Debug(arguments)) => debug::run(&arguments),
        Some(Verb::Runs(arguments)) => runs::run(&arguments),
        Some(Verb::Experiments(arguments)) => experiments::run(&arguments),
        Some(Verb::Models(arguments)) => models::run(&arguments),
        Some(Verb::Remote(arguments)) => remote::run(&arguments),
        Some(Verb::Env(arguments)) => env::run(&arguments),
        Some(Verb::Doctor(arguments)) => doctor::run(&arguments),
        Some(Verb::Completions { shell }) => output::bytes(&complete::script(shell)?),
        Some(Verb::Man(arguments)) => manual::run(&arguments, Arguments::command()),
    }
}

/// Runs a future to its end. Threads that are still busy afterwards, for example in a read that hangs,
/// do not delay the end of the program.
fn block_on<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let result = runtime.block_on(work);
    runtime.shutdown_background();
    result
}

#[cfg(test)]
mod tests {
    use color_eyre::eyre::eyre;

    use super::*;

    #[test]
    fn each_cause_is_named_once() {
        let missing = || std::io::Error::new(std::io::ErrorKind::NotFound, "it is not there");
        let named = eyre!(missing()).wrap_err("x: it is not there.");
        assert_eq!(causes(&named), "x: it is not there.");
        let unnamed = eyre!(missing()).wrap_err("x can't be read");
        assert_eq!(causes(&unnamed), "x can't be read: it is not there");
    }

    #[test]
    fn whatever_reads_a_project_takes_its_environment() {
        let parses = |words: &str, option: &str| {
            let words = words.split_whitespace();
            Arguments::try_parse_from(words.chain([option, "cloud"])).is_ok()
        };
        for verb in ["", "inspect", "layout", "config globals", "run", "status", "debug node"] {
            let verb = format!("mlops-tui {verb}");
            assert!(parses(&verb, "--env") && parses(&verb, "-e"), "{verb}");
        }
        for verb in ["experiments list", "experiments where", "models search name"] {
            assert!(parses(&format!("mlops-tui {verb}"), "--env"), "{verb}");
        }
        assert!(!parses("mlops-tui layout --graph -", "--env"));
    }

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}
