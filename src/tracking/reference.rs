//! References to a run: a prefix of its id, its name, `latest`, or `best:metrics.rmse`.

use super::entities::{Run, RunQuery, View};
use super::filter::{
    Attribute, Comparator, Compare, Entity, Expr, Field, Order, Summary, Value, field_of, summary,
};
use super::{Store, TrackingError};

/// Why a reference does not identify a run.
#[derive(Debug, thiserror::Error)]
pub enum ReferenceError {
    /// No run has this name or id.
    #[error(
        "No run is named `{0}`. `mlops-tui experiments search` lists runs; an id's first digits are enough."
    )]
    Unknown(String),
    /// Several runs have this name or prefix.
    #[error("`{reference}` means several runs: {}. More digits of the id tell them apart.", .runs.join(", "))]
    Ambiguous {
        /// The reference as written.
        reference: String,
        /// The matching runs, newest first.
        runs: Vec<String>,
    },
    /// The text after `best:` is not a metric.
    #[error("`best:` needs a metric, such as `best:metrics.rmse`, not `{0}`.")]
    NoMetric(String),
    /// The store can't be read.
    #[error(transparent)]
    Store(#[from] TrackingError),
}

/// How many matching runs the error lists.
const LISTED: usize = 5;

/// The run that a reference identifies, without its datasets. `latest` and `best:` consider only active runs
/// of the given experiments.
///
/// # Errors
/// When no run or several runs match, or the store can't be read.
pub fn find_run(
    store: &Store,
    reference: &str,
    experiments: Option<&[String]>,
) -> Result<Run, ReferenceError> {
    let experiments = experiments.map(<[String]>::to_vec);
    let first = |order, filter| {
        let query = RunQuery {
            experiments: experiments.clone(),
            order,
            filter,
            limit: Some(1),
            ..RunQuery::default()
        };
        let found = store.search_runs(&query)?.items.pop();
        found.ok_or_else(|| ReferenceError::Unknown(reference.to_owned()))
    };
    if reference == "latest" {
        return first(Vec::new(), Expr::default());
    }
    if let Some(metric) = reference.strip_prefix("best:") {
        let no_metric = || ReferenceError::NoMetric(metric.to_owned());
        let field = field_of(Entity::Run, metric).map_err(|_| no_metric())?;
        let Field::Metric(key) = &field else { return Err(no_metric()) };
        let ascending =
            summary(&format!("{key}.best")).is_some_and(|(_, best)| best == Summary::Min);
        // Runs without the metric are excluded.
        let compare = |comparator| {
            let value = Value::Number(0.0);
            Expr::Compare(Compare { field: field.clone(), comparator, value })
        };
        let has = Expr::Or(vec![compare(Comparator::Less), compare(Comparator::GreaterOrEqual)]);
        return first(vec![Order { field: field.clone(), ascending }], has);
    }
    // A complete id takes precedence over prefixes. A server is asked only if the text can be an id.
    let is_whole = reference.len() == 32 && reference.bytes().all(|b| b.is_ascii_hexdigit());
    if (is_whole || !matches!(store, Store::Rest(_)))
        && let Some(run) = store.run(reference)?
    {
        return Ok(run);
    }
    let text = |attribute, comparator, text: String| {
        Expr::Compare(Compare {
            field: Field::Attribute(attribute),
            comparator,
            value: Value::Text(text),
        })
    };
    let mut meant = vec![text(Attribute::Name, Comparator::Equal, reference.to_owned())];
    let is_id = !reference.is_empty() && reference.bytes().all(|b| b.is_ascii_hexdigit());
    if is_id {
        meant.push(text(Attribute::Id, Comparator::Like, format!("{}%", reference.to_lowercase())));
    }
    let query = RunQuery {
        filter: Expr::Or(meant),
        view: View::All,
        limit: Some(LISTED),
        ..RunQuery::default()
    };
    let mut runs = store.search_runs(&query)?.items;
    match runs.len() {
        0 => Err(ReferenceError::Unknown(reference.to_owned())),
        1 => Ok(runs.remove(0)),
        _ => Err(ReferenceError::Ambiguous {
            reference: reference.to_owned(),
            runs: runs.iter().map(|run| format!("{} ({})", run.id, run.name)).collect(),
        }),
    }
}
