//! `mlops-tui env`: the project's Python environment.

use std::process::ExitCode;

use color_eyre::eyre::Result;

use super::output;
use super::project::FolderArguments;
use crate::runs::environment;
use crate::text::sanitize;

/// The project's Python environment
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Make `.venv` in the project and install the project's requirements
    ///
    /// This uses uv if it is installed, else Python's venv and pip. A working `.venv` is kept,
    /// and missing packages are installed into it.
    Create {
        #[command(flatten)]
        folder: FolderArguments,
    },
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let Verb::Create { folder } = &arguments.verb;
    let root = folder.root()?;
    super::block_on(async {
        let (progress, mut lines) = tokio::sync::mpsc::channel::<String>(64);
        let print = async {
            while let Some(line) = lines.recv().await {
                // A closed pipe does not stop the installation.
                let _ = output::text(&format!("{}\n", sanitize(&line)));
            }
        };
        tokio::select! {
            (made, ()) = async { tokio::join!(environment::create(&root, progress), print) } => {
                let python = made?;
                output::text(&format!("The environment is ready: {}\n", python.display()))
            }
            _ = tokio::signal::ctrl_c() => Ok(ExitCode::from(130)),
        }
    })
}
