//! `mlops-tui models show`.

use std::process::ExitCode;

use color_eyre::eyre::{Result, bail};
use serde_json::{Value as Json, json};

use super::search::table;
use super::{model_json, version_json};
use crate::cli::experiments::Opened;
use crate::cli::output;
use crate::cli::table::Reader;
use crate::text::sanitize;
use crate::tracking::filter::{Attribute, Comparator, Compare, Expr, Field, Order, Value};

/// Show a registered model with its versions, the newest first.
///
/// Example: mlops-tui models show churn
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The model's name
    model: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(opened: &Opened, arguments: &Arguments) -> Result<ExitCode> {
    let named = Expr::Compare(Compare {
        field: Field::Attribute(Attribute::Name),
        comparator: Comparator::Equal,
        value: Value::Text(arguments.model.clone()),
    });
    let models = opened.store.models(&named, &[], opened.now)?;
    models.problems.iter().for_each(|problem| output::complain(problem));
    let Some(model) = models.items.into_iter().next() else {
        bail!("No model is named `{}`. `mlops-tui models list` lists them.", arguments.model);
    };
    let newest = [Order { field: Field::Attribute(Attribute::Version), ascending: false }];
    let versions = opened.store.versions(&named, &newest, opened.now)?.items;
    if arguments.json {
        let mut json = model_json(&model);
        json["versions"] = versions.iter().map(version_json).collect::<Vec<Json>>().into();
        return output::json(&json!({"schema": 1, "model": json}));
    }
    let reader = Reader::of_stdout();
    let mut text = format!("{}\n", sanitize(&model.name));
    for line in model.description.as_deref().unwrap_or_default().lines() {
        text += &format!("  {}\n", sanitize(line));
    }
    for (key, value) in &model.tags {
        let value = crate::cli::tracked::shown(key, value);
        text += &format!("  {}\n", sanitize(&format!("{key}: {value}")));
    }
    text += "\n";
    text += &match versions.is_empty() {
        true => "It has no versions.\n".to_owned(),
        false => table(&versions, reader),
    };
    output::text(&text)
}
