//! `mlops-tui debug`: a Python prompt in the context of a node.

use std::path::PathBuf;
use std::process::ExitCode;

use color_eyre::eyre::{Result, WrapErr, eyre};

use super::complete;
use super::project::ProjectArguments;
use crate::dag::Slice;
use crate::runs::debug::Prompt;
use crate::runs::params::Params;
use crate::runs::request::parse_params;
use crate::runs::{RunRequest, Spec, debug, interpreter, plan};
use crate::system::say;

/// Open a Python prompt with a node's inputs loaded, or the debugger where the node fails.
///
/// Inputs are loaded from files, or from copies that earlier runs kept. Each has the name of its
/// parameter in the node's function. IPython is used if the project has it.
///
/// Example: mlops-tui debug train_model --post-mortem
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Name of the node
    #[arg(add = complete::nodes())]
    node: String,
    #[command(flatten)]
    project: ProjectArguments,
    /// Run the node, and open the debugger (pdb) where it fails
    #[arg(long)]
    post_mortem: bool,
    /// Pipeline of the node [default: __default__]
    #[arg(short, long, value_name = "NAME", add = complete::pipelines())]
    pipeline: Option<String>,
    /// Parameters: a=1,model.depth=3
    #[arg(long, value_name = "PARAMS", value_parser = parse_params, default_value = "", hide_default_value = true)]
    params: Params,
    /// Python interpreter [default: the project's own]
    #[arg(long, value_name = "FILE")]
    python: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let root = arguments.project.root()?;
    let python =
        interpreter::choose(&root, arguments.python.as_deref()).map_err(|error| eyre!(error))?;
    let request = RunRequest {
        pipeline: arguments.pipeline.clone(),
        slice: Slice::nodes([&arguments.node]),
        env: arguments.project.env(),
        params: arguments.params.clone(),
        ..RunRequest::default()
    };
    let prepared = plan::prepare(&root, request)?;
    if let Some(error) = &prepared.refused {
        return Err(eyre!("{error}."));
    }
    for line in debug::notes(&prepared) {
        say::tell(&line);
    }
    let spec = Spec::new(&python.path, &root);
    let prompt = Prompt { node: arguments.node.clone(), post_mortem: arguments.post_mortem };
    let error = debug::become_prompt(&spec, &prepared, &prompt);
    Err(error).wrap_err_with(|| format!("{} can't be started", python.path.display()))
}
