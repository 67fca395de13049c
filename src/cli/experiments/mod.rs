//! `mlops-tui experiments`: the tracked runs of an MLflow store, one file for each way to look at them.

mod artifacts;
mod columns;
mod compare;
mod correlate;
mod curve;
mod datasets;
mod export;
mod follow;
mod groups;
mod history;
mod list;
mod place;
mod search;
mod several;
mod show;

use std::process::ExitCode;

use clap::Subcommand;
use color_eyre::eyre::Result;

pub(super) use place::{Opened, PlaceArguments, asked, refuse, within};
pub(super) use search::experiments;

/// Look at tracked runs: where, list, search, show, compare, history, datasets, artifacts, export, follow.
///
/// A RUN is the first digits of an id, a name, `latest`, or `best:metrics.rmse`. The store is only read, and
/// nothing of the project is executed.
///
/// Example: mlops-tui experiments search "metrics.rmse < 1 and params.model = 'ridge'"
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    place: PlaceArguments,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Show which store is read, and why
    Where(place::Where),
    /// List experiments
    List(list::Arguments),
    /// List runs that match a filter of MLflow's
    Search(search::Arguments),
    /// Show a run: params, metrics, tags, datasets
    Show(show::Arguments),
    /// Show the differences between runs
    Compare(compare::Arguments),
    /// List the params by how strongly they go with a metric
    Correlate(correlate::Arguments),
    /// Print or draw the values of a metric
    History(history::Arguments),
    /// List datasets with the runs that have read them
    Datasets(datasets::Arguments),
    /// List the artifacts of a run, or print one
    Artifacts(artifacts::Arguments),
    /// Write a comparison of runs, or the curves of a metric, to a file
    Export(export::Arguments),
    /// Print runs and values of metrics as they are logged
    Follow(follow::Arguments),
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let place = &arguments.place;
    match &arguments.verb {
        Verb::Where(arguments) => place::run(place, arguments),
        Verb::List(arguments) => list::run(&place.open()?, arguments),
        Verb::Search(arguments) => search::run(&place.open()?, arguments),
        Verb::Show(arguments) => show::run(place, &place.open()?, arguments),
        Verb::Compare(arguments) => compare::run(place, arguments),
        Verb::Correlate(arguments) => correlate::run(&place.open()?, arguments),
        Verb::Datasets(arguments) => datasets::run(place, &place.open()?, arguments),
        Verb::History(arguments) => history::run(&place.open()?, arguments),
        Verb::Artifacts(arguments) => artifacts::run(place, &place.open()?, arguments),
        Verb::Export(arguments) => export::run(place, arguments),
        Verb::Follow(arguments) => follow::run(place, arguments),
    }
}
