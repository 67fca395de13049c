//! `mlops-tui debug`: a Python prompt in the context of a node.

use std::path::PathBuf;
use std::process::ExitCode;

use color_eyre::eyre::{Result, WrapErr, eyre};

use super::complete;
use super::output::complain;
use super::project::ProjectArguments;
use crate::dag::Slice;
use crate::runs::params::{Handed, Params};
use crate::runs::plan::InputSource;
use crate::runs::request::parse_params;
use crate::runs::{RunRequest, Spec, debug, interpreter, plan};
use crate::system::say;
use crate::text::sanitize;

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
    /// File with further parameters; the program removes it after reading
    #[arg(long, value_name = "FILE", hide = true)]
    params_from: Option<PathBuf>,
    /// Python interpreter [default: the project's own]
    #[arg(long, value_name = "FILE")]
    python: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode> {
    // Read the file first, so that it is removed even if something fails later.
    let mut params = arguments.params.clone();
    if let Some(file) = &arguments.params_from {
        params.extend(Handed::take(file).map_err(|error| eyre!(error))?.params);
    }
    let root = arguments.project.root()?;
    let python =
        interpreter::choose(&root, arguments.python.as_deref()).map_err(|error| eyre!(error))?;
    let request = RunRequest {
        pipeline: arguments.pipeline.clone(),
        slice: Slice::nodes([&arguments.node]),
        env: arguments.project.env(),
        params,
        ..RunRequest::default()
    };
    let prepared = plan::prepare(&root, request)?;
    if let Some(error) = &prepared.refused {
        return Err(eyre!("{error}."));
    }
    for added in prepared.plan.iter().flat_map(|plan| &plan.nodes) {
        if let Some(dataset) = &added.makes {
            let line = format!("{dataset} does not exist yet; the node {} makes it.", added.name);
            complain(&line);
        }
    }
    for input in prepared.plan.iter().flat_map(|plan| &plan.inputs) {
        if let InputSource::Kept { run, .. } = input.from {
            say::tell(&format!(
                "{}: the copy that run {run} kept is loaded.",
                sanitize(&input.dataset)
            ));
        }
    }
    let spec = Spec::new(&python.path, &root);
    let error = debug::become_prompt(&spec, &prepared, &arguments.node, arguments.post_mortem);
    Err(error).wrap_err_with(|| format!("{} can't be started", python.path.display()))
}
