//! `mlops-tui models`: the model registry of an MLflow store.

mod list;
mod logged;
mod search;
mod show;

use std::process::ExitCode;

use clap::Subcommand;
use color_eyre::eyre::Result;
use serde_json::{Map, Value as Json, json};

use super::experiments::PlaceArguments;
use super::tracked::{object, shown};
use crate::tracking::entities::{Model, ModelVersion};

/// Look at models: list, search, show registered ones, and logged ones. The store is only read.
///
/// Example: mlops-tui models search "name = 'churn' and version_number > 3"
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    place: PlaceArguments,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List registered models
    List(list::Arguments),
    /// List versions that match a filter of MLflow's
    Search(search::Arguments),
    /// Show a model with its versions and a signature
    Show(show::Arguments),
    /// List logged models that match a filter of MLflow's
    Logged(logged::Arguments),
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let place = &arguments.place;
    let opened = place.open()?;
    match &arguments.verb {
        Verb::List(arguments) => list::run(&opened, arguments),
        Verb::Search(arguments) => search::run(&opened, arguments),
        Verb::Show(arguments) => show::run(place, &opened, arguments),
        Verb::Logged(arguments) => logged::run(&opened, arguments),
    }
}

fn model_json(model: &Model) -> Json {
    let aliases: Map<String, Json> =
        model.aliases.iter().map(|(alias, version)| (alias.clone(), (*version).into())).collect();
    json!({
        "name": model.name,
        "creation_timestamp": model.creation_timestamp,
        "last_updated_timestamp": model.last_updated_timestamp,
        "description": model.description,
        "workspace": model.workspace,
        "tags": object(&model.tags),
        "aliases": aliases,
    })
}

fn version_json(version: &ModelVersion) -> Json {
    json!({
        "name": version.name,
        "version": version.version,
        "creation_timestamp": version.creation_timestamp,
        "last_updated_timestamp": version.last_updated_timestamp,
        "description": version.description,
        "user_id": version.user_id,
        "current_stage": version.stage,
        "source": version.source.as_deref().map(|source| shown("", source)),
        "run_id": version.run_id,
        "run_link": version.run_link.as_deref().map(|link| shown("", link)),
        "status": version.status,
        "status_message": version.status_message,
        "tags": object(&version.tags),
        "aliases": version.aliases,
    })
}
