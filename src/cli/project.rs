//! The arguments that name a project and its run environment, with the same defaults for all verbs.

use std::env;
use std::path::{Path, PathBuf};

use color_eyre::eyre::Result;

use super::complete;
use crate::project::{Options, discovery};

/// The project, and the environment to read it in.
#[derive(Debug, clap::Args)]
pub(super) struct ProjectArguments {
    #[command(flatten)]
    folder: FolderArguments,
    #[command(flatten)]
    env: EnvOption,
}

/// The project, for verbs that do not read its configuration.
#[derive(Debug, clap::Args)]
pub(super) struct FolderArguments {
    /// The project: its folder or anything in it [default: the current folder]
    path: Option<PathBuf>,
    /// The project, as PATH
    #[arg(long, short = 'C', value_name = "PATH", conflicts_with = "path")]
    project: Option<PathBuf>,
}

/// The project, for verbs whose own arguments are something else.
#[derive(Debug, clap::Args)]
pub(super) struct FolderOption {
    /// The project: its folder or anything in it [default: the current folder]
    #[arg(long, short = 'C', global = true, value_name = "PATH")]
    project: Option<PathBuf>,
}

/// The environment of the project's configuration.
#[derive(Debug, clap::Args)]
pub(super) struct EnvOption {
    /// Run environment [default: that of KEDRO_ENV, else the project's]
    #[arg(short, long, value_name = "ENV", add = complete::environments())]
    env: Option<String>,
}

impl ProjectArguments {
    pub(super) fn root(&self) -> Result<PathBuf> {
        self.folder.root()
    }

    /// The path, if it is one word and does not exist: perhaps a misspelled verb.
    pub(super) fn absent_word(&self) -> Option<String> {
        let path = self.folder.path.as_ref().filter(|path| !path.exists())?;
        let word = path.to_str().filter(|word| !word.contains(['/', '\\']))?;
        Some(word.to_owned())
    }

    pub(super) fn env(&self) -> Option<String> {
        self.env.name()
    }

    pub(super) fn options(&self) -> Options {
        self.env.options()
    }
}

impl FolderArguments {
    pub(super) fn root(&self) -> Result<PathBuf> {
        root(self.path.as_deref().or(self.project.as_deref()))
    }
}

impl FolderOption {
    /// The folder as given.
    pub(super) fn path(&self) -> &Path {
        self.project.as_deref().unwrap_or(Path::new("."))
    }

    pub(super) fn root(&self) -> Result<PathBuf> {
        root(self.project.as_deref())
    }
}

impl EnvOption {
    /// The environment; `None` for the project's default. An empty name counts as not given, as in
    /// `KedroSession.create`.
    pub(super) fn name(&self) -> Option<String> {
        let named = self.env.clone().filter(|name| !name.is_empty());
        let variable = || Some(env::var_os("KEDRO_ENV")?.to_string_lossy().into_owned());
        named.or_else(variable).filter(|name| !name.is_empty())
    }

    /// How to read the project in this environment.
    pub(super) fn options(&self) -> Options {
        Options { env: self.name(), ..Options::default() }
    }
}

/// The folder of the project that a path argument, or the current folder, lies in.
pub(super) fn root(path: Option<&Path>) -> Result<PathBuf> {
    Ok(discovery::find(path.unwrap_or(Path::new(".")))?)
}
