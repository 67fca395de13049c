//! `mlops-tui models show`.

use std::process::ExitCode;

use color_eyre::eyre::{Result, bail};
use serde_json::{Value as Json, json};

use super::search::table;
use super::{model_json, version_json};
use crate::cli::experiments::{Opened, PlaceArguments};
use crate::cli::output;
use crate::cli::table::Reader;
use crate::text::sanitize;
use crate::tracking::entities::{Model, ModelVersion};
use crate::tracking::filter::{Attribute, Comparator, Compare, Expr, Field, Order, Value};
use crate::tracking::signature::{self, Described, Part};

/// Show a registered model with its versions, the newest first, and the signature of one of them.
///
/// The JSON is `{"schema": 1, "model": {..., "versions": [...], "mlmodel": {"version", "flavors": [], "signature":
/// {"inputs", "outputs", "params"}}}}`: the model as in `list`, its versions as in `search`, and the content of the
/// MLmodel file of the named version, or of the newest one; null if it can't be read.
///
/// Example: mlops-tui models show churn@champion
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The model's name, or one of its versions: NAME/VERSION or NAME@ALIAS
    model: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(
    place: &PlaceArguments,
    opened: &Opened,
    arguments: &Arguments,
) -> Result<ExitCode> {
    let model = |name: &str| -> Result<Option<Model>> {
        let models = opened.store.models(&named(name), &[], opened.now)?;
        models.problems.iter().for_each(|problem| output::complain(problem));
        Ok(models.items.into_iter().next())
    };
    let asked = arguments.model.as_str();
    let (model, which) = match (model(asked)?, asked.rsplit_once(['/', '@'])) {
        (Some(model), _) => (Some(model), None),
        (None, Some((name, which))) => (model(name)?, Some(which)),
        (None, None) => (None, None),
    };
    let Some(model) = model else {
        bail!("No model is named `{asked}`. `mlops-tui models list` lists them.");
    };
    let newest = [Order { field: Field::Attribute(Attribute::Version), ascending: false }];
    let versions = opened.store.versions(&named(&model.name), &newest, opened.now)?.items;
    let version = match which {
        None => versions.first(),
        Some(which) => {
            let is_meant = |version: &&ModelVersion| {
                version.version.to_string() == which
                    || version.aliases.iter().any(|alias| alias == which)
            };
            match versions.iter().find(is_meant) {
                None => bail!("`{}` has no version and no alias `{which}`.", model.name),
                version => version,
            }
        }
    };
    let near = place.location()?.near();
    let described =
        version.map(|version| (version, signature::of_version(&opened.store, &near, version)));
    if arguments.json {
        let mut json = model_json(&model);
        json["versions"] = versions.iter().map(version_json).collect::<Vec<Json>>().into();
        json["mlmodel"] = match &described {
            Some((version, Ok(described))) => mlmodel(version, described),
            Some((_, Err(why))) => {
                output::complain(&why.text);
                Json::Null
            }
            None => Json::Null,
        };
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
    if let Some((version, described)) = &described {
        text += &format!("\nversion {}\n", version.version);
        text += &match described {
            Ok(described) => describe(described),
            Err(why) => format!("  {}\n", sanitize(&format!("Its signature is not known: {why}"))),
        };
    }
    output::text(&text)
}

/// A condition on the name.
fn named(name: &str) -> Expr {
    Expr::Compare(Compare {
        field: Field::Attribute(Attribute::Name),
        comparator: Comparator::Equal,
        value: Value::Text(name.to_owned()),
    })
}

fn mlmodel(version: &ModelVersion, described: &Described) -> Json {
    let signature = described.signature.as_ref().map(|signature| {
        json!({
            "inputs": signature.inputs, "outputs": signature.outputs, "params": signature.params,
        })
    });
    json!({"version": version.version, "flavors": described.flavors, "signature": signature})
}

/// The flavors and the signature, one line for each column.
fn describe(described: &Described) -> String {
    let mut text = format!("  flavors: {}\n", sanitize(&described.flavors.join(", ")));
    let Some(signature) = &described.signature else {
        return text + "  It has no signature.\n";
    };
    for column in signature.columns() {
        let title = match column.part {
            Part::Inputs => "takes",
            Part::Outputs => "gives",
            Part::Params => "params",
        };
        let name = if column.name.is_empty() { column.name } else { column.name + " " };
        text += &format!("  {title}: {}\n", sanitize(&format!("{name}{}", column.kind)));
    }
    text
}
