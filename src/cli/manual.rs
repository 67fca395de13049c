//! Manual pages: one for the program and one for each verb.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Command;
use color_eyre::eyre::{Result, WrapErr, bail};

use super::output;
use crate::text::did_you_mean;

/// Print a manual page (roff): mlops-tui man run | man -l -
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The verb, such as `run` or `runs list` [default: the program]
    verb: Vec<String>,
    /// Write the pages of the program and of all verbs to this folder
    #[arg(long, value_name = "FOLDER", conflicts_with = "verb")]
    all: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments, mut command: Command) -> Result<ExitCode> {
    if let Some(folder) = &arguments.all {
        clap_mangen::generate_to(command, folder)
            .wrap_err_with(|| format!("can't write to {}", folder.display()))?;
        return Ok(ExitCode::SUCCESS);
    }
    command.build();
    let mut found = &command;
    for word in &arguments.verb {
        let verbs = || found.get_subcommands().map(Command::get_name);
        match found.find_subcommand(word) {
            Some(inner) => found = inner,
            None => bail!("There is no verb `{word}`.{}", did_you_mean(word, verbs())),
        }
    }
    output::bytes(&page(found)?)
}

fn page(command: &Command) -> Result<Vec<u8>> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut page)?;
    Ok(page)
}
