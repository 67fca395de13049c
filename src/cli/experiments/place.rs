//! Choosing the store that the verbs read, and `mlops-tui experiments where`.

use std::collections::HashSet;
use std::path::PathBuf;
use std::process::ExitCode;

use color_eyre::eyre::{Result, bail};
use serde_json::json;

use crate::cli::output;
use crate::cli::project::{EnvOption, FolderOption};
use crate::project::{Reader, discovery};
use crate::text::{sanitize, width};
use crate::tracking::entities::Results;
use crate::tracking::filter::{Entity, Expr, FilterError, Order, parse, parse_orders};
use crate::tracking::inputs::{self, Entry};
use crate::tracking::{self, Choice, Location, PROJECT, Store};

/// The arguments that choose the store. There is no `-e` for the environment, because some verbs use it for the experiment.
#[derive(Debug, clap::Args)]
#[command(mut_arg("env", |env| env.short(None).global(true)))]
pub(in crate::cli) struct PlaceArguments {
    #[command(flatten)]
    project: FolderOption,
    /// The store: a URI, a name of [tool.mlops-tui.stores], or `project:` [default: see `experiments where`]
    #[arg(long, global = true, value_name = "URI")]
    tracking_uri: Option<String>,
    #[command(flatten)]
    env: EnvOption,
}

/// Show which store is read, and why.
///
/// In order: --tracking-uri, MLFLOW_TRACKING_URI, mlflow.yml of kedro-mlflow, .env, [tool.mlops-tui] in
/// pyproject.toml, mlflow.db or mlruns/ in the project's folder. Where there is none of these, or with
/// --tracking-uri project:, the project's own runs and metrics datasets are read. The JSON is `{"schema": 1, "kind":
/// "sqlite", "files", "server" or "project", "location", "chosen_by", "reason", "stores": {NAME: URI}}`.
#[derive(Debug, clap::Args)]
pub(super) struct Where {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// The store that a verb reads.
pub(in crate::cli) struct Opened {
    pub store: Store,
    /// Now, in milliseconds since the Unix epoch.
    pub now: i64,
}

impl Opened {
    fn at(location: &Location) -> Result<Self> {
        let store = Store::open(location, tracking::workspace().as_deref())?;
        Ok(Opened { store, now: jiff::Timestamp::now().as_millisecond() })
    }
}

impl PlaceArguments {
    /// The project's folder; outside a project the given folder.
    pub fn root(&self) -> PathBuf {
        let folder = self.project.path();
        discovery::find(folder)
            .unwrap_or_else(|_| std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned()))
    }

    /// The project's catalog: names of datasets, and the paths of local ones; empty without a
    /// project.
    pub fn catalog(&self) -> Vec<Entry> {
        let root = self.root();
        match discovery::find(&root) {
            Ok(_) => inputs::catalog(&root, &Reader::new(&root).read(&self.env.options())),
            Err(_) => Vec::new(),
        }
    }

    fn choose(&self) -> Result<Choice> {
        let root = self.root();
        Ok(tracking::choose(&root, self.env.name().as_deref(), self.tracking_uri.as_deref())?)
    }

    /// The location of the store.
    pub fn location(&self) -> Result<Location> {
        let choice = self.choose()?;
        match choice.location {
            Some(location) => Ok(location),
            None => bail!("There is no tracking store. {}", choice.place),
        }
    }

    /// Opens the store.
    pub fn open(&self) -> Result<Opened> {
        Opened::at(&self.location()?)
    }

    /// The named stores of pyproject.toml.
    pub fn named(&self) -> Result<HashSet<String>> {
        // The named stores are known even if the chosen store does not exist.
        let choice = tracking::choose(&self.root(), self.env.name().as_deref(), Some(PROJECT))?;
        Ok(choice.named.into_keys().collect())
    }

    /// Opens a named store, or `project`.
    pub fn open_named(&self, name: &str) -> Result<Opened> {
        let uri = if name == "project" { PROJECT } else { name };
        let choice = tracking::choose(&self.root(), self.env.name().as_deref(), Some(uri))?;
        match choice.location {
            Some(location) => Opened::at(&location),
            None => bail!("There is no tracking store. {}", choice.place),
        }
    }
}

pub(super) fn run(place: &PlaceArguments, arguments: &Where) -> Result<ExitCode> {
    let choice = place.choose()?;
    let (kind, uri) = match &choice.location {
        Some(Location::Sqlite(path)) => (Some("sqlite"), Some(path.display().to_string())),
        Some(Location::Files(path)) => (Some("files"), Some(path.display().to_string())),
        Some(Location::Project(root, _)) => (Some("project"), Some(root.display().to_string())),
        Some(Location::Server(uri)) => (Some("server"), Some(uri.to_string())),
        None => (None, None),
    };
    if arguments.json {
        return output::json(&json!({
            "schema": 1, "kind": kind, "location": uri, "chosen_by": choice.by.word(),
            "reason": choice.place, "stores": choice.named,
        }));
    }
    let place = uri.unwrap_or_else(|| "There is no tracking store.".to_owned());
    let mut text = format!("{}\n  {}\n", sanitize(&place), sanitize(&choice.place));
    for (name, uri) in &choice.named {
        text += &format!("  {}\n", sanitize(&format!("{name}: {uri}")));
    }
    output::text(&text)
}

/// A filter or an order that can't be parsed.
pub(in crate::cli) struct Refused {
    text: String,
    error: FilterError,
}

/// Parses a filter and the clauses of an order.
pub(in crate::cli) fn asked(
    entity: Entity,
    filter: Option<&str>,
    order_by: &[String],
) -> Result<(Expr, Vec<Order>), Refused> {
    let filter = filter.unwrap_or_default();
    let refused = |text: String| move |error| Refused { text, error };
    let expr = parse(entity, filter).map_err(refused(filter.to_owned()))?;
    let orders = parse_orders(entity, order_by).map_err(refused(order_by.join(", ")))?;
    Ok((expr, orders))
}

/// The results within a limit. Problems are printed on standard error.
pub(in crate::cli) fn within<T>(found: Results<T>, limit: Option<usize>) -> Results<T> {
    found.problems.iter().for_each(|problem| output::complain(problem));
    Results::of(found.items, limit)
}

/// Prints the filter and its error, with a mark under the error's position. The exit code is 2.
pub(in crate::cli) fn refuse(Refused { text: filter, error }: &Refused) -> Result<ExitCode> {
    let start = filter[..error.at.min(filter.len())].rfind('\n').map_or(0, |at| at + 1);
    let line = filter[start..].lines().next().unwrap_or_default();
    let before = sanitize(&filter[start..error.at.clamp(start, filter.len())]);
    let sign = " ".repeat(width(&before));
    output::complain(&format!("{}\n  {line}\n  {sign}^", error.message));
    Ok(ExitCode::from(2))
}
